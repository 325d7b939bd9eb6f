//! The service profile: what all identities of an account do on one service together.
//!
//! It holds each active identity's counts of the open days, so that a write states a total and can be repeated,
//! and so that a rise can be put down to one identity or to many.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tripmeter_model::{Activity, Digest, HOUR, Timestamp};

use crate::baseline::{
    Clip, Day, DayCounts, Expectation, Expectations, Horizon, Level, Params, Ring, Volume, foldable_through,
    judged_through, level,
};
use crate::journal::{Context, Journal};
use crate::novelty::{Attribute, Rates, Seen as Novel};
use crate::open_day::of_hour;
use crate::units::in_volume;

/// Identities told apart on one day; the calls of more count in the sums.
const MAX_IDENTITIES: usize = 20_000;

/// What one identity did on one day.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct IdentityDay {
    /// Calls and units by the hour.
    hours: BTreeMap<u8, (u32, u32)>,
    /// It left its own baseline today.
    pub anomalous: bool,
    /// It made twice the calls of its usual day.
    pub doubled: bool,
    /// It showed a region, network, client or target for the first time, a bit each.
    novel: u8,
}

impl IdentityDay {
    /// Its calls of the whole day.
    pub(crate) fn total(&self) -> u64 {
        self.upto(23)
    }

    fn upto(&self, hour: u8) -> u64 {
        self.hours.range(..=hour).map(|(_, (calls, _))| u64::from(*calls)).sum()
    }

    fn calls(&self, hour: u8) -> u64 {
        self.hours.get(&hour).map_or(0, |(calls, _)| u64::from(*calls))
    }
}

/// What an identity's own profile says of an hour and of the open days: restating it changes nothing.
#[derive(Clone, Debug)]
pub(crate) struct Restated {
    pub who: Digest,
    pub hour: i64,
    /// Calls and units of the hour.
    pub count: (u32, u32),
    /// Open days, each with the attributes that showed something new, where that has changed.
    pub novel: Vec<(i32, u8)>,
}

/// A day that is not folded yet.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct ServiceDay {
    pub day: i32,
    calls: [u32; 24],
    units: [u64; 24],
    pub identities: BTreeMap<Digest, IdentityDay>,
    journal: Journal,
    /// Somebody announced the day.
    pub announced: bool,
}

/// See the module's docs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ServiceProfile {
    /// Calls of all identities.
    volume: Volume,
    /// Identities that left their baselines, and that doubled their day, as counts for each day.
    anomalous: Volume,
    doubled: Volume,
    rates: [Rates; 4],
    /// The largest hour of one identity, for each of the last 42 active days.
    busiest: Ring<42>,
    /// The largest hour and day in units, the same way.
    largest_hours: Ring<42>,
    largest_days: Ring<42>,
    pub open: Vec<ServiceDay>,
    /// What the hour that was judged last is compared with.
    #[serde(skip)]
    cache: Option<(i64, Expectations)>,
}

/// A rise of the whole that no single identity explains.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub horizon: Horizon,
    pub count: u64,
    pub identities: usize,
    pub expected: Expectation,
}

/// A day that never comes: the first one of a service that no record shows in use.
const NEVER: i32 = i32::MAX / 2;

impl ServiceProfile {
    /// Of a service that no record shows in use yet.
    pub(crate) fn unused() -> Self {
        Self {
            volume: Volume::new(NEVER),
            anomalous: Volume::new(NEVER),
            doubled: Volume::new(NEVER),
            rates: [Rates::default(); 4],
            busiest: Ring::default(),
            largest_hours: Ring::default(),
            largest_days: Ring::default(),
            open: Vec::new(),
            cache: None,
        }
    }

    /// Whether no record shows the service in use.
    pub(crate) fn is_unused(&self) -> bool {
        self.first_day() == NEVER
    }

    /// The first day of use.
    pub(crate) fn first_day(&self) -> i32 {
        self.volume.calls().first_day()
    }

    /// Takes in a use that was carried out and was counted by its identity's profile; `counted` is false where it was
    /// counted before, and may not have got here.
    pub(crate) fn add(
        &mut self,
        restated: &Restated,
        activity: &Activity,
        context: &Context,
        counted: bool,
        params: &Params,
    ) {
        let (time, day) = (activity.time, activity.time.day());
        self.volume.begin_by(day);
        self.anomalous.begin_by(day);
        self.doubled.begin_by(day);
        if day < self.volume.next_day() {
            return;
        }
        self.fold(time, params);
        if self.open.last().is_some_and(|newest| day < newest.day) {
            self.cache = None;
        }
        let at = self.open.partition_point(|open| open.day < day);
        if self.open.get(at).is_none_or(|open| open.day != day) {
            self.open.insert(
                at,
                ServiceDay {
                    day,
                    ..ServiceDay::default()
                },
            );
        }
        if let Some(open) = self.open.get_mut(at) {
            open.restate(restated, counted.then_some(activity));
            if counted {
                open.journal.add(activity, context);
            } else {
                open.journal.see(activity, context);
            }
        }
        for (day, novel) in &restated.novel {
            let of_day = self
                .day_mut(*day)
                .and_then(|open| open.identities.get_mut(&restated.who));
            if let Some(of_day) = of_day {
                of_day.novel = *novel;
            }
        }
    }

    fn fold(&mut self, seen: Timestamp, params: &Params) {
        let through = foldable_through(seen, params.lateness_seconds);
        if self.volume.next_day() > through {
            return;
        }
        self.cache = None;
        self.volume
            .fold_through(through, self.open.iter().map(ServiceDay::calls), params);
        for breadth in [Breadth::Anomalous, Breadth::Doubled] {
            let days: Vec<Day> = self.open.iter().map(|open| open.breadth(breadth)).collect();
            self.breadth_volume_mut(breadth)
                .fold_through(through, days, &breadth.params());
        }
        let still_open = self.open.partition_point(|open| open.day <= through);
        for open in self.open.drain(..still_open) {
            let hours = open.identities.values().flat_map(|identity| identity.hours.values());
            let busiest = hours.map(|(calls, _)| *calls).max();
            self.busiest.push(busiest.unwrap_or(0).into());
            self.largest_hours
                .push(open.units.iter().copied().max().unwrap_or(0) as f64);
            self.largest_days.push(open.units.iter().sum::<u64>() as f64);
            for identity in open.identities.values() {
                for (rates, attribute) in self.rates.iter_mut().zip(Attribute::ALL) {
                    let novel = identity.novel >> attribute as u8 & 1 == 1;
                    rates.fold(if novel { Novel::Never } else { Novel::Before });
                }
            }
        }
    }

    /// The account's own prior for an attribute.
    pub(crate) fn prior(&self, attribute: Attribute) -> f64 {
        self.rates
            .get(attribute as usize)
            .map_or_else(|| attribute.prior(), |rates| rates.as_prior(attribute))
    }

    /// The largest hour that one identity had in the last 42 active days, in calls.
    pub(crate) fn busiest_hour(&self) -> f64 {
        self.busiest.values().fold(0.0, f64::max)
    }

    /// The largest hour and day of the last 42 active days, in units.
    pub(crate) fn largest(&self) -> (f64, f64) {
        (
            self.largest_hours.values().fold(0.0, f64::max),
            self.largest_days.values().fold(0.0, f64::max),
        )
    }

    /// Whether days are part of the baseline that were not when an hour began.
    pub(crate) fn is_folded_beyond(&self, hour: i64, lateness: i64) -> bool {
        let start = Timestamp::from_seconds(hour * HOUR);
        !self.is_unused() && self.volume.next_day() > judged_through(start, lateness) + 1 && self.has_folded()
    }

    /// The most units of one day: of the last 42 active ones, or of those that are not folded yet.
    pub(crate) fn peak_day(&self) -> u64 {
        let (_, folded) = self.largest();
        let open = self.open.iter().map(|day| day.seen().units);
        open.max().unwrap_or_default().max(libm::ceil(folded) as u64)
    }

    /// Whether a day is part of the baseline already.
    fn has_folded(&self) -> bool {
        self.volume.next_day() > self.first_day()
    }

    /// Adds what was counted by a profile of the same service that began later and has folded no day. Says whether it
    /// could.
    pub(crate) fn append(&mut self, later: &Self) -> bool {
        if later.has_folded() {
            return false;
        }
        for open in &later.open {
            match self.open.iter_mut().find(|known| known.day == open.day) {
                Some(known) => known.append(open),
                None => self.open.push(open.clone()),
            }
        }
        self.open.sort_by_key(|open| open.day);
        true
    }

    /// What was seen on the open days.
    pub(crate) fn seen(&self) -> Journal {
        let mut seen = Journal::default();
        for open in &self.open {
            seen.merge(&open.seen());
        }
        seen
    }

    /// The identities of the open days with their calls, busiest first.
    pub(crate) fn busiest_identities(&self) -> Vec<(Digest, u64)> {
        let mut calls: BTreeMap<Digest, u64> = BTreeMap::new();
        for (who, identity) in self.open.iter().flat_map(|open| &open.identities) {
            *calls.entry(*who).or_default() += identity.upto(23);
        }
        let mut busiest: Vec<(Digest, u64)> = calls.into_iter().collect();
        busiest.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        busiest
    }

    /// The open day, if it is one.
    pub(crate) fn day(&self, day: i32) -> Option<&ServiceDay> {
        self.open.iter().find(|open| open.day == day)
    }

    /// The open day, to be changed.
    pub(crate) fn day_mut(&mut self, day: i32) -> Option<&mut ServiceDay> {
        self.open.iter_mut().find(|open| open.day == day)
    }

    /// What the whole account is expected to do in an hour; kept for the next question.
    pub(crate) fn expected(&mut self, hour: i64, params: &Params) -> Expectations {
        let expectations = self.expectations(hour, params);
        self.cache = Some((hour, expectations));
        expectations
    }

    /// What the whole account is expected to do in an hour.
    pub(crate) fn expectations(&self, hour: i64, params: &Params) -> Expectations {
        if let Some((known, expectations)) = self.cache
            && known == hour
        {
            return expectations;
        }
        let start = Timestamp::from_seconds(hour * HOUR);
        let through = judged_through(start, params.lateness_seconds);
        self.volume
            .ahead(through, self.open.iter().map(ServiceDay::calls), params)
            .expect_calls(start.day(), start.hour_of_day(), params)
    }

    /// Whether the whole rose in this hour or its day, and would have without any one of its identities. Every use makes
    /// that likelier and none less, so it does not matter in which order they come.
    /// `mean_of` is what an identity was expected to do in the hour or day.
    pub(crate) fn spread(
        &self,
        hour: i64,
        expected: &Expectations,
        params: &Params,
        mean_of: impl Fn(Digest, Horizon) -> f64,
    ) -> Option<Spread> {
        let open = self.day(hour.div_euclid(24) as i32)?;
        let hour_of_day = hour.rem_euclid(24) as u8;
        [Horizon::Hour, Horizon::Day].into_iter().find_map(|horizon| {
            let expectation = expected.get(horizon)?;
            let count_of = |identity: &IdentityDay| match horizon {
                Horizon::Hour => identity.calls(hour_of_day),
                _ => identity.upto(hour_of_day),
            };
            let hours = open.calls.iter().map(|calls| u64::from(*calls));
            let count: u64 = match horizon {
                Horizon::Hour => hours.skip(hour_of_day.into()).take(1).sum(),
                _ => hours.take(usize::from(hour_of_day) + 1).sum(),
            };
            if level(horizon, count, expectation, params) < Level::Anomalous {
                return None;
            }
            let falls_without = |calls: u64| level(horizon, count - calls, expectation, params) < Level::Anomalous;
            // Of those alone that could matter, what they are expected to do is asked for.
            let one_has_it = open.identities.iter().any(|(who, identity)| {
                let calls = count_of(identity).min(count);
                let expected = || libm::floor(mean_of(*who, horizon)) as u64;
                falls_without(calls) && falls_without(calls.saturating_sub(expected()))
            });
            let identities = open.identities.values().filter(|i| count_of(i) > 0).count();
            (!one_has_it).then_some(Spread {
                horizon,
                count,
                identities,
                expected: *expectation,
            })
        })
    }

    /// Whether more identities than usual left their baselines, or doubled their day.
    pub(crate) fn breadth(&self, breadth: Breadth, day: i32) -> Option<(u64, Expectation)> {
        let params = breadth.params();
        let count = self.day(day)?.count(breadth);
        if (count as f64) < params.day.floor {
            return None;
        }
        let start = Timestamp::from_seconds(i64::from(day) * tripmeter_model::DAY);
        let through = judged_through(start, params.lateness_seconds);
        let volume = match breadth {
            Breadth::Anomalous => &self.anomalous,
            Breadth::Doubled => &self.doubled,
        };
        let ahead = volume.ahead(through, self.open.iter().map(|open| open.breadth(breadth)), &params);
        let expected = ahead.expect_calls(day, 0, &params).day?;
        (level(Horizon::Day, count, &expected, &params) >= Level::Anomalous).then_some((count, expected))
    }

    fn breadth_volume_mut(&mut self, breadth: Breadth) -> &mut Volume {
        match breadth {
            Breadth::Anomalous => &mut self.anomalous,
            Breadth::Doubled => &mut self.doubled,
        }
    }
}

/// What is counted of an account's identities on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Breadth {
    /// Those that left their own baselines.
    Anomalous,
    /// Those that made twice the calls of their usual day: not much by itself, but many at once are.
    Doubled,
}

impl Breadth {
    fn params(self) -> Params {
        let mut params = Params::breadth();
        if self == Self::Doubled {
            params.day.floor = 10.0;
        }
        params
    }
}

impl ServiceDay {
    /// States what an identity did in an hour. `more` is a use that was not counted before.
    fn restate(&mut self, restated: &Restated, more: Option<&Activity>) {
        let hour = restated.hour.rem_euclid(24) as u8;
        let known = self.identities.len() < MAX_IDENTITIES || self.identities.contains_key(&restated.who);
        let (calls, units) = if known {
            let of_hour = self
                .identities
                .entry(restated.who)
                .or_default()
                .hours
                .entry(hour)
                .or_default();
            let more = match more {
                // Its profile was forgotten since, to make room.
                Some(activity) if restated.count.0 < of_hour.0.saturating_add(in_volume(activity).min(1)) => (
                    in_volume(activity),
                    u32::try_from(activity.quantity.units).unwrap_or(u32::MAX),
                ),
                _ => (
                    restated.count.0.saturating_sub(of_hour.0),
                    restated.count.1.saturating_sub(of_hour.1),
                ),
            };
            *of_hour = (of_hour.0.saturating_add(more.0), of_hour.1.saturating_add(more.1));
            (more.0, u64::from(more.1))
        } else {
            more.map_or((0, 0), |activity| (in_volume(activity), activity.quantity.units))
        };
        let hour = usize::from(hour);
        if let (Some(all_calls), Some(all_units)) = (self.calls.get_mut(hour), self.units.get_mut(hour)) {
            *all_calls = all_calls.saturating_add(calls);
            *all_units = all_units.saturating_add(units);
        }
    }

    /// Adds what other hours of the same day held.
    fn append(&mut self, other: &Self) {
        for (mine, theirs) in self.calls.iter_mut().zip(other.calls) {
            *mine = mine.saturating_add(theirs);
        }
        for (mine, theirs) in self.units.iter_mut().zip(other.units) {
            *mine = mine.saturating_add(theirs);
        }
        for (who, theirs) in &other.identities {
            let mine = self.identities.entry(*who).or_default();
            for (hour, (calls, units)) in &theirs.hours {
                let of_hour = mine.hours.entry(*hour).or_default();
                *of_hour = (of_hour.0.saturating_add(*calls), of_hour.1.saturating_add(*units));
            }
            mine.anomalous |= theirs.anomalous;
            mine.doubled |= theirs.doubled;
            mine.novel |= theirs.novel;
        }
        self.journal.merge(&other.journal);
        self.announced |= other.announced;
    }

    /// What was seen on the day, with the counts that the identities state.
    pub(crate) fn seen(&self) -> Journal {
        let mut seen = self.journal.clone();
        seen.count = self.calls.iter().map(|calls| u64::from(*calls)).sum();
        seen.units = self.units.iter().sum();
        seen
    }

    fn clip(&self) -> Clip {
        if self.announced { Clip::Expected } else { Clip::Usual }
    }

    /// Its calls, as they are folded.
    fn calls(&self) -> Day {
        let calls = DayCounts {
            hours: self.calls,
            largest_ten: 0,
        };
        Day {
            day: self.day,
            calls,
            units: calls,
            clip: self.clip(),
        }
    }

    fn count(&self, breadth: Breadth) -> u64 {
        let counts = |identity: &&IdentityDay| match breadth {
            Breadth::Anomalous => identity.anomalous,
            Breadth::Doubled => identity.doubled,
        };
        self.identities.values().filter(counts).count() as u64
    }

    /// The number of identities, as it is folded.
    fn breadth(&self, breadth: Breadth) -> Day {
        let mut hours = [0; 24];
        if let Some(first) = hours.first_mut() {
            *first = self.count(breadth) as u32;
        }
        let count = DayCounts { hours, largest_ten: 0 };
        Day {
            day: self.day,
            calls: count,
            units: count,
            clip: self.clip(),
        }
    }

    /// Calls in the hour, and in the day up to its end.
    pub(crate) fn calls_of(&self, hour: u8) -> (u64, u64) {
        of_hour(&self.calls, hour)
    }

    /// Units in the hour, and in the day up to its end.
    pub(crate) fn units(&self, hour: u8) -> (u64, u64) {
        let hour = usize::from(hour);
        (
            self.units.get(hour).copied().unwrap_or(0),
            self.units.iter().take(hour + 1).sum(),
        )
    }

    /// The identity that spent over half of the day's units, if one did.
    pub(crate) fn spender(&self) -> Option<Digest> {
        let units_of =
            |identity: &IdentityDay| -> u64 { identity.hours.values().map(|(_, units)| u64::from(*units)).sum() };
        let all: u64 = self.units.iter().sum();
        let mut identities = self.identities.iter();
        identities
            .find(|(_, identity)| units_of(identity).saturating_mul(2) > all)
            .map(|(who, _)| *who)
    }
}
