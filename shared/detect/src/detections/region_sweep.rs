//! The same call over many regions within seconds.
//!
//! Medium, High when the call changes a policy, a control or a credential; Low when it only reads, from a network that
//! the account knows. One episode, however many regions, and services where it only reads.
//!
//! ATT&CK: T1535. Evades: a sweep slower than `SweepSeconds`, or over fewer regions than `SweepRegions`. False
//! when: a tool asks every region at once; by its fourth day it is a habit, and reads by a known posture scanner
//! are held at Low.

use std::collections::{BTreeMap, BTreeSet};

use tripmeter_model::{Digest, FactorName, Kind, Service, Stage, Timestamp};

use super::part;
use crate::control::{ControlScene, Verdict};
use crate::journal::{Field, Journal};
use crate::ledger::{Ledger, Opening};
use crate::settings::Settings;

pub(super) fn judge<'a>(scene: &ControlScene<'a>) -> Verdict<'a> {
    let changes = matches!(
        scene.control.kind,
        Kind::PolicyChange | Kind::GuardrailRemoval | Kind::CredentialIssue
    );
    let base = match () {
        () if changes => 70.0,
        () if scene.control.kind == Kind::Probe && !scene.from_new_network => 20.0,
        () => 40.0,
    };
    let regions = scene.control.journal.values(Field::Region).len();
    vec![part(FactorName::Base, base * scene.weight(), regions as u64)]
}

/// States in the journal of a sweep how often its calls were made in each region since `from`, by the openings of that
/// time: the first regions were called before it was one.
pub(crate) fn restate<'a>(journal: &mut Journal, openings: impl Iterator<Item = &'a Opening>, from: Timestamp) {
    let mut regions: BTreeMap<&str, (u64, Timestamp)> = BTreeMap::new();
    let mut calls: BTreeMap<&str, (u64, Timestamp)> = BTreeMap::new();
    let swept: BTreeSet<String> = journal
        .values(Field::Call)
        .iter()
        .map(|call| call.text.clone())
        .collect();
    for (name, call) in openings
        .flat_map(|opening| &opening.calls)
        .filter(|(name, _)| swept.contains(*name))
    {
        for (region, span) in call.regions.iter().filter(|(_, span)| span.last >= from) {
            let first = span.first.max(from);
            for (known, of) in [(&mut regions, region.as_str()), (&mut calls, name.as_str())] {
                let (count, since) = known.entry(of).or_insert((0, first));
                *count += u64::from(span.count);
                *since = first.min(*since);
            }
        }
    }
    journal.count = regions.values().map(|(count, _)| count).sum::<u64>().max(journal.count);
    for (field, known) in [(Field::Region, regions), (Field::Call, calls)] {
        for (text, (count, first)) in known {
            journal.restate(field, text, count, first);
        }
    }
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
    use tripmeter_model::{Activity, DAY, Family, Kind, Network, PolicyEffect, Service, Severity};

    use crate::testing::{activity, at, by, found, kind, quiet_days, worst};

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
    fn a_sweep_that_only_reads_is_medium_from_a_network_that_nobody_knows_and_else_low() {
        let sweep_of = |network: &str| {
            let mut story = quiet_days(Service::Ses, 20);
            story.extend(sweep(Kind::Probe, 9, 2).into_iter().map(|mut call| {
                call.time = call.time.plus(19 * DAY);
                call.origin.network = Network(network.into());
                call
            }));
            worst(&found(story), Family::RegionSweep)
        };
        assert_eq!(sweep_of("192.0.2.0/24"), Some(Severity::Medium));
        assert_eq!(sweep_of("198.51.100.0/24"), Some(Severity::Low));
    }

    #[test]
    fn a_tour_of_services_and_regions_is_one_sweep_with_all_of_them() {
        let on = |service| {
            sweep(Kind::Probe, 9, 2).into_iter().map(move |mut call| {
                call.service = service;
                call
            })
        };
        let findings = found(on(Service::Ses).chain(on(Service::Sns)).collect());
        let sweeps: Vec<_> = findings
            .iter()
            .filter(|f| f.finding_type.family == Family::RegionSweep)
            .collect();
        assert_eq!(sweeps.len(), 1);
        assert_eq!(sweeps[0].evidence.regions.len(), 9, "the first regions, too");
        assert_eq!(sweeps[0].count, 18);
    }

    #[test]
    fn a_region_a_minute_is_no_sweep() {
        assert_eq!(worst(&found(sweep(Kind::Probe, 12, 60)), Family::RegionSweep), None);
    }
}
