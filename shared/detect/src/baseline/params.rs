//! The numbers of the volume tests.

use serde::{Deserialize, Serialize};

/// How long a count is added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Horizon {
    /// Ten minutes of the clock.
    TenMinutes,
    /// An hour of the clock.
    Hour,
    /// A day, UTC.
    Day,
    /// The last seven days.
    Week,
    /// The last 28 days.
    Month,
}

impl Horizon {
    /// Every horizon, shortest first.
    pub const ALL: [Self; 5] = [Self::TenMinutes, Self::Hour, Self::Day, Self::Week, Self::Month];
}

/// What one horizon's count must exceed to be anomalous: all of floor, ratio, peak and probability.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Test {
    /// Absolute floor, in counts: 5 to 1e6.
    pub floor: f64,
    /// Times the mean (rho): 1.5 to 20.
    pub ratio: f64,
    /// Times the largest window of the reference (kappa): 1 to 10.
    pub peak: f64,
    /// Square roots of the largest window on top of that.
    pub root: f64,
    /// Largest probability of a window like this or larger: 1e-12 to 1e-2.
    pub p: f64,
}

impl Test {
    /// The gate without a mean: how far a window of a grown profile may exceed the largest one by chance.
    pub(crate) fn gate_over(&self, largest: f64) -> u64 {
        self.gate(1.0, 0.0, largest)
    }

    /// The smallest count that is worth asking how probable it is. `caution` widens ratio and peak, not the floor.
    pub(crate) fn gate(&self, caution: f64, mean: f64, largest: f64) -> u64 {
        // The conversion saturates.
        libm::ceil(
            self.floor
                .max(caution * self.ratio * mean)
                .max(caution * self.peak * largest + self.root * libm::sqrt(largest)),
        ) as u64
    }
}

/// The numbers of the volume tests for one kind of profile and one measure.
///
/// The defaults were set by simulation: the lowest rate of false alarms at which a theft of some hundred calls
/// is still seen while it happens.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Params {
    /// Test of ten minutes.
    pub ten_minutes: Test,
    /// Test of an hour.
    pub hour: Test,
    /// Test of a day.
    pub day: Test,
    /// Test of the last seven days.
    pub week: Test,
    /// Test of the last 28 days.
    pub month: Test,
    /// Floor of an hour that is unusual, though no larger than others were.
    pub unusual_floor: f64,
    /// Days before a profile's volume is judged: 7 to 60.
    pub learn_days: i32,
    /// Days below which a profile is young, and its ratios and peaks count twice.
    pub young_days: i32,
    /// Days from which a profile has seen a month's end.
    pub grown_days: i32,
    /// How late an event may come, in seconds: 15 minutes to 6 hours.
    pub lateness_seconds: i64,
}

impl Params {
    /// For one identity's calls, or other units of which one call makes one or few.
    pub fn identity() -> Self {
        let test = |floor, ratio, peak, p| Test {
            floor,
            ratio,
            peak,
            root: 3.0,
            p,
        };
        Self {
            ten_minutes: test(25.0, 4.0, 2.0, 1e-8),
            hour: test(25.0, 3.0, 2.0, 1e-7),
            day: test(40.0, 2.5, 1.5, 1e-3),
            week: test(100.0, 2.0, 1.3, 1e-4),
            month: test(300.0, 2.0, 1.5, 1e-4),
            unusual_floor: 10.0,
            learn_days: 14,
            young_days: 28,
            grown_days: 35,
            lateness_seconds: 2 * tripmeter_model::HOUR,
        }
    }

    /// For the sum over all identities of an account on one service.
    pub fn account() -> Self {
        Self::identity().with_floors([100.0, 100.0, 200.0, 500.0, 1_500.0])
    }

    /// For the number of an account's identities that became anomalous on a day: only its day is judged.
    pub fn breadth() -> Self {
        Self {
            day: Test {
                floor: 4.0,
                ratio: 2.5,
                peak: 1.25,
                root: 0.5,
                p: 1e-3,
            },
            ..Self::identity()
        }
    }

    /// With these floors, shortest horizon first.
    pub fn with_floors(mut self, floors: [f64; 5]) -> Self {
        let tests = [
            &mut self.ten_minutes,
            &mut self.hour,
            &mut self.day,
            &mut self.week,
            &mut self.month,
        ];
        for (test, floor) in tests.into_iter().zip(floors) {
            test.floor = floor;
        }
        self
    }

    /// With so many times these floors.
    #[must_use]
    pub fn times_floors(self, times: f64) -> Self {
        let floors = Horizon::ALL.map(|horizon| times * self.test(horizon).floor);
        Self {
            unusual_floor: times * self.unusual_floor,
            ..self.with_floors(floors)
        }
    }

    /// The test of one horizon.
    pub fn test(&self, horizon: Horizon) -> &Test {
        match horizon {
            Horizon::TenMinutes => &self.ten_minutes,
            Horizon::Hour => &self.hour,
            Horizon::Day => &self.day,
            Horizon::Week => &self.week,
            Horizon::Month => &self.month,
        }
    }

    /// The gate of a horizon for a mean and a largest window, both in counts: the smallest count that is worth
    /// asking how probable it is.
    pub fn gate(&self, horizon: Horizon, age_days: i32, mean: f64, largest: f64) -> u64 {
        self.test(horizon).gate(self.caution(age_days), mean, largest)
    }

    /// How much wider a profile of this age is judged.
    pub(crate) fn caution(&self, age_days: i32) -> f64 {
        if age_days < self.young_days { 2.0 } else { 1.0 }
    }
}

impl Default for Params {
    fn default() -> Self {
        Self::identity()
    }
}
