//! Lost sight, as a finding: `DefenseEvasion:*/TelemetryLost`.

use tripmeter_model::{
    Cause, Evidence, Factor, FactorName, Family, Finding, FindingType, Identity, Service, Severity, Status, Tactic,
    Timestamp, stable_uid,
};

/// Whoever is blind has to act now: High by itself.
const POINTS: u32 = 70;

/// What is seen no longer.
#[derive(Clone, Debug)]
pub struct Lost<'a> {
    /// The service that the finding is about.
    pub service: Service,
    /// Whose account it is.
    pub account: &'a str,
    /// What of it: a region, or a source. With the beginning it tells this outage from others.
    pub what: &'a str,
    /// When it began, in the unit of whoever notes it.
    pub began: i64,
    /// When it began.
    pub since: Timestamp,
    /// Why, in words.
    pub text: String,
}

impl Lost<'_> {
    /// The outage as it is published when it begins.
    pub fn opened(self, now: Timestamp) -> Finding {
        Finding {
            uid: stable_uid(&["telemetry-lost", self.account, self.what, &self.began.to_string()]),
            revision: 1,
            cause: Cause::Created,
            status: Status::Open,
            finding_type: FindingType {
                tactic: Tactic::DefenseEvasion,
                service: self.service,
                family: Family::TelemetryLost,
            },
            severity: Severity::High,
            points: POINTS,
            factors: vec![Factor {
                name: FactorName::Base,
                points: POINTS,
                text: self.text,
                observed: None,
                expected: None,
            }],
            account: self.account.to_owned(),
            account_name: None,
            region: String::new(),
            identity: Identity::account(self.account),
            linked: Vec::new(),
            time: now,
            first_seen: self.since,
            last_seen: now,
            count: 1,
            units: 0,
            units_per_hour: 0,
            cost_micros: None,
            units_by_target: Vec::new(),
            evidence: Evidence::default(),
            owner: None,
            suppressed: None,
            sample: false,
        }
    }
}

/// An outage as it is published when it is over.
pub fn closed(opened: Finding) -> Finding {
    Finding {
        revision: 2,
        cause: Cause::Closed,
        status: Status::Closed,
        ..opened
    }
}
