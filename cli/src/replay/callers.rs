//! Who did most on the watched services, and from where.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;
use tripmeter_model::{Activity, Identity, Network};

/// Identities that are kept before the quietest half is forgotten. An attacker can invent any number of them.
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
            self.first.insert(value.to_owned());
        }
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
