//! The Lambda function `trail`.

use std::time::{Duration, Instant, SystemTime};

use aws_lambda_events::sqs::SqsBatchResponse;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::value::RawValue;
use tripmeter_aws::canary::Millis;
use tripmeter_aws::deployment::Deployment;
use tripmeter_trail::{Files, Shift, Trail, handle};

/// What a part of a file may still take; what has not begun by then is handed back.
const MARGIN: Duration = Duration::from_secs(20);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let deployment = Deployment::start("trail").await?;
    let trail = Trail::new(deployment.detector.clone(), Files::from_env().await, |name| {
        std::env::var(name).ok()
    })?;
    let (deployment, trail) = (&deployment, &trail);
    run(service_fn(|event: LambdaEvent<Box<RawValue>>| {
        // Boxed, or the runtime's future nests deeper than the compiler follows.
        Box::pin(async move { judge(deployment, trail, &event).await })
    }))
    .await
}

async fn judge(
    deployment: &Deployment,
    trail: &Trail,
    event: &LambdaEvent<Box<RawValue>>,
) -> Result<SqsBatchResponse, Error> {
    let clock = SystemTime::now();
    let left = event.context.deadline().duration_since(clock).unwrap_or_default();
    let shift = Shift {
        began: Millis::of(clock),
        until: Instant::now() + left.saturating_sub(MARGIN),
        over: Millis::of(event.context.deadline()),
    };
    let mut metrics = deployment.metrics();
    let exceptions = deployment.exceptions(shift.began.second(), &mut metrics).await;
    let handled = handle(event.payload.get(), trail, &exceptions, shift).await;
    let answer = handled.map(|report| {
        report.tell(shift.began, &mut metrics);
        report.answer
    });
    metrics.flush();
    Ok(answer?)
}
