//! An account behind the real clients: every question, every answer, and every refusal.

// Here, what is not as it should be fails a test.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod stand_in;

use std::collections::BTreeSet;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sts::config::Credentials;
use aws_sdk_sts::config::SharedCredentialsProvider;
use serde_json::json;
use stand_in::{Answer, StandIn};
use tripmeter_doctor::{GapId, Inventory, Organisation, RuleState, Selectors, Switch, Terms, examine};
use tripmeter_model::{NoPolicy, Service, Timestamp};
use tripmeter_survey::{Call, SurveyError, Wanted, policy, survey};

const ACCOUNT: &str = "111122223333";
const HUB: &str = "eu-west-1";
const OTHER: &str = "us-east-1";
const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:operations";
const USER: &str = "arn:aws:iam::111122223333:user/mailer";

fn xml(operation: &str, result: &str) -> Answer {
    Answer::Text(format!(
        "<{operation}Response><{operation}Result>{result}</{operation}Result></{operation}Response>"
    ))
}

fn rule(name: &str, state: &str) -> serde_json::Value {
    json!({"Name": name, "State": state, "EventPattern": r#"{"detail":{"eventSource":["ses.amazonaws.com"]}}"#})
}

/// An account with one of everything.
#[expect(clippy::too_many_lines, reason = "an answer for each operation")]
fn whole(operation: &str, region: &str) -> Answer {
    let body = match operation {
        "GetCallerIdentity" => {
            return xml(
                operation,
                &format!("<Arn>{USER}</Arn><UserId>A</UserId><Account>{ACCOUNT}</Account>"),
            );
        }
        "ListRegions" => json!({"Regions": [
            {"RegionName": HUB, "RegionOptStatus": "ENABLED_BY_DEFAULT"},
            {"RegionName": OTHER, "RegionOptStatus": "ENABLED"},
            {"RegionName": "me-south-1", "RegionOptStatus": "DISABLED"},
        ]}),
        "DescribeTrails" => json!({"trailList": [{
            "Name": "audit", "TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/audit", "HomeRegion": HUB,
            "IsMultiRegionTrail": true,
        }]}),
        "GetTrailStatus" => json!({"IsLogging": true}),
        "GetEventSelectors" => json!({"AdvancedEventSelectors": [
            {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]},
        ]}),
        "ListRules" if region == HUB => json!({"Rules": [rule("prod-SESReads-1A", "ENABLED")]}),
        "ListRules" => json!({"Rules": [rule("ear-SESReads-1A", "DISABLED"), rule("somebody-elses", "ENABLED")]}),
        "ListTargetsByRule" => json!({"Targets": [{"Id": "Queue", "Arn": "arn:aws:sqs:eu-west-1:111122223333:usage"}]}),
        "ListRuleNamesByTarget" => json!({"RuleNames": ["ear-SESReads-1A"]}),
        "GetModelInvocationLoggingConfiguration" if region == HUB => {
            json!({"loggingConfig": {"cloudWatchConfig": {"logGroupName": "/calls", "roleArn": "arn:role"}}})
        }
        "GetModelInvocationLoggingConfiguration" => json!({}),
        "GetAccount" => json!({
            "SendingEnabled": true, "ProductionAccessEnabled": region == HUB,
            "SendQuota": {"Max24HourSend": if region == HUB { -1.0 } else { 200.0 }, "MaxSendRate": 1.0, "SentLast24Hours": 7.0},
        }),
        "GetSMSAttributes" => {
            return xml(
                operation,
                "<attributes><entry><key>MonthlySpendLimit</key><value>50</value></entry></attributes>",
            );
        }
        "DescribeSpendLimits" => json!({"SpendLimits": [
            {"Name": "TEXT_MESSAGE_MONTHLY_SPEND_LIMIT", "EnforcedLimit": 50, "MaxLimit": 200, "Overridden": true},
        ]}),
        // {"Metrics": [{}]}
        "ListMetrics" => return Answer::Cbor(b"\xa1\x67Metrics\x81\xa0"),
        "DescribeBudgets" => json!({"Budgets": [{
            "BudgetName": "mail", "TimeUnit": "MONTHLY", "BudgetType": "COST",
            "FilterExpression": {"And": [
                {"Dimensions": {"Key": "SERVICE", "Values": ["Amazon Simple Email Service"]}},
                {"Dimensions": {"Key": "REGION", "Values": [HUB]}},
            ]},
        }, {
            "BudgetName": "old", "TimeUnit": "MONTHLY", "BudgetType": "COST", "CostFilters": {"Service": ["Amazon Bedrock"]},
        }, {
            "BudgetName": "all", "TimeUnit": "MONTHLY", "BudgetType": "COST",
        }]}),
        "DescribeNotificationsForBudget" => json!({"Notifications": [
            {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 80.0},
        ]}),
        "DescribeSubscribersForNotification" => json!({"Subscribers": [
            {"SubscriptionType": "SNS", "Address": TOPIC}, {"SubscriptionType": "EMAIL", "Address": "ops@example.com"},
        ]}),
        "DescribeBudgetActionsForAccount" => json!({"Actions": []}),
        "GetAnomalyMonitors" => json!({"AnomalyMonitors": [
            {"MonitorArn": "arn:monitor", "MonitorName": "services", "MonitorType": "DIMENSIONAL"},
        ]}),
        "GetAnomalySubscriptions" => json!({"AnomalySubscriptions": [{
            "SubscriptionName": "daily", "MonitorArnList": ["arn:monitor"], "Frequency": "DAILY",
            "Subscribers": [{"Address": TOPIC, "Type": "SNS"}],
        }]}),
        "GetTopicAttributes" => {
            return xml(
                operation,
                "<Attributes><entry><key>Policy</key><value>{}</value></entry>\
                 <entry><key>KmsMasterKeyId</key><value>alias/aws/sns</value></entry></Attributes>",
            );
        }
        "GetAccountAuthorizationDetails" => {
            let managed = "arn:aws:iam::aws:policy/AmazonSESFullAccess";
            return xml(
                operation,
                &format!(
                    "<IsTruncated>false</IsTruncated><UserDetailList><member><Path>/</Path><UserName>mailer</UserName>\
                     <Arn>{USER}</Arn><GroupList><member>senders</member></GroupList><PermissionsBoundary>\
                     <PermissionsBoundaryArn>{managed}</PermissionsBoundaryArn></PermissionsBoundary></member>\
                     </UserDetailList><GroupDetailList><member><GroupName>senders</GroupName><AttachedManagedPolicies>\
                     <member><PolicyArn>{managed}</PolicyArn></member></AttachedManagedPolicies></member></GroupDetailList>\
                     <RoleDetailList><member><Path>/aws-service-role/ses.amazonaws.com/</Path><Arn>arn:aws:iam::1:role/s</Arn>\
                     <RolePolicyList><member><PolicyName>p</PolicyName><PolicyDocument>%7B%7D</PolicyDocument></member>\
                     </RolePolicyList></member></RoleDetailList><Policies><member><Arn>{managed}</Arn><PolicyVersionList>\
                     <member><IsDefaultVersion>false</IsDefaultVersion><Document>old</Document></member>\
                     <member><IsDefaultVersion>true</IsDefaultVersion><Document>%7B%22new%22%3A1%7D</Document></member>\
                     </PolicyVersionList></member></Policies>"
                ),
            );
        }
        "ListAccessKeys" => {
            return xml(
                operation,
                "<IsTruncated>false</IsTruncated><AccessKeyMetadata><member><UserName>mailer</UserName>\
                 <AccessKeyId>AKIAIOSFODNN7EXAMPLE</AccessKeyId><Status>Active</Status>\
                 <CreateDate>2020-01-01T00:00:00Z</CreateDate></member></AccessKeyMetadata>",
            );
        }
        "ListServiceSpecificCredentials" => {
            return xml(
                operation,
                "<ServiceSpecificCredentials><member><UserName>mailer</UserName><Status>Active</Status>\
                 <ServiceUserName>mailer-at-1</ServiceUserName><CreateDate>2026-01-01T00:00:00Z</CreateDate>\
                 <ServiceSpecificCredentialId>ACCA1</ServiceSpecificCredentialId>\
                 <ServiceName>bedrock.amazonaws.com</ServiceName></member></ServiceSpecificCredentials>",
            );
        }
        "DescribeOrganization" => json!({"Organization": {"MasterAccountId": "999988887777"}}),
        "ListPoliciesForTarget" => json!({"Policies": [{"Id": "p-1"}]}),
        "ListParents" => json!({"Parents": [{"Id": "r-1", "Type": "ROOT"}]}),
        "DescribePolicy" => json!({"Policy": {"Content": "{\"Statement\":[]}"}}),
        other => panic!("nobody said what {other} answers"),
    };
    Answer::Text(body.to_string())
}

fn config(endpoint: &str) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(HUB))
        .endpoint_url(endpoint)
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            "a", "b", None, None, "test",
        )))
        .retry_config(aws_config::retry::RetryConfig::disabled())
        .build()
}

fn wanted() -> Wanted {
    Wanted {
        hub: HUB.to_owned(),
        stack: Some("prod".to_owned()),
        regions: None,
        at: Timestamp::from_seconds(1_800_000_000),
    }
}

async fn read(stand_in: &StandIn) -> Inventory {
    survey(&config(&stand_in.endpoint), &wanted()).await.unwrap()
}

#[tokio::test]
async fn what_aws_answers_is_what_the_inventory_holds() {
    let inventory = read(&StandIn::new(whole)).await;

    assert_eq!(inventory.not_looked, []);
    assert_eq!(
        (inventory.account.as_str(), inventory.partition.as_str()),
        (ACCOUNT, "aws")
    );
    assert_eq!(inventory.switches.as_ref().unwrap()["me-south-1"], Switch::Off);
    assert_eq!(inventory.regions.keys().collect::<Vec<_>>(), [HUB, OTHER]);
    let trail = &inventory.trails.as_ref().unwrap()[0];
    assert!(trail.every_region && trail.logging == Some(true));
    assert!(matches!(&trail.selectors, Some(Selectors::Advanced(selectors)) if selectors.len() == 1));

    let hub = &inventory.regions[HUB];
    let rules = hub.rules.as_ref().unwrap();
    assert_eq!(
        (rules[0].name.as_str(), rules[0].state),
        ("prod-SESReads-1A", RuleState::Enabled)
    );
    assert_eq!(
        (hub.invocation_logging, hub.invocation_log_group.as_deref()),
        (Some(true), Some("/calls"))
    );
    assert_eq!(
        hub.mail.map(|mail| (mail.production, mail.per_day, mail.sent_last_day)),
        Some((true, None, 7.0))
    );
    assert_eq!(
        (hub.sns_monthly_usd, hub.spend_limits.as_ref().unwrap()[0].maximum_usd),
        (Some(50.0), 200.0)
    );
    assert!(hub.metered.as_ref().unwrap().contains(&Service::Bedrock));
    let other = &inventory.regions[OTHER];
    let forwarding: Vec<&str> = other
        .rules
        .as_ref()
        .unwrap()
        .iter()
        .map(|rule| rule.name.as_str())
        .collect();
    assert_eq!(forwarding, ["ear-SESReads-1A"]);
    assert_eq!(other.invocation_logging, Some(false));
}

#[tokio::test]
async fn money_and_whom_it_tells_are_read() {
    let inventory = read(&StandIn::new(whole)).await;

    let budgets = inventory.budgets.unwrap();
    assert_eq!(budgets[0].services, ["Amazon Simple Email Service"]);
    assert_eq!(budgets[1].services, ["Amazon Bedrock"]);
    assert_eq!(
        budgets.iter().map(|budget| budget.whole_account).collect::<Vec<_>>(),
        [false, false, true]
    );
    assert_eq!(budgets[0].subscribers.as_ref().unwrap()[0], TOPIC);
    assert_eq!(inventory.budget_acts, Some(false));
    assert_eq!(inventory.cost_monitors.unwrap()[0].subscribers, [TOPIC]);
    let [topic] = inventory.topics.as_slice() else {
        panic!("one topic is told: {:?}", inventory.topics);
    };
    assert_eq!(topic.key.as_deref(), Some("alias/aws/sns"));
    let told_by = ["budgets.amazonaws.com", "costalerts.amazonaws.com"].map(str::to_owned);
    assert_eq!(topic.told_by, BTreeSet::from(told_by));
}

#[tokio::test]
async fn identities_are_read_with_the_policies_of_their_groups() {
    let inventory = read(&StandIn::new(whole)).await;

    let [user, role] = inventory.principals.as_deref().unwrap() else {
        panic!("a user and a role: {:?}", inventory.principals);
    };
    assert_eq!(
        (user.arn.as_str(), &user.policies[..]),
        (USER, &[r#"{"new":1}"#.to_owned()][..])
    );
    assert_eq!(user.boundary.as_deref(), Some(r#"{"new":1}"#));
    assert!(role.of_service && role.policies == ["{}"]);
    let keys = inventory.keys.unwrap();
    assert_eq!(
        keys.iter().map(|key| key.service.as_deref()).collect::<Vec<_>>(),
        [None, Some("bedrock.amazonaws.com")]
    );
    assert!(
        keys.iter()
            .all(|key| key.user == USER && key.active && key.expires.is_none())
    );
    let policies = vec![r#"{"Statement":[]}"#.to_owned(); 2];
    assert_eq!(inventory.organisation, Some(Organisation::Member(Some(policies))));
}

#[tokio::test]
async fn the_policy_allows_exactly_the_calls_that_are_made() {
    let stand_in = StandIn::new(whole);

    read(&stand_in).await;

    let listed: BTreeSet<String> = Call::ALL.iter().map(|call| call.operation().to_owned()).collect();
    assert_eq!(stand_in.asked(), listed);
    let actions: BTreeSet<&str> = Call::ALL.iter().map(|call| call.action()).collect();
    let policy = policy(None);
    let allowed: BTreeSet<&str> = policy["Statement"][0]["Action"]
        .as_array()
        .unwrap()
        .iter()
        .map(|action| action.as_str().unwrap())
        .collect();
    assert_eq!(allowed, actions);
}

#[tokio::test]
async fn a_call_that_is_denied_is_noted_and_stops_nothing_else() {
    for denied in Call::ALL.iter().filter(|call| **call != Call::GetCallerIdentity) {
        let refuse = denied.operation();
        let stand_in = StandIn::new(move |operation, region| match operation {
            _ if operation == refuse => Answer::Denied,
            _ => whole(operation, region),
        });

        let inventory = read(&stand_in).await;

        let notes: BTreeSet<(&str, &str)> = inventory
            .not_looked
            .iter()
            .map(|note| (note.what.as_str(), note.why.as_str()))
            .collect();
        assert_eq!(notes, BTreeSet::from([(denied.action(), "denied")]), "{refuse}");
    }
}

/// What an account answers otherwise than [`whole`] does.
type Otherwise = fn(&str, &str) -> Option<Answer>;

/// The gaps that are seen, where an account answers otherwise.
async fn gaps(otherwise: Otherwise) -> BTreeSet<GapId> {
    let answers =
        move |operation: &str, region: &str| otherwise(operation, region).unwrap_or_else(|| whole(operation, region));
    let inventory = read(&StandIn::new(answers)).await;
    let found = examine(&inventory, &NoPolicy, &Terms::default()).gaps;
    found.into_iter().map(|gap| gap.id).collect()
}

fn text(body: &serde_json::Value) -> Answer {
    Answer::Text(body.to_string())
}

fn limit(enforced: u32) -> Answer {
    text(&json!({"SpendLimits": [
        {"Name": "TEXT_MESSAGE_MONTHLY_SPEND_LIMIT", "EnforcedLimit": enforced, "MaxLimit": 200, "Overridden": false},
    ]}))
}

fn actions(approval: &str) -> Answer {
    text(&json!({"Actions": [{
        "ActionId": "a", "BudgetName": "mail", "NotificationType": "ACTUAL", "ActionType": "APPLY_IAM_POLICY",
        "ActionThreshold": {"ActionThresholdValue": 100.0, "ActionThresholdType": "PERCENTAGE"}, "Definition": {},
        "ExecutionRoleArn": "arn:role", "ApprovalModel": approval, "Status": "STANDBY", "Subscribers": [],
    }]}))
}

fn api_key(ends: &str) -> Answer {
    xml(
        "ListServiceSpecificCredentials",
        &format!(
            "<ServiceSpecificCredentials><member><UserName>mailer</UserName><Status>Active</Status>\
             <ServiceUserName>mailer-at-1</ServiceUserName><CreateDate>2026-01-01T00:00:00Z</CreateDate>{ends}\
             <ServiceSpecificCredentialId>ACCA1</ServiceSpecificCredentialId>\
             <ServiceName>bedrock.amazonaws.com</ServiceName></member></ServiceSpecificCredentials>"
        ),
    )
}

fn mail(region: &str, sending: bool, quota: f64, sent: f64) -> Answer {
    text(&json!({
        "SendingEnabled": sending, "ProductionAccessEnabled": region == HUB,
        "SendQuota": {"Max24HourSend": quota, "MaxSendRate": 1.0, "SentLast24Hours": sent},
    }))
}

const NO_METRICS: Answer = Answer::Cbor(b"\xa1\x67Metrics\x80");

/// Each gap that the emulator of the end-to-end tests cannot make or repair: how the account answers with it, and after.
const MADE_AND_REPAIRED: [(GapId, Otherwise, Otherwise); 9] = [
    (
        GapId::SmsLimitAtMaximum,
        |operation, _| (operation == "DescribeSpendLimits").then(|| limit(200)),
        |operation, _| (operation == "DescribeSpendLimits").then(|| limit(50)),
    ),
    (
        GapId::CostMonitorMissing,
        |operation, _| (operation == "GetAnomalyMonitors").then(|| text(&json!({"AnomalyMonitors": []}))),
        |_, _| None,
    ),
    (
        GapId::BudgetNeverActs,
        |operation, _| (operation == "DescribeBudgetActionsForAccount").then(|| actions("MANUAL")),
        |operation, _| (operation == "DescribeBudgetActionsForAccount").then(|| actions("AUTOMATIC")),
    ),
    (
        GapId::KeyNeverExpires,
        |operation, _| (operation == "ListServiceSpecificCredentials").then(|| api_key("")),
        |operation, _| {
            let ends = "<ExpirationDate>2026-12-01T00:00:00Z</ExpirationDate>";
            (operation == "ListServiceSpecificCredentials").then(|| api_key(ends))
        },
    ),
    (
        GapId::OptInRegionUnused,
        |operation, region| match (operation, region) {
            ("ListMetrics", OTHER) => Some(NO_METRICS),
            ("GetAccount", OTHER) => Some(mail(region, true, 200.0, 0.0)),
            _ => None,
        },
        |operation, _| {
            let off = json!({"Regions": [
                {"RegionName": HUB, "RegionOptStatus": "ENABLED_BY_DEFAULT"},
                {"RegionName": OTHER, "RegionOptStatus": "DISABLED"},
            ]});
            (operation == "ListRegions").then(|| text(&off))
        },
    ),
    (
        GapId::MailUnrestricted,
        |operation, region| match operation {
            "ListMetrics" => Some(NO_METRICS),
            "GetAccount" => Some(mail(region, true, 50_000.0, 0.0)),
            _ => None,
        },
        |operation, region| match operation {
            "ListMetrics" => Some(NO_METRICS),
            "GetAccount" => Some(mail(region, false, 50_000.0, 0.0)),
            _ => None,
        },
    ),
    (
        GapId::QuotaAbovePeak,
        |operation, region| (operation == "GetAccount").then(|| mail(region, true, 50_000.0, 10.0)),
        |operation, region| (operation == "GetAccount").then(|| mail(region, true, 200.0, 10.0)),
    ),
    (GapId::RegionNotRestricted, |_, _| None, bound),
    (GapId::DetectorNotProtected, |_, _| None, bound),
];

/// Bound by both guard rails.
fn bound(operation: &str, _: &str) -> Option<Answer> {
    let content = json!({"Statement": [
        {"Effect": "Deny", "Action": ["ses:*", "bedrock:*"], "Resource": "*",
         "Condition": {"StringNotEquals": {"aws:RequestedRegion": [HUB]}}},
        {"Effect": "Deny", "Resource": "*",
         "Action": ["account:EnableRegion", "cloudtrail:*", "events:*", "lambda:*", "sns:DeleteTopic"]},
    ]});
    (operation == "DescribePolicy").then(|| text(&json!({"Policy": {"Content": content.to_string()}})))
}

#[tokio::test]
async fn each_gap_is_said_until_the_account_answers_otherwise() {
    for (id, made, repaired) in MADE_AND_REPAIRED {
        assert!(gaps(made).await.contains(&id), "{id} is not said");
        assert!(!gaps(repaired).await.contains(&id), "{id} is still said");
    }
}

#[tokio::test]
async fn an_account_that_is_in_no_organisation_is_said_to_be_in_none() {
    let stand_in = StandIn::new(|operation, region| match operation {
        "DescribeOrganization" => Answer::Failed("AWSOrganizationsNotInUseException"),
        _ => whole(operation, region),
    });

    let inventory = read(&stand_in).await;

    assert_eq!(
        (inventory.organisation, inventory.not_looked),
        (Some(Organisation::None), vec![])
    );
}

#[tokio::test]
async fn only_the_regions_that_were_asked_for_and_the_hub_are_read() {
    let stand_in = StandIn::new(whole);
    let wanted = Wanted {
        regions: Some(vec!["ap-south-1".to_owned()]),
        ..wanted()
    };

    let inventory = survey(&config(&stand_in.endpoint), &wanted).await.unwrap();

    assert_eq!(inventory.regions.keys().collect::<Vec<_>>(), ["ap-south-1", HUB]);
}

#[tokio::test]
async fn credentials_that_aws_does_not_take_are_an_error() {
    let stand_in = StandIn::new(|_, _| Answer::Denied);

    let error = survey(&config(&stand_in.endpoint), &wanted()).await.unwrap_err();

    assert!(matches!(error, SurveyError::NoAccount(why) if why == "denied"));
}
