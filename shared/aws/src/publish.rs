//! Findings to SNS: to the findings topic in a form for each protocol, to the chat topic in the one form that chat
//! shows.
//!
//! A finding is never lost for its content: what is too large is trimmed with a pointer to the whole, and what SNS
//! refuses all the same is announced with the little that cannot be refused.

mod message;
mod trim;

use std::panic::{self, AssertUnwindSafe};

use aws_sdk_sns::Client;
use aws_sdk_sns::config::http::HttpResponse;
use aws_sdk_sns::error::{BuildError, DisplayErrorContext, SdkError};
use aws_sdk_sns::operation::publish::PublishError as SnsError;
use aws_sdk_sns::types::MessageAttributeValue;
use tripmeter_findings::RUNBOOKS;
use tripmeter_model::Finding;

use self::message::{Body, Message};
use crate::policy::Announcement;

/// What messages say of other places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// The base of the runbooks' addresses; empty where they have none, and then their paths in the project are said.
    pub runbooks: String,
    /// The findings table, where the whole of a trimmed finding is.
    pub findings_table: String,
}

/// How much of a finding SNS took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// All of it.
    Whole,
    /// It was too large: shorter lists, with a pointer to the whole.
    Trimmed,
    /// SNS refused its content: what it is about, with a pointer to the whole.
    Announced,
}

/// A message that SNS did not take.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// SNS says that the message itself is at fault: repeating it is of no use.
    #[error("SNS refuses {what} for topic {topic}: {cause}")]
    Refused {
        /// Which message.
        what: String,
        /// The topic's ARN.
        topic: String,
        /// What SNS said.
        cause: String,
    },
    /// The topic, its key, a permission, the network or SNS is at fault: it is worth trying later.
    #[error("cannot publish {what} to topic {topic} now: {cause}")]
    Unavailable {
        /// Which message.
        what: String,
        /// The topic's ARN.
        topic: String,
        /// What went wrong.
        cause: String,
    },
}

/// The stack's topics, by their ARNs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topics {
    /// For findings and digests.
    pub findings: String,
    /// For chat, where there is one.
    pub chat: Option<String>,
    /// For what concerns the detector itself.
    pub operations: String,
}

/// Publishes to the stack's topics.
#[derive(Clone, Debug)]
pub struct Publisher {
    sns: Client,
    findings_topic: String,
    chat_topic: Option<String>,
    operations_topic: String,
    places: Places,
}

impl Publisher {
    /// To these topics; without one for chat, nothing goes there.
    pub fn new(sns: Client, topics: Topics, places: Places) -> Self {
        let mut places = places;
        if places.runbooks.is_empty() {
            RUNBOOKS.clone_into(&mut places.runbooks);
        }
        Self {
            sns,
            findings_topic: topics.findings,
            chat_topic: topics.chat.filter(|topic| !topic.is_empty()),
            operations_topic: topics.operations,
            places,
        }
    }

    /// Publishes a finding to the findings topic. What SNS refuses is announced in the least form; an error is left
    /// only where that is refused too, or where publishing does not work now: the client has tried again by itself.
    pub async fn finding(&self, finding: &Finding) -> Result<Delivery, PublishError> {
        let what = format!("finding {} revision {}", finding.uid, finding.revision);
        let least = || Message::announcement(finding, &self.places);
        let (message, delivery) =
            told(|| Message::finding(finding, &self.places)).unwrap_or_else(|| (least(), Delivery::Announced));
        match self.send(&self.findings_topic, &what, message).await {
            Ok(()) => Ok(delivery),
            Err(PublishError::Refused { cause, .. }) => {
                tracing::error!(uid = finding.uid, revision = finding.revision, cause, "message refused");
                self.send(&self.findings_topic, &what, least()).await?;
                Ok(Delivery::Announced)
            }
            Err(unavailable) => Err(unavailable),
        }
    }

    /// Publishes a finding to the chat topic, where there is one; `None` where there is none.
    pub async fn chat(&self, finding: &Finding) -> Result<Option<()>, PublishError> {
        let Some(topic) = &self.chat_topic else { return Ok(None) };
        let what = format!(
            "chat notification of finding {} revision {}",
            finding.uid, finding.revision
        );
        match told(|| Message::chat(finding, &self.places)) {
            Some(message) => self.send(topic, &what, message).await.map(Some),
            None => Err(PublishError::Refused {
                what,
                topic: topic.clone(),
                cause: "it cannot be told: a fault of ours".to_owned(),
            }),
        }
    }

    /// Publishes a digest to the findings topic.
    pub async fn digest(&self, subject: &str, text: &str) -> Result<(), PublishError> {
        let digest = Message::digest(subject, text);
        self.send(&self.findings_topic, "a digest", digest).await
    }

    /// Publishes to the operations topic that a policy has come into force.
    pub async fn policy(&self, said: &Announcement) -> Result<(), PublishError> {
        let message = Message::plain(&said.subject, &said.text);
        self.send(&self.operations_topic, "a policy's announcement", message)
            .await
    }

    async fn send(&self, topic: &str, what: &str, message: Message) -> Result<(), PublishError> {
        let (text, structure) = match message.body {
            Body::Same(text) => (text, None),
            Body::ByProtocol(json) => (json, Some("json".to_owned())),
        };
        let mut publish = self
            .sns
            .publish()
            .topic_arn(topic)
            .subject(message.subject)
            .message(text)
            .set_message_structure(structure);
        for (name, value) in message.attributes {
            let attribute = attribute(&value).map_err(|error| PublishError::Refused {
                what: what.to_owned(),
                topic: topic.to_owned(),
                cause: error.to_string(),
            })?;
            publish = publish.message_attributes(name, attribute);
        }
        match publish.send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(failed(&error, what, topic)),
        }
    }
}

/// What `tell` makes; none where telling panics, which must cost neither the finding nor those after it.
fn told<T>(tell: impl FnOnce() -> T) -> Option<T> {
    panic::catch_unwind(AssertUnwindSafe(tell)).ok()
}

fn attribute(value: &str) -> Result<MessageAttributeValue, BuildError> {
    MessageAttributeValue::builder()
        .data_type("String")
        .string_value(value)
        .build()
}

fn failed(error: &SdkError<SnsError, HttpResponse>, what: &str, topic: &str) -> PublishError {
    let (what, topic) = (what.to_owned(), topic.to_owned());
    let cause = DisplayErrorContext(error).to_string();
    match error.as_service_error() {
        Some(
            SnsError::InvalidParameterException(_)
            | SnsError::InvalidParameterValueException(_)
            | SnsError::ValidationException(_),
        ) => PublishError::Refused { what, topic, cause },
        _ => PublishError::Unavailable { what, topic, cause },
    }
}
