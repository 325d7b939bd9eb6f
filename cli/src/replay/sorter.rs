//! Activities in event time, however many there are: sorted in memory, spilled to temporary files, merged.
//!
//! Logs come in any order, and what is found must not depend on it, nor on how many threads read them. So every
//! activity gets a place in one total order (event time, then event id, then its bytes), which makes the merged
//! stream the same for the same records. Copies of one event stand side by side in that order and are dropped.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::mem;

use tripmeter_model::{Activity, digest64};

/// Runs of one generation that are merged into one: bounds how many files are open, and how often an activity is
/// written (once for each power of this many runs).
const FAN_IN: usize = 24;

/// What reading back a spilled run needs at once.
const READ_BUFFER: usize = 32 * 1024;

/// What went wrong while sorting.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SortError {
    /// The temporary directory is full, or not there.
    #[error("cannot keep activities in a temporary file in {}; set TMPDIR to a place with room", std::env::temp_dir().display())]
    Spill {
        #[from]
        source: io::Error,
    },
    /// An activity cannot be packed, or is not what was packed.
    #[error("cannot pack an activity")]
    Pack {
        #[from]
        source: postcard::Error,
    },
}

/// Where an activity stands among the others; its bytes decide what the key leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    time: i64,
    /// Of the event id with what else must agree; 0 without an id, for such events are never copies of each other.
    event: u64,
}

impl Key {
    fn of(activity: &Activity) -> Self {
        let event = activity.event_id.as_deref().map_or(0, |id| {
            // The same event id stands in both accounts of a call across accounts.
            let parts = [id, &activity.account, &activity.region, &activity.call];
            digest64(&parts).0.max(1)
        });
        Self {
            time: activity.time.seconds(),
            event,
        }
    }
}

/// One worker's activities: an arena of packed bytes and an index over it, written out sorted when it is full.
pub(crate) struct Sorter {
    arena: Vec<u8>,
    index: Vec<Entry>,
    budget: usize,
    /// Spilled runs with their generation, the oldest generation first.
    runs: Vec<(u32, Run)>,
}

#[derive(Clone, Copy)]
struct Entry {
    key: Key,
    start: u32,
    len: u32,
}

impl Sorter {
    /// Keeps about `budget` bytes in memory.
    pub(crate) fn new(budget: usize) -> Self {
        Self {
            arena: Vec::new(),
            index: Vec::new(),
            // An entry's place is kept in 32 bits.
            budget: budget.min(1 << 30),
            runs: Vec::new(),
        }
    }

    /// Takes one activity.
    pub(crate) fn push(&mut self, activity: &Activity) -> Result<(), SortError> {
        let start = self.arena.len();
        self.arena = postcard::to_extend(activity, mem::take(&mut self.arena))?;
        self.index.push(Entry {
            key: Key::of(activity),
            start: start as u32,
            len: (self.arena.len() - start) as u32,
        });
        if self.arena.len() + self.index.len() * size_of::<Entry>() >= self.budget {
            self.spill()?;
        }
        Ok(())
    }

    /// Everything taken so far, as sorted runs.
    pub(crate) fn finish(mut self) -> Vec<Run> {
        self.sort();
        let rest = Run(Place::Memory {
            arena: self.arena,
            index: self.index.into_iter(),
        });
        let mut runs: Vec<Run> = self.runs.into_iter().map(|(_, run)| run).collect();
        runs.push(rest);
        runs
    }

    fn sort(&mut self) {
        let arena = &self.arena;
        self.index
            .sort_unstable_by(|a, b| a.key.cmp(&b.key).then_with(|| bytes(arena, a).cmp(bytes(arena, b))));
    }

    fn spill(&mut self) -> Result<(), SortError> {
        self.sort();
        let mut writer = RunWriter::new()?;
        for entry in &self.index {
            writer.write(entry.key, bytes(&self.arena, entry))?;
        }
        self.arena.clear();
        self.index.clear();
        self.runs.push((0, writer.finish()?));
        self.compact()
    }

    /// Merges a generation that has become large into one run of the next.
    fn compact(&mut self) -> Result<(), SortError> {
        while let Some(&(generation, _)) = self.runs.last() {
            let of_generation = self.runs.iter().rev().take_while(|(g, _)| *g == generation).count();
            if of_generation < FAN_IN {
                break;
            }
            let runs = self.runs.split_off(self.runs.len() - of_generation);
            let mut merge = Merge::new(runs.into_iter().map(|(_, run)| run).collect())?;
            let mut writer = RunWriter::new()?;
            while let Some(head) = merge.next_packed()? {
                writer.write(head.key, &head.packed)?;
                merge.spare = head.packed;
            }
            self.runs.push((generation + 1, writer.finish()?));
        }
        Ok(())
    }
}

fn bytes<'a>(arena: &'a [u8], entry: &Entry) -> &'a [u8] {
    let start = entry.start as usize;
    arena.get(start..start + entry.len as usize).unwrap_or_default()
}

/// Sorted activities, in memory or in a temporary file that nobody else can open.
pub(crate) struct Run(Place);

enum Place {
    Memory {
        arena: Vec<u8>,
        index: std::vec::IntoIter<Entry>,
    },
    Spilled {
        file: BufReader<File>,
        left: u64,
    },
}

impl Run {
    /// Puts the next activity's bytes into `packed`; `None` at the end.
    fn next(&mut self, packed: &mut Vec<u8>) -> io::Result<Option<Key>> {
        packed.clear();
        match &mut self.0 {
            Place::Memory { arena, index } => Ok(index.next().map(|entry| {
                packed.extend_from_slice(bytes(arena, &entry));
                entry.key
            })),
            Place::Spilled { left: 0, .. } => Ok(None),
            Place::Spilled { file, left } => {
                *left -= 1;
                let time = i64::from_le_bytes(read_array(file)?);
                let event = u64::from_le_bytes(read_array(file)?);
                let len = u32::from_le_bytes(read_array(file)?);
                packed.resize(len as usize, 0);
                file.read_exact(packed)?;
                Ok(Some(Key { time, event }))
            }
        }
    }
}

fn read_array<const N: usize>(file: &mut impl Read) -> io::Result<[u8; N]> {
    let mut array = [0; N];
    file.read_exact(&mut array)?;
    Ok(array)
}

struct RunWriter {
    file: BufWriter<File>,
    written: u64,
}

impl RunWriter {
    fn new() -> io::Result<Self> {
        Ok(Self {
            file: BufWriter::with_capacity(READ_BUFFER, tempfile::tempfile()?),
            written: 0,
        })
    }

    fn write(&mut self, key: Key, packed: &[u8]) -> io::Result<()> {
        self.file.write_all(&key.time.to_le_bytes())?;
        self.file.write_all(&key.event.to_le_bytes())?;
        self.file.write_all(&(packed.len() as u32).to_le_bytes())?;
        self.file.write_all(packed)?;
        self.written += 1;
        Ok(())
    }

    fn finish(self) -> io::Result<Run> {
        let mut file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(Run(Place::Spilled {
            file: BufReader::with_capacity(READ_BUFFER, file),
            left: self.written,
        }))
    }
}

/// The next activity of one run.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Head {
    key: Key,
    packed: Vec<u8>,
    run: usize,
}

/// All runs as one stream in order, without copies.
pub(crate) struct Merge {
    runs: Vec<Run>,
    heads: BinaryHeap<Reverse<Head>>,
    spare: Vec<u8>,
    duplicates: u64,
}

impl Merge {
    /// Over the runs of every sorter.
    pub(crate) fn new(runs: Vec<Run>) -> Result<Self, SortError> {
        let mut merge = Self {
            heads: BinaryHeap::with_capacity(runs.len()),
            runs,
            spare: Vec::new(),
            duplicates: 0,
        };
        for run in 0..merge.runs.len() {
            merge.refill(run, Vec::new())?;
        }
        Ok(merge)
    }

    /// The next activity; `None` at the end. Of copies that count differently it is the one that counts most: a bucket of
    /// usage that was saved again when it had grown.
    pub(crate) fn next(&mut self) -> Result<Option<Activity>, SortError> {
        let Some(head) = self.next_packed()? else {
            return Ok(None);
        };
        let mut activity: Activity = postcard::from_bytes(&head.packed)?;
        self.spare = head.packed;
        let is_copy = |next: &Reverse<Head>| head.key.event != 0 && next.0.key == head.key;
        while self.heads.peek().is_some_and(is_copy)
            && let Some(copy) = self.next_packed()?
        {
            let other: Activity = postcard::from_bytes(&copy.packed)?;
            self.spare = copy.packed;
            self.duplicates += 1;
            if other.quantity.units > activity.quantity.units {
                activity = other;
            }
        }
        Ok(Some(activity))
    }

    /// Copies that were dropped so far.
    pub(crate) fn duplicates(&self) -> u64 {
        self.duplicates
    }

    fn next_packed(&mut self) -> Result<Option<Head>, SortError> {
        let Some(Reverse(head)) = self.heads.pop() else {
            return Ok(None);
        };
        let spare = mem::take(&mut self.spare);
        self.refill(head.run, spare)?;
        Ok(Some(head))
    }

    fn refill(&mut self, run: usize, mut packed: Vec<u8>) -> io::Result<()> {
        if let Some(source) = self.runs.get_mut(run)
            && let Some(key) = source.next(&mut packed)?
        {
            self.heads.push(Reverse(Head { key, packed, run }));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tripmeter_model::{
        Client, Digest, Identity, Kind, Network, Origin, Outcome, Quantity, Service, Session, Source, Timestamp,
    };

    use super::*;

    fn activity(seconds: i64, id: Option<u8>, user: u8) -> Activity {
        Activity {
            time: Timestamp::from_seconds(seconds),
            event_id: id.map(|id| format!("event-{id}")),
            account: "111122223333".to_owned(),
            region: "eu-west-1".to_owned(),
            service: Service::Ses,
            call: "SendEmail".to_owned(),
            kind: Kind::Use,
            outcome: Outcome::Success,
            identity: Identity::account(&format!("{user:012}")),
            session: Session::default(),
            origin: Origin {
                source: Source::Hidden,
                network: Network("hidden".to_owned()),
                client: Client("boto3".to_owned()),
            },
            target: None,
            quantity: Quantity::ONE,
            effect: None,
            routine: false,
            grave: false,
            links: Vec::new(),
            issued: None,
            shape: Digest(1),
            why: String::new(),
        }
    }

    /// Sorts with `sorters` that keep `budget` bytes each, dealing the activities out in turn.
    fn sorted(activities: &[Activity], sorters: usize, budget: usize) -> (Vec<Activity>, u64) {
        let mut all: Vec<Sorter> = (0..sorters).map(|_| Sorter::new(budget)).collect();
        for (i, activity) in activities.iter().enumerate() {
            all[i % sorters].push(activity).unwrap();
        }
        let mut merge = Merge::new(all.into_iter().flat_map(Sorter::finish).collect()).unwrap();
        let mut merged = Vec::new();
        while let Some(activity) = merge.next().unwrap() {
            merged.push(activity);
        }
        (merged, merge.duplicates())
    }

    #[test]
    fn activities_come_back_in_event_time_from_memory_and_from_files() {
        let newest_first: Vec<Activity> = (0..100).rev().map(|t| activity(t, Some(t as u8), 0)).collect();
        let oldest_first: Vec<Activity> = newest_first.iter().rev().cloned().collect();

        assert_eq!(sorted(&newest_first, 1, 1 << 20).0, oldest_first);
        assert_eq!(
            sorted(&newest_first, 1, 1).0,
            oldest_first,
            "every activity spilled alone, runs merged twice"
        );
    }

    #[test]
    fn copies_of_an_event_are_judged_once_but_events_without_an_id_are_no_copies() {
        let with_id = [activity(5, Some(1), 0), activity(5, Some(1), 0)];
        let without = [activity(5, None, 0), activity(5, None, 0)];
        let mut other_account = activity(5, Some(1), 0);
        other_account.account = "444455556666".to_owned();

        assert_eq!(sorted(&with_id, 2, 1 << 20), (vec![with_id[0].clone()], 1));
        assert_eq!(sorted(&without, 2, 1 << 20), (without.to_vec(), 0));
        assert_eq!(sorted(&[with_id[0].clone(), other_account], 1, 1).1, 0);
    }

    proptest! {
        #[test]
        fn the_stream_is_the_same_whoever_read_what_and_however_little_memory_there_was(
            drawn in prop::collection::vec((0_i64..5, prop::option::of(0_u8..20), 0_u8..3), 0..120),
            sorters in 1_usize..4,
            budget in 1_usize..4_000,
        ) {
            let activities: Vec<Activity> = drawn.into_iter().map(|(t, id, user)| activity(t, id, user)).collect();
            let backwards: Vec<Activity> = activities.iter().rev().cloned().collect();

            prop_assert_eq!(sorted(&activities, sorters, budget), sorted(&backwards, 1, 1 << 20));
        }
    }
}
