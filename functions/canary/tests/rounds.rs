//! Rounds against an embedded DynamoDB and a local SES and SNS: what becomes of a region that is silent.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod aws;

use std::sync::Arc;

use tripmeter_aws::canary::{Call, Canary as Book, Limit, Millis, Quota};
use tripmeter_aws::findings::FindingsTable;
use tripmeter_aws::testing::Local;
use tripmeter_canary::{Canary, Door, Report};
use tripmeter_model::{Cause, Finding, Severity, Status};

use aws::Aws;

const ACCOUNT: &str = "111122223333";
const QUARTER: i64 = 15 * 60 * 1_000;
const BEGINNING: i64 = 1_800_000_000_000;

/// A deployed canary whose records arrive when a test says so.
struct Stage {
    local: Local,
    aws: Aws,
    now: i64,
}

impl Stage {
    async fn new() -> Self {
        Self {
            local: Local::start().await,
            aws: Aws::start().await,
            now: BEGINNING,
        }
    }

    fn book(&self) -> Book {
        Book::new(self.local.dynamodb(), self.local.state_table())
    }

    /// A function that has just been started: it remembers nothing.
    fn canary(&self, regions: &[&str]) -> Arc<Canary> {
        Arc::new(Canary {
            account: ACCOUNT.into(),
            book: self.book(),
            findings: FindingsTable::new(self.local.dynamodb(), self.local.findings_table()),
            held: None,
            doors: regions
                .iter()
                .map(|region| Door::new(&self.aws.config(), region))
                .collect(),
        })
    }

    /// The next round in eu-west-1.
    async fn round(&mut self) -> Report {
        self.now += QUARTER;
        let reports = self.canary(&["eu-west-1"]).round(Millis(self.now)).await.unwrap();
        reports["eu-west-1"].clone()
    }

    /// The records of the latest round arrive, some seconds after it.
    async fn hear(&self, calls: &[Call]) {
        for call in calls {
            let event = Millis(self.now + 1_000).second();
            let seen = Millis(self.now + 61_000);
            self.book()
                .heard("eu-west-1", *call, event, Some("e-1"), seen)
                .await
                .unwrap();
        }
    }

    async fn findings(&self) -> Vec<Finding> {
        let items = self
            .local
            .dynamodb()
            .scan()
            .table_name(self.local.findings_table())
            .send()
            .await
            .unwrap();
        let stored = items.items.unwrap_or_default();
        let stored = stored
            .iter()
            .map(|item| serde_json::from_str(item["finding"].as_s().unwrap()).unwrap());
        stored.collect()
    }
}

#[tokio::test]
async fn a_round_asks_both_services_in_every_region_and_keeps_their_quotas() {
    let stage = Stage::new().await;

    stage
        .canary(&["eu-west-1", "us-east-1"])
        .round(Millis(stage.now))
        .await
        .unwrap();

    let mut asked = stage.aws.asked.lock().unwrap().clone();
    asked.sort();
    let wanted = ["eu-west-1", "us-east-1"].map(|region| Call::ALL.map(|call| (region.to_owned(), call.name())));
    assert_eq!(asked, wanted.concat());
    let quotas = stage.book().quotas(ACCOUNT, Millis(stage.now)).await.unwrap();
    assert_eq!(quotas.len(), 4);
    let mail = Limit::Mail {
        per_day: Some(50_000.0),
        per_second: 14.0,
        production: true,
        sending: true,
    };
    let sms = Limit::Sms {
        monthly_usd: Some(20.0),
    };
    for limit in [mail, sms] {
        let quota = Quota {
            region: "us-east-1".into(),
            limit,
            seen_at: Millis(stage.now),
        };
        assert!(quotas.contains(&quota), "{quotas:?}");
    }
}

#[tokio::test]
async fn a_region_that_is_heard_has_no_misses_and_a_delay() {
    let mut stage = Stage::new().await;
    for _ in 0..4 {
        stage.round().await;
        stage.hear(&Call::ALL).await;
    }

    let report = stage.round().await;

    let wanted = Report {
        delay: Some(60_000),
        ..Report::default()
    };
    assert_eq!(report, wanted);
    assert!(stage.findings().await.is_empty());
}

#[tokio::test]
async fn two_misses_are_one_finding_that_closes_when_the_region_is_heard_again() {
    let mut stage = Stage::new().await;
    stage.round().await;
    let first_miss = stage.round().await;
    assert_eq!((first_miss.misses, first_miss.is_lost), (1, false));
    assert!(stage.findings().await.is_empty());

    let second_miss = stage.round().await;
    for _ in 0..3 {
        stage.round().await;
    }

    assert_eq!((second_miss.misses, second_miss.is_lost), (2, true));
    let [lost] = stage.findings().await.try_into().unwrap();
    assert_eq!(
        (lost.revision, lost.status, lost.severity),
        (1, Status::Open, Severity::High)
    );
    assert_eq!(lost.finding_type.to_string(), "DefenseEvasion:Tripmeter/TelemetryLost");
    assert_eq!((lost.region.as_str(), lost.account.as_str()), ("eu-west-1", ACCOUNT));
    assert_eq!(lost.first_seen, Millis(BEGINNING + QUARTER).second());

    stage.hear(&Call::ALL).await;
    let again = stage.round().await;

    assert_eq!((again.misses, again.is_lost), (0, false));
    let [over] = stage.findings().await.try_into().unwrap();
    assert_eq!((over.uid.as_str(), over.revision), (lost.uid.as_str(), 2));
    assert_eq!((over.status, over.cause), (Status::Closed, Cause::Closed));
    assert_eq!(over.first_seen, lost.first_seen);
    assert!(over.last_seen > lost.last_seen);
    assert_eq!(over.count, 10);
}

#[tokio::test]
async fn the_next_outage_is_another_finding() {
    let mut stage = Stage::new().await;
    for _ in 0..2 {
        for _ in 0..3 {
            stage.round().await;
        }
        stage.hear(&Call::ALL).await;
        stage.round().await;
        stage.hear(&Call::ALL).await;
    }

    let findings = stage.findings().await;

    assert_eq!(findings.len(), 2);
    assert!(findings.iter().all(|finding| finding.status == Status::Closed));
}

#[tokio::test]
async fn one_silenced_rule_is_enough() {
    let mut stage = Stage::new().await;
    for _ in 0..3 {
        stage.round().await;
        stage.hear(&[Call::SmsAttributes]).await;
    }

    let [lost] = stage.findings().await.try_into().unwrap();

    let calls: Vec<_> = lost
        .evidence
        .calls
        .iter()
        .map(|call| (call.value.as_str(), call.count))
        .collect();
    assert_eq!(calls, [("ses:GetAccount", 2)]);
    insta::assert_snapshot!("lost", tripmeter_findings::text(&lost));
}

#[tokio::test]
async fn an_invocation_that_is_repeated_or_comes_twice_at_once_changes_nothing() {
    let mut stage = Stage::new().await;
    let (one, two) = (stage.canary(&["eu-west-1"]), stage.canary(&["eu-west-1"]));
    for _ in 0..3 {
        stage.now += QUARTER;
        let (one, two) = tokio::join!(one.round(Millis(stage.now)), two.round(Millis(stage.now + 40)));
        one.and(two).unwrap();
        one_more(&stage).await;
    }

    let [lost] = stage.findings().await.try_into().unwrap();

    assert_eq!((lost.revision, lost.count), (1, 4));
}

/// A repetition a minute after the round.
async fn one_more(stage: &Stage) {
    let asked = stage.aws.asked.lock().unwrap().len();
    stage
        .canary(&["eu-west-1"])
        .round(Millis(stage.now + 60_000))
        .await
        .unwrap();
    assert_eq!(stage.aws.asked.lock().unwrap().len(), asked);
}

#[tokio::test]
async fn a_function_that_died_before_its_finding_was_written_writes_it_in_its_next_life() {
    let mut stage = Stage::new().await;
    for _ in 0..3 {
        stage.round().await;
    }
    let [lost] = stage.findings().await.try_into().unwrap();
    let key = |name: &str, value: &str| {
        (
            name.to_owned(),
            aws_sdk_dynamodb::types::AttributeValue::S(value.into()),
        )
    };
    let deleted = stage
        .local
        .dynamodb()
        .delete_item()
        .table_name(stage.local.findings_table());
    let item_key = [key("account", ACCOUNT), key("uid", &lost.uid)].into();
    deleted.set_key(Some(item_key)).send().await.unwrap();

    stage
        .canary(&["eu-west-1"])
        .round(Millis(stage.now + 60_000))
        .await
        .unwrap();

    let [again] = stage.findings().await.try_into().unwrap();
    assert_eq!((again.uid, again.count), (lost.uid, lost.count));
}

#[tokio::test]
async fn a_call_that_is_refused_is_told_and_is_no_miss() {
    let mut stage = Stage::new().await;
    *stage.aws.denies_messages.lock().unwrap() = true;
    for _ in 0..4 {
        stage.round().await;
        stage.hear(&[Call::MailAccount]).await;
    }

    let report = stage.round().await;

    let [(call, unanswered)] = report.unanswered.as_slice() else {
        panic!("{report:?}")
    };
    assert_eq!(
        (*call, unanswered.code.as_str()),
        (Call::SmsAttributes, "AuthorizationError")
    );
    assert_eq!((report.misses, report.no_longer), (0, 0));
    assert!(stage.findings().await.is_empty());
}

#[tokio::test]
async fn a_call_that_was_answered_once_and_is_refused_now_is_told_apart() {
    let mut stage = Stage::new().await;
    stage.round().await;
    *stage.aws.denies_messages.lock().unwrap() = true;
    stage.round().await;

    let report = stage.round().await;

    assert_eq!((report.unanswered.len(), report.no_longer), (1, 1));
}

#[tokio::test]
async fn a_region_that_cannot_be_reached_keeps_no_other_from_its_round() {
    let stage = Stage::new().await;
    let mut canary = Arc::unwrap_or_clone(stage.canary(&["eu-west-1"]));
    canary.doors.push(Door::new(&aws::nowhere(), "xx-north-1"));

    let reports = Arc::new(canary).round(Millis(stage.now)).await.unwrap();

    let codes: Vec<_> = reports["xx-north-1"]
        .unanswered
        .iter()
        .map(|(_, why)| why.code.as_str())
        .collect();
    assert_eq!(codes, ["NotReached", "NotReached"]);
    assert!(reports["eu-west-1"].unanswered.is_empty());
}

#[tokio::test]
async fn a_region_that_is_watched_no_longer_leaves_no_open_finding() {
    let mut stage = Stage::new().await;
    for _ in 0..3 {
        stage.round().await;
    }

    stage
        .canary(&["us-east-1"])
        .round(Millis(stage.now + QUARTER))
        .await
        .unwrap();

    let [left] = stage.findings().await.try_into().unwrap();
    assert_eq!(left.status, Status::Closed);
    let watched: Vec<_> = stage.book().regions().await.unwrap().into_keys().collect();
    assert_eq!(watched, ["us-east-1"]);
}
