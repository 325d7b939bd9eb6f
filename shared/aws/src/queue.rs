//! What a queue hands over to a function, message by message.
//!
//! ```
//! use tripmeter_aws::queue;
//!
//! let payload = r#"{"Records":[{"messageId":"a","body":"{}","attributes":{"ApproximateReceiveCount":"2"}},7]}"#;
//! let messages = queue::messages(payload).unwrap();
//! assert_eq!(messages[0].as_ref().map(|message| message.received), Some(2));
//! assert!(messages[1].is_none() && queue::messages("{}").is_err());
//! ```

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Message {
    /// By what it is acknowledged or handed back.
    #[serde(rename = "messageId")]
    pub id: String,
    /// What was sent.
    pub body: String,
    /// How often it has come, this time included.
    #[serde(default = "once", rename = "attributes", deserialize_with = "receive_count")]
    pub received: u32,
}

/// A payload that is no batch of a queue.
#[derive(Debug, thiserror::Error)]
#[error("the payload is no batch of SQS: {0}")]
pub struct NoBatch(#[from] serde_json::Error);

/// A batch. Messages are taken as they are, so that one which is not what it should be is one message: `None`.
#[derive(Deserialize)]
struct Delivery<'a> {
    #[serde(rename = "Records", borrow)]
    messages: Vec<&'a RawValue>,
}

/// The messages of a batch. Without its id, a message can be neither acknowledged nor handed back: it is `None`.
///
/// # Errors
/// When the payload is no batch at all; then nothing of it can be acknowledged.
pub fn messages(payload: &str) -> Result<Vec<Option<Message>>, NoBatch> {
    let delivery: Delivery<'_> = serde_json::from_str(payload)?;
    let messages = delivery.messages.into_iter();
    Ok(messages.map(|raw| serde_json::from_str(raw.get()).ok()).collect())
}

fn once() -> u32 {
    1
}

fn receive_count<'de, D: Deserializer<'de>>(attributes: D) -> Result<u32, D::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Attributes {
        approximate_receive_count: Option<String>,
    }
    let count = Attributes::deserialize(attributes)?.approximate_receive_count;
    Ok(count.and_then(|count| count.parse().ok()).unwrap_or_else(once))
}
