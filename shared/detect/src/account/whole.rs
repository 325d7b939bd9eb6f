//! What all identities of the account do on one service together.

use std::collections::BTreeMap;

use tripmeter_model::{
    Cause, ContextSeen, Digest, Factor, FactorName, Family, Finding, FindingType, Identity, Kind, Service, Tactic,
    Timestamp,
};

use super::{Account, Bench, WholeEpisode, WholeKey};
use crate::account_service::Breadth;
use crate::baseline::Horizon;
use crate::detections::{account_use, ceiling, spend_signal};
use crate::episode::{Draft, close, publish};
use crate::explain;
use crate::part::{Moved, PartKey};

/// Identities that a finding about many of them names.
const MAX_NAMED: usize = 5;

impl Account {
    /// Keeps what the whole did on days that are about to be folded, where an episode is about them.
    pub(super) fn keep_whole_journals(&mut self, service: Service, time: Timestamp, bench: &Bench<'_>) {
        let through = crate::baseline::foldable_through(time, bench.settings.lateness());
        let Some(whole) = self.services.get_mut(&service) else {
            return;
        };
        for episode in whole.episodes.values_mut() {
            while let Some(day) = episode.days.first().copied().filter(|day| *day <= through) {
                episode.days.remove(&day);
                if let Some(open) = whole.profile.day(day) {
                    episode.settled.merge(&open.seen());
                }
            }
        }
    }

    /// Every episode of a service as a whole, in order.
    pub(super) fn whole_keys(&self) -> Vec<WholeKey> {
        let services = self.services.keys_where(|_, _| true);
        let keys = services.into_iter().flat_map(|service| {
            let episodes = self.services.get(&service).map(|whole| &whole.episodes);
            episodes
                .into_iter()
                .flatten()
                .map(move |((family, day), _)| (service, *family, *day))
        });
        keys.collect()
    }

    fn whole(&self, (service, family, day): WholeKey) -> Option<&WholeEpisode> {
        self.services.get(&service)?.episodes.get(&(family, day))
    }

    fn whole_mut(&mut self, (service, family, day): WholeKey) -> Option<&mut WholeEpisode> {
        self.services.get_mut(&service)?.episodes.get_mut(&(family, day))
    }

    /// Closes what did not rise again, and forgets it when it could not go on any more.
    pub(super) fn close_wholes(&mut self, now: Timestamp, bench: &Bench<'_>, out: &mut Vec<Moved>) {
        let quiet = now.plus(-bench.settings.closing() - bench.settings.lateness()).day();
        let over = quiet - bench.settings.reopen_days as i32;
        for key in self.whole_keys() {
            let Some(draft) = self.whole_draft(key, bench) else {
                continue;
            };
            let Some(episode) = self.whole_mut(key).filter(|episode| episode.last_day < quiet) else {
                continue;
            };
            let part = PartKey::Service(key.0);
            close(draft, &mut episode.published, part, now, bench.policy, out);
            if episode.last_day < over {
                self.ended.extend(self.whole_finding(key, bench));
                if let Some(whole) = self.services.get_mut(&key.0) {
                    whole.episodes.remove(&(key.1, key.2));
                }
            }
        }
    }

    /// The episode that a day belongs to: one that rose within a week, or a new one.
    fn whole_key(&self, service: Service, family: Family, day: i32, bench: &Bench<'_>) -> WholeKey {
        let reach = bench.settings.reopen_days as i32 + 1;
        let episodes = self.services.get(&service).map(|whole| &whole.episodes);
        let going_on = episodes
            .into_iter()
            .flatten()
            .find(|((kind, first), episode)| *kind == family && day >= *first && day <= episode.last_day + reach);
        going_on.map_or((service, family, day), |((_, first), _)| (service, family, *first))
    }

    /// Judges what all identities of the account do on a service together.
    pub(super) fn judge_whole(
        &mut self,
        service: Service,
        hour: i64,
        broader: &[Breadth],
        time: Timestamp,
        bench: &Bench<'_>,
        out: &mut Vec<Moved>,
    ) {
        let day = hour.div_euclid(24) as i32;
        let Some(shared) = self.services.get_mut(&service).map(|whole| &mut whole.profile) else {
            return;
        };
        if shared.day(day).is_none_or(|open| open.announced) {
            return;
        }
        let mut factors = Vec::new();
        let expected = shared.expected(hour, &bench.account);
        let used = &self.used;
        let mean_of = |who: Digest, horizon: Horizon| {
            let mean = used.get(&(service, who)).map_or(0.0, |used| used.profile.mean_day());
            if horizon == Horizon::Hour { mean / 24.0 } else { mean }
        };
        if let Some(spread) = shared.spread(hour, &expected, &bench.account, mean_of) {
            factors.push(account_use::volume(&spread));
        }
        for breadth in broader {
            if let Some((identities, expected)) = shared.breadth(*breadth, day) {
                factors.push(account_use::breadth(*breadth, identities, &expected));
            }
        }
        if !factors.is_empty() {
            let key = self.whole_key(service, Family::AnomalousUse, day, bench);
            self.publish_whole(key, factors, hour, time, bench, out);
        }
        let Some(shared) = self.services.get(&service).map(|whole| &whole.profile) else {
            return;
        };
        if let Some(exceeded) = ceiling::exceeded(service, shared, hour, bench.settings, bench.most(service)) {
            let factor = Factor {
                name: FactorName::Ceiling,
                points: 70,
                text: format!(
                    "{} units in this {}; the ceiling is {}",
                    exceeded.units, exceeded.per, exceeded.ceiling
                ),
                observed: Some(exceeded.units as f64),
                expected: Some(exceeded.ceiling as f64),
            };
            let key = self.whole_key(service, Family::CeilingExceeded, day, bench);
            self.publish_whole(key, vec![factor], hour, time, bench, out);
        }
    }

    pub(super) fn publish_whole(
        &mut self,
        key: WholeKey,
        factors: Vec<Factor>,
        hour: i64,
        time: Timestamp,
        bench: &Bench<'_>,
        out: &mut Vec<Moved>,
    ) {
        let day = hour.div_euclid(24) as i32;
        let Some(open) = self.services.get(&key.0).and_then(|whole| whole.profile.day(day)) else {
            return;
        };
        let (units_hour, units_day) = open.units(hour.rem_euclid(24) as u8);
        // Where one identity has most of it, it is the one to ask.
        let most = open
            .busiest()
            .filter(|(_, calls, all)| calls * 2 > *all)
            .map(|(who, ..)| who);
        let who = most
            .and_then(|who| self.used.get(&(key.0, who)))
            .map(|used| used.identity.clone());
        let Some(whole) = self.services.get_mut(&key.0) else {
            return;
        };
        let episode = whole.episodes.entry((key.1, key.2)).or_default();
        episode.days.insert(day);
        episode.last_day = episode.last_day.max(day);
        for factor in factors {
            match episode.factors.iter_mut().find(|known| known.name == factor.name) {
                Some(known) => *known = factor,
                None => episode.factors.push(factor),
            }
        }
        account_use::weigh_together(&mut episode.factors);
        episode.who = if key.1 == Family::CeilingExceeded { who } else { None };
        episode.busiest = (episode.busiest.0.max(units_hour), episode.busiest.1.max(units_day));
        let Some(draft) = self.whole_draft(key, bench) else {
            return;
        };
        if let Some(episode) = self.whole_mut(key) {
            let part = PartKey::Service(key.0);
            publish(draft, &mut episode.published, part, time, bench.policy, out);
        }
        self.judge_signals(key.0, time, bench, out);
    }

    /// Publishes what rose on a service as a whole once more, where a signal makes it worse.
    pub(super) fn judge_wholes(&mut self, service: Service, time: Timestamp, bench: &Bench<'_>, out: &mut Vec<Moved>) {
        let Some(whole) = self.services.get(&service) else {
            return;
        };
        let keys: Vec<WholeKey> = whole
            .episodes
            .keys()
            .map(|(family, day)| (service, *family, *day))
            .collect();
        for key in keys {
            let Some(draft) = self.whole_draft(key, bench) else {
                continue;
            };
            if let Some(episode) = self.whole_mut(key) {
                let part = PartKey::Service(service);
                publish(draft, &mut episode.published, part, time, bench.policy, out);
            }
        }
    }

    /// Whether a service as a whole rose on one of these days.
    pub(super) fn rose_between(&self, service: Service, first: i32, last: i32) -> bool {
        let whole = self.services.get(&service);
        let mut episodes = whole.into_iter().flat_map(|whole| &whole.episodes);
        episodes.any(|((_, began), episode)| *began <= last && episode.last_day >= first)
    }

    pub(super) fn whole_draft(&self, key: WholeKey, bench: &Bench<'_>) -> Option<Draft> {
        let episode = self.whole(key)?;
        let shared = &self.services.get(&key.0)?.profile;
        let mut journal = episode.settled.clone();
        for open in episode.days.iter().filter_map(|day| shared.day(*day)) {
            journal.merge(&open.seen());
        }
        let last = journal.last;
        let day = key.2.to_string();
        let reach = bench.settings.correlation();
        let around = journal.first.zip(journal.last);
        let signals = around
            .and_then(|(first, last)| spend_signal::signals(&self.ledger, key.0, first.plus(-reach), last.plus(reach)));
        let factors = episode.factors.iter().cloned();
        let factors = factors.chain(signals.map(|signals| explain::factor(&spend_signal::as_part(signals))));
        Some(Draft {
            uid: tripmeter_model::stable_uid(&[&self.id, "account", key.0.name(), key.1.name(), &day]),
            finding_type: FindingType {
                tactic: Tactic::Impact,
                service: key.0,
                family: key.1,
            },
            kind: Kind::Use,
            account: self.id.clone(),
            identity: episode.who.clone().unwrap_or_else(|| Identity::account(&self.id)),
            linked: Vec::new(),
            assumed_by: Vec::new(),
            identities: self.busiest_of(key, episode),
            factors: factors.collect(),
            journal,
            openings: Vec::new(),
            busiest: episode.busiest,
            new: Vec::new(),
            explained: self.held(key.1, last, bench),
        })
    }

    /// The identities with most calls on the days of an episode that are not folded yet.
    fn busiest_of(&self, key: WholeKey, episode: &WholeEpisode) -> Vec<ContextSeen> {
        let days = episode
            .days
            .iter()
            .filter_map(|day| self.services.get(&key.0)?.profile.day(*day));
        let mut calls: BTreeMap<Digest, u64> = BTreeMap::new();
        for (who, identity) in days.flat_map(|open| &open.identities) {
            *calls.entry(*who).or_default() += identity.total();
        }
        let mut busiest: Vec<(Digest, u64)> = calls.into_iter().collect();
        busiest.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        let named = busiest.into_iter().take(MAX_NAMED).filter_map(|(who, calls)| {
            let used = self.used.get(&(key.0, who))?;
            Some(ContextSeen {
                value: used.identity.id.clone(),
                new: false,
                count: calls,
            })
        });
        named.collect()
    }

    pub(super) fn whole_finding(&self, key: WholeKey, bench: &Bench<'_>) -> Option<Finding> {
        let draft = self.whole_draft(key, bench)?;
        let time = draft.journal.last?;
        draft.finding(&self.whole(key)?.published, Cause::Created, time, bench.policy)
    }
}
