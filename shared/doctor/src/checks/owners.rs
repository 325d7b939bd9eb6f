//! Services in use that the policy file names nobody for.

use tripmeter_model::Service;

use super::{Case, list};
use crate::gap::{Gap, GapId, Repair, command};

pub(super) fn look(case: &Case<'_>) -> Vec<Gap> {
    let nobodys: Vec<Service> = case
        .used()
        .filter(|used| used.owner.is_none())
        .map(|used| used.service)
        .collect();
    if nobodys.is_empty() {
        return Vec::new();
    }
    vec![
        Gap::new(
            GapId::OwnerMissing,
            format!("The policy file has no owner for {}.", list(&nobodys)),
        )
        .services(nobodys)
        .repair(Repair::step(
            "add an [[owner]] to the policy file, as proposed below, then",
        ))
        .repair(Repair::run(
            command(
                "tripmeter policy push tripmeter.toml --table STATE_TABLE --note owners",
                &[],
            ),
            command("tripmeter policy rollback --table STATE_TABLE", &[]),
        )),
    ]
}
