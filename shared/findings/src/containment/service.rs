//! Stopping the service itself, and undoing what was changed on it.

use tripmeter_model::{Family, Finding, Service};

use super::{MAX_COMMANDS, Step, in_regions, regions, said};
use crate::shell::{Command, argument};
use crate::words;

/// Stops a service for the whole account, where it has such a switch.
pub(super) fn stop(finding: &Finding) -> Vec<Step> {
    match finding.finding_type.service {
        Service::Ses => vec![pause_sending(finding)],
        Service::Sms => vec![cap_text_messages(finding)],
        Service::Sns | Service::Cognito => vec![cap_sns_messages(finding)],
        _ => Vec::new(),
    }
}

/// Undoes what was changed on a service.
pub(super) fn undo(finding: &Finding) -> Vec<Step> {
    let service = finding.finding_type.service;
    let step = match (finding.finding_type.family, service) {
        (Family::RegionEnabled, _) => close_regions(finding),
        (Family::GuardrailRemoved, _) => restore(finding),
        (Family::SendingEnabled | Family::LimitRaised, Service::Ses) => pause_sending(finding),
        (Family::LimitRaised, Service::Sms) => cap_text_messages(finding),
        (Family::LimitRaised, Service::Sns) => cap_sns_messages(finding),
        (Family::LimitRaised, Service::ServiceQuotas) => look(
            finding,
            "See which quota was asked for; one that is granted is lowered by AWS Support only",
            &["aws", "service-quotas", "list-requested-service-quota-change-history"],
        ),
        (Family::LimitRaised, Service::Bedrock) => look(
            finding,
            "See what capacity was bought, and delete what nobody asked for: it is billed by the hour",
            &["aws", "bedrock", "list-provisioned-model-throughputs"],
        ),
        (Family::AccessEnabled, Service::Bedrock | Service::Marketplace) => withdraw_models(finding),
        (Family::SenderAdded, Service::Ses) => delete_senders(finding),
        (Family::SenderAdded, Service::Sms) => look(
            finding,
            "See which numbers were requested, and release what nobody asked for",
            &["aws", "pinpoint-sms-voice-v2", "describe-phone-numbers"],
        ),
        (Family::PolicyOpened, Service::Ses) => sender_policies(finding),
        (Family::PolicyOpened, Service::Sns) => topic_policies(finding),
        _ => by_hand(finding),
    };
    vec![step]
}

fn pause_sending(finding: &Finding) -> Step {
    Step::new(
        format!("Pause SES sending {}", said(finding)),
        in_regions(
            finding,
            &["aws", "sesv2", "put-account-sending-attributes", "--no-sending-enabled"],
        ),
        "every mail of the account in that region, SMTP too; --sending-enabled undoes it",
    )
}

fn cap_text_messages(finding: &Finding) -> Step {
    Step::new(
        format!("Cap text messages at 1 USD a month {}", said(finding)),
        in_regions(
            finding,
            &[
                "aws",
                "pinpoint-sms-voice-v2",
                "set-text-message-spend-limit-override",
                "--monthly-limit",
                "1",
            ],
        ),
        "every text message of the account in that region, one-time passwords too; it takes minutes to bite",
    )
}

fn cap_sns_messages(finding: &Finding) -> Step {
    Step::new(
        format!("Cap SNS text messages at 1 USD a month {}", said(finding)),
        in_regions(
            finding,
            &[
                "aws",
                "sns",
                "set-sms-attributes",
                "--attributes",
                "MonthlySpendLimit=1",
            ],
        ),
        "text messages through SNS and Cognito in that region, one-time passwords too; other topics go on",
    )
}

/// A step that only reads.
fn look(finding: &Finding, action: &str, words: &[&str]) -> Step {
    Step::new(action, in_regions(finding, words), "nothing")
}

/// The targets of the finding that may stand in a command.
fn targets(finding: &Finding) -> impl Iterator<Item = &str> {
    finding
        .evidence
        .targets
        .iter()
        .filter_map(|target| argument(&target.value))
        .take(MAX_COMMANDS)
}

/// The names of the targets, which are written with their sort where the call gave an ARN (`trail/main`).
fn names(finding: &Finding) -> impl Iterator<Item = &str> {
    targets(finding).filter_map(|target| target.rsplit(['/', ':']).next().and_then(argument))
}

/// The same command for every value, in the region with most of the finding.
fn for_each<'a>(
    values: impl Iterator<Item = &'a str>,
    finding: &Finding,
    words: &[&str],
    option: &str,
) -> Vec<Command> {
    let region = regions(finding).into_iter().next();
    values
        .map(|value| {
            let words = words.iter().copied().chain([option, value]);
            match region {
                Some(region) => Command::new(words.chain(["--region", region])),
                None => Command::new(words),
            }
        })
        .collect()
}

fn withdraw_models(finding: &Finding) -> Step {
    Step::new(
        "Withdraw the access to the models that nobody asked for",
        for_each(
            targets(finding),
            finding,
            &["aws", "bedrock", "delete-foundation-model-agreement"],
            "--model-id",
        ),
        "every use of these models in the account; models without an agreement are stopped by denying the caller",
    )
}

fn delete_senders(finding: &Finding) -> Step {
    Step::new(
        "Delete the senders that nobody asked for",
        for_each(
            targets(finding),
            finding,
            &["aws", "sesv2", "delete-email-identity"],
            "--email-identity",
        ),
        "mail from that address or domain",
    )
}

fn sender_policies(finding: &Finding) -> Step {
    Step::new(
        "See whom the sender's policies let in, and delete what nobody asked for (aws sesv2 delete-email-identity-policy)",
        for_each(
            targets(finding),
            finding,
            &["aws", "sesv2", "get-email-identity-policies"],
            "--email-identity",
        ),
        "nothing; without its policy the other account sends no more",
    )
}

fn topic_policies(finding: &Finding) -> Step {
    let commands = regions(finding).into_iter().take(1).flat_map(|region| {
        let account = argument(&finding.account);
        targets(finding).filter_map(move |topic| {
            // Topics are named without their ARN, which may be a partition's of its own.
            let partition = match region.split('-').next()? {
                "cn" => "aws-cn",
                "us" if region.starts_with("us-gov-") => "aws-us-gov",
                _ => "aws",
            };
            Some(Command::new([
                "aws",
                "sns",
                "get-topic-attributes",
                "--topic-arn",
                &format!("arn:{partition}:sns:{region}:{}:{topic}", account?),
                "--region",
                region,
            ]))
        })
    });
    Step::new(
        "See whom the topic's policy lets in, and take out whom nobody asked for (aws sns remove-permission)",
        commands.collect(),
        "nothing; without its policy the other account publishes no more",
    )
}

fn close_regions(finding: &Finding) -> Step {
    let commands =
        targets(finding).map(|region| Command::new(["aws", "account", "disable-region", "--region-name", region]));
    Step::new(
        "Close the region again, once nothing of yours runs there",
        commands.collect(),
        "all resources in that region: they keep running and billing, out of your reach, until it is opened again",
    )
}

/// Puts a control back.
fn restore(finding: &Finding) -> Step {
    let account = argument(&finding.account).unwrap_or_default();
    // What is gone cannot be switched on.
    let is_gone = finding
        .evidence
        .calls
        .iter()
        .any(|call| call.value.starts_with("Delete") && call.value != "DeleteFunctionConcurrency");
    let commands = match finding.finding_type.service {
        Service::CloudWatch | Service::EventBridge | Service::Lambda if is_gone => Vec::new(),
        Service::CloudTrail if is_gone || targets(finding).next().is_none() => {
            in_regions(finding, &["aws", "cloudtrail", "describe-trails"])
        }
        Service::CloudTrail => for_each(
            names(finding),
            finding,
            &["aws", "cloudtrail", "start-logging"],
            "--name",
        ),
        Service::CloudWatch => for_each(
            names(finding),
            finding,
            &["aws", "cloudwatch", "enable-alarm-actions"],
            "--alarm-names",
        ),
        Service::EventBridge => for_each(names(finding), finding, &["aws", "events", "enable-rule"], "--name"),
        Service::Lambda => for_each(
            names(finding),
            finding,
            &["aws", "lambda", "delete-function-concurrency"],
            "--function-name",
        ),
        Service::Bedrock => in_regions(
            finding,
            &["aws", "bedrock", "get-model-invocation-logging-configuration"],
        ),
        Service::Ses => in_regions(finding, &["aws", "sesv2", "get-account"]),
        Service::GuardDuty => in_regions(finding, &["aws", "guardduty", "list-detectors"]),
        Service::CostExplorer => vec![Command::new(["aws", "ce", "get-anomaly-subscriptions"])],
        Service::Budgets if !account.is_empty() => vec![Command::new([
            "aws",
            "budgets",
            "describe-budgets",
            "--account-id",
            account,
        ])],
        _ => Vec::new(),
    };
    Step::new(
        "Put the control back: switch on what was switched off, and restore what was deleted from your templates",
        commands,
        "nothing",
    )
}

/// Finds where records are lost on their way to the detector: in the order of the way. The account's event history
/// needs no trail, so it knows who stopped one.
pub(super) fn hear_again(finding: &Finding) -> Vec<Step> {
    let history = |call| {
        let attribute = format!("AttributeKey=EventName,AttributeValue={call}");
        in_regions(
            finding,
            &["aws", "cloudtrail", "lookup-events", "--lookup-attributes", &attribute],
        )
    };
    vec![
        look(
            finding,
            "See whether a trail logs there (aws cloudtrail get-trail-status), and start it again",
            &["aws", "cloudtrail", "describe-trails"],
        ),
        look(
            finding,
            "See whether this detector's rules are there and enabled; what was deleted comes back by deploying again",
            &["aws", "events", "list-rules"],
        ),
        Step::new(
            "See who did it, and take that credential away",
            ["StopLogging", "DisableRule"].into_iter().flat_map(history).collect(),
            "nothing until you take the credential away",
        ),
    ]
}

fn by_hand(finding: &Finding) -> Step {
    Step::new(
        format!(
            "Undo the change on {} by hand: the calls and targets say which",
            words::service(finding.finding_type.service)
        ),
        Vec::new(),
        "what came to rely on the change",
    )
}
