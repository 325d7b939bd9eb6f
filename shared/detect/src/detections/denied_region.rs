//! A call to a watched service in a region that the policy file does not allow.
//!
//! From the first event, even a refused one: Medium; High once something was spent there.
//!
//! ATT&CK: T1535. Evades: regions that are allowed. False when: the list was not extended before a deployment.

use tripmeter_model::FactorName;

use super::part;
use crate::control::{ControlScene, Verdict};

pub(super) fn judge<'a>(scene: &ControlScene<'a>) -> Verdict<'a> {
    let mut verdict = vec![part(FactorName::Base, 40.0, scene.control.journal.count)];
    if scene.control.spent > 0 {
        verdict.push(part(FactorName::DeniedRegion, 30.0, scene.control.spent));
    }
    verdict
}

#[cfg(test)]
mod tests {
    use tripmeter_model::{Family, Service, Severity};

    use crate::testing::{activity, at, found, refused, worst};

    #[test]
    fn with_no_list_of_regions_every_region_is_allowed() {
        let call = refused(activity(Service::Bedrock, "Converse", at(1)));
        assert_eq!(worst(&found(vec![call]), Family::DeniedRegion), None);
    }

    #[test]
    fn the_first_call_elsewhere_is_medium_and_what_spends_there_high() {
        let denied = |activity| crate::testing::found_where_nothing_is_allowed(vec![activity]);
        let tried = denied(refused(activity(Service::Bedrock, "Converse", at(1))));
        let spent = denied(activity(Service::Bedrock, "Converse", at(1)));
        assert_eq!(worst(&tried, Family::DeniedRegion), Some(Severity::Medium));
        assert_eq!(worst(&spent, Family::DeniedRegion), Some(Severity::High));
    }
}
