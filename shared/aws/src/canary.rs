//! The canary's book in the state table: what it sent, what was answered, what was heard, and the quotas it was told.
//!
//! | pk | sk | attributes | written by |
//! |---|---|---|---|
//! | `CANARY` | `REGION#CALL` | `sent_at`, `answered_at`, `heard_before`, `misses`, `missed_since`, `missed_until` | the canary |
//! | | the same | `heard_at`, `seen_at`, `event_id` | control-plane, on the canary's own record |
//! | `CANARY` | `REGION` | `since`, `until`, `misses` by call: the outage that is open | the canary |
//! | `QUOTA#ACCOUNT` | `REGION#ses`, `REGION#sns` | what [`Limit`] holds, `seen_at`, `expires` | the canary |
//!
//! Times are milliseconds, but for `expires` (seconds, as DynamoDB wants them). The two writers of a call's item
//! never touch the same attribute. Hearing keeps the latest event time, so records may come in any order and
//! repeatedly; sending is conditional on what was sent before, so of two invocations at once one goes on.

mod quota;
mod watch;

use std::collections::{BTreeMap, HashMap};
use std::str::FromStr;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{DisplayErrorContext, SdkError};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use tripmeter_model::{Timestamp, bounded};

pub use self::quota::{Limit, Quota};
pub use self::watch::{Call, LOST_AFTER, Millis, Missed, Outage, Region, Standing, Turn, Watch};

const PARTITION: &str = "CANARY";

/// The longest region's name that is written down; those of AWS are half as long.
const MAX_REGION: usize = 32;

/// DynamoDB did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} in table {table}: {cause}")]
pub struct CanaryError {
    doing: &'static str,
    table: String,
    cause: String,
}

/// The book.
#[derive(Clone, Debug)]
pub struct Canary {
    dynamodb: Client,
    table: String,
}

type Item = HashMap<String, AttributeValue>;

impl Canary {
    /// In the state table.
    pub fn new(dynamodb: Client, state_table: impl Into<String>) -> Self {
        Self {
            dynamodb,
            table: state_table.into(),
        }
    }

    /// Everything that is written down, by region: two calls and perhaps an outage each.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn regions(&self) -> Result<BTreeMap<String, Region>, CanaryError> {
        let mut regions: BTreeMap<String, Region> = BTreeMap::new();
        for item in self.partition(PARTITION, "read what the canary sent").await? {
            let Some(key) = item.get("sk").and_then(|key| key.as_s().ok()) else {
                continue;
            };
            match key.split_once('#') {
                None => regions.entry(key.clone()).or_default().outage = outage(&item),
                Some((region, call)) => {
                    // A call of another version of this program is left alone.
                    if let Some(call) = Call::named(call) {
                        let region = regions.entry(region.to_owned()).or_default();
                        region.watches.insert(call, watch(&item));
                    }
                }
            }
        }
        Ok(regions)
    }

    /// Writes down that a call is about to be sent, as [`Turn::Next`] says: before it is sent, so that an answer that
    /// comes at once is not lost. False when another invocation was quicker.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn sending(&self, region: &str, call: Call, before: &Watch, next: &Watch) -> Result<bool, CanaryError> {
        let millis = |time: Option<Millis>| set_number(&time.unwrap_or_default().0);
        let update = self
            .update(region, call)
            .update_expression(
                "SET sent_at = :sent, heard_before = :heard, misses = :misses, missed_since = :since, \
                 missed_until = :until",
            )
            .condition_expression("attribute_not_exists(sent_at) OR sent_at = :before")
            .expression_attribute_values(":before", millis(before.sent_at))
            .expression_attribute_values(":sent", millis(next.sent_at))
            .expression_attribute_values(":heard", millis(next.heard_before))
            .expression_attribute_values(":misses", set_number(&next.missed.map_or(0, |missed| missed.times)))
            .expression_attribute_values(":since", millis(next.missed.map(|missed| missed.since)))
            .expression_attribute_values(":until", millis(next.missed.map(|missed| missed.until)))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match update.send().await {
            Ok(_) => Ok(true),
            // An earlier try of this very write may have gone through without our knowing.
            Err(error) => match condition_failed(&error) {
                Some(failed) => Ok(failed.item().is_some_and(|there| watch(there).sent_at == next.sent_at)),
                None => Err(self.error("note that the canary's call is sent", &error)),
            },
        }
    }

    /// Writes down that the call was answered: from now on its silence is a miss.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn answered(&self, region: &str, call: Call, now: Millis) -> Result<(), CanaryError> {
        self.update(region, call)
            .update_expression("SET answered_at = :now")
            .expression_attribute_values(":now", set_number(&now.0))
            .send()
            .await
            .map(drop)
            .map_err(|error| self.error("note that the canary's call is answered", &error))
    }

    /// Writes down that a record of the canary's call has arrived. Older ones than the latest, and the same again,
    /// change nothing.
    ///
    /// `event_time` and `event_id` are the record's, `now` is our clock.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn heard(
        &self,
        region: &str,
        call: Call,
        event_time: Timestamp,
        event_id: Option<&str>,
        now: Millis,
    ) -> Result<(), CanaryError> {
        let update = self
            .update(region, call)
            .update_expression("SET heard_at = :at, seen_at = :now, event_id = :id")
            .condition_expression("attribute_not_exists(heard_at) OR heard_at < :at")
            .expression_attribute_values(":at", set_number(&Millis::from(event_time).0))
            .expression_attribute_values(":now", set_number(&now.0))
            .expression_attribute_values(":id", AttributeValue::S(bounded(event_id.unwrap_or_default(), 64)));
        match update.send().await {
            Err(error) if condition_failed(&error).is_none() => {
                Err(self.error("note that the canary is heard", &error))
            }
            _ => Ok(()),
        }
    }

    /// Writes down that a region is lost, or that it still is.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn lost(&self, region: &str, outage: &Outage) -> Result<(), CanaryError> {
        let misses = outage.misses.iter();
        let misses = misses.map(|(call, times)| (call.name().to_owned(), set_number(times)));
        self.dynamodb
            .put_item()
            .table_name(&self.table)
            .item("pk", AttributeValue::S(PARTITION.to_owned()))
            .item("sk", AttributeValue::S(bounded(region, MAX_REGION)))
            .item("since", set_number(&outage.since.0))
            .item("until", set_number(&outage.until.0))
            .item("misses", AttributeValue::M(misses.collect()))
            .send()
            .await
            .map(drop)
            .map_err(|error| self.error("note that a region is lost", &error))
    }

    /// Forgets a region's outage, once its finding says that it is over.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn found(&self, region: &str) -> Result<(), CanaryError> {
        self.delete(bounded(region, MAX_REGION)).await
    }

    /// Forgets a region that is no longer watched.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn forget(&self, region: &str) -> Result<(), CanaryError> {
        for call in Call::ALL {
            self.delete(sort_key(region, call)).await?;
        }
        self.found(region).await
    }

    /// Keeps what an answer said about the account's quotas.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn keep(&self, account: &str, quota: &Quota) -> Result<(), CanaryError> {
        self.dynamodb
            .put_item()
            .table_name(&self.table)
            .set_item(Some(quota.attributes()))
            .item("pk", AttributeValue::S(quota_partition(account)))
            .item("sk", AttributeValue::S(quota.sort_key()))
            .send()
            .await
            .map(drop)
            .map_err(|error| self.error("keep a quota", &error))
    }

    /// The account's quotas in the regions that are watched, none older than a week. A region without any is one
    /// whose quotas nobody knows, not one without quotas.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn quotas(&self, account: &str, now: Millis) -> Result<Vec<Quota>, CanaryError> {
        let items = self.partition(&quota_partition(account), "read quotas").await?;
        Ok(items.iter().filter_map(|item| Quota::of(item, now)).collect())
    }

    async fn partition(&self, key: &str, doing: &'static str) -> Result<Vec<Item>, CanaryError> {
        self.dynamodb
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(key.to_owned()))
            .into_paginator()
            .items()
            .send()
            .try_collect()
            .await
            .map_err(|error| self.error(doing, &error))
    }

    fn update(&self, region: &str, call: Call) -> UpdateItemFluentBuilder {
        self.dynamodb
            .update_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(PARTITION.to_owned()))
            .key("sk", AttributeValue::S(sort_key(region, call)))
    }

    async fn delete(&self, sort_key: String) -> Result<(), CanaryError> {
        self.dynamodb
            .delete_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(PARTITION.to_owned()))
            .key("sk", AttributeValue::S(sort_key))
            .send()
            .await
            .map(drop)
            .map_err(|error| self.error("forget what the canary sent", &error))
    }

    fn error<E: std::error::Error>(&self, doing: &'static str, error: E) -> CanaryError {
        CanaryError {
            doing,
            table: self.table.clone(),
            cause: DisplayErrorContext(error).to_string(),
        }
    }
}

fn sort_key(region: &str, call: Call) -> String {
    format!("{}#{}", bounded(region, MAX_REGION).replace('#', "?"), call.name())
}

fn quota_partition(account: &str) -> String {
    format!("QUOTA#{account}")
}

fn condition_failed(error: &SdkError<UpdateItemError>) -> Option<&ConditionalCheckFailedException> {
    match error.as_service_error() {
        Some(UpdateItemError::ConditionalCheckFailedException(failed)) => Some(failed),
        _ => None,
    }
}

fn watch(item: &Item) -> Watch {
    let millis = |name| number(item, name).filter(|millis| *millis != 0).map(Millis);
    let times: u32 = number(item, "misses").unwrap_or_default();
    Watch {
        sent_at: millis("sent_at"),
        answered_at: millis("answered_at"),
        heard_before: millis("heard_before"),
        heard_at: millis("heard_at"),
        seen_at: millis("seen_at"),
        missed: millis("missed_since")
            .zip(millis("missed_until"))
            .filter(|_| times > 0)
            .map(|(since, until)| Missed { times, since, until }),
    }
}

fn outage(item: &Item) -> Option<Outage> {
    let misses = item.get("misses")?.as_m().ok()?;
    Some(Outage {
        since: Millis(number(item, "since")?),
        until: Millis(number(item, "until")?),
        misses: misses
            .iter()
            .filter_map(|(call, times)| Some((Call::named(call)?, times.as_n().ok()?.parse().ok()?)))
            .collect(),
    })
}

fn number<T: FromStr>(item: &Item, name: &str) -> Option<T> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

fn set_number(value: &impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}
