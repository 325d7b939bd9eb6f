//! Publishes findings from the table to SNS, digests, and what came into force as policy.
//!
//! The table's stream brings each revision within seconds; a sweep publishes what it did not. Both say only that a
//! finding is due: what is published is what the table holds then, if it is not published yet. So a revision goes to
//! the findings topic once, and not after a newer one, however often it is brought; only when this function dies
//! between publishing and noting it, or when stream and sweep meet at one finding, does it go there again, which
//! consumers see by `uid` and `revision`.
//!
//! The chat topic comes second. What it does not take is due again at the next sweep, for an hour, and by then the
//! findings topic has long had it: that is noted apart.
//!
//! A record that cannot be read is named, counted and left to the sweep, since the stream would bring it again and
//! again while all others wait behind it. A finding that cannot be published now is handed back to the stream, which
//! tries a few times and sets it aside; its item stays pending, so the sweep goes on trying.

mod digests;
mod outbox;
mod report;
mod request;

use std::sync::Arc;
use std::time::Instant;

use aws_sdk_dynamodb::Client;
use tripmeter_aws::findings::FindingsTable;
use tripmeter_aws::policy::Policies;
use tripmeter_aws::publish::Publisher;
use tripmeter_model::{MINUTE, Timestamp};

use crate::digests::Digests;
use crate::outbox::Due;
pub use crate::report::{Report, Unswept};
pub use crate::request::UnknownRequest;
use crate::request::{Record, Request};

/// The stream has so many seconds before the sweep looks at a finding.
const STREAM_SECONDS: i64 = MINUTE;

/// The function: what it reads from, and where it publishes.
#[derive(Clone, Debug)]
pub struct Notify {
    findings: FindingsTable,
    digests: Digests,
    policies: Policies,
    publisher: Publisher,
}

impl Notify {
    /// From the findings table, and from the digests and policies in the state table.
    pub fn new(findings: FindingsTable, dynamodb: Client, state_table: &str, publisher: Publisher) -> Arc<Self> {
        Arc::new(Self {
            findings,
            digests: Digests::new(dynamodb.clone(), state_table),
            policies: Policies::new(dynamodb, state_table),
            publisher,
        })
    }

    /// Handles a payload: a batch of the findings table's stream, or `{"tripmeter":"sweep"}`. Nothing new is begun
    /// after `until`.
    ///
    /// # Errors
    /// When the payload is neither. What goes wrong with a single finding is in the report.
    pub async fn handle(
        self: &Arc<Self>,
        payload: &str,
        now: Timestamp,
        until: Instant,
    ) -> Result<Report, UnknownRequest> {
        let mut report = Report::default();
        match Request::read(payload)? {
            Request::Batch(records) => self.batch(&records, now, until, &mut report).await,
            Request::Sweep => self.sweep(now, until, &mut report).await,
        }
        Ok(report)
    }

    async fn batch(self: &Arc<Self>, records: &[Record<'_>], now: Timestamp, until: Instant, report: &mut Report) {
        for record in records {
            if Instant::now() >= until {
                // The stream brings this record again, and all after it.
                report.left += 1;
                report.hand_back.extend(record.sequence_number());
                return;
            }
            let due = match record.due() {
                Ok(due) => due,
                Err(unreadable) => {
                    report.unreadable.push(unreadable.to_string());
                    continue;
                }
            };
            if !self.publish(due, now, report).await {
                report.hand_back.extend(record.sequence_number());
            }
        }
    }

    /// Publishes what is pending, oldest first, then the digests that are due, then a policy that nobody was told of.
    async fn sweep(self: &Arc<Self>, now: Timestamp, until: Instant, report: &mut Report) {
        report.is_sweep = true;
        match self.findings.pending(now.plus(-STREAM_SECONDS)).await {
            Ok(pending) => {
                for (done, key) in pending.iter().enumerate() {
                    if Instant::now() >= until {
                        report.left += (pending.len() - done) as u64;
                        break;
                    }
                    let due = Due {
                        account: key.account.clone(),
                        uid: key.uid.clone(),
                        image: None,
                    };
                    self.publish(due, now, report).await;
                }
            }
            Err(error) => report.failed.push(error.to_string()),
        }
        self.publish_digests(now, report).await;
        self.announce_policy(report).await;
    }
}
