//! A region that is not heard, as a finding.

use tripmeter_aws::canary::{Millis, Outage};
use tripmeter_model::{
    Cause, ContextSeen, Evidence, Factor, FactorName, Family, Finding, FindingType, Identity, Service, Severity,
    Status, Tactic, stable_uid,
};

/// Whoever is blind has to act now: High by itself.
const POINTS: u32 = 70;

/// The outage as it is published when it begins.
pub(crate) fn opened(account: &str, region: &str, outage: &Outage, now: Millis) -> Finding {
    let calls: Vec<ContextSeen> = outage
        .misses
        .iter()
        .map(|(call, times)| seen(call.name(), u64::from(*times)))
        .collect();
    let count = calls.iter().map(|call| call.count).sum();
    let silent: Vec<String> = calls
        .iter()
        .map(|call| format!("{} {}", call.count, call.value))
        .collect();
    Finding {
        uid: stable_uid(&["telemetry-lost", account, region, &outage.since.0.to_string()]),
        revision: 1,
        cause: Cause::Created,
        status: Status::Open,
        finding_type: FindingType {
            tactic: Tactic::DefenseEvasion,
            service: Service::Tripmeter,
            family: Family::TelemetryLost,
        },
        severity: Severity::High,
        points: POINTS,
        factors: vec![Factor {
            name: FactorName::Base,
            points: POINTS,
            text: format!(
                "the canary's {} in {region} were answered, and no record of them arrived",
                silent.join(" and ")
            ),
            observed: Some(count as f64),
            expected: Some(0.0),
        }],
        account: account.to_owned(),
        account_name: None,
        region: region.to_owned(),
        identity: Identity::account(account),
        linked: Vec::new(),
        time: now.second(),
        first_seen: outage.since.second(),
        last_seen: outage.until.second(),
        count,
        units: 0,
        units_per_hour: 0,
        units_by_target: Vec::new(),
        cost_micros: None,
        evidence: Evidence {
            regions: vec![seen(region, count)],
            calls,
            ..Evidence::default()
        },
        owner: None,
        suppressed: None,
        sample: false,
    }
}

/// The outage as it is published when it is over, or when nobody wants to hear from the region any more.
pub(crate) fn closed(account: &str, region: &str, outage: &Outage, now: Millis) -> Finding {
    Finding {
        revision: 2,
        cause: Cause::Closed,
        status: Status::Closed,
        ..opened(account, region, outage, now)
    }
}

fn seen(value: &str, count: u64) -> ContextSeen {
    ContextSeen {
        value: value.to_owned(),
        new: false,
        count,
    }
}
