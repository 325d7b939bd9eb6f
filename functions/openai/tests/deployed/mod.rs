//! The function as it is deployed, against a stand-in for OpenAI and an embedded DynamoDB.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::time::Duration;

use aws_sdk_secretsmanager::config::{BehaviorVersion, Credentials, Region};
use serde_json::Value;
use tokio::time::Instant;
use tripmeter_aws::canary::{Canary, Millis};
use tripmeter_aws::detector::Detector;
use tripmeter_aws::exceptions::Exceptions;
use tripmeter_aws::findings::{Filter, FindingsTable};
use tripmeter_aws::own::OwnCalls;
use tripmeter_aws::state::State;
use tripmeter_aws::testing::Local;
use tripmeter_detect::Settings;
use tripmeter_model::{Activity, Family, Finding, Quantity, Severity, Status, Timestamp};
use tripmeter_openai::testing::{StandIn, World};
use tripmeter_openai::usage::{self, Group};
use tripmeter_openai::{Client, Patience};
use tripmeter_openai_function::{KeySecret, PollError, Poller, Report, Secret};

pub(crate) const ORGANISATION: &str = "org-example";
pub(crate) const AUDIT: &str = r#"{"tripmeter":"audit"}"#;
pub(crate) const USAGE: &str = r#"{"tripmeter":"usage"}"#;
/// 2026-03-03T10:00:00Z.
pub(crate) const TEN: i64 = 1_772_532_000;

pub(crate) struct Deployed {
    pub(crate) poller: Poller,
    pub(crate) openai: StandIn,
    pub(crate) exceptions: Exceptions,
    pub(crate) local: Local,
}

/// A world that accepts the key that the secret holds.
pub(crate) fn world() -> World {
    World {
        key: "sk-admin-one".into(),
        secret: "sk-admin-one".into(),
        ..World::default()
    }
}

impl Deployed {
    pub(crate) async fn with(world: World) -> Self {
        let local = Local::start().await;
        let openai = StandIn::start(world).await;
        Self {
            poller: poller(&local, &openai),
            openai,
            exceptions: Exceptions::default(),
            local,
        }
    }

    pub(crate) async fn run(&self, payload: &str, now: i64) -> Result<Report, PollError> {
        let until = Instant::now() + Duration::from_secs(30);
        self.poller
            .handle(payload, &self.exceptions, Millis(now * 1_000), until)
            .await
    }

    /// Gives the minute that begins at a time its rows of completions.
    pub(crate) fn completes(&self, at: i64, rows: Vec<Value>) {
        self.openai.world().usage.insert(("completions".into(), at), rows);
    }

    /// Everything that is stored, held back or not.
    pub(crate) async fn found(&self) -> Vec<(Finding, Status)> {
        let filter = Filter {
            held: true,
            ..Filter::default()
        };
        let page = self.poller.findings.list(&filter, 500).await.unwrap();
        page.findings
            .into_iter()
            .map(|stored| (stored.finding, stored.status))
            .collect()
    }

    pub(crate) async fn worst(&self, family: Family) -> Option<Severity> {
        let found = self.found().await;
        let of = found
            .iter()
            .filter(|(finding, _)| finding.finding_type.family == family);
        of.map(|(finding, _)| finding.severity).max()
    }

    /// Judges usage of the past, as if it had been read when it happened.
    pub(crate) async fn teach(&self, activities: &[Activity]) {
        for day in activities.chunk_by(|a, b| a.time.day() == b.time.day()) {
            let now = day.last().unwrap().time;
            let detector = &self.poller.detector;
            detector
                .judge(ORGANISATION, day, false, &self.exceptions, now)
                .await
                .unwrap();
        }
    }
}

pub(crate) fn poller(local: &Local, openai: &StandIn) -> Poller {
    let dynamodb = local.dynamodb();
    let findings = FindingsTable::new(dynamodb.clone(), local.findings_table());
    let (bookmarks, increments) = Poller::kept_in(&dynamodb, local.state_table());
    let secrets = aws_sdk_secretsmanager::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "testing"))
        .endpoint_url(&openai.url);
    let patience = Patience {
        one_try: Duration::from_secs(5),
        pause: Duration::from_millis(5),
        longest_pause: Duration::from_secs(2),
        ..Patience::default()
    };
    Poller {
        api: Client::new(&openai.url, patience).unwrap(),
        secret: Secret::new(
            aws_sdk_secretsmanager::Client::from_conf(secrets.build()),
            "openai-admin-key",
        ),
        organisation: ORGANISATION.into(),
        detector: Detector {
            home: "111122223333".into(),
            state: State::new(dynamodb.clone(), local.state_table(), findings.clone()),
            canary: Canary::new(dynamodb, local.state_table()),
            own: OwnCalls::new(&[], []),
            scope: tripmeter_aws::scope("prod", &[]),
            settings: Settings::default(),
        },
        findings,
        held: None,
        bookmarks,
        increments,
        key_secrets: KeySecret::list("prod/openai", "key_app"),
    }
}

/// Usage of a key in the minute that begins at a time.
pub(crate) fn used(key: &str, at: i64, requests: u64, tokens: u64) -> Activity {
    let group = Group {
        key: Some(key.into()),
        project: Some("proj_chat".into()),
        model: Some("gpt-5-mini".into()),
        ..Group::default()
    };
    let quantity = Quantity {
        calls: requests,
        ..Quantity::of(tokens)
    };
    let id = format!("{key}-{at}");
    usage::activity(
        "completions",
        &group,
        Timestamp::from_seconds(at),
        quantity,
        &id,
        ORGANISATION,
    )
}

/// So many days of a product with a daily rhythm, up to a time: a bucket every ten minutes, more by day.
pub(crate) fn ordinary(key: &str, days: i64, until: i64) -> Vec<Activity> {
    let start = until - days * 86_400;
    let buckets = (start..until).step_by(600);
    let bucket = |at: i64| {
        let hour = at.rem_euclid(86_400) / 3_600;
        let busy = if (7..19).contains(&hour) { 6 } else { 2 };
        let requests = busy + (at / 600 % 3) as u64;
        used(key, at, requests, requests * 1_800)
    };
    buckets.map(bucket).collect()
}

/// The payload of a role or key, in short.
pub(crate) fn id(id: &str) -> Value {
    serde_json::json!({ "id": id })
}
