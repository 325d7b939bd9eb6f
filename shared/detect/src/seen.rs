//! First-seen sets: which values an identity, an account's service and an account have shown, and since when.
//!
//! A minimum per value, so the order of arrival does not matter. What others showed counts from the day after
//! (by the lateness bound), so that it cannot matter who is read first.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use tripmeter_model::{DAY, Digest, Timestamp};

use crate::habits::Days;
use crate::novelty::Attribute;

/// Values remembered for each attribute of one identity; beyond it, those unused for longest are forgotten.
const MAX_SEEN: usize = 256;
/// Days for which a value is young.
const YOUNG_DAYS: i32 = 14;
/// Values remembered for each attribute of an account.
const MAX_SHARED: usize = 4_096;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Since {
    first: Timestamp,
    /// To the day, so that use as usual changes it once a day.
    days: Days,
}

/// The values that one identity has shown on one service, in the order of their digests: most have few.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seen {
    values: [Vec<(Digest, Since)>; 4],
}

impl Seen {
    /// Notes that a value was shown. Says whether it was new, or older than was known.
    pub(crate) fn note(&mut self, attribute: Attribute, value: Digest, at: Timestamp) -> bool {
        let Some(values) = self.values.get_mut(attribute as usize) else {
            return false;
        };
        if let Ok(known) = values.binary_search_by_key(&value, |(digest, _)| *digest) {
            let Some((_, since)) = values.get_mut(known) else {
                return false;
            };
            let older = at < since.first;
            since.first = since.first.min(at);
            since.days.note(at.day());
            return older;
        }
        let stale = values
            .iter()
            .enumerate()
            .min_by_key(|(_, (digest, since))| (since.days.latest(), *digest));
        if let Some((stale, _)) = stale.filter(|_| values.len() >= MAX_SEEN) {
            values.remove(stale);
        }
        let place = values.partition_point(|(digest, _)| *digest < value);
        let mut days = Days::default();
        days.note(at.day());
        values.insert(place, (value, Since { first: at, days }));
        true
    }

    /// Takes in what another set has seen.
    pub(crate) fn merge(&mut self, other: &Self) {
        for attribute in Attribute::ALL {
            for (value, since) in other.of(attribute) {
                self.note(attribute, *value, since.first);
                since.days.each(|day| {
                    self.note(
                        attribute,
                        *value,
                        Timestamp::from_seconds(i64::from(day) * DAY).max(since.first),
                    );
                });
            }
        }
    }

    fn of(&self, attribute: Attribute) -> &[(Digest, Since)] {
        self.values.get(attribute as usize).map_or(&[], Vec::as_slice)
    }

    /// How many values were shown.
    pub(crate) fn shown(&self, attribute: Attribute) -> usize {
        self.of(attribute).len()
    }

    /// When a value was first shown.
    pub(crate) fn first(&self, attribute: Attribute, value: Digest) -> Option<Timestamp> {
        let values = self.of(attribute);
        let known = values.binary_search_by_key(&value, |(digest, _)| *digest).ok()?;
        values.get(known).map(|(_, since)| since.first)
    }

    /// On how many days from `first` to `last`, both included, a value was shown.
    pub(crate) fn days_within(&self, attribute: Attribute, value: Digest, first: i32, last: i32) -> u32 {
        let values = self.of(attribute);
        let known = values.binary_search_by_key(&value, |(digest, _)| *digest).ok();
        let since = known.and_then(|at| values.get(at));
        since.map_or(0, |(_, since)| since.days.within(first, last))
    }

    /// Whether a value was first shown on one of the days before `told` for which it is young.
    pub(crate) fn is_young(&self, attribute: Attribute, value: Digest, told: i32) -> bool {
        let first = self.first(attribute, value).map(Timestamp::day);
        first.is_some_and(|first| (told - YOUNG_DAYS..told).contains(&first))
    }

    /// Whether values that are not young were shown lately.
    pub(crate) fn usual_goes_on(&self, attribute: Attribute, told: i32) -> bool {
        let mut values = self.of(attribute).iter();
        values.any(|(_, shown)| shown.first.day() < told - YOUNG_DAYS && shown.days.seen_since(told - 2))
    }

    /// Whether a day brought a value that was never shown before.
    pub(crate) fn novel_on(&self, attribute: Attribute, day: i32) -> bool {
        self.of(attribute).iter().any(|(_, since)| since.first.day() == day)
    }
}

/// The two identities that showed a value first, so that "somebody else did" has an answer for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Showers {
    first: (Timestamp, Digest),
    second: Option<(Timestamp, Digest)>,
}

/// The values that the identities of an account have shown, on one service or on all, in [`SHARDS`] of each attribute.
#[derive(Clone, Debug)]
pub(crate) struct SharedSeen {
    shards: Vec<HashMap<Digest, Showers>>,
    /// A bit for each shard that was fetched.
    fetched: u16,
    missed: Cell<u16>,
}

/// Values of each attribute are kept in so many parts, by the first bits of their digests.
const SHARDS: usize = 4;

/// Which shard of all attributes' a value belongs to.
fn shard_of(attribute: Attribute, value: Digest) -> usize {
    attribute as usize * SHARDS + (value.0 >> 62) as usize
}

/// What two identities at most have shown of the values of a shard, by value.
pub(crate) type Shard = Vec<(Digest, Showers)>;

impl SharedSeen {
    /// Holds all there is.
    pub(crate) fn whole() -> Self {
        Self {
            shards: vec![HashMap::new(); 4 * SHARDS],
            fetched: u16::MAX,
            missed: Cell::new(0),
        }
    }

    /// Nothing was fetched yet.
    pub(crate) fn unfetched() -> Self {
        Self {
            fetched: 0,
            ..Self::whole()
        }
    }

    /// Puts down what was fetched for a shard.
    pub(crate) fn put(&mut self, shard: u8, values: Shard) {
        self.fetched |= 1u16.checked_shl(shard.into()).unwrap_or(0);
        if let Some(known) = self.shards.get_mut(usize::from(shard)) {
            *known = values.into_iter().collect();
        }
    }

    /// Shards that were asked for and never fetched.
    pub(crate) fn missed(&self) -> impl Iterator<Item = u8> + use<> {
        let missed = self.missed.get() & !self.fetched;
        (0..16u8).filter(move |shard| missed >> shard & 1 == 1)
    }

    /// Shards that hold anything.
    pub(crate) fn shards(&self) -> impl Iterator<Item = (u8, Shard)> + '_ {
        let held = self.shards.iter().enumerate().filter(|(_, values)| !values.is_empty());
        held.map(|(shard, values)| {
            let mut values: Shard = values.iter().map(|(value, showers)| (*value, *showers)).collect();
            values.sort_unstable_by_key(|(value, _)| *value);
            (shard as u8, values)
        })
    }

    fn ask(&self, shard: usize) {
        let bit = 1u16.checked_shl(shard as u32).unwrap_or(0);
        self.missed.set(self.missed.get() | bit);
    }

    /// Notes that an identity showed a value.
    pub(crate) fn note(&mut self, attribute: Attribute, value: Digest, who: Digest, at: Timestamp) {
        let shard = shard_of(attribute, value);
        self.ask(shard);
        let Some(values) = self.shards.get_mut(shard) else {
            return;
        };
        let full = values.len() >= MAX_SHARED / SHARDS;
        if let Some(showers) = values.get_mut(&value) {
            showers.add(who, at);
        } else if !full {
            values.insert(
                value,
                Showers {
                    first: (at, who),
                    second: None,
                },
            );
        }
    }

    /// Whether an identity other than `who` showed the value before `day` began.
    pub(crate) fn known_to_others(&self, attribute: Attribute, value: Digest, who: Digest, day: i32) -> bool {
        self.showers(attribute, value).is_some_and(|showers| {
            [Some(showers.first), showers.second]
                .into_iter()
                .flatten()
                .any(|(at, by)| by != who && at.day() < day)
        })
    }

    /// Notes that an identity read what a probe's shape says. Shapes stand where services keep targets, of which the
    /// account as a whole keeps none.
    pub(crate) fn note_read(&mut self, shape: Digest, who: Digest, at: Timestamp) {
        self.note(Attribute::Target, shape, who, at);
    }

    /// Whether two identities other than `who` read it before `day` began: what everybody reads is no look around. Of
    /// those that did, the first two are known.
    pub(crate) fn is_read_by_others(&self, shape: Digest, who: Digest, day: i32) -> bool {
        self.showers(Attribute::Target, shape).is_some_and(|showers| {
            let by_other = |(at, by): (Timestamp, Digest)| by != who && at.day() < day;
            by_other(showers.first) && showers.second.is_some_and(by_other)
        })
    }

    /// Whether anybody showed the value before `day` began.
    pub(crate) fn known(&self, attribute: Attribute, value: Digest, day: i32) -> bool {
        self.first(attribute, value).is_some_and(|first| first.day() < day)
    }

    /// When anybody first showed the value.
    pub(crate) fn first(&self, attribute: Attribute, value: Digest) -> Option<Timestamp> {
        self.showers(attribute, value).map(|showers| showers.first.0)
    }

    fn showers(&self, attribute: Attribute, value: Digest) -> Option<&Showers> {
        let shard = shard_of(attribute, value);
        self.ask(shard);
        self.shards.get(shard)?.get(&value)
    }
}

/// What two shards hold together.
pub(crate) fn merge_shards(a: &Shard, b: &Shard) -> Shard {
    let mut values: BTreeMap<Digest, Showers> = a.iter().copied().collect();
    for (value, showers) in b {
        match values.get_mut(value) {
            Some(known) => {
                for (at, who) in [Some(showers.first), showers.second].into_iter().flatten() {
                    known.add(who, at);
                }
            }
            None => _ = values.insert(*value, *showers),
        }
    }
    values.into_iter().take(MAX_SHARED / SHARDS).collect()
}

impl Showers {
    fn add(&mut self, who: Digest, at: Timestamp) {
        if who == self.first.1 {
            self.first.0 = self.first.0.min(at);
        } else {
            match &mut self.second {
                Some(second) if second.1 == who => second.0 = second.0.min(at),
                Some(second) if (at, who) < *second => *second = (at, who),
                Some(_) => {}
                second @ None => *second = Some((at, who)),
            }
        }
        if let Some(second) = self.second
            && second < self.first
        {
            self.second = Some(self.first);
            self.first = second;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_seconds(hour * 3_600)
    }

    #[test]
    fn a_late_event_moves_the_first_sight_back() {
        let mut seen = Seen::default();
        seen.note(Attribute::Network, Digest(1), at(10));
        seen.note(Attribute::Network, Digest(1), at(9));
        assert_eq!(seen.first(Attribute::Network, Digest(1)), Some(at(9)));
        assert_eq!(seen.first(Attribute::Region, Digest(1)), None);
    }

    #[test]
    fn of_too_many_values_those_unused_for_longest_are_forgotten() {
        let mut seen = Seen::default();
        for n in 0..=MAX_SEEN as i64 {
            seen.note(Attribute::Network, Digest(n as u64), at(24 * n));
        }
        assert_eq!(seen.first(Attribute::Network, Digest(0)), None);
        assert_eq!(seen.first(Attribute::Network, Digest(1)), Some(at(24)));
        assert_eq!(seen.of(Attribute::Network).len(), MAX_SEEN);
    }

    #[test]
    fn what_others_showed_counts_from_the_next_day() {
        let mut seen = SharedSeen::whole();
        let (me, other) = (Digest(7), Digest(8));
        seen.note(Attribute::Region, Digest(1), me, at(2));
        assert!(
            !seen.known_to_others(Attribute::Region, Digest(1), me, 1),
            "I am not another"
        );
        seen.note(Attribute::Region, Digest(1), other, at(5));
        assert!(
            !seen.known_to_others(Attribute::Region, Digest(1), me, 0),
            "today does not count"
        );
        assert!(seen.known_to_others(Attribute::Region, Digest(1), me, 1));
        assert!(seen.known_to_others(Attribute::Region, Digest(1), other, 1));
    }

    #[test]
    fn who_showed_first_does_not_depend_on_the_order() {
        let notes = [
            (Digest(1), at(9)),
            (Digest(2), at(3)),
            (Digest(3), at(5)),
            (Digest(1), at(4)),
            (Digest(2), at(1)),
        ];
        let mut orders = vec![notes];
        let mut turned = notes;
        turned.reverse();
        orders.push(turned);
        orders.push([notes[2], notes[4], notes[0], notes[3], notes[1]]);
        let results: Vec<_> = orders
            .into_iter()
            .map(|notes| {
                let mut seen = SharedSeen::whole();
                for (who, time) in notes {
                    seen.note(Attribute::Client, Digest(0), who, time);
                }
                seen.shards().next().unwrap()
            })
            .collect();
        assert!(results.iter().all(|r| *r == results[0]), "{results:?}");
    }
}
