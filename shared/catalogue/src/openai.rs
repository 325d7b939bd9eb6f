//! An event of an OpenAI organisation's audit log, and the activity that it is.
//!
//! <https://platform.openai.com/docs/api-reference/audit-logs>

use std::collections::HashMap;
use std::sync::LazyLock;

use tripmeter_model::{
    Activity, Client, Identity, IdentityKind, Kind, Network, Origin, Outcome, Quantity, Service, Session, Source,
    Target, Timestamp, bounded, digest64,
};

use crate::call::Call;
use crate::parameters::Parameters;
use crate::ruling::Ruling;
use crate::{services, target};

/// The longest id that is kept, in bytes.
const MAX_ID: usize = 64;

/// What became of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// An event that the catalogue has.
    Known(Box<Activity>),
    /// An event of a type that nobody knew when this was written: context, and counted.
    Unknown(Box<Activity>),
    /// No event: it has no id, no type or no time.
    Unreadable,
}

/// Every row about OpenAI: audit events, differences of limits, kinds of usage. None of them is in
/// [`calls`](crate::calls): no CloudTrail record is theirs.
pub fn calls() -> impl Iterator<Item = &'static Call> {
    services::OPENAI.iter()
}

static BY_NAME: LazyLock<HashMap<&'static str, &'static Call>> =
    LazyLock::new(|| calls().map(|call| (call.name, call)).collect());

/// The row of a name.
pub fn call(name: &str) -> Option<&'static Call> {
    BY_NAME.get(name).copied()
}

/// What an audit event of an organisation means: `event` is its JSON. Nothing in it makes this fail.
///
/// ```
/// use tripmeter_catalogue::openai::{Heard, audit_event};
/// use tripmeter_model::Kind;
///
/// let event = r#"{"id":"audit_log-1","type":"scim.disabled","effective_at":1772532000}"#;
/// let Heard::Known(activity) = audit_event(event, "org-abc") else { panic!() };
/// assert_eq!(activity.kind, Kind::GuardrailRemoval);
/// ```
pub fn audit_event(event: &str, organisation: &str) -> Heard {
    let event = Parameters::read(Some(event));
    let (Some(id), Some(kind), Some(at)) = (event.text("id"), event.text("type"), event.number("effective_at")) else {
        return Heard::Unreadable;
    };
    let actor = Actor::of(&event);
    let blank = Activity {
        time: Timestamp::from_seconds(at as i64),
        event_id: Some(bounded(&id, MAX_ID)),
        account: bounded(organisation, MAX_ID),
        region: String::new(),
        service: Service::OpenAi,
        call: bounded(&kind, MAX_ID),
        kind: Kind::Context,
        outcome: Outcome::Success,
        identity: actor.identity,
        session: Session {
            name: event.text("project.id").map(|project| bounded(&project, MAX_ID)),
            source_identity: actor.person,
            ..Session::default()
        },
        origin: origin(actor.address.as_deref()),
        target: None,
        quantity: Quantity::ONE,
        effect: None,
        routine: false,
        grave: false,
        links: actor.links,
        issued: None,
        shape: digest64(&[Service::OpenAi.name(), &kind]),
        why: "an event that the catalogue does not have".to_owned(),
    };
    match call(&kind) {
        Some(call) => Heard::Known(Box::new(known(blank, call, &event))),
        None => Heard::Unknown(Box::new(blank)),
    }
}

/// The event as its row reads it. Its payload lies under the name of its type.
fn known(blank: Activity, call: &Call, event: &Parameters) -> Activity {
    let payload = event.below(call.name);
    let ruling = Ruling::of(call, &payload, false);
    let mut links = blank.links;
    let mut issued = None;
    if ruling.kind == Kind::CredentialIssue {
        let granted = granted(call.name, &payload);
        issued = granted.as_ref().and_then(|id| Some(id.split_once(':')?.1.to_owned()));
        links.extend(granted);
    }
    Activity {
        kind: ruling.kind,
        outcome: if call.name == "login.failed" {
            Outcome::Denied
        } else {
            Outcome::Success
        },
        target: target::of(call.target, &payload).or_else(|| Some(Target::Resource(blank.session.name.clone()?))),
        effect: ruling.effect,
        routine: ruling.routine,
        grave: ruling.grave,
        links,
        issued,
        shape: digest64(&[Service::OpenAi.name(), call.name, &ruling.value]),
        why: call.why.to_owned(),
        ..blank
    }
}

/// The durable id of the principal that was made or given something.
fn granted(name: &str, payload: &Parameters) -> Option<String> {
    let of = |kind: IdentityKind, path: &str| Some(identity(kind, &payload.text(path)?).id);
    match name {
        "api_key.created" | "api_key.updated" => of(IdentityKind::OpenAiKey, "id"),
        "service_account.created" | "service_account.updated" => of(IdentityKind::OpenAiServiceAccount, "id"),
        "user.added" | "user.updated" => of(IdentityKind::OpenAiUser, "id"),
        "role.assignment.created" => match payload.text("principal_type")?.as_ref() {
            "service_account" => of(IdentityKind::OpenAiServiceAccount, "principal_id"),
            "user" => of(IdentityKind::OpenAiUser, "principal_id"),
            _ => None,
        },
        _ => None,
    }
}

/// The identity of an OpenAI principal, by the id that OpenAI gives it.
///
/// ```
/// use tripmeter_catalogue::openai::identity;
/// use tripmeter_model::IdentityKind;
/// assert_eq!(identity(IdentityKind::OpenAiKey, "key_abc").id, "key:key_abc");
/// ```
pub fn identity(kind: IdentityKind, id: &str) -> Identity {
    let word = match kind {
        IdentityKind::OpenAiKey => "key",
        IdentityKind::OpenAiServiceAccount => "service-account",
        IdentityKind::OpenAiUser => "user",
        _ => "openai",
    };
    Identity {
        kind,
        id: format!("{word}:{}", bounded(id, 128)),
    }
}

/// An address, where the source has one. OpenAI says nothing of the client.
pub fn origin(address: Option<&str>) -> Origin {
    let source = address.map_or(Source::Hidden, Source::parse);
    Origin {
        network: Network::of(&source, None),
        client: Client::of(None),
        source,
    }
}

/// Who did it, as the event has it.
struct Actor {
    identity: Identity,
    /// Whose the key is.
    links: Vec<String>,
    /// The mail address, which follows a person through keys and sessions.
    person: Option<String>,
    address: Option<String>,
}

impl Actor {
    /// An event without an actor is OpenAI's own, or of a time before the actor was known: all of them are one.
    fn of(event: &Parameters) -> Self {
        let text = |path: &str| event.text(path).map(|text| bounded(&text, 256));
        let named = |kind, path: &str| Some(identity(kind, &event.text(path)?));
        let owner = || {
            named(IdentityKind::OpenAiServiceAccount, "actor.api_key.service_account.id")
                .or_else(|| named(IdentityKind::OpenAiUser, "actor.api_key.user.id"))
        };
        let key = named(IdentityKind::OpenAiKey, "actor.api_key.id");
        let links = key.is_some().then(owner).flatten().map(|owner| owner.id);
        let identity = key
            .or_else(owner)
            .or_else(|| named(IdentityKind::OpenAiUser, "actor.session.user.id"))
            .or_else(|| named(IdentityKind::OpenAiUser, "actor.session.user.email"))
            .unwrap_or_else(|| Identity {
                kind: IdentityKind::Stranger,
                id: format!(
                    "stranger:{}",
                    text("actor.session.ip_address").unwrap_or_else(|| "openai".to_owned())
                ),
            });
        Self {
            identity,
            links: links.into_iter().collect(),
            person: text("actor.session.user.email").or_else(|| text("actor.api_key.user.email")),
            address: text("actor.session.ip_address"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tripmeter_model::{PolicyEffect, Stage};

    use super::*;

    fn event(kind: &str, payload: Value) -> Activity {
        let mut event = json!({
            "id": "audit_log-1", "type": kind, "effective_at": 1_772_532_000,
            "project": {"id": "proj_1", "name": "chat"},
            "actor": {"type": "session", "session": {
                "user": {"id": "user-1", "email": "owner@example.com"}, "ip_address": "203.0.113.9"}},
        });
        event[kind] = payload;
        match audit_event(&event.to_string(), "org-1") {
            Heard::Known(activity) => *activity,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_key_with_every_scope_is_grave_and_linked_to_who_made_it() {
        let every = event(
            "api_key.created",
            json!({"id": "key_1", "data": {"scopes": ["api.all"]}}),
        );
        let one = event(
            "api_key.created",
            json!({"id": "key_1", "data": {"scopes": ["api.model.request"]}}),
        );
        let unsaid = event("api_key.created", json!({"id": "key_1"}));

        assert_eq!(
            (every.kind, every.grave, one.grave, unsaid.grave),
            (Kind::CredentialIssue, true, false, true)
        );
        assert_eq!(
            (every.links, every.issued),
            (vec!["key:key_1".to_owned()], Some("key_1".to_owned()))
        );
        assert_eq!(
            (every.identity.id.as_str(), every.origin.network.0.as_str()),
            ("user:user-1", "203.0.113.0/24")
        );
    }

    #[test]
    fn the_kind_follows_the_value() {
        let kind = |name: &str, payload| event(name, payload).kind;
        let limit = |n: u64| json!({"id": "rl-1", "changes_requested": {"max_requests_per_1_minute": n}});
        assert_eq!(kind("rate_limit.updated", limit(10_000)), Kind::PolicyChange);
        assert_eq!(kind("rate_limit.updated", limit(0)), Kind::Context);
        let logging = |value: &str| json!({"id": "org-1", "changes_requested": {"api_call_logging": value}});
        assert_eq!(
            kind("organization.updated", logging("disabled")),
            Kind::GuardrailRemoval
        );
        assert_eq!(
            kind("organization.updated", logging("enabled_for_all_projects")),
            Kind::Context
        );
        assert_eq!(
            kind("organization.updated", json!({"changes_requested": {"name": "x"}})),
            Kind::Context
        );
        assert_eq!(
            kind("ip_allowlist.updated", json!({"allowed_ips": ["198.51.100.0/24"]})),
            Kind::PolicyChange
        );
        assert_eq!(
            kind(
                "organization.updated",
                json!({"changes_requested": {"api_call_logging_project_ids": ["p"]}})
            ),
            Kind::GuardrailRemoval
        );
        for open in [
            json!(["0.0.0.0/0"]),
            json!(["0.0.0.0/1", "128.0.0.0/1"]),
            json!(["::/0"]),
            json!([]),
        ] {
            assert_eq!(
                kind("ip_allowlist.updated", json!({"allowed_ips": open})),
                Kind::GuardrailRemoval,
                "{open}"
            );
        }
    }

    #[test]
    fn an_owner_is_grave_and_a_member_routine() {
        let invited = |role: &str| {
            event(
                "invite.sent",
                json!({"id": "i", "data": {"email": "a@example.com", "role": role}}),
            )
        };
        assert!(invited("owner").grave && !invited("owner").routine);
        assert!(invited("reader").routine && !invited("reader").grave);
        let made = |permission: &str| event("role.created", json!({"id": "role-1", "permissions": [permission]}));
        assert!(made("api.organization.all").grave && made("api.model.request").routine);
        let role = json!({"id": "role-api-organization-owner", "principal_id": "user-2", "principal_type": "user"});
        let assigned = event("role.assignment.created", role);
        assert!(assigned.grave);
        assert_eq!(assigned.links, ["user:user-2"]);
    }

    #[test]
    fn a_sign_in_that_failed_is_refused_use_and_spends_nothing() {
        let failed = event("login.failed", json!({"error_code": "invalid_password"}));
        assert_eq!((failed.stage(), failed.is_spend()), (Some(Stage::DeniedUse), false));
    }

    #[test]
    fn a_key_acts_for_its_owner() {
        let event = json!({"id": "a", "type": "rate_limit.deleted", "effective_at": 1, "actor": {"type": "api_key",
            "api_key": {"id": "key_9", "type": "service_account", "service_account": {"id": "svc_acct_1"}}}});
        let Heard::Known(activity) = audit_event(&event.to_string(), "org-1") else {
            panic!()
        };
        assert_eq!(activity.identity.id, "key:key_9");
        assert_eq!(activity.links, ["service-account:svc_acct_1"]);
        assert_eq!(activity.effect, Some(PolicyEffect::LimitRaised));
    }

    #[test]
    fn an_unknown_type_is_context_and_what_is_no_event_is_said_to_be_none() {
        let tomorrow = r#"{"id":"a","type":"agent.created","effective_at":1,"agent.created":[1],"actor":null}"#;
        assert!(matches!(audit_event(tomorrow, "org-1"), Heard::Unknown(a) if a.kind == Kind::Context));
        for broken in [
            "",
            "null",
            "[]",
            "{}",
            r#"{"id":"a","type":"x"}"#,
            r#"{"id":{},"type":"x","effective_at":1}"#,
        ] {
            assert_eq!(audit_event(broken, "org-1"), Heard::Unreadable, "{broken}");
        }
    }

    /// Admin or owner role assigned, keys with broad scopes, allow-lists and SCIM switched off, spend limits deleted,
    /// failed sign-ins: what open rule sets have of OpenAI.
    #[test]
    fn what_other_rule_sets_watch_opens_here() {
        let all = json!({"id": "key_1", "data": {"scopes": ["all"]}, "changes_requested": {"scopes": ["api.all"]}});
        let owner = json!({"id": "role-api-organization-owner", "principal_id": "user-2", "principal_type": "user",
            "data": {"role": "owner"}, "changes_requested": {"role": "owner"}});
        let none = json!({"id": "x"});
        for (name, payload, stage, grave) in [
            ("role.assignment.created", &owner, Stage::Credential, true),
            ("user.updated", &owner, Stage::Credential, true),
            ("invite.sent", &owner, Stage::Credential, true),
            ("service_account.created", &owner, Stage::Credential, true),
            ("api_key.created", &all, Stage::Credential, true),
            ("api_key.updated", &all, Stage::Credential, true),
            ("tenant.admin_api_key.created", &none, Stage::Credential, true),
            ("ip_allowlist.deleted", &none, Stage::GuardrailRemoval, false),
            ("ip_allowlist.config.deactivated", &none, Stage::GuardrailRemoval, true),
            ("scim.disabled", &none, Stage::GuardrailRemoval, false),
            ("rate_limit.deleted", &none, Stage::PolicyChange, false),
            ("login.failed", &none, Stage::DeniedUse, false),
        ] {
            let heard = event(name, payload.clone());
            assert_eq!((heard.stage(), heard.grave), (Some(stage), grave), "{name}");
        }
        assert_eq!(
            call("spend_limit.removed").map(|row| row.kind),
            Some(Kind::PolicyChange)
        );
        assert_eq!(call("login.succeeded").map(|row| row.kind), Some(Kind::Context));
    }

    #[test]
    fn no_row_is_there_twice_and_every_one_says_why() {
        let mut names: Vec<&str> = calls().map(|call| call.name).collect();
        names.sort_unstable();
        let rows = names.len();
        names.dedup();
        assert_eq!(names.len(), rows);
        assert!(calls().all(|call| !call.why.is_empty() && call.effect.is_some() == (call.kind == Kind::PolicyChange)));
    }
}
