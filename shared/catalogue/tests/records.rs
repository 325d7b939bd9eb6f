//! What the catalogue reads off a record whatever the call.

#![expect(clippy::panic, reason = "a helper of tests fails its test")]

use std::collections::HashSet;

use tripmeter_catalogue::{Classified, Scope, calls, classify, watches};
use tripmeter_model::{Activity, IdentityKind, Kind, Outcome, Record, Service};

fn record(source: &'static str, name: &'static str) -> Record<'static> {
    Record {
        event_source: source.into(),
        event_name: name.into(),
        ..Record::default()
    }
}

fn activity(record: &Record<'_>) -> Activity {
    match classify(record, &Scope::default()) {
        Classified::Activity(activity) => *activity,
        other => panic!("{} is {other:?}", record.event_name),
    }
}

#[test]
fn every_service_is_found_by_its_event_source_and_has_calls() {
    let with_calls: HashSet<Service> = calls().map(|call| call.service).collect();
    // The detector itself is in no record, and OpenAI in none of CloudTrail's.
    let outside = [Service::Tripmeter, Service::OpenAi];
    for service in Service::ALL.iter().filter(|service| !outside.contains(service)) {
        assert_eq!(watches(service.event_source()), Some(*service));
        assert!(with_calls.contains(service), "{service}");
    }
}

#[test]
fn no_call_is_in_the_catalogue_twice() {
    let mut seen = HashSet::new();
    let twice: Vec<&str> = calls()
        .filter(|call| !seen.insert((call.service, call.name)))
        .map(|call| call.name)
        .collect();
    assert!(twice.is_empty(), "{twice:?}");
}

#[test]
fn every_row_says_why_and_a_policy_change_what_it_does() {
    for call in calls() {
        assert!(!call.why.is_empty(), "{}", call.name);
        assert_eq!(call.effect.is_some(), call.kind == Kind::PolicyChange, "{}", call.name);
    }
}

#[test]
fn source_and_name_are_matched_together() {
    let scope = Scope::default();
    let of = |source, name| classify(&record(source, name), &scope);
    assert_eq!(of("s3.amazonaws.com", "GetObject"), Classified::Unwatched);
    assert_eq!(of("iot.amazonaws.com", "Publish"), Classified::Unwatched);
    assert_eq!(
        of("ses.amazonaws.com", "GetEmailTemplate"),
        Classified::Unknown(Service::Ses)
    );
    assert_eq!(
        of("ses.amazonaws.com", "InvokeModel"),
        Classified::Unknown(Service::Ses)
    );
    assert_eq!(of("ses.amazonaws.com.evil.example", "SendEmail"), Classified::Unwatched);
}

#[test]
fn an_api_date_is_read_off_lambdas_names_alone() {
    let scope = Scope::default();
    let of = |source, name| classify(&record(source, name), &scope);
    for name in [
        "DeleteFunction",
        "DeleteFunction20150331",
        "DeleteFunction20150331v2",
        "DeleteFunction20150331v10",
    ] {
        assert_eq!(
            activity(&record("lambda.amazonaws.com", name)).call,
            "DeleteFunction",
            "{name}"
        );
    }
    for name in [
        "DeleteFunction2015",
        "20150331",
        "v2",
        "",
        "DeleteFunction２０１５０３３１",
    ] {
        assert_eq!(
            of("lambda.amazonaws.com", name),
            Classified::Unknown(Service::Lambda),
            "{name}"
        );
    }
    assert_eq!(
        of("ses.amazonaws.com", "SendEmail20150331"),
        Classified::Unknown(Service::Ses)
    );
}

#[test]
fn an_api_key_is_told_by_the_mark_that_the_service_sets() {
    let user = r#"{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/app/s"}"#;
    let bedrock = activity(&Record {
        user_identity: Some(user),
        request_parameters: Some(r#"{"modelId":"anthropic.claude-v2"}"#),
        additional_event_data: Some(r#"{"callWithBearerToken":true}"#),
        ..record("bedrock.amazonaws.com", "InvokeModel")
    });
    let mantle = activity(&Record {
        user_identity: Some(user),
        request_parameters: Some(r#"{"callWithBearerToken":"true","bearerTokenType":"ABSK"}"#),
        ..record("bedrock-mantle.amazonaws.com", "ListModels")
    });
    for call in [bedrock, mantle] {
        assert_eq!(call.identity.kind, IdentityKind::BedrockApiKey, "{}", call.call);
        assert!(call.session.bearer);
    }
    let claimed = activity(&Record {
        user_identity: Some(user),
        request_parameters: Some(r#"{"callWithBearerToken":true}"#),
        ..record("ses.amazonaws.com", "SendEmail")
    });
    assert_eq!(claimed.identity.kind, IdentityKind::Role);
}

#[test]
fn the_account_is_the_recipients_and_else_the_callers() {
    let user = Some(r#"{"type":"IAMUser","arn":"arn:aws:iam::444455556666:user/eve","accountId":"444455556666"}"#);
    let of = |recipient: Option<&'static str>| {
        activity(&Record {
            recipient_account: recipient.map(Into::into),
            user_identity: user,
            ..record("ses.amazonaws.com", "SendEmail")
        })
        .account
    };
    assert_eq!(of(Some("111122223333")), "111122223333");
    assert_eq!(of(None), "444455556666");
    assert_eq!(of(Some("no account")), "444455556666");
}

#[test]
fn records_without_any_id_are_told_apart_by_what_they_say() {
    let of = |seconds: i64| {
        activity(&Record {
            event_time: tripmeter_model::Timestamp::from_seconds(seconds),
            ..record("ses.amazonaws.com", "SendEmail")
        })
        .identity
    };
    assert_eq!(of(1).kind, IdentityKind::Stranger);
    assert_ne!(of(1), of(2));
    assert_eq!(of(1), of(1));
}

#[test]
fn a_failed_sign_in_is_denied_whether_or_not_it_has_an_error_code() {
    let of = |answer: &'static str, message: Option<&'static str>| {
        activity(&Record {
            response_elements: Some(answer),
            error_message: message.map(Into::into),
            ..record("signin.amazonaws.com", "ConsoleLogin")
        })
        .outcome
    };
    assert_eq!(of(r#"{"ConsoleLogin":"Success"}"#, None), Outcome::Success);
    assert_eq!(
        of(r#"{"ConsoleLogin":"Failure"}"#, Some("Failed authentication")),
        Outcome::Denied
    );
}

#[test]
fn the_same_change_has_the_same_shape_tomorrow_and_elsewhere() {
    let of = |region: &'static str, event: &'static str, parameters: &'static str| {
        activity(&Record {
            event_id: Some(event.into()),
            region: Some(region.into()),
            request_parameters: Some(parameters),
            ..record("ses.amazonaws.com", "UpdateAccountSendingEnabled")
        })
        .shape
    };
    let today = of("us-east-1", "a", r#"{"enabled":true}"#);
    assert_eq!(today, of("eu-west-1", "b", r#"{"enabled":"true"}"#));
    assert_ne!(today, of("us-east-1", "a", r#"{"enabled":false}"#));
    assert_ne!(today, of("us-east-1", "a", r#"{"enabled":true,"force":true}"#));
}

#[test]
fn names_by_which_the_detector_is_known_may_be_chosen() {
    let rule = Record {
        request_parameters: Some(r#"{"name":"Guard-Dog-rule"}"#),
        ..record("events.amazonaws.com", "DisableRule")
    };
    let kind = |names: &[&str]| {
        let scope = Scope {
            detector_names: names.iter().map(|&n| n.to_owned()).collect(),
            stack: None,
        };
        match classify(&rule, &scope) {
            Classified::Activity(activity) => activity.kind,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(kind(&["guard-dog"]), Kind::GuardrailRemoval);
    assert_eq!(kind(&["tripmeter", ""]), Kind::Context);
}
