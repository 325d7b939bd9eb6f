//! Amazon Simple Email Service: v1, v2 and Mail Manager, all of them `ses.amazonaws.com`.
//!
//! Sends over SMTP are in no record. Source: SES API reference, v1 and v2; "Logging Amazon SES API calls with AWS
//! CloudTrail".

use tripmeter_model::{PolicyEffect, Service};

use crate::call::{About, Call, Measure, Rule, context, guard, policy, probe, service, spend};
use PolicyEffect::{AccessEnabled, LimitRaised, PolicyOpened, SenderAdded, SendingEnabled};

const IDENTITY: About = About::Sender(&["emailIdentity", "identity", "emailAddress", "domain"]);
const DATA: &str = "AWS::SES::EmailIdentity";

#[rustfmt::skip] // one call a line
pub(crate) const CALLS: &[Call] = &service(
    Service::Ses,
    &["ses", "sesv2", "mailmanager"],
    [
        // What a thief reads first.
        probe("GetSendQuota", "how much could be sent in a day"),
        probe("GetSendStatistics", "how much was sent, and how well it was received"),
        probe("GetAccount", "sandbox, quota and sending status at once"),
        probe("GetAccountSendingEnabled", "whether the account can send"),
        probe("ListIdentities", "whom the account can send as"),
        probe("ListEmailIdentities", "whom the account can send as"),
        probe("ListVerifiedEmailAddresses", "whom the account can send as"),
        probe("GetIdentityVerificationAttributes", "which senders are ready to use"),
        probe("GetEmailIdentity", "whether a sender is ready to use").about(IDENTITY),
        probe("GetIdentityPolicies", "who else may send as this sender").about(IDENTITY),
        probe("GetEmailIdentityPolicies", "who else may send as this sender").about(IDENTITY),
        probe("ListTenants", "which tenants can send"),
        probe("ListReputationEntities", "which senders are paused"),
        probe("ListDedicatedIpPools", "which addresses mail could leave from"),
        // Sending switched on.
        policy("UpdateAccountSendingEnabled", SendingEnabled, "switches the account's sending on")
            .when(Rule::Enables("enabled")),
        policy("PutAccountSendingAttributes", SendingEnabled, "switches the account's sending on")
            .when(Rule::Enables("sendingEnabled")),
        policy("UpdateConfigurationSetSendingEnabled", SendingEnabled, "switches a configuration set's sending on")
            .when(Rule::Enables("enabled")),
        policy("PutConfigurationSetSendingOptions", SendingEnabled, "switches a configuration set's sending on")
            .when(Rule::Enables("sendingEnabled")),
        policy("UpdateReputationEntityCustomerManagedStatus", SendingEnabled, "lets a paused sender send again")
            .when(Rule::Holds("sendingStatus", &["ENABLED", "REINSTATED"])),
        // Limits.
        policy("PutAccountDetails", LimitRaised, "asks to leave the sandbox: production access"),
        policy("PutAccountPricingAttributes", AccessEnabled, "changes the account's plan, and what it may send"),
        policy("PutAccountDedicatedIpWarmupAttributes", LimitRaised, "warms dedicated addresses up for volume")
            .when(Rule::Enables("autoWarmupEnabled")),
        policy("PutAccountDeliveryAttributes", LimitRaised, "changes how mail leaves shared addresses"),
        policy("CreateDedicatedIpPool", LimitRaised, "adds addresses of its own to send from"),
        policy("PutDedicatedIpInPool", LimitRaised, "moves an address to another pool").routine(),
        policy("PutDedicatedIpPoolScalingAttributes", LimitRaised, "lets a pool grow by itself"),
        policy("PutDedicatedIpWarmupAttributes", LimitRaised, "says that an address is warm enough for volume"),
        policy("UpdateReputationEntityPolicy", LimitRaised, "changes at what reputation a sender is paused"),
        policy("CreateMultiRegionEndpoint", LimitRaised, "sends from two regions at once"),
        // Senders.
        policy("CreateEmailIdentity", SenderAdded, "adds a sender").about(IDENTITY),
        policy("VerifyEmailIdentity", SenderAdded, "adds a sender").about(IDENTITY),
        policy("VerifyEmailAddress", SenderAdded, "adds a sender").about(IDENTITY),
        policy("VerifyDomainIdentity", SenderAdded, "adds a sending domain").about(IDENTITY),
        policy("VerifyDomainDkim", SenderAdded, "makes a domain's mail pass for genuine").about(IDENTITY),
        policy("CreateTenant", SenderAdded, "adds a tenant that sends on its own"),
        policy("CreateTenantResourceAssociation", SenderAdded, "gives a tenant a sender").routine(),
        policy("SetIdentityMailFromDomain", SenderAdded, "changes the domain that bounces go to")
            .about(IDENTITY).routine(),
        policy("PutEmailIdentityMailFromAttributes", SenderAdded, "changes the domain that bounces go to")
            .about(IDENTITY).routine(),
        policy("AssociateEmailIdentityCertificate", SenderAdded, "signs a sender's mail").about(IDENTITY).routine(),
        policy("CreateRelay", SenderAdded, "passes mail on to another server").routine(),
        policy("CreateIngressPoint", SenderAdded, "takes mail in from outside").routine(),
        // Others let in.
        policy("PutIdentityPolicy", PolicyOpened, "lets others send as this sender").about(IDENTITY),
        policy("CreateEmailIdentityPolicy", PolicyOpened, "lets others send as this sender").about(IDENTITY),
        policy("UpdateEmailIdentityPolicy", PolicyOpened, "lets others send as this sender").about(IDENTITY),
        // Preparing a campaign.
        policy("CreateImportJob", AccessEnabled, "loads a list of addresses"),
        policy("CreateContactList", AccessEnabled, "makes a list of recipients").routine(),
        policy("CreateTemplate", AccessEnabled, "writes a mail to be sent many times").routine(),
        policy("UpdateTemplate", AccessEnabled, "changes a mail that is sent many times").routine(),
        policy("CreateEmailTemplate", AccessEnabled, "writes a mail to be sent many times").routine(),
        policy("UpdateEmailTemplate", AccessEnabled, "changes a mail that is sent many times").routine(),
        policy("CreateCustomVerificationEmailTemplate", AccessEnabled, "writes a mail that verifies others")
            .routine(),
        policy("CreateConfigurationSet", AccessEnabled, "makes a set of sending options").routine(),
        // Controls.
        guard("DeleteConfigurationSetEventDestination", "stops reports of what was sent"),
        guard("UpdateConfigurationSetEventDestination", "stops reports of what was sent")
            .when(Rule::Disables("eventDestination.enabled")),
        guard("PutAccountSuppressionAttributes", "sends to addresses that bounced or complained")
            .when(Rule::Empties("suppressedReasons")),
        guard("PutConfigurationSetSuppressionOptions", "sends to addresses that bounced or complained")
            .when(Rule::Empties("suppressedReasons")),
        guard("DeleteSuppressedDestination", "sends again to an address that bounced or complained"),
        guard("UpdateConfigurationSetReputationMetricsEnabled", "stops the measuring of bounces and complaints")
            .when(Rule::Disables("enabled")),
        guard("PutConfigurationSetReputationOptions", "stops the measuring of bounces and complaints")
            .when(Rule::Disables("reputationMetricsEnabled")),
        guard("PutAccountVdmAttributes", "switches the deliverability manager off")
            .when(Rule::Holds("vdmAttributes.vdmEnabled", &["DISABLED"])),
        guard("PutDeliverabilityDashboardOption", "switches the deliverability dashboard off")
            .when(Rule::Disables("dashboardEnabled")),
        guard("SetIdentityFeedbackForwardingEnabled", "hides bounces and complaints from the owner")
            .about(IDENTITY).when(Rule::Disables("forwardingEnabled")),
        guard("PutEmailIdentityFeedbackAttributes", "hides bounces and complaints from the owner")
            .about(IDENTITY).when(Rule::Disables("emailForwardingEnabled")),
        guard("SetIdentityNotificationTopic", "hides bounces and complaints from the owner")
            .about(IDENTITY).when(Rule::Empties("snsTopic")),
        // A responder at work, or ordinary housekeeping.
        context("DeleteIdentity", "a sender removed").about(IDENTITY),
        context("DeleteEmailIdentity", "a sender removed").about(IDENTITY),
        context("DeleteVerifiedEmailAddress", "a sender removed").about(IDENTITY),
        context("DeleteIdentityPolicy", "others may no longer send as this sender").about(IDENTITY),
        context("DeleteEmailIdentityPolicy", "others may no longer send as this sender").about(IDENTITY),
        context("DeleteConfigurationSet", "a set of sending options removed"),
        context("DeleteTenant", "a tenant removed"),
        context("PutSuppressedDestination", "an address that is no longer sent to"),
        // Mail leaves. CloudTrail marks these `readOnly`.
        spend("SendEmail", "mail leaves")
            .about(About::Sender(&["fromEmailAddress", "source", "fromEmailAddressIdentityArn", "sourceArn"]))
            .counts(Measure::Each(&["destination"])).data(DATA).reads(),
        spend("SendRawEmail", "mail leaves")
            .about(About::Sender(&["source", "sourceArn", "fromArn"])).counts(Measure::Each(&["destinations"]))
            .data(DATA).reads(),
        spend("SendTemplatedEmail", "mail leaves")
            .about(About::Sender(&["source", "sourceArn"])).counts(Measure::Each(&["destination"])).data(DATA)
            .reads(),
        spend("SendBulkTemplatedEmail", "mail leaves for many")
            .about(About::Sender(&["source", "sourceArn"])).counts(Measure::Each(&["destinations"])).data(DATA)
            .reads(),
        spend("SendBulkEmail", "mail leaves for many")
            .about(About::Sender(&["fromEmailAddress", "fromEmailAddressIdentityArn"]))
            .counts(Measure::Each(&["bulkEmailEntries"])).data(DATA).reads(),
        spend("SendCustomVerificationEmail", "a mail of one's own wording leaves, to an address not verified"),
        spend("SendBounce", "mail leaves, as a bounce")
            .about(About::Sender(&["bounceSender", "bounceSenderArn"]))
            .counts(Measure::Each(&["bouncedRecipientInfoList"])),
        spend("CreateDeliverabilityTestReport", "a test mail leaves").about(About::Sender(&["fromEmailAddress"])),
    ],
);

#[cfg(test)]
mod tests {
    use tripmeter_model::{Kind, Target};

    use super::*;
    use crate::testing::{call, kind};

    #[test]
    fn sending_is_a_policy_change_when_it_is_switched_on_in_any_spelling() {
        for parameters in [
            r#"{"enabled":true}"#,
            r#"{"enabled":"true"}"#,
            r#""{\"enabled\": true}""#,
            r#"{"Enabled":true}"#,
        ] {
            let change = call(Service::Ses, "UpdateAccountSendingEnabled", parameters);
            assert_eq!(
                (change.kind, change.effect),
                (Kind::PolicyChange, Some(SendingEnabled)),
                "{parameters}"
            );
            assert!(!change.routine, "{parameters}");
        }
    }

    #[test]
    fn a_responder_who_switches_sending_off_opens_nothing() {
        for (name, parameters) in [
            ("UpdateAccountSendingEnabled", r#"{"enabled":false}"#),
            ("PutAccountSendingAttributes", r#"{"sendingEnabled":"false"}"#),
            (
                "PutConfigurationSetSendingOptions",
                r#"{"configurationSetName":"a","sendingEnabled":false}"#,
            ),
            (
                "UpdateReputationEntityCustomerManagedStatus",
                r#"{"sendingStatus":"DISABLED"}"#,
            ),
            ("DeleteEmailIdentity", r#"{"emailIdentity":"news.example.com"}"#),
        ] {
            assert_eq!(kind(Service::Ses, name, parameters), Kind::Context, "{name}");
        }
    }

    #[test]
    fn a_control_is_removed_when_it_is_switched_off_and_not_when_it_is_switched_on() {
        for (name, off, on) in [
            (
                "SetIdentityFeedbackForwardingEnabled",
                r#"{"identity":"a.example","forwardingEnabled":false}"#,
                r#"{"identity":"a.example","forwardingEnabled":true}"#,
            ),
            (
                "UpdateConfigurationSetReputationMetricsEnabled",
                r#"{"configurationSetName":"a","enabled":"false"}"#,
                r#"{"configurationSetName":"a","enabled":"true"}"#,
            ),
            (
                "PutAccountSuppressionAttributes",
                r#"{"suppressedReasons":[]}"#,
                r#"{"suppressedReasons":["BOUNCE"]}"#,
            ),
            (
                "PutAccountVdmAttributes",
                r#"{"vdmAttributes":{"vdmEnabled":"DISABLED"}}"#,
                r#"{"vdmAttributes":{"vdmEnabled":"ENABLED"}}"#,
            ),
        ] {
            assert_eq!(kind(Service::Ses, name, off), Kind::GuardrailRemoval, "{name}");
            assert_eq!(kind(Service::Ses, name, on), Kind::Context, "{name}");
        }
    }

    #[test]
    fn a_mail_is_its_recipients_and_its_senders_domain() {
        let v2 = call(
            Service::Ses,
            "SendEmail",
            r#"{"fromEmailAddress":"Shop <shop@News.Example.com>","destination":{"toAddresses":["HIDDEN_DUE_TO_SECURITY_REASONS","HIDDEN_DUE_TO_SECURITY_REASONS"],"bccAddresses":["HIDDEN_DUE_TO_SECURITY_REASONS"]}}"#,
        );
        assert_eq!((v2.kind, v2.quantity.units), (Kind::Use, 3));
        assert_eq!(v2.target, Some(Target::Sender("news.example.com".into())));
        assert!(v2.why.is_empty());

        let v1 = call(
            Service::Ses,
            "SendRawEmail",
            r#"{"source":"shop@news.example.com","destinations":["HIDDEN_DUE_TO_SECURITY_REASONS","HIDDEN_DUE_TO_SECURITY_REASONS"]}"#,
        );
        assert_eq!((v1.quantity.units, v1.target), (2, v2.target));
    }
}
