//! What a window was expected to hold, and how far a count is from that.

use serde::{Deserialize, Serialize};

use super::{Horizon, Params};
use crate::tails::tail_at_most;

/// What one window's count is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Expectation {
    /// Expected count.
    pub mean: f64,
    /// Dispersion d of a count with variance mean + d mean^2.
    pub dispersion: f64,
    /// The largest such window of the reference, in counts.
    pub peak: f64,
    /// The smallest count that can be anomalous. Below it a count is judged by this one comparison.
    pub gate: u64,
}

/// What the windows around one point in time are compared with. None where there is not enough history: all of them
/// while the profile learns, the week up to three weeks, the month up to eight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Expectations {
    /// Of the ten minutes.
    pub ten_minutes: Option<Expectation>,
    /// Of the hour.
    pub hour: Option<Expectation>,
    /// Of the day.
    pub day: Option<Expectation>,
    /// Of the seven days that end with the day.
    pub week: Option<Expectation>,
    /// Of the 28 days that end with the day.
    pub month: Option<Expectation>,
}

impl Expectations {
    /// The expectation of one horizon.
    pub fn get(&self, horizon: Horizon) -> Option<&Expectation> {
        match horizon {
            Horizon::TenMinutes => self.ten_minutes.as_ref(),
            Horizon::Hour => self.hour.as_ref(),
            Horizon::Day => self.day.as_ref(),
            Horizon::Week => self.week.as_ref(),
            Horizon::Month => self.month.as_ref(),
        }
    }
}

/// How far a count is from what was expected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Level {
    /// Within what was expected.
    #[default]
    Usual,
    /// An hour that is rare for its slot, whatever the peaks: at least 10, three means, one in ten thousand.
    UnusualHour,
    /// Past the gate, and improbable.
    Anomalous,
    /// Four gates.
    Extreme,
    /// Thirty gates.
    Overwhelming,
}

impl Level {
    /// 0 to 4.
    pub fn number(self) -> u8 {
        self as u8
    }
}

const UNUSUAL_RATIO: f64 = 3.0;
const UNUSUAL_P: f64 = 1e-4;
const EXTREME_GATES: u64 = 4;
const OVERWHELMING_GATES: u64 = 30;

/// The level of a window's count, complete or in progress: a count only grows, so what is too much for the whole
/// window is too much at once. A larger count never has a lower level.
///
/// One comparison for all but a few events; the tail is computed only past the gate (or, in an hour, past ten calls
/// and three means).
pub fn level(horizon: Horizon, count: u64, expected: &Expectation, params: &Params) -> Level {
    let rare = |p| tail_at_most(count, expected.mean, expected.dispersion, p);
    if count >= expected.gate && rare(params.test(horizon).p) {
        if count >= expected.gate.saturating_mul(OVERWHELMING_GATES) {
            Level::Overwhelming
        } else if count >= expected.gate.saturating_mul(EXTREME_GATES) {
            Level::Extreme
        } else {
            Level::Anomalous
        }
    } else if horizon == Horizon::Hour
        && count as f64 >= params.unusual_floor
        && count as f64 >= UNUSUAL_RATIO * expected.mean
        && rare(UNUSUAL_P)
    {
        Level::UnusualHour
    } else {
        Level::Usual
    }
}
