//! The rolling baseline of one measure: what was usual, by hour, day, week and month.
//!
//! A profile counts its open days elsewhere; here a day arrives once, complete, and is *folded*: its hours move the
//! slot means, its total and its largest windows enter rings of 42 days. What the rings hold becomes a reference
//! only after seven days (28 for the month), so what is anomalous does not vouch for itself, and a slow ramp is
//! measured against the level before it.
//!
//! A window is judged by a baseline that was folded through a day that its start alone decides
//! ([`judged_through`]), and a day is folded when its last events can have come ([`foldable_through`]): the order
//! in which events arrive changes nothing.
//!
//! ```
//! use tripmeter_detect::baseline::{Clip, DayCounts, Horizon, Level, Measure, Params, level};
//!
//! let params = Params::identity();
//! let mut calls = Measure::new(20_458);
//! for _ in 0..60 {
//!     calls.fold(&DayCounts { hours: [12; 24], largest_ten: 4 }, &params, Clip::Usual);
//! }
//! let hour = calls.expect(calls.next_day(), 10, &params).hour.unwrap();
//! assert_eq!(hour.gate, 36);
//! assert_eq!(level(Horizon::Hour, 35, &hour, &params), Level::Usual);
//! assert_eq!(level(Horizon::Hour, 144, &hour, &params), Level::Extreme);
//! ```
//!
//! Evades: twice the own volume, in the own hours. False when: a load test of a whole day that nobody announced.

mod expectation;
mod history;
mod params;
mod ring;
mod volume;

use serde::{Deserialize, Serialize};
use tripmeter_model::{HOUR, Timestamp};

use crate::codes::{code16, value16};
pub use expectation::{Expectation, Expectations, Level, level};
pub use history::{History, Spread};
pub use params::{Horizon, Params, Test};
pub use ring::Ring;
pub use volume::{Day, Volume};

/// An expected count is never nought: nothing is impossible.
const SMALLEST_MEAN: f64 = 1e-3;
/// Days of each type that are counted; more would not move a slot less.
const MOST_DAYS_SEEN: u8 = 50;
/// Stored peaks of a usual day reach at most so many gates.
const STORED_GATES: u64 = 4;

/// The counts of a whole day, UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DayCounts {
    /// By hour.
    pub hours: [u32; 24],
    /// The largest ten minutes of the clock.
    pub largest_ten: u32,
}

impl DayCounts {
    /// The day's sum.
    pub fn total(&self) -> u64 {
        self.hours.iter().map(|&count| u64::from(count)).sum()
    }

    /// The largest hour.
    pub fn largest_hour(&self) -> u64 {
        self.hours.iter().copied().max().unwrap_or_default().into()
    }
}

/// How much of a day may become normal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Clip {
    /// All of it: somebody announced it.
    Expected,
    /// Hours up to their gates and peaks up to four; all of it while the profile learns.
    #[default]
    Usual,
    /// At most the gates: an episode of the day reached High, or a person confirmed one.
    Hostile,
}

impl Clip {
    /// What a ring stores of a count with this gate.
    fn stored(self, count: u64, gate: u64) -> f64 {
        let most = match self {
            Self::Expected => u64::MAX,
            Self::Usual => gate.saturating_mul(STORED_GATES),
            Self::Hostile => gate,
        };
        count.min(most) as f64
    }
}

/// The days that are expected to be alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DayType {
    /// Monday to Friday, UTC.
    Weekday,
    /// Saturday and Sunday, UTC.
    Weekend,
}

impl DayType {
    /// Of a day since 1970-01-01, which was a Thursday.
    pub fn of(day: i32) -> Self {
        if (i64::from(day) + 3).rem_euclid(7) >= 5 {
            Self::Weekend
        } else {
            Self::Weekday
        }
    }
}

/// The last day that the baseline of a window is folded through: the one whose every event has had time to arrive
/// when the window starts.
pub fn judged_through(window_start: Timestamp, lateness_seconds: i64) -> i32 {
    window_start.plus(lateness_seconds.saturating_neg()).day() - 1
}

/// The last day that may be folded for good once an event of this time was seen: the hours that older baselines
/// judge have ended by then, and their last events have had time to arrive.
pub fn foldable_through(seen: Timestamp, lateness_seconds: i64) -> i32 {
    let judged_older = lateness_seconds
        .saturating_add(HOUR - 1)
        .div_euclid(HOUR)
        .saturating_mul(HOUR);
    judged_through(seen, judged_older.saturating_add(lateness_seconds))
}

/// The means of one type of day's hours, as [`code16`], and how many days made them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Slots {
    means: [u16; 24],
    days_seen: u8,
}

impl Slots {
    /// Mean of an hour, drawn towards the measure's level with the weight of three days.
    fn mean(&self, code: u16, level: f64) -> f64 {
        let days = f64::from(self.days_seen);
        ((days * value16(code) + 3.0 * level) / (days + 3.0)).max(SMALLEST_MEAN)
    }

    /// Moves each hour towards what it held today; `least_gain` is what a new day weighs at least.
    fn fold(&mut self, hours: &[f64; 24], least_gain: f64) {
        let gain = (1.0 / (f64::from(self.days_seen) + 1.0)).max(least_gain);
        for (code, count) in self.means.iter_mut().zip(hours) {
            let mean = value16(*code);
            *code = code16(mean + gain * (count - mean));
        }
        self.days_seen = self.days_seen.saturating_add(1).min(MOST_DAYS_SEEN);
    }
}

/// The rolling baseline of a profile's calls (or of any count that has hours of its own).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    history: History,
    weekday: Slots,
    weekend: Slots,
}

impl Measure {
    /// Nothing known yet; `first_day` (since 1970-01-01) is the first to be folded.
    pub fn new(first_day: i32) -> Self {
        Self {
            history: History::new(first_day),
            weekday: Slots::default(),
            weekend: Slots::default(),
        }
    }

    /// The profile's first day, since 1970-01-01.
    pub fn first_day(&self) -> i32 {
        self.history.first_day
    }

    /// The first day that is not folded yet, since 1970-01-01.
    pub fn next_day(&self) -> i32 {
        self.history.next_day
    }

    /// Days from the profile's first to this one.
    pub fn age_days(&self, day: i32) -> i32 {
        self.history.age(day)
    }

    /// What is remembered of days, weeks and spread.
    pub fn history(&self) -> &History {
        &self.history
    }

    fn history_mut(&mut self) -> &mut History {
        &mut self.history
    }

    /// The total of a folded day, as stored: exact to 6 %, and at most what its [`Clip`] allowed. None for days
    /// that are not folded, or longer ago than 42 days.
    pub fn total_of(&self, day: i32) -> Option<f64> {
        self.history.total_of(day)
    }

    /// Folds [`Self::next_day`].
    pub fn fold(&mut self, counts: &DayCounts, params: &Params, clip: Clip) {
        let kind = DayType::of(self.next_day());
        let means = self.hour_means(kind);
        let learned = self.history.fold(counts, &means, params, clip);
        // A half-life of about two weeks for either type of day.
        match kind {
            DayType::Weekday => self.weekday.fold(&learned, 0.07),
            DayType::Weekend => self.weekend.fold(&learned, 0.16),
        }
    }

    /// What windows of this day and hour are compared with, by the days folded so far. The caller sees to it that
    /// these reach [`judged_through`] and no further.
    pub fn expect(&self, day: i32, hour: u8, params: &Params) -> Expectations {
        self.history.expect(day, self.hour_mean(day, hour), params)
    }

    /// The codes of an hour's mean on weekdays and weekends, from 00:00.
    pub fn slots(&self, kind: DayType) -> &[u16; 24] {
        &self.slots_of(kind).means
    }

    /// Days of this type that were folded, at most 50.
    pub fn days_seen(&self, kind: DayType) -> u8 {
        self.slots_of(kind).days_seen
    }

    fn slots_of(&self, kind: DayType) -> &Slots {
        match kind {
            DayType::Weekday => &self.weekday,
            DayType::Weekend => &self.weekend,
        }
    }

    fn hour_mean(&self, day: i32, hour: u8) -> f64 {
        let slots = self.slots_of(DayType::of(day));
        let code = slots.means.get(usize::from(hour)).copied().unwrap_or_default();
        slots.mean(code, self.history.hourly_level())
    }

    fn hour_means(&self, kind: DayType) -> [f64; 24] {
        let (slots, level) = (self.slots_of(kind), self.history.hourly_level());
        slots.means.map(|code| slots.mean(code, level))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A Monday.
    const FIRST: i32 = 20_458;

    fn day(hour: u32) -> DayCounts {
        DayCounts {
            hours: [hour; 24],
            largest_ten: hour,
        }
    }

    fn folded(days: i32, hour: u32) -> Measure {
        let mut measure = Measure::new(FIRST);
        for _ in 0..days {
            measure.fold(&day(hour), &Params::identity(), Clip::Usual);
        }
        measure
    }

    fn newest_day(measure: &Measure) -> f64 {
        measure.history().days().newest()
    }

    #[test]
    fn a_window_is_judged_by_days_that_were_complete_when_it_began() {
        let midnight = Timestamp::from_seconds(20_460 * tripmeter_model::DAY);
        let two_hours = Params::default().lateness_seconds;

        assert_eq!(judged_through(midnight, two_hours), 20_458);
        assert_eq!(judged_through(midnight.plus(two_hours - 1), two_hours), 20_458);
        assert_eq!(judged_through(midnight.plus(two_hours), two_hours), 20_459);
        assert_eq!(foldable_through(midnight.plus(2 * two_hours - 1), two_hours), 20_458);
        assert_eq!(foldable_through(midnight.plus(2 * two_hours), two_hours), 20_459);
    }

    #[test]
    fn a_week_begins_on_monday() {
        let kinds = [3, 4, 5, 6, 7].map(|days| DayType::of(FIRST + days));

        assert_eq!(
            kinds.map(|kind| kind == DayType::Weekend),
            [false, false, true, true, false]
        );
    }

    #[test]
    fn an_attack_is_learned_by_as_much_as_its_day_allows() {
        let usual = folded(60, 10);
        let gate = usual.expect(FIRST + 60, 0, &Params::identity()).day.unwrap().gate as f64;

        let stored = [Clip::Expected, Clip::Usual, Clip::Hostile].map(|clip| {
            let mut measure = usual;
            measure.fold(&day(9_000), &Params::identity(), clip);
            newest_day(&measure)
        });

        // Codes are exact to six percent.
        for (stored, wanted) in stored.into_iter().zip([24.0 * 9_000.0, 4.0 * gate, gate]) {
            assert!((stored / wanted - 1.0).abs() < 0.07, "{stored}, not {wanted}");
        }
    }

    #[test]
    fn a_hostile_first_day_teaches_no_more_than_the_floors() {
        let mut measure = Measure::new(FIRST);

        measure.fold(&day(9_000), &Params::identity(), Clip::Hostile);

        let hour = measure.history().largest_hours().newest();
        assert!(newest_day(&measure) < 43.0 && hour < 27.0, "{measure:?}");
    }

    #[test]
    fn levels_are_reached_one_after_the_other() {
        let params = Params::identity();
        let hour = folded(60, 1).expect(FIRST + 60, 0, &params).hour.unwrap();

        let levels = [9, 12, 25, 100, 750].map(|count| level(Horizon::Hour, count, &hour, &params).number());

        assert_eq!((hour.gate, levels), (25, [0, 1, 2, 3, 4]));
        assert_eq!(level(Horizon::Day, 24, &hour, &params), Level::Usual);
    }

    #[test]
    fn breadth_is_the_day_test_with_numbers_of_its_own() {
        let params = Params::breadth();
        let mut identities = Measure::new(FIRST);
        for _ in 0..60 {
            let mut one_a_week = DayCounts::default();
            one_a_week.hours[0] = u32::from(DayType::of(identities.next_day()) == DayType::Weekend);
            identities.fold(&one_a_week, &params, Clip::Usual);
        }

        let expected = identities.expect(FIRST + 60, 0, &params).day.unwrap();

        assert_eq!(expected.gate, 4);
        assert_eq!(level(Horizon::Day, 3, &expected, &params), Level::Usual);
        assert_eq!(level(Horizon::Day, 12, &expected, &params), Level::Anomalous);
    }

    #[test]
    fn a_profile_of_sixty_days_stays_in_its_byte_budget() {
        for hour in [0, 3, u32::MAX] {
            let bytes = postcard::to_stdvec(&folded(60, hour)).unwrap();

            assert!(bytes.len() < 340, "{} bytes at {hour} an hour", bytes.len());
            assert_eq!(postcard::from_bytes::<Measure>(&bytes).unwrap(), folded(60, hour));
        }
    }

    proptest! {
        #[test]
        fn no_day_is_folded_while_an_older_baseline_judges(
            hour in -48..48_i64, into_it in 0..HOUR, minutes in 15..=360_i64, late in 0.0..=1.0_f64,
        ) {
            let lateness = minutes * tripmeter_model::MINUTE;
            let window_start = Timestamp::from_seconds(hour * HOUR);
            let seen = window_start.plus(into_it + (late * lateness as f64) as i64);

            prop_assert!(foldable_through(seen, lateness) <= judged_through(window_start, lateness));
        }

        #[test]
        fn a_larger_count_never_has_a_lower_level(
            usual in 0..3_000_u32, hour in 0..24_u8, count in 0..200_000_u64, more in 0..200_000_u64,
        ) {
            let params = Params::identity();
            let expected = folded(60, usual).expect(FIRST + 60, hour, &params);

            for horizon in Horizon::ALL {
                let window = expected.get(horizon).unwrap();
                let of = |count| level(horizon, count, window, &params);
                prop_assert!(of(count) <= of(count + more), "{horizon:?} {window:?}");
                prop_assert!(count >= window.gate || of(count) <= Level::UnusualHour);
            }
        }
    }
}
