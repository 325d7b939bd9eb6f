//! Files that readers of CloudTrail logs stumbled over, in `tests/cases`, each with what is right for it.

#![expect(clippy::expect_used, reason = "a case that is missing fails its test")]

use std::fs::File;
use std::path::Path;

use tripmeter_records::{Item, Limits, Reader, SkipReason};

/// What one file gave: each record's `eventName`, and why things were skipped.
fn read(case: &str) -> (Vec<String>, Vec<SkipReason>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/cases")
        .join(case);
    let file = File::open(path).expect(case);
    let (mut records, mut skipped) = (Vec::new(), Vec::new());
    let tally = Reader::new(Limits::default()).read(file, &mut |item| match item {
        Item::Record(record) => records.push(record.event_name.into_owned()),
        Item::Skipped(skip) => skipped.push(skip.reason),
    });
    assert_eq!(
        (tally.records, tally.skipped),
        (records.len() as u64, skipped.len() as u64)
    );
    (records, skipped)
}

#[track_caller]
fn assert_reads(case: &str, records: usize, skipped: &[SkipReason]) {
    let (names, reasons) = read(case);
    assert_eq!((names.len(), &*reasons), (records, skipped), "{case}: {names:?}");
}

#[test]
fn a_digest_beside_the_logs_is_named() {
    const UNDER: &str = "01-digest-beside-logs/AWSLogs/111122223333";
    assert_reads(
        &format!(
            "{UNDER}/CloudTrail/us-east-1/2026/03/03/111122223333_CloudTrail_us-east-1_20260303T1020Z_aB3dE5gH7jK9mN1p.json.gz"
        ),
        1,
        &[],
    );
    assert_reads(
        &format!(
            "{UNDER}/CloudTrail-Digest/us-east-1/2026/03/03/111122223333_CloudTrail-Digest_us-east-1_main_us-east-1_20260303T102011Z.json.gz"
        ),
        0,
        &[SkipReason::Digest],
    );
}

#[test]
fn a_truncated_file_gives_the_records_before_the_cut() {
    assert_reads("04-gz-truncated.json.gz", 56, &[SkipReason::TruncatedGzip]);
    assert_reads("04-gz-truncated-dir/a-cut.json.gz", 0, &[SkipReason::TruncatedGzip]);
    assert_reads("04-gz-truncated-dir/b-whole.json.gz", 1, &[]);
}

#[test]
fn every_root_of_a_line_is_read() {
    assert_reads("06-roots-without-newline.json", 3, &[]);
    assert_reads("06-roots-on-one-line.ndjson", 4, &[]);
}

#[test]
fn the_output_of_lookup_events_is_read() {
    assert_reads("08-lookup-events.json", 2, &[]);
    assert_reads("08-lookup-events-v2.json", 1, &[]);
}

#[test]
fn what_queues_and_topics_wrap_is_unwrapped() {
    let (names, skipped) = read("10-sqs-and-sns-wrapped.json");

    assert_eq!(
        names,
        ["GetBucketLocation", "DeleteModelInvocationLoggingConfiguration"]
    );
    assert_eq!(skipped, []);
}

#[test]
fn look_alikes_are_named() {
    assert_reads("11-s3-notification.json", 0, &[SkipReason::S3Notification]);
    assert_reads("11-s3-test-event.json", 0, &[SkipReason::S3TestEvent]);
    assert_reads("11-trail-notification.json", 0, &[SkipReason::TrailNotification]);
    assert_reads("11-validation-message.json", 0, &[SkipReason::ValidationMessage]);
}

#[test]
fn marks_and_line_ends_do_not_matter() {
    assert_reads("12-bom-and-crlf.ndjson", 3, &[]);
    assert_reads("12-bom-log.json", 1, &[]);
}

#[test]
fn files_of_nothing_are_nothing() {
    const UNDER: &str = "14-empty-files/AWSLogs/111122223333/CloudTrail";
    for nothing in [
        "placeholder",
        "empty.json",
        "empty.json.gz",
        "nothing.json.gz",
        "null.json",
    ] {
        assert_reads(&format!("{UNDER}/{nothing}"), 0, &[]);
    }
    assert_reads(&format!("{UNDER}/one.json"), 1, &[]);
    assert_reads("14-only-empty.json", 0, &[]);
}

#[test]
fn wrong_types_lose_nothing() {
    assert_reads("16-odd-parameters.json", 14, &[]);
    assert_reads("19-big-records.json.gz", 3, &[]);
}

#[test]
fn old_versions_are_read_and_nulls_are_skipped() {
    use SkipReason::{NoName, NotAnObject};
    assert_reads(
        "21-old-versions-and-nulls.json",
        4,
        &[NoName, NotAnObject, NotAnObject, NotAnObject],
    );
}

#[test]
fn every_form_of_identity_is_read() {
    assert_reads("24-identity-forms.json", 21, &[]);
}

#[test]
fn the_same_records_come_from_every_copy() {
    let (mut once, _) = read("27-duplicates/once/a.json.gz");
    let (mut again, _) = read("27-duplicates/all/b-same-again.json.gz");
    let (mut enveloped, _) = read("27-duplicates/all/c-by-eventbridge.ndjson");
    for names in [&mut once, &mut again, &mut enveloped] {
        names.sort();
    }

    assert!(!once.is_empty());
    assert_eq!(once, again);
    assert_eq!(once, enveloped);
}
