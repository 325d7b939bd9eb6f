//! The subject of a mail: short, ASCII, one line, whatever the finding holds.
//!
//! SNS refuses a whole publish whose subject has 100 characters, a line break or a character beyond ASCII.
//! <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>

use tripmeter_model::Finding;

use crate::headline::{alert, who};
use crate::words;

/// The longest subject, in characters.
pub const MAX_SUBJECT: usize = 99;

/// The finding as a subject that SNS takes: most important first, so that what is cut matters least.
///
/// As in `CRITICAL: Bedrock is being hijacked in build-prod, us-east-1, by user ci-artifacts`.
pub fn subject(finding: &Finding) -> String {
    subject_line(&format!("{}, {}", alert(finding), who(finding)))
}

/// Any text as a subject that SNS takes: one line of 1 to 99 printable ASCII characters that begins with none of
/// the blanks that SNS refuses there.
///
/// ```
/// assert_eq!(tripmeter_findings::subject_line("Übersicht\r\nBcc: all"), "?bersicht Bcc: all");
/// assert_eq!(tripmeter_findings::subject_line(" \n"), "Tripmeter");
/// ```
pub fn subject_line(text: &str) -> String {
    let mut line = words::ascii_line(text);
    if line.len() > MAX_SUBJECT {
        let kept: String = line.chars().take(MAX_SUBJECT - 3).collect();
        line = format!("{}...", kept.trim_end());
    }
    if line.is_empty() { "Tripmeter".to_owned() } else { line }
}
