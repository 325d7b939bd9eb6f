//! Inputs that real readers stumbled over, and what is right for each. tests/cases holds them, by number.

mod common;

use common::{HIGH, LOW, MEDIUM, Run, case, replay, run, tripmeter};

fn of(name: &str) -> Run {
    replay(&[&case(name)])
}

#[test]
fn case_01_a_digest_beside_logs_is_named_once_without_alarm() {
    let run = of("01-digest-beside-logs");

    assert_eq!(run.code, 0);
    assert_eq!(run.read_and_skipped(), (1, 1));
    assert!(run.reasons()[0].contains("digest"), "{:?}", run.reasons());
    assert_eq!(run.damage(), 0);
}

#[test]
fn case_04_a_cut_gzip_gives_its_records_and_is_named() {
    let run = of("04-gz-truncated.json.gz");
    let (read, skipped) = run.read_and_skipped();

    assert_eq!(run.code, 0);
    assert!(
        (50..=56).contains(&read) && skipped == 1,
        "{read} read, {skipped} skipped"
    );
    assert_eq!(run.damage(), 1);
    let file = run.summary["damage"]["first"][0]["file"].as_str().unwrap();
    assert!(file.ends_with("04-gz-truncated.json.gz"));
}

#[test]
fn case_04_other_files_go_on_behind_a_cut_one() {
    let run = of("04-gz-truncated-dir");

    assert_eq!(run.code, 0);
    assert_eq!(
        run.summary["services"][0]["service"], "Bedrock",
        "the whole file was judged: {}",
        run.stderr
    );
    assert_eq!(run.damage(), 1);
}

#[test]
fn case_06_roots_are_read_with_or_without_newlines() {
    assert_eq!(of("06-roots-without-newline.json").read_and_skipped(), (3, 0));
    assert_eq!(of("06-roots-on-one-line.ndjson").read_and_skipped(), (4, 0));
}

#[test]
fn case_08_what_lookup_events_prints_is_read_in_both_versions() {
    for (name, records) in [("08-lookup-events.json", 2), ("08-lookup-events-v2.json", 1)] {
        let run = of(name);
        assert_eq!((run.code, run.read_and_skipped()), (0, (records, 0)), "{name}");
    }
}

#[test]
fn case_10_queues_and_topics_are_unwrapped() {
    let run = of("10-sqs-and-sns-wrapped.json");

    assert_eq!((run.code, run.read_and_skipped()), (0, (2, 0)));
    assert!(
        !run.stderr.contains("\"sources\":[[\"\""),
        "no record without fields: {}",
        run.stderr
    );
}

#[test]
fn case_11_what_looks_like_a_log_is_named_and_alone_is_nothing_readable() {
    for (name, word) in [
        ("11-s3-notification.json", "S3 notification"),
        ("11-s3-test-event.json", "S3 test event"),
        ("11-trail-notification.json", "delivered"),
        ("11-validation-message.json", "validation message"),
    ] {
        let run = of(name);
        assert_eq!((run.code, run.read_and_skipped()), (2, (0, 1)), "{name}");
        assert!(run.reasons()[0].contains(word), "{name}: {:?}", run.reasons());
        assert!(run.findings.is_empty(), "{name}");
    }
}

#[test]
fn case_12_byte_order_marks_and_line_ends_lose_nothing() {
    assert_eq!(of("12-bom-and-crlf.ndjson").read_and_skipped(), (3, 0));
    assert_eq!(of("12-bom-log.json").read_and_skipped(), (1, 0));
}

#[test]
fn case_14_empty_files_are_no_error() {
    let beside = of("14-empty-files");
    assert_eq!((beside.code, beside.read_and_skipped()), (0, (1, 0)));
    assert_eq!(beside.count("files"), 6);

    let alone = of("14-only-empty.json");
    assert_eq!((alone.code, alone.read_and_skipped()), (0, (0, 0)));
}

#[test]
fn case_16_odd_parameters_lose_no_record() {
    let run = of("16-odd-parameters.json");

    assert_eq!((run.code, run.read_and_skipped()), (0, (14, 0)));
    let judged: u64 = run.summary["services"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["activities"].as_u64().unwrap())
        .sum();
    assert_eq!(judged, 14);
}

#[test]
fn case_19_big_records_are_read_and_what_is_kept_of_them_is_cut() {
    let run = of("19-big-records.json.gz");

    assert_eq!((run.code, run.read_and_skipped()), (0, (3, 0)));
    assert!(
        run.stdout.lines().all(|line| line.len() < 40_000),
        "no finding carries a whole user agent"
    );
}

#[test]
fn case_21_records_without_an_id_are_no_copies_of_each_other() {
    let run = of("21-old-versions-and-nulls.json");

    assert_eq!((run.code, run.read_and_skipped()), (0, (4, 4)));
    assert_eq!(run.count("duplicates"), 0);
    assert_eq!(run.summary["services"][0]["activities"], 4);
}

#[test]
fn case_24_every_form_of_identity_is_one_of_its_own() {
    let run = of("24-identity-forms.json");

    assert_eq!((run.code, run.read_and_skipped()), (0, (21, 0)));
    let identities = run.summary["identities"].as_array().unwrap();
    assert_eq!(
        identities.len(),
        10,
        "the busiest ten are listed: nobody swallows the others"
    );
    assert!(
        identities.iter().all(|row| row["activities"].as_u64() < Some(8)),
        "{identities:#?}"
    );
}

#[test]
fn case_27_copies_from_two_sources_change_nothing() {
    let once = of("27-duplicates/once");
    let all = of("27-duplicates/all");

    assert!(all.count("duplicates") > 0);
    assert_eq!(once.stdout, all.stdout);
    assert_eq!(once.summary["findings"], all.summary["findings"]);
    assert_eq!(once.summary["identities"], all.summary["identities"]);
}

#[test]
fn case_29_a_stolen_key_is_a_hijack_without_any_enabling_call() {
    let run = of("29-llmjacking-no-enabling-event.json.gz");

    let hijack = run.at_least(HIGH).into_iter().find(|(finding_type, _, finding)| {
        *finding_type == "Impact:Bedrock/Hijack" && finding.to_string().contains("user/ci-artifacts")
    });
    let (_, _, hijack) = hijack.unwrap_or_else(|| panic!("{:#?}", run.at_least(LOW)));
    assert!(hijack["unmapped"]["cost_estimate"].is_object(), "{hijack:#}");
    let on_the_application = |identity: &serde_json::Value| identity.to_string().contains("role/app-summary");
    let false_alarms: Vec<_> = run
        .at_least(MEDIUM)
        .into_iter()
        .filter(|(_, _, finding)| on_the_application(&finding["resources"]))
        .collect();
    assert!(false_alarms.is_empty(), "{false_alarms:#?}");
}

#[test]
fn case_31_calls_that_are_refused_are_denied_use_and_nothing_was_spent() {
    let run = of("31-denied-in-many-spellings.json");
    let types: Vec<&str> = run
        .at_least(LOW)
        .into_iter()
        .map(|(finding_type, _, _)| finding_type)
        .collect();

    assert!(types.contains(&"Discovery:Bedrock/DeniedUse"), "{types:?}");
    for family in ["/Hijack", "/CeilingExceeded", "/AnomalousUse"] {
        assert!(types.iter().all(|found| !found.ends_with(family)), "{types:?}");
    }
    assert!(
        run.findings
            .iter()
            .all(|finding| finding["unmapped"]["cost_estimate"].is_null()),
        "nothing was spent"
    );
}

#[test]
fn case_33_an_sms_pump_is_high_and_no_number_leaves_the_program() {
    let json = of("33-sms-pump.json.gz");
    let text = run(tripmeter(&["replay", "--suppressed"]).arg(case("33-sms-pump.json.gz")));

    assert!(
        json.at_least(HIGH).iter().any(|(found, _, _)| found.contains(":SMS/")),
        "{:#?}",
        json.at_least(LOW)
    );
    for output in [&json.stdout, &json.stderr, &text.stdout, &text.stderr] {
        assert!(!output.contains("7700900"), "a phone number is in the output");
    }
}

#[test]
fn case_35_the_quarantine_policy_is_a_leaked_key_and_no_credential() {
    let run = of("35-quarantine-policy.json");
    let types: Vec<&str> = run
        .at_least(LOW)
        .into_iter()
        .map(|(finding_type, _, _)| finding_type)
        .collect();

    assert!(types.iter().any(|found| found.ends_with("/LeakedKey")), "{types:?}");
    assert!(
        types.iter().all(|found| !found.ends_with("/CredentialIssued")),
        "{types:?}"
    );
}

#[test]
fn case_37_scanners_and_service_roles_are_nothing_to_look_at_today() {
    let run = of("37-scanners-and-service-roles.json.gz");

    assert_eq!(run.read_and_skipped().1, 0);
    assert!(run.at_least(MEDIUM).is_empty(), "{:#?}", run.at_least(MEDIUM));
}

#[test]
fn case_40_a_login_whose_second_factor_was_at_the_provider_is_no_finding() {
    let run = of("40-sso-login-without-mfa.json");

    assert_eq!(run.read_and_skipped(), (6, 0));
    assert!(run.findings.is_empty(), "{:#?}", run.findings);
}

#[test]
fn case_42_calls_of_lambda_are_known_without_their_dates() {
    let run = of("42-lambda-names-with-dates.json");

    assert_eq!(run.read_and_skipped(), (7, 0));
    for row in run.summary["services"].as_array().unwrap() {
        assert_eq!(row["uncatalogued"], 0, "{row}");
    }
}
