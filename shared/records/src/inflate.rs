//! Gzip, whole or as a stream, with whatever is behind it.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;
use memchr::memmem;

use crate::skip::SkipReason;

const MAGIC: &[u8] = &[0x1f, 0x8b];
/// The magic with the only compression method there is: how each member of a gzip file begins.
const MEMBER: &[u8] = &[0x1f, 0x8b, 8];

/// Whether this is, or begins as, gzip.
pub(crate) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Inflates a file of one undamaged member in one go, into a buffer that is used again. `None` when it is anything
/// else, or larger than `limit`: the streaming way reads that, or says what is wrong.
pub(crate) fn whole<'b>(
    inflater: &mut libdeflater::Decompressor,
    bytes: &[u8],
    limit: usize,
    buffer: &'b mut Vec<u8>,
) -> Option<&'b [u8]> {
    // The last four bytes are the length. The inflater stops behind the first member and does not say where, so
    // there must be no second one.
    let (_, length) = bytes.split_last_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    if length > limit || has_second_member(bytes) {
        return None;
    }
    if buffer.len() < length {
        buffer.resize(length, 0);
    }
    let text = buffer.get_mut(..length)?;
    let written = inflater.gzip_decompress(bytes, text).ok()?;
    (written == length).then_some(text)
}

/// Whether a second member may begin somewhere. Compressed bytes are as good as chance: of files of some megabytes
/// every seventh holds the magic by accident, so the rest of the header has to make sense, too (RFC 1952: no reserved
/// flags, a level that compressors write, a system that has a number).
fn has_second_member(bytes: &[u8]) -> bool {
    let after_first = bytes.get(MEMBER.len()..).unwrap_or_default();
    memmem::find_iter(after_first, MEMBER).any(|at| {
        let header = after_first.get(at + MEMBER.len()..at + 10);
        header.is_none_or(|header| {
            matches!(header, [flags, _, _, _, _, level, system] if *flags < 0x20 && matches!(level, 0 | 2 | 4) && matches!(system, 0..=13 | 255))
        })
    })
}

/// Inflates what is not larger than `limit`.
pub(crate) fn bounded(bytes: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    Gunzip::new(bytes).take(limit as u64 + 1).read_to_end(&mut text).ok()?;
    (text.len() <= limit).then_some(text)
}

/// Gzip as a stream, member after member. What ends it too early is an error that holds a [`SkipReason`].
pub(crate) struct Gunzip<R> {
    state: State<R>,
}

enum State<R> {
    Member(Box<GzDecoder<R>>),
    Ended(Option<SkipReason>),
}

impl<R: BufRead> Gunzip<R> {
    pub(crate) fn new(input: R) -> Self {
        Self {
            state: State::Member(Box::new(GzDecoder::new(input))),
        }
    }
}

impl<R: BufRead> Read for Gunzip<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while let State::Member(member) = &mut self.state {
            match member.read(out) {
                Ok(0) if !out.is_empty() => {
                    let State::Member(member) = std::mem::replace(&mut self.state, State::Ended(None)) else {
                        break;
                    };
                    self.state = behind(member.into_inner());
                }
                Ok(read) => return Ok(read),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => self.state = State::Ended(Some(reason(&error))),
            }
        }
        match self.state {
            State::Ended(Some(reason)) => Err(io::Error::other(reason)),
            _ => Ok(0),
        }
    }
}

/// What follows a member: another, nothing, padding or something else.
fn behind<R: BufRead>(mut input: R) -> State<R> {
    let mut zeros = false;
    loop {
        let length = match input.fill_buf() {
            Ok([]) => return State::Ended(zeros.then_some(SkipReason::ZeroPadding)),
            // Of its two bytes of magic, the second may not be there yet.
            Ok([0x1f, ..]) if !zeros => return State::Member(Box::new(GzDecoder::new(input))),
            Ok(bytes) if bytes.iter().all(|b| *b == 0) => bytes.len(),
            Ok(_) => return State::Ended(Some(SkipReason::TrailingBytes)),
            Err(error) => return State::Ended(Some(reason(&error))),
        };
        zeros = true;
        input.consume(length);
    }
}

/// Why reading stopped.
pub(crate) fn reason(error: &io::Error) -> SkipReason {
    if let Some(reason) = error.get_ref().and_then(|inner| inner.downcast_ref::<SkipReason>()) {
        return *reason;
    }
    match error.kind() {
        io::ErrorKind::UnexpectedEof => SkipReason::TruncatedGzip,
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => SkipReason::DamagedGzip,
        kind => SkipReason::ReadFailed(kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    /// The text, and why it ended.
    fn gunzip(bytes: &[u8]) -> (Vec<u8>, Option<SkipReason>) {
        let mut text = Vec::new();
        let end = Gunzip::new(bytes).read_to_end(&mut text);
        (text, end.err().map(|error| reason(&error)))
    }

    fn inflate_whole(bytes: &[u8], limit: usize) -> Option<Vec<u8>> {
        whole(&mut libdeflater::Decompressor::new(), bytes, limit, &mut Vec::new()).map(<[u8]>::to_vec)
    }

    #[test]
    fn one_member_is_inflated_whole_and_anything_else_is_left_to_the_stream() {
        let one = gzip(b"a record");

        assert_eq!(inflate_whole(&one, 8).as_deref(), Some(&b"a record"[..]));
        assert_eq!(inflate_whole(&one, 7), None);
        assert_eq!(inflate_whole(&one.repeat(2), 64), None);
        assert_eq!(inflate_whole(&one[..one.len() - 1], 64), None);
        assert_eq!(inflate_whole(&[&one[..], &[0; 8]].concat(), 64), None);
        assert_eq!(inflate_whole(&gzip(b""), 64), Some(vec![]));
    }

    #[test]
    fn members_follow_each_other_and_what_follows_them_is_named() {
        let two = [gzip(b"one "), gzip(b"two")].concat();

        assert_eq!(gunzip(&two), (b"one two".to_vec(), None));
        assert_eq!(gunzip(&[&two[..], &[0; 512]].concat()).1, Some(SkipReason::ZeroPadding));
        assert_eq!(
            gunzip(&[&two[..], b"junk"].concat()),
            (b"one two".to_vec(), Some(SkipReason::TrailingBytes))
        );
    }

    #[test]
    fn a_cut_gives_what_was_before_it() {
        let text: Vec<u8> = (0..20_000u32)
            .flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes())
            .collect();
        let whole = gzip(&text);

        for cut in [2, 9, 10, 11, whole.len() / 2, whole.len() - 9, whole.len() - 1] {
            let (read, end) = gunzip(&whole[..cut]);
            assert_eq!(end, Some(SkipReason::TruncatedGzip), "{cut}");
            assert!(text.starts_with(&read), "{cut}");
            assert!(read.len() * 2 + 70_000 >= cut, "{cut}: {}", read.len());
        }
        let mut damaged = whole.clone();
        damaged[whole.len() - 6] ^= 1;
        assert_eq!(gunzip(&damaged), (text, Some(SkipReason::DamagedGzip)));
    }
}
