//! A credential was issued or widened.
//!
//! Low when what is granted reaches a watched service or everything, Medium when this identity never did it in an
//! account that is known. What does not reach one is an opening, and no finding of its own.
//!
//! ATT&CK: T1098.001, T1098.003, T1136.003. Evades: short-term Bedrock API keys, which are made on the caller's
//! own machine and leave no record; a key taken from where it lies. False when: people join, roles are deployed.

use tripmeter_model::FactorName;

use super::part;
use crate::control::{ControlScene, Verdict};

pub(super) fn judge<'a>(scene: &ControlScene<'a>) -> Verdict<'a> {
    if !scene.control.grave {
        return Vec::new();
    }
    let weight = scene.weight();
    let mut verdict = vec![part(FactorName::Base, 20.0 * weight, scene.control.journal.count)];
    if scene.observed && weight >= 1.0 {
        verdict.push(part(FactorName::Unusual, 20.0, 1));
    }
    verdict
}
