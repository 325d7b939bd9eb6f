//! What meters counted and said: use that no record names a caller of, and signals that something was spent.
//!
//! Records count in the account's services and baselines of callers; meters never do. Each meter has a profile of its
//! own, and an hour of it that is unusual is compared with what records show of the same hour: what they explain is
//! told of their callers alone. Signals are kept beside the openings, and read when episodes are judged.

use std::collections::{BTreeMap, BTreeSet};

use tripmeter_model::{
    Activity, ContextSeen, DAY, Digest, Family, Identity, IdentityKind, Kind, Service, Stage, Tactic, Timestamp,
    digest64,
};

use super::{Account, Bench, ControlEpisode, Used, Whole};
use crate::baseline::Horizon;
use crate::cell::{Cell, SHOWS, Surprise};
use crate::control::{Control, ControlKey, Told};
use crate::episode::{Published, take_back};
use crate::journal::{Context, Field, Journal, Value};
use crate::novelty::Attribute;
use crate::part::{Moved, PartKey};
use crate::person;
use crate::profile::Judge;
use crate::units::{Unit, is_model_service};
use crate::weigh::meters_value;

/// Records that show so much of a meter's excess explain it.
const EXPLAINS: f64 = 0.7;
/// Identities that a finding names, and of which it is asked how much more they did.
const MAX_NAMED: usize = 5;
const MAX_ASKED: usize = 12;

impl Account {
    /// Use that a meter counted.
    pub(super) fn count_metered(
        &mut self,
        who: Digest,
        activity: &Activity,
        context: &Context,
        outside: bool,
        bench: &Bench<'_>,
        out: &mut Vec<Moved>,
    ) {
        let (service, time, hour) = (activity.service, activity.time, activity.time.hour());
        let key = (service, who);
        // Of a meter that was not known it has to be known since when meters are read here.
        self.seen.note(Attribute::Client, meters_value(), who, time);
        let [region, _, _, target] = *context;
        let context = [region, None, None, target];
        if self.take_in(key, activity, &context, false, outside, bench).is_none() {
            return;
        }
        // There may be no record of the service at all.
        self.services.entry(service).or_insert_with(Whole::unused);
        self.seen_mut(Some(service));
        self.settle(key, hour, bench);
        if let Some(used) = self.used.get_mut(&key) {
            if bench
                .policy
                .announced(&self.id, service, &used.identity, time)
                .is_some()
            {
                used.profile.mark(time.day(), |open| open.announced = true);
            }
            let judge = Judge {
                params: &bench.identity,
                newcomer_among: None,
                spike: is_model_service(service).then_some(bench.settings.model_usage_spike),
            };
            used.profile.judge(&mut used.around, hour, &judge);
        }
        self.weigh_from(key, hour, bench);
        self.judge_use(key, time, bench, out);
    }

    /// States in the service which of a meter's hours may matter, so that records and openings that come later meet them.
    pub(super) fn state_metered(&mut self, key: (Service, Digest)) {
        let metered = |used: &&Used| used.identity.kind == IdentityKind::Meter;
        let Some(used) = self.used.get(&key).filter(metered) else {
            return;
        };
        let unusual = used.around.cells.iter().filter(|(_, cell)| cell.noteworthy());
        let hours: BTreeMap<i64, u64> = unusual.map(|(hour, cell)| (*hour, cell.journal.units)).collect();
        if let Some(whole) = self.services.get_mut(&key.0) {
            if hours.is_empty() {
                whole.meters.remove(&key.1);
            } else {
                whole.meters.insert(key.1, hours);
            }
        }
    }

    /// Compares what meters counted on the day of an hour with what records show, which is more now.
    pub(super) fn judge_meters(
        &mut self,
        service: Service,
        hour: i64,
        time: Timestamp,
        bench: &Bench<'_>,
        out: &mut Vec<Moved>,
    ) {
        let day = hour.div_euclid(24) * 24;
        let meters = self.services.get(&service).map(|whole| &whole.meters);
        let of_day = meters.into_iter().flatten().flat_map(|(who, hours)| {
            let hours = hours.range(day..day + 24);
            hours.map(|(hour, _)| (*who, *hour))
        });
        let of_day: Vec<(Digest, i64)> = of_day.collect();
        let mut turned = BTreeSet::new();
        for (who, hour) in of_day {
            let key = (service, who);
            let explained = self.is_explained(key, hour, bench);
            let cell = self
                .used
                .get_mut(&key)
                .and_then(|used| used.around.cells.get_mut(&hour));
            if let Some(cell) = cell.filter(|cell| cell.explained != explained) {
                cell.explained = explained;
                turned.insert(who);
            }
        }
        for who in turned {
            self.judge_use((service, who), time, bench, out);
        }
    }

    /// The meters whose hours an opening could make worse: those of its service; of every service where it lets
    /// any of them be used unseen.
    pub(super) fn meters_behind(&self, activity: &Activity) -> Vec<(Service, Digest)> {
        let everywhere = activity.stage() == Some(Stage::Credential) || activity.service == Service::CloudTrail;
        let services = Service::ALL.iter().copied().filter(|of| of.spends());
        let services = services.filter(|of| everywhere || *of == activity.service);
        let meters = services.filter_map(|of| Some((of, &self.services.get(&of)?.meters)));
        meters
            .flat_map(|(of, meters)| meters.keys().map(move |who| (of, *who)))
            .collect()
    }

    /// Whether records show whose a meter's hour was: they rose in the same window by most of what it rose, and most of
    /// that it counted in regions that they show.
    pub(super) fn is_explained(&self, key: (Service, Digest), hour: i64, bench: &Bench<'_>) -> bool {
        let Some(used) = self
            .used
            .get(&key)
            .filter(|used| used.identity.kind == IdentityKind::Meter)
        else {
            return false;
        };
        let (Some(whole), Some(cell)) = (self.services.get(&key.0), used.around.cells.get(&hour)) else {
            return false;
        };
        let (day, hour_of_day) = (hour.div_euclid(24) as i32, hour.rem_euclid(24) as u8);
        let is_past =
            whole.profile.is_folded_beyond(hour, bench.settings.lateness()) || used.profile.day(day).is_none();
        let Some(open) = whole.profile.day(day).filter(|_| !is_past) else {
            // Nothing is recorded of the day; or all that can come has come, and what it said stays.
            return cell.explained;
        };
        let in_calls = Unit::of(key.0, &used.identity) == Unit::Tokens;
        let whole_day = cell.surprise.is_some_and(|surprise| surprise.horizon > Horizon::Hour);
        let window = |(hour, day): (u64, u64)| if whole_day { day as f64 } else { hour as f64 };
        let counted = if in_calls {
            cell.journal.count
        } else {
            cell.journal.units
        };
        let metered = window((counted, used.profile.day_so_far(hour, in_calls)));
        let excess = metered * cell.surprise.map_or(1.0, |surprise| share_above(&surprise));
        let calls = window(open.calls_of(hour_of_day));
        let expected = whole.profile.expectations(hour, &bench.account);
        let horizon = if whole_day { Horizon::Day } else { Horizon::Hour };
        let usual = match (cell.surprise, expected.get(horizon)) {
            (Some(_), Some(expected)) => expected.mean,
            _ => 0.0,
        };
        let share = if calls > 0.0 {
            ((calls - usual) / calls).max(0.0)
        } else {
            0.0
        };
        let recorded = if in_calls {
            calls
        } else {
            window(open.units(hour_of_day))
        };
        let in_regions = in_recorded_regions(cell, &open.seen(), metered / (counted.max(1) as f64), in_calls);
        recorded * share >= EXPLAINS * excess && in_regions >= EXPLAINS * excess
    }

    /// What was said of a meter's hours is told elsewhere after all, if it was said.
    pub(super) fn take_back(
        &mut self,
        key: (Service, Digest),
        time: Timestamp,
        bench: &Bench<'_>,
        out: &mut Vec<Moved>,
    ) {
        let episode = self.used.get(&key).and_then(|used| used.episode.as_ref());
        if episode.is_none_or(|episode| episode.settled.first.is_some() || !episode.published.is_open()) {
            return;
        }
        let Some(draft) = self.draft_of(key, bench, |cell| cell.points >= SHOWS) else {
            return;
        };
        if let Some(episode) = self.used.get_mut(&key).and_then(|used| used.episode.as_mut()) {
            let part = PartKey::use_of(key);
            take_back(draft, &mut episode.published, part, time, bench.policy, out);
        }
        self.judge_signals(key.0, time, bench, out);
    }

    /// A meter says that something was spent.
    pub(super) fn signal(
        &mut self,
        who: Digest,
        activity: &Activity,
        context: &Context,
        bench: &Bench<'_>,
        out: &mut Vec<Moved>,
    ) {
        let (service, time) = (activity.service, activity.time);
        self.ledger.note(who, &activity.identity, Stage::SpendSignal, activity);
        let key = ControlKey {
            who: told_by_meters(),
            day: time.day(),
            service,
            family: Family::SpendSignal,
        };
        if let Some(person) = person::ways(&mut self.persons, key.who) {
            person.controls.insert((key.day, key.service, key.family));
        }
        let account = &self.id;
        let episode = self.controls.entry(key).or_insert_with(|| ControlEpisode {
            control: Control::new(Identity::account(account), Tactic::Impact, activity),
            published: Published::default(),
        });
        episode.control.add(activity, context);
        for of in self.about(service) {
            self.judge_service(of, time, bench, out);
        }
        self.judge_signals(service, time, bench, out);
    }

    /// The services whose use a signal is about: a bill is about every one that was used.
    fn about(&self, service: Service) -> Vec<Service> {
        let all = Service::ALL.iter().copied().filter(|of| of.spends());
        match service {
            Service::Billing => all.filter(|of| self.services.contains_key(of)).collect(),
            one => vec![one],
        }
    }

    /// Judges what is unusual on a service once more.
    fn judge_service(&mut self, service: Service, time: Timestamp, bench: &Bench<'_>, out: &mut Vec<Moved>) {
        let unusual: Vec<Digest> = self.anomalous.get(&service).into_iter().flatten().copied().collect();
        for who in unusual {
            self.weigh_from((service, who), i64::MIN, bench);
            self.judge_use((service, who), time, bench, out);
        }
        self.judge_wholes(service, time, bench, out);
    }

    /// Judges the findings of signals alone once more: whether something else tells of what they are about.
    pub(super) fn judge_signals(&mut self, service: Service, time: Timestamp, bench: &Bench<'_>, out: &mut Vec<Moved>) {
        let reach = bench.settings.correlation() + bench.settings.lateness();
        let who = told_by_meters();
        let told = self.persons.get(&who).into_iter().flat_map(|person| &person.controls);
        let near = |day: i32| (day - time.day()).unsigned_abs() <= 2 + (reach / DAY) as u32;
        let told = told.filter(|(day, of, _)| near(*day) && (*of == service || *of == Service::Billing));
        let keys: Vec<ControlKey> = told.map(|of| ControlKey::of(who, *of)).collect();
        for key in keys {
            let journal = self.controls.get(&key).map(|episode| &episode.control.journal);
            let Some((first, last)) = journal.and_then(|journal| journal.first.zip(journal.last)) else {
                continue;
            };
            if time > last.plus(reach) || time < first.plus(-reach) {
                continue;
            }
            let told = if self.is_told_elsewhere(key.service, first, last, bench) {
                Told::Elsewhere
            } else {
                Told::Here
            };
            if let Some(episode) = self.controls.get_mut(&key) {
                episode.control.told = told;
            }
            self.judge_control(key, time, bench, out);
        }
    }

    /// Whether an episode of use on a service tells of what was spent around two times.
    fn is_told_elsewhere(&self, service: Service, first: Timestamp, last: Timestamp, bench: &Bench<'_>) -> bool {
        let reach = bench.settings.correlation();
        let (from, to) = (first.plus(-reach), last.plus(reach));
        let told_by = |key: (Service, Digest)| {
            let cells = self.used.get(&key).map(|used| &used.around.cells);
            let hours = cells.into_iter().flat_map(|cells| cells.range(from.hour()..=to.hour()));
            let near = |cell: &Cell| {
                let span = cell.journal.first.zip(cell.journal.last);
                span.is_some_and(|(first, last)| first <= to && last >= from)
            };
            hours.into_iter().any(|(_, cell)| cell.shows() && near(cell))
        };
        self.about(service).into_iter().any(|of| {
            let unusual = self.anomalous.get(&of).into_iter().flatten();
            self.rose_between(of, from.day(), to.day()) || unusual.into_iter().any(|who| told_by((of, *who)))
        })
    }

    /// The identities of services whose use grew most on the days that a journal spans.
    pub(super) fn grown_most(&self, services: &[Service], journal: &Journal) -> Vec<ContextSeen> {
        let Some((first, last)) = journal.first.zip(journal.last) else {
            return Vec::new();
        };
        let days = first.day()..=last.day();
        let mut grown: Vec<(u64, String)> = Vec::new();
        for service in services {
            let Some(whole) = self.services.get(service) else {
                continue;
            };
            let mut calls: BTreeMap<Digest, u64> = BTreeMap::new();
            let open = whole.profile.open.iter().filter(|open| days.contains(&open.day));
            let counted = open.clone().count() as f64;
            for (who, identity) in open.flat_map(|open| &open.identities) {
                *calls.entry(*who).or_default() += identity.total();
            }
            let mut busiest: Vec<(Digest, u64)> = calls.into_iter().collect();
            busiest.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
            let named = busiest.into_iter().take(MAX_ASKED).filter_map(|(who, calls)| {
                let used = self.used.get(&(*service, who))?;
                let more = calls as f64 - counted * used.profile.mean_day();
                (more >= 1.0).then(|| (more as u64, used.identity.id.clone()))
            });
            grown.extend(named);
        }
        grown.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        let named = grown.into_iter().take(MAX_NAMED);
        named
            .map(|(count, value)| ContextSeen {
                value,
                new: false,
                count,
            })
            .collect()
    }

    /// The identities that a finding of signals names.
    pub(super) fn suspects(&self, service: Service, control: &Control) -> Vec<ContextSeen> {
        match control.kind {
            Kind::SpendSignal => self.grown_most(&self.about(service), &control.journal),
            _ => Vec::new(),
        }
    }
}

/// Whose the findings of signals are: the account's, together.
fn told_by_meters() -> Digest {
    digest64(&["meters"])
}

/// How much of a window is above what was expected of it.
fn share_above(surprise: &Surprise) -> f64 {
    let count = surprise.count as f64;
    let share = (count - surprise.expected.mean) / count.max(1.0);
    if share > 0.0 { share } else { 1.0 }
}

/// What a meter counted where records show any use of the day. `times` is how much more its window holds than the hour.
/// How much records show in each region is not asked: after a crash, a service states its sums and not their parts.
fn in_recorded_regions(cell: &Cell, recorded: &Journal, times: f64, in_calls: bool) -> f64 {
    let metered = cell.journal.values(Field::Region);
    if metered.is_empty() {
        return f64::INFINITY;
    }
    let is_recorded = |region: &&Value| {
        let mut regions = recorded.values(Field::Region).iter();
        regions.any(|of| of.digest == region.digest)
    };
    let of = |region: &Value| if in_calls { region.count } else { region.units };
    let shared: u64 = metered.iter().filter(is_recorded).map(of).fold(0, u64::saturating_add);
    times * shared as f64
}
