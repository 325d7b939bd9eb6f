//! Exports: pages of the audit log and of usage as somebody saved them, or their entries, one after the other or in
//! lists.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use tripmeter_catalogue::openai::{Heard, audit_event};
use tripmeter_model::{Activity, Quantity, Timestamp, stable_uid};

use crate::pages::Bucket;
use crate::usage::{self, Group, Kind};

/// Lists within pages that are looked through.
const DEEPEST: u8 = 4;

/// What an entry of an export was.
#[derive(Debug)]
pub enum Entry {
    /// An event, or what a group used in a bucket.
    Activity(Box<Activity>),
    /// An event of a type that the catalogue does not have.
    Unknown(Box<Activity>),
    /// Nothing that is known, and why.
    Unreadable(&'static str),
}

/// Whether a text that begins so is an export of OpenAI's, and no CloudTrail log.
///
/// ```
/// use tripmeter_openai::export::is_export;
/// assert!(is_export(br#"{"object":"list","data":[{"id":"audit_log-1","type":"x","effective_at":1}]}"#));
/// assert!(!is_export(br#"{"Records":[{"eventSource":"ses.amazonaws.com"}]}"#));
/// ```
pub fn is_export(head: &[u8]) -> bool {
    let head = String::from_utf8_lossy(head);
    let says = |text: &str| head.contains(text);
    !says("\"eventSource\"") && (says("\"effective_at\"") || says("organization.usage.") || is_empty_page(&head))
}

/// A page of buckets in which nothing was used.
fn is_empty_page(head: &str) -> bool {
    head.contains("\"bucket\"") && head.contains("\"start_time\"") && head.contains("\"result")
}

/// What a member of an export may be.
#[derive(Deserialize)]
struct Shape<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    effective_at: Option<&'a RawValue>,
    start_time: Option<&'a RawValue>,
}

/// Reads an export, and hands every entry to `sink` with the byte where the page or line that it is in begins. A
/// bucket that is there twice is the one with more; no bucket is counted twice.
pub fn read(text: &str, organisation: &str, sink: &mut dyn FnMut(u64, Entry)) {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    let mut used = BTreeMap::new();
    loop {
        let position = values.byte_offset() as u64;
        match values.next() {
            None => break,
            Some(Ok(value)) => one(value.get(), organisation, DEEPEST, &mut used, &mut |entry| {
                sink(position, entry);
            }),
            Some(Err(_)) => {
                sink(position, Entry::Unreadable("broken JSON in an export of OpenAI's"));
                break;
            }
        }
    }
    for ((kind, start, group), (calls, units)) in used {
        let id = stable_uid(&["usage", kind, &start.to_string(), &group.to_text()]);
        let quantity = Quantity {
            calls,
            ..Quantity::of(units)
        };
        let time = Timestamp::from_seconds(start);
        let activity = usage::activity(kind, &group, time, quantity, &id, organisation);
        sink(0, Entry::Activity(Box::new(activity)));
    }
}

/// Calls and units of a group in a bucket.
type Used = BTreeMap<(&'static str, i64, Group), (u64, u64)>;

fn one(json: &str, organisation: &str, deep: u8, used: &mut Used, sink: &mut dyn FnMut(Entry)) {
    if json.starts_with('[') && deep > 0 {
        let entries: Vec<&RawValue> = serde_json::from_str(json).unwrap_or_default();
        for entry in entries {
            one(entry.get(), organisation, deep - 1, used, sink);
        }
        return;
    }
    let shape: Option<Shape<'_>> = serde_json::from_str(json).ok();
    match shape {
        Some(Shape {
            effective_at: Some(_), ..
        }) => sink(match audit_event(json, organisation) {
            Heard::Known(activity) => Entry::Activity(activity),
            Heard::Unknown(activity) => Entry::Unknown(activity),
            Heard::Unreadable => Entry::Unreadable("an event of OpenAI's without id, type or time"),
        }),
        Some(Shape {
            start_time: Some(_), ..
        }) => match serde_json::from_str::<Bucket>(json) {
            Ok(bucket) => add(&bucket, used),
            Err(_) => sink(Entry::Unreadable("a bucket of OpenAI's usage that cannot be read")),
        },
        Some(Shape { data: Some(data), .. }) if deep > 0 => one(data.get(), organisation, deep - 1, used, sink),
        _ => sink(Entry::Unreadable("nothing that OpenAI's audit log or usage holds")),
    }
}

/// Rows that differ in what is not looked at are summed; a bucket that was saved again, when it had grown, is not.
fn add(bucket: &Bucket, used: &mut Used) {
    let mut sums: Used = BTreeMap::new();
    for row in &bucket.results {
        if let Some(kind) = Kind::of(row)
            && let Some((calls, units)) = kind.totals(row)
        {
            let sum = sums.entry((kind.name, bucket.start_time, Group::of(row))).or_default();
            *sum = (sum.0.saturating_add(calls), sum.1.saturating_add(units));
        }
    }
    for (key, (calls, units)) in sums {
        let most = used.entry(key).or_default();
        *most = (most.0.max(calls), most.1.max(units));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EVENT: &str = r#"{"id":"audit_log-1","type":"scim.disabled","effective_at":1772532000}"#;

    fn entries(text: &str) -> Vec<Entry> {
        let mut entries = Vec::new();
        read(text, "org-1", &mut |_, entry| entries.push(entry));
        entries
    }

    fn bucket(requests: u64) -> String {
        format!(
            r#"{{"object":"page","has_more":false,"data":[{{"object":"bucket","start_time":1772532000,"end_time":1772532060,
            "results":[{{"object":"organization.usage.completions.result","num_model_requests":{requests},
            "input_tokens":10,"output_tokens":5,"api_key_id":"key_1"}}]}}]}}"#
        )
    }

    #[test]
    fn events_are_found_in_pages_lists_and_lines() {
        for text in [
            EVENT.to_owned(),
            format!("{EVENT}\n{EVENT}"),
            format!("[{EVENT}]"),
            format!(r#"{{"object":"list","data":[{EVENT}],"has_more":true}}"#),
            format!(r#"[{{"data":[{EVENT}]}}]"#),
        ] {
            assert!(is_export(text.as_bytes()));
            let found = entries(&text);
            assert!(
                !found.is_empty() && found.iter().all(|entry| matches!(entry, Entry::Activity(_))),
                "{text}"
            );
        }
    }

    #[test]
    fn a_bucket_that_was_saved_again_counts_once_by_its_largest() {
        let found = entries(&format!("{}{}{}", bucket(3), bucket(7), bucket(5)));
        let [Entry::Activity(used)] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!((used.quantity.calls, used.quantity.units), (7, 15));
        assert!(is_export(bucket(1).as_bytes()));
    }

    #[test]
    fn what_is_broken_is_said_and_what_came_before_is_read() {
        let found = entries(&format!("{EVENT}\n{{\"id\":"));
        assert!(
            matches!(found.as_slice(), [Entry::Activity(_), Entry::Unreadable(_)]),
            "{found:?}"
        );
    }

    proptest! {
        #[test]
        fn nothing_makes_it_fail(text in "\\PC{0,200}", effective in any::<f64>()) {
            let _ = entries(&text);
            let _ = entries(&format!(r#"{{"effective_at":{effective:?},"id":"{text}","type":[1],"data":[[[[[[1]]]]]]}}"#));
        }
    }
}
