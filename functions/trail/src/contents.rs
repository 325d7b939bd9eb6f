//! What a log file holds, part by part, while its bytes come in.

use std::cell::Cell;
use std::io::{self, Cursor, Read};

use tokio::sync::mpsc::{Receiver, Sender};
use tripmeter_catalogue::{Classified, Scope, classify};
use tripmeter_model::{Activity, Kind};
use tripmeter_records::{Item, Limits, Reader, Skip, SkipReason};

/// Activities of one part: as many as are written well at once, and few enough for little memory.
const PART: usize = 2_000;

/// Damaged records of a file that are told of, at most.
const TOLD: usize = 20;

/// Text of a file that is inflated in one go; larger ones are streamed.
const WHOLE_BYTES: usize = 8 << 20;

/// Which calls of a file are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judges {
    /// Use alone: everything else came through the forwarders, within seconds.
    Use,
    /// Every call.
    All,
}

/// Activities of a file, in its order.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) activities: Vec<Activity>,
    /// Records of the file before this part.
    pub(crate) begins: u64,
    /// Records of the file up to its end.
    pub(crate) ends: u64,
}

/// What was seen in a file.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    pub(crate) records: u64,
    /// The first of what may have been records, and is lost.
    pub(crate) lost: Vec<Skip>,
    broken: bool,
}

impl Contents {
    /// Whether the file is not what it should be, beyond single records: who mends it gives more of them back.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken || (self.records == 0 && !self.lost.is_empty())
    }

    fn note(&mut self, skip: Skip) {
        if skip.reason.is_damage() && self.lost.len() < TOLD {
            self.lost.push(skip);
        }
        self.broken |= is_of_the_file(skip.reason);
    }
}

fn is_of_the_file(reason: SkipReason) -> bool {
    matches!(
        reason,
        SkipReason::TruncatedGzip
            | SkipReason::DamagedGzip
            | SkipReason::Truncated
            | SkipReason::OtherFormat(_)
            | SkipReason::UnknownEncoding
            | SkipReason::ReadFailed(_)
    )
}

/// Reads a file to its end, on a thread of its own: its bytes are waited for, and so is whoever takes the parts. When
/// nobody takes them any more, reading stops.
pub(crate) fn read(pieces: Receiver<Vec<u8>>, scope: &Scope, judges: Judges, parts: &Sender<Part>) -> Contents {
    let limits = Limits {
        whole_bytes: WHOLE_BYTES,
        ..Limits::default()
    };
    let stopped = Cell::new(false);
    let bytes = Bytes {
        pieces,
        piece: Cursor::default(),
        stopped: &stopped,
    };
    let mut contents = Contents::default();
    let mut activities = Vec::new();
    let mut begins = 0;
    Reader::new(limits).read(bytes, &mut |item| match item {
        Item::Skipped(skip) => contents.note(skip),
        Item::Record(record) => {
            contents.records += 1;
            if let Classified::Activity(activity) = classify(&record, scope)
                && (judges == Judges::All || activity.kind == Kind::Use)
            {
                activities.push(*activity);
            }
            if activities.len() == PART {
                let part = Part {
                    activities: std::mem::take(&mut activities),
                    begins: std::mem::replace(&mut begins, contents.records),
                    ends: contents.records,
                };
                stopped.set(parts.blocking_send(part).is_err());
            }
        }
    });
    if !activities.is_empty() {
        let rest = Part {
            activities,
            begins,
            ends: contents.records,
        };
        // Nobody may want it any more; who stopped knows why.
        let _ = parts.blocking_send(rest);
    }
    contents
}

/// The file's bytes, as they come in; no more of them once nobody wants what they hold.
struct Bytes<'s> {
    pieces: Receiver<Vec<u8>>,
    piece: Cursor<Vec<u8>>,
    stopped: &'s Cell<bool>,
}

impl Read for Bytes<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while !self.stopped.get() {
            let read = self.piece.read(out)?;
            if read > 0 || out.is_empty() {
                return Ok(read);
            }
            match self.pieces.blocking_recv() {
                Some(piece) => self.piece = Cursor::new(piece),
                None => break,
            }
        }
        Ok(0)
    }
}
