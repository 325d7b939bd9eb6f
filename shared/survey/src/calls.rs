//! The calls that are made, and the IAM policy that allows exactly those.

use serde_json::{Value, json};

macro_rules! calls {
    ($($variant:ident = $action:literal, $operation:literal, $what:literal;)*) => {
        /// A call that reads something of the account.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "each is an operation of AWS, and says so")]
        pub enum Call { $($variant),* }

        impl Call {
            /// Every call that is made.
            pub const ALL: &'static [Call] = &[$(Call::$variant),*];

            /// The IAM action that allows it. Source: Service Authorization Reference.
            pub fn action(self) -> &'static str {
                match self { $(Call::$variant => $action),* }
            }

            /// The operation, by the name that its service gives it.
            pub fn operation(self) -> &'static str {
                match self { $(Call::$variant => $operation),* }
            }

            /// What it is asked for.
            pub fn what(self) -> &'static str {
                match self { $(Call::$variant => $what),* }
            }
        }
    };
}

calls! {
    GetCallerIdentity = "sts:GetCallerIdentity", "GetCallerIdentity", "whose account it is";
    ListRegions = "account:ListRegions", "ListRegions", "which regions are on";
    DescribeTrails = "cloudtrail:DescribeTrails", "DescribeTrails", "trails";
    GetTrailStatus = "cloudtrail:GetTrailStatus", "GetTrailStatus", "whether a trail logs";
    GetEventSelectors = "cloudtrail:GetEventSelectors", "GetEventSelectors", "what a trail records";
    ListRules = "events:ListRules", "ListRules", "rules and their states";
    ListTargetsByRule = "events:ListTargetsByRule", "ListTargetsByRule", "whether a rule reaches somebody";
    ListRuleNamesByTarget = "events:ListRuleNamesByTarget", "ListRuleNamesByTarget", "what forwards to the hub";
    GetModelInvocationLoggingConfiguration = "bedrock:GetModelInvocationLoggingConfiguration",
        "GetModelInvocationLoggingConfiguration", "model invocation logging";
    GetAccount = "ses:GetAccount", "GetAccount", "what SES may send, and sent";
    GetSmsAttributes = "sns:GetSMSAttributes", "GetSMSAttributes", "what SNS may spend on texts";
    DescribeSpendLimits = "sms-voice:DescribeSpendLimits", "DescribeSpendLimits", "what messages may cost";
    ListMetrics = "cloudwatch:ListMetrics", "ListMetrics", "which services are in use";
    DescribeBudgets = "budgets:ViewBudget", "DescribeBudgets", "budgets";
    DescribeNotificationsForBudget = "budgets:ViewBudget", "DescribeNotificationsForBudget", "when a budget tells";
    DescribeSubscribersForNotification = "budgets:ViewBudget", "DescribeSubscribersForNotification",
        "whom a budget tells";
    DescribeBudgetActionsForAccount = "budgets:DescribeBudgetActionsForAccount", "DescribeBudgetActionsForAccount",
        "whether a budget acts";
    GetAnomalyMonitors = "ce:GetAnomalyMonitors", "GetAnomalyMonitors", "monitors of cost anomalies";
    GetAnomalySubscriptions = "ce:GetAnomalySubscriptions", "GetAnomalySubscriptions",
        "who hears of cost anomalies";
    GetTopicAttributes = "sns:GetTopicAttributes", "GetTopicAttributes", "whom topics of these let in";
    GetAccountAuthorizationDetails = "iam:GetAccountAuthorizationDetails", "GetAccountAuthorizationDetails",
        "who may do what";
    ListAccessKeys = "iam:ListAccessKeys", "ListAccessKeys", "access keys";
    ListServiceSpecificCredentials = "iam:ListServiceSpecificCredentials", "ListServiceSpecificCredentials",
        "API keys of services";
    DescribeOrganization = "organizations:DescribeOrganization", "DescribeOrganization", "the organisation";
    ListPoliciesForTarget = "organizations:ListPoliciesForTarget", "ListPoliciesForTarget",
        "service control policies";
    ListParents = "organizations:ListParents", "ListParents", "the account's place in the organisation";
    DescribePolicy = "organizations:DescribePolicy", "DescribePolicy", "what service control policies say";
}

/// What reading the detector's state table takes, where it is asked to.
const TABLE: [&str; 3] = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"];

/// The IAM policy that allows exactly the calls that are made, with `state_table` also the reading of that table.
///
/// ```
/// let policy = tripmeter_survey::policy(None);
/// assert!(policy.to_string().contains("cloudtrail:GetEventSelectors"));
/// ```
pub fn policy(state_table: Option<&str>) -> Value {
    let mut actions: Vec<&str> = Call::ALL.iter().map(|call| call.action()).collect();
    actions.sort_unstable();
    actions.dedup();
    let mut statements = vec![json!({
        "Sid": "Account", "Effect": "Allow", "Action": actions, "Resource": "*",
    })];
    if let Some(table) = state_table {
        statements.push(json!({
            "Sid": "State", "Effect": "Allow", "Action": TABLE, "Resource": format!("arn:*:dynamodb:*:*:table/{table}"),
        }));
    }
    json!({"Version": "2012-10-17", "Statement": statements})
}
