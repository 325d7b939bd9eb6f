//! Every recorded event of a meter, in the shape that AWS documents, and what is made of it.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::PathBuf;

use tripmeter_catalogue::signals::{Envelope, read};
use tripmeter_model::{Activity, Kind, Service};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/signals")
}

fn recorded(name: &str) -> Vec<Activity> {
    let text = fs::read_to_string(folder().join(name).with_extension("json")).unwrap();
    read(&Envelope::parse(&text).unwrap())
}

/// Kind, service, whether it is grave, account and region.
type Told = (Kind, Service, bool, &'static str, &'static str);

const HERE: &str = "111122223333";
const SIGNAL: Kind = Kind::SpendSignal;

const RECORDED: &[(&str, &[Told])] = &[
    ("alarm-band", &[(SIGNAL, Service::Bedrock, false, HERE, "eu-west-1")]),
    (
        "alarm-math",
        &[
            (SIGNAL, Service::Sns, false, HERE, "eu-west-1"),
            (SIGNAL, Service::Sms, false, HERE, "eu-west-1"),
        ],
    ),
    ("alarm-over", &[(Kind::Context, Service::Ses, false, HERE, "eu-west-1")]),
    ("alarm-static", &[(SIGNAL, Service::Ses, true, HERE, "eu-west-1")]),
    ("budget", &[(SIGNAL, Service::Ses, true, HERE, "")]),
    (
        "cost-anomaly",
        &[
            (SIGNAL, Service::Sms, true, "444455556666", "ap-southeast-1"),
            (SIGNAL, Service::Bedrock, true, HERE, "us-east-1"),
        ],
    ),
    ("guardduty", &[(SIGNAL, Service::Bedrock, false, HERE, "us-east-1")]),
    ("health-abuse", &[(SIGNAL, Service::Billing, true, HERE, "us-east-1")]),
    ("health-exposed-key", &[(Kind::LeakedKey, Service::Iam, true, HERE, "")]),
    ("mail-bounces", &[(SIGNAL, Service::Ses, false, HERE, "eu-west-1")]),
    ("mail-sent", &[(Kind::Use, Service::Ses, false, HERE, "eu-west-1")]),
    ("mail-stopped", &[(SIGNAL, Service::Ses, true, HERE, "eu-west-1")]),
    ("text-message", &[(Kind::Use, Service::Sms, false, HERE, "eu-west-1")]),
    ("trusted-advisor", &[(SIGNAL, Service::Ses, true, HERE, "eu-west-1")]),
];

#[test]
fn every_recorded_event_is_what_it_says() {
    for (name, wanted) in RECORDED {
        let activities = recorded(name);
        let told: Vec<_> = activities
            .iter()
            .map(|a| (a.kind, a.service, a.grave, a.account.as_str(), a.region.as_str()))
            .collect();
        assert_eq!(told, *wanted, "{name}");
    }
}

#[test]
fn no_recorded_event_is_left_out() {
    let mut files: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    files.sort();
    let named: Vec<&str> = RECORDED.iter().map(|(name, _)| *name).collect();
    assert_eq!(files, named);
}

#[test]
fn fields_that_nobody_knows_change_nothing() {
    for (name, _) in RECORDED {
        let text = fs::read_to_string(folder().join(name).with_extension("json")).unwrap();
        let with_more = text.replacen('{', r#"{"aFieldOfTomorrow": {"deep": [1, null]},"#, 1);
        assert_eq!(read(&Envelope::parse(&with_more).unwrap()), recorded(name), "{name}");
    }
}

#[test]
fn no_number_address_or_subject_is_kept() {
    for (name, _) in RECORDED {
        let kept = format!("{:?}", recorded(name));
        for secret in ["one@example.net", "Hello", "VAJZNBLLDX", "news@"] {
            assert!(!kept.contains(secret), "{name} keeps {secret}");
        }
    }
}
