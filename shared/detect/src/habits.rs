//! Habits: what an identity does to policies again and again, in the same way.
//!
//! A habit is an identity, a call and the shape of its parameters. The first time it weighs fully, and on the
//! fourth day that it is seen it weighs nothing: a CI role that changes the same policies with each deployment
//! is not reported for it. Evades: a thief who holds that role and makes the same changes.

use serde::{Deserialize, Serialize};

/// Days after which a habit that was not seen is forgotten.
const MEMORY: i32 = 42;
/// On so many earlier days a habit must have been seen to weigh nothing.
const LEARNED: u32 = 3;

/// The days of the last 64 on which something was seen: bit `i` is the day `latest - i`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Days {
    latest: i32,
    days: u64,
}

impl Days {
    /// Notes a day; the order of days does not matter.
    pub(crate) fn note(&mut self, day: i32) {
        if self.days == 0 {
            *self = Self { latest: day, days: 1 };
        } else if day > self.latest {
            let shift = day.abs_diff(self.latest);
            self.days = self.days.checked_shl(shift).unwrap_or(0) | 1;
            self.latest = day;
        } else {
            self.days |= 1u64.checked_shl(self.latest.abs_diff(day)).unwrap_or(0);
        }
    }

    /// The last of the days.
    pub(crate) fn latest(&self) -> i32 {
        self.latest
    }

    /// Each of the days.
    pub(crate) fn each(&self, mut seen: impl FnMut(i32)) {
        for bit in (0..u64::BITS).filter(|bit| self.days >> bit & 1 == 1) {
            seen(self.latest - bit as i32);
        }
    }

    /// On how many days it was seen from `first` to `last`, both included.
    pub(crate) fn within(&self, first: i32, last: i32) -> u32 {
        let newest = self.latest.min(last);
        (0..u64::BITS)
            .filter(|bit| self.days >> bit & 1 == 1)
            .filter(|bit| (first..=newest).contains(&(self.latest - *bit as i32)))
            .count() as u32
    }

    /// Whether it was seen on a day or later.
    pub(crate) fn seen_since(&self, day: i32) -> bool {
        self.latest >= day
    }

    /// How unusual a habit that was seen on these days is on `day`: 1 the first time, 0 from the fourth day.
    pub(crate) fn weight(&self, day: i32) -> f64 {
        let before = self.within(day - MEMORY, day - 1);
        f64::from(LEARNED.saturating_sub(before)) / f64::from(LEARNED)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_habit_fades_to_nothing_on_its_fourth_day() {
        let mut habit = Days::default();
        let weights: Vec<f64> = (100..105)
            .map(|day| {
                habit.note(day);
                habit.weight(day)
            })
            .collect();
        assert!(
            (weights[0] - 1.0).abs() < 1e-12 && weights[3] == 0.0 && weights[4] == 0.0,
            "{weights:?}"
        );
    }

    #[test]
    fn what_is_forgotten_is_unusual_again() {
        let mut habit = Days::default();
        (0..10).for_each(|day| habit.note(day));
        assert!(habit.weight(10).abs() < 1e-12);
        assert!((habit.weight(200) - 1.0).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn the_order_of_days_does_not_matter(mut days in prop::collection::vec(0i32..60, 1..20), at in 0i32..80) {
            let fold = |days: &[i32]| { let mut h = Days::default(); for day in days { h.note(*day); } h };
            let forward = fold(&days).within(at - 42, at - 1);
            days.reverse();
            prop_assert_eq!(forward, fold(&days).within(at - 42, at - 1));
        }
    }
}
