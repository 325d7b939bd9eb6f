//! A day of an identity's use that is not folded yet.

use serde::{Deserialize, Serialize};
use tripmeter_model::{Activity, DAY, TEN_MINUTES};

use crate::baseline::{Clip, Day, DayCounts};
use crate::cell::Counted;
use crate::units::in_volume;

/// A day that is not folded yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct OpenDay {
    pub day: i32,
    pub calls: [u32; 24],
    pub units: [u32; 24],
    /// Ten minutes that may still grow.
    tens: Vec<Ten>,
    largest_ten: (u32, u32),
    /// Hours that were anomalous by themselves, or by ten minutes of them.
    pub anomalous_hours: u32,
    /// Ten minutes, an hour or the day so far were anomalous.
    pub anomalous: bool,
    /// An episode of the day reached High: it must not become normal.
    pub hostile: bool,
    /// Somebody announced the day.
    pub announced: bool,
}

/// Ten minutes of a day.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ten {
    /// Which of the day's 144.
    at: u8,
    pub calls: u32,
    units: u32,
    /// The first use, in seconds from their start.
    pub first: u16,
}

impl OpenDay {
    pub(crate) fn new(day: i32) -> Self {
        Self { day, ..Self::default() }
    }

    pub(crate) fn add(&mut self, activity: &Activity, lateness: i64) {
        let units = u32::try_from(activity.quantity.units).unwrap_or(u32::MAX);
        let calls = in_volume(activity);
        let hour = usize::from(activity.time.hour_of_day());
        for (counts, n) in [(&mut self.calls, calls), (&mut self.units, units)] {
            if let Some(count) = counts.get_mut(hour) {
                *count = count.saturating_add(n);
            }
        }
        let second = activity.time.seconds().rem_euclid(DAY);
        let (at, first) = (
            second.div_euclid(TEN_MINUTES) as u8,
            second.rem_euclid(TEN_MINUTES) as u16,
        );
        match self.tens.iter_mut().find(|ten| ten.at == at) {
            Some(ten) => {
                ten.calls = ten.calls.saturating_add(calls);
                ten.units = ten.units.saturating_add(units);
                ten.first = ten.first.min(first);
            }
            None => self.tens.push(Ten {
                at,
                calls,
                units,
                first,
            }),
        }
        // Ten minutes that can take no more events are needed only as the day's largest.
        let keep = i64::from(self.tens.iter().map(|ten| ten.at).max().unwrap_or(0)) - lateness / TEN_MINUTES - 6;
        let largest = &mut self.largest_ten;
        self.tens.retain(|ten| {
            let grows = i64::from(ten.at) >= keep;
            if !grows {
                *largest = (largest.0.max(ten.calls), largest.1.max(ten.units));
            }
            grows
        });
    }

    /// Adds what the same day held elsewhere.
    pub(crate) fn append(&mut self, other: &Self) {
        for (mine, theirs) in [(&mut self.calls, &other.calls), (&mut self.units, &other.units)] {
            for (mine, theirs) in mine.iter_mut().zip(theirs) {
                *mine = mine.saturating_add(*theirs);
            }
        }
        for ten in &other.tens {
            match self.tens.iter_mut().find(|known| known.at == ten.at) {
                Some(known) => {
                    known.calls = known.calls.saturating_add(ten.calls);
                    known.units = known.units.saturating_add(ten.units);
                    known.first = known.first.min(ten.first);
                }
                None => self.tens.push(*ten),
            }
        }
        let (calls, units) = other.largest_ten;
        self.largest_ten = (self.largest_ten.0.max(calls), self.largest_ten.1.max(units));
        self.anomalous_hours |= other.anomalous_hours;
        self.anomalous |= other.anomalous;
        self.hostile |= other.hostile;
        self.announced |= other.announced;
    }

    /// The hours that were used, a bit each.
    pub(crate) fn hours_used(&self) -> u32 {
        self.calls
            .iter()
            .enumerate()
            .filter(|(_, calls)| **calls > 0)
            .fold(0, |bits, (hour, _)| bits | 1 << hour)
    }

    /// Ten minutes that may still grow, if they hold anything.
    pub(crate) fn ten(&self, at: i64) -> Option<Ten> {
        self.tens.iter().find(|ten| i64::from(ten.at) == at).copied()
    }

    /// The largest ten minutes of an hour, in calls and units.
    pub(crate) fn largest_ten_of(&self, hour: u8) -> (u32, u32) {
        self.tens
            .iter()
            .filter(|ten| ten.at / 6 == hour)
            .fold((0, 0), |(calls, units), ten| {
                (calls.max(ten.calls), units.max(ten.units))
            })
    }

    pub(crate) fn total(&self, counted: Counted) -> u64 {
        let hours = match counted {
            Counted::Calls => &self.calls,
            Counted::Units | Counted::Tokens => &self.units,
        };
        hours.iter().map(|c| u64::from(*c)).sum()
    }

    /// The day as it is folded.
    pub(crate) fn counts(&self) -> Day {
        let largest = self.tens.iter().fold(self.largest_ten, |(calls, units), ten| {
            (calls.max(ten.calls), units.max(ten.units))
        });
        Day {
            day: self.day,
            calls: DayCounts {
                hours: self.calls,
                largest_ten: largest.0,
            },
            units: DayCounts {
                hours: self.units,
                largest_ten: largest.1,
            },
            clip: match (self.announced, self.hostile) {
                (true, _) => Clip::Expected,
                (false, true) => Clip::Hostile,
                (false, false) => Clip::Usual,
            },
        }
    }
}

/// The count of an hour, and of the day up to its end.
pub(crate) fn of_hour(hours: &[u32; 24], hour: u8) -> (u64, u64) {
    let upto = hours.iter().take(usize::from(hour) + 1).map(|c| u64::from(*c));
    (
        hours.get(usize::from(hour)).copied().unwrap_or_default().into(),
        upto.sum(),
    )
}
