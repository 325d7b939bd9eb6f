//! The Lambda function `control-plane`.

use std::time::SystemTime;

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::value::RawValue;
use tripmeter_aws::canary::Millis;
use tripmeter_aws::deployment::Deployment;
use tripmeter_aws::telemetry::Metric;
use tripmeter_control_plane::handle;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let deployment = Deployment::start("control-plane").await?;
    let deployment = &deployment;
    run(service_fn(|event: LambdaEvent<Box<RawValue>>| {
        // Boxed, or the runtime's future nests deeper than the compiler follows.
        Box::pin(async move { judge(deployment, &event).await })
    }))
    .await
}

async fn judge(deployment: &Deployment, event: &LambdaEvent<Box<RawValue>>) -> Result<(), Error> {
    let now = Millis::of(SystemTime::now());
    let mut metrics = deployment.metrics();
    let exceptions = deployment.exceptions(now.second(), &mut metrics).await;
    let payload = event.payload.get();
    let handled = handle(payload, &deployment.detector, &deployment.findings, &exceptions, now).await;
    match &handled {
        Ok(report) => report.tell(now, &mut metrics),
        Err(error) => {
            metrics.count(Metric::Unreadable, u64::from(error.is_unreadable()));
            tracing::error!(%error, request = %event.context.request_id, "handed back");
        }
    }
    metrics.flush();
    handled?;
    Ok(())
}
