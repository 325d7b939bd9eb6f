//! What every table of the detector is written and read with.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{BuildError, DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};

/// An item, or its key.
pub type Item = HashMap<String, AttributeValue>;

/// DynamoDB refused, or could not be reached, after its client tried again.
#[derive(Debug, thiserror::Error)]
#[error("DynamoDB: {what}")]
pub struct Failure {
    /// The code of the answer, if there was one.
    pub code: Option<String>,
    what: String,
}

/// What came of a write under a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It was done.
    Done,
    /// Its condition did not hold, or another transaction was writing: nothing was done.
    Refused,
}

impl Failure {
    /// Of a call.
    pub(crate) fn sdk<E>(error: SdkError<E>) -> Self
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        Self {
            code: error.code().map(str::to_owned),
            what: DisplayErrorContext(error).to_string(),
        }
    }

    /// Of a value that cannot be written as JSON.
    #[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
    pub(crate) fn json(error: serde_json::Error) -> Self {
        Self {
            code: None,
            what: error.to_string(),
        }
    }

    /// Of a call that lacks something.
    #[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
    pub(crate) fn build(error: BuildError) -> Self {
        Self {
            code: None,
            what: error.to_string(),
        }
    }
}

/// A number as an attribute.
pub(crate) fn number(value: &impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// Items of one partition between two sort keys, both included.
pub(crate) async fn between(
    client: &Client,
    table: &str,
    pk: &str,
    from: &str,
    to: &str,
) -> Result<Vec<Item>, Failure> {
    let pages = client
        .query()
        .table_name(table)
        .consistent_read(true)
        .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
        .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
        .expression_attribute_values(":from", AttributeValue::S(from.to_owned()))
        .expression_attribute_values(":to", AttributeValue::S(to.to_owned()))
        .into_paginator()
        .items()
        .send();
    pages.collect::<Result<Vec<Item>, _>>().await.map_err(Failure::sdk)
}

/// Writes an item under its condition.
pub(crate) async fn put(client: &Client, put: Put) -> Result<Written, Failure> {
    let request = client
        .put_item()
        .table_name(put.table_name)
        .set_item(Some(put.item))
        .set_condition_expression(put.condition_expression)
        .set_expression_attribute_names(put.expression_attribute_names)
        .set_expression_attribute_values(put.expression_attribute_values);
    match request.send().await {
        Ok(_) => Ok(Written::Done),
        Err(error) if error.as_service_error().is_some_and(refused) => Ok(Written::Refused),
        Err(error) => Err(Failure::sdk(error)),
    }
}

fn refused(error: &PutItemError) -> bool {
    matches!(
        error,
        PutItemError::ConditionalCheckFailedException(_) | PutItemError::TransactionConflictException(_)
    )
}

/// What came of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Transacted {
    /// All of it was done.
    Done,
    /// Nothing was done: the conditions of the items at these places did not hold. None where another transaction was
    /// writing.
    Refused(Vec<usize>),
}

/// Writes items under their conditions, all or none.
pub(crate) async fn transact(client: &Client, items: Vec<TransactWriteItem>) -> Result<Transacted, Failure> {
    match client
        .transact_write_items()
        .set_transact_items(Some(items))
        .send()
        .await
    {
        Ok(_) => Ok(Transacted::Done),
        Err(error) => match error.as_service_error().and_then(refused_places) {
            Some(places) => Ok(Transacted::Refused(places)),
            None => Err(Failure::sdk(error)),
        },
    }
}

/// Where a transaction's conditions did not hold; `None` where it was given up for what it holds.
fn refused_places(error: &TransactWriteItemsError) -> Option<Vec<usize>> {
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error else {
        return None;
    };
    let codes = || {
        cancelled
            .cancellation_reasons()
            .iter()
            .map(|reason| reason.code().unwrap_or_default())
    };
    if codes().any(|code| code == "TransactionConflict") {
        return Some(Vec::new());
    }
    let failed = codes()
        .enumerate()
        .filter(|(_, code)| *code == "ConditionalCheckFailed");
    let failed: Vec<usize> = failed.map(|(place, _)| place).collect();
    (!failed.is_empty()).then_some(failed)
}
