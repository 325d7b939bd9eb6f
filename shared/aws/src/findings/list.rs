//! Findings by what they are, by what waits and by what is open.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use tripmeter_model::{Family, FindingType, Service, Severity, Status, Timestamp};

use super::item::{self, Key, PRESENT, Stored, Unreadable};
use super::{FindingsError, FindingsTable, Mark, placeholders};
use crate::dynamodb::{Failure, Item};

/// Waiting findings that are given at once: publishing so many takes longer than a function has.
const MOST_PENDING: usize = 1_000;

/// Which findings are wanted. The default wants all but those that are kept quiet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this account.
    pub account: Option<String>,
    /// Whose id begins so.
    pub uid: Option<String>,
    /// At least so severe.
    pub severity: Option<Severity>,
    /// Of this type.
    pub finding_type: Option<FindingType>,
    /// Of this family, on any service.
    pub family: Option<Family>,
    /// On this service.
    pub service: Option<Service>,
    /// Open, or closed.
    pub status: Option<Status>,
    /// With something after this time.
    pub since: Option<Timestamp>,
    /// Of which somebody has said so, last.
    pub mark: Option<Mark>,
    /// Also those that a rule keeps quiet.
    pub suppressed: bool,
    /// Also those that the deployment keeps still about while it learns.
    pub held: bool,
}

/// Findings, as far as they were asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// Those that could be read.
    pub findings: Vec<Stored>,
    /// Those that could not.
    pub unreadable: Vec<Unreadable>,
    /// Whether there are more.
    pub more: bool,
}

impl Page {
    fn take(&mut self, item: &Item) {
        match Stored::read(item) {
            Ok(stored) => self.findings.push(stored),
            Err(unreadable) => self.unreadable.push(unreadable),
        }
    }
}

impl FindingsTable {
    /// The findings that a filter lets through, latest first, at most `limit`.
    ///
    /// Without an account the whole table is read, page by page; what is kept meanwhile is bounded by the limit.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn list(&self, filter: &Filter, limit: usize) -> Result<Page, FindingsError> {
        let mut page = Page::default();
        let mut from = None;
        loop {
            let (items, next) = self.read(filter, from).await?;
            for item in &items {
                page.take(item);
            }
            page.findings.sort_by(|a, b| b.order().cmp(&a.order()));
            page.more |= page.findings.len() > limit;
            page.findings.truncate(limit);
            from = next;
            if from.is_none() {
                return Ok(page);
            }
        }
    }

    /// As many items as DynamoDB gives at once, and where to go on.
    async fn read(&self, filter: &Filter, from: Option<Item>) -> Result<(Vec<Item>, Option<Item>), Failure> {
        let Expression { text, names, values } = filter.expression();
        if let Some(account) = &filter.account {
            let query = self.client.query().table_name(&self.table);
            let query = query
                .key_condition_expression("account = :account")
                .set_filter_expression(text)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values)
                .expression_attribute_values(":account", item::text(account.as_str()))
                .set_exclusive_start_key(from);
            let answer = query.send().await.map_err(Failure::sdk)?;
            return Ok((answer.items.unwrap_or_default(), answer.last_evaluated_key));
        }
        let scan = self.client.scan().table_name(&self.table);
        let scan = scan
            .set_filter_expression(text)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .set_exclusive_start_key(from);
        let answer = scan.send().await.map_err(Failure::sdk)?;
        Ok((answer.items.unwrap_or_default(), answer.last_evaluated_key))
    }

    /// Findings whose latest revision was stored before a time and waits to be published, oldest first, at most
    /// a thousand.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn pending(&self, before: Timestamp) -> Result<Vec<Key>, FindingsError> {
        self.keys("pending", "updated", before, MOST_PENDING).await
    }

    /// Open findings with nothing since a time, longest ago first.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn open_before(&self, before: Timestamp, limit: usize) -> Result<Vec<Key>, FindingsError> {
        self.keys("open", "last_seen", before, limit).await
    }

    async fn keys(&self, index: &str, time: &str, before: Timestamp, limit: usize) -> Result<Vec<Key>, FindingsError> {
        let query = self.client.query().table_name(&self.table).index_name(index);
        let query = query
            .key_condition_expression("#index = :present AND #time < :before")
            .expression_attribute_names("#index", index)
            .expression_attribute_names("#time", time)
            .expression_attribute_values(":present", item::text(PRESENT))
            .expression_attribute_values(":before", item::number(before.seconds()));
        let mut items = query.into_paginator().items().send();
        let mut keys = Vec::new();
        while keys.len() < limit {
            match items.next().await {
                Some(item) => keys.extend(Key::read(&item.map_err(Failure::sdk)?)),
                None => break,
            }
        }
        Ok(keys)
    }
}

/// A filter as DynamoDB takes it: what is empty must not be sent.
struct Expression {
    text: Option<String>,
    names: Option<HashMap<String, String>>,
    values: Option<HashMap<String, AttributeValue>>,
}

impl Filter {
    fn expression(&self) -> Expression {
        let family = self.family.map(|family| format!("/{}", family.name()));
        let compared = [
            (
                "severity_id",
                ">=",
                self.severity.map(|severity| item::number(item::severity_id(severity))),
            ),
            (
                "type",
                "=",
                self.finding_type
                    .map(|finding_type| item::text(finding_type.to_string())),
            ),
            ("service", "=", self.service.map(|service| item::text(service.name()))),
            (
                "status",
                "=",
                self.status.map(|status| item::text(item::status_name(status))),
            ),
            ("last_seen", ">=", self.since.map(|since| item::number(since.seconds()))),
            ("mark", "=", self.mark.map(|mark| item::text(mark.name()))),
        ];
        let mut wanted = Vec::new();
        let mut names = Vec::new();
        let mut values = HashMap::new();
        for (name, operator, value) in compared {
            if let Some(value) = value {
                wanted.push(format!("#{name} {operator} :{name}"));
                names.push(name);
                values.insert(format!(":{name}"), value);
            }
        }
        if let Some(uid) = &self.uid {
            wanted.push("begins_with(#uid, :uid)".to_owned());
            names.push("uid");
            values.insert(":uid".to_owned(), item::text(uid.as_str()));
        }
        if let Some(family) = family {
            wanted.push("contains(#type, :family)".to_owned());
            names.push("type");
            values.insert(":family".to_owned(), item::text(family));
        }
        for (name, shown) in [("suppressed", self.suppressed), ("held", self.held)] {
            if !shown {
                wanted.push(format!("attribute_not_exists(#{name})"));
                names.push(name);
            }
        }
        Expression {
            text: Some(wanted.join(" AND ")).filter(|text| !text.is_empty()),
            names: Some(placeholders(names.into_iter())).filter(|names| !names.is_empty()),
            values: Some(values).filter(|values| !values.is_empty()),
        }
    }
}
