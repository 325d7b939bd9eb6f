//! The Lambda function `usage`.

use std::time::{Duration, Instant, SystemTime};

use aws_lambda_events::sqs::SqsBatchResponse;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::value::RawValue;
use tripmeter_aws::canary::Millis;
use tripmeter_aws::deployment::Deployment;
use tripmeter_usage::handle;

/// What a batch of one account may still take; what has not begun by then is handed back.
const MARGIN: Duration = Duration::from_secs(20);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let deployment = Deployment::start("usage").await?;
    let deployment = &deployment;
    run(service_fn(|event: LambdaEvent<Box<RawValue>>| {
        // Boxed, or the runtime's future nests deeper than the compiler follows.
        Box::pin(async move { judge(deployment, &event).await })
    }))
    .await
}

async fn judge(deployment: &Deployment, event: &LambdaEvent<Box<RawValue>>) -> Result<SqsBatchResponse, Error> {
    let clock = SystemTime::now();
    let left = event.context.deadline().duration_since(clock).unwrap_or_default();
    let until = Instant::now() + left.saturating_sub(MARGIN);
    let now = Millis::of(clock);
    let mut metrics = deployment.metrics();
    let exceptions = deployment.exceptions(now.second(), &mut metrics).await;
    let handled = handle(event.payload.get(), &deployment.detector, &exceptions, now, until).await;
    let answer = handled.map(|report| {
        report.tell(now, &mut metrics);
        report.answer
    });
    metrics.flush();
    Ok(answer?)
}
