//! The services, a file each, or one for a few that do one job together: tables of calls that can be checked against
//! the AWS API reference.

mod account;
mod agentcore;
mod bedrock;
mod bedrock_mantle;
mod claude_platform;
mod cognito;
mod costs;
mod federation;
mod iam;
mod openai;
mod ourselves;
mod quotas;
mod sagemaker;
mod ses;
mod signin;
mod sms;
mod sns;
mod sts;
mod watchers;
mod workmail;

use tripmeter_model::Service;

use crate::call::Call;

/// Every table: first what spends, then what lets it, then what watches it.
pub(crate) const ALL: &[&[Call]] = &[
    ses::CALLS,
    sns::CALLS,
    sms::CALLS,
    bedrock::CALLS,
    agentcore::CALLS,
    bedrock_mantle::CALLS,
    claude_platform::CALLS,
    sagemaker::CALLS,
    workmail::CALLS,
    cognito::CALLS,
    account::MARKETPLACE,
    quotas::SERVICE_QUOTAS,
    quotas::SUPPORT,
    account::ACCOUNT,
    account::FREE_TIER,
    account::BILLING,
    iam::CALLS,
    sts::CALLS,
    federation::IDENTITY_CENTER,
    federation::ROLES_ANYWHERE,
    signin::CALLS,
    costs::BUDGETS,
    costs::COST_EXPLORER,
    watchers::CLOUD_TRAIL,
    watchers::CLOUD_WATCH,
    watchers::GUARD_DUTY,
    watchers::ORGANIZATIONS,
    ourselves::LOGS,
    ourselves::EVENT_BRIDGE,
    ourselves::LAMBDA,
    ourselves::SQS,
    ourselves::DYNAMO_DB,
    ourselves::KMS,
    ourselves::CLOUD_FORMATION,
];

pub(crate) use openai::CALLS as OPENAI;

/// The service of an `eventSource`. Asked for every record of a log.
pub(crate) fn by_event_source(event_source: &str) -> Option<Service> {
    Some(match event_source.strip_suffix(".amazonaws.com")? {
        "ses" => Service::Ses,
        "sns" => Service::Sns,
        "sms-voice" => Service::Sms,
        "bedrock" => Service::Bedrock,
        "bedrock-agentcore" | "bedrock-agentcore-control" => Service::AgentCore,
        "bedrock-mantle" => Service::BedrockMantle,
        "aws-external-anthropic" => Service::ClaudePlatform,
        "sagemaker" => Service::SageMaker,
        "workmail" => Service::WorkMail,
        "cognito-idp" => Service::Cognito,
        "agreement-marketplace" => Service::Marketplace,
        "servicequotas" => Service::ServiceQuotas,
        "support" => Service::Support,
        "account" => Service::Account,
        "freetier" => Service::FreeTier,
        "billing" => Service::Billing,
        "iam" => Service::Iam,
        "sts" => Service::Sts,
        "signin" => Service::Signin,
        "budgets" => Service::Budgets,
        "ce" => Service::CostExplorer,
        "cloudtrail" => Service::CloudTrail,
        "monitoring" => Service::CloudWatch,
        "logs" => Service::Logs,
        "events" => Service::EventBridge,
        "lambda" => Service::Lambda,
        "sqs" => Service::Sqs,
        "dynamodb" => Service::DynamoDb,
        "kms" => Service::Kms,
        "cloudformation" => Service::CloudFormation,
        "guardduty" => Service::GuardDuty,
        "organizations" => Service::Organizations,
        "sso" => Service::IdentityCenter,
        "rolesanywhere" => Service::RolesAnywhere,
        _ => return None,
    })
}
