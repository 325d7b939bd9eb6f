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

    /// The event time by which `must` is due: that of the abusive call, or the minutes, whichever is sooner; the end of
    /// time where it says neither.
    pub fn due(&self, must: &Must) -> Seconds {
        let mut abuse = self.abuse_of(must);
        let by_minutes = must
            .by_minutes
            .zip(abuse.clone().next())
            .map(|(minutes, first)| first.time + minutes * 60);
        let by_call = must
            .by_call
            .and_then(|n| abuse.nth(n.saturating_sub(1)))
            .map(|abuse| abuse.time);
        by_call.into_iter().chain(by_minutes).min().unwrap_or(Seconds::MAX)
    }

    /// The abusive calls that `must` counts.
    pub fn abuse_of(&self, must: &Must) -> impl Iterator<Item = &Abuse> + Clone {
        let service = must.service;
        self.abuse
            .iter()
            .filter(move |a| service.is_none_or(|s| s == a.service))
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
