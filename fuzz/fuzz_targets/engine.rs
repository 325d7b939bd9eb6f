//! Any calls, in any order, with any parameters: nothing panics, and what is found is the same when they come the
//! other way round and twice.

#![no_main]

use std::borrow::Cow;

use libfuzzer_sys::fuzz_target;
use tripmeter_catalogue::{Classified, Scope, calls, classify};
use tripmeter_detect::{Engine, Settings};
use tripmeter_model::{Activity, NoPolicy, Record, Severity, Timestamp};

/// Bytes of input that make one call.
const CALL: usize = 6;
/// The longest step between two calls, in seconds.
const STEP: i64 = 90;
/// Activities come late by no more than the engine allows.
const SPAN: i64 = 7_000;

const ERRORS: [Option<&str>; 4] = [
    None,
    Some("AccessDenied"),
    Some("ThrottlingException"),
    Some("ValidationException"),
];
const REGIONS: [&str; 4] = ["us-east-1", "us-west-2", "eu-west-1", "ap-south-1"];
const IDENTITIES: [&str; 4] = [
    r#"{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/ci","accessKeyId":"AKIAEXAMPLE000000001"}"#,
    r#"{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/app/i-0abc"}"#,
    r#"{"type":"AWSService","invokedBy":"ses.amazonaws.com"}"#,
    "{}",
];

/// What the input stands for: its first half says which calls, its second half what their parameters are.
fn activities(bytes: &[u8]) -> Vec<Activity> {
    let known: Vec<_> = calls().collect();
    let (plan, parameters) = bytes.split_at(bytes.len() / 2);
    let parameters = String::from_utf8_lossy(parameters);
    let mut time = 0;
    let mut made = Vec::new();
    for (n, call) in plan.as_chunks::<CALL>().0.iter().enumerate() {
        let [name, high, who, region, step, error] = call.map(usize::from);
        time += step as i64 % STEP;
        if time > SPAN {
            break;
        }
        let pick = |list: &[&'static str], n: usize| list[n % list.len()];
        let call = known[(name + 256 * high) % known.len()];
        let record = Record {
            event_id: Some(format!("event-{n}").into()),
            event_time: Timestamp::from_seconds(1_772_532_900 + time),
            event_source: Cow::Borrowed(call.service.event_source()),
            event_name: Cow::Borrowed(call.name),
            region: Some(pick(&REGIONS, region).into()),
            recipient_account: Some("111122223333".into()),
            error_code: ERRORS[error % ERRORS.len()].map(Cow::Borrowed),
            error_message: Some(Cow::Borrowed(&parameters)),
            user_identity: Some(pick(&IDENTITIES, who)),
            request_parameters: Some(&parameters),
            response_elements: Some(&parameters),
            ..Record::default()
        };
        if let Classified::Activity(activity) = classify(&record, &Scope::default()) {
            made.push(*activity);
        }
    }
    made
}

/// What stands at the end.
fn found<'a>(activities: impl Iterator<Item = &'a Activity>) -> Vec<(String, Severity, u64)> {
    let mut engine = Engine::new(Settings::default(), NoPolicy);
    let mut published = Vec::new();
    activities.for_each(|activity| engine.observe(activity, &mut published));
    engine.finish(&mut published);
    let mut found: Vec<_> = engine
        .findings()
        .into_iter()
        .map(|f| (f.uid, f.severity, f.count))
        .collect();
    found.sort();
    found
}

fuzz_target!(|bytes: &[u8]| {
    let activities = activities(bytes);
    let forwards = found(activities.iter());
    let backwards_and_again = found(activities.iter().rev().chain(&activities));
    assert_eq!(forwards, backwards_and_again);
});
