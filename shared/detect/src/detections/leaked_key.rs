//! AWS attached its quarantine policy: it saw the key of this principal in public.
//!
//! High, always. The principal is the finding's identity, and the leak an opening of its own: whatever it uses
//! next belongs to it.
//!
//! ATT&CK: T1552.001. Evades: keys that leak where AWS does not look. False when: never seen to be.

use tripmeter_model::FactorName;

use super::part;
use crate::control::{ControlScene, Verdict};

pub(super) fn judge<'a>(scene: &ControlScene<'a>) -> Verdict<'a> {
    vec![part(FactorName::Base, 70.0, scene.control.journal.count)]
}

#[cfg(test)]
mod tests {
    use tripmeter_model::{Activity, Family, Kind, Service, Severity};

    use crate::testing::{activity, at, found, kind, worst};

    fn quarantine() -> Activity {
        let mut quarantine = kind(activity(Service::Iam, "AttachUserPolicy", at(0)), Kind::LeakedKey);
        quarantine.links = vec!["arn:aws:iam::111122223333:user/svc-report".into()];
        quarantine
    }

    #[test]
    fn a_quarantine_is_a_leaked_key_of_the_principal_it_is_attached_to() {
        let findings = found(vec![quarantine()]);
        assert_eq!(worst(&findings, Family::LeakedKey), Some(Severity::High));
        assert_eq!(findings[0].identity.id, "arn:aws:iam::111122223333:user/svc-report");
    }

    #[test]
    fn a_quarantine_that_failed_is_none() {
        let failed = crate::testing::refused(quarantine());
        assert_eq!(worst(&found(vec![failed]), Family::LeakedKey), None);
    }
}
