//! Hears and reads the account's meters.
//!
//! What budgets, quotas, alarms, bills and delivery reports say comes from a queue, in batches ([`hear`]). What only
//! CloudWatch counts is read on a schedule ([`meters`]). What Bedrock logs of each call comes from the log itself
//! ([`invocations`]). All of it is judged by the same engine as the records are.

pub mod invocations;
pub mod meters;

use std::time::Instant;

use tripmeter_aws::batch::{self, Content, NoBatch, Report};
use tripmeter_aws::canary::Millis;
use tripmeter_aws::detector::Detector;
use tripmeter_aws::exceptions::Exceptions;
use tripmeter_catalogue::Scope;
use tripmeter_catalogue::signals::{self, Envelope};

/// Judges what the queue hands over: events of EventBridge, and notifications of SNS.
///
/// # Errors
/// When the payload is no batch at all; then nothing of it can be acknowledged.
pub async fn hear(
    payload: &str,
    detector: &Detector,
    exceptions: &Exceptions,
    now: Millis,
    until: Instant,
) -> Result<Report, NoBatch> {
    batch::handle(payload, signal, detector, exceptions, now, until).await
}

fn signal(body: &str, _: &Scope) -> Result<Content, String> {
    let envelope = Envelope::parse(body).map_err(|error| error.to_string())?;
    Ok(Content {
        activities: signals::read(&envelope),
        records: 1,
    })
}

/// The price of tokens by the table, in millionths of a dollar.
fn micros(model: &str, tokens_in: u64, tokens_out: u64) -> u64 {
    let price = tripmeter_findings::prices::model(model);
    let cost = |tokens: u64, nanodollars: u64| u128::from(tokens) * u128::from(nanodollars);
    let nanodollars = cost(tokens_in, price.input_nanodollars) + cost(tokens_out, price.output_nanodollars);
    u64::try_from(nanodollars / 1_000).unwrap_or(u64::MAX)
}
