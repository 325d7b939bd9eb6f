//! AWS Trusted Advisor: service limits that are nearly, or wholly, used up. In us-east-1, with a paid support plan.
//!
//! Source: "Monitoring AWS Trusted Advisor check results with Amazon EventBridge", AWS Support User Guide; the item's
//! fields are those of the service-limit checks.

use tripmeter_model::{Activity, Kind, Target, bounded};

use super::envelope::{Envelope, region};
use super::names::service_named;

pub(super) const ABOUT: (&str, &str) = ("aws.trustedadvisor", "Trusted Advisor Check Item Refresh Notification");

/// Nothing for an item without a limit: the other checks are not about use.
pub(super) fn read(envelope: &Envelope) -> Option<Activity> {
    let item = |name: &str| envelope.text(&format!("/check-item-detail/{name}"));
    let limit = Some(item("Limit Name")).filter(|limit| !limit.is_empty())?;
    let service = service_named(item("Service")).or_else(|| service_named(envelope.text("/check-name")))?;
    let status = envelope.text("/status");
    let kind = if matches!(status, "WARN" | "ERROR") {
        Kind::SpendSignal
    } else {
        Kind::Context
    };
    let why = format!(
        "the limit {} is at {} of {}",
        bounded(limit, 128),
        bounded(item("Current Usage"), 32),
        bounded(item("Limit Amount"), 32)
    );
    Some(Activity {
        region: region(item("Region")),
        target: Some(Target::Resource(bounded(limit, 128))),
        grave: status == "ERROR",
        ..envelope.activity(&envelope.detail_type, kind, service, &why)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tripmeter_model::Service;

    use super::*;
    use crate::signals::read;
    use crate::signals::testing::event;

    fn item(status: &str, service: &str) -> Option<Activity> {
        let detail = json!({"check-name": "Service Limits", "status": status, "resource_id": "", "uuid": "0a1b",
            "check-item-detail": {"Status": "Red", "Current Usage": "49990", "Limit Name": "Daily sending quota",
                                  "Limit Amount": "50000", "Region": "eu-west-1", "Service": service}});
        read(&event(ABOUT, detail)).pop()
    }

    #[test]
    fn a_limit_that_is_used_up_is_grave_and_of_its_own_region() {
        let full = item("ERROR", "SES").unwrap();
        assert_eq!(
            (full.service, full.kind, full.grave, full.region.as_str()),
            (Service::Ses, Kind::SpendSignal, true, "eu-west-1")
        );
        assert_eq!(full.why, "the limit Daily sending quota is at 49990 of 50000");
        assert!(!item("WARN", "SES").unwrap().grave);
        assert_eq!(item("OK", "SES").unwrap().kind, Kind::Context);
    }

    #[test]
    fn other_services_and_other_checks_say_nothing() {
        assert_eq!(item("ERROR", "EC2"), None);
        let check =
            json!({"check-name": "MFA on Root Account", "status": "ERROR", "check-item-detail": {"Service": "SES"}});
        assert_eq!(read(&event(ABOUT, check)), []);
    }
}
