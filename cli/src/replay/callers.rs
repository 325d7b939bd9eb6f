//! Who did most on the watched services, and from where.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use serde::Serialize;
use tripmeter_model::{Activity, Identity, Network, bounded};

/// Identities that are kept before the quieter half is forgotten: an attacker can invent any number of them.
const KEPT: usize = 8_192;

/// Regions, networks and services that are kept of each.
const PLACES: usize = 8;

/// Activities by identity, in bounds.
#[derive(Debug, Default)]
pub(crate) struct Callers(HashMap<String, Caller>);

/// What one identity did.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Caller {
    /// Its durable id.
    pub(crate) identity: String,
    /// What people call it.
    pub(crate) name: String,
    /// The account whose services it used first.
    pub(crate) account: String,
    /// Calls of watched services.
    pub(crate) activities: u64,
    /// Which services.
    pub(crate) services: Places,
    /// From which regions.
    pub(crate) regions: Places,
    /// From which networks.
    pub(crate) networks: Places,
}

/// A few values, and whether there are more.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Places {
    pub(crate) first: BTreeSet<String>,
    pub(crate) more: bool,
}

impl Places {
    fn add(&mut self, value: &str) {
        if value.is_empty() || self.more || self.first.contains(value) {
            return;
        }
        self.more = self.first.len() == PLACES;
        if !self.more {
            self.first.insert(bounded(value, 64));
        }
    }
}

impl fmt::Display for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first.is_empty() {
            return f.write_str("none that records name");
        }
        let mut separator = "";
        for place in &self.first {
            write!(f, "{separator}{place}")?;
            separator = ", ";
        }
        f.write_str(if self.more { " and more" } else { "" })
    }
}

impl Callers {
    /// Counts an activity.
    pub(crate) fn add(&mut self, activity: &Activity) {
        if let Some(caller) = self.0.get_mut(&activity.identity.id) {
            caller.add(activity);
            return;
        }
        if self.0.len() >= KEPT {
            self.forget_the_quiet();
        }
        let mut caller = Caller::new(&activity.identity, &activity.account);
        caller.add(activity);
        self.0.insert(activity.identity.id.clone(), caller);
    }

    /// The busiest, busiest first.
    pub(crate) fn top(&self, n: usize) -> Vec<Caller> {
        let mut callers: Vec<&Caller> = self.0.values().collect();
        callers.sort_by(|a, b| (b.activities, &a.identity).cmp(&(a.activities, &b.identity)));
        callers.into_iter().take(n).cloned().collect()
    }

    fn forget_the_quiet(&mut self) {
        let mut counts: Vec<u64> = self.0.values().map(|caller| caller.activities).collect();
        let middle = counts.len() / 2;
        let (_, &mut median, _) = counts.select_nth_unstable(middle);
        self.0.retain(|_, caller| caller.activities > median);
    }
}

impl Caller {
    fn new(identity: &Identity, account: &str) -> Self {
        Self {
            identity: identity.id.clone(),
            name: identity.short_name(),
            account: account.to_owned(),
            activities: 0,
            services: Places::default(),
            regions: Places::default(),
            networks: Places::default(),
        }
    }

    fn add(&mut self, activity: &Activity) {
        let Network(network) = &activity.origin.network;
        self.activities += 1;
        self.services.add(activity.service.name());
        self.regions.add(&activity.region);
        self.networks.add(network);
    }
}

#[cfg(test)]
mod tests {
    use tripmeter_model::{
        Client, Digest, IdentityKind, Kind, Origin, Outcome, Quantity, Service, Session, Source, Timestamp,
    };

    use super::*;

    fn call(user: usize, region: usize) -> Activity {
        Activity {
            time: Timestamp::default(),
            event_id: None,
            account: "111122223333".to_owned(),
            region: format!("region-{region}"),
            service: Service::Ses,
            call: "SendEmail".to_owned(),
            kind: Kind::Use,
            outcome: Outcome::Success,
            identity: Identity {
                kind: IdentityKind::IamUser,
                id: format!("arn:aws:iam::111122223333:user/u{user}"),
            },
            session: Session::default(),
            origin: Origin {
                source: Source::Hidden,
                network: Network("hidden".to_owned()),
                client: Client("boto3".to_owned()),
            },
            target: None,
            quantity: Quantity::ONE,
            effect: None,
            routine: false,
            grave: false,
            links: Vec::new(),
            issued: None,
            shape: Digest(0),
            why: String::new(),
        }
    }

    #[test]
    fn the_busiest_identity_stands_out_of_a_flood_of_invented_ones() {
        let mut callers = Callers::default();
        for user in 0..3 * KEPT {
            callers.add(&call(user, 0));
            callers.add(&call(7, user));
        }

        let top = callers.top(1);

        assert_eq!(
            (top[0].name.as_str(), top[0].activities),
            ("user u7", 3 * KEPT as u64 + 1)
        );
        assert_eq!((top[0].regions.first.len(), top[0].regions.more), (PLACES, true));
        assert!(callers.0.len() <= KEPT);
    }
}
