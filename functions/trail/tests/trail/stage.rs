//! The function with a table and a bucket of its own, and what is delivered to it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tripmeter_aws::canary::{Canary, Millis};
use tripmeter_aws::detector::Detector;
use tripmeter_aws::exceptions::Exceptions;
use tripmeter_aws::findings::FindingsTable;
use tripmeter_aws::own::OwnCalls;
use tripmeter_aws::state::State;
use tripmeter_aws::testing::{Faults, Local};
use tripmeter_detect::{PartKey, ProfileShown, ServiceShown, Settings};
use tripmeter_model::Timestamp;
use tripmeter_trail::{Files, Report, Shift, Trail, handle};

use crate::s3::{BUCKET, S3, log, log_key, notice};

pub(crate) const HOME: &str = "999988887777";
pub(crate) const MEMBER: &str = "111122223333";
/// 2026-03-03T10:00:00Z.
pub(crate) const TEN: i64 = 1_772_532_000;
/// Seconds of an invocation.
pub(crate) const SHIFT: i64 = 120;

pub(crate) fn detector(local: &Local, client: &aws_sdk_dynamodb::Client) -> Detector {
    let findings = FindingsTable::new(client.clone(), local.findings_table());
    Detector {
        home: HOME.into(),
        state: State::new(client.clone(), local.state_table(), findings),
        canary: Canary::new(client.clone(), local.state_table()),
        own: OwnCalls::default(),
        scope: tripmeter_aws::scope("prod", &[]),
        settings: Settings::default(),
    }
}

pub(crate) fn trail_of(detector: Detector, s3: &S3, judges: &'static str) -> Trail {
    Trail::new(detector, Files::new(s3.client()), |name| {
        let value = if name == "TRIPMETER_TRAIL_BUCKET" {
            BUCKET
        } else {
            judges
        };
        Some(value.to_owned())
    })
    .unwrap()
}

/// A trail's function with its table and its bucket.
pub(crate) struct Stage {
    pub(crate) local: Local,
    pub(crate) s3: S3,
    pub(crate) trail: Trail,
}

impl Stage {
    /// Where use alone is judged.
    pub(crate) async fn set() -> Self {
        Self::judging("use").await
    }

    pub(crate) async fn judging(judges: &'static str) -> Self {
        let (local, s3) = (Local::start().await, S3::start());
        let trail = trail_of(detector(&local, &local.dynamodb()), &s3, judges);
        Self { local, s3, trail }
    }

    /// With a table that fails like this.
    pub(crate) fn failing(&self, faults: Faults) -> Trail {
        trail_of(detector(&self.local, &self.local.client_with(faults)), &self.s3, "use")
    }

    /// Puts a log of these records, and returns the message that tells of it.
    pub(crate) fn file(&self, name: &str, records: &[Value]) -> Value {
        self.bytes(name, log(records))
    }

    pub(crate) fn bytes(&self, name: &str, bytes: Vec<u8>) -> Value {
        let key = log_key(MEMBER, name);
        let notice = notice(0, BUCKET, &key, bytes.len());
        self.s3.put(&key, bytes);
        notice
    }

    /// Calls that the profiles of an account's identities have counted.
    pub(crate) async fn counted(&self, account: &str) -> u64 {
        let (state, now) = (&self.trail.detector.state, Timestamp::from_seconds(TEN));
        let mut counted = 0;
        for (service, body) in state.services(account, now).await.unwrap() {
            let shown = ServiceShown::of(service, &body).unwrap();
            for (who, _) in shown.identities {
                let bodies = state.bodies(account, &[PartKey::Use(service, who)], now).await.unwrap();
                let profile = ProfileShown::of(service, who, bodies[0].as_ref().unwrap(), None).unwrap();
                counted += profile.open_days.iter().map(|(_, calls)| calls).sum::<u64>();
            }
        }
        counted
    }
}

/// A call of a model, as CloudTrail records it. Ten a second.
pub(crate) fn call(number: usize) -> Value {
    let time = jiff::Timestamp::from_second(TEN + number as i64 / 10).unwrap();
    json!({
        "eventVersion": "1.09", "eventTime": time.to_string(), "eventSource": "bedrock.amazonaws.com",
        "eventName": "InvokeModel", "awsRegion": "eu-west-1", "sourceIPAddress": "198.51.100.7",
        "userAgent": "Boto3/1.40.1", "eventID": format!("call-{number}"), "readOnly": true,
        "requestParameters": {"modelId": "anthropic.claude-sonnet-5"}, "recipientAccountId": MEMBER,
        "userIdentity": {"type": "IAMUser", "arn": format!("arn:aws:iam::{MEMBER}:user/app-{}", number % 3),
            "accountId": MEMBER, "userName": format!("app-{}", number % 3), "accessKeyId": "AKIAIOSFODNN7EXAMPLE"}
    })
}

pub(crate) fn calls(numbers: std::ops::Range<usize>) -> Vec<Value> {
    numbers.map(call).collect()
}

/// A shift that begins so many seconds after ten past ten.
pub(crate) fn shift(seconds: i64) -> Shift {
    let began = (TEN + 600 + seconds) * 1_000;
    Shift {
        began: Millis(began),
        until: Instant::now() + Duration::from_mins(10),
        over: Millis(began + SHIFT * 1_000),
    }
}

pub(crate) async fn deliver(trail: &Trail, messages: &[Value], shift: Shift) -> Report {
    let payload = json!({ "Records": messages }).to_string();
    handle(&payload, trail, &Exceptions::default(), shift).await.unwrap()
}

pub(crate) fn handed_back(report: &Report) -> Vec<&str> {
    let failures = report.answer.batch_item_failures.iter();
    failures.map(|failed| failed.item_identifier.as_str()).collect()
}
