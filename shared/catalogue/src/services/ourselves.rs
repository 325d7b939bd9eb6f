//! The services that this detector is made of. Deployments make such calls all day: they are guardrail removals only
//! where they name a resource of this detector. SNS and CloudWatch are in files of their own.
//!
//! Source: the API references of these services.

use tripmeter_model::Service;

use crate::call::{About, Call, Rule, guard, service};

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

#[rustfmt::skip] // one call a line
pub(crate) const LOGS: &[Call] = &service(
    Service::Logs,
    &["logs"],
    [
        guard("DeleteLogGroup", "what this detector said is gone").about(LOG_GROUP).grave().only_ours(LOG_NAMES),
        guard("DeleteSubscriptionFilter", "logs no longer reach this detector")
            .about(LOG_GROUP).grave().only_ours(LOG_NAMES),
        guard("PutRetentionPolicy", "what this detector said is kept for another time")
            .about(LOG_GROUP).grave().only_ours(LOG_NAMES),
    ],
);
