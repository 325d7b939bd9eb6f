//! One file per watched service: which call means what, and its quantity.
//!
//! [`classify`] makes an [`Activity`] of a [`Record`]. What it knows is in the tables under `services/`, one row a
//! call, written so that somebody who knows the service can check them against the AWS API reference. The kind of a
//! call follows its values where they decide: a key set to inactive is a responder at work.
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

mod activity;
mod call;
pub mod dial_prefixes;
pub mod openai;
mod parameters;
pub mod patterns;
mod policy_document;
mod principal;
mod quantity;
mod ruling;
mod services;
pub mod signals;
mod target;
#[cfg(test)]
mod testing;

use std::collections::HashMap;
use std::sync::LazyLock;

use tripmeter_model::{Activity, Record, Service};

pub use crate::call::{About, Call, Measure, Ours, Rule};

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
    /// The CloudFormation stack that it is: names that CloudFormation generates for its resources are the stack's
    /// name, a hyphen and the resource's logical id, which begins with a capital letter.
    pub stack: Option<String>,
}

impl Default for Scope {
    fn default() -> Self {
        Self {
            detector_names: vec!["tripmeter".to_owned()],
            stack: None,
        }
    }
}

impl Scope {
    fn names(&self, text: &str) -> bool {
        if self.stack.as_deref().is_some_and(|stack| is_of_stack(text, stack)) {
            return true;
        }
        let text = text.to_ascii_lowercase();
        self.detector_names
            .iter()
            .any(|name| !name.is_empty() && text.contains(&name.to_ascii_lowercase()))
    }
}

/// Whether a name, or the last part of an ARN or URL, is one that CloudFormation generated for a stack's resource.
fn is_of_stack(text: &str, stack: &str) -> bool {
    let generated = |name: &str| {
        let rest = name.strip_prefix(stack).and_then(|rest| rest.strip_prefix('-'));
        rest.is_some_and(|id| id.starts_with(|first: char| first.is_ascii_uppercase()))
    };
    !stack.is_empty() && text.split([':', '/']).any(generated)
}

/// Every call that is watched in CloudTrail, by service. What is watched at OpenAI is in [`openai::calls`].
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
        Some(call) => Classified::Activity(Box::new(activity::of(record, call, scope))),
        None => Classified::Unknown(service),
    }
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

#[cfg(test)]
mod tests {
    use super::is_of_stack;

    #[test]
    fn a_stacks_resources_are_told_from_others_that_begin_alike() {
        for ours in [
            "prod-UsageFunction-1A2B3C",
            "arn:aws:lambda:eu-west-1:111122223333:function:prod-UsageFunction-1A2B3C",
            "https://sqs.eu-west-1.amazonaws.com/111122223333/prod-UsageQueue-1A2B3C",
        ] {
            assert!(is_of_stack(ours, "prod"), "{ours}");
        }
        for other in [
            "prod-database",
            "my-prod-UsageFunction-1A",
            "prod",
            "production-UsageFunction-1A",
            "prod-",
        ] {
            assert!(!is_of_stack(other, "prod"), "{other}");
        }
    }
}
