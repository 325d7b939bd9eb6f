//! What a call means in the end: what its row says, bent by the values that it came with.

use serde_json::Value;
use tripmeter_model::{Kind, PolicyEffect};

use crate::call::{Call, Ours, Rule};
use crate::parameters::Parameters;
use crate::policy_document::{Admitted, only_denies, reaches};

/// A judgement of one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    pub(crate) kind: Kind,
    pub(crate) effect: Option<PolicyEffect>,
    pub(crate) routine: bool,
    pub(crate) grave: bool,
    /// The value that decided, which is part of the habit: the protocol, the policy attached, the new limit.
    pub(crate) value: String,
}

impl Ruling {
    /// What the row says of itself.
    pub(crate) fn of_row(call: &Call) -> Self {
        Self {
            kind: call.kind,
            effect: call.effect,
            routine: call.routine,
            grave: call.grave,
            value: String::new(),
        }
    }

    /// What the row says, given its parameters and whether they name a resource of this detector.
    pub(crate) fn of(call: &Call, parameters: &Parameters, names_ours: bool) -> Self {
        let row = Self::of_row(call);
        match call.ours {
            Ours::Only(_) if !names_ours => return row.context(),
            Ours::Too(_) if names_ours => return row.removes_guard().grave(),
            _ => {}
        }
        if !parameters.known() {
            return row;
        }
        let holds = match call.rule {
            Rule::Name => true,
            Rule::Enables(path) => parameters.is_true(path),
            Rule::Disables(path) => !parameters.is_true(path),
            Rule::Holds(path, values) => parameters
                .all(path)
                .into_iter()
                .filter_map(crate::parameters::text_of)
                .any(|text| values.iter().any(|value| value.eq_ignore_ascii_case(&text))),
            Rule::Empties(path) => parameters.is_empty(path),
            Rule::Raises(path) => parameters.number(path).is_none_or(|limit| limit > 1.0),
            Rule::Zeroes(path) => parameters.number(path).is_none_or(|n| n <= 0.0),
            Rule::Judged(_, judge) => return judge(parameters, row),
        };
        let row = match call.rule {
            Rule::Raises(path) | Rule::Zeroes(path) => row.valued(parameters.text(path).unwrap_or_default()),
            Rule::Name => row,
            _ => row.valued(if holds { "yes" } else { "no" }),
        };
        if holds { row } else { row.context() }
    }

    /// A responder at work, or nothing of note.
    pub(crate) fn context(self) -> Self {
        Self {
            kind: Kind::Context,
            effect: None,
            routine: false,
            grave: false,
            value: self.value,
        }
    }

    /// The removal of a control.
    pub(crate) fn removes_guard(self) -> Self {
        Self {
            kind: Kind::GuardrailRemoval,
            effect: None,
            routine: false,
            ..self
        }
    }

    /// A read of what could be spent.
    pub(crate) fn probes(self) -> Self {
        Self {
            kind: Kind::Probe,
            ..self.context()
        }
    }

    /// Use: it spends.
    pub(crate) fn spends(self) -> Self {
        Self {
            kind: Kind::Use,
            effect: None,
            routine: false,
            ..self
        }
    }

    /// AWS says that the credential is known to strangers.
    pub(crate) fn leaked_key(self) -> Self {
        Self {
            kind: Kind::LeakedKey,
            effect: None,
            routine: false,
            grave: true,
            value: self.value,
        }
    }

    /// A policy change, not routine, with this effect.
    pub(crate) fn changes(self, effect: PolicyEffect) -> Self {
        Self {
            kind: Kind::PolicyChange,
            effect: Some(effect),
            routine: false,
            ..self
        }
    }

    /// A credential issue that says who may take it.
    pub(crate) fn trusts(self) -> Self {
        Self {
            effect: Some(PolicyEffect::PolicyOpened),
            ..self
        }
    }

    /// The same, where it is known whom it lets in: nothing is opened to who belongs to the account, but a role that
    /// changes hands within it is still a grant.
    pub(crate) fn admitting(self, admitted: Option<Admitted>) -> Self {
        let grants = self.kind == Kind::CredentialIssue;
        match admitted {
            Some(Admitted::Own) if grants => self.routine(),
            Some(Admitted::Nobody | Admitted::Own) => self.context(),
            Some(Admitted::Others) if grants => self.valued("others").grave(),
            Some(Admitted::Others) | None => self,
        }
    }

    /// A credential issue by a policy document: grave where it allows a watched service or everything, context where it
    /// only denies, else routine.
    pub(crate) fn granting(self, document: Option<&Value>) -> Self {
        if document.is_some_and(only_denies) {
            return self.context();
        }
        let reached = document.map(reaches).unwrap_or_default();
        if reached.is_empty() {
            self.routine()
        } else {
            self.valued(reached.join(",")).grave()
        }
    }

    /// An ordinary call of any deployment.
    pub(crate) fn routine(self) -> Self {
        Self {
            routine: true,
            grave: false,
            ..self
        }
    }

    /// Blinds, or lets into a watched service or everything.
    pub(crate) fn grave(self) -> Self {
        Self {
            routine: false,
            grave: true,
            ..self
        }
    }

    /// With the value that decided.
    pub(crate) fn valued(self, value: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            ..self
        }
    }
}
