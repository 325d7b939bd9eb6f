//! Whether the detector hears its own calls, as its state table says.

use super::Case;
use crate::gap::{Gap, GapId, Repair};

/// Misses in a row from which the detector itself speaks of a loss.
const LOST_AFTER: u32 = 2;

pub(super) fn look(case: &Case<'_>) -> Vec<Gap> {
    let Some(learned) = &case.inventory.learned else {
        return Vec::new();
    };
    let missed: Vec<&str> = learned
        .canary
        .iter()
        .filter(|(_, misses)| **misses >= LOST_AFTER)
        .map(|(region, _)| region.as_str())
        .collect();
    let forwards = case.inventory.regions.iter().filter(|(name, region)| {
        **name == case.inventory.hub || region.rules.as_ref().is_some_and(|rules| !rules.is_empty())
    });
    let absent: Vec<&str> = forwards
        .map(|(name, _)| name.as_str())
        .filter(|name| !learned.canary.contains_key(*name))
        .collect();
    let missed = (!missed.is_empty()).then(|| {
        Gap::new(GapId::CanaryMissed, "The canary's calls were answered, and not heard.")
            .regions(missed)
            .repair(Repair::step("follow docs/runbooks/telemetry-lost.md"))
    });
    let absent = (!absent.is_empty()).then(|| {
        Gap::new(GapId::CanaryAbsent, "The canary never called there.")
            .repair(Repair::step(format!(
                "add it to the parameter WatchedRegions in samconfig.toml, and run `sam deploy`: {}",
                super::list(&absent)
            )))
            .regions(absent)
    });
    missed.into_iter().chain(absent).collect()
}
