//! Events as EventBridge hands them over, ticks, and the digest of the first day.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test that asked for it")]

use serde_json::{Value, json};
use tripmeter_aws::canary::{Call, Canary, Millis};
use tripmeter_aws::detector::Detector;
use tripmeter_aws::exceptions::Exceptions;
use tripmeter_aws::findings::{Filter, FindingsTable};
use tripmeter_aws::own::OwnCalls;
use tripmeter_aws::state::State;
use tripmeter_aws::testing::Local;
use tripmeter_control_plane::{HandleError, Report, handle};
use tripmeter_detect::{Mode, Settings};
use tripmeter_model::{DAY, Family, Finding, HOUR, Severity, Status, Timestamp};

const ACCOUNT: &str = "111122223333";
const CANARY: &str = "arn:aws:iam::111122223333:role/prod-CanaryRole-1A";
/// 2026-03-03T10:00:00Z.
const TEN: i64 = 1_772_532_000;

struct Deployed {
    detector: Detector,
    findings: FindingsTable,
    local: Local,
}

impl Deployed {
    async fn new() -> Self {
        let local = Local::start().await;
        let findings = FindingsTable::new(local.dynamodb(), local.findings_table());
        let detector = Detector {
            home: ACCOUNT.into(),
            state: State::new(local.dynamodb(), local.state_table(), findings.clone()),
            canary: Canary::new(local.dynamodb(), local.state_table()),
            own: OwnCalls::new(&[CANARY.into()], []),
            scope: tripmeter_aws::scope("prod", &[]),
            settings: Settings::default(),
        };
        Self {
            detector,
            findings,
            local,
        }
    }

    async fn hand_over(&self, payload: &str, now: i64) -> Result<Report, HandleError> {
        handle(
            payload,
            &self.detector,
            &self.findings,
            &Exceptions::default(),
            Millis(now * 1_000),
        )
        .await
    }

    async fn stored(&self) -> Vec<(Finding, Status, Option<String>)> {
        let filter = Filter {
            held: true,
            ..Filter::default()
        };
        let page = self.findings.list(&filter, 100).await.unwrap();
        let stored = page.findings.into_iter();
        stored
            .map(|stored| (stored.finding, stored.status, stored.held))
            .collect()
    }
}

fn event(source: &str, name: &str, parameters: &Value, time: i64, role: &str) -> String {
    let at = jiff::Timestamp::from_second(time).unwrap().to_string();
    let session = role.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/");
    json!({
        "version": "0", "id": "1", "detail-type": "AWS API Call via CloudTrail", "source": "aws.events",
        "account": ACCOUNT, "time": at, "region": "eu-west-1", "resources": [],
        "detail": {
            "eventVersion": "1.09", "eventTime": at, "eventSource": format!("{source}.amazonaws.com"),
            "eventName": name, "awsRegion": "eu-west-1", "sourceIPAddress": "198.51.100.7", "userAgent": "aws-cli/2.30",
            "eventID": format!("{name}-{time}"), "recipientAccountId": ACCOUNT, "requestParameters": parameters,
            "userIdentity": {"type": "AssumedRole", "arn": format!("{session}/session"), "accountId": ACCOUNT,
                "sessionContext": {"sessionIssuer": {"type": "Role", "arn": role}}}
        }
    })
    .to_string()
}

fn blinded(time: i64) -> String {
    let rule = json!({"name": "prod-BedrockReads-1A2B3C"});
    event(
        "events",
        "DisableRule",
        &rule,
        time,
        "arn:aws:iam::111122223333:role/thief",
    )
}

/// Somebody reads the sending quota at ten.
fn look_at_the_quota() -> String {
    event(
        "ses",
        "GetSendQuota",
        &json!(null),
        TEN,
        "arn:aws:iam::111122223333:role/app",
    )
}

#[tokio::test]
async fn a_rule_of_our_own_that_is_disabled_is_high_from_its_first_event_on_and_closes_when_it_is_quiet() {
    let deployed = Deployed::new().await;

    deployed.hand_over(&blinded(TEN), TEN + 3).await.unwrap();

    let stored = deployed.stored().await;
    let (finding, status, held) = &stored[0];
    assert_eq!(finding.finding_type.family, Family::GuardrailRemoved);
    assert!(finding.severity >= Severity::Medium, "{}", finding.severity);
    assert_eq!((stored.len(), *status, held), (1, Status::Open, &None));

    deployed.hand_over(r#"{"tripmeter":"tick"}"#, TEN + HOUR).await.unwrap();
    assert_eq!(
        deployed.stored().await[0].1,
        Status::Open,
        "an hour is not quiet enough"
    );
    deployed
        .hand_over(r#"{"tripmeter":"tick"}"#, TEN + 3 * DAY)
        .await
        .unwrap();
    assert_eq!(deployed.stored().await[0].1, Status::Closed);
}

#[tokio::test]
async fn an_event_that_comes_twice_is_one_finding_of_one_call() {
    let deployed = Deployed::new().await;
    deployed.hand_over(&blinded(TEN), TEN + 3).await.unwrap();
    let again = deployed.hand_over(&blinded(TEN), TEN + 60).await.unwrap();

    assert!(again.outcomes.iter().all(|outcome| outcome.moved.is_empty()));
    assert_eq!(deployed.stored().await[0].0.count, 1);
}

#[tokio::test]
async fn what_first_days_cannot_tell_is_kept_and_waits() {
    let deployed = Deployed::new().await;
    let look = look_at_the_quota();
    deployed.hand_over(&look, TEN + 3).await.unwrap();

    let stored = deployed.stored().await;
    assert_eq!(stored[0].0.finding_type.family, Family::LimitProbe);
    assert_eq!(stored[0].2.as_deref(), Some("the account is being learned"));
}

#[tokio::test]
async fn the_canary_is_heard_and_judged_by_nobody() {
    let deployed = Deployed::new().await;
    let flown = event("ses", "GetAccount", &json!(null), TEN, CANARY);
    let report = deployed.hand_over(&flown, TEN + 40).await.unwrap();

    assert_eq!((report.own, report.outcomes.len()), (1, 0));
    let regions = deployed.detector.canary.regions().await.unwrap();
    let heard = regions["eu-west-1"].watches[&Call::MailAccount];
    assert_eq!(heard.heard_at, Some(Millis(TEN * 1_000)));
}

#[tokio::test]
async fn what_the_canarys_role_does_beside_its_calls_is_judged() {
    let deployed = Deployed::new().await;
    let rule = json!({"name": "prod-BedrockReads-1A2B3C"});
    deployed
        .hand_over(&event("events", "DisableRule", &rule, TEN, CANARY), TEN + 3)
        .await
        .unwrap();
    assert_eq!(deployed.stored().await.len(), 1);
}

#[tokio::test]
async fn what_is_no_record_is_an_error_so_that_it_is_set_aside() {
    let deployed = Deployed::new().await;
    for payload in [
        "",
        "null",
        r#"{"detail-type":"Scheduled Event","detail":{}}"#,
        r#"{"tripmeter":"dance"}"#,
    ] {
        let handled = deployed.hand_over(payload, TEN).await;
        assert!(
            matches!(handled, Err(HandleError::Unreadable(_))),
            "{payload:?}: {handled:?}"
        );
    }
}

#[tokio::test]
async fn the_first_day_is_told_once() {
    let deployed = Deployed::new().await;
    let look = look_at_the_quota();
    deployed.hand_over(&look, TEN).await.unwrap();
    let tick = r#"{"tripmeter":"tick"}"#;

    assert!(!deployed.hand_over(tick, TEN + 23 * HOUR).await.unwrap().digest);
    assert!(deployed.hand_over(tick, TEN + 25 * HOUR).await.unwrap().digest);
    assert!(!deployed.hand_over(tick, TEN + 26 * HOUR).await.unwrap().digest);
    assert!(!deployed.hand_over(tick, TEN + 60 * HOUR).await.unwrap().digest);

    let day = Timestamp::from_seconds(TEN + 25 * HOUR).day().to_string();
    let get = deployed
        .local
        .dynamodb()
        .get_item()
        .table_name(deployed.local.state_table());
    let get = get.key("pk", aws_sdk_dynamodb::types::AttributeValue::S("DIGEST".into()));
    let get = get.key("sk", aws_sdk_dynamodb::types::AttributeValue::S(day));
    let digest = get.send().await.unwrap().item.unwrap();
    assert_eq!(
        digest["subject"].as_s().unwrap(),
        "Tripmeter: the first day of account 111122223333"
    );
}

#[tokio::test]
async fn who_only_observes_is_told_of_no_first_day_until_findings_are_published() {
    let mut deployed = Deployed::new().await;
    let look = look_at_the_quota();
    deployed.hand_over(&look, TEN).await.unwrap();
    let tick = r#"{"tripmeter":"tick"}"#;

    deployed.detector.settings.mode = Mode::Observe;
    assert!(!deployed.hand_over(tick, TEN + 25 * HOUR).await.unwrap().digest);
    deployed.detector.settings.mode = Mode::Publish;
    assert!(deployed.hand_over(tick, TEN + 26 * HOUR).await.unwrap().digest);
}
