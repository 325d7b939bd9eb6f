//! What Athena makes of records: rows of `get-query-results`, whose cells have no names, and structures in a
//! notation of its own.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::fields::{self, Fields, Object};
use crate::output::Output;
use crate::skip::SkipReason;
use crate::wrapping::{self, Context};

/// The names of a result's columns, as JSON strings, once its first row was read.
#[derive(Default)]
pub(crate) struct Table {
    columns: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Cell<'a> {
    #[serde(borrow, rename = "VarCharValue")]
    value: Option<&'a RawValue>,
}

impl Table {
    /// Reads one row: the first names the columns, each other one is a record.
    pub(crate) fn row(&mut self, cells: &str, context: &Context<'_>, position: u64, out: &mut Output<'_>) {
        let Ok(cells) = serde_json::from_str::<Vec<Cell<'_>>>(cells) else {
            out.skip(position, SkipReason::Malformed);
            return;
        };
        let values = cells.iter().map(|cell| cell.value.map_or("null", RawValue::get));
        let Some(columns) = &self.columns else {
            self.columns = Some(values.map(str::to_owned).collect());
            return;
        };
        let members: Vec<_> = columns
            .iter()
            .zip(values)
            .map(|(name, value)| format!("{name}:{value}"))
            .collect();
        let object = format!("{{{}}}", members.join(","));
        let mut fields = Fields::default();
        match fields::read(&object, 0, &mut fields) {
            Ok(Object::Whole { .. }) => wrapping::object(&fields, context, position, out),
            _ => out.skip(position, SkipReason::NotAnObject),
        }
    }
}

/// Structures within structures that are looked into; `userIdentity` has three.
const MAX_STRUCTURES: usize = 8;

/// A structure as Athena prints it, `{type=IAMUser, username=dana, sessioncontext=null}`, as JSON. What a text holds
/// is not marked in it, so one with a comma or a brace may come out wrong.
pub(crate) fn structure(text: &str) -> Option<String> {
    let (value, rest) = printed(text, MAX_STRUCTURES)?;
    rest.is_empty().then(|| value.to_string())
}

/// One printed value, and what comes behind it.
fn printed(text: &str, structures: usize) -> Option<(Value, &str)> {
    let Some(mut rest) = text.strip_prefix('{') else {
        let (end, _) = text
            .match_indices([',', '}'])
            .find(|(at, mark)| *mark == "}" || text.get(*at..).is_some_and(|rest| rest.starts_with(", ")))?;
        let (word, rest) = text.split_at_checked(end)?;
        return Some((if word == "null" { Value::Null } else { word.into() }, rest));
    };
    let mut members = Map::new();
    loop {
        if let Some(rest) = rest.strip_prefix('}') {
            return Some((Value::Object(members), rest));
        }
        let (name, value) = rest.split_once('=')?;
        let (value, behind) = printed(value, structures.checked_sub(1)?)?;
        members.insert(name.to_owned(), value);
        rest = behind.strip_prefix(", ").unwrap_or(behind);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_printed_structure_is_read() {
        let printed = "{type=AssumedRole, arn=arn:aws:sts::111122223333:assumed-role/app/a,b=c, invokedby=null, \
            sessioncontext={attributes={mfaauthenticated=false}, sessionissuer=null}, username=}";

        let read = structure(printed).and_then(|json| serde_json::from_str::<Value>(&json).ok());

        assert_eq!(
            read,
            Some(json!({
                "type": "AssumedRole",
                "arn": "arn:aws:sts::111122223333:assumed-role/app/a,b=c",
                "invokedby": null,
                "sessioncontext": {"attributes": {"mfaauthenticated": "false"}, "sessionissuer": null},
                "username": "",
            }))
        );
        assert_eq!(structure(&"{a=".repeat(100_000)), None);
    }

    proptest! {
        #[test]
        fn any_text_is_a_structure_or_none(text in "[{}=, a]{0,24}") {
            if let Some(json) = structure(&text) {
                prop_assert!(serde_json::from_str::<Value>(&json).is_ok());
            }
        }
    }
}
