//! Doubles of AWS for tests, behind the real clients.

mod dynamodb;
mod faults;
mod sns;

pub use self::dynamodb::Local;
pub use self::faults::{Fault, Faults};
pub use self::sns::{Published, Refusal, Sns};
