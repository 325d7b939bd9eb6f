//! An hour of an identity's use that may still change: what was done in it, and how surprising it is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tripmeter_model::{DAY, Timestamp};

use crate::baseline::{Expectation, Horizon, Level};
use crate::journal::Journal;

/// How long a value is new, in seconds.
pub(crate) const NEW_FOR: i64 = DAY;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Counted {
    /// Calls.
    Calls,
    /// Units, where one call can make many: recipients.
    Units,
    /// Units that are tokens.
    Tokens,
}

/// How far the windows that an hour belongs to are from what was expected.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Surprise {
    pub level: Level,
    pub counted: Counted,
    pub horizon: Horizon,
    pub count: u64,
    pub expected: Expectation,
}

/// What was known of an identity when an hour began.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Before {
    /// The probability that a new value of each attribute shows on a day.
    pub p_new: [f32; 5],
    /// The hour of the day was never used, though others were.
    pub hour_is_new: bool,
}

/// What is counted of an hour and those before it. Sums only grow, so they are kept as large as they ever were: the
/// hours before it are settled, and gone, before it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sums {
    /// Uses, those that are fresh, wide and kept up, of 24 hours; a job counts as the calls that it makes.
    pub uses: u64,
    pub fresh: u32,
    pub wide: u32,
    pub kept: u32,
    /// Units of 24 hours.
    pub units: u64,
    /// Fresh uses of this hour and the one before, and those that are paired.
    pub lately: u32,
    pub paired: u32,
}

impl Sums {
    /// The larger of each.
    pub(crate) fn max(self, other: Self) -> Self {
        Self {
            uses: self.uses.max(other.uses),
            fresh: self.fresh.max(other.fresh),
            wide: self.wide.max(other.wide),
            kept: self.kept.max(other.kept),
            units: self.units.max(other.units),
            lately: self.lately.max(other.lately),
            paired: self.paired.max(other.paired),
        }
    }
}

/// What an identity did on a service in one hour of the clock.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Cell {
    pub journal: Journal,
    /// Uses with a value that was first seen within the last 24 hours; a job counts as the calls that it makes.
    pub fresh: u32,
    /// Those of them that share almost nothing with yesterday.
    pub wide: u32,
    /// Those of them from a new place, and with a new client or on a new target as well.
    pub paired: u32,
    /// Uses from a place that is young, and was shown on several of the days before.
    pub kept: u32,
    /// When places (regions and networks) were used that were known before, and how often.
    pub known: Option<(Timestamp, Timestamp, u32)>,
    /// When new places were used.
    pub strange: Option<(Timestamp, Timestamp)>,
    /// Uses in regions that are not allowed.
    pub denied_region: u32,
    /// With the hours before it, as last weighed.
    pub sums: Sums,
    /// The most surprising window.
    pub surprise: Option<Surprise>,
    /// Hours of the day up to this one, and days of the last seven, that were anomalous when it was last judged.
    pub lasting: (u32, u32),
    /// Units of the day up to this hour.
    pub day_units: u64,
    /// What was known when the hour began; kept, since the profile learns on.
    pub before: Option<Before>,
    /// Points, as last weighed.
    pub points: u32,
    /// Whether they make a chain.
    pub chain: bool,
    /// Of a meter's hour: records show whose use it was, and what is said of it is said of them.
    pub explained: bool,
}

/// An episode shows from this many points.
pub(crate) const SHOWS: u32 = 20;

impl Cell {
    /// Whether it is unusual enough for an episode.
    pub(crate) fn shows(&self) -> bool {
        self.points >= SHOWS && !self.explained
    }

    /// Whether so many units of its hour or of the day up to it are passed.
    pub(crate) fn is_above(&self, (of_hour, of_day): (u64, u64)) -> bool {
        self.journal.units > of_hour || self.day_units > of_day
    }

    /// Whether it may still matter when a stage arrives later.
    pub(crate) fn noteworthy(&self) -> bool {
        self.points > 0 || self.fresh > 0 || self.kept > 0 || self.denied_region > 0 || self.surprise.is_some()
    }

    /// Adds what the same hour held elsewhere.
    pub(crate) fn append(&mut self, other: &Self) {
        self.journal.merge(&other.journal);
        self.fresh = self.fresh.saturating_add(other.fresh);
        self.wide = self.wide.saturating_add(other.wide);
        self.paired = self.paired.saturating_add(other.paired);
        self.kept = self.kept.saturating_add(other.kept);
        self.denied_region = self.denied_region.saturating_add(other.denied_region);
        self.lasting = (self.lasting.0.max(other.lasting.0), self.lasting.1.max(other.lasting.1));
        self.known = match (self.known, other.known) {
            (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1), a.2.saturating_add(b.2))),
            (a, b) => a.or(b),
        };
        self.strange = match (self.strange, other.strange) {
            (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
            (a, b) => a.or(b),
        };
    }

    /// Whether an opening by anybody, or a signal, could make it worse.
    pub(crate) fn could_be_worse(&self) -> bool {
        self.level() >= Level::Anomalous || self.points >= SHOWS
    }

    /// The level of the most surprising window.
    pub(crate) fn level(&self) -> Level {
        self.surprise.map_or(Level::Usual, |s| s.level)
    }
}

/// Whether an hour belongs to an episode: it is one of the unusual hours, or one of those within the next day counts what
/// is new or kept up in it.
pub(crate) fn in_episode(cells: &BTreeMap<i64, Cell>, hour: i64, unusual: fn(&Cell) -> bool) -> bool {
    let Some(cell) = cells.get(&hour) else { return false };
    let counts = |later: &Cell| later.fresh > 0 && cell.fresh > 0 || later.kept > 0 && cell.kept > 0;
    let mut later = cells.range(hour + 1..=hour + 23).map(|(_, later)| later);
    unusual(cell) || !cell.explained && later.any(|later| unusual(later) && counts(later))
}
