//! What CloudWatch gave, added up by meter, key and period.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::types::MetricDataResult;
use tripmeter_aws::increments::Amount;
use tripmeter_catalogue::signals::metrics::{Adds, Meter};
use tripmeter_model::{Timestamp, bounded};

use super::query::{PERIOD_SECONDS, asked};
use crate::micros;

/// Keys of one meter that are kept: CloudWatch gives no more series for one search.
const MAX_KEYS: usize = 500;

/// Points by meter and key.
#[derive(Debug, Default)]
pub(super) struct Points {
    by_key: BTreeMap<(&'static str, String), Keyed>,
    series: u64,
}

/// The periods of one key of a meter.
#[derive(Debug, Default)]
struct Keyed {
    sums: BTreeMap<Timestamp, Sums>,
    /// Dollars since the month began, as they stood.
    to_date: BTreeMap<Timestamp, f64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    calls: u64,
    units: u64,
    tokens_in: u64,
    tokens_out: u64,
}

impl Points {
    /// Adds a page's points of a series. What was not asked for, and what is no count, is left out.
    pub(super) fn add(&mut self, result: &MetricDataResult) {
        let Some((meter, series)) = asked(result.id().unwrap_or_default()) else {
            return;
        };
        self.series += 1;
        let key = match series.dimensions {
            [] => String::new(),
            _ => bounded(result.label().unwrap_or_default(), 256),
        };
        let known = self.by_key.keys().filter(|(name, _)| *name == meter.name).count();
        let id = (meter.name, key);
        if known >= MAX_KEYS && !self.by_key.contains_key(&id) {
            return;
        }
        let keyed = self.by_key.entry(id).or_default();
        for (at, value) in result.timestamps().iter().zip(result.values()) {
            let begins = Timestamp::from_seconds(at.secs().div_euclid(PERIOD_SECONDS) * PERIOD_SECONDS);
            if value.is_finite() && *value > 0.0 {
                keyed.add(series.adds, begins, *value);
            }
        }
    }

    /// How many series there were, over all pages.
    pub(super) fn series(&self) -> u64 {
        self.series
    }

    /// The totals: meter, key, when the period begins, how much.
    pub(super) fn totals(&self) -> impl Iterator<Item = (&'static Meter, &str, Timestamp, Amount)> {
        self.by_key.iter().flat_map(|((name, key), keyed)| {
            let meter = Meter::named(name);
            let amounts = keyed.amounts(key);
            amounts
                .into_iter()
                .filter_map(move |(begins, amount)| Some((meter?, key.as_str(), begins, amount)))
        })
    }
}

impl Keyed {
    fn add(&mut self, adds: Adds, begins: Timestamp, value: f64) {
        let sums = self.sums.entry(begins).or_default();
        let count = value.round() as u64;
        match adds {
            Adds::Each => {
                sums.calls = sums.calls.saturating_add(count);
                sums.units = sums.units.saturating_add(count);
            }
            Adds::Calls => sums.calls = sums.calls.saturating_add(count),
            Adds::TokensIn => sums.tokens_in = sums.tokens_in.saturating_add(count),
            Adds::TokensOut => sums.tokens_out = sums.tokens_out.saturating_add(count),
            Adds::DollarsToDate => {
                let most = self.to_date.entry(begins).or_default();
                *most = most.max(value);
            }
        }
    }

    fn amounts(&self, key: &str) -> Vec<(Timestamp, Amount)> {
        let counted = self.sums.iter().map(|(begins, sums)| (*begins, sums.amount(key)));
        counted
            .chain(self.spent())
            .filter(|(_, amount)| *amount != Amount::default())
            .collect()
    }

    /// What was spent between points: the first has none before it. Where it fell, a month has begun.
    fn spent(&self) -> impl Iterator<Item = (Timestamp, Amount)> {
        let after = self.to_date.iter().skip(1);
        self.to_date.values().zip(after).map(|(before, (begins, dollars))| {
            let spent = if dollars < before { *dollars } else { dollars - before };
            // A cent stands for a message, the cheapest of which costs about one.
            let cents = (spent * 100.0).ceil() as u64;
            let amount = Amount {
                calls: cents,
                units: cents,
                micros: (spent * 1_000_000.0).round() as u64,
            };
            (*begins, amount)
        })
    }
}

impl Sums {
    fn amount(self, key: &str) -> Amount {
        let tokens = self.tokens_in.saturating_add(self.tokens_out);
        let priced = if tokens > 0 {
            micros(key, self.tokens_in, self.tokens_out)
        } else {
            0
        };
        Amount {
            calls: self.calls,
            units: self.units.saturating_add(tokens),
            micros: priced,
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudwatch::primitives::DateTime;
    use tripmeter_catalogue::signals::metrics::METERS;

    use super::*;

    const BEGIN: i64 = 1_773_717_300;

    /// The result of the query for a metric: a point for each period.
    fn result(metric: &str, label: &str, values: &[f64]) -> MetricDataResult {
        let place = METERS.iter().zip(0..).find_map(|(meter, m)| {
            let s = meter.series.iter().position(|series| series.metric == metric)?;
            Some(format!("m{m}s{s}"))
        });
        let times = (0..values.len() as i64).map(|n| DateTime::from_secs(BEGIN + n * PERIOD_SECONDS));
        MetricDataResult::builder()
            .id(place.unwrap())
            .label(label)
            .set_timestamps(Some(times.collect()))
            .set_values(Some(values.to_vec()))
            .build()
    }

    fn totals(results: &[MetricDataResult]) -> Vec<(&'static str, String, i64, Amount)> {
        let mut points = Points::default();
        for result in results {
            points.add(result);
        }
        let told = points.totals().map(|(meter, key, begins, amount)| {
            (
                meter.name,
                key.to_owned(),
                (begins.seconds() - BEGIN) / PERIOD_SECONDS,
                amount,
            )
        });
        told.collect()
    }

    #[test]
    fn calls_and_tokens_of_a_model_are_one_amount_with_its_price() {
        let model = "anthropic.claude-sonnet-4-20250514-v1:0";
        let read = totals(&[
            result("Invocations", model, &[2.0]),
            result("InputTokenCount", model, &[1_000_000.0]),
            result("OutputTokenCount", model, &[1_000.0]),
        ]);
        let amount = Amount {
            calls: 2,
            units: 1_001_000,
            micros: 3_015_000,
        };
        assert_eq!(read, [("AWS/Bedrock", model.to_owned(), 0, amount)]);
    }

    #[test]
    fn what_was_spent_is_what_the_months_sum_grew_by_and_a_new_month_begins_at_nothing() {
        let read = totals(&[result("SMSMonthToDateSpentUSD", "", &[40.0, 40.0, 41.5, 0.25])]);

        let spent: Vec<(i64, u64, u64)> = read
            .iter()
            .map(|(_, _, at, amount)| (*at, amount.units, amount.micros))
            .collect();
        assert_eq!(spent, [(2, 150, 1_500_000), (3, 25, 250_000)]);
    }

    #[test]
    fn pages_of_a_series_and_series_of_a_meter_add_up() {
        let delivered = result("NumberOfNotificationsDelivered", "x", &[100.0]);
        let failed = result("NumberOfNotificationsFailed", "x", &[20.0]);
        let read = totals(&[delivered, failed]);
        assert_eq!(read.iter().map(|(.., amount)| amount.units).collect::<Vec<_>>(), [120]);
    }

    #[test]
    fn what_is_no_count_is_left_out() {
        assert_eq!(totals(&[result("Send", "", &[f64::NAN, -5.0, 0.0, f64::INFINITY])]), []);
        let huge = totals(&[result("Send", "", &[1e300])]);
        assert_eq!(huge.first().map(|(.., amount)| amount.units), Some(u64::MAX));
    }
}
