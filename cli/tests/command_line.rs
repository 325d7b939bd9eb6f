//! What the program promises to whoever scripts it: exit codes, streams, and the same output for the same records.

mod common;

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use common::{LOW, case, replay, replay_stdin, run, tripmeter};
use serde_json::{Value, json};

const ATTACK: &str = "29-llmjacking-no-enabling-event.json.gz";

/// A record of a call that is not worth a finding.
fn record(id: &str, time: &str) -> Value {
    json!({
        "eventVersion": "1.11",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/app", "accountId": "111122223333"},
        "eventTime": time,
        "eventSource": "bedrock.amazonaws.com",
        "eventName": "InvokeModel",
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "198.51.100.7",
        "userAgent": "Boto3/1.35.10",
        "requestParameters": {"modelId": "anthropic.claude-3-5-sonnet-20241022-v2:0"},
        "eventID": id,
        "recipientAccountId": "111122223333",
    })
}

/// One record at noon of each of these days.
fn march(days: std::ops::RangeInclusive<u8>) -> String {
    let lines: Vec<String> = days
        .map(|day| record(&format!("id-{day}"), &format!("2026-03-{day:02}T12:00:00Z")).to_string())
        .collect();
    lines.join("\n") + "\n"
}

#[test]
fn what_is_piped_in_is_found_as_in_a_file() {
    let path = case(ATTACK);

    let file = replay(&[&path]);
    let piped = replay_stdin(fs::read(&path).unwrap());

    assert!(!file.findings.is_empty());
    assert_eq!(file.stdout, piped.stdout);
}

#[test]
fn the_output_depends_neither_on_the_order_of_files_nor_on_threads() {
    let names = [
        ATTACK,
        "31-denied-in-many-spellings.json",
        "33-sms-pump.json.gz",
        "27-duplicates/all",
    ]
    .map(case);
    let forward: Vec<&str> = names.iter().map(String::as_str).collect();
    let backward: Vec<&str> = names.iter().rev().map(String::as_str).collect();

    let one = replay(&[&forward[..], &["--threads", "1"]].concat());
    let four = replay(&[&backward[..], &["--threads", "4"]].concat());

    assert!(one.findings.len() > 1);
    assert_eq!(one.stdout, four.stdout);
    for part in [
        "services",
        "identities",
        "findings",
        "skipped_by_reason",
        "first_event",
        "duplicates",
    ] {
        assert_eq!(one.summary[part], four.summary[part], "{part}");
    }
}

#[test]
fn records_newest_first_are_judged_in_event_time() {
    let text = march(1..=28);
    let newest_first = text.lines().rev().collect::<Vec<_>>().join("\n");

    let forward = replay_stdin(text);
    let backward = replay_stdin(newest_first);

    assert_eq!(forward.stdout, backward.stdout);
    assert_eq!(backward.summary["first_event"], "2026-03-01T12:00:00Z");
}

#[test]
fn findings_are_exit_0_unless_fail_on_says_otherwise() {
    let path = case(ATTACK);

    assert_eq!(replay(&[&path]).code, 0);
    assert_eq!(replay(&[&path, "--fail-on", "high"]).code, 1);
    let denied = case("40-sso-login-without-mfa.json");
    assert_eq!(replay(&[&denied, "--fail-on", "low"]).code, 0);
}

#[test]
fn nothing_readable_at_all_is_exit_2_and_says_why() {
    let gone = replay(&["no/such/file"]);
    assert_eq!(gone.code, 2);
    assert_eq!(gone.summary["unreadable"]["first"][0]["file"], "no/such/file");

    let broken = replay_stdin("{\"Records\":[{\"eventName\"");
    assert_eq!((broken.code, broken.damage()), (2, 1));

    let empty_directory = tempfile::tempdir().unwrap();
    assert_eq!(replay(&[empty_directory.path().to_str().unwrap()]).code, 2);
}

#[test]
fn a_path_that_does_not_exist_is_named_and_the_rest_is_judged() {
    let run = run(&mut tripmeter(&[
        "replay",
        "no/such\u{1b}[31m/file",
        &case("40-sso-login-without-mfa.json"),
    ]));

    assert_eq!(run.code, 2, "a mistyped path is no clean run");
    assert!(run.stderr.contains("cannot read no/such?[31m/file"), "{}", run.stderr);
    assert!(run.stderr.contains("6 records read"), "{}", run.stderr);
}

#[test]
fn a_malformed_record_is_told_with_its_place_and_loses_only_itself() {
    let whole = march(1..=1);
    let text = format!("{whole}{{\"eventName\": oops}}\n{}", march(2..=2));

    let run = replay_stdin(text);

    assert_eq!((run.code, run.read_and_skipped()), (0, (2, 1)));
    let damage = &run.summary["damage"]["first"][0];
    assert_eq!(damage["file"], "stdin");
    let position = damage["position"].as_u64().unwrap() as usize;
    assert!((whole.len()..whole.len() + 25).contains(&position), "{damage}");
}

#[test]
fn of_much_damage_the_first_twenty_are_told_and_the_rest_counted() {
    let broken = "{\"eventName\": oops}\n".repeat(50) + &march(1..=1);

    let run = run(tripmeter(&["replay", "-", "--summary", "none"]).write_stdin(broken));

    assert_eq!(run.code, 0);
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert_eq!(lines.len(), 21, "{}", run.stderr);
    assert!(
        lines[0].starts_with("tripmeter: stdin at byte 0 of its text: "),
        "{}",
        lines[0]
    );
    assert_eq!(lines[20], "tripmeter: 30 more that are broken");
}

#[test]
fn wrong_usage_is_exit_2_and_says_what_would_be_right() {
    for (arguments, hint) in [
        (&["replay"][..], "PATH"),
        (&["replay", "x", "--set", "mode"], "NAME=VALUE"),
        (&["replay", "x", "--set", "nonsense=1"], "nonsense"),
        (&["replay", "x", "--set", "TimeWindow=9999"], "TimeWindow"),
        (&["replay", "x", "--from", "yesterday"], "2026-03-17"),
        (&["replay", "x", "--fail-on", "bad"], "critical"),
        (&["replay", "x", "--policy", "no/such/policy"], "no/such/policy"),
    ] {
        let run = run(&mut tripmeter(arguments));
        assert_eq!(run.code, 2, "{arguments:?}");
        assert!(run.stderr.contains(hint), "{arguments:?}: {}", run.stderr);
        assert!(run.stdout.is_empty());
    }
}

#[test]
fn from_and_to_leave_out_what_lies_beyond() {
    let judged = |bounds: &[&str]| {
        let mut command = tripmeter(&["replay", "-", "--format", "json", "--summary", "json"]);
        let run = run(command.args(bounds).write_stdin(march(1..=10)));
        assert_eq!(run.read_and_skipped(), (10, 0));
        10 - run.count("outside")
    };

    assert_eq!(judged(&[]), 10);
    assert_eq!(judged(&["--from", "2026-03-03"]), 8);
    assert_eq!(judged(&["--to", "2026-03-03"]), 3);
    assert_eq!(
        judged(&["--from", "2026-03-03T12:00:01Z", "--to", "2026-03-05T13:00:00+01:00"]),
        2
    );
}

#[test]
fn min_severity_prints_less_but_counts_the_same() {
    let path = case(ATTACK);

    let all = replay(&[&path]);
    let severe = replay(&[&path, "--min-severity", "critical"]);

    assert!(severe.findings.len() < all.findings.len());
    assert!(severe.findings.iter().all(|finding| finding["severity_id"] == 5));
    assert_eq!(severe.summary["findings"], all.summary["findings"]);
}

#[test]
fn observing_publishes_nothing_and_still_counts() {
    let run = replay(&[&case(ATTACK), "--set", "mode=observe"]);

    assert!(run.findings.is_empty(), "{}", run.stdout);
    assert_eq!(run.summary["publications"], 0);
    assert_ne!(run.summary["findings"], json!([]));
}

#[test]
fn what_a_policy_mutes_is_counted_and_listed_on_request() {
    let directory = tempfile::tempdir().unwrap();
    let policy = directory.path().join("policy.toml");
    fs::write(
        &policy,
        r#"
        [[mute]]
        id = "denied-report"
        types = ["Discovery:*/DeniedUse"]
        identities = ["arn:aws:iam::111122223333:user/svc-report"]
        max_severity = "critical"
        owner = "platform"
        reason = "a test of permissions"
        expires = 2026-12-31

        [[mute]]
        id = "never"
        types = ["Discovery:*/LimitProbe"]
        identities = ["arn:aws:iam::111122223333:user/nobody"]
        owner = "platform"
        reason = "nobody does this"
        expires = 2026-12-31
        "#,
    )
    .unwrap();
    let policy = ["--policy", policy.to_str().unwrap()];
    let path = case("31-denied-in-many-spellings.json");

    let quiet = replay(&[&[&*path][..], &policy[..]].concat());
    let listed = replay(&[&[&*path, "--suppressed"][..], &policy[..]].concat());

    let denied = |run: &common::Run| {
        run.at_least(LOW)
            .iter()
            .any(|(found, _, _)| found.ends_with("/DeniedUse"))
    };
    assert!(denied(&replay(&[&path])) && !denied(&quiet) && denied(&listed));
    let rule = |id: &str| {
        let rules = quiet.summary["rules"].as_array().unwrap();
        rules.iter().find(|rule| rule["rule"] == id).unwrap().clone()
    };
    assert_eq!(
        (&rule("denied-report")["suppressed"], &rule("denied-report")["matched"]),
        (&json!(1), &json!(true))
    );
    assert_eq!(rule("never")["matched"], json!(false));
}

#[test]
fn colours_are_for_people_who_want_them() {
    let coloured = |name: &str, value: &str| {
        let run = run(tripmeter(&["replay", &case(ATTACK)]).env(name, value));
        (run.stdout.contains('\u{1b}'), run.stderr.contains('\u{1b}'))
    };

    assert_eq!(coloured("CLICOLOR_FORCE", "1"), (true, true));
    assert_eq!(coloured("NO_COLOR", "1"), (false, false));
    assert_eq!(coloured("TERM", "xterm"), (false, false), "no terminal, no colours");
}

#[test]
fn text_output_tells_the_finding_and_the_summary_apart() {
    let run = run(&mut tripmeter(&["replay", &case(ATTACK)]));

    assert!(run.stdout.contains("Bedrock"), "{}", run.stdout);
    assert!(!run.stdout.contains("records read"));
    assert!(run.stderr.contains("records read"), "{}", run.stderr);
    assert!(run.stderr.contains("user ci-artifacts"), "{}", run.stderr);
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tripmeter"))
        .args(["replay", "--format", "json", &case(ATTACK)])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());

    let output = child.wait_with_output().unwrap();

    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn what_is_nested_too_deep_is_reported_with_its_place_and_the_record_is_judged() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("deep.json");
    let record = |parameters: &str| {
        format!(
            r#"{{"eventTime":"2026-09-01T00:00:00Z","eventSource":"cloudtrail.amazonaws.com","eventName":"StopLogging",
            "recipientAccountId":"111122223333","requestParameters":{parameters}}}"#
        )
    };
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    fs::write(
        &path,
        format!("{}\n{}\n", record("{}"), record(&format!(r#"{{"a":{deep}}}"#))),
    )
    .unwrap();

    let run = replay(&[path.to_str().unwrap()]);

    let counts = ["seen", "read", "skipped"].map(|count| run.summary[count].as_u64().unwrap());
    assert_eq!(counts, [3, 2, 1]);
    let told = &run.summary["damage"]["first"][0];
    assert!(told["file"].as_str().unwrap().ends_with("deep.json"), "{told}");
    assert_eq!(
        told["position"],
        record("{}").len() as u64 + 1,
        "where the second record begins"
    );
    assert!(told["reason"].as_str().unwrap().contains("nested too deep"), "{told}");
    assert_eq!(run.summary["services"][0]["activities"], 2);
}

#[test]
fn a_policy_file_is_checked_with_lines_and_exit_codes() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs::File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let good = file("good.toml", "[regions]\nall = [\"eu-west-1\"]\n");
    let bad = file(
        "bad.toml",
        "[regions]\nall = [\"eu-west-1\"]\n\n[[mute]]\nowner = \"x\"\n",
    );

    let check = |path: &str| run(&mut tripmeter(&["policy", "check", path]));

    let empty = file("empty.toml", "");
    assert_eq!(check(&good).code, 0);
    assert!(
        check(&empty).stdout.contains("nothing in this file"),
        "{}",
        check(&empty).stdout
    );
    assert_eq!(check(&bad).code, 1);
    assert!(
        check(&bad).stdout.contains("bad.toml: line 4"),
        "{}",
        check(&bad).stdout
    );
    assert_eq!(check("no/such/file").code, 2);
    assert_eq!(run(&mut tripmeter(&["replay", "x", "--policy", &bad])).code, 2);
}
