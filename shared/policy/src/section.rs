//! One table of the file, read key by key; what is wrong is noted and reading goes on.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use tripmeter_model::{DAY, Timestamp, bounded, printable};

use crate::problem::{Problems, suggestion};

/// The longest text that a rule may hold, in bytes: it goes into findings.
const MAX_TEXT: usize = 256;

/// Whether a date without a time means its first second or the end of it.
#[derive(Clone, Copy)]
pub(crate) enum Edge {
    /// 00:00:00 UTC.
    Begin,
    /// 24:00:00 UTC: the whole day is in.
    End,
}

/// A table, and where problems with it go.
pub(crate) struct Section<'a, 'p, 't> {
    /// Where it begins, in bytes.
    pub(crate) at: usize,
    table: &'a DeTable<'a>,
    pub(crate) problems: &'p mut Problems<'t>,
}

impl<'a, 'p, 't> Section<'a, 'p, 't> {
    /// Opens the table that a person writes as `name` (`[[mute]]`): keys that are not known and required ones that are
    /// not there are problems.
    pub(crate) fn open(
        name: &str,
        at: usize,
        table: &'a DeTable<'a>,
        required: &[&'static str],
        optional: &[&'static str],
        problems: &'p mut Problems<'t>,
    ) -> Self {
        let known: Vec<&str> = required.iter().chain(optional).copied().collect();
        for key in table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())) {
            let shown = bounded(key.get_ref(), 60);
            problems.error(
                key.span().start,
                format!("{name} has no key '{shown}'{}", suggestion(&shown, &known)),
            );
        }
        let missing: Vec<String> = required
            .iter()
            .filter(|key| !table.contains_key(**key))
            .map(|key| format!("'{key}' ({})", meaning(key)))
            .collect();
        if !missing.is_empty() {
            problems.error(at, format!("{name} lacks {}", missing.join(", ")));
        }
        Self { at, table, problems }
    }

    pub(crate) fn value(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.table.get(key)
    }

    /// Where a key's value stands, or else the section.
    pub(crate) fn offset(&self, key: &str) -> usize {
        self.value(key).map_or(self.at, |value| value.span().start)
    }

    /// A text; empty when it is absent or wrong.
    pub(crate) fn text(&mut self, key: &str) -> String {
        let Some(value) = self.value(key) else {
            return String::new();
        };
        text(value, key, self.problems).unwrap_or_default()
    }

    /// A list of texts, each read by `read`; empty when it is absent. A list that is there must hold something.
    pub(crate) fn list<T>(&mut self, key: &str, read: impl FnMut(&str) -> Result<T, String>) -> Vec<T> {
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let items = list(value, key, read, self.problems);
        if value.get_ref().as_array().is_some_and(|array| array.is_empty()) {
            self.problems.error(
                value.span().start,
                format!("'{key}' is empty and would cover nothing; fill it or leave it out"),
            );
        }
        items
    }

    /// A number of units.
    pub(crate) fn units(&mut self, key: &str) -> Option<u64> {
        let value = self.value(key)?;
        let number = value
            .get_ref()
            .as_integer()
            .and_then(|n| u64::from_str_radix(n.as_str(), n.radix()).ok());
        if number.is_none() {
            self.error(key, format!("'{key}' must be a whole number of units, as in 40_000"));
        }
        number
    }

    /// A date or a time.
    pub(crate) fn moment(&mut self, key: &str, edge: Edge) -> Option<Timestamp> {
        let written = match self.value(key)?.get_ref() {
            DeValue::Datetime(datetime) => datetime.to_string(),
            DeValue::String(text) => text.to_string(),
            _ => String::new(),
        };
        let moment = moment(&written, edge);
        if moment.is_none() {
            self.error(
                key,
                format!("'{key}' must be a date or a time with its offset, as in 2026-12-31 or 2026-12-31T18:00:00Z"),
            );
        }
        moment
    }

    /// A problem with a key's value.
    pub(crate) fn error(&mut self, key: &str, message: impl Into<String>) {
        self.problems.error(self.offset(key), message);
    }

    /// Something to look at in a key's value.
    pub(crate) fn warning(&mut self, key: &str, message: impl Into<String>) {
        self.problems.warning(self.offset(key), message);
    }
}

/// A text that says something, in characters that can be shown.
pub(crate) fn text(value: &Spanned<DeValue<'_>>, key: &str, problems: &mut Problems<'_>) -> Option<String> {
    let message = match value.get_ref() {
        DeValue::String(text) if text.trim().is_empty() => format!("'{key}' says nothing"),
        DeValue::String(text) if text.len() > MAX_TEXT => format!("'{key}' is longer than {MAX_TEXT} bytes"),
        DeValue::String(text) if !text.chars().all(printable) => {
            format!("'{key}' holds characters that cannot be shown")
        }
        DeValue::String(text) => return Some(text.trim().to_owned()),
        other => format!("'{key}' must be a text in quotes, not {}", a_value(other)),
    };
    problems.error(value.span().start, message);
    None
}

/// The items of a list that are right; each that is not is a problem.
pub(crate) fn list<T>(
    value: &Spanned<DeValue<'_>>,
    key: &str,
    mut read: impl FnMut(&str) -> Result<T, String>,
    problems: &mut Problems<'_>,
) -> Vec<T> {
    let Some(array) = value.get_ref().as_array() else {
        let hint = match value.get_ref() {
            DeValue::String(text) => format!(", as in [\"{}\"]", bounded(text, 40)),
            other => format!(", not {}", a_value(other)),
        };
        problems.error(value.span().start, format!("'{key}' must be a list{hint}"));
        return Vec::new();
    };
    let mut items = Vec::with_capacity(array.len());
    for item in array {
        let Some(text) = text(item, key, problems) else {
            continue;
        };
        match read(&text) {
            Ok(item) => items.push(item),
            Err(message) => problems.error(item.span().start, message),
        }
    }
    items
}

/// A table, or a problem that says how to write one.
pub(crate) fn table<'a>(
    name: &str,
    value: &'a Spanned<DeValue<'a>>,
    problems: &mut Problems<'_>,
) -> Option<&'a DeTable<'a>> {
    let table = value.get_ref().as_table();
    if table.is_none() {
        problems.error(
            value.span().start,
            format!("'{name}' must be a table: write [{name}] above its keys"),
        );
    }
    table
}

/// The tables of `[[name]]`, each with where it begins.
pub(crate) fn tables<'a>(
    name: &str,
    value: &'a Spanned<DeValue<'a>>,
    problems: &mut Problems<'_>,
) -> Vec<(Range<usize>, &'a DeTable<'a>)> {
    let tables: Option<Vec<_>> = value.get_ref().as_array().and_then(|array| {
        array
            .iter()
            .map(|item| Some((item.span(), item.get_ref().as_table()?)))
            .collect()
    });
    tables.unwrap_or_else(|| {
        problems.error(
            value.span().start,
            format!("'{name}' must be a list of rules: write [[{name}]] above each"),
        );
        Vec::new()
    })
}

/// What a required key says, for somebody who left it out.
fn meaning(key: &str) -> &'static str {
    match key {
        "owner" => "who answers for it",
        "reason" => "why it is there",
        "expires" => "the last day on which it holds",
        "types" => "which findings, as in [\"LimitProbe\"]",
        "identities" => "whose, as in [\"*:role/deploy-*\"]",
        "services" => "where, as in [\"SES\"]",
        "per_hour" => "up to how many units in an hour",
        "per_day" => "up to how many units in a day",
        "from" => "its first day",
        "to" => "its last day",
        "expected" => "how many units a day",
        "cidr" => "which addresses, as in \"203.0.113.0/24\"",
        _ => "a text",
    }
}

fn a_value(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// A date (`2026-12-31`) by its edge, or RFC 3339 with an offset.
fn moment(written: &str, edge: Edge) -> Option<Timestamp> {
    if written.len() != "2026-12-31".len() {
        return written.parse().ok();
    }
    let midnight: Timestamp = format!("{written}T00:00:00Z").parse().ok()?;
    Some(midnight.plus(match edge {
        Edge::Begin => 0,
        Edge::End => DAY,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_its_whole_day_and_a_time_is_itself() {
        let shown = |text, edge| moment(text, edge).map(|t| t.to_string());
        assert_eq!(shown("2026-12-31", Edge::Begin).unwrap(), "2026-12-31T00:00:00Z");
        assert_eq!(shown("2026-12-31", Edge::End).unwrap(), "2027-01-01T00:00:00Z");
        assert_eq!(
            shown("2026-12-31T19:00:00+01:00", Edge::End).unwrap(),
            "2026-12-31T18:00:00Z"
        );
        for wrong in [
            "",
            "31.12.2026",
            "2026-02-30",
            "2026-12-31T18:00:00",
            "18:00:00",
            "tomorrow..",
        ] {
            assert!(moment(wrong, Edge::End).is_none(), "{wrong}");
        }
    }
}
