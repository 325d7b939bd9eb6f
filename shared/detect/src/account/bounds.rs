//! What an account may hold: everything that a caller can make grow has a bound.

use tripmeter_model::{DAY, Digest, HOUR, Service, Timestamp};

use super::{Account, Bench};
use crate::person::Person;

/// Profiles of one account. Of more, those that were idle for longest are forgotten, and learned anew if they come
/// back: IAM allows 5,000 users, and whoever makes more identities than this is seen in the account's whole. A flood of
/// 300,000 identities is judged in less than 150 MB.
const MAX_PROFILES: usize = 6_000;
/// Callers remembered of one new network.
const MAX_CALLERS: usize = 64;

impl Account {
    /// Remembers who called from a network that is new to the account.
    pub(super) fn note_caller(&mut self, network: Digest, key: (Service, Digest)) {
        let callers = self.callers.entry(network).or_default();
        if callers.len() < MAX_CALLERS {
            callers.insert(key);
        }
    }

    /// Remembers a profile with hours that an opening by anybody could make worse.
    pub(super) fn note_anomalous(&mut self, (service, who): (Service, Digest)) {
        self.anomalous.entry(service).or_default().insert(who);
    }

    /// Forgets it.
    pub(super) fn note_usual(&mut self, (service, who): (Service, Digest)) {
        if let Some(anomalous) = self.anomalous.get_mut(&service) {
            anomalous.remove(&who);
        }
    }

    /// Makes room for a profile, if there are too many: a quarter goes, those that were idle for longest.
    pub(super) fn make_room(&mut self) {
        if self.used.len() < MAX_PROFILES {
            return;
        }
        let mut idle: Vec<(Timestamp, (Service, Digest))> = self
            .used
            .iter()
            .filter(|(_, used)| used.episode.is_none())
            .map(|(key, used)| (used.profile.last_use, *key))
            .collect();
        idle.sort_unstable();
        for (_, key) in idle.into_iter().take(MAX_PROFILES / 4) {
            self.used.remove(&key);
            self.note_usual(key);
            if let Some(person) = self.persons.get_mut(&key.1) {
                person.uses.remove(&key.0);
                if *person == Person::default() {
                    self.persons.remove(&key.1);
                }
            }
        }
    }

    /// Once a day: folds what is idle and forgets what cannot matter any more.
    pub(super) fn sweep(&mut self, now: Timestamp, bench: &Bench<'_>) {
        let day = now.day();
        let idle = |used: &super::Used| now.since(used.profile.last_use) > 6 * HOUR;
        for key in self.used.keys_where(|_, used| idle(used)) {
            self.settle(key, now.hour(), bench);
            if let Some(used) = self.used.get_mut(&key) {
                used.profile.fold(&mut used.around, now, &bench.identity);
            }
        }
        let ledger_since = now.plus(-3 * bench.settings.correlation() - 2 * DAY);
        self.ledger.expire(ledger_since);
        self.persons
            .retain(|_, person| person.expire(day, ledger_since) || !person.uses.is_empty());
        let since = now.plus(-bench.settings.correlation() - DAY);
        let seen = &self.seen;
        self.callers.retain(|network, _| {
            seen.first(crate::novelty::Attribute::Network, *network)
                .is_some_and(|first| first >= since)
        });
    }
}
