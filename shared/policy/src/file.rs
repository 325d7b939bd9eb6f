//! The policy file in force: what it answers to the engine, and what it says about itself.

use std::collections::BTreeMap;
use std::net::IpAddr;

use tripmeter_model::{Case, DAY, Identity, Origin, Owner, Policy, Service, Severity, Suppression, Timestamp};

use crate::builtin::{self, Builtin};
use crate::pattern::Pattern;
use crate::problem::{PolicyError, Problem};
use crate::read;
use crate::rules::{Automation, Campaign, Mute, Ownership, Regions, Rule, VouchedNetwork};

/// How long before its end a rule is said to expire soon, in seconds.
const SOON: i64 = 30 * DAY;

/// An exception is looked at once a year, at least: it may not reach further than this, in seconds.
pub(crate) const FARTHEST: i64 = 366 * DAY;

/// A policy file, valid and in force. [`PolicyFile::default`] is no file at all: the rules that ship, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFile {
    pub(crate) regions: Regions,
    pub(crate) automation: Vec<Automation>,
    pub(crate) campaigns: Vec<Campaign>,
    pub(crate) mutes: Vec<Mute>,
    pub(crate) networks: Vec<VouchedNetwork>,
    pub(crate) owners: Vec<Ownership>,
    pub(crate) accounts: BTreeMap<String, String>,
    pub(crate) builtin: Vec<(Builtin, Rule)>,
    pub(crate) warnings: Vec<Problem>,
}

/// What a person should know about a policy file on a given day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What makes the file unfit, on that day: exceptions that reach too far ahead.
    pub errors: Vec<Problem>,
    /// What looks wrong.
    pub warnings: Vec<Problem>,
    /// Rules that stop holding within 30 days, soonest first.
    pub expires_soon: Vec<Rule>,
    /// Rules that hold no more, longest first.
    pub expired: Vec<Rule>,
}

impl Default for PolicyFile {
    fn default() -> Self {
        Self {
            regions: Regions::default(),
            automation: Vec::new(),
            campaigns: Vec::new(),
            mutes: Vec::new(),
            networks: Vec::new(),
            owners: Vec::new(),
            accounts: BTreeMap::new(),
            builtin: Builtin::ALL.map(|b| (b, b.rule())).to_vec(),
            warnings: Vec::new(),
        }
    }
}

impl PolicyFile {
    /// Reads a policy file.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with line, column and what to do.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        read::policy_file(text)
    }

    /// The policy, with these regions allowed where the file has no `[regions]`: what a deployment says in its
    /// parameters, until somebody writes it down. No regions are none to hold anybody to.
    ///
    /// ```
    /// use tripmeter_model::{Policy, Service, Timestamp};
    /// use tripmeter_policy::PolicyFile;
    ///
    /// let policy = PolicyFile::default().or_regions(["eu-west-1"]);
    /// assert!(!policy.region_allowed("111122223333", Service::Ses, "us-east-1", Timestamp::default()));
    /// ```
    #[must_use]
    pub fn or_regions<'r>(mut self, allowed: impl IntoIterator<Item = &'r str>) -> Self {
        let allowed: Vec<Pattern> = allowed.into_iter().map(Pattern::new).collect();
        if self.regions == Regions::default() && !allowed.is_empty() {
            self.regions.everywhere.all = Some(allowed);
        }
        self
    }

    /// Every rule that may keep something quiet, those that ship last: what a summary is held against.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        let automation = self.automation.iter().map(|a| &a.rule);
        let campaigns = self.campaigns.iter().map(|c| &c.rule);
        let mutes = self.mutes.iter().map(|m| &m.rule);
        let networks = self.networks.iter().map(|n| &n.rule);
        let builtin = self.builtin.iter().map(|(_, rule)| rule);
        automation.chain(campaigns).chain(mutes).chain(networks).chain(builtin)
    }

    /// The rule that vouches for an address at a time: what [`Policy::network_vouched`] answers, by name.
    pub fn vouched_by(&self, account: &str, address: IpAddr, at: Timestamp) -> Option<&Rule> {
        let network = self.networks.iter().find(|n| n.vouches(account, address, at))?;
        Some(&network.rule)
    }

    /// What to know about the file: with `today`, also what has expired, does so soon, or reaches too far ahead.
    pub fn report(&self, today: Option<Timestamp>) -> Report {
        let mut report = Report {
            warnings: self.warnings.clone(),
            ..Report::default()
        };
        let Some(today) = today else {
            return report;
        };
        let mut ending: Vec<(Timestamp, &Rule)> = self.rules().filter_map(|r| Some((r.expires?, r))).collect();
        ending.sort_by_key(|(expires, _)| *expires);
        for (expires, rule) in ending {
            if expires <= today {
                report.expired.push(rule.clone());
            } else if expires <= today.plus(SOON) {
                report.expires_soon.push(rule.clone());
            } else if expires > today.plus(FARTHEST) {
                report.errors.push(Problem {
                    line: rule.line.unwrap_or(1),
                    column: 1,
                    message: format!(
                        "'{}' holds until {expires}, more than 366 days ahead; choose a day by which {} looks again",
                        rule.id, rule.owner
                    ),
                });
            }
        }
        report
    }
}

impl Policy for PolicyFile {
    fn region_allowed(&self, account: &str, service: Service, region: &str, _: Timestamp) -> bool {
        self.regions.allow(account, service, region)
    }

    fn network_vouched(&self, account: &str, address: IpAddr, at: Timestamp) -> bool {
        self.vouched_by(account, address, at).is_some()
    }

    fn announced(
        &self,
        account: &str,
        service: Service,
        identity: &Identity,
        at: Timestamp,
    ) -> Option<(Suppression, Option<u64>)> {
        self.campaigns
            .iter()
            .filter(|c| c.announces(account, service, identity, at))
            .max_by_key(|c| c.expected)
            .map(|c| (c.rule.suppression(), Some(c.expected)))
    }

    fn suppressed(&self, case: &Case<'_>) -> Option<Suppression> {
        let approved = self.automation.iter().find(|a| a.suppresses(case)).map(|a| &a.rule);
        approved
            .or_else(|| self.mutes.iter().find(|m| m.suppresses(case)).map(|m| &m.rule))
            .map(Rule::suppression)
    }

    fn capped(&self, case: &Case<'_>) -> Option<(Suppression, Severity)> {
        self.builtin
            .iter()
            .find_map(|(builtin, rule)| builtin.cap(case).map(|severity| (rule.suppression(), severity)))
    }

    fn owner(&self, account: &str, service: Service, identity: &Identity) -> Option<Owner> {
        Ownership::of(&self.owners, account, service, identity).cloned()
    }

    fn account_name(&self, account: &str) -> Option<String> {
        self.accounts.get(account).cloned()
    }

    fn is_aws_itself(&self, identity: &Identity, invoked_by: Option<&str>, origin: &Origin) -> bool {
        builtin::is_aws_itself(identity, invoked_by, origin)
            && self.builtin.iter().any(|(b, _)| *b == Builtin::AwsServices)
    }
}
