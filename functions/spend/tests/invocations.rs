//! Deliveries of CloudWatch Logs: unpacked, counted once, refused where they are none.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test that asked for it")]

mod support;

use std::collections::BTreeSet;
use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use support::{ACCOUNT, detector};
use tripmeter_aws::exceptions::Exceptions;
use tripmeter_aws::testing::Local;
use tripmeter_model::Timestamp;
use tripmeter_spend::invocations::{Delivery, judge};

fn packed(content: &[u8]) -> Delivery {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(content).unwrap();
    delivery(&STANDARD.encode(packer.finish().unwrap()))
}

fn delivery(data: &str) -> Delivery {
    serde_json::from_value(json!({"awslogs": {"data": data}})).unwrap()
}

fn entry(request: &str, account: &str) -> Value {
    let message = json!({"schemaType": "ModelInvocationLog", "schemaVersion": "1.0", "timestamp": "2026-03-03T10:00:00Z",
        "accountId": account, "identity": {"arn": format!("arn:aws:iam::{ACCOUNT}:user/app")}, "region": "us-east-1",
        "requestId": request, "operation": "Converse", "modelId": "anthropic.claude-sonnet-4-20250514-v1:0",
        "input": {"inputTokenCount": 1_000_000, "inputBodyJson": {"messages": ["a secret"]}},
        "output": {"outputTokenCount": 1_000}});
    json!({"id": "0", "timestamp": 1_772_532_000_000_u64, "message": message.to_string()})
}

fn log(kind: &str, owner: &str, entries: &[Value]) -> Vec<u8> {
    let log = json!({"messageType": kind, "owner": owner, "logGroup": "/aws/bedrock", "logStream": "s",
        "subscriptionFilters": ["f"], "logEvents": entries});
    log.to_string().into_bytes()
}

#[test]
fn an_entry_is_use_of_its_tokens_at_their_price_in_the_logs_own_account() {
    let other = json!({"id": "1", "timestamp": 0, "message": "not an entry"});
    let calls = packed(&log("DATA_MESSAGE", ACCOUNT, &[entry("r-1", "999999999999"), other]))
        .calls()
        .unwrap();

    assert_eq!((calls.entries, calls.activities.len()), (2, 1));
    let activity = calls.activities.first().unwrap();
    assert_eq!(
        (activity.account.as_str(), activity.region.as_str()),
        (ACCOUNT, "us-east-1")
    );
    assert_eq!(
        (activity.quantity.units, activity.quantity.micros),
        (1_001_000, Some(3_015_000))
    );
    assert!(!format!("{calls:?}").contains("a secret"));
}

#[test]
fn a_control_message_holds_nothing() {
    assert_eq!(
        packed(&log("CONTROL_MESSAGE", "CloudwatchLogs", &[]))
            .calls()
            .unwrap()
            .activities,
        []
    );
}

#[test]
fn what_is_no_delivery_is_refused_with_a_reason() {
    let nobodys = packed(&log("DATA_MESSAGE", "somebody", &[entry("r-1", ACCOUNT)]));
    for wrong in [
        delivery("%%%"),
        delivery("bm90IHBhY2tlZA=="),
        packed(b"no json"),
        packed(b"{}"),
        nobodys,
    ] {
        assert!(wrong.calls().is_err(), "{wrong:?}");
    }
}

#[tokio::test]
async fn a_delivery_that_comes_twice_is_counted_once() {
    let local = Local::start().await;
    let detector = detector(&local);
    let calls = packed(&log("DATA_MESSAGE", ACCOUNT, &[entry("r-1", ACCOUNT)]))
        .calls()
        .unwrap();
    let now = Timestamp::from_seconds(1_772_532_060);
    let mut seen = Vec::new();
    for _ in 0..2 {
        judge(&calls, &detector, &Exceptions::default(), now).await.unwrap();
        seen.push(profile(&local).await);
    }

    assert!(seen.first().is_some_and(|profile| !profile.is_empty()));
    assert_eq!(seen.first(), seen.last());
}

/// The bytes of every part that a use moves.
async fn profile(local: &Local) -> BTreeSet<Vec<u8>> {
    let scanned = local
        .dynamodb()
        .scan()
        .table_name(local.state_table())
        .send()
        .await
        .unwrap();
    let bodies = scanned.items().iter().filter_map(|item| item.get("body")?.as_b().ok());
    bodies.map(|body| body.clone().into_inner()).collect()
}
