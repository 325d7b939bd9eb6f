//! What watches the money: AWS Budgets (`budgets.amazonaws.com`) and Cost Explorer (`ce.amazonaws.com`). Records are
//! in us-east-1.
//!
//! Source: the API references of AWS Cost Management.

use tripmeter_model::{PolicyEffect, Service};

use crate::call::{About, Call, Rule, context, guard, policy, probe, service};
use PolicyEffect::LimitRaised;

const BUDGET: About = About::Resource(&["budgetName", "newBudget.budgetName"]);
const BUDGET_NAMES: &[&str] = &["budgetName", "newBudget.budgetName"];

#[rustfmt::skip] // one call a line
pub(crate) const BUDGETS: &[Call] = &service(
    Service::Budgets,
    &["budgets"],
    [
        probe("DescribeBudgets", "at what cost somebody wakes up").routine(),
        policy("UpdateBudget", LimitRaised, "changes at what cost somebody wakes up")
            .about(BUDGET).or_ours(BUDGET_NAMES),
        guard("DeleteBudget", "removes a budget").about(BUDGET).or_ours(BUDGET_NAMES),
        guard("DeleteNotification", "nobody hears of a budget").about(BUDGET).or_ours(BUDGET_NAMES),
        guard("UpdateNotification", "changes when somebody hears of a budget").about(BUDGET).or_ours(BUDGET_NAMES),
        guard("DeleteSubscriber", "somebody no longer hears of a budget").about(BUDGET).or_ours(BUDGET_NAMES),
        guard("UpdateSubscriber", "somebody else hears of a budget").about(BUDGET).or_ours(BUDGET_NAMES),
        guard("DeleteBudgetAction", "a budget no longer stops anything").about(BUDGET).or_ours(BUDGET_NAMES),
        guard("UpdateBudgetAction", "changes what a budget stops").about(BUDGET).or_ours(BUDGET_NAMES),
        guard("ExecuteBudgetAction", "takes back what a budget stopped")
            .about(BUDGET).when(Rule::Holds("executionType", &["REVERSE_BUDGET_ACTION", "RESET_BUDGET_ACTION"])),
        context("CreateBudget", "a budget added"),
    ],
);

#[rustfmt::skip] // one call a line
pub(crate) const COST_EXPLORER: &[Call] = &service(
    Service::CostExplorer,
    &["ce"],
    [
        probe("GetCostAndUsage", "what is spent anyway").routine(),
        probe("GetCostForecast", "what would be spent anyway").routine(),
        probe("GetAnomalyMonitors", "whether a rise in cost is noticed").routine(),
        probe("GetAnomalySubscriptions", "who hears of a rise in cost").routine(),
        guard("DeleteAnomalyMonitor", "a rise in cost is no longer noticed").about(About::Resource(&["monitorArn"])),
        guard("UpdateAnomalyMonitor", "changes which rise in cost is noticed")
            .about(About::Resource(&["monitorArn"])),
        guard("DeleteAnomalySubscription", "nobody hears of a rise in cost")
            .about(About::Resource(&["subscriptionArn"])),
        guard("UpdateAnomalySubscription", "changes who hears of a rise in cost")
            .about(About::Resource(&["subscriptionArn"])),
        guard("ProvideAnomalyFeedback", "says that a rise in cost is none")
            .when(Rule::Holds("feedback", &["NO", "PLANNED_ACTIVITY"])),
        context("CreateAnomalyMonitor", "a watch on costs added"),
    ],
);
