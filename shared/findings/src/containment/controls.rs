//! Putting controls back that were weakened, and hearing again where records are lost.

use tripmeter_model::{Finding, Service};

use super::{Step, for_each, has_call, in_regions, look, targets};
use crate::shell::{Command, argument};

/// Selects every management event and nothing else.
const ALL_MANAGEMENT_EVENTS: &str =
    r#"[{"Name":"management","FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]}]}]"#;

/// The names of the targets, which are written with their sort where the call gave an ARN (`trail/main`).
fn names(finding: &Finding) -> impl Iterator<Item = &str> {
    targets(finding).filter_map(|target| target.rsplit(['/', ':']).next().and_then(argument))
}

/// Puts a control back.
pub(super) fn restore(finding: &Finding) -> Vec<Step> {
    match finding.finding_type.service {
        Service::CloudTrail => trails(finding),
        Service::Organizations => organisation(finding),
        Service::Logs => vec![log_groups(finding)],
        Service::EventBridge if !is_gone(finding) => vec![rules(finding)],
        _ => vec![other(finding)],
    }
}

/// What a trail lost, by the calls that took it.
fn trails(finding: &Finding) -> Vec<Step> {
    let on_each = |words: &[&str], option| for_each(names(finding), finding, words, option);
    let mut steps = Vec::new();
    if has_call(finding, &["DeleteTrail"]) || targets(finding).next().is_none() {
        steps.push(look(
            finding,
            "See which trails are left, and create what was deleted from your templates",
            &["aws", "cloudtrail", "describe-trails"],
        ));
    }
    if has_call(finding, &["PutEventSelectors"]) {
        let mut words = vec!["aws", "cloudtrail", "put-event-selectors"];
        words.extend(["--advanced-event-selectors", ALL_MANAGEMENT_EVENTS]);
        steps.push(Step::new(
            "Let the trail record all management events again. The data events (mails, messages, model endpoints) come \
             back with the selectors of your template",
            on_each(&words, "--trail-name"),
            "nothing; the selectors that are there are replaced",
        ));
    }
    if has_call(finding, &["UpdateTrail"]) {
        let mut words = vec!["aws", "cloudtrail", "update-trail", "--is-multi-region-trail"];
        words.extend(["--include-global-service-events", "--enable-log-file-validation"]);
        steps.push(Step::new(
            "Let the trail cover all regions and global services again, and see that it still writes to your bucket (aws \
             cloudtrail get-trail)",
            on_each(&words, "--name"),
            "nothing",
        ));
    }
    if has_call(finding, &["StopLogging"]) {
        steps.push(Step::new(
            "Start the trail again",
            on_each(&["aws", "cloudtrail", "start-logging"], "--name"),
            "nothing",
        ));
    }
    if steps.is_empty() {
        steps.push(other(finding));
    }
    steps
}

/// What the organisation no longer holds down.
fn organisation(finding: &Finding) -> Vec<Step> {
    if has_call(finding, &["LeaveOrganization", "RemoveAccountFromOrganization"]) {
        return vec![Step::new(
            "Call whoever runs the organisation: no command of an account that left takes it back. The management account \
             invites it (aws organizations invite-account-to-organization), and this one accepts (aws organizations \
             accept-handshake). Until then nothing of the organisation holds here, so take the credential away now",
            Vec::new(),
            "nothing",
        )];
    }
    let policies = targets(finding).filter(|target| target.starts_with("p-"));
    let mut commands = for_each(
        policies,
        finding,
        &["aws", "organizations", "list-targets-for-policy"],
        "--policy-id",
    );
    if commands.is_empty() {
        commands = vec![Command::new(["aws", "organizations", "list-roots"])];
    }
    vec![Step::new(
        "In the management account: see what the policy is still attached to, and attach it again where it was (aws \
         organizations attach-policy, enable-policy-type)",
        commands,
        "whatever the policy forbids",
    )]
}

/// What was in a group that was deleted is gone; what comes next can be kept.
fn log_groups(finding: &Finding) -> Step {
    let commands = if has_call(finding, &["PutRetentionPolicy"]) {
        for_each(
            targets(finding),
            finding,
            &["aws", "logs", "delete-retention-policy"],
            "--log-group-name",
        )
    } else {
        for_each(
            targets(finding),
            finding,
            &["aws", "logs", "create-log-group"],
            "--log-group-name",
        )
    };
    Step::new(
        "Keep what comes from now on: make the log group anew, or let it keep its records until your template says for how \
         long. What was deleted is gone",
        commands,
        "nothing",
    )
}

/// Whether something was deleted: what is gone cannot be switched on.
fn is_gone(finding: &Finding) -> bool {
    let mut calls = finding.evidence.calls.iter();
    calls.any(|call| call.value.starts_with("Delete") && call.value != "DeleteFunctionConcurrency")
}

/// `enable-rule` sets the plain state, in which a rule hears no read-only management events.
fn rules(finding: &Finding) -> Step {
    Step::new(
        "Enable the rule, then repair the stack (docs/deploy.md, Repair it): a rule that is only enabled does not hear calls \
         that only read, model calls among them",
        for_each(names(finding), finding, &["aws", "events", "enable-rule"], "--name"),
        "nothing",
    )
}

fn other(finding: &Finding) -> Step {
    let account = argument(&finding.account).unwrap_or_default();
    let commands = match finding.finding_type.service {
        Service::CloudWatch | Service::Lambda if is_gone(finding) => Vec::new(),
        Service::CloudTrail => in_regions(finding, &["aws", "cloudtrail", "describe-trails"]),
        Service::CloudWatch => for_each(
            names(finding),
            finding,
            &["aws", "cloudwatch", "enable-alarm-actions"],
            "--alarm-names",
        ),
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
            "See whether this detector's rules are there and enabled; what was deleted comes back by repairing the stack \
             (docs/deploy.md, Repair it), not by deploying again",
            &["aws", "events", "list-rules"],
        ),
        Step::new(
            "See who did it, and take that credential away",
            ["StopLogging", "DisableRule"].into_iter().flat_map(history).collect(),
            "nothing until you take the credential away",
        ),
    ]
}
