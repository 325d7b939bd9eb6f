//! The services that spend: which of them the account uses, where, and whose they are.

use std::collections::BTreeSet;

use serde::{Serialize, Serializer};
use tripmeter_model::{Identity, IdentityKind, Policy, Service};

use crate::inventory::Inventory;

/// A service that spends, in an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServiceUse {
    /// The service.
    #[serde(serialize_with = "by_name")]
    pub service: Service,
    /// The regions that it was seen in: with metrics in the last two weeks, mail of the last day, or in what the
    /// detector has learned. Empty when it was seen nowhere.
    pub regions: BTreeSet<String>,
    /// The most units of a day that the detector has seen: recipients, messages, model calls.
    pub peak_day: Option<u64>,
    /// Whom to ask, by the policy file.
    pub owner: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives references")]
fn by_name<S: Serializer>(service: &Service, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(service.name())
}

impl ServiceUse {
    /// Whether the account uses it, as far as anybody can tell.
    pub fn in_use(&self) -> bool {
        !self.regions.is_empty()
    }
}

/// Every service of AWS that spends, used or not.
pub(crate) fn services(inventory: &Inventory, policy: &dyn Policy) -> Vec<ServiceUse> {
    let anybody = Identity {
        kind: IdentityKind::Other,
        id: String::new(),
    };
    let spending = Service::ALL.iter().copied().filter(|service| service.spends());
    let of_aws = spending.filter(|service| *service != Service::OpenAi);
    of_aws
        .map(|service| ServiceUse {
            service,
            regions: regions(inventory, service),
            peak_day: inventory
                .learned
                .as_ref()
                .and_then(|learned| learned.services.get(&service))
                .map(|learned| learned.peak_day),
            owner: policy
                .owner(&inventory.account, service, &anybody)
                .map(|owner| owner.name),
        })
        .collect()
}

fn regions(inventory: &Inventory, service: Service) -> BTreeSet<String> {
    let metered = inventory.regions.iter().filter(|(_, region)| {
        let has_metrics = region.metered.as_ref().is_some_and(|of| of.contains(&service));
        let sends = region.mail.is_some_and(|mail| mail.sent_last_day > 0.0);
        has_metrics || service == Service::Ses && sends
    });
    let learned = inventory
        .learned
        .iter()
        .filter_map(|learned| learned.services.get(&service))
        .flat_map(|of| of.regions.iter().cloned());
    metered.map(|(name, _)| name.clone()).chain(learned).collect()
}
