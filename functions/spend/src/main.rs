//! The Lambda function `spend`.

use std::time::{Duration, Instant, SystemTime};

use aws_lambda_events::sqs::SqsBatchResponse;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde::Deserialize;
use serde_json::value::RawValue;
use tripmeter_aws::canary::Millis;
use tripmeter_aws::config::{Config, sdk_config};
use tripmeter_aws::deployment::{Deployment, tell};
use tripmeter_aws::exceptions::Exceptions;
use tripmeter_aws::telemetry::{Metric, Metrics};
use tripmeter_spend::invocations::{self, Delivery, LogError};
use tripmeter_spend::{hear, meters};

/// What a batch of one account may still take; what has not begun by then is handed back.
const MARGIN: Duration = Duration::from_secs(20);

/// What the function is called with.
#[derive(Deserialize)]
#[serde(untagged)]
enum Call {
    /// By the clock: `{"tripmeter":"meters"}`.
    Clock { tripmeter: String },
    /// By CloudWatch Logs.
    Log(Delivery),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let deployment = Deployment::start("spend").await?;
    let reader = reader(&deployment).await?;
    let (deployment, reader) = (&deployment, &reader);
    run(service_fn(|event: LambdaEvent<Box<RawValue>>| {
        // Boxed, or the runtime's future nests deeper than the compiler follows.
        Box::pin(async move { answer(deployment, reader, &event).await })
    }))
    .await
}

async fn reader(deployment: &Deployment) -> Result<meters::Reader, Error> {
    let config = Config::from_env(|name| std::env::var(name).ok())?;
    let aws = sdk_config(None).await;
    let regions: Vec<String> = std::iter::once(&config.region)
        .chain(config.regions.iter().filter(|region| **region != config.region))
        .cloned()
        .collect();
    let dynamodb = aws_sdk_dynamodb::Client::new(&aws);
    Ok(meters::Reader::new(
        &deployment.detector.home,
        &regions,
        &aws,
        dynamodb,
        &config.state_table,
    ))
}

async fn answer(
    deployment: &Deployment,
    reader: &meters::Reader,
    event: &LambdaEvent<Box<RawValue>>,
) -> Result<SqsBatchResponse, Error> {
    let clock = SystemTime::now();
    let now = Millis::of(clock);
    let left = event.context.deadline().duration_since(clock).unwrap_or_default();
    let until = Instant::now() + left.saturating_sub(MARGIN);
    let mut metrics = deployment.metrics();
    let exceptions = deployment.exceptions(now.second(), &mut metrics).await;
    let payload = event.payload.get();
    let answer = match serde_json::from_str(payload) {
        Ok(Call::Clock { tripmeter }) if tripmeter == "meters" => {
            read(deployment, reader, &exceptions, now, &mut metrics).await
        }
        Ok(Call::Log(delivery)) => log(deployment, &delivery, &exceptions, now, &mut metrics).await,
        _ => {
            let heard = hear(payload, &deployment.detector, &exceptions, now, until).await;
            heard.map_err(Error::from).map(|report| {
                report.tell(now, &mut metrics);
                report.answer
            })
        }
    };
    metrics.flush();
    answer
}

/// Reads the metrics. A region that was not read to the end is an error in the end: the call is made again.
async fn read(
    deployment: &Deployment,
    reader: &meters::Reader,
    exceptions: &Exceptions,
    now: Millis,
    metrics: &mut Metrics,
) -> Result<SqsBatchResponse, Error> {
    let mut failed = None;
    for region in reader.read(&deployment.detector, exceptions, now.second()).await {
        match region {
            Ok(report) => {
                metrics.count(Metric::Events, (report.told.new + report.told.left) as u64);
                for outcome in &report.outcomes {
                    tell(outcome, now, metrics);
                }
            }
            Err(error) => {
                tracing::error!(%error, "metrics were not read");
                failed = Some(error);
            }
        }
    }
    failed.map_or_else(|| Ok(SqsBatchResponse::default()), |error| Err(error.into()))
}

async fn log(
    deployment: &Deployment,
    delivery: &Delivery,
    exceptions: &Exceptions,
    now: Millis,
    metrics: &mut Metrics,
) -> Result<SqsBatchResponse, Error> {
    let calls = match delivery.calls() {
        Ok(calls) => calls,
        Err(error) => {
            metrics.count(Metric::Unreadable, u64::from(matches!(error, LogError::Unreadable(_))));
            tracing::error!(%error, "a log that cannot be read");
            return Err(error.into());
        }
    };
    metrics.count(Metric::Events, calls.entries);
    if let Some(outcome) = invocations::judge(&calls, &deployment.detector, exceptions, now.second()).await? {
        tell(&outcome, now, metrics);
    }
    Ok(SqsBatchResponse::default())
}
