//! Any bytes, as a file in memory and as a gzip stream in small pieces: nothing panics, nothing hangs, and both see
//! the same.

#![no_main]

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use libfuzzer_sys::fuzz_target;
use tripmeter_records::{Item, Limits, Reader, SkipReason};

/// Each record's name, or why it was skipped.
fn seen(bytes: &[u8], limits: Limits) -> Vec<Result<String, SkipReason>> {
    let mut seen = Vec::new();
    let tally = Reader::new(limits).read_bytes(bytes, &mut |item| {
        seen.push(match item {
            Item::Record(record) => Ok(record.event_name.into_owned()),
            Item::Skipped(skip) => Err(skip.reason),
        });
    });
    assert_eq!(tally.seen(), seen.len() as u64);
    seen
}

fuzz_target!(|bytes: &[u8]| {
    let whole = seen(bytes, Limits::default());
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let file = encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .unwrap_or_default();
    let pieces = Limits {
        whole_bytes: 0,
        piece_bytes: 1 + bytes.len() % 61,
        ..Limits::default()
    };
    // What is compressed three times is looked into twice only.
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        assert_eq!(seen(&file, pieces), whole);
    }
});
