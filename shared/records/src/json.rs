//! Where JSON values begin and end: the grammar of RFC 8259, without recursion, without building anything.
//!
//! A record needs about twenty of its values as text and none of them as a tree, so finding their ends is all the
//! parsing there is. Any depth of nesting costs one bit a level.

use std::borrow::Cow;

/// Why a value has no end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The text ends first; what is there may be the beginning of a value.
    Incomplete,
    /// No value goes on like this; the byte where it is wrong.
    Malformed(usize),
}

/// As many levels as a value can have and still be read by whoever wants to know what is in it: one less than
/// `serde_json`'s.
pub(crate) const MAX_LEVELS: usize = 127;

/// Where a value ends, and whether it has more levels than are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) end: usize,
    pub(crate) too_deep: bool,
}

/// The kinds of the containers that are open, innermost in the lowest bit of `inner`: 1 for an object.
#[derive(Default)]
struct Nesting {
    inner: u64,
    depth: usize,
    outer: Vec<u64>,
    too_deep: bool,
}

const ARRAY: u64 = 0;
const OBJECT: u64 = 1;

impl Nesting {
    fn push(&mut self, kind: u64) {
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.outer.push(self.inner);
        }
        self.inner = self.inner << 1 | kind;
        self.depth += 1;
        self.too_deep |= self.depth > MAX_LEVELS;
    }

    fn pop(&mut self) {
        self.depth -= 1;
        self.inner >>= 1;
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.inner = self.outer.pop().unwrap_or_default();
        }
    }

    fn innermost(&self) -> Option<u64> {
        (self.depth > 0).then_some(self.inner & 1)
    }
}

/// The first byte at or after `at` that is no white space.
pub(crate) fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(at) {
        at += 1;
    }
    at
}

/// The end of the value that begins at or after `start`. A number at the very end of the text is taken as complete.
pub(crate) fn value_end(bytes: &[u8], start: usize) -> Result<usize, Fault> {
    extent(bytes, start).map(|extent| extent.end)
}

/// The same, with whether it is nested too deep to be read.
pub(crate) fn extent(bytes: &[u8], start: usize) -> Result<Extent, Fault> {
    let mut open = Nesting::default();
    let mut at = start;
    loop {
        at = skip_space(bytes, at);
        match bytes.get(at) {
            Some(b'"') => at = string_end(bytes, at + 1)?,
            Some(b'{') => {
                open.push(OBJECT);
                at = skip_space(bytes, at + 1);
                if bytes.get(at) != Some(&b'}') {
                    at = name_end(bytes, at)?;
                    continue;
                }
            }
            Some(b'[') => {
                open.push(ARRAY);
                at = skip_space(bytes, at + 1);
                if bytes.get(at) != Some(&b']') {
                    continue;
                }
            }
            Some(_) => at = scalar_end(bytes, at)?,
            None => return Err(Fault::Incomplete),
        }
        // Behind a value, or before the bracket that closes an empty container.
        loop {
            let Some(kind) = open.innermost() else {
                return Ok(Extent {
                    end: at,
                    too_deep: open.too_deep,
                });
            };
            at = skip_space(bytes, at);
            match (bytes.get(at), kind) {
                (Some(b','), OBJECT) => {
                    at = name_end(bytes, skip_space(bytes, at + 1))?;
                    break;
                }
                (Some(b','), _) => {
                    at += 1;
                    break;
                }
                (Some(b'}'), OBJECT) | (Some(b']'), ARRAY) => {
                    open.pop();
                    at += 1;
                }
                (Some(_), _) => return Err(Fault::Malformed(at)),
                (None, _) => return Err(Fault::Incomplete),
            }
        }
    }
}

/// The name of the member that begins at `at`, and where its value begins.
pub(crate) fn name(text: &str, at: usize) -> Result<(Cow<'_, str>, usize), Fault> {
    let bytes = text.as_bytes();
    if bytes.get(at) != Some(&b'"') {
        return Err(wrong(bytes, at));
    }
    let end = string_end(bytes, at + 1)?;
    let name = unescape(text.get(at + 1..end - 1).unwrap_or_default());
    Ok((name, skip_space(bytes, colon_end(bytes, end)?)))
}

fn name_end(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    if bytes.get(at) != Some(&b'"') {
        return Err(wrong(bytes, at));
    }
    colon_end(bytes, string_end(bytes, at + 1)?)
}

fn colon_end(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    let at = skip_space(bytes, at);
    if bytes.get(at) == Some(&b':') {
        Ok(at + 1)
    } else {
        Err(wrong(bytes, at))
    }
}

fn wrong(bytes: &[u8], at: usize) -> Fault {
    if at < bytes.len() {
        Fault::Malformed(at)
    } else {
        Fault::Incomplete
    }
}

/// The end of the string whose opening quote stands before `at`.
fn string_end(bytes: &[u8], mut at: usize) -> Result<usize, Fault> {
    loop {
        while let Some(eight) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
            let special = special_bytes(u64::from_le_bytes(*eight));
            if special != 0 {
                at += special.trailing_zeros() as usize / 8;
                break;
            }
            at += 8;
        }
        match bytes.get(at) {
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') => at = escape_end(bytes, at + 1)?,
            Some(..0x20) => return Err(Fault::Malformed(at)),
            Some(_) => at += 1,
            None => return Err(Fault::Incomplete),
        }
    }
}

/// The high bit of each byte of a word that is a quote, a backslash or a control character. Bits above the lowest
/// one set may be wrong.
fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let below = |word: u64, n: u64| word.wrapping_sub(ONES * n) & !word;
    // With its second bit turned, a quote is 0x20, next to the control characters; the space and '!' are above it.
    let quote_or_control = below(word ^ (ONES * 0x02), 0x21);
    let backslash = below(word ^ (ONES * b'\\' as u64), 1);
    (quote_or_control | backslash) & HIGH
}

/// The end of the escape whose backslash stands before `at`.
fn escape_end(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    match bytes.get(at) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 1),
        Some(b'u') => match (at + 1..at + 5).find(|&i| !bytes.get(i).is_some_and(u8::is_ascii_hexdigit)) {
            None => Ok(at + 5),
            Some(i) => Err(wrong(bytes, i)),
        },
        _ => Err(wrong(bytes, at)),
    }
}

/// The end of the number or word at `at`.
fn scalar_end(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    for word in [&b"null"[..], b"true", b"false"] {
        if bytes.get(at) == word.first() {
            return match (at..).zip(word).find(|&(i, byte)| bytes.get(i) != Some(byte)) {
                None => Ok(at + word.len()),
                Some((i, _)) => Err(wrong(bytes, i)),
            };
        }
    }
    number_end(bytes, at)
}

fn number_end(bytes: &[u8], start: usize) -> Result<usize, Fault> {
    let digits = |from: usize| {
        let end = from + bytes.iter().skip(from).take_while(|b| b.is_ascii_digit()).count();
        if end > from { Ok(end) } else { Err(wrong(bytes, from)) }
    };
    let mut at = start + usize::from(bytes.get(start) == Some(&b'-'));
    at = if bytes.get(at) == Some(&b'0') {
        at + 1
    } else {
        digits(at)?
    };
    if bytes.get(at) == Some(&b'.') {
        at = digits(at + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        at += 1;
        at = digits(at + usize::from(matches!(bytes.get(at), Some(b'+' | b'-'))))?;
    }
    Ok(at)
}

/// What a string's inner text stands for. A surrogate without its other half (a message cut in the middle of a
/// character) becomes U+FFFD.
pub(crate) fn unescape(inner: &str) -> Cow<'_, str> {
    let Some(first) = memchr::memchr(b'\\', inner.as_bytes()) else {
        return Cow::Borrowed(inner);
    };
    let (plain, mut rest) = inner.split_at_checked(first).unwrap_or((inner, ""));
    let mut out = String::with_capacity(inner.len());
    out.push_str(plain);
    while let Some(escape) = rest.strip_prefix('\\') {
        let mut after = escape.chars();
        match after.next() {
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('u') => {
                let (c, behind) = utf16_escape(after.as_str());
                out.push(c);
                after = behind.chars();
            }
            Some(itself) => out.push(itself),
            None => {}
        }
        rest = after.as_str();
        let (plain, next) = rest
            .split_at_checked(rest.find('\\').unwrap_or(rest.len()))
            .unwrap_or((rest, ""));
        out.push_str(plain);
        rest = next;
    }
    Cow::Owned(out)
}

/// The character that `XXXX`, or `XXXX\uXXXX`, stands for, and what comes behind.
fn utf16_escape(text: &str) -> (char, &str) {
    let unit = |text: &str| {
        let (hex, rest) = text.split_at_checked(4)?;
        Some((u16::from_str_radix(hex, 16).ok()?, rest.len()))
    };
    let behind = |left: usize| text.split_at_checked(text.len() - left).map_or("", |(_, rest)| rest);
    let Some((high, left)) = unit(text) else {
        return (char::REPLACEMENT_CHARACTER, text);
    };
    let pair = behind(left).strip_prefix("\\u").and_then(unit);
    if let Some((low, left)) = pair
        && let Some(Ok(c)) = char::decode_utf16([high, low]).next()
        && c.len_utf16() == 2
    {
        return (c, behind(left));
    }
    (
        char::from_u32(u32::from(high)).unwrap_or(char::REPLACEMENT_CHARACTER),
        behind(left),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn whole(text: &str) -> bool {
        value_end(text.as_bytes(), 0).is_ok_and(|end| skip_space(text.as_bytes(), end) == text.len())
    }

    #[test]
    fn what_serde_json_reads_no_more_is_too_deep() {
        for levels in [1, MAX_LEVELS, MAX_LEVELS + 1, 1_000] {
            let text = format!("{}{}", "[".repeat(levels), "]".repeat(levels));

            let read = serde_json::from_str::<serde_json::Value>(&text).is_ok();
            assert_eq!(extent(text.as_bytes(), 0).unwrap().too_deep, !read, "{levels}");
        }
    }

    #[test]
    fn nesting_of_any_depth_has_an_end() {
        let deep = format!("{}1{}", "[{\"a\":".repeat(100_000), "}]".repeat(100_000));

        assert_eq!(value_end(deep.as_bytes(), 0), Ok(deep.len()));
        assert_eq!(value_end(&deep.as_bytes()[..700_000], 0), Err(Fault::Incomplete));
        assert!(!whole(&deep.replace("1}]", "1]}")));
    }

    #[test]
    fn what_is_cut_is_incomplete_and_what_is_wrong_is_malformed() {
        let text = r#"{"a":[true,false,null,-1.5e+3,"x\u00e9\n"],"b":{}}"#;

        for cut in 1..text.len() {
            assert_eq!(value_end(&text.as_bytes()[..cut], 0), Err(Fault::Incomplete), "{cut}");
        }
        assert_eq!(value_end(br#"{"a":tru}"#, 0), Err(Fault::Malformed(8)));
        assert_eq!(value_end(b"\"a\nb\"", 0), Err(Fault::Malformed(2)));
    }

    #[test]
    fn every_byte_ends_a_string_or_does_not_wherever_it_stands() {
        for byte in 0..=u8::MAX {
            for place in 0..8 {
                let mut word = *b"abcdefgh";
                word[place] = byte;
                let special = special_bytes(u64::from_le_bytes(word));
                let expected = byte < 0x20 || matches!(byte, b'"' | b'\\');
                assert_eq!(special != 0, expected, "{byte:#x}");
                assert!(!expected || special.trailing_zeros() as usize / 8 == place, "{byte:#x}");
            }
        }
    }

    #[test]
    fn a_lone_surrogate_is_a_replacement_character() {
        assert_eq!(unescape(r"a\ud83d\ude00b"), "a\u{1f600}b");
        assert_eq!(unescape(r"a\ud83d"), "a\u{fffd}");
        assert_eq!(unescape(r"\ud83d\u0041\ude00"), "\u{fffd}A\u{fffd}");
        assert_eq!(unescape(r#"\"\\\/\b\f\n\r\t\u0000"#), "\"\\/\u{8}\u{c}\n\r\t\0");
    }

    /// Text that is JSON, or nearly.
    fn nearly_json() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"",
            "\"a\"",
            "1",
            "-",
            "0",
            ".5",
            "e9",
            "true",
            "nul",
            "null",
            " ",
            "\n",
            "\\",
            "\\u00",
            "\\n",
            "é",
            "\u{1}",
            "\"k\":",
            "{\"k\":1}",
            "[]",
        ]);
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn what_serde_json_accepts_is_accepted_and_nothing_else(text in nearly_json()) {
            prop_assert_eq!(whole(&text), serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok());
        }

        #[test]
        fn a_string_comes_back_from_its_escapes(text in any::<String>()) {
            let quoted = serde_json::to_string(&text).unwrap();

            prop_assert_eq!(value_end(quoted.as_bytes(), 0), Ok(quoted.len()));
            prop_assert_eq!(unescape(quoted.get(1..quoted.len() - 1).unwrap()), text);
        }
    }
}
