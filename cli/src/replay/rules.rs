//! Which rules of the policy were of use, and what they held back: suppressed is not invisible.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Serialize;
use tripmeter_model::{Case, Identity, Origin, Owner, Policy, Service, Severity, Suppression, Timestamp};
use tripmeter_policy::{PolicyFile, RuleKind};

use super::episodes::Episodes;

/// The policy file, asked through a notebook of which rules answered.
pub(crate) struct NotedPolicy {
    policy: PolicyFile,
    /// By rule, the worst severity that it held back, if it held one back.
    answers: RefCell<BTreeMap<String, Option<Severity>>>,
}

/// What a rule did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct RuleUse {
    pub(crate) rule: String,
    pub(crate) kind: &'static str,
    pub(crate) owner: String,
    /// Whether it ever applied.
    pub(crate) matched: bool,
    /// Episodes that it keeps quiet as they stand at the end.
    pub(crate) suppressed: u64,
    /// The worst severity that it hid or held down on the way.
    pub(crate) held_back: Option<String>,
    /// Whether that was High or worse.
    pub(crate) hid_high: bool,
}

impl NotedPolicy {
    /// Nothing asked yet.
    pub(crate) fn new(policy: PolicyFile) -> Self {
        Self {
            policy,
            answers: RefCell::default(),
        }
    }

    /// What became of every rule whose answers carry its name. (A vouched network answers without one.)
    pub(crate) fn rules(&self, episodes: &Episodes) -> Vec<RuleUse> {
        let answers = self.answers.borrow();
        self.policy
            .rules()
            .filter(|rule| rule.kind != RuleKind::Network)
            .map(|rule| {
                let (suppressed, worst) = episodes.suppressed_by(&rule.id);
                let held_back = answers.get(&rule.id).copied().flatten().max(worst);
                RuleUse {
                    rule: rule.id.clone(),
                    kind: rule.kind.name(),
                    owner: rule.owner.clone(),
                    matched: answers.contains_key(&rule.id),
                    suppressed,
                    held_back: held_back.map(|severity| severity.to_string()),
                    hid_high: held_back >= Some(Severity::High),
                }
            })
            .collect()
    }

    fn note(&self, rule: &Suppression, held_back: Option<Severity>) {
        let mut answers = self.answers.borrow_mut();
        match answers.get_mut(&rule.rule) {
            Some(worst) => *worst = (*worst).max(held_back),
            None => {
                answers.insert(rule.rule.clone(), held_back);
            }
        }
    }
}

impl Policy for &NotedPolicy {
    fn region_allowed(&self, account: &str, service: Service, region: &str, at: Timestamp) -> bool {
        self.policy.region_allowed(account, service, region, at)
    }

    fn network_vouched(&self, account: &str, address: IpAddr, at: Timestamp) -> bool {
        self.policy.network_vouched(account, address, at)
    }

    fn announced(
        &self,
        account: &str,
        service: Service,
        identity: &Identity,
        at: Timestamp,
    ) -> Option<(Suppression, Option<u64>)> {
        let answer = self.policy.announced(account, service, identity, at);
        if let Some((rule, _)) = &answer {
            self.note(rule, None);
        }
        answer
    }

    fn suppressed(&self, case: &Case<'_>) -> Option<Suppression> {
        let answer = self.policy.suppressed(case);
        if let Some(rule) = &answer {
            self.note(rule, Some(case.severity));
        }
        answer
    }

    fn capped(&self, case: &Case<'_>) -> Option<(Suppression, Severity)> {
        let answer = self.policy.capped(case);
        if let Some((rule, cap)) = &answer {
            self.note(rule, (*cap < case.severity).then_some(case.severity));
        }
        answer
    }

    fn owner(&self, account: &str, service: Service, identity: &Identity) -> Option<Owner> {
        self.policy.owner(account, service, identity)
    }

    fn account_name(&self, account: &str) -> Option<String> {
        self.policy.account_name(account)
    }

    fn is_aws_itself(&self, identity: &Identity, invoked_by: Option<&str>, origin: &Origin) -> bool {
        self.policy.is_aws_itself(identity, invoked_by, origin)
    }
}
