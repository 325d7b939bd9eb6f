//! Budgets, monitors of cost anomalies, and the topics that both tell.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_budgets::types::{ApprovalModel, BudgetType, Dimension, Expression};
use aws_sdk_costexplorer::types::AnomalySubscription;
use tripmeter_doctor::{Budget, CostMonitor, Topic};

use crate::asker::Asker;
use crate::calls::Call;

/// What is known of the account's money.
pub(crate) struct Money {
    pub(crate) budgets: Option<Vec<Budget>>,
    pub(crate) budget_acts: Option<bool>,
    pub(crate) cost_monitors: Option<Vec<CostMonitor>>,
    pub(crate) topics: Vec<Topic>,
}

/// Who publishes for budgets, and for cost anomalies. Source: AWS Cost Management User Guide, "Creating an Amazon SNS
/// topic for budget notifications" and "Creating an Amazon SNS topic for anomaly notifications".
const BUDGETS: &str = "budgets.amazonaws.com";
const COST_ALERTS: &str = "costalerts.amazonaws.com";

pub(crate) async fn read(asker: &Asker, account: &str) -> Money {
    let budgets = budgets(asker, account).await;
    let cost_monitors = cost_monitors(asker).await;
    let of_budgets = budgets
        .iter()
        .flatten()
        .filter_map(|budget| budget.subscribers.as_ref());
    let mut told_by: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for address in of_budgets.flatten() {
        told_by.entry(address).or_default().insert(BUDGETS.to_owned());
    }
    for address in cost_monitors.iter().flatten().flat_map(|monitor| &monitor.subscribers) {
        told_by.entry(address).or_default().insert(COST_ALERTS.to_owned());
    }
    let mut topics = Vec::new();
    for (arn, told_by) in told_by {
        topics.extend(topic(asker, arn, told_by).await);
    }
    Money {
        budget_acts: budget_acts(asker, account).await,
        budgets,
        cost_monitors,
        topics,
    }
}

async fn budgets(asker: &Asker, account: &str) -> Option<Vec<Budget>> {
    let client = aws_sdk_budgets::Client::new(asker.config());
    let request = client
        .describe_budgets()
        .account_id(account)
        .show_filter_expression(true);
    let pages = request.into_paginator().items().send();
    let described = asker.all(Call::DescribeBudgets, None, pages).await?;
    let mut budgets = Vec::new();
    for budget in described {
        budgets.push(Budget {
            name: budget.budget_name().to_owned(),
            services: services(&budget),
            whole_account: covers_all(&budget),
            subscribers: subscribers(asker, &client, account, budget.budget_name()).await,
        });
    }
    Some(budgets)
}

#[expect(
    deprecated,
    reason = "budgets that were made before filter expressions have no other filter"
)]
fn services(budget: &aws_sdk_budgets::types::Budget) -> Vec<String> {
    let mut services = Vec::new();
    for (dimension, values) in budget.cost_filters().into_iter().flatten() {
        if dimension.eq_ignore_ascii_case("Service") {
            services.extend(values.iter().cloned());
        }
    }
    budget
        .filter_expression()
        .into_iter()
        .for_each(|expression| within(expression, &mut services));
    services.sort();
    services.dedup();
    services
}

/// The services that an expression asks for; what it excludes is not followed.
fn within(expression: &Expression, services: &mut Vec<String>) {
    if let Some(dimension) = expression.dimensions().filter(|of| *of.key() == Dimension::Service) {
        services.extend(dimension.values().iter().cloned());
    }
    for inner in expression.or().iter().chain(expression.and()) {
        within(inner, services);
    }
}

#[expect(
    deprecated,
    reason = "budgets that were made before filter expressions have no other filter"
)]
fn covers_all(budget: &aws_sdk_budgets::types::Budget) -> bool {
    let unfiltered = budget.cost_filters().is_none_or(HashMap::is_empty);
    *budget.budget_type() == BudgetType::Cost && unfiltered && budget.filter_expression().is_none()
}

async fn subscribers(
    asker: &Asker,
    client: &aws_sdk_budgets::Client,
    account: &str,
    budget: &str,
) -> Option<Vec<String>> {
    let request = client
        .describe_notifications_for_budget()
        .account_id(account)
        .budget_name(budget);
    let pages = request.into_paginator().items().send();
    let notifications = asker.all(Call::DescribeNotificationsForBudget, None, pages).await?;
    let mut subscribers = Vec::new();
    for notification in notifications {
        let request = client
            .describe_subscribers_for_notification()
            .account_id(account)
            .budget_name(budget)
            .notification(notification);
        let pages = request.into_paginator().items().send();
        let told = asker.all(Call::DescribeSubscribersForNotification, None, pages).await?;
        subscribers.extend(told.into_iter().map(|subscriber| subscriber.address));
    }
    Some(subscribers)
}

async fn budget_acts(asker: &Asker, account: &str) -> Option<bool> {
    let client = aws_sdk_budgets::Client::new(asker.config());
    let request = client.describe_budget_actions_for_account().account_id(account);
    let pages = request.into_paginator().items().send();
    let actions = asker.all(Call::DescribeBudgetActionsForAccount, None, pages).await?;
    let by_itself = |action: &aws_sdk_budgets::types::Action| *action.approval_model() == ApprovalModel::Auto;
    Some(actions.iter().any(by_itself))
}

async fn cost_monitors(asker: &Asker) -> Option<Vec<CostMonitor>> {
    let client = aws_sdk_costexplorer::Client::new(asker.config());
    let pages = client.get_anomaly_monitors().into_paginator().items().send();
    let monitors = asker.all(Call::GetAnomalyMonitors, None, pages).await?;
    let pages = client.get_anomaly_subscriptions().into_paginator().items().send();
    let subscriptions = asker.all(Call::GetAnomalySubscriptions, None, pages).await?;
    let of = |arn: Option<&str>| {
        let told = subscriptions.iter().filter(|subscription| {
            subscription
                .monitor_arn_list()
                .iter()
                .any(|of| Some(of.as_str()) == arn)
        });
        let addresses = told.flat_map(AnomalySubscription::subscribers);
        addresses
            .filter_map(|subscriber| subscriber.address().map(str::to_owned))
            .collect()
    };
    let named = monitors.iter().map(|monitor| CostMonitor {
        name: monitor.monitor_name().to_owned(),
        subscribers: of(monitor.monitor_arn()),
    });
    Some(named.collect())
}

/// A topic, where the address is one and it can be read.
async fn topic(asker: &Asker, arn: &str, told_by: BTreeSet<String>) -> Option<Topic> {
    let mut parts = arn.split(':');
    let region = match (parts.next()?, parts.next()?, parts.next()?) {
        ("arn", _, "sns") => parts.next()?,
        _ => return None,
    };
    let client = aws_sdk_sns::Client::new(&asker.config_in(region));
    let answer = client.get_topic_attributes().topic_arn(arn).send().await;
    let answer = asker.answer(Call::GetTopicAttributes, Some(region), answer)?;
    let attribute = |name: &str| answer.attributes().and_then(|attributes| attributes.get(name)).cloned();
    Some(Topic {
        arn: arn.to_owned(),
        told_by,
        policy: attribute("Policy").unwrap_or_default(),
        key: attribute("KmsMasterKeyId").filter(|key| !key.is_empty()),
    })
}
