//! Which telemetry an account lacks, what cannot be seen because of it, and how to repair it.
//!
//! [`examine`] is pure: it is given an [`Inventory`], which somebody else has read from the account, and the policy
//! file, and gives a [`Diagnosis`]: gaps, the services that spend with their owners, who may spend and who may lift
//! limits, and a proposal for the policy file and the deployment's parameters.
//!
//! ```
//! use tripmeter_doctor::{GapId, Inventory, Region, Terms, examine};
//! use tripmeter_model::NoPolicy;
//!
//! let mut inventory = Inventory { hub: "eu-west-1".into(), trails: Some(Vec::new()), ..Inventory::default() };
//! inventory.regions.insert("eu-west-1".into(), Region::default());
//!
//! let diagnosis = examine(&inventory, &NoPolicy, &Terms::default());
//!
//! assert_eq!(diagnosis.gaps[0].id, GapId::TrailMissing);
//! ```

mod checks;
mod diagnosis;
mod event_pattern;
mod gap;
mod inventory;
mod powers;
mod proposal;
mod selectors;
mod statement;
#[cfg(test)]
mod testing;
mod uses;
mod wildcard;

pub use crate::diagnosis::{Diagnosis, Terms, examine};
pub use crate::gap::{Gap, GapId, Repair};
pub use crate::inventory::{
    AdvancedSelector, BasicSelector, Budget, CostMonitor, FieldSelector, Inventory, Key, Learned, LearnedUse, Mail,
    NotLooked, Organisation, Principal, Region, Rule, RuleState, Selectors, SpendLimit, Switch, Topic, Trail,
};
pub use crate::powers::{Power, Powers};
pub use crate::proposal::Proposal;
pub use crate::uses::ServiceUse;
