//! The canary's two calls, each with a client of the region, and what their answers say about quotas.

use aws_config::SdkConfig;
use aws_sdk_sesv2::config::Region;
use aws_sdk_sesv2::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::types::SendQuota;
use tripmeter_aws::canary::{Call, Limit};
use tripmeter_model::bounded;

/// The clients of one region.
#[derive(Clone, Debug)]
pub struct Door {
    region: String,
    mail: aws_sdk_sesv2::Client,
    sms: aws_sdk_sns::Client,
}

/// Why a call has no answer: refused, throttled, or it never arrived. Its silence is no miss.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswered {
    /// AWS's error code, or what became of the connection.
    pub code: String,
    /// The whole of it.
    pub message: String,
}

impl Door {
    /// To the region, with what `shared` says otherwise: credentials, connections, how long to wait.
    pub fn new(shared: &SdkConfig, region: &str) -> Self {
        let config = shared.to_builder().region(Region::new(region.to_owned())).build();
        Self {
            region: region.to_owned(),
            mail: aws_sdk_sesv2::Client::new(&config),
            sms: aws_sdk_sns::Client::new(&config),
        }
    }

    /// The region that it leads to.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Makes the call.
    pub(crate) async fn ask(&self, call: Call) -> Result<Limit, Unanswered> {
        match call {
            Call::MailAccount => self.mail_limit().await,
            Call::SmsAttributes => self.sms_limit().await,
        }
    }

    async fn mail_limit(&self) -> Result<Limit, Unanswered> {
        let account = self
            .mail
            .get_account()
            .send()
            .await
            .map_err(|error| Unanswered::of(&error))?;
        let quota = account.send_quota();
        Ok(Limit::Mail {
            // -1 means that there is no limit.
            per_day: quota.map(SendQuota::max24_hour_send).filter(|mails| *mails >= 0.0),
            per_second: quota.map_or(0.0, SendQuota::max_send_rate),
            production: account.production_access_enabled(),
            sending: account.sending_enabled(),
        })
    }

    async fn sms_limit(&self) -> Result<Limit, Unanswered> {
        let answer = self
            .sms
            .get_sms_attributes()
            .send()
            .await
            .map_err(|error| Unanswered::of(&error))?;
        let spend = answer.attributes().and_then(|all| all.get("MonthlySpendLimit"));
        Ok(Limit::Sms {
            monthly_usd: spend
                .and_then(|usd| usd.parse().ok())
                .filter(|usd: &f64| usd.is_finite() && *usd >= 0.0),
        })
    }
}

impl Unanswered {
    fn of<E, R>(error: &SdkError<E, R>) -> Self
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        let code = match error {
            SdkError::ServiceError(refused) => refused.err().code().unwrap_or("ServiceError"),
            SdkError::DispatchFailure(_) => "NotReached",
            SdkError::TimeoutError(_) => "TimedOut",
            SdkError::ConstructionFailure(_) => "NotSent",
            _ => "NotUnderstood",
        };
        Self {
            code: bounded(code, 64),
            message: bounded(&DisplayErrorContext(error).to_string(), 512),
        }
    }
}
