//! The generator's records against real ones, and against what any log must be.

#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

use std::collections::{BTreeMap, BTreeSet};

use scenarios::output::{self, Format};
use scenarios::{Scenario, attacks, benign, scenario, variant};
use serde_json::Value;

/// Real records, by source and name.
fn real_records() -> Vec<Value> {
    std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .flat_map(|path| {
            let records: Vec<Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
            records
        })
        .collect()
}

fn parsed(scenario: &Scenario) -> impl Iterator<Item = Value> {
    scenario
        .records
        .iter()
        .map(|r| serde_json::from_str(&r.json()).unwrap())
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value
        .as_object()
        .map(|o| o.keys().map(String::as_str).collect())
        .unwrap_or_default()
}

fn call(record: &Value) -> (String, String) {
    (
        record["eventSource"].as_str().unwrap().to_owned(),
        record["eventName"].as_str().unwrap().to_owned(),
    )
}

fn all_scenarios(seed: u64) -> impl Iterator<Item = Scenario> {
    attacks::names()
        .chain(benign::names())
        .map(move |name| scenario(name, seed).unwrap())
}

#[test]
fn records_have_the_fields_that_real_records_of_the_same_calls_have() {
    let error: BTreeSet<&str> = ["errorCode", "errorMessage"].into();
    let ours: BTreeMap<_, _> = ["ses-takeover", "sms-pump", "scanner-sweeps"]
        .iter()
        .flat_map(|name| parsed(&scenario(name, 1).unwrap()).collect::<Vec<_>>())
        .map(|record| (call(&record), record))
        .collect();

    let mut compared = 0;
    for real in real_records() {
        let Some(ours) = ours.get(&call(&real)) else { continue };
        let differ: Vec<_> = keys(ours)
            .symmetric_difference(&keys(&real))
            .filter(|k| !error.contains(**k))
            .copied()
            .collect::<Vec<_>>();
        assert!(differ.is_empty(), "{:?}: {differ:?}", call(&real));
        assert_eq!(keys(&ours["tlsDetails"]), keys(&real["tlsDetails"]));
        for field in ["eventType", "eventCategory", "managementEvent", "readOnly"] {
            assert_eq!(ours[field], real[field], "{field} of {:?}", call(&real));
        }
        let host = |r: &Value| {
            let region = r["awsRegion"].as_str().unwrap();
            r["tlsDetails"]["clientProvidedHostHeader"]
                .as_str()
                .unwrap()
                .replace(region, "{}")
        };
        assert_eq!(host(ours), host(&real));
        compared += 1;
    }
    assert!(compared >= 8, "only {compared} real records have a counterpart");
}

#[test]
fn identities_have_the_fields_that_real_identities_of_their_type_have() {
    let real: BTreeMap<String, Value> = real_records()
        .into_iter()
        .map(|r| {
            (
                r["userIdentity"]["type"].as_str().unwrap().to_owned(),
                r["userIdentity"].clone(),
            )
        })
        .collect();

    let mut compared = BTreeSet::new();
    for record in parsed(&scenario("llmjacking-created-user", 1).unwrap()) {
        let ours = &record["userIdentity"];
        let kind = ours["type"].as_str().unwrap().to_owned();
        if let Some(real) = real.get(&kind) {
            assert_eq!(keys(ours), keys(real), "{kind}");
            assert_eq!(keys(&ours["sessionContext"]), keys(&real["sessionContext"]), "{kind}");
            compared.insert(kind);
        }
    }
    assert_eq!(compared.len(), 2, "{compared:?}");
}

#[test]
fn fields_stand_in_the_order_in_which_cloudtrail_writes_them() {
    let order = [
        "eventVersion",
        "userIdentity",
        "eventTime",
        "eventSource",
        "eventName",
        "awsRegion",
        "sourceIPAddress",
        "userAgent",
        "requestParameters",
        "responseElements",
        "requestID",
        "eventID",
        "readOnly",
        "eventType",
        "managementEvent",
        "recipientAccountId",
        "eventCategory",
        "tlsDetails",
    ];

    for record in &scenario("ses-takeover", 2).unwrap().records[..500] {
        let text = record.json();
        let places: Vec<_> = order
            .iter()
            .map(|key| text.find(&format!("\"{key}\":")).unwrap())
            .collect();
        assert!(places.is_sorted(), "{text}");
    }
}

#[test]
fn mail_hides_each_recipient_and_texts_show_their_number() {
    let mail = scenario("ses-takeover", 3).unwrap();
    let abusive: BTreeSet<_> = mail.expectation.abuse.iter().map(|a| a.event_id.clone()).collect();
    let recipients: usize = mail
        .records
        .iter()
        .filter(|r| abusive.contains(&r.event_id()))
        .map(|r| serde_json::from_str::<Value>(&r.json()).unwrap())
        .inspect(|r| assert_eq!((&r["readOnly"], &r["managementEvent"]), (&true.into(), &false.into())))
        .map(|r| {
            r["requestParameters"]["destination"]["toAddresses"]
                .as_array()
                .unwrap()
                .len()
        })
        .sum();
    let texts = scenario("sms-pump", 3).unwrap();
    let number = parsed(&texts)
        .find(|r| r["eventName"] == "SendTextMessage")
        .and_then(|r| {
            r["requestParameters"]["destinationPhoneNumber"]
                .as_str()
                .map(str::to_owned)
        });

    assert_eq!(recipients, 40_000);
    assert!(number.unwrap().starts_with('+'));
}

#[test]
fn denied_calls_tell_who_and_what_in_their_message_alone() {
    let scenario = scenario("llmjacking-leaked-key", 1).unwrap();

    let denied: Vec<_> = parsed(&scenario)
        .filter(|r| r["errorCode"] == "AccessDeniedException")
        .collect();

    assert!(denied.len() >= 8);
    for record in &denied {
        assert!(record["requestParameters"].is_null() && record["responseElements"].is_null());
        let message = record["errorMessage"].as_str().unwrap();
        assert!(
            message.contains(record["userIdentity"]["arn"].as_str().unwrap()),
            "{message}"
        );
        assert!(
            message.contains(&format!("bedrock:{}", record["eventName"].as_str().unwrap())),
            "{message}"
        );
        assert!(message.contains(" on resource: arn:aws:bedrock:"), "{message}");
    }
}

#[test]
fn a_seed_tells_the_whole_story() {
    for name in ["sms-pump", "daily-deploys"] {
        let text = |seed| {
            let mut out = vec![];
            output::write(&scenario(name, seed).unwrap().records, Format::Ndjson, &mut out).unwrap();
            out
        };

        assert!(text(5) == text(5), "{name} differs from itself");
        assert!(text(5) != text(6), "{name} is the same whatever the seed");
    }
}

#[test]
fn logs_are_sorted_their_ids_unique_and_abuse_is_in_them() {
    for scenario in all_scenarios(1) {
        let ids: BTreeSet<_> = scenario.records.iter().map(|r| r.id).collect();
        let abuse = &scenario.expectation.abuse;
        let times: BTreeMap<_, _> = scenario.records.iter().map(|r| (r.event_id(), r.time)).collect();

        assert!(scenario.records.is_sorted_by_key(|r| r.time), "{}", scenario.name);
        assert_eq!(ids.len(), scenario.records.len(), "{}", scenario.name);
        assert!(abuse.is_sorted_by_key(|a| a.time), "{}", scenario.name);
        assert!(
            abuse.iter().all(|a| times.get(&a.event_id) == Some(&a.time)),
            "{}",
            scenario.name
        );
    }
}

#[test]
fn benign_weeks_are_busy_enough_to_be_a_fair_test() {
    let watched = [
        "ses.amazonaws.com",
        "sns.amazonaws.com",
        "sms-voice.amazonaws.com",
        "bedrock.amazonaws.com",
        "bedrock-mantle.amazonaws.com",
    ];
    for seed in 1..=3 {
        for name in benign::names() {
            let scenario = scenario(name, seed).unwrap();
            let used: Vec<_> = scenario
                .records
                .iter()
                .filter(|r| watched.contains(&r.call.source))
                .collect();
            let who: BTreeSet<_> = used.iter().map(|r| r.seat.arn.as_str()).collect();
            let days = (used.last().unwrap().time - used[0].time) as f64 / 86_400.0;

            assert!(days >= 21.0, "{name}: {days} days");
            assert!(who.len() >= 30, "{name}: {} identities", who.len());
            assert!(
                used.len() as f64 / days >= 2_000.0,
                "{name}, seed {seed}: {} a day",
                used.len() as f64 / days
            );
        }
    }
}

#[test]
fn variants_change_service_identity_and_names() {
    let made_of = |seed| {
        let scenario = variant("llmjacking-leaked-key", seed).unwrap();
        let abuse = &scenario.expectation.abuse[0];
        let record = scenario
            .records
            .iter()
            .find(|r| r.event_id() == abuse.event_id)
            .unwrap();
        (
            record.call.source,
            record.call.name,
            record.seat.arn.clone(),
            record.region,
        )
    };

    let seen: Vec<_> = (1..=12).map(made_of).collect();

    let distinct = |of: &dyn Fn(usize) -> String| (0..12).map(of).collect::<BTreeSet<_>>().len();
    assert!(distinct(&|i| format!("{} {}", seen[i].0, seen[i].1)) >= 5);
    assert!(distinct(&|i| seen[i].2.clone()) == 12);
    assert!(distinct(&|i| seen[i].3.to_owned()) >= 5);
}

#[test]
fn every_form_of_output_holds_every_record() {
    let scenario = scenario("region-sweep", 1).unwrap();
    let n = scenario.records.len();
    let text = |format| {
        let mut out = vec![];
        output::write(&scenario.records, format, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };

    let log: Value = serde_json::from_str(&text(Format::Records)).unwrap();
    assert_eq!(log["Records"].as_array().unwrap().len(), n);
    assert_eq!(text(Format::Ndjson).lines().count(), n);
    for line in text(Format::Eventbridge).lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        assert_eq!(event["account"], event["detail"]["recipientAccountId"]);
        assert_eq!(event["detail-type"], "AWS API Call via CloudTrail");
    }
}
