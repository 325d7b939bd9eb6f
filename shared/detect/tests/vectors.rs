//! The statistical core against values that other programs computed: scipy, mpmath, and a fold in plain Python.
//! The file says what its fields are.
#![allow(clippy::unwrap_used, clippy::panic)]

use serde::Deserialize;
use tripmeter_detect::baseline::{Clip, DayCounts, DayType, Horizon, Measure, Params};
use tripmeter_detect::novelty::{Attribute, Known, Rates, Seen};
use tripmeter_detect::{codes, tails};

#[derive(Deserialize)]
struct Vectors {
    tails: Rows<(u64, f64, f64, f64)>,
    thresholds: Rows<(f64, f64, f64, u64)>,
    code8: Rows<(f64, u8, f64)>,
    code16: Rows<(f64, u16, f64)>,
    gates: Rows<(String, f64, f64, bool, u64)>,
    histories: Rows<History>,
    novelty: Rows<NoveltyRow>,
}

type NoveltyRow = (String, u32, u32, f64, f64, f64, f64, f64, f64);

#[derive(Deserialize)]
struct Rows<T> {
    rows: Vec<T>,
}

#[derive(Deserialize)]
struct History {
    name: String,
    first_day: i32,
    days: Vec<(String, u32)>,
    n_weekday_weekend: [u8; 2],
    slots: Vec<u16>,
    #[serde(rename = "A_B_N")]
    spread: [f64; 3],
    day_ring: Vec<u8>,
    hour_ring: Vec<u8>,
    ten_ring: Vec<u8>,
    weeks: Vec<u8>,
    gates: serde_json::Map<String, serde_json::Value>,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("data/vectors.json")).unwrap()
}

#[track_caller]
fn assert_close(found: f64, wanted: f64, relative: f64, what: &str) {
    let error = (found - wanted).abs();
    assert!(
        error <= (relative * wanted.abs()).max(1e-9),
        "{what}: {found}, not {wanted}"
    );
}

fn horizon(name: &str) -> Horizon {
    match name {
        "ten" => Horizon::TenMinutes,
        "hour" => Horizon::Hour,
        "day" => Horizon::Day,
        "week" => Horizon::Week,
        "month" => Horizon::Month,
        other => panic!("no horizon: {other}"),
    }
}

fn day_counts((hours, largest_ten): &(String, u32)) -> DayCounts {
    let mut counts = DayCounts {
        largest_ten: *largest_ten,
        ..DayCounts::default()
    };
    for (hour, count) in counts.hours.iter_mut().zip(hours.split_whitespace()) {
        *hour = count.parse().unwrap();
    }
    counts
}

#[test]
fn tails_agree_with_scipy() {
    for (n, mean, dispersion, log10_p) in vectors().tails.rows {
        let found = tails::log10_tail(n, mean, dispersion);

        assert_close(found, log10_p, 1e-6, &format!("P(X >= {n}), {mean}, {dispersion}"));
    }
}

#[test]
fn thresholds_are_the_smallest_such_counts() {
    for (mean, dispersion, p, n) in vectors().thresholds.rows {
        assert_eq!(tails::threshold(mean, dispersion, p), n, "{mean}, {dispersion}, {p}");
    }
}

#[test]
fn codes_and_their_values_agree() {
    for (value, code, back) in vectors().code8.rows {
        assert_eq!(codes::code8(value), code, "{value}");
        assert_close(codes::value8(code), back, 1e-9, "value of a code");
    }
    for (value, code, back) in vectors().code16.rows {
        assert_eq!(codes::code16(value), code, "{value}");
        assert_close(codes::value16(code), back, 1e-9, "value of a long code");
    }
}

#[test]
fn gates_agree() {
    let params = Params::identity();
    for (name, mean, peak, young, gate) in vectors().gates.rows {
        let age = if young { 27 } else { 28 };

        assert_eq!(
            params.gate(horizon(&name), age, mean, peak),
            gate,
            "{name} {mean} {peak} {young}"
        );
    }
}

#[test]
fn folded_histories_agree() {
    let params = Params::identity();
    for history in vectors().histories.rows {
        let mut measure = Measure::new(history.first_day);

        for day in &history.days {
            measure.fold(&day_counts(day), &params, Clip::Usual);
        }

        let name = &history.name;
        let kept = measure.history();
        let seen = [DayType::Weekday, DayType::Weekend].map(|kind| measure.days_seen(kind));
        assert_eq!(seen, history.n_weekday_weekend, "{name}");
        assert_eq!(kept.days().codes(), history.day_ring, "{name}: days");
        assert_eq!(kept.largest_hours().codes(), history.hour_ring, "{name}: hours");
        assert_eq!(kept.largest_tens().codes(), history.ten_ring, "{name}: ten minutes");
        assert_eq!(kept.weeks().codes(), history.weeks, "{name}: weeks");
        let slots = [DayType::Weekday, DayType::Weekend].map(|kind| *measure.slots(kind));
        assert_eq!(slots.as_flattened(), history.slots, "{name}: slots");
        let spread = kept.spread();
        for (found, wanted) in [spread.excess, spread.squares, spread.hours]
            .into_iter()
            .zip(history.spread)
        {
            assert_close(found.into(), wanted, 1e-6, &format!("{name}: spread"));
        }
    }
}

#[test]
fn expectations_agree() {
    let params = Params::identity();
    for history in vectors().histories.rows {
        let mut measure = Measure::new(history.first_day);
        for day in &history.days {
            measure.fold(&day_counts(day), &params, Clip::Usual);
        }

        for (window, gates) in &history.gates {
            let (days, hour) = window.trim_end_matches('h').split_once('d').unwrap();
            let day = measure.next_day() + days.parse::<i32>().unwrap();
            let expected = measure.expect(day, hour.parse().unwrap(), &params);

            for name in ["ten", "hour", "day", "week", "month"] {
                let what = format!("{}: {window}, {name}", history.name);
                let found = expected.get(horizon(name));
                let wanted: Option<(u64, f64, f64)> =
                    gates.get(name).map(|row| serde_json::from_value(row.clone()).unwrap());
                assert_eq!(found.map(|e| e.gate), wanted.map(|w| w.0), "{what}");
                if let (Some(found), Some((_, mean, dispersion))) = (found, wanted) {
                    assert_close(found.mean, mean, 1e-6, &what);
                    assert_close(found.dispersion, dispersion, 1e-6, &what);
                }
            }
        }
    }
}

#[test]
fn novelty_agrees() {
    for (name, days, every, active, novel, p_new, bits, new_to_all, known) in vectors().novelty.rows {
        let attribute = match name.as_str() {
            "region" => Attribute::Region,
            "network" => Attribute::Network,
            "client" => Attribute::Client,
            "target" => Attribute::Target,
            other => panic!("no attribute: {other}"),
        };
        let mut rates = Rates::default();

        for day in 1..=days {
            let brings = every > 0 && day % every == 0;
            rates.fold(if brings { Seen::Never } else { Seen::Before });
        }

        let what = format!("{name}, {days} days, every {every}");
        let p = rates.p_new(attribute.prior());
        assert_close(rates.active, active, 1e-9, &what);
        assert_close(rates.novel, novel, 1e-9, &what);
        assert_close(p, p_new, 1e-9, &what);
        assert_close(-p.log2(), bits, 1e-9, &what);
        assert_close(attribute.points(p, Known::ToNobody), new_to_all, 1e-9, &what);
        assert_close(attribute.points(p, Known::ToTheAccount), known, 1e-9, &what);
    }
}
