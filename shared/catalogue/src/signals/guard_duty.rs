//! Amazon GuardDuty's findings about the services that are watched: a second opinion.
//!
//! Source: "GuardDuty EventBridge notification format" and "AI Protection finding types", Amazon GuardDuty User Guide.

use tripmeter_model::{Activity, Kind, Service, Target, bounded};

use super::envelope::{Envelope, account, event_id};
use super::names::service_named;

pub(super) const ABOUT: (&str, &str) = ("aws.guardduty", "GuardDuty Finding");

/// GuardDuty calls this High.
const HIGH: f64 = 7.0;

/// Parts of the types of findings about model calls, whatever else they name.
const MODEL_FINDINGS: &[&str] = &["ModelInvocation", "CostHarvesting", "PromptInjection"];

/// Nothing where the finding names no service that is watched.
pub(super) fn read(envelope: &Envelope) -> Option<Activity> {
    let finding_type = envelope.text("/type");
    let called = envelope.text("/service/action/awsApiCallAction/serviceName");
    let service = service_of(called).or_else(|| {
        let about_models = MODEL_FINDINGS.iter().any(|part| finding_type.contains(part));
        about_models.then_some(Service::Bedrock)
    })?;
    let archived = envelope
        .detail
        .pointer("/service/archived")
        .and_then(serde_json::Value::as_bool);
    let kind = if archived == Some(true) {
        Kind::Context
    } else {
        Kind::SpendSignal
    };
    let updated = envelope.text("/updatedAt");
    let why = format!(
        "GuardDuty: {}: {}",
        bounded(finding_type, 96),
        bounded(envelope.text("/title"), 240)
    );
    // A delegated administrator hears of its members.
    let account = account(envelope.text("/accountId")).unwrap_or_else(|| envelope.account.clone());
    Some(Activity {
        event_id: Some(event_id(&[envelope.text("/id"), updated, &envelope.id])),
        target: Some(Target::Resource(bounded(finding_type, 128))),
        grave: kind == Kind::SpendSignal && envelope.number("/severity").is_some_and(|severity| severity >= HIGH),
        links: principal(envelope, &account).into_iter().collect(),
        account,
        ..envelope.activity(&envelope.detail_type, kind, service, &why)
    })
}

fn service_of(event_source: &str) -> Option<Service> {
    crate::watches(event_source)
        .filter(|service| service.spends())
        .or_else(|| service_named(event_source.strip_suffix(".amazonaws.com")?))
}

/// The principal whose credential was used.
fn principal(envelope: &Envelope, account: &str) -> Option<String> {
    let detail = |name: &str| envelope.text(&format!("/resource/accessKeyDetails/{name}"));
    let name = Some(detail("userName")).filter(|name| !name.is_empty())?;
    let kind = match detail("userType") {
        "IAMUser" => "user",
        "AssumedRole" | "Role" => "role",
        _ => return None,
    };
    let arn = format!("arn:{}:iam::{account}:{kind}/{name}", envelope.partition());
    Some(bounded(&arn, 512))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::signals::read;
    use crate::signals::testing::event;

    fn finding(finding_type: &str, called: &str, severity: f64) -> Value {
        json!({"schemaVersion": "2.0", "accountId": "111122223333", "region": "us-east-1", "id": "f1",
            "type": finding_type, "severity": severity, "title": "An unusual number of models was invoked.",
            "updatedAt": "2026-03-17T03:00:00Z",
            "resource": {"resourceType": "AccessKey",
                         "accessKeyDetails": {"accessKeyId": "AKIA", "userName": "svc-report", "userType": "IAMUser"}},
            "service": {"archived": false, "count": 3,
                        "action": {"actionType": "AWS_API_CALL", "awsApiCallAction": {"api": "InvokeModel", "serviceName": called}}}})
    }

    #[test]
    fn a_finding_about_a_watched_service_names_who_and_is_grave_when_high() {
        let signal = read(&event(ABOUT, finding("Impact:IAMUser/CostHarvesting", "", 2.0))).remove(0);
        assert_eq!(
            (signal.service, signal.kind, signal.grave),
            (Service::Bedrock, Kind::SpendSignal, false)
        );
        assert_eq!(signal.links, ["arn:aws:iam::111122223333:user/svc-report"]);

        let mail = read(&event(
            ABOUT,
            finding("Impact:IAMUser/AnomalousBehavior", "ses.amazonaws.com", 8.0),
        ))
        .remove(0);
        assert_eq!((mail.service, mail.grave), (Service::Ses, true));
    }

    #[test]
    fn findings_about_other_services_and_archived_ones_are_no_signals() {
        for called in ["ec2.amazonaws.com", "iam.amazonaws.com", ""] {
            assert_eq!(
                read(&event(ABOUT, finding("Recon:IAMUser/MaliciousIPCaller", called, 8.0))),
                []
            );
        }
        let mut archived = finding("Impact:IAMUser/CostHarvesting", "", 8.0);
        archived["service"]["archived"] = json!(true);
        let signal = read(&event(ABOUT, archived)).remove(0);
        assert_eq!((signal.kind, signal.grave), (Kind::Context, false));
    }
}
