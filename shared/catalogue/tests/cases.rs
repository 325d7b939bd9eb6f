//! Recorded inputs that real readers stumbled over: what the catalogue makes of each.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails its test")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use tripmeter_catalogue::{Classified, Scope, classify};
use tripmeter_model::{Activity, IdentityKind, Kind, Outcome, PolicyEffect, Stage, Target};
use tripmeter_records::{Item, Limits, Reader};

fn activities(case: &str) -> Vec<Activity> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/cases")
        .join(case);
    let bytes = std::fs::read(&path).unwrap();
    let mut activities = Vec::new();
    Reader::new(Limits::default()).read_bytes(&bytes, &mut |item| {
        if let Item::Record(record) = item
            && let Classified::Activity(activity) = classify(&record, &Scope::default())
        {
            activities.push(*activity);
        }
    });
    activities
}

#[test]
fn parameters_of_any_type_lose_nothing() {
    let all = activities("16-odd-parameters.json");
    assert_eq!(all.len(), 14);
    let by = |call: &str| all.iter().filter(|a| a.call == call).collect::<Vec<_>>();

    let senders = by("CreateEmailIdentity");
    assert_eq!(senders.len(), 10);
    assert!(senders.iter().all(|a| a.effect == Some(PolicyEffect::SenderAdded)));
    let named = Some(Target::Sender("news.example.com".into()));
    assert_eq!(senders.iter().filter(|a| a.target == named).count(), 1);

    let limits = by("SetSMSAttributes");
    assert!(
        limits
            .iter()
            .all(|a| a.effect == Some(PolicyEffect::LimitRaised) && !a.routine)
    );

    let [unreadable, readable] = by("PutUserPolicy")[..] else {
        panic!("{all:?}")
    };
    assert_eq!((unreadable.kind, unreadable.grave), (Kind::CredentialIssue, false));
    assert_eq!((readable.kind, readable.grave), (Kind::CredentialIssue, true));
}

#[test]
fn every_form_of_identity_comes_out_stable_and_no_strangers_fall_together() {
    let first = activities("24-identity-forms.json");
    let again = activities("24-identity-forms.json");
    assert_eq!(first.len(), 21);
    assert_eq!(first, again);
    let strangers: Vec<&str> = first
        .iter()
        .filter(|a| a.identity.kind == IdentityKind::Stranger)
        .map(|a| a.identity.id.as_str())
        .collect();
    assert_eq!(strangers.iter().collect::<BTreeSet<_>>().len(), strangers.len());
    assert!(
        first
            .iter()
            .any(|a| a.identity.id == "arn:aws:iam::111122223333:role/app")
    );
}

#[test]
fn use_that_is_refused_in_many_spellings_is_never_spent() {
    let refused = activities("31-denied-in-many-spellings.json");
    assert_eq!(refused.len(), 45);
    assert!(
        refused
            .iter()
            .all(|a| a.kind == Kind::Use && a.outcome != Outcome::Success && !a.is_spend())
    );
}

#[test]
fn texts_are_counted_by_country_and_their_numbers_are_kept_nowhere() {
    let pump = activities("33-sms-pump.json.gz");
    let kinds = pump.iter().fold(BTreeMap::<Kind, u64>::new(), |mut kinds, a| {
        *kinds.entry(a.kind).or_default() += a.quantity.units;
        kinds
    });
    assert_eq!(
        kinds,
        BTreeMap::from([(Kind::Probe, 2), (Kind::PolicyChange, 2), (Kind::Use, 600)])
    );
    assert!(
        pump.iter()
            .filter(|a| a.is_spend())
            .all(|a| a.quantity.country == Some(*b"GB"))
    );
    assert!(!format!("{pump:?}").contains("7700900"));
}

#[test]
fn the_quarantine_is_a_leaked_key_of_its_user_and_no_credential() {
    let quarantine = activities("35-quarantine-policy.json");
    let [leaked] = quarantine.as_slice() else {
        panic!("{quarantine:?}")
    };
    assert_eq!(
        (leaked.kind, leaked.stage()),
        (Kind::LeakedKey, Some(Stage::Credential))
    );
    assert_eq!(leaked.links, ["arn:aws:iam::111122223333:user/svc-report"]);
}

#[test]
fn a_sign_in_without_mfa_is_context() {
    let sign_ins = activities("40-sso-login-without-mfa.json");
    assert!(!sign_ins.is_empty());
    assert!(
        sign_ins
            .iter()
            .all(|a| a.kind == Kind::Context && a.outcome == Outcome::Success)
    );
}

#[test]
fn lambdas_calls_are_known_without_their_date() {
    let calls = activities("42-lambda-names-with-dates.json");
    let names: Vec<&str> = calls.iter().map(|a| a.call.as_str()).collect();
    assert_eq!(
        names,
        [
            "UpdateFunctionConfiguration",
            "UpdateFunctionCode",
            "PutFunctionConcurrency",
            "DeleteEventSourceMapping",
            "DeleteFunction",
            "DisableRule",
            "DeleteTable",
        ]
    );
    assert!(calls.iter().all(|a| a.kind == Kind::GuardrailRemoval && a.grave));
}
