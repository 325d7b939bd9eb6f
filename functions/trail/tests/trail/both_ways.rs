//! What comes through a forwarder and in a file is one.

use serde_json::{Value, json};
use tripmeter_aws::canary::Millis;
use tripmeter_aws::exceptions::Exceptions;
use tripmeter_aws::findings::{Filter, FindingsTable};
use tripmeter_aws::own::OwnCalls;
use tripmeter_model::Finding;

use crate::s3::message;
use crate::stage::{MEMBER, Stage, TEN, call, calls, deliver, handed_back, shift};

const CANARY: &str = "arn:aws:iam::111122223333:role/prod-CanaryRole-1A";

/// A control that is removed: found at once, in an account that nobody knows yet.
fn logging_switched_off() -> Value {
    let mut record = call(0);
    record["eventName"] = "DeleteModelInvocationLoggingConfiguration".into();
    record["eventID"] = "switched-off".into();
    record["readOnly"] = false.into();
    record
}

/// A record as EventBridge delivers it.
fn event(record: &Value) -> String {
    json!({
        "version": "0", "id": "another", "detail-type": "AWS API Call via CloudTrail", "source": "aws.bedrock",
        "account": MEMBER, "time": record["eventTime"], "region": "eu-west-1", "resources": [], "detail": record
    })
    .to_string()
}

impl Stage {
    fn findings(&self) -> FindingsTable {
        FindingsTable::new(self.local.dynamodb(), self.local.findings_table())
    }

    async fn found(&self) -> Vec<Finding> {
        let filter = Filter {
            held: true,
            ..Filter::default()
        };
        let page = self.findings().list(&filter, 100).await.unwrap();
        page.findings.into_iter().map(|stored| stored.finding).collect()
    }

    async fn through_a_forwarder(&self, record: &Value) {
        let detector = &self.trail.detector;
        let now = Millis((TEN + 60) * 1_000);
        tripmeter_control_plane::handle(&event(record), detector, &self.findings(), &Exceptions::default(), now)
            .await
            .unwrap();
    }

    async fn in_a_file(&self, record: &Value) -> Vec<Finding> {
        let file = self.file("one", std::slice::from_ref(record));
        let report = deliver(&self.trail, &[file], shift(0)).await;
        assert_eq!(handed_back(&report), [""; 0]);
        let moved = report.outcomes.into_iter().flat_map(|outcome| outcome.moved);
        moved.map(|moved| moved.finding).collect()
    }
}

#[tokio::test]
async fn a_change_that_came_through_a_forwarder_is_the_same_in_a_file() {
    let stage = Stage::judging("all").await;
    stage.through_a_forwarder(&logging_switched_off()).await;
    let before = stage.found().await;

    let moved = stage.in_a_file(&logging_switched_off()).await;

    assert_eq!((before.len(), before[0].count, moved.len()), (1, 1, 0));
    assert_eq!(stage.found().await, before);
}

#[tokio::test]
async fn a_change_that_a_file_told_of_is_the_same_when_a_forwarder_is_late() {
    let stage = Stage::judging("all").await;
    let moved = stage.in_a_file(&logging_switched_off()).await;

    stage.through_a_forwarder(&logging_switched_off()).await;

    let found = stage.found().await;
    assert_eq!(
        (moved.len(), found.len(), found[0].count, found[0].revision),
        (1, 1, 1, moved[0].revision)
    );
}

#[tokio::test]
async fn where_changes_come_through_forwarders_those_in_files_are_left_alone() {
    let stage = Stage::judging("use").await;

    let moved = stage.in_a_file(&logging_switched_off()).await;

    assert_eq!((moved.len(), stage.found().await.len()), (0, 0));
}

#[tokio::test]
async fn use_that_came_by_an_event_before_the_files_were_read_counts_once() {
    let stage = Stage::judging("use").await;
    let messages: Vec<Value> = (0..60).map(|number| message(number, &event(&call(number)))).collect();
    let payload = json!({ "Records": messages }).to_string();
    let time = shift(0);
    let detector = &stage.trail.detector;
    tripmeter_usage::handle(&payload, detector, &Exceptions::default(), time.began, time.until)
        .await
        .unwrap();

    deliver(&stage.trail, &[stage.file("one", &calls(0..80))], shift(300)).await;

    assert_eq!(stage.counted(MEMBER).await, 80);
}

#[tokio::test]
async fn a_canary_that_is_only_in_a_file_was_not_heard() {
    let mut stage = Stage::judging("all").await;
    stage.trail.detector.own = OwnCalls::new(&[CANARY.into()], []);
    let mut read = call(0);
    read["eventSource"] = "ses.amazonaws.com".into();
    read["eventName"] = "GetAccount".into();
    read["userIdentity"] = json!({"type": "AssumedRole", "accountId": MEMBER,
        "arn": CANARY.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + "/canary",
        "sessionContext": {"sessionIssuer": {"type": "Role", "arn": CANARY}}});

    let report = deliver(&stage.trail, &[stage.file("one", &[read])], shift(0)).await;

    let written = stage
        .local
        .dynamodb()
        .scan()
        .table_name(stage.local.state_table())
        .send()
        .await
        .unwrap();
    let others = written
        .items()
        .iter()
        .filter(|item| !item["pk"].as_s().unwrap().starts_with("FILE#"));
    assert_eq!((report.own, others.count()), (1, 0));
}
