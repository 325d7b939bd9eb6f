//! Text out of records is attacker-controlled: it is cut and stripped before anything keeps it.

/// The longest text that an activity or a finding keeps of a record, in bytes.
pub const MAX_TEXT: usize = 512;

/// Whether a character may be kept: no control characters, no line or paragraph separators, no marks that
/// reorder or hide what a terminal shows.
pub fn printable(c: char) -> bool {
    !(c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'))
}

/// The text with what is not [`printable`] replaced by `?`, and cut to at most `max` bytes.
///
/// ```
/// assert_eq!(tripmeter_model::bounded("a\u{1b}[31mb\nc", 6), "a?[31m");
/// ```
pub fn bounded(text: &str, max: usize) -> String {
    // Nearly all text is plain and short.
    if text.len() <= max && text.bytes().all(|b| matches!(b, b' '..=b'~')) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len().min(max));
    for c in text.chars() {
        let c = if printable(c) { c } else { '?' };
        if out.len() + c.len_utf8() > max {
            break;
        }
        out.push(c);
    }
    out
}
