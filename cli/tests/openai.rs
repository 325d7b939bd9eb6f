//! Exports of OpenAI's, and what a key can read.

mod common;

use std::fs;

use common::{replay, run, tripmeter};
use serde_json::{Value, json};
use tripmeter_openai::testing::{Fault, StandIn, World, audit, completions};

/// 2026-03-03T10:00:00Z.
const TEN: i64 = 1_772_532_000;

fn page(data: &[Value]) -> String {
    json!({"object": "list", "data": data, "has_more": false}).to_string()
}

fn scim_disabled() -> Value {
    let payload = json!({"id": "scim"});
    audit(
        "audit_log-1",
        "scim.disabled",
        TEN,
        "user-owner",
        "203.0.113.9",
        payload,
    )
}

#[test]
fn saved_pages_are_judged_beside_each_other() {
    let logs = tempfile::tempdir().unwrap();
    let event = scim_disabled();
    let row = completions("key_1", "gpt-5", 900_000, 4_000_000_000);
    let bucket = json!({"object": "bucket", "start_time": TEN + 60, "end_time": TEN + 120, "results": [row]});
    fs::write(logs.path().join("audit.json"), page(&[event])).unwrap();
    fs::write(logs.path().join("usage.json"), page(&[bucket])).unwrap();

    let judged = replay(&[logs.path().to_str().unwrap()]);

    let found = judged.stdout;
    assert!(found.contains("DefenseEvasion:OpenAI/GuardrailRemoved"), "{found}");
    assert!(
        found.contains("OpenAI/CeilingExceeded") || found.contains("OpenAI/Hijack"),
        "{found}"
    );
    assert_eq!(judged.summary["read"], 2, "{}", judged.summary);
}

#[test]
fn a_bucket_that_was_saved_again_in_another_file_counts_once_by_its_largest() {
    let bucket = |requests, tokens| {
        let row = completions("key_1", "gpt-5", requests, tokens);
        page(&[json!({"object": "bucket", "start_time": TEN, "end_time": TEN + 60, "results": [row]})])
    };
    for (first, second) in [(60_000, 60_000_000), (60_000_000, 60_000)] {
        let logs = tempfile::tempdir().unwrap();
        fs::write(logs.path().join("1.json"), bucket(first / 2_000, first)).unwrap();
        fs::write(logs.path().join("2.json"), bucket(second / 2_000, second)).unwrap();

        let judged = replay(&[logs.path().to_str().unwrap(), "--openai-organization", "org-of-ours"]);

        assert!(judged.stdout.contains("60,000,000 tokens"), "{}", judged.stdout);
        assert!(judged.stdout.contains(r#""uid":"org-of-ours""#), "{}", judged.stdout);
        assert_eq!(judged.summary["duplicates"], 1);
    }
}

#[test]
fn a_broken_export_is_told_and_no_cloudtrail_log_is_taken_for_one() {
    let logs = tempfile::tempdir().unwrap();
    let event = scim_disabled();
    fs::write(logs.path().join("cut.json"), format!("{event}\n{{\"id\":\"audit")).unwrap();
    let record = json!({"Records": [{"eventSource": "ses.amazonaws.com", "eventName": "GetSendQuota",
        "eventTime": "2026-03-03T10:00:00Z", "requestParameters": {"effective_at": 1}}]});
    fs::write(logs.path().join("trail.json"), record.to_string()).unwrap();

    let judged = run(&mut tripmeter(&["replay", logs.path().to_str().unwrap()]));

    assert!(judged.stderr.contains("broken JSON in an export"), "{}", judged.stderr);
    assert!(judged.stderr.contains("SES"), "{}", judged.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_key_can_read_is_listed_and_a_blind_one_is_exit_1() {
    let stand_in = StandIn::start(World {
        key: "sk-admin-test".into(),
        events: vec![audit(
            "audit_log-1",
            "login.succeeded",
            TEN,
            "user-1",
            "203.0.113.9",
            json!({}),
        )],
        ..World::default()
    })
    .await;
    let check = ["openai", "check", "--base-url", stand_in.url.as_str()];

    let seen = run(tripmeter(&check).write_stdin("sk-admin-test\n"));
    stand_in
        .world()
        .faults
        .push_back(("audit_logs", Fault::Refused(403, "You have insufficient permissions")));
    let blind = run(tripmeter(&check).write_stdin("sk-admin-test\n"));

    assert_eq!((seen.code, blind.code), (0, 1), "{}{}", seen.stdout, seen.stderr);
    assert!(
        seen.stdout.contains("has events") && seen.stdout.contains("usage: completions"),
        "{}",
        seen.stdout
    );
    assert!(blind.stdout.contains("insufficient permissions"), "{}", blind.stdout);
    assert!(!format!("{}{}", seen.stdout, blind.stdout).contains("sk-admin"));
}
