//! A control was weakened or blinded: logging, a guardrail, a budget, an alarm, the trail, this detector.
//!
//! Medium; High against the trail, this detector, or the logging of a service that is in use.
//!
//! ATT&CK: T1562.008, T1562.001. Evades: a control that is weakened by its contents (a guardrail emptied of its
//! rules still exists). False when: a stack is taken down, or logging moves to another bucket.

use tripmeter_model::{FactorName, Service};

use super::part;
use crate::control::{ControlScene, Verdict};

pub(super) fn judge<'a>(scene: &ControlScene<'a>) -> Verdict<'a> {
    // Logging of a service that nobody uses hides nothing yet.
    let of_idle_service = scene.key.service.spends() && scene.key.service != Service::Sns && !scene.in_use;
    let base = if scene.control.grave && !of_idle_service {
        70.0
    } else {
        40.0
    };
    vec![part(
        FactorName::Base,
        base * scene.weight(),
        scene.control.journal.count,
    )]
}
