//! The services, one file each: a table of calls that can be checked against the AWS API reference.

mod bedrock;
mod iam;
mod ses;
mod sms;
mod sns;
mod sts;

use tripmeter_model::Service;

use crate::call::Call;

/// Every table.
pub(crate) const ALL: &[&[Call]] = &[
    ses::CALLS,
    sns::CALLS,
    sms::CALLS,
    bedrock::CALLS,
    iam::CALLS,
    sts::CALLS,
];

/// The service of an `eventSource`. Asked for every record of a log.
pub(crate) fn by_event_source(event_source: &str) -> Option<Service> {
    Some(match event_source {
        "ses.amazonaws.com" => Service::Ses,
        "sns.amazonaws.com" => Service::Sns,
        "sms-voice.amazonaws.com" => Service::Sms,
        "bedrock.amazonaws.com" => Service::Bedrock,
        "bedrock-mantle.amazonaws.com" => Service::BedrockMantle,
        "bedrock-agentcore.amazonaws.com" => Service::AgentCore,
        "aws-external-anthropic.amazonaws.com" => Service::ClaudePlatform,
        "iam.amazonaws.com" => Service::Iam,
        "sts.amazonaws.com" => Service::Sts,
        _ => return None,
    })
}
