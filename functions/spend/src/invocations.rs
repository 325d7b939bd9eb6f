//! Bedrock's model-invocation logs, as a subscription of CloudWatch Logs delivers them: packed JSON with many entries.
//!
//! Source: "Using CloudWatch Logs subscription filters", Amazon CloudWatch Logs User Guide. Whose log it is stands in
//! `owner`, which AWS writes; what an entry says of its account is not believed. An entry is counted once: its request id
//! is its event id. The prompts in it are dropped with the payload.

use std::io::Read;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use serde::Deserialize;
use tripmeter_aws::detector::{Detector, JudgeError};
use tripmeter_aws::exceptions::Exceptions;
use tripmeter_aws::state::Outcome;
use tripmeter_catalogue::signals::invocations;
use tripmeter_model::{Activity, Timestamp};

use crate::micros;

/// The largest delivery that is unpacked, in bytes: CloudWatch Logs packs a megabyte at the most.
const MAX_UNPACKED: u64 = 64 << 20;

/// A delivery of CloudWatch Logs.
#[derive(Debug, Deserialize)]
pub struct Delivery {
    awslogs: Packed,
}

#[derive(Debug, Deserialize)]
struct Packed {
    data: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Unpacked {
    message_type: String,
    owner: String,
    #[serde(default)]
    log_events: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    message: String,
}

/// Why a delivery was not judged.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// It is not what CloudWatch Logs sends.
    #[error("the delivery cannot be unpacked: {0}")]
    Unreadable(String),
    /// It could not be stored; it is to come again.
    #[error(transparent)]
    Judge(#[from] JudgeError),
}

/// What a delivery held.
#[derive(Debug, Default)]
pub struct Calls {
    /// The account whose log it is.
    pub account: String,
    /// Use by the meters of those who called, with its price by the table.
    pub activities: Vec<Activity>,
    /// Entries that were read, those too that spent nothing.
    pub entries: u64,
}

impl Delivery {
    /// The calls of a delivery; none in a control message.
    ///
    /// # Errors
    /// When it cannot be unpacked.
    pub fn calls(&self) -> Result<Calls, LogError> {
        let unreadable = |error: &dyn std::fmt::Display| LogError::Unreadable(error.to_string());
        let packed = STANDARD
            .decode(&self.awslogs.data)
            .map_err(|error| unreadable(&error))?;
        let mut json = Vec::new();
        GzDecoder::new(packed.as_slice())
            .take(MAX_UNPACKED)
            .read_to_end(&mut json)
            .map_err(|error| unreadable(&error))?;
        let unpacked: Unpacked = serde_json::from_slice(&json).map_err(|error| unreadable(&error))?;
        if unpacked.message_type != "DATA_MESSAGE" {
            return Ok(Calls::default());
        }
        if unpacked.owner.len() != 12 || !unpacked.owner.bytes().all(|b| b.is_ascii_digit()) {
            return Err(LogError::Unreadable("it is of no account".to_owned()));
        }
        Ok(Calls {
            activities: unpacked
                .log_events
                .iter()
                .filter_map(|entry| call(&entry.message, &unpacked.owner))
                .collect(),
            entries: unpacked.log_events.len() as u64,
            account: unpacked.owner,
        })
    }
}

fn call(entry: &str, account: &str) -> Option<Activity> {
    let read = invocations::read(entry, account)?;
    let mut activity = read.activity;
    let model = activity.target.as_ref().map_or("", |target| target.value());
    activity.quantity.micros = Some(micros(model, read.tokens_in, read.tokens_out));
    Some(activity)
}

/// Judges what a log says. It may come twice: nothing is counted again.
///
/// # Errors
/// See [`LogError`].
pub async fn judge(
    calls: &Calls,
    detector: &Detector,
    exceptions: &Exceptions,
    now: Timestamp,
) -> Result<Option<Outcome>, LogError> {
    if calls.activities.is_empty() {
        return Ok(None);
    }
    // Lambda does not say whether it was called with this before.
    let judged = detector
        .judge(&calls.account, &calls.activities, true, exceptions, now)
        .await?;
    Ok(Some(judged))
}
