//! Seeded chance: everything that varies is drawn here, so a seed tells the whole story.

use std::ops::RangeInclusive;

use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

/// A stream of chance with a seed and a purpose.
///
/// Two purposes never share a stream, so that one more draw for the mails moves nothing in the model calls.
#[derive(Clone, Debug)]
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream of `purpose` under `seed`.
    pub fn new(seed: u64, purpose: &str) -> Self {
        // FNV-1a, 64 bits: it only has to tell purposes apart.
        let purpose = purpose.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| {
            (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
        });
        let mut key = [0_u8; 32];
        for (slot, byte) in key
            .iter_mut()
            .zip(seed.to_le_bytes().into_iter().chain(purpose.to_le_bytes()))
        {
            *slot = byte;
        }
        Self(ChaCha8Rng::from_seed(key))
    }

    /// 64 bits, for a stream of another name.
    pub fn seed(&mut self) -> u64 {
        self.0.random()
    }

    /// 128 bits: an event id.
    pub fn bits(&mut self) -> u128 {
        self.0.random()
    }

    /// A whole number in the range, ends included.
    pub fn range(&mut self, range: RangeInclusive<i64>) -> i64 {
        self.0.random_range(range)
    }

    /// A count in the range, ends included.
    pub fn count(&mut self, range: RangeInclusive<usize>) -> usize {
        self.0.random_range(range)
    }

    /// A real number, uniform between the two.
    pub fn real(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.0.random::<f64>()
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.0.random::<f64>() < probability
    }

    /// One of them.
    ///
    /// # Panics
    /// When there is nothing to pick from.
    #[expect(
        clippy::indexing_slicing,
        reason = "an empty list is a mistake in a scenario, not a value"
    )]
    pub fn pick<'a, T>(&mut self, among: &'a [T]) -> &'a T {
        &among[self.0.random_range(0..among.len())]
    }

    /// Up to `n` different ones, in no order.
    pub fn some<T: Clone>(&mut self, n: usize, among: &[T]) -> Vec<T> {
        let mut all = among.to_vec();
        self.shuffle(&mut all);
        all.truncate(n);
        all
    }

    /// Into any order.
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        list.shuffle(&mut self.0);
    }

    /// Normal with mean 0 and deviation 1 (Box and Muller).
    pub fn normal(&mut self) -> f64 {
        let (u, v): (f64, f64) = (self.0.random(), self.0.random());
        (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }

    /// Log-normal around a median: what people and queues do.
    pub fn around(&mut self, median: f64, sigma: f64) -> f64 {
        median * (sigma * self.normal()).exp()
    }

    /// A waiting time with this mean.
    pub fn wait(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.0.random::<f64>()).ln()
    }

    /// A count with this mean, Poisson: exact below 30, by its normal limit above.
    pub fn poisson(&mut self, mean: f64) -> usize {
        if mean <= 0.0 {
            return 0;
        }
        if mean > 30.0 {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0) as usize;
        }
        let (limit, mut product, mut n) = ((-mean).exp(), self.0.random::<f64>(), 0);
        while product > limit {
            product *= self.0.random::<f64>();
            n += 1;
        }
        n
    }

    /// Letters and digits as AWS writes ids, after a prefix.
    pub fn id(&mut self, prefix: &str, length: usize) -> String {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let mut id = prefix.to_owned();
        while id.len() < length {
            id.push(char::from(*self.pick(ALPHABET)));
        }
        id
    }

    /// Letters and digits that do not compress: tokens, opaque ids.
    pub fn base64(&mut self, length: usize) -> String {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        (0..length).map(|_| char::from(*self.pick(ALPHABET))).collect()
    }

    /// Lower-case hexadecimal digits.
    pub fn hex(&mut self, length: usize) -> String {
        (0..length)
            .map(|_| char::from(*self.pick(b"0123456789abcdef")))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_purpose_give_the_same_stream_and_another_purpose_does_not() {
        let draws = |seed, purpose| {
            let mut dice = Dice::new(seed, purpose);
            (0..8).map(|_| dice.seed()).collect::<Vec<_>>()
        };

        assert_eq!(draws(7, "mails"), draws(7, "mails"));
        assert_ne!(draws(7, "mails"), draws(7, "models"));
        assert_ne!(draws(7, "mails"), draws(8, "mails"));
    }

    #[test]
    fn counts_keep_their_mean() {
        let mut dice = Dice::new(1, "counts");

        for mean in [0.3, 4.0, 29.0, 400.0] {
            let sum: usize = (0..4_000).map(|_| dice.poisson(mean)).sum();
            let observed = sum as f64 / 4_000.0;
            assert!(
                (observed - mean).abs() < 5.0 * (mean / 4_000.0).sqrt() + 0.5,
                "{observed} for {mean}"
            );
        }
    }
}
