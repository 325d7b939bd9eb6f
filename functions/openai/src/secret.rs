//! The admin key, out of Secrets Manager. It is kept in memory alone, and read anew on a schedule and when OpenAI
//! refuses it, so that a rotation needs nobody.

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{DisplayErrorContext, ProvideErrorMetadata};
use tokio::sync::Mutex;
use tripmeter_model::{MINUTE, Timestamp, bounded};
use tripmeter_openai::AdminKey;

/// How old the key in memory may become, in seconds.
const OLDEST: i64 = 15 * MINUTE;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Secrets Manager refused, or could not be reached.
    #[error("the secret cannot be read: {why}")]
    Unread {
        /// The code of the answer, if there was one.
        code: Option<String>,
        /// What happened.
        why: String,
    },
    /// The secret holds no key.
    #[error("the secret holds no admin key: wanted the key alone, or JSON with the member admin_key")]
    NoKey,
}

impl SecretError {
    /// Whether the next run may have more luck: Secrets Manager could not be reached, or is busy.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Unread { code, .. } => code
                .as_deref()
                .is_none_or(|code| matches!(code, "InternalServiceError" | "ThrottlingException")),
            Self::NoKey => false,
        }
    }
}

/// A secret that holds the key.
#[derive(Debug)]
pub struct Secret {
    client: Client,
    arn: String,
    kept: Mutex<Option<(AdminKey, Timestamp)>>,
}

impl Secret {
    /// A secret by its ARN or name.
    pub fn new(client: Client, arn: impl Into<String>) -> Self {
        Self {
            client,
            arn: arn.into(),
            kept: Mutex::new(None),
        }
    }

    /// The key, as it was read within the last quarter of an hour.
    pub(crate) async fn key(&self, now: Timestamp) -> Result<AdminKey, SecretError> {
        if let Some((key, at)) = self.kept.lock().await.as_ref()
            && (0..OLDEST).contains(&now.since(*at))
        {
            return Ok(key.clone());
        }
        self.fresh_key(now).await
    }

    /// The key as it is now.
    pub(crate) async fn fresh_key(&self, now: Timestamp) -> Result<AdminKey, SecretError> {
        let asked = self.client.get_secret_value().secret_id(&self.arn).send().await;
        let answer = asked.map_err(|error| SecretError::Unread {
            code: error.code().map(str::to_owned),
            why: bounded(&DisplayErrorContext(error).to_string(), 512),
        })?;
        let key = answer
            .secret_string()
            .and_then(AdminKey::of_secret)
            .ok_or(SecretError::NoKey)?;
        *self.kept.lock().await = Some((key.clone(), now));
        Ok(key)
    }
}
