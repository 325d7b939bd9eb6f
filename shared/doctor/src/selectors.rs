//! Whether a trail's selectors record an event.
//!
//! A selector for some resources or some callers alone counts as recording: whoever wrote it meant it. Source:
//! CloudTrail API Reference, `EventSelector` and `AdvancedFieldSelector`.

use crate::inventory::{AdvancedSelector, BasicSelector, FieldSelector, Selectors};

/// An event, as selectors look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Event<'a> {
    /// `eventSource`.
    pub(crate) source: &'a str,
    /// `eventName`.
    pub(crate) name: &'a str,
    /// Whether it is marked as read-only.
    pub(crate) read_only: bool,
    /// The resource type of a data event; none for a management event.
    pub(crate) resource_type: Option<&'a str>,
}

impl Selectors {
    /// Whether any of them records it.
    pub(crate) fn record(&self, event: Event<'_>) -> bool {
        match self {
            Self::Basic(selectors) => selectors.iter().any(|selector| basic(selector, event)),
            Self::Advanced(selectors) => selectors.iter().any(|selector| advanced(selector, event)),
        }
    }
}

fn basic(selector: &BasicSelector, event: Event<'_>) -> bool {
    let wanted = if event.read_only {
        selector.reads
    } else {
        selector.writes
    };
    event.resource_type.is_none()
        && selector.management
        && wanted
        && !selector.excluded.iter().any(|source| source == event.source)
}

fn advanced(selector: &AdvancedSelector, event: Event<'_>) -> bool {
    selector.fields.iter().all(|field| agrees(field, event))
}

fn agrees(field: &FieldSelector, event: Event<'_>) -> bool {
    let value = match field.field.as_str() {
        "eventCategory" if event.resource_type.is_none() => "Management",
        "eventCategory" => "Data",
        "eventSource" => event.source,
        "eventName" => event.name,
        "readOnly" if event.read_only => "true",
        "readOnly" => "false",
        "resources.type" => match event.resource_type {
            Some(resource_type) => resource_type,
            None => return false,
        },
        // Which resource, which caller, which session: some events of the sort are recorded.
        _ => return true,
    };
    let any = |texts: &[String], holds: fn(&str, &str) -> bool| texts.iter().any(|text| holds(value, text));
    let wants = |texts: &[String], holds| texts.is_empty() || any(texts, holds);
    let equal: fn(&str, &str) -> bool = |value, text| value == text;
    let begins: fn(&str, &str) -> bool = |value, text| value.starts_with(text);
    let ends: fn(&str, &str) -> bool = |value, text| value.ends_with(text);
    wants(&field.equals, equal)
        && wants(&field.starts_with, begins)
        && wants(&field.ends_with, ends)
        && !any(&field.not_equals, equal)
        && !any(&field.not_starts_with, begins)
        && !any(&field.not_ends_with, ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: Event<'_> = Event {
        source: "ses.amazonaws.com",
        name: "SendEmail",
        read_only: true,
        resource_type: Some("AWS::SES::EmailIdentity"),
    };
    const LOOK: Event<'_> = Event {
        name: "GetSendQuota",
        resource_type: None,
        ..MAIL
    };
    const CHANGE: Event<'_> = Event {
        name: "PutAccountDetails",
        read_only: false,
        ..LOOK
    };

    fn field(name: &str, equals: &[&str]) -> FieldSelector {
        FieldSelector {
            field: name.to_owned(),
            equals: equals.iter().map(|&text| text.to_owned()).collect(),
            ..FieldSelector::default()
        }
    }

    fn with(fields: Vec<FieldSelector>) -> Selectors {
        Selectors::Advanced(vec![AdvancedSelector { fields }])
    }

    fn recorded(selectors: &Selectors) -> [bool; 3] {
        [MAIL, LOOK, CHANGE].map(|event| selectors.record(event))
    }

    #[test]
    fn an_event_selector_records_management_events_alone() {
        let of = |reads, writes, excluded: &[&str]| {
            Selectors::Basic(vec![BasicSelector {
                reads,
                writes,
                management: true,
                excluded: excluded.iter().map(|&source| source.to_owned()).collect(),
            }])
        };

        assert_eq!(recorded(&of(true, true, &[])), [false, true, true]);
        assert_eq!(recorded(&of(false, true, &[])), [false, false, true]);
        assert_eq!(recorded(&of(true, true, &["kms.amazonaws.com"])), [false, true, true]);
        assert_eq!(recorded(&of(true, true, &["ses.amazonaws.com"])), [false, false, false]);
    }

    #[test]
    fn every_field_of_an_advanced_selector_has_to_agree() {
        let data = || field("eventCategory", &["Data"]);
        let mails = || field("resources.type", &["AWS::SES::EmailIdentity"]);

        assert_eq!(recorded(&with(vec![data(), mails()])), [true, false, false]);
        let names = field("eventName", &["SendEmail"]);
        assert_eq!(recorded(&with(vec![data(), mails(), names])), [true, false, false]);
        let writes = field("readOnly", &["false"]);
        assert_eq!(recorded(&with(vec![data(), mails(), writes])), [false, false, false]);
        let management = field("eventCategory", &["Management"]);
        assert_eq!(recorded(&with(vec![management])), [false, true, true]);
    }

    #[test]
    fn an_advanced_selector_leaves_out_what_it_excludes() {
        let management = field("eventCategory", &["Management"]);
        let others = FieldSelector {
            field: "eventSource".to_owned(),
            not_equals: vec!["ses.amazonaws.com".to_owned()],
            ..FieldSelector::default()
        };

        assert_eq!(recorded(&with(vec![management, others])), [false, false, false]);
    }

    #[test]
    fn a_selector_for_some_resources_counts_as_recording() {
        let some = FieldSelector {
            field: "resources.ARN".to_owned(),
            starts_with: vec!["arn:aws:ses:eu-west-1:111122223333:identity/example.com".to_owned()],
            ..FieldSelector::default()
        };

        assert!(with(vec![field("eventCategory", &["Data"]), some]).record(MAIL));
    }
}
