//! What the organisation pays, learned from its costs, so that usage is priced as it is counted.
//!
//! Costs come by the day, and late. They are no use of their own, or everything would be counted twice: they say what a
//! unit of a model has cost, with the organisation's discounts, its caching and its mix of what is read and written.
//!
//! <https://platform.openai.com/docs/api-reference/usage/costs>

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tripmeter_model::bounded;

use crate::pages::Row;
use crate::usage::Kind;

/// Models whose price is kept.
const MOST: usize = 500;

/// Millionths of a US dollar that a unit has cost, by what the unit is and by model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Prices(BTreeMap<String, f64>);

impl Prices {
    /// Out of rows by line item: the sum of what a model's units cost, by the sum of these units.
    ///
    /// ```
    /// use tripmeter_openai::{costs::Prices, usage::Kind};
    ///
    /// let row = serde_json::json!({
    ///     "amount": {"value": 3.0, "currency": "usd"},
    ///     "line_item": "gpt-6-sol, input", "quantity": 1_500, "quantity_unit": "1000_tokens",
    /// });
    /// let prices = Prices::of(row.as_object());
    /// let tokens = Kind::named("completions").unwrap();
    /// assert_eq!(prices.micros(tokens, "gpt-6-sol", 500_000), Some(1_000_000));
    /// assert_eq!(prices.micros(tokens, "gpt-6", 500_000), None);
    /// ```
    pub fn of<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Self {
        let mut sums: BTreeMap<String, (f64, f64)> = BTreeMap::new();
        for row in rows {
            if let (Some(name), Some(micros), Some(units)) = (priced(row), micros(row), units(row))
                && (sums.len() < MOST || sums.contains_key(&name))
            {
                let sum = sums.entry(name).or_default();
                *sum = (sum.0 + micros, sum.1 + units);
            }
        }
        Self(
            sums.into_iter()
                .map(|(name, (micros, units))| (name, micros / units))
                .collect(),
        )
    }

    /// What so many units of a kind cost with a model, in millionths of a US dollar. `None` for a model that nothing
    /// was paid for, and for what is not paid by the unit.
    pub fn micros(&self, kind: &Kind, model: &str, units: u64) -> Option<u64> {
        let price = self.0.get(&name(kind.billed?, model))?;
        Some((price * kind.scale as f64 * units as f64).round() as u64)
    }
}

fn name(unit: &str, model: &str) -> String {
    format!("{unit} {}", bounded(&model.to_lowercase(), 96))
}

/// What is priced by a row: a line item is a model, and mostly what of it: `gpt-6-sol, cached input`.
fn priced(row: &Row) -> Option<String> {
    let item = row.get("line_item")?.as_str()?;
    let model = item.split_once(',').map_or(item, |(model, _)| model);
    Some(name(measure(row)?.0, model.trim()))
}

/// The unit that a row's quantity is converted to, and how many of them one is.
fn measure(row: &Row) -> Option<(&'static str, f64)> {
    match row.get("quantity_unit")?.as_str()? {
        "tokens" => Some(("tokens", 1.0)),
        "1000_tokens" => Some(("tokens", 1_000.0)),
        "images" => Some(("images", 1.0)),
        "characters" => Some(("characters", 1.0)),
        "duration_seconds" => Some(("seconds", 1.0)),
        "duration_minutes" => Some(("seconds", 60.0)),
        "duration_hours" => Some(("seconds", 3_600.0)),
        _ => None,
    }
}

fn units(row: &Row) -> Option<f64> {
    let units = row.get("quantity")?.as_f64()? * measure(row)?.1;
    (units > 0.0 && units.is_finite()).then_some(units)
}

/// What a row cost, in millionths of a US dollar. `None` in another currency, or for a credit.
fn micros(row: &Row) -> Option<f64> {
    let amount = row.get("amount")?.as_object()?;
    let in_dollars = amount.get("currency")?.as_str()?.eq_ignore_ascii_case("usd");
    let value = amount.get("value")?;
    let dollars = value.as_f64().or_else(|| value.as_str()?.parse().ok())?;
    (in_dollars && dollars > 0.0 && dollars.is_finite()).then_some(dollars * 1_000_000.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn row(amount: &Value, item: &str, quantity: u64, unit: &str) -> Row {
        let row = json!({"amount": amount, "line_item": item, "quantity": quantity, "quantity_unit": unit});
        row.as_object().unwrap().clone()
    }

    fn dollars(value: f64) -> Value {
        json!({"value": value, "currency": "usd"})
    }

    fn of(rows: &[Row], kind: &str, units: u64) -> Option<u64> {
        Prices::of(rows).micros(Kind::named(kind).unwrap(), "gpt-6-sol", units)
    }

    #[test]
    fn a_models_price_is_the_mix_of_its_line_items_over_the_days() {
        let rows = [
            row(&dollars(2.0), "gpt-6-sol, input", 1_000_000, "tokens"),
            row(&dollars(8.0), "GPT-6-Sol, output", 1_000, "1000_tokens"),
            row(&dollars(500.0), "gpt-6-luna, input", 1_000, "tokens"),
        ];

        // 10 dollars for two million tokens.
        assert_eq!(of(&rows, "completions", 1_000_000), Some(5_000_000));
    }

    #[test]
    fn each_kind_is_priced_by_the_unit_that_it_is_billed_in() {
        let images = row(&dollars(4.0), "gpt-6-sol", 100, "images");
        let speech = row(&dollars(1.0), "gpt-6-sol", 500_000, "characters");
        let minutes = row(&dollars(6.0), "gpt-6-sol", 10, "duration_minutes");
        let rows = [images, speech, minutes];

        assert_eq!(of(&rows, "images", 3), Some(120_000));
        assert_eq!(of(&rows, "audio_speeches", 2), Some(4_000), "two thousand characters");
        assert_eq!(of(&rows, "audio_transcriptions", 60), Some(600_000));
        assert_eq!(of(&rows, "completions", 60), None);
        assert_eq!(of(&rows, "vector_stores", 60), None);
    }

    #[test]
    fn credits_other_currencies_and_what_has_no_quantity_price_nothing() {
        let euros = json!({"value": 1.0, "currency": "eur"});
        for rows in [
            row(&euros, "gpt-6-sol", 10, "tokens"),
            row(&dollars(-1.0), "gpt-6-sol", 10, "tokens"),
            row(&dollars(1.0), "gpt-6-sol", 0, "tokens"),
            row(&dollars(1.0), "gpt-6-sol", 10, "gibibyte_hours"),
        ] {
            assert_eq!(of(std::slice::from_ref(&rows), "completions", 1), None, "{rows:?}");
        }
        let text = row(&json!({"value": "0.5", "currency": "USD"}), "gpt-6-sol", 1, "tokens");
        assert_eq!(of(&[text], "completions", 1), Some(500_000));
    }

    proptest! {
        #[test]
        fn no_row_makes_it_fail(value in any::<f64>(), quantity in any::<f64>(), item in "\\PC{0,200}", units: u64) {
            let row = json!({"amount": dollars(value), "line_item": item, "quantity": quantity, "quantity_unit": "tokens"});
            let prices = Prices::of(row.as_object());
            let _ = prices.micros(Kind::named("completions").unwrap(), &item, units);
        }
    }
}
