//! The policy file: what people know and a baseline cannot, in TOML.
//!
//! Which regions are allowed, which automation is approved and up to what, which campaigns are announced, what nobody
//! wants to read, which networks are theirs, whom to ask, what accounts are called. Every exception carries an owner,
//! a reason and an end, and holds no longer: matching is by event time, nothing here reads a clock.
//!
//! [`PolicyFile`] implements [`tripmeter_model::Policy`], which is all that the engine sees of it.
//!
//! ```
//! use tripmeter_model::{Policy, Service, Timestamp};
//! use tripmeter_policy::PolicyFile;
//!
//! let policy = PolicyFile::parse(r#"
//!     [regions]
//!     all = ["eu-west-1"]
//!     SES = ["eu-west-1", "us-east-1"]
//! "#)?;
//! let now = Timestamp::default();
//! assert!(policy.region_allowed("111122223333", Service::Ses, "us-east-1", now));
//! assert!(!policy.region_allowed("111122223333", Service::Bedrock, "us-east-1", now));
//!
//! let error = PolicyFile::parse("[region]\nall = []").unwrap_err();
//! assert_eq!(error.to_string(), "line 1, column 2: there is no section 'region'; did you mean 'regions'?");
//! # Ok::<(), tripmeter_policy::PolicyError>(())
//! ```

mod builtin;
mod file;
mod pattern;
mod problem;
mod read;
mod rules;
mod section;

pub use builtin::Builtin;
pub use file::{PolicyFile, Report};
pub use problem::{PolicyError, Problem};
pub use rules::{Rule, RuleKind};
