//! Bytes to text: UTF-8, or UTF-16 in either order. Nothing is refused; what is no character becomes U+FFFD.

/// A decoder that is given its bytes in pieces.
#[derive(Default)]
pub(crate) struct Decoder {
    encoding: Option<Encoding>,
    /// Bytes that do not yet make a character.
    pending: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
}

/// Whether a text's first bytes are UTF-16: a byte order mark, or a bracket with its zero byte.
pub(crate) fn is_utf16(bytes: &[u8]) -> bool {
    encoding_of(bytes) != Encoding::Utf8
}

fn encoding_of(bytes: &[u8]) -> Encoding {
    match bytes {
        [0xff, 0xfe, ..] | [b'{' | b'[', 0, ..] => Encoding::Utf16Le,
        [0xfe, 0xff, ..] | [0, b'{' | b'[', ..] => Encoding::Utf16Be,
        _ => Encoding::Utf8,
    }
}

impl Decoder {
    /// Decodes a piece onto `text`.
    pub(crate) fn push(&mut self, bytes: &[u8], text: &mut String) {
        self.pending.extend_from_slice(bytes);
        if self.encoding.is_none() && self.pending.len() < 2 {
            return;
        }
        let encoding = *self.encoding.get_or_insert_with(|| encoding_of(&self.pending));
        let used = match encoding {
            Encoding::Utf8 => utf8(&self.pending, text),
            Encoding::Utf16Le => utf16(&self.pending, u16::from_le_bytes, text),
            Encoding::Utf16Be => utf16(&self.pending, u16::from_be_bytes, text),
        };
        self.pending.drain(..used);
    }

    /// Decodes what is left at the end.
    pub(crate) fn finish(&mut self, text: &mut String) {
        text.push_str(&String::from_utf8_lossy(&std::mem::take(&mut self.pending)));
    }
}

fn utf8(bytes: &[u8], text: &mut String) -> usize {
    let mut chunks = bytes.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        text.push_str(chunk.valid());
        let invalid = chunk.invalid();
        let may_go_on =
            chunks.peek().is_none() && std::str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none());
        if may_go_on {
            return bytes.len() - invalid.len();
        }
        if !invalid.is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    bytes.len()
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16, text: &mut String) -> usize {
    let (pairs, _) = bytes.as_chunks::<2>();
    // A high surrogate at the end waits for its other half.
    let whole = match pairs.last() {
        Some(last) if (0xd800..0xdc00).contains(&unit(*last)) => pairs.len() - 1,
        _ => pairs.len(),
    };
    let units = pairs.iter().take(whole).map(|pair| unit(*pair));
    text.extend(char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)));
    whole * 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(bytes: &[u8], piece: usize) -> String {
        let mut text = String::new();
        let mut decoder = Decoder::default();
        for piece in bytes.chunks(piece) {
            decoder.push(piece, &mut text);
        }
        decoder.finish(&mut text);
        text
    }

    #[test]
    fn what_is_no_character_is_replaced() {
        assert_eq!(decode(b"a\xff\xc3\xa9\xf0\x9f\x98", 1), "a\u{fffd}é\u{fffd}");
        assert_eq!(decode(&[b'{', 0, 0x3d, 0xd8, b'}', 0], 64), "{\u{fffd}}");
    }

    proptest! {
        #[test]
        fn every_encoding_comes_back_whatever_the_pieces(text in any::<String>(), piece in 1usize..9) {
            let marked = format!("\u{feff}{text}");
            let le: Vec<u8> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let be: Vec<u8> = marked.encode_utf16().flat_map(u16::to_be_bytes).collect();

            for bytes in [marked.as_bytes(), &le, &be] {
                prop_assert_eq!(decode(bytes, piece), marked.as_str());
            }
        }

        #[test]
        fn bytes_decode_as_the_standard_library_does(bytes: Vec<u8>, piece in 1usize..9) {
            prop_assume!(!is_utf16(&bytes));

            prop_assert_eq!(decode(&bytes, piece), String::from_utf8_lossy(&bytes));
        }
    }
}
