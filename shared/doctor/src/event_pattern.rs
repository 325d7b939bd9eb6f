//! Whether an event pattern matches an event: as much of EventBridge's language as rules on CloudTrail use.
//!
//! A comparison that is not known here does not match: then a rule is said to be missing that somebody can look at,
//! and not said to be there when it is not. Source: Amazon EventBridge User Guide, "Comparison operators for use in
//! event patterns".

use std::fmt;

use serde_json::{Map, Value};

/// An event pattern. Displayed, it is JSON in one line.
pub(crate) struct EventPattern(Map<String, Value>);

impl fmt::Display for EventPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Value::Object(self.0.clone()).to_string())
    }
}

impl EventPattern {
    /// Out of JSON; none when it is no pattern.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    /// Whether it matches the event.
    pub(crate) fn matches(&self, event: &Value) -> bool {
        fields(&self.0, Some(event))
    }
}

fn fields(pattern: &Map<String, Value>, event: Option<&Value>) -> bool {
    pattern.iter().all(|(name, wanted)| match (name.as_str(), wanted) {
        ("$or", Value::Array(choices)) => choices
            .iter()
            .filter_map(Value::as_object)
            .any(|choice| fields(choice, event)),
        (name, Value::Object(inner)) => fields(inner, event.and_then(|event| event.get(name))),
        (name, Value::Array(choices)) => {
            let value = event.and_then(|event| event.get(name));
            choices.iter().any(|choice| agrees(choice, value))
        }
        _ => false,
    })
}

fn agrees(choice: &Value, value: Option<&Value>) -> bool {
    let Value::Object(comparison) = choice else {
        return value == Some(choice);
    };
    comparison.iter().all(|(operator, wanted)| match operator.as_str() {
        "exists" => wanted.as_bool() == Some(value.is_some()),
        "anything-but" => value.is_some_and(|value| !any(wanted, |wanted| agrees(wanted, Some(value)))),
        _ => value
            .and_then(Value::as_str)
            .is_some_and(|text| compares(operator, wanted, text)),
    })
}

/// Whether any of one or many holds.
fn any(one_or_many: &Value, holds: impl Fn(&Value) -> bool) -> bool {
    match one_or_many {
        Value::Array(many) => many.iter().any(holds),
        one => holds(one),
    }
}

fn compares(operator: &str, wanted: &Value, text: &str) -> bool {
    any(wanted, |wanted| {
        // `{"prefix": {"equals-ignore-case": "..."}}` folds the case.
        let folded = wanted.get("equals-ignore-case").and_then(Value::as_str);
        let (text, wanted) = match (folded, wanted.as_str()) {
            (Some(folded), _) => (text.to_ascii_lowercase(), folded.to_ascii_lowercase()),
            (None, Some(wanted)) => (text.to_owned(), wanted.to_owned()),
            (None, None) => return false,
        };
        match operator {
            "prefix" => text.starts_with(&wanted),
            "suffix" => text.ends_with(&wanted),
            "equals-ignore-case" => text.eq_ignore_ascii_case(&wanted),
            "wildcard" => crate::wildcard::matches(&wanted, &text),
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn matches(pattern: &str, event: &Value) -> bool {
        EventPattern::parse(pattern).is_some_and(|pattern| pattern.matches(event))
    }

    fn event() -> Value {
        json!({
            "source": "aws.ses",
            "detail-type": "AWS API Call via CloudTrail",
            "detail": {"eventSource": "ses.amazonaws.com", "eventName": "GetSendQuota"},
        })
    }

    #[test]
    fn a_rule_of_the_catalogue_matches_what_it_is_for_and_nothing_else() {
        let rule = |service| {
            let mut rules = tripmeter_catalogue::patterns::rules().into_iter();
            rules.find(|rule| rule.name == service).unwrap().pattern.to_string()
        };

        assert!(matches(&rule("SESReads"), &event()));
        assert!(!matches(&rule("SNSReads"), &event()));
        assert!(!matches(&rule("SESUse"), &event()));
    }

    #[test]
    fn comparisons_are_read_as_eventbridge_reads_them() {
        let of = |choice: Value| matches(&json!({"detail": {"eventName": [choice]}}).to_string(), &event());

        for choice in [
            json!("GetSendQuota"),
            json!({"prefix": "Get"}),
            json!({"prefix": {"equals-ignore-case": "get"}}),
            json!({"suffix": "Quota"}),
            json!({"wildcard": "Get*Quota"}),
            json!({"equals-ignore-case": "getsendquota"}),
            json!({"anything-but": ["SendEmail", "ListTopics"]}),
            json!({"anything-but": {"prefix": "Send"}}),
            json!({"exists": true}),
        ] {
            assert!(of(choice.clone()), "{choice}");
        }
        for choice in [
            json!("getsendquota"),
            json!({"prefix": "List"}),
            json!({"anything-but": "GetSendQuota"}),
            json!({"anything-but": {"prefix": "Get"}}),
            json!({"exists": false}),
            json!({"numeric": [">", 0]}),
        ] {
            assert!(!of(choice.clone()), "{choice}");
        }
    }

    #[test]
    fn one_of_several_shapes_is_enough() {
        let either = json!({"$or": [{"source": ["aws.sns"]}, {"source": [{"prefix": "aws."}]}]});

        assert!(matches(&either.to_string(), &event()));
    }

    #[test]
    fn what_is_no_pattern_matches_nothing() {
        for text in [
            "",
            "[]",
            "{not json",
            "{\"source\":\"aws.ses\"}",
            "{\"missing\":[\"x\"]}",
        ] {
            assert!(!matches(text, &event()), "{text}");
        }
    }
}
