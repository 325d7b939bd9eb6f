//! What people marked as expected: the use that it is about may be learned as normal.
//!
//! A mark lies beside the findings, in a partition of its own, so that who judges reads all of them at once.

use aws_sdk_dynamodb::types::Put;
use tripmeter_model::{Service, Timestamp, WEEK};

use super::{Change, FindingsError, FindingsTable, Stored, item};
use crate::dynamodb::{Failure, Item};
use crate::exceptions::Expected;

/// The partition of marks; no account is named so.
pub(super) const PARTITION: &str = "#expected";

impl FindingsTable {
    /// Lets the use that a finding is about be learned, from its beginning until a week from when somebody said so.
    pub(super) fn expecting(&self, stored: &Stored, change: &Change) -> Result<Put, Failure> {
        let finding = &stored.finding;
        let until = change.at.plus(WEEK).seconds();
        let texts = [
            ("account", PARTITION),
            ("uid", finding.uid.as_str()),
            ("of_account", finding.account.as_str()),
            ("service", finding.finding_type.service.name()),
            ("identity", finding.identity.id.as_str()),
            ("by", change.by.as_str()),
        ];
        let mut item: Item = texts.map(|(name, value)| (name.to_owned(), item::text(value))).into();
        for (name, value) in [
            ("from", finding.first_seen.seconds()),
            ("until", until),
            ("expires", until),
        ] {
            item.insert(name.to_owned(), item::number(value));
        }
        let put = Put::builder().table_name(&self.table).set_item(Some(item));
        put.build().map_err(Failure::build)
    }

    /// What is marked as expected at a time.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn expected(&self, now: Timestamp) -> Result<Vec<Expected>, FindingsError> {
        let query = self.client.query().table_name(&self.table);
        let query = query.key_condition_expression("account = :marks");
        let query = query.expression_attribute_values(":marks", item::text(PARTITION));
        let items = query.into_paginator().items().send();
        let items: Vec<Item> = items.collect::<Result<_, _>>().await.map_err(Failure::sdk)?;
        let marks = items.iter().filter_map(read);
        Ok(marks.filter(|mark| mark.until >= now).collect())
    }
}

fn read(item: &Item) -> Option<Expected> {
    let text = |name: &str| item.get(name)?.as_s().ok().cloned();
    let time = |name: &str| Some(Timestamp::from_seconds(item.get(name)?.as_n().ok()?.parse().ok()?));
    let service = text("service")?;
    Some(Expected {
        account: text("of_account")?,
        service: Service::ALL.iter().copied().find(|known| known.name() == service)?,
        identity: text("identity")?,
        from: time("from")?,
        until: time("until")?,
        by: text("by")?,
    })
}
