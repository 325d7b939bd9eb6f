//! What shows it: calls, sessions, addresses, event ids, and the things that a SIEM searches for.

use serde_json::{Map, Value, json};
use tripmeter_model::{ContextSeen, Finding, Identity, IdentityKind, Outcome, Service, Session, bounded};

use super::{MAX_LINKED, MAX_LISTED, account, identity_kind, millis, place, provider};
use crate::words::{self, clean, clean_id};

/// OCSF's ids of observable types.
mod observable {
    pub(super) const IP_ADDRESS: (u32, &str) = (2, "IP Address");
    pub(super) const RESOURCE_UID: (u32, &str) = (10, "Resource UID");
    pub(super) const CREDENTIAL: (u32, &str) = (19, "User Credential ID");
    pub(super) const USER_UID: (u32, &str) = (31, "User Object: uid");
    pub(super) const ACCOUNT_UID: (u32, &str) = (35, "Account Object: uid");
}

/// Sessions repeat the identity, which can be long.
const MAX_SESSIONS: usize = 5;

/// Event ids are what an investigation begins with, and short.
const MAX_EVENT_IDS: usize = 100;

/// The longest event id, in bytes.
const EVENT_ID_BYTES: usize = 64;

/// The call that makes most of the finding.
pub(super) fn main_api(finding: &Finding) -> Option<Value> {
    let call = finding.evidence.calls.iter().max_by_key(|call| call.count)?;
    Some(api(&call.value, finding.finding_type.service))
}

/// Calls, then sessions (or the identity alone), then addresses, then the event ids.
pub(super) fn evidences(finding: &Finding) -> Value {
    let seen = &finding.evidence;
    let user = user(&finding.identity, finding);
    let mut evidences: Vec<Value> = Vec::new();
    for call in seen.calls.iter().take(MAX_LISTED) {
        evidences.push(json!({
            "name": "call",
            "api": api(&call.value, finding.finding_type.service),
            "data": { "count": call.count, "new": call.new },
        }));
    }
    for session in seen.sessions.iter().take(MAX_SESSIONS) {
        evidences.push(json!({ "name": "session", "actor": actor(session, &user, &finding.identity) }));
    }
    if seen.sessions.is_empty() {
        evidences.push(json!({ "name": "identity", "actor": { "user": user } }));
    }
    for address in seen.addresses.iter().take(MAX_LISTED) {
        evidences.push(json!({ "name": "address", "src_endpoint": { "ip": clean(address) } }));
    }
    if !seen.event_ids.is_empty() {
        let ids: Vec<String> = event_ids(finding).collect();
        evidences.push(json!({ "name": "CloudTrail event ids", "data": { "event_ids": ids } }));
    }
    evidences.into()
}

fn event_ids(finding: &Finding) -> impl Iterator<Item = String> {
    let ids = finding.evidence.event_ids.iter().take(MAX_EVENT_IDS);
    ids.map(|id| bounded(id, EVENT_ID_BYTES))
}

fn api(call: &str, service: Service) -> Value {
    json!({
        "operation": clean(call),
        "service": { "name": service.event_source(), "uid": service.name() },
    })
}

fn user(identity: &Identity, finding: &Finding) -> Value {
    json!({
        "uid": clean_id(&identity.id),
        "name": clean(&identity.short_name()),
        "type": identity_kind(identity.kind),
        "type_id": match identity.kind {
            IdentityKind::Root => 2,
            IdentityKind::IamUser | IdentityKind::SsoRole | IdentityKind::IdentityCenterUser => 1,
            IdentityKind::AwsService | IdentityKind::ServiceLinkedRole => 4,
            IdentityKind::Stranger => 0,
            _ => 99,
        },
        "account": account(finding),
    })
}

fn actor(session: &Session, user: &Value, identity: &Identity) -> Value {
    let mut about = Map::new();
    if let Some(name) = &session.name {
        about.insert("uid".into(), clean(name).into());
    }
    if let Some(key) = &session.access_key {
        about.insert("credential_uid".into(), clean(key).into());
    }
    if let Some(source) = &session.source_identity {
        about.insert("uid_alt".into(), clean(source).into());
    }
    if let Some(mfa) = session.mfa {
        about.insert("is_mfa".into(), mfa.into());
    }
    if matches!(
        identity.kind,
        IdentityKind::Role | IdentityKind::SsoRole | IdentityKind::ServiceLinkedRole
    ) {
        let role = identity.id.split('#').next().unwrap_or_default();
        about.insert("issuer".into(), clean_id(role).into());
    }
    let mut actor = json!({ "user": user, "session": about });
    if let (Some(actor), Some(service)) = (actor.as_object_mut(), &session.invoked_by) {
        actor.insert("invoked_by".into(), clean(service).into());
    }
    actor
}

/// The identity that acts, the service and the things that it is used on, and identities that are tied to it.
pub(super) fn resources(finding: &Finding) -> Value {
    let service = finding.finding_type.service;
    let mut resources = vec![
        resource(
            &finding.identity.id,
            &finding.identity.short_name(),
            identity_kind(finding.identity.kind),
            ACTOR,
        ),
        resource(service.event_source(), words::service(service), "AWS service", TARGET),
    ];
    for target in finding.evidence.targets.iter().take(MAX_LISTED) {
        resources.push(resource(
            &target.value,
            &target.value,
            words::targets(service).0,
            AFFECTED,
        ));
    }
    for id in finding.linked.iter().take(MAX_LINKED) {
        resources.push(resource(id, id, "tied identity", RELATED));
    }
    for resource in &mut resources {
        if let Some(resource) = resource.as_object_mut() {
            resource.insert("provider".into(), provider(finding).into());
            place(finding, resource);
        }
    }
    resources.into()
}

/// OCSF's roles of a resource in a finding.
const TARGET: (u32, &str) = (1, "Target");
const ACTOR: (u32, &str) = (2, "Actor");
const AFFECTED: (u32, &str) = (3, "Affected");
const RELATED: (u32, &str) = (4, "Related");

fn resource(uid: &str, name: &str, kind: &str, (role_id, role): (u32, &str)) -> Value {
    json!({ "uid": clean_id(uid), "name": clean(name), "type": kind, "role_id": role_id, "role": role })
}

/// What a SIEM looks up elsewhere.
pub(super) fn observables(finding: &Finding) -> Value {
    let seen = &finding.evidence;
    let one = |name: &str, (type_id, kind): (u32, &str), value: &str| json!({ "name": name, "type_id": type_id, "type": kind, "value": clean(value) });
    let mut observables = vec![
        one("cloud.account.uid", observable::ACCOUNT_UID, &finding.account),
        one("resources.uid", observable::RESOURCE_UID, &finding.identity.id),
        one("evidences.actor.user.uid", observable::USER_UID, &finding.identity.id),
    ];
    for address in seen.addresses.iter().take(MAX_LISTED) {
        observables.push(one("evidences.src_endpoint.ip", observable::IP_ADDRESS, address));
    }
    let keys = seen.sessions.iter().filter_map(|session| session.access_key.as_deref());
    for key in keys.filter(|key| !key.is_empty()).take(MAX_LISTED) {
        observables.push(one(
            "evidences.actor.session.credential_uid",
            observable::CREDENTIAL,
            key,
        ));
    }
    observables.into()
}

/// Openings that are in a record of their own.
pub(super) fn related_events(finding: &Finding) -> Vec<Value> {
    let openings = finding.evidence.openings.iter().take(MAX_LISTED);
    openings
        .filter_map(|opening| {
            let outcome = match opening.outcome {
                Outcome::Success => "Success",
                Outcome::Denied => "Denied",
                Outcome::Throttled => "Throttled",
                Outcome::Failed => "Failed",
            };
            Some(json!({
                "uid": bounded(opening.event_id.as_deref()?, EVENT_ID_BYTES),
                "title": format!("{} on {}", clean(&opening.call), words::service(opening.service)),
                "desc": format!("{} {}", clean(&opening.identity.id), words::stage(opening.stage)),
                "type": "AWS CloudTrail record",
                "status": outcome,
                "first_seen_time": millis(opening.time),
            }))
        })
        .collect()
}

/// Every context of the episode, with what is new.
pub(super) fn contexts(finding: &Finding) -> Value {
    let seen = &finding.evidence;
    json!({
        "regions": listed(&seen.regions),
        "networks": listed(&seen.networks),
        "clients": listed(&seen.clients),
        "targets": listed(&seen.targets),
    })
}

pub(super) fn listed(seen: &[ContextSeen]) -> Value {
    seen.iter()
        .take(MAX_LISTED)
        .map(|one| json!({ "value": clean(&one.value), "new": one.new, "count": one.count }))
        .collect()
}
