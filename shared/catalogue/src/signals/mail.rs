//! Amazon SES: each mail that is sent, where a configuration set says so; and what SES thinks of a sender.
//!
//! Source: "Examples of event data that Amazon SES publishes" and "Monitoring of SES events with Amazon EventBridge",
//! Amazon SES Developer Guide. `Email Sent` is the one source that names who sends by SMTP: the tag
//! `ses:caller-identity`, which SES sets and the sender does not.

use serde_json::Value;
use tripmeter_model::{Activity, Client, Kind, MAX_TEXT, Network, Origin, Quantity, Service, Source, Target, bounded};

use super::envelope::{Envelope, event_id};
use crate::call::About;
use crate::target;

pub(super) const SENT: (&str, &str) = ("aws.ses", "Email Sent");
/// The publishing of events to SNS calls the same thing so.
pub(super) const SENT_ELSEWHERE: (&str, &str) = ("aws.ses", "Send");
/// What SES thinks of a sender. That sending is on again is a record of its own.
pub(super) const STANDING: [(&str, &str); 2] = [
    ("aws.ses", "Sending Status Disabled"),
    ("aws.ses", "Advisor Recommendation Status Open"),
];

/// Recipients that one mail can have.
const MAX_RECIPIENTS: u64 = 50;

/// A mail, by the meter of whoever sent it. It is no record: what records count of the same mail is counted there.
pub(super) fn sent(envelope: &Envelope) -> Activity {
    let caller = bounded(tag(envelope, "ses:caller-identity"), 64);
    let by_smtp = tag(envelope, "ses:operation") == "SendSmtpEmail";
    let meter = match caller.as_str() {
        "" => envelope.detail_type.clone(),
        caller => format!("{} by {caller}", envelope.detail_type),
    };
    let recipients = envelope.detail.pointer("/mail/destination").and_then(Value::as_array);
    let recipients = recipients.map_or(1, |list| list.len() as u64).clamp(1, MAX_RECIPIENTS);
    let message = envelope.text("/mail/messageId");
    let source = Source::parse(tag(envelope, "ses:source-ip"));
    Activity {
        // A mail that is told twice is one mail.
        event_id: Some(event_id(&[if message.is_empty() { &envelope.id } else { message }])),
        time: envelope.text("/mail/timestamp").parse().unwrap_or(envelope.time),
        origin: Origin {
            network: Network::of(&source, None),
            client: Client(if by_smtp { "smtp" } else { "ses" }.to_owned()),
            source,
        },
        target: target::of_text(About::Sender(&[]), envelope.text("/mail/source")),
        quantity: Quantity::of(recipients),
        links: principal(envelope, &caller, by_smtp).into_iter().collect(),
        ..envelope.activity(&meter, Kind::Use, Service::Ses, "")
    }
}

/// Credentials for SMTP are those of an IAM user. For other mail the tag does not tell a user from a role.
fn principal(envelope: &Envelope, caller: &str, by_smtp: bool) -> Option<String> {
    let is_user = by_smtp && !caller.is_empty() && caller != "root";
    let arn = || format!("arn:{}:iam::{}:user/{caller}", envelope.partition(), envelope.account);
    is_user.then(|| bounded(&arn(), MAX_TEXT))
}

/// SES has stopped a tenant, or sees bounces and complaints: grave when SES itself has stopped it.
pub(super) fn standing(envelope: &Envelope) -> Option<Activity> {
    let tenant = envelope.resources.iter().find_map(|arn| arn.split_once(":tenant/"));
    let tenant = tenant.map(|(_, name)| name.split('/').next().unwrap_or_default());
    let (kind, grave, why) = match envelope.detail_type.as_str() {
        "Sending Status Disabled" => {
            let by_aws = envelope.text("/data/origin") == "AWS_MANAGED";
            let kind = if by_aws { Kind::SpendSignal } else { Kind::Context };
            let who = if by_aws { "SES" } else { "somebody" };
            let cause = bounded(envelope.text("/data/record/cause"), 240);
            (kind, by_aws, format!("{who} has stopped sending: {cause}"))
        }
        "Advisor Recommendation Status Open" => {
            let about = envelope.text("/metadata/type");
            let of_recipients = matches!(about, "BOUNCE" | "COMPLAINT" | "FEEDBACK_3P" | "IP_LISTING");
            let kind = if of_recipients {
                Kind::SpendSignal
            } else {
                Kind::Context
            };
            (
                kind,
                false,
                format!(
                    "SES sees {}: {}",
                    bounded(about, 32),
                    bounded(envelope.text("/data"), 240)
                ),
            )
        }
        _ => return None,
    };
    Some(Activity {
        target: tenant.map(|name| Target::Resource(bounded(name, 128))),
        grave,
        ..envelope.activity(&envelope.detail_type, kind, Service::Ses, &why)
    })
}

/// The first value of a tag that SES has set on a mail.
fn tag<'e>(envelope: &'e Envelope, name: &str) -> &'e str {
    envelope.text(&format!("/mail/tags/{name}/0"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::signals::testing::{event, one};

    fn mail(detail_type: &str, operation: &str, recipients: usize) -> Activity {
        let detail = json!({"eventType": "Send", "send": {}, "mail": {"timestamp": "2026-03-17T03:13:58.221Z",
            "source": "Shop <news@example.com>", "sourceArn": "arn:aws:ses:eu-west-1:111122223333:identity/example.com",
            "sendingAccountId": "111122223333", "messageId": "01070172610aa1ad-ffae92b5-dd4d-42e5-aa72-e75d9cd4a995-000000",
            "destination": vec!["somebody@example.net"; recipients], "headersTruncated": false, "tags": {
                "ses:operation": [operation], "ses:configuration-set": ["default"], "ses:source-ip": ["203.0.113.9"],
                "ses:from-domain": ["example.com"], "ses:caller-identity": ["ses-smtp-user.20260101-100000"]}}});
        one(&event(("aws.ses", detail_type), detail))
    }

    #[test]
    fn a_mail_by_smtp_is_use_by_its_users_meter_in_both_spellings() {
        for spelling in ["Email Sent", "Send"] {
            let sent = mail(spelling, "SendSmtpEmail", 3);
            assert_eq!(
                (sent.kind, sent.service, sent.quantity),
                (Kind::Use, Service::Ses, Quantity::of(3))
            );
            assert_eq!(
                sent.identity.id,
                format!("meter:{spelling} by ses-smtp-user.20260101-100000")
            );
            assert_eq!(
                sent.links,
                ["arn:aws:iam::111122223333:user/ses-smtp-user.20260101-100000"]
            );
            assert_eq!(
                (sent.origin.network.0.as_str(), sent.origin.client.0.as_str()),
                ("203.0.113.0/24", "smtp")
            );
            assert_eq!(sent.target, Some(Target::Sender("example.com".into())));
            assert_eq!(sent.time.to_string(), "2026-03-17T03:13:58Z");
            assert_eq!(
                sent.event_id.as_deref(),
                Some("01070172610aa1ad-ffae92b5-dd4d-42e5-aa72-e75d9cd4a995-000000")
            );
        }
    }

    #[test]
    fn a_mail_by_the_api_names_no_principal_and_no_recipient_is_kept() {
        let sent = mail("Email Sent", "SendEmail", 200);
        assert_eq!((sent.links.len(), sent.quantity.units), (0, MAX_RECIPIENTS));
        assert!(!format!("{sent:?}").contains("somebody"));
    }

    fn standing(detail_type: &str, data: &Value) -> Activity {
        let mut envelope = event(("aws.ses", detail_type), data.clone());
        envelope.resources = vec!["arn:aws:ses:eu-west-1:111122223333:tenant/shop/tn-0a1b".into()];
        one(&envelope)
    }

    #[test]
    fn a_tenant_that_ses_stops_is_grave_and_one_that_a_person_stops_is_context() {
        let status = |origin: &str| {
            let record =
                json!({"status": "DISABLED", "cause": "High bounce rate.", "lastUpdatedTimestamp": [2026, 3, 17]});
            standing(
                "Sending Status Disabled",
                &json!({"version": "1.0.0", "data": {"origin": origin, "record": record}}),
            )
        };
        let stopped = status("AWS_MANAGED");
        assert_eq!((stopped.kind, stopped.grave), (Kind::SpendSignal, true));
        assert_eq!(stopped.target, Some(Target::Resource("shop".into())));
        assert_eq!(status("CUSTOMER_MANAGED").kind, Kind::Context);
    }

    #[test]
    fn bounces_are_a_signal_and_advice_about_dns_is_none() {
        let advice = |about: &str| {
            let detail = json!({"version": "1.0.0", "data": "The bounce rate exceeded 15.0%.",
                "metadata": {"impact": "HIGH", "type": about}});
            standing("Advisor Recommendation Status Open", &detail).kind
        };
        assert_eq!((advice("BOUNCE"), advice("DKIM")), (Kind::SpendSignal, Kind::Context));
    }
}
