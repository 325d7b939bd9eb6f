//! Doubles of AWS for tests, behind the real clients.

mod sns;

pub use self::sns::{Published, Refusal, Sns};
