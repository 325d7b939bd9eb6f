//! The newest so many counts of a series, a byte each.

use std::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::codes::{code8, value8};

/// The newest `N` counts as [`code8`], oldest first. Stored as a string of bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Ring<const N: usize> {
    codes: [u8; N],
    len: usize,
}

impl<const N: usize> Ring<N> {
    /// The codes, oldest first.
    pub fn codes(&self) -> &[u8] {
        self.codes.get(..self.len).unwrap_or_default()
    }

    /// The counts, oldest first.
    pub(crate) fn values(&self) -> impl DoubleEndedIterator<Item = f64> + Clone + '_ {
        self.codes().iter().map(|&code| value8(code))
    }

    /// The newest count.
    pub(crate) fn newest(&self) -> f64 {
        self.values().next_back().unwrap_or_default()
    }

    /// Appends a count; the oldest of a full ring leaves.
    pub(crate) fn push(&mut self, value: f64) {
        self.push_code(code8(value));
    }

    /// Writes the newest count anew.
    pub(crate) fn replace_newest(&mut self, value: f64) {
        if let Some(newest) = self.len.checked_sub(1).and_then(|last| self.codes.get_mut(last)) {
            *newest = code8(value);
        }
    }

    fn push_code(&mut self, code: u8) {
        if self.len == N {
            self.codes.rotate_left(1);
        } else {
            self.len += 1;
        }
        if let Some(newest) = self.len.checked_sub(1).and_then(|last| self.codes.get_mut(last)) {
            *newest = code;
        }
    }
}

impl<const N: usize> Default for Ring<N> {
    fn default() -> Self {
        Self { codes: [0; N], len: 0 }
    }
}

impl<const N: usize> fmt::Debug for Ring<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.codes()).finish()
    }
}

impl<const N: usize> Serialize for Ring<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.codes())
    }
}

impl<'de, const N: usize> Deserialize<'de> for Ring<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(Codes::<N>)
    }
}

/// Reads a ring from bytes, or from a sequence where a format has no bytes.
struct Codes<const N: usize>;

impl<'de, const N: usize> Visitor<'de> for Codes<N> {
    type Value = Ring<N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at most {N} bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Ring<N>, E> {
        let mut ring = Ring::default();
        match ring.codes.get_mut(..bytes.len()) {
            Some(codes) => codes.copy_from_slice(bytes),
            None => return Err(E::invalid_length(bytes.len(), &self)),
        }
        ring.len = bytes.len();
        Ok(ring)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut codes: A) -> Result<Ring<N>, A::Error> {
        let mut ring = Ring::default();
        while let Some(code) = codes.next_element()? {
            if ring.len == N {
                return Err(A::Error::invalid_length(N + 1, &self));
            }
            ring.push_code(code);
        }
        Ok(ring)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring_of(counts: impl IntoIterator<Item = u32>) -> Ring<3> {
        let mut ring = Ring::default();
        counts.into_iter().for_each(|count| ring.push(f64::from(count)));
        ring
    }

    #[test]
    fn a_full_ring_keeps_the_newest() {
        let mut ring = ring_of([1, 3, 7, 15]);

        ring.replace_newest(31.0);

        assert_eq!(ring.codes(), [12, 18, 30]);
    }

    #[test]
    fn a_ring_is_stored_as_its_bytes_and_no_more() {
        for ring in [ring_of([]), ring_of([5]), ring_of([1, 2, 3, 4])] {
            let bytes = postcard::to_stdvec(&ring).unwrap();
            let text = serde_json::to_string(&ring).unwrap();

            assert_eq!(bytes.len(), 1 + ring.codes().len());
            assert_eq!(postcard::from_bytes::<Ring<3>>(&bytes).unwrap(), ring);
            assert_eq!(serde_json::from_str::<Ring<3>>(&text).unwrap(), ring);
        }
    }

    #[test]
    fn a_ring_of_another_size_is_refused() {
        assert!(postcard::from_bytes::<Ring<3>>(&[4, 1, 2, 3, 4]).is_err());
        assert!(serde_json::from_str::<Ring<3>>("[1, 2, 3, 4]").is_err());
    }
}
