//! Recorded attacks and benign weeks, made from a seed.
//!
//! The records are CloudTrail's, field by field; nothing here knows the detector, so that it can be wrong where the
//! detector is. Each [`Scenario`] says what happened, what must be found and by when, and what must not.
//!
//! ```
//! let attacks = scenarios::attacks(7);
//! let first = attacks.first().expect("there are attacks");
//! assert!(first.expectation.abuse.len() > 50);
//! assert!(first.records.iter().is_sorted_by_key(|r| r.time));
//! ```
//!
//! Addresses are of 198.18.0.0/15, accounts are three digits four times, domains end in `example.com`: nobody's.

pub mod account;
pub mod attacks;
pub mod benign;
pub mod calls;
pub mod cast;
pub mod corpus;
pub mod dice;
pub mod log;
pub mod output;
pub mod principal;
pub mod record;
pub mod rhythm;
mod scenario;

pub use cast::Cast;
pub use scenario::{Abuse, Expectation, Must, MustNot, Scenario, Severity};

use attacks::Twist;
use dice::Dice;

/// Every attack, as incident reports tell it most.
pub fn attacks(seed: u64) -> Vec<Scenario> {
    attacks::names()
        .filter_map(|name| attacks::attack(name, seed, &Twist::plain()))
        .collect()
}

/// Every attack, made of something else: another service, identity, call or order.
pub fn variants(seed: u64) -> Vec<Scenario> {
    attacks::names().filter_map(|name| variant(name, seed)).collect()
}

/// One attack, made of something else.
pub fn variant(name: &str, seed: u64) -> Option<Scenario> {
    attacks::attack(name, seed, &Twist::draw(&mut Dice::new(seed, &format!("{name}/twist"))))
}

/// Every benign scenario.
pub fn benign(seed: u64) -> Vec<Scenario> {
    benign::names().filter_map(|name| benign::weeks(name, seed)).collect()
}

/// One scenario by its name.
pub fn scenario(name: &str, seed: u64) -> Option<Scenario> {
    attacks::attack(name, seed, &Twist::plain()).or_else(|| benign::weeks(name, seed))
}
