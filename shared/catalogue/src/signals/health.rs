//! AWS Health: exposed credentials, abuse reports, and what AWS writes to this account about a watched service.
//!
//! Source: "AWS Health events Amazon EventBridge schema", AWS Health User Guide. `AWS_RISK_CREDENTIALS_EXPOSED` and its
//! affected entity, the access key, are from AWS's own sample events; the other codes of RISK, ABUSE, SES and SNS are
//! documented nowhere, so they are taken by service, category and scope.

use serde_json::Value;
use tripmeter_model::{Activity, Identity, IdentityKind, Kind, Service, Session, Target, bounded};

use super::envelope::{Envelope, account, event_id, region, text};
use super::names::service_named;

pub(super) const ABOUT: [(&str, &str); 2] = [
    ("aws.health", "AWS Health Event"),
    ("aws.health", "AWS Health Abuse Event"),
];

/// Keys of one event that are told.
const MAX_KEYS: usize = 10;

/// Health services whose events are heard.
pub(super) const SERVICES: &[&str] = &[
    "RISK",
    "ABUSE",
    "BILLING",
    "SES",
    "SNS",
    "BEDROCK",
    "PINPOINT",
    "SMSVOICE",
    "COGNITO",
    "SAGEMAKER",
    "WORKMAIL",
];

pub(super) fn read(envelope: &Envelope) -> Vec<Activity> {
    let (service, code) = (envelope.text("/service"), envelope.text("/eventTypeCode"));
    let closed = envelope.text("/statusCode").eq_ignore_ascii_case("closed");
    if service == "RISK" && code.contains("CREDENTIALS") {
        let keys = affected(envelope);
        if !keys.is_empty() && !closed {
            return keys.into_iter().map(|key| leaked(envelope, key)).collect();
        }
    }
    signal(envelope, service, code, closed).into_iter().collect()
}

/// A credential that AWS knows to be in strangers' hands. The event names the key and nobody, so the key is who.
fn leaked(envelope: &Envelope, key: &str) -> Activity {
    Activity {
        event_id: Some(event_id(&[
            envelope.text("/communicationId"),
            envelope.text("/eventArn"),
            key,
        ])),
        account: affected_account(envelope),
        region: String::new(),
        kind: Kind::LeakedKey,
        identity: Identity {
            kind: IdentityKind::Other,
            id: format!("access key {key}"),
        },
        session: Session {
            access_key: Some(key.to_owned()),
            ..Session::default()
        },
        target: Some(Target::Principal(key.to_owned())),
        issued: Some(key.to_owned()),
        grave: true,
        ..envelope.signal(Service::Iam, "AWS has found the credential where strangers can read it")
    }
}

fn signal(envelope: &Envelope, service: &str, code: &str, closed: bool) -> Option<Activity> {
    let category = envelope.text("/eventTypeCategory");
    let public = envelope.text("/eventScopeCode") == "PUBLIC";
    let warns = matches!(service, "RISK" | "ABUSE") || envelope.detail_type == "AWS Health Abuse Event";
    let watched = match service {
        "RISK" | "ABUSE" | "BILLING" => Service::Billing,
        "PINPOINT" => Service::Sms,
        other => service_named(other)?,
    };
    // A service that is down is down for everybody, and a change that is planned spends nothing.
    let about_this_account = !public && matches!(category, "issue" | "accountNotification" | "investigation");
    let kind = if closed || !(warns || about_this_account) {
        Kind::Context
    } else {
        Kind::SpendSignal
    };
    let why = format!(
        "AWS Health: {}: {}",
        bounded(code, 96),
        bounded(description(envelope), 240)
    );
    Some(Activity {
        event_id: Some(event_id(&[
            envelope.text("/communicationId"),
            envelope.text("/eventArn"),
            envelope.text("/page"),
        ])),
        account: affected_account(envelope),
        region: region(envelope.text("/eventRegion")),
        target: Some(Target::Resource(bounded(code, 128))),
        grave: warns && kind == Kind::SpendSignal,
        ..envelope.activity(&envelope.detail_type, kind, watched, &why)
    })
}

/// An organisation's event is delivered to its management account, and names the member.
fn affected_account(envelope: &Envelope) -> String {
    account(envelope.text("/affectedAccount")).unwrap_or_else(|| envelope.account.clone())
}

/// The access keys that are affected: nothing else that an entity's value may be.
fn affected(envelope: &Envelope) -> Vec<&str> {
    let entities = envelope.detail.pointer("/affectedEntities").and_then(Value::as_array);
    let values = entities
        .into_iter()
        .flatten()
        .map(|entity| text(entity, "/entityValue"));
    let is_key = |value: &&str| {
        (16..=64).contains(&value.len())
            && value.bytes().all(|b| b.is_ascii_alphanumeric())
            && (value.starts_with("AKIA") || value.starts_with("ASIA") || value.starts_with("ACCA"))
    };
    values.filter(is_key).take(MAX_KEYS).collect()
}

fn description(envelope: &Envelope) -> &str {
    envelope.text("/eventDescription/0/latestDescription")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::signals::read;
    use crate::signals::testing::event;

    fn health(service: &str, code: &str, category: &str, scope: &str, entities: &[&str]) -> Vec<Activity> {
        let entities: Vec<Value> = entities
            .iter()
            .map(|e| json!({"entityValue": e, "status": "IMPAIRED"}))
            .collect();
        let detail = json!({"eventArn": "arn:aws:health:us-east-1::event/RISK/1", "service": service, "eventTypeCode": code,
            "eventTypeCategory": category, "eventScopeCode": scope, "communicationId": "c-1", "statusCode": "open",
            "startTime": "Tue, 17 Mar 2026 03:00:00 GMT", "eventRegion": "us-east-1", "page": "1", "totalPages": "1",
            "eventDescription": [{"language": "en_US", "latestDescription": "Please look\nat this."}],
            "affectedEntities": entities, "affectedAccount": "444455556666"});
        read(&event(("aws.health", "AWS Health Event"), detail))
    }

    #[test]
    fn an_exposed_credential_is_a_leaked_key_of_the_member_account() {
        let leaks = health(
            "RISK",
            "AWS_RISK_CREDENTIALS_EXPOSED",
            "issue",
            "ACCOUNT_SPECIFIC",
            &["AKIAIOSFODNN7EXAMPLE", "x; rm"],
        );

        let [leak] = leaks.as_slice() else { panic!("{leaks:?}") };
        assert_eq!(
            (leak.kind, leak.service, leak.grave),
            (Kind::LeakedKey, Service::Iam, true)
        );
        assert_eq!(leak.issued.as_deref(), Some("AKIAIOSFODNN7EXAMPLE"));
        assert_eq!(leak.account, "444455556666");
    }

    #[test]
    fn abuse_is_grave_and_a_notice_about_a_service_is_a_signal() {
        let abuse = health("ABUSE", "AWS_ABUSE_SPAM_REPORT", "issue", "ACCOUNT_SPECIFIC", &[]).remove(0);
        assert_eq!(
            (abuse.kind, abuse.service, abuse.grave),
            (Kind::SpendSignal, Service::Billing, true)
        );
        assert_eq!(abuse.why, "AWS Health: AWS_ABUSE_SPAM_REPORT: Please look?at this.");
        let mail = health(
            "SES",
            "AWS_SES_SENDING_REVIEW",
            "accountNotification",
            "ACCOUNT_SPECIFIC",
            &[],
        )
        .remove(0);
        assert_eq!(
            (mail.kind, mail.service, mail.grave),
            (Kind::SpendSignal, Service::Ses, false)
        );
        assert_eq!(
            health("RISK", "AWS_RISK_CREDENTIALS_EXPOSED", "issue", "", &[])[0].kind,
            Kind::SpendSignal
        );
    }

    #[test]
    fn an_outage_a_plan_and_other_services_are_no_signals() {
        let outage = health("SES", "AWS_SES_OPERATIONAL_ISSUE", "issue", "PUBLIC", &[]).remove(0);
        let plan = health(
            "BEDROCK",
            "AWS_BEDROCK_LIFECYCLE",
            "scheduledChange",
            "ACCOUNT_SPECIFIC",
            &[],
        )
        .remove(0);
        assert_eq!((outage.kind, plan.kind), (Kind::Context, Kind::Context));
        assert_eq!(health("EC2", "AWS_EC2_ISSUE", "issue", "ACCOUNT_SPECIFIC", &[]), []);
    }

    #[test]
    fn the_same_communication_by_the_backup_region_is_one() {
        let id = || {
            health("ABUSE", "AWS_ABUSE_SPAM_REPORT", "issue", "ACCOUNT_SPECIFIC", &[])
                .remove(0)
                .event_id
        };
        assert_eq!(id(), id());
    }
}
