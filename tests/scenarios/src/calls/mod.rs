//! Calls, as each service records them. One file per service.
//!
//! Sources: the CloudTrail pages of each service's developer guide, and real records. Where a service documents
//! no record, the parameters are those of the API with a small first letter, as CloudTrail writes them.

pub mod iam;
pub mod llm;
pub mod operations;
pub mod ses;
pub mod sms;
pub mod sns;
