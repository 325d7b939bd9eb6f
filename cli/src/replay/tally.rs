//! What was read: counts that do not depend on who read what, or in which order.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use tripmeter_model::{Service, Timestamp, bounded};

use super::files::Unreadable;

/// Troubles that are told in full; the rest is counted.
const TOLD: usize = 20;

/// Event sources that are counted by name. AWS has a few hundred, but a record may name anything.
const SOURCES: usize = 1_000;

/// The counts of one worker, and of all when they are put together.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Inputs that were opened.
    pub(crate) files: u64,
    /// Inputs that held neither a record nor anything else: an empty log is no error.
    pub(crate) empty_files: u64,
    /// Records that were read.
    pub(crate) records: u64,
    /// Records among them that `--from` and `--to` leave out.
    pub(crate) outside: u64,
    /// The first and the last event time.
    pub(crate) span: Option<(Timestamp, Timestamp)>,
    /// Records of the services that are watched.
    pub(crate) services: BTreeMap<Service, ServiceCount>,
    /// Records of the others.
    pub(crate) sources: Sources,
    /// What was no record, by reason.
    pub(crate) skipped: BTreeMap<String, Skipped>,
    /// What was broken.
    pub(crate) damage: Firsts<Damage>,
    /// What could not be opened or read.
    pub(crate) unreadable: Firsts<Unreadable>,
}

/// Records of a watched service.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct ServiceCount {
    /// All of them.
    pub(crate) records: u64,
    /// Those that the catalogue made an activity of.
    pub(crate) activities: u64,
    /// Calls that the catalogue does not know.
    pub(crate) uncatalogued: u64,
}

/// What was skipped for one reason.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Skipped {
    /// How often.
    pub(crate) count: u64,
    /// Whether something was broken, rather than a thing that lies beside logs.
    pub(crate) damage: bool,
    /// The first place, by name of the file.
    pub(crate) first: Place,
}

/// Where something stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Place {
    /// The file's name, safe to print.
    pub(crate) file: String,
    /// The byte in the unpacked text.
    pub(crate) position: u64,
}

/// Something broken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Damage {
    #[serde(flatten)]
    pub(crate) place: Place,
    pub(crate) reason: String,
}

impl Tally {
    /// Notes when a record happened.
    pub(crate) fn at(&mut self, time: Timestamp) {
        self.span = Some(match self.span {
            None => (time, time),
            Some((first, last)) => (first.min(time), last.max(time)),
        });
    }

    /// Counts something that is no record.
    pub(crate) fn skip(&mut self, place: Place, reason: String, damage: bool) {
        if damage {
            self.damage.add(Damage {
                place: place.clone(),
                reason: reason.clone(),
            });
        }
        self.skipped
            .entry(reason)
            .and_modify(|skipped| skipped.absorb(1, &place))
            .or_insert(Skipped {
                count: 1,
                damage,
                first: place,
            });
    }

    /// Everything that was seen: records, and what was taken for one.
    pub(crate) fn seen(&self) -> u64 {
        self.records + self.skipped()
    }

    /// Everything that was seen and is no record.
    pub(crate) fn skipped(&self) -> u64 {
        self.skipped.values().map(|skipped| skipped.count).sum()
    }

    /// Whether there was nothing at all to judge: no record, and no empty log that says so in good order.
    pub(crate) fn nothing_readable(&self) -> bool {
        let broken = self.damage.count + self.unreadable.count > 0;
        self.records == 0 && (broken || self.empty_files == 0)
    }

    /// Adds what another worker counted.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.files += other.files;
        self.empty_files += other.empty_files;
        self.records += other.records;
        self.outside += other.outside;
        for time in other.span.into_iter().flat_map(|(first, last)| [first, last]) {
            self.at(time);
        }
        for (service, count) in other.services {
            let mine = self.services.entry(service).or_default();
            mine.records += count.records;
            mine.activities += count.activities;
            mine.uncatalogued += count.uncatalogued;
        }
        self.sources.absorb(other.sources);
        for (reason, skipped) in other.skipped {
            self.skipped
                .entry(reason)
                .and_modify(|mine| mine.absorb(skipped.count, &skipped.first))
                .or_insert(skipped);
        }
        self.damage.absorb(other.damage);
        self.unreadable.absorb(other.unreadable);
    }
}

impl Skipped {
    fn absorb(&mut self, count: u64, first: &Place) {
        self.count += count;
        if *first < self.first {
            self.first = first.clone();
        }
    }
}

/// Records by event source: exact for the sources that come first in the alphabet, together for the rest, so that
/// the counts are bounded and still the same whoever counts.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    named: BTreeMap<String, u64>,
    rest: u64,
}

impl Sources {
    /// Counts one record.
    pub(crate) fn add(&mut self, source: &str) {
        if let Some(count) = self.named.get_mut(source) {
            *count += 1;
        } else {
            self.insert(bounded(source, 64), 1);
        }
    }

    fn insert(&mut self, source: String, count: u64) {
        *self.named.entry(source).or_default() += count;
        if self.named.len() > SOURCES
            && let Some((_, evicted)) = self.named.pop_last()
        {
            self.rest += evicted;
        }
    }

    fn absorb(&mut self, other: Self) {
        self.rest += other.rest;
        for (source, count) in other.named {
            self.insert(source, count);
        }
    }

    /// All records.
    pub(crate) fn total(&self) -> u64 {
        self.named.values().sum::<u64>() + self.rest
    }

    /// The sources with most records, and how many records the others have together.
    pub(crate) fn top(&self, n: usize) -> (Vec<(&str, u64)>, u64) {
        let mut sources: Vec<(&str, u64)> = self.named.iter().map(|(source, count)| (&**source, *count)).collect();
        sources.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        sources.truncate(n);
        let told: u64 = sources.iter().map(|(_, count)| count).sum();
        (sources, self.total() - told)
    }
}

/// The first of many, in their own order, and how many there are.
#[derive(Debug, Serialize)]
pub(crate) struct Firsts<T> {
    pub(crate) count: u64,
    pub(crate) first: BTreeSet<T>,
}

impl<T> Default for Firsts<T> {
    fn default() -> Self {
        Self {
            count: 0,
            first: BTreeSet::new(),
        }
    }
}

impl<T: Ord> Firsts<T> {
    /// Takes one.
    pub(crate) fn add(&mut self, one: T) {
        self.count += 1;
        self.keep(one);
    }

    fn keep(&mut self, one: T) {
        self.first.insert(one);
        if self.first.len() > TOLD {
            self.first.pop_last();
        }
    }

    fn absorb(&mut self, other: Self) {
        self.count += other.count;
        for one in other.first {
            self.keep(one);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(names: impl Iterator<Item = usize>) -> Sources {
        let mut sources = Sources::default();
        for name in names {
            sources.add(&format!("{name:05}.example"));
        }
        sources
    }

    #[test]
    fn invented_event_sources_are_counted_in_bounds_and_alike_whoever_counts() {
        let mut split = sources((0..3_000).step_by(2));
        split.absorb(sources((1..3_000).step_by(2)));
        let alone = sources((0..3_000).rev());

        assert_eq!(split.total(), 3_000);
        assert_eq!(split.named, alone.named);
        assert_eq!(split.rest, 2_000);
    }

    #[test]
    fn of_much_damage_the_first_is_told_and_the_rest_counted() {
        let mut tally = Tally::default();
        for position in (0..1_000).rev() {
            let place = Place {
                file: "a.json".to_owned(),
                position,
            };
            tally.skip(place, "malformed JSON".to_owned(), true);
        }

        let told: Vec<u64> = tally.damage.first.iter().map(|damage| damage.place.position).collect();
        assert_eq!(told, (0..20).collect::<Vec<u64>>());
        assert_eq!((tally.damage.count, tally.skipped()), (1_000, 1_000));
        assert_eq!(tally.skipped["malformed JSON"].first.position, 0);
    }

    #[test]
    fn an_empty_log_is_readable_but_a_broken_one_is_not() {
        let empty = Tally {
            empty_files: 1,
            ..Tally::default()
        };
        assert!(!empty.nothing_readable());
        assert!(Tally::default().nothing_readable());

        let mut broken = empty;
        broken.damage.add(Damage {
            place: Place {
                file: "b".to_owned(),
                position: 0,
            },
            reason: "truncated".to_owned(),
        });
        assert!(broken.nothing_readable());
        broken.records = 1;
        assert!(!broken.nothing_readable());
    }
}
