//! The services that Tripmeter knows, and what people call them.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! services {
    ($($(#[$doc:meta])* $variant:ident = $source:literal, $name:literal, $spends:literal;)*) => {
        /// A service whose calls are in the catalogue.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Service { $($(#[$doc])* $variant),* }

        impl Service {
            /// Every service.
            pub const ALL: &'static [Service] = &[$(Service::$variant),*];

            /// CloudTrail's `eventSource`. Bedrock and AgentCore have more than one; this is the first. The detector
            /// itself is the source of no record.
            pub fn event_source(self) -> &'static str {
                match self { $(Service::$variant => $source),* }
            }

            /// The short name that findings use, as in `Impact:SES/Hijack`.
            pub fn name(self) -> &'static str {
                match self { $(Service::$variant => $name),* }
            }

            /// Whether the service's use costs money or reputation by the call: mails, messages, model calls.
            pub fn spends(self) -> bool {
                match self { $(Service::$variant => $spends),* }
            }
        }
    };
}

services! {
    /// Amazon Simple Email Service, v1 and v2.
    Ses = "ses.amazonaws.com", "SES", true;
    /// Amazon Simple Notification Service: topics, and its old SMS calls.
    Sns = "sns.amazonaws.com", "SNS", true;
    /// AWS End User Messaging SMS and voice, v2.
    Sms = "sms-voice.amazonaws.com", "SMS", true;
    /// Amazon Bedrock: control plane, runtime, agents.
    Bedrock = "bedrock.amazonaws.com", "Bedrock", true;
    /// Amazon Bedrock AgentCore.
    AgentCore = "bedrock-agentcore.amazonaws.com", "AgentCore", true;
    /// The OpenAI- and Anthropic-compatible door of Bedrock.
    BedrockMantle = "bedrock-mantle.amazonaws.com", "BedrockMantle", true;
    /// Claude Platform on AWS.
    ClaudePlatform = "aws-external-anthropic.amazonaws.com", "ClaudePlatform", true;
    /// Amazon SageMaker endpoints.
    SageMaker = "sagemaker.amazonaws.com", "SageMaker", true;
    /// Amazon WorkMail, whose organisations send mail.
    WorkMail = "workmail.amazonaws.com", "WorkMail", true;
    /// Amazon Cognito user pools, which send SMS and mail for sign-ups.
    Cognito = "cognito-idp.amazonaws.com", "Cognito", true;
    /// The OpenAI API, outside AWS.
    OpenAi = "api.openai.com", "OpenAI", true;
    /// AWS Marketplace agreements: subscriptions to models.
    Marketplace = "agreement-marketplace.amazonaws.com", "Marketplace", false;
    /// Service Quotas.
    ServiceQuotas = "servicequotas.amazonaws.com", "ServiceQuotas", false;
    /// AWS Support, where limits are raised by asking.
    Support = "support.amazonaws.com", "Support", false;
    /// AWS Account Management: regions and contacts.
    Account = "account.amazonaws.com", "Account", false;
    /// AWS Free Tier: the account's plan.
    FreeTier = "freetier.amazonaws.com", "FreeTier", false;
    /// AWS Billing: payment preferences and credits.
    Billing = "billing.amazonaws.com", "Billing", false;
    /// AWS Identity and Access Management.
    Iam = "iam.amazonaws.com", "IAM", false;
    /// AWS Security Token Service.
    Sts = "sts.amazonaws.com", "STS", false;
    /// AWS sign-in.
    Signin = "signin.amazonaws.com", "Signin", false;
    /// AWS Budgets.
    Budgets = "budgets.amazonaws.com", "Budgets", false;
    /// AWS Cost Explorer: costs, and its anomaly monitors.
    CostExplorer = "ce.amazonaws.com", "CostExplorer", false;
    /// AWS CloudTrail.
    CloudTrail = "cloudtrail.amazonaws.com", "CloudTrail", false;
    /// Amazon CloudWatch alarms.
    CloudWatch = "monitoring.amazonaws.com", "CloudWatch", false;
    /// Amazon CloudWatch Logs.
    Logs = "logs.amazonaws.com", "Logs", false;
    /// Amazon EventBridge.
    EventBridge = "events.amazonaws.com", "EventBridge", false;
    /// AWS Lambda.
    Lambda = "lambda.amazonaws.com", "Lambda", false;
    /// Amazon SQS.
    Sqs = "sqs.amazonaws.com", "SQS", false;
    /// Amazon DynamoDB.
    DynamoDb = "dynamodb.amazonaws.com", "DynamoDB", false;
    /// AWS KMS.
    Kms = "kms.amazonaws.com", "KMS", false;
    /// AWS CloudFormation, where this detector is a stack.
    CloudFormation = "cloudformation.amazonaws.com", "CloudFormation", false;
    /// Amazon GuardDuty.
    GuardDuty = "guardduty.amazonaws.com", "GuardDuty", false;
    /// AWS Organizations.
    Organizations = "organizations.amazonaws.com", "Organizations", false;
    /// AWS IAM Identity Center: which people and groups may use which accounts.
    IdentityCenter = "sso.amazonaws.com", "IdentityCenter", false;
    /// AWS IAM Roles Anywhere: which certificates open which roles.
    RolesAnywhere = "rolesanywhere.amazonaws.com", "RolesAnywhere", false;
    /// This detector itself, where a finding is about what it hears.
    Tripmeter = "tripmeter", "Tripmeter", false;
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Service {
    type Err = String;

    /// By short name, without regard to case: `ses`, `Bedrock`.
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .iter()
            .copied()
            .find(|s| s.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| {
                format!(
                    "'{}' is no service that is watched; one of {}",
                    crate::bounded(text, 40),
                    Self::ALL.iter().map(|s| s.name()).collect::<Vec<_>>().join(", ")
                )
            })
    }
}
