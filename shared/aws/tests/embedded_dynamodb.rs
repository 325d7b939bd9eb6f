//! The embedded DynamoDB that store tests stand on, through the real client.

// Helpers say what they expect, as tests do.
#![allow(clippy::unwrap_used)]

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{AttributeValue, KeySchemaElement, TableDescription};
use aws_sdk_dynamodb::{Client, Error};
use tripmeter_aws::testing::{Fault, Faults, Local};

async fn described(local: &Local, table: &str) -> TableDescription {
    let answer = local.dynamodb().describe_table().table_name(table).send().await;
    answer.unwrap().table.unwrap()
}

fn names(keys: &[KeySchemaElement]) -> Vec<&str> {
    keys.iter().map(KeySchemaElement::attribute_name).collect()
}

/// Counts up in an item, which is done as often as the database hears of it.
async fn count_up(client: &Client, local: &Local) -> Result<(), Error> {
    let update = client
        .update_item()
        .table_name(local.state_table())
        .key("pk", AttributeValue::S("A".into()))
        .key("sk", AttributeValue::S("B".into()))
        .update_expression("ADD times :one")
        .expression_attribute_values(":one", AttributeValue::N("1".into()));
    update.send().await?;
    Ok(())
}

async fn times(local: &Local) -> String {
    let get = local.dynamodb().get_item().table_name(local.state_table());
    let get = get
        .key("pk", AttributeValue::S("A".into()))
        .key("sk", AttributeValue::S("B".into()));
    let item = get.send().await.unwrap().item.unwrap_or_default();
    item.get("times")
        .map_or_else(|| "0".to_owned(), |times| times.as_n().unwrap().clone())
}

#[tokio::test]
async fn both_tables_have_the_keys_and_indexes_of_the_template() {
    let local = Local::start().await;

    let state = described(&local, local.state_table()).await;
    let findings = described(&local, local.findings_table()).await;

    assert_eq!(names(state.key_schema()), ["pk", "sk"]);
    assert_eq!(names(findings.key_schema()), ["account", "uid"]);
    let mut indexes: Vec<_> = findings
        .global_secondary_indexes()
        .iter()
        .map(|index| (index.index_name().unwrap_or_default(), names(index.key_schema())))
        .collect();
    indexes.sort();
    assert_eq!(
        indexes,
        [
            ("open", vec!["open", "last_seen"]),
            ("pending", vec!["pending", "updated"])
        ]
    );
}

#[tokio::test]
async fn each_test_has_a_database_of_its_own() {
    let (one, other) = (Local::start().await, Local::start().await);

    count_up(&one.dynamodb(), &one).await.unwrap();

    assert_eq!(
        (times(&one).await, times(&other).await),
        ("1".to_owned(), "0".to_owned())
    );
}

#[tokio::test]
async fn a_call_that_failed_is_tried_again_and_one_whose_answer_was_lost_is_done_twice() {
    for (fault, done) in [
        (Fault::Throttled, "1"),
        (Fault::Unavailable, "1"),
        (Fault::AnswerLost, "2"),
    ] {
        let local = Local::start().await;
        let unlucky = local.client_with(Faults::of("UpdateItem", [fault]));

        count_up(&unlucky, &local).await.unwrap();

        assert_eq!(times(&local).await, done, "{fault:?}");
    }
}

#[tokio::test]
async fn tries_are_bounded_and_a_refusal_is_not_tried_again() {
    let local = Local::start().await;
    let busy = local.client_with(Faults::of("UpdateItem", [Fault::Throttled; 100]));
    let forbidden = local.client_with(Faults::of("UpdateItem", [Fault::Denied]));

    let throttled = count_up(&busy, &local).await.unwrap_err();
    let denied = count_up(&forbidden, &local).await.unwrap_err();

    assert_eq!(throttled.code(), Some("ThrottlingException"));
    assert_eq!(denied.code(), Some("AccessDeniedException"));
    assert_eq!(times(&local).await, "0");
}
