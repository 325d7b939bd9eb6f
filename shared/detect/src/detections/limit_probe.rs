//! Limits, quotas, senders or models were read by somebody who never does.
//!
//! Low, whatever it reads; ten points more over several regions or services within twenty minutes. Its weight is
//! in what follows: a probe is an opening.
//!
//! ATT&CK: T1580, T1526. Evades: knowing the limits already. False when: posture scanners and new colleagues look
//! around; a scanner that comes daily is a habit by its fourth day.

use std::collections::BTreeSet;

use tripmeter_model::{FactorName, Stage};

use super::part;
use crate::control::{ControlScene, Verdict};

/// Regions, or services, that are a tour.
const REGIONS: usize = 3;
const SERVICES: usize = 2;

pub(super) fn judge<'a>(scene: &ControlScene<'a>) -> Verdict<'a> {
    let weight = scene.weight();
    let mut verdict = vec![part(FactorName::Base, 20.0 * weight, scene.control.journal.count)];
    let tour = tour(scene);
    if weight > 0.0 && tour > 0 {
        verdict.push(part(FactorName::Spread, 10.0 * weight, tour as u64));
    }
    verdict
}

/// Regions or services that the identity read within twenty minutes, if they are several.
fn tour(scene: &ControlScene<'_>) -> usize {
    let (Some(first), Some(last)) = (scene.control.journal.first, scene.control.journal.last) else {
        return 0;
    };
    let probes = || {
        scene
            .ledger
            .of(scene.key.who, first, last)
            .filter(|opening| opening.stage == Stage::Probe)
    };
    let most = |start: i64| {
        let near = || probes().filter(move |opening| (start..=start + 1).contains(&opening.first.ten_minutes()));
        let regions: BTreeSet<&str> = near().flat_map(|opening| opening.regions()).collect();
        let services: BTreeSet<_> = near().map(|opening| opening.service).collect();
        let regions = if regions.len() >= REGIONS { regions.len() } else { 0 };
        let services = if services.len() >= SERVICES { services.len() } else { 0 };
        regions.max(services)
    };
    probes()
        .map(|opening| most(opening.first.ten_minutes()))
        .max()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use tripmeter_model::{Activity, Family, Kind, Service, Severity};

    use crate::testing::{activity, at, by, found, kind, worst};

    fn probe(service: Service, hour: i64) -> Activity {
        by(kind(activity(service, "GetSendQuota", at(hour)), Kind::Probe), "looker")
    }

    #[test]
    fn a_first_look_is_low_and_a_tour_of_services_weighs_more() {
        let one = found(vec![probe(Service::Ses, 1)]);
        let tour = found(vec![
            probe(Service::Ses, 1),
            probe(Service::Sns, 1),
            probe(Service::Bedrock, 1),
        ]);
        assert_eq!(worst(&one, Family::LimitProbe), Some(Severity::Low));
        assert!(tour.iter().all(|f| f.severity == Severity::Low));
        assert!(tour[0].points > one[0].points);
    }

    #[test]
    fn who_looks_every_day_is_not_told_again() {
        let findings = found((0..10).map(|day| probe(Service::Ses, day * 24 + 3)).collect());
        assert_eq!(
            findings
                .iter()
                .filter(|f| f.finding_type.family == Family::LimitProbe)
                .count(),
            1
        );
    }
}
