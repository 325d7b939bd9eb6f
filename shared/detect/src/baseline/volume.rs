//! A profile's whole volume: its calls, and its units where a call is not always one unit.

use serde::{Deserialize, Serialize};

use super::{Clip, DayCounts, DayType, Expectations, History, Measure, Params, SMALLEST_MEAN};

/// The rolling baseline of the units that calls spend: recipients, segments, tokens. It has no hours of its own: an
/// hour's mean is that of the calls, times what a call spent over the last 28 days.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Units {
    history: History,
    /// As many of them as the floors of the tests take for one call.
    a_call: u32,
}

impl Units {
    fn per_call(&self, calls: &Measure) -> f64 {
        let units = self.history.recent_total();
        let calls = calls.history().recent_total();
        if calls > 0.0 { units / calls } else { 1.0 }
    }

    fn params(&self, of_calls: &Params) -> Params {
        of_calls.times_floors(self.a_call.into())
    }

    /// Folds the day that `calls` has not folded yet.
    fn fold(&mut self, counts: &DayCounts, calls: &Measure, params: &Params, clip: Clip) {
        let per_call = self.per_call(calls);
        let means = calls.hour_means(DayType::of(self.history.next_day));
        let means = means.map(|mean| hour_mean(mean, per_call));
        self.history.fold(counts, &means, &self.params(params), clip);
    }

    fn expect(&self, day: i32, hour: u8, calls: &Measure, params: &Params) -> Expectations {
        let mean = hour_mean(calls.hour_mean(day, hour), self.per_call(calls));
        self.history.expect(day, mean, &self.params(params))
    }
}

fn hour_mean(calls: f64, per_call: f64) -> f64 {
    (calls * per_call).max(SMALLEST_MEAN)
}

/// A day to be folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    /// Days since 1970-01-01.
    pub day: i32,
    /// Its calls.
    pub calls: DayCounts,
    /// Its units; not looked at where each call is one.
    pub units: DayCounts,
    /// How much of it may become normal.
    pub clip: Clip,
}

/// The rolling baselines of a profile's calls and units, folded together. Days without any use fold as noughts.
///
/// ```
/// use tripmeter_detect::baseline::{Clip, Day, DayCounts, Params, Volume};
///
/// let mut volume = Volume::new(20_458);
/// let counts = DayCounts { hours: [1; 24], largest_ten: 1 };
/// let open = [Day { day: 20_460, calls: counts, units: counts, clip: Clip::Usual }];
/// volume.fold_through(20_464, open, &Params::identity());
/// assert_eq!(volume.next_day(), 20_465);
/// assert_eq!(volume.calls().history().days().codes(), [0, 0, 28, 0, 0, 0, 0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Volume {
    calls: Measure,
    units: Option<Units>,
}

impl Volume {
    /// Nothing known yet; `first_day` (since 1970-01-01) is the first to be folded. Each call is one unit.
    pub fn new(first_day: i32) -> Self {
        Self {
            calls: Measure::new(first_day),
            units: None,
        }
    }

    /// Gives units a baseline of their own, whose floors are those of the calls times `a_call`. Until now each call was
    /// a unit, so it starts as that of the calls.
    pub fn with_units(mut self, a_call: u32) -> Self {
        let history = *self.calls.history();
        self.units.get_or_insert(Units { history, a_call });
        self
    }

    /// As many units as the floors take for one call; 1 where each call is one.
    pub fn units_a_call(&self) -> u32 {
        self.units.as_ref().map_or(1, |units| units.a_call)
    }

    /// The numbers of the tests of its units, made of those of its calls.
    pub fn units_params(&self, of_calls: &Params) -> Params {
        self.units.as_ref().map_or(*of_calls, |units| units.params(of_calls))
    }

    /// The baseline of the calls.
    pub fn calls(&self) -> &Measure {
        &self.calls
    }

    /// The first day that is not folded yet, since 1970-01-01.
    pub fn next_day(&self) -> i32 {
        self.calls.next_day()
    }

    /// Lets the profile begin on this day if it began later, as long as nothing is folded: the first event to
    /// arrive need not be the first that happened.
    pub fn begin_by(&mut self, day: i32) {
        self.calls.history_mut().begin_by(day);
        if let Some(units) = &mut self.units {
            units.history.begin_by(day);
        }
    }

    /// Folds all days up to and with `through` that are not folded yet: `open` (ascending) as they are, the others
    /// as noughts. It does not matter in how many steps.
    pub fn fold_through(&mut self, through: i32, open: impl IntoIterator<Item = Day>, params: &Params) {
        for day in open.into_iter().take_while(|open| open.day <= through) {
            self.fold_silence(day.day, params);
            if day.day == self.next_day() {
                self.fold(&day, params);
            }
        }
        self.fold_silence(through.saturating_add(1), params);
    }

    /// This baseline, folded through a day that may still be open: for windows whose time to be judged has come
    /// before that of the fold.
    pub fn ahead(&self, through: i32, open: impl IntoIterator<Item = Day>, params: &Params) -> Self {
        let mut ahead = *self;
        ahead.fold_through(through, open, params);
        ahead
    }

    /// What the calls of windows of this day and hour are compared with; see [`Measure::expect`].
    pub fn expect_calls(&self, day: i32, hour: u8, params: &Params) -> Expectations {
        self.calls.expect(day, hour, params)
    }

    /// The same of the units; None where each call is one.
    pub fn expect_units(&self, day: i32, hour: u8, params: &Params) -> Option<Expectations> {
        Some(self.units.as_ref()?.expect(day, hour, &self.calls, params))
    }

    /// What is remembered of the units, of the calls where each is one.
    pub fn units(&self) -> &History {
        let units = self.units.as_ref();
        units.map_or(self.calls.history(), |units| &units.history)
    }

    /// The units of a folded day, those of the calls where each is one; see [`Measure::total_of`].
    pub fn units_of(&self, day: i32) -> Option<f64> {
        self.units().total_of(day)
    }

    fn fold(&mut self, day: &Day, params: &Params) {
        // The units' hours are those of the calls, so they go first.
        if let Some(units) = &mut self.units {
            units.fold(&day.units, &self.calls, params, day.clip);
        }
        self.calls.fold(&day.calls, params, day.clip);
    }

    /// Folds noughts up to, without, `day`. A silence of years costs no more than the days until nothing moves.
    fn fold_silence(&mut self, day: i32, params: &Params) {
        while self.next_day() < day {
            let before = *self;
            let week = day.saturating_sub(self.next_day()).min(7);
            for _ in 0..week {
                let silent = Day {
                    day: self.next_day(),
                    calls: DayCounts::default(),
                    units: DayCounts::default(),
                    clip: Clip::Usual,
                };
                self.fold(&silent, params);
            }
            if week == 7 && before.moved_to(self.next_day()) == *self {
                let left = day.saturating_sub(self.next_day());
                *self = self.moved_to(day.saturating_sub(left % 7));
            }
        }
    }

    /// As it is, with another next day.
    fn moved_to(mut self, next_day: i32) -> Self {
        self.calls.history_mut().next_day = next_day;
        if let Some(units) = &mut self.units {
            units.history.next_day = next_day;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIRST: i32 = 20_458;

    fn day_of(day: i32, calls: u32, units: u32, clip: Clip) -> Day {
        let counts = |count| DayCounts {
            hours: [count; 24],
            largest_ten: count / 3,
        };
        Day {
            day,
            calls: counts(calls),
            units: counts(units),
            clip,
        }
    }

    fn days() -> impl Strategy<Value = Vec<Day>> {
        let clip = prop_oneof![Just(Clip::Usual), Just(Clip::Expected), Just(Clip::Hostile)];
        let day = (1..9_i32, any::<u16>(), any::<u32>(), clip);
        prop::collection::vec(day, 1..40).prop_map(|days| {
            let mut at = FIRST;
            let mut open_after = |(gap, calls, units, clip)| {
                at += gap;
                day_of(at, u32::from(calls), units, clip)
            };
            days.into_iter().map(&mut open_after).collect()
        })
    }

    fn folded(through: i32, open: &[Day]) -> Volume {
        let mut volume = Volume::new(FIRST).with_units(1);
        volume.fold_through(through, open.iter().copied(), &Params::identity());
        volume
    }

    #[test]
    fn units_are_expected_where_calls_are() {
        let days: Vec<_> = (FIRST..FIRST + 40)
            .map(|day| day_of(day, 10, 100, Clip::Usual))
            .collect();

        let volume = folded(FIRST + 39, &days);

        let params = Params::identity();
        let calls = volume.expect_calls(FIRST + 40, 9, &params).hour.unwrap();
        let units = volume.expect_units(FIRST + 40, 9, &params).unwrap().hour.unwrap();
        assert!((units.mean / calls.mean - 10.0).abs() < 1.0, "{units:?} for {calls:?}");
        assert!(units.gate > 5 * calls.gate, "{units:?} for {calls:?}");
    }

    #[test]
    fn units_start_as_the_calls_were() {
        let mut volume = Volume::new(FIRST);
        let params = Params::identity();
        volume.fold_through(
            FIRST + 29,
            (FIRST..FIRST + 30).map(|day| day_of(day, 10, 10, Clip::Usual)),
            &params,
        );

        let volume = volume.with_units(1);

        assert_eq!(
            volume.expect_units(FIRST + 30, 9, &params),
            Some(volume.expect_calls(FIRST + 30, 9, &params))
        );
        assert_eq!(volume.units_of(FIRST + 29), volume.calls().total_of(FIRST + 29));
    }

    #[test]
    fn a_profile_may_begin_earlier_until_it_folds() {
        let mut volume = Volume::new(FIRST);

        volume.begin_by(FIRST - 1);
        volume.begin_by(FIRST + 1);
        assert_eq!(volume.next_day(), FIRST - 1);

        volume.fold_through(FIRST, [], &Params::identity());
        volume.begin_by(FIRST - 9);
        assert_eq!(volume.calls().first_day(), FIRST - 1);
    }

    #[test]
    fn eight_thousand_years_of_silence_end_as_a_dozen_do() {
        let busy = [day_of(FIRST, 5_000_000, 4_000_000_000, Clip::Expected)];
        let dozen = folded(FIRST + 7 * 626, &busy);

        let eternity = folded(FIRST + 7 * 417_000, &busy);

        assert_eq!(dozen.moved_to(eternity.next_day()), eternity);
    }

    proptest! {
        // A case folds hundreds of days.
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn it_does_not_matter_in_how_many_steps_days_are_folded(open in days(), step in 1..30_i32) {
            let last = open.last().map_or(FIRST, |open| open.day) + 20;
            let params = Params::identity();
            let mut steps = Volume::new(FIRST).with_units(1);

            let mut through = FIRST;
            while through < last {
                through = (through + step).min(last);
                let looked_at = steps.ahead(through, open.iter().copied(), &params);
                steps.fold_through(through, open.iter().copied(), &params);
                prop_assert_eq!(looked_at, steps);
            }

            prop_assert_eq!(steps, folded(last, &open));
        }

        #[test]
        fn any_counts_give_numbers(open in days(), ahead in 0..3_i32, hour in 0..24_u8) {
            let volume = folded(open.last().map_or(FIRST, |open| open.day), &open);
            let (day, params) = (volume.next_day() + ahead, Params::account());

            let all = [Some(volume.expect_calls(day, hour, &params)), volume.expect_units(day, hour, &params)];

            for expected in all.into_iter().flatten() {
                for expected in crate::baseline::Horizon::ALL.iter().filter_map(|&h| expected.get(h)) {
                    prop_assert!(expected.mean.is_finite() && expected.mean > 0.0, "{expected:?}");
                    prop_assert!(expected.dispersion.is_finite() && expected.dispersion > 0.0, "{expected:?}");
                    prop_assert!(expected.gate >= 25 && expected.gate < u64::MAX, "{expected:?}");
                }
            }
        }
    }
}
