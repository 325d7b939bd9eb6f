//! Every container and envelope, made around the same records, whole and broken.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what a test makes for itself is there"
)]

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use tripmeter_model::Record;
use tripmeter_records::{Item, Limits, Reader, SkipReason, Tally};

/// What is kept of an input: the id, name, account, region and parameters of each record; why and where things were
/// skipped.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    records: Vec<Kept>,
    skipped: Vec<(SkipReason, u64)>,
}

type Kept = (Option<String>, String, Option<String>, Option<String>, Option<String>);

fn keep(record: &Record<'_>) -> Kept {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    // Without the spaces that pretty-printing adds.
    let parameters = record
        .request_parameters
        .and_then(|json| serde_json::from_str::<Value>(json).ok());
    (
        owned(record.event_id.as_deref()),
        record.event_name.to_string(),
        owned(record.recipient_account.as_deref()),
        owned(record.region.as_deref()),
        parameters.map(|parameters| parameters.to_string()),
    )
}

impl Seen {
    fn collect(read: impl FnOnce(&mut Reader, &mut dyn FnMut(Item<'_>)) -> Tally, limits: Limits) -> Self {
        let mut seen = Self::default();
        let tally = read(&mut Reader::new(limits), &mut |item| match item {
            Item::Record(record) => seen.records.push(keep(&record)),
            Item::Skipped(skip) => seen.skipped.push((skip.reason, skip.position)),
        });
        assert_eq!(tally.records, seen.records.len() as u64);
        assert_eq!(tally.seen() - tally.records, seen.skipped.len() as u64);
        seen
    }

    fn ids(&self) -> Vec<&str> {
        self.records
            .iter()
            .map(|record| record.0.as_deref().unwrap_or_default())
            .collect()
    }

    fn reasons(&self) -> Vec<SkipReason> {
        self.skipped.iter().map(|skip| skip.0).collect()
    }
}

fn read(bytes: impl AsRef<[u8]>) -> Seen {
    Seen::collect(
        |reader, sink| reader.read_bytes(bytes.as_ref(), sink),
        Limits::default(),
    )
}

/// Reads the same text as a stream, a few bytes at a time.
fn read_streamed(text: &[u8]) -> Seen {
    let limits = Limits {
        whole_bytes: 0,
        piece_bytes: 1 + text.len() % 61,
        ..Limits::default()
    };
    Seen::collect(|reader, sink| reader.read_bytes(&gzip(text), sink), limits)
}

/// A record with its members in the order that CloudTrail writes them in.
fn record_text(id: &str) -> String {
    format!(
        concat!(
            r#"{{"eventVersion":"1.11","userIdentity":{{"type":"IAMUser","userName":"svc"}},"#,
            r#""eventTime":"2026-03-03T10:15:00Z","eventSource":"ses.amazonaws.com","eventName":"SendEmail","#,
            r#""awsRegion":"us-east-1","requestParameters":{{"subject":"a \"quoted\" {{brace}} and é"}},"#,
            r#""eventID":"{}","recipientAccountId":"111122223333"}}"#
        ),
        id
    )
}

/// The same, with its members in the order of the alphabet.
fn record(id: &str) -> Value {
    serde_json::from_str(&record_text(id)).expect("it is JSON")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .expect("memory")
}

fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    format!("\u{feff}{text}").encode_utf16().flat_map(unit).collect()
}

fn concat(texts: impl IntoIterator<Item = String>, between: &str) -> Vec<u8> {
    texts.into_iter().collect::<Vec<_>>().join(between).into_bytes()
}

fn envelope(record: &Value) -> Value {
    json!({"version": "0", "detail-type": "AWS API Call via CloudTrail", "source": "aws.ses",
        "account": "111122223333", "region": "us-east-1", "detail": record})
}

fn subscription(records: &[Value]) -> Value {
    let events: Vec<_> = records
        .iter()
        .map(|r| json!({"id": "1", "timestamp": 1, "message": r.to_string()}))
        .collect();
    json!({"messageType": "DATA_MESSAGE", "owner": "111122223333", "logGroup": "trail", "logEvents": events})
}

fn each(records: &[Value], wrap: impl Fn(&Value) -> Value) -> Vec<Value> {
    records.iter().map(wrap).collect()
}

/// The same records in one of the forms that they come in.
fn written(records: &[Value], form: &str) -> Vec<u8> {
    let one = |value: Value| value.to_string().into_bytes();
    let base64 = |value: &Value| STANDARD.encode(value.to_string());
    let sns = |r: &Value| json!({"Type": "Notification", "TopicArn": "arn", "Message": envelope(r).to_string()});
    match form {
        "log" => one(json!({"Records": records})),
        "pretty log" => serde_json::to_vec_pretty(&json!({"Records": records})).expect("values"),
        "log behind other members" => format!(r#"{{"a":{{"b":[1]}},"Records":{},"z":"]"}}"#, json!(records)).into(),
        "array" => one(json!(records)),
        "pretty array" => serde_json::to_vec_pretty(&json!(records)).expect("values"),
        "lines" => concat(records.iter().map(Value::to_string), "\n"),
        "lines with carriage returns and blanks" => concat(records.iter().map(Value::to_string), "\r\n\r\n"),
        "roots in a row" => concat(records.iter().map(Value::to_string), ""),
        "pretty roots" => concat(records.iter().map(|r| format!("{r:#}")), "\n"),
        "strings" => concat(records.iter().map(|r| json!(r.to_string()).to_string()), "\n"),
        "logs in a row" => concat(records.iter().map(|r| json!({"Records": [r]}).to_string()), ""),
        "envelopes" => concat(records.iter().map(|r| envelope(r).to_string()), "\n"),
        "sqs to lambda" => one(json!({"Records": each(records, |r| json!({"messageId": "m",
            "body": envelope(r).to_string(), "eventSource": "aws:sqs", "awsRegion": "us-east-1"}))})),
        "sqs receive-message" => one(json!({"Messages": each(records, |r| json!({"MessageId": "m",
            "Body": sns(r).to_string()}))})),
        "sns to lambda" => one(json!({"Records": each(records, |r| json!({"EventSource": "aws:sns",
            "Sns": {"Type": "Notification", "Message": r.to_string()}}))})),
        "subscription" => one(subscription(records)),
        "subscription to lambda" => one(json!({"awslogs": {"data":
            STANDARD.encode(gzip(subscription(records).to_string().as_bytes()))}})),
        "firehose to lambda" => one(json!({"invocationId": "i",
            "records": each(records, |r| json!({"recordId": "1", "data": base64(r)}))})),
        "kinesis to lambda" => one(
            json!({"Records": [{"eventSource": "aws:kinesis", "eventName": "aws:kinesis:record",
            "kinesis": {"data": STANDARD.encode(gzip(subscription(records).to_string().as_bytes()))}}]}),
        ),
        "kinesis get-records" => {
            one(json!({"Records": each(records, |r| json!({"SequenceNumber": "1", "Data": base64(r)}))}))
        }
        "lookup-events" => one(
            json!({"Events": each(records, |r| json!({"EventId": r["eventID"], "EventTime": 1.5,
            "EventName": "x", "EventSource": "y", "CloudTrailEvent": r.to_string()})), "NextToken": "t"}),
        ),
        "filter-log-events" => one(json!({"events": each(records, |r| json!({"message": r.to_string()})),
            "searchedLogStreams": []})),
        "athena as json" => concat(records.iter().map(|r| athena_row(r).to_string()), "\n"),
        "athena get-query-results" => one(athena_result(records)),
        other => unreachable!("no form '{other}'"),
    }
}

fn athena_row(record: &Value) -> Value {
    let members = record.as_object().into_iter().flatten();
    members
        .map(|(name, value)| {
            let text = if value.is_object() {
                json!(value.to_string())
            } else {
                value.clone()
            };
            (name.to_ascii_lowercase(), text)
        })
        .collect()
}

fn athena_result(records: &[Value]) -> Value {
    let cell = |value: &Value| json!({ "VarCharValue": value });
    let rows: Vec<Value> = each(records, athena_row);
    let names = athena_row(&record(""))
        .as_object()
        .map(|row| row.keys().map(|n| cell(&json!(n))).collect::<Vec<_>>());
    let cells = rows
        .iter()
        .map(|row| row.as_object().map(|row| row.values().map(cell).collect::<Vec<_>>()));
    let rows: Vec<_> = std::iter::once(names)
        .chain(cells)
        .map(|cells| json!({ "Data": cells }))
        .collect();
    json!({"ResultSet": {"Rows": rows, "ResultSetMetadata": {"ColumnInfo": [{"Name": "eventid"}]}}, "UpdateCount": 0})
}

const FORMS: &[&str] = &[
    "log",
    "pretty log",
    "log behind other members",
    "array",
    "pretty array",
    "lines",
    "lines with carriage returns and blanks",
    "roots in a row",
    "pretty roots",
    "strings",
    "logs in a row",
    "envelopes",
    "sqs to lambda",
    "sqs receive-message",
    "sns to lambda",
    "subscription",
    "subscription to lambda",
    "firehose to lambda",
    "kinesis to lambda",
    "kinesis get-records",
    "lookup-events",
    "filter-log-events",
    "athena as json",
    "athena get-query-results",
];

/// Bytes as files hold them.
const ENCODINGS: &[&str] = &[
    "plain",
    "marked",
    "utf-16 le",
    "utf-16 be",
    "gzip",
    "gzip members",
    "gzip twice",
];

fn encoded(text: &[u8], encoding: &str) -> Vec<u8> {
    let as_text = || str::from_utf8(text).expect("JSON is UTF-8");
    let halves = text.split_at(text.len() / 2);
    match encoding {
        "plain" => text.to_vec(),
        "marked" => ["\u{feff}".as_bytes(), text].concat(),
        "utf-16 le" => utf16(as_text(), u16::to_le_bytes),
        "utf-16 be" => gzip(&utf16(as_text(), u16::to_be_bytes)),
        "gzip" => gzip(text),
        "gzip members" => [gzip(halves.0), gzip(b""), gzip(halves.1)].concat(),
        "gzip twice" => gzip(&gzip(text)),
        other => unreachable!("no encoding '{other}'"),
    }
}

#[test]
fn a_record_is_the_same_in_every_form_and_encoding() {
    let records = [record("a"), record("b"), record("c")];
    let expected = read(written(&records, "log"));
    assert_eq!(expected.ids(), ["a", "b", "c"]);
    assert_eq!(
        expected.records[0].4.as_deref(),
        Some(&*records[0]["requestParameters"].to_string())
    );

    for form in FORMS {
        for encoding in ENCODINGS {
            let seen = read(encoded(&written(&records, form), encoding));
            assert_eq!(seen, expected, "{form}, {encoding}");
        }
    }
}

#[test]
fn forms_follow_each_other_in_one_file() {
    let all: Vec<u8> = FORMS.iter().flat_map(|form| written(&[record(form)], form)).collect();

    assert_eq!(read(all).ids(), FORMS);
}

#[test]
fn an_envelope_fills_in_what_the_record_lacks() {
    let mut bare = record("a");
    bare.as_object_mut()
        .map(|r| (r.remove("awsRegion"), r.remove("recipientAccountId")));
    let around = |r: &Value| json!({"detail-type": "t", "account": "444455556666", "region": "eu-west-1", "detail": r});

    let seen = read(concat(
        [around(&bare).to_string(), around(&record("b")).to_string()],
        "\n",
    ));

    let places: Vec<_> = seen.records.iter().map(|r| (r.2.as_deref(), r.3.as_deref())).collect();
    assert_eq!(
        places,
        [
            (Some("444455556666"), Some("eu-west-1")),
            (Some("111122223333"), Some("us-east-1"))
        ]
    );
}

#[test]
fn a_broken_record_loses_only_itself() {
    let breaks: [fn(&str) -> String; 8] = [
        |text| text.replace("\"SendEmail\"", "oops"),
        |text| text.replace("\"eventID\":", "\"eventID\" "),
        |text| text.replace("\"svc\"}", "\"svc\"]}"),
        |text| text.replace(",\"eventName\"", ",,\"eventName\""),
        |text| text.replacen('"', "\\\"", 1),
        |text| text.replace("SendEmail\"", "SendEmail"),
        |text| text.strip_suffix('}').map(str::to_owned).expect("an object"),
        |text| text.split_at(text.len() / 2).0.to_owned(),
    ];
    let around = [
        ("", "\n", ""),
        ("", "", ""),
        ("[", ",", "]"),
        ("{\"Records\":[", ",", "]}"),
    ];
    for (a, b) in [
        (record_text("a"), record_text("b")),
        (record("a").to_string(), record("b").to_string()),
    ] {
        for broken in breaks.map(|damage| damage(&a)) {
            assert_ne!(a, broken);
            for (before, between, behind) in around {
                let text = format!("{before}{b}{between}{broken}{between}{b}{between}{b}{behind}");
                let seen = read(&text);
                let position = (before.len() + b.len() + between.len()) as u64;
                assert_eq!(seen.ids(), ["b", "b", "b"], "{text}");
                assert_eq!(seen.skipped, [(SkipReason::Malformed, position)], "{text}");
            }
        }
    }
}

#[test]
fn an_empty_object_does_not_hide_what_records_begin_with() {
    let (a, b) = (record_text("a"), record_text("b"));
    let text = format!("{{}}{}{b}", a.strip_suffix('}').expect("an object"));

    let seen = read(&text);

    assert_eq!(
        (seen.ids(), seen.reasons()),
        (vec!["b"], vec![SkipReason::NoName, SkipReason::Malformed])
    );
    assert_eq!(read_streamed(text.as_bytes()), seen);
}

#[test]
fn a_line_cut_anywhere_loses_only_itself() {
    let (a, b) = (record_text("a"), record_text("b"));
    for cut in (1..a.len()).filter(|&cut| a.is_char_boundary(cut)) {
        let (begun, _) = a.split_at(cut);
        let seen = read(format!("{begun}\n{b}\n{b}\n"));
        assert_eq!(
            (seen.ids(), seen.reasons()),
            (vec!["b", "b"], vec![SkipReason::Malformed]),
            "{begun}"
        );
    }
}

#[test]
fn the_end_of_a_cut_text_is_told() {
    let text = written(&[record("a"), record("b")], "log");
    for cut in 1..text.len() {
        let seen = read(&text[..cut]);
        assert_eq!(seen.reasons(), [SkipReason::Truncated], "{cut}");
    }
    assert_eq!(read(&text[..text.len() - 2]).ids(), ["a", "b"]);
}

#[test]
fn nesting_never_overflows_and_never_loses_a_record() {
    let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    let parameters = record("a").to_string().replace(
        "\"requestParameters\":{",
        &format!("\"requestParameters\":{{\"x\":{},", deep(100_000)),
    );

    assert_eq!(read(&parameters).ids(), ["a"]);
    assert_eq!(
        read(&parameters).reasons(),
        [SkipReason::DeepMember],
        "and it is told what nobody reads"
    );
    assert_eq!(read(deep(100_000)).reasons(), [SkipReason::TooDeep]);
    assert_eq!(read("[".repeat(100_000)).reasons(), [SkipReason::Truncated]);
    assert_eq!(
        read("{\"Records\":[".repeat(100_000)).reasons(),
        [SkipReason::Truncated]
    );
}

#[test]
fn words_behind_a_list_too_deep_end() {
    let deep = format!("{}{}x", "[".repeat(200_000), "]".repeat(199_992));

    assert_eq!(read(&deep).reasons(), [SkipReason::TooDeep, SkipReason::Malformed]);
    assert_eq!(read_streamed(deep.as_bytes()), read(&deep));
}

#[test]
fn wrappings_within_wrappings_end() {
    let mut text = record("a").to_string();
    for _ in 0..4 {
        text = json!({"Type": "Notification", "Message": text}).to_string();
    }
    assert_eq!(read(&text).ids(), ["a"]);
    for _ in 0..8 {
        text = json!({"Type": "Notification", "Message": text}).to_string();
    }
    assert_eq!(read(&text).reasons(), [SkipReason::TooDeep]);
}

#[test]
fn what_is_too_large_is_passed_over() {
    let limits = Limits {
        record_bytes: 2_000_000,
        ..Limits::default()
    };
    let mut large = record("large");
    large["requestParameters"] = json!({"x": "}\"".repeat(1_500_000)});
    for form in ["log", "pretty log", "lines", "roots in a row", "envelopes"] {
        let text = written(&[record("a"), large.clone(), record("b")], form);
        for bytes in [gzip(&text), [gzip(&text), vec![0; 9]].concat()] {
            let seen = Seen::collect(|reader, sink| reader.read_bytes(&bytes, sink), limits);
            assert_eq!(seen.ids(), ["a", "b"], "{form}");
            assert_eq!(seen.reasons().first(), Some(&SkipReason::TooLarge), "{form}");
        }
    }
}

#[test]
fn a_bomb_takes_no_memory() {
    let bomb = gzip(&vec![b' '; 64 << 20]);
    let wrapped = json!({"awslogs": {"data": STANDARD.encode(&bomb)}}).to_string();

    assert_eq!(read(&bomb), Seen::default());
    assert_eq!(read(wrapped).reasons(), [SkipReason::NotAnObject]);
}

#[test]
fn broken_text_costs_its_length_not_its_square() {
    let begun = Instant::now();
    for piece in [
        "{x",
        "{x} ",
        "{\"event ",
        "{\"eventVersion\" ",
        "{\"a\":[\n",
        "{\"a\":[{\"a\":1},",
        "[{\"a\":",
        "{\"a\":{\"eventVersion\":1},x",
    ] {
        let text = format!("{}\u{1}", piece.repeat((1 << 17) / piece.len()));
        assert!(!read(&text).skipped.is_empty(), "{piece}");
        assert!(!read(gzip(text.as_bytes())).skipped.is_empty(), "{piece}");
    }
    // It takes a few seconds without optimisation; the square would take many minutes.
    assert!(begun.elapsed() < Duration::from_mins(1));
}

#[test]
fn what_only_looks_like_a_record_is_named() {
    use SkipReason::{
        ControlMessage, Insight, NoName, NoTime, OtherEvent, S3Notification, SubscriptionNotice, TrailNotification,
        UnknownEncoding, ValidationMessage,
    };
    let sqs = |body: &str| json!({"Records": [{"eventSource": "aws:sqs", "body": body}]}).to_string();
    let s3 = r#"{"Records":[{"eventSource":"aws:s3","eventName":"ObjectCreated:Put","eventTime":"2026-03-03T10:00:00Z","s3":{}}]}"#;
    for (text, reason) in [
        (sqs(s3), S3Notification),
        (
            sqs(r#"{"Type":"Notification","Message":"{\"s3Bucket\":\"b\",\"s3ObjectKey\":[\"k\"]}"}"#),
            TrailNotification,
        ),
        (sqs("CloudTrail validation message."), ValidationMessage),
        (
            sqs(r#"{"Type":"SubscriptionConfirmation","Message":"You have chosen to subscribe"}"#),
            SubscriptionNotice,
        ),
        (
            r#"{"messageType":"CONTROL_MESSAGE","logEvents":[{"message":"CWL CONTROL MESSAGE: Checking health"}]}"#
                .into(),
            ControlMessage,
        ),
        (
            r#"{"detail-type":"Object Created","source":"aws.s3","detail":{"bucket":{}}}"#.into(),
            OtherEvent,
        ),
        (
            r#"{"eventType":"AwsCloudTrailInsight","eventTime":"2026-03-03T10:00:00Z","insightDetails":{}}"#.into(),
            Insight,
        ),
        (r#"{"configurationItems":[{"a":1},{"b":2}]}"#.into(), NoName),
        (record("a").to_string().replace("2026-", "someday "), NoTime),
        ("(\u{b5}/\u{fd} \u{0}\u{1}zstd".into(), SkipReason::Malformed),
        ("\u{4}PAR1\n{x}".into(), UnknownEncoding),
    ] {
        assert_eq!(read(&text).reasons().first(), Some(&reason), "{text}");
    }
    assert_eq!(
        read("eventid,eventname\n1,SendEmail\n2,SendEmail\n").reasons(),
        [SkipReason::Malformed]
    );
    assert_eq!(
        read("eventid,eventname,eventtime\n1,SendEmail,now\n").reasons(),
        [SkipReason::OtherFormat("comma-separated values")]
    );
    assert_eq!(
        read(record("a").to_string().replace("2026-", "1970-")).reasons(),
        [SkipReason::NoTime]
    );
}

#[test]
fn nothing_is_neither_read_nor_skipped() {
    for nothing in [
        "",
        " \r\n\t",
        "\u{feff}",
        "[]",
        "{\"Records\": null}",
        "{\"logEvents\":[]}",
        "{\"Messages\":null}\n\n[]",
    ] {
        assert_eq!(read(nothing), Seen::default(), "{nothing}");
        assert_eq!(read(gzip(nothing.as_bytes())), Seen::default(), "{nothing}");
    }
    assert_eq!(
        read(json!({"Records": json!([record("a")]).to_string()}).to_string()).ids(),
        ["a"]
    );
}

#[test]
fn words_before_a_record_do_not_hide_it() {
    let line = |id: &str| {
        format!(
            "2026-03-03T10:15:00.000000+00:00 111122223333_CloudTrail {}",
            record(id)
        )
    };

    let seen = read(concat([line("a"), line("b")], "\n"));

    assert_eq!((seen.ids(), seen.skipped.len()), (vec!["a", "b"], 2));
}

#[test]
fn values_of_any_type_are_read_as_what_they_mean() {
    let odd = r#"{"eventTime":1772532900,"eventSource":"ses.amazonaws.com","eventName":"SendEmail","eventID":"",
        "eventID":"a\ud83d","recipientAccountId":11122223333,"awsRegion":{"x":1},"readOnly":"true",
        "requestParameters":"{\"a\": \"b\"}","responseElements":"{a=b}","userIdentity":"root","tlsDetails":null}"#;
    let mut read_as = Vec::new();
    Reader::new(Limits::default()).read_bytes(odd.as_bytes(), &mut |item| {
        let Item::Record(record) = item else { return };
        assert_eq!(record.event_time.to_string(), "2026-03-03T10:15:00Z");
        assert_eq!(
            (record.read_only, record.tls_details, record.error_code.as_deref()),
            (Some(true), None, None)
        );
        assert_eq!(
            (record.response_elements, record.user_identity),
            (Some("\"{a=b}\""), Some("\"root\""))
        );
        read_as.push(keep(&record));
    });
    let expected: Kept = (
        Some("a\u{fffd}".into()),
        "SendEmail".into(),
        Some("011122223333".into()),
        None,
        Some("{\"a\":\"b\"}".into()),
    );
    assert_eq!(read_as, [expected]);
}

#[test]
fn an_input_that_fails_is_told_behind_what_it_gave() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::from(io::ErrorKind::ConnectionReset))
        }
    }
    let text = written(&[record("a")], "lines");

    let seen = Seen::collect(|reader, sink| reader.read(text.chain(Failing), sink), Limits::default());

    assert_eq!(seen.ids(), ["a"]);
    assert_eq!(seen.reasons(), [SkipReason::ReadFailed(io::ErrorKind::ConnectionReset)]);
}

/// Records of which nobody chose the values.
fn any_records() -> impl Strategy<Value = Vec<Value>> {
    let words = select(vec![
        "",
        "a",
        "\"}]{[",
        "\n{\"eventVersion\":1}",
        "\u{1f600}é",
        "\\",
        "null",
        "AQID",
    ]);
    prop::collection::vec((any::<u32>(), words, any::<Option<bool>>()), 0..6).prop_map(|all| {
        let made = all.into_iter().map(|(id, words, flag)| {
            let mut made = record(&format!("{id:x}"));
            made["userAgent"] = json!(words);
            made["requestParameters"] = json!({"words": [words, {words: flag}]});
            made
        });
        made.collect()
    })
}

/// Text that is nearly one of the forms.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let cuts = prop::collection::vec(
        (
            any::<prop::sample::Index>(),
            0usize..40,
            "[{}\\[\\]\",:a1\\n\\\\ ]{0,3}",
        ),
        0..4,
    );
    (any_records(), select(FORMS), cuts).prop_map(|(records, form, cuts)| {
        let mut text = written(&records, form);
        for (at, length, instead) in cuts {
            let from = at.index(text.len().max(1)).min(text.len());
            let to = (from + length).min(text.len());
            text.splice(from..to, instead.into_bytes());
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn any_records_come_back_from_any_form(records in any_records(), form in select(FORMS), encoding in select(ENCODINGS)) {
        let bytes = encoded(&written(&records, form), encoding);

        let seen = read(&bytes);

        let parameters: Vec<_> = records.iter().map(|r| Some(r["requestParameters"].to_string())).collect();
        let ids: Vec<_> = records.iter().map(|r| r["eventID"].as_str().unwrap_or_default()).collect();
        prop_assert_eq!(seen.reasons(), []);
        prop_assert_eq!(seen.ids(), ids);
        prop_assert_eq!(seen.records.iter().map(|r| r.4.clone()).collect::<Vec<_>>(), parameters);
    }

    #[test]
    fn any_bytes_are_read_to_their_end(bytes: Vec<u8>) {
        prop_assert_eq!(read(&bytes), read_streamed(&bytes));
    }

    #[test]
    fn whole_and_streamed_see_the_same_of_broken_text(text in damaged()) {
        let whole = read(&text);

        prop_assert_eq!(&read_streamed(&text), &whole);
        prop_assert_eq!(&read(gzip(&text)), &whole);
    }

    #[test]
    fn a_cut_gzip_file_gives_a_prefix(records in any_records(), form in select(FORMS), cut in any::<prop::sample::Index>()) {
        let bytes = gzip(&written(&records, form));
        let cut = 2 + cut.index(bytes.len() - 2);

        let seen = read(&bytes[..cut]);

        let whole = read(&bytes);
        prop_assert_eq!(seen.reasons(), [SkipReason::TruncatedGzip]);
        prop_assert!(whole.records.starts_with(&seen.records));
    }
}
