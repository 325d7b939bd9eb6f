//! An account that lacks nothing, to take one thing away from at a time.

use std::collections::{BTreeMap, BTreeSet};

use tripmeter_catalogue::patterns::{self, State};
use tripmeter_model::{DAY, Identity, Owner, Policy, Service, Timestamp};

use crate::inventory::{
    AdvancedSelector, Budget, CostMonitor, FieldSelector, Inventory, Learned, LearnedUse, Mail, Organisation, Region,
    Rule, RuleState, Selectors, SpendLimit, Switch, Topic, Trail,
};
use crate::{Diagnosis, GapId, Terms, examine};

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const HUB: &str = "eu-west-1";
pub(crate) const OTHER: &str = "us-east-1";
/// The detector's own, by the name that CloudFormation gives it.
pub(crate) const SPEND_TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:prod-SpendTopic-1A2B";

/// Every service has an owner, the account a name.
pub(crate) struct Owned;

impl Policy for Owned {
    fn owner(&self, _: &str, _: Service, _: &Identity) -> Option<Owner> {
        Some(Owner {
            name: "Platform".to_owned(),
            contact: None,
        })
    }

    fn account_name(&self, _: &str) -> Option<String> {
        Some("payments".to_owned())
    }
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_seconds(20_000 * DAY)
}

/// The rules of the catalogue, as a stack has them.
pub(crate) fn rules() -> Vec<Rule> {
    let rules = patterns::rules().into_iter();
    rules
        .map(|rule| Rule {
            name: format!("prod-{}-1A2B", rule.name),
            state: match rule.state {
                State::Enabled => RuleState::Enabled,
                State::EnabledWithAllCloudtrailManagementEvents => RuleState::EnabledWithAll,
            },
            pattern: rule.pattern.to_string(),
        })
        .collect()
}

pub(crate) fn field(name: &str, equals: &[&str]) -> FieldSelector {
    FieldSelector {
        field: name.to_owned(),
        equals: equals.iter().map(|&text| text.to_owned()).collect(),
        ..FieldSelector::default()
    }
}

/// A selector of all management events, and one for each resource type of the catalogue's data events.
pub(crate) fn selectors() -> Vec<AdvancedSelector> {
    let management = AdvancedSelector {
        fields: vec![field("eventCategory", &["Management"])],
    };
    let data = patterns::data_events()
        .into_iter()
        .map(|(resource_type, names)| AdvancedSelector {
            fields: vec![
                field("eventCategory", &["Data"]),
                field("resources.type", &[resource_type]),
                field("eventName", &names),
            ],
        });
    std::iter::once(management).chain(data).collect()
}

pub(crate) fn trail() -> Trail {
    Trail {
        name: "audit".to_owned(),
        home: HUB.to_owned(),
        every_region: true,
        of_organisation: false,
        logging: Some(true),
        selectors: Some(Selectors::Advanced(selectors())),
    }
}

fn region() -> Region {
    Region {
        rules: Some(rules()),
        invocation_logging: Some(true),
        invocation_log_group: None,
        mail: Some(Mail {
            sending: true,
            production: false,
            per_day: Some(200.0),
            sent_last_day: 12.0,
        }),
        sns_monthly_usd: Some(1.0),
        spend_limits: Some(vec![SpendLimit {
            name: "TEXT_MESSAGE_MONTHLY_SPEND_LIMIT".to_owned(),
            enforced_usd: 1.0,
            maximum_usd: 1.0,
        }]),
        metered: Some(BTreeSet::from([Service::Ses])),
    }
}

pub(crate) fn topic() -> Topic {
    Topic {
        arn: SPEND_TOPIC.to_owned(),
        told_by: BTreeSet::from(["budgets.amazonaws.com".to_owned()]),
        policy: format!(
            r#"{{"Statement":[{{"Effect":"Allow","Principal":{{"Service":"budgets.amazonaws.com"}},
            "Action":"SNS:Publish","Resource":"*",
            "Condition":{{"StringEquals":{{"aws:SourceAccount":"{ACCOUNT}"}}}}}}]}}"#
        ),
        key: None,
    }
}

pub(crate) fn healthy() -> Inventory {
    let guard = r#"{"Statement":[
        {"Effect":"Deny","NotAction":["iam:*"],"Resource":"*",
         "Condition":{"StringNotEquals":{"aws:RequestedRegion":["eu-west-1"]}}},
        {"Effect":"Deny","Action":["cloudtrail:StopLogging","events:DisableRule","lambda:DeleteFunction",
         "sns:DeleteTopic","account:EnableRegion"],"Resource":"*"}]}"#;
    let names = [HUB, OTHER];
    Inventory {
        account: ACCOUNT.to_owned(),
        partition: "aws".to_owned(),
        hub: HUB.to_owned(),
        stack: Some("prod".to_owned()),
        read_at: now(),
        switches: Some(BTreeMap::from([
            (HUB.to_owned(), Switch::Always),
            (OTHER.to_owned(), Switch::Always),
            ("me-south-1".to_owned(), Switch::Off),
        ])),
        regions: names.map(|name| (name.to_owned(), region())).into(),
        trails: Some(vec![trail()]),
        budgets: Some(vec![Budget {
            name: "mail".to_owned(),
            services: vec!["Amazon Simple Email Service".to_owned()],
            whole_account: false,
            subscribers: Some(vec![SPEND_TOPIC.to_owned()]),
        }]),
        budget_acts: Some(true),
        cost_monitors: Some(vec![CostMonitor {
            name: "services".to_owned(),
            subscribers: vec![SPEND_TOPIC.to_owned()],
        }]),
        topics: vec![topic()],
        principals: Some(Vec::new()),
        keys: Some(Vec::new()),
        organisation: Some(Organisation::Member(Some(vec![guard.to_owned()]))),
        learned: Some(Learned {
            services: BTreeMap::from([(
                Service::Ses,
                LearnedUse {
                    peak_day: 40,
                    regions: BTreeSet::from([HUB.to_owned()]),
                },
            )]),
            canary: names.map(|name| (name.to_owned(), 0)).into(),
        }),
        not_looked: Vec::new(),
    }
}

/// What is found in the account that lacks nothing, once it is changed.
pub(crate) fn after(change: impl FnOnce(&mut Inventory)) -> Diagnosis {
    let mut inventory = healthy();
    change(&mut inventory);
    examine(&inventory, &Owned, &Terms::default())
}

/// The ids of what is found.
pub(crate) fn ids(diagnosis: &Diagnosis) -> Vec<GapId> {
    diagnosis.gaps.iter().map(|gap| gap.id).collect()
}
