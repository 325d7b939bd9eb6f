//! The words of the field, as types: what a record says, what somebody did, who it was, what was found.
//!
//! Everything here is data and pure functions. Nothing reads a clock, a file, a socket or an environment.
//!
//! Data takes one path: bytes become a [`Record`], the catalogue makes an [`Activity`] of it, `detect` turns
//! activities into [`Finding`]s.

mod activity;
mod finding;
mod hash;
mod identity;
mod origin;
mod policy;
mod record;
mod service;
mod text;
mod time;

pub use activity::{Activity, Kind, Outcome, PolicyEffect, Quantity, Stage, Target};
pub use finding::{
    Cause, ContextSeen, Evidence, Factor, FactorName, Family, Finding, FindingType, OpeningSeen, Owner, Severity,
    Status, Suppression, Tactic,
};
pub use hash::{Digest, digest64, stable_uid};
pub use identity::{Identity, IdentityKind, Session};
pub use origin::{Client, Network, Origin, Source};
pub use policy::{Case, NoPolicy, Policy};
pub use record::{Record, UserIdentity};
pub use service::Service;
pub use text::{MAX_TEXT, bounded, printable};
pub use time::{DAY, HOUR, MINUTE, TEN_MINUTES, TimeError, Timestamp, WEEK};
