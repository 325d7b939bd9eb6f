//! Regions that somebody switched on and nobody uses.

use super::Case;
use crate::gap::{Gap, GapId, Repair, command};
use crate::inventory::Switch;

pub(super) fn look(case: &Case<'_>) -> Vec<Gap> {
    let Some(switches) = &case.inventory.switches else {
        return Vec::new();
    };
    let is_used = |name: &str| name == case.inventory.hub || case.used().any(|used| used.regions.contains(name));
    let is_known = |name: &str| {
        let region = case.inventory.regions.get(name);
        region.is_some_and(|region| region.metered.is_some())
    };
    let unused: Vec<&str> = switches
        .iter()
        .filter(|(name, switch)| **switch == Switch::On && is_known(name))
        .map(|(name, _)| name.as_str())
        .filter(|name| !is_used(name))
        .collect();
    let Some(first) = unused.first() else {
        return Vec::new();
    };
    vec![
        Gap::new(
            GapId::OptInRegionUnused,
            "Opt-in regions are on, and no service that spends was used in them.",
        )
        .repair(Repair::run(
            command("aws account disable-region --region-name {}", &[first]),
            command("aws account enable-region --region-name {}", &[first]),
        ))
        .repair(Repair::step("in each, when nothing else of yours is there"))
        .regions(unused),
    ]
}
