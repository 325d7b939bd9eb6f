//! How far a polled source was read: small values in the state table, each written by whoever read it last.
//!
//! | partition | sort key | item |
//! |---|---|---|
//! | `POLL#source` | `bookmark/name` | a value as JSON, with a version |

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Put};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tripmeter_model::bounded;

use crate::dynamodb::{self, Failure, Item, Written, number};

/// A value, and the version under which it was read: 0 for one that is not there yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bookmark<T> {
    /// The value.
    pub value: T,
    /// The version.
    pub version: u64,
}

/// The bookmarks of a source.
#[derive(Clone, Debug)]
pub struct Bookmarks {
    client: Client,
    table: String,
    source: String,
}

impl Bookmarks {
    /// Of a source, in the state table.
    pub fn new(client: Client, state_table: impl Into<String>, source: &str) -> Self {
        Self {
            client,
            table: state_table.into(),
            source: bounded(source, 128),
        }
    }

    /// The value of this name; its default where there is none, or none that this version can read.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn read<T: DeserializeOwned + Default>(&self, name: &str) -> Result<Bookmark<T>, Failure> {
        let read = self.client.get_item().table_name(&self.table);
        let read = read.set_key(Some(self.key(name))).consistent_read(true);
        let item = read.send().await.map_err(Failure::sdk)?.item.unwrap_or_default();
        let body = item.get("body").and_then(|body| body.as_s().ok());
        let version = item
            .get("version")
            .and_then(|version| version.as_n().ok()?.parse().ok());
        Ok(Bookmark {
            value: body
                .and_then(|body| serde_json::from_str(body).ok())
                .unwrap_or_default(),
            version: version.unwrap_or_default(),
        })
    }

    /// Writes a value in the place of what was read, and counts up its version. Refused when somebody else wrote
    /// meanwhile.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn write<T: Serialize>(&self, name: &str, bookmark: &mut Bookmark<T>) -> Result<Written, Failure> {
        let body = serde_json::to_string(&bookmark.value).map_err(Failure::json)?;
        let mut item = self.key(name);
        item.insert("body".to_owned(), AttributeValue::S(body));
        item.insert("version".to_owned(), number(&(bookmark.version + 1)));
        let put = Put::builder().table_name(&self.table).set_item(Some(item));
        let put = match bookmark.version {
            0 => put.condition_expression("attribute_not_exists(pk)"),
            version => put
                .condition_expression("version = :version")
                .expression_attribute_values(":version", number(&version)),
        };
        let written = dynamodb::put(&self.client, put.build().map_err(Failure::build)?).await?;
        if written == Written::Done {
            bookmark.version += 1;
        }
        Ok(written)
    }

    fn key(&self, name: &str) -> Item {
        Item::from([
            ("pk".to_owned(), AttributeValue::S(format!("POLL#{}", self.source))),
            (
                "sk".to_owned(),
                AttributeValue::S(format!("bookmark/{}", bounded(name, 256))),
            ),
        ])
    }
}
