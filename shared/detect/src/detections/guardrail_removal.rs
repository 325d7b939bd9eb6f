//! A control was weakened or blinded: logging, a guardrail, a budget, an alarm, the trail, this detector.
//!
//! Medium; High against the trail, this detector, or the logging of a service that is in use. What deployments do all
//! day (an alarm removed, data events selected anew) is an opening, Low by somebody who is not at home, else no finding.
//!
//! ATT&CK: T1562.008, T1562.001. Evades: a control that is weakened by its contents (a guardrail emptied of its
//! rules still exists). False when: a stack is taken down, or logging moves to another bucket.

use tripmeter_model::{FactorName, Service};

use super::part;
use crate::control::{Acquaintance, ControlScene, Verdict};

pub(super) fn judge<'a>(scene: &ControlScene<'a>) -> Verdict<'a> {
    if scene.control.routine && scene.standing == Acquaintance::AtHome {
        return Vec::new();
    }
    // Logging of a service that nobody uses hides nothing yet.
    let of_idle_service = scene.key.service.spends() && scene.key.service != Service::Sns && !scene.in_use;
    let base = match () {
        () if scene.control.routine => 20.0,
        () if scene.control.grave && !of_idle_service => 70.0,
        () => 40.0,
    };
    vec![part(
        FactorName::Base,
        base * scene.weight(),
        scene.control.journal.count,
    )]
}

#[cfg(test)]
mod tests {
    use tripmeter_model::{Activity, Family, Kind, Service, Severity};

    use crate::testing::{activity, at, by, found, kind, quiet_days, worst};

    fn blind(service: Service, hour: i64) -> Activity {
        let mut blind = kind(activity(service, "StopLogging", at(hour)), Kind::GuardrailRemoval);
        blind.grave = true;
        by(blind, "ops")
    }

    #[test]
    fn blinding_the_trail_is_high_at_once() {
        let findings = found(vec![blind(Service::CloudTrail, 1)]);
        assert_eq!(worst(&findings, Family::GuardrailRemoved), Some(Severity::High));
    }

    #[test]
    fn the_logging_of_a_service_matters_when_the_service_is_in_use() {
        let mut story = quiet_days(Service::Bedrock, 3);
        story.push(blind(Service::Bedrock, 60));
        assert_eq!(worst(&found(story), Family::GuardrailRemoved), Some(Severity::High));
        assert_eq!(
            worst(&found(vec![blind(Service::Bedrock, 60)]), Family::GuardrailRemoved),
            Some(Severity::Medium)
        );
    }

    #[test]
    fn a_refused_attempt_is_an_opening_and_no_finding() {
        let refused = crate::testing::refused(blind(Service::CloudTrail, 1));
        assert_eq!(worst(&found(vec![refused]), Family::GuardrailRemoved), None);
    }

    #[test]
    fn what_deployments_do_all_day_is_low_at_most() {
        let mut alarm = blind(Service::CloudWatch, 20 * 24);
        (alarm.grave, alarm.routine) = (false, true);
        let mut story = crate::testing::quiet_days(Service::Bedrock, 20);
        story.push(alarm);
        assert!(worst(&found(story), Family::GuardrailRemoved) <= Some(Severity::Low));
    }
}
