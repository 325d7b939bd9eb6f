//! AWS End User Messaging SMS and voice, v2 (`sms-voice.amazonaws.com`), and what is left of v1.
//!
//! Records hold the destination's number in clear: its country is kept, the number is not. Source: Pinpoint SMS and
//! voice v2 API reference; "Logging AWS End User Messaging SMS API calls using AWS CloudTrail".

use tripmeter_model::{PolicyEffect, Service};

use crate::call::{About, Call, Measure, Rule, context, guard, policy, probe, service, spend};
use crate::parameters::Parameters;
use crate::ruling::Ruling;
use PolicyEffect::{AccessEnabled, LimitRaised, PolicyOpened, SenderAdded};

const DESTINATION: Measure = Measure::Message("destinationPhoneNumber");
const DRY_RUN: Rule = Rule::Judged("a probe when dryRun is true", dry_run);
const COUNTRY: About = About::Country(&["isoCountryCode"]);
const DATA: &str = "AWS::SMSVoice::OriginationIdentity";

#[rustfmt::skip] // one call a line
pub(crate) const CALLS: &[Call] = &service(
    Service::Sms,
    &["pinpoint-sms-voice-v2", "pinpoint-sms-voice"],
    [
        // What a thief reads first.
        probe("DescribeAccountLimits", "how many messages could be sent"),
        probe("DescribeSpendLimits", "how much may be spent in a month"),
        probe("DescribeAccountAttributes", "whether the account is in the sandbox"),
        probe("DescribePhoneNumbers", "which numbers can send"),
        probe("DescribeSenderIds", "which names can send"),
        probe("DescribePools", "which groups of numbers can send"),
        probe("DescribeVerifiedDestinationNumbers", "which numbers the sandbox may send to"),
        probe("DescribeProtectConfigurations", "what keeps countries from being sent to"),
        probe("GetProtectConfigurationCountryRuleSet", "which countries may be sent to"),
        probe("ListNotifyCountries", "which countries can be sent to without a number of one's own"),
        // Limits.
        policy("SetTextMessageSpendLimitOverride", LimitRaised, "raises what texts may cost in a month")
            .when(Rule::Raises("monthlyLimit")),
        policy("SetMediaMessageSpendLimitOverride", LimitRaised, "raises what media messages may cost in a month")
            .when(Rule::Raises("monthlyLimit")),
        policy("SetVoiceMessageSpendLimitOverride", LimitRaised, "raises what calls may cost in a month")
            .when(Rule::Raises("monthlyLimit")),
        policy("SetRcsMessageSpendLimitOverride", LimitRaised, "raises what RCS messages may cost in a month")
            .when(Rule::Raises("monthlyLimit")),
        policy("SetNotifyMessageSpendLimitOverride", LimitRaised, "raises what notifications may cost in a month")
            .when(Rule::Raises("monthlyLimit")),
        policy("DeleteTextMessageSpendLimitOverride", LimitRaised, "lets texts cost up to AWS's maximum"),
        policy("DeleteMediaMessageSpendLimitOverride", LimitRaised, "lets media messages cost up to AWS's maximum"),
        policy("DeleteVoiceMessageSpendLimitOverride", LimitRaised, "lets calls cost up to AWS's maximum"),
        policy("DeleteRcsMessageSpendLimitOverride", LimitRaised, "lets RCS messages cost up to AWS's maximum"),
        policy("DeleteNotifyMessageSpendLimitOverride", LimitRaised, "lets notifications cost up to AWS's maximum"),
        // Senders.
        policy("RequestPhoneNumber", SenderAdded, "leases a number to send from").about(COUNTRY),
        policy("RequestSenderId", SenderAdded, "adds a name to send as").about(COUNTRY),
        policy("CreateRegistration", SenderAdded, "begins to register a sender"),
        policy("SubmitRegistrationVersion", SenderAdded, "asks for a sender to be registered"),
        policy("CreatePool", SenderAdded, "groups numbers to send from").routine(),
        policy("AssociateOriginationIdentity", SenderAdded, "adds a number to a group").routine(),
        policy("CreateRcsAgent", SenderAdded, "makes an agent that sends RCS messages"),
        policy("CreateNotifyConfiguration", SenderAdded, "sends without a number of one's own"),
        policy("UpdateNotifyConfiguration", SenderAdded, "changes sending without a number of one's own").routine(),
        policy("UpdatePhoneNumber", LimitRaised, "lets a number send abroad")
            .when(Rule::Enables("internationalSendingEnabled")),
        policy("UpdatePool", LimitRaised, "lets a group send over routes shared with others")
            .when(Rule::Enables("sharedRoutesEnabled")),
        // Destinations.
        policy("CreateVerifiedDestinationNumber", AccessEnabled, "adds a number that the sandbox may send to")
            .about(About::Country(&["destinationPhoneNumber"])),
        policy("VerifyDestinationNumber", AccessEnabled, "adds a number that the sandbox may send to"),
        policy("UpdateProtectConfigurationCountryRuleSet", AccessEnabled, "opens a country that was closed")
            .when(Rule::Holds("countryRuleSetUpdates.*.protectStatus", &["ALLOW", "MONITOR"])),
        policy("PutProtectConfigurationRuleSetNumberOverride", AccessEnabled, "opens a number that was closed")
            .about(About::Country(&["destinationPhoneNumber", "isoCountryCode"]))
            .when(Rule::Holds("action", &["ALLOW"])),
        policy("SetAccountDefaultProtectConfiguration", AccessEnabled, "changes which countries may be sent to"),
        policy("CreateProtectConfiguration", AccessEnabled, "makes a list of countries").routine(),
        policy("AssociateProtectConfiguration", AccessEnabled, "changes which countries a sender may send to")
            .routine(),
        // Others let in.
        policy("PutResourcePolicy", PolicyOpened, "lets other accounts send from a number")
            .about(About::Resource(&["resourceArn"])),
        // Controls.
        guard("DeleteProtectConfiguration", "removes a list of closed countries"),
        guard("DisassociateProtectConfiguration", "lets a sender reach closed countries"),
        guard("DeleteAccountDefaultProtectConfiguration", "lets the account reach closed countries"),
        guard("UpdateProtectConfiguration", "lets a list of closed countries be deleted")
            .when(Rule::Disables("deletionProtectionEnabled")),
        guard("DeleteOptedOutNumber", "sends again to a number that opted out"),
        guard("DeleteOptOutList", "sends again to every number that opted out"),
        guard("DeleteEventDestination", "stops reports of what was sent"),
        guard("UpdateEventDestination", "stops reports of what was sent").when(Rule::Disables("enabled")),
        guard("DeleteConfigurationSetEventDestination", "stops reports of what was sent"),
        guard("UpdateConfigurationSetEventDestination", "stops reports of what was sent")
            .when(Rule::Disables("eventDestination.enabled")),
        // A responder at work, or ordinary housekeeping.
        context("ReleasePhoneNumber", "a number given back"),
        context("ReleaseSenderId", "a name given up"),
        context("DeletePool", "a group of numbers removed"),
        context("DeleteResourcePolicy", "other accounts may no longer send"),
        context("DeleteVerifiedDestinationNumber", "a number removed from the sandbox"),
        context("PutOptedOutNumber", "a number that is no longer sent to"),
        // Messages leave.
        spend("SendTextMessage", "a text leaves").counts(DESTINATION).when(DRY_RUN).data(DATA),
        spend("SendMediaMessage", "a media message leaves").counts(DESTINATION).when(DRY_RUN).data(DATA),
        spend("SendVoiceMessage", "a call is made").counts(DESTINATION).when(DRY_RUN).data(DATA),
        spend("SendRcsMessage", "an RCS message leaves")
            .counts(DESTINATION).when(DRY_RUN).data("AWS::SMSVoice::Message"),
        spend("SendNotifyTextMessage", "a text leaves")
            .counts(DESTINATION).when(DRY_RUN).data("AWS::SMSVoice::NotifyConfiguration"),
        spend("SendNotifyVoiceMessage", "a call is made")
            .counts(DESTINATION).when(DRY_RUN).data("AWS::SMSVoice::NotifyConfiguration"),
        spend("SendDestinationNumberVerificationCode", "a text or call with a code leaves")
            .data("AWS::SMSVoice::Message"),
        spend("CarrierLookup", "a number is looked up, for a fee")
            .counts(Measure::Message("phoneNumber")).data("AWS::SMSVoice::CarrierLookup"),
    ],
);

/// Checked and priced, but not sent.
fn dry_run(parameters: &Parameters, row: Ruling) -> Ruling {
    if parameters.is_true("dryRun") {
        row.probes()
    } else {
        row
    }
}

#[cfg(test)]
mod tests {
    use tripmeter_model::{Kind, Target};

    use super::*;
    use crate::testing::{call, kind};

    #[test]
    fn a_text_is_one_message_to_a_country_and_its_number_is_nowhere() {
        let text = call(
            Service::Sms,
            "SendTextMessage",
            r#"{"destinationPhoneNumber":"+2250712345678","originationIdentity":"+447700900999","messageBody":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#,
        );
        assert_eq!((text.kind, text.quantity.units), (Kind::Use, 1));
        assert_eq!(text.quantity.country, Some(*b"CI"));
        assert_eq!(text.target, Some(Target::Country("CI".into())));
        let kept = serde_json::to_string(&text).unwrap();
        assert!(!kept.contains("0712345678") && !kept.contains("7700900999"), "{kept}");
    }

    #[test]
    fn a_dry_run_sends_nothing() {
        let dry = r#"{"destinationPhoneNumber":"+447700900000","dryRun":true}"#;
        assert_eq!(kind(Service::Sms, "SendTextMessage", dry), Kind::Probe);
    }

    #[test]
    fn a_spend_limit_is_raised_unless_it_closes_the_channel() {
        let set = |limit: &str| {
            kind(
                Service::Sms,
                "SetTextMessageSpendLimitOverride",
                &format!(r#"{{"monthlyLimit":{limit}}}"#),
            )
        };
        assert_eq!((set("5000"), set("\"5000\"")), (Kind::PolicyChange, Kind::PolicyChange));
        assert_eq!((set("0"), set("1")), (Kind::Context, Kind::Context));
    }

    #[test]
    fn a_country_is_opened_by_any_one_of_the_updates() {
        let update = |ci: &str| {
            let parameters = format!(
                r#"{{"numberCapability":"SMS","countryRuleSetUpdates":{{"FR":{{"protectStatus":"BLOCK"}},"CI":{{"protectStatus":"{ci}"}}}}}}"#
            );
            kind(Service::Sms, "UpdateProtectConfigurationCountryRuleSet", &parameters)
        };
        assert_eq!(update("ALLOW"), Kind::PolicyChange);
        assert_eq!(update("BLOCK"), Kind::Context);
    }
}
