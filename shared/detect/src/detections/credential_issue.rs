//! A credential was issued or widened.
//!
//! Low when what is granted reaches a watched service or everything, or lets another account into a role; Medium when
//! this identity never did it in an account that is known, and is not at home. Low, too, when a key or password is made for somebody who uses a watched service already.
//! What reaches none is an opening, and no finding of its own.
//!
//! ATT&CK: T1098.001, T1098.003, T1136.003. Evades: short-term Bedrock API keys, which are made on the caller's
//! own machine and leave no record; a key taken from where it lies. False when: people join, roles are deployed.

use tripmeter_model::FactorName;

use super::part;
use crate::control::{Acquaintance, ControlScene, Verdict};

pub(super) fn judge<'a>(scene: &ControlScene<'a>) -> Verdict<'a> {
    if !scene.control.grave && !scene.control.about_user {
        return Vec::new();
    }
    let weight = scene.weight();
    let mut verdict = vec![part(FactorName::Base, 20.0 * weight, scene.control.journal.count)];
    if scene.control.grave && scene.standing == Acquaintance::Somebody && weight >= 1.0 {
        verdict.push(part(FactorName::Unusual, 20.0, 1));
    }
    verdict
}

#[cfg(test)]
mod tests {
    use tripmeter_model::{Activity, Family, Kind, Service, Severity};

    use crate::testing::{activity, at, by, found, kind, quiet_days, worst};

    fn key(hour: i64) -> Activity {
        let mut key = kind(
            activity(Service::Iam, "CreateServiceSpecificCredential", at(hour)),
            Kind::CredentialIssue,
        );
        key.grave = true;
        key.links = vec!["arn:aws:iam::111122223333:user/new".into()];
        by(key, "ops")
    }

    #[test]
    fn a_credential_that_reaches_a_watched_service_is_medium_from_a_stranger_to_it() {
        let mut story = quiet_days(Service::Bedrock, 20);
        story.push(key(19 * 24 + 12));
        assert_eq!(worst(&found(story), Family::CredentialIssued), Some(Severity::Medium));
    }

    #[test]
    fn a_key_for_somebody_who_uses_a_watched_service_is_low() {
        let mut rotation = key(19 * 24 + 12);
        rotation.grave = false;
        rotation.links = vec!["arn:aws:iam::111122223333:role/app".into()];
        let mut story = quiet_days(Service::Bedrock, 20);
        story.push(rotation);
        assert_eq!(worst(&found(story), Family::CredentialIssued), Some(Severity::Low));
    }

    #[test]
    fn one_that_reaches_none_is_no_finding() {
        let mut other = key(19 * 24 + 12);
        other.grave = false;
        let mut story = quiet_days(Service::Bedrock, 20);
        story.push(other);
        assert_eq!(worst(&found(story), Family::CredentialIssued), None);
    }
}
