//! What a profile remembers of one measure's days, weeks and spread, without the hours of the day.

use serde::{Deserialize, Serialize};

use super::{Clip, DayCounts, DayType, Expectation, Expectations, Horizon, Params, Ring, SMALLEST_MEAN, Test};

/// Days that the daily rings hold.
const RING_DAYS: i32 = 42;
/// The newest days, which are no reference yet: what started in them must not vouch for itself.
const LAG_DAYS: i32 = 7;
/// The same for the month.
const MONTH_DAYS: i32 = 28;
/// Days over which the level is averaged.
const LEVEL_DAYS: usize = 28;
/// Least dispersion of an hour and a day, and of the sums over weeks.
const LEAST_DISPERSION: f64 = 0.02;
const LEAST_DISPERSION_OF_SUMS: f64 = 0.05;

/// Squared deviations from the expected hours, decayed with a half-life of 28 days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Sum of (count - mean)^2 - count: what the counts vary beyond chance.
    pub excess: f32,
    /// Sum of mean^2: the excess per unit of dispersion.
    pub squares: f32,
    /// Hours.
    pub hours: f32,
}

impl Spread {
    fn fold(&mut self, counts: &[f64; 24], means: &[f64; 24]) {
        let (mut excess, mut squares) = (f64::from(self.excess), f64::from(self.squares));
        for (count, mean) in counts.iter().zip(means) {
            excess += (count - mean) * (count - mean) - count;
            squares += mean * mean;
        }
        let decay = libm::exp2(-1.0 / 28.0);
        self.excess = (decay * excess) as f32;
        self.squares = (decay * squares) as f32;
        self.hours = (decay * (f64::from(self.hours) + 24.0)) as f32;
    }

    /// Dispersion of an hour, drawn to 1 with the weight of one day.
    fn dispersion(&self) -> f64 {
        if self.squares <= 0.0 {
            return 1.0;
        }
        let squares = f64::from(self.squares);
        let one_day = 24.0 * squares / f64::from(self.hours);
        ((f64::from(self.excess) + one_day) / (squares + one_day)).max(LEAST_DISPERSION)
    }
}

/// The folded days of one measure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct History {
    pub(super) first_day: i32,
    pub(super) next_day: i32,
    pub(super) days: Ring<42>,
    pub(super) largest_hours: Ring<42>,
    pub(super) largest_tens: Ring<42>,
    pub(super) weeks: Ring<26>,
    pub(super) spread: Spread,
}

impl History {
    pub(super) fn new(first_day: i32) -> Self {
        Self {
            first_day,
            next_day: first_day,
            days: Ring::default(),
            largest_hours: Ring::default(),
            largest_tens: Ring::default(),
            weeks: Ring::default(),
            spread: Spread::default(),
        }
    }

    /// Totals of the newest 42 days.
    pub fn days(&self) -> &Ring<42> {
        &self.days
    }

    /// The largest hours of the newest 42 days.
    pub fn largest_hours(&self) -> &Ring<42> {
        &self.largest_hours
    }

    /// The largest ten minutes of the newest 42 days.
    pub fn largest_tens(&self) -> &Ring<42> {
        &self.largest_tens
    }

    /// Totals of the newest 26 calendar weeks, the running one last.
    pub fn weeks(&self) -> &Ring<26> {
        &self.weeks
    }

    /// What the hours varied.
    pub fn spread(&self) -> &Spread {
        &self.spread
    }

    /// Days from the profile's first to this one.
    pub(super) fn age(&self, day: i32) -> i32 {
        day.saturating_sub(self.first_day)
    }

    pub(super) fn begin_by(&mut self, day: i32) {
        if self.next_day == self.first_day && day < self.first_day {
            self.first_day = day;
            self.next_day = day;
        }
    }

    /// The total of a day that the ring still holds.
    pub(super) fn total_of(&self, day: i32) -> Option<f64> {
        let newest = self.next_day.checked_sub(1)?;
        let back = usize::try_from(newest.checked_sub(day)?).ok()?;
        self.days.values().rev().nth(back)
    }

    /// Sum of the last 28 days.
    pub(super) fn recent_total(&self) -> f64 {
        self.days.values().rev().take(LEVEL_DAYS).sum()
    }

    /// Mean of an hour over the last 28 days.
    pub(super) fn hourly_level(&self) -> f64 {
        let days = self.days.codes().len().clamp(1, LEVEL_DAYS);
        self.recent_total() / days as f64 / 24.0
    }

    /// Folds the next day, whose hours were expected to hold `means`; returns the hours as they are to be learned.
    pub(super) fn fold(&mut self, counts: &DayCounts, means: &[f64; 24], params: &Params, clip: Clip) -> [f64; 24] {
        let day = self.next_day;
        let clip = match clip {
            Clip::Usual if self.age(day) < params.learn_days => Clip::Expected,
            clip => clip,
        };
        let caution = params.caution(self.age(day));
        let peak_hour = self.peak(&self.largest_hours, day, &params.hour);
        let peak_ten = self.peak(&self.largest_tens, day, &params.ten_minutes);
        let mut hours = counts.hours.map(f64::from);
        if clip != Clip::Expected {
            for (count, mean) in hours.iter_mut().zip(means) {
                *count = count.min(params.hour.gate(caution, *mean, peak_hour) as f64);
            }
        }
        self.spread.fold(&hours, means);
        let day_gate = match self.expect_day(day, params) {
            Some(expected) => expected.gate,
            None if clip == Clip::Hostile => params.day.gate_over(0.0),
            None => u64::MAX,
        };
        let total = clip.stored(counts.total(), day_gate);
        let hour = clip.stored(counts.largest_hour(), params.hour.gate_over(peak_hour));
        let ten = clip.stored(counts.largest_ten.into(), params.ten_minutes.gate_over(peak_ten));
        self.push(total, hour, ten);
        hours
    }

    fn push(&mut self, total: f64, largest_hour: f64, largest_ten: f64) {
        let day = self.next_day;
        self.days.push(total);
        self.largest_hours.push(largest_hour);
        self.largest_tens.push(largest_ten);
        if day == self.first_day || week_of(day) != week_of(day.saturating_sub(1)) {
            self.weeks.push(total);
        } else {
            self.weeks.replace_newest(self.weeks.newest() + total);
        }
        self.next_day = day.saturating_add(1);
    }

    /// What the windows of `day` are compared with, where its hour is expected to hold `hour_mean`.
    pub(super) fn expect(&self, day: i32, hour_mean: f64, params: &Params) -> Expectations {
        if self.age(day) < params.learn_days {
            return Expectations::default();
        }
        let peak_hour = self.peak(&self.largest_hours, day, &params.hour);
        let peak_ten = self.peak(&self.largest_tens, day, &params.ten_minutes);
        let dispersion = self.spread.dispersion();
        let expected = |horizon, mean, dispersion, peak| Expectation {
            mean,
            dispersion,
            peak,
            gate: params.gate(horizon, self.age(day), mean, peak),
        };
        let of_day = self.expect_day(day, params);
        let of_sums = |horizon, sums: Vec<f64>| {
            let mean = (sums.iter().sum::<f64>() / sums.len() as f64).max(SMALLEST_MEAN);
            let dispersion = (of_day?.dispersion / 3.0).max(LEAST_DISPERSION_OF_SUMS);
            let peak = sums.into_iter().reduce(f64::max)?;
            Some(expected(horizon, mean, dispersion, peak))
        };
        Expectations {
            ten_minutes: Some(expected(
                Horizon::TenMinutes,
                hour_mean / 6.0,
                2.0 * dispersion,
                peak_ten,
            )),
            hour: Some(expected(Horizon::Hour, hour_mean, dispersion, peak_hour)),
            day: of_day,
            week: of_sums(Horizon::Week, self.week_sums(day)),
            month: of_sums(Horizon::Month, self.month_sums(day)),
        }
    }

    /// The day against the days of its type, drawn towards all of them. None without any day older than the lag.
    fn expect_day(&self, day: i32, params: &Params) -> Option<Expectation> {
        let days = || self.between(&self.days, day, RING_DAYS, LAG_DAYS);
        let n = days().count() as f64;
        let peak = days().map(|(_, total)| total).reduce(f64::max)?;
        let level = days().map(|(_, total)| total).sum::<f64>() / n;
        let type_mean = |kind| {
            let of_kind = days().filter(|(day, _)| DayType::of(*day) == kind);
            let (sum, n) = of_kind.fold((0.0, 0.0), |(sum, n), (_, total)| (sum + total, n + 1.0));
            (sum + 2.0 * level) / (n + 2.0)
        };
        let (weekday, weekend) = (type_mean(DayType::Weekday), type_mean(DayType::Weekend));
        let mean_on = |day| match DayType::of(day) {
            DayType::Weekday => weekday,
            DayType::Weekend => weekend,
        };
        let (mut excess, mut squares) = (0.0, 0.0);
        for (day, total) in days() {
            let mean = mean_on(day);
            excess += (total - mean) * (total - mean) - total;
            squares += mean * mean;
        }
        let prior = 4.0 * level * level;
        let dispersion = if squares + prior > 0.0 {
            ((excess.max(0.0) + 0.5 * prior) / (squares + prior)).max(LEAST_DISPERSION)
        } else {
            0.5
        };
        let mean = (mean_on(day) * n + 0.5) / (n + 1.0);
        Some(Expectation {
            mean,
            dispersion,
            peak,
            gate: params.gate(Horizon::Day, self.age(day), mean, peak),
        })
    }

    /// The sums of seven whole days that end 8, 15, ... 36 days before `day`.
    fn week_sums(&self, day: i32) -> Vec<f64> {
        (1..=5)
            .map(|weeks| self.between(&self.days, day, LAG_DAYS * (weeks + 1), LAG_DAYS * weeks))
            .filter(|days| days.clone().count() == 7)
            .map(|days| days.map(|(_, total)| total).sum())
            .collect()
    }

    /// The sums of four whole calendar weeks that end at least 28 days before `day`.
    fn month_sums(&self, day: i32) -> Vec<f64> {
        let newest = week_of(self.next_day.saturating_sub(1));
        let oldest = newest.saturating_sub(self.weeks.codes().len() as i32) + 1;
        let whole: Vec<f64> = (oldest..=newest)
            .zip(self.weeks.values())
            .filter(|&(week, _)| {
                first_day_of(week) >= self.first_day && first_day_of(week) + 6 <= day.saturating_sub(MONTH_DAYS)
            })
            .map(|(_, total)| total)
            .collect();
        whole.windows(4).map(|weeks| weeks.iter().sum()).collect()
    }

    /// The largest window of the reference: the older days as they were, the newest only as far as those bear out.
    fn peak(&self, ring: &Ring<42>, day: i32, test: &Test) -> f64 {
        let largest = |oldest, newest| {
            let windows = self.between(ring, day, oldest, newest);
            windows.map(|(_, largest)| largest).fold(0.0, f64::max)
        };
        let old: f64 = largest(RING_DAYS, LAG_DAYS);
        largest(LAG_DAYS, 0).min(test.gate_over(old) as f64).max(old)
    }

    /// A ring's days from `oldest` days before `day` to more than `newer_than` days before it.
    fn between<'a>(
        &self,
        ring: &'a Ring<42>,
        day: i32,
        oldest: i32,
        newer_than: i32,
    ) -> impl Iterator<Item = (i32, f64)> + Clone + use<'a> {
        let first = self.next_day.saturating_sub(ring.codes().len() as i32);
        let span = day.saturating_sub(oldest)..day.saturating_sub(newer_than);
        (first..self.next_day)
            .zip(ring.values())
            .filter(move |(day, _)| span.contains(day))
    }
}

/// The week, Monday to Sunday, that a day is in.
fn week_of(day: i32) -> i32 {
    day.saturating_add(3).div_euclid(7)
}

/// The Monday of a week.
fn first_day_of(week: i32) -> i32 {
    week.saturating_mul(7).saturating_sub(3)
}
