//! What to write down: sections of the policy file, and parameters of the deployment.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Serialize;
use tripmeter_model::{Policy, bounded};

use crate::inventory::Inventory;
use crate::uses::ServiceUse;

/// A proposal. Somebody reads it before it is in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Proposal {
    /// Sections for the policy file, as TOML; empty when there is nothing to propose.
    pub policy: String,
    /// Parameters of the hub's stack, by name.
    pub parameters: BTreeMap<&'static str, String>,
}

impl Proposal {
    pub(crate) fn of(inventory: &Inventory, policy: &dyn Policy, services: &[ServiceUse]) -> Self {
        Self {
            policy: sections(inventory, policy, services),
            parameters: parameters(inventory, services),
        }
    }
}

/// Some names are out of records, so only what may be a region's is proposed.
pub(crate) fn used_regions(services: &[ServiceUse]) -> BTreeSet<&str> {
    let may_be = |name: &&str| name.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '-'));
    services
        .iter()
        .flat_map(|used| &used.regions)
        .map(String::as_str)
        .filter(may_be)
        .collect()
}

fn sections(inventory: &Inventory, policy: &dyn Policy, services: &[ServiceUse]) -> String {
    let mut text = String::new();
    let used = used_regions(services);
    let somewhere_else = inventory
        .regions
        .keys()
        .chain(inventory.switches.iter().flat_map(BTreeMap::keys));
    // A file that already holds everybody to some regions needs no other list.
    let open = somewhere_else
        .filter(|region| !used.contains(region.as_str()))
        .any(|region| {
            policy.region_allowed(
                &inventory.account,
                tripmeter_model::Service::Ses,
                region,
                inventory.read_at,
            )
        });
    if open && !used.is_empty() {
        let names: Vec<String> = used.iter().map(|region| quoted(region)).collect();
        let _ = writeln!(text, "[regions]\nall = [{}]", names.join(", "));
    }
    if policy.account_name(&inventory.account).is_none() && !inventory.account.is_empty() {
        let _ = writeln!(text, "\n[accounts]\n{} = \"NAME\"", bare(&inventory.account));
    }
    let nobodys = services.iter().filter(|used| used.in_use() && used.owner.is_none());
    for used in nobodys {
        let _ = writeln!(
            text,
            "\n[[owner]]\nname = \"TEAM\"\ncontact = \"team@example.com\"\nservices = [{}]",
            quoted(used.service.name())
        );
    }
    text.trim_start().to_owned()
}

fn parameters(inventory: &Inventory, services: &[ServiceUse]) -> BTreeMap<&'static str, String> {
    let mut parameters = BTreeMap::new();
    let others: Vec<&str> = inventory
        .regions_on()
        .into_iter()
        .filter(|region| *region != inventory.hub)
        .collect();
    if !others.is_empty() {
        parameters.insert("WatchedRegions", others.join(","));
    }
    let used: Vec<&str> = used_regions(services).into_iter().collect();
    if !used.is_empty() {
        parameters.insert("AllowedRegions", used.join(","));
    }
    let logging = |every_region: bool| {
        let trails = inventory.trails.iter().flatten();
        let mut trails = trails.filter(move |trail| trail.logging == Some(true) && trail.every_region == every_region);
        trails.next().map(|trail| bounded(&trail.name, 128))
    };
    if let Some(trail) = logging(true).or_else(|| logging(false)) {
        parameters.insert("TrailName", trail);
    }
    let hub = inventory.regions.get(&inventory.hub);
    if let Some(group) = hub.and_then(|hub| hub.invocation_log_group.as_deref()) {
        parameters.insert("BedrockLogGroup", bounded(group, 512));
    }
    let has_budgets = inventory.budgets.as_ref().is_none_or(|budgets| !budgets.is_empty());
    let has_monitors = inventory
        .cost_monitors
        .as_ref()
        .is_none_or(|monitors| !monitors.is_empty());
    if !has_budgets && !has_monitors {
        parameters.insert("CreateMeters", "yes".to_owned());
    }
    parameters
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", bounded(text, 64).replace(['"', '\\'], "?"))
}

/// Digits, which need no quotes as a key.
fn bare(account: &str) -> String {
    account.chars().filter(char::is_ascii_digit).take(12).collect()
}

#[cfg(test)]
mod tests {
    use tripmeter_model::{NoPolicy, Service};
    use tripmeter_policy::PolicyFile;

    use super::*;
    use crate::testing::{HUB, OTHER, healthy};
    use crate::uses;

    fn proposed(inventory: &Inventory, policy: &dyn Policy) -> Proposal {
        Proposal::of(inventory, policy, &uses::services(inventory, policy))
    }

    #[test]
    fn what_is_proposed_is_a_policy_file_that_says_what_is_used_and_asks_whose_it_is() {
        let inventory = healthy();
        let proposal = proposed(&inventory, &NoPolicy);

        let policy = PolicyFile::parse(&proposal.policy).unwrap();

        let allowed = |region| policy.region_allowed(&inventory.account, Service::Ses, region, inventory.read_at);
        assert_eq!([HUB, OTHER, "ap-south-1"].map(allowed), [true, true, false]);
        assert_eq!(policy.account_name(&inventory.account).as_deref(), Some("NAME"));
        // Once it is in force, nothing is left to propose for it.
        assert_eq!(proposed(&inventory, &policy).policy, "");
    }

    #[test]
    fn parameters_name_what_is_there_and_ask_for_what_is_not() {
        let mut inventory = healthy();
        inventory.regions.get_mut(HUB).unwrap().invocation_log_group = Some("/bedrock/calls".to_owned());
        inventory.budgets = Some(Vec::new());
        inventory.cost_monitors = Some(Vec::new());

        let parameters = proposed(&inventory, &NoPolicy).parameters;

        let expected = [
            ("AllowedRegions", "eu-west-1,us-east-1"),
            ("BedrockLogGroup", "/bedrock/calls"),
            ("CreateMeters", "yes"),
            ("TrailName", "audit"),
            ("WatchedRegions", "us-east-1"),
        ];
        assert_eq!(
            parameters,
            expected.map(|(name, value)| (name, value.to_owned())).into()
        );
    }

    #[test]
    fn what_cannot_be_a_region_is_not_proposed() {
        let mut inventory = healthy();
        let learned = inventory
            .learned
            .as_mut()
            .unwrap()
            .services
            .get_mut(&Service::Ses)
            .unwrap();
        learned.regions.insert("x\"]\n[[mute]]".to_owned());

        let proposal = proposed(&inventory, &NoPolicy);

        assert!(PolicyFile::parse(&proposal.policy).is_ok(), "{}", proposal.policy);
        assert!(!proposal.policy.contains("mute"), "{}", proposal.policy);
        assert_eq!(proposal.parameters["AllowedRegions"], "eu-west-1,us-east-1");
    }
}
