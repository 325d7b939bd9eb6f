//! The detector's state, findings, policy and messages in AWS. Only this crate and the functions know the AWS SDK.

pub mod batch;
pub mod bookmark;
pub mod canary;
pub mod config;
pub mod deployment;
pub mod detector;
pub mod digest;
pub mod dynamodb;
pub mod exceptions;
pub mod findings;
pub mod increments;
pub mod intake;
pub mod lost;
pub mod marks;
pub mod own;
pub mod policy;
pub mod publish;
pub mod queue;
pub mod sample;
pub mod state;
pub mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;

/// What the catalogue is asked beyond a record: by which names a stack's own resources are known.
pub fn scope(stack: &str, names: &[String]) -> tripmeter_catalogue::Scope {
    tripmeter_catalogue::Scope {
        detector_names: names.to_vec(),
        stack: Some(stack.to_owned()),
    }
}
