//! The use profile: what one identity does on one service, hour by hour, and what is surprising about it.
//!
//! Counts and sums, minima and unions only, so that the order of arrival (within the lateness bound) changes
//! nothing. A day is folded into the baseline once, after its last event can have come.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

use serde::{Deserialize, Serialize};
use tripmeter_model::{Activity, Digest, HOUR, TEN_MINUTES, Timestamp};

use crate::baseline::{
    Expectation, Expectations, Horizon, Level, Params, Ring, Volume, foldable_through, judged_through, level,
};
use crate::cell::{Before, Cell, Counted, NEW_FOR, Surprise};
use crate::habits::Days;
use crate::journal::{Context, values_of};
use crate::novelty::{Attribute, Rates, Seen as Novel};
use crate::open_day::{OpenDay, Ten, of_hour};
use crate::seen::Seen;
use crate::units::{Unit, calls32, weight};

/// Event ids remembered at the least, so that a repeated delivery changes nothing.
const REMEMBERED: usize = 64;
/// Calls of a day from which twice the usual says something.
const DOUBLED_FROM: u64 = 10;
/// So many new attributes in one use are a caller that shares nothing with yesterday's.
const WIDE: usize = 3;
/// On so many days of the last seven a young place was shown before it is one that somebody keeps coming back from.
const KEPT_DAYS: u32 = 3;
/// An hour is unusual for its day, week or month only if it has so many times the calls of such an hour: what follows a
/// burst as usual is no part of it.
const ADDS: f64 = 1.5;

/// What came of adding a use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Added {
    /// Its event id was counted before.
    Duplicate,
    /// Its day is folded: it is not added to volume.
    Late,
    /// It counts; whether it showed something new, or showed it earlier than was known.
    Counted { novel: bool },
}

/// See the module's docs. This is the hot item of the store: identities and values appear as digests.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Profile {
    pub first_use: Timestamp,
    pub last_use: Timestamp,
    volume: Volume,
    open: Vec<OpenDay>,
    rates: [Rates; 5],
    /// Hours of the day that were used on folded days, a bit each.
    hours: u32,
    /// Folded days with a level of 2 or more.
    anomalous_days: Days,
    /// Event ids counted last, oldest first: a true event is taken for a duplicate once in 67 million.
    remembered: VecDeque<IdHash>,
    /// Of them, those that were counted since the profile was read.
    #[serde(skip)]
    counted: usize,
}

/// An event id that was counted, as 32 bits.
pub(crate) type IdHash = [u8; 4];

/// What belongs to a profile but not into its hot item: first-seen sets, and the hours that may still change.
#[derive(Clone, Debug, Default)]
pub(crate) struct Around {
    pub seen: Seen,
    /// Networks that people vouched for.
    pub vouched: BTreeSet<Digest>,
    pub cells: BTreeMap<i64, Cell>,
    /// Ids that were counted before those that the profile remembers, where a delivery is known to be a second one.
    pub receipts: HashSet<IdHash>,
    cache: Vec<Expected>,
}

impl Around {
    /// What was seen, without hours.
    pub(crate) fn of(seen: Seen, vouched: BTreeSet<Digest>) -> Self {
        Self {
            seen,
            vouched,
            ..Self::default()
        }
    }
}

/// What the windows of one hour are compared with.
#[derive(Clone, Copy, Debug)]
struct Expected {
    hour: i64,
    calls: Expectations,
    units: Expectations,
    /// Calls and units of the six and the 27 days before.
    before: [(u64, u64); 2],
}

/// What must be known to judge a profile's volume.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judge<'a> {
    pub params: &'a Params,
    /// The largest hour of the other identities, where this one is new among identities that are not.
    pub newcomer_among: Option<f64>,
    /// The ratio to the mean of the last seven days at which a day of model calls is unusual.
    pub spike: Option<f64>,
}

impl Profile {
    /// A profile whose first use is at this time.
    pub(crate) fn new(unit: Unit, at: Timestamp) -> Self {
        let calls = Volume::new(at.day());
        Self {
            first_use: at,
            last_use: at,
            volume: unit.a_call().map_or(calls, |units| calls.with_units(units)),
            open: Vec::new(),
            rates: [Rates::default(); 5],
            hours: 0,
            anomalous_days: Days::default(),
            remembered: VecDeque::new(),
            counted: 0,
        }
    }

    /// Days from the first use to this day.
    pub(crate) fn age_days(&self, day: i32) -> i32 {
        day - self.first_day()
    }

    fn first_day(&self) -> i32 {
        self.volume.calls().first_day()
    }

    /// Adds a use that was carried out. `vouched` networks are never new.
    pub(crate) fn add(
        &mut self,
        around: &mut Around,
        activity: &Activity,
        context: &Context,
        vouched: bool,
        params: &Params,
    ) -> Added {
        if activity.event_id.as_deref().is_some_and(|id| self.repeated(id, around)) {
            return Added::Duplicate;
        }
        let (time, day) = (activity.time, activity.time.day());
        if day < self.first_day() {
            // Nothing is folded yet, unless it is later than any event may be.
            self.volume.begin_by(day);
            around.cache.clear();
        }
        if day < self.volume.next_day() {
            return Added::Late;
        }
        self.fold(around, time, params);
        let mut novel = time.day() < self.first_use.day();
        self.first_use = self.first_use.min(time);
        self.last_use = self.last_use.max(time);
        if self.open.last().is_some_and(|newest| day < newest.day) {
            around.cache.clear();
        }
        self.open_day(day).add(activity, params.lateness_seconds);
        let weight = weight(activity);
        // Days of which everything has come: the order of what is still to come must not matter.
        let told = time.plus(-params.lateness_seconds).day();
        let cell = around.cells.entry(time.hour()).or_default();
        let mut new = 0;
        let (mut strange, mut otherwise) = (false, false);
        let mut kept = false;
        for (attribute, value) in values_of(context) {
            novel |= around.seen.note(attribute, value, time);
            if vouched && attribute == Attribute::Network {
                around.vouched.insert(value);
                continue;
            }
            if around
                .seen
                .first(attribute, value)
                .is_some_and(|first| time.since(first) < NEW_FOR)
            {
                new += 1;
                strange |= attribute.is_place();
                otherwise |= !attribute.is_place();
            } else if attribute.is_place() {
                kept |= around.seen.is_young(attribute, value, told)
                    && around.seen.days_within(attribute, value, told - 7, told - 1) >= KEPT_DAYS;
            }
        }
        if new > 0 {
            cell.fresh = cell.fresh.saturating_add(weight);
        }
        if new >= WIDE {
            cell.wide = cell.wide.saturating_add(weight);
        }
        if strange && otherwise {
            cell.paired = cell.paired.saturating_add(weight);
        }
        if kept {
            cell.kept = cell.kept.saturating_add(weight);
        }
        if strange {
            let (first, last) = cell.strange.unwrap_or((time, time));
            cell.strange = Some((first.min(time), last.max(time)));
        } else {
            let (first, last, count) = cell.known.unwrap_or((time, time, 0));
            cell.known = Some((first.min(time), last.max(time), count.saturating_add(calls32(activity))));
        }
        cell.journal.add(activity, context);
        Added::Counted { novel }
    }

    /// Whether the event id was counted before; remembers it if not.
    fn repeated(&mut self, id: &str, around: &Around) -> bool {
        let hash = (tripmeter_model::digest64(&[id]).0 as u32).to_le_bytes();
        if self.remembered.contains(&hash) || around.receipts.contains(&hash) {
            return true;
        }
        self.remembered.push_back(hash);
        self.counted += 1;
        false
    }

    /// Forgets the ids that were counted before those of the batch that was just added, down to the least that is
    /// remembered, and returns them. Nothing that the batch itself added is forgotten, so that all of it is known
    /// when it comes again.
    pub(crate) fn forget_ids(&mut self) -> Vec<IdHash> {
        let counted = std::mem::take(&mut self.counted);
        if counted == 0 {
            return Vec::new();
        }
        let excess = self.remembered.len().saturating_sub(counted.max(REMEMBERED));
        self.remembered.drain(..excess).collect()
    }

    fn open_day(&mut self, day: i32) -> &mut OpenDay {
        let at = self.open.partition_point(|open| open.day < day);
        if self.open.get(at).is_none_or(|open| open.day != day) {
            self.open.insert(at, OpenDay::new(day));
        }
        // The day was just found or inserted at this place.
        #[expect(clippy::indexing_slicing)]
        &mut self.open[at]
    }

    /// The open day, if it is one.
    pub(crate) fn day(&self, day: i32) -> Option<&OpenDay> {
        self.open.iter().find(|open| open.day == day)
    }

    /// Calls and units of an hour of an open day.
    pub(crate) fn of_hour(&self, hour: i64) -> (u32, u32) {
        let at = hour.rem_euclid(24) as usize;
        self.day(hour.div_euclid(24) as i32).map_or((0, 0), |open| {
            let of = |counts: &[u32; 24]| counts.get(at).copied().unwrap_or(0);
            (of(&open.calls), of(&open.units))
        })
    }

    /// The open days, each with the attributes that showed something new on it, a bit each. Nothing is new on the
    /// first day.
    pub(crate) fn novel_days(&self, seen: &Seen) -> Vec<(i32, u8)> {
        let of_day = |day: i32| {
            let new = Attribute::ALL
                .iter()
                .filter(|attribute| day != self.first_use.day() && seen.novel_on(**attribute, day));
            new.fold(0, |bits, attribute| bits | 1u8 << *attribute as u8)
        };
        self.open.iter().map(|open| (open.day, of_day(open.day))).collect()
    }

    /// Calls or units of an open day, up to the end of an hour.
    pub(crate) fn day_so_far(&self, hour: i64, calls: bool) -> u64 {
        let day = self.day(hour.div_euclid(24) as i32);
        day.map_or(0, |open| {
            let counts = if calls { &open.calls } else { &open.units };
            of_hour(counts, hour.rem_euclid(24) as u8).1
        })
    }

    /// The largest hour and day of the last 42 folded days, in calls or units.
    pub(crate) fn largest(&self, calls: bool) -> (f64, f64) {
        let history = if calls {
            self.volume.calls().history()
        } else {
            self.volume.units()
        };
        let largest = |ring: &Ring<42>| ring.values().fold(0.0, f64::max);
        (largest(history.largest_hours()), largest(history.days()))
    }

    /// Whether a day is part of the baseline already.
    pub(crate) fn has_folded(&self) -> bool {
        self.volume.next_day() > self.first_day()
    }

    /// Adds a profile of the same identity that began after this one ended, and has folded no day.
    pub(crate) fn append(&mut self, later: Self) {
        self.last_use = later.last_use;
        for open in later.open {
            match self.open.iter_mut().find(|known| known.day == open.day) {
                Some(known) => known.append(&open),
                None => self.open.push(open),
            }
        }
        self.remembered.extend(later.remembered);
    }

    /// The open days with their calls.
    pub(crate) fn open_days(&self) -> impl Iterator<Item = (i32, u64)> + '_ {
        self.open.iter().map(|open| (open.day, open.total(Counted::Calls)))
    }

    /// How many event ids are remembered.
    pub(crate) fn remembered(&self) -> usize {
        self.remembered.len()
    }

    /// What is expected of the calls in the hour after the last use, by the days folded by now.
    pub(crate) fn expected_next(&self) -> Expectations {
        let next = self.last_use.plus(HOUR);
        self.volume
            .expect_calls(next.day(), next.hour_of_day(), &Params::identity())
    }

    /// Marks an open day: an episode of it reached High, or somebody announced it.
    pub(crate) fn mark(&mut self, day: i32, mark: impl FnOnce(&mut OpenDay)) {
        if let Some(open) = self.open.iter_mut().find(|open| open.day == day) {
            mark(open);
        }
    }

    /// Folds the days whose events can all have come once something at this time was seen.
    pub(crate) fn fold(&mut self, around: &mut Around, seen: Timestamp, params: &Params) {
        let through = foldable_through(seen, params.lateness_seconds);
        if self.volume.next_day() > through {
            return;
        }
        around.cache.clear();
        self.volume
            .fold_through(through, self.open.iter().map(OpenDay::counts), params);
        let still_open = self.open.partition_point(|open| open.day <= through);
        for open in self.open.drain(..still_open) {
            fold_novelty(
                &mut self.rates,
                self.hours,
                &around.seen,
                &open,
                self.volume.calls().first_day(),
            );
            self.hours |= open.hours_used();
            if open.anomalous {
                self.anomalous_days.note(open.day);
            }
        }
    }

    /// Uses that were carried out around refusals: in the ten minutes of `until` and the ten before, if any came
    /// before `until`. What fails now and then among much that succeeds is no search.
    pub(crate) fn served_around(&self, until: Timestamp) -> u32 {
        let slot = until.ten_minutes();
        let ten = |slot: i64| self.day(slot.div_euclid(144) as i32)?.ten(slot.rem_euclid(144));
        let (before, same) = (ten(slot - 1), ten(slot));
        let first_of = |ten: Ten| Timestamp::from_seconds(slot * TEN_MINUTES + i64::from(ten.first));
        if before.is_none() && same.is_none_or(|ten| first_of(ten) >= until) {
            return 0;
        }
        let calls = |ten: Option<Ten>| ten.map_or(0, |ten| ten.calls);
        calls(before).saturating_add(calls(same))
    }

    /// What was known when an hour began, by the days folded before it.
    pub(crate) fn before(&self, seen: &Seen, hour: i64, lateness: i64, prior: impl Fn(Attribute) -> f64) -> Before {
        let through = judged_through(Timestamp::from_seconds(hour * HOUR), lateness);
        let (mut rates, mut hours) = (self.rates, self.hours);
        for open in self.open.iter().filter(|open| open.day <= through) {
            fold_novelty(&mut rates, hours, seen, open, self.first_day());
            hours |= open.hours_used();
        }
        let of_day = 1u32 << hour.rem_euclid(24);
        Before {
            p_new: Attribute::ALL.map(|attribute| {
                let rates = rates.get(attribute as usize).copied().unwrap_or_default();
                rates.p_new(prior(attribute)) as f32
            }),
            hour_is_new: hours != 0 && hours & of_day == 0,
        }
    }

    /// Whether nothing was used in the 28 days before `day`, though the profile is older.
    pub(crate) fn dormant_before(&self, day: i32) -> bool {
        self.age_days(day) > 28
            && (1..=28).all(|back| {
                let open = self.day(day - back).map_or(0, |open| open.total(Counted::Calls));
                let folded = self.volume.calls().total_of(day - back);
                open == 0 && folded.is_none_or(|total| total <= 0.0)
            })
    }

    /// The mean calls of a day over the 28 days that ended two days before `day`: all of them have come when it is asked
    /// for, so that it stays what it is.
    pub(crate) fn mean_before(&self, day: i32) -> f64 {
        let total = |day: i32| match self.volume.calls().total_of(day) {
            Some(total) => total,
            None => self.day(day).map_or(0.0, |open| open.total(Counted::Calls) as f64),
        };
        let days = (day - 29).max(self.first_day())..day - 1;
        let known = days.len().max(1) as f64;
        days.map(total).sum::<f64>() / known
    }

    /// The mean calls of a day over the last 28 folded days.
    pub(crate) fn mean_day(&self) -> f64 {
        let totals = || (1..=28).filter_map(|back| self.volume.calls().total_of(self.volume.next_day() - back));
        totals().sum::<f64>() / totals().count().max(1) as f64
    }

    /// Days of the last seven up to `day` with a level of 2 or more.
    pub(crate) fn anomalous_days(&self, day: i32) -> u32 {
        let open = self
            .open
            .iter()
            .filter(|o| o.anomalous && o.day > day - 7 && o.day <= day);
        self.anomalous_days.within(day - 6, day) + open.count() as u32
    }

    /// Judges the hours from `from` to the newest once more.
    pub(crate) fn judge(&mut self, around: &mut Around, from: i64, judge: &Judge<'_>) {
        let hours: Vec<i64> = around.cells.range(from..).map(|(hour, _)| *hour).collect();
        for hour in hours {
            let expected = self.expected(around, hour, judge);
            let judged = self.surprise(hour, &expected, judge);
            let day = hour.div_euclid(24) as i32;
            let day_units = self
                .day(day)
                .map_or(0, |open| of_hour(&open.units, hour.rem_euclid(24) as u8).1);
            if let Some(cell) = around.cells.get_mut(&hour) {
                cell.surprise = judged.most;
                cell.day_units = day_units;
            }
            if judged.hour_anomalous {
                let bit = 1u32 << hour.rem_euclid(24);
                self.mark(day, |open| open.anomalous_hours |= bit);
            }
            if judged.day_anomalous {
                self.mark(day, |open| open.anomalous = true);
            }
            let upto = (2u32 << hour.rem_euclid(24)) - 1;
            let hours = self
                .day(day)
                .map_or(0, |open| (open.anomalous_hours & upto).count_ones());
            let days = self.anomalous_days(day);
            if let Some(cell) = around.cells.get_mut(&hour) {
                cell.lasting = (cell.lasting.0.max(hours), cell.lasting.1.max(days));
            }
        }
    }

    /// Whether the day of an hour that was just judged has twice the calls of such a day.
    pub(crate) fn doubled(&self, around: &Around, hour: i64) -> bool {
        let expected = around
            .cache
            .iter()
            .find(|expected| expected.hour == hour)
            .and_then(|e| e.calls.day);
        let (Some(expected), Some(open)) = (expected, self.day(hour.div_euclid(24) as i32)) else {
            return false;
        };
        let (_, calls) = of_hour(&open.calls, hour.rem_euclid(24) as u8);
        calls >= DOUBLED_FROM && calls as f64 >= 2.0 * expected.mean
    }

    /// Means, gates and the sums before, of the windows of an hour; computed once an hour.
    fn expected(&self, around: &mut Around, hour: i64, judge: &Judge<'_>) -> Expected {
        if let Some(known) = around.cache.iter().find(|e| e.hour == hour) {
            return *known;
        }
        let (day, hour_of_day) = (hour.div_euclid(24) as i32, hour.rem_euclid(24) as u8);
        let start = Timestamp::from_seconds(hour * HOUR);
        let through = judged_through(start, judge.params.lateness_seconds);
        let ahead = self
            .volume
            .ahead(through, self.open.iter().map(OpenDay::counts), judge.params);
        let or_newcomer = |expectations: Expectations, units: f64, params: &Params| match judge.newcomer_among {
            Some(busiest) if expectations.hour.is_none() => newcomer(busiest * units, params),
            _ => expectations,
        };
        let units_a_call = f64::from(self.volume.units_a_call());
        let calls = or_newcomer(ahead.expect_calls(day, hour_of_day, judge.params), 1.0, judge.params);
        let units = ahead
            .expect_units(day, hour_of_day, judge.params)
            .map_or_else(Expectations::default, |units| {
                or_newcomer(units, units_a_call, &self.volume.units_params(judge.params))
            });
        // A day past its gate was told of on that day: in the weeks after, it counts as much as a day may.
        let most = |expectations: &Expectations| expectations.day.map_or(u64::MAX, |day| day.gate);
        let (most_calls, most_units) = (most(&calls), most(&units));
        let sum = |days: i32| {
            (1..=days).map(|back| day - back).fold((0, 0), |(calls, units), day| {
                let of_day = if day <= through {
                    let of = |total: Option<f64>| total.map_or(0, |t| libm::round(t) as u64);
                    (of(ahead.calls().total_of(day)), of(ahead.units_of(day)))
                } else {
                    let of = |counted| self.day(day).map_or(0, |open| open.total(counted));
                    (of(Counted::Calls), of(Counted::Units))
                };
                (calls + of_day.0.min(most_calls), units + of_day.1.min(most_units))
            })
        };
        let expected = Expected {
            hour,
            calls,
            units,
            before: [sum(6), sum(27)],
        };
        if around.cache.len() >= 4 {
            around.cache.remove(0);
        }
        around.cache.push(expected);
        expected
    }

    /// The most surprising window that ends in this hour.
    fn surprise(&self, hour: i64, expected: &Expected, judge: &Judge<'_>) -> Judged {
        let mut judged = Judged::default();
        let Some(open) = self.day(hour.div_euclid(24) as i32) else {
            return judged;
        };
        let hour_of_day = hour.rem_euclid(24) as u8;
        let [(week_calls, week_units), (month_calls, month_units)] = expected.before;
        let ten = open.largest_ten_of(hour_of_day);
        let (hour_calls, day_calls) = of_hour(&open.calls, hour_of_day);
        let (hour_units, day_units) = of_hour(&open.units, hour_of_day);
        let calls = [
            ten.0.into(),
            hour_calls,
            day_calls,
            week_calls + day_calls,
            month_calls + day_calls,
        ];
        let units = [
            ten.1.into(),
            hour_units,
            day_units,
            week_units + day_units,
            month_units + day_units,
        ];
        let of_units = self.volume.units_params(judge.params);
        let counted_units = match self.volume.units_a_call() {
            0..=1 => Counted::Units,
            _ => Counted::Tokens,
        };
        for (counted, expectations, counts, params) in [
            (Counted::Calls, &expected.calls, calls, judge.params),
            (counted_units, &expected.units, units, &of_units),
        ] {
            let [_, of_hour, ..] = counts;
            let adds = adds_to_its_day(of_hour, expectations);
            for (horizon, count) in Horizon::ALL.into_iter().zip(counts) {
                let Some(expected) = expectations.get(horizon) else {
                    continue;
                };
                let level = level(horizon, count, expected, params);
                let anomalous = level >= Level::Anomalous;
                judged.hour_anomalous |= anomalous && matches!(horizon, Horizon::TenMinutes | Horizon::Hour);
                judged.day_anomalous |= anomalous && horizon <= Horizon::Day;
                let own = adds || horizon <= Horizon::Hour;
                if own && level > judged.most.map_or(Level::Usual, |most| most.level) {
                    judged.most = Some(Surprise {
                        level,
                        counted,
                        horizon,
                        count,
                        expected: *expected,
                    });
                }
            }
        }
        let spike = expected
            .calls
            .day
            .and_then(|day| spike(day_calls, week_calls, day, judge));
        let spike = spike.filter(|_| adds_to_its_day(hour_calls, &expected.calls));
        if spike.is_some() && judged.most.is_none_or(|most| most.level < Level::Anomalous) {
            judged.most = spike;
        }
        judged
    }
}

/// Whether an hour holds more than such hours do, so that it has a part in what is too much for its day.
fn adds_to_its_day(count: u64, expectations: &Expectations) -> bool {
    expectations.hour.is_none_or(|hour| count as f64 >= ADDS * hour.mean)
}

/// Counts a day for the rates at which new values are shown. Nothing is new on the first day.
fn fold_novelty(rates: &mut [Rates; 5], hours: u32, seen: &Seen, open: &OpenDay, first_day: i32) {
    for (rates, attribute) in rates.iter_mut().zip(Attribute::ALL) {
        let novel = open.day != first_day
            && match attribute {
                Attribute::Hour => open.hours_used() & !hours != 0,
                _ => seen.novel_on(attribute, open.day),
            };
        rates.fold(if novel { Novel::Never } else { Novel::Before });
    }
}

/// What the windows that end in an hour say.
#[derive(Clone, Copy, Debug, Default)]
struct Judged {
    most: Option<Surprise>,
    /// The hour or ten minutes of it are anomalous by themselves.
    hour_anomalous: bool,
    /// They or the day so far are.
    day_anomalous: bool,
}

/// A day of model calls far above the mean of the last seven days: anomalous, whatever the other tests say.
fn spike(today: u64, six_days: u64, day: Expectation, judge: &Judge<'_>) -> Option<Surprise> {
    let mean = six_days as f64 / 6.0;
    let unusual = today as f64 >= judge.params.day.floor && today as f64 >= judge.spike? * mean.max(1.0);
    unusual.then_some(Surprise {
        level: Level::Anomalous,
        counted: Counted::Calls,
        horizon: Horizon::Day,
        count: today,
        expected: Expectation { mean, ..day },
    })
}

/// What a new identity's hours are compared with among identities that are not new: twice the floors, and twice what
/// the busiest of them does. That an application is new is said of nobody twice as busy as the others.
fn newcomer(busiest_hour: f64, params: &Params) -> Expectations {
    let expect = |horizon, peak: f64| {
        let floor = params.gate(horizon, 0, 0.0, 0.0);
        Some(Expectation {
            mean: 1e-3,
            dispersion: 1.0,
            peak,
            gate: 2 * floor.max(libm::ceil(peak) as u64),
        })
    };
    Expectations {
        ten_minutes: expect(Horizon::TenMinutes, busiest_hour),
        hour: expect(Horizon::Hour, busiest_hour),
        ..Expectations::default()
    }
}

#[cfg(test)]
mod tests {
    use tripmeter_model::{DAY, Service, Timestamp};

    use super::{Around, Profile};
    use crate::baseline::Params;
    use crate::journal::context_of;
    use crate::testing::{activity, at};
    use crate::units::Unit;

    fn profile_of(service: Service, first: Timestamp) -> Profile {
        let who = activity(service, "", first).identity;
        Profile::new(Unit::of(service, &who), first)
    }

    /// Sixty days of use: so many calls an hour in the office's hours or around the clock.
    fn grown(service: Service, hours: std::ops::Range<i64>, calls: i64, units: u64) -> Profile {
        let (mut profile, mut around) = (profile_of(service, at(hours.start)), Around::default());
        let mut n = 0;
        for day in 0..60 {
            for hour in hours.clone() {
                for call in 0..calls {
                    let time = at(day * 24 + hour).plus(call * 3_600 / calls);
                    let mut used = activity(service, "SendEmail", time);
                    n += 1;
                    used.event_id = Some(format!("{n:08x}-0000"));
                    used.quantity.units = units + (n % 7) as u64;
                    profile.add(&mut around, &used, &context_of(&used), false, &Params::identity());
                    profile.forget_ids();
                }
            }
        }
        profile
    }

    /// The byte budgets of the hot item: one write unit of DynamoDB is 1,024 bytes.
    const COMMON: usize = 800;
    const HEAVY: usize = 1_000;

    fn bytes(profile: &Profile) -> usize {
        postcard::to_allocvec(profile).unwrap().len()
    }

    #[test]
    fn a_common_profile_and_a_heavy_one_with_units_fit_their_budgets() {
        let common = bytes(&grown(Service::Bedrock, 8..18, 6, 1));
        assert!(common <= COMMON, "a common profile takes {common} bytes");
        let heavy = bytes(&grown(Service::Ses, 0..24, 60, 40));
        assert!(heavy <= HEAVY, "a heavy profile takes {heavy} bytes");
    }

    #[test]
    fn what_was_written_is_read_as_it_was() {
        let profile = grown(Service::Ses, 8..18, 6, 3);
        let bytes = postcard::to_allocvec(&profile).unwrap();
        let read: Profile = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(postcard::to_allocvec(&read).unwrap(), bytes);
    }

    #[test]
    fn an_event_that_comes_twice_counts_once_and_one_of_a_folded_day_not_at_all() {
        let (mut profile, mut around) = (profile_of(Service::Bedrock, at(1)), Around::default());
        let mut add = |id: &str, time: Timestamp| {
            let mut used = activity(Service::Bedrock, "Converse", time);
            used.event_id = Some(id.into());
            profile.add(&mut around, &used, &context_of(&used), false, &Params::identity())
        };
        assert_eq!(add("a", at(1)), super::Added::Counted { novel: true });
        assert_eq!(add("a", at(1)), super::Added::Duplicate);
        assert_eq!(add("b", at(1).plus(3 * DAY)), super::Added::Counted { novel: false });
        assert_eq!(add("c", at(2)), super::Added::Late);
    }
}
