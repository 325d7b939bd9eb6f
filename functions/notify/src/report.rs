//! What came of an invocation.

use serde_json::{Value, json};
use tripmeter_aws::telemetry::{Metric, Metrics};

/// A sweep that published not all that was due: an error, so that it is invoked again, and the alarm on errors tells.
#[derive(Debug, thiserror::Error)]
#[error("{0} messages were not published; the log names them")]
pub struct Unswept(usize);

/// What came of an invocation: counts for metrics, and for the log what did not go well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Revisions that the findings topic took.
    pub published: u64,
    /// Those of them that were too large and are trimmed.
    pub trimmed: u64,
    /// Those of them that were refused and are announced in the least form.
    pub announced: u64,
    /// Seconds from the record that caused a revision to its publication, of episodes that go on.
    pub delays: Vec<i64>,
    /// What was brought and is not due: published before, kept quiet, or held.
    pub not_due: u64,
    /// Stream records, items and digests that could not be read, by name.
    pub unreadable: Vec<String>,
    /// What could not be published, and why.
    pub failed: Vec<String>,
    /// What the chat topic did not take, and why.
    pub chat_failed: Vec<String>,
    /// Whether the chat topic is out of order: it is not tried again in this invocation.
    pub chat_is_down: bool,
    /// Digests published.
    pub digests: u64,
    /// Policies announced.
    pub policies: u64,
    /// What was left for lack of time.
    pub left: u64,
    /// Whether it was a sweep.
    pub is_sweep: bool,
    /// Sequence numbers of stream records that are to be brought again.
    pub hand_back: Vec<String>,
}

impl Report {
    /// Tells it: the counts as metrics, what did not go well as log lines.
    pub fn tell(&self, metrics: &mut Metrics) {
        metrics.count(Metric::Published, self.published);
        metrics.count(Metric::Unreadable, self.unreadable.len() as u64);
        metrics.count(Metric::Unpublished, (self.failed.len() + self.chat_failed.len()) as u64);
        for seconds in &self.delays {
            metrics.latency(u64::try_from(*seconds).unwrap_or(0) * 1_000);
        }
        for why in &self.unreadable {
            tracing::error!(why, "set aside");
        }
        for why in &self.failed {
            tracing::error!(why, "not published");
        }
        for why in &self.chat_failed {
            tracing::warn!(why, "not published to the chat topic");
        }
        if self.trimmed + self.announced + self.left > 0 {
            let Self {
                trimmed,
                announced,
                left,
                ..
            } = self;
            tracing::warn!(trimmed, announced, left, "trimmed, announced, or left for lack of time");
        }
    }

    /// What Lambda expects of a function that reports the failed records of a batch. The stream goes on behind the
    /// first of them. <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html>
    ///
    /// # Errors
    /// When it was a sweep that did not publish everything.
    pub fn response(&self) -> Result<Value, Unswept> {
        if self.is_sweep && !self.failed.is_empty() {
            return Err(Unswept(self.failed.len()));
        }
        let failures = self.hand_back.iter().map(|number| json!({ "itemIdentifier": number }));
        Ok(json!({ "batchItemFailures": failures.collect::<Value>() }))
    }
}
