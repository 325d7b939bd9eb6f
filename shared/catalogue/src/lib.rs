//! One file per watched service: which call means what, and its quantity.
//!
//! [`classify`] makes an [`Activity`] of a [`Record`]. What it knows is in the tables under `services/`, one row a
//! call, written so that somebody who knows the service can check them against the AWS API reference. The kind of a call
//! follows its values where they decide: a key set to inactive is a responder at work.
//!
//! ```
//! use tripmeter_catalogue::{Classified, Scope, classify};
//! use tripmeter_model::{Kind, Record};
//!
//! let record = Record {
//!     event_source: "ses.amazonaws.com".into(),
//!     event_name: "UpdateAccountSendingEnabled".into(),
//!     request_parameters: Some(r#"{"enabled":true}"#),
//!     ..Record::default()
//! };
//! let Classified::Activity(activity) = classify(&record, &Scope::default()) else { panic!() };
//! assert_eq!(activity.kind, Kind::PolicyChange);
//! ```

mod call;
pub mod dial_prefixes;
mod parameters;
mod policy_document;
mod principal;
mod quantity;
mod ruling;
mod services;
mod target;
#[cfg(test)]
mod testing;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::Value;
use tripmeter_model::{
    Activity, Digest, Identity, Kind, Origin, Outcome, Record, Service, Session, Target, UserIdentity, bounded,
    digest64,
};

pub use crate::call::{About, Call, Measure, Ours, Rule};
use crate::parameters::Parameters;
use crate::ruling::Ruling;

/// The longest name of a call, an event id or a region that is kept, in bytes.
const MAX_NAME: usize = 64;

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Classified {
    /// Of a service that nobody watches.
    Unwatched,
    /// A call of a watched service that is not in the catalogue: counted, never an error.
    Unknown(Service),
    /// A call that is in the catalogue.
    Activity(Box<Activity>),
}

/// What is asked of the catalogue beyond the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Parts of names by which this detector's own resources are known, without regard to case.
    pub detector_names: Vec<String>,
}

impl Default for Scope {
    fn default() -> Self {
        Self {
            detector_names: vec!["tripmeter".to_owned()],
        }
    }
}

impl Scope {
    fn names(&self, text: &str) -> bool {
        let text = text.to_ascii_lowercase();
        self.detector_names
            .iter()
            .any(|name| !name.is_empty() && text.contains(&name.to_ascii_lowercase()))
    }
}

/// Every call that is watched, by service.
pub fn calls() -> impl Iterator<Item = &'static Call> {
    services::ALL.iter().copied().flatten()
}

static BY_NAME: LazyLock<HashMap<(Service, &'static str), &'static Call>> =
    LazyLock::new(|| calls().map(|call| ((call.service, call.name), call)).collect());

/// The service whose calls have this `eventSource`, if it is watched.
pub fn watches(event_source: &str) -> Option<Service> {
    services::by_event_source(event_source)
}

/// What a record means. Nothing in a record makes this fail.
pub fn classify(record: &Record<'_>, scope: &Scope) -> Classified {
    let Some(service) = watches(&record.event_source) else {
        return Classified::Unwatched;
    };
    let name = match service {
        Service::Lambda => without_api_date(&record.event_name),
        _ => &record.event_name,
    };
    let by_name: &HashMap<(Service, &str), &Call> = &BY_NAME;
    match by_name.get(&(service, name)) {
        Some(call) => Classified::Activity(Box::new(activity(record, call, scope))),
        None => Classified::Unknown(service),
    }
}

fn activity(record: &Record<'_>, call: &Call, scope: &Scope) -> Activity {
    let parameters = if call.needs_parameters() {
        parameters(record)
    } else {
        Parameters::default()
    };
    let denied = record.error_message.as_deref().and_then(target::denied_resource);
    let ours = names_ours(record, call, &parameters, denied, scope);
    let ruling = Ruling::of(call, &parameters, ours);

    let user = record.user_identity.map(UserIdentity::parse).unwrap_or_default();
    let bearer = has_bearer_token(record, call.service);
    let identity = Identity::of(&user, bearer, &stranger(record));
    let account = account(record, &user);
    let region = bounded(record.region.as_deref().unwrap_or_default(), MAX_NAME);

    let place = principal::Place {
        account: &account,
        region: &region,
        caller: &identity,
    };
    let principal = principal::of(call.target, &parameters, record.response_elements, denied, &place);
    let quantity = quantity::of(call.quantity, &parameters);
    let target = target::of(call.target, &parameters)
        .or_else(|| target::of_text(call.target, denied?))
        .or_else(|| Some(Target::Country(target::code_text(quantity.country?))))
        .or_else(|| principal.clone().map(Target::Principal));

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
        links: principal.filter(|_| links(call, &ruling)).into_iter().collect(),
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
fn parameters(record: &Record<'_>) -> Parameters {
    let request = Parameters::read(record.request_parameters);
    if request.known() || record.service_event_details.is_none() {
        return request;
    }
    Parameters::read(record.service_event_details)
}

/// Lambda's records carry the date of the API: `UpdateFunctionCode20150331v2`.
fn without_api_date(name: &str) -> &str {
    let undated = |name: &str| {
        let end = name.len().checked_sub(8)?;
        let (head, date) = name.split_at_checked(end)?;
        date.bytes().all(|b| b.is_ascii_digit()).then_some(head.len())
    };
    let unversioned = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let end = undated(name).or_else(|| undated(unversioned.strip_suffix('v')?));
    end.and_then(|end| name.get(..end)).unwrap_or(name)
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
            .filter_map(parameters::text_of)
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
fn links(call: &Call, ruling: &Ruling) -> bool {
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
