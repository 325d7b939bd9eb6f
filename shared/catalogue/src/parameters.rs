//! A call's parameters, which may be of any type and spelling: JSON text inside JSON text, booleans and numbers as
//! words, lists where an object was documented. What cannot be read is absent; nothing is an error.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// The parameters of a call.
#[derive(Debug, Default)]
pub struct Parameters(Value);

impl Parameters {
    /// Out of JSON text. An object inside a JSON string is that object, at the top and one level below it.
    pub(crate) fn read(json: Option<&str>) -> Self {
        let mut value = json.and_then(|j| serde_json::from_str(j).ok()).unwrap_or_default();
        unfold(&mut value);
        if let Value::Object(object) = &mut value {
            object.values_mut().for_each(unfold);
        }
        Self(value)
    }

    /// What lies below a name at the top, which may hold dots.
    pub(crate) fn below(&self, name: &str) -> Self {
        Self(member(&self.0, name).cloned().unwrap_or_default())
    }

    /// Whether there are parameters at all: a denied call has none, and then nothing is known of its values.
    pub(crate) fn known(&self) -> bool {
        self.0.is_object()
    }

    /// The names at the top, in alphabetical order.
    pub(crate) fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self
            .0
            .as_object()
            .into_iter()
            .flat_map(Map::keys)
            .map(String::as_str)
            .collect();
        names.sort_unstable();
        names
    }

    /// Everything at the path, whose `*` stands for every entry of a list or map. `null` is absent.
    pub(crate) fn all(&self, path: &str) -> Vec<&Value> {
        let mut found = vec![&self.0];
        for segment in path.split('.') {
            found = found.into_iter().flat_map(|value| step(value, segment)).collect();
        }
        found
    }

    /// The one value at a path without `*`.
    pub(crate) fn get(&self, path: &str) -> Option<&Value> {
        path.split('.').try_fold(&self.0, member)
    }

    /// The text at the path: a word, a number or a boolean; never empty.
    pub(crate) fn text(&self, path: &str) -> Option<Cow<'_, str>> {
        text_of(self.get(path)?)
    }

    /// The text at the first of the paths that has one.
    pub(crate) fn first_text(&self, paths: &[&str]) -> Option<Cow<'_, str>> {
        paths.iter().find_map(|path| self.text(path))
    }

    /// Whether the parameter is true, in any spelling. Absent is false.
    pub(crate) fn is_true(&self, path: &str) -> bool {
        self.text(path).is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }

    /// Whether the parameter is there and false, in any spelling.
    pub(crate) fn is_false(&self, path: &str) -> bool {
        self.text(path).is_some_and(|text| text.eq_ignore_ascii_case("false"))
    }

    /// The number at the path, also when it is written as a word.
    pub(crate) fn number(&self, path: &str) -> Option<f64> {
        self.text(path)?.trim().parse().ok().filter(|n: &f64| n.is_finite())
    }

    /// Whether the parameter is absent, or a list, map or text with nothing in it.
    pub(crate) fn is_empty(&self, path: &str) -> bool {
        match self.get(path) {
            None => true,
            Some(Value::String(text)) => text.is_empty(),
            Some(Value::Array(list)) => list.is_empty(),
            Some(Value::Object(map)) => map.is_empty(),
            Some(_) => false,
        }
    }
}

/// A word, number or boolean as text.
pub(crate) fn text_of(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) if !text.is_empty() => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(flag) => Some(Cow::Borrowed(if *flag { "true" } else { "false" })),
        _ => None,
    }
}

/// The member of an object: in the documented spelling, and only where that is absent in another one.
pub(crate) fn member<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    let object = value.as_object()?;
    object
        .get(name)
        .or_else(|| {
            object
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, v)| v)
        })
        .filter(|v| !v.is_null())
}

fn step<'v>(value: &'v Value, segment: &str) -> Vec<&'v Value> {
    match (segment, value) {
        ("*", Value::Array(list)) => list.iter().collect(),
        ("*", Value::Object(map)) => map.values().collect(),
        _ => member(value, segment).into_iter().collect(),
    }
}

fn unfold(value: &mut Value) {
    let inner = match value {
        Value::String(text) if text.trim_start().starts_with(['{', '[']) => serde_json::from_str(text).ok(),
        _ => None,
    };
    if let Some(inner) = inner {
        *value = inner;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> Parameters {
        Parameters::read(Some(json))
    }

    #[test]
    fn a_flag_is_read_in_every_spelling() {
        for json in [
            r#"{"enabled":true}"#,
            r#"{"enabled":"true"}"#,
            r#"{"Enabled":"True"}"#,
            r#""{\"enabled\":true}""#,
        ] {
            assert!(of(json).is_true("enabled"), "{json}");
        }
        assert!(of(r#"{"options":"{\"enabled\":\"true\"}"}"#).is_true("options.enabled"));
        assert!(!of(r#"{"enabled":null}"#).is_true("enabled"));
    }

    #[test]
    fn the_documented_spelling_wins_over_another_one() {
        let both = of(r#"{"Tagging":"one","tagging":"two"}"#);
        assert_eq!(both.text("tagging").as_deref(), Some("two"));
        assert_eq!(both.text("TAGGING").as_deref(), Some("one"));
    }

    #[test]
    fn what_is_no_object_has_nothing_in_it() {
        for json in ["null", "", "\"null\"", "\"\"", "[]", "[1,{\"a\":2}]", "7", "{broken"] {
            let parameters = of(json);
            assert!(!parameters.known(), "{json}");
            assert!(parameters.text("a").is_none() && parameters.is_empty("a"), "{json}");
        }
    }

    #[test]
    fn a_star_stands_for_every_entry_of_a_list_or_map() {
        let rules = of(r#"{"updates":{"FR":{"status":"BLOCK"},"CI":{"status":"ALLOW"}},"list":[{"a":1},{"a":2},3]}"#);
        assert_eq!(rules.all("updates.*.status").len(), 2);
        assert_eq!(rules.all("list.*.a").len(), 2);
    }
}
