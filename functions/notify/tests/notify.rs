//! Findings out of the table to the topics: from the stream, by the sweep, and whatever goes wrong on the way.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests may say what they expect"
)]

#[path = "../../../shared/findings/tests/samples/mod.rs"]
mod samples;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::config::interceptors::BeforeSerializationInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use tripmeter_aws::findings::FindingsTable;
use tripmeter_aws::policy::Policies;
use tripmeter_aws::publish::{Places, Publisher, Topics};
use tripmeter_aws::testing::{Fault, Faults, Local, Published, Refusal, Sns};
use tripmeter_model::{Cause, Finding, HOUR, MINUTE, Suppression, Timestamp};
use tripmeter_notify::{Notify, Report};

const FINDINGS: &str = "arn:aws:sns:eu-west-1:111122223333:findings";
const CHAT: &str = "arn:aws:sns:eu-west-1:111122223333:chat";
const OPERATIONS: &str = "arn:aws:sns:eu-west-1:111122223333:operations";

/// Both tables, SNS, and the function between them.
struct World {
    local: Local,
    sns: Sns,
    table: FindingsTable,
    notify: Arc<Notify>,
}

impl World {
    async fn new(chat: Option<&str>) -> Self {
        let (local, sns) = (Local::start().await, Sns::start().await);
        let table = FindingsTable::new(local.dynamodb(), local.findings_table());
        let notify = Self::notify(&local, &sns, table.clone(), chat);
        Self {
            local,
            sns,
            table,
            notify,
        }
    }

    fn notify(local: &Local, sns: &Sns, table: FindingsTable, chat: Option<&str>) -> Arc<Notify> {
        let places = Places {
            runbooks: String::new(),
            findings_table: local.findings_table().into(),
        };
        let topics = Topics {
            findings: FINDINGS.into(),
            chat: chat.map(Into::into),
            operations: OPERATIONS.into(),
        };
        let publisher = Publisher::new(sns.client(), topics, places);
        Notify::new(table, local.dynamodb(), local.state_table(), publisher)
    }

    async fn store(&self, finding: &Finding, at: Timestamp) {
        self.table.put(finding, "canary", None, at).await.unwrap();
    }

    async fn handle(&self, payload: &Value, at: Timestamp) -> Report {
        self.notify.handle(&payload.to_string(), at, later()).await.unwrap()
    }

    /// The uid and revision of everything that a topic took, in order.
    fn taken(&self, topic: &str) -> Vec<(String, String)> {
        let published = self
            .sns
            .published()
            .into_iter()
            .filter(|message| message.topic == topic);
        published
            .map(|message| {
                (
                    message.attributes["uid"].clone(),
                    message.attributes["revision"].clone(),
                )
            })
            .collect()
    }
}

fn later() -> Instant {
    Instant::now() + Duration::from_mins(1)
}

fn now() -> Timestamp {
    samples::llmjacking().time.plus(5)
}

fn uid(number: u32) -> String {
    format!("{number:032x}")
}

fn finding(number: u32) -> Finding {
    Finding {
        uid: uid(number),
        revision: 1,
        cause: Cause::Created,
        ..samples::llmjacking()
    }
}

fn revised(finding: &Finding) -> Finding {
    Finding {
        revision: finding.revision + 1,
        cause: Cause::SeverityRaised,
        ..finding.clone()
    }
}

/// A record of the stream, as Lambda brings it.
fn record(number: usize, finding: &Finding) -> Value {
    let key = json!({ "account": { "S": finding.account }, "uid": { "S": finding.uid } });
    json!({
        "eventID": format!("event-{number}"),
        "eventName": "MODIFY",
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "Keys": key,
            "NewImage": {
                "account": { "S": finding.account },
                "uid": { "S": finding.uid },
                "revision": { "N": finding.revision.to_string() },
                "pending": { "S": "1" },
                "finding": { "S": serde_json::to_string(finding).unwrap_or_default() },
            },
            "SequenceNumber": format!("{}", 4_000 + number),
            "StreamViewType": "NEW_IMAGE",
        },
    })
}

fn batch<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> Value {
    let records = findings
        .into_iter()
        .enumerate()
        .map(|(number, finding)| record(number, finding));
    json!({ "Records": records.collect::<Value>() })
}

fn sweep() -> Value {
    json!({ "tripmeter": "sweep" })
}

#[tokio::test]
async fn one_poisoned_record_in_ten_blocks_none_of_the_others() {
    let world = World::new(None).await;
    let findings: Vec<Finding> = (0..10).map(finding).collect();
    for finding in &findings {
        world.store(finding, now()).await;
    }
    let mut payload = batch(&findings);
    payload["Records"][4]["dynamodb"]["NewImage"]["finding"]["S"] = "{\"uid\":7}".into();

    let report = world.handle(&payload, now()).await;

    assert_eq!((report.published, report.failed.len()), (9, 0), "{report:?}");
    assert_eq!(world.taken(FINDINGS).len(), 9);
    assert_eq!(report.response().unwrap(), json!({ "batchItemFailures": [] }));
    let [unreadable] = report.unreadable.as_slice() else {
        panic!("{report:?}")
    };
    assert!(
        unreadable.starts_with("stream record event-4 holds no finding: "),
        "{unreadable}"
    );
    assert_eq!(report.delays, vec![5; 9]);
}

#[tokio::test]
async fn what_the_stream_did_not_bring_is_swept_after_a_minute_oldest_first() {
    let world = World::new(None).await;
    world.store(&finding(2), now().plus(1)).await;
    world.store(&finding(1), now()).await;
    world.store(&finding(3), now().plus(2 * MINUTE)).await;
    let quiet = Finding {
        suppressed: Some(Suppression {
            rule: "mute:1".into(),
            reason: "known".into(),
        }),
        ..finding(4)
    };
    world.store(&quiet, now()).await;
    world
        .table
        .put(&finding(5), "canary", Some("learning"), now())
        .await
        .unwrap();

    let report = world.handle(&sweep(), now().plus(2 * MINUTE)).await;
    let again = world.handle(&sweep(), now().plus(2 * MINUTE)).await;

    assert_eq!((report.published, again.published), (2, 0), "{report:?}");
    assert_eq!(world.taken(FINDINGS), [(uid(1), "1".into()), (uid(2), "1".into())]);
}

#[tokio::test]
async fn a_revision_is_published_once_however_often_it_is_brought() {
    let world = World::new(Some(CHAT)).await;
    let one = finding(1);
    world.store(&one, now()).await;
    let payload = batch([&one, &one, &one]);

    let first = world.handle(&payload, now()).await;
    let second = world.handle(&payload, now()).await;
    let swept = world.handle(&sweep(), now().plus(HOUR)).await;

    assert_eq!((first.published, first.not_due), (1, 2));
    assert_eq!((second.published, second.not_due, swept.published), (0, 3, 0));
    assert_eq!(world.taken(FINDINGS), [(uid(1), "1".into())]);
    assert_eq!(world.taken(CHAT), [(uid(1), "1".into())]);
}

#[tokio::test]
async fn nothing_older_is_published_after_something_newer() {
    let world = World::new(None).await;
    let (first, second) = (finding(1), revised(&finding(1)));
    world.store(&first, now()).await;
    world.store(&second, now()).await;

    world.handle(&batch([&first]), now()).await;
    world.handle(&batch([&second, &first]), now()).await;

    assert_eq!(world.taken(FINDINGS), [(uid(1), "2".into())]);
}

#[tokio::test]
async fn what_sns_does_not_take_now_is_handed_back_and_published_when_it_does() {
    let world = World::new(None).await;
    let findings = [finding(1), finding(2)];
    for finding in &findings {
        world.store(finding, now()).await;
    }
    world.sns.set_refusal(FINDINGS, Some(Refusal::BROKEN));

    let down = world.handle(&batch(&findings), now()).await;
    world.sns.set_refusal(FINDINGS, None);
    let up = world.handle(&batch(&findings), now()).await;

    let both = json!({ "batchItemFailures": [{ "itemIdentifier": "4000" }, { "itemIdentifier": "4001" }] });
    assert_eq!(down.response().unwrap(), both, "{down:?}");
    assert!(
        down.failed[0].contains(&uid(1)) && down.failed[0].contains("InternalError"),
        "{down:?}"
    );
    assert_eq!((up.published, up.hand_back.len()), (2, 0));
    assert_eq!(world.taken(FINDINGS).len(), 2);
}

#[tokio::test]
async fn a_message_that_sns_refuses_is_announced_and_done_with() {
    let world = World::new(None).await;
    world.store(&finding(1), now()).await;
    world.sns.refuse_next([Refusal::INVALID]);

    let report = world.handle(&batch([&finding(1)]), now()).await;
    let again = world.handle(&sweep(), now().plus(HOUR)).await;

    assert_eq!((report.published, report.announced, again.published), (1, 1, 0));
    assert_eq!(world.taken(FINDINGS), [(uid(1), "1".into())]);
}

#[tokio::test]
async fn a_message_that_is_always_refused_holds_up_neither_stream_nor_sweep() {
    let world = World::new(None).await;
    let findings = [finding(1), finding(2)];
    for finding in &findings {
        world.store(finding, now()).await;
    }
    // The first finding is refused in both of its forms, the second in the one that holds all of it.
    world
        .sns
        .refuse_next([Refusal::INVALID, Refusal::INVALID, Refusal::INVALID]);

    let report = world.handle(&batch(&findings), now()).await;
    let swept = world.handle(&sweep(), now().plus(HOUR)).await;

    assert_eq!(
        (report.published, report.failed.len(), report.hand_back.len()),
        (1, 1, 0),
        "{report:?}"
    );
    assert_eq!(swept.published, 1);
    assert_eq!(world.taken(FINDINGS), [(uid(2), "1".into()), (uid(1), "1".into())]);
}

#[tokio::test]
async fn chat_that_is_down_keeps_nothing_from_the_findings_topic_and_gets_its_own_later() {
    let world = World::new(Some(CHAT)).await;
    let findings = [finding(1), finding(2)];
    for finding in &findings {
        world.store(finding, now()).await;
    }
    world.sns.set_refusal(CHAT, Some(Refusal::NO_TOPIC));

    let down = world.handle(&batch(&findings), now()).await;
    let still = world.handle(&sweep(), now().plus(5 * MINUTE)).await;
    world.sns.set_refusal(CHAT, None);
    let up = world.handle(&sweep(), now().plus(10 * MINUTE)).await;
    let after = world.handle(&sweep(), now().plus(15 * MINUTE)).await;

    assert_eq!(
        (down.published, down.chat_failed.len(), down.hand_back.len()),
        (2, 1, 0),
        "{down:?}"
    );
    assert_eq!((still.published, up.published, after.not_due), (0, 0, 0));
    let both = [(uid(1), "1".to_owned()), (uid(2), "1".to_owned())];
    assert_eq!(
        (world.taken(FINDINGS), world.taken(CHAT)),
        (both.to_vec(), both.to_vec())
    );
}

#[tokio::test]
async fn a_chat_that_stays_down_is_given_up_after_an_hour() {
    let world = World::new(Some(CHAT)).await;
    world.store(&finding(1), now()).await;
    world.sns.set_refusal(CHAT, Some(Refusal::NO_TOPIC));

    world.handle(&batch([&finding(1)]), now()).await;
    let last = world.handle(&sweep(), now().plus(HOUR)).await;
    let done = world.handle(&sweep(), now().plus(2 * HOUR)).await;

    assert_eq!((last.chat_failed.len(), done.chat_failed.len()), (1, 0));
    let stored = world.table.get("111122223333", &uid(1)).await.unwrap().unwrap();
    assert!(!stored.pending, "{stored:?}");
    assert_eq!(world.taken(FINDINGS).len(), 1);
}

#[tokio::test]
async fn a_newer_revision_is_due_on_both_topics_although_the_chat_still_waits_for_the_older() {
    let world = World::new(Some(CHAT)).await;
    world.store(&finding(1), now()).await;
    world.sns.set_refusal(CHAT, Some(Refusal::NO_TOPIC));
    world.handle(&batch([&finding(1)]), now()).await;
    world.sns.set_refusal(CHAT, None);
    world.store(&revised(&finding(1)), now().plus(1)).await;

    world.handle(&batch([&revised(&finding(1))]), now().plus(1)).await;

    assert_eq!(world.taken(FINDINGS), [(uid(1), "1".into()), (uid(1), "2".into())]);
    assert_eq!(world.taken(CHAT), [(uid(1), "2".into())]);
}

#[tokio::test]
async fn a_finding_that_somebody_deleted_is_published_as_the_stream_brought_it() {
    let world = World::new(Some(CHAT)).await;

    let report = world.handle(&batch([&finding(1)]), now()).await;

    assert_eq!(report.published, 1);
    assert_eq!((world.taken(FINDINGS).len(), world.taken(CHAT).len()), (1, 1));
}

#[tokio::test]
async fn what_there_is_no_time_for_is_handed_back_and_left_to_the_next_sweep() {
    let world = World::new(None).await;
    let findings = [finding(1), finding(2)];
    for finding in &findings {
        world.store(finding, now()).await;
    }
    let over = Instant::now();

    let stream = world
        .notify
        .handle(&batch(&findings).to_string(), now(), over)
        .await
        .unwrap();
    let swept = world
        .notify
        .handle(&sweep().to_string(), now().plus(HOUR), over)
        .await
        .unwrap();

    assert_eq!(
        stream.response().unwrap(),
        json!({ "batchItemFailures": [{ "itemIdentifier": "4000" }] })
    );
    assert_eq!((swept.left, world.sns.requests()), (2, 0));
}

#[tokio::test]
async fn a_payload_that_is_neither_stream_nor_sweep_is_an_error_that_says_so() {
    let world = World::new(None).await;

    let error = world
        .notify
        .handle(r#"{"hello":"world"}"#, now(), later())
        .await
        .unwrap_err();

    assert!(
        error
            .to_string()
            .ends_with(r#"{"tripmeter":"sweep"}: {"hello":"world"}"#),
        "{error}"
    );
}

/// Panics at the first call, as a fault of ours would.
#[derive(Debug, Default)]
struct Panic {
    is_over: AtomicBool,
}

impl Intercept for Panic {
    fn name(&self) -> &'static str {
        "panic"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        assert!(self.is_over.swap(true, Ordering::SeqCst), "a fault of ours");
        Ok(())
    }
}

#[tokio::test]
async fn a_panic_costs_one_record_and_no_other() {
    let world = World::new(None).await;
    let findings = [finding(1), finding(2)];
    for finding in &findings {
        world.store(finding, now()).await;
    }
    let faulty = FindingsTable::new(world.local.client_with(Panic::default()), world.local.findings_table());
    let notify = World::notify(&world.local, &world.sns, faulty, None);

    let report = notify
        .handle(&batch(&findings).to_string(), now(), later())
        .await
        .unwrap();

    assert_eq!((report.published, report.hand_back.len()), (1, 0), "{report:?}");
    assert!(report.failed[0].contains("a fault of ours"), "{report:?}");
    assert_eq!(world.taken(FINDINGS), [(uid(2), "1".into())]);
}

#[tokio::test]
async fn a_table_that_does_not_answer_is_asked_again_by_the_stream() {
    let world = World::new(None).await;
    world.store(&finding(1), now()).await;
    let denied = world.local.client_with(Faults::of("GetItem", [Fault::Denied]));
    let denied = FindingsTable::new(denied, world.local.findings_table());
    let notify = World::notify(&world.local, &world.sns, denied, None);
    let payload = batch([&finding(1)]).to_string();

    let first = notify.handle(&payload, now(), later()).await.unwrap();
    let second = notify.handle(&payload, now(), later()).await.unwrap();

    assert_eq!((first.hand_back.len(), first.published), (1, 0), "{first:?}");
    assert_eq!((second.hand_back.len(), second.published), (0, 1), "{second:?}");
}

#[tokio::test]
async fn a_lost_answer_to_noting_publishes_nothing_twice() {
    let world = World::new(None).await;
    world.store(&finding(1), now()).await;
    let unlucky = world.local.client_with(Faults::of("UpdateItem", [Fault::AnswerLost]));
    let unlucky = FindingsTable::new(unlucky, world.local.findings_table());
    let notify = World::notify(&world.local, &world.sns, unlucky, None);

    let report = notify
        .handle(&batch([&finding(1)]).to_string(), now(), later())
        .await
        .unwrap();
    let swept = world.handle(&sweep(), now().plus(HOUR)).await;

    assert_eq!(
        (report.published, report.failed.len(), swept.published),
        (1, 0, 0),
        "{report:?}"
    );
    assert_eq!(world.taken(FINDINGS).len(), 1);
}

impl World {
    async fn put_digest(&self, key: &str, attributes: &[(&str, AttributeValue)]) {
        let put = self.local.dynamodb().put_item().table_name(self.local.state_table());
        let put = put
            .item("pk", AttributeValue::S("DIGEST".into()))
            .item("sk", AttributeValue::S(key.into()));
        let put = attributes
            .iter()
            .fold(put, |put, (name, value)| put.item(*name, value.clone()));
        put.send().await.unwrap();
    }
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.into())
}

fn at(time: Timestamp) -> AttributeValue {
    AttributeValue::N(time.seconds().to_string())
}

#[tokio::test]
async fn a_digest_is_published_once_when_it_is_due() {
    let world = World::new(Some(CHAT)).await;
    let due = [
        ("subject", text("The first day")),
        ("text", text("Who uses what\n")),
        ("due", at(now())),
    ];
    world.put_digest("20001", &due).await;
    world
        .put_digest(
            "20002",
            &[
                ("subject", text("Tomorrow")),
                ("text", text("-")),
                ("due", at(now().plus(HOUR))),
            ],
        )
        .await;
    world
        .put_digest("20003", &[("subject", text("Torn")), ("due", at(now()))])
        .await;

    let first = world.handle(&sweep(), now()).await;
    let second = world.handle(&sweep(), now()).await;
    let tomorrow = world.handle(&sweep(), now().plus(HOUR)).await;

    assert_eq!((first.digests, second.digests, tomorrow.digests), (1, 0, 1));
    assert!(first.unreadable[0].contains("20003"), "{first:?}");
    let published: Vec<Published> = world.sns.published();
    assert_eq!((published.len(), published[0].topic.as_str()), (2, FINDINGS));
    assert_eq!(published[0].subject, "The first day");
    assert_eq!(published[0].by_protocol["default"], "Who uses what\n");
    assert_eq!(published[0].attributes["type"], "Digest");
}

#[tokio::test]
async fn a_policy_in_force_is_told_once_and_one_that_was_changed_behind_everybody_is_told_too() {
    let world = World::new(None).await;
    let policies = Policies::new(world.local.dynamodb(), world.local.state_table());
    let told = |world: &World| -> Vec<Published> {
        let published = world.sns.published().into_iter();
        published.filter(|message| message.topic == OPERATIONS).collect()
    };
    world.handle(&sweep(), now()).await;
    assert_eq!(told(&world), [], "nothing is in force");

    let prepared = policies
        .prepare("[regions]\nall = [\"eu-west-1\"]\n", now())
        .await
        .unwrap();
    policies.push(&prepared, "kim", "only Ireland", now()).await.unwrap();
    world.sns.set_refusal(OPERATIONS, Some(Refusal::NO_TOPIC));
    let down = world.handle(&sweep(), now()).await;
    assert_eq!(down.failed.len(), 1, "{down:?}");
    world.sns.set_refusal(OPERATIONS, None);
    for _ in 0..2 {
        world.handle(&sweep(), now()).await;
    }
    let pushed = told(&world);
    assert_eq!(pushed.len(), 1);
    assert_eq!(pushed[0].subject, "Tripmeter: policy version 1 in force, by kim");
    assert!(
        pushed[0].message.contains("They say: only Ireland"),
        "{}",
        pushed[0].message
    );

    let key = |sk: &str| [("pk", text("POLICY")), ("sk", text(sk))];
    let update = world
        .local
        .dynamodb()
        .update_item()
        .table_name(world.local.state_table());
    let [pk, sk] = key("VERSION#000001");
    let update = update
        .key(pk.0, pk.1)
        .key(sk.0, sk.1)
        .update_expression("SET policy = :policy");
    let update = update.expression_attribute_values(":policy", text("[regions]\nall = [\"us-east-1\"]\n"));
    update.send().await.unwrap();
    world.handle(&sweep(), now()).await;

    let behind = told(&world);
    assert_eq!(behind.len(), 2);
    assert!(behind[1].message.contains("us-east-1"), "{}", behind[1].message);
}

#[tokio::test]
async fn a_digest_that_sns_does_not_take_is_due_at_the_next_sweep() {
    let world = World::new(None).await;
    let due = [
        ("subject", text("The first day")),
        ("text", text("-")),
        ("due", at(now())),
        ("published", AttributeValue::N("0".into())),
    ];
    world.put_digest("20001", &due).await;
    world.sns.set_refusal(FINDINGS, Some(Refusal::NO_TOPIC));

    let down = world.handle(&sweep(), now()).await;
    world.sns.set_refusal(FINDINGS, None);
    let up = world.handle(&sweep(), now()).await;

    assert_eq!((down.digests, down.failed.len(), up.digests), (0, 1, 1));
    let error = down.response().unwrap_err().to_string();
    assert_eq!(error, "1 messages were not published; the log names them");
    assert!(up.response().is_ok());
}

#[tokio::test]
async fn every_sort_of_finding_goes_from_the_table_to_both_topics() {
    let world = World::new(Some(CHAT)).await;
    let findings: Vec<Finding> = samples::every()
        .into_iter()
        .zip(1..)
        .filter(|(finding, _)| finding.suppressed.is_none())
        .map(|(finding, number)| Finding {
            uid: uid(number),
            ..finding
        })
        .collect();
    for finding in findings.iter().step_by(7) {
        world.store(finding, now()).await;
    }

    let report = world.handle(&sweep(), now().plus(HOUR)).await;

    let stored = findings.iter().step_by(7).count();
    assert_eq!(report.published, stored as u64, "{report:?}");
    assert_eq!((world.taken(FINDINGS).len(), world.taken(CHAT).len()), (stored, stored));
}
