//! What an account may hold: everything that a caller can make grow has a bound.

use tripmeter_model::{DAY, Digest, HOUR, Service, Timestamp};

use super::{Account, Bench};

/// Profiles of one account. Of more, those that were idle for longest are forgotten, and learned anew if they come
/// back: IAM allows 5,000 users, and whoever makes more identities than this is seen in the account's whole. A flood of
/// 300,000 identities is judged in less than 150 MB.
const MAX_PROFILES: usize = 6_000;
/// Habits of one account.
const MAX_HABITS: usize = 50_000;
/// Callers remembered of one new network.
const MAX_CALLERS: usize = 64;

impl Account {
    /// Notes what an identity does on a day.
    pub(super) fn note_habit(&mut self, who: Digest, shape: Digest, day: i32) {
        if self.habits.len() < MAX_HABITS || self.habits.contains_key(&(who, shape)) {
            self.habits.entry((who, shape)).or_default().note(day);
        }
    }

    /// Remembers who called from a network that is new to the account.
    pub(super) fn note_caller(&mut self, network: Digest, key: (Service, Digest)) {
        let callers = self.callers.entry(network).or_default();
        if callers.len() < MAX_CALLERS {
            callers.insert(key);
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
            .filter(|(key, _)| !self.uses.contains_key(key))
            .map(|(key, used)| (used.profile.last_use, *key))
            .collect();
        idle.sort_unstable();
        for (_, key) in idle.into_iter().take(MAX_PROFILES / 4) {
            self.used.remove(&key);
            self.anomalous.remove(&key);
        }
    }

    /// Once a day: folds what is idle and forgets what cannot matter any more.
    pub(super) fn sweep(&mut self, now: Timestamp, bench: &Bench<'_>) {
        let day = now.day();
        let idle: Vec<(Service, Digest)> = self
            .used
            .iter()
            .filter(|(_, used)| now.since(used.profile.last_use) > 6 * HOUR)
            .map(|(key, _)| *key)
            .collect();
        for key in idle {
            self.settle(key, now.hour(), bench);
            if let Some(used) = self.used.get_mut(&key) {
                used.profile.fold(&mut used.around, now, &bench.identity);
            }
        }
        self.ledger
            .expire(now.plus(-3 * bench.settings.correlation() - 2 * DAY));
        self.habits.retain(|_, days| days.seen_since(day - 63));
        self.changed_in.retain(|_, first| *first > day - 400);
        self.hushed.retain(|(_, _, of)| *of >= day - 2);
        let since = now.plus(-bench.settings.correlation() - DAY);
        let seen = &self.seen;
        self.callers.retain(|network, _| {
            seen.first(crate::novelty::Attribute::Network, *network)
                .is_some_and(|first| first >= since)
        });
    }
}
