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
