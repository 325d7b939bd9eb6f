//! The way in: whole files in one go where that is safe and quick, anything else as a stream.

use std::io::{BufRead, BufReader, Read};

use crate::decode::{self, Decoder};
use crate::inflate::{self, Gunzip};
use crate::output::Output;
use crate::skip::SkipReason;
use crate::walk::{Rest, Walker};
use crate::wrapping::Context;
use crate::{Item, Limits, Tally};

/// The most of an input that is read before it is decided whether it is streamed. Log files are far smaller.
const HEAD_BYTES: u64 = 8 << 20;
/// Gzip within gzip that is looked through: tools compress what is compressed.
const MAX_GZIP: usize = 2;

/// Reads inputs one after the other, using its buffers again. One for each thread.
pub struct Reader {
    limits: Limits,
    inflater: libdeflater::Decompressor,
    head: Vec<u8>,
    text: Vec<u8>,
}

impl Reader {
    /// A reader with such limits.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            inflater: libdeflater::Decompressor::new(),
            head: Vec::new(),
            text: Vec::new(),
        }
    }

    /// Reads all of `input` (a file, standard input), handing everything that is seen to `sink`. An error while
    /// reading is a [`SkipReason::ReadFailed`] behind what was read before it.
    pub fn read(&mut self, mut input: impl Read, sink: &mut dyn FnMut(Item<'_>)) -> Tally {
        let mut head = std::mem::take(&mut self.head);
        head.clear();
        let all = input
            .by_ref()
            .take(HEAD_BYTES)
            .read_to_end(&mut head)
            .is_ok_and(|read| (read as u64) < HEAD_BYTES);
        let tally = if all {
            self.read_bytes(&head, sink)
        } else {
            let mut out = Output::new(self.limits, sink);
            stream(
                head.chain(BufReader::with_capacity(self.limits.piece_bytes, input)),
                &mut out,
            );
            out.tally()
        };
        self.head = head;
        tally
    }

    /// Reads an input that is in memory.
    pub fn read_bytes(&mut self, bytes: &[u8], sink: &mut dyn FnMut(Item<'_>)) -> Tally {
        let mut out = Output::new(self.limits, sink);
        let plain = if inflate::is_gzip(bytes) {
            inflate::whole(&mut self.inflater, bytes, self.limits.whole_bytes, &mut self.text)
        } else {
            Some(bytes)
        };
        match plain.filter(|bytes| is_plain(bytes)).map(str::from_utf8) {
            Some(Ok(text)) => Walker::new(Context::default()).whole(text, &mut out),
            _ => stream(bytes, &mut out),
        }
        out.tally()
    }
}

fn is_plain(bytes: &[u8]) -> bool {
    !decode::is_utf16(bytes) && !inflate::is_gzip(bytes)
}

/// Reads bytes of any form, holding no more of them than the longest record takes.
fn stream<'i>(input: impl BufRead + 'i, out: &mut Output<'_>) {
    let piece = out.limits.piece_bytes;
    let mut input: Box<dyn BufRead + 'i> = Box::new(input);
    for _ in 0..MAX_GZIP {
        if !input.fill_buf().is_ok_and(inflate::is_gzip) {
            break;
        }
        input = Box::new(BufReader::with_capacity(piece, Gunzip::new(input)));
    }
    let mut walker = Walker::new(Context::default());
    let mut decoder = Decoder::default();
    let mut text = String::new();
    loop {
        let wanted = text.len() * 2 + piece;
        let filled = fill(&mut input, &mut decoder, &mut text, wanted);
        let handled = walker.advance(&text, filled.unwrap_or(Rest::None), out);
        text.drain(..handled);
        match filled {
            Ok(Rest::MayCome) => {}
            Ok(Rest::None) => return walker.finish(&text, None, out),
            Err(cause) => return walker.finish(&text, Some(cause), out),
        }
    }
}

/// Reads until `wanted` bytes of text are there, or the input ends, well or with an error.
fn fill(input: &mut dyn BufRead, decoder: &mut Decoder, text: &mut String, wanted: usize) -> Result<Rest, SkipReason> {
    while text.len() < wanted {
        let read = match input.fill_buf() {
            Ok([]) => {
                decoder.finish(text);
                return Ok(Rest::None);
            }
            Ok(bytes) => {
                decoder.push(bytes, text);
                bytes.len()
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => 0,
            Err(error) => {
                decoder.finish(text);
                return Err(inflate::reason(&error));
            }
        };
        input.consume(read);
    }
    Ok(Rest::MayCome)
}
