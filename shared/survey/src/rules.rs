//! Rules that hear CloudTrail: the hub's that reach somebody, and the others' that forward to it.

use std::collections::BTreeSet;

use aws_sdk_eventbridge::{Client, types};
use tripmeter_doctor::{Rule, RuleState};

use crate::asker::Asker;
use crate::calls::Call;

/// The hub's rules that have a target.
pub(crate) async fn of_hub(asker: &Asker, region: &str, stack: Option<&str>) -> Option<Vec<Rule>> {
    let client = Client::new(&asker.config_in(region));
    let prefix = stack.map(|stack| format!("{stack}-"));
    let mut reaching = Vec::new();
    for rule in all(asker, &client, region, prefix).await? {
        let answer = client.list_targets_by_rule().rule(&rule.name).send().await;
        let targets = asker.answer(Call::ListTargetsByRule, Some(region), answer)?;
        if !targets.targets().is_empty() {
            reaching.push(rule);
        }
    }
    Some(reaching)
}

/// The rules of another region that forward to the hub's bus.
pub(crate) async fn forwarding(asker: &Asker, region: &str, hub_bus: &str) -> Option<Vec<Rule>> {
    let client = Client::new(&asker.config_in(region));
    let mut names = BTreeSet::new();
    let mut next = None;
    loop {
        let request = client
            .list_rule_names_by_target()
            .target_arn(hub_bus)
            .set_next_token(next);
        let page = asker.answer(Call::ListRuleNamesByTarget, Some(region), request.send().await)?;
        names.extend(page.rule_names().iter().cloned());
        next = page.next_token().map(str::to_owned);
        if next.is_none() {
            break;
        }
    }
    if names.is_empty() {
        return Some(Vec::new());
    }
    let mut rules = all(asker, &client, region, None).await?;
    rules.retain(|rule| names.contains(&rule.name));
    Some(rules)
}

/// The rules of the default bus with a pattern that asks for records of CloudTrail.
async fn all(asker: &Asker, client: &Client, region: &str, prefix: Option<String>) -> Option<Vec<Rule>> {
    let mut rules = Vec::new();
    let mut next = None;
    loop {
        let request = client.list_rules().set_name_prefix(prefix.clone()).set_next_token(next);
        let page = asker.answer(Call::ListRules, Some(region), request.send().await)?;
        rules.extend(page.rules().iter().filter_map(rule));
        next = page.next_token().map(str::to_owned);
        if next.is_none() {
            return Some(rules);
        }
    }
}

fn rule(rule: &types::Rule) -> Option<Rule> {
    let pattern = rule.event_pattern()?;
    let state = match rule.state() {
        Some(types::RuleState::Enabled) => RuleState::Enabled,
        Some(types::RuleState::EnabledWithAllCloudtrailManagementEvents) => RuleState::EnabledWithAll,
        _ => RuleState::Disabled,
    };
    pattern.contains("eventSource").then(|| Rule {
        name: rule.name().unwrap_or_default().to_owned(),
        state,
        pattern: pattern.to_owned(),
    })
}
