//! AWS Budgets: notifications by SNS, as text for people. EventBridge has none.
//!
//! Source: notifications that people have published; AWS documents the topic ("Creating an Amazon SNS topic for budget
//! notifications"), not the text. So it is read line by line, in any order, and what is missing is missing: a text that
//! says nothing that is known is still a signal about the whole bill.

use tripmeter_model::{Activity, Service, Target, bounded};

use super::envelope::Envelope;
use super::names::service_named;

pub(super) const ABOUT: (&str, &str) = ("aws.budgets", "AWS Budgets notification");

/// What a notification says.
#[derive(Debug, Default, PartialEq)]
struct Notice {
    budget: String,
    forecast: bool,
    /// In US dollars, or in units of what the budget counts.
    budgeted: Option<f64>,
    threshold: Option<f64>,
    reached: Option<f64>,
}

/// An actual amount that has reached the budget is grave; a threshold below it, and a forecast, are not.
pub(super) fn read(envelope: &Envelope) -> Activity {
    let subject = envelope.text("/subject");
    let notice = Notice::of(subject, envelope.text("/message"));
    let service = service_named(&notice.budget).unwrap_or(Service::Billing);
    let exceeded = !notice.forecast
        && notice
            .reached
            .zip(notice.budgeted)
            .is_some_and(|(is, limit)| is >= limit);
    Activity {
        // A bill is of no region; the topic's is none of its business.
        region: String::new(),
        target: (!notice.budget.is_empty()).then(|| Target::Resource(notice.budget.clone())),
        grave: exceeded,
        ..envelope.signal(service, &notice.line(subject))
    }
}

impl Notice {
    fn of(subject: &str, message: &str) -> Self {
        let mut notice = Self {
            budget: bounded(name_in(subject), 128),
            ..Self::default()
        };
        // What the text says about itself is in `Name: value` lines.
        for (name, value) in message.lines().filter_map(|line| line.split_once(':')).take(64) {
            let (name, value) = (name.trim(), value.trim());
            match name.to_ascii_lowercase().as_str() {
                "budget name" => notice.budget = bounded(value, 128),
                "alert type" => notice.forecast = value.eq_ignore_ascii_case("FORECASTED"),
                "budgeted amount" => notice.budgeted = amount(value),
                "alert threshold" => notice.threshold = amount(value),
                "actual amount" | "forecasted amount" => notice.reached = amount(value),
                _ => {}
            }
        }
        notice
    }

    fn line(&self, subject: &str) -> String {
        let Some(reached) = self.reached else {
            let said = if subject.is_empty() {
                "a budget has spoken"
            } else {
                subject
            };
            return bounded(said, 200);
        };
        let kind = if self.forecast {
            "is forecast to reach"
        } else {
            "has reached"
        };
        let of = |what: &str, amount: Option<f64>| amount.map_or_else(String::new, |a| format!(", {what} {a:.2}"));
        format!(
            "the budget {} {kind} {reached:.2}{}{}",
            self.budget,
            of("budgeted", self.budgeted),
            of("alert above", self.threshold)
        )
    }
}

/// The budget's name in a subject: `AWS Budgets: NAME has exceeded your alert threshold`.
fn name_in(subject: &str) -> &str {
    let Some((_, rest)) = subject.split_once("AWS Budgets:") else {
        return "";
    };
    let ends = [" has exceeded", " is forecasted", " has been", " Action"];
    let end = ends.iter().filter_map(|end| rest.find(end)).min().unwrap_or(rest.len());
    rest.get(..end).unwrap_or(rest).trim()
}

/// The number in `> $1,200.50` or `85.5 GB`.
fn amount(text: &str) -> Option<f64> {
    let digits: String = text
        .chars()
        .skip_while(|c| !c.is_ascii_digit())
        .take_while(|c| c.is_ascii_digit() || matches!(c, '.' | ','))
        .filter(|c| *c != ',')
        .take(24)
        .collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use tripmeter_model::Kind;

    use super::*;
    use crate::signals::testing::{event, one};

    fn notice(name: &str, kind: &str, amount: &str) -> Activity {
        let message = format!(
            "AWS Budget Notification May 13, 2026\nAWS Account 111122223333\n\nDear AWS Customer,\n\nYou requested that we \
             alert you when the {kind} Cost associated with your {name} budget is greater than $80.00 for the current month. \
             The {kind} Cost associated with this budget is {amount}.\n\nBudget Name: {name}\nBudget Type: Cost\nBudgeted \
             Amount: $1,000.00\nAlert Type: {kind}\nAlert Threshold: > $800.00\n{kind} Amount: {amount}\n\n[1] https://x\n"
        );
        let subject = format!("AWS Budgets: {name} has exceeded your alert threshold");
        one(&event(
            ABOUT,
            serde_json::json!({ "subject": subject, "message": message }),
        ))
    }

    #[test]
    fn an_actual_budget_that_is_exceeded_is_grave_and_of_the_service_that_it_is_named_for() {
        let signal = notice("tripmeter-SES", "ACTUAL", "$1,234.50");

        assert_eq!(
            (signal.kind, signal.service, signal.grave),
            (Kind::SpendSignal, Service::Ses, true)
        );
        assert_eq!(
            signal.why,
            "the budget tripmeter-SES has reached 1234.50, budgeted 1000.00, alert above 800.00"
        );
        assert_eq!(signal.target, Some(Target::Resource("tripmeter-SES".into())));
        assert_eq!(
            (signal.identity.id.as_str(), signal.region.as_str()),
            ("meter:AWS Budgets notification", "")
        );
    }

    #[test]
    fn a_threshold_below_the_budget_and_a_forecast_above_it_are_weak() {
        assert!(!notice("all of it", "ACTUAL", "$850.00").grave);
        let forecast = notice("all of it", "FORECASTED", "$5,000.00");
        assert_eq!((forecast.service, forecast.grave), (Service::Billing, false));
        assert!(
            forecast.why.contains("is forecast to reach 5000.00"),
            "{}",
            forecast.why
        );
    }

    #[test]
    fn what_cannot_be_read_is_still_a_signal_about_the_bill() {
        for message in [
            "",
            "Ihr Budget wurde überschritten.",
            "Budget Name",
            "a:b\nActual Amount: much",
        ] {
            let subject = format!("AWS Budgets: Bedrock {} has exceeded", "x".repeat(900));
            let detail = serde_json::json!({ "subject": subject, "message": message });
            let signal = one(&event(ABOUT, detail));
            assert_eq!((signal.kind, signal.grave), (Kind::SpendSignal, false));
            assert!(signal.why.len() <= 200);
        }
        let nothing = one(&event(ABOUT, serde_json::json!({ "subject": null, "message": "?" })));
        assert_eq!(
            (nothing.service, nothing.why.as_str()),
            (Service::Billing, "a budget has spoken")
        );
    }
}
