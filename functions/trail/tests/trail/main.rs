//! The function, from a queue's messages and a bucket's files to the tables.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "what fails here fails the test that asked for it"
)]

mod both_ways;
mod cost;
mod files;
mod memory;
mod program;
mod s3;
mod stage;
