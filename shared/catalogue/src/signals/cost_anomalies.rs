//! AWS Cost Anomaly Detection: `Anomaly Detected`, by EventBridge, or the same as JSON by SNS.
//!
//! Source: "Using EventBridge with Cost Anomaly Detection", AWS Cost Management User Guide. Every root cause is a signal
//! of its own: they are of different accounts, regions and services.

use serde_json::Value;
use tripmeter_model::{Activity, Kind, Quantity, Service, Target};

use super::envelope::{Envelope, account, event_id, region, text};
use super::names::{country_of_usage_type, service_named};
use crate::target::code_text;

pub(super) const ABOUT: (&str, &str) = ("aws.ce", "Anomaly Detected");

/// Root causes of an anomaly that are read: AWS lists ten.
const MAX_CAUSES: usize = 10;
/// What was spent is so many times what was expected: far above it.
const FAR_ABOVE: f64 = 3.0;

pub(super) fn read(envelope: &Envelope) -> Vec<Activity> {
    let causes = envelope.detail.pointer("/rootCauses").and_then(Value::as_array);
    let causes: Vec<&Value> = causes.into_iter().flatten().take(MAX_CAUSES).collect();
    if causes.is_empty() {
        return vec![cause(envelope, &Value::Null, 0)];
    }
    causes
        .into_iter()
        .zip(0..)
        .map(|(value, at)| cause(envelope, value, at))
        .collect()
}

fn cause(envelope: &Envelope, cause: &Value, at: u8) -> Activity {
    let spent = envelope.number("/impact/totalActualSpend");
    let expected = envelope.number("/impact/totalExpectedSpend");
    let impact = envelope.number("/impact/totalImpact");
    // A monitor of services has the service's name as its dimension.
    let billed = [
        text(cause, "/service"),
        envelope.text("/dimensionValue"),
        envelope.text("/dimensionalValue"),
    ];
    let billed = billed.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
    let usage = text(cause, "/usageType");
    let service = service_named(billed);
    let country = country_of_usage_type(usage);
    let payer = account(envelope.text("/accountId"));
    let anomaly = envelope.text("/anomalyId");
    // An anomaly that grew is told anew; the same by two ways is one.
    let state = format!("{:?} {at}", impact.or(spent));
    // A rise of a service that is not watched explains none of those that are.
    let (service, kind) = match service {
        Some(service) => (service, Kind::SpendSignal),
        None if billed.is_empty() => (Service::Billing, Kind::SpendSignal),
        None => (Service::Billing, Kind::Context),
    };
    let amount =
        |what: &str, dollars: Option<f64>| dollars.map_or_else(String::new, |d| format!(", {what} {d:.2} USD"));
    let why = format!(
        "an anomaly of cost{}{}{}{}",
        if billed.is_empty() {
            String::new()
        } else {
            format!(" of {billed}")
        },
        if usage.is_empty() {
            String::new()
        } else {
            format!(" ({usage})")
        },
        amount("spent", spent),
        amount("expected", expected),
    );
    let event_id = if anomaly.is_empty() {
        event_id(&[&envelope.id, &state])
    } else {
        event_id(&[anomaly, &state])
    };
    Activity {
        event_id: Some(event_id),
        account: account(text(cause, "/linkedAccount"))
            .or(payer)
            .unwrap_or_else(|| envelope.account.clone()),
        region: region(text(cause, "/region")),
        target: country.map(|code| Target::Country(code_text(code))),
        quantity: Quantity {
            country,
            ..Quantity::ONE
        },
        grave: kind == Kind::SpendSignal
            && is_far_above(spent, expected, envelope.number("/impact/totalImpactPercentage")),
        ..envelope.activity(&envelope.detail_type, kind, service, &why)
    }
}

/// Where nothing was expected, anything is far above it.
fn is_far_above(spent: Option<f64>, expected: Option<f64>, percentage: Option<f64>) -> bool {
    match (spent, expected) {
        (Some(spent), Some(expected)) => spent > 0.0 && spent >= expected * FAR_ABOVE,
        // The impact is what was spent beyond what was expected.
        _ => percentage.is_some_and(|beyond| beyond >= (FAR_ABOVE - 1.0) * 100.0),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::signals::read;
    use crate::signals::testing::event;

    fn anomaly() -> Value {
        json!({
            "accountName": "payer", "accountId": "111122223333", "anomalyStartDate": "2026-03-16T00:00:00Z",
            "anomalyEndDate": "2026-03-17T00:00:00Z", "anomalyId": "0a1b2c3d-1111", "dimensionValue": "",
            "anomalyScore": {"currentScore": 0.9, "maxScore": 0.9}, "feedback": "NULL",
            "impact": {"maxImpact": 900.0, "totalActualSpend": 1301.0, "totalExpectedSpend": 1.0, "totalImpact": 1300.0,
                       "totalImpactPercentage": 130_000.0},
            "rootCauses": [
                {"linkedAccount": "444455556666", "linkedAccountName": "shop", "region": "ap-southeast-1",
                 "service": "AWS End User Messaging", "usageType": "APS1-OutboundSMS-ID-Standard-Sharedroute-MessageCount",
                 "impact": {"contribution": 900.0}},
                {"linkedAccount": "444455556666", "region": "us-east-1", "service": "Amazon Bedrock",
                 "usageType": "USE1-Claude4Sonnet-input-tokens"},
                {"linkedAccount": "shop", "region": "eu-west-1", "service": "Amazon Elastic Compute Cloud - Compute"},
            ],
        })
    }

    #[test]
    fn each_root_cause_is_a_signal_of_its_own_account_region_and_service() {
        let signals = read(&event(ABOUT, anomaly()));

        let told: Vec<_> = signals
            .iter()
            .map(|s| (s.service, s.account.as_str(), s.region.as_str(), s.grave, s.kind))
            .collect();
        assert_eq!(
            told,
            [
                (Service::Sms, "444455556666", "ap-southeast-1", true, Kind::SpendSignal),
                (Service::Bedrock, "444455556666", "us-east-1", true, Kind::SpendSignal),
                (Service::Billing, "111122223333", "eu-west-1", false, Kind::Context),
            ]
        );
        assert_eq!(signals[0].quantity.country, Some(*b"ID"));
        assert!(
            signals[1].why.contains("spent 1301.00 USD, expected 1.00 USD"),
            "{}",
            signals[1].why
        );
    }

    #[test]
    fn the_same_anomaly_by_two_ways_is_one_and_grown_it_is_another() {
        let by_event = event(ABOUT, anomaly());
        let mut by_topic = by_event.clone();
        by_topic.id = "another".into();
        let mut grown = by_event.clone();
        grown.detail["impact"]["totalImpact"] = json!(2600.0);
        let ids = |envelope| -> Vec<_> { read(envelope).into_iter().map(|s| s.event_id).collect() };

        assert_eq!(ids(&by_event), ids(&by_topic));
        assert!(ids(&grown).iter().all(|id| !ids(&by_event).contains(id)));
        assert_eq!(
            ids(&by_event).iter().collect::<std::collections::BTreeSet<_>>().len(),
            3
        );
    }

    #[test]
    fn an_anomaly_without_causes_is_about_its_dimension_or_the_bill() {
        let without = |dimension: &str, spent: f64| {
            let detail = json!({"anomalyId": "1", "dimensionValue": dimension,
                "impact": {"totalActualSpend": spent, "totalExpectedSpend": 100.0}});
            read(&event(ABOUT, detail)).remove(0)
        };
        assert_eq!(without("Amazon Simple Email Service", 150.0).service, Service::Ses);
        let bill = without("", 500.0);
        assert_eq!(
            (bill.service, bill.grave, bill.kind),
            (Service::Billing, true, Kind::SpendSignal)
        );
        assert!(!without("", 150.0).grave);
    }
}
