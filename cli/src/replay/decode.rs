//! From files to sorted activities, on all cores.

use std::io::{self, Read};
use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use std::thread;

use tripmeter_catalogue::{Classified, Scope, classify, watches};
use tripmeter_model::{Activity, Record, Service, Timestamp};
use tripmeter_openai::export::{self, Entry};
use tripmeter_records::{Item, Limits, Reader, Skip};

use super::files::{Input, Queue, Unreadable};
use super::progress::Progress;
use super::sorter::{Run, SortError, Sorter};
use super::tally::{Place, Tally};

/// What all workers together keep of activities before they write them out, in bytes.
const ACTIVITIES: usize = 32 << 20;

/// What of a file is looked at to see whose it is, in bytes.
const HEAD: u64 = 16 << 10;
/// The largest export of OpenAI's that is read, in bytes: months of a busy organisation.
const EXPORT: u64 = 256 << 20;

/// Which records are judged, and of which organisation exports of OpenAI's are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) organisation: &'a str,
    pub(crate) from: Option<Timestamp>,
    pub(crate) to: Option<Timestamp>,
}

impl Wanted<'_> {
    fn holds(&self, time: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= time) && self.to.is_none_or(|to| time <= to)
    }
}

/// Reads everything in the queue.
pub(crate) fn read_all(
    queue: Queue,
    wanted: Wanted<'_>,
    threads: NonZero<usize>,
    progress: &Progress,
) -> Result<(Vec<Run>, Tally), SortError> {
    let queue = Mutex::new(queue);
    let scope = Scope::default();
    let work = || Worker::new(wanted, &scope, ACTIVITIES / threads).drain(&queue, progress);
    let done: Vec<_> = thread::scope(|all| {
        let workers: Vec<_> = (0..threads.get()).map(|_| all.spawn(work)).collect();
        workers.into_iter().map(thread::ScopedJoinHandle::join).collect()
    });

    let mut runs = Vec::new();
    let mut tally = Tally::default();
    for worker in done {
        let (its_runs, its_tally) = worker.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        runs.extend(its_runs);
        tally.absorb(its_tally);
    }
    Ok((runs, tally))
}

/// One thread's share.
struct Worker<'a> {
    reader: Reader,
    intake: Intake<'a>,
}

/// What becomes of the records that a worker reads.
struct Intake<'a> {
    wanted: Wanted<'a>,
    scope: &'a Scope,
    sorter: Sorter,
    tally: Tally,
    failure: Option<SortError>,
}

impl<'a> Worker<'a> {
    fn new(wanted: Wanted<'a>, scope: &'a Scope, budget: usize) -> Self {
        Self {
            reader: Reader::new(Limits::default()),
            intake: Intake {
                wanted,
                scope,
                sorter: Sorter::new(budget),
                tally: Tally::default(),
                failure: None,
            },
        }
    }

    fn drain(mut self, queue: &Mutex<Queue>, progress: &Progress) -> Result<(Vec<Run>, Tally), SortError> {
        loop {
            let input = {
                let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
                let input = queue.next(|unreadable| self.intake.tally.unreadable.add(unreadable));
                progress.total(queue.bytes());
                input
            };
            let Some(input) = input else { break };
            self.read(&input, progress);
            if let Some(failure) = self.intake.failure {
                return Err(failure);
            }
        }
        Ok((self.intake.sorter.finish(), self.intake.tally))
    }

    fn read(&mut self, input: &Input, progress: &Progress) {
        let opened = input.open().and_then(|bytes| begun(progress.reading(bytes)));
        let (head, rest) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                self.intake.tally.unreadable.add(Unreadable::new(input.name(), &error));
                return;
            }
        };
        let intake = &mut self.intake;
        let is_export = export::is_export(&head);
        let bytes = io::Cursor::new(head).chain(rest);
        if is_export {
            intake.export(input, bytes);
            return;
        }
        let seen = self.reader.read(bytes, &mut |item| match item {
            Item::Record(record) => intake.record(&record),
            Item::Skipped(skip) => intake.skip(input, skip),
        });
        intake.tally.files += 1;
        intake.tally.empty_files += u64::from(seen.seen() == 0);
    }
}

/// The first bytes of an input, and the others.
fn begun<R: Read>(mut bytes: R) -> io::Result<(Vec<u8>, R)> {
    let mut head = Vec::new();
    bytes.by_ref().take(HEAD).read_to_end(&mut head)?;
    Ok((head, bytes))
}

impl Intake<'_> {
    /// An export of OpenAI's audit log or usage.
    fn export(&mut self, input: &Input, bytes: impl Read) {
        let mut text = String::new();
        if let Err(error) = bytes.take(EXPORT).read_to_string(&mut text) {
            self.tally.unreadable.add(Unreadable::new(input.name(), &error));
            return;
        }
        self.tally.files += 1;
        export::read(&text, self.wanted.organisation, &mut |position, entry| match entry {
            Entry::Activity(activity) => self.exported(&activity, false),
            Entry::Unknown(activity) => self.exported(&activity, true),
            Entry::Unreadable(why) => {
                let file = input.name();
                self.tally.skip(Place { file, position }, why.to_owned(), true);
            }
        });
    }

    fn exported(&mut self, activity: &Activity, is_unknown: bool) {
        self.tally.records += 1;
        self.tally.at(activity.time);
        if !self.wanted.holds(activity.time) {
            self.tally.outside += 1;
            return;
        }
        let count = self.tally.services.entry(Service::OpenAi).or_default();
        count.records += 1;
        count.uncatalogued += u64::from(is_unknown);
        count.activities += u64::from(!is_unknown);
        if let Err(failure) = self.sorter.push(activity) {
            self.failure.get_or_insert(failure);
        }
    }

    /// The hot path: most records are of services that nobody watches.
    fn record(&mut self, record: &Record<'_>) {
        self.tally.records += 1;
        self.tally.at(record.event_time);
        if !self.wanted.holds(record.event_time) {
            self.tally.outside += 1;
            return;
        }
        let Some(service) = watches(&record.event_source) else {
            self.tally.sources.add(&record.event_source);
            return;
        };
        let count = self.tally.services.entry(service).or_default();
        count.records += 1;
        match classify(record, self.scope) {
            Classified::Unwatched => {}
            Classified::Unknown(_) => count.uncatalogued += 1,
            Classified::Activity(activity) => {
                count.activities += 1;
                if let Err(failure) = self.sorter.push(&activity) {
                    self.failure.get_or_insert(failure);
                }
            }
        }
    }

    fn skip(&mut self, input: &Input, skip: Skip) {
        let place = Place {
            file: input.name(),
            position: skip.position,
        };
        self.tally.skip(place, skip.reason.to_string(), skip.reason.is_damage());
    }
}
