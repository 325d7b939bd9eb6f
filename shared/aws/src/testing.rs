//! Doubles of AWS for tests, behind the real clients.

mod death;
mod dynamodb;
mod faults;
pub mod http;
mod sns;
mod turns;

pub use self::death::dies_after;
pub use self::dynamodb::Local;
pub use self::faults::{Fault, Faults};
pub use self::sns::{Published, Refusal, Sns};
pub use self::turns::{Turn, Turns, Waiting};
