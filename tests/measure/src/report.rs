//! The tables that come out: rates with their intervals, shares and delays.

use scenarios::dice::Dice;

/// Resamples for an interval.
const RESAMPLES: usize = 2_000;

/// A rate per 1,000 identity-weeks, with its 95 % interval.
pub(crate) struct Rate {
    pub(crate) value: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// The rate of `(findings, identity-weeks)` by account. Findings of one account come together, so the interval
/// resamples accounts, not findings; with none at all, its upper end is the rule of three.
pub(crate) fn rate(accounts: &[(usize, f64)], dice: &mut Dice) -> Rate {
    let of = |sample: &mut dyn Iterator<Item = (usize, f64)>| {
        let (found, weeks) = sample.fold((0, 0.0), |(f, w), (found, weeks)| (f + found, w + weeks));
        (found, 1_000.0 * found as f64 / f64::max(weeks, 1.0), weeks)
    };
    let (found, rate, weeks) = of(&mut accounts.iter().copied());
    if found == 0 {
        return Rate {
            value: rate,
            low: 0.0,
            high: 3_000.0 / f64::max(weeks, 1.0),
        };
    }
    let mut rates: Vec<f64> = (0..RESAMPLES)
        .map(|_| of(&mut (0..accounts.len()).map(|_| *dice.pick(accounts))).1)
        .collect();
    rates.sort_by(f64::total_cmp);
    Rate {
        value: rate,
        low: quantile(&rates, 0.025),
        high: quantile(&rates, 0.975),
    }
}

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2} ({:.2}-{:.2})", self.value, self.low, self.high)
    }
}

/// A quantile of sorted values; 0 for none.
pub(crate) fn quantile(sorted: &[f64], q: f64) -> f64 {
    let place = (q * sorted.len().saturating_sub(1) as f64).round() as usize;
    sorted.get(place).copied().unwrap_or_default()
}

/// `26/153, 3 min`: calls at the median and at nine tenths, minutes at the median; a dash for none.
pub(crate) fn delays(mut found: Vec<(f64, f64)>) -> String {
    if found.is_empty() {
        return "-".into();
    }
    let mut minutes: Vec<f64> = found.iter().map(|(_, m)| *m).collect();
    minutes.sort_by(f64::total_cmp);
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    let calls: Vec<f64> = found.iter().map(|(c, _)| *c).collect();
    format!(
        "{:.0}/{:.0}, {}",
        quantile(&calls, 0.5),
        quantile(&calls, 0.9),
        span(quantile(&minutes, 0.5))
    )
}

/// Minutes as people say them.
fn span(minutes: f64) -> String {
    match minutes {
        m if m < 120.0 => format!("{m:.0} min"),
        m if m < 48.0 * 60.0 => format!("{:.0} h", m / 60.0),
        m => format!("{:.1} d", m / 1_440.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_lies_within_its_interval_and_accounts_that_differ_widen_it() {
        let mut dice = Dice::new(1, "rate");

        let alike = rate(&[(1, 500.0); 40], &mut dice);
        let unlike = rate(&[vec![(0, 500.0); 39], vec![(40, 500.0)]].concat(), &mut dice);

        assert!((alike.value - 2.0).abs() < 1e-9 && (unlike.value - 2.0).abs() < 1e-9);
        assert!(alike.high - alike.low < 1e-9);
        assert!(unlike.low < 0.1 && unlike.high > 4.0, "{unlike}");
    }

    #[test]
    fn nothing_found_is_not_proof_of_nothing() {
        let none = rate(&[(0, 1_500.0)], &mut Dice::new(1, "rate"));

        assert_eq!(none.to_string(), "0.00 (0.00-2.00)");
    }

    #[test]
    fn delays_are_told_in_the_unit_that_fits() {
        assert_eq!(delays(vec![]), "-");
        assert_eq!(delays(vec![(26.0, 3.0)]), "26/26, 3 min");
        assert_eq!(
            delays(vec![(30.0, 7_200.0), (10.0, 7_200.0), (20.0, 7_200.0)]),
            "20/30, 5.0 d"
        );
    }
}
