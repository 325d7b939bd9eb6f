//! Everything that there is to say about an account, in the order in which to read it.

use std::cmp::Reverse;

use serde_json::{Value, json};
use tripmeter_model::{Policy, Severity};

use crate::checks;
use crate::gap::{Gap, Repair};
use crate::inventory::{Inventory, NotLooked};
use crate::powers::Powers;
use crate::proposal::Proposal;
use crate::uses::{self, ServiceUse};

/// What is asked for, where an account may well want it otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Days after which a long-term credential is old.
    pub key_days: u32,
    /// A quota is far above the peak at this ratio.
    pub quota_ratio: u32,
}

impl Default for Terms {
    /// 90 days, as the CIS AWS Foundations Benchmark asks; and a quota of twenty times the peak, which leaves room for
    /// any campaign that grows from what is sent today.
    fn default() -> Self {
        Self {
            key_days: 90,
            quota_ratio: 20,
        }
    }
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnosis {
    /// The account.
    pub account: String,
    /// What people call it.
    pub account_name: Option<String>,
    /// The region that the detector is in, or would be.
    pub hub: String,
    /// The regions that were read.
    pub regions: Vec<String>,
    /// What is missing, gravest first.
    pub gaps: Vec<Gap>,
    /// The services that spend, with their owners.
    pub services: Vec<ServiceUse>,
    /// Who may spend and who may lift limits, where policies could be read.
    pub powers: Option<Powers>,
    /// What to write down.
    pub proposal: Proposal,
    /// What was not looked at.
    pub not_looked: Vec<NotLooked>,
}

/// Looks at an account.
pub fn examine(inventory: &Inventory, policy: &dyn Policy, terms: &Terms) -> Diagnosis {
    let services = uses::services(inventory, policy);
    let powers = inventory.principals.as_deref().map(Powers::of);
    let case = checks::Case {
        inventory,
        services: &services,
        powers: powers.as_ref(),
        terms,
    };
    let mut gaps = checks::all(&case);
    gaps.sort_by_key(|gap| (Reverse(gap.severity), gap.id));
    let mut not_looked = inventory.not_looked.clone();
    not_looked.sort();
    not_looked.dedup();
    Diagnosis {
        account: inventory.account.clone(),
        account_name: policy.account_name(&inventory.account),
        hub: inventory.hub.clone(),
        regions: inventory.regions.keys().cloned().collect(),
        proposal: Proposal::of(inventory, policy, &services),
        gaps,
        services,
        powers,
        not_looked,
    }
}

impl Diagnosis {
    /// The gravest gap's severity.
    pub fn gravest(&self) -> Option<Severity> {
        self.gaps.iter().map(|gap| gap.severity).max()
    }

    /// All of it for machines. docs/doctor.md describes it.
    pub fn to_json(&self) -> Value {
        json!({
            "schema": 1,
            "account": self.account,
            "account_name": self.account_name,
            "hub": self.hub,
            "regions": self.regions,
            "gaps": self.gaps.iter().map(gap).collect::<Vec<_>>(),
            "services": self.services,
            "powers": self.powers,
            "proposal": self.proposal,
            "not_looked": self.not_looked,
        })
    }
}

fn gap(gap: &Gap) -> Value {
    let step = |repair: &Repair| match repair {
        Repair::Run { command, undo } => json!({"run": command.to_string(), "undo": undo.to_string()}),
        Repair::Look(command) => json!({"look": command.to_string()}),
        Repair::Do(what) => json!({"do": what}),
    };
    json!({
        "id": gap.id,
        "severity": gap.severity.name(),
        "services": gap.services.iter().map(|service| service.name()).collect::<Vec<_>>(),
        "regions": gap.regions,
        "missing": gap.missing,
        "unseen": gap.id.unseen(),
        "evidence": gap.evidence,
        "evidence_in_all": gap.evidence_in_all,
        "repair": gap.repair.iter().map(step).collect::<Vec<_>>(),
        "source": gap.id.source(),
    })
}
