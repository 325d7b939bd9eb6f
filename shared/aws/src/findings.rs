//! The findings table: one item for each episode, as it stood at its last publication.
//!
//! | attribute | type | what | written by |
//! |---|---|---|---|
//! | `account`, `uid` | S, S | the key; an account that no record says is `unknown` | who judges |
//! | `revision` | N | the finding's: a write goes through only when it is newer | who judges |
//! | `finding` | S | the [`Finding`] as JSON: all of it | who judges |
//! | `type`, `severity`, `service`, `region`, `identity` | S | out of it, for filters | who judges |
//! | `severity_id`, `first_seen`, `last_seen` | N | as OCSF numbers severities; epoch seconds | who judges |
//! | `suppressed` | S | the rule of the policy file that keeps it quiet; else absent | who judges |
//! | `held` | S | why it is kept quiet while the account is learned; else absent | who judges |
//! | `part` | S | the part of the state that the episode lies in | who judges |
//! | `updated`, `expires` | N | when it was written, when it is forgotten; epoch seconds | who judges |
//! | `status`, `open` | S | `open` or `closed`; `open` is `1` while it is open, else absent | who judges; who closes it |
//! | `pending` | S | `1` until the latest revision is published; absent where it is to be kept quiet | who judges; notify |
//! | `published` | N | the last revision that was published, 0 before | notify |
//! | `mark`, `marked_by`, `marked_at`, `mark_note` | S | what a person said of it | the command line |
//! | `audit` | L | every such word: `did`, `by`, `at`, `note` | the command line |
//!
//! A new revision changes the attributes of who judges and leaves all others. The index `pending` (by `updated`) and
//! the index `open` (by `last_seen`) hold only the items that have the attribute of their name.
//!
//! Under the key `#expected` and a finding's `uid` lies what that finding's mark lets who judges learn: `of_account`,
//! `service`, `identity` and `by` S, `from`, `until` and `expires` N.

mod expected;
mod item;
mod list;
mod mark;

use std::collections::HashMap;
use std::fmt::Display;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{TransactWriteItem, Update};
use tripmeter_model::{Finding, Timestamp};

pub use self::item::{Key, Stored, Unreadable};
pub use self::list::{Filter, Page};
pub use self::mark::{Change, Mark};
use crate::config::RETENTION_DAYS;
use crate::dynamodb::{Failure, Item, Written};

/// What went wrong with a finding.
#[derive(Debug, thiserror::Error)]
pub enum FindingsError {
    /// The table refused or could not be reached.
    #[error(transparent)]
    Table(#[from] Failure),
    /// It is there and cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// It is not there.
    #[error("account {account} has no finding {uid}")]
    NotFound {
        /// The account.
        account: String,
        /// The finding.
        uid: String,
    },
    /// It was revised, or somebody else said something of it.
    #[error("finding {uid} has changed since it was read: look at it again")]
    Changed {
        /// The finding.
        uid: String,
    },
}

/// Whether what was published is all there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noted {
    /// It was the latest revision: the finding waits no more.
    Latest,
    /// There is a newer revision, which still waits.
    Superseded,
    /// The finding is no longer there.
    Gone,
}

/// The findings table.
#[derive(Clone, Debug)]
pub struct FindingsTable {
    client: Client,
    table: String,
    retention_days: u32,
}

impl FindingsTable {
    /// The table; findings are kept for [`RETENTION_DAYS`] after their last revision.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self {
            client,
            table: table.into(),
            retention_days: RETENTION_DAYS,
        }
    }

    /// Keeps findings for as many days as the deployment says.
    #[must_use]
    pub fn keeping(self, retention_days: u32) -> Self {
        Self { retention_days, ..self }
    }

    /// The table's name.
    pub fn name(&self) -> &str {
        &self.table
    }

    /// A revision to be stored in a transaction with the part of the state that caused it. With `held`, the reason why
    /// it is kept quiet while the account is learned, it waits for nobody. Where the same revision or a newer one is
    /// stored, the condition fails.
    ///
    /// # Errors
    /// When the finding cannot be written as JSON.
    pub fn transact_put(
        &self,
        finding: &Finding,
        part: impl Display,
        held: Option<&str>,
        now: Timestamp,
    ) -> Result<TransactWriteItem, Failure> {
        let update = self.put_update(finding, &part.to_string(), held, now)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Stores a revision by itself. Refused where the same revision or a newer one is stored: perhaps by our own
    /// earlier try, whose answer was lost.
    ///
    /// # Errors
    /// When the finding cannot be written as JSON, or the table does not answer.
    pub async fn put(
        &self,
        finding: &Finding,
        part: impl Display,
        held: Option<&str>,
        now: Timestamp,
    ) -> Result<Written, FindingsError> {
        Ok(self
            .apply(self.put_update(finding, &part.to_string(), held, now)?)
            .await?)
    }

    fn put_update(&self, finding: &Finding, part: &str, held: Option<&str>, now: Timestamp) -> Result<Update, Failure> {
        let written = item::attributes(finding, part, held, now, self.retention_days)
            .map_err(|error| Failure::build(BuildError::other(error)))?;
        let absent: Vec<&str> = item::OPTIONAL
            .into_iter()
            .filter(|name| !written.contains_key(*name))
            .collect();
        let set: Vec<String> = written.keys().map(|name| format!("#{name} = :{name}")).collect();
        let remove: Vec<String> = absent.iter().map(|name| format!("#{name}")).collect();
        let names = written.keys().map(String::as_str).chain(absent);
        let names = placeholders(names.chain(["uid", "published"]));
        let values = written.into_iter().map(|(name, value)| (format!(":{name}"), value));
        let never = (":never".to_owned(), item::number(0));
        self.change(&finding.account, &finding.uid)
            .update_expression(format!(
                "SET #published = if_not_exists(#published, :never), {} REMOVE {}",
                set.join(", "),
                remove.join(", ")
            ))
            .condition_expression("attribute_not_exists(#uid) OR #revision < :revision")
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values.chain([never]).collect()))
            .build()
            .map_err(Failure::build)
    }

    fn change(&self, account: &str, uid: &str) -> UpdateBuilder {
        Update::builder()
            .table_name(&self.table)
            .set_key(Some(item::key(account, uid)))
    }

    async fn apply(&self, update: Update) -> Result<Written, Failure> {
        let request = self
            .client
            .update_item()
            .table_name(update.table_name)
            .set_key(Some(update.key))
            .update_expression(update.update_expression)
            .set_condition_expression(update.condition_expression)
            .set_expression_attribute_names(update.expression_attribute_names)
            .set_expression_attribute_values(update.expression_attribute_values);
        match request.send().await {
            Ok(_) => Ok(Written::Done),
            Err(error) if error.as_service_error().is_some_and(refused) => Ok(Written::Refused),
            Err(error) => Err(Failure::sdk(error)),
        }
    }

    /// A finding; `None` when it is not there.
    ///
    /// # Errors
    /// When the table does not answer, or the item cannot be read.
    pub async fn get(&self, account: &str, uid: &str) -> Result<Option<Stored>, FindingsError> {
        let item = self.item(account, uid).await?;
        Ok(item.as_ref().map(Stored::read).transpose()?)
    }

    async fn item(&self, account: &str, uid: &str) -> Result<Option<Item>, Failure> {
        let get = self.client.get_item().table_name(&self.table).consistent_read(true);
        let answer = get.set_key(Some(item::key(account, uid))).send().await;
        Ok(answer.map_err(Failure::sdk)?.item)
    }

    /// Notes that the findings topic has taken the latest revision, which still waits for another topic: it stays
    /// pending, and its `published` says that only the other is due.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn note_taken(&self, account: &str, uid: &str, revision: u32) -> Result<(), FindingsError> {
        let taken = self
            .change(account, uid)
            .expression_attribute_values(":revision", item::number(revision))
            .update_expression("SET published = :revision")
            .condition_expression("revision = :revision AND published < :revision");
        self.apply(taken.build().map_err(Failure::build)?).await?;
        Ok(())
    }

    /// Notes that a revision was published. The finding waits no more when there is no newer one.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn note_published(&self, account: &str, uid: &str, revision: u32) -> Result<Noted, FindingsError> {
        let change = || {
            self.change(account, uid)
                .expression_attribute_values(":revision", item::number(revision))
        };
        let latest = change()
            .update_expression("SET published = :revision REMOVE pending")
            .condition_expression("revision = :revision");
        if self.apply(latest.build().map_err(Failure::build)?).await? == Written::Done {
            return Ok(Noted::Latest);
        }
        let older = change()
            .update_expression("SET published = :revision")
            .condition_expression("revision > :revision AND published < :revision");
        if self.apply(older.build().map_err(Failure::build)?).await? == Written::Done {
            return Ok(Noted::Superseded);
        }
        // Either it is gone, or a revision that is newer than this one was published, too.
        Ok(match self.item(account, uid).await? {
            Some(_) => Noted::Superseded,
            None => Noted::Gone,
        })
    }
}

/// `#name` for each name: some of ours are words of DynamoDB's own.
fn placeholders<'n>(names: impl Iterator<Item = &'n str>) -> HashMap<String, String> {
    names.map(|name| (format!("#{name}"), name.to_owned())).collect()
}

fn refused(error: &UpdateItemError) -> bool {
    matches!(
        error,
        UpdateItemError::ConditionalCheckFailedException(_) | UpdateItemError::TransactionConflictException(_)
    )
}
