//! One finding out of the table to the topics, and what is noted of that.

use std::sync::Arc;

use tripmeter_aws::findings::{FindingsError, Stored};
use tripmeter_aws::publish::{Delivery, PublishError};
use tripmeter_model::{Finding, HOUR, Status, Timestamp};

use crate::{Notify, Report};

/// How long the chat topic is tried.
const CHAT_SECONDS: i64 = HOUR;

/// A finding that may be due.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    /// The account in its key.
    pub(crate) account: String,
    /// The id in its key.
    pub(crate) uid: String,
    /// The finding as the stream brought it, for the case that the table has it no longer.
    pub(crate) image: Option<Finding>,
}

/// What came of a finding that may be due.
#[derive(Debug, Default)]
struct Outcome {
    /// What the findings topic took, if the finding was due there.
    delivery: Option<Delivery>,
    /// Seconds from the record that caused it.
    delay: Option<i64>,
    /// Why the chat topic took nothing.
    chat: Option<PublishError>,
}

/// Why a finding was not published.
#[derive(Debug, thiserror::Error)]
enum OutboxError {
    #[error(transparent)]
    Table(#[from] FindingsError),
    #[error(transparent)]
    Publish(#[from] PublishError),
}

impl Notify {
    /// Publishes a finding if it is due, and reports. Says whether bringing it again soon is of no use.
    pub(crate) async fn publish(self: &Arc<Self>, due: Due, now: Timestamp, report: &mut Report) -> bool {
        let name = format!("finding {} of account {}", due.uid, due.account);
        let (notify, chat_is_down) = (Arc::clone(self), report.chat_is_down);
        // A task of its own, whose panic is its own.
        let publishing = tokio::spawn(async move { notify.publish_due(&due, now, chat_is_down).await });
        match publishing.await {
            Ok(Ok(outcome)) => {
                outcome.tell(report);
                true
            }
            Ok(Err(OutboxError::Table(FindingsError::Unreadable(unreadable)))) => {
                report.unreadable.push(unreadable.to_string());
                true
            }
            Ok(Err(error)) => {
                report.failed.push(format!("{name}: {error}"));
                matches!(error, OutboxError::Publish(PublishError::Refused { .. }))
            }
            Err(panicked) => {
                report.failed.push(format!("{name}: {panicked}"));
                true
            }
        }
    }

    async fn publish_due(&self, due: &Due, now: Timestamp, chat_is_down: bool) -> Result<Outcome, OutboxError> {
        match (self.findings.get(&due.account, &due.uid).await, &due.image) {
            (Ok(Some(stored)), _) => self.publish_stored(due, &stored, now, chat_is_down).await,
            // Somebody took it away, or another version wrote it: what the stream brought is told all the same.
            (Ok(None) | Err(FindingsError::Unreadable(_)), Some(image)) => {
                let delivery = self.publisher.finding(image).await?;
                let chat = self.publisher.chat(image).await.err();
                Ok(Outcome {
                    delivery: Some(delivery),
                    delay: delay(image, now),
                    chat,
                })
            }
            (Ok(None), None) => Ok(Outcome::default()),
            (Err(error), _) => Err(error.into()),
        }
    }

    async fn publish_stored(
        &self,
        due: &Due,
        stored: &Stored,
        now: Timestamp,
        chat_is_down: bool,
    ) -> Result<Outcome, OutboxError> {
        let mut outcome = Outcome::default();
        if !stored.pending {
            return Ok(outcome);
        }
        let finding = &stored.finding;
        if stored.published < finding.revision {
            outcome.delivery = Some(self.publisher.finding(finding).await?);
            outcome.delay = delay(finding, now);
        }
        let is_late = now.since(stored.updated) >= CHAT_SECONDS;
        let mut waits_for_chat = chat_is_down;
        if !chat_is_down {
            outcome.chat = self.publisher.chat(finding).await.err();
            waits_for_chat = outcome.chat.is_some();
        }
        if waits_for_chat && !is_late {
            self.findings
                .note_taken(&due.account, &due.uid, finding.revision)
                .await?;
        } else {
            self.findings
                .note_published(&due.account, &due.uid, finding.revision)
                .await?;
        }
        Ok(outcome)
    }

    /// Tells of a policy that came into force, if nobody was told yet.
    pub(crate) async fn announce_policy(&self, report: &mut Report) {
        let (version, said) = match self.policies.untold().await {
            Ok(None) => return,
            Ok(Some(untold)) => untold,
            Err(error) => return report.failed.push(error.to_string()),
        };
        if let Err(error) = self.publisher.policy(&said).await {
            return report.failed.push(error.to_string());
        }
        report.policies += 1;
        if let Err(error) = self.policies.note_told(&version).await {
            report.failed.push(error.to_string());
        }
    }

    /// Publishes the digests that are due.
    pub(crate) async fn publish_digests(&self, now: Timestamp, report: &mut Report) {
        let (due, unreadable) = match self.digests.due(now).await {
            Ok(due) => due,
            Err(error) => return report.failed.push(error.to_string()),
        };
        report.unreadable.extend(unreadable);
        for digest in due {
            if let Err(error) = self.publisher.digest(&digest.subject, &digest.text).await {
                report.failed.push(error.to_string());
                continue;
            }
            report.digests += 1;
            if let Err(error) = self.digests.note_published(&digest, now).await {
                report.failed.push(error.to_string());
            }
        }
    }
}

/// Seconds since the record that caused the revision; none of a closed episode, which no record closes.
fn delay(finding: &Finding, now: Timestamp) -> Option<i64> {
    (finding.status == Status::Open).then(|| now.since(finding.time))
}

impl Outcome {
    fn tell(self, report: &mut Report) {
        report.published += u64::from(self.delivery.is_some());
        report.trimmed += u64::from(self.delivery == Some(Delivery::Trimmed));
        report.announced += u64::from(self.delivery == Some(Delivery::Announced));
        report.not_due += u64::from(self.delivery.is_none());
        report.delays.extend(self.delay);
        if let Some(error) = self.chat {
            report.chat_is_down |= matches!(error, PublishError::Unavailable { .. });
            report.chat_failed.push(error.to_string());
        }
    }
}
