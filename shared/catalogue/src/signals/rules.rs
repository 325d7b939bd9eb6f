//! What EventBridge is asked for so that the meters are heard: a rule for each source.
//!
//! The sources are named in full: nobody but AWS may put one that begins with `aws.` on a bus. A rule passes no more
//! than what [`read`](super::read) tells something of, since alarms and delivery reports are many.

use serde_json::{Value, json};
use tripmeter_model::Service;

use super::{alarms, cost_anomalies, guard_duty, health, messages, trusted_advisor};
use crate::patterns::{EventRule, Route, State, Wanted};

/// Every rule.
pub fn rules() -> Vec<EventRule> {
    vec![
        rule(
            "SpendAlarms",
            Service::CloudWatch,
            alarms::ABOUT,
            &json!({
                "state": { "value": ["ALARM"] },
                "configuration": { "metrics": { "metricStat": { "metric": { "namespace": alarms::NAMESPACES } } } },
            }),
        ),
        rule(
            "SpendCostAnomalies",
            Service::CostExplorer,
            cost_anomalies::ABOUT,
            &Value::Null,
        ),
        rule("SpendGuardDuty", Service::GuardDuty, guard_duty::ABOUT, &Value::Null),
        EventRule {
            pattern: pattern(
                "aws.health",
                &["AWS Health Event", "AWS Health Abuse Event"],
                &json!({ "service": health::SERVICES }),
            ),
            ..rule("SpendHealth", Service::Account, ("aws.health", ""), &Value::Null)
        },
        rule(
            "SpendLimits",
            Service::Support,
            trusted_advisor::ABOUT,
            &json!({ "status": ["WARN", "ERROR"] }),
        ),
        EventRule {
            pattern: pattern(
                "aws.ses",
                &["Sending Status Disabled", "Advisor Recommendation Status Open"],
                &Value::Null,
            ),
            ..rule("SpendMailStanding", Service::Ses, ("aws.ses", ""), &Value::Null)
        },
        EventRule {
            is_use: true,
            ..rule("SpendMail", Service::Ses, ("aws.ses", "Email Sent"), &Value::Null)
        },
        EventRule {
            pattern: pattern("aws.sms-voice", messages::DETAIL_TYPES, &json!({ "isFinal": [true] })),
            is_use: true,
            ..rule("SpendMessages", Service::Sms, ("aws.sms-voice", ""), &Value::Null)
        },
    ]
}

fn rule(name: &str, service: Service, (source, detail_type): (&str, &str), detail: &Value) -> EventRule {
    EventRule {
        name: name.to_owned(),
        service,
        route: Route::Spend,
        state: State::Enabled,
        wanted: Wanted::Always,
        is_use: false,
        pattern: pattern(source, &[detail_type], detail),
    }
}

fn pattern(source: &str, detail_types: &[&str], detail: &Value) -> Value {
    let mut pattern = json!({ "source": [source], "detail-type": detail_types });
    if let (Some(members), false) = (pattern.as_object_mut(), detail.is_null()) {
        members.insert("detail".to_owned(), detail.clone());
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patterns::{MAX_PATTERN, length};

    #[test]
    fn every_pattern_is_within_the_quota_and_pinned_to_aws() {
        for rule in rules() {
            assert!(length(&rule.pattern) <= MAX_PATTERN, "{}", rule.name);
            let sources = rule.pattern["source"].as_array().unwrap();
            assert!(
                sources
                    .iter()
                    .all(|source| source.as_str().unwrap().starts_with("aws.")),
                "{}",
                rule.name
            );
            assert!(!rule.pattern["detail-type"].as_array().unwrap().is_empty());
        }
    }
}
