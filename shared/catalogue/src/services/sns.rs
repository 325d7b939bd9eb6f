//! Amazon Simple Notification Service: topics, and its old SMS calls.
//!
//! A `Publish` straight to a phone number is in no record; `Unsubscribe` and `ConfirmSubscription` are only when
//! they were signed. Source: SNS API reference; "Logging Amazon SNS API calls using CloudTrail".

use tripmeter_model::{PolicyEffect, Service};

use crate::call::{About, Call, Measure, Rule, context, guard, policy, probe, service, spend};
use crate::parameters::Parameters;
use crate::ruling::Ruling;
use PolicyEffect::{AccessEnabled, LimitRaised, PolicyOpened, SenderAdded};

const TOPIC: About = About::Topic(&["topicArn", "name"]);
const NUMBER: About = About::Country(&["phoneNumber"]);

#[rustfmt::skip] // one call a line
pub(crate) const CALLS: &[Call] = &service(
    Service::Sns,
    &["sns"],
    [
        // What a thief reads first.
        probe("GetSMSAttributes", "how much may be spent on SMS"),
        probe("GetSMSSandboxAccountStatus", "whether SMS may go to anybody"),
        probe("ListOriginationNumbers", "which numbers can send"),
        probe("ListSMSSandboxPhoneNumbers", "which numbers can be sent to"),
        probe("ListPhoneNumbersOptedOut", "which numbers refuse messages"),
        probe("ListTopics", "which topics can be published to"),
        probe("ListSubscriptions", "who would be reached"),
        probe("ListPlatformApplications", "which apps can be pushed to"),
        // SMS limits.
        policy("SetSMSAttributes", LimitRaised, "raises what may be spent on SMS, or names the sender")
            .when(Rule::Judged(
                "a limit raised when MonthlySpendLimit is above 1, a sender added with DefaultSenderID, else routine",
                sms_attributes,
            )),
        policy("OptInPhoneNumber", AccessEnabled, "sends again to a number that opted out").about(NUMBER),
        policy("CreateSMSSandboxPhoneNumber", AccessEnabled, "adds a number that the sandbox may send to")
            .about(NUMBER),
        policy("VerifySMSSandboxPhoneNumber", AccessEnabled, "adds a number that the sandbox may send to")
            .about(NUMBER),
        // Topics.
        policy("CreateTopic", AccessEnabled, "makes a topic").about(TOPIC).routine(),
        policy("AddPermission", PolicyOpened, "lets other accounts use a topic").about(TOPIC),
        policy("SetTopicAttributes", PolicyOpened, "opens a topic's policy, or changes its settings")
            .about(TOPIC)
            .when(Rule::Judged("a policy opened when attributeName is Policy, else routine", topic_attributes))
            .or_ours(&["topicArn"]),
        policy("Subscribe", AccessEnabled, "adds a receiver to a topic")
            .about(TOPIC)
            .when(Rule::Judged(
                "use of one mail when protocol is email, a receiver of SMS when it is sms, else routine",
                subscription,
            )),
        policy("SetSubscriptionAttributes", AccessEnabled, "changes what a receiver gets")
            .about(About::Topic(&["subscriptionArn"])).routine().or_ours(&["subscriptionArn"]),
        policy("CreatePlatformApplication", SenderAdded, "adds an app to push to").routine(),
        guard("PutDataProtectionPolicy", "lets sensitive data through a topic")
            .when(Rule::Empties("dataProtectionPolicy")),
        // This detector's own topics.
        guard("DeleteTopic", "removes a topic of this detector").about(TOPIC).grave().only_ours(&["topicArn"]),
        guard("Unsubscribe", "removes a receiver of findings")
            .about(About::Topic(&["subscriptionArn"])).grave().only_ours(&["subscriptionArn"]),
        guard("RemovePermission", "keeps a service from publishing to this detector")
            .about(TOPIC).grave().only_ours(&["topicArn"]),
        context("ConfirmSubscription", "a receiver confirmed").about(TOPIC),
        context("DeleteSMSSandboxPhoneNumber", "a number removed from the sandbox").about(NUMBER),
        // Messages leave.
        spend("Publish", "a message leaves")
            .about(About::Topic(&["topicArn", "targetArn"])).counts(Measure::Message("phoneNumber"))
            .data("AWS::SNS::Topic"),
        spend("PublishBatch", "messages leave")
            .about(TOPIC).counts(Measure::Each(&["publishBatchRequestEntries"])).data("AWS::SNS::Topic"),
    ],
);

fn sms_attributes(parameters: &Parameters, row: Ruling) -> Ruling {
    if let Some(limit) = parameters.text("attributes.MonthlySpendLimit") {
        let row = row.valued(limit);
        let closes = parameters
            .number("attributes.MonthlySpendLimit")
            .is_some_and(|usd| usd <= 1.0);
        return if closes { row.context() } else { row };
    }
    if parameters.text("attributes.DefaultSenderID").is_some() {
        return row.changes(SenderAdded).valued("DefaultSenderID");
    }
    // Attributes that are not shown may hold the limit.
    match parameters.get("attributes") {
        Some(attributes) if attributes.is_object() => row.changes(AccessEnabled).routine(),
        _ => row,
    }
}

fn topic_attributes(parameters: &Parameters, row: Ruling) -> Ruling {
    match parameters.text("attributeName") {
        Some(name) if name.eq_ignore_ascii_case("Policy") => row.valued("Policy"),
        Some(name) => row.changes(AccessEnabled).routine().valued(name),
        None => row,
    }
}

fn subscription(parameters: &Parameters, row: Ruling) -> Ruling {
    let protocol = parameters.text("protocol").unwrap_or_default().to_ascii_lowercase();
    match protocol.as_str() {
        // Each sends a mail that asks for confirmation: a known way to flood a mailbox without any `Publish`.
        "email" | "email-json" => row.spends(),
        "sms" => row.changes(SenderAdded),
        _ => row.routine(),
    }
    .valued(protocol)
}

#[cfg(test)]
mod tests {
    use tripmeter_model::{Kind, Target};

    use super::*;
    use crate::testing::{call, kind};

    #[test]
    fn a_spend_limit_is_raised_unless_it_closes_sms() {
        let raised = call(
            Service::Sns,
            "SetSMSAttributes",
            r#"{"attributes":{"MonthlySpendLimit":"5000"}}"#,
        );
        assert_eq!(
            (raised.kind, raised.effect, raised.routine),
            (Kind::PolicyChange, Some(LimitRaised), false)
        );
        let closed = r#"{"attributes":{"MonthlySpendLimit":"1"}}"#;
        assert_eq!(kind(Service::Sns, "SetSMSAttributes", closed), Kind::Context);
        let logged = call(
            Service::Sns,
            "SetSMSAttributes",
            r#"{"attributes":{"DeliveryStatusIAMRole":"arn:aws:iam::1:role/r"}}"#,
        );
        assert!(logged.routine);
        let hidden = call(
            Service::Sns,
            "SetSMSAttributes",
            r#"{"attributes":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#,
        );
        assert_eq!((hidden.effect, hidden.routine), (Some(LimitRaised), false));
    }

    #[test]
    fn a_subscription_is_what_its_protocol_makes_it() {
        let topic = r#""topicArn":"arn:aws:sns:us-east-1:111122223333:orders""#;
        let subscribe = |protocol: &str| {
            call(
                Service::Sns,
                "Subscribe",
                &format!(r#"{{{topic},"protocol":"{protocol}","endpoint":"e"}}"#),
            )
        };
        let mail = subscribe("email");
        assert_eq!((mail.kind, mail.quantity.units), (Kind::Use, 1));
        assert_eq!(mail.target, Some(Target::Topic("orders".into())));
        let text = subscribe("sms");
        assert_eq!(
            (text.kind, text.effect, text.routine),
            (Kind::PolicyChange, Some(SenderAdded), false)
        );
        for protocol in ["sqs", "lambda", "https", "firehose"] {
            assert!(subscribe(protocol).routine, "{protocol}");
        }
        assert_ne!(subscribe("sqs").shape, subscribe("lambda").shape);
    }

    #[test]
    fn a_topics_policy_is_opened_and_its_name_is_routine() {
        let set = |attribute: &str| {
            let parameters =
                format!(r#"{{"topicArn":"arn:aws:sns:us-east-1:1:orders","attributeName":"{attribute}"}}"#);
            call(Service::Sns, "SetTopicAttributes", &parameters)
        };
        assert_eq!(
            (set("Policy").effect, set("Policy").routine),
            (Some(PolicyOpened), false)
        );
        assert!(set("DisplayName").routine);
    }

    #[test]
    fn a_batch_counts_its_entries() {
        let batch = r#"{"topicArn":"arn:aws:sns:us-east-1:111122223333:orders","publishBatchRequestEntries":[{"id":"1"},{"id":"2"},{"id":"3"}]}"#;
        assert_eq!(call(Service::Sns, "PublishBatch", batch).quantity.units, 3);
    }

    #[test]
    fn only_this_detectors_topics_are_guarded() {
        let topic = |name: &str| format!(r#"{{"topicArn":"arn:aws:sns:us-east-1:111122223333:{name}"}}"#);
        let ours = call(Service::Sns, "DeleteTopic", &topic("Tripmeter-findings"));
        assert_eq!((ours.kind, ours.grave), (Kind::GuardrailRemoval, true));
        assert_eq!(kind(Service::Sns, "DeleteTopic", &topic("orders")), Kind::Context);
        let policy = topic("tripmeter-findings").replace('}', r#","attributeName":"DisplayName"}"#);
        assert_eq!(
            kind(Service::Sns, "SetTopicAttributes", &policy),
            Kind::GuardrailRemoval
        );
    }
}
