//! Use was refused or failed, again and again: somebody tries what a credential can do.
//!
//! Low for a burst; Medium over several regions, or beside a probe from a network that is new to the account.
//! Throttled calls do not count, what fails now and then among much that succeeds neither, and an identity that makes
//! thousands of calls a day may have dozens that fail.
//!
//! ATT&CK: T1526. Evades: guessing right the first time. False when: an application was deployed with a model or
//! region that it may not use.

use std::collections::BTreeSet;

use tripmeter_model::{FactorName, Stage};

use super::hijack::{burst_size, denied_in_burst};
use super::part;
use crate::control::{ControlScene, Verdict};

/// Regions that are a search.
const REGIONS: usize = 3;

pub(super) fn judge<'a>(scene: &ControlScene<'a>) -> Verdict<'a> {
    let (Some(first), Some(last)) = (scene.control.journal.first, scene.control.journal.last) else {
        return Vec::new();
    };
    let denied = || {
        let openings = scene.ledger.of(scene.key.who, first, last);
        openings.filter(|o| o.stage == Stage::DeniedUse && o.service == scene.key.service)
    };
    let burst = denied()
        .map(|opening| denied_in_burst(scene.ledger, scene.key.who, opening))
        .max()
        .unwrap_or(0);
    if burst < burst_size(scene.settings, scene.mean_day) {
        return Vec::new();
    }
    let weight = scene.weight();
    let mut verdict = vec![part(FactorName::Base, 20.0 * weight, scene.control.journal.count)];
    let regions: BTreeSet<&str> = denied().flat_map(|opening| opening.regions()).collect();
    let reach = scene.settings.correlation();
    let probed = scene
        .ledger
        .of(scene.key.who, first.plus(-reach), last.plus(reach))
        .any(|opening| opening.stage == Stage::Probe && !opening.routine());
    if regions.len() >= REGIONS {
        verdict.push(part(FactorName::Spread, 20.0 * weight, regions.len() as u64));
    } else if probed && scene.from_new_network {
        verdict.push(part(FactorName::StageProbe, 20.0 * weight, 1));
    }
    verdict
}

#[cfg(test)]
mod tests {
    use tripmeter_model::{Activity, Family, Service, Severity};

    use crate::testing::{activity, at, by, found, quiet_days, refused, worst};

    fn tries(regions: i64) -> Vec<Activity> {
        (0..8)
            .map(|n| {
                let mut call = refused(activity(Service::Bedrock, "Converse", at(1).plus(n * 5)));
                call.region = format!("region-{}", n % regions);
                by(call, "thief")
            })
            .collect()
    }

    #[test]
    fn a_burst_is_low_and_a_search_over_regions_medium() {
        assert_eq!(worst(&found(tries(1)), Family::DeniedUse), Some(Severity::Low));
        assert_eq!(worst(&found(tries(4)), Family::DeniedUse), Some(Severity::Medium));
    }

    #[test]
    fn nothing_was_spent_so_nothing_is_called_use() {
        let findings = found(tries(4));
        assert_eq!(worst(&findings, Family::AnomalousUse), None);
        assert_eq!(worst(&findings, Family::Hijack), None);
    }

    #[test]
    fn failures_among_much_that_succeeds_are_no_search() {
        let mut story = quiet_days(Service::Bedrock, 20);
        let noon = 19 * 24 + 12;
        story.extend((0..200).map(|n| activity(Service::Bedrock, "InvokeModel", at(noon).plus(n))));
        story.extend((0..4).map(|n| refused(activity(Service::Bedrock, "InvokeModel", at(noon).plus(40 * n + 20)))));
        assert_eq!(worst(&found(story), Family::DeniedUse), None);
    }
}
