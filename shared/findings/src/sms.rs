//! A finding as one text message.
//!
//! A message in the alphabet of GSM 03.38 has 160 septets; one character more, or one outside of the alphabet, and
//! it is sent, and paid, in parts. <https://docs.aws.amazon.com/sns/latest/dg/sms_publish-to-phone.html>

use tripmeter_model::Finding;

use crate::cost::cost;
use crate::headline::{alert, who};
use crate::words;

/// The most septets: those of one segment less the beginning that SNS puts before a topic's message, ten characters
/// of the topic's display name, `>` and a blank.
pub const MAX_SEPTETS: usize = 160 - 12;

/// ASCII characters that take two septets: an escape, and the character of the extension table.
const EXTENDED: &[char] = &['^', '{', '}', '\\', '[', ']', '~', '|'];

/// The finding as one segment: how bad, what, where, what it costs an hour, who.
///
/// As in `CRITICAL: Bedrock is being hijacked in build-prod, us-east-1, $117 an hour, by user ci-artifacts`. A phone
/// makes a link of whatever looks like a domain: names out of records are written so that none does.
pub fn sms(finding: &Finding) -> String {
    let pace = cost(finding).map_or_else(String::new, |cost| format!(", {} an hour", cost.per_hour));
    fitted(&format!(
        "{}{pace}, {}",
        unlinked(&alert(finding)),
        unlinked(&who(finding))
    ))
}

/// Any text as one segment.
pub fn sms_line(text: &str) -> String {
    fitted(&unlinked(text))
}

fn unlinked(text: &str) -> String {
    text.replace('.', "[.]")
}

/// As much of the text as one segment holds, of characters that the alphabet has.
fn fitted(text: &str) -> String {
    let mut septets = 0;
    let mut line = String::new();
    for c in words::ascii_line(text).chars() {
        // The only printable ASCII character that the alphabet lacks.
        let c = if c == '`' { '\'' } else { c };
        septets += if EXTENDED.contains(&c) { 2 } else { 1 };
        if septets > MAX_SEPTETS {
            break;
        }
        line.push(c);
    }
    line.truncate(line.trim_end().len());
    line
}
