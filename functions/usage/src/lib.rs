//! Judges use in batches from a queue: see [`tripmeter_aws::batch`]. A message is an event of EventBridge with a record
//! of CloudTrail in it, or whatever else records come in.

use std::time::Instant;

use tripmeter_aws::batch::{self, Content};
pub use tripmeter_aws::batch::{NoBatch, Report};
use tripmeter_aws::canary::Millis;
use tripmeter_aws::detector::Detector;
use tripmeter_aws::exceptions::Exceptions;
use tripmeter_aws::intake;
use tripmeter_catalogue::Scope;

/// Judges what the queue hands over.
///
/// # Errors
/// When the payload is no batch at all; then nothing of it can be acknowledged.
pub async fn handle(
    payload: &str,
    detector: &Detector,
    exceptions: &Exceptions,
    now: Millis,
    until: Instant,
) -> Result<Report, NoBatch> {
    batch::handle(payload, records, detector, exceptions, now, until).await
}

fn records(body: &str, scope: &Scope) -> Result<Content, String> {
    let read = intake::read(body, scope);
    if read.is_unreadable() {
        let why = read.skipped.first().map(|skip| skip.reason.to_string());
        return Err(why.unwrap_or_else(|| "it holds nothing".to_owned()));
    }
    Ok(Content {
        activities: read.activities,
        records: read.records,
    })
}
