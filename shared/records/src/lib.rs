//! Bytes to records: every container and envelope that CloudTrail logs come in, recognised by content.
//!
//! Log files `{"Records":[…]}`, arrays, lines, roots without a line between; EventBridge envelopes, SQS and SNS
//! around them; CloudWatch Logs subscriptions, Firehose and Kinesis; the output of `lookup-events`, of
//! `filter-log-events` and of Athena; gzip or plain; UTF-8 or UTF-16.
//!
//! Nothing fails as a whole. Everything seen is either a record or a [`Skip`] with its reason and position, and one
//! broken record loses only itself. Memory is bounded whatever the input holds.
//!
//! ```
//! use tripmeter_records::{Item, Limits, Reader};
//!
//! let log = br#"{"Records":[{"eventTime":"2026-03-03T10:15:00Z","eventSource":"ses.amazonaws.com",
//!     "eventName":"GetSendQuota"},{"eventName":oops}]}"#;
//! let mut names = Vec::new();
//! let tally = Reader::new(Limits::default()).read_bytes(log, &mut |item| match item {
//!     Item::Record(record) => names.push(record.event_name.into_owned()),
//!     Item::Skipped(skip) => assert!(skip.reason.is_damage()),
//! });
//! assert_eq!((tally.records, tally.skipped, names), (1, 1, vec!["GetSendQuota".to_owned()]));
//! ```

mod athena;
mod decode;
mod fields;
mod inflate;
mod json;
mod output;
mod reader;
mod record;
mod resync;
mod skip;
mod time;
mod walk;
mod wrapping;

use tripmeter_model::Record;

pub use reader::Reader;
pub use skip::{Skip, SkipReason};

/// Something that was seen.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "it is passed once and never stored; a box would cost each record"
)]
pub enum Item<'a> {
    /// A record, borrowed from the bytes that were read.
    Record(Record<'a>),
    /// What is no record, and why.
    Skipped(Skip),
}

/// How much was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Records handed on.
    pub records: u64,
    /// What was skipped.
    pub skipped: u64,
}

impl Tally {
    /// Everything: records and what was skipped.
    pub fn seen(self) -> u64 {
        self.records + self.skipped
    }
}

/// What bounds memory and work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest record with all that it is wrapped in, in bytes of text, and the most that one compressed
    /// payload may grow to. CloudTrail cuts its records far below (256 KB for EventBridge, some MB in S3).
    pub record_bytes: usize,
    /// The largest file, in bytes of text, that is inflated in one go; larger ones are streamed.
    pub whole_bytes: usize,
    /// How much of a stream is read at a time, in bytes.
    pub piece_bytes: usize,
    /// Wrappings around a record. An SQS message around an SNS notification around an EventBridge envelope are
    /// three.
    pub wrappings: u8,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            record_bytes: 16 << 20,
            whole_bytes: 32 << 20,
            piece_bytes: 256 << 10,
            wrappings: 6,
        }
    }
}
