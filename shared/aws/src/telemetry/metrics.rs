//! Counts and times of an invocation, as one line of CloudWatch's embedded metric format.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value, json};
use tripmeter_model::bounded;

/// The namespace of every metric.
const NAMESPACE: &str = "Tripmeter";

/// The name of the times from event to judgement.
const LATENCY: &str = "Latency";

/// Values that the format takes for one metric of a document.
const MAX_VALUES: usize = 100;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// Records that were read.
    Events,
    /// Records that had been counted before.
    Duplicates,
    /// Revisions of findings that were stored.
    Findings,
    /// Revisions of findings that the findings topic took.
    Published,
    /// Messages that could not be judged now, and come again.
    HandedBack,
    /// What SNS did not take.
    Unpublished,
    /// Writes that met others'.
    Conflicts,
    /// Records and items that could not be read.
    Unreadable,
    /// Settings that fell back to their defaults.
    SettingsInvalid,
    /// Policies that could not be used.
    PolicyInvalid,
    /// The detector's own calls.
    OwnCalls,
    /// Events of types that the catalogue does not have.
    Unknown,
    /// What a polled source did not answer.
    Unanswered,
}

impl Metric {
    /// Every one.
    pub const ALL: [Self; 13] = [
        Self::Events,
        Self::Duplicates,
        Self::Findings,
        Self::Published,
        Self::HandedBack,
        Self::Unpublished,
        Self::Conflicts,
        Self::Unreadable,
        Self::SettingsInvalid,
        Self::PolicyInvalid,
        Self::OwnCalls,
        Self::Unknown,
        Self::Unanswered,
    ];

    /// Its name in CloudWatch.
    pub fn name(self) -> &'static str {
        match self {
            Self::Events => "Events",
            Self::Duplicates => "Duplicates",
            Self::Findings => "Findings",
            Self::Published => "Published",
            Self::HandedBack => "HandedBack",
            Self::Unpublished => "Unpublished",
            Self::Conflicts => "Conflicts",
            Self::Unreadable => "Unreadable",
            Self::SettingsInvalid => "SettingsInvalid",
            Self::PolicyInvalid => "PolicyInvalid",
            Self::OwnCalls => "OwnCalls",
            Self::Unknown => "Unknown",
            Self::Unanswered => "Unanswered",
        }
    }
}

/// What one invocation counts, by stack. Which function it was is a member of the line and no dimension: each more would
/// be billed as another metric.
///
/// ```
/// use tripmeter_aws::telemetry::{Metric, Metrics};
///
/// let mut metrics = Metrics::new("prod", "usage");
/// metrics.count(Metric::Events, 116);
/// metrics.latency(1_830);
/// metrics.flush();
/// ```
#[derive(Clone, Debug)]
pub struct Metrics {
    stack: String,
    function: String,
    counts: BTreeMap<Metric, u64>,
    latency: Samples,
}

impl Metrics {
    /// Nothing yet, of a function of a stack.
    pub fn new(stack: &str, function: &str) -> Self {
        Self {
            stack: bounded(stack, 128),
            function: bounded(function, 128),
            counts: BTreeMap::new(),
            latency: Samples::default(),
        }
    }

    /// Counts. Nought is said, too: that nothing went wrong is told apart from nothing being told.
    pub fn count(&mut self, metric: Metric, times: u64) {
        let count = self.counts.entry(metric).or_default();
        *count = count.saturating_add(times);
    }

    /// Adds the time from an event to its judgement, in milliseconds.
    pub fn latency(&mut self, millis: u64) {
        self.latency.add(millis);
    }

    /// Writes the line on stdout, once, at the end of the invocation. Nothing counted, nothing written.
    pub fn flush(self) {
        if let Some(document) = self.document(super::clock()) {
            let line = format!("{document}\n");
            let mut out = io::stdout().lock();
            // When nobody listens, there is nobody to tell.
            let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
        }
    }

    /// The document, at a time in milliseconds.
    fn document(&self, now: u64) -> Option<Value> {
        let counts = self
            .counts
            .iter()
            .map(|(metric, count)| (metric.name(), "Count", json!(count)));
        let latency = (!self.latency.values.is_empty()).then(|| (LATENCY, "Milliseconds", json!(self.latency.values)));
        let metrics: Vec<_> = counts.chain(latency).collect();
        if metrics.is_empty() {
            return None;
        }
        let mut document = json!({
            "_aws": {
                "Timestamp": now,
                "CloudWatchMetrics": [{
                    "Namespace": NAMESPACE,
                    "Dimensions": [["Stack"]],
                    "Metrics": metrics.iter().map(|(name, unit, _)| json!({"Name": name, "Unit": unit})).collect::<Vec<_>>(),
                }],
            },
            "Stack": self.stack,
            "Function": self.function,
        });
        if let Some(members) = document.as_object_mut() {
            members.extend(metrics.into_iter().map(|(name, _, value)| (name.to_owned(), value)));
        }
        Some(document)
    }
}

/// Values, evenly thinned out where there are more than the format takes.
#[derive(Clone, Debug, Default)]
struct Samples {
    values: Vec<u64>,
    /// Of so many more than one, the last is kept: a power of two, less one.
    passed_over: u64,
    since_kept: u64,
}

impl Samples {
    fn add(&mut self, value: u64) {
        if self.since_kept < self.passed_over {
            self.since_kept += 1;
            return;
        }
        self.since_kept = 0;
        if self.values.len() == MAX_VALUES {
            let mut is_kept = false;
            self.values.retain(|_| {
                is_kept = !is_kept;
                is_kept
            });
            self.passed_over = self.passed_over * 2 + 1;
        }
        self.values.push(value);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What the format's specification asks of a document.
    fn check(document: &Value) {
        assert!(document["_aws"]["Timestamp"].is_u64());
        let directives = document["_aws"]["CloudWatchMetrics"].as_array().unwrap();
        for directive in directives {
            assert!((1..=1024).contains(&directive["Namespace"].as_str().unwrap().len()));
            for dimensions in directive["Dimensions"].as_array().unwrap() {
                for name in dimensions.as_array().unwrap() {
                    assert!(document[name.as_str().unwrap()].is_string(), "{name} is a member");
                }
            }
            let metrics = directive["Metrics"].as_array().unwrap();
            assert!((1..=100).contains(&metrics.len()));
            for metric in metrics {
                let name = metric["Name"].as_str().unwrap();
                assert!(matches!(metric["Unit"].as_str(), Some("Count" | "Milliseconds")));
                let value = &document[name];
                let several = value
                    .as_array()
                    .is_some_and(|all| all.len() <= 100 && all.iter().all(Value::is_u64));
                assert!(
                    value.is_u64() || several,
                    "{name} is a number, or up to a hundred: {value}"
                );
            }
        }
    }

    #[test]
    fn everything_that_is_counted_is_in_one_document_of_the_format() {
        let mut metrics = Metrics::new("prod", "usage");
        for metric in Metric::ALL {
            metrics.count(metric, 1);
            metrics.count(metric, 2);
        }
        metrics.latency(1_830);

        let document = metrics.document(1_800_000_000_000).unwrap();

        check(&document);
        assert_eq!(
            (&document["Events"], &document["Latency"]),
            (&json!(3), &json!([1_830]))
        );
        assert_eq!(
            (&document["Stack"], &document["Function"]),
            (&json!("prod"), &json!("usage"))
        );
    }

    #[test]
    fn nought_is_said_and_silence_is_not() {
        let mut metrics = Metrics::new("prod", "canary");
        assert_eq!(metrics.document(0), None);

        metrics.count(Metric::SettingsInvalid, 0);

        assert_eq!(metrics.document(0).unwrap()["SettingsInvalid"], 0);
    }

    #[test]
    fn many_times_are_thinned_out_evenly() {
        let mut metrics = Metrics::new("prod", "usage");
        for millis in 0..10_000 {
            metrics.latency(millis);
        }

        let document = metrics.document(0).unwrap();

        check(&document);
        let kept: Vec<u64> = document["Latency"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_u64)
            .collect();
        assert!(kept.len() >= 50 && kept.is_sorted());
        let median = kept[kept.len() / 2];
        assert!((4_000..6_000).contains(&median), "{median}");
    }

    proptest! {
        #[test]
        fn no_name_breaks_out_of_the_line(stack in "(.|\n|\r|\"|\\\\|\u{2028}){0,40}", times in any::<u64>()) {
            let mut metrics = Metrics::new(&stack, "usage");
            metrics.count(Metric::Events, times);
            metrics.count(Metric::Events, times);

            let document = metrics.document(0).unwrap();

            let line = document.to_string();
            let is_one_line = !line.contains(['\n', '\r', '\u{2028}']);
            prop_assert!(is_one_line);
            prop_assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), document);
        }
    }
}
