//! Records are attacker-controlled: whatever they hold, a call is classified, and by its name where no value decides.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::Value;
use tripmeter_catalogue::{Call, Classified, Ours, Rule, Scope, calls, classify};
use tripmeter_model::{Record, Service};

/// Names and values that rows look for, so that the tests reach beyond what is absent.
const WORDS: &[&str] = &[
    "enabled",
    "sendingEnabled",
    "status",
    "Active",
    "Inactive",
    "true",
    "false",
    "destination",
    "destinations",
    "toAddresses",
    "bulkEmailEntries",
    "policyArn",
    "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3",
    "policyDocument",
    "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\"}]}",
    "%7B%22Statement%22",
    "attributes",
    "MonthlySpendLimit",
    "protocol",
    "email",
    "modelId",
    "us.anthropic.claude-v2",
    "loggingConfig",
    "roleArn",
    "arn:aws:iam::1:role/é",
    "userName",
    "user",
    "arn",
    "type",
    "AssumedRole",
    "sessionContext",
    "sessionIssuer",
    "destinationPhoneNumber",
    "+447700900000",
    "tripmeter",
    "name",
    "callWithBearerToken",
    "eventSelectors",
    "null",
    "\u{202e}",
    "",
];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![proptest::sample::select(WORDS).prop_map(str::to_owned), any::<String>(),]
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            btree_map(word(), inner, 0..6).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// JSON, JSON inside a string, or no JSON at all.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        json().prop_map(|value| value.to_string()),
        json().prop_map(|value| Value::from(value.to_string()).to_string()),
        any::<String>(),
    ]
}

fn call() -> impl Strategy<Value = &'static Call> {
    proptest::sample::select(calls().collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_record_of_a_known_call_is_an_activity_of_its_kind(
        call in call(),
        (parameters, identity, answer, extra) in (text(), text(), text(), text()),
        (error, message, region) in (proptest::option::of(word()), proptest::option::of(word()), word()),
    ) {
        let record = Record {
            event_source: call.service.event_source().into(),
            event_name: call.name.into(),
            region: Some(region.into()),
            request_parameters: Some(&parameters),
            user_identity: Some(&identity),
            response_elements: Some(&answer),
            additional_event_data: Some(&extra),
            error_code: error.map(Into::into),
            error_message: message.map(Into::into),
            ..Record::default()
        };

        let Classified::Activity(activity) = classify(&record, &Scope::default()) else {
            return Err(TestCaseError::fail("it is in the catalogue"));
        };

        prop_assert_eq!(&activity.call, call.name);
        prop_assert!(activity.quantity.units >= 1);
        if call.service == Service::Sms {
            let target = format!("{:?}", activity.target);
            prop_assert!(!target.contains("7700900000"), "{}", target);
        }
        if matches!((call.rule, call.ours), (Rule::Name, Ours::Never)) {
            prop_assert_eq!(activity.kind, call.kind);
            prop_assert_eq!(activity.effect, call.effect);
        }
    }

    #[test]
    fn any_name_of_any_source_is_answered(source in word(), name in any::<String>()) {
        for source in [source.as_str(), "lambda.amazonaws.com", "ses.amazonaws.com"] {
            let record = Record {
                event_source: source.into(),
                event_name: name.as_str().into(),
                ..Record::default()
            };
            classify(&record, &Scope::default());
        }
    }
}
