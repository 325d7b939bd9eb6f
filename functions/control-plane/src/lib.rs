//! Judges probes, policy changes and credentials as EventBridge delivers them, and closes what is quiet.
//!
//! EventBridge hands each event straight to this function, since seconds matter. An event that could not be stored is
//! an error: its delivery tries again, and sets it aside in the end.

use std::collections::BTreeMap;

use serde::Deserialize;
use tripmeter_aws::canary::Millis;
use tripmeter_aws::deployment::tell;
use tripmeter_aws::detector::{Detector, JudgeError, by_account};
use tripmeter_aws::digest::{self, DigestError};
use tripmeter_aws::exceptions::Exceptions;
use tripmeter_aws::findings::FindingsTable;
use tripmeter_aws::intake;
use tripmeter_aws::state::Outcome;
use tripmeter_aws::telemetry::{Metric, Metrics};
use tripmeter_detect::{Mode, PartKey};
use tripmeter_model::Policy as _;

/// Episodes that one tick looks at: the others wait for the next.
const AT_A_TICK: usize = 500;

/// What is asked of the function.
#[derive(Deserialize)]
struct Call {
    tripmeter: Option<String>,
}

/// What came of an invocation.
#[derive(Debug, Default)]
pub struct Report {
    /// Records that were read.
    pub events: u64,
    /// Calls of our own.
    pub own: u64,
    /// What came of each account's part of it.
    pub outcomes: Vec<Outcome>,
    /// Whether a digest was written.
    pub digest: bool,
}

/// Why an invocation failed: it is to be tried again.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// An account's part could not be stored.
    #[error(transparent)]
    Judge(#[from] JudgeError),
    /// The findings could not be read.
    #[error(transparent)]
    Findings(#[from] tripmeter_aws::findings::FindingsError),
    /// The digest could not be written.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// The payload is nothing that this function knows.
    #[error("the payload holds no record: {0}")]
    Unreadable(String),
}

impl HandleError {
    /// Whether it is the payload that cannot be read.
    pub fn is_unreadable(&self) -> bool {
        matches!(self, Self::Unreadable(_))
    }
}

impl Report {
    /// Counts what came of the invocation.
    pub fn tell(&self, now: Millis, metrics: &mut Metrics) {
        metrics.count(Metric::Events, self.events);
        metrics.count(Metric::OwnCalls, self.own);
        for outcome in &self.outcomes {
            tell(outcome, now, metrics);
        }
    }
}

/// Judges an event, or, for `{"tripmeter":"tick"}`, closes what is quiet.
///
/// # Errors
/// See [`HandleError`].
pub async fn handle(
    payload: &str,
    detector: &Detector,
    findings: &FindingsTable,
    exceptions: &Exceptions,
    now: Millis,
) -> Result<Report, HandleError> {
    let call: Option<Call> = serde_json::from_str(payload).ok();
    if call.is_some_and(|call| call.tripmeter.as_deref() == Some("tick")) {
        return tick(detector, findings, exceptions, now).await;
    }
    let read = intake::read(payload, &detector.scope);
    if read.is_unreadable() {
        let why = read.skipped.first().map(|skip| skip.reason.to_string());
        return Err(HandleError::Unreadable(why.unwrap_or_else(|| "it is empty".to_owned())));
    }
    let mut report = Report {
        events: read.records,
        ..Report::default()
    };
    let mut activities = read.activities;
    report.own = detector.take_own(&mut activities, now).await?;
    for (account, activities) in by_account(activities) {
        // EventBridge does not say whether it delivered an event before.
        let judged = detector
            .judge(&account, &activities, true, exceptions, now.second())
            .await?;
        report.outcomes.push(judged);
    }
    Ok(report)
}

/// Closes the episodes that have been quiet for long enough.
async fn tick(
    detector: &Detector,
    findings: &FindingsTable,
    exceptions: &Exceptions,
    now: Millis,
) -> Result<Report, HandleError> {
    let now = now.second();
    let mut report = Report::default();
    let quiet = now.plus(-detector.settings.quiet_seconds());
    let mut due: BTreeMap<String, Vec<PartKey>> = BTreeMap::new();
    for open in findings.open_before(quiet, AT_A_TICK).await? {
        due.entry(open.account).or_default().extend(open.part);
    }
    for (account, parts) in due {
        let closed = detector.close_quiet(&account, &parts, exceptions, now).await?;
        report.outcomes.push(closed);
    }
    let name_of = |account: &str| exceptions.account_name(account);
    // Who only observes is told nothing; once findings are published, the first day is told.
    if detector.settings.mode == Mode::Publish {
        report.digest = digest::write_due(&detector.state, &detector.canary, name_of, now).await?;
    }
    Ok(report)
}
