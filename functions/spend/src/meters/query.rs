//! What CloudWatch is asked: one query for each series of each meter.
//!
//! A metric with dimensions is searched for: CloudWatch gives a series for each value, labelled with it. A search finds
//! what had a point in the last two weeks, 100 series at the most.
//! Source: "Search expression syntax" and "Use dynamic labels", Amazon CloudWatch User Guide.

use aws_sdk_cloudwatch::types::{Metric, MetricDataQuery, MetricStat};
use tripmeter_catalogue::signals::metrics::{Adds, METERS, Meter, Series};

/// How long a period is, in seconds: most of these metrics have a point for each minute or each five.
pub const PERIOD_SECONDS: i64 = 300;

/// Every query of every meter.
pub(super) fn all() -> Vec<MetricDataQuery> {
    numbered().map(|(id, _, series)| query(&id, series)).collect()
}

/// The meter and series of a query's id.
pub(super) fn asked(id: &str) -> Option<(&'static Meter, &'static Series)> {
    numbered().find_map(|(known, meter, series)| (known == id).then_some((meter, series)))
}

fn numbered() -> impl Iterator<Item = (String, &'static Meter, &'static Series)> {
    METERS.iter().zip(0..).flat_map(|(meter, m)| {
        let series = meter.series.iter().zip(0..);
        series.map(move |(series, s)| (format!("m{m}s{s}"), meter, series))
    })
}

fn query(id: &str, series: &Series) -> MetricDataQuery {
    let statistic = match series.adds {
        Adds::DollarsToDate => "Maximum",
        _ => "Sum",
    };
    let query = MetricDataQuery::builder().id(id).return_data(true);
    let Some(first) = series.dimensions.first() else {
        let metric = Metric::builder()
            .namespace(series.namespace)
            .metric_name(series.metric)
            .build();
        let stat = MetricStat::builder()
            .metric(metric)
            .period(PERIOD_SECONDS as i32)
            .stat(statistic);
        return query.metric_stat(stat.build()).build();
    };
    let schema = series.dimensions.join(",");
    let search = format!(
        "SEARCH('{{{},{schema}}} MetricName=\"{}\"', '{statistic}', {PERIOD_SECONDS})",
        series.namespace, series.metric
    );
    query
        .expression(search)
        .label(format!("${{PROP('Dim.{first}')}}"))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_query_is_found_again_by_its_id() {
        let queries = all();
        assert!(queries.len() > 10);
        for query in queries {
            let (_, series) = asked(query.id().unwrap_or_default()).unwrap();
            let named = query.metric_stat().and_then(|stat| stat.metric()?.metric_name());
            let found =
                named == Some(series.metric) || query.expression().is_some_and(|text| text.contains(series.metric));
            assert!(found, "{query:?}");
        }
        assert!(asked("m99s0").is_none());
    }

    #[test]
    fn a_metric_of_models_is_searched_for_and_labelled_by_model() {
        let (_, series) = numbered()
            .map(|(_, m, s)| (m, s))
            .find(|(_, s)| s.metric == "InputTokenCount")
            .unwrap();
        let query = query("m6s1", series);
        assert_eq!(
            query.expression(),
            Some("SEARCH('{AWS/Bedrock,ModelId} MetricName=\"InputTokenCount\"', 'Sum', 300)")
        );
        assert_eq!(query.label(), Some("${PROP('Dim.ModelId')}"));
    }
}
