//! Points in words: what was observed, what was expected, and how rare that is.

use tripmeter_model::{Factor, FactorName, Outcome};

use crate::baseline::Horizon;
use crate::cell::{Counted, Surprise};
use crate::detections::spend_signal::{Signals, blind_spot};
use crate::ledger::Opening;
use crate::novelty::Known;

use crate::tails::{log10_tail, threshold};
use crate::weigh::{Note, Part};

/// A factor as the finding shows it.
pub(crate) fn factor(part: &Part<'_>) -> Factor {
    let (text, observed, expected) = match part.note {
        Note::Surprise(surprise) => (
            volume(&surprise),
            Some(surprise.count as f64),
            Some(surprise.expected.mean),
        ),
        Note::Newcomer(surprise) => (newcomer(&surprise), Some(surprise.count as f64), Some(0.0)),
        Note::Value { value, known } => (
            value_text(part.name, &value.text, known),
            Some(value.count as f64),
            Some(0.0),
        ),
        Note::Hour(hour) => (
            format!(
                "never used between {hour:02}:00 and {:02}:00 UTC before",
                (hour + 1) % 24
            ),
            None,
            None,
        ),
        Note::Times(n) => (times(part.name, n), Some(n as f64), None),
        Note::Opening(opening) => (opening_text(opening), Some(f64::from(opening.count)), None),
        Note::Lasting { hours, days } => (
            format!("it lasts: anomalous in {hours} hours of this day, on {days} of the last 7 days"),
            Some(f64::from(hours.max(days))),
            None,
        ),
        Note::Kept(days) => (
            format!(
                "it keeps coming back: on {days} of the last 7 days from a place that is younger than two weeks and \
                 nobody else's"
            ),
            Some(f64::from(days)),
            None,
        ),
        Note::Unopened => (
            "what is new here stands for an opening, then use that leaves its baseline (AN0417)".to_owned(),
            None,
            None,
        ),
        Note::BlindSpot(service) => (
            format!(
                "no record shows whose it is, or shows less than it takes: look for {}",
                blind_spot(service)
            ),
            None,
            None,
        ),
        Note::Above(units, ceiling, per) => (
            format!("{units} units in this {per}; the ceiling is {ceiling}"),
            Some(units as f64),
            Some(ceiling as f64),
        ),
        Note::Signals(signals) => (signals_text(&signals), Some(signals.sources as f64), None),
        Note::Nothing => (plain(part.name).to_owned(), None, None),
    };
    Factor {
        name: part.name,
        points: part.points,
        text,
        observed,
        expected,
    }
}

/// The words of a window: what it holds, what was expected, how rare it is.
pub(crate) fn volume(surprise: &Surprise) -> String {
    let Surprise {
        counted,
        horizon,
        count,
        expected,
        ..
    } = surprise;
    let unit = match counted {
        Counted::Calls => "calls",
        Counted::Units => "units",
        Counted::Tokens => "tokens",
    };
    format!(
        "{}; most before: {}",
        tail(*horizon, *count, unit, expected.mean, expected.dispersion),
        number(expected.peak)
    )
}

/// The words of a window of an identity that is new among others.
fn newcomer(surprise: &Surprise) -> String {
    let window = match surprise.horizon {
        Horizon::TenMinutes => "in ten minutes",
        _ => "in this hour",
    };
    let others = number(surprise.expected.peak);
    format!(
        "{} calls {window} by an identity that is new here; the busiest hour of any other: {others}",
        surprise.count
    )
}

/// The words of a count against a mean: `412 calls in this hour; 18 expected; 99.9 % of such hours stay below 47;
/// p = 1e-9`.
pub(crate) fn tail(horizon: Horizon, count: u64, unit: &str, mean: f64, dispersion: f64) -> String {
    let (window, plural) = match horizon {
        Horizon::TenMinutes => ("in ten minutes", "ten minutes"),
        Horizon::Hour => ("in this hour", "hours"),
        Horizon::Day => ("today", "days"),
        Horizon::Week => ("in seven days", "weeks"),
        Horizon::Month => ("in four weeks", "months"),
    };
    let below = threshold(mean, dispersion, 1e-3);
    let p = log10_tail(count, mean, dispersion);
    let p = if p < -99.0 {
        "p < 1e-99".to_owned()
    } else {
        format!("p = 1e{p:.0}")
    };
    format!(
        "{count} {unit} {window}; {} expected; 99.9 % of such {plural} stay below {below}; {p}",
        number(mean)
    )
}

fn number(value: f64) -> String {
    if value < 0.05 {
        "0".to_owned()
    } else if value < 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    }
}

fn value_text(name: FactorName, value: &str, known: Known) -> String {
    let what = match name {
        FactorName::NewRegion => "region",
        FactorName::NewNetwork => "network",
        FactorName::NewClient => "client",
        _ => "target",
    };
    match known {
        Known::ToNobody => format!("new {what} {value}, never seen in this account's use of the service"),
        Known::ToTheAccount => format!("new {what} {value} for this identity; others here have used it"),
    }
}

fn times(name: FactorName, n: u64) -> String {
    match name {
        FactorName::NeverSeenIdentity => format!("never used this service before; {n} calls in its first day"),
        FactorName::Dormant => format!("silent for 28 days before; {n} calls in 24 hours"),
        FactorName::Fresh => {
            format!("{n} calls in 24 hours from places, clients or targets that yesterday did not know")
        }
        FactorName::GeoVelocity => {
            format!("in two places at once: {n} calls from what is new, while the usual ones go on")
        }
        FactorName::FirstUseOfService => format!("the account never used this service before; {n} calls in 24 hours"),
        FactorName::Volume => format!("{n} in this hour on a service that the account never used"),
        FactorName::DeniedRegion => format!("{n} calls in a region that is not allowed"),
        _ => format!("{n} times"),
    }
}

fn opening_text(opening: &Opening) -> String {
    let calls: Vec<&str> = opening.calls.keys().map(String::as_str).take(3).collect();
    let more = opening.calls.len().saturating_sub(calls.len());
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    let how = match opening.calls.values().map(|call| call.outcome).min() {
        Some(Outcome::Success) | None => "",
        Some(_) => ", refused",
    };
    format!(
        "{}{more}{how} by {} at {}",
        calls.join(", "),
        opening.identity.short_name(),
        opening.first
    )
}

fn signals_text(signals: &Signals<'_>) -> String {
    let Signals { told, sources } = signals;
    let calls: Vec<&str> = told.calls.keys().map(String::as_str).collect();
    let why = told.whys.first().filter(|why| !why.is_empty());
    let why = why.map_or_else(String::new, |why| format!(": {why}"));
    let more = match sources.saturating_sub(1) {
        0 => String::new(),
        more => format!("; and {more} more sources say so"),
    };
    format!("{} at {}{why}{more}", calls.join(", "), told.first)
}

fn plain(name: FactorName) -> &'static str {
    match name {
        FactorName::Chain => "an opening, then use that leaves its baseline (AN0417)",
        FactorName::NewNetwork => "network and client that no identity of this account ever showed",
        _ => "see the runbook",
    }
}
