//! What is wrong with a policy file, and where.

use std::fmt;

/// More than this many problems say no more than this many do: the file is of another kind.
const MAX_PROBLEMS: usize = 100;

/// One thing that is wrong, or looks wrong, at one place of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong, and what to do.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

/// A file that is no policy: everything that is wrong with it, one problem on a line, in the file's order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", lines(.problems))]
pub struct PolicyError {
    problems: Vec<Problem>,
}

impl PolicyError {
    /// Every problem, in the file's order; at least one.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}

/// Gathers problems while a text is read.
pub(crate) struct Problems<'t> {
    text: &'t str,
    /// The byte offset at which each line begins.
    lines: Vec<usize>,
    errors: Vec<(usize, String)>,
    warnings: Vec<(usize, String)>,
}

impl<'t> Problems<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            text,
            lines: std::iter::once(0).chain(breaks).collect(),
            errors: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// The file cannot be used: at byte `offset`, this is wrong.
    pub(crate) fn error(&mut self, offset: usize, message: impl Into<String>) {
        self.errors.push((offset, message.into()));
    }

    /// The file can be used, but somebody should look at this.
    pub(crate) fn warning(&mut self, offset: usize, message: impl Into<String>) {
        self.warnings.push((offset, message.into()));
    }

    pub(crate) fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }

    /// The line of a byte offset, from 1.
    pub(crate) fn line(&self, offset: usize) -> usize {
        self.lines.partition_point(|begin| *begin <= offset)
    }

    /// The byte offset at which a line begins.
    pub(crate) fn offset(&self, line: usize) -> usize {
        self.lines.get(line - 1).copied().unwrap_or_default()
    }

    /// The warnings, or else every error.
    pub(crate) fn finish(self) -> Result<Vec<Problem>, PolicyError> {
        if self.has_errors() {
            Err(PolicyError {
                problems: self.placed(&self.errors),
            })
        } else {
            Ok(self.placed(&self.warnings))
        }
    }

    fn placed(&self, found: &[(usize, String)]) -> Vec<Problem> {
        let mut found: Vec<_> = found.iter().collect();
        found.sort_by_key(|(offset, _)| *offset);
        let left_out = found.len().saturating_sub(MAX_PROBLEMS);
        let mut problems: Vec<Problem> = found
            .into_iter()
            .take(MAX_PROBLEMS)
            .map(|(offset, message)| {
                let (line, column) = self.locate(*offset);
                Problem {
                    line,
                    column,
                    message: message.clone(),
                }
            })
            .collect();
        if let Some(last) = problems.last_mut().filter(|_| left_out > 0) {
            last.message = format!("{} (and {left_out} more problems)", last.message);
        }
        problems
    }

    /// Line and column in characters, both from 1.
    fn locate(&self, offset: usize) -> (usize, usize) {
        let line = self.line(offset);
        let before = self.text.get(self.offset(line)..offset).unwrap_or_default();
        (line, before.chars().count() + 1)
    }
}

/// The candidate that somebody who wrote `word` most likely meant, if any is near.
pub(crate) fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let word = word.to_lowercase();
    let allowed = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (distance(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `; did you mean 'x'?`, or else `; known are a, b, c`.
pub(crate) fn suggestion(word: &str, candidates: &[&str]) -> String {
    match nearest(word, candidates.iter().copied()) {
        Some(candidate) => format!("; did you mean '{candidate}'?"),
        None => format!("; known are {}", candidates.join(", ")),
    }
}

/// Levenshtein's distance; words are cut to what a key could be.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(64).enumerate() {
        let mut next = vec![i + 1];
        for (y, pair) in b.iter().zip(row.windows(2)) {
            let [diagonal, above] = pair else { continue };
            let left = next.last().copied().unwrap_or_default();
            next.push((diagonal + usize::from(x != *y)).min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_finds_the_word_that_was_meant() {
        let known = ["expires", "reason", "owner"];
        assert_eq!(nearest("expire", known), Some("expires"));
        assert_eq!(nearest("Raeson", known), Some("reason"));
        assert_eq!(nearest("colour", known), None);
    }

    #[test]
    fn a_place_is_counted_in_lines_and_characters() {
        let mut problems = Problems::new("a = 1\r\nä = 2\n");
        problems.error("a = 1\r\nä ".len(), "here");
        let error = problems.finish().unwrap_err();
        assert_eq!(error.to_string(), "line 2, column 3: here");
    }

    #[test]
    fn a_flood_of_problems_is_cut_and_counted() {
        let mut problems = Problems::new("");
        for _ in 0..MAX_PROBLEMS + 7 {
            problems.error(0, "bad");
        }
        let error = problems.finish().unwrap_err();
        assert_eq!(error.problems().len(), MAX_PROBLEMS);
        assert!(error.to_string().ends_with("bad (and 7 more problems)"));
    }
}
