//! The Lambda function `canary`.

use std::sync::Arc;
use std::time::SystemTime;

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde::de::IgnoredAny;
use tripmeter_aws::canary::Millis;
use tripmeter_aws::config::{Config, sdk_config};
use tripmeter_aws::telemetry;
use tripmeter_canary::Canary;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = |name: &str| std::env::var(name).ok();
    telemetry::start(environment);
    let config = Config::from_env(environment)?;
    let aws = sdk_config(None).await;
    let dynamodb = aws_sdk_dynamodb::Client::new(&aws);
    let canary = Arc::new(Canary::deployed(&config, &aws, dynamodb));
    let stack = config.stack.as_str();
    // It is called by the clock alone: whatever the call says is nothing to it.
    run(service_fn(|_: LambdaEvent<IgnoredAny>| {
        let canary = Arc::clone(&canary);
        // Boxed, or the runtime's future nests deeper than the compiler follows.
        Box::pin(async move {
            let now = Millis::of(SystemTime::now());
            canary.handle(stack, now).await.map_err(Error::from)
        })
    }))
    .await
}
