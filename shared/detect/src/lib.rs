//! Baselines, detections, scoring and sequences, as pure functions.

pub mod baseline;
pub mod codes;
pub mod novelty;
pub mod tails;
