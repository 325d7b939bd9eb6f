//! What was read of an account: plain data, and what could not be read.
//!
//! An `Option` is `None` where nobody could be asked; [`Inventory::not_looked`] says why. An empty list is an answer.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use tripmeter_model::{Service, Timestamp};

/// An account, as far as it was read.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// The account's id.
    pub account: String,
    /// The partition, as in `aws`.
    pub partition: String,
    /// The region that the detector is in, or would be.
    pub hub: String,
    /// The detector's stack, where it is known: its rules are told from others by its name.
    pub stack: Option<String>,
    /// When it was read.
    pub read_at: Timestamp,
    /// Every region of the partition, and whether it is on.
    pub switches: Option<BTreeMap<String, Switch>>,
    /// The regions that were read.
    pub regions: BTreeMap<String, Region>,
    /// The trails that record something of the account.
    pub trails: Option<Vec<Trail>>,
    /// The budgets.
    pub budgets: Option<Vec<Budget>>,
    /// Whether a budget acts by itself when it is spent.
    pub budget_acts: Option<bool>,
    /// Where Cost Anomaly Detection tells of what it finds, a list for each monitor.
    pub cost_monitors: Option<Vec<CostMonitor>>,
    /// The topics that budgets and cost monitors tell.
    pub topics: Vec<Topic>,
    /// Users and roles, with their policies.
    pub principals: Option<Vec<Principal>>,
    /// Long-term credentials.
    pub keys: Option<Vec<Key>>,
    /// What the organisation holds the account to.
    pub organisation: Option<Organisation>,
    /// What a deployed detector has learned.
    pub learned: Option<Learned>,
    /// What was not looked at, and why.
    pub not_looked: Vec<NotLooked>,
}

/// Whether a region can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// On, and cannot be switched off.
    Always,
    /// Switched on by somebody.
    On,
    /// Off: whoever may call `account:EnableRegion` can use it.
    Off,
}

/// What was read in one region.
#[derive(Clone, Debug, Default)]
pub struct Region {
    /// The rules of the default bus that may hear CloudTrail: in the hub all that have a target, elsewhere those that
    /// forward to the hub.
    pub rules: Option<Vec<Rule>>,
    /// Whether Bedrock logs what models are called with.
    pub invocation_logging: Option<bool>,
    /// The log group that it goes to, if it goes to one.
    pub invocation_log_group: Option<String>,
    /// What SES lets the account send.
    pub mail: Option<Mail>,
    /// What text messages over SNS may cost in a month, in US dollars.
    pub sns_monthly_usd: Option<f64>,
    /// What messages may cost in a month.
    pub spend_limits: Option<Vec<SpendLimit>>,
    /// The services with metrics in the last two weeks: those in use.
    pub metered: Option<BTreeSet<Service>>,
}

/// An EventBridge rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// What it hears, if it is on.
    pub state: RuleState,
    /// Its pattern, as JSON.
    pub pattern: String,
}

/// What a rule hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RuleState {
    /// Nothing.
    Disabled,
    /// What writes, and data events.
    Enabled,
    /// All of CloudTrail, read-only management events too.
    EnabledWithAll,
}

/// A CloudTrail trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trail {
    /// Its name.
    pub name: String,
    /// The region that it is managed in.
    pub home: String,
    /// Whether it records every region.
    pub every_region: bool,
    /// Whether it is the organisation's.
    pub of_organisation: bool,
    /// Whether it logs.
    pub logging: Option<bool>,
    /// What it records.
    pub selectors: Option<Selectors>,
}

/// What a trail records, in either of the two languages for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selectors {
    /// Event selectors.
    Basic(Vec<BasicSelector>),
    /// Advanced event selectors.
    Advanced(Vec<AdvancedSelector>),
}

/// An event selector. Its data resources are S3, Lambda and DynamoDB alone, which are none of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BasicSelector {
    /// Whether what reads is recorded.
    pub reads: bool,
    /// Whether what writes is recorded.
    pub writes: bool,
    /// Whether management events are.
    pub management: bool,
    /// Event sources whose management events are left out.
    pub excluded: Vec<String>,
}

/// An advanced event selector: every field has to agree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AdvancedSelector {
    /// What each field has to be.
    pub fields: Vec<FieldSelector>,
}

/// What a field of an event has to be. Empty lists ask for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldSelector {
    /// The field, as in `eventCategory` or `resources.type`.
    pub field: String,
    /// One of these.
    pub equals: Vec<String>,
    /// None of these.
    pub not_equals: Vec<String>,
    /// Begins like one of these.
    pub starts_with: Vec<String>,
    /// Begins like none of these.
    pub not_starts_with: Vec<String>,
    /// Ends like one of these.
    pub ends_with: Vec<String>,
    /// Ends like none of these.
    pub not_ends_with: Vec<String>,
}

/// What SES lets an account send in a region.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mail {
    /// Whether it may send at all.
    pub sending: bool,
    /// Whether it is out of the sandbox.
    pub production: bool,
    /// Mails in 24 hours; none when unlimited.
    pub per_day: Option<f64>,
    /// Mails that were sent in the last 24 hours.
    pub sent_last_day: f64,
}

/// What messages of one sort may cost in a month.
#[derive(Clone, Debug, PartialEq)]
pub struct SpendLimit {
    /// The sort, as in `TEXT_MESSAGE_MONTHLY_SPEND_LIMIT`.
    pub name: String,
    /// US dollars that are held to.
    pub enforced_usd: f64,
    /// US dollars that AWS would allow.
    pub maximum_usd: f64,
}

/// A budget.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// Its name.
    pub name: String,
    /// The services that it is held to, as bills name them; empty when it is held to something else, or to nothing.
    pub services: Vec<String>,
    /// Whether it covers everything that the account costs.
    pub whole_account: bool,
    /// Who hears when it is spent: mail addresses and topics.
    pub subscribers: Option<Vec<String>>,
}

/// A monitor of Cost Anomaly Detection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CostMonitor {
    /// Its name.
    pub name: String,
    /// Who hears of what it finds: mail addresses and topics.
    pub subscribers: Vec<String>,
}

/// An SNS topic, and who tells it something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topic {
    /// Its ARN.
    pub arn: String,
    /// The services that are to publish to it, as in `budgets.amazonaws.com`.
    pub told_by: BTreeSet<String>,
    /// Its policy, as JSON.
    pub policy: String,
    /// The key that encrypts it.
    pub key: Option<String>,
}

/// A user or a role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Principal {
    /// Its ARN.
    pub arn: String,
    /// Whether it is an AWS service's own role, which nobody else can become.
    pub of_service: bool,
    /// Every policy that is its own, its groups' or attached to either, as JSON.
    pub policies: Vec<String>,
    /// Its permissions boundary, as JSON. A boundary that could not be read is empty text.
    pub boundary: Option<String>,
}

/// A long-term credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The ARN of the user that it is of.
    pub user: String,
    /// Its id.
    pub id: String,
    /// The service that it is for; none for an access key.
    pub service: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends by itself.
    pub expires: Option<Timestamp>,
    /// Whether it works.
    pub active: bool,
}

/// What an organisation holds an account to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Organisation {
    /// It is in none.
    None,
    /// It is the management account, which no service control policy binds.
    Management,
    /// It is a member, bound by these policies (JSON), where they could be read.
    Member(Option<Vec<String>>),
}

/// What a deployed detector has learned of the account.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Learned {
    /// What each service is used for.
    pub services: BTreeMap<Service, LearnedUse>,
    /// The canary's regions, with the misses in a row of each.
    pub canary: BTreeMap<String, u32>,
}

/// What the detector knows of one service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LearnedUse {
    /// The most units of a day: recipients, messages, model calls.
    pub peak_day: u64,
    /// The regions that it is used in.
    pub regions: BTreeSet<String>,
}

/// Something that was not looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct NotLooked {
    /// The IAM action that was wanted, as in `ses:GetAccount`, or another name of what was to be looked at.
    pub what: String,
    /// The region; none for what has none.
    pub region: Option<String>,
    /// Why.
    pub why: String,
}

impl Inventory {
    /// The region that records what is of no region: IAM, Budgets, Account, Organizations.
    pub(crate) fn global_region(&self) -> &'static str {
        match self.partition.as_str() {
            "aws-us-gov" => "us-gov-west-1",
            "aws-cn" => "cn-north-1",
            _ => "us-east-1",
        }
    }

    /// The regions that are on, as far as it is known: the ones that were read, where it is not.
    pub fn regions_on(&self) -> BTreeSet<&str> {
        match &self.switches {
            Some(switches) => {
                let on = switches.iter().filter(|(_, switch)| **switch != Switch::Off);
                on.map(|(name, _)| name.as_str()).collect()
            }
            None => self.regions.keys().map(String::as_str).collect(),
        }
    }
}
