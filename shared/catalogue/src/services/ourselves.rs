//! The services that this detector is made of. Deployments make such calls all day: they are guardrail removals only
//! where they name a resource of this detector, or a log group that holds evidence. SNS and CloudWatch are in files of
//! their own.
//!
//! Source: the API references of these services.

use tripmeter_model::Service;

use crate::call::{About, Call, Rule, guard, service};
use crate::parameters::Parameters;
use crate::ruling::Ruling;

const RULE: About = About::Resource(&["name", "rule"]);
const FUNCTION: About = About::Resource(&["functionName", "functionArn"]);
const MAPPING: &[&str] = &["functionName", "functionArn", "eventSourceArn"];

#[rustfmt::skip] // one call a line
pub(crate) const EVENT_BRIDGE: &[Call] = &service(
    Service::EventBridge,
    &["events"],
    [
        guard("DisableRule", "records no longer reach this detector").about(RULE).grave().only_ours(&["name"]),
        guard("DeleteRule", "records no longer reach this detector").about(RULE).grave().only_ours(&["name"]),
        guard("PutRule", "changes which records reach this detector").about(RULE).grave().only_ours(&["name"]),
        guard("RemoveTargets", "records no longer reach this detector").about(RULE).grave().only_ours(&["rule"]),
        guard("DeleteEventBus", "records no longer reach this detector").about(RULE).grave().only_ours(&["name"]),
    ],
);

#[rustfmt::skip] // one call a line
pub(crate) const LAMBDA: &[Call] = &service(
    Service::Lambda,
    &["lambda"],
    [
        guard("DeleteFunction", "a function of this detector is gone")
            .about(FUNCTION).grave().only_ours(&["functionName"]),
        guard("UpdateFunctionCode", "a function of this detector does something else")
            .about(FUNCTION).grave().only_ours(&["functionName"]),
        guard("UpdateFunctionConfiguration", "a function of this detector runs in another way")
            .about(FUNCTION).grave().only_ours(&["functionName"]),
        guard("PutFunctionConcurrency", "a function of this detector does not run")
            .about(FUNCTION).grave().only_ours(&["functionName"]).when(Rule::Zeroes("reservedConcurrentExecutions")),
        guard("RemovePermission", "nothing may call a function of this detector")
            .about(FUNCTION).grave().only_ours(&["functionName"]),
        guard("DeleteEventSourceMapping", "a function of this detector hears nothing")
            .about(FUNCTION).grave().only_ours(MAPPING),
        guard("UpdateEventSourceMapping", "a function of this detector hears less")
            .about(FUNCTION).grave().only_ours(MAPPING),
    ],
);

const QUEUE: About = About::Resource(&["queueUrl"]);

#[rustfmt::skip] // one call a line
pub(crate) const SQS: &[Call] = &service(
    Service::Sqs,
    &["sqs"],
    [
        guard("DeleteQueue", "records no longer reach this detector").about(QUEUE).grave().only_ours(&["queueUrl"]),
        guard("PurgeQueue", "records are dropped before this detector sees them")
            .about(QUEUE).grave().only_ours(&["queueUrl"]),
        guard("SetQueueAttributes", "changes who may send to this detector, or for how long it is kept")
            .about(QUEUE).grave().only_ours(&["queueUrl"]),
    ],
);

const TABLE: About = About::Resource(&["tableName"]);

#[rustfmt::skip] // one call a line
pub(crate) const DYNAMO_DB: &[Call] = &service(
    Service::DynamoDb,
    &["dynamodb"],
    [
        guard("DeleteTable", "what this detector has learned is gone").about(TABLE).grave().only_ours(&["tableName"]),
        guard("UpdateTimeToLive", "what this detector has learned is forgotten sooner or never")
            .about(TABLE).grave().only_ours(&["tableName"]),
    ],
);

const KEY: About = About::Resource(&["keyId", "aliasName"]);
const KEY_NAMES: &[&str] = &["keyId", "aliasName"];

#[rustfmt::skip] // one call a line
pub(crate) const KMS: &[Call] = &service(
    Service::Kms,
    &["kms"],
    [
        guard("DisableKey", "this detector cannot read what is encrypted").about(KEY).grave().only_ours(KEY_NAMES),
        guard("ScheduleKeyDeletion", "this detector will not be able to read what is encrypted")
            .about(KEY).grave().only_ours(KEY_NAMES),
        guard("PutKeyPolicy", "changes who can read what is encrypted").about(KEY).grave().only_ours(KEY_NAMES),
        guard("DeleteAlias", "a key of this detector is not found").about(KEY).grave().only_ours(KEY_NAMES),
    ],
);

#[rustfmt::skip] // one call a line
pub(crate) const CLOUD_FORMATION: &[Call] = &service(
    Service::CloudFormation,
    &["cloudformation"],
    [
        guard("DeleteStack", "this detector is removed")
            .about(About::Resource(&["stackName"])).grave().only_ours(&["stackName"]),
        guard("DeleteStackInstances", "this detector is removed from regions or accounts")
            .about(About::Resource(&["stackSetName"])).grave().only_ours(&["stackSetName"]),
        guard("DeleteStackSet", "this detector is removed from regions and accounts")
            .about(About::Resource(&["stackSetName"])).grave().only_ours(&["stackSetName"]),
    ],
);

const LOG_GROUP: About = About::Resource(&["logGroupName"]);
const LOG_NAMES: &[&str] = &["logGroupName", "filterName"];
const OF_RECORDS: Rule = Rule::Judged(
    "context unless logGroupName is, by its name, where model calls or a trail's records are kept",
    of_records,
);
const CUT_SHORT: Rule = Rule::Judged(
    "context unless logGroupName is such a group, and what is in it is kept for less than a week",
    cut_short,
);
/// What is kept for fewer days is hardly there when somebody looks for it.
const A_WEEK: f64 = 7.0;

#[rustfmt::skip] // one call a line
pub(crate) const LOGS: &[Call] = &service(
    Service::Logs,
    &["logs"],
    [
        guard("DeleteLogGroup", "what was recorded of model calls, of the account or by this detector is gone")
            .about(LOG_GROUP).grave().when(OF_RECORDS).or_ours(LOG_NAMES),
        guard("DeleteSubscriptionFilter", "logs no longer reach this detector")
            .about(LOG_GROUP).grave().only_ours(LOG_NAMES),
        guard("PutRetentionPolicy", "what was recorded is kept for a short time")
            .about(LOG_GROUP).when(CUT_SHORT).or_ours(LOG_NAMES),
    ],
);

/// Whether a log group is known by its name to hold model calls or a trail's records. Agents and knowledge bases have
/// groups of their own, which come and go with them.
fn holds_records(parameters: &Parameters) -> bool {
    let name = parameters.text("logGroupName").unwrap_or_default().to_ascii_lowercase();
    let of_models = name.contains("bedrock") && ["invocation", "logging"].iter().any(|word| name.contains(word));
    name.contains("cloudtrail") || of_models
}

fn of_records(parameters: &Parameters, row: Ruling) -> Ruling {
    if holds_records(parameters) { row } else { row.context() }
}

fn cut_short(parameters: &Parameters, row: Ruling) -> Ruling {
    let short = parameters.number("retentionInDays").is_none_or(|days| days < A_WEEK);
    if short && holds_records(parameters) {
        row
    } else {
        row.context()
    }
}

#[cfg(test)]
mod tests {
    use tripmeter_model::{Kind, Record};

    use super::*;
    use crate::testing::{call, kind, of, record};

    #[test]
    fn a_call_is_grave_when_it_names_this_detector_and_context_when_it_does_not() {
        for (service, name, parameter) in [
            (Service::EventBridge, "DisableRule", "name"),
            (Service::EventBridge, "RemoveTargets", "rule"),
            (Service::Lambda, "DeleteFunction20150331", "functionName"),
            (Service::Lambda, "UpdateFunctionCode20150331v2", "functionName"),
            (Service::Sqs, "PurgeQueue", "queueUrl"),
            (Service::DynamoDb, "DeleteTable", "tableName"),
            (Service::Kms, "ScheduleKeyDeletion", "keyId"),
            (Service::CloudFormation, "DeleteStack", "stackName"),
            (Service::Logs, "DeleteLogGroup", "logGroupName"),
        ] {
            let ours = call(service, name, &format!(r#"{{"{parameter}":"prod-TripMeter-records"}}"#));
            assert_eq!((ours.kind, ours.grave), (Kind::GuardrailRemoval, true), "{name}");
            let others = format!(r#"{{"{parameter}":"orders"}}"#);
            assert_eq!(kind(service, name, &others), Kind::Context, "{name}");
        }
    }

    #[test]
    fn logs_of_model_calls_and_of_trails_are_guarded_by_their_names() {
        let delete = |group: &str| {
            kind(
                Service::Logs,
                "DeleteLogGroup",
                &format!(r#"{{"logGroupName":"{group}"}}"#),
            )
        };
        for kept in [
            "/aws/bedrock/modelinvocations",
            "bedrock-invocation-logs",
            "BedrockModelInvocationLogging",
            "aws-cloudtrail-logs-111122223333",
        ] {
            assert_eq!(delete(kept), Kind::GuardrailRemoval, "{kept}");
        }
        for other in [
            "/aws/lambda/chat",
            "/aws/bedrock-agentcore/runtimes/chat-1a2b-DEFAULT",
            "invocations",
        ] {
            assert_eq!(delete(other), Kind::Context, "{other}");
        }
        let keep = |group: &str, days: u32| {
            let parameters = format!(r#"{{"logGroupName":"{group}","retentionInDays":{days}}}"#);
            call(Service::Logs, "PutRetentionPolicy", &parameters)
        };
        let short = keep("/aws/bedrock/modelinvocations", 1);
        assert_eq!((short.kind, short.grave), (Kind::GuardrailRemoval, false));
        assert_eq!(keep("/aws/bedrock/modelinvocations", 30).kind, Kind::Context);
        assert_eq!(keep("/aws/lambda/chat", 1).kind, Kind::Context);
        assert!(keep("/aws/lambda/tripmeter-usage", 30).grave);
    }

    #[test]
    fn a_name_elsewhere_in_the_request_does_not_count() {
        let described = r#"{"name":"orders","description":"not for tripmeter"}"#;
        assert_eq!(kind(Service::EventBridge, "PutRule", described), Kind::Context);
    }

    #[test]
    fn concurrency_blinds_when_it_is_zero() {
        let put = |n: u32| {
            let parameters = format!(r#"{{"functionName":"tripmeter-usage","reservedConcurrentExecutions":{n}}}"#);
            kind(Service::Lambda, "PutFunctionConcurrency20171031", &parameters)
        };
        assert_eq!((put(0), put(10)), (Kind::GuardrailRemoval, Kind::Context));
    }

    #[test]
    fn a_mapping_is_named_in_the_answer() {
        let deleted = of(&Record {
            event_name: "DeleteEventSourceMapping20150331".into(),
            request_parameters: Some(r#"{"uUID":"a1b2"}"#),
            response_elements: Some(
                r#"{"functionArn":"arn:aws:lambda:us-east-1:111122223333:function:tripmeter-usage"}"#,
            ),
            ..record(Service::Lambda)
        });
        assert_eq!(
            (deleted.kind, deleted.call.as_str()),
            (Kind::GuardrailRemoval, "DeleteEventSourceMapping")
        );
    }

    #[test]
    fn a_denied_try_against_this_detector_is_seen_in_the_message() {
        let denied = of(&Record {
            event_name: "DisableRule".into(),
            error_code: Some("AccessDenied".into()),
            error_message: Some("User: arn:aws:iam::111122223333:user/dana is not authorized to perform: events:DisableRule on resource: arn:aws:events:us-east-1:111122223333:rule/tripmeter-bedrock because no identity-based policy allows it".into()),
            request_parameters: None,
            ..record(Service::EventBridge)
        });
        assert_eq!(denied.kind, Kind::GuardrailRemoval);
    }
}
