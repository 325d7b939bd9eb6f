//! What is judged through the table is what is judged in one go from memory: in any batches, by two workers at once,
//! with answers lost and calls refused. The real client speaks to an embedded DynamoDB.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test that asked for it")]

#[path = "../../detect/tests/story/mod.rs"]
mod story;

use std::collections::BTreeMap;

use story::{in_order, story};
use tripmeter_aws::findings::FindingsTable;
use tripmeter_aws::state::{Batch, Outcome, State};
use tripmeter_aws::testing::Local;
use tripmeter_detect::{Engine, PartKey, ServiceShown, Settings, Terms, Work};
use tripmeter_model::{Activity, Family, FindingType, Kind, NoPolicy, Severity, Timestamp};

const ACCOUNT: &str = "111122223333";

struct Deployed {
    state: State,
    findings: FindingsTable,
    local: Local,
}

impl Deployed {
    async fn new() -> Self {
        let local = Local::start().await;
        Self {
            state: State::new(local.dynamodb(), local.state_table(), findings(&local)),
            findings: findings(&local),
            local,
        }
    }

    async fn judge(&self, batch: &[Activity]) -> Outcome {
        judge(&self.state, batch).await
    }

    /// Every finding that is stored: its type and severity.
    async fn stored(&self) -> BTreeMap<String, (FindingType, Severity)> {
        let mut stored = BTreeMap::new();
        let scan = self
            .local
            .dynamodb()
            .scan()
            .table_name(self.local.findings_table())
            .send()
            .await;
        for item in scan.unwrap().items() {
            let uid = item["uid"].as_s().unwrap();
            let found = self.findings.get(ACCOUNT, uid).await.unwrap().unwrap().finding;
            stored.insert(found.uid.clone(), (found.finding_type, found.severity));
        }
        stored
    }

    /// Calls of each service, as the table has them.
    async fn calls(&self) -> BTreeMap<String, u64> {
        let services = self.state.services(ACCOUNT, Timestamp::from_seconds(0)).await.unwrap();
        let calls = services.into_iter().map(|(service, body)| {
            let shown = ServiceShown::of(service, &body).unwrap();
            (service.name().to_owned(), shown.calls)
        });
        calls.collect()
    }
}

fn findings(local: &Local) -> FindingsTable {
    FindingsTable::new(local.dynamodb(), local.findings_table())
}

fn newest(activities: &[Activity]) -> Timestamp {
    let never = Timestamp::from_seconds(0);
    activities
        .iter()
        .map(|activity| activity.time)
        .fold(never, Timestamp::max)
}

async fn judge(state: &State, batch: &[Activity]) -> Outcome {
    let now = newest(batch);
    let batch = Batch {
        account: ACCOUNT,
        work: Work::Activities(batch),
        due: &[],
        redelivered: false,
    };
    let terms = Terms::new(Settings::default(), NoPolicy);
    state.judge(batch, &terms, now).await.unwrap()
}

/// What one go over all of it publishes: each episode as it was published last.
fn in_one_go(story: &[Activity]) -> BTreeMap<String, (FindingType, Severity)> {
    let mut engine = Engine::new(Settings::default(), NoPolicy);
    let mut out = Vec::new();
    for activity in story {
        engine.observe(activity, &mut out);
    }
    let told = out.into_iter().map(|f| (f.uid, (f.finding_type, f.severity)));
    told.collect()
}

#[tokio::test]
async fn batches_through_the_table_find_what_one_go_finds() {
    for seed in [1, 5] {
        let story = in_order(story(seed));
        let deployed = Deployed::new().await;
        for batch in story.chunks(25) {
            deployed.judge(batch).await;
        }
        let stored = deployed.stored().await;
        assert_eq!(stored, in_one_go(&story), "seed {seed}");
        assert!(!stored.is_empty(), "seed {seed} tells of nothing");
    }
}

#[tokio::test]
async fn two_workers_at_once_count_every_use_once() {
    let mut story = in_order(story(7));
    story.truncate(400);
    let uses = story.iter().filter(|activity| activity.is_spend()).count() as u64;
    let deployed = Deployed::new().await;
    let today = story.first().unwrap().time;
    // All on one day, so that none is folded away.
    for activity in &mut story {
        activity.time = Timestamp::from_seconds(today.seconds() + activity.time.seconds().rem_euclid(3_600));
    }
    let (one, other) = story.split_at(story.len() / 2);
    let mut conflicts = 0;
    for (one, other) in one.chunks(20).zip(other.chunks(20)) {
        let (a, b) = tokio::join!(deployed.judge(one), deployed.judge(other));
        conflicts += a.conflicts + b.conflicts;
    }
    assert_eq!(deployed.calls().await, BTreeMap::from([("Bedrock".to_owned(), uses)]));
    assert!(conflicts > 0, "the two never met");
}

#[tokio::test]
async fn a_batch_that_comes_again_changes_nothing() {
    let story = in_order(story(2));
    let deployed = Deployed::new().await;
    for batch in story.chunks(50) {
        deployed.judge(batch).await;
    }
    let (stored, calls) = (deployed.stored().await, deployed.calls().await);
    let last = story.chunks(50).next_back().unwrap();
    let again = deployed.judge(last).await;
    assert_eq!(again.moved, []);
    assert_eq!((deployed.stored().await, deployed.calls().await), (stored, calls));
}

#[tokio::test]
async fn what_a_newer_release_wrote_is_left_alone() {
    let story = in_order(story(2));
    let deployed = Deployed::new().await;
    deployed.judge(&story[..50]).await;
    let scan = deployed
        .local
        .dynamodb()
        .scan()
        .table_name(deployed.local.state_table())
        .send()
        .await
        .unwrap();
    let of_use = |item: &&std::collections::HashMap<String, aws_sdk_dynamodb::types::AttributeValue>| {
        matches!(item["sk"].as_s().unwrap().parse(), Ok(PartKey::Use(..)))
    };
    let mut newer = scan.items().iter().find(of_use).unwrap().clone();
    let mut body = newer["body"].as_b().unwrap().clone().into_inner();
    body[0] = 200;
    let body = aws_sdk_dynamodb::types::AttributeValue::B(aws_sdk_dynamodb::primitives::Blob::new(body));
    newer.insert("body".into(), body);
    let put = deployed
        .local
        .dynamodb()
        .put_item()
        .table_name(deployed.local.state_table());
    put.set_item(Some(newer.clone())).send().await.unwrap();

    let judged = deployed.judge(&story[50..120]).await;

    assert_eq!(judged.unreadable.len(), 1, "{:?}", judged.unreadable);
    let get = deployed
        .local
        .dynamodb()
        .get_item()
        .table_name(deployed.local.state_table());
    let get = get.key("pk", newer["pk"].clone()).key("sk", newer["sk"].clone());
    assert_eq!(get.send().await.unwrap().item, Some(newer));
}

#[tokio::test]
async fn what_comes_too_late_to_be_kept_is_found_all_the_same() {
    let story = in_order(story(2));
    let removal = story.iter().find(|activity| activity.kind == Kind::GuardrailRemoval);
    let mut late = removal.unwrap_or(&story[0]).clone();
    late.kind = Kind::GuardrailRemoval;
    late.grave = true;
    let deployed = Deployed::new().await;
    let months_later = late.time.plus(90 * 86_400);
    let batch = Batch {
        account: ACCOUNT,
        work: Work::Activities(std::slice::from_ref(&late)),
        due: &[],
        redelivered: false,
    };
    let terms = Terms::new(Settings::default(), NoPolicy);

    for _ in 0..2 {
        deployed.state.judge(batch, &terms, months_later).await.unwrap();
    }

    let stored = deployed.stored().await;
    let families: Vec<Family> = stored.values().map(|(of, _)| of.family).collect();
    assert_eq!(families, [Family::GuardrailRemoved]);
}
