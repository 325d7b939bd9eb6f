//! What the queue hands over: every recorded signal, and what cannot be read.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test that asked for it")]

mod support;

use std::path::PathBuf;
use std::time::{Duration, Instant};
use std::{fs, iter};

use serde_json::{Value, json};
use support::{ACCOUNT, detector};
use tripmeter_aws::batch::Report;
use tripmeter_aws::canary::Millis;
use tripmeter_aws::detector::Detector;
use tripmeter_aws::exceptions::Exceptions;
use tripmeter_aws::findings::FindingsTable;
use tripmeter_aws::testing::Local;
use tripmeter_model::{Family, Severity, Timestamp};
use tripmeter_spend::hear;

/// 2026-03-17T03:20:00Z, soon after the recorded signals.
const NOW: i64 = 1_773_717_600;

fn recorded(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/signals");
    fs::read_to_string(folder.join(name).with_extension("json")).unwrap()
}

fn message(number: usize, body: &str) -> Value {
    json!({"messageId": format!("message-{number}"), "body": body, "attributes": {"ApproximateReceiveCount": "1"}})
}

async fn deliver(detector: &Detector, bodies: impl IntoIterator<Item = String>) -> Report {
    let messages: Vec<Value> = bodies
        .into_iter()
        .enumerate()
        .map(|(n, body)| message(n, &body))
        .collect();
    let payload = json!({ "Records": messages }).to_string();
    let later = Instant::now() + Duration::from_mins(1);
    hear(&payload, detector, &Exceptions::default(), Millis(NOW * 1_000), later)
        .await
        .unwrap()
}

#[tokio::test]
async fn every_recorded_signal_is_judged() {
    let local = Local::start().await;
    let names = [
        "alarm-static",
        "budget",
        "cost-anomaly",
        "guardduty",
        "health-abuse",
        "mail-sent",
        "text-message",
    ];

    let report = deliver(&detector(&local), names.map(recorded)).await;

    assert_eq!((report.events, report.unreadable.len(), report.failed.len()), (7, 0, 0));
    // The anomaly is of a member account, too.
    assert_eq!(report.outcomes.len(), 2);
    assert!(report.answer.batch_item_failures.is_empty());
}

#[tokio::test]
async fn what_is_no_signal_comes_back_alone() {
    let local = Local::start().await;
    let bodies = iter::once("nonsense".to_owned()).chain([recorded("budget")]);

    let report = deliver(&detector(&local), bodies).await;

    let back: Vec<&str> = report
        .answer
        .batch_item_failures
        .iter()
        .map(|one| one.item_identifier.as_str())
        .collect();
    assert_eq!(back, ["message-0"]);
    assert_eq!((report.events, report.unreadable.len()), (1, 1));
}

#[tokio::test]
async fn a_key_that_aws_has_found_in_public_is_a_finding() {
    let local = Local::start().await;
    deliver(&detector(&local), [recorded("health-exposed-key")]).await;

    let stored = FindingsTable::new(local.dynamodb(), local.findings_table());
    let open = stored.open_before(Timestamp::from_seconds(i64::MAX), 10).await.unwrap();
    let [one] = open.as_slice() else {
        unreachable!("one finding: {open:?}")
    };
    let finding = stored.get(ACCOUNT, &one.uid).await.unwrap().unwrap().finding;
    assert_eq!(
        (finding.finding_type.family, finding.severity),
        (Family::LeakedKey, Severity::High)
    );
    assert_eq!(finding.identity.id, "access key AKIAIOSFODNN7EXAMPLE");
}
