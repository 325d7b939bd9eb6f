//! A version of the policy file as an item, there and back.

use aws_sdk_dynamodb::types::AttributeValue;
use tripmeter_model::{Timestamp, bounded};

use super::PushError;
use crate::dynamodb::Item;

pub(super) const PARTITION: &str = "POLICY";
pub(super) const PREFIX: &str = "VERSION#";

/// A version of the policy file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Which: the first is 1.
    pub number: u32,
    /// The file.
    pub text: String,
    /// When it was pushed.
    pub pushed_at: Timestamp,
    /// By whom: a name that the pusher gave, not one that AWS vouches for.
    pub pushed_by: String,
    /// Why.
    pub note: String,
    /// A hash of the file.
    pub digest: String,
}

pub(super) fn key(sort_key: &str) -> Item {
    Item::from([
        ("pk".to_owned(), AttributeValue::S(PARTITION.to_owned())),
        ("sk".to_owned(), AttributeValue::S(sort_key.to_owned())),
    ])
}

impl Version {
    /// Six digits, so that versions are in their order: a push every minute takes two years to need a seventh.
    pub(super) fn sort_key(number: u32) -> String {
        format!("{PREFIX}{number:06}")
    }

    pub(super) fn item(&self) -> Item {
        let mut item = key(&Self::sort_key(self.number));
        let fields = [
            ("policy", self.text.clone()),
            ("pushed_at", self.pushed_at.to_string()),
            ("pushed_by", self.pushed_by.clone()),
            ("note", self.note.clone()),
            ("digest", self.digest.clone()),
        ];
        item.extend(fields.map(|(name, value)| (name.to_owned(), AttributeValue::S(value))));
        item
    }

    pub(super) fn read(item: &Item) -> Result<Self, PushError> {
        let field = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str);
        let number = field("sk")
            .and_then(|key| key.strip_prefix(PREFIX)?.parse().ok())
            .unwrap_or_default();
        let unreadable = |why: String| PushError::Unreadable { number, why };
        let needed = |name: &str| field(name).ok_or_else(|| unreadable(format!("it has no text '{name}'")));
        Ok(Self {
            number,
            text: needed("policy")?.to_owned(),
            pushed_at: needed("pushed_at")?
                .parse()
                .map_err(|error: tripmeter_model::TimeError| unreadable(error.to_string()))?,
            pushed_by: bounded(needed("pushed_by")?, super::MAX_NAME),
            note: bounded(needed("note")?, super::MAX_NOTE),
            digest: bounded(needed("digest")?, 64),
        })
    }
}
