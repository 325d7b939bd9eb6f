//! A policy that limits a watched service's use was enabled, raised or opened.
//!
//! Low by itself; Medium when this identity never did it, or never in that region, in an account that is known. An
//! identity that has used services for weeks from the same network with the same client is at home: Low.
//! Twenty-five changes on a day, from a network that is new to the account, are High: mailboxes and senders by the dozen
//! are what somebody sends from.
//! What any deployment does (a topic, a subscription to a queue) is an opening and no finding of its own.
//!
//! ATT&CK: T1098, T1578.005, T1535. Evades: a change made the way a CI role makes it every day, with that role.
//! False when: an engineer sets a service up for the first time. Learned as a habit by the fourth day.

use tripmeter_model::FactorName;

use super::part;
use crate::control::{Acquaintance, ControlScene, Verdict};

/// Changes of a day that are many.
const MANY: u64 = 25;

pub(super) fn judge<'a>(scene: &ControlScene<'a>) -> Verdict<'a> {
    if scene.control.routine {
        return Vec::new();
    }
    let weight = scene.weight();
    let mut verdict = vec![part(FactorName::Base, 20.0 * weight, scene.control.journal.count)];
    if scene.is_new_here() && scene.standing != Acquaintance::AtHome {
        verdict.push(part(FactorName::Unusual, 20.0 * weight, 1));
        let count = scene.control.journal.count;
        if count >= MANY && scene.from_new_network {
            verdict.push(part(FactorName::Volume, 30.0 * weight, count));
        }
    }
    verdict
}

#[cfg(test)]
mod tests {
    use tripmeter_model::{Activity, Family, Kind, PolicyEffect, Service, Severity};

    use crate::testing::{activity, at, by, found, kind, quiet_days, worst};

    fn raise(hour: i64) -> Activity {
        let mut raise = kind(
            activity(Service::Ses, "PutAccountDetails", at(hour)),
            Kind::PolicyChange,
        );
        raise.effect = Some(PolicyEffect::LimitRaised);
        by(raise, "ops")
    }

    #[test]
    fn a_limit_raised_by_somebody_who_never_did_is_medium_in_a_known_account() {
        let mut story = quiet_days(Service::Ses, 20);
        story.push(raise(19 * 24 + 12));
        assert_eq!(worst(&found(story), Family::LimitRaised), Some(Severity::Medium));
    }

    #[test]
    fn on_an_accounts_first_day_it_is_low() {
        assert_eq!(worst(&found(vec![raise(12)]), Family::LimitRaised), Some(Severity::Low));
    }

    #[test]
    fn the_same_change_every_day_is_a_habit_from_the_fourth() {
        let mut story = quiet_days(Service::Ses, 30);
        story.extend((0..10).map(|day| raise((18 + day) * 24 + 12)));
        let findings = found(story);
        let days: Vec<i32> = findings
            .iter()
            .filter(|f| f.finding_type.family == Family::LimitRaised)
            .map(|f| f.first_seen.day() - at(0).day())
            .collect();
        assert!(days.iter().all(|day| *day < 21), "{days:?}");
    }

    #[test]
    fn what_any_deployment_does_is_no_finding() {
        let mut routine = raise(19 * 24 + 12);
        routine.routine = true;
        let mut story = quiet_days(Service::Ses, 20);
        story.push(routine);
        assert_eq!(worst(&found(story), Family::LimitRaised), None);
    }
}
