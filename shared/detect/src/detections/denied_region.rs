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
