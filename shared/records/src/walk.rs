//! From one value to the next: through roots that follow each other with or without a line between, through the
//! lists in log files, and past what is broken.

use crate::athena::Table;
use crate::fields::{self, Fields, Object, holds_records};
use crate::json::{self, Fault, skip_space};
use crate::output::Output;
use crate::resync::{self, Balance};
use crate::skip::{self, SkipReason};
use crate::wrapping::{self, Context};

/// Lists within lists, and objects around them, that are walked through.
const MAX_OPEN: usize = 8;

/// How often, on average, a byte may be looked at once more on the way out of broken JSON. Text could otherwise be
/// made that costs the square of its length.
const REWORK: usize = 16;

/// Whether the text goes on behind what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    /// More may come.
    MayCome,
    /// This is all.
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    List,
    Object,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    /// Before a value or a member, or behind one.
    Between,
    /// In words that are no JSON.
    Words,
    /// In a value that is too large to be kept.
    Passing(Balance),
    /// In text of which nothing is understood.
    Lost,
}

/// What one step found out.
enum Step {
    /// Reading goes on here.
    To(usize),
    /// More text is needed to say.
    Wait,
}

/// Walks over a text that may come in pieces.
pub(crate) struct Walker<'c> {
    context: Context<'c>,
    open: Vec<Open>,
    place: Place,
    /// Bytes of text that were handled before the piece at hand.
    handled: usize,
    reworked: usize,
    damaged: bool,
    /// Words were skipped, and nothing was read since.
    after_words: bool,
    /// The name that the last record's first member had, with its quotes.
    first_member: String,
    table: Option<Table>,
}

impl<'c> Walker<'c> {
    pub(crate) fn new(context: Context<'c>) -> Self {
        Self {
            context,
            open: Vec::new(),
            place: Place::Between,
            handled: 0,
            reworked: 0,
            damaged: false,
            after_words: false,
            first_member: resync::FIRST_MEMBER.to_owned(),
            table: None,
        }
    }

    /// Reads a text that is all there.
    pub(crate) fn whole(&mut self, text: &str, out: &mut Output<'_>) {
        let handled = self.advance(text, Rest::None, out);
        self.finish(text.get(handled..).unwrap_or_default(), None, out);
    }

    /// Reads what is complete in `text`, and says how many of its bytes are done with.
    pub(crate) fn advance(&mut self, text: &str, rest: Rest, out: &mut Output<'_>) -> usize {
        let mut at = 0;
        while at < text.len() {
            let step = match self.place {
                Place::Between => self.between(text, at, rest, out),
                Place::Words => self.end_words(text, at),
                Place::Passing(balance) => self.pass(text, at, balance),
                Place::Lost => self.search(text, at, rest),
            };
            match step {
                Step::To(next) => at = next,
                Step::Wait => break,
            }
        }
        self.handled += at;
        at
    }

    /// Says what remains: `text`, which [`advance`](Self::advance) could not complete, and `cause`, why the input
    /// ended, when it did not end well.
    pub(crate) fn finish(&mut self, text: &str, cause: Option<SkipReason>, out: &mut Output<'_>) {
        let blank = text.trim().is_empty();
        let cut = !blank || (!self.open.is_empty() && !self.damaged);
        if let Some(reason) = cause.or(cut.then_some(SkipReason::Truncated)) {
            self.skip(0, reason, out);
        }
    }

    fn skip(&mut self, at: usize, reason: SkipReason, out: &mut Output<'_>) {
        self.damaged |= reason.is_damage();
        out.skip(self.position(at), reason);
    }

    fn position(&self, at: usize) -> u64 {
        self.context.position((self.handled + at) as u64)
    }

    fn between(&mut self, text: &str, at: usize, rest: Rest, out: &mut Output<'_>) -> Step {
        let bytes = text.as_bytes();
        let in_object = self.open.last() == Some(&Open::Object);
        let step = match bytes.get(at) {
            Some(b' ' | b'\n' | b'\r' | b'\t') => return Step::To(skip_space(bytes, at)),
            Some(b',') => return Step::To(at + 1),
            Some(b']' | b'}') => return Step::To(self.close(text, at, out)),
            Some(b'"') if in_object => self.member(text, at, rest),
            Some(b'{') => self.object(text, at, out),
            Some(b'[') if self.open.len() < MAX_OPEN => {
                self.open.push(Open::List);
                Ok(at + 1)
            }
            Some(b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => self.other(text, at, rest, out),
            _ => Err(Fault::Malformed(at)),
        };
        match step {
            Ok(next) => {
                self.after_words = false;
                Step::To(next)
            }
            Err(fault) => self.out_of(fault, text, at, rest, out),
        }
    }

    /// Closes what is open; a bracket that closes nothing is broken, unless what was broken before explains it.
    fn close(&mut self, text: &str, at: usize, out: &mut Output<'_>) -> usize {
        let closes = match text.as_bytes().get(at) {
            Some(b']') => Open::List,
            _ => Open::Object,
        };
        if self.open.last() == Some(&closes) {
            self.open.pop();
        } else if !self.damaged {
            self.skip(at, SkipReason::Malformed, out);
        }
        at + 1
    }

    /// A member of a container: the list of records, or something beside it.
    fn member(&mut self, text: &str, at: usize, rest: Rest) -> Result<usize, Fault> {
        let (name, value) = json::name(text, at)?;
        match self.enter(&name, text, value) {
            Some(inside) => Ok(inside),
            None => settled_end(text, value, rest),
        }
    }

    /// Opens the container that a member's value is, if it is one.
    fn enter(&mut self, name: &str, text: &str, value: usize) -> Option<usize> {
        let kind = match text.as_bytes().get(value) {
            Some(b'[') if holds_records(name) => Open::List,
            Some(b'{') if name == fields::RESULT_SET => Open::Object,
            _ => return None,
        };
        if self.open.len() >= MAX_OPEN {
            return None;
        }
        self.table = (name == fields::ROWS).then(Table::default);
        self.open.push(kind);
        Some(value + 1)
    }

    fn object(&mut self, text: &str, at: usize, out: &mut Output<'_>) -> Result<usize, Fault> {
        let mut fields = Fields::default();
        match fields::read(text, at, &mut fields)? {
            Object::Container { name, value } => {
                if self.open.len() + 1 >= MAX_OPEN {
                    let end = json::value_end(text.as_bytes(), at)?;
                    self.skip(at, SkipReason::TooDeep, out);
                    return Ok(end);
                }
                self.open.push(Open::Object);
                Ok(self.enter(&name, text, value).unwrap_or(value))
            }
            Object::Whole { end } if end - at > out.limits.record_bytes => {
                self.skip(at, SkipReason::TooLarge, out);
                Ok(end)
            }
            Object::Whole { end } => {
                let position = self.position(at);
                match (&mut self.table, fields.data) {
                    (Some(table), Some(row)) => table.row(row, &self.context, position, out),
                    _ => wrapping::object(&fields, &self.context, position, out),
                }
                self.note_first_member(text.get(at..end).unwrap_or_default());
                Ok(end)
            }
        }
    }

    /// Notes what records begin with here, for finding the next one behind one that is broken.
    fn note_first_member(&mut self, object: &str) {
        let members = object.trim_start_matches(['{', ' ', '\n', '\r', '\t']);
        if !members.starts_with(&self.first_member)
            && let Some((name, _)) = members.strip_prefix('"').and_then(|rest| rest.split_once('"'))
        {
            self.first_member = format!("\"{name}\"");
        }
    }

    /// A value that is no object, nor a list that is walked through; a string may hold one.
    fn other(&mut self, text: &str, at: usize, rest: Rest, out: &mut Output<'_>) -> Result<usize, Fault> {
        let end = settled_end(text, at, rest)?;
        let json = text.get(at..end).unwrap_or_default();
        let ends = |b: &u8| {
            matches!(
                b,
                b' ' | b'\n' | b'\r' | b'\t' | b',' | b']' | b'}' | b'{' | b'[' | b'"'
            )
        };
        if !json.starts_with(['"', '[']) && !text.as_bytes().get(end).is_none_or(ends) {
            // The beginning of a date or a word.
            return Err(Fault::Malformed(at));
        }
        if json.len() > out.limits.record_bytes {
            self.skip(at, SkipReason::TooLarge, out);
        } else if json.starts_with('"') {
            let position = self.position(at);
            wrapping::string(json, &self.context.within(position), position, out);
        } else if json.starts_with('[') {
            self.skip(at, SkipReason::TooDeep, out);
        } else {
            self.skip(at, SkipReason::NotAnObject, out);
        }
        Ok(end)
    }

    /// Where to go on after a value that could not be read.
    fn out_of(&mut self, fault: Fault, text: &str, at: usize, rest: Rest, out: &mut Output<'_>) -> Step {
        let too_large = |end: usize| end - at > out.limits.record_bytes;
        match fault {
            Fault::Incomplete if too_large(text.len()) => self.pass_over(at, out),
            Fault::Incomplete => Step::Wait,
            Fault::Malformed(wrong) if too_large(wrong) => self.pass_over(at, out),
            Fault::Malformed(wrong) if wrong == at => self.words(text, at, rest, out),
            Fault::Malformed(wrong) => self.past(text, at, wrong, rest, out),
        }
    }

    /// Past the value at `at` that is broken at `wrong`.
    fn past(&mut self, text: &str, at: usize, wrong: usize, rest: Rest, out: &mut Output<'_>) -> Step {
        // A record without an end reaches into the next ones: what was read already is looked at again.
        let from = if self.may_rework(wrong - at, text) {
            at + 1
        } else {
            wrong
        };
        let next = resync::next_value(text, at, from, &self.first_member, rest);
        // What comes behind is part of the answer.
        let settled = next.is_some_and(|next| resync::skip_separators(text, next) < text.len());
        if !settled && rest == Rest::MayCome && text.len() - at <= out.limits.record_bytes {
            return Step::Wait;
        }
        self.skip(at, SkipReason::Malformed, out);
        if let Some(next) = next {
            return Step::To(next);
        }
        if self.may_rework(text.len() - at, text)
            && let Some(next) = resync::any_record(text, from)
        {
            return Step::To(next);
        }
        self.place = Place::Lost;
        Step::To(from)
    }

    /// Whether so much may be looked at once more.
    fn may_rework(&mut self, bytes: usize, text: &str) -> bool {
        let budget = self.handled.saturating_add(text.len()).saturating_mul(REWORK);
        let spent = self.reworked.saturating_add(bytes);
        if spent <= budget {
            self.reworked = spent;
        }
        spent <= budget
    }

    /// Text that begins no value: one skip, however long it goes on.
    fn words(&mut self, text: &str, at: usize, rest: Rest, out: &mut Output<'_>) -> Step {
        const LONGEST_NOTICE: usize = 64;
        let words = text.get(at..).unwrap_or_default();
        if let Some(marked) = words.strip_prefix('\u{feff}') {
            return Step::To(text.len() - marked.len());
        }
        if words.len() < LONGEST_NOTICE && rest == Rest::MayCome {
            return Step::Wait;
        }
        if !self.after_words {
            let binary = words.starts_with(|c: char| c.is_control() || c == char::REPLACEMENT_CHARACTER);
            let beginning = (self.handled == 0 && at == 0).then_some(words);
            let reason = match wrapping::notice(words) {
                Some(notice) => notice,
                None if let Some(format) = beginning.and_then(|words| skip::other_format(words, LONGEST_NOTICE)) => {
                    SkipReason::OtherFormat(format)
                }
                None if binary => SkipReason::UnknownEncoding,
                None => SkipReason::Malformed,
            };
            self.skip(at, reason, out);
        }
        self.after_words = true;
        self.place = Place::Words;
        Step::To(at + words.chars().next().map_or(1, char::len_utf8))
    }

    /// Words go on to the next bracket.
    fn end_words(&mut self, text: &str, at: usize) -> Step {
        let brackets = |b: &u8| matches!(b, b'{' | b'[' | b'}' | b']');
        let bracket = text.as_bytes().iter().skip(at).position(brackets);
        if bracket.is_some() {
            self.place = Place::Between;
        }
        Step::To(bracket.map_or(text.len(), |length| at + length))
    }

    fn pass_over(&mut self, at: usize, out: &mut Output<'_>) -> Step {
        self.skip(at, SkipReason::TooLarge, out);
        self.place = Place::Passing(Balance::default());
        Step::To(at)
    }

    fn pass(&mut self, text: &str, at: usize, mut balance: Balance) -> Step {
        let end = balance.end(text.as_bytes().get(at..).unwrap_or_default());
        self.place = end.map_or(Place::Passing(balance), |_| Place::Between);
        Step::To(end.map_or(text.len(), |length| at + length))
    }

    /// Looks for something that is understood again, and keeps enough of the text for what may begin at its end.
    fn search(&mut self, text: &str, at: usize, rest: Rest) -> Step {
        const BEGINNING: usize = 64;
        if let Some(found) = resync::next_start(text, at, &self.first_member) {
            self.place = Place::Between;
            return Step::To(found);
        }
        match rest {
            Rest::None => Step::To(text.len()),
            Rest::MayCome => match text.floor_char_boundary(text.len().saturating_sub(BEGINNING)) {
                kept if kept > at => Step::To(kept),
                _ => Step::Wait,
            },
        }
    }
}

/// The end of a value. A number at the end of the text may go on.
fn settled_end(text: &str, at: usize, rest: Rest) -> Result<usize, Fault> {
    let end = json::value_end(text.as_bytes(), at)?;
    if end == text.len() && rest == Rest::MayCome {
        return Err(Fault::Incomplete);
    }
    Ok(end)
}
