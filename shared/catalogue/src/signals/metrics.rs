//! What CloudWatch counts where no record does: which metrics are read, and whose use they are.
//!
//! Sources: "Monitoring your Amazon SES sending activity", "Monitoring Amazon SNS topics using CloudWatch", "Monitoring
//! AWS End User Messaging SMS with CloudWatch", "Monitoring Amazon Bedrock", "Monitoring bedrock-mantle" and
//! "Monitoring Amazon Cognito", each in the service's user guide.
//!
//! A meter is an identity of its own: what it counts is compared with what it counted before, and added to nothing that
//! records count.

use tripmeter_model::{Activity, Kind, Quantity, Service, Target, Timestamp};

use super::envelope::{Envelope, region};
use crate::call::About;
use crate::target;

/// A meter: metrics of CloudWatch that are read together.
#[derive(Debug)]
pub struct Meter {
    /// What it is called; its identity's name.
    pub name: &'static str,
    /// What it counts the use of.
    pub service: Service,
    /// Its series.
    pub series: &'static [Series],
    /// What a series is told apart by.
    key: Key,
}

/// A metric of a meter: of the whole account and region, or one series for each value of a dimension.
#[derive(Debug)]
pub struct Series {
    /// The namespace.
    pub namespace: &'static str,
    /// The metric.
    pub metric: &'static str,
    /// The dimensions that a series has, the first of which tells it apart; none for the one without any.
    pub dimensions: &'static [&'static str],
    /// What it adds to.
    pub adds: Adds,
}

/// What a metric's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adds {
    /// A sum of calls, each one unit.
    Each,
    /// A sum of calls whose units another metric counts.
    Calls,
    /// A sum of tokens that were read.
    TokensIn,
    /// A sum of tokens that were written.
    TokensOut,
    /// US dollars since the month began: what it grows by is spent, and a cent counts as a message.
    DollarsToDate,
}

/// What the first dimension names.
#[derive(Clone, Copy, Debug)]
enum Key {
    Nothing,
    Model,
    Country,
    Resource,
}

/// Every meter.
pub const METERS: &[Meter] = &[
    Meter {
        name: "AWS/SES Send",
        service: Service::Ses,
        series: &[series("AWS/SES", "Send", &[], Adds::Each)],
        key: Key::Nothing,
    },
    Meter {
        // The value of the dimension is the same for all numbers.
        name: "AWS/SNS PhoneNumber",
        service: Service::Sns,
        series: &[
            series(
                "AWS/SNS",
                "NumberOfNotificationsDelivered",
                &["PhoneNumber"],
                Adds::Each,
            ),
            series("AWS/SNS", "NumberOfNotificationsFailed", &["PhoneNumber"], Adds::Each),
        ],
        key: Key::Nothing,
    },
    Meter {
        name: "AWS/SNS SMSMonthToDateSpentUSD",
        service: Service::Sns,
        series: &[series("AWS/SNS", "SMSMonthToDateSpentUSD", &[], Adds::DollarsToDate)],
        key: Key::Nothing,
    },
    Meter {
        name: "AWS/SMSVoice NumberOfTextMessagePartsSent",
        service: Service::Sms,
        series: &[series(
            "AWS/SMSVoice",
            "NumberOfTextMessagePartsSent",
            &["IsoCountryCode"],
            Adds::Each,
        )],
        key: Key::Country,
    },
    Meter {
        name: "AWS/SMSVoice TextMessageMonthlySpend",
        service: Service::Sms,
        series: &[series(
            "AWS/SMSVoice",
            "TextMessageMonthlySpend",
            &[],
            Adds::DollarsToDate,
        )],
        key: Key::Nothing,
    },
    Meter {
        name: "AWS/SMSVoice VoiceMessageMonthlySpend",
        service: Service::Sms,
        series: &[series(
            "AWS/SMSVoice",
            "VoiceMessageMonthlySpend",
            &[],
            Adds::DollarsToDate,
        )],
        key: Key::Nothing,
    },
    Meter {
        name: "AWS/Bedrock",
        service: Service::Bedrock,
        series: &[
            series("AWS/Bedrock", "Invocations", &["ModelId"], Adds::Calls),
            series("AWS/Bedrock", "InputTokenCount", &["ModelId"], Adds::TokensIn),
            series("AWS/Bedrock", "OutputTokenCount", &["ModelId"], Adds::TokensOut),
        ],
        key: Key::Model,
    },
    Meter {
        name: "AWS/BedrockMantle",
        service: Service::BedrockMantle,
        series: &[
            series("AWS/BedrockMantle", "Inferences", &["Model"], Adds::Calls),
            series("AWS/BedrockMantle", "TotalInputTokens", &["Model"], Adds::TokensIn),
            series("AWS/BedrockMantle", "TotalOutputTokens", &["Model"], Adds::TokensOut),
        ],
        key: Key::Model,
    },
    Meter {
        // A sign-up sends a code, by SMS where the pool asks for a number.
        name: "AWS/Cognito SignUpSuccesses",
        service: Service::Cognito,
        series: &[series(
            "AWS/Cognito",
            "SignUpSuccesses",
            &["UserPool", "UserPoolClient"],
            Adds::Each,
        )],
        key: Key::Resource,
    },
];

const fn series(
    namespace: &'static str,
    metric: &'static str,
    dimensions: &'static [&'static str],
    adds: Adds,
) -> Series {
    Series {
        namespace,
        metric,
        dimensions,
        adds,
    }
}

impl Meter {
    /// By its name.
    pub fn named(name: &str) -> Option<&'static Self> {
        METERS.iter().find(|meter| meter.name == name)
    }

    /// What it counted in a period of an account's region that begins at this time: `key` is what tells its series
    /// apart, and the event id makes the activity the same however often it is told.
    pub fn counted(&self, place: &Place<'_>, key: &str, quantity: Quantity, event_id: &str) -> Activity {
        let target = match self.key {
            Key::Nothing => None,
            Key::Model => target::of_text(About::Model(&[]), key),
            Key::Country => target::of_text(About::Country(&[]), key),
            Key::Resource => target::of_text(About::Resource(&[]), key),
        };
        let country = match &target {
            Some(Target::Country(code)) => <[u8; 2]>::try_from(code.as_bytes()).ok(),
            _ => None,
        };
        let envelope = Envelope {
            id: event_id.to_owned(),
            source: "aws.cloudwatch".to_owned(),
            detail_type: self.name.to_owned(),
            account: place.account.to_owned(),
            region: region(place.region),
            time: place.begins,
            resources: Vec::new(),
            detail: serde_json::Value::Null,
        };
        Activity {
            target,
            quantity: Quantity {
                units: quantity.units.max(1),
                country,
                ..quantity
            },
            ..envelope.activity(self.name, Kind::Use, self.service, "")
        }
    }
}

/// Where and when a meter counted.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The account.
    pub account: &'a str,
    /// The region.
    pub region: &'a str,
    /// When the period began.
    pub begins: Timestamp,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::signals::service_of_namespace;

    fn counted(meter: &str, key: &str, quantity: Quantity) -> Activity {
        let place = Place {
            account: "111122223333",
            region: "eu-west-1",
            begins: Timestamp::from_seconds(1_773_717_300),
        };
        Meter::named(meter).unwrap().counted(&place, key, quantity, "0a1b")
    }

    #[test]
    fn a_meter_counts_use_by_itself_of_its_models_and_countries() {
        let tokens = Quantity {
            calls: 12,
            units: 48_000,
            micros: Some(144_000),
            country: None,
        };
        let model = counted("AWS/Bedrock", "us.anthropic.claude-sonnet-5-v1:0", tokens);
        assert_eq!(
            (model.kind, model.identity.id.as_str()),
            (Kind::Use, "meter:AWS/Bedrock")
        );
        assert_eq!(
            model.target,
            Some(Target::Model("anthropic.claude-sonnet-5-v1:0".into()))
        );
        assert_eq!((model.quantity, model.event_id.as_deref()), (tokens, Some("0a1b")));

        let text = counted("AWS/SMSVoice NumberOfTextMessagePartsSent", "ID", Quantity::of(900));
        assert_eq!((text.service, text.quantity.country), (Service::Sms, Some(*b"ID")));
        assert_eq!(counted("AWS/SES Send", "whatever", Quantity::of(0)).quantity.units, 1);
    }

    #[test]
    fn names_are_unique_and_every_metric_is_of_its_meters_service() {
        let names: BTreeSet<&str> = METERS.iter().map(|meter| meter.name).collect();
        assert_eq!(names.len(), METERS.len());
        for meter in METERS {
            for series in meter.series {
                assert_eq!(
                    service_of_namespace(series.namespace),
                    Some(meter.service),
                    "{}",
                    series.metric
                );
            }
        }
    }
}
