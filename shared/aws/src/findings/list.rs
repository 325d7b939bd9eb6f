//! Findings by what they are, by what waits and by what is open.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use tripmeter_model::{Family, FindingType, Service, Severity, Status, Timestamp};

use super::item::{self, Key, PRESENT, Stored, Unreadable};
use super::{FindingsError, FindingsTable, Mark, expected, placeholders};
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
        if let Some(account) = &filter.account {
            let Expression { text, names, values } = filter.expression();
            // What is about the key does not go into the filter.
            let key = match &filter.uid {
                None => "account = :account",
                Some(_) => "account = :account AND begins_with(uid, :uid)",
            };
            let uid = filter
                .uid
                .iter()
                .map(|uid| (":uid".to_owned(), item::text(uid.as_str())));
            let account = (":account".to_owned(), item::text(account.as_str()));
            let values = values.into_iter().chain(uid).chain([account]).collect();
            let query = self.client.query().table_name(&self.table);
            let query = query
                .key_condition_expression(key)
                .set_filter_expression(text)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(Some(values))
                .set_exclusive_start_key(from);
            let answer = query.send().await.map_err(Failure::sdk)?;
            return Ok((answer.items.unwrap_or_default(), answer.last_evaluated_key));
        }
        let Expression { text, names, values } = filter.in_any_account();
        let scan = self.client.scan().table_name(&self.table);
        let scan = scan
            .set_filter_expression(text)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(Some(values))
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

/// A filter as DynamoDB takes it: text and names that are empty must not be sent.
struct Expression {
    text: Option<String>,
    names: Option<HashMap<String, String>>,
    values: HashMap<String, AttributeValue>,
}

impl Filter {
    /// All but what is about the key.
    fn expression(&self) -> Expression {
        self.terms().expression()
    }

    /// All of it, for a table that holds more than findings.
    fn in_any_account(&self) -> Expression {
        let mut terms = self.terms();
        terms.add("account", "#account <> :account", Some(item::text(expected::PARTITION)));
        if let Some(uid) = &self.uid {
            terms.add("uid", "begins_with(#uid, :uid)", Some(item::text(uid.as_str())));
        }
        terms.expression()
    }

    fn terms(&self) -> Terms {
        let mut terms = Terms::default();
        if let Some(severity) = self.severity {
            let least = item::number(item::severity_id(severity));
            terms.add("severity_id", "#severity_id >= :severity_id", Some(least));
        }
        if let Some(finding_type) = self.finding_type {
            terms.add("type", "#type = :type", Some(item::text(finding_type.to_string())));
        }
        if let Some(family) = self.family {
            let ending = item::text(format!("/{}", family.name()));
            terms.add("type", "contains(#type, :family)", None);
            terms.values.insert(":family".to_owned(), ending);
        }
        if let Some(service) = self.service {
            terms.add("service", "#service = :service", Some(item::text(service.name())));
        }
        if let Some(status) = self.status {
            terms.add(
                "status",
                "#status = :status",
                Some(item::text(item::status_name(status))),
            );
        }
        if let Some(since) = self.since {
            terms.add(
                "last_seen",
                "#last_seen >= :last_seen",
                Some(item::number(since.seconds())),
            );
        }
        if let Some(mark) = self.mark {
            terms.add("mark", "#mark = :mark", Some(item::text(mark.name())));
        }
        if !self.suppressed {
            terms.add("suppressed", "attribute_not_exists(#suppressed)", None);
        }
        if !self.held {
            terms.add("held", "attribute_not_exists(#held)", None);
        }
        terms
    }
}

/// The parts of an expression.
#[derive(Default)]
struct Terms {
    wanted: Vec<String>,
    names: Vec<&'static str>,
    values: HashMap<String, AttributeValue>,
}

impl Terms {
    /// A term about the attribute `name`, which stands in it as `#name`, and its value as `:name`.
    fn add(&mut self, name: &'static str, term: &str, value: Option<AttributeValue>) {
        self.wanted.push(term.to_owned());
        self.names.push(name);
        self.values.extend(value.map(|value| (format!(":{name}"), value)));
    }

    fn expression(self) -> Expression {
        Expression {
            text: Some(self.wanted.join(" AND ")).filter(|text| !text.is_empty()),
            names: Some(placeholders(self.names.into_iter())).filter(|names| !names.is_empty()),
            values: self.values,
        }
    }
}
