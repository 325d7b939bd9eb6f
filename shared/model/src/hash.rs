//! Stable hashes: the same on every machine and in every release, since they are stored.

use std::hash::Hasher;

use sha2::{Digest as _, Sha256};
use siphasher::sip::SipHasher13;

/// A stable 64-bit hash of a text, used as a key where the text itself would be too long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Digest(pub u64);

/// The [`Digest`] of several texts; their boundaries count, so `["ab", "c"]` and `["a", "bc"]` differ.
pub fn digest64(parts: &[&str]) -> Digest {
    let mut hasher = SipHasher13::new_with_keys(0x7472_6970_6d65_7465, 0x725f_6d6f_6465_6c31);
    for part in parts {
        hasher.write(part.as_bytes());
        hasher.write_u64(part.len() as u64);
    }
    Digest(hasher.finish())
}

/// A 128-bit id in hexadecimal, for what other systems keep: a finding's id.
pub fn stable_uid(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    let mut uid = String::with_capacity(32);
    for byte in hasher.finalize().iter().take(16) {
        use std::fmt::Write;
        let _ = write!(uid, "{byte:02x}");
    }
    uid
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_frozen_because_they_are_stored() {
        assert_eq!(digest64(&["ab", "c"]), digest64(&["ab", "c"]));
        assert_ne!(digest64(&["ab", "c"]), digest64(&["a", "bc"]));
        assert_eq!(stable_uid(&[]), "e3b0c44298fc1c149afbf4c8996fb924");
    }
}
