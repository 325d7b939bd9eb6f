//! The account's own meters, a file for each source: what budgets, quotas, alarms, bills and delivery reports mean.
//!
//! [`read`] makes activities of an [`Envelope`], which is what EventBridge delivers, or SNS for the sources that
//! EventBridge does not have. Most of them are [`Kind::SpendSignal`]: they count nothing and corroborate. Reports of
//! single mails and messages are [`Kind::Use`] by a meter, since no record names their caller.
//!
//! A shape that AWS documents is read as documented; a source whose text is for people is read as far as it goes, and
//! what cannot be read is still a signal about the whole bill. Fields that nobody knows are left alone.
//!
//! ```
//! use tripmeter_catalogue::signals::{Envelope, read};
//! use tripmeter_model::{Kind, Service};
//!
//! let event = r#"{"id":"1","source":"aws.ses","detail-type":"Sending Status Disabled","account":"111122223333",
//!     "time":"2026-03-17T03:14:00Z","region":"eu-west-1","resources":[],
//!     "detail":{"data":{"origin":"AWS_MANAGED","record":{"status":"DISABLED","cause":"High bounce rate."}}}}"#;
//! let signals = read(&Envelope::parse(event).unwrap());
//! assert_eq!((signals[0].kind, signals[0].service), (Kind::SpendSignal, Service::Ses));
//! ```

mod alarms;
mod budgets;
mod cost_anomalies;
mod envelope;
mod guard_duty;
mod health;
pub mod invocations;
mod mail;
mod messages;
pub mod metrics;
mod names;
pub mod rules;
#[cfg(test)]
mod testing;
mod trusted_advisor;

use tripmeter_model::Activity;
#[cfg(doc)]
use tripmeter_model::Kind;

pub use self::envelope::{Envelope, NoSignal};
pub use self::names::{service_named, service_of_namespace};

/// What a meter says, as activities; nothing where it says nothing about what is watched. Nothing in it makes this fail.
pub fn read(envelope: &Envelope) -> Vec<Activity> {
    let about = (envelope.source.as_str(), envelope.detail_type.as_str());
    match about {
        budgets::ABOUT => vec![budgets::read(envelope)],
        cost_anomalies::ABOUT => cost_anomalies::read(envelope),
        alarms::ABOUT => alarms::read(envelope),
        trusted_advisor::ABOUT => trusted_advisor::read(envelope).into_iter().collect(),
        guard_duty::ABOUT => guard_duty::read(envelope).into_iter().collect(),
        mail::SENT | mail::SENT_ELSEWHERE => vec![mail::sent(envelope)],
        _ if health::ABOUT.contains(&about) => health::read(envelope),
        _ if mail::STANDING.contains(&about) => mail::standing(envelope).into_iter().collect(),
        _ if messages::ABOUT.contains(&about) => messages::read(envelope).into_iter().collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn leaf() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(|n| json!(n)),
            "(.|\n|\u{1b}|\u{202e}){0,700}".prop_map(Value::from),
            prop::sample::select(vec![
                "ALARM", "ISSUE", "RISK", "SES", "AWS/SES", "Send", "ERROR", "true", "-1e308"
            ])
            .prop_map(Value::from),
        ]
    }

    /// Something of the shape of one of the sources, with anything in its place.
    fn detail() -> impl Strategy<Value = Value> {
        const WORDS: &[&str] = &[
            "accountId",
            "affectedEntities",
            "action",
            "alarmName",
            "check-item-detail",
            "configuration",
            "data",
            "destination",
            "dimensions",
            "entityValue",
            "eventTypeCode",
            "impact",
            "isFinal",
            "linkedAccount",
            "mail",
            "message",
            "messageId",
            "metric",
            "metricStat",
            "metrics",
            "name",
            "namespace",
            "origin",
            "reasonData",
            "record",
            "region",
            "rootCauses",
            "service",
            "severity",
            "source",
            "state",
            "status",
            "subject",
            "tags",
            "totalImpact",
            "totalMessagePrice",
            "type",
            "usageType",
            "value",
            "ses:caller-identity",
        ];
        leaf().prop_recursive(5, 60, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..20).prop_map(Value::from),
                prop::collection::btree_map(prop::sample::select(WORDS).prop_map(str::to_owned), inner, 0..8)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    const SOURCES: &[(&str, &str)] = &[
        budgets::ABOUT,
        cost_anomalies::ABOUT,
        alarms::ABOUT,
        trusted_advisor::ABOUT,
        guard_duty::ABOUT,
        ("aws.health", "AWS Health Event"),
        ("aws.ses", "Email Sent"),
        ("aws.ses", "Sending Status Disabled"),
        ("aws.ses", "Advisor Recommendation Status Open"),
        ("aws.sms-voice", "Text Message Delivery Status Updated"),
        ("aws.other", "Anything"),
    ];

    proptest! {
        #[test]
        fn whatever_an_event_holds_it_is_read_and_bounded(
            (source, detail_type) in prop::sample::select(SOURCES), detail in detail(), region in ".{0,90}"
        ) {
            let event = json!({
                "id": "e", "source": source, "detail-type": detail_type, "account": "111122223333",
                "time": "2026-03-17T03:14:00Z", "region": region, "detail": detail,
            });

            let activities = read(&Envelope::parse(&event.to_string()).unwrap());

            prop_assert!(activities.len() <= 16);
            for activity in activities {
                prop_assert!(activity.account.len() == 12 && activity.account.bytes().all(|b| b.is_ascii_digit()));
                prop_assert!(activity.event_id.as_ref().is_none_or(|id| id.len() <= 64));
                prop_assert!(activity.region.len() <= 64 && activity.why.len() <= 512);
                prop_assert!(activity.identity.id.len() <= 256 && activity.links.iter().all(|l| l.len() <= 512));
                prop_assert!(activity.why.chars().all(tripmeter_model::printable));
                prop_assert!(activity.quantity.units >= 1);
            }
        }

        #[test]
        fn whatever_a_queue_holds_is_read_or_refused(text in "(.|\n){0,300}") {
            let _ = Envelope::parse(&text).map(|envelope| read(&envelope));
        }
    }
}
