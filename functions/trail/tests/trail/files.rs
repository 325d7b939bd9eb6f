//! Files: read to their end, counted once, acknowledged or handed back.

use std::sync::Arc;
use std::time::Instant;

use serde_json::json;
use tripmeter_aws::exceptions::Exceptions;
use tripmeter_aws::testing::{Fault, Faults};
use tripmeter_trail::{Shift, handle};

use crate::s3::{Answer, BUCKET, gzip, log, log_key, message, notice};
use crate::stage::{MEMBER, SHIFT, Stage, call, calls, deliver, handed_back, shift};

/// Calls of more than two parts of a file.
const MANY: usize = 4_500;

#[tokio::test]
async fn a_files_use_is_counted_for_the_account_that_its_folder_names() {
    let stage = Stage::set().await;
    let mut records = calls(0..20);
    records[7]["recipientAccountId"] = "444455556666".into();

    let report = deliver(&stage.trail, &[stage.file("one", &records)], shift(0)).await;

    assert_eq!(handed_back(&report), [""; 0]);
    assert_eq!((report.events, stage.counted(MEMBER).await), (20, 20));
    assert_eq!(stage.counted("444455556666").await, 0);
}

#[tokio::test]
async fn a_file_that_is_announced_again_is_counted_once() {
    let stage = Stage::set().await;
    let file = stage.file("one", &calls(0..MANY));
    deliver(&stage.trail, std::slice::from_ref(&file), shift(0)).await;
    deliver(&stage.trail, &[stage.file("two", &calls(MANY..MANY + 100))], shift(60)).await;

    let report = deliver(&stage.trail, &[file], shift(SHIFT + 1)).await;

    assert_eq!(handed_back(&report), [""; 0]);
    assert_eq!(stage.counted(MEMBER).await, MANY as u64 + 100);
}

#[tokio::test]
async fn while_one_works_on_a_file_another_hands_it_back() {
    let stage = Stage::set().await;
    let file = stage.file("one", &calls(0..20));
    deliver(&stage.trail, std::slice::from_ref(&file), shift(0)).await;

    let report = deliver(&stage.trail, &[file], shift(SHIFT - 1)).await;

    assert_eq!(handed_back(&report), ["message-0"]);
    assert!(report.failed[0].contains("another worker"), "{:?}", report.failed);
}

#[tokio::test]
async fn a_file_is_gone_on_with_where_its_worker_stopped_and_nothing_counts_twice() {
    let (mut parts, mut writes) = (0, 0);
    while parts < 3 {
        let stage = Stage::set().await;
        let file = stage.file("one", &calls(0..MANY));
        let faults = vec![Fault::None; writes].into_iter().chain([Fault::Denied; 100]);
        let stopped = deliver(
            &stage.failing(Faults::of("PutItem", faults)),
            std::slice::from_ref(&file),
            shift(0),
        )
        .await;
        parts = stopped.outcomes.len();

        let resumed = deliver(&stage.trail, &[file], shift(SHIFT + 1)).await;

        assert_eq!(handed_back(&resumed), [""; 0]);
        assert_eq!(stage.counted(MEMBER).await, MANY as u64, "stopped at write {writes}");
        assert!(
            resumed.outcomes.len() <= 3 - parts.min(2),
            "judged anew what was judged"
        );
        writes += 3;
    }
}

#[tokio::test]
async fn when_no_time_is_left_a_file_is_handed_back_and_judged_later() {
    let stage = Stage::set().await;
    let file = stage.file("one", &calls(0..20));
    let over = Shift {
        until: Instant::now(),
        ..shift(0)
    };

    let late = deliver(&stage.trail, std::slice::from_ref(&file), over).await;
    let next = deliver(&stage.trail, &[file], shift(1)).await;

    assert_eq!((handed_back(&late), handed_back(&next)), (vec!["message-0"], vec![]));
    assert_eq!(stage.counted(MEMBER).await, 20);
}

#[tokio::test]
async fn answers_that_are_lost_count_nothing_twice() {
    let stage = Stage::set().await;
    let file = stage.file("one", &calls(0..MANY));
    for operation in ["UpdateItem", "PutItem"] {
        let unlucky = stage.failing(Faults::of(operation, [Fault::AnswerLost; 6]));
        let begins = if operation == "UpdateItem" { 0 } else { SHIFT + 1 };
        deliver(&unlucky, std::slice::from_ref(&file), shift(begins)).await;
    }

    deliver(&stage.trail, &[file], shift(3 * SHIFT)).await;

    assert_eq!(stage.counted(MEMBER).await, MANY as u64);
}

#[tokio::test]
async fn what_is_no_log_file_is_acknowledged_and_not_even_fetched() {
    let stage = Stage::set().await;
    let digest = log_key(MEMBER, "x").replace("/CloudTrail/", "/CloudTrail-Digest/");
    let insight = log_key(MEMBER, "x").replace("/CloudTrail/", "/CloudTrail-Insight/");
    let messages = [
        notice(0, BUCKET, &digest, 700),
        notice(1, BUCKET, &insight, 700),
        notice(2, "somebody-elses", &log_key(MEMBER, "x"), 700),
        notice(3, BUCKET, "elsewhere/x.json.gz", 700),
        notice(4, BUCKET, &log_key(MEMBER, "x"), 0),
    ];

    let report = deliver(&stage.trail, &messages, shift(0)).await;

    assert_eq!((handed_back(&report).len(), report.foreign.len()), (0, 5));
    assert_eq!(stage.s3.asked(), [""; 0]);
}

#[tokio::test]
async fn a_file_that_is_gone_or_may_not_be_read_is_left_to_the_queue() {
    let stage = Stage::set().await;
    let gone = notice(0, BUCKET, &log_key(MEMBER, "gone"), 700);
    stage
        .s3
        .answer(&log_key(MEMBER, "sealed"), Answer::Refused(403, "AccessDenied"));
    let sealed = notice(1, BUCKET, &log_key(MEMBER, "sealed"), 700);
    let mut readable = stage.file("readable", &calls(0..20));
    readable["messageId"] = "message-2".into();

    let report = deliver(&stage.trail, &[gone, sealed, readable], shift(0)).await;

    assert_eq!(handed_back(&report), ["message-0", "message-1"]);
    assert!(report.failed[0].contains("NoSuchKey") && report.failed[1].contains("AccessDenied"));
    assert_eq!(stage.counted(MEMBER).await, 20);
}

#[tokio::test]
async fn a_transfer_that_breaks_off_is_tried_again_and_counts_once() {
    let stage = Stage::set().await;
    let bytes = Arc::new(log(&calls(0..MANY)));
    let key = log_key(MEMBER, "one");
    let file = notice(0, BUCKET, &key, bytes.len());
    stage
        .s3
        .answer(&key, Answer::CutOff(Arc::clone(&bytes), bytes.len() / 2));
    let broken_off = deliver(&stage.trail, std::slice::from_ref(&file), shift(0)).await;
    stage.s3.answer(&key, Answer::Object(bytes));

    let report = deliver(&stage.trail, &[file], shift(SHIFT + 1)).await;

    assert_eq!(
        (handed_back(&broken_off), handed_back(&report)),
        (vec!["message-0"], vec![])
    );
    assert_eq!(stage.counted(MEMBER).await, MANY as u64);
}

#[tokio::test]
async fn of_a_file_that_is_cut_off_counts_what_is_there_and_it_is_set_aside() {
    let stage = Stage::set().await;
    let mut bytes = log(&calls(0..MANY));
    bytes.truncate(bytes.len() * 9 / 10);
    let file = stage.bytes("cut", bytes);

    let first = deliver(&stage.trail, std::slice::from_ref(&file), shift(0)).await;
    let counted = stage.counted(MEMBER).await;
    let second = deliver(&stage.trail, &[file], shift(SHIFT + 1)).await;

    assert_eq!(
        (handed_back(&first), handed_back(&second)),
        (vec!["message-0"], vec!["message-0"])
    );
    assert!(first.unreadable[0].1.contains("cut off"), "{:?}", first.unreadable);
    assert!(counted > MANY as u64 / 2 && counted < MANY as u64, "{counted}");
    assert_eq!(stage.counted(MEMBER).await, counted);
}

#[tokio::test]
async fn a_file_is_known_by_its_content_and_what_is_no_log_is_set_aside() {
    let stage = Stage::set().await;
    let plain = json!({ "Records": calls(0..20) }).to_string().into_bytes();
    let archive = b"PK\x03\x04 an archive of something".to_vec();
    let noise = gzip(b"\x00\x01\x02\x03 no text at all");
    let nothing = gzip(br#"{"Records":[]}"#);

    let mut said = Vec::new();
    for bytes in [plain, archive, noise, nothing] {
        let name = format!("file-{}", said.len());
        let report = deliver(&stage.trail, &[stage.bytes(&name, bytes)], shift(0)).await;
        said.push(handed_back(&report).len());
    }

    assert_eq!(said, [0, 1, 1, 0]);
    assert_eq!(stage.counted(MEMBER).await, 20);
}

#[tokio::test]
async fn a_broken_record_loses_only_itself_and_is_named() {
    let stage = Stage::set().await;
    let text = json!({ "Records": calls(0..20) }).to_string();
    let broken = text.replacen(r#""eventID":"call-7""#, r#""eventID":oops"#, 1);
    let timeless = broken.replacen(&call(9)["eventTime"].to_string(), "\"yesterday\"", 1);

    let report = deliver(&stage.trail, &[stage.bytes("one", gzip(timeless.as_bytes()))], shift(0)).await;

    assert_eq!(handed_back(&report), [""; 0]);
    assert_eq!((report.unreadable.len(), stage.counted(MEMBER).await), (2, 18));
}

#[tokio::test]
async fn what_is_no_notice_is_left_to_the_queue_and_what_is_no_batch_is_an_error() {
    let stage = Stage::set().await;
    let messages = [
        message(1, r#"{"Records":[{"s3":{}}]}"#),
        stage.file("one", &calls(0..5)),
    ];

    let report = deliver(&stage.trail, &messages, shift(0)).await;
    let handled = handle("[]", &stage.trail, &Exceptions::default(), shift(0)).await;

    assert_eq!((handed_back(&report), report.unreadable.len()), (vec!["message-1"], 1));
    assert_eq!(stage.counted(MEMBER).await, 5);
    assert!(handled.is_err());
}
