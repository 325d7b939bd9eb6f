//! What carries a signal: an event of EventBridge, or a notification of SNS.

use serde::Deserialize;
use serde_json::Value;
use tripmeter_model::{
    Activity, Client, Digest, Identity, Kind, MAX_TEXT, Network, Origin, Outcome, Quantity, Service, Session, Source,
    Timestamp, bounded, digest64, stable_uid,
};

use super::{budgets, cost_anomalies};

/// The longest event id, name or region that is kept, in bytes.
const MAX_NAME: usize = 64;

/// A signal on its way.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// `id`, or the notification's `MessageId`.
    pub id: String,
    /// `source`, such as `aws.ce`; `aws.budgets` for what came by SNS.
    pub source: String,
    /// `detail-type`.
    pub detail_type: String,
    /// The account that AWS says it is from: twelve digits.
    pub account: String,
    /// The region that it was sent from, or empty.
    pub region: String,
    /// `time`.
    pub time: Timestamp,
    /// `resources`.
    pub resources: Vec<String>,
    /// `detail`; of a text for people, its `subject` and `message`.
    pub detail: Value,
}

/// A text that carries no signal.
#[derive(Debug, thiserror::Error)]
pub enum NoSignal {
    /// It is no JSON object, or neither an event nor a notification.
    #[error("it is neither an event of EventBridge nor a notification of SNS: {0}")]
    Unknown(#[from] serde_json::Error),
    /// It does not say whose account it is about.
    #[error("it names no account")]
    NoAccount,
    /// It does not say when.
    #[error("it has no time: {0}")]
    NoTime(#[from] tripmeter_model::TimeError),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Carried {
    Event(Event),
    Notification(Notification),
}

#[derive(Deserialize)]
struct Event {
    id: String,
    source: String,
    #[serde(rename = "detail-type")]
    detail_type: String,
    account: String,
    time: String,
    #[serde(default)]
    region: String,
    #[serde(default)]
    resources: Vec<String>,
    detail: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Notification {
    message_id: String,
    topic_arn: String,
    #[serde(default)]
    subject: Option<String>,
    message: String,
    timestamp: String,
}

impl Envelope {
    /// Out of the body of a queue's message.
    ///
    /// # Errors
    /// When it is no signal, or does not say whose or when.
    pub fn parse(text: &str) -> Result<Self, NoSignal> {
        match serde_json::from_str(text)? {
            Carried::Event(event) => Ok(Self {
                account: account(&event.account).ok_or(NoSignal::NoAccount)?,
                time: event.time.parse()?,
                id: event.id,
                source: event.source,
                detail_type: event.detail_type,
                region: region(&event.region),
                resources: event.resources,
                detail: event.detail,
            }),
            Carried::Notification(notification) => notification.open(),
        }
    }

    /// What the meter says, about a service and the envelope's account and region: one line for people.
    pub(super) fn signal(&self, service: Service, why: &str) -> Activity {
        self.activity(&self.detail_type, Kind::SpendSignal, service, why)
    }

    /// The same, where a meter has a name of its own.
    pub(super) fn activity(&self, meter: &str, kind: Kind, service: Service, why: &str) -> Activity {
        Activity {
            time: self.time,
            event_id: Some(event_id(&[&self.id])),
            account: self.account.clone(),
            region: self.region.clone(),
            service,
            call: bounded(&self.detail_type, MAX_NAME),
            kind,
            outcome: Outcome::Success,
            identity: Identity::meter(meter),
            session: Session::default(),
            origin: Origin {
                source: Source::Internal,
                network: Network::of(&Source::Internal, None),
                client: Client::of(None),
            },
            target: None,
            quantity: Quantity::ONE,
            effect: None,
            routine: false,
            grave: false,
            links: Vec::new(),
            issued: None,
            shape: shape(service, &self.detail_type),
            why: bounded(why, MAX_TEXT),
        }
    }

    /// A text of the detail, by its JSON pointer; empty where there is none.
    pub(super) fn text(&self, pointer: &str) -> &str {
        text(&self.detail, pointer)
    }

    /// A number of the detail, by its JSON pointer.
    pub(super) fn number(&self, pointer: &str) -> Option<f64> {
        number(&self.detail, pointer)
    }

    /// The partition, by the region.
    pub(super) fn partition(&self) -> &'static str {
        match self.region.as_str() {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        }
    }
}

impl Notification {
    /// Only AWS Budgets and Cost Anomaly Detection may publish to the topic: the one writes text, the other JSON.
    fn open(self) -> Result<Envelope, NoSignal> {
        let mut arn = self.topic_arn.splitn(6, ':').skip(3);
        let (topic_region, topic_account) = (arn.next().unwrap_or_default(), arn.next().unwrap_or_default());
        let anomaly = serde_json::from_str::<Value>(&self.message)
            .ok()
            .filter(|message| message.get("anomalyId").is_some());
        let ((source, detail_type), detail) = match anomaly {
            Some(anomaly) => (cost_anomalies::ABOUT, anomaly),
            None => (
                budgets::ABOUT,
                serde_json::json!({ "subject": self.subject, "message": self.message }),
            ),
        };
        Ok(Envelope {
            account: account(topic_account).ok_or(NoSignal::NoAccount)?,
            time: self.timestamp.parse()?,
            id: self.message_id,
            source: source.to_owned(),
            detail_type: detail_type.to_owned(),
            region: region(topic_region),
            resources: Vec::new(),
            detail,
        })
    }
}

/// An account's id: twelve digits, or nothing.
pub(super) fn account(text: &str) -> Option<String> {
    (text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.to_owned())
}

/// A region's name, or empty: `global` and the like are none.
pub(super) fn region(text: &str) -> String {
    let is_region = text.len() <= 32
        && text.split('-').count() >= 3
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if is_region { text.to_owned() } else { String::new() }
}

/// An event's id out of what tells it apart: as it is where it is short enough.
pub(super) fn event_id(parts: &[&str]) -> String {
    match parts {
        [one] if one.len() <= MAX_NAME => bounded(one, MAX_NAME),
        _ => stable_uid(parts),
    }
}

/// Meters have no parameters: what they are about is all of their shape.
pub(super) fn shape(service: Service, call: &str) -> Digest {
    digest64(&[service.name(), call])
}

pub(super) fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// A number, or a text that is one; never one that is not finite.
pub(super) fn number(value: &Value, pointer: &str) -> Option<f64> {
    let found = value.pointer(pointer)?;
    let number = found
        .as_f64()
        .or_else(|| found.as_str()?.trim().replace(',', "").parse().ok())?;
    number.is_finite().then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTIFICATION: &str = r#"{"Type":"Notification","MessageId":"254078db-ff09-5f4f-8c04-266076dcf322",
        "TopicArn":"arn:aws:sns:us-east-1:111122223333:prod-SpendTopic-1A","Subject":"AWS Budgets: mail","Message":"text",
        "Timestamp":"2026-05-13T03:23:01.482Z","SignatureVersion":"1"}"#;

    #[test]
    fn a_notification_is_of_the_account_and_region_of_its_topic() {
        let envelope = Envelope::parse(NOTIFICATION).unwrap();

        assert_eq!(
            (envelope.account.as_str(), envelope.region.as_str()),
            ("111122223333", "us-east-1")
        );
        assert_eq!(envelope.source, "aws.budgets");
        assert_eq!(envelope.time.to_string(), "2026-05-13T03:23:01Z");
    }

    #[test]
    fn what_says_neither_whose_nor_when_is_refused() {
        for (text, why) in [
            ("[]", "neither"),
            ("AWS Budget Notification", "neither"),
            (&NOTIFICATION.replace("111122223333", "everybody"), "no account"),
            (&NOTIFICATION.replace("2026-05-13T", "yesterday "), "no time"),
            (r#"{"Type":"SubscriptionConfirmation","Token":"t"}"#, "neither"),
        ] {
            let error = Envelope::parse(text).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn an_id_that_is_too_long_is_told_apart_all_the_same() {
        let long = |end: char| event_id(&[&format!("{}{end}", "m".repeat(90))]);
        assert_ne!(long('a'), long('b'));
        assert!(long('a').len() <= MAX_NAME);
        assert_eq!(event_id(&["0a1b"]), "0a1b");
    }

    #[test]
    fn only_a_region_is_a_region() {
        for (text, wanted) in [
            ("eu-west-1", "eu-west-1"),
            ("us-gov-west-1", "us-gov-west-1"),
            ("global", ""),
            ("NoRegion", ""),
        ] {
            assert_eq!(region(text), wanted);
        }
    }
}
