//! Usage reports: who used how much of what in a minute.
//!
//! A bucket's row is one group. Its calls and units are totals of a bucket that may still grow; whoever polls tells
//! only what they have grown by, and makes an activity of that with [`activity`].
//!
//! <https://platform.openai.com/docs/api-reference/usage>

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tripmeter_catalogue::openai::{identity, origin};
use tripmeter_model::{
    Activity, Identity, IdentityKind, Kind as ActivityKind, Outcome, Quantity, Service, Session, Target, Timestamp,
    bounded, digest64,
};

use crate::pages::Row;

/// The longest id that is kept, in bytes.
const MAX_ID: usize = 80;

/// A kind of usage.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// The last part of its path, and the call of its activities.
    pub name: &'static str,
    /// What it is grouped by.
    pub groups: &'static [&'static str],
    /// The member that counts calls; without one, units are calls.
    calls: Option<&'static str>,
    /// The members that count units, whose sum it is.
    units: &'static [&'static str],
    /// What of the units is one.
    pub(crate) scale: u64,
    /// The unit that its costs are told in, before it is scaled; `None` for what is not paid by the unit.
    pub(crate) billed: Option<&'static str>,
}

const BY_CALLER: &[&str] = &["project_id", "user_id", "api_key_id", "model"];
const REQUESTS: Option<&str> = Some("num_model_requests");
const TOKENS: Option<&str> = Some("tokens");

/// Every kind that the API has. Units are tokens where tokens are counted; else images, thousands of characters,
/// seconds, sessions, searches. What vector stores hold is no use of the minute: gigabytes, so that it is hardly any.
#[rustfmt::skip]
pub const KINDS: &[Kind] = &[
    Kind { name: "completions", groups: BY_CALLER, calls: REQUESTS, units: &["input_tokens", "output_tokens"], scale: 1, billed: TOKENS },
    Kind { name: "embeddings", groups: BY_CALLER, calls: REQUESTS, units: &["input_tokens"], scale: 1, billed: TOKENS },
    Kind { name: "moderations", groups: BY_CALLER, calls: REQUESTS, units: &["input_tokens"], scale: 1, billed: TOKENS },
    Kind { name: "decisions", groups: BY_CALLER, calls: REQUESTS, units: &["input_tokens", "output_tokens"], scale: 1, billed: TOKENS },
    Kind { name: "images", groups: BY_CALLER, calls: REQUESTS, units: &["images"], scale: 1, billed: Some("images") },
    Kind { name: "audio_speeches", groups: BY_CALLER, calls: REQUESTS, units: &["characters"], scale: 1_000, billed: Some("characters") },
    Kind { name: "audio_transcriptions", groups: BY_CALLER, calls: REQUESTS, units: &["seconds"], scale: 1, billed: Some("seconds") },
    Kind { name: "vector_stores", groups: &["project_id"], calls: None, units: &["usage_bytes"], scale: 1 << 30, billed: None },
    Kind { name: "code_interpreter_sessions", groups: &["project_id"], calls: None, units: &["num_sessions"], scale: 1, billed: None },
    Kind { name: "file_search_calls", groups: &["project_id", "user_id", "api_key_id"], calls: None, units: &["num_requests"], scale: 1, billed: None },
    Kind { name: "web_search_calls", groups: BY_CALLER, calls: None, units: &["num_requests"], scale: 1, billed: None },
];

impl Kind {
    /// The kind of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.name == name)
    }

    /// Whether its units are tokens.
    pub fn is_of_tokens(&self) -> bool {
        self.billed == TOKENS
    }

    /// The kind of a row, by its `object`: `organization.usage.completions.result`.
    pub fn of(row: &Row) -> Option<&'static Self> {
        let object = row.get("object")?.as_str()?;
        let name = object.strip_prefix("organization.usage.")?.strip_suffix(".result")?;
        // Two results are not called as their path is.
        Self::named(match name {
            "file_searches" => "file_search_calls",
            "web_searches" => "web_search_calls",
            name => name,
        })
    }

    /// What a row says: calls and units so far. `None` where neither is there, or there was nothing.
    pub fn totals(&self, row: &Row) -> Option<(u64, u64)> {
        let number = |name: &str| row.get(name).and_then(count);
        let units: Vec<u64> = self.units.iter().filter_map(|name| number(name)).collect();
        let sum = units
            .iter()
            .fold(0u64, |sum, units| sum.saturating_add(*units))
            .div_ceil(self.scale);
        let calls = match self.calls {
            Some(name) => number(name)?,
            None => sum,
        };
        (!units.is_empty() && (calls > 0 || sum > 0)).then_some((calls, sum))
    }
}

/// A number that may be written as a float; negative is none.
fn count(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| {
        let number = value.as_f64()?;
        (number >= 0.0).then_some(number as u64)
    })
}

/// Whose usage a row is, with what.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Group {
    /// `api_key_id`.
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// `user_id`.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// `project_id`.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// `model`.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

impl Group {
    /// Out of a row.
    pub fn of(row: &Row) -> Self {
        let text = |name: &str| {
            let text = row.get(name)?.as_str()?;
            (!text.is_empty()).then(|| bounded(text, MAX_ID))
        };
        Self {
            key: text("api_key_id"),
            user: text("user_id"),
            project: text("project_id"),
            model: text("model"),
        }
    }

    /// As a text that is the same for the same group.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Out of such a text.
    pub fn from_text(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// Who it is: the key, else the user. What is counted by project alone has no caller in the report.
    fn identity(&self, kind: &str) -> Identity {
        match (&self.key, &self.user) {
            (Some(key), _) => identity(IdentityKind::OpenAiKey, key),
            (None, Some(user)) => identity(IdentityKind::OpenAiUser, user),
            (None, None) => {
                let project = self.project.as_deref().unwrap_or("without a project");
                Identity::meter(&format!("OpenAI {kind} {project}"))
            }
        }
    }
}

/// The activity that usage is: `quantity` of a kind, by a group, in the minute that begins at `time`.
///
/// OpenAI tells no address, region or client of it.
pub fn activity(
    kind: &str,
    group: &Group,
    time: Timestamp,
    quantity: Quantity,
    event_id: &str,
    organisation: &str,
) -> Activity {
    let owner = group.user.as_deref().filter(|_| group.key.is_some());
    Activity {
        time,
        event_id: Some(bounded(event_id, 64)),
        account: bounded(organisation, 64),
        region: String::new(),
        service: Service::OpenAi,
        call: bounded(kind, 64),
        kind: ActivityKind::Use,
        outcome: Outcome::Success,
        identity: group.identity(kind),
        session: Session {
            name: group.project.clone(),
            source_identity: group.user.clone(),
            ..Session::default()
        },
        origin: origin(None),
        target: group.model.clone().map(Target::Model),
        quantity,
        effect: None,
        routine: false,
        grave: false,
        // Whose key it is: what that person opened bears on its use.
        links: owner
            .map(|id| identity(IdentityKind::OpenAiUser, id).id)
            .into_iter()
            .collect(),
        issued: None,
        shape: digest64(&[Service::OpenAi.name(), kind]),
        why: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn row(value: &Value) -> Row {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_row_of_completions_is_its_requests_and_tokens_by_key_and_model() {
        let row = row(
            &json!({"object": "organization.usage.completions.result", "input_tokens": 1000, "output_tokens": 500,
            "input_cached_tokens": 800, "num_model_requests": 5, "project_id": "proj_1", "user_id": null,
            "api_key_id": "key_1", "model": "gpt-5-mini-2025-08-07"}),
        );

        let kind = Kind::of(&row).unwrap();
        let (calls, units) = kind.totals(&row).unwrap();
        let quantity = Quantity {
            calls,
            ..Quantity::of(units)
        };
        let used = activity(
            kind.name,
            &Group::of(&row),
            Timestamp::from_seconds(60),
            quantity,
            "e",
            "org-1",
        );

        assert_eq!((used.quantity.calls, used.quantity.units), (5, 1_500));
        assert_eq!(
            (used.identity.id.as_str(), used.call.as_str()),
            ("key:key_1", "completions")
        );
        assert_eq!(used.target, Some(Target::Model("gpt-5-mini-2025-08-07".into())));
        assert_eq!(used.session.name.as_deref(), Some("proj_1"));
    }

    #[test]
    fn what_no_key_made_is_the_users_and_what_no_user_made_a_meters() {
        let group = |value: Value| Group::of(&row(&value));
        let who = |group: Group| group.identity("completions");
        assert_eq!(who(group(json!({"user_id": "user-1"}))).id, "user:user-1");
        assert_eq!(
            who(group(json!({"project_id": "proj_1"}))).id,
            "meter:OpenAI completions proj_1"
        );
    }

    #[test]
    fn absent_is_not_zero_and_zero_is_no_use() {
        let kind = Kind::named("completions").unwrap();
        assert_eq!(kind.totals(&row(&json!({"input_tokens": 5, "output_tokens": 5}))), None);
        assert_eq!(kind.totals(&row(&json!({"num_model_requests": 5}))), None);
        assert_eq!(
            kind.totals(&row(&json!({"num_model_requests": 0, "input_tokens": 0}))),
            None
        );
        assert_eq!(
            kind.totals(&row(&json!({"num_model_requests": 2, "input_tokens": 7}))),
            Some((2, 7))
        );
    }

    proptest! {
        #[test]
        fn a_group_is_found_again_in_its_text(key in "\\PC{0,90}", model in "\\PC{0,90}") {
            let group = Group::of(&row(&json!({"api_key_id": key, "model": model})));
            prop_assert!(group.to_text().len() <= 512);
            prop_assert_eq!(Group::from_text(&group.to_text()), Some(group));
        }
    }
}
