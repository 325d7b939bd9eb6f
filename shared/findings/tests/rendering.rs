//! What comes out of findings: snapshots of telling ones, and what holds for whatever a thief writes into a record.

#[path = "rendering/first_steps.rs"]
mod first_steps;
#[path = "samples/nasty.rs"]
mod nasty;
mod samples;

use nasty::nasty_finding;
use proptest::prelude::*;
use serde_json::Value;
use tripmeter_findings::{containment, cost, headline, ocsf, text, title};
use tripmeter_model::{ContextSeen, Family, Finding, IdentityKind, Service, Severity, Status, printable};

#[test]
fn text_tells_a_tired_person_what_to_do() {
    insta::assert_snapshot!("llmjacking", text(&samples::llmjacking()));
    insta::assert_snapshot!("mail_takeover", text(&samples::mail_takeover()));
    insta::assert_snapshot!("pump", text(&samples::pump()));
    insta::assert_snapshot!("nasty_probe", text(&samples::nasty_probe()));
    insta::assert_snapshot!("unseen_mail", text(&samples::unseen_mail()));
    insta::assert_snapshot!("budget", text(&samples::budget()));
}

#[test]
fn ocsf_tells_a_machine_all_of_it() {
    let least = samples::minimal(Family::LimitProbe, Service::Ses, IdentityKind::Stranger);

    insta::assert_json_snapshot!("llmjacking_ocsf", unversioned(&samples::llmjacking()));
    insta::assert_json_snapshot!("minimal_ocsf", unversioned(&least));
}

/// The OCSF form without our own version, which changes with every release.
fn unversioned(finding: &Finding) -> Value {
    let mut event = ocsf(finding);
    for pointer in ["/metadata/product/version", "/finding_info/product/version"] {
        if let Some(version) = event.pointer_mut(pointer) {
            *version = "[version]".into();
        }
    }
    event
}

#[test]
fn a_headline_says_what_how_much_and_who() {
    assert_eq!(
        headline(&samples::llmjacking()),
        "CRITICAL  Bedrock is being hijacked: 700 model calls in 24 minutes by user ci-artifacts"
    );
    assert_eq!(
        headline(&samples::pump()),
        "HIGH      SMS was used above its ceiling: 600 text messages in 28 minutes by many identities of account \
         111122223333"
    );
    assert_eq!(
        headline(&samples::unseen_mail()),
        "MEDIUM    SES is being used more than records show: 4,200 mails in 5 minutes as meter AWS/SES Send counts"
    );
    assert_eq!(
        headline(&samples::budget()),
        "LOW       Meters warn of the account's bill: 1 signal in account 111122223333"
    );
    let single = samples::minimal(Family::LeakedKey, Service::Iam, IdentityKind::IamUser);
    assert_eq!(
        headline(&single),
        "LOW       AWS says that strangers know a key of user dana"
    );
}

#[test]
fn a_headline_says_where_records_no_longer_arrive_or_did_not_for_a_while() {
    let blind = Finding {
        region: "eu-west-1".into(),
        severity: Severity::High,
        ..samples::minimal(Family::TelemetryLost, Service::Tripmeter, IdentityKind::Account)
    };
    let over = Finding {
        status: Status::Closed,
        ..blind.clone()
    };

    assert_eq!(
        [headline(&blind), headline(&over)],
        [
            "HIGH      Records of eu-west-1 no longer arrive in account 111122223333",
            "HIGH      Records of eu-west-1 did not arrive for a while in account 111122223333",
        ]
    );
}

#[test]
fn cost_follows_the_mix_of_targets_and_is_known_for_use_only() {
    let jacked = samples::llmjacking();
    // 690 calls of Opus 4.1 at 67,500 microdollars, 10 of Nova Pro at 3,200.
    assert_eq!(cost(&jacked).unwrap().so_far.0, 690 * 67_500 + 10 * 3_200);

    let denied = Finding {
        finding_type: samples::minimal(Family::DeniedUse, Service::Bedrock, IdentityKind::Role).finding_type,
        ..jacked.clone()
    };
    assert_eq!(cost(&denied), None);

    let unpriced = Finding {
        finding_type: samples::minimal(Family::Hijack, Service::SageMaker, IdentityKind::Role).finding_type,
        ..jacked
    };
    assert_eq!(cost(&unpriced), None);
}

#[test]
fn what_a_source_says_it_cost_is_told_and_is_no_estimate() {
    let stated = Finding {
        units: 2_500,
        cost_micros: Some(125_000_000),
        ..samples::minimal(Family::Hijack, Service::Sms, IdentityKind::Role)
    };

    assert_eq!(cost(&stated).unwrap().so_far.0, 125_000_000);
    assert!(!text(&stated).contains("estimate)"), "{}", text(&stated));
    assert!(text(&stated).contains("By what its source says, not an estimate."));
}

#[test]
fn counted_tokens_at_prices_that_their_source_does_not_name_are_an_estimate() {
    for service in [Service::Bedrock, Service::OpenAi] {
        let counted = Finding {
            units: 2_500,
            cost_micros: Some(125_000_000),
            ..samples::minimal(Family::Hijack, service, IdentityKind::Role)
        };

        assert_eq!(cost(&counted).unwrap().so_far.0, 125_000_000);
        let text = text(&counted);
        assert!(
            text.contains("(estimate)") && text.contains("tokens as they are counted"),
            "{text}"
        );
    }
}

#[test]
fn tokens_of_openai_are_priced_by_model_at_a_blend() {
    let tokens = Finding {
        units: 1_000_000,
        units_by_target: vec![("gpt-6-sol".into(), 1_000_000)],
        ..samples::minimal(Family::Hijack, Service::OpenAi, IdentityKind::OpenAiKey)
    };

    // Four tokens read at 2 dollars a million for each one written at 10.
    assert_eq!(cost(&tokens).unwrap().so_far.0, 3_600_000);
}

#[test]
fn the_hourly_cost_of_a_beginning_is_its_pace() {
    let beginning = Finding {
        units: 25,
        units_per_hour: 25,
        units_by_target: Vec::new(),
        last_seen: samples::llmjacking().first_seen.plus(120),
        ..samples::llmjacking()
    };
    let cost = cost(&beginning).unwrap();

    // 25 calls in two minutes are 750 in an hour.
    assert_eq!(cost.per_hour.0, cost.so_far.0 * 30);
}

#[test]
fn what_is_severe_is_acted_on_and_what_is_not_is_asked_about() {
    for mut finding in samples::every() {
        let asks = containment(&finding)
            .first()
            .is_some_and(|step| step.action.starts_with("Ask "));
        let somebody = finding.owner.is_some() || !finding.identity.is_unnamed();
        // A person who changed nothing is asked at High, too.
        if !finding.identity.is_person() || finding.severity != Severity::High {
            let worth_asking = finding.severity < Severity::High && somebody;
            assert_eq!(asks, worth_asking, "{}", headline(&finding));
        }
        finding.severity = Severity::Critical;
        assert!(!containment(&finding).is_empty(), "{}", headline(&finding));
    }
}

#[test]
fn a_namesake_of_another_accounts_identity_is_left_alone() {
    let mut foreign = samples::llmjacking();
    foreign.identity.id = "arn:aws:iam::444455556666:user/ci-artifacts".into();
    foreign.linked = vec!["arn:aws:iam::444455556666:role/admin".into()];

    let steps = containment(&foreign);

    assert!(steps.iter().all(|step| step.commands.is_empty()), "{steps:?}");
    assert!(steps[0].action.contains("other account"), "{steps:?}");
}

#[test]
fn whoever_a_thief_created_is_denied_too() {
    let takeover = containment(&samples::mail_takeover());

    let last = takeover.last().unwrap();
    assert!(
        last.commands[0].words().contains(&"ses-smtp-user.20260317".to_owned()),
        "{last:?}"
    );
}

#[test]
fn a_key_that_was_issued_is_switched_off_before_anybody_is_denied() {
    let mut finding = samples::minimal(Family::CredentialIssued, Service::Iam, IdentityKind::SsoRole);
    finding.account = "111122223333".into();
    finding.evidence.issued = vec!["AKIAIOSFODNN7EXAMPLE".into()];
    finding.evidence.targets = vec![ContextSeen {
        value: "arn:aws:iam::111122223333:user/mailer".into(),
        new: false,
        count: 1,
    }];

    let steps = containment(&finding);
    let at = |word: &str| {
        steps
            .iter()
            .position(|step| step.commands.iter().any(|command| command.to_string().contains(word)))
    };
    assert!(at("AKIAIOSFODNN7EXAMPLE").is_some());
    assert!(at("AKIAIOSFODNN7EXAMPLE") < at("AWSDenyAll"));
}

#[test]
fn who_assumed_a_role_is_told_and_acted_on() {
    let mut finding = samples::mail_takeover();
    finding.evidence.assumed_by = vec!["arn:aws:iam::111122223333:user/legacy-admin".into()];

    assert!(text(&finding).contains("assumed by arn:aws:iam::111122223333:user/legacy-admin"));
    let acts = containment(&finding)
        .iter()
        .flat_map(|step| &step.commands)
        .any(|command| {
            command
                .to_string()
                .contains("list-access-keys --user-name legacy-admin")
        });
    assert!(acts);
}

fn seen(value: &str, count: u64) -> ContextSeen {
    ContextSeen {
        value: value.into(),
        new: false,
        count,
    }
}

#[test]
fn a_sweep_says_over_how_many_regions() {
    let mut finding = samples::minimal(Family::RegionSweep, Service::Ses, IdentityKind::IamUser);
    finding.count = 17;
    finding.last_seen = finding.first_seen.plus(48);
    finding.evidence.regions = (0..17)
        .map(|n| ContextSeen {
            value: format!("region-{n}"),
            new: false,
            count: 1,
        })
        .collect();

    assert_eq!(
        headline(&finding),
        "LOW       SES is being tried over many regions: 17 calls in 17 regions within 48 seconds by user dana"
    );
    finding.evidence.calls = vec![seen("GetSendQuota", 17)];
    assert!(headline(&finding).starts_with("LOW       Limits of SES are being read over many regions: 17 calls"));
}

#[test]
fn a_person_is_asked_first_where_nothing_was_changed() {
    let mut finding = samples::llmjacking();
    finding.severity = Severity::High;
    let asks = |finding: &Finding| {
        containment(finding)
            .first()
            .is_some_and(|step| step.action.starts_with("Ask "))
    };
    assert!(!asks(&finding), "a key answers no questions");
    finding.identity.kind = IdentityKind::SsoRole;
    assert!(asks(&finding));
}

#[test]
fn a_title_is_the_same_in_every_open_revision() {
    let first = samples::llmjacking();
    let later = Finding {
        revision: 9,
        units: 1_000_000,
        severity: Severity::High,
        ..first.clone()
    };

    assert_eq!(title(&first), title(&later));
}

#[test]
fn every_finding_fits_a_screenful_and_a_message() {
    for finding in samples::every() {
        let text = text(&finding);
        assert!(text.lines().count() <= 60, "{text}");
        assert!(ocsf(&finding).to_string().len() < 64 * 1_024);
    }
}

/// Every text in a JSON value, with the key it stands under.
fn texts<'a>(key: &'a str, value: &'a Value, found: &mut Vec<(&'a str, &'a str)>) {
    match value {
        Value::String(text) => found.push((key, text)),
        Value::Array(items) => items.iter().for_each(|item| texts(key, item, found)),
        Value::Object(fields) => fields.iter().for_each(|(key, value)| texts(key, value, found)),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_text_for_people_acts_where_it_is_shown(finding in nasty_finding()) {
        let text = text(&finding);

        prop_assert!(text.chars().all(|c| c == '\n' || printable(c)));
        prop_assert!(!text.contains(['<', '>']) && !text.replace("[://]", "").contains("://"));
        prop_assert!(text.lines().count() <= 110, "{text}");
        let headline = headline(&finding);
        prop_assert!(headline.chars().all(printable) && headline.chars().count() < 400);
    }

    #[test]
    fn no_text_for_machines_holds_what_a_terminal_obeys(finding in nasty_finding()) {
        let event = ocsf(&finding);
        let mut found = Vec::new();
        texts("", &event, &mut found);

        for (key, text) in found {
            let allowed = |c: char| printable(c) || (key == "desc" && c == '\n');
            prop_assert!(text.chars().all(allowed), "{key}: {text:?}");
        }
        let bytes = event.to_string().len();
        prop_assert!(bytes < 200 * 1_024, "{bytes} bytes");
    }

    #[test]
    fn commands_hold_nothing_but_plain_ascii(finding in nasty_finding()) {
        for command in containment(&finding).iter().flat_map(|step| &step.commands) {
            for word in command.words() {
                prop_assert!(word.bytes().all(|b| b.is_ascii_graphic()), "{word:?}");
                prop_assert!(!word.contains(['\'', '$', '`', ';', '\\']) && !word.contains("://"), "{word:?}");
            }
            prop_assert!(command.words().iter().filter(|word| word.starts_with('-')).all(|word| word.starts_with("--")));
            prop_assert!(!command.words().iter().any(|word| word.starts_with("--endpoint")));
        }
    }
}

#[test]
fn a_finding_about_openai_is_not_said_to_be_of_aws() {
    let about = |service| ocsf(&samples::minimal(Family::Hijack, service, IdentityKind::OpenAiKey));
    let (openai, aws) = (about(Service::OpenAi), about(Service::Ses));

    assert_eq!(
        (&openai["cloud"]["provider"], &aws["cloud"]["provider"]),
        (&"OpenAI".into(), &"AWS".into())
    );
    assert_eq!(openai["cloud"]["account"]["type"], "OpenAI organization");
    assert_eq!(openai["metadata"]["log_provider"], "OpenAI");
    assert!(openai["cloud"]["cloud_partition"].is_null() && openai["resources"][0]["cloud_partition"].is_null());
}
