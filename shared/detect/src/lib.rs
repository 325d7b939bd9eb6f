//! Baselines, detections, scoring and sequences, as pure functions.
//!
//! [`Engine`] takes activities and says what they cause to be published. It has no clock and no IO: time comes from
//! the records, exceptions from a [`tripmeter_model::Policy`], thresholds from [`Settings`].
//!
//! The state is built of sums, minima, unions and "the smallest few", and what is found is a function of the state:
//! neither the order in which activities arrive (within the lateness bound) nor their repetition changes it.

mod account;
mod account_service;
pub mod baseline;
mod cell;
pub mod codes;
mod control;
mod detections;
mod engine;
mod episode;
mod explain;
mod habits;
mod journal;
mod ledger;
mod merge;
pub mod novelty;
mod open_day;
mod part;
mod person;
mod profile;
mod seen;
mod settings;
mod shelf;
mod show;
mod slice;
pub mod tails;
#[cfg(test)]
mod testing;
mod units;
mod weigh;

pub use engine::{Engine, LEARNING, Terms, told_apart};
pub use ledger::principal_digest;
pub use merge::with_history;
pub use part::{Moved, NoSuchPart, PartKey};
pub use settings::{Mode, SettingError, SettingRow, Settings};
pub use show::{Count, ProfileShown, ServiceShown, identity_of};
pub use slice::{FORMAT, Judged, Missing, PartError, Receipt, Slice, Work};
