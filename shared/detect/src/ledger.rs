//! The ledger: an account's openings within the correlation window.
//!
//! One opening per identity, stage, service and ten minutes, holding bounded sets that are written by union, so
//! that a flood cannot fill it and neither order nor repetition changes it. Probes over several services, region
//! sweeps and bursts of denials are read from it.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use tripmeter_model::{Activity, Digest, Identity, Kind, OpeningSeen, Outcome, Service, Stage, Timestamp, digest64};

use crate::units::calls32;

/// Identities of one account.
const MAX_IDENTITIES: usize = 2_000;
/// Calls kept of one opening.
const MAX_CALLS: usize = 16;
/// Regions kept of one call.
const MAX_REGIONS: usize = 40;
/// Linked principals kept of one opening.
const MAX_LINKS: usize = 16;
/// Event ids remembered of one opening; a burst is one long before.
const MAX_REPEATED: usize = 256;
/// What is kept of the words of signals.
const MAX_WHYS: usize = 4;
/// Network-and-client pairs kept of one opening.
const MAX_ORIGINS: usize = 8;

/// When a call was made in a region, in one opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Span {
    pub first: Timestamp,
    pub last: Timestamp,
    pub count: u32,
}

/// One call of an opening.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OpeningCall {
    pub regions: BTreeMap<String, Span>,
    pub shapes: BTreeSet<Digest>,
    pub event_id: Option<String>,
    pub outcome: Outcome,
    pub routine: bool,
    /// Of a call for a higher quota: the services whose quota it is.
    pub quotas: BTreeSet<String>,
}

/// See the module's docs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Opening {
    pub identity: Identity,
    pub stage: Stage,
    pub service: Service,
    pub first: Timestamp,
    pub last: Timestamp,
    pub count: u32,
    pub calls: BTreeMap<String, OpeningCall>,
    pub links: BTreeSet<Digest>,
    pub origins: BTreeSet<Digest>,
    /// Uses that were carried out around it, where it is refused use.
    pub served: u32,
    /// A signal of it is a strong one, a call of it blinds, or AWS says by one that a key is known to strangers.
    pub grave: bool,
    /// What its signals say.
    pub whys: BTreeSet<String>,
    /// Event ids counted, hashed, so that a repeated delivery changes nothing.
    repeated: BTreeSet<u32>,
}

/// Where an opening stands: (ten minutes since 1970, stage, service).
pub(crate) type Slot = (i64, Stage, Service);

/// See the module's docs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    by_identity: BTreeMap<Digest, BTreeMap<Slot, Opening>>,
    /// The ten-minute intervals that were fetched; `None` where all there is is held.
    fetched: Option<(i64, i64)>,
    /// The intervals that were asked for and are not all fetched.
    missed: Cell<Option<(i64, i64)>>,
}

/// The digest of a network and client together.
pub(crate) fn origin_digest(activity: &Activity) -> Digest {
    digest64(&[&activity.origin.network.0, &activity.origin.client.0])
}

impl Ledger {
    /// A ledger to which nothing was fetched yet.
    pub(crate) fn unfetched() -> Self {
        Self {
            fetched: Some((0, -1)),
            ..Self::default()
        }
    }

    /// Says that every opening of these ten-minute intervals was put down.
    pub(crate) fn fetched(&mut self, slots: &RangeInclusive<i64>) {
        self.fetched = Some((*slots.start(), *slots.end()));
    }

    /// Puts down an opening that was fetched.
    pub(crate) fn put(&mut self, who: Digest, slot: Slot, opening: Opening) {
        self.by_identity.entry(who).or_default().insert(slot, opening);
    }

    /// The intervals that were asked for or fetched, where some were not fetched.
    pub(crate) fn missed(&self) -> Option<RangeInclusive<i64>> {
        let (from, to) = self.missed.get()?;
        Some(match self.fetched.filter(|(first, last)| first <= last) {
            Some((first, last)) => from.min(first)..=to.max(last),
            None => from..=to,
        })
    }

    /// Every opening, with whose it is and where it stands.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Digest, Slot, &Opening)> {
        self.by_identity
            .iter()
            .flat_map(|(who, slots)| slots.iter().map(|(slot, opening)| (*who, *slot, opening)))
    }

    fn ask(&self, from: i64, to: i64) {
        let Some((first, last)) = self.fetched else { return };
        if from < first || to > last {
            let (low, high) = self.missed.get().unwrap_or((from, to));
            self.missed.set(Some((low.min(from), high.max(to))));
        }
    }

    /// Adds an opening of an identity; adding it again changes nothing.
    pub(crate) fn note(&mut self, who: Digest, identity: &Identity, stage: Stage, activity: &Activity) {
        self.make_room(who);
        let slot = (activity.time.ten_minutes(), stage, activity.service);
        self.ask(slot.0, slot.0);
        let opening = self
            .by_identity
            .entry(who)
            .or_default()
            .entry(slot)
            .or_insert_with(|| Opening {
                identity: identity.clone(),
                stage,
                service: activity.service,
                first: activity.time,
                last: activity.time,
                count: 0,
                calls: BTreeMap::new(),
                links: BTreeSet::new(),
                origins: BTreeSet::new(),
                served: 0,
                grave: false,
                whys: BTreeSet::new(),
                repeated: BTreeSet::new(),
            });
        opening.add(activity);
    }

    /// Makes room for an identity, if there are too many: the one whose last opening is oldest goes.
    fn make_room(&mut self, who: Digest) {
        if self.by_identity.len() < MAX_IDENTITIES || self.by_identity.contains_key(&who) {
            return;
        }
        let latest = |slots: &BTreeMap<Slot, Opening>| slots.values().map(|opening| opening.last).max();
        let oldest = self
            .by_identity
            .iter()
            .min_by_key(|(who, slots)| (latest(slots), **who))
            .map(|(who, _)| *who);
        if let Some(oldest) = oldest {
            self.by_identity.remove(&oldest);
        }
    }

    /// Restates how many uses were carried out around the refusals of an identity near a time. Says whether there
    /// were refusals.
    pub(crate) fn restate_served(
        &mut self,
        who: Digest,
        service: Service,
        at: Timestamp,
        served_around: impl Fn(Timestamp) -> u32,
    ) -> bool {
        let slot = at.ten_minutes();
        self.ask(slot, slot + 1);
        let Some(slots) = self.by_identity.get_mut(&who) else {
            return false;
        };
        let mut any = false;
        for near in [slot, slot + 1] {
            if let Some(opening) = slots.get_mut(&(near, Stage::DeniedUse, service)) {
                opening.served = served_around(opening.last);
                any = true;
            }
        }
        any
    }

    /// The openings of one identity between two times.
    pub(crate) fn of(&self, who: Digest, from: Timestamp, to: Timestamp) -> impl Iterator<Item = &Opening> {
        self.ask(from.ten_minutes(), to.ten_minutes());
        let low = (from.ten_minutes(), Stage::Probe, Service::Ses);
        self.by_identity
            .get(&who)
            .into_iter()
            .flat_map(move |slots| slots.range(low..))
            .map(|(_, opening)| opening)
            .take_while(move |opening| opening.first.ten_minutes() <= to.ten_minutes())
            .filter(move |opening| opening.last >= from && opening.first <= to)
    }

    /// The openings of everybody between two times, with whose they are.
    pub(crate) fn all(&self, from: Timestamp, to: Timestamp) -> impl Iterator<Item = (Digest, &Opening)> {
        self.ask(from.ten_minutes(), to.ten_minutes());
        self.by_identity
            .keys()
            .flat_map(move |who| self.of(*who, from, to).map(move |opening| (*who, opening)))
    }

    /// Forgets what ended before `before`.
    pub(crate) fn expire(&mut self, before: Timestamp) {
        self.by_identity.retain(|_, slots| {
            slots.retain(|_, opening| opening.last >= before);
            !slots.is_empty()
        });
    }
}

impl Opening {
    fn add(&mut self, activity: &Activity) {
        if let Some(id) = activity.event_id.as_deref() {
            let hash = digest64(&[id]).0 as u32;
            if self.repeated.contains(&hash) {
                return;
            }
            if self.repeated.len() < MAX_REPEATED {
                self.repeated.insert(hash);
            }
        }
        self.first = self.first.min(activity.time);
        self.last = self.last.max(activity.time);
        self.count = self.count.saturating_add(calls32(activity));
        insert_bounded(
            &mut self.links,
            activity.links.iter().map(|l| principal_digest(l)),
            MAX_LINKS,
        );
        insert_bounded(&mut self.origins, std::iter::once(origin_digest(activity)), MAX_ORIGINS);
        self.grave |= match activity.kind {
            Kind::SpendSignal | Kind::GuardrailRemoval => activity.grave,
            kind => kind == Kind::LeakedKey,
        };
        if self.stage == Stage::SpendSignal {
            insert_bounded(&mut self.whys, std::iter::once(activity.why.clone()), MAX_WHYS);
        }
        if self.calls.len() >= MAX_CALLS && !self.calls.contains_key(&activity.call) {
            return;
        }
        let call = self.calls.entry(activity.call.clone()).or_insert_with(|| OpeningCall {
            regions: BTreeMap::new(),
            shapes: BTreeSet::new(),
            event_id: None,
            outcome: activity.outcome,
            routine: true,
            quotas: BTreeSet::new(),
        });
        call.routine &= activity.routine;
        let quota = activity
            .target
            .as_ref()
            .filter(|_| activity.service == Service::ServiceQuotas);
        insert_bounded(
            &mut call.quotas,
            quota.map(|of| of.value().to_owned()).into_iter(),
            MAX_CALLS,
        );
        call.outcome = call.outcome.min(activity.outcome);
        insert_bounded(&mut call.shapes, std::iter::once(activity.shape), MAX_CALLS);
        if let Some(id) = &activity.event_id
            && call.event_id.as_ref().is_none_or(|known| id < known)
        {
            call.event_id = Some(id.clone());
        }
        if call.regions.len() < MAX_REGIONS || call.regions.contains_key(&activity.region) {
            let span = call.regions.entry(activity.region.clone()).or_insert(Span {
                first: activity.time,
                last: activity.time,
                count: 0,
            });
            span.first = span.first.min(activity.time);
            span.last = span.last.max(activity.time);
            span.count = span.count.saturating_add(calls32(activity));
        }
    }

    /// One call of it, as a finding shows it.
    pub(crate) fn seen(&self, name: &str, call: &OpeningCall) -> Option<OpeningSeen> {
        Some(OpeningSeen {
            time: call.regions.values().map(|span| span.first).min()?,
            stage: self.stage,
            service: self.service,
            call: name.to_owned(),
            identity: self.identity.clone(),
            outcome: call.outcome,
            event_id: call.event_id.clone(),
        })
    }

    /// Whether every call of it is one that any deployment makes.
    pub(crate) fn routine(&self) -> bool {
        self.calls.values().all(|call| call.routine)
    }

    /// The regions of all its calls.
    pub(crate) fn regions(&self) -> BTreeSet<&str> {
        self.calls
            .values()
            .flat_map(|call| call.regions.keys().map(String::as_str))
            .collect()
    }
}

/// Inserts into a set that keeps the smallest `max`.
fn insert_bounded<T: Ord>(set: &mut BTreeSet<T>, values: impl Iterator<Item = T>, max: usize) {
    set.extend(values);
    while set.len() > max {
        set.pop_last();
    }
}

/// The digest of a principal's durable id, by which everything is keyed. The path of a role or user is left out: their
/// names are unique in an account, and calls that name them leave it out too. A whole account (`arn:…:root` or twelve
/// digits) in a grant stands for everybody in it.
pub fn principal_digest(id: &str) -> Digest {
    if let Some(account) = account_of_grant(id) {
        return account_digest(account);
    }
    let (arn, rest) = id.split_once('#').unwrap_or((id, ""));
    let named = [":role/", ":user/"]
        .iter()
        .find_map(|kind| arn.split_once(kind).map(|(head, path)| (head, *kind, path)));
    match named {
        Some((head, kind, path)) => digest64(&[head, kind, path.rsplit('/').next().unwrap_or(path), rest]),
        None => digest64(&[id]),
    }
}

/// The digest by which everybody of another account is known.
pub(crate) fn account_digest(account: &str) -> Digest {
    digest64(&["account", account])
}

fn account_of_grant(id: &str) -> Option<&str> {
    let is_account = |text: &str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    if is_account(id) {
        return Some(id);
    }
    let account = id.strip_suffix(":root")?.rsplit(':').next()?;
    is_account(account).then_some(account)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{activity, at};

    #[test]
    fn a_flood_of_probes_is_one_opening_with_bounded_sets() {
        let mut ledger = Ledger::default();
        for n in 0..10_000 {
            let mut probe = activity(Service::Ses, "GetSendQuota", at(0).plus(n % 600));
            probe.region = format!("region-{n}");
            probe.event_id = Some(format!("{n:05}"));
            ledger.note(Digest(1), &probe.identity, Stage::Probe, &probe);
        }
        let openings: Vec<_> = ledger.of(Digest(1), at(0), at(1)).collect();
        assert_eq!(openings.len(), 1);
        assert_eq!(openings[0].count, 10_000);
        assert_eq!(openings[0].regions().len(), MAX_REGIONS);
        assert_eq!(openings[0].calls["GetSendQuota"].event_id.as_deref(), Some("00000"));
    }

    #[test]
    fn a_grant_to_an_account_is_a_grant_to_everybody_in_it() {
        assert_eq!(
            principal_digest("arn:aws:iam::444455556666:root"),
            account_digest("444455556666")
        );
        assert_eq!(principal_digest("444455556666"), account_digest("444455556666"));
        assert_ne!(
            principal_digest("arn:aws:iam::444455556666:user/x"),
            account_digest("444455556666")
        );
    }
}
