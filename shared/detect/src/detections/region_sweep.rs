//! The same call over many regions within seconds.
//!
//! Medium, High when the call changes a policy, a control or a credential. One episode, however many regions.
//!
//! ATT&CK: T1535. Evades: a sweep slower than `SweepSeconds`, or over fewer regions than `SweepRegions`. False
//! when: a tool asks every region at once; by its fourth day it is a habit, and reads by a known posture scanner
//! are held at Low.

use std::collections::BTreeMap;

use tripmeter_model::{Digest, FactorName, Kind, Service, Stage, Timestamp};

use super::part;
use crate::control::{ControlScene, Verdict};
use crate::ledger::Ledger;
use crate::settings::Settings;

pub(super) fn judge<'a>(scene: &ControlScene<'a>) -> Verdict<'a> {
    let changes = matches!(
        scene.control.kind,
        Kind::PolicyChange | Kind::GuardrailRemoval | Kind::CredentialIssue
    );
    let base = if changes { 70.0 } else { 40.0 };
    let regions = scene.control.journal.values(crate::journal::Field::Region).len();
    vec![part(FactorName::Base, base * scene.weight(), regions as u64)]
}

/// Whether a call that was just made by an identity is part of a sweep.
pub(crate) fn is_sweep(
    ledger: &Ledger,
    who: Digest,
    stage: Stage,
    service: Service,
    call: &str,
    at: Timestamp,
    settings: &Settings,
) -> bool {
    let near = settings.sweep_seconds;
    let mut firsts: BTreeMap<&str, Timestamp> = BTreeMap::new();
    let openings = ledger.of(who, at.plus(-near), at.plus(near));
    for opening in openings.filter(|o| o.stage == stage && o.service == service) {
        for (region, span) in opening.calls.get(call).into_iter().flat_map(|call| &call.regions) {
            for time in [span.first, span.last] {
                if time.since(at).abs() <= near {
                    let first = firsts.entry(region).or_insert(time);
                    *first = time.min(*first);
                }
            }
        }
    }
    let mut times: Vec<Timestamp> = firsts.into_values().collect();
    times.sort_unstable();
    times.windows(settings.sweep_regions as usize).any(|run| {
        run.first()
            .zip(run.last())
            .is_some_and(|(first, last)| last.since(*first) <= near)
    })
}

#[cfg(test)]
mod tests {
    use tripmeter_model::{Activity, Family, Kind, PolicyEffect, Service, Severity};

    use crate::testing::{activity, at, by, found, kind, worst};

    fn sweep(of: Kind, regions: i64, pace: i64) -> Vec<Activity> {
        (0..regions)
            .map(|n| {
                let mut call = kind(activity(Service::Ses, "PutAccountDetails", at(1).plus(n * pace)), of);
                call.region = format!("region-{n}");
                call.effect = (of == Kind::PolicyChange).then_some(PolicyEffect::LimitRaised);
                by(call, "thief")
            })
            .collect()
    }

    #[test]
    fn seventeen_regions_in_seconds_are_one_sweep() {
        let findings = found(sweep(Kind::PolicyChange, 17, 1));
        let sweeps: Vec<_> = findings
            .iter()
            .filter(|f| f.finding_type.family == Family::RegionSweep)
            .collect();
        assert_eq!(sweeps.len(), 1);
        assert_eq!(sweeps[0].severity, Severity::High);
    }

    #[test]
    fn a_sweep_that_only_reads_is_medium() {
        assert_eq!(
            worst(&found(sweep(Kind::Probe, 9, 2)), Family::RegionSweep),
            Some(Severity::Medium)
        );
    }

    #[test]
    fn a_region_a_minute_is_no_sweep() {
        assert_eq!(worst(&found(sweep(Kind::Probe, 12, 60)), Family::RegionSweep), None);
    }
}
