//! Reads what OpenAI says of an organisation, and judges it.
//!
//! Nothing is pushed: the clock calls for the audit log every minute, and for usage and limits every five. Each is read
//! from where the last run stopped, with an overlap, since what is told late is told in the past; what was judged
//! before changes nothing. A run that dies anywhere is taken up by the next. What cannot be read for want of a key, a
//! right or an answer is a finding of its own: who is blind has to know.

mod audit;
mod limits;
mod prices;
mod readers;
mod secret;
mod sight;
mod usage;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use tripmeter_aws::bookmark::Bookmarks;
use tripmeter_aws::canary::Millis;
use tripmeter_aws::deployment::tell;
use tripmeter_aws::detector::{Detector, JudgeError};
use tripmeter_aws::dynamodb::Failure;
use tripmeter_aws::exceptions::Exceptions;
use tripmeter_aws::findings::{FindingsError, FindingsTable};
use tripmeter_aws::increments::{Increments, TellError};
use tripmeter_aws::state::Outcome;
use tripmeter_aws::telemetry::{Metric, Metrics};
use tripmeter_model::{Activity, DAY, Timestamp};
use tripmeter_openai::{ApiError, Client};

pub use readers::KeySecret;
pub use secret::{Secret, SecretError};
use sight::Source;

/// The source's name in the state table.
const SOURCE: &str = "openai";

/// Reads an organisation, and judges what it read.
#[derive(Debug)]
pub struct Poller {
    /// The API.
    pub api: Client,
    /// The admin key.
    pub secret: Secret,
    /// The organisation's id: the account of everything that is found.
    pub organisation: String,
    /// What judges.
    pub detector: Detector,
    /// Where it is said that nothing can be read.
    pub findings: FindingsTable,
    /// Why a finding is stored and published to nobody, where the deployment only observes.
    pub held: Option<&'static str>,
    /// How far the source was read.
    pub bookmarks: Bookmarks,
    /// What of its usage was told.
    pub increments: Increments,
    /// The AWS secrets and parameters that hold keys of the organisation.
    pub key_secrets: Vec<KeySecret>,
}

/// What is asked of the function.
#[derive(Deserialize)]
struct Call {
    tripmeter: String,
}

/// What came of a run.
#[derive(Debug, Default)]
pub struct Report {
    /// Events and rows that were read.
    pub read: u64,
    /// Events that were judged before.
    pub again: u64,
    /// Events of types that the catalogue does not have.
    pub unknown: u64,
    /// Events that cannot be read.
    pub unreadable: u64,
    /// What came of what was judged.
    pub outcomes: Vec<Outcome>,
    /// What could not be asked, and why.
    pub unanswered: Vec<String>,
}

/// Why a run is to be tried again. What was judged by then is not judged again.
#[derive(Debug, thiserror::Error)]
pub enum PollError {
    /// What was read could not be judged.
    #[error(transparent)]
    Judge(#[from] JudgeError),
    /// The table does not answer.
    #[error(transparent)]
    Table(#[from] Failure),
    /// A finding could not be stored.
    #[error(transparent)]
    Findings(#[from] FindingsError),
    /// Usage has more groups than can be kept.
    #[error("usage: {0}")]
    Crowded(String),
    /// The payload asks for nothing that this function does.
    #[error(
        "the payload asks for nothing: wanted {{\"tripmeter\":\"audit\"}}, {{\"tripmeter\":\"usage\"}} or a record"
    )]
    Unasked,
}

/// Why OpenAI says nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Blind {
    /// It does not answer as it should.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// There is no key to ask with.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// It answers, and there is nothing.
    #[error("the audit log is empty: audit logging is not switched on in the organisation's settings")]
    NoAuditLog,
}

impl Blind {
    /// Whether the next run may see again without anybody doing anything.
    fn is_passing(&self) -> bool {
        match self {
            Self::Api(error) => error.is_passing(),
            Self::Secret(error) => error.is_passing(),
            Self::NoAuditLog => false,
        }
    }
}

impl From<TellError<JudgeError>> for PollError {
    fn from(error: TellError<JudgeError>) -> Self {
        match error {
            TellError::Table(failure) => Self::Table(failure),
            TellError::Taker(error) => Self::Judge(error),
            crowded @ TellError::Crowded { .. } => Self::Crowded(crowded.to_string()),
        }
    }
}

/// One run: what it judges with, and until when.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a> {
    pub(crate) exceptions: &'a Exceptions,
    pub(crate) now: Timestamp,
    pub(crate) until: Instant,
}

impl Poller {
    /// The bookmarks and increments of OpenAI in a state table.
    pub fn kept_in(client: &aws_sdk_dynamodb::Client, state_table: &str) -> (Bookmarks, Increments) {
        (
            Bookmarks::new(client.clone(), state_table, SOURCE),
            // Usage that comes more than a day late is not counted any more by those who judge it either.
            Increments::new(client.clone(), state_table, SOURCE, DAY),
        )
    }

    /// Reads what the payload asks for, `{"tripmeter":"audit"}` or `{"tripmeter":"usage"}`, or judges the event that it
    /// is: somebody read an AWS secret that holds a key.
    ///
    /// # Errors
    /// See [`PollError`]. That OpenAI does not answer is no error, but a finding.
    pub async fn handle(
        &self,
        payload: &str,
        exceptions: &Exceptions,
        now: Millis,
        until: Instant,
    ) -> Result<Report, PollError> {
        let run = Run {
            exceptions,
            now: now.second(),
            until,
        };
        let call: Option<Call> = serde_json::from_str(payload).ok();
        let mut report = Report::default();
        match call.as_ref().map(|call| call.tripmeter.as_str()) {
            Some("audit") => {
                let seen = self.audit(run, &mut report).await?;
                self.settle(Source::AuditLog, seen, run, &mut report).await?;
            }
            Some("usage") => {
                let seen = self.usage(run, &mut report).await?;
                self.settle(Source::Usage, seen, run, &mut report).await?;
                self.limits(run, &mut report).await?;
            }
            _ => self
                .secret_reads(payload, run, &mut report)
                .await?
                .ok_or(PollError::Unasked)?,
        }
        Ok(report)
    }

    /// Asks the API. A key that is refused is read anew, once: it may have been rotated.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str, run: Run<'_>) -> Result<T, Blind> {
        let key = self.secret.key(run.now).await?;
        match self.api.get(path, &key, run.until).await {
            Err(error) if error.is_unauthorized() => {
                let fresh = self.secret.fresh_key(run.now).await?;
                if fresh == key {
                    return Err(error.into());
                }
                Ok(self.api.get(path, &fresh, run.until).await?)
            }
            answer => Ok(answer?),
        }
    }

    /// Judges activities of the organisation. Any of them may have been judged before.
    pub(crate) async fn judge(&self, activities: &[Activity], run: Run<'_>) -> Result<Outcome, JudgeError> {
        self.detector
            .judge(&self.organisation, activities, true, run.exceptions, run.now)
            .await
    }
}

impl Report {
    /// Counts what came of the run, and says what could not be asked.
    pub fn tell(&self, now: Millis, metrics: &mut Metrics) {
        // What is read again by design is no event, and no duplicate that anybody delivered.
        metrics.count(Metric::Events, self.read - self.again);
        metrics.count(Metric::Unknown, self.unknown);
        metrics.count(Metric::Unreadable, self.unreadable);
        metrics.count(Metric::Unanswered, self.unanswered.len() as u64);
        for why in &self.unanswered {
            tracing::error!(%why, "OpenAI says nothing");
        }
        for outcome in &self.outcomes {
            tell(outcome, now, metrics);
        }
    }
}
