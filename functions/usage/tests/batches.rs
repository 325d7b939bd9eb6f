//! What a queue hands over: read, counted once, acknowledged or handed back.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test that asked for it")]

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tripmeter_aws::canary::{Canary, Millis};
use tripmeter_aws::detector::Detector;
use tripmeter_aws::exceptions::Exceptions;
use tripmeter_aws::findings::FindingsTable;
use tripmeter_aws::own::OwnCalls;
use tripmeter_aws::sample::Sample;
use tripmeter_aws::state::State;
use tripmeter_aws::testing::{Fault, Faults, Local};
use tripmeter_detect::{ServiceShown, Settings};
use tripmeter_model::Timestamp;
use tripmeter_usage::{Report, handle};

const ACCOUNT: &str = "111122223333";
/// 2026-03-03T10:00:00Z.
const TEN: i64 = 1_772_532_000;

fn detector(local: &Local, client: &aws_sdk_dynamodb::Client) -> Detector {
    let findings = FindingsTable::new(client.clone(), local.findings_table());
    Detector {
        home: ACCOUNT.into(),
        state: State::new(client.clone(), local.state_table(), findings),
        canary: Canary::new(client.clone(), local.state_table()),
        own: OwnCalls::default(),
        scope: tripmeter_aws::scope("prod", &[]),
        settings: Settings::default(),
    }
}

/// A message with one call of a model, as EventBridge sends it to a queue.
fn call(number: usize) -> Value {
    let time = jiff::Timestamp::from_second(TEN + number as i64).unwrap();
    let event = json!({
        "version": "0", "id": format!("event-{number}"), "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.bedrock", "account": ACCOUNT, "time": time.to_string(), "region": "eu-west-1", "resources": [],
        "detail": {
            "eventVersion": "1.09", "eventTime": time.to_string(), "eventSource": "bedrock.amazonaws.com",
            "eventName": "InvokeModel", "awsRegion": "eu-west-1", "sourceIPAddress": "198.51.100.7",
            "userAgent": "Boto3/1.40.1", "eventID": format!("call-{number}"), "readOnly": true,
            "requestParameters": {"modelId": "anthropic.claude-sonnet-5"}, "recipientAccountId": ACCOUNT,
            "userIdentity": {"type": "IAMUser", "arn": format!("arn:aws:iam::{ACCOUNT}:user/app"),
                "accountId": ACCOUNT, "userName": "app", "accessKeyId": "AKIAIOSFODNN7EXAMPLE"}
        }
    });
    message(number, &event.to_string(), 1)
}

fn message(number: usize, body: &str, received: u32) -> Value {
    json!({
        "messageId": format!("message-{number}"), "receiptHandle": "handle", "body": body,
        "attributes": {"ApproximateReceiveCount": received.to_string()},
        "eventSource": "aws:sqs", "awsRegion": "eu-west-1"
    })
}

async fn deliver(detector: &Detector, messages: Vec<Value>) -> Report {
    let payload = json!({ "Records": messages }).to_string();
    let later = Instant::now() + Duration::from_mins(1);
    handle(
        &payload,
        detector,
        &Exceptions::default(),
        Millis((TEN + 600) * 1_000),
        later,
    )
    .await
    .unwrap()
}

fn handed_back(report: &Report) -> Vec<&str> {
    let failures = report.answer.batch_item_failures.iter();
    failures.map(|failed| failed.item_identifier.as_str()).collect()
}

/// Calls that the account's profile of Bedrock has counted.
async fn counted(detector: &Detector) -> u64 {
    let services = detector
        .state
        .services(ACCOUNT, Timestamp::from_seconds(TEN))
        .await
        .unwrap();
    let shown = services
        .iter()
        .map(|(service, body)| ServiceShown::of(*service, body).unwrap());
    shown.map(|shown| shown.calls).sum()
}

#[tokio::test]
async fn of_ten_messages_the_one_that_cannot_be_read_comes_back_alone() {
    let local = Local::start().await;
    let detector = detector(&local, &local.dynamodb());
    let mut messages: Vec<Value> = (0..9).map(call).collect();
    messages.insert(
        4,
        message(
            9,
            r#"{"detail-type":"AWS API Call via CloudTrail","detail":{"eventName":"#,
            1,
        ),
    );

    let report = deliver(&detector, messages).await;

    assert_eq!(handed_back(&report), ["message-9"]);
    assert_eq!(report.unreadable.len(), 1);
    assert_eq!(counted(&detector).await, 9);
}

#[tokio::test]
async fn a_batch_is_counted_once_however_often_and_in_whatever_groups_it_comes() {
    let local = Local::start().await;
    let detector = detector(&local, &local.dynamodb());
    deliver(&detector, (0..200).map(call).collect()).await;
    let again = |range: std::ops::Range<usize>| -> Vec<Value> {
        let mut messages: Vec<Value> = range.map(call).collect();
        for message in &mut messages {
            message["attributes"]["ApproximateReceiveCount"] = "2".into();
        }
        messages
    };
    deliver(&detector, (200..300).map(call).collect()).await;
    deliver(&detector, again(0..70)).await;
    deliver(&detector, again(70..200)).await;

    assert_eq!(counted(&detector).await, 300);
}

#[tokio::test]
async fn while_the_table_refuses_everything_comes_back_and_is_counted_later() {
    let local = Local::start().await;
    let refusing = local.client_with(Faults::of("PutItem", vec![Fault::Denied; 50]));
    let refused = deliver(&detector(&local, &refusing), (0..5).map(call).collect()).await;
    assert_eq!(handed_back(&refused).len(), 5);
    assert_eq!(refused.failed.len(), 1);

    let detector = detector(&local, &local.dynamodb());
    let report = deliver(&detector, (0..5).map(call).collect()).await;

    assert_eq!(handed_back(&report), [""; 0]);
    assert_eq!(counted(&detector).await, 5);
}

#[tokio::test]
async fn answers_that_are_lost_count_nothing_twice() {
    let local = Local::start().await;
    let unlucky = local.client_with(Faults::of("PutItem", [Fault::AnswerLost; 12]));
    let detector = detector(&local, &unlucky);

    deliver(&detector, (0..5).map(call).collect()).await;
    deliver(&detector, (0..5).map(call).collect()).await;

    assert_eq!(counted(&detector).await, 5);
}

#[tokio::test]
async fn a_message_that_came_often_is_judged_alone() {
    let local = Local::start().await;
    let detector = detector(&local, &local.dynamodb());
    let mut often = call(2);
    often["attributes"]["ApproximateReceiveCount"] = "3".into();

    let report = deliver(&detector, vec![call(0), call(1), often]).await;

    assert_eq!(report.outcomes.len(), 2);
    assert_eq!(counted(&detector).await, 3);
}

#[tokio::test]
async fn near_the_deadline_the_rest_is_handed_back() {
    let local = Local::start().await;
    let detector = detector(&local, &local.dynamodb());
    let payload = json!({ "Records": [call(0)] }).to_string();

    let report = handle(
        &payload,
        &detector,
        &Exceptions::default(),
        Millis(TEN * 1_000),
        Instant::now(),
    )
    .await
    .unwrap();

    assert_eq!(handed_back(&report), ["message-0"]);
    assert_eq!(counted(&detector).await, 0);
}

#[tokio::test]
async fn a_sample_is_one_labelled_finding_and_is_learned_by_nobody() {
    let local = Local::start().await;
    let detector = detector(&local, &local.dynamodb());
    let sample = Sample::new(ACCOUNT, "first");
    let body = sample.message().unwrap();

    let report = deliver(&detector, vec![message(0, &body, 1), message(1, &body, 1)]).await;

    assert_eq!(handed_back(&report), [""; 0]);
    let findings = FindingsTable::new(local.dynamodb(), local.findings_table());
    let stored = findings.get(ACCOUNT, &sample.uid()).await.unwrap().unwrap();
    assert!(stored.finding.sample && stored.pending);
    assert_eq!(detector.state.accounts().await.unwrap(), []);
}

#[tokio::test]
async fn what_is_no_batch_is_an_error() {
    let local = Local::start().await;
    let detector = detector(&local, &local.dynamodb());
    for payload in ["", "[]", r#"{"Records":"none"}"#, r#"{"detail":{}}"#] {
        let handled = handle(payload, &detector, &Exceptions::default(), Millis(0), Instant::now()).await;
        assert!(handled.is_err(), "{payload:?} was taken for a batch");
    }
}
