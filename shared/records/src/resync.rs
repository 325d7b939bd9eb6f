//! Where to read on after broken JSON, so that a broken record loses only itself.

use memchr::memmem;

use crate::walk::Rest;

/// Counts brackets outside of strings, over as many pieces of text as it takes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Balance {
    depth: u64,
    in_string: bool,
    escaped: bool,
}

impl Balance {
    /// Goes on over `bytes`; where the value that it began with is closed. A string ends at its line's end at the
    /// latest: JSON has no line breaks in strings.
    pub(crate) fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        for (at, byte) in bytes.iter().enumerate() {
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' | b'\n' => self.in_string = false,
                    _ => continue,
                }
                if self.in_string {
                    continue;
                }
            } else {
                match byte {
                    b'"' => self.in_string = true,
                    b'{' | b'[' => self.depth += 1,
                    b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                    _ => {}
                }
            }
            if self.depth == 0 && !self.in_string && matches!(byte, b'"' | b'}' | b']') {
                return Some(at + 1);
            }
        }
        None
    }
}

/// How far [`next_value`] looks first. It looks further only when nothing is near, so that text full of broken
/// values costs no more than its length.
const NEAR: usize = 4096;

/// The member that every record which CloudTrail writes begins with.
pub(crate) const FIRST_MEMBER: &str = "\"eventVersion\"";

/// Where reading may go on behind the broken value at `start`, looking for the next one from `from` on: at the
/// nearest of the bracket that closes it, when something follows that may stand there, a line that begins with a
/// brace, and a brace before `first`, the member that records begin with here.
pub(crate) fn next_value(text: &str, start: usize, from: usize, first: &str, rest: Rest) -> Option<usize> {
    let mut horizon = NEAR;
    loop {
        let near = text
            .get(..text.floor_char_boundary(from.saturating_add(horizon)))
            .unwrap_or(text);
        let next = next_start(near, from, first);
        let own = text
            .as_bytes()
            .get(start..next.unwrap_or(near.len()))
            .unwrap_or_default();
        let closed = Balance::default().end(own).map(|length| start + length);
        let found = closed.filter(|&end| end >= from && may_end(text, end)).or(next);
        if found.is_some() {
            return found;
        }
        if near.len() == text.len() {
            // A doubtful end is better than none, when nothing better can come.
            return closed.filter(|&end| end >= from && rest == Rest::None);
        }
        horizon = horizon.saturating_mul(8);
    }
}

/// Whether a record may end here: behind it comes another or what closes its list, not one of its own members.
fn may_end(text: &str, end: usize) -> bool {
    matches!(
        text.as_bytes().get(skip_separators(text, end)),
        None | Some(b'{' | b'[' | b']' | b'}')
    )
}

/// Past the white space and commas at `at`.
pub(crate) fn skip_separators(text: &str, at: usize) -> usize {
    let separators = |b: &&u8| matches!(b, b' ' | b'\n' | b'\r' | b'\t' | b',');
    at + text.as_bytes().iter().skip(at).take_while(separators).count()
}

/// The next line that begins with a brace, or brace before `first`.
pub(crate) fn next_start(text: &str, from: usize, first: &str) -> Option<usize> {
    let line = text
        .as_bytes()
        .get(from..)
        .and_then(|bytes| memmem::find(bytes, b"\n{"))
        .map(|at| from + at + 1);
    let before = text.get(..line.unwrap_or(text.len())).unwrap_or(text);
    member_start(before, from, first).or(line)
}

/// Where reading may go on when [`next_value`] found nothing: at a brace before a member that some record may begin
/// with.
pub(crate) fn any_record(text: &str, from: usize) -> Option<usize> {
    let members = ["\"event", "\"awsRegion\""];
    members
        .iter()
        .filter_map(|member| member_start(text, from, member))
        .min()
}

/// The brace behind `from` that stands before such a member and is no member's value itself.
fn member_start(text: &str, from: usize, member: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let last_solid = |end: usize| bytes.get(..end)?.iter().rposition(|b| !b.is_ascii_whitespace());
    memmem::find_iter(bytes.get(from..)?, member.as_bytes()).find_map(|found| {
        let brace = last_solid(from + found)?;
        let before = last_solid(brace).and_then(|at| bytes.get(at));
        (brace >= from && bytes.get(brace) == Some(&b'{') && before != Some(&b':')).then_some(brace)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read next when the value at the beginning of `text` is broken.
    fn behind(text: &str) -> Option<&str> {
        next_value(text, 0, 1, FIRST_MEMBER, Rest::None).and_then(|at| text.get(at..))
    }

    #[test]
    fn a_broken_record_ends_where_its_brackets_close() {
        assert_eq!(behind(r#"{"a":tru,"b":"}\"}"},{"c":1}"#), Some(r#",{"c":1}"#));
        assert_eq!(behind(r#"{"a" 1,"detail":{"eventVersion":"1"}} {}"#), Some(" {}"));
    }

    #[test]
    fn a_record_without_an_end_ends_where_the_next_begins() {
        assert_eq!(behind("{\"a\":\"x\n{\"b\":1}"), Some("{\"b\":1}"));
        assert_eq!(
            behind(r#"{"a":"x{"eventVersion":"1"}"#),
            Some(r#"{"eventVersion":"1"}"#)
        );
        assert_eq!(
            behind(r#"{"a":[{, { "eventVersion":"1"}"#),
            Some(r#"{ "eventVersion":"1"}"#)
        );
        assert_eq!(behind(r#"{"a":[{, {"b":1}"#), None);
    }

    #[test]
    fn brackets_are_counted_across_pieces() {
        let mut balance = Balance::default();

        assert_eq!(balance.end(br#"{"a}\"#), None);
        assert_eq!(balance.end(br#""}":["#), None);
        assert_eq!(balance.end(b"]} rest"), Some(2));
    }
}
