//! What people say of a finding: that it was to be expected, or that it is dealt with.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use tripmeter_model::{Status, Timestamp, bounded};

use super::item::{self, Stored};
use super::{FindingsError, FindingsTable, placeholders};
use crate::dynamodb::{Failure, Transacted, Written, transact};

/// Words that are kept of a finding; the oldest go first.
const MAX_AUDIT: usize = 50;
/// The longest name and note, in bytes.
const MAX_NAME: usize = 256;
const MAX_NOTE: usize = 1_024;

/// What somebody says of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// It was to be expected: the use that it is about is learned as normal.
    Expected,
    /// It is dealt with: it is open no more.
    Closed,
}

/// A word of somebody, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What was said.
    pub mark: Mark,
    /// By whom: a name that the command line was given, not one that AWS vouches for.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub note: String,
}

impl Mark {
    /// Its name, as it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Expected => "expected",
            Self::Closed => "closed",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::Expected, Self::Closed]
            .into_iter()
            .find(|mark| mark.name() == name)
    }
}

impl Change {
    /// Somebody's word, its texts cut to what is kept.
    pub fn new(mark: Mark, by: &str, at: Timestamp, note: &str) -> Self {
        Self {
            mark,
            by: bounded(by, MAX_NAME),
            at,
            note: bounded(note, MAX_NOTE),
        }
    }

    fn written(&self) -> AttributeValue {
        let fields = [
            ("did", self.mark.name().to_owned()),
            ("by", self.by.clone()),
            ("at", self.at.to_string()),
            ("note", self.note.clone()),
        ];
        AttributeValue::M(fields.map(|(name, value)| (name.to_owned(), item::text(value))).into())
    }

    pub(super) fn read(value: &AttributeValue) -> Option<Self> {
        let fields = value.as_m().ok()?;
        let field = |name: &str| fields.get(name)?.as_s().ok();
        Some(Self {
            mark: Mark::named(field("did")?)?,
            by: field("by")?.clone(),
            at: field("at")?.parse().ok()?,
            note: field("note")?.clone(),
        })
    }
}

impl FindingsTable {
    /// Writes down what somebody says of a finding as they have read it, and gives it back as it then is. What is to be
    /// expected is announced to who judges in the same transaction.
    ///
    /// # Errors
    /// [`FindingsError::Changed`] when it was revised, or somebody else spoke, since it was read;
    /// [`FindingsError::NotFound`] when it is gone.
    pub async fn mark(&self, stored: &Stored, change: &Change) -> Result<Stored, FindingsError> {
        let (account, uid) = (&stored.finding.account, &stored.finding.uid);
        let mut audit = stored.audit.clone();
        audit.push(change.clone());
        let audit = audit.split_off(audit.len().saturating_sub(MAX_AUDIT));

        let written = self.say(stored, change, &audit).await?;
        let Some(now) = self.get(account, uid).await? else {
            return Err(FindingsError::NotFound {
                account: account.clone(),
                uid: uid.clone(),
            });
        };
        // Refused, and yet as it should be: our own earlier try went through, and its answer was lost.
        if written == Written::Done || now.audit == audit {
            return Ok(now);
        }
        Err(FindingsError::Changed { uid: uid.clone() })
    }

    async fn say(&self, stored: &Stored, change: &Change, audit: &[Change]) -> Result<Written, Failure> {
        let marking = self.marking(stored, change, audit)?;
        if change.mark == Mark::Closed {
            return self.apply(marking).await;
        }
        let expecting = self.expecting(stored, change)?;
        let both = vec![
            TransactWriteItem::builder().update(marking).build(),
            TransactWriteItem::builder().put(expecting).build(),
        ];
        Ok(match transact(&self.client, both).await? {
            Transacted::Done => Written::Done,
            Transacted::Refused(_) => Written::Refused,
        })
    }

    fn marking(&self, stored: &Stored, change: &Change, audit: &[Change]) -> Result<Update, Failure> {
        let list = |audit: &[Change]| AttributeValue::L(audit.iter().map(Change::written).collect());
        let mut set =
            "SET #mark = :mark, #marked_by = :by, #marked_at = :at, #mark_note = :note, #audit = :audit".to_owned();
        let mut names = vec!["mark", "marked_by", "marked_at", "mark_note", "audit", "revision"];
        let mut values = HashMap::from([
            (":mark", item::text(change.mark.name())),
            (":by", item::text(change.by.as_str())),
            (":at", item::text(change.at.to_string())),
            (":note", item::text(change.note.as_str())),
            (":audit", list(audit)),
            (":revision", item::number(stored.finding.revision)),
        ]);
        if change.mark == Mark::Closed {
            set.push_str(", #status = :closed REMOVE #open");
            names.extend(["status", "open"]);
            values.insert(":closed", item::text(item::status_name(Status::Closed)));
        }
        let unspoken = if stored.audit.is_empty() {
            "attribute_not_exists(#audit)"
        } else {
            values.insert(":before", list(&stored.audit));
            "#audit = :before"
        };
        self.change(&stored.finding.account, &stored.finding.uid)
            .update_expression(set)
            .condition_expression(format!("#revision = :revision AND {unspoken}"))
            .set_expression_attribute_names(Some(placeholders(names.into_iter())))
            .set_expression_attribute_values(Some(
                values
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect(),
            ))
            .build()
            .map_err(Failure::build)
    }
}
