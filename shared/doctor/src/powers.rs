//! Who may spend on the services that are watched, and who may lift their limits: a static reading of IAM policies.
//!
//! It looks at what a user's or role's own policies, its groups' and its boundary say of actions. It does not look at
//! resources, conditions, service control policies, session policies or resource policies: whoever is named may be
//! able to do less, and another account that a resource policy lets in is not named. IAM's own simulation says more of
//! one identity at a time.

use std::collections::BTreeSet;
use std::fmt;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use tripmeter_model::{Service, bounded};

use crate::inventory::Principal;
use crate::statement::Document;

/// Actions that spend, and those that open, raise, let others in or unwatch, by service.
/// Source: Service Authorization Reference.
const ACTIONS: &[(Service, &[&str], &[&str])] = &[
    (
        Service::Ses,
        &["ses:SendEmail", "ses:SendRawEmail"],
        &[
            "ses:PutAccountDetails",
            "ses:UpdateAccountSendingEnabled",
            "ses:PutAccountSendingAttributes",
            "ses:CreateEmailIdentity",
            "ses:CreateEmailIdentityPolicy",
            "ses:PutIdentityPolicy",
            "ses:UpdateEmailIdentityPolicy",
        ],
    ),
    (
        Service::Sns,
        &["sns:Publish"],
        &["sns:SetSMSAttributes", "sns:AddPermission", "sns:SetTopicAttributes"],
    ),
    (
        Service::Sms,
        &[
            "sms-voice:SendTextMessage",
            "sms-voice:SendMediaMessage",
            "sms-voice:SendVoiceMessage",
        ],
        &[
            "sms-voice:SetTextMessageSpendLimitOverride",
            "sms-voice:SetMediaMessageSpendLimitOverride",
            "sms-voice:SetVoiceMessageSpendLimitOverride",
            "sms-voice:PutResourcePolicy",
            "sms-voice:RequestPhoneNumber",
        ],
    ),
    (
        Service::Bedrock,
        &["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"],
        &[
            "bedrock:PutUseCaseForModelAccess",
            "bedrock:CreateFoundationModelAgreement",
            "bedrock:PutModelInvocationLoggingConfiguration",
            "bedrock:DeleteModelInvocationLoggingConfiguration",
            "bedrock:DeleteGuardrail",
        ],
    ),
    (
        Service::AgentCore,
        &["bedrock-agentcore:InvokeAgentRuntime"],
        &["bedrock-agentcore:CreateAgentRuntime"],
    ),
    (
        Service::BedrockMantle,
        &["bedrock-mantle:CreateInference"],
        &["bedrock-mantle:CreateProject"],
    ),
    (
        Service::ClaudePlatform,
        &["aws-external-anthropic:CreateInference"],
        &["aws-external-anthropic:CreateWorkspace"],
    ),
    (
        Service::SageMaker,
        &["sagemaker:InvokeEndpoint"],
        &["sagemaker:CreateEndpoint", "sagemaker:UpdateEndpoint"],
    ),
    // Mailboxes send with a password, and sign-ups are sent by whoever signs up: no action of IAM spends on these.
    (
        Service::WorkMail,
        &[],
        &[
            "workmail:CreateUser",
            "workmail:RegisterToWorkMail",
            "workmail:ResetPassword",
        ],
    ),
    (
        Service::Cognito,
        &["cognito-idp:AdminCreateUser"],
        &["cognito-idp:UpdateUserPool", "cognito-idp:SetUserPoolMfaConfig"],
    ),
];

/// Who may do what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Powers {
    /// Users and roles that may spend or lift limits, administrators among them, but for roles of AWS services.
    pub of: Vec<Power>,
    /// Those that may do everything.
    pub administrators: Vec<String>,
}

/// What one user or role may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Power {
    /// Its ARN.
    pub arn: String,
    /// The services that it may spend on.
    pub spends: BTreeSet<Service>,
    /// The services whose limits it may lift, or whose logging it may stop.
    pub changes: BTreeSet<Service>,
}

impl Powers {
    /// Reads the policies of an account's users and roles.
    pub(crate) fn of(principals: &[Principal]) -> Self {
        let mut powers = Self::default();
        for principal in principals.iter().filter(|principal| !principal.of_service) {
            let may = Rights::of(principal);
            if may.do_it("iam:CreateUser") && may.do_it("organizations:LeaveOrganization") {
                powers.administrators.push(bounded(&principal.arn, LONGEST));
            }
            let power = Power {
                arn: principal.arn.clone(),
                spends: may.services(|(_, spending, _)| spending),
                changes: may.services(|(_, _, changing)| changing),
            };
            if !power.spends.is_empty() || !power.changes.is_empty() {
                powers.of.push(power);
            }
        }
        powers
    }
}

/// The longest ARN that is shown, in bytes.
const LONGEST: usize = 200;
/// Identities that a machine is told of at the most.
const TOLD: usize = 500;

impl Serialize for Powers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut powers = serializer.serialize_struct("Powers", 3)?;
        let told: Vec<&Power> = self.of.iter().take(TOLD).collect();
        powers.serialize_field("identities", &told)?;
        powers.serialize_field("identities_in_all", &self.of.len())?;
        powers.serialize_field("administrators", &self.administrators)?;
        powers.end()
    }
}

impl Serialize for Power {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut power = serializer.serialize_struct("Power", 3)?;
        power.serialize_field("arn", &bounded(&self.arn, LONGEST))?;
        power.serialize_field("spends", &names(&self.spends))?;
        power.serialize_field("changes", &names(&self.changes))?;
        power.end()
    }
}

fn names(services: &BTreeSet<Service>) -> Vec<&'static str> {
    services.iter().map(|service| service.name()).collect()
}

impl fmt::Display for Power {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arn = bounded(&self.arn, LONGEST);
        let (spends, changes) = (names(&self.spends).join(", "), names(&self.changes).join(", "));
        match (spends.is_empty(), changes.is_empty()) {
            (false, false) => write!(f, "{arn}: spends on {spends}; changes {changes}"),
            (false, true) => write!(f, "{arn}: spends on {spends}"),
            (true, _) => write!(f, "{arn}: changes {changes}"),
        }
    }
}

/// What the policies of a principal say.
struct Rights {
    policies: Vec<Document>,
    boundary: Option<Document>,
}

impl Rights {
    fn of(principal: &Principal) -> Self {
        Self {
            policies: principal.policies.iter().map(|text| Document::parse(text)).collect(),
            boundary: principal
                .boundary
                .as_deref()
                .filter(|text| !text.is_empty())
                .map(Document::parse),
        }
    }

    fn do_it(&self, action: &str) -> bool {
        let allowed = self.policies.iter().any(|document| document.allows(action));
        let denied = self
            .policies
            .iter()
            .chain(&self.boundary)
            .any(|document| document.denies(action));
        allowed && !denied && self.boundary.as_ref().is_none_or(|boundary| boundary.allows(action))
    }

    fn services(
        &self,
        of: impl Fn(&(Service, &'static [&'static str], &'static [&'static str])) -> &'static [&'static str],
    ) -> BTreeSet<Service> {
        let may = ACTIONS
            .iter()
            .filter(|row| of(row).iter().any(|action| self.do_it(action)));
        may.map(|(service, _, _)| *service).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(effect: &str, actions: &str) -> String {
        format!(r#"{{"Statement":[{{"Effect":"{effect}","Action":{actions},"Resource":"*"}}]}}"#)
    }

    fn principal(policies: &[String], boundary: Option<String>) -> Principal {
        Principal {
            arn: "arn:aws:iam::111122223333:user/mailer".to_owned(),
            policies: policies.to_vec(),
            boundary,
            ..Principal::default()
        }
    }

    fn of(policies: &[String], boundary: Option<String>) -> Option<(Vec<&'static str>, Vec<&'static str>)> {
        let powers = Powers::of(&[principal(policies, boundary)]);
        powers
            .of
            .first()
            .map(|power| (names(&power.spends), names(&power.changes)))
    }

    #[test]
    fn policies_tell_who_may_spend_and_who_may_lift_limits() {
        let sender = policy("Allow", r#""ses:Send*""#);
        let both = policy("Allow", r#"["sns:*","bedrock:PutUseCaseForModelAccess"]"#);

        assert_eq!(of(&[sender], None), Some((vec!["SES"], vec![])));
        assert_eq!(of(&[both], None), Some((vec!["SNS"], vec!["SNS", "Bedrock"])));
        assert_eq!(of(&[policy("Allow", r#""s3:*""#)], None), None);
    }

    #[test]
    fn a_denial_and_a_boundary_take_away() {
        let all_mail = policy("Allow", r#""ses:*""#);

        assert_eq!(of(&[all_mail.clone(), policy("Deny", r#""ses:*""#)], None), None);
        let only_send = policy("Allow", r#""ses:SendEmail""#);
        assert_eq!(
            of(std::slice::from_ref(&all_mail), Some(only_send)),
            Some((vec!["SES"], vec![]))
        );
        // A boundary that could not be read takes nothing away: rather one too many is named.
        assert_eq!(of(&[all_mail], Some(String::new())), Some((vec!["SES"], vec!["SES"])));
    }

    #[test]
    fn administrators_are_named_and_roles_of_aws_are_not() {
        let everything = principal(&[policy("Allow", r#""*""#)], None);
        let of_aws = Principal {
            of_service: true,
            ..everything.clone()
        };

        assert_eq!(
            Powers::of(std::slice::from_ref(&everything)).administrators,
            [everything.arn]
        );
        assert_eq!(Powers::of(&[of_aws]), Powers::default());
    }
}
