//! How much a call spends: recipients, messages, jobs.

use serde_json::Value;
use tripmeter_model::Quantity;

use crate::call::Measure;
use crate::dial_prefixes;
use crate::parameters::{Parameters, member};

/// The quantity that the measure finds in the parameters: at least one unit.
pub(crate) fn of(measure: Measure, parameters: &Parameters) -> Quantity {
    match measure {
        Measure::One => Quantity::ONE,
        Measure::Job(units) => Quantity::of(units),
        Measure::Each(paths) => {
            let units: u64 = paths.iter().filter_map(|path| parameters.get(path)).map(entries).sum();
            Quantity::of(units.max(1))
        }
        Measure::Message(path) => Quantity {
            country: parameters.text(path).and_then(|number| dial_prefixes::country(&number)),
            ..Quantity::ONE
        },
    }
}

/// An entry counts one, or its recipients where it lists them: CloudTrail hides an address, not that it is there.
fn entries(value: &Value) -> u64 {
    match value {
        Value::Null => 0,
        Value::Array(list) => list.iter().map(entries).sum(),
        Value::Object(_) => recipients(member(value, "destination").unwrap_or(value)).max(1),
        _ => 1,
    }
}

fn recipients(destination: &Value) -> u64 {
    ["toAddresses", "ccAddresses", "bccAddresses"]
        .iter()
        .filter_map(|name| member(destination, name))
        .map(|addresses| addresses.as_array().map_or(1, |list| list.len() as u64))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(json: &str, paths: &'static [&'static str]) -> u64 {
        of(Measure::Each(paths), &Parameters::read(Some(json))).units
    }

    #[test]
    fn every_recipient_of_a_mail_counts_hidden_or_not() {
        let hidden = r#"{"destination":{"toAddresses":["HIDDEN_DUE_TO_SECURITY_REASONS","HIDDEN_DUE_TO_SECURITY_REASONS"],"ccAddresses":["HIDDEN_DUE_TO_SECURITY_REASONS"],"bccAddresses":"HIDDEN_DUE_TO_SECURITY_REASONS"}}"#;
        assert_eq!(units(hidden, &["destination"]), 4);
    }

    #[test]
    fn bulk_mail_counts_each_destination_and_each_of_its_recipients() {
        let bulk = r#"{"bulkEmailEntries":[{"destination":{"toAddresses":["a","b"]}},{"destination":{"bccAddresses":["c"]}},{}]}"#;
        assert_eq!(units(bulk, &["bulkEmailEntries"]), 4);
        let raw = r#"{"destinations":["a","b","c"]}"#;
        assert_eq!(units(raw, &["destinations"]), 3);
    }

    #[test]
    fn a_call_that_shows_nothing_spends_one() {
        for json in [
            "null",
            "{}",
            r#"{"destination":null}"#,
            r#"{"destination":[]}"#,
            r#"{"destination":{}}"#,
        ] {
            assert_eq!(units(json, &["destination"]), 1, "{json}");
        }
    }
}
