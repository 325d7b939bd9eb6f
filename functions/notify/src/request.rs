//! What the function is invoked with: a batch of the findings table's stream, or the order to sweep.

use serde::Deserialize;
use serde_json::value::RawValue;
use tripmeter_model::bounded;

use crate::outbox::Due;

/// A payload, taken apart as far as is needed to tell its records from each other.
#[derive(Debug)]
pub(crate) enum Request<'a> {
    /// Records of the stream, each read by itself.
    Batch(Vec<Record<'a>>),
    /// Publish what is pending and due.
    Sweep,
}

/// The payload is neither a batch nor a sweep.
#[derive(Debug, thiserror::Error)]
#[error("neither records of the findings table's stream nor {{\"tripmeter\":\"sweep\"}}: {0}")]
pub struct UnknownRequest(String);

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, rename = "Records")]
    records: Option<Vec<&'a RawValue>>,
    tripmeter: Option<String>,
}

impl<'a> Request<'a> {
    pub(crate) fn read(payload: &'a str) -> Result<Self, UnknownRequest> {
        let unknown = || UnknownRequest(bounded(payload, 200));
        let envelope: Envelope = serde_json::from_str(payload).map_err(|_| unknown())?;
        match (envelope.records, envelope.tripmeter.as_deref()) {
            (Some(records), None) => Ok(Self::Batch(records.into_iter().map(Record).collect())),
            (None, Some("sweep")) => Ok(Self::Sweep),
            _ => Err(unknown()),
        }
    }
}

/// A record of the stream, as it came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a>(&'a RawValue);

/// A record that is none of a finding.
#[derive(Debug, thiserror::Error)]
#[error("stream record {name} holds no finding: {why}")]
pub(crate) struct UnreadableRecord {
    name: String,
    why: String,
}

#[derive(Deserialize)]
struct Place {
    #[serde(rename = "eventID")]
    event_id: Option<String>,
    dynamodb: Option<PlaceInStream>,
}

#[derive(Deserialize)]
struct PlaceInStream {
    #[serde(rename = "SequenceNumber")]
    sequence_number: Option<String>,
}

#[derive(Deserialize)]
struct Change {
    dynamodb: Images,
}

#[derive(Deserialize)]
struct Images {
    #[serde(rename = "NewImage")]
    new: Image,
    #[serde(rename = "Keys")]
    keys: Keys,
}

#[derive(Deserialize)]
struct Keys {
    account: Text,
    uid: Text,
}

#[derive(Deserialize)]
struct Image {
    finding: Text,
}

/// DynamoDB's JSON of a string.
#[derive(Deserialize)]
struct Text {
    #[serde(rename = "S")]
    text: String,
}

impl Record<'_> {
    /// Its place in the stream, by which it is handed back.
    pub(crate) fn sequence_number(self) -> Option<String> {
        self.place()?
            .dynamodb?
            .sequence_number
            .filter(|number| !number.is_empty())
    }

    /// The finding that it says is due.
    pub(crate) fn due(self) -> Result<Due, UnreadableRecord> {
        let unreadable = |error: serde_json::Error| UnreadableRecord {
            name: bounded(&self.name(), 100),
            why: bounded(&error.to_string(), 200),
        };
        let Change {
            dynamodb: Images { new, keys },
        } = serde_json::from_str(self.0.get()).map_err(unreadable)?;
        Ok(Due {
            account: keys.account.text,
            uid: keys.uid.text,
            image: Some(serde_json::from_str(&new.finding.text).map_err(unreadable)?),
        })
    }

    /// What a person would look for.
    fn name(self) -> String {
        let id = self.place().and_then(|place| place.event_id);
        id.or_else(|| self.sequence_number())
            .unwrap_or_else(|| "without an id".to_owned())
    }

    fn place(self) -> Option<Place> {
        serde_json::from_str(self.0.get()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_a_batch_or_a_sweep_or_an_error_that_shows_it() {
        let batch = Request::read(r#"{"Records":[{"eventID":"e-1"},17]}"#).unwrap();
        assert!(matches!(batch, Request::Batch(records) if records.len() == 2));
        assert!(matches!(
            Request::read(r#"{"tripmeter":"sweep"}"#).unwrap(),
            Request::Sweep
        ));
        for neither in [
            "",
            "[]",
            "{}",
            r#"{"tripmeter":"tick"}"#,
            r#"{"Records":7}"#,
            r#"{"Records":null}"#,
        ] {
            let error = Request::read(neither).unwrap_err().to_string();
            assert!(error.ends_with(neither), "{error}");
        }
    }

    #[test]
    fn a_record_that_cannot_be_read_is_named_and_keeps_its_place() {
        let payload = r#"{"Records":[
            {"eventID":"e-1","dynamodb":{"SequenceNumber":"41","Keys":{"account":{"S":"a"},"uid":{"S":"u"}},"NewImage":{"finding":{"S":"{}"}}}},
            {"eventID":"e-2","dynamodb":{"SequenceNumber":"42"}},
            {"dynamodb":{"SequenceNumber":"43","NewImage":{"finding":{"N":"1"}}}},
            17]}"#;
        let Ok(Request::Batch(records)) = Request::read(payload) else {
            panic!("a batch")
        };

        let told: Vec<String> = records
            .iter()
            .map(|record| record.due().unwrap_err().to_string())
            .collect();
        let places: Vec<Option<String>> = records.iter().map(|record| record.sequence_number()).collect();

        for (told, name) in told
            .iter()
            .zip(["record e-1 ", "record e-2 ", "record 43 ", "record without an id "])
        {
            assert!(told.contains(name), "{told}");
        }
        assert_eq!(places, [Some("41".into()), Some("42".into()), Some("43".into()), None]);
    }
}
