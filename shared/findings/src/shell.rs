//! Commands that a person pastes into a shell: every word is quoted, and what comes out of a record is used only
//! where it is made of characters that names in AWS have.

use std::fmt;

/// A command: the program and its arguments, each one word.
///
/// Displayed, it is one line for a POSIX shell.
///
/// ```
/// use tripmeter_findings::Command;
/// let command = Command::new(["aws", "sns", "set-sms-attributes", "--attributes", "MonthlySpendLimit=1"]);
/// assert_eq!(command.to_string(), "aws sns set-sms-attributes --attributes 'MonthlySpendLimit=1'");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    words: Vec<String>,
}

impl Command {
    /// From its words, unquoted.
    pub fn new<W: Into<String>>(words: impl IntoIterator<Item = W>) -> Self {
        Self {
            words: words.into_iter().map(Into::into).collect(),
        }
    }

    /// Its words, unquoted.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// The same command over several lines of about `columns`, broken before an option the way a shell allows.
    pub fn lines(&self, columns: usize) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        let mut line = String::new();
        for part in self.words.chunk_by(|_, next| !next.starts_with("--")) {
            let part: Vec<String> = part.iter().map(|word| quoted(word)).collect();
            let part = part.join(" ");
            if !line.is_empty() && line.chars().count() + part.chars().count() + 3 > columns {
                lines.push(std::mem::replace(&mut line, "  ".to_owned()) + " \\");
            } else if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&part);
        }
        lines.push(line);
        lines
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = self.words.iter().map(|word| quoted(word)).collect();
        f.write_str(&words.join(" "))
    }
}

/// One word for a POSIX shell: as it is when no character means anything to a shell, else in single quotes, inside
/// which nothing does. A single quote itself is written outside of them.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/' | b':');
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The value, if it may stand in a command: made of what names, ids and ARNs in AWS are made of, no option
/// (`-x`), and nothing that the AWS CLI would fetch (`file://`, `https://`).
pub(crate) fn argument(value: &str) -> Option<&str> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@_/:-".contains(&b);
    let fit = !value.is_empty()
        && value.len() <= 256
        && value.bytes().all(allowed)
        && !value.starts_with('-')
        && !value.contains("://");
    fit.then_some(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The words of a line by the rules of POSIX: quotes, backslashes, blanks; a backslash before a newline is
    /// nothing at all. Panics on anything that a shell would act upon.
    fn lexed(line: &str) -> Vec<String> {
        let mut words = Vec::new();
        let mut word: Option<String> = None;
        let mut chars = line.chars();
        while let Some(c) = chars.next() {
            match c {
                '\'' => {
                    let word = word.get_or_insert_default();
                    loop {
                        match chars.next().expect("the quote is closed") {
                            '\'' => break,
                            inner => word.push(inner),
                        }
                    }
                }
                '\\' => match chars.next().expect("something follows a backslash") {
                    '\n' => {}
                    escaped => word.get_or_insert_default().push(escaped),
                },
                ' ' => words.extend(word.take()),
                '\n' | '"' | '$' | '`' | ';' | '&' | '|' | '<' | '>' | '(' | ')' | '*' | '?' | '[' | '#' | '~'
                | '!' | '{' | '}' | '=' | '%' => panic!("{c:?} is bare in {line:?}"),
                c => word.get_or_insert_default().push(c),
            }
        }
        words.extend(word);
        words
    }

    proptest! {
        #[test]
        fn a_shell_reads_back_the_words_that_were_meant(words in prop::collection::vec(".{0,24}", 1..6)) {
            let command = Command::new(words.clone());
            prop_assert_eq!(lexed(&command.to_string()), words.clone());
            prop_assert_eq!(lexed(&command.lines(30).join("\n")), words);
        }

        #[test]
        fn what_a_record_says_becomes_an_argument_only_when_it_is_harmless(value in ".{0,40}|(file|https?)://.*|-.*") {
            if let Some(argument) = argument(&value) {
                prop_assert!(!argument.starts_with('-') && !argument.contains("://"));
                let acts = |b: u8| !b.is_ascii_graphic() || b"'\"\\$`;&|<>()*?[]{}#~!%^".contains(&b);
                prop_assert!(!argument.bytes().any(acts));
            }
        }
    }

    #[test]
    fn names_of_aws_are_arguments_and_tricks_are_not() {
        for good in [
            "ci-artifacts",
            "arn:aws:iam::111122223333:role/path/app",
            "dana+ops=x,y.z@example.com",
            "AKIAEXAMPLE",
        ] {
            assert_eq!(argument(good), Some(good));
        }
        for bad in [
            "",
            "-rf",
            "--profile",
            "file:///etc/passwd",
            "https://evil.example",
            "a b",
            "$(id)",
            "x'y",
            "é",
            "a\nb",
        ] {
            assert_eq!(argument(bad), None, "{bad:?}");
        }
    }
}
