//! Stopping the service itself, and undoing what was changed on it.

use tripmeter_model::{Family, Finding, Service};

use super::{Step, for_each, in_regions, look, regions, said, targets};
use crate::shell::{Command, argument};
use crate::words;

/// Stops a service for the whole account, where it has such a switch.
pub(super) fn stop(finding: &Finding) -> Vec<Step> {
    match finding.finding_type.service {
        Service::Ses => vec![pause_sending(finding)],
        Service::Sms => vec![cap_text_messages(finding)],
        Service::Sns => topics_and_texts(finding),
        Service::Cognito => vec![cap_sns_messages(finding)],
        _ => Vec::new(),
    }
}

/// Looks for whose use it is that no record shows: those who hold what such use takes.
pub(super) fn find_who(finding: &Finding) -> Vec<Step> {
    let step = match finding.finding_type.service {
        Service::Ses | Service::WorkMail => Step::new(
            "Look for users with SMTP credentials: access keys of users who may send raw mail",
            vec![
                Command::new(["aws", "iam", "generate-credential-report"]),
                Command::new([
                    "aws",
                    "iam",
                    "get-credential-report",
                    "--query",
                    "Content",
                    "--output",
                    "text",
                ]),
            ],
            "nothing",
        ),
        Service::Sns => look(
            finding,
            "Look for who sends text messages straight to numbers",
            &["aws", "sns", "get-sms-attributes"],
        ),
        Service::Cognito => look(
            finding,
            "Look for user pools that let strangers sign up with a telephone number",
            &["aws", "cognito-idp", "list-user-pools", "--max-results", "60"],
        ),
        Service::Bedrock | Service::BedrockMantle => look(
            finding,
            "See whether invocations are logged, and by whom they are",
            &["aws", "bedrock", "get-model-invocation-logging-configuration"],
        ),
        _ => look(
            finding,
            "See whether a trail is on, and whether it holds data events of the service",
            &["aws", "cloudtrail", "describe-trails"],
        ),
    };
    vec![step]
}

/// Undoes what was changed on a service.
pub(super) fn undo(finding: &Finding) -> Vec<Step> {
    let service = finding.finding_type.service;
    let step = match (finding.finding_type.family, service) {
        (Family::RegionEnabled, _) => close_regions(finding),
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
        (Family::LimitRaised, Service::SageMaker) => delete_endpoints(finding),
        (Family::AccessEnabled, Service::Bedrock | Service::Marketplace) => withdraw_models(finding),
        (Family::SenderAdded, Service::Ses) => delete_senders(finding),
        (Family::SenderAdded, Service::Sms) => look(
            finding,
            "See which numbers were requested, and release what nobody asked for",
            &["aws", "pinpoint-sms-voice-v2", "describe-phone-numbers"],
        ),
        (Family::SenderAdded | Family::PolicyOpened, Service::WorkMail) => mailboxes(finding),
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

/// What leaves through topics: their receivers, and where texts may have left, their cap.
fn topics_and_texts(finding: &Finding) -> Vec<Step> {
    let subscribed = Step::new(
        "See who receives the topics, and delete a topic that nobody of yours made (aws sns delete-topic): a subscription \
         that nobody confirmed cannot be taken back otherwise",
        topic_commands(finding, "list-subscriptions-by-topic"),
        "nothing; a topic that is deleted takes its receivers with it",
    );
    let calls = &finding.evidence.calls;
    let publishes = calls.is_empty() || calls.iter().any(|call| call.value.starts_with("Publish"));
    let mut steps = vec![subscribed];
    steps.extend(publishes.then(|| cap_sns_messages(finding)));
    steps
}

fn delete_endpoints(finding: &Finding) -> Step {
    Step::new(
        "Delete the endpoints that nobody asked for: their machines bill by the hour, called or not",
        for_each(
            targets(finding),
            finding,
            &["aws", "sagemaker", "delete-endpoint"],
            "--endpoint-name",
        ),
        "whatever calls these endpoints",
    )
}

/// Mailboxes that somebody made to send from. The calls name organisations by id, and domains or addresses by domain.
fn mailboxes(finding: &Finding) -> Step {
    let organizations: Vec<&str> = targets(finding).filter(|target| target.starts_with("m-")).collect();
    let commands = if organizations.is_empty() {
        in_regions(finding, &["aws", "workmail", "list-organizations"])
    } else {
        for_each(
            organizations.into_iter(),
            finding,
            &["aws", "workmail", "list-users"],
            "--organization-id",
        )
    };
    Step::new(
        "See which mailboxes were made, and take away from each that nobody asked for that it may send (aws workmail \
         deregister-from-work-mail); delete an organisation that is none of yours (aws workmail delete-organization)",
        commands,
        "nothing; a mailbox that is taken away neither sends nor receives",
    )
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

/// A command about each topic of the finding, by its ARN.
fn topic_commands(finding: &Finding, command: &str) -> Vec<Command> {
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
                command,
                "--topic-arn",
                &format!("arn:{partition}:sns:{region}:{}:{topic}", account?),
                "--region",
                region,
            ]))
        })
    });
    commands.collect()
}

fn topic_policies(finding: &Finding) -> Step {
    Step::new(
        "See whom the topic's policy lets in, and take out whom nobody asked for (aws sns remove-permission)",
        topic_commands(finding, "get-topic-attributes"),
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
