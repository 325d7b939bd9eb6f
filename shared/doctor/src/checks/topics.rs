//! Whether the topics that budgets and cost monitors tell let them in.

use serde_json::{Value, json};
use tripmeter_findings::Command;

use super::{Case, list};
use crate::gap::{Gap, GapId, Repair, command};
use crate::inventory::Topic;
use crate::statement::{Document, Statement};

const PUBLISH: &str = "sns:Publish";

pub(super) fn look(case: &Case<'_>) -> Vec<Gap> {
    let topics = case.inventory.topics.iter();
    topics
        .filter_map(|topic| keeps_out(topic, &case.inventory.account))
        .collect()
}

fn keeps_out(topic: &Topic, account: &str) -> Option<Gap> {
    let managed_key = topic.key.as_deref().is_some_and(|key| key.ends_with("alias/aws/sns"));
    let policy = Document::parse(&topic.policy);
    let refused: Vec<&str> = topic
        .told_by
        .iter()
        .map(String::as_str)
        .filter(|service| managed_key || denies(&policy, service) || !allows(&policy, service, account))
        .collect();
    if refused.is_empty() {
        return None;
    }
    let gap = if managed_key {
        let words = format!(
            "The topic is encrypted with AWS's own key, which {} cannot use.",
            list(&refused)
        );
        let key = |id| set(topic, "KmsMasterKeyId", id);
        Gap::new(GapId::TopicKeepsOut, words)
            .repair(Repair::run(key("KEY_ID"), key("alias/aws/sns")))
            .repair(Repair::step("a key of yours whose policy lets these services use it"))
    } else if refused.iter().any(|service| denies(&policy, service)) {
        Gap::new(
            GapId::TopicKeepsOut,
            format!("The topic's policy denies {} to publish.", list(&refused)),
        )
        .repair(Repair::step("take these services out of the policy's denial"))
    } else {
        Gap::new(
            GapId::TopicKeepsOut,
            format!("The topic's policy does not let {} publish.", list(&refused)),
        )
        .repair(let_in(topic, &refused, account))
    };
    Some(gap.evidence([&topic.arn]).regions(topic.arn.split(':').nth(3)))
}

/// The policy as it is with one statement more; undone by the policy as it is.
fn let_in(topic: &Topic, services: &[&str], account: &str) -> Repair {
    let leave = json!({
        "Effect": "Allow", "Principal": {"Service": services}, "Action": PUBLISH, "Resource": topic.arn,
        "Condition": {"StringEquals": {"aws:SourceAccount": account}},
    });
    let Ok(before) = serde_json::from_str::<Value>(&topic.policy) else {
        return Repair::step("write a policy that lets these services publish");
    };
    let mut after = before.clone();
    match after.get_mut("Statement") {
        Some(Value::Array(statements)) => statements.push(leave),
        Some(one) => *one = json!([one.take(), leave]),
        None => return Repair::step("write a policy that lets these services publish"),
    }
    let policy = |policy: &Value| set(topic, "Policy", &policy.to_string());
    Repair::run(policy(&after), policy(&before))
}

fn set(topic: &Topic, attribute: &str, value: &str) -> Option<Command> {
    let region = topic.arn.split(':').nth(3).unwrap_or_default();
    command(
        "aws sns set-topic-attributes --topic-arn {} --attribute-name {} --attribute-value {} --region {}",
        &[&topic.arn, attribute, value, region],
    )
}

/// Whether a statement is about a service's publishing.
fn is_about(statement: &Statement, service: &str) -> bool {
    statement.is_about(PUBLISH) && statement.services().any(|name| name == service || name == "*")
}

/// Whether the policy lets a service of this account publish. A condition that is not known here is taken to keep it
/// out: somebody had better look.
fn allows(policy: &Document, service: &str, account: &str) -> bool {
    let mut allowing = policy.allowing().filter(|statement| is_about(statement, service));
    allowing.any(|statement| {
        statement
            .conditions()
            .all(|(_, key, values)| agrees(key, &values, account))
    })
}

/// Whether it denies it. Whoever does not encrypt may be kept out, and nobody else.
fn denies(policy: &Document, service: &str) -> bool {
    let mut denying = policy.denying().filter(|statement| is_about(statement, service));
    denying.any(|statement| {
        !statement
            .conditions()
            .any(|(_, key, _)| key.eq_ignore_ascii_case("aws:SecureTransport"))
    })
}

/// Whether a call of a service for this account meets a condition. `aws:SourceOwner`, which a new topic's policy asks
/// for, is set by some services and not by these.
fn agrees(key: &str, values: &[&str], account: &str) -> bool {
    match key.to_ascii_lowercase().as_str() {
        "aws:sourceaccount" => values.contains(&account),
        "aws:sourcearn" => values.iter().any(|arn| arn.contains(account) || *arn == "*"),
        "aws:securetransport" => values.contains(&"true"),
        _ => false,
    }
}
