//! A deployed detector, as the functions that judge hold it from invocation to invocation.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use tokio::sync::Mutex;
use tripmeter_model::{MINUTE, Service, Timestamp};

use crate::canary::{Canary, Millis};
use crate::config::{Config, ConfigError, sdk_config};
use crate::detector::{Detector, most_a_day};
use crate::exceptions::{Exceptions, Expected};
use crate::findings::FindingsTable;
use crate::own::OwnCalls;
use crate::policy::{CurrentPolicy, Policies};
use crate::state::{Outcome, State};
use crate::telemetry::{self, Metric, Metrics};

/// See the module's docs.
#[derive(Debug)]
pub struct Deployment {
    /// What judges.
    pub detector: Detector,
    /// Where findings are.
    pub findings: FindingsTable,
    stack: String,
    function: &'static str,
    invalid_settings: usize,
    known: Mutex<Known>,
}

/// What people have said, as it was read last.
#[derive(Debug)]
struct Known {
    policy: CurrentPolicy,
    expected: Arc<Vec<Expected>>,
    most: Arc<BTreeMap<Service, u64>>,
    look_at: Option<Timestamp>,
}

impl Deployment {
    /// What a function of this name is told by its environment, once, when it starts.
    ///
    /// # Errors
    /// When the environment lacks what no function can do without.
    pub async fn start(function: &'static str) -> Result<Self, ConfigError> {
        let environment = |name: &str| std::env::var(name).ok();
        telemetry::start(environment);
        let config = Config::from_env(environment)?;
        let client = Client::new(&sdk_config(None).await);
        Ok(Self::new(&config, &client, function))
    }

    fn new(config: &Config, client: &Client, function: &'static str) -> Self {
        for invalid in &config.invalid {
            tracing::error!(name = %invalid.name, why = %invalid.why, "a setting fell back to its default");
        }
        let findings = FindingsTable::new(client.clone(), config.findings_table.clone()).keeping(config.retention_days);
        let topics = [
            Some(&config.findings_topic),
            config.chat_topic.as_ref(),
            Some(&config.operations_topic),
        ];
        let detector = Detector {
            home: account_of(&config.findings_topic).to_owned(),
            state: State::new(client.clone(), config.state_table.clone(), findings.clone()),
            canary: Canary::new(client.clone(), config.state_table.clone()),
            own: OwnCalls::new(&config.own_roles, topics.into_iter().flatten().map(String::as_str)),
            scope: crate::scope(&config.stack, &config.own_names),
            settings: config.settings.clone(),
        };
        let policies = Policies::new(client.clone(), config.state_table.clone());
        Self {
            detector,
            findings,
            stack: config.stack.clone(),
            function,
            invalid_settings: config.invalid.len(),
            known: Mutex::new(Known {
                policy: CurrentPolicy::new(policies, config.allowed_regions.clone()),
                expected: Arc::default(),
                most: Arc::default(),
                look_at: None,
            }),
        }
    }

    /// What is known beside the records, at most a minute old. What cannot be read stays as it was, and is counted.
    pub async fn exceptions(&self, now: Timestamp, metrics: &mut Metrics) -> Exceptions {
        let mut known = self.known.lock().await;
        if let Some(trouble) = known.policy.refresh(now).await {
            tracing::error!(%trouble, "the policy");
            metrics.count(Metric::PolicyInvalid, 1);
        }
        if known.look_at.is_none_or(|at| at <= now) {
            match self.findings.expected(now).await {
                Ok(expected) => known.expected = Arc::new(expected),
                Err(error) => tracing::error!(%error, "what was marked as expected could not be read"),
            }
            match self
                .detector
                .canary
                .quotas(&self.detector.home, Millis::from(now))
                .await
            {
                Ok(quotas) => known.most = Arc::new(most_a_day(&quotas)),
                Err(error) => tracing::error!(%error, "what AWS lets the account spend could not be read"),
            }
            known.look_at = Some(now.plus(MINUTE));
        }
        Exceptions {
            file: known.policy.policy(),
            expected: Arc::clone(&known.expected),
            most: Arc::clone(&known.most),
        }
    }

    /// What an invocation counts.
    pub fn metrics(&self) -> Metrics {
        let mut metrics = Metrics::new(&self.stack, self.function);
        metrics.count(Metric::SettingsInvalid, self.invalid_settings as u64);
        metrics
    }
}

/// Counts what came of a batch, and says what could not be read.
pub fn tell(outcome: &Outcome, now: Millis, metrics: &mut Metrics) {
    metrics.count(Metric::Findings, outcome.moved.len() as u64);
    metrics.count(Metric::Conflicts, outcome.conflicts.into());
    metrics.count(Metric::Duplicates, outcome.repeated.unwrap_or(0));
    metrics.count(
        Metric::Unreadable,
        (outcome.unreadable.len() + outcome.oversized.len()) as u64,
    );
    for moved in &outcome.moved {
        let finding = &moved.finding;
        let since = now.0 - finding.time.seconds() * 1_000;
        metrics.latency(u64::try_from(since).unwrap_or(0));
        tracing::info!(
            uid = %finding.uid,
            revision = finding.revision,
            r#type = %finding.finding_type,
            severity = %finding.severity,
            account = %finding.account,
            suppressed = finding.suppressed.is_some(),
            "found"
        );
    }
    for error in &outcome.unreadable {
        tracing::error!(%error, "judged as if it were not there");
    }
    for key in &outcome.oversized {
        tracing::error!(part = %key, "too large to be written");
    }
}

/// The account that an ARN names.
fn account_of(arn: &str) -> &str {
    arn.split(':').nth(4).unwrap_or_default()
}
