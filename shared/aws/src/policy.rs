//! The policy file's versions in the state table, and the one in force.
//!
//! | pk | sk | attributes |
//! |---|---|---|
//! | `POLICY` | `CURRENT` | `number` N: the version in force |
//! | `POLICY` | `VERSION#000001` | `policy` S: the file; `pushed_at`, `pushed_by`, `note`, `digest` S |
//! | `POLICY` | `TOLD` | `number` N, `policy` S: what people were last told is in force |
//!
//! A version is never changed. A push writes the next one and moves `CURRENT` in one transaction, on the condition
//! that `CURRENT` is still what the pusher was shown: of two at once, one wins and the other is told. Going back is a
//! push, too: of an earlier version's text.
//!
//! What is in force and not what was told is announced, whoever wrote it and however: who can write the table needs
//! no program of ours to add an exception.

mod announcement;
mod changes;
mod current;
mod version;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use tripmeter_model::{Timestamp, bounded, stable_uid};
use tripmeter_policy::{PolicyError, PolicyFile, Problem};

pub use self::announcement::{Announcement, announcement};
pub use self::changes::Changes;
pub use self::current::{CurrentPolicy, Trouble};
pub use self::version::Version;
use self::version::key;
use crate::dynamodb::{Failure, Item, Transacted, number, transact};

const CURRENT: &str = "CURRENT";
const TOLD: &str = "TOLD";

/// The largest policy file, in bytes: an item holds 400 KB.
pub const LARGEST: usize = 300_000;

/// The longest name of who pushes, and the longest note, in bytes.
const MAX_NAME: usize = 256;
const MAX_NOTE: usize = 1_024;

/// Why a policy was not pushed, or not found.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The table refused or could not be reached.
    #[error(transparent)]
    Table(#[from] Failure),
    /// The file is no policy.
    #[error("the policy cannot be used:\n{0}")]
    Invalid(#[from] PolicyError),
    /// Exceptions reach further ahead than anybody may look.
    #[error("the policy cannot be used:\n{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    TooFar(Vec<Problem>),
    /// It is larger than an item.
    #[error("the policy has {0} bytes; {LARGEST} fit")]
    TooLarge(usize),
    /// It is in force already.
    #[error("version {0}, which is in force, is the same file")]
    Unchanged(u32),
    /// Somebody else pushed, since it was compared with what is in force.
    #[error("version {number} was pushed meanwhile, by {by}: compare again, then push")]
    Overtaken {
        /// The version that was pushed.
        number: u32,
        /// Who pushed it.
        by: String,
    },
    /// There is no such version.
    #[error("there is no version {0}; `tripmeter policy history` lists them")]
    NoSuchVersion(u32),
    /// A version's item is not as this program writes it.
    #[error("version {number} cannot be read: {why}")]
    Unreadable {
        /// The version.
        number: u32,
        /// What is wrong with it.
        why: String,
    },
}

/// A policy that can be pushed: valid, and compared with what is in force.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The file.
    pub text: String,
    /// The version that is in force; 0 where there is none.
    pub before: u32,
    /// What pushing it changes.
    pub changes: Changes,
    /// What looks wrong with it.
    pub warnings: Vec<Problem>,
}

impl Prepared {
    /// The version that it would be.
    pub fn number(&self) -> u32 {
        self.before.saturating_add(1)
    }
}

/// The versions in the state table.
#[derive(Clone, Debug)]
pub struct Policies {
    client: Client,
    table: String,
}

impl Policies {
    /// In the state table.
    pub fn new(client: Client, state_table: impl Into<String>) -> Self {
        Self {
            client,
            table: state_table.into(),
        }
    }

    /// Validates a file as of `now`, and compares it with what is in force. Nothing is written.
    ///
    /// # Errors
    /// When it cannot be used, changes nothing, or the table does not answer.
    pub async fn prepare(&self, text: &str, now: Timestamp) -> Result<Prepared, PushError> {
        if text.len() > LARGEST {
            return Err(PushError::TooLarge(text.len()));
        }
        let report = PolicyFile::parse(text)?.report(Some(now));
        if !report.errors.is_empty() {
            return Err(PushError::TooFar(report.errors));
        }
        let current = self.current().await?;
        let (before, old) = current.map_or((0, String::new()), |version| (version.number, version.text));
        if before > 0 && old == text {
            return Err(PushError::Unchanged(before));
        }
        Ok(Prepared {
            changes: Changes::between(&old, text),
            text: text.to_owned(),
            before,
            warnings: report.warnings,
        })
    }

    /// Prepares going back to an earlier version: its text, as a new version.
    ///
    /// # Errors
    /// As [`Policies::prepare`]; [`PushError::NoSuchVersion`].
    pub async fn prepare_rollback(&self, number: u32, now: Timestamp) -> Result<Prepared, PushError> {
        let earlier = self.version(number).await?.ok_or(PushError::NoSuchVersion(number))?;
        self.prepare(&earlier.text, now).await
    }

    /// Writes what was prepared and puts it in force. `by` is a name that the pusher gives.
    ///
    /// # Errors
    /// [`PushError::Overtaken`] when something else is in force now than what it was compared with.
    pub async fn push(&self, prepared: &Prepared, by: &str, note: &str, now: Timestamp) -> Result<Version, PushError> {
        let version = Version {
            number: prepared.number(),
            pushed_at: now,
            pushed_by: bounded(by, MAX_NAME),
            note: bounded(note, MAX_NOTE),
            digest: stable_uid(&[&prepared.text]),
            text: prepared.text.clone(),
        };
        let writes = vec![self.put(&version)?, self.move_current(prepared)?];
        if transact(&self.client, writes).await? == Transacted::Done {
            return Ok(version);
        }
        match self.version(version.number).await? {
            // Our own earlier try went through, and its answer was lost.
            Some(there) if there == version => Ok(version),
            there => Err(PushError::Overtaken {
                number: version.number,
                by: there.map_or_else(|| "somebody".to_owned(), |there| there.pushed_by),
            }),
        }
    }

    fn put(&self, version: &Version) -> Result<TransactWriteItem, Failure> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(version.item()))
            .condition_expression("attribute_not_exists(pk)")
            .build();
        Ok(TransactWriteItem::builder().put(put.map_err(Failure::build)?).build())
    }

    fn move_current(&self, prepared: &Prepared) -> Result<TransactWriteItem, Failure> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key(CURRENT)))
            .update_expression("SET #number = :next")
            .expression_attribute_names("#number", "number")
            .expression_attribute_values(":next", number(&prepared.number()));
        let update = match prepared.before {
            0 => update.condition_expression("attribute_not_exists(#number)"),
            before => update
                .condition_expression("#number = :before")
                .expression_attribute_values(":before", number(&before)),
        };
        let update = update.build().map_err(Failure::build)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// The version in force; `None` before the first push.
    ///
    /// # Errors
    /// When the table does not answer, or the version cannot be read.
    pub async fn current(&self) -> Result<Option<Version>, PushError> {
        match self.current_number().await? {
            None => Ok(None),
            Some(number) => Ok(Some(
                self.version(number).await?.ok_or(PushError::NoSuchVersion(number))?,
            )),
        }
    }

    /// A version; `None` when there is no such.
    ///
    /// # Errors
    /// When the table does not answer, or the version cannot be read.
    pub async fn version(&self, number: u32) -> Result<Option<Version>, PushError> {
        let item = self.get(&Version::sort_key(number)).await?;
        item.as_ref().map(Version::read).transpose()
    }

    /// The latest versions, latest first.
    ///
    /// # Errors
    /// When the table does not answer, or a version cannot be read.
    pub async fn history(&self, limit: u16) -> Result<Vec<Version>, PushError> {
        let query = self.client.query().table_name(&self.table).consistent_read(true);
        let query = query
            .key_condition_expression("pk = :pk AND begins_with(sk, :version)")
            .expression_attribute_values(":pk", AttributeValue::S(version::PARTITION.to_owned()))
            .expression_attribute_values(":version", AttributeValue::S(version::PREFIX.to_owned()))
            .scan_index_forward(false)
            .limit(i32::from(limit));
        let mut items = query.into_paginator().items().send();
        let mut versions = Vec::new();
        while versions.len() < usize::from(limit) {
            match items.next().await {
                Some(item) => versions.push(Version::read(&item.map_err(Failure::sdk)?)?),
                None => break,
            }
        }
        Ok(versions)
    }

    /// The version in force, if it is not what people were last told, and what is to be said of it.
    ///
    /// # Errors
    /// When the table does not answer, or the version cannot be read.
    pub async fn untold(&self) -> Result<Option<(Version, Announcement)>, PushError> {
        let Some(current) = self.current().await? else {
            return Ok(None);
        };
        let told = self.get(TOLD).await?.unwrap_or_default();
        let number = told.get("number").and_then(|number| number.as_n().ok());
        let text = told.get("policy").and_then(|text| text.as_s().ok());
        let text = text.map_or("", String::as_str);
        if number == Some(&current.number.to_string()) && text == current.text {
            return Ok(None);
        }
        let changes = Changes::between(text, &current.text);
        let said = announcement(&current, &changes, &self.table);
        Ok(Some((current, said)))
    }

    /// Notes that people were told of a version.
    ///
    /// # Errors
    /// When the table does not answer: they are told once more.
    pub async fn note_told(&self, version: &Version) -> Result<(), PushError> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(key(TOLD)));
        let put = put
            .item("number", number(&version.number))
            .item("policy", AttributeValue::S(version.text.clone()));
        put.send().await.map_err(Failure::sdk)?;
        Ok(())
    }

    async fn current_number(&self) -> Result<Option<u32>, Failure> {
        let item = self.get(CURRENT).await?;
        Ok(item.and_then(|item| item.get("number")?.as_n().ok()?.parse().ok()))
    }

    async fn get(&self, sort_key: &str) -> Result<Option<Item>, Failure> {
        let get = self.client.get_item().table_name(&self.table).consistent_read(true);
        let answer = get.set_key(Some(key(sort_key))).send().await;
        Ok(answer.map_err(Failure::sdk)?.item)
    }
}
