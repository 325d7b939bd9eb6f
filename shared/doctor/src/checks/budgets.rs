//! Budgets and cost monitors: the second eye, for what no record holds.

use serde_json::json;
use tripmeter_catalogue::signals::service_named;
use tripmeter_model::{Service, Severity};

use super::{Case, list};
use crate::gap::{Gap, GapId, Repair, command};
use crate::inventory::{Budget, CostMonitor};

pub(super) fn look(case: &Case<'_>) -> Vec<Gap> {
    let mut gaps = Vec::new();
    if let Some(budgets) = case.inventory.budgets.as_deref() {
        gaps.extend(missing(case, budgets));
        gaps.extend(untold(case, budgets));
        gaps.extend(never_acts(case, budgets));
    }
    gaps.extend(detector_untold(case));
    gaps.extend(case.inventory.cost_monitors.as_deref().and_then(unmonitored));
    gaps
}

/// What a bill calls a service; models of bedrock-mantle are billed with Bedrock's. Source: AWS Cost Explorer, the
/// values of the dimension `SERVICE`.
fn billed_as(service: Service) -> &'static str {
    match service {
        Service::Ses => "Amazon Simple Email Service",
        Service::Sns => "Amazon Simple Notification Service",
        Service::Sms => "AWS End User Messaging",
        Service::Bedrock | Service::BedrockMantle => "Amazon Bedrock",
        Service::AgentCore => "Amazon Bedrock AgentCore",
        Service::ClaudePlatform => "Claude Platform on AWS",
        Service::SageMaker => "Amazon SageMaker",
        Service::WorkMail => "Amazon WorkMail",
        Service::Cognito => "Amazon Cognito",
        other => other.name(),
    }
}

impl Budget {
    fn covers(&self, service: Service) -> bool {
        let wanted = service_named(billed_as(service));
        self.services.iter().any(|name| service_named(name) == wanted)
    }
}

fn missing(case: &Case<'_>, budgets: &[Budget]) -> Option<Gap> {
    // Where nothing is known to be used, the three that thieves are after are still worth a budget.
    let used: Vec<Service> = case.used().map(|used| used.service).collect();
    let watched = if used.is_empty() {
        vec![Service::Ses, Service::Sns, Service::Bedrock]
    } else {
        used
    };
    let without: Vec<Service> = watched
        .into_iter()
        .filter(|service| !budgets.iter().any(|budget| budget.covers(*service)))
        .collect();
    if without.is_empty() {
        return None;
    }
    let of_account = budgets.iter().any(|budget| budget.whole_account);
    let (severity, words) = if of_account {
        (Severity::Low, "Only a budget of the whole account covers")
    } else {
        (Severity::Medium, "No budget covers")
    };
    let mut gap = Gap::new(GapId::BudgetMissing, format!("{words} {}.", list(&without)))
        .severity(severity)
        .evidence(budgets.iter().map(|budget| &budget.name));
    let mut made: Vec<&str> = Vec::new();
    for &service in &without {
        if !made.contains(&billed_as(service)) {
            made.push(billed_as(service));
            gap = gap.repair(budget_of(service, &case.inventory.account));
        }
    }
    Some(gap.services(without).repair(Repair::step(
        "or those of mail, messages and models at once, with alarms: the hub's parameter CreateMeters \
         (docs/meters.md). SPEND_TOPIC is the stack's output SpendTopic; models of other makers are billed under names \
         of their own",
    )))
}

/// A budget that tells the detector, which knows the service by the budget's name.
fn budget_of(service: Service, account: &str) -> Repair {
    let name = format!("tripmeter-{}", service.name());
    let budget = json!({
        "BudgetName": name, "BudgetType": "COST", "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": "100", "Unit": "USD"}, "CostFilters": {"Service": [billed_as(service)]},
    });
    let notifications = json!([{
        "Notification": {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 100},
        "Subscribers": [{"SubscriptionType": "SNS", "Address": "SPEND_TOPIC"}],
    }]);
    Repair::run(
        command(
            "aws budgets create-budget --account-id {} --budget {} --notifications-with-subscribers {}",
            &[account, &budget.to_string(), &notifications.to_string()],
        ),
        command(
            "aws budgets delete-budget --account-id {} --budget-name {}",
            &[account, &name],
        ),
    )
}

fn untold(case: &Case<'_>, budgets: &[Budget]) -> Option<Gap> {
    let nobody = |budget: &&Budget| budget.subscribers.as_ref().is_some_and(Vec::is_empty);
    let silent: Vec<&Budget> = budgets.iter().filter(nobody).collect();
    let first = silent.first()?;
    Some(
        Gap::new(GapId::BudgetUnheard, "Budgets tell nobody when they are spent.")
            .repair(tell_detector(case, first))
            .repair(Repair::step(EACH_BUDGET))
            .evidence(silent.iter().map(|budget| &budget.name)),
    )
}

const EACH_BUDGET: &str = "for each; SPEND_TOPIC is the stack's output SpendTopic. A budget with SES, SNS, SMS or Bedrock \
    in its name is about that service";

fn tell_detector(case: &Case<'_>, budget: &Budget) -> Repair {
    const NOTIFICATION: &str = "NotificationType=ACTUAL,ComparisonOperator=GREATER_THAN,Threshold=90";
    let account = &case.inventory.account;
    Repair::run(
        command(
            "aws budgets create-notification --account-id {} --budget-name {} --notification {} --subscribers \
             SubscriptionType=SNS,Address=SPEND_TOPIC",
            &[account, &budget.name, NOTIFICATION],
        ),
        command(
            "aws budgets delete-notification --account-id {} --budget-name {} --notification {}",
            &[account, &budget.name, NOTIFICATION],
        ),
    )
}

/// Budgets and monitors may tell whom they like; only what also tells the detector raises a finding.
fn detector_untold(case: &Case<'_>) -> Option<Gap> {
    let topic = format!("{}-SpendTopic-", case.inventory.stack.as_deref()?);
    let budgets = case.inventory.budgets.iter().flatten();
    let monitors = case.inventory.cost_monitors.iter().flatten();
    let of_budgets = budgets.clone().filter_map(|budget| budget.subscribers.as_ref());
    let by_budgets = tell_others(of_budgets.flatten(), &topic);
    let by_monitors = tell_others(monitors.flat_map(|monitor| &monitor.subscribers), &topic);
    let words = match (by_budgets, by_monitors) {
        (false, false) => return None,
        (true, false) => "Budgets tell somebody, and not the detector.",
        (false, true) => "Cost monitors tell somebody, and not the detector.",
        (true, true) => "Budgets and cost monitors tell somebody, and not the detector.",
    };
    let mut gap = Gap::new(GapId::MetersUnheard, words);
    if by_budgets {
        let told = |budget: &&Budget| budget.subscribers.as_ref().is_some_and(|told| !told.is_empty());
        let first = budgets.clone().find(told)?;
        gap = gap
            .evidence(budgets.map(|budget| &budget.name))
            .repair(tell_detector(case, first))
            .repair(Repair::step(EACH_BUDGET));
    }
    if by_monitors {
        gap = gap.repair(subscription());
    }
    Some(gap)
}

/// Whether somebody is told, and not the detector's topic.
fn tell_others<'a>(told: impl Iterator<Item = &'a String>, topic: &str) -> bool {
    let is_ours = |address: &String| {
        let name = address.rsplit(':').next();
        address.starts_with("arn:") && name.is_some_and(|name| name.starts_with(topic))
    };
    let told: Vec<&String> = told.collect();
    !told.is_empty() && !told.into_iter().any(is_ours)
}

fn never_acts(case: &Case<'_>, budgets: &[Budget]) -> Option<Gap> {
    let account = &case.inventory.account;
    let name = budgets.first().map_or("BUDGET", |budget| &budget.name);
    let definition = json!({"IamActionDefinition": {"PolicyArn": "CONTAINMENT_POLICY", "Users": ["USER"]}});
    (case.inventory.budget_acts == Some(false)).then(|| {
        Gap::new(GapId::BudgetNeverActs, "No budget has an action that runs by itself.")
            .repair(Repair::deploy(
                "tripmeter-guardrails",
                "infra/guardrails.yaml",
                &case.inventory.hub,
                &[],
            ))
            .repair(Repair::run(
                command(
                    "aws budgets create-budget-action --account-id {} --budget-name {} --notification-type ACTUAL \
                     --action-type APPLY_IAM_POLICY --action-threshold \
                     ActionThresholdValue=100,ActionThresholdType=PERCENTAGE --definition {} --execution-role-arn \
                     EXECUTION_ROLE --approval-model AUTOMATIC --subscribers SubscriptionType=EMAIL,Address=MAIL",
                    &[account, name, &definition.to_string()],
                ),
                command(
                    "aws budgets delete-budget-action --account-id {} --budget-name {} --action-id ACTION_ID",
                    &[account, name],
                ),
            ))
            .repair(Repair::step(
                "for each budget of a service that spends. CONTAINMENT_POLICY is the first stack's output \
                 ContainmentPolicyArn; USER, or roles, is whoever spends",
            ))
    })
}

fn unmonitored(monitors: &[CostMonitor]) -> Option<Gap> {
    if monitors.iter().any(|monitor| !monitor.subscribers.is_empty()) {
        return None;
    }
    let gap = if monitors.is_empty() {
        Gap::new(GapId::CostMonitorMissing, "Cost Anomaly Detection has no monitor.").repair(monitor())
    } else {
        Gap::new(
            GapId::CostMonitorMissing,
            "Cost Anomaly Detection finds anomalies, and tells nobody.",
        )
        .evidence(monitors.iter().map(|monitor| &monitor.name))
    };
    Some(gap.repair(subscription()).repair(Repair::step(
        "or both at once: the hub's parameter CreateMeters (docs/meters.md). SPEND_TOPIC is the stack's output SpendTopic",
    )))
}

fn monitor() -> Repair {
    Repair::run(
        command(
            "aws ce create-anomaly-monitor --anomaly-monitor \
             MonitorName=services,MonitorType=DIMENSIONAL,MonitorDimension=SERVICE",
            &[],
        ),
        command("aws ce delete-anomaly-monitor --monitor-arn MONITOR_ARN", &[]),
    )
}

fn subscription() -> Repair {
    let subscription = json!({
        "SubscriptionName": "tripmeter", "Frequency": "IMMEDIATE", "MonitorArnList": ["MONITOR_ARN"],
        "Subscribers": [{"Type": "SNS", "Address": "SPEND_TOPIC"}],
        "ThresholdExpression": {"Dimensions": {
            "Key": "ANOMALY_TOTAL_IMPACT_ABSOLUTE", "MatchOptions": ["GREATER_THAN_OR_EQUAL"], "Values": ["20"],
        }},
    });
    let create = command(
        "aws ce create-anomaly-subscription --anomaly-subscription {}",
        &[&subscription.to_string()],
    );
    let delete = command(
        "aws ce delete-anomaly-subscription --subscription-arn SUBSCRIPTION_ARN",
        &[],
    );
    Repair::run(create, delete)
}
