//! What a function says of itself: log lines as JSON, and counts as CloudWatch's embedded metric format.
//!
//! Both go to stdout, a line each. Whatever text a record brought, a line stays one line, of bounded length, and valid
//! JSON. Metrics hold numbers and the names of stack and function, nothing of anybody.

mod log;
mod metrics;

use tripmeter_model::Timestamp;

pub use self::log::{Lines, start};
pub use self::metrics::{Metric, Metrics};

/// The clock of what is said: milliseconds since 1970-01-01 UTC.
fn clock() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}

/// A time of the clock as a text.
fn moment(millis: u64) -> String {
    Timestamp::from_seconds((millis / 1_000) as i64).to_string()
}
