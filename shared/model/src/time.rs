//! Event time: whole seconds since 1970-01-01 UTC, as CloudTrail gives it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Seconds in a minute.
pub const MINUTE: i64 = 60;
/// Seconds in the ten minutes that the shortest window spans.
pub const TEN_MINUTES: i64 = 600;
/// Seconds in an hour.
pub const HOUR: i64 = 3_600;
/// Seconds in a day.
pub const DAY: i64 = 86_400;
/// Seconds in a week.
pub const WEEK: i64 = 604_800;

/// 0001-01-01 and 9999-12-30T22:00:00: what RFC 3339 can write, in every zone.
const BOUNDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_207_200;

/// A point in event time, in whole seconds since 1970-01-01 UTC.
///
/// ```
/// use tripmeter_model::Timestamp;
/// let at: Timestamp = "2026-03-17T03:14:00Z".parse().unwrap();
/// assert_eq!(at.to_string(), "2026-03-17T03:14:00Z");
/// assert_eq!(at.hour_of_day(), 3);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// A text that is no time.
#[derive(Debug, thiserror::Error)]
#[error("'{text}' is no time; wanted RFC 3339, as in 2026-03-17T03:14:00Z")]
pub struct TimeError {
    text: String,
}

impl Timestamp {
    /// From seconds since 1970-01-01 UTC; out of the years 1 to 9999 it is held at the bound.
    pub fn from_seconds(seconds: i64) -> Self {
        Self(seconds.clamp(*BOUNDS.start(), *BOUNDS.end()))
    }

    /// Seconds since 1970-01-01 UTC.
    pub fn seconds(self) -> i64 {
        self.0
    }

    /// Days since 1970-01-01.
    pub fn day(self) -> i32 {
        self.0.div_euclid(DAY) as i32
    }

    /// Hours since 1970-01-01.
    pub fn hour(self) -> i64 {
        self.0.div_euclid(HOUR)
    }

    /// Ten-minute intervals since 1970-01-01.
    pub fn ten_minutes(self) -> i64 {
        self.0.div_euclid(TEN_MINUTES)
    }

    /// The hour of the day, 0 to 23, UTC.
    pub fn hour_of_day(self) -> u8 {
        (self.0.div_euclid(HOUR).rem_euclid(24)) as u8
    }

    /// This many seconds later (earlier when negative).
    pub fn plus(self, seconds: i64) -> Self {
        Self::from_seconds(self.0.saturating_add(seconds))
    }

    /// Seconds from `earlier` to this.
    pub fn since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }
}

impl std::str::FromStr for Timestamp {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        text.trim()
            .parse::<jiff::Timestamp>()
            .map(|t| Self::from_seconds(t.as_second()))
            .map_err(|_| TimeError {
                text: crate::bounded(text, 64),
            })
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.0) {
            Ok(t) => write!(f, "{t}"),
            Err(_) => write!(f, "{}s", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_logs_hold_is_read() {
        for text in [
            "2026-03-17T03:14:00Z",
            "2026-03-17T03:14:00.123Z",
            "2026-03-17T04:14:00+01:00",
        ] {
            assert_eq!(text.parse::<Timestamp>().unwrap().seconds(), 1_773_717_240, "{text}");
        }
        assert!("yesterday".parse::<Timestamp>().is_err());
    }

    #[test]
    fn every_time_can_be_written() {
        assert_eq!(Timestamp::from_seconds(i64::MAX).to_string(), "9999-12-30T22:00:00Z");
        assert_eq!(Timestamp::from_seconds(i64::MIN).to_string(), "0001-01-01T00:00:00Z");
    }

    #[test]
    fn times_before_1970_have_days_and_hours_too() {
        let t = Timestamp::from_seconds(-1);
        assert_eq!((t.day(), t.hour(), t.hour_of_day()), (-1, -1, 23));
    }
}
