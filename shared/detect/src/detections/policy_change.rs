//! A policy that limits a watched service's use was enabled, raised or opened.
//!
//! Low by itself; Medium when this identity never did it, or never in that region, in an account that is known.
//! What any deployment does (a topic, a subscription to a queue) is an opening and no finding of its own.
//!
//! ATT&CK: T1098, T1578.005, T1535. Evades: a change made the way a CI role makes it every day, with that role.
//! False when: an engineer sets a service up for the first time. Learned as a habit by the fourth day.

use tripmeter_model::FactorName;

use super::part;
use crate::control::{ControlScene, Verdict};

pub(super) fn judge<'a>(scene: &ControlScene<'a>) -> Verdict<'a> {
    if scene.control.routine {
        return Vec::new();
    }
    let weight = scene.weight();
    let mut verdict = vec![part(FactorName::Base, 20.0 * weight, scene.control.journal.count)];
    if scene.is_new_here() {
        verdict.push(part(FactorName::Unusual, 20.0 * weight, 1));
    }
    verdict
}
