//! CloudWatch alarms on the metrics of what is watched.
//!
//! Source: "Alarm events and EventBridge", Amazon CloudWatch User Guide: single metrics, metric math and anomaly bands.
//! An alarm on several services is a signal for each. A composite alarm names no metric, and its members speak themselves.

use serde_json::Value;
use tripmeter_model::{Activity, Kind, Service, Target, bounded};

use super::envelope::{Envelope, event_id, number, text};
use super::names::{service_named, service_of_namespace};

pub(super) const ABOUT: (&str, &str) = ("aws.cloudwatch", "CloudWatch Alarm State Change");

/// Namespaces whose alarms are heard.
pub(super) const NAMESPACES: &[&str] = &[
    "AWS/SES",
    "AWS/SNS",
    "AWS/SMSVoice",
    "AWS/Bedrock",
    "AWS/BedrockMantle",
    "AWS/SageMaker",
    "AWS/Cognito",
    "AWS/Usage",
    "AWS/Billing",
];

/// Metrics of an alarm that are looked at.
const MAX_METRICS: usize = 20;
/// A value that is so many times the limit is far above it.
const FAR_ABOVE: f64 = 3.0;

/// Only an alarm that goes off is a signal; one that is over, or knows nothing, is context.
pub(super) fn read(envelope: &Envelope) -> Vec<Activity> {
    let metrics = envelope
        .detail
        .pointer("/configuration/metrics")
        .and_then(Value::as_array);
    let metrics = metrics.into_iter().flatten().take(MAX_METRICS);
    let mut services: Vec<(Service, &str)> = Vec::new();
    for metric in metrics.filter_map(|one| one.pointer("/metricStat/metric")) {
        if let Some(service) = service_of(metric)
            && !services.iter().any(|(known, _)| *known == service)
        {
            services.push((service, text(metric, "/name")));
        }
    }
    services
        .into_iter()
        .map(|(service, metric)| signal(envelope, service, metric))
        .collect()
}

fn signal(envelope: &Envelope, service: Service, metric: &str) -> Activity {
    let state = envelope.text("/state/value");
    let alarm = envelope.text("/alarmName");
    let kind = if state == "ALARM" {
        Kind::SpendSignal
    } else {
        Kind::Context
    };
    let data = Data::of(envelope.text("/state/reasonData"));
    let said = match (data.peak, data.limit) {
        (Some(peak), Some(limit)) => format!(": {metric} {peak:.2}, limit {limit:.2}"),
        _ => format!(": {metric}"),
    };
    Activity {
        event_id: Some(event_id(&[&envelope.id, service.name()])),
        target: (!alarm.is_empty()).then(|| Target::Resource(bounded(alarm, 128))),
        grave: kind == Kind::SpendSignal && data.is_far_above(),
        ..envelope.activity(
            &envelope.detail_type,
            kind,
            service,
            &format!(
                "the alarm {} is in state {}{said}",
                bounded(alarm, 128),
                bounded(state, 32)
            ),
        )
    }
}

/// What `reasonData` holds: JSON in a text.
#[derive(Default)]
struct Data {
    peak: Option<f64>,
    limit: Option<f64>,
}

impl Data {
    fn of(json: &str) -> Self {
        let data: Value = serde_json::from_str(json).unwrap_or_default();
        let most = |pointer: &str| {
            let list = data.pointer(pointer).and_then(Value::as_array)?;
            list.iter()
                .filter_map(Value::as_f64)
                .filter(|n| n.is_finite())
                .reduce(f64::max)
        };
        Self {
            peak: most("/recentDatapoints"),
            // A fixed threshold, else the upper edge of the band.
            limit: number(&data, "/threshold").or_else(|| most("/recentUpperThresholds")),
        }
    }

    fn is_far_above(&self) -> bool {
        let both = self.peak.zip(self.limit);
        both.is_some_and(|(peak, limit)| peak > 0.0 && limit >= 0.0 && peak >= limit * FAR_ABOVE)
    }
}

/// The watched service that a metric is about, where the metric counts what is spent or is about to be: how quick or how
/// wrong a service is says nothing of it.
fn service_of(metric: &Value) -> Option<Service> {
    let (namespace, name) = (text(metric, "/namespace"), text(metric, "/name"));
    match namespace {
        "AWS/Usage" => service_named(text(metric, "/dimensions/Service")),
        "AWS/Billing" => match text(metric, "/dimensions/ServiceName") {
            "" => Some(Service::Billing),
            name => service_named(name),
        },
        _ => service_of_namespace(namespace).filter(|service| is_of_spending(*service, name)),
    }
}

fn is_of_spending(service: Service, metric: &str) -> bool {
    match service {
        Service::Ses => {
            matches!(metric, "Send" | "Delivery" | "Bounce" | "Complaint" | "Reject")
                || metric.starts_with("Reputation.")
        }
        Service::Sns => metric.starts_with("NumberOf") || metric.starts_with("SMS") || metric == "PhoneNumberDirect",
        Service::Sms => {
            metric.starts_with("NumberOf") || metric.contains("Spend") || metric.contains("BlockedByProtect")
        }
        Service::Cognito => metric.starts_with("SignUp"),
        Service::SageMaker => matches!(metric, "Invocations" | "InvocationsPerInstance" | "InvocationsPerCopy"),
        _ => {
            metric.contains("Token")
                || metric.contains("TPMQuota")
                || metric.contains("BurnDown")
                || metric.ends_with("ImageCount")
                || matches!(
                    metric,
                    "Invocations" | "Inferences" | "InvocationThrottles" | "LegacyModelInvocations"
                )
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::signals::read;
    use crate::signals::testing::event;

    fn stat(namespace: &str, name: &str, dimensions: &Value) -> Value {
        json!({"id": "m1", "metricStat": {"metric": {"namespace": namespace, "name": name, "dimensions": dimensions},
            "period": 300, "stat": "Sum"}, "returnData": true})
    }

    fn alarm(state: &str, reason_data: &str, metrics: &[Value]) -> Vec<Activity> {
        read(&event(
            ABOUT,
            json!({"alarmName": "mail is many", "configuration": {"description": "", "metrics": metrics},
                "state": {"value": state, "reason": "Threshold Crossed", "reasonData": reason_data,
                          "timestamp": "2026-03-17T03:14:00.000+0000"},
                "previousState": {"value": "OK"}}),
        ))
    }

    const STATIC: &str = r#"{"version":"1.0","period":300,"recentDatapoints":[45.0,4500.0],"threshold":1000.0}"#;
    const BAND: &str =
        r#"{"version":"1.0","recentDatapoints":[300.0],"recentLowerThresholds":[1.0],"recentUpperThresholds":[225.7]}"#;

    #[test]
    fn an_alarm_is_a_signal_about_its_metrics_service_and_grave_far_above_its_limit() {
        let send = stat("AWS/SES", "Send", &json!({}));
        let far = alarm("ALARM", STATIC, std::slice::from_ref(&send)).remove(0);
        assert_eq!(
            (far.service, far.kind, far.grave),
            (Service::Ses, Kind::SpendSignal, true)
        );
        assert_eq!(
            far.why,
            "the alarm mail is many is in state ALARM: Send 4500.00, limit 1000.00"
        );
        assert_eq!(far.target, Some(Target::Resource("mail is many".into())));

        let band = json!({"id": "ad1", "expression": "ANOMALY_DETECTION_BAND(m1, 2)", "returnData": true});
        let above = alarm("ALARM", BAND, &[send, band]).remove(0);
        assert_eq!((above.kind, above.grave), (Kind::SpendSignal, false));
    }

    #[test]
    fn an_alarm_that_is_over_is_context() {
        for state in ["OK", "INSUFFICIENT_DATA", "", "alarm"] {
            let over = alarm(state, STATIC, &[stat("AWS/SES", "Send", &json!({}))]).remove(0);
            assert_eq!((over.kind, over.grave), (Kind::Context, false), "{state}");
        }
    }

    #[test]
    fn metric_math_is_about_every_service_whose_metrics_it_takes() {
        let sum = json!({"id": "e1", "expression": "SUM(METRICS())", "returnData": true});
        let metrics = [
            sum,
            stat("AWS/Bedrock", "InputTokenCount", &json!({"ModelId": "m"})),
            stat("AWS/Bedrock", "OutputTokenCount", &json!({"ModelId": "m"})),
            stat("AWS/SNS", "SMSMonthToDateSpentUSD", &json!({})),
        ];
        let signals = alarm("ALARM", "no json", &metrics);

        let services: Vec<Service> = signals.iter().map(|signal| signal.service).collect();
        assert_eq!(services, [Service::Bedrock, Service::Sns]);
        assert_ne!(signals[0].event_id, signals[1].event_id);
    }

    #[test]
    fn usage_and_charges_are_of_the_service_in_their_dimensions() {
        let about = |namespace: &str, name: &str, dimensions: Value| {
            alarm("ALARM", STATIC, &[stat(namespace, name, &dimensions)])
                .first()
                .map(|signal| signal.service)
        };
        let usage = json!({"Service": "SNS", "Type": "API", "Resource": "SetSMSAttributes"});
        assert_eq!(about("AWS/Usage", "CallCount", usage), Some(Service::Sns));
        let charges = json!({"Currency": "USD", "ServiceName": "AmazonSES"});
        assert_eq!(about("AWS/Billing", "EstimatedCharges", charges), Some(Service::Ses));
        assert_eq!(
            about("AWS/Billing", "EstimatedCharges", json!({"Currency": "USD"})),
            Some(Service::Billing)
        );
        for (namespace, name, dimensions) in [
            ("AWS/Billing", "EstimatedCharges", json!({"ServiceName": "AmazonEC2"})),
            ("AWS/Usage", "CallCount", json!({"Service": "EC2"})),
            ("AWS/Bedrock", "InvocationLatency", json!({})),
            ("AWS/EC2", "CPUUtilization", json!({})),
        ] {
            assert_eq!(about(namespace, name, dimensions), None, "{namespace} {name}");
        }
    }

    #[test]
    fn every_namespace_that_is_heard_is_read() {
        for namespace in NAMESPACES {
            let known = service_of_namespace(namespace).is_some() || matches!(*namespace, "AWS/Usage" | "AWS/Billing");
            assert!(known, "{namespace}");
        }
    }
}
