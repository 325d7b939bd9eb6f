//! What one policy file says otherwise than another, rule by rule.

use std::collections::BTreeMap;
use std::fmt;

use toml::{Table, Value};
use tripmeter_model::bounded;

/// The longest line that is shown of a rule, in bytes.
const MAX_LINE: usize = 400;

/// What changes, a line each: `+` for a rule that comes, `-` for one that goes, `~` for one that becomes another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    lines: Vec<String>,
}

impl Changes {
    /// From one file to another. A file that is no TOML holds nothing.
    ///
    /// ```
    /// use tripmeter_aws::policy::Changes;
    ///
    /// let changes = Changes::between("[regions]\nall = ['eu-west-1']", "[regions]\nall = []");
    /// assert_eq!(changes.to_string(), "~ regions.all: [\"eu-west-1\"] -> []\n");
    /// ```
    pub fn between(old: &str, new: &str) -> Self {
        let (mut old, mut new) = (entries(old), entries(new));
        old.retain(|entry| match new.iter().position(|other| other == entry) {
            Some(same) => {
                new.remove(same);
                false
            }
            None => true,
        });
        let mut lines = Vec::new();
        for entry in old {
            let successor = new.iter().position(|other| entry.is_called_as(other));
            match successor.map(|place| new.remove(place)) {
                Some(other) => lines.push(format!("~ {}: {}", entry.name, entry.becoming(&other))),
                None => lines.push(format!("- {}", entry.shown())),
            }
        }
        lines.extend(new.iter().map(|entry| format!("+ {}", entry.shown())));
        Self {
            lines: lines.into_iter().map(|line| bounded(&line, MAX_LINE)).collect(),
        }
    }

    /// The lines; none where only comments and order differ.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.lines.is_empty() {
            writeln!(f, "no rule changes")?;
        }
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// A rule, or a single value of the file.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    /// What it is called: `mute newsletter`, `regions.all`; `mute` alone where it has no id.
    name: String,
    /// Whether the name is its own.
    is_named: bool,
    /// Its values, as TOML; a single value has no key.
    values: BTreeMap<String, String>,
}

impl Entry {
    fn is_called_as(&self, other: &Self) -> bool {
        self.is_named && other.is_named && self.name == other.name
    }

    fn shown(&self) -> String {
        let values = self.values.iter().map(|(key, value)| match key.as_str() {
            "" => value.clone(),
            key => format!("{key} = {value}"),
        });
        format!("{}: {}", self.name, values.collect::<Vec<_>>().join(", "))
    }

    fn becoming(&self, other: &Self) -> String {
        let keys = self
            .values
            .keys()
            .chain(other.values.keys().filter(|key| !self.values.contains_key(*key)));
        let differing = keys.filter(|key| self.values.get(*key) != other.values.get(*key));
        let shown = |values: &BTreeMap<String, String>, key: &str| {
            values.get(key).cloned().unwrap_or_else(|| "nothing".to_owned())
        };
        let changes = differing.map(|key| {
            let change = format!("{} -> {}", shown(&self.values, key), shown(&other.values, key));
            if key.is_empty() {
                change
            } else {
                format!("{key} {change}")
            }
        });
        changes.collect::<Vec<_>>().join(", ")
    }
}

fn entries(text: &str) -> Vec<Entry> {
    let document: Table = text.parse().unwrap_or_default();
    let mut entries = Vec::new();
    for (section, value) in &document {
        match value {
            Value::Array(rules) => entries.extend(rules.iter().map(|rule| rule_of(section, rule))),
            Value::Table(table) => leaves(section, table, &mut entries),
            other => entries.push(single(section.clone(), other)),
        }
    }
    entries
}

/// A rule of a list: it is called by its id, an owner by name.
fn rule_of(section: &str, rule: &Value) -> Entry {
    let Some(table) = rule.as_table() else {
        return single(section.to_owned(), rule);
    };
    let id = table.get("id").or_else(|| table.get("name")).and_then(Value::as_str);
    Entry {
        name: id.map_or_else(|| section.to_owned(), |id| format!("{section} {id}")),
        is_named: id.is_some(),
        values: table
            .iter()
            .map(|(key, value)| (key.clone(), value.to_string()))
            .collect(),
    }
}

/// Each value of a table by its path.
fn leaves(path: &str, table: &Table, entries: &mut Vec<Entry>) {
    for (key, value) in table {
        let path = format!("{path}.{key}");
        match value {
            Value::Table(inner) => leaves(&path, inner, entries),
            leaf => entries.push(single(path, leaf)),
        }
    }
}

fn single(name: String, value: &Value) -> Entry {
    Entry {
        name,
        is_named: true,
        values: BTreeMap::from([(String::new(), value.to_string())]),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BEFORE: &str = r#"
        [regions]
        all = ["eu-west-1"]

        [[mute]]
        id = "inventory"
        types = ["LimitProbe"]
        owner = "security@example.com"

        [[mute]]
        types = ["RegionSweep"]
        owner = "security@example.com"

        [[owner]]
        name = "Mail"
        services = ["SES"]
    "#;

    #[test]
    fn each_rule_that_comes_goes_or_changes_is_a_line() {
        let after = BEFORE
            .replace("[\"eu-west-1\"]", "[\"eu-west-1\", \"us-east-1\"]")
            .replace("LimitProbe", "DeniedUse")
            .replace("RegionSweep", "LimitProbe")
            .replace("[\"SES\"]", "[\"SES\", \"WorkMail\"]\ncontact = \"mail@example.com\"");

        let changes = Changes::between(BEFORE, &after);

        assert_eq!(
            changes.lines(),
            [
                r#"~ mute inventory: types ["LimitProbe"] -> ["DeniedUse"]"#,
                r#"- mute: owner = "security@example.com", types = ["RegionSweep"]"#,
                r#"~ owner Mail: services ["SES"] -> ["SES", "WorkMail"], contact nothing -> "mail@example.com""#,
                r#"~ regions.all: ["eu-west-1"] -> ["eu-west-1", "us-east-1"]"#,
                r#"+ mute: owner = "security@example.com", types = ["LimitProbe"]"#,
            ]
        );
    }

    #[test]
    fn comments_and_order_are_no_changes() {
        let changes = Changes::between("[accounts]\n1 = 'a'\n2 = 'b'", "# ours\n[accounts]\n2 = 'b'\n1 = 'a'");

        assert_eq!(changes.to_string(), "no rule changes\n");
    }

    #[test]
    fn what_a_rule_holds_cannot_steer_a_terminal_or_flood_it() {
        let hostile = format!("[[mute]]\nreason = \"\\u001b[31m{}\"", "x".repeat(10_000));

        let changes = Changes::between("", &hostile);

        let line = &changes.lines()[0];
        assert!(line.len() <= MAX_LINE && !line.contains('\u{1b}'), "{line}");
    }

    proptest! {
        #[test]
        fn no_two_texts_stop_the_comparison(old in "(.|\n){0,60}", new in "(.|\n){0,60}") {
            prop_assert_eq!(Changes::between(&new, &new), Changes::default());
            let there = Changes::between(&old, &new).lines().len();
            let back = Changes::between(&new, &old).lines().len();
            prop_assert_eq!(there, back);
        }
    }
}
