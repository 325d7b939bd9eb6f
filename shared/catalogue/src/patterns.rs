//! What EventBridge is asked for: the catalogue as event patterns, a rule for each service and class.
//!
//! A pattern pins `source` to the prefix `aws.`, which nobody but AWS may put on a bus, and the detail type, so that
//! nobody can forge a record; then the event source and the names. Parameters are left alone: a denied call has none.
//!
//! Read-only management events are on rules of their own: only the state
//! `ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS` hears them. Source: "Receiving events from AWS services via
//! CloudTrail" and "Amazon EventBridge quotas", Amazon EventBridge User Guide.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};
use tripmeter_model::{Kind, Service};

use crate::Call;

/// The most characters that a pattern may have, by quota.
pub const MAX_PATTERN: usize = 2_048;

/// Where a rule's events go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Route {
    /// Straight to the function: seconds matter.
    ControlPlane,
    /// To the queue, and from there in batches: counts matter.
    Usage,
    /// To the queue of what the account's meters say.
    Spend,
}

/// Which events of CloudTrail a rule hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// Management events that write, and data events.
    Enabled,
    /// Read-only management events, too.
    EnabledWithAllCloudtrailManagementEvents,
}

/// When a deployment has the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Wanted {
    /// Always.
    Always,
    /// In the commercial partition alone: the service is in no other.
    InCommercialRegions,
    /// When a person asks for it: every role that is assumed is much, and worth it where roles are passed on.
    WhenRolesAreRouted,
}

/// One rule.
#[derive(Clone, Debug, Serialize)]
pub struct EventRule {
    /// Its name within a template: the service, the class, and a number where one pattern is not enough.
    pub name: String,
    /// The service.
    pub service: Service,
    /// Where its events go.
    pub route: Route,
    /// Which events it hears.
    pub state: State,
    /// When a deployment has it.
    pub wanted: Wanted,
    /// Whether its events are use: as many as there are mails, messages or calls.
    pub is_use: bool,
    /// The event pattern.
    pub pattern: Value,
}

/// What one rule is for.
struct Class {
    suffix: &'static str,
    route: Route,
    state: State,
    holds: fn(&Call) -> bool,
}

const CLASSES: [Class; 5] = [
    Class {
        suffix: "Reads",
        route: Route::ControlPlane,
        state: State::EnabledWithAllCloudtrailManagementEvents,
        holds: |call| call.kind != Kind::Use && needs_all(call) && !is_role_assumed(call),
    },
    Class {
        suffix: "Roles",
        route: Route::ControlPlane,
        state: State::EnabledWithAllCloudtrailManagementEvents,
        holds: is_role_assumed,
    },
    Class {
        suffix: "Changes",
        route: Route::ControlPlane,
        state: State::Enabled,
        holds: |call| call.kind != Kind::Use && !needs_all(call),
    },
    Class {
        suffix: "ManagementUse",
        route: Route::Usage,
        state: State::EnabledWithAllCloudtrailManagementEvents,
        holds: |call| call.kind == Kind::Use && needs_all(call),
    },
    Class {
        suffix: "Use",
        route: Route::Usage,
        state: State::Enabled,
        holds: |call| call.kind == Kind::Use && !needs_all(call),
    },
];

/// A management event that is marked as read-only, or is named like one: an ordinary rule may not hear it, while a
/// rule that hears all management events misses nothing if the mark turns out to be another.
fn needs_all(call: &Call) -> bool {
    let named_like_a_read = ["Get", "List", "Describe"]
        .iter()
        .any(|verb| call.name.starts_with(verb));
    call.data_event.is_none() && (call.read_only || named_like_a_read)
}

/// Links who called to the role that it became.
fn is_role_assumed(call: &Call) -> bool {
    call.service == Service::Sts && call.read_only && call.name.starts_with("AssumeRole")
}

/// Whether EventBridge is asked for the call at all. Programs ask who they are all day: files show it, a rule would
/// cost more than it tells.
fn is_routed(call: &Call) -> bool {
    !(call.service == Service::Sts && call.name == "GetCallerIdentity")
}

/// Every rule for calls, in the order of the catalogue. Those for meters are [`crate::signals::rules`].
pub fn rules() -> Vec<EventRule> {
    Service::ALL
        .iter()
        .flat_map(|&service| CLASSES.iter().flat_map(move |class| of_class(service, class)))
        .collect()
}

fn of_class(service: Service, class: &Class) -> Vec<EventRule> {
    let calls: Vec<&Call> = crate::calls()
        .filter(|call| call.service == service && is_routed(call) && (class.holds)(call))
        .collect();
    let patterns = patterns(service, &calls);
    let wanted = match class.suffix {
        "Roles" => Wanted::WhenRolesAreRouted,
        _ => wanted(service),
    };
    let several = patterns.len() > 1;
    patterns
        .into_iter()
        .zip(1..)
        .map(|(pattern, n)| EventRule {
            name: name(service, class, several.then_some(n)),
            service,
            route: class.route,
            state: class.state,
            wanted,
            is_use: class.route == Route::Usage,
            pattern,
        })
        .collect()
}

fn name(service: Service, class: &Class, number: Option<u8>) -> String {
    let number = number.map(|n| n.to_string()).unwrap_or_default();
    format!("{}{}{number}", service.name(), class.suffix)
}

/// As few patterns as hold the calls, filled in the order of the catalogue.
fn patterns(service: Service, calls: &[&Call]) -> Vec<Value> {
    let mut patterns: Vec<Value> = Vec::new();
    let mut names: Vec<Value> = Vec::new();
    for call in calls {
        let before = names.len();
        names.extend(event_names(call));
        let grown = pattern(service, &names);
        if before > 0 && length(&grown) > MAX_PATTERN {
            let call_names = names.split_off(before);
            patterns.push(pattern(service, &names));
            names = call_names;
        }
    }
    if !names.is_empty() {
        patterns.push(pattern(service, &names));
    }
    patterns
}

fn pattern(service: Service, names: &[Value]) -> Value {
    json!({
        "source": [{ "prefix": "aws." }],
        "detail-type": detail_types(service),
        "detail": { "eventSource": event_sources(service), "eventName": names },
    })
}

/// How long a pattern is, in characters.
pub fn length(pattern: &Value) -> usize {
    pattern.to_string().chars().count()
}

/// Lambda's records carry the date of the API, whose year begins with 20: `UpdateFunctionCode20150331v2`.
fn event_names(call: &Call) -> Vec<Value> {
    match call.service {
        Service::Lambda => vec![json!(call.name), json!({ "prefix": format!("{}20", call.name) })],
        _ => vec![json!(call.name)],
    }
}

/// Every `eventSource` of a service.
fn event_sources(service: Service) -> Vec<&'static str> {
    match service {
        Service::AgentCore => vec![service.event_source(), "bedrock-agentcore-control.amazonaws.com"],
        _ => vec![service.event_source()],
    }
}

/// The detail types of a service's events. The sign-in page's has two spellings: the documentation's, and the one
/// that rules in use have.
fn detail_types(service: Service) -> &'static [&'static str] {
    match service {
        Service::Signin => &[
            "AWS Console Sign In via CloudTrail",
            "AWS Console Signin via CloudTrail",
            "AWS API Call via CloudTrail",
            "AWS Service Event via CloudTrail",
        ],
        // A quota that AWS grants is an event of the service.
        Service::ServiceQuotas => &["AWS API Call via CloudTrail", "AWS Service Event via CloudTrail"],
        // Some of it can be done in the console alone.
        Service::Billing => &["AWS API Call via CloudTrail", "AWS Console Action via CloudTrail"],
        _ => &["AWS API Call via CloudTrail"],
    }
}

/// The data events of the catalogue: which calls a trail has to record of which resource type. An event that several
/// types select is recorded once.
pub fn data_events() -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut names: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for call in crate::calls() {
        let Some(resource_type) = call.data_event else { continue };
        for resource_type in [resource_type].iter().chain(also_recorded_as(resource_type)) {
            names.entry(resource_type).or_default().push(call.name);
        }
    }
    names
}

/// Resource types that the same calls carry instead of the usual one: a text without an origination identity, a
/// stream on the model that it runs on, a message to a device, a tool or a model of one's own.
fn also_recorded_as(resource_type: &str) -> &'static [&'static str] {
    match resource_type {
        "AWS::SMSVoice::OriginationIdentity" => &["AWS::SMSVoice::Message"],
        "AWS::SNS::Topic" => &["AWS::SNS::PlatformEndpoint"],
        "AWS::Bedrock::AsyncInvoke" => &["AWS::Bedrock::Model"],
        "AWS::Bedrock::FlowAlias" => &["AWS::Bedrock::FlowExecution"],
        "AWS::BedrockMantle::Project" => &["AWS::BedrockMantle::CustomizedModel", "AWS::BedrockMantle::Reservation"],
        "AWS::BedrockAgentCore::Runtime" => &["AWS::BedrockAgentCore::RuntimeEndpoint"],
        "AWS::BedrockAgentCore::Browser" => &["AWS::BedrockAgentCore::BrowserCustom"],
        "AWS::BedrockAgentCore::CodeInterpreter" => &["AWS::BedrockAgentCore::CodeInterpreterCustom"],
        _ => &[],
    }
}

fn wanted(service: Service) -> Wanted {
    match service {
        Service::BedrockMantle | Service::ClaudePlatform | Service::FreeTier | Service::WorkMail => {
            Wanted::InCommercialRegions
        }
        _ => Wanted::Always,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(rule: &EventRule) -> Vec<String> {
        rule.pattern
            .pointer("/detail/eventName")
            .and_then(Value::as_array)
            .unwrap()
            .iter()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect()
    }

    #[test]
    fn every_call_but_one_is_on_exactly_one_rule() {
        for call in crate::calls() {
            let on = rules()
                .iter()
                .filter(|rule| rule.service == call.service && names(rule).contains(&call.name.to_owned()))
                .count();
            let wanted = usize::from(call.name != "GetCallerIdentity");
            assert_eq!(on, wanted, "{} {}", call.service, call.name);
        }
    }

    #[test]
    fn a_pattern_is_within_the_quota_and_as_full_as_it_can_be() {
        for rule in rules() {
            assert!(length(&rule.pattern) <= MAX_PATTERN, "{}", rule.name);
        }
        let mail = |class: &str| {
            let prefix = format!("SES{class}");
            rules().iter().filter(|rule| rule.name.starts_with(&prefix)).count()
        };
        assert_eq!((mail("Reads"), mail("Use")), (1, 1));
    }

    #[test]
    fn a_read_only_management_event_is_on_a_rule_that_hears_it() {
        for rule in rules() {
            let hears_all = rule.state == State::EnabledWithAllCloudtrailManagementEvents;
            for call in crate::calls().filter(|c| c.service == rule.service && names(&rule).contains(&c.name.into())) {
                assert_eq!(needs_all(call), hears_all, "{} {}", rule.name, call.name);
            }
        }
    }

    #[test]
    fn use_goes_to_the_queue_and_all_else_to_the_function() {
        for rule in rules() {
            for call in crate::calls().filter(|c| c.service == rule.service && names(&rule).contains(&c.name.into())) {
                assert_eq!(
                    call.kind == Kind::Use,
                    rule.route == Route::Usage,
                    "{} {}",
                    rule.name,
                    call.name
                );
            }
        }
    }

    #[test]
    fn an_event_source_of_a_pattern_is_one_that_the_catalogue_reads() {
        for rule in rules() {
            for source in event_sources(rule.service) {
                assert_eq!(crate::watches(source), Some(rule.service));
            }
        }
    }

    #[test]
    fn every_data_event_is_recorded() {
        let recorded = data_events();
        for call in crate::calls() {
            if let Some(resource_type) = call.data_event {
                assert!(recorded[resource_type].contains(&call.name), "{}", call.name);
            }
        }
        assert!(recorded["AWS::SMSVoice::Message"].contains(&"SendTextMessage"));
    }

    #[test]
    fn names_are_unique_and_fit_a_template() {
        let mut names: Vec<String> = rules().into_iter().map(|rule| rule.name).collect();
        assert!(names.iter().all(|name| name.chars().all(char::is_alphanumeric)));
        names.sort();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
