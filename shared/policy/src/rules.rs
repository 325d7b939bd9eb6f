//! What a policy file holds, as types: who and what a rule covers, until when, on whose word.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use tripmeter_model::{Case, Family, Identity, Owner, Service, Severity, Suppression, Timestamp};

use crate::pattern::{IdentityPattern, Pattern, TypePattern};

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleKind {
    /// `[[automation]]`: work that is approved up to a ceiling.
    Automation,
    /// `[[campaign]]`: use that is announced.
    Campaign,
    /// `[[mute]]`: findings that nobody wants to read.
    Mute,
    /// `[[network]]`: addresses that are never new.
    Network,
    /// A rule that ships.
    Builtin,
}

impl RuleKind {
    /// The word that the file and default ids use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Automation => "automation",
            Self::Campaign => "campaign",
            Self::Mute => "mute",
            Self::Network => "network",
            Self::Builtin => "builtin",
        }
    }
}

/// An exception: what it is called, on whose word, why, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The id that findings and summaries name it by: the file's own, or `KIND:POSITION:WORDS-OF-THE-REASON`.
    pub id: String,
    /// What it does.
    pub kind: RuleKind,
    /// Who answers for it.
    pub owner: String,
    /// Why it is there.
    pub reason: String,
    /// The first moment at which it no longer holds; a rule that ships has none.
    pub expires: Option<Timestamp>,
    /// Its line in the file, from 1; a rule that ships has none.
    pub line: Option<usize>,
}

impl Rule {
    pub(crate) fn holds(&self, at: Timestamp) -> bool {
        self.expires.is_none_or(|expires| at < expires)
    }

    pub(crate) fn suppression(&self) -> Suppression {
        Suppression {
            rule: self.id.clone(),
            reason: self.reason.clone(),
        }
    }
}

/// Whom and what a rule covers; an empty list covers all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) identities: Vec<IdentityPattern>,
    pub(crate) services: Vec<Service>,
    pub(crate) accounts: Vec<String>,
}

impl Scope {
    pub(crate) fn covers(&self, account: &str, service: Service, identity: &Identity) -> bool {
        (self.services.is_empty() || self.services.contains(&service))
            && covers_account(&self.accounts, account)
            && (self.identities.is_empty() || self.identities.iter().any(|p| p.matches(identity, account)))
    }

    pub(crate) fn is_everything(&self) -> bool {
        self.narrowness() == 0
    }

    /// How much it narrows: an identity more than an account's service, that more than an account, and that more
    /// than a service.
    fn narrowness(&self) -> u8 {
        u8::from(!self.identities.is_empty()) * 4
            + u8::from(!self.accounts.is_empty()) * 2
            + u8::from(!self.services.is_empty())
    }
}

fn covers_account(accounts: &[String], account: &str) -> bool {
    accounts.is_empty() || accounts.iter().any(|a| a == account)
}

/// Work that is approved: what these identities do on these services is no finding, up to a ceiling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Automation {
    pub(crate) rule: Rule,
    pub(crate) scope: Scope,
    /// Units in the busiest hour up to which it holds.
    pub(crate) per_hour: u64,
    /// Units in the busiest day up to which it holds.
    pub(crate) per_day: u64,
}

impl Automation {
    /// Automation is approved to work, not to blind a control, hand out keys or leave its regions; and whoever
    /// steals its key does what it may, so an opening with use that leaves its baseline is said all the same.
    const NEVER_APPROVED: [Family; 6] = [
        Family::GuardrailRemoved,
        Family::CredentialIssued,
        Family::LeakedKey,
        Family::DeniedRegion,
        Family::Hijack,
        Family::TelemetryLost,
    ];

    pub(crate) fn suppresses(&self, case: &Case<'_>) -> bool {
        self.rule.holds(case.last_seen)
            && case.units_per_hour <= self.per_hour
            && case.units_per_day <= self.per_day
            && !Self::NEVER_APPROVED.contains(&case.family)
            && self.scope.covers(case.account, case.service, case.identity)
    }
}

/// Use that is announced: so many units a day, from here to there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Campaign {
    pub(crate) rule: Rule,
    pub(crate) scope: Scope,
    pub(crate) from: Timestamp,
    /// Units a day.
    pub(crate) expected: u64,
}

impl Campaign {
    pub(crate) fn announces(&self, account: &str, service: Service, identity: &Identity, at: Timestamp) -> bool {
        self.from <= at && self.rule.holds(at) && self.scope.covers(account, service, identity)
    }
}

/// Findings that nobody wants to read, up to a severity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mute {
    pub(crate) rule: Rule,
    pub(crate) types: Vec<TypePattern>,
    pub(crate) scope: Scope,
    pub(crate) max_severity: Severity,
}

impl Mute {
    /// What a mute hides that does not say how much it hides.
    pub(crate) const DEFAULT_MAX_SEVERITY: Severity = Severity::Medium;

    pub(crate) fn suppresses(&self, case: &Case<'_>) -> bool {
        self.rule.holds(case.last_seen)
            && case.severity <= self.max_severity
            && self.types.iter().any(|t| t.matches(case.service, case.family))
            && self.scope.covers(case.account, case.service, case.identity)
    }
}

/// Addresses that somebody vouches for: they are never a new network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VouchedNetwork {
    pub(crate) rule: Rule,
    pub(crate) cidr: IpNet,
    pub(crate) accounts: Vec<String>,
}

impl VouchedNetwork {
    pub(crate) fn vouches(&self, account: &str, address: IpAddr, at: Timestamp) -> bool {
        self.cidr.contains(&address) && self.rule.holds(at) && covers_account(&self.accounts, account)
    }
}

/// Whom to ask about what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ownership {
    pub(crate) scope: Scope,
    pub(crate) owner: Owner,
}

impl Ownership {
    /// The owner whose scope is the narrowest; of equals, the one that the file names first.
    pub(crate) fn of<'o>(
        owners: &'o [Ownership],
        account: &str,
        service: Service,
        identity: &Identity,
    ) -> Option<&'o Owner> {
        owners
            .iter()
            .filter(|o| o.scope.covers(account, service, identity))
            .min_by_key(|o| std::cmp::Reverse(o.scope.narrowness()))
            .map(|o| &o.owner)
    }
}

/// The regions in which services may be used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Regions {
    pub(crate) everywhere: RegionLists,
    pub(crate) by_account: BTreeMap<String, RegionLists>,
}

/// `all`, and each service that has a list of its own. An empty list allows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RegionLists {
    pub(crate) all: Option<Vec<Pattern>>,
    pub(crate) by_service: Vec<(Service, Vec<Pattern>)>,
}

/// Services with one endpoint for the whole partition: their records name that endpoint's region (us-east-1 in
/// `aws`) whatever regions an account uses, so `all` is not about them. IAM Identity Center is in one region of an
/// organisation, which is seldom where its accounts work.
/// <https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/global-services.html>
const GLOBAL: [Service; 12] = [
    Service::Iam,
    Service::Sts,
    Service::Signin,
    Service::Account,
    Service::Organizations,
    Service::IdentityCenter,
    Service::Billing,
    Service::FreeTier,
    Service::Budgets,
    Service::CostExplorer,
    Service::Support,
    Service::Marketplace,
];

impl Regions {
    /// Whether the narrowest list that is there allows it: the account's for the service, the account's for all,
    /// the service's, that for all. No list, or no region in the record, allows.
    pub(crate) fn allow(&self, account: &str, service: Service, region: &str) -> bool {
        let of_account = self.by_account.get(account);
        of_account
            .and_then(|lists| lists.list(service))
            .or_else(|| self.everywhere.list(service))
            .is_none_or(|list| region.is_empty() || list.iter().any(|p| p.matches(region)))
    }
}

impl RegionLists {
    fn list(&self, service: Service) -> Option<&[Pattern]> {
        let own = self
            .by_service
            .iter()
            .find(|(s, _)| *s == service)
            .map(|(_, list)| list);
        own.or_else(|| self.all.as_ref().filter(|_| !GLOBAL.contains(&service)))
            .map(Vec::as_slice)
    }
}
