//! Uses that were carried out: profiles, the hours that may still change, and the episodes they make.

use std::collections::BTreeSet;

use tripmeter_model::{
    Activity, Cause, Digest, Factor, FactorName, Family, Finding, FindingType, HOUR, IdentityKind, Kind, OpeningSeen,
    Service, Source, Tactic, Timestamp,
};

use super::{Account, Bench, HOSTILE, MAX_OPENINGS, Used, Whole};
use crate::account_service::{Breadth, Restated};
use crate::baseline::Level;
use crate::cell::{Cell, in_episode};
use crate::control::ControlKey;
use crate::detections::ceiling;
use crate::episode::{Draft, Published, UseEpisode, points_of, publish, use_family};
use crate::explain;
use crate::journal::{CONTEXT, Context, Field, Journal, values_of};
use crate::ledger::principal_digest;
use crate::novelty::Attribute;
use crate::part::{Moved, PartKey};
use crate::person;
use crate::profile::{Added, Judge, Profile};
use crate::units::{Unit, calls32, is_model_service};
use crate::weigh::{Note, Part, Scene, Weighed};

impl Account {
    /// A use that was carried out.
    pub(super) fn spend(
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
        let vouched = match activity.origin.source {
            Source::Address(address) => bench.policy.network_vouched(&self.id, address, time),
            _ => false,
        };
        let network_since = context.get(1).copied().flatten().and_then(|network| {
            self.seen
                .first(Attribute::Network, network)
                .map(|first| (network, first))
        });
        if let Some((network, first)) = network_since
            && time.since(first) <= bench.settings.correlation()
        {
            self.note_caller(network, key);
        }
        let Some(added) = self.take_in(key, activity, context, vouched, outside, bench) else {
            return;
        };
        if self.restate_served(who, activity) {
            let denied = ControlKey {
                who,
                day: time.day(),
                service,
                family: Family::DeniedUse,
            };
            self.judge_control(denied, time, bench, out);
        }
        self.settle(key, hour, bench);
        self.keep_whole_journals(service, time, bench);
        self.restate(key, activity, context, added, bench);
        self.judge_spent(key, hour, time, bench, out);
    }

    /// Takes a use into the profile of whoever made it, and says what it added; nothing of one that comes too late.
    pub(super) fn take_in(
        &mut self,
        key: (Service, Digest),
        activity: &Activity,
        context: &Context,
        vouched: bool,
        outside: bool,
        bench: &Bench<'_>,
    ) -> Option<Added> {
        let (service, who) = key;
        if !self.used.contains_key(&key) {
            self.make_room();
            self.persons.entry(who).or_default().uses.insert(service);
        }
        let strays = &mut self.strays;
        let used = self.used.entry(key).or_insert_with(|| Used {
            profile: Profile::new(Unit::of(service, &activity.identity), activity.time),
            around: strays.remove(&key).unwrap_or_default(),
            identity: activity.identity.clone(),
            episode: None,
            hushed: BTreeSet::new(),
        });
        if used.identity.id.is_empty() {
            used.identity.clone_from(&activity.identity);
        }
        let added = used
            .profile
            .add(&mut used.around, activity, context, vouched, &bench.identity);
        if !self.partly {
            used.profile.forget_ids();
        }
        if added == Added::Late {
            return None;
        }
        let counted = added != Added::Duplicate;
        self.repeated += u64::from(!counted);
        if outside
            && counted
            && let Some(cell) = used.around.cells.get_mut(&activity.time.hour())
        {
            cell.denied_region = cell.denied_region.saturating_add(calls32(activity));
        }
        Some(added)
    }

    /// States in the service's profile what the identity's says. What was counted before may not have got there.
    fn restate(
        &mut self,
        key: (Service, Digest),
        activity: &Activity,
        context: &Context,
        added: Added,
        bench: &Bench<'_>,
    ) {
        let (service, who) = key;
        let seen = self.seen_mut(Some(service));
        for (attribute, value) in values_of(context) {
            seen.note(attribute, value, who, activity.time);
        }
        let Some(used) = self.used.get(&key) else { return };
        let hour = activity.time.hour();
        let restated = Restated {
            who,
            hour,
            count: used.profile.of_hour(hour),
            novel: match added {
                Added::Counted { novel: false } => Vec::new(),
                _ => used.profile.novel_days(&used.around.seen),
            },
        };
        let whole = self.services.entry(service).or_insert_with(Whole::unused);
        let counted = added != Added::Duplicate;
        whole.profile.add(&restated, activity, context, counted, &bench.account);
    }

    /// Judges an hour in which something was spent: of the identity, and of the whole service.
    fn judge_spent(
        &mut self,
        key: (Service, Digest),
        hour: i64,
        time: Timestamp,
        bench: &Bench<'_>,
        out: &mut Vec<Moved>,
    ) {
        let ((service, who), day) = (key, hour.div_euclid(24) as i32);
        let (Some(used), Some(whole)) = (self.used.get_mut(&key), self.services.get_mut(&service)) else {
            return;
        };
        let shared = &mut whole.profile;
        let announced = bench.policy.announced(&self.id, service, &used.identity, time);
        if announced.is_some() {
            used.profile.mark(day, |open| open.announced = true);
            if let Some(open) = shared.day_mut(day) {
                open.announced = true;
            }
        }
        let mature = shared.first_day() <= used.profile.first_use.day() - bench.settings.learning_days;
        let judge = Judge {
            params: &bench.identity,
            newcomer_among: mature.then(|| shared.busiest_hour()),
            spike: is_model_service(service).then_some(bench.settings.model_usage_spike),
        };
        used.profile.judge(&mut used.around, hour, &judge);
        let anomalous = used.profile.day(day).is_some_and(|open| open.anomalous);
        let doubled = used.profile.doubled(&used.around, hour);
        let mut broader = Vec::new();
        if let Some(of_day) = shared.day_mut(day).and_then(|open| open.identities.get_mut(&who)) {
            if anomalous && !std::mem::replace(&mut of_day.anomalous, true) {
                broader.push(Breadth::Anomalous);
            }
            if doubled && !std::mem::replace(&mut of_day.doubled, true) {
                broader.push(Breadth::Doubled);
            }
        }
        self.weigh_from(key, hour, bench);
        self.judge_use(key, time, bench, out);
        self.judge_whole(service, hour, &broader, time, bench, out);
        self.judge_meters(service, hour, time, bench, out);
    }

    /// Weighs the hours of a profile from `from` on.
    pub(super) fn weigh_from(&mut self, key: (Service, Digest), from: i64, bench: &Bench<'_>) {
        let (Some(used), Some(whole)) = (self.used.get_mut(&key), self.services.get(&key.0)) else {
            return;
        };
        let shared = &whole.profile;
        let lateness = bench.settings.lateness();
        let hours: Vec<i64> = used.around.cells.range(from..).map(|(hour, _)| *hour).collect();
        for hour in hours.iter().copied() {
            let new = used.around.cells.get(&hour).is_some_and(|cell| cell.before.is_none());
            if new {
                let before = used
                    .profile
                    .before(&used.around.seen, hour, lateness, |a| shared.prior(a));
                if let Some(cell) = used.around.cells.get_mut(&hour) {
                    cell.before = Some(before);
                }
            }
        }
        for hour in hours {
            let weighed = self
                .scene(key, bench)
                .map(|scene| (scene.sums(hour), scene.weigh(hour)));
            let Some((sums, points, chain)) = weighed.map(|(sums, w)| (sums, w.points, w.chain)) else {
                continue;
            };
            let explained = self.is_explained(key, hour, bench);
            let Some(used) = self.used.get_mut(&key) else { continue };
            if let Some(cell) = used.around.cells.get_mut(&hour) {
                cell.sums = sums;
                cell.points = points;
                cell.chain = chain;
                cell.explained = explained;
            }
            let anomalous = used.around.cells.get(&hour).is_some_and(Cell::could_be_worse);
            // What a meter's hour was may still turn out: nothing that stays is said of its day.
            if points >= HOSTILE && used.identity.kind != IdentityKind::Meter {
                used.profile
                    .mark(hour.div_euclid(24) as i32, |open| open.hostile = true);
            }
            if anomalous {
                self.note_anomalous(key);
            }
        }
        self.state_metered(key);
    }

    pub(super) fn scene<'a>(&'a self, key: (Service, Digest), bench: &'a Bench<'_>) -> Option<Scene<'a>> {
        let (service, who) = key;
        let (used, whole) = (self.used.get(&key)?, self.services.get(&service)?);
        Some(Scene {
            account: &self.id,
            account_first_day: self.span.first_day,
            account_seen: &self.seen,
            shared_seen: self.seen_on.get(&service)?,
            who,
            identity: &used.identity,
            service,
            profile: &used.profile,
            around: &used.around,
            shared: &whole.profile,
            ledger: &self.ledger,
            persons: &self.persons,
            settings: bench.settings,
            policy: bench.policy,
            most: bench.most(service),
        })
    }

    /// Brings the use episode of a profile up to its hours, and publishes it if it must be.
    pub(super) fn judge_use(
        &mut self,
        key: (Service, Digest),
        time: Timestamp,
        bench: &Bench<'_>,
        out: &mut Vec<Moved>,
    ) {
        let Some(used) = self.used.get(&key) else { return };
        let unusual = used.around.cells.iter().filter(|(_, cell)| cell.shows());
        let Some(last) = unusual.map(|(hour, _)| *hour).max() else {
            if used.identity.kind == IdentityKind::Meter {
                self.take_back(key, time, bench, out);
            } else {
                self.hush(key, time, bench, out);
            }
            return;
        };
        self.continue_or_begin(key, last, bench);
        let Some(draft) = self.use_draft(key, bench) else {
            return;
        };
        if let Some(episode) = self.used.get_mut(&key).and_then(|used| used.episode.as_mut()) {
            episode.last_hour = episode.last_hour.max(last);
            episode.openings.clone_from(&draft.openings);
            episode.linked.clone_from(&draft.linked);
            let part = PartKey::use_of(key);
            publish(draft, &mut episode.published, part, time, bench.policy, out);
        }
        self.judge_signals(key.0, time, bench, out);
    }

    /// Begins a new episode when the last one is over for good.
    pub(super) fn continue_or_begin(&mut self, key: (Service, Digest), hour: i64, bench: &Bench<'_>) {
        let settings = bench.settings;
        let known = self.used.get(&key).and_then(|used| used.episode.as_ref());
        let ordinal = match known {
            Some(episode) if episode.reaches(hour, settings.closing(), settings.reopen_days) => return,
            // All that it held was explained.
            Some(episode) if episode.settled.first.is_none() => {
                if let Some(used) = self.used.get_mut(&key)
                    && let Some(episode) = &mut used.episode
                {
                    episode.last_hour = hour;
                }
                return;
            }
            Some(episode) => episode.ordinal + 1,
            None => 0,
        };
        let ended = self.use_finding(key, bench);
        self.ended.extend(ended);
        if let Some(used) = self.used.get_mut(&key) {
            used.episode = Some(UseEpisode {
                ordinal,
                last_hour: hour,
                ..UseEpisode::default()
            });
        }
    }

    pub(super) fn use_finding(&self, key: (Service, Digest), bench: &Bench<'_>) -> Option<Finding> {
        let episode = self.used.get(&key)?.episode.as_ref()?;
        let draft = self.use_draft(key, bench)?;
        let time = draft.journal.last?;
        draft.finding(&episode.published, Cause::Created, time, bench.policy)
    }

    /// The use episode as it stands: what is settled, and the unusual hours that may still change.
    pub(super) fn use_draft(&self, key: (Service, Digest), bench: &Bench<'_>) -> Option<Draft> {
        self.draft_of(key, bench, Cell::shows)
    }

    /// The same, by what makes an hour unusual.
    pub(super) fn draft_of(
        &self,
        key: (Service, Digest),
        bench: &Bench<'_>,
        unusual: fn(&Cell) -> bool,
    ) -> Option<Draft> {
        let used = self.used.get(&key)?;
        let episode = used.episode.as_ref()?;
        let cells = &used.around.cells;
        let hours = || cells.iter().filter(|(_, cell)| unusual(cell));
        let mut journal = episode.settled.clone();
        let mut busiest = episode.settled_busiest;
        for (_, cell) in cells.iter().filter(|(hour, _)| in_episode(cells, **hour, unusual)) {
            journal.merge(&cell.journal);
            busiest = (busiest.0.max(cell.journal.units), busiest.1.max(cell.day_units));
        }
        let chain = episode.chain || hours().any(|(_, cell)| cell.chain);
        let best = hours().max_by(|a, b| {
            (a.1.points, a.1.journal.count)
                .cmp(&(b.1.points, b.1.journal.count))
                .then(b.0.cmp(a.0))
        });
        let best = best.filter(|(_, cell)| cell.points > episode.settled_points());
        let scene = self.scene(key, bench)?;
        let (factors, openings, linked) = match best {
            Some((hour, _)) => {
                let weighed = scene.weigh(*hour);
                let (openings, linked) = self.openings(&weighed, key.1, &journal, bench);
                (factors_of(&weighed), openings, linked)
            }
            None => (
                episode.settled_factors.clone(),
                episode.openings.clone(),
                episode.linked.clone(),
            ),
        };
        let last = journal.last;
        let ordinal = episode.ordinal.to_string();
        let family = use_family(chain, &factors, &used.identity);
        let identities = match used.identity.kind {
            IdentityKind::Meter => self.grown_most(&[key.0], &journal),
            _ => Vec::new(),
        };
        Some(Draft {
            uid: tripmeter_model::stable_uid(&[&self.id, &used.identity.id, key.0.name(), &ordinal]),
            finding_type: FindingType {
                tactic: Tactic::Impact,
                service: key.0,
                family,
            },
            kind: Kind::Use,
            account: self.id.clone(),
            identity: used.identity.clone(),
            linked,
            assumed_by: self.assumed_by(key.1, &journal, bench),
            identities,
            factors,
            new: new_to(used, &journal),
            journal,
            openings,
            busiest,
            explained: self.held(family, last, bench),
        })
    }

    /// The openings behind a weighed hour, oldest first, and the identities that they tie to it.
    pub(super) fn openings(
        &self,
        weighed: &Weighed<'_>,
        who: Digest,
        journal: &Journal,
        bench: &Bench<'_>,
    ) -> (Vec<OpeningSeen>, Vec<String>) {
        let (Some(first), Some(last)) = (journal.first, journal.last) else {
            return (Vec::new(), Vec::new());
        };
        let reach = bench.settings.correlation();
        let (from, to) = (first.plus(-reach), last.plus(reach));
        let mut of: BTreeSet<Digest> = person::kin(&self.persons, who, from).into_iter().collect();
        let mut linked = BTreeSet::new();
        for part in &weighed.parts {
            if let Note::Opening(opening) = part.note {
                let by = principal_digest(&opening.identity.id);
                of.insert(by);
                if by != who && part.name != FactorName::StageByOther {
                    linked.insert(opening.identity.id.clone());
                }
            }
        }
        let mut seen: BTreeSet<OpeningSeen> = BTreeSet::new();
        for who in of {
            let person = self.persons.get(&who);
            for opening in self.ledger.of(who, from, to) {
                let day = opening.first.plus(-bench.settings.lateness()).day();
                let habit = |shape| person.and_then(|person| person.habit(shape));
                let is_habit = |shape: &Digest| habit(*shape).is_some_and(|days| days.weight(day) <= 0.0);
                let telling = opening
                    .calls
                    .iter()
                    .filter(|(_, call)| !call.shapes.iter().all(is_habit));
                seen.extend(telling.filter_map(|(name, call)| opening.seen(name, call)));
            }
        }
        (
            seen.into_iter().take(MAX_OPENINGS).collect(),
            linked.into_iter().collect(),
        )
    }

    /// Counts a campaign as the reason for silence, once for each day.
    pub(super) fn hush(&mut self, key: (Service, Digest), time: Timestamp, bench: &Bench<'_>, out: &mut Vec<Moved>) {
        let Some(scene) = self.scene(key, bench) else { return };
        let Some((hour, cell)) = scene.around.cells.last_key_value() else {
            return;
        };
        let (Some(surprise), day) = (cell.surprise, hour.div_euclid(24) as i32) else {
            return;
        };
        if surprise.level < Level::Anomalous || self.used.get(&key).is_some_and(|used| used.hushed.contains(&day)) {
            return;
        }
        let Some(campaign) = scene.weigh(*hour).announced else {
            return;
        };
        let factor = Part {
            name: FactorName::Volume,
            points: 20,
            note: Note::Surprise(surprise),
        };
        let day_text = day.to_string();
        let draft = Draft {
            uid: tripmeter_model::stable_uid(&[&self.id, &scene.identity.id, key.0.name(), "announced", &day_text]),
            finding_type: FindingType {
                tactic: Tactic::Impact,
                service: key.0,
                family: Family::AnomalousUse,
            },
            kind: Kind::Use,
            account: self.id.clone(),
            identity: scene.identity.clone(),
            linked: Vec::new(),
            assumed_by: Vec::new(),
            identities: Vec::new(),
            factors: vec![explain::factor(&factor)],
            journal: cell.journal.clone(),
            openings: Vec::new(),
            busiest: (cell.journal.units, cell.day_units),
            new: Vec::new(),
            explained: Some(campaign),
        };
        if let Some(finding) = draft.finding(&Published::default(), Cause::Created, time, bench.policy) {
            self.ended.push_back(finding.clone());
            let part = PartKey::use_of(key);
            out.push(Moved { part, finding });
        }
        if let Some(used) = self.used.get_mut(&key) {
            used.hushed.retain(|of| *of >= day - 2);
            used.hushed.insert(day);
        }
    }

    /// Judges the hours that a new opening or tie bears on once more: of the identities that it is tied to, of
    /// those that called from the same new network, and of those that are anomalous on the same service.
    pub(super) fn judge_again(&mut self, who: Digest, activity: &Activity, bench: &Bench<'_>, out: &mut Vec<Moved>) {
        let since = activity.time.plus(-bench.settings.correlation());
        let kin = person::kin(&self.persons, who, since);
        let profiles = kin.iter().flat_map(|who| self.profiles_of(*who));
        let mut again: BTreeSet<(Service, Digest)> = profiles.map(|(key, _)| key).collect();
        let network = tripmeter_model::digest64(&[&activity.origin.network.0]);
        again.extend(self.callers.get(&network).into_iter().flatten());
        let anomalous = self.anomalous.get(&activity.service).into_iter().flatten();
        again.extend(anomalous.map(|who| (activity.service, *who)));
        again.extend(self.meters_behind(activity));
        for key in again {
            self.weigh_from(key, i64::MIN, bench);
            self.judge_use(key, activity.time, bench, out);
        }
    }

    /// Moves hours that cannot change any more into their episode, or forgets them.
    pub(super) fn settle(&mut self, key: (Service, Digest), now: i64, bench: &Bench<'_>) {
        let lateness = bench.settings.lateness().div_euclid(HOUR) + 1;
        let usual_until = now - lateness - 1;
        let noteworthy_until = now - lateness - bench.settings.time_window_hours - 24;
        let Some(used) = self.used.get(&key) else { return };
        let newborn = now - used.profile.first_use.hour() <= 26;
        let half = ceiling::half(key.0, bench.settings, bench.most(key.0));
        let lasts = |cell: &Cell| newborn || cell.noteworthy() || half.is_some_and(|half| cell.is_above(half));
        let gone: Vec<i64> = used
            .around
            .cells
            .range(..usual_until.max(noteworthy_until))
            .filter(|(hour, cell)| **hour < noteworthy_until || !lasts(cell))
            .map(|(hour, _)| *hour)
            .collect();
        if gone.is_empty() {
            return;
        }
        for hour in gone {
            self.settle_hour(key, hour, bench);
        }
        if self
            .used
            .get(&key)
            .is_none_or(|used| !used.around.cells.values().any(Cell::could_be_worse))
        {
            self.note_usual(key);
        }
    }

    pub(super) fn settle_hour(&mut self, key: (Service, Digest), hour: i64, bench: &Bench<'_>) {
        let unusual = self
            .used
            .get(&key)
            .and_then(|used| used.around.cells.get(&hour))
            .is_some_and(Cell::shows);
        if unusual {
            self.continue_or_begin(key, hour, bench);
        }
        let belongs = self
            .used
            .get(&key)
            .is_some_and(|used| in_episode(&used.around.cells, hour, Cell::shows));
        if belongs {
            let weighed = self.scene(key, bench).filter(|_| unusual);
            let factors = weighed.map(|scene| factors_of(&scene.weigh(hour))).unwrap_or_default();
            let Some(Used { around, episode, .. }) = self.used.get_mut(&key) else {
                return;
            };
            if let (Some(episode), Some(cell)) = (episode.as_mut(), around.cells.get(&hour)) {
                if points_of(&factors) > episode.settled_points() {
                    episode.settled_factors = factors;
                }
                episode.settled.merge(&cell.journal);
                episode.chain |= unusual && cell.chain;
                episode.last_hour = episode.last_hour.max(if unusual { hour } else { i64::MIN });
                let (hourly, daily) = episode.settled_busiest;
                episode.settled_busiest = (hourly.max(cell.journal.units), daily.max(cell.day_units));
            }
        }
        if let Some(used) = self.used.get_mut(&key) {
            used.around.cells.remove(&hour);
        }
    }
}

fn factors_of(weighed: &Weighed<'_>) -> Vec<Factor> {
    weighed.parts.iter().map(explain::factor).collect()
}

/// The values of an episode that the identity had never shown before it.
fn new_to(used: &Used, journal: &Journal) -> Vec<(Field, String)> {
    let around = &used.around;
    let new = CONTEXT.into_iter().flat_map(|(field, attribute)| {
        let values = journal.values(field).iter().filter(move |value| {
            let first = around.seen.first(attribute, value.digest);
            first >= journal.first && !around.vouched.contains(&value.digest)
        });
        values.map(move |value| (field, value.text.clone()))
    });
    new.collect()
}
