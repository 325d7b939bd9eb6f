//! Who may spend, and who may lift the limits: those who can do both, and those whom a key alone is enough for.

use std::collections::BTreeSet;

use tripmeter_model::Service;

use super::Case;
use crate::gap::{Gap, GapId, Repair, command};
use crate::powers::Power;

pub(super) fn look(case: &Case<'_>) -> Vec<Gap> {
    let Some(powers) = case.powers else {
        return Vec::new();
    };
    let with_keys: BTreeSet<&str> = case
        .inventory
        .keys
        .iter()
        .flatten()
        .filter(|key| key.active)
        .map(|key| key.user.as_str())
        .collect();
    let keyed: Vec<&Power> = powers
        .of
        .iter()
        .filter(|power| with_keys.contains(power.arn.as_str()))
        .collect();
    let both: Vec<&Power> = powers
        .of
        .iter()
        .filter(|power| power.spends.intersection(&power.changes).next().is_some())
        .collect();
    let keyed = (!keyed.is_empty()).then(|| {
        Gap::new(
            GapId::KeySpends,
            "Users with long-term keys may spend, or lift limits; conditions and resources were not looked at.",
        )
        .services(services(&keyed, |power| {
            power.spends.union(&power.changes).copied().collect()
        }))
        .evidence(keyed.iter().map(ToString::to_string))
        .repair(Repair::step(
            "give the program a role, and its policy one action on one resource",
        ))
    });
    let both = (!both.is_empty()).then(|| {
        Gap::new(
            GapId::SpendsAndChanges,
            "Identities may spend on a service and lift its limits; conditions and resources were not looked at.",
        )
        .services(services(&both, |power| {
            power.spends.intersection(&power.changes).copied().collect()
        }))
        .evidence(both.iter().map(ToString::to_string))
        .repair(Repair::step(
            "take what lifts limits from whoever sends, and keep it with few who sign in with MFA",
        ))
        .repair(Repair::look(command(
            "aws iam simulate-principal-policy --policy-source-arn {} --action-names ses:SendEmail sns:SetSMSAttributes \
             bedrock:InvokeModel",
            &[both.first().map(|power| power.arn.as_str()).unwrap_or_default()],
        )))
    });
    keyed.into_iter().chain(both).collect()
}

fn services(powers: &[&Power], of: impl Fn(&Power) -> Vec<Service>) -> BTreeSet<Service> {
    powers.iter().flat_map(|power| of(power)).collect()
}
