//! What is sent to people: the subject of a mail, a text message, a chat notification.

#[path = "samples/nasty.rs"]
mod nasty;
mod samples;

use nasty::nasty_finding;
use proptest::prelude::*;
use serde_json::Value;
use tripmeter_findings::{
    MAX_SEPTETS, MAX_SUBJECT, chat, ocsf_with, sms, sms_line, subject, subject_line, text, text_with,
};
use tripmeter_model::{Family, Finding, IdentityKind, Service, Severity, printable};

const RUNBOOKS: &str = "https://runbooks.example/tripmeter";

#[test]
fn a_subject_says_the_most_important_first() {
    assert_eq!(
        subject(&samples::llmjacking()),
        "CRITICAL: Bedrock is being hijacked in build-prod, us-east-1, by user ci-artifacts"
    );
    assert_eq!(
        subject(&samples::pump()),
        "HIGH, closed: SMS was used above its ceiling in 111122223333, ap-southeast-1, by many identities..."
    );
    assert_eq!(
        subject(&samples::nasty_probe()),
        "MEDIUM: Limits of SES are being read in 111122223333, us-east-1, by user evil.example|sh"
    );
}

#[test]
fn a_text_message_says_what_it_costs_before_who_did_it() {
    assert_eq!(
        sms(&samples::llmjacking()),
        "CRITICAL: Bedrock is being hijacked in build-prod, us-east-1, $117 an hour, by user ci-artifacts"
    );
    assert_eq!(
        sms(&samples::nasty_probe()),
        "MEDIUM: Limits of SES are being read in 111122223333, us-east-1, by user evil[.]example|sh"
    );
}

#[test]
fn a_place_that_went_silent_is_named_once() {
    let blind = Finding {
        region: "eu-west-1".into(),
        account: "111122223333".into(),
        severity: Severity::High,
        ..samples::minimal(Family::TelemetryLost, Service::Tripmeter, IdentityKind::Account)
    };

    assert_eq!(
        subject(&blind),
        "HIGH: Records of eu-west-1 no longer arrive in 111122223333, in account 111122223333"
    );
}

#[test]
fn a_chat_notification_tells_it_in_one_thread_an_episode() {
    insta::assert_json_snapshot!("llmjacking_chat", chat(&samples::llmjacking(), RUNBOOKS));
    insta::assert_json_snapshot!("nasty_probe_chat", chat(&samples::nasty_probe(), RUNBOOKS));
    let later = Finding {
        revision: 3,
        ..samples::llmjacking()
    };

    let (first, later) = (chat(&samples::llmjacking(), RUNBOOKS), chat(&later, RUNBOOKS));

    assert_eq!(first["metadata"]["threadId"], later["metadata"]["threadId"]);
    assert_ne!(first["id"], later["id"]);
}

#[test]
fn a_runbook_is_linked_where_its_base_is_an_address() {
    let finding = samples::llmjacking();
    let link = format!("{RUNBOOKS}/hijack.md");

    assert!(text_with(&finding, RUNBOOKS).contains(&format!("Runbook   {link}\n")));
    assert!(text(&finding).contains("Runbook   docs/runbooks/hijack.md\n"));
    let event = ocsf_with(&finding, RUNBOOKS);
    assert_eq!(event["finding_info"]["src_url"], link.as_str());
    assert_eq!(event["remediation"]["references"][0], link.as_str());
    let steps = chat(&finding, RUNBOOKS)["content"]["nextSteps"].to_string();
    assert!(steps.contains(&format!("Runbook: {link}\"")), "{steps}");
}

/// Septets by the tables of GSM 03.38 itself; none for a text with a character that is in neither.
fn septets(text: &str) -> Option<usize> {
    const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡\
                         ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
    const EXTENSION: &str = "\u{c}^{}\\[~]|€";
    text.chars()
        .map(|c| match c {
            c if BASIC.contains(c) => Some(1),
            c if EXTENSION.contains(c) => Some(2),
            _ => None,
        })
        .sum()
}

fn is_subject(text: &str) -> bool {
    (1..=MAX_SUBJECT).contains(&text.len())
        && text.bytes().all(|b| matches!(b, b' '..=b'~'))
        && !text.starts_with(' ')
        && !text.ends_with(' ')
}

/// Every text in a JSON value.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

/// What is left of a text without its code spans; they are closed.
fn outside_code(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    assert!(parts.len() % 2 == 1, "an open code span: {text}");
    parts.into_iter().step_by(2).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_subject_is_one_that_sns_takes(finding in nasty_finding()) {
        let subject = subject(&finding);

        prop_assert!(is_subject(&subject), "{subject:?}");
        prop_assert!(subject.starts_with(&finding.severity.name().to_uppercase()), "{subject:?}");
    }

    #[test]
    fn any_text_makes_a_subject_and_a_text_message(text in "\\PC{0,200}|[\\x00-\\xff\u{2028}]{0,200}") {
        let (subject, message) = (subject_line(&text), sms_line(&text));

        prop_assert!(is_subject(&subject), "{subject:?}");
        prop_assert!(septets(&message).is_some_and(|septets| septets <= MAX_SEPTETS), "{message:?}");
    }

    #[test]
    fn every_text_message_is_one_segment(finding in nasty_finding()) {
        let message = sms(&finding);

        prop_assert!(septets(&message).is_some_and(|septets| septets <= MAX_SEPTETS), "{message:?}");
        prop_assert!(!message.is_empty() && !message.contains('\n'));
        prop_assert!(!message.contains(".example") && !message.contains("://e"), "{message:?}");
    }

    #[test]
    fn every_chat_notification_keeps_to_the_schema_and_its_lengths(finding in nasty_finding()) {
        let notification = chat(&finding, RUNBOOKS);

        prop_assert_eq!(&notification["version"], "1.0");
        prop_assert_eq!(&notification["source"], "custom");
        let content = &notification["content"];
        prop_assert_eq!(&content["textType"], "client-markdown");
        let length = |text: &Value| text.as_str().unwrap().chars().count();
        prop_assert!((1..=150).contains(&length(&content["title"])));
        prop_assert!((1..=3_000).contains(&length(&content["description"])));
        prop_assert!(length(&notification["metadata"]["summary"]) <= 250);
        let steps = content["nextSteps"].as_array().unwrap();
        prop_assert!((2..=5).contains(&steps.len()) && steps.iter().all(|step| length(step) <= 500));
        for (key, value) in notification["metadata"]["additionalContext"].as_object().unwrap() {
            prop_assert!(key.bytes().all(|b| b.is_ascii_alphanumeric()));
            let value = value.as_str().unwrap();
            prop_assert!(value.len() <= 1_024 && value.bytes().all(|b| b.is_ascii_graphic()));
        }
        prop_assert!(notification.to_string().len() < 32 * 1_024);
    }

    #[test]
    fn no_text_of_a_thief_is_markdown_mention_or_link_in_a_chat(finding in nasty_finding()) {
        let notification = chat(&finding, RUNBOOKS);
        let rendered = texts(&notification["content"]).into_iter().chain(texts(&notification["metadata"]["summary"]));
        for text in rendered {
            prop_assert!(text.chars().all(|c| c == '\n' || printable(c)), "{text:?}");
            prop_assert!(!text.contains(['<', '>']), "{text:?}");
            let ours = text.replace(RUNBOOKS, "");
            let bare = outside_code(&ours);
            prop_assert!(!bare.contains(['_', '~', '@', '#', '!', '|', '[', '\\']), "{bare:?}");
            prop_assert!(!bare.replace("(://", "").contains("://") && !bare.contains(".example"), "{bare:?}");
            prop_assert!(bare.lines().all(|line| matches!(line.matches('*').count(), 0 | 2)), "{bare:?}");
        }
        let related = notification["metadata"]["relatedResources"].as_array().unwrap();
        let plain = |arn: &str| arn.starts_with("arn:") && arn.bytes().all(|b| b.is_ascii_alphanumeric() || b"+=,.@_/:-".contains(&b));
        prop_assert!(related.iter().all(|arn| plain(arn.as_str().unwrap())), "{related:?}");
    }
}
