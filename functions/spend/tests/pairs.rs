//! The same use through two sources, in either order: it is counted once, and told of whoever called.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test that asked for it")]

mod support;

use std::io::Write;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use support::{ACCOUNT, Answer, CloudWatch};
use tripmeter_aws::canary::Millis;
use tripmeter_aws::detector::Detector;
use tripmeter_aws::exceptions::Exceptions;
use tripmeter_aws::findings::Filter;
use tripmeter_aws::intake;
use tripmeter_aws::testing::Local;
use tripmeter_detect::{ServiceShown, Settings};
use tripmeter_model::{FindingType, IdentityKind, Service, Status, Timestamp};
use tripmeter_spend::meters::{PERIOD_SECONDS, Reader};
use tripmeter_spend::{hear, invocations};

/// 2026-03-03T10:00:00Z.
const TEN: i64 = 1_772_532_000;
/// When all of it has arrived.
const NOW: i64 = TEN + 2 * PERIOD_SECONDS;
/// Calls of a story: twice what the ceiling of an hour is here.
const CALLS: i64 = 40;
/// Recipients of a mail.
const RECIPIENTS: usize = 50;

fn detector(local: &Local) -> Detector {
    Detector {
        settings: Settings {
            ceiling_ses_hour: CALLS as u64 * RECIPIENTS as u64 / 2,
            ceiling_model_hour: CALLS as u64 / 2,
            ..Settings::default()
        },
        ..support::detector(local)
    }
}

fn time(call: i64) -> String {
    Timestamp::from_seconds(TEN + 5 * call).to_string()
}

fn record(call: i64, source: &str, name: &str, parameters: &Value) -> String {
    json!({"version": "0", "detail-type": "AWS API Call via CloudTrail", "source": "aws.any", "account": ACCOUNT,
        "region": "eu-west-1", "detail": {
            "eventVersion": "1.11", "eventTime": time(call), "eventSource": source, "eventName": name,
            "awsRegion": "eu-west-1", "sourceIPAddress": "203.0.113.9", "userAgent": "Boto3/1.40.1",
            "eventID": format!("call-{call}"), "requestID": format!("request-{call}"), "recipientAccountId": ACCOUNT,
            "requestParameters": parameters, "userIdentity": {"type": "IAMUser", "userName": "app",
                "arn": format!("arn:aws:iam::{ACCOUNT}:user/app"), "accountId": ACCOUNT}}})
    .to_string()
}

fn mail(call: i64) -> String {
    let to = vec!["HIDDEN_DUE_TO_SECURITY_REASONS"; RECIPIENTS];
    let parameters = json!({"fromEmailAddress": "news@example.com", "destination": {"toAddresses": to}});
    record(call, "ses.amazonaws.com", "SendEmail", &parameters)
}

fn question(call: i64) -> String {
    let parameters = json!({"modelId": "anthropic.claude-sonnet-4-20250514-v1:0"});
    record(call, "bedrock.amazonaws.com", "Converse", &parameters)
}

/// A way by which the same use comes.
#[derive(Clone, Copy, Debug)]
enum Way {
    Records(fn(i64) -> String),
    EmailSent,
    InvocationLog,
    Metric(&'static str, f64),
}

impl Way {
    async fn bring(self, local: &Local) {
        let (detector, exceptions, now) = (detector(local), Exceptions::default(), Timestamp::from_seconds(NOW));
        match self {
            Self::Records(record) => {
                let read = (0..CALLS).map(|call| intake::read(&record(call), &detector.scope));
                let activities: Vec<_> = read.flat_map(|read| read.activities).collect();
                let judged = detector.judge(ACCOUNT, &activities, false, &exceptions, now);
                judged.await.unwrap();
            }
            Self::EmailSent => email_sent(&detector).await,
            Self::InvocationLog => {
                let calls = invocation_log().calls().unwrap();
                let judged = invocations::judge(&calls, &detector, &exceptions, now);
                judged.await.unwrap();
            }
            Self::Metric(metric, value) => {
                let cloud_watch = CloudWatch::start().await;
                let points = vec![(TEN, value)];
                cloud_watch.will_answer([Answer::Page(vec![(support::id(metric), metric, points)], None)]);
                let regions = ["eu-west-1".to_owned()];
                let reader = Reader::new(
                    ACCOUNT,
                    &regions,
                    &cloud_watch.config(),
                    local.dynamodb(),
                    local.state_table(),
                );
                for read in reader.read(&detector, &exceptions, now).await {
                    assert_eq!(read.unwrap().told.new, 1);
                }
            }
        }
    }
}

async fn email_sent(detector: &Detector) {
    let event = |call: i64| {
        let mail = json!({"timestamp": time(call), "source": "news@example.com", "messageId": format!("mail-{call}"),
            "destination": vec!["somebody@example.net"; RECIPIENTS], "tags": {
                "ses:operation": ["SendEmail"], "ses:caller-identity": ["app"], "ses:source-ip": ["203.0.113.9"]}});
        json!({"version": "0", "id": format!("event-{call}"), "detail-type": "Email Sent", "source": "aws.ses",
            "account": ACCOUNT, "time": time(call), "region": "eu-west-1",
            "detail": {"eventType": "Send", "mail": mail, "send": {}}})
    };
    let message = |call| json!({"messageId": format!("message-{call}"), "body": event(call).to_string()});
    let payload = json!({"Records": (0..CALLS).map(message).collect::<Vec<_>>()}).to_string();
    let later = Instant::now() + Duration::from_mins(1);
    let now = Millis(NOW * 1_000);
    let report = hear(&payload, detector, &Exceptions::default(), now, later)
        .await
        .unwrap();
    assert!(report.failed.is_empty() && report.unreadable.is_empty());
}

fn invocation_log() -> invocations::Delivery {
    let entry = |call: i64| {
        let message = json!({"schemaType": "ModelInvocationLog", "schemaVersion": "1.0", "timestamp": time(call),
            "accountId": ACCOUNT, "identity": {"arn": format!("arn:aws:iam::{ACCOUNT}:user/app")},
            "region": "eu-west-1", "requestId": format!("request-{call}"), "operation": "Converse",
            "modelId": "anthropic.claude-sonnet-4-20250514-v1:0", "input": {"inputTokenCount": 2_000},
            "output": {"outputTokenCount": 500}});
        json!({"id": call.to_string(), "timestamp": (TEN + 5 * call) * 1_000, "message": message.to_string()})
    };
    let log = json!({"messageType": "DATA_MESSAGE", "owner": ACCOUNT, "logGroup": "/aws/bedrock", "logStream": "s",
        "subscriptionFilters": ["f"], "logEvents": (0..CALLS).map(entry).collect::<Vec<_>>()});
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(log.to_string().as_bytes()).unwrap();
    let data = STANDARD.encode(packer.finish().unwrap());
    serde_json::from_value(json!({"awslogs": {"data": data}})).unwrap()
}

/// What the account counts of a service, and what is open: the type, units and whether it is of a caller.
#[derive(Debug, PartialEq)]
struct Seen {
    calls: u64,
    units: u64,
    open: Vec<(FindingType, u64, bool)>,
}

async fn after(ways: &[Way], service: Service) -> Seen {
    let local = Local::start().await;
    for way in ways {
        way.bring(&local).await;
    }
    let detector = detector(&local);
    let services = detector
        .state
        .services(ACCOUNT, Timestamp::from_seconds(0))
        .await
        .unwrap();
    let (_, body) = services.iter().find(|(of, _)| *of == service).unwrap();
    let shown = ServiceShown::of(service, body).unwrap();
    let page = support::findings(&local).list(&Filter::default(), 100).await.unwrap();
    let open = page.findings.into_iter().filter(|stored| stored.status == Status::Open);
    let mut open: Vec<_> = open
        .map(|stored| stored.finding)
        .map(|finding| {
            (
                finding.finding_type,
                finding.units,
                finding.identity.kind != IdentityKind::Meter,
            )
        })
        .collect();
    open.sort_by_key(|(of, ..)| of.to_string());
    Seen {
        calls: shown.calls,
        units: shown.units,
        open,
    }
}

/// Records alone, and beside the other source, before it and after it.
async fn is_counted_once(records: fn(i64) -> String, other: Way, service: Service) {
    let records = Way::Records(records);
    let alone = after(&[records], service).await;

    assert!(alone.calls == CALLS as u64 && !alone.open.is_empty(), "{alone:?}");
    for ways in [[records, other], [other, records]] {
        assert_eq!(after(&ways, service).await, alone, "{ways:?}");
    }
    // The other source says something by itself, or nothing would be shown by this.
    assert_ne!(after(&[other], service).await, alone);
}

#[tokio::test]
async fn a_mail_that_a_record_and_an_email_sent_event_tell_of() {
    is_counted_once(mail, Way::EmailSent, Service::Ses).await;
}

#[tokio::test]
async fn mails_that_records_and_the_metric_tell_of() {
    let sent = (CALLS as usize * RECIPIENTS) as f64;
    is_counted_once(mail, Way::Metric("Send", sent), Service::Ses).await;
}

#[tokio::test]
async fn a_call_of_a_model_that_a_record_and_the_invocation_log_tell_of() {
    is_counted_once(question, Way::InvocationLog, Service::Bedrock).await;
}

#[tokio::test]
async fn calls_of_a_model_that_records_and_the_metric_tell_of() {
    is_counted_once(question, Way::Metric("Invocations", CALLS as f64), Service::Bedrock).await;
}
