//! What EventBridge is asked for so that the meters are heard: a rule for each source.
//!
//! The sources are named in full: nobody but AWS may put one that begins with `aws.` on a bus. A rule passes no more
//! than what [`read`](super::read) tells something of, since alarms and delivery reports are many.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tripmeter_model::Service;

use super::{alarms, cost_anomalies, guard_duty, health, mail, messages, trusted_advisor};
use crate::patterns::{EventRule, Route, State, Wanted};

/// Every rule.
pub fn rules() -> Vec<EventRule> {
    let alarms_on_ours = json!({
        "state": { "value": ["ALARM"] },
        "configuration": { "metrics": { "metricStat": { "metric": { "namespace": alarms::NAMESPACES } } } },
    });
    let used_up = json!({ "status": ["WARN", "ERROR"] });
    let of_services = json!({ "service": health::SERVICES });
    let in_the_end = json!({ "isFinal": [true] });
    let all = &Value::Null;
    vec![
        rule("SpendAlarms", Service::CloudWatch, &[alarms::ABOUT], &alarms_on_ours),
        rule(
            "SpendCostAnomalies",
            Service::CostExplorer,
            &[cost_anomalies::ABOUT],
            all,
        ),
        rule("SpendGuardDuty", Service::GuardDuty, &[guard_duty::ABOUT], all),
        rule("SpendHealth", Service::Account, &health::ABOUT, &of_services),
        rule("SpendLimits", Service::Support, &[trusted_advisor::ABOUT], &used_up),
        rule("SpendMailStanding", Service::Ses, &mail::STANDING, all),
        of_use(rule("SpendMail", Service::Ses, &[mail::SENT], all)),
        of_use(rule("SpendMessages", Service::Sms, &messages::ABOUT, &in_the_end)),
    ]
}

/// A rule for events of one source, of these types, with this in their detail.
fn rule(name: &str, service: Service, about: &[(&str, &str)], detail: &Value) -> EventRule {
    let sources: BTreeSet<&str> = about.iter().map(|(source, _)| *source).collect();
    let detail_types: Vec<&str> = about.iter().map(|(_, detail_type)| *detail_type).collect();
    let mut pattern = json!({ "source": sources, "detail-type": detail_types });
    if let (Some(members), false) = (pattern.as_object_mut(), detail.is_null()) {
        members.insert("detail".to_owned(), detail.clone());
    }
    EventRule {
        name: name.to_owned(),
        service,
        route: Route::Spend,
        state: State::Enabled,
        wanted: Wanted::Always,
        is_use: false,
        pattern,
    }
}

/// As many events as there are mails or messages.
fn of_use(rule: EventRule) -> EventRule {
    EventRule { is_use: true, ..rule }
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
