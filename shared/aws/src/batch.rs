//! A queue's batch, judged account by account, so that it costs a write for each profile that it touches and not for
//! each event.
//!
//! What cannot be read is named, counted and left to the queue, which sets it aside in the end; what could not be stored
//! is handed back; the rest is acknowledged. A message that has come more than twice is judged alone, so that it takes no
//! other with it. What a message holds is for its [`Reader`] to say.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use aws_lambda_events::sqs::SqsBatchResponse;
use tripmeter_catalogue::Scope;
use tripmeter_model::{Activity, Timestamp};

use crate::canary::Millis;
use crate::deployment::tell;
use crate::detector::{Detector, by_account};
use crate::exceptions::Exceptions;
pub use crate::queue::NoBatch;
use crate::queue::{self, Message};
use crate::sample::Sample;
use crate::state::Outcome;
use crate::telemetry::{Metric, Metrics};

/// A message that has come more often than this is judged alone.
const TOGETHER: u32 = 2;

/// What a message holds, or why it cannot be read. It asks nobody.
pub type Reader = fn(&str, &Scope) -> Result<Content, String>;

/// What a message held.
#[derive(Debug, Default)]
pub struct Content {
    /// What is watched of it.
    pub activities: Vec<Activity>,
    /// Records that were read, those that nobody watches too.
    pub records: u64,
}

/// What came of a batch.
#[derive(Debug, Default)]
pub struct Report {
    /// What is handed back: messages that are to come again. With none, all are acknowledged.
    pub answer: SqsBatchResponse,
    /// Records that were read.
    pub events: u64,
    /// Messages that could not be read, and why.
    pub unreadable: Vec<(String, String)>,
    /// Calls of our own.
    pub own: u64,
    /// What came of each account's part of it.
    pub outcomes: Vec<Outcome>,
    /// What could not be stored, and why.
    pub failed: Vec<String>,
}

/// Judges what a queue hands over.
///
/// # Errors
/// When the payload is no batch at all; then nothing of it can be acknowledged.
pub async fn handle(
    payload: &str,
    reader: Reader,
    detector: &Detector,
    exceptions: &Exceptions,
    now: Millis,
    until: Instant,
) -> Result<Report, NoBatch> {
    let mut report = Report::default();
    let mut together = Vec::new();
    let mut alone = Vec::new();
    for message in queue::messages(payload)? {
        let Some(message) = message else {
            // Without its id it can be neither acknowledged nor handed back.
            report
                .unreadable
                .push((String::new(), "it is no message of SQS".to_owned()));
            continue;
        };
        if let Some(sample) = Sample::read(&message.body) {
            if let Err(error) = detector.state.tell_sample(&sample, now.second()).await {
                report.failed.push(error.to_string());
                report.give_back(&message.id);
            }
            continue;
        }
        let Some(read) = read(&message, reader, detector, &mut report) else {
            report.give_back(&message.id);
            continue;
        };
        let read = (message.id.clone(), read);
        if message.received > TOGETHER {
            alone.push(vec![read]);
        } else {
            together.push((message.received > 1, read));
        }
    }
    let redelivered = together.iter().any(|(again, _)| *again);
    let together: Vec<Read> = together.into_iter().map(|(_, read)| read).collect();
    judge(together, redelivered, detector, exceptions, now, until, &mut report).await;
    for one in alone {
        judge(one, true, detector, exceptions, now, until, &mut report).await;
    }
    Ok(report)
}

/// A message's id, and the activities in it.
type Read = (String, Vec<Activity>);

fn read(message: &Message, reader: Reader, detector: &Detector, report: &mut Report) -> Option<Vec<Activity>> {
    // What nobody foresaw in a message is a fault of one message.
    let reading = std::panic::AssertUnwindSafe(|| reader(&message.body, &detector.scope));
    let why = match std::panic::catch_unwind(reading) {
        Ok(Ok(content)) => {
            report.events += content.records;
            return Some(content.activities);
        }
        Ok(Err(why)) => why,
        Err(_) => "reading it panicked".to_owned(),
    };
    report.unreadable.push((message.id.clone(), why));
    None
}

/// Judges messages together, account by account, and hands back those whose accounts could not be stored.
async fn judge(
    messages: Vec<Read>,
    redelivered: bool,
    detector: &Detector,
    exceptions: &Exceptions,
    now: Millis,
    until: Instant,
    report: &mut Report,
) {
    let mut from: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut activities = Vec::new();
    for (id, mut read) in messages {
        match detector.take_own(&mut read, now).await {
            Ok(own) => report.own += own,
            Err(error) => {
                report.failed.push(error.to_string());
                report.give_back(&id);
                continue;
            }
        }
        for activity in &read {
            from.entry(activity.account.clone()).or_default().insert(id.clone());
        }
        activities.append(&mut read);
    }
    for (account, activities) in by_account(activities) {
        let judged = if Instant::now() < until {
            let now = Timestamp::from_seconds(now.0 / 1_000);
            let judged = detector
                .judge(&account, &activities, redelivered, exceptions, now)
                .await;
            judged.map_err(|error| error.to_string())
        } else {
            Err(format!("account {account}: no time is left"))
        };
        match judged {
            Ok(outcome) => report.outcomes.push(outcome),
            Err(why) => {
                report.failed.push(why);
                for id in from.remove(&account).unwrap_or_default() {
                    report.give_back(&id);
                }
            }
        }
    }
}

impl Report {
    /// Counts what came of the batch, and says what could not be read or stored.
    pub fn tell(&self, now: Millis, metrics: &mut Metrics) {
        metrics.count(Metric::Events, self.events);
        metrics.count(Metric::OwnCalls, self.own);
        metrics.count(Metric::Unreadable, self.unreadable.len() as u64);
        metrics.count(Metric::HandedBack, self.answer.batch_item_failures.len() as u64);
        for (message, why) in &self.unreadable {
            tracing::error!(%message, %why, "a message that cannot be read");
        }
        for why in &self.failed {
            tracing::error!(%why, "handed back");
        }
        for outcome in &self.outcomes {
            tell(outcome, now, metrics);
        }
    }

    fn give_back(&mut self, id: &str) {
        let mut known = self.answer.batch_item_failures.iter();
        if !known.any(|failed| failed.item_identifier == id) {
            self.answer.add_failure(id);
        }
    }
}
