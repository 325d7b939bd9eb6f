//! Judges the log files of an organisation's trail.
//!
//! S3 says that a file was created, EventBridge puts that on a queue, and this function reads the file as a stream,
//! part by part: fetch, inflate, read and judge go on side by side, and none of them holds more than a part. A part is
//! judged under the file's mark ([`marks`](tripmeter_aws::marks)), so that a file which comes again, or whose
//! worker's time was over, is gone on with, and each record is counted once.
//!
//! | what comes | what becomes of it |
//! |---|---|
//! | a log file | judged; acknowledged |
//! | broken records in it | named and counted; the others are judged; acknowledged |
//! | a file that is cut off, damaged or no log | judged as far as it goes, named and counted; left to the queue, which sets it aside |
//! | a file that is gone, or may not be read | left to the queue |
//! | an empty file, a digest, insights, another bucket or prefix | acknowledged |
//! | no notice of S3 | left to the queue |
//! | no time is left, the table does not answer, another is at it | handed back, and gone on with |

mod contents;
mod file;
mod files;
mod notice;

use std::time::Instant;

use aws_lambda_events::sqs::SqsBatchResponse;
use tripmeter_aws::canary::Millis;
use tripmeter_aws::config::ConfigError;
use tripmeter_aws::deployment::tell;
use tripmeter_aws::detector::Detector;
use tripmeter_aws::exceptions::Exceptions;
use tripmeter_aws::marks::Marks;
use tripmeter_aws::queue::{self, Message, NoBatch};
use tripmeter_aws::state::Outcome;
use tripmeter_aws::telemetry::{Metric, Metrics};

use crate::contents::Contents;
pub use crate::contents::Judges;
use crate::file::{File, Judged};
pub use crate::files::{FetchError, Files};
pub use crate::notice::{Object, What};

const BUCKET: &str = "TRIPMETER_TRAIL_BUCKET";
const JUDGES: &str = "TRIPMETER_TRAIL_JUDGES";

/// What the function works with, from invocation to invocation.
#[derive(Clone, Debug)]
pub struct Trail {
    /// What judges.
    pub detector: Detector,
    /// How far files have been judged.
    pub marks: Marks,
    /// How files are fetched.
    pub files: Files,
    /// The trail's bucket.
    pub bucket: String,
    /// Which calls are judged.
    pub judges: Judges,
}

/// The time that an invocation has.
#[derive(Clone, Copy, Debug)]
pub struct Shift {
    /// When it began.
    pub began: Millis,
    /// Until when judging a part may begin.
    pub until: Instant,
    /// When it is over, whatever it is doing.
    pub over: Millis,
}

/// What came of a batch.
#[derive(Debug, Default)]
pub struct Report {
    /// What is handed back: messages that are to come again. With none, all are acknowledged.
    pub answer: SqsBatchResponse,
    /// Records that were read.
    pub events: u64,
    /// Calls of our own.
    pub own: u64,
    /// What could not be read, and why: a message, a file, or records of one.
    pub unreadable: Vec<(String, String)>,
    /// Objects in which nothing is to be judged, and why.
    pub foreign: Vec<(String, &'static str)>,
    /// What came of each part of each file.
    pub outcomes: Vec<Outcome>,
    /// What could not be done, and why.
    pub failed: Vec<String>,
}

/// Judges the files that a queue tells of.
///
/// # Errors
/// When the payload is no batch at all; then nothing of it can be acknowledged.
pub async fn handle(payload: &str, trail: &Trail, exceptions: &Exceptions, shift: Shift) -> Result<Report, NoBatch> {
    let mut report = Report::default();
    for message in queue::messages(payload)? {
        match message {
            // Boxed: fetching, reading and judging at once make a large future.
            Some(message) => Box::pin(trail.judge(&message, exceptions, shift, &mut report)).await,
            // Without its id it can be neither acknowledged nor handed back.
            None => report.cannot_read("", "it is no message of SQS"),
        }
    }
    Ok(report)
}

impl Trail {
    /// With what the environment says, as `lookup` gives it: the bucket, and which calls are judged (`all`, else use).
    ///
    /// # Errors
    /// When no bucket is named.
    pub fn new(detector: Detector, files: Files, lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let bucket = lookup(BUCKET).filter(|bucket| !bucket.is_empty());
        let judges = match lookup(JUDGES).as_deref() {
            Some("all") => Judges::All,
            _ => Judges::Use,
        };
        Ok(Self {
            marks: Marks::new(&detector.state),
            detector,
            files,
            bucket: bucket.ok_or(ConfigError::Missing(BUCKET))?,
            judges,
        })
    }

    async fn judge(&self, message: &Message, exceptions: &Exceptions, shift: Shift, report: &mut Report) {
        let Some(object) = Object::read(&message.body) else {
            report.cannot_read(&message.id, "it is no notice that S3 created an object");
            return report.answer.add_failure(&message.id);
        };
        let account = match object.what(&self.bucket) {
            What::Log { account } if object.size > 0 => account,
            What::Log { .. } => return report.foreign.push((object.key, "it is empty")),
            What::Foreign(why) => return report.foreign.push((object.key, why)),
        };
        let file = File {
            trail: self,
            object: &object,
            account,
        };
        let mut judged = Judged::default();
        match Box::pin(file.work(exceptions, shift, &mut judged)).await {
            Ok(contents) => {
                if report.note(&object.key, &contents) {
                    report.answer.add_failure(&message.id);
                }
            }
            Err(why) => {
                report.failed.push(format!("{}: {why}", object.key));
                report.answer.add_failure(&message.id);
            }
        }
        report.own += judged.own;
        report.outcomes.append(&mut judged.outcomes);
    }
}

impl Report {
    /// Counts what came of the batch, and says what could not be read or done.
    pub fn tell(&self, now: Millis, metrics: &mut Metrics) {
        metrics.count(Metric::Events, self.events);
        metrics.count(Metric::OwnCalls, self.own);
        metrics.count(Metric::Unreadable, self.unreadable.len() as u64);
        for (what, why) in &self.unreadable {
            tracing::error!(%what, %why, "cannot be read");
        }
        for (object, why) in &self.foreign {
            tracing::info!(%object, %why, "nothing to judge");
        }
        for why in &self.failed {
            tracing::error!(%why, "handed back");
        }
        for outcome in &self.outcomes {
            tell(outcome, now, metrics);
        }
    }

    /// Notes what was seen in a file, and says whether the file is not what it should be.
    fn note(&mut self, key: &str, contents: &Contents) -> bool {
        self.events += contents.records;
        for skip in &contents.lost {
            self.cannot_read(key, format!("byte {}: {}", skip.position, skip.reason));
        }
        contents.is_broken()
    }

    fn cannot_read(&mut self, what: &str, why: impl Into<String>) {
        self.unreadable.push((what.to_owned(), why.into()));
    }
}
