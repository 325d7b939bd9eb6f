//! Counts as codes: a byte or two on a logarithmic scale, since a baseline needs magnitudes, not digits.

use std::sync::LazyLock;

/// A byte for a count: steps of 12 %, exact at nought, saturated at 6e12.
pub fn code8(value: f64) -> u8 {
    // The conversion saturates, and takes what is no number for nought.
    (6.0 * libm::log2(1.0 + value.max(0.0)) + 0.5) as u8
}

/// The value of each [`code8`]: reading a ring takes forty of them.
static VALUES8: LazyLock<[f64; 256]> =
    LazyLock::new(|| std::array::from_fn(|code| libm::exp2(code as f64 / 6.0) - 1.0));

/// The count that a byte stands for.
pub fn value8(code: u8) -> f64 {
    VALUES8.get(usize::from(code)).copied().unwrap_or_default()
}

/// Two bytes for a mean, which may lie far below one: steps of 0.04 %, saturated at 1e11.
pub fn code16(value: f64) -> u16 {
    (1600.0 * libm::log2(1.0 + 16.0 * value.max(0.0)) + 0.5) as u16
}

/// The mean that two bytes stand for.
pub fn value16(code: u16) -> f64 {
    (libm::exp2(f64::from(code) / 1600.0) - 1.0) / 16.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_count_becomes_a_bound() {
        let strange = [f64::NAN, -1.0, f64::NEG_INFINITY, f64::INFINITY];

        assert_eq!(strange.map(code8), [0, 0, 0, u8::MAX]);
        assert_eq!(strange.map(code16), [0, 0, 0, u16::MAX]);
    }

    proptest! {
        #[test]
        fn a_code_means_a_count_that_has_this_code(short in any::<u8>(), long in any::<u16>()) {
            prop_assert_eq!(code8(value8(short)), short);
            prop_assert_eq!(code16(value16(long)), long);
        }

        #[test]
        fn a_count_comes_back_within_half_a_step(count in any::<u32>()) {
            let count = f64::from(count);

            let (short, long) = (value8(code8(count)), value16(code16(count)));

            prop_assert!((short - count).abs() <= 0.06 * (count + 1.0), "{short} for {count}");
            prop_assert!((long - count).abs() <= 0.0003 * (count + 1.0), "{long} for {count}");
        }
    }
}
