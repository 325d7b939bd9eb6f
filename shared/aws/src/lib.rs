//! The detector's state, findings, policy and messages in AWS. Only this crate and the functions know the AWS SDK.

pub mod canary;
pub mod config;
pub mod detector;
pub mod digest;
pub mod dynamodb;
pub mod exceptions;
pub mod findings;
pub mod intake;
pub mod own;
pub mod publish;
pub mod state;
#[cfg(feature = "testing")]
pub mod testing;
