//! Findings to SNS: what is sent, what is cut, and what becomes of a refusal.

#[path = "../../findings/tests/samples/mod.rs"]
mod samples;

use proptest::prelude::*;
use serde_json::Value;
use tripmeter_aws::publish::{Delivery, Places, PublishError, Publisher, Topics};
use tripmeter_aws::testing::{Published, Refusal, Sns};
use tripmeter_findings::{chat, ocsf_with, sms, subject, text_with};
use tripmeter_model::{ContextSeen, Factor, FactorName, Finding};

const FINDINGS: &str = "arn:aws:sns:eu-west-1:111122223333:findings";
const OPERATIONS: &str = "arn:aws:sns:eu-west-1:111122223333:operations";
const CHAT: &str = "arn:aws:sns:eu-west-1:111122223333:chat";
const RUNBOOKS: &str = "https://runbooks.example";

fn publisher(sns: &Sns, chat: Option<&str>) -> Publisher {
    let places = Places {
        runbooks: RUNBOOKS.into(),
        findings_table: "tripmeter-findings".into(),
    };
    Publisher::new(sns.client(), topics(chat), places)
}

fn topics(chat: Option<&str>) -> Topics {
    Topics {
        findings: FINDINGS.into(),
        chat: chat.map(Into::into),
        operations: OPERATIONS.into(),
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

fn only(sns: &Sns) -> Published {
    let mut published = sns.published();
    assert_eq!(published.len(), 1, "{published:?}");
    published.remove(0)
}

#[tokio::test]
async fn each_protocol_gets_its_form() {
    let sns = Sns::start().await;
    let finding = samples::llmjacking();

    let delivery = publisher(&sns, None).finding(&finding).await.unwrap();

    let message = only(&sns);
    assert_eq!((delivery, message.topic.as_str()), (Delivery::Whole, FINDINGS));
    assert_eq!(message.subject, subject(&finding));
    assert_eq!(message.by_protocol["email"], text_with(&finding, RUNBOOKS));
    assert_eq!(message.by_protocol["sms"], sms(&finding));
    assert_eq!(json(&message.by_protocol["default"]), ocsf_with(&finding, RUNBOOKS));
    assert_eq!(message.by_protocol.len(), 3);
    let attributes: Vec<(&str, &str)> = message
        .attributes
        .iter()
        .map(|(k, v)| (k.as_str(), v.as_str()))
        .collect();
    assert_eq!(
        attributes,
        [
            ("account", "111122223333"),
            ("region", "us-east-1"),
            ("revision", "2"),
            ("service", "Bedrock"),
            ("severity", "Critical"),
            ("status", "open"),
            ("type", "Impact:Bedrock/Hijack"),
            ("uid", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
        ]
    );
}

#[tokio::test]
async fn chat_gets_its_schema_and_nothing_beside_it() {
    let sns = Sns::start().await;
    let finding = samples::mail_takeover();

    publisher(&sns, Some(CHAT)).chat(&finding).await.unwrap().unwrap();
    let nowhere = publisher(&sns, Some("")).chat(&finding).await.unwrap();

    let message = only(&sns);
    assert_eq!((message.topic.as_str(), message.by_protocol.len()), (CHAT, 0));
    assert_eq!(json(&message.message), chat(&finding, RUNBOOKS));
    assert_eq!(nowhere, None);
}

#[tokio::test]
async fn a_runbook_without_an_address_is_its_path_in_the_project() {
    let sns = Sns::start().await;
    let places = Places {
        runbooks: String::new(),
        findings_table: "tripmeter-findings".into(),
    };

    Publisher::new(sns.client(), topics(None), places)
        .finding(&samples::pump())
        .await
        .unwrap();

    assert!(only(&sns).by_protocol["email"].contains("\nRunbook   docs/runbooks/ceiling-exceeded.md\n"));
}

#[tokio::test]
async fn every_sort_of_finding_is_taken_whole_by_both_topics() {
    let sns = Sns::start().await;
    let publisher = publisher(&sns, Some(CHAT));
    let findings = samples::every();

    for finding in &findings {
        assert_eq!(publisher.finding(finding).await.unwrap(), Delivery::Whole);
        publisher.chat(finding).await.unwrap();
    }

    assert_eq!(sns.published().len(), 2 * findings.len());
}

#[tokio::test]
async fn what_sns_refuses_is_announced_in_the_least_form() {
    let sns = Sns::start().await;
    sns.refuse_next([Refusal::INVALID]);
    let finding = samples::nasty_probe();

    let delivery = publisher(&sns, None).finding(&finding).await.unwrap();

    let message = only(&sns);
    assert_eq!(delivery, Delivery::Announced);
    assert_eq!(
        message.subject,
        "Medium: Tripmeter finding 0f1e2d3c4b5a69788796a5b4c3d2e1f0"
    );
    assert!(
        message.message.is_ascii() && message.message.len() < 1_024,
        "{}",
        message.message
    );
    let told = json(&message.message);
    assert_eq!(
        told["whole"],
        "tripmeter findings show 0f1e2d3c4b5a69788796a5b4c3d2e1f0 --table tripmeter-findings"
    );
    assert_eq!(
        (&told["type"], &told["severity"]),
        (&"Discovery:SES/LimitProbe".into(), &"Medium".into())
    );
    assert_eq!(message.attributes["uid"], finding.uid);
}

#[tokio::test]
async fn sns_that_is_slow_or_broken_for_a_moment_is_asked_again() {
    let sns = Sns::start().await;
    sns.refuse_next([Refusal::THROTTLED, Refusal::BROKEN]);

    let delivery = publisher(&sns, None).finding(&samples::pump()).await.unwrap();

    assert_eq!(
        (delivery, sns.requests(), sns.published().len()),
        (Delivery::Whole, 3, 1)
    );
}

#[tokio::test]
async fn a_topic_that_is_gone_is_no_fault_of_the_message() {
    let sns = Sns::start().await;
    sns.set_refusal(FINDINGS, Some(Refusal::NO_TOPIC));

    let error = publisher(&sns, None).finding(&samples::pump()).await.unwrap_err();

    assert!(matches!(error, PublishError::Unavailable { .. }), "{error}");
    assert!(
        error.to_string().contains(FINDINGS) && error.to_string().contains("NotFound"),
        "{error}"
    );
    assert_eq!(sns.requests(), 1);
}

#[tokio::test]
async fn a_refusal_of_the_least_form_is_told() {
    let sns = Sns::start().await;
    sns.set_refusal(FINDINGS, Some(Refusal::INVALID));

    let error = publisher(&sns, None).finding(&samples::pump()).await.unwrap_err();

    assert!(matches!(error, PublishError::Refused { .. }), "{error}");
    assert_eq!(sns.requests(), 2);
}

#[tokio::test]
async fn a_digest_is_text_and_its_subject_on_a_phone() {
    let sns = Sns::start().await;
    let text = "Who uses what:\n  user dana  Bedrock\u{1b}[2J  40 calls a day\n";

    publisher(&sns, Some(CHAT))
        .digest("Tripmeter: the first day of 111122223333", text)
        .await
        .unwrap();

    let message = only(&sns);
    assert_eq!(message.topic, FINDINGS);
    assert_eq!(message.by_protocol["default"], text.replace('\u{1b}', "?"));
    assert_eq!(message.by_protocol["sms"], message.subject);
    let wanted = [("severity", "Informational"), ("type", "Digest")];
    assert!(
        message
            .attributes
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .eq(wanted)
    );
}

#[tokio::test]
async fn a_digest_of_any_length_is_taken() {
    let sns = Sns::start().await;

    publisher(&sns, None)
        .digest("", &"\"ü\n".repeat(100_000))
        .await
        .unwrap();

    let text = &only(&sns).by_protocol["default"];
    assert!(text.ends_with("(Cut to fit one message; the state table has the whole, under DIGEST.)\n"));
}

/// Text that grows most on its way into a message: each character escaped twice, or three bytes long.
fn dear() -> impl Strategy<Value = String> {
    prop_oneof![Just('"'), Just('\\'), Just('語'), Just('a')]
        .prop_flat_map(|c| (0usize..600).prop_map(move |length| c.to_string().repeat(length)))
}

/// Findings far larger than any that the engine makes.
fn huge() -> impl Strategy<Value = Finding> {
    let texts = prop::collection::vec(dear(), 1..5);
    (prop::sample::select(samples::every()), texts, 0usize..3_000).prop_map(|(mut finding, texts, many)| {
        let mut texts = texts.into_iter().cycle();
        let mut next = || texts.next().unwrap_or_default();
        finding.uid = next();
        finding.account = next();
        finding.account_name = Some(next());
        finding.region = next();
        finding.identity.id = next().repeat(4);
        finding.linked = (0..many).map(|_| next().repeat(4)).collect();
        finding.units_by_target = (0..many).map(|_| (next(), u64::MAX)).collect();
        finding.factors = (0..many)
            .map(|_| Factor {
                name: FactorName::Volume,
                points: 1,
                text: next(),
                observed: Some(f64::MAX),
                expected: Some(1.0),
            })
            .collect();
        let seen = &mut finding.evidence;
        seen.event_ids = (0..many).map(|_| next()).collect();
        seen.addresses = (0..many).map(|_| next()).collect();
        seen.assumed_by = (0..many).map(|_| next()).collect();
        seen.issued = (0..many).map(|_| next()).collect();
        let lists = [
            &mut seen.regions,
            &mut seen.networks,
            &mut seen.clients,
            &mut seen.targets,
            &mut seen.calls,
        ];
        for list in lists {
            *list = (0..many)
                .map(|_| ContextSeen {
                    value: next(),
                    new: true,
                    count: u64::MAX,
                })
                .collect();
        }
        seen.sessions = seen.sessions.iter().cloned().cycle().take(many).collect();
        for session in &mut seen.sessions {
            session.name = Some(next());
            session.source_identity = Some(next());
            session.access_key = Some(next());
        }
        seen.openings = seen.openings.iter().cloned().cycle().take(many).collect();
        for opening in &mut seen.openings {
            opening.call = next();
            opening.identity.id = next().repeat(4);
            opening.event_id = Some(next());
        }
        finding
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_finding_of_any_size_is_taken_and_says_what_was_cut(finding in huge()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (delivery, chat, message) = runtime.block_on(async {
            let sns = Sns::start().await;
            let publisher = publisher(&sns, Some(CHAT));
            let delivery = publisher.finding(&finding).await.unwrap();
            let chat = publisher.chat(&finding).await.unwrap();
            (delivery, chat, sns.published().remove(0))
        });

        prop_assert_eq!(chat, Some(()));
        prop_assert_ne!(delivery, Delivery::Announced);
        let event = json(&message.by_protocol["default"]);
        prop_assert_eq!(&event["class_uid"], 2004);
        let note = event.pointer("/unmapped/trimmed");
        prop_assert_eq!(note.is_some(), delivery == Delivery::Trimmed);
        if let Some(note) = note {
            prop_assert!(!note["cut"].as_array().unwrap().is_empty());
            prop_assert!(note["whole"].as_str().unwrap().starts_with("tripmeter findings show "));
            prop_assert!(message.by_protocol["email"].contains("\nTrimmed to fit one message; left out: "));
        }
    }
}

#[tokio::test]
async fn a_finding_too_large_for_a_message_is_trimmed() {
    let sns = Sns::start().await;
    let mut finding = samples::llmjacking();
    let seen = &mut finding.evidence;
    for (number, list) in [
        &mut seen.regions,
        &mut seen.networks,
        &mut seen.clients,
        &mut seen.targets,
        &mut seen.calls,
    ]
    .into_iter()
    .enumerate()
    {
        *list = (0..20)
            .map(|one| ContextSeen {
                value: format!("{number}-{one}-{}", "\"".repeat(300)),
                new: true,
                count: 1,
            })
            .collect();
    }
    finding.linked = vec!["\"".repeat(2_000); 10];

    let delivery = publisher(&sns, None).finding(&finding).await.unwrap();

    assert_eq!(delivery, Delivery::Trimmed);
    let event = json(&only(&sns).by_protocol["default"]);
    assert!(
        event["unmapped"]["trimmed"]["cut"]
            .to_string()
            .contains("evidence.networks: "),
        "{event}"
    );
}
