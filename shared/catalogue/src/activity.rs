//! One record of a known call, and the activity that it is.

use std::borrow::Cow;

use serde_json::Value;
use tripmeter_model::{
    Activity, Digest, Identity, Kind, Origin, Outcome, PolicyEffect, Record, Service, Session, Target, UserIdentity,
    bounded, digest64,
};

use crate::call::{About, Call, Ours};
use crate::parameters::{Parameters, text_of};
use crate::ruling::Ruling;
use crate::{Scope, principal, quantity, target};

/// The longest event id or region that is kept, in bytes.
const MAX_NAME: usize = 64;

/// What somebody did, by a record of this call.
pub(crate) fn of(record: &Record<'_>, call: &Call, scope: &Scope) -> Activity {
    let parameters = if call.needs_parameters() {
        request(record)
    } else {
        Parameters::default()
    };
    let denied = record.error_message.as_deref().and_then(target::denied_resource);
    let ours = names_ours(record, call, &parameters, denied, scope);
    let user = record.user_identity.map(UserIdentity::parse).unwrap_or_default();
    let account = account(record, &user);
    let ruling = Ruling::of(call, &parameters, ours);
    let ruling = match ruling.effect {
        Some(PolicyEffect::PolicyOpened) => ruling.admitting(principal::admitted(&parameters, &account)),
        _ => ruling,
    };
    let bearer = has_bearer_token(record, call.service);
    let identity = Identity::of(&user, bearer, &stranger(record));
    let region = bounded(record.region.as_deref().unwrap_or_default(), MAX_NAME);

    let place = principal::Place {
        account: &account,
        region: &region,
        caller: &identity,
    };
    let principal = principal::of(call.target, &parameters, record.response_elements, denied, &place);
    let ruling = match &principal {
        // Nothing in the account limits root.
        Some(id) if ruling.kind == Kind::CredentialIssue && id.ends_with(":root") => ruling.grave(),
        _ => ruling,
    };
    let quantity = quantity::of(call.quantity, &parameters);
    let target = target::of(call.target, &parameters)
        .or_else(|| target::of_text(call.target, denied?))
        .or_else(|| Some(Target::Country(target::code_text(quantity.country?))))
        .or_else(|| principal.clone().map(Target::Principal));

    let mut links: Vec<String> = principal.filter(|_| is_linked(call, &ruling)).into_iter().collect();
    if ruling.effect == Some(PolicyEffect::PolicyOpened) {
        links.extend(principal::let_in(&parameters));
    }

    Activity {
        time: record.event_time,
        event_id: record.event_id.as_deref().map(|id| bounded(id, MAX_NAME)),
        service: call.service,
        call: call.name.to_owned(),
        kind: ruling.kind,
        outcome: outcome(record, call),
        session: Session::of(&user, bearer),
        origin: Origin::of(record),
        target,
        quantity,
        effect: ruling.effect,
        routine: ruling.routine,
        grave: ruling.grave,
        links,
        issued: (ruling.kind == Kind::CredentialIssue)
            .then(|| principal::issued(record.response_elements))
            .flatten(),
        shape: shape(call, &parameters, &ruling),
        why: match ruling.kind {
            Kind::Use => String::new(),
            _ => call.why.to_owned(),
        },
        account,
        region,
        identity,
    }
}

/// The request, or what AWS says of an event that no request caused.
fn request(record: &Record<'_>) -> Parameters {
    let request = Parameters::read(record.request_parameters);
    if request.known() || record.service_event_details.is_none() {
        return request;
    }
    Parameters::read(record.service_event_details)
}

/// Whether the request, the answer or the denial names a resource of this detector where the row says to look.
fn names_ours(record: &Record<'_>, call: &Call, parameters: &Parameters, denied: Option<&str>, scope: &Scope) -> bool {
    let (Ours::Only(paths) | Ours::Too(paths)) = call.ours else {
        return false;
    };
    let named_in = |parameters: &Parameters| {
        paths
            .iter()
            .flat_map(|path| parameters.all(path))
            .filter_map(text_of)
            .any(|text| scope.names(&text))
    };
    named_in(parameters)
        || denied.is_some_and(|arn| scope.names(arn))
        // Some requests name a resource by an id of no meaning; the answer has its ARN.
        || record
            .response_elements
            .is_some_and(|answer| scope.names(answer) && named_in(&Parameters::read(Some(answer))))
}

/// Bedrock marks calls by API key in `additionalEventData`, its mantle in `requestParameters`. Callers write neither.
fn has_bearer_token(record: &Record<'_>, service: Service) -> bool {
    const FLAG: &str = "callWithBearerToken";
    let takes_tokens = matches!(
        service,
        Service::Bedrock | Service::AgentCore | Service::BedrockMantle | Service::ClaudePlatform
    );
    takes_tokens
        && [record.additional_event_data, record.request_parameters]
            .into_iter()
            .flatten()
            .any(|json| json.contains(FLAG) && Parameters::read(Some(json)).is_true(FLAG))
}

/// What tells the record apart when nothing in it tells the caller apart.
fn stranger<'r>(record: &'r Record<'_>) -> Cow<'r, str> {
    if let Some(id) = record.event_id.as_deref().or(record.request_id.as_deref()) {
        return Cow::Borrowed(id);
    }
    let Digest(digest) = digest64(&[
        &record.event_time.seconds().to_string(),
        record.source_ip.as_deref().unwrap_or_default(),
        record.user_agent.as_deref().unwrap_or_default(),
        &record.event_source,
        &record.event_name,
    ]);
    Cow::Owned(format!("{digest:016x}"))
}

/// The account whose service it was: twelve digits, or empty.
fn account(record: &Record<'_>, user: &UserIdentity) -> String {
    let is_account = |text: &&str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    record
        .recipient_account
        .as_deref()
        .filter(is_account)
        .or(user.account_id.as_deref().filter(is_account))
        .unwrap_or_default()
        .to_owned()
}

/// How the call ended. A sign-in says so in its answer alone.
fn outcome(record: &Record<'_>, call: &Call) -> Outcome {
    let code = [&record.error_code, &record.error_message]
        .into_iter()
        .find_map(|text| text.as_deref().filter(|t| !t.trim().is_empty()));
    let failed_sign_in = call.service == Service::Signin
        && record
            .response_elements
            .is_some_and(|answer| answer.contains("Failure") && sign_in_failed(answer));
    if failed_sign_in {
        Outcome::Denied
    } else {
        Outcome::of(code)
    }
}

fn sign_in_failed(answer: &str) -> bool {
    serde_json::from_str::<Value>(answer)
        .ok()
        .and_then(|answer| Some(answer.as_object()?.values().any(|result| result == "Failure")))
        .unwrap_or_default()
}

/// A principal is linked by what was granted to it or made of it, never by what a responder takes away.
fn is_linked(call: &Call, ruling: &Ruling) -> bool {
    let becomes = matches!(
        call.target,
        About::BecomesRole(_) | About::BecomesFederatedUser(_) | About::BecomesRoot(_)
    );
    becomes || ruling.kind != Kind::Context
}

/// What makes tomorrow's call the same habit: service, call, the names of its parameters and the value that
/// decided; not the outcome, the region or an id.
fn shape(call: &Call, parameters: &Parameters, ruling: &Ruling) -> Digest {
    let mut parts = vec![call.service.name(), call.name, &ruling.value];
    if call.has_habit() {
        parts.extend(parameters.names());
    }
    digest64(&parts)
}
