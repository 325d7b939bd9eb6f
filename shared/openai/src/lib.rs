//! OpenAI's administration API: its pages, and the activities that they are.
//!
//! [`Client`] speaks to it, within bounds of time and size. What it answers is typed in [`pages`]; [`usage`] and
//! [`limits`] make of it what the engine judges, without a clock and without IO. The audit log's events are in the
//! catalogue ([`tripmeter_catalogue::openai`]), beside every other call that is watched.

mod client;
pub mod costs;
pub mod export;
mod key;
pub mod limits;
pub mod pages;
#[cfg(feature = "testing")]
pub mod testing;
pub mod usage;

pub use client::{ApiError, Client, ClientError, Patience};
pub use key::AdminKey;

/// Where OpenAI is, unless somebody says otherwise.
pub const BASE_URL: &str = "https://api.openai.com/v1";

/// The account that findings are about where nobody says the organisation's id.
pub const ORGANISATION: &str = "openai";
