//! A scenario: records, and what a detector is expected to make of them.

use crate::record::{Record, Seconds};

/// How bad a finding is, mildest first; the numbers are OCSF's `severity_id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// 2.
    Low = 2,
    /// 3.
    Medium = 3,
    /// 4.
    High = 4,
    /// 5.
    Critical = 5,
}

/// What must be found.
#[derive(Clone, Debug)]
pub struct Must {
    /// In words.
    pub what: &'static str,
    /// The last parts of the finding's type that will do, as in `Hijack`; any when empty.
    pub families: Vec<&'static str>,
    /// The middle part of the type, as in `SES`; any when none.
    pub service: Option<&'static str>,
    /// At least this bad.
    pub severity: Severity,
    /// One of these must be named; anybody when empty.
    pub identities: Vec<String>,
    /// No later than this abusive call (of the service, when one is given), counted from 1.
    pub by_call: Option<usize>,
    /// No later than so many minutes after the first abusive call (of the service, when one is given).
    pub by_minutes: Option<i64>,
}

/// What must not be found.
#[derive(Clone, Debug)]
pub struct MustNot {
    /// In words.
    pub what: &'static str,
    /// This bad or worse.
    pub severity: Severity,
    /// On anybody but these.
    pub except: Vec<String>,
}

/// A use by the attacker that succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Abuse {
    /// When.
    pub time: Seconds,
    /// The record's event id.
    pub event_id: String,
    /// The service's name in findings.
    pub service: &'static str,
}

/// What a scenario expects.
#[derive(Clone, Debug, Default)]
pub struct Expectation {
    /// What must be found.
    pub must: Vec<Must>,
    /// What must not.
    pub must_not: Vec<MustNot>,
    /// The abusive calls, in order.
    pub abuse: Vec<Abuse>,
}

impl Expectation {
    /// Nothing as bad as Medium, on nobody.
    pub fn quiet() -> Self {
        Self {
            must_not: vec![MustNot {
                what: "nothing of Medium or above",
                severity: Severity::Medium,
                except: vec![],
            }],
            ..Self::default()
        }
    }

    /// The event time by which `must` is due: that of the abusive call, or the minutes, whichever is sooner.
    pub fn due(&self, must: &Must) -> Option<Seconds> {
        let mut abuse = self
            .abuse
            .iter()
            .filter(|a| must.service.is_none_or(|s| s == a.service));
        let first = abuse.clone().next()?.time;
        let by_call = must
            .by_call
            .map(|n| abuse.nth(n.saturating_sub(1)).map_or(Seconds::MAX, |a| a.time));
        let by_minutes = must.by_minutes.map(|m| first + m * 60);
        by_call.into_iter().chain(by_minutes).min()
    }
}

/// A recorded attack, or weeks without one.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name, in kebab case.
    pub name: &'static str,
    /// What happened, as an incident report would put it.
    pub what: String,
    /// What must and must not be found.
    pub expectation: Expectation,
    /// The records, by time.
    pub records: Vec<Record>,
}
