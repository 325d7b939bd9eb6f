//! Rows of Athena's `get-query-results`: cells without names, which the first row gives.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::fields::{self, Object};
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
            out.skip(context.position(position), SkipReason::Malformed);
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
        match fields::read(&object, 0) {
            Ok(Object::Whole(fields, _)) => wrapping::object(&fields, context, position, out),
            _ => out.skip(position, SkipReason::NotAnObject),
        }
    }
}
