//! What is looked for, a file for each subject.

mod budgets;
mod canary;
mod keys;
mod limits;
mod logging;
mod organisation;
mod owners;
mod powers;
mod regions;
mod rules;
#[cfg(test)]
mod tests;
mod topics;
mod trails;

use tripmeter_model::Service;

use crate::diagnosis::Terms;
use crate::gap::Gap;
use crate::inventory::Inventory;
use crate::powers::Powers;
use crate::uses::ServiceUse;

/// An account to be looked at.
pub(crate) struct Case<'a> {
    pub(crate) inventory: &'a Inventory,
    pub(crate) services: &'a [ServiceUse],
    pub(crate) powers: Option<&'a Powers>,
    pub(crate) terms: &'a Terms,
}

impl Case<'_> {
    /// The services that the account uses.
    fn used(&self) -> impl Iterator<Item = &ServiceUse> {
        self.services.iter().filter(|service| service.in_use())
    }

    /// Whether the account uses a service.
    fn uses(&self, service: Service) -> bool {
        self.used().any(|used| used.service == service)
    }
}

/// Every gap.
pub(crate) fn all(case: &Case<'_>) -> Vec<Gap> {
    let checks: [fn(&Case<'_>) -> Vec<Gap>; 12] = [
        trails::look,
        logging::look,
        rules::look,
        regions::look,
        canary::look,
        budgets::look,
        topics::look,
        limits::look,
        owners::look,
        powers::look,
        keys::look,
        organisation::look,
    ];
    checks.iter().flat_map(|look| look(case)).collect()
}

/// Names one after the other, for a sentence.
fn list<T: ToString>(names: impl IntoIterator<Item = T>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| name.to_string()).collect();
    names.join(", ")
}
