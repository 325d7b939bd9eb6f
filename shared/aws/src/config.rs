//! What the deployment says to the functions, and how they speak to AWS.
//!
//! The environment is written by the template. What a function cannot do without is an error that names it; a setting
//! that is wrong falls back to its default and is listed in [`Config::invalid`], since detection never stops.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::config::ProvideCredentials;
use aws_sdk_dynamodb::error::DisplayErrorContext;
use tripmeter_detect::Settings;
use tripmeter_model::bounded;

/// Days for which a finding is kept after its last revision, unless the deployment says otherwise.
pub const RETENTION_DAYS: u32 = 400;
/// What the template takes.
const RETENTION_BOUNDS: std::ops::RangeInclusive<u32> = 30..=3650;

/// What a function is told by its environment.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The stack's name: generated names of its resources begin with it and a hyphen.
    pub stack: String,
    /// The region that the stack is in.
    pub region: String,
    /// The table of profiles, openings, policy and canary.
    pub state_table: String,
    /// The table of findings.
    pub findings_table: String,
    /// The ARN of the topic that findings are published to.
    pub findings_topic: String,
    /// The ARN of the chat's topic, where there is one.
    pub chat_topic: Option<String>,
    /// The ARN of the topic that the detector speaks of itself on.
    pub operations_topic: String,
    /// The thresholds.
    pub settings: Settings,
    /// What the environment holds and cannot be meant: each has fallen back to its default.
    pub invalid: Vec<Invalid>,
    /// The ARNs of the stack's roles: the canary's first, notify's second.
    pub own_roles: Vec<String>,
    /// Further names of the stack's own things.
    pub own_names: Vec<String>,
    /// The regions that the canary watches beside the stack's own.
    pub regions: Vec<String>,
    /// The regions in which services may be used where the policy file does not say; none for all.
    pub allowed_regions: Vec<String>,
    /// The base of the runbooks' addresses; empty where they are not published.
    pub runbooks: String,
    /// How long a finding is kept after its last revision, in days.
    pub retention_days: u32,
}

/// A value that fell back to its default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// What was to be set.
    pub name: String,
    /// What is wrong with it.
    pub why: String,
}

/// What a function cannot do without.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A variable is not there, or empty.
    #[error("the environment has no {0}: the template sets it for every function")]
    Missing(&'static str),
}

impl Config {
    /// Out of the environment, as `lookup` gives it.
    ///
    /// ```
    /// use tripmeter_aws::config::{Config, ConfigError};
    ///
    /// let error = Config::from_env(|_| None).unwrap_err();
    /// assert_eq!(error, ConfigError::Missing("TRIPMETER_STACK"));
    /// ```
    ///
    /// # Errors
    /// When a table, a topic, the stack's name or the region is missing.
    pub fn from_env(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let text = |name: &str| lookup(name).map(|text| text.trim().to_owned()).unwrap_or_default();
        let optional = |name: &str| Some(text(name)).filter(|text| !text.is_empty());
        let needed = |name: &'static str| optional(name).ok_or(ConfigError::Missing(name));
        let mut invalid = Vec::new();
        Ok(Self {
            stack: needed("TRIPMETER_STACK")?,
            region: needed("AWS_REGION")?,
            state_table: needed("TRIPMETER_STATE_TABLE")?,
            findings_table: needed("TRIPMETER_FINDINGS_TABLE")?,
            findings_topic: needed("TRIPMETER_FINDINGS_TOPIC")?,
            chat_topic: optional("TRIPMETER_CHAT_TOPIC"),
            operations_topic: needed("TRIPMETER_OPERATIONS_TOPIC")?,
            settings: settings(&text("TRIPMETER_SETTINGS"), &mut invalid),
            own_roles: list(&text("TRIPMETER_OWN_ROLES")),
            own_names: list(&text("TRIPMETER_OWN_NAMES")),
            regions: list(&text("TRIPMETER_REGIONS")),
            allowed_regions: list(&text("TRIPMETER_ALLOWED_REGIONS")),
            runbooks: text("TRIPMETER_RUNBOOKS"),
            retention_days: retention_days(optional("TRIPMETER_FINDING_RETENTION_DAYS"), &mut invalid),
            invalid,
        })
    }
}

/// The thresholds out of `name=value;name=value`. Each that is wrong keeps its default.
fn settings(text: &str, invalid: &mut Vec<Invalid>) -> Settings {
    let mut settings = Settings::default();
    for pair in text.split(';').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if let Err(error) = settings.set(name.trim(), value.trim()) {
            invalid.push(Invalid {
                name: bounded(name.trim(), 64),
                why: error.to_string(),
            });
        }
    }
    settings
}

fn retention_days(text: Option<String>, invalid: &mut Vec<Invalid>) -> u32 {
    let Some(text) = text else {
        return RETENTION_DAYS;
    };
    let days = text.parse().ok().filter(|days| RETENTION_BOUNDS.contains(days));
    days.unwrap_or_else(|| {
        let (least, most) = (RETENTION_BOUNDS.start(), RETENTION_BOUNDS.end());
        invalid.push(Invalid {
            name: "FindingRetentionDays".to_owned(),
            why: format!("'{}' is no number of days from {least} to {most}", bounded(&text, 64)),
        });
        RETENTION_DAYS
    })
}

fn list(text: &str) -> Vec<String> {
    let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    entries.map(str::to_owned).collect()
}

/// What every client is built from: credentials and region as the environment has them, retries, timeouts. Another
/// endpoint than AWS's takes `AWS_ENDPOINT_URL`, or `endpoint_url`.
pub async fn sdk_config(endpoint_url: Option<&str>) -> SdkConfig {
    let loader = aws_config::defaults(BehaviorVersion::latest())
        .retry_config(retries())
        .timeout_config(timeouts());
    match endpoint_url {
        Some(url) => loader.endpoint_url(url).load().await,
        None => loader.load().await,
    }
}

/// The clients of somebody at a command line.
#[derive(Clone, Debug)]
pub struct Clients {
    /// The region that they speak to.
    pub region: String,
    /// For the tables.
    pub dynamodb: aws_sdk_dynamodb::Client,
}

/// Why there is nobody to speak as, or nowhere to speak to.
#[derive(Debug, thiserror::Error)]
pub enum ClientsError {
    /// No region is configured.
    #[error("no AWS region is configured: set AWS_REGION, or AWS_PROFILE to a profile that has one")]
    NoRegion,
    /// No credentials are configured, or they cannot be had.
    #[error("no AWS credentials: set AWS_PROFILE, or log in as you do for the AWS command line ({0})")]
    NoCredentials(String),
}

/// Clients with the region and the credentials of the environment and the AWS configuration files, which are looked
/// for now: an error says so before anything is asked.
///
/// # Errors
/// When there is no region or there are no credentials.
pub async fn clients(endpoint_url: Option<&str>) -> Result<Clients, ClientsError> {
    let config = sdk_config(endpoint_url).await;
    let region = config.region().ok_or(ClientsError::NoRegion)?.to_string();
    let provider = config
        .credentials_provider()
        .ok_or_else(|| ClientsError::NoCredentials("none are configured".to_owned()))?;
    let credentials = provider.provide_credentials().await;
    credentials.map_err(|error| ClientsError::NoCredentials(DisplayErrorContext(error).to_string()))?;
    Ok(Clients {
        region,
        dynamodb: aws_sdk_dynamodb::Client::new(&config),
    })
}

/// Five tries, each after a pause that doubles and is jittered, from 50 ms up: DynamoDB answers in milliseconds, so
/// a second's pause, the SDK's own, would be most of an invocation.
pub fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(5)
        .with_initial_backoff(Duration::from_millis(50))
        .with_max_backoff(Duration::from_secs(2))
}

/// A try that hangs must leave time for the next before the function's own time is over.
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(4))
        .operation_timeout(Duration::from_secs(15))
        .build()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use tripmeter_detect::Mode;

    use super::*;

    const DEPLOYED: [(&str, &str); 7] = [
        ("TRIPMETER_STACK", "prod"),
        ("AWS_REGION", "eu-west-1"),
        ("TRIPMETER_STATE_TABLE", "prod-StateTable-1A"),
        ("TRIPMETER_FINDINGS_TABLE", "prod-FindingsTable-1B"),
        (
            "TRIPMETER_FINDINGS_TOPIC",
            "arn:aws:sns:eu-west-1:111122223333:prod-FindingsTopic-1C",
        ),
        ("TRIPMETER_CHAT_TOPIC", ""),
        (
            "TRIPMETER_OPERATIONS_TOPIC",
            "arn:aws:sns:eu-west-1:111122223333:prod-OperationsTopic-1D",
        ),
    ];

    fn read(more: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let environment: HashMap<&str, &str> = DEPLOYED.iter().chain(more).copied().collect();
        Config::from_env(|name| environment.get(name).map(|&value| value.to_owned()))
    }

    #[test]
    fn what_the_template_sets_is_read() {
        let config = read(&[
            ("TRIPMETER_SETTINGS", "Mode=observe; TimeWindow = 48;"),
            ("TRIPMETER_OWN_ROLES", "arn:canary, arn:notify"),
            ("TRIPMETER_OWN_NAMES", ",organisation-trail"),
            ("TRIPMETER_FINDING_RETENTION_DAYS", "90"),
        ])
        .unwrap();

        assert_eq!(
            (config.settings.mode, config.settings.time_window_hours),
            (Mode::Observe, 48)
        );
        assert_eq!(config.own_roles, ["arn:canary", "arn:notify"]);
        assert_eq!(config.own_names, ["organisation-trail"]);
        assert_eq!((config.chat_topic, config.retention_days), (None, 90));
        assert_eq!(config.invalid, []);
    }

    #[test]
    fn an_invalid_value_falls_back_to_its_default_and_is_listed_and_the_others_hold() {
        let config = read(&[
            ("TRIPMETER_SETTINGS", "LearningDays=1000;Nonsense=1;Mode;DeniedBurst=7"),
            ("TRIPMETER_FINDING_RETENTION_DAYS", "forever"),
        ])
        .unwrap();

        let listed: Vec<&str> = config.invalid.iter().map(|invalid| invalid.name.as_str()).collect();
        assert_eq!(listed, ["LearningDays", "Nonsense", "Mode", "FindingRetentionDays"]);
        assert_eq!(config.settings.learning_days, Settings::default().learning_days);
        assert_eq!(config.settings.denied_burst, 7);
        assert_eq!(config.retention_days, RETENTION_DAYS);
    }

    #[test]
    fn what_is_missing_or_blank_is_named() {
        for (name, _) in DEPLOYED.iter().filter(|(name, _)| *name != "TRIPMETER_CHAT_TOPIC") {
            let error = read(&[(name, " ")]).unwrap_err();

            assert!(error.to_string().contains(name), "{error}");
        }
    }

    #[test]
    fn hostile_names_cannot_grow_or_steer_what_is_logged() {
        let config = read(&[("TRIPMETER_SETTINGS", &format!("\u{1b}[31m{}=1", "x".repeat(1000)))]).unwrap();

        let [invalid] = config.invalid.as_slice() else {
            panic!("one is invalid: {:?}", config.invalid);
        };
        assert_eq!(invalid.name.len(), 64);
        assert!(
            invalid.why.len() < 300 && !invalid.why.contains('\u{1b}'),
            "{}",
            invalid.why
        );
    }
}
