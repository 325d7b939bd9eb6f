//! The Lambda function `openai`.

use std::time::{Duration, SystemTime};

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::value::RawValue;
use tokio::time::Instant;
use tripmeter_aws::canary::Millis;
use tripmeter_aws::config::sdk_config;
use tripmeter_aws::deployment::Deployment;
use tripmeter_detect::Mode;
use tripmeter_openai::{BASE_URL, Client, ORGANISATION, Patience};
use tripmeter_openai_function::{KeySecret, Poller, Secret};

/// What is left for judging when reading has to stop, of an invocation's time.
const FOR_JUDGING: Duration = Duration::from_secs(20);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let deployment = Deployment::start("openai").await?;
    let poller = poller(&deployment).await?;
    let (deployment, poller) = (&deployment, &poller);
    run(service_fn(|event: LambdaEvent<Box<RawValue>>| {
        // Boxed, or the runtime's future nests deeper than the compiler follows.
        Box::pin(async move { poll(deployment, poller, &event).await })
    }))
    .await
}

async fn poller(deployment: &Deployment) -> Result<Poller, Error> {
    let environment = |name: &str| std::env::var(name).ok().filter(|text| !text.trim().is_empty());
    let needed = |name: &str| environment(name).ok_or_else(|| format!("the environment has no {name}"));
    let aws = sdk_config(None).await;
    let dynamodb = aws_sdk_dynamodb::Client::new(&aws);
    let (bookmarks, increments) = Poller::kept_in(&dynamodb, &needed("TRIPMETER_STATE_TABLE")?);
    let base = environment("TRIPMETER_OPENAI_BASE_URL").unwrap_or_else(|| BASE_URL.to_owned());
    let observes = deployment.detector.settings.mode == Mode::Observe;
    Ok(Poller {
        api: Client::new(&base, Patience::default())?,
        secret: Secret::new(
            aws_sdk_secretsmanager::Client::new(&aws),
            needed("TRIPMETER_OPENAI_SECRET")?,
        ),
        organisation: environment("TRIPMETER_OPENAI_ORGANIZATION").unwrap_or_else(|| ORGANISATION.to_owned()),
        detector: deployment.detector.clone(),
        findings: deployment.findings.clone(),
        held: observes.then_some("the deployment only observes"),
        bookmarks,
        increments,
        key_secrets: KeySecret::list(
            &environment("TRIPMETER_OPENAI_KEY_SECRETS").unwrap_or_default(),
            &environment("TRIPMETER_OPENAI_KEY_IDS").unwrap_or_default(),
        ),
    })
}

async fn poll(deployment: &Deployment, poller: &Poller, event: &LambdaEvent<Box<RawValue>>) -> Result<(), Error> {
    let now = Millis::of(SystemTime::now());
    let left = event
        .context
        .deadline()
        .duration_since(SystemTime::now())
        .unwrap_or_default();
    let until = Instant::now() + left.saturating_sub(FOR_JUDGING);
    let mut metrics = deployment.metrics();
    let exceptions = deployment.exceptions(now.second(), &mut metrics).await;
    let handled = poller.handle(event.payload.get(), &exceptions, now, until).await;
    match &handled {
        Ok(report) => report.tell(now, &mut metrics),
        Err(error) => tracing::error!(%error, request = %event.context.request_id, "to be tried again"),
    }
    metrics.flush();
    handled?;
    Ok(())
}
