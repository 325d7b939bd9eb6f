//! The trail's files in S3, piece by piece.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata};
use tripmeter_aws::config;

use crate::notice::Object;

/// Bytes of a file that are fetched at once: nearly every file is smaller, and three of them are held.
pub(crate) const PIECE_BYTES: u64 = 4 << 20;

/// What a piece may take, in seconds: it is larger than what other calls bring.
const PIECE_SECONDS: u64 = 15;

/// Why a file could not be fetched. S3 says that access is denied of a file that is gone, too, to whoever may not list
/// the bucket.
#[derive(Debug, thiserror::Error)]
#[error("S3, {code}: {what}")]
pub struct FetchError {
    code: String,
    what: String,
}

/// Where the files are.
#[derive(Clone, Debug)]
pub struct Files {
    client: Client,
}

impl Files {
    /// As the environment says.
    pub async fn from_env() -> Self {
        let shared = config::sdk_config(None).await;
        let timeouts = config::timeouts()
            .to_builder()
            .operation_attempt_timeout(Duration::from_secs(PIECE_SECONDS))
            .operation_timeout(Duration::from_secs(2 * PIECE_SECONDS))
            .build();
        let config = aws_sdk_s3::config::Builder::from(&shared).timeout_config(timeouts);
        Self::new(Client::from_conf(config.build()))
    }

    /// Through a client.
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// Fetches a piece of an object: so many bytes ([`PIECE_BYTES`]), or what is left.
    ///
    /// # Errors
    /// When S3 has it no more, has another content under its name, refuses, or cannot be reached.
    pub(crate) async fn piece(&self, object: &Object, from: u64) -> Result<Vec<u8>, FetchError> {
        let asked = self
            .client
            .get_object()
            .bucket(&object.bucket)
            .key(&object.key)
            .set_version_id(object.version.clone())
            .if_match(format!("\"{}\"", object.etag))
            .range(format!("bytes={from}-{}", from + PIECE_BYTES - 1));
        let answer = asked.send().await.map_err(|error| FetchError {
            code: error.code().unwrap_or("no answer").to_owned(),
            what: DisplayErrorContext(&error).to_string(),
        })?;
        let body = answer.body.collect().await.map_err(|error| FetchError {
            code: "cut off".to_owned(),
            what: DisplayErrorContext(&error).to_string(),
        })?;
        Ok(body.to_vec())
    }
}
