//! Where parts lie in the table, and what their items look like.
//!
//! | partition | sort key | item |
//! |---|---|---|
//! | `USE#account#service#identity` | `use/…`, `known/…` | a profile: its hot part, and what it has shown |
//! | the same | `receipt/…` | ids that it has counted and remembers no more |
//! | `LEDGER#account` | `opening/slot/stage/service/identity` | an opening; a window is one range |
//! | `ACCOUNT#account` | `account`, `person/…`, `seen/…`, `control/…`, `service/…`, … | the rest of an account |
//! | `ACCOUNT#account` | `head` | its generation |
//! | `ACCOUNTS` | account | the accounts that were seen |
//!
//! Identities are digests: an ARN can be 2 KB. A profile has a partition of its own, so that no account is bounded by
//! what one partition takes.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, Put};
use tripmeter_detect::{PartKey, Receipt};
use tripmeter_model::{DAY, Timestamp};

use crate::dynamodb::{Item, number};

/// Days for which a receipt is kept: an event of an older day is never counted.
const RECEIPT_DAYS: i64 = 4;

/// An item's key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pk: String,
    sk: String,
}

impl Place {
    pub(super) fn of(account: &str, key: PartKey) -> Self {
        let pk = match key {
            PartKey::Use(service, who) | PartKey::Known(service, who) => {
                format!("USE#{account}#{}#{:016x}", service.name(), who.0)
            }
            PartKey::Opening(..) => ledger(account),
            _ => format!("ACCOUNT#{account}"),
        };
        let sk = key.to_string();
        Self { pk, sk }
    }

    pub(super) fn head(account: &str) -> Self {
        Self {
            pk: format!("ACCOUNT#{account}"),
            sk: "head".to_owned(),
        }
    }

    pub(super) fn listed(account: &str) -> Self {
        Self {
            pk: "ACCOUNTS".to_owned(),
            sk: account.to_owned(),
        }
    }

    pub(super) fn partition(&self) -> &str {
        &self.pk
    }

    pub(super) fn sort_key(&self) -> &str {
        &self.sk
    }

    pub(super) fn key(&self) -> Item {
        HashMap::from([
            ("pk".to_owned(), AttributeValue::S(self.pk.clone())),
            ("sk".to_owned(), AttributeValue::S(self.sk.clone())),
        ])
    }

    pub(super) fn read(item: &Item) -> Option<Self> {
        let text = |name: &str| item.get(name)?.as_s().ok().cloned();
        Some(Self {
            pk: text("pk")?,
            sk: text("sk")?,
        })
    }
}

fn ledger(account: &str) -> String {
    format!("LEDGER#{account}")
}

/// The partition of an account's openings, and the range of those in some ten-minute intervals.
pub(super) fn openings(account: &str, slots: &RangeInclusive<i64>) -> (String, String, String) {
    let from = format!("opening/{:012}/", slots.start());
    let to = format!("opening/{:012}/~", slots.end());
    (ledger(account), from, to)
}

/// The partition of a profile's receipts, and their range.
pub(super) fn receipts(account: &str, key: PartKey) -> (String, String, String) {
    let pk = Place::of(account, key).pk;
    (pk, "receipt/".to_owned(), "receipt/~".to_owned())
}

/// A part's item, to be written if nobody wrote it since it was fetched.
pub(super) fn put(
    table: &str,
    account: &str,
    key: PartKey,
    body: Vec<u8>,
    version: Option<u64>,
    expires: Option<Timestamp>,
) -> Result<Put, BuildError> {
    let mut item = Place::of(account, key).key();
    item.insert("body".to_owned(), AttributeValue::B(Blob::new(body)));
    item.insert("version".to_owned(), number(&version.map_or(1, |version| version + 1)));
    if let Some(expires) = expires {
        item.insert("expires".to_owned(), number(&expires.seconds()));
    }
    let put = Put::builder().table_name(table).set_item(Some(item));
    let put = match version {
        None => put.condition_expression("attribute_not_exists(pk)"),
        Some(version) => put
            .condition_expression("version = :version")
            .expression_attribute_values(":version", number(&version)),
    };
    put.build()
}

/// A receipt's item. It is named by what it holds, so that writing it again changes nothing.
pub(super) fn receipt_item(account: &str, key: PartKey, receipt: &Receipt, now: Timestamp) -> Item {
    let mut place = Place::of(account, key);
    place.sk = format!("receipt/{}", tripmeter_model::stable_uid(&[&receipt.to_hex()]));
    let mut item = place.key();
    item.insert("body".to_owned(), AttributeValue::B(Blob::new(receipt.as_bytes())));
    item.insert("expires".to_owned(), number(&now.plus(RECEIPT_DAYS * DAY).seconds()));
    item
}

pub(super) fn receipt(item: &Item) -> Option<Receipt> {
    let body = item.get("body")?.as_b().ok()?;
    Some(Receipt::from_bytes(body.as_ref()))
}

/// The part that an item is.
pub(super) fn part_of(item: &Item) -> Option<PartKey> {
    item.get("sk")?.as_s().ok()?.parse().ok()
}

/// A part's body, unless it has expired: the table deletes days later.
pub(super) fn body(item: &Item, now: Timestamp) -> Option<Vec<u8>> {
    let expires: Option<i64> = read(item, "expires");
    if expires.is_some_and(|expires| expires < now.seconds()) {
        return None;
    }
    let body = item.get("body")?.as_b().ok()?;
    Some(body.as_ref().to_vec())
}

pub(super) fn version(item: &Item) -> u64 {
    read(item, "version").unwrap_or(0)
}

pub(super) fn generation(item: &Item) -> u64 {
    read(item, "generation").unwrap_or(0)
}

/// A number of an item.
pub(super) fn read<T: std::str::FromStr>(item: &Item, name: &str) -> Option<T> {
    item.get(name)?.as_n().ok()?.parse().ok()
}
