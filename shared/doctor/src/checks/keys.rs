//! Long-term credentials that are old, or never end.

use tripmeter_findings::Command;
use tripmeter_model::DAY;

use super::Case;
use crate::gap::{Gap, GapId, Repair, command};
use crate::inventory::Key;

pub(super) fn look(case: &Case<'_>) -> Vec<Gap> {
    let Some(keys) = &case.inventory.keys else {
        return Vec::new();
    };
    let active = || keys.iter().filter(|key| key.active);
    let oldest = case.inventory.read_at.plus(-i64::from(case.terms.key_days) * DAY);
    let old: Vec<&Key> = active()
        .filter(|key| key.service.is_none() && key.created < oldest)
        .collect();
    let endless: Vec<&Key> = active()
        .filter(|key| key.service.is_some() && key.expires.is_none())
        .collect();
    let old = old.first().map(|first| {
        Gap::new(
            GapId::KeyOld,
            format!("Access keys are older than {} days.", case.terms.key_days),
        )
        .repair(Repair::run(access_key("Inactive", first), access_key("Active", first)))
        .repair(Repair::step(
            "each, once its program has another; delete it a week later",
        ))
        .evidence(old.iter().map(|key| shown(key)))
    });
    let endless = endless.first().map(|first| {
        Gap::new(GapId::KeyNeverExpires, "API keys never end.")
            .repair(Repair::run(api_key("Inactive", first), api_key("Active", first)))
            .repair(Repair::step(
                "each, once its program has a role, or a key that was made with --credential-age-days",
            ))
            .evidence(endless.iter().map(|key| shown(key)))
    });
    old.into_iter().chain(endless).collect()
}

fn access_key(status: &str, key: &Key) -> Option<Command> {
    command(
        "aws iam update-access-key --status {} --access-key-id {} --user-name {}",
        &[status, &key.id, name(key)],
    )
}

fn api_key(status: &str, key: &Key) -> Option<Command> {
    command(
        "aws iam update-service-specific-credential --status {} --service-specific-credential-id {} --user-name {}",
        &[status, &key.id, name(key)],
    )
}

fn name(key: &Key) -> &str {
    key.user.rsplit('/').next().unwrap_or_default()
}

fn shown(key: &Key) -> String {
    let made: String = key.created.to_string().chars().take(10).collect();
    match &key.service {
        None => format!("{} of {}, made {made}", key.id, key.user),
        Some(service) => format!("{} of {} for {service}, made {made}", key.id, key.user),
    }
}
