//! Digests that wait in the state table to be published.
//!
//! | pk | sk | attributes |
//! |---|---|---|
//! | `DIGEST` | which one | `subject`, `text`, `due` (epoch seconds), `published` (the same; absent or 0 until then) |

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::types::AttributeValue;
use tripmeter_model::Timestamp;

const PARTITION: &str = "DIGEST";
const UNPUBLISHED: &str = "(attribute_not_exists(published) OR published = :never)";

/// A digest that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Digest {
    key: String,
    /// Its subject.
    pub(crate) subject: String,
    /// Its text.
    pub(crate) text: String,
    due: i64,
}

/// DynamoDB did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} in table {table}: {cause}")]
pub(crate) struct DigestError {
    doing: &'static str,
    table: String,
    cause: String,
}

/// The digests of a state table.
#[derive(Clone, Debug)]
pub(crate) struct Digests {
    dynamodb: Client,
    table: String,
}

impl Digests {
    pub(crate) fn new(dynamodb: Client, state_table: impl Into<String>) -> Self {
        Self {
            dynamodb,
            table: state_table.into(),
        }
    }

    /// Those that are due and not published yet, and the names of items that are none.
    pub(crate) async fn due(&self, now: Timestamp) -> Result<(Vec<Digest>, Vec<String>), DigestError> {
        let mut pages = self
            .dynamodb
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :digest")
            .filter_expression(format!("due <= :now AND {UNPUBLISHED}"))
            .expression_attribute_values(":digest", AttributeValue::S(PARTITION.into()))
            .expression_attribute_values(":now", number(now.seconds()))
            .expression_attribute_values(":never", number(0))
            .into_paginator()
            .items()
            .send();
        let (mut due, mut unreadable) = (Vec::new(), Vec::new());
        while let Some(item) = pages.next().await {
            let item = item.map_err(|error| self.failed("read digests", error))?;
            match digest(&item) {
                Some(digest) => due.push(digest),
                None => unreadable.push(format!("digest {:?} lacks subject, text or due", item.get("sk"))),
            }
        }
        Ok((due, unreadable))
    }

    /// Notes that a digest is published, unless another has taken its place meanwhile.
    pub(crate) async fn note_published(&self, digest: &Digest, now: Timestamp) -> Result<(), DigestError> {
        let noted = self
            .dynamodb
            .update_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(PARTITION.into()))
            .key("sk", AttributeValue::S(digest.key.clone()))
            .update_expression("SET published = :now")
            .condition_expression(format!("due = :due AND {UNPUBLISHED}"))
            .expression_attribute_values(":now", number(now.seconds()))
            .expression_attribute_values(":due", number(digest.due))
            .expression_attribute_values(":never", number(0))
            .send()
            .await;
        match noted {
            Ok(_) => Ok(()),
            Err(error)
                if error.as_service_error().is_some_and(
                    aws_sdk_dynamodb::operation::update_item::UpdateItemError::is_conditional_check_failed_exception,
                ) =>
            {
                Ok(())
            }
            Err(error) => Err(self.failed("note a published digest", error)),
        }
    }

    fn failed(&self, doing: &'static str, error: impl std::error::Error) -> DigestError {
        DigestError {
            doing,
            table: self.table.clone(),
            cause: DisplayErrorContext(error).to_string(),
        }
    }
}

fn number(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn digest(item: &HashMap<String, AttributeValue>) -> Option<Digest> {
    let text = |name: &str| item.get(name)?.as_s().ok().cloned();
    Some(Digest {
        key: text("sk")?,
        subject: text("subject")?,
        text: text("text")?,
        due: item.get("due")?.as_n().ok()?.parse().ok()?,
    })
}
