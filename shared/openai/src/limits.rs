//! Limits that no audit event tells of: what they are now, compared with what they were.
//!
//! A limit is a number by a name, such as `spend_limit` or `rate_limit/rl-gpt-5/max_tokens_per_1_minute`; a model on a
//! list is a limit that is one. A number that rises lets more be spent, and so does one that is there no longer, but
//! for rate limits, which come and go with models. A comparison knows when it was made, not who did it or when.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tripmeter_catalogue::openai::{call, origin};
use tripmeter_model::{
    Activity, Identity, Kind, Outcome, Quantity, Service, Session, Target, Timestamp, bounded, digest64, stable_uid,
};

use crate::pages::{ModelPermissions, RateLimit, SpendAlert, SpendLimit};

/// Names of one reading that are kept: a project has a few numbers for each model.
const MOST: usize = 2_000;

/// The limits of the organisation, or of one project, by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Standing(BTreeMap<String, f64>);

impl Standing {
    /// Takes a hard spend limit, where there is one.
    pub fn spend_limit(&mut self, limit: Option<&SpendLimit>) {
        if let Some(limit) = limit {
            self.put("spend_limit", limit.threshold_amount);
        }
    }

    /// Takes a spend alert, and whom it tells: of an address its digest, since nobody has to read it here.
    pub fn spend_alert(&mut self, alert: &SpendAlert) {
        self.put(&format!("spend_alert/{}", alert.id), alert.threshold_amount);
        for address in &alert.notification_channel.recipients {
            self.put(&format!("recipient/{}/{:016x}", alert.id, digest64(&[address]).0), 1.0);
        }
    }

    /// Takes a rate limit.
    pub fn rate_limit(&mut self, limit: &RateLimit) {
        for (name, value) in &limit.limits {
            if let Some(value) = value.as_f64() {
                self.put(&format!("rate_limit/{}/{name}", limit.id), value);
            }
        }
    }

    /// Takes which models may be used, where that is restricted.
    pub fn models(&mut self, permissions: Option<&ModelPermissions>) {
        let Some(permissions) = permissions else { return };
        let list = if permissions.mode == "allow_list" {
            "allow_list"
        } else {
            "deny_list"
        };
        // An empty list of what may be used is a restriction, too.
        self.put(list, permissions.model_ids.len() as f64);
        for model in &permissions.model_ids {
            self.put(&format!("{list}/{model}"), 1.0);
        }
    }

    fn put(&mut self, name: &str, value: f64) {
        if self.0.len() < MOST {
            self.0.insert(bounded(name, 128), value);
        }
    }

    fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

/// A difference between two readings, of one sort: the catalogue has its row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The row's name: `spend_limit.raised`.
    pub call: String,
    /// What changed, the first by name, with its numbers.
    pub text: String,
}

/// What changed between two readings of the same limits: one change of each sort.
///
/// ```
/// use tripmeter_openai::limits::{Standing, changes};
/// use tripmeter_openai::pages::SpendLimit;
///
/// let of = |cents| {
///     let mut standing = Standing::default();
///     standing.spend_limit(Some(&SpendLimit { threshold_amount: cents }));
///     standing
/// };
/// let [change] = changes(&of(10_000.0), &of(900_000.0)).try_into().unwrap();
/// assert_eq!(change.call, "spend_limit.raised");
/// ```
pub fn changes(before: &Standing, after: &Standing) -> Vec<Change> {
    let names: BTreeSet<&String> = before.0.keys().chain(after.0.keys()).collect();
    let mut sorts: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for name in names {
        let (was, is) = (before.get(name), after.get(name));
        if was == is {
            continue;
        }
        if let Some(call) = sort(name, was, is, before, after) {
            let number = |limit: Option<f64>| limit.map_or("none".to_owned(), |limit| limit.to_string());
            sorts
                .entry(call)
                .or_default()
                .push(format!("{name} from {} to {}", number(was), number(is)));
        }
    }
    let told = |(call, texts): (&str, Vec<String>)| {
        let more = texts.len().saturating_sub(1);
        let first = texts.into_iter().next().unwrap_or_default();
        Change {
            call: call.to_owned(),
            text: if more == 0 {
                first
            } else {
                format!("{first}, and {more} more")
            },
        }
    };
    sorts.into_iter().map(told).collect()
}

fn sort(name: &str, was: Option<f64>, is: Option<f64>, before: &Standing, after: &Standing) -> Option<&'static str> {
    const TIGHTENED: Option<&str> = Some("limits.tightened");
    let raised = |call| match (was, is) {
        (Some(was), Some(is)) if is > was => Some(call),
        _ => TIGHTENED,
    };
    match name.split('/').next().unwrap_or_default() {
        "spend_limit" if is.is_none() => Some("spend_limit.removed"),
        "spend_limit" => raised("spend_limit.raised"),
        "spend_alert" if is.is_none() => Some("spend_alert.removed"),
        "spend_alert" => raised("spend_alert.raised"),
        // An alert that is gone is told as such; who is told in addition takes nothing away.
        "recipient" if is.is_none() && after.has(&alert_of(name)) => Some("spend_alert.redirected"),
        "rate_limit" if was.is_none() || is.is_none() => None,
        "rate_limit" => raised("project_rate_limit.raised"),
        // The list itself says whether there is one; how long it is, its entries say.
        "allow_list" if name == "allow_list" => match (was, is) {
            (Some(_), None) => Some("model_permissions.widened"),
            (None, Some(_)) => TIGHTENED,
            _ => None,
        },
        "allow_list" if before.has("allow_list") && after.has("allow_list") => match is {
            Some(_) => Some("model_permissions.widened"),
            None => TIGHTENED,
        },
        "deny_list" if name != "deny_list" && !after.has("allow_list") => match is {
            None => Some("model_permissions.widened"),
            Some(_) if before.has("allow_list") => None,
            Some(_) => TIGHTENED,
        },
        _ => None,
    }
}

/// The name of the alert that a recipient's name is about.
fn alert_of(recipient: &str) -> String {
    format!("spend_alert/{}", recipient.split('/').nth(1).unwrap_or_default())
}

/// The activity that a change is: nobody knows whose, so the whole organisation's. `about` is a project, or
/// `organization`; `version` tells this reading from the others.
pub fn activity(change: &Change, about: &str, version: u64, seen: Timestamp, organisation: &str) -> Activity {
    let row = call(&change.call);
    let why = row.map_or("a limit was changed", |row| row.why);
    Activity {
        time: seen,
        event_id: Some(stable_uid(&[
            "limits",
            organisation,
            about,
            &version.to_string(),
            &change.call,
            &change.text,
        ])),
        account: bounded(organisation, 64),
        region: String::new(),
        service: Service::OpenAi,
        call: bounded(&change.call, 64),
        kind: row.map_or(Kind::Context, |row| row.kind),
        outcome: Outcome::Success,
        identity: Identity::account(organisation),
        session: Session::default(),
        origin: origin(None),
        target: Some(Target::Resource(bounded(about, 128))),
        quantity: Quantity::ONE,
        effect: row.and_then(|row| row.effect),
        routine: false,
        grave: row.is_some_and(|row| row.grave),
        links: Vec::new(),
        issued: None,
        shape: digest64(&[Service::OpenAi.name(), &change.call, about]),
        why: bounded(&format!("{why}: {}", change.text), 256),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(named: &[(&str, f64)]) -> Standing {
        Standing(named.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect())
    }

    fn calls(before: &[(&str, f64)], after: &[(&str, f64)]) -> Vec<String> {
        changes(&limits(before), &limits(after))
            .into_iter()
            .map(|change| change.call)
            .collect()
    }

    #[test]
    fn what_lets_more_be_spent_is_told_from_what_lets_less() {
        assert_eq!(
            calls(&[("spend_limit", 5.0)], &[("spend_limit", 9.0)]),
            ["spend_limit.raised"]
        );
        assert_eq!(calls(&[("spend_limit", 5.0)], &[]), ["spend_limit.removed"]);
        assert_eq!(calls(&[("spend_alert/a", 5.0)], &[]), ["spend_alert.removed"]);
        assert_eq!(calls(&[], &[("spend_limit", 9.0)]), ["limits.tightened"]);
        assert_eq!(
            calls(
                &[("recipient/a/1", 1.0), ("spend_alert/a", 5.0)],
                &[("recipient/a/2", 1.0), ("spend_alert/a", 5.0)]
            ),
            ["spend_alert.redirected"]
        );
        assert_eq!(
            calls(&[("recipient/a/1", 1.0), ("spend_alert/a", 5.0)], &[]),
            ["spend_alert.removed"]
        );
        assert_eq!(
            calls(&[("spend_limit", 9.0)], &[("spend_limit", 5.0)]),
            ["limits.tightened"]
        );
        assert!(calls(&[("spend_limit", 9.0)], &[("spend_limit", 9.0)]).is_empty());
    }

    #[test]
    fn a_rate_limit_that_comes_or_goes_with_its_model_is_no_change() {
        assert!(calls(&[("rate_limit/a/tpm", 1.0)], &[("rate_limit/b/tpm", 1.0)]).is_empty());
        let [raised] = changes(
            &limits(&[("rate_limit/a/rpm", 1.0), ("rate_limit/a/tpm", 1.0)]),
            &limits(&[("rate_limit/a/rpm", 5.0), ("rate_limit/a/tpm", 7.0)]),
        )
        .try_into()
        .unwrap();
        assert_eq!(raised.call, "project_rate_limit.raised");
        assert_eq!(raised.text, "rate_limit/a/rpm from 1 to 5, and 1 more");
    }

    #[test]
    fn more_models_are_more_whatever_the_list() {
        let widened = ["model_permissions.widened"];
        let allowed = [("allow_list", 1.0), ("allow_list/a", 1.0)];
        assert_eq!(
            calls(
                &allowed,
                &[("allow_list", 2.0), ("allow_list/a", 1.0), ("allow_list/b", 1.0)]
            ),
            widened
        );
        assert_eq!(calls(&allowed, &[]), widened);
        assert_eq!(calls(&allowed, &[("deny_list", 1.0), ("deny_list/c", 1.0)]), widened);
        assert_eq!(calls(&[("deny_list", 1.0), ("deny_list/a", 1.0)], &[]), widened);
        assert_eq!(calls(&[], &allowed), ["limits.tightened"]);
    }

    #[test]
    fn a_change_is_the_organisations_and_says_the_numbers() {
        let change = Change {
            call: "spend_limit.raised".into(),
            text: "spend_limit from 100 to 900".into(),
        };
        let activity = activity(&change, "proj_1", 3, Timestamp::from_seconds(60), "org-1");
        assert_eq!(
            (activity.kind, activity.identity),
            (Kind::PolicyChange, Identity::account("org-1"))
        );
        assert_eq!(
            activity.why,
            "a hard spend limit is higher than it was: spend_limit from 100 to 900"
        );
    }
}
