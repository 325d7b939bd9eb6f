//! A round's counts, by stack and by region, in CloudWatch's embedded metric format: a line for each document.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tripmeter_aws::canary::Millis;

use crate::Report;

/// What alarms and the dashboard read. Nought is said too: the alarm takes silence for the worst.
pub(crate) fn documents(stack: &str, reports: &BTreeMap<String, Report>, now: Millis) -> Vec<Value> {
    let regions = reports.iter().map(|(region, report)| {
        let mut metrics = vec![
            ("CanaryMisses", "Count", i64::from(report.misses)),
            ("CanaryUnanswered", "Count", i64::from(report.no_longer)),
        ];
        metrics.extend(report.delay.map(|delay| ("CanaryDelay", "Milliseconds", delay)));
        let names = [("Stack", stack), ("Region", region)];
        document(&[&["Stack"], &["Stack", "Region"]], &names, &metrics, now)
    });
    let ran = document(&[&["Stack"]], &[("Stack", stack)], &[("CanaryRan", "Count", 1)], now);
    regions.chain([ran]).collect()
}

fn document(dimensions: &[&[&str]], names: &[(&str, &str)], metrics: &[(&str, &str, i64)], now: Millis) -> Value {
    let declared = metrics
        .iter()
        .map(|(name, unit, _)| json!({ "Name": name, "Unit": unit }));
    let about = json!({
        "Timestamp": now.0,
        "CloudWatchMetrics": [{
            "Namespace": "Tripmeter",
            "Dimensions": dimensions,
            "Metrics": declared.collect::<Value>(),
        }],
    });
    let names = names.iter().map(|(name, value)| ((*name).to_owned(), json!(value)));
    let values = metrics
        .iter()
        .map(|(name, _, value)| ((*name).to_owned(), json!(value)));
    [("_aws".to_owned(), about)]
        .into_iter()
        .chain(names)
        .chain(values)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_region_has_its_document_and_each_name_in_it_a_value() {
        let heard = Report {
            delay: Some(61_000),
            ..Report::default()
        };
        let lost = Report {
            misses: 3,
            ..Report::default()
        };
        let reports = [("eu-west-1".to_owned(), heard), ("us-east-1".to_owned(), lost)].into();

        let documents = documents("prod", &reports, Millis(1_800_000_000_000));

        let [europe, america, ran] = documents.as_slice() else {
            panic!("{documents:?}")
        };
        assert_eq!(
            (&europe["Region"], &europe["CanaryDelay"]),
            (&json!("eu-west-1"), &json!(61_000))
        );
        assert_eq!(
            (&europe["CanaryMisses"], &america["CanaryMisses"]),
            (&json!(0), &json!(3))
        );
        assert_eq!((&ran["CanaryRan"], &ran["Stack"]), (&json!(1), &json!("prod")));
        for document in &documents {
            let directive = &document["_aws"]["CloudWatchMetrics"][0];
            let metrics = directive["Metrics"].as_array().unwrap();
            assert!(
                metrics
                    .iter()
                    .all(|metric| document[metric["Name"].as_str().unwrap()].is_i64()),
                "{document}"
            );
            let dimensions = directive["Dimensions"]
                .as_array()
                .unwrap()
                .iter()
                .flat_map(|set| set.as_array().unwrap());
            assert!(
                dimensions
                    .clone()
                    .all(|name| document[name.as_str().unwrap()].is_string()),
                "{document}"
            );
        }
    }
}
