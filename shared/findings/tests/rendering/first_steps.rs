//! What is to be done first fits what was done: the thing that was changed is put back, whoever was let in is named.

use super::samples;
use tripmeter_findings::{containment, headline, text, update};
use tripmeter_model::{Cause, ContextSeen, Family, Finding, IdentityKind, Service, Severity, Status};

fn seen(value: &str) -> ContextSeen {
    ContextSeen {
        value: value.into(),
        new: false,
        count: 1,
    }
}

/// A finding of an account's user in eu-west-1, about these calls on these targets.
fn finding(family: Family, service: Service, calls: &[&str], targets: &[&str]) -> Finding {
    let mut finding = samples::minimal(family, service, IdentityKind::IamUser);
    finding.account = "111122223333".into();
    finding.severity = Severity::High;
    finding.evidence.regions = vec![seen("eu-west-1")];
    finding.evidence.calls = calls.iter().map(|call| seen(call)).collect();
    finding.evidence.targets = targets.iter().map(|target| seen(target)).collect();
    finding
}

/// The commands of all steps, in their order.
fn commands(finding: &Finding) -> Vec<String> {
    let steps = containment(finding);
    steps
        .iter()
        .flat_map(|step| &step.commands)
        .map(ToString::to_string)
        .collect()
}

fn actions(finding: &Finding) -> String {
    containment(finding)
        .into_iter()
        .map(|step| step.action)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn a_trail_gets_back_what_each_call_took_from_it() {
    let restored = |call: &str| {
        commands(&finding(
            Family::GuardrailRemoved,
            Service::CloudTrail,
            &[call],
            &["trail/main"],
        ))[0]
            .clone()
    };

    let selectors = restored("PutEventSelectors");
    assert!(selectors.starts_with("aws cloudtrail put-event-selectors") && selectors.contains("--trail-name main"));
    assert!(selectors.contains("Management"), "{selectors}");
    assert!(restored("UpdateTrail").contains("--is-multi-region-trail"));
    assert!(restored("StopLogging").starts_with("aws cloudtrail start-logging --name main"));
    assert!(restored("DeleteTrail").starts_with("aws cloudtrail describe-trails"));
}

#[test]
fn a_flood_of_subscriptions_is_told_as_mails_and_stopped_at_the_topic() {
    let mut flood = finding(Family::Hijack, Service::Sns, &["Subscribe"], &["offers"]);
    flood.units = 500;

    assert!(
        headline(&flood).contains("500 mails that ask to confirm"),
        "{}",
        headline(&flood)
    );
    let commands = commands(&flood);
    assert!(
        commands
            .iter()
            .any(|command| command.contains("arn:aws:sns:eu-west-1:111122223333:offers"))
    );
    assert!(
        !commands.iter().any(|command| command.contains("MonthlySpendLimit")),
        "{commands:?}"
    );

    flood.evidence.calls.push(seen("Publish"));
    assert!(headline(&flood).contains("500 messages"));
}

#[test]
fn whom_a_role_lets_in_is_named() {
    let mut trust = finding(
        Family::CredentialIssued,
        Service::Iam,
        &["UpdateAssumeRolePolicy"],
        &["arn:aws:iam::111122223333:role/mailer"],
    );
    trust.linked = vec!["arn:aws:iam::999988887777:root".into()];

    assert!(
        text(&trust).contains("lets in arn:aws:iam::999988887777:root"),
        "{}",
        text(&trust)
    );
    assert!(actions(&trust).contains("999988887777"));
    assert_eq!(commands(&trust)[0], "aws iam get-role --role-name mailer");
}

#[test]
fn a_key_of_roots_is_switched_off_by_its_id() {
    let mut key = finding(Family::CredentialIssued, Service::Iam, &["CreateAccessKey"], &[]);
    key.identity.kind = IdentityKind::Root;
    key.identity.id = "arn:aws:iam::111122223333:root".into();
    key.evidence.targets = vec![seen(&key.identity.id)];
    key.evidence.issued = vec!["AKIAIOSFODNN7EXAMPLE".into()];

    assert_eq!(
        commands(&key),
        ["aws iam update-access-key --access-key-id AKIAIOSFODNN7EXAMPLE --status Inactive"]
    );
}

#[test]
fn mailboxes_and_endpoints_have_commands_of_their_own() {
    let mailboxes = finding(
        Family::SenderAdded,
        Service::WorkMail,
        &["CreateUser"],
        &["m-0a1b", "evil.example"],
    );
    assert!(commands(&mailboxes)[0].starts_with("aws workmail list-users --organization-id m-0a1b"));
    assert!(!text(&mailboxes).contains("senders"), "an organisation is no sender");

    let endpoints = finding(Family::LimitRaised, Service::SageMaker, &["CreateEndpoint"], &["chat"]);
    assert!(commands(&endpoints)[0].starts_with("aws sagemaker delete-endpoint --endpoint-name chat"));
}

#[test]
fn what_no_command_undoes_says_so() {
    let left = finding(
        Family::GuardrailRemoved,
        Service::Organizations,
        &["LeaveOrganization"],
        &[],
    );
    let first = &containment(&left)[0];

    assert!(
        first.commands.is_empty() && first.action.contains("no command"),
        "{first:?}"
    );
    let detached = finding(
        Family::GuardrailRemoved,
        Service::Organizations,
        &["DetachPolicy"],
        &["p-1"],
    );
    assert!(commands(&detached)[0].contains("list-targets-for-policy --policy-id p-1"));
}

#[test]
fn callers_without_a_name_are_not_asked_for() {
    let mut pump = finding(Family::AnomalousUse, Service::Cognito, &["SignUp"], &["pool-1"]);
    pump.severity = Severity::Low;
    pump.identity.kind = IdentityKind::Other;
    pump.identity.id = "unknown:/Anonymous".into();

    assert!(!actions(&pump).contains("Ask"), "{}", actions(&pump));
    assert!(headline(&pump).ends_with("by unnamed callers"), "{}", headline(&pump));
    assert!(commands(&pump)[0].starts_with("aws cognito-idp"));
}

#[test]
fn what_is_over_asks_for_nothing_at_once() {
    let over = Finding {
        cause: Cause::Closed,
        status: Status::Closed,
        severity: Severity::Low,
        ..samples::llmjacking()
    };
    let grown = Finding {
        cause: Cause::GrownTenfold,
        status: Status::Open,
        ..over.clone()
    };

    assert!(!update(&over).contains("First:"));
    assert!(update(&grown).contains("First:"));
}
