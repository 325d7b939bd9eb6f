//! A region that is not heard, as a finding.

use tripmeter_aws::canary::{Millis, Outage};
use tripmeter_aws::lost::{self, Lost};
use tripmeter_model::{ContextSeen, Evidence, Factor, Finding, Service};

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
    let lost = Lost {
        service: Service::Tripmeter,
        account,
        what: region,
        began: outage.since.0,
        since: outage.since.second(),
        text: format!(
            "the canary's {} in {region} were answered, and no record of them arrived",
            silent.join(" and ")
        ),
    };
    let finding = lost.opened(now.second());
    let missed = |factor: Factor| Factor {
        observed: Some(count as f64),
        expected: Some(0.0),
        ..factor
    };
    Finding {
        region: region.to_owned(),
        last_seen: outage.until.second(),
        count,
        evidence: Evidence {
            regions: vec![seen(region, count)],
            calls,
            ..Evidence::default()
        },
        factors: finding.factors.into_iter().map(missed).collect(),
        ..finding
    }
}

/// The outage as it is published when it is over, or when nobody wants to hear from the region any more.
pub(crate) fn closed(account: &str, region: &str, outage: &Outage, now: Millis) -> Finding {
    lost::closed(opened(account, region, outage, now))
}

fn seen(value: &str, count: u64) -> ContextSeen {
    ContextSeen {
        value: value.to_owned(),
        new: false,
        count,
    }
}
