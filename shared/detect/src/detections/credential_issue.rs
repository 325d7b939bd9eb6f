//! A credential was issued or widened.
//!
//! Low when it reaches a watched service or everything: by what is granted, because it is root's, because it lets
//! another account into a role, or because it is for somebody who uses a watched service already. Medium when this
//! identity never did it in an account that is known, and is not at home. What a key, a password or a second factor
//! taken off reaches is often in no record: Low by somebody who is not at home in an account that is known, else an
//! opening and no finding of its own, as is what reaches no watched service.
//!
//! ATT&CK: T1098.001, T1098.003, T1136.003. Evades: short-term Bedrock API keys, which are made on the caller's
//! own machine and leave no record; a key taken from where it lies. False when: people join, roles are deployed.

use tripmeter_model::FactorName;

use super::part;
use crate::control::{Acquaintance, ControlScene, Verdict};

pub(super) fn judge<'a>(scene: &ControlScene<'a>) -> Verdict<'a> {
    let control = scene.control;
    let reaches = control.grave || control.about_user;
    let not_at_home = scene.standing == Acquaintance::Somebody;
    if !reaches && (control.routine || !not_at_home) {
        return Vec::new();
    }
    let weight = scene.weight();
    let mut verdict = vec![part(FactorName::Base, 20.0 * weight, control.journal.count)];
    if reaches && not_at_home && weight >= 1.0 {
        verdict.push(part(FactorName::Unusual, 20.0, 1));
    }
    verdict
}

#[cfg(test)]
mod tests {
    use tripmeter_model::{Activity, Family, Kind, PolicyEffect, Service, Severity, Target};

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

    /// A key of which nothing says what it reaches, on a known account's twentieth day.
    fn plain_key() -> Activity {
        let mut key = key(19 * 24 + 12);
        key.grave = false;
        key
    }

    /// The same by `role/app`, from where its own use has come from for weeks.
    fn at_home(key: Activity) -> Activity {
        Activity {
            identity: activity(Service::Bedrock, "InvokeModel", at(0)).identity,
            ..key
        }
    }

    fn worst_beside_quiet_days(key: Activity) -> Option<Severity> {
        let mut story = quiet_days(Service::Bedrock, 20);
        story.push(key);
        worst(&found(story), Family::CredentialIssued)
    }

    #[test]
    fn a_key_for_somebody_who_uses_a_watched_service_is_medium_from_a_stranger_and_low_at_home() {
        let mut rotation = plain_key();
        rotation.links = vec!["arn:aws:iam::111122223333:role/app".into()];
        assert_eq!(worst_beside_quiet_days(rotation.clone()), Some(Severity::Medium));
        assert_eq!(worst_beside_quiet_days(at_home(rotation)), Some(Severity::Low));
    }

    #[test]
    fn one_of_which_nobody_knows_what_it_reaches_is_low_from_a_stranger_and_nothing_at_home() {
        assert_eq!(worst_beside_quiet_days(plain_key()), Some(Severity::Low));
        assert_eq!(worst_beside_quiet_days(at_home(plain_key())), None);
        assert_eq!(
            worst(&found(vec![plain_key()]), Family::CredentialIssued),
            None,
            "on a first day"
        );
    }

    #[test]
    fn one_that_reaches_no_watched_service_is_no_finding() {
        let mut other = plain_key();
        other.routine = true;
        assert_eq!(worst_beside_quiet_days(other), None);
    }

    #[test]
    fn a_role_that_lets_another_account_in_names_it() {
        let mut trust = key(19 * 24 + 12);
        trust.effect = Some(PolicyEffect::PolicyOpened);
        trust.target = Some(Target::Principal("arn:aws:iam::111122223333:role/mailer".into()));
        trust.links = vec![
            "arn:aws:iam::111122223333:role/mailer".into(),
            "arn:aws:iam::999988887777:root".into(),
        ];
        let mut story = quiet_days(Service::Bedrock, 20);
        story.push(trust);
        let findings = found(story);
        let issued = findings
            .iter()
            .find(|f| f.finding_type.family == Family::CredentialIssued);
        assert_eq!(issued.unwrap().linked, ["arn:aws:iam::999988887777:root"]);
    }
}
