//! What the engine asks of the policy file. The file itself is read elsewhere; [`NoPolicy`] is its absence.

use std::net::IpAddr;

use crate::{Family, Identity, Kind, Origin, Owner, Service, Severity, Suppression, Timestamp};

/// A finding about to be made, as exceptions look at it.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// The account.
    pub account: &'a str,
    /// The region with most of it.
    pub region: &'a str,
    /// The service.
    pub service: Service,
    /// Who.
    pub identity: &'a Identity,
    /// The kind of finding.
    pub family: Family,
    /// The kind of activity that it is about.
    pub kind: Kind,
    /// Its severity, were nothing said.
    pub severity: Severity,
    /// The AWS service that called for the identity, where every call of the finding was made by it.
    pub invoked_by: Option<&'a str>,
    /// The client family, where every call of the finding came from it.
    pub client: Option<&'a str>,
    /// When it began.
    pub first_seen: Timestamp,
    /// The latest activity.
    pub last_seen: Timestamp,
    /// Units in its busiest hour.
    pub units_per_hour: u64,
    /// Units in its busiest day.
    pub units_per_day: u64,
}

/// What the policy file decides. Every answer holds at an event time: an exception that has expired by then is none.
/// By default nothing is excepted and every region is allowed.
#[expect(unused_variables, reason = "the names say what an answer may depend on")]
pub trait Policy {
    /// Whether `service` may be used in `region` of `account`. With no list of allowed regions, everywhere.
    fn region_allowed(&self, account: &str, service: Service, region: &str, at: Timestamp) -> bool {
        true
    }

    /// Whether the network is one that people vouched for: never new.
    fn network_vouched(&self, account: &str, address: IpAddr, at: Timestamp) -> bool {
        false
    }

    /// The campaign that announces use at this time, if one does, and the units a day it expects
    /// (`None`: any volume).
    fn announced(
        &self,
        account: &str,
        service: Service,
        identity: &Identity,
        at: Timestamp,
    ) -> Option<(Suppression, Option<u64>)> {
        None
    }

    /// The rule that keeps the whole finding quiet (a mute, approved automation within its ceilings).
    fn suppressed(&self, case: &Case<'_>) -> Option<Suppression> {
        None
    }

    /// The rule that holds the finding's severity down, and to what.
    fn capped(&self, case: &Case<'_>) -> Option<(Suppression, Severity)> {
        None
    }

    /// Whom to ask about it.
    fn owner(&self, account: &str, service: Service, identity: &Identity) -> Option<Owner> {
        None
    }

    /// What people call the account.
    fn account_name(&self, account: &str) -> Option<String> {
        None
    }

    /// Whether an origin is an AWS service acting on its own for the identity, by a rule that ships: such use
    /// and such reads are nobody's probe. Keyed on what AWS sets, never on a name that a caller may choose.
    fn is_aws_itself(&self, identity: &Identity, invoked_by: Option<&str>, origin: &Origin) -> bool {
        false
    }
}

/// No policy file: every region allowed, nothing excepted, nobody named.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoPolicy;

impl Policy for NoPolicy {}
