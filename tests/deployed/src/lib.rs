//! A detector without AWS: the functions' handlers over an embedded DynamoDB, and EventBridge's part in between.
//!
//! Events reach the functions as the rules send them: use in batches from a queue, everything else one by one. What
//! the rules themselves let through is tested where the template is.

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "what fails here fails the test that asked for it"
)]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use scenarios::Scenario;
use scenarios::record::Record;
use serde_json::{Value, json};
use tripmeter_aws::canary::{Canary, Millis};
use tripmeter_aws::detector::Detector;
use tripmeter_aws::exceptions::Exceptions;
use tripmeter_aws::findings::{Filter, FindingsTable, Stored};
use tripmeter_aws::own::OwnCalls;
use tripmeter_aws::state::State;
use tripmeter_aws::testing::Local;
use tripmeter_catalogue::{Classified, classify};
use tripmeter_detect::{Engine, Settings};
use tripmeter_model::{Activity, DAY, FindingType, Kind, NoPolicy, Severity, Timestamp};

/// A detector, deployed.
pub struct Deployed {
    /// What judges.
    pub detector: Detector,
    /// Its findings.
    pub findings: FindingsTable,
    /// Its tables.
    pub local: Local,
    waiting: Vec<Value>,
}

/// What a finding is, for comparing.
pub type Told = (FindingType, Severity);

impl Deployed {
    /// On empty tables.
    pub async fn new() -> Self {
        let local = Local::start().await;
        let findings = FindingsTable::new(local.dynamodb(), local.findings_table());
        let detector = Detector {
            home: "999999999999".into(),
            state: State::new(local.dynamodb(), local.state_table(), findings.clone()),
            canary: Canary::new(local.dynamodb(), local.state_table()),
            own: OwnCalls::default(),
            scope: tripmeter_aws::scope("prod", &["tripmeter".to_owned()]),
            settings: Settings::default(),
        };
        Self {
            detector,
            findings,
            local,
            waiting: Vec::new(),
        }
    }

    /// Writes what a replay of these records has learned.
    pub async fn seed(&self, records: &[Record]) {
        let mut engine = Engine::new(Settings::default(), NoPolicy);
        for activity in activities(records) {
            engine.observe(&activity, &mut Vec::new());
        }
        engine.finish(&mut Vec::new());
        let now = Timestamp::from_seconds(records.last().map_or(0, |record| record.time));
        for (account, key, body) in engine.parts() {
            let sown = self
                .detector
                .state
                .sow(account, key, body, &self.detector.settings, now);
            sown.await.unwrap();
        }
    }

    /// Delivers records in their order, use in batches of `size`, and lets the clock tick once an hour.
    pub async fn play(&mut self, records: &[Record], size: usize) {
        let mut hour = None;
        for record in records {
            if hour.is_some_and(|hour| hour < record.time / 3_600) {
                self.deliver_waiting(record.time).await;
                self.tick(record.time).await;
            }
            hour = Some(record.time / 3_600);
            self.deliver(record, size).await;
        }
        let last = records.last().map_or(0, |record| record.time);
        self.deliver_waiting(last).await;
    }

    async fn deliver(&mut self, record: &Record, size: usize) {
        let mut text = String::new();
        record.write(&mut text);
        let Some(activity) = activity(&text) else { return };
        let event = json!({
            "version": "0", "id": "event", "detail-type": "AWS API Call via CloudTrail", "source": "aws.service",
            "account": activity.account, "region": activity.region, "resources": [],
            "detail": serde_json::from_str::<Value>(&text).unwrap(),
        });
        if activity.kind == Kind::Use {
            let number = self.waiting.len().to_string();
            self.waiting
                .push(json!({"messageId": number, "body": event.to_string(), "attributes": {}}));
            if self.waiting.len() >= size {
                self.deliver_waiting(record.time).await;
            }
        } else {
            let (payload, now) = (event.to_string(), Millis(record.time * 1_000));
            let (detector, findings, exceptions) = (&self.detector, &self.findings, Exceptions::default());
            let handled = tripmeter_control_plane::handle(&payload, detector, findings, &exceptions, now);
            handled.await.unwrap();
        }
    }

    async fn deliver_waiting(&mut self, now: i64) {
        let payload = json!({"Records": std::mem::take(&mut self.waiting)}).to_string();
        let until = Instant::now() + Duration::from_mins(10);
        let exceptions = Exceptions::default();
        let handled = tripmeter_usage::handle(&payload, &self.detector, &exceptions, Millis(now * 1_000), until);
        let report = handled.await.unwrap();
        assert!(report.failed.is_empty() && report.unreadable.is_empty(), "{report:?}");
    }

    /// Lets the clock tick.
    pub async fn tick(&self, now: i64) {
        let tick = r#"{"tripmeter":"tick"}"#;
        let (detector, findings) = (&self.detector, &self.findings);
        let exceptions = Exceptions::default();
        let handled = tripmeter_control_plane::handle(tick, detector, findings, &exceptions, Millis(now * 1_000));
        handled.await.unwrap();
    }

    /// Everything that is stored, what is kept quiet too.
    pub async fn stored(&self) -> Vec<Stored> {
        let filter = Filter {
            suppressed: true,
            held: true,
            ..Filter::default()
        };
        let page = self.findings.list(&filter, 10_000).await.unwrap();
        assert!(page.unreadable.is_empty() && !page.more, "{:?}", page.unreadable);
        page.findings
    }

    /// How many digests were written.
    pub async fn digests(&self) -> usize {
        let scan = self.local.dynamodb().scan().table_name(self.local.state_table());
        let items = scan
            .into_paginator()
            .items()
            .send()
            .collect::<Result<Vec<_>, _>>()
            .await
            .unwrap();
        items
            .iter()
            .filter(|item| item["pk"].as_s().is_ok_and(|pk| pk == "DIGEST"))
            .count()
    }
}

/// The records before the last `days` days of a scenario, and those in them.
pub fn split(scenario: &Scenario, days: i64) -> (&[Record], &[Record]) {
    let last = scenario.records.last().map_or(0, |record| record.time);
    let midnight = (last.div_euclid(DAY) - days + 1) * DAY;
    let at = scenario.records.partition_point(|record| record.time < midnight);
    scenario.records.split_at(at)
}

/// What a replay of these records finds: each episode as it was published last.
pub fn replayed(records: &[Record]) -> BTreeMap<String, (Told, i64)> {
    let mut engine = Engine::new(Settings::default(), NoPolicy);
    let mut found = Vec::new();
    for activity in activities(records) {
        engine.observe(&activity, &mut found);
    }
    let found = found.into_iter().filter(|finding| finding.suppressed.is_none());
    let told = found.map(|f| (f.uid, ((f.finding_type, f.severity), f.last_seen.seconds())));
    told.collect()
}

fn activities(records: &[Record]) -> Vec<Activity> {
    let read = |record: &Record| {
        let mut text = String::new();
        record.write(&mut text);
        activity(&text)
    };
    records.iter().filter_map(read).collect()
}

fn activity(text: &str) -> Option<Activity> {
    let mut found = None;
    let mut reader = tripmeter_records::Reader::new(tripmeter_records::Limits::default());
    reader.read_bytes(text.as_bytes(), &mut |item| {
        if let tripmeter_records::Item::Record(record) = item
            && let Classified::Activity(activity) = classify(&record, &tripmeter_aws::scope("prod", &[]))
        {
            found = Some(*activity);
        }
    });
    found
}
