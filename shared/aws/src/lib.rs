//! The detector's state, findings, policy and messages in AWS. Only this crate and the functions know the AWS SDK.

pub mod canary;
pub mod config;
pub mod own;
pub mod publish;
#[cfg(feature = "testing")]
pub mod testing;
