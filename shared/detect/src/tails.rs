//! How rare a count is: tails of the negative binomial distribution and of its limit, the Poisson distribution.
//!
//! A count has mean m and variance m + d m^2, where d is its dispersion. P(X >= n) is the regularised incomplete
//! beta function I_x(n, 1/d) with x = d m / (1 + d m), and for d = 0 the lower incomplete gamma function P(n, m)
//! (NIST Digital Library of Mathematical Functions, 8.4, 8.17). Both are kept as logarithms: the tails of an attack
//! lie far below what a float holds.

use std::f64::consts::{LN_2, LN_10};

/// Below this product of dispersion and mean the two distributions agree to nine digits.
const POISSON_BELOW: f64 = 1e-6;

/// Terms after which a series or continued fraction is left as it is. It takes about sqrt(n) of them next to the
/// mean, and few where a gate is, at one and a half times the mean or more.
const MOST_TERMS: u32 = 100_000;

/// What stands for nought in Lentz's method.
const TINY: f64 = 1e-300;

/// log10 of P(X >= n) for a count X with this mean and this dispersion: 0 for what is certain, and negative
/// infinity for what cannot be.
pub fn log10_tail(n: u64, mean: f64, dispersion: f64) -> f64 {
    ln_tail(n, mean, dispersion) / LN_10
}

/// Whether P(X >= n) is at most `p`.
pub fn tail_at_most(n: u64, mean: f64, dispersion: f64, p: f64) -> bool {
    ln_tail(n, mean, dispersion) <= libm::log(p)
}

/// The smallest n with P(X >= n) <= `p`: what people read as "such hours stay below". Bisected, so for findings and
/// not for each event.
pub fn threshold(mean: f64, dispersion: f64, p: f64) -> u64 {
    let rare = |n: u64| tail_at_most(n, mean, dispersion, p);
    // Doubling from the mean brackets it in as many steps as the tail has powers of two.
    let mut above = (mean.max(1.0) as u64).clamp(1, u64::MAX / 4);
    while !rare(above) && above < u64::MAX / 4 {
        above *= 2;
    }
    let mut below = 0;
    while above - below > 1 {
        let middle = below + (above - below) / 2;
        if rare(middle) {
            above = middle;
        } else {
            below = middle;
        }
    }
    above
}

fn ln_tail(n: u64, mean: f64, dispersion: f64) -> f64 {
    if n == 0 {
        return 0.0;
    }
    if mean.is_nan() || mean <= 0.0 {
        return f64::NEG_INFINITY;
    }
    let n = n as f64;
    let odds = dispersion * mean;
    let ln = if odds.is_nan() || odds < POISSON_BELOW {
        ln_lower_gamma(n, mean)
    } else {
        ln_beta(n, 1.0 / dispersion, odds)
    };
    // Rounding must not make anything likelier than certain.
    ln.min(0.0)
}

/// ln I_x(a, b) with x = odds / (1 + odds), by the continued fraction on that side of the mean where it is quick.
fn ln_beta(a: f64, b: f64, odds: f64) -> f64 {
    let (x, rest) = (odds / (1.0 + odds), 1.0 / (1.0 + odds));
    let ln_rest = -libm::log1p(odds);
    let ln_x = libm::log(odds) + ln_rest;
    let ln_front = libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b) + a * ln_x + b * ln_rest;
    if x > (a + 1.0) / (a + b + 2.0) {
        ln_complement(ln_front - libm::log(b) - libm::log(beta_denominator(b, a, rest)))
    } else {
        ln_front - libm::log(a) - libm::log(beta_denominator(a, b, x))
    }
}

/// The continued fraction under the front factor of the incomplete beta function (DLMF 8.17.22).
fn beta_denominator(a: f64, b: f64, x: f64) -> f64 {
    lentz(1.0, |term| {
        let m = f64::from(term / 2);
        let numerator = if term % 2 == 0 {
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        } else {
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        };
        (numerator, 1.0)
    })
}

/// ln P(a, x): the series below the mean (DLMF 8.11.4), the complement of the continued fraction above it (8.9.2).
fn ln_lower_gamma(a: f64, x: f64) -> f64 {
    let ln_front = a * libm::log(x) - x - libm::lgamma(a);
    if x > a + 1.0 {
        let denominator = lentz(x + 1.0 - a, |term| {
            let m = f64::from(term);
            (-m * (m - a), x + 2.0 * m + 1.0 - a)
        });
        return ln_complement(ln_front - libm::log(denominator));
    }
    let (mut term, mut sum) = (1.0, 1.0);
    for k in 1..MOST_TERMS {
        term *= x / (a + f64::from(k));
        sum += term;
        if term < f64::EPSILON * sum {
            break;
        }
    }
    ln_front - libm::log(a) + libm::log(sum)
}

/// first + n1/(d1 + n2/(d2 + ...)) by the modified method of Lentz, where `terms` gives (n, d) of each term from 1.
fn lentz(first: f64, terms: impl Fn(u32) -> (f64, f64)) -> f64 {
    let away_from_nought = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut value = away_from_nought(first);
    let (mut c, mut d) = (value, 0.0);
    for term in 1..MOST_TERMS {
        let (numerator, denominator) = terms(term);
        d = 1.0 / away_from_nought(denominator + numerator * d);
        c = away_from_nought(denominator + numerator / c);
        value *= c * d;
        if (c * d - 1.0).abs() < 2.0 * f64::EPSILON {
            break;
        }
    }
    value
}

/// ln(1 - e^ln), exact at both ends.
fn ln_complement(ln: f64) -> f64 {
    if ln > -LN_2 {
        libm::log(-libm::expm1(ln.min(0.0)))
    } else {
        libm::log1p(-libm::exp(ln))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_is_certain_and_something_of_nothing_cannot_be() {
        assert!(log10_tail(0, 5.0, 0.3).abs() < f64::EPSILON);
        assert!(log10_tail(1, 0.0, 0.3) < f64::MIN);
        assert_eq!(threshold(0.0, 0.3, 1e-3), 1);
    }

    proptest! {
        #[test]
        fn a_larger_count_is_never_likelier(
            n in 0_u64..2_000_000, more in 1_u64..1_000, mean in 1e-3..1e6_f64, dispersion in 0.0..200.0_f64,
        ) {
            let (less, rarer) = (log10_tail(n, mean, dispersion), log10_tail(n + more, mean, dispersion));

            prop_assert!(rarer <= less + 1e-7 * less.abs() + 1e-9, "{rarer} after {less}");
        }

        #[test]
        fn every_count_has_a_probability(n in any::<u32>(), mean in 0.0..1e10_f64, dispersion in 0.0..1e4_f64) {
            let log10 = log10_tail(u64::from(n), mean, dispersion);

            prop_assert!(!log10.is_nan() && log10 <= 0.0);
        }

        #[test]
        fn the_threshold_is_the_smallest_such_count(
            mean in 1e-3..1e4_f64, dispersion in 0.0..50.0_f64, exponent in 2.0..12.0_f64,
        ) {
            let p = 10.0_f64.powf(-exponent);

            let n = threshold(mean, dispersion, p);

            prop_assert!(tail_at_most(n, mean, dispersion, p));
            prop_assert!(!tail_at_most(n - 1, mean, dispersion, p));
        }
    }
}
