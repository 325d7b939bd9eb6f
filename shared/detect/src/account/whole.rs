//! What all identities of the account do on one service together.

use std::collections::BTreeMap;

use tripmeter_model::{
    Cause, ContextSeen, DAY, Digest, Factor, FactorName, Family, Finding, FindingType, Identity, Kind, Service, Tactic,
    Timestamp,
};

use super::{Account, Bench, Share, Used, WholeEpisode, WholeKey};
use crate::account_service::Breadth;
use crate::baseline::Horizon;
use crate::detections::{account_use, ceiling, spend_signal};
use crate::episode::{Draft, close, publish};
use crate::explain;
use crate::journal::Journal;
use crate::ledger::principal_digest;
use crate::part::{Moved, PartKey};
use crate::weigh::hour_start;

/// Identities that a finding about many of them names.
const MAX_NAMED: usize = 5;

impl Share {
    fn of(who: Digest) -> Self {
        Self { who, ..Self::default() }
    }

    /// Adds the hours of a day in which the identity alone passed half of the ceilings.
    fn add(&mut self, used: &Used, day: i32, half: (u64, u64)) {
        let hours = i64::from(day) * 24..i64::from(day + 1) * 24;
        let cells = used.around.cells.range(hours).map(|(_, cell)| cell);
        for cell in cells.filter(|cell| cell.is_above(half)) {
            self.journal.merge(&cell.journal);
            let (hour, of_day) = self.busiest;
            self.busiest = (hour.max(cell.journal.units), of_day.max(cell.day_units));
        }
    }
}

impl WholeEpisode {
    fn last_day(&self) -> i32 {
        self.last_hour.div_euclid(24) as i32
    }

    /// Whether its last unusual hour had ended by then.
    fn ended_by(&self, then: Timestamp) -> bool {
        hour_start(self.last_hour + 1) <= then
    }
}

impl Account {
    /// Keeps what the whole did on days that are about to be folded, where an episode is about them.
    pub(super) fn keep_whole_journals(&mut self, service: Service, time: Timestamp, bench: &Bench<'_>) {
        let through = crate::baseline::foldable_through(time, bench.settings.lateness());
        let half = ceiling::half(service, bench.settings, bench.most(service)).unwrap_or_default();
        let Some(whole) = self.services.get_mut(&service) else {
            return;
        };
        for episode in whole.episodes.values_mut() {
            while let Some(day) = episode.days.first().copied().filter(|day| *day <= through) {
                episode.days.remove(&day);
                if let Some(open) = whole.profile.day(day) {
                    episode.settled.merge(&open.seen());
                }
                let who = episode.who.as_ref().map(|who| principal_digest(&who.id));
                let used = who.and_then(|who| self.used.get(&(service, who)));
                if let (Some(who), Some(used)) = (who, used) {
                    let known = episode.settled_of.take().filter(|share| share.who == who);
                    let mut share = known.unwrap_or_else(|| Share::of(who));
                    share.add(used, day, half);
                    episode.settled_of = Some(share);
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
        let quiet = now.plus(-bench.settings.closing() - bench.settings.lateness());
        let over = quiet.plus(-bench.settings.reopen_days * DAY);
        for key in self.whole_keys() {
            let Some(draft) = self.whole_draft(key, bench) else {
                continue;
            };
            let Some(episode) = self.whole_mut(key).filter(|episode| episode.ended_by(quiet)) else {
                continue;
            };
            let part = PartKey::Service(key.0);
            close(draft, &mut episode.published, part, now, bench.policy, out);
            if episode.ended_by(over) {
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
            .find(|((kind, first), episode)| *kind == family && (*first..=episode.last_day() + reach).contains(&day));
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
                    "{} units in this {} by all identities together; the ceiling is {}",
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
        let who = open
            .spender()
            .and_then(|who| self.used.get(&(key.0, who)))
            .map(|used| used.identity.clone());
        let Some(whole) = self.services.get_mut(&key.0) else {
            return;
        };
        let episode = whole.episodes.entry((key.1, key.2)).or_default();
        episode.days.insert(day);
        episode.last_hour = episode.last_hour.max(hour);
        for factor in factors {
            match episode.factors.iter_mut().find(|known| known.name == factor.name) {
                Some(known) if known.observed > factor.observed => {}
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
        episodes.any(|((_, began), episode)| *began <= last && episode.last_day() >= first)
    }

    pub(super) fn whole_draft(&self, key: WholeKey, bench: &Bench<'_>) -> Option<Draft> {
        let episode = self.whole(key)?;
        let (identity, journal, busiest) = match self.share(key, episode, bench) {
            Some((identity, share)) => (identity, share.journal, share.busiest),
            None => (
                Identity::account(&self.id),
                self.whole_journal(key, episode)?,
                episode.busiest,
            ),
        };
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
            identity,
            linked: Vec::new(),
            assumed_by: Vec::new(),
            identities: self.busiest_of(key, episode),
            factors: factors.collect(),
            journal,
            openings: Vec::new(),
            busiest,
            new: Vec::new(),
            explained: self.held(key.1, last, bench),
        })
    }

    /// What everybody did on the days of an episode.
    fn whole_journal(&self, key: WholeKey, episode: &WholeEpisode) -> Option<Journal> {
        let shared = &self.services.get(&key.0)?.profile;
        let mut journal = episode.settled.clone();
        for open in episode.days.iter().filter_map(|day| shared.day(*day)) {
            journal.merge(&open.seen());
        }
        Some(journal)
    }

    /// Who spent most of an episode, and what of it: evidence of others would be no evidence of theirs.
    fn share(&self, key: WholeKey, episode: &WholeEpisode, bench: &Bench<'_>) -> Option<(Identity, Share)> {
        let identity = episode.who.clone()?;
        let who = principal_digest(&identity.id);
        let settled = episode.settled_of.clone().filter(|share| share.who == who);
        let mut share = settled.unwrap_or_else(|| Share::of(who));
        let half = ceiling::half(key.0, bench.settings, bench.most(key.0))?;
        if let Some(used) = self.used.get(&(key.0, who)) {
            episode.days.iter().for_each(|day| share.add(used, *day, half));
        }
        share.journal.first.is_some().then_some((identity, share))
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

#[cfg(test)]
mod tests {
    use tripmeter_model::{Activity, Family, Finding, IdentityKind, Network, Service, Session};

    use crate::Settings;
    use crate::testing::{activity, at, by, found_with};

    /// Mails to fifty at a time, each by a key of the sender's own.
    fn mails(sender: &str, network: &str, count: i64) -> Vec<Activity> {
        let mail = |n| {
            let mut mail = by(activity(Service::Ses, "SendBulkEmail", at(1).plus(n * 60)), sender);
            mail.quantity.units = 50;
            mail.origin.network = Network(network.into());
            mail.session = Session {
                access_key: Some(format!("AKIA-{sender}")),
                ..Session::default()
            };
            mail
        };
        (0..count).map(mail).collect()
    }

    fn above_the_ceiling(story: Vec<Activity>) -> Finding {
        let mut settings = Settings::default();
        settings.set("CeilingSESPerHour", "400").unwrap();
        let mut findings = found_with(story, settings).into_iter();
        findings
            .find(|finding| finding.finding_type.family == Family::CeilingExceeded)
            .unwrap()
    }

    #[test]
    fn who_spent_most_is_shown_with_what_it_did_alone() {
        let story = [mails("eve", "192.0.2.0/24", 10), mails("app", "198.51.100.0/24", 1)].concat();
        let finding = above_the_ceiling(story);
        assert!(finding.identity.id.ends_with("user/eve"));
        assert_eq!((finding.count, finding.units), (10, 500));
        let keys = finding
            .evidence
            .sessions
            .iter()
            .map(|session| session.access_key.as_deref());
        assert_eq!(keys.collect::<Vec<_>>(), [Some("AKIA-eve")]);
        let networks = finding.evidence.networks.iter().map(|network| network.value.as_str());
        assert_eq!(networks.collect::<Vec<_>>(), ["192.0.2.0/24"]);
    }

    #[test]
    fn what_many_spent_is_nobodys_and_shows_nobodys_key() {
        let senders = ["ada", "bob", "cyd"];
        let story = senders
            .iter()
            .flat_map(|sender| mails(sender, "192.0.2.0/24", 3))
            .collect();
        let finding = above_the_ceiling(story);
        assert_eq!(finding.identity.kind, IdentityKind::Account);
        assert_eq!(finding.units, 450);
        assert!(finding.evidence.sessions.is_empty());
    }
}
