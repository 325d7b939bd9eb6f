//! The Lambda function `notify`.

use std::env;
use std::time::{Duration, Instant, SystemTime};

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use serde_json::value::RawValue;
use tripmeter_aws::canary::Millis;
use tripmeter_aws::config::{self, Config};
use tripmeter_aws::findings::FindingsTable;
use tripmeter_aws::publish::{Places, Publisher, Topics};
use tripmeter_aws::telemetry::{self, Metrics};
use tripmeter_notify::Notify;

/// What a finding may take when SNS and DynamoDB are slow; nothing is begun so close to the function's end.
const MARGIN: Duration = Duration::from_secs(20);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = |name: &str| env::var(name).ok();
    telemetry::start(environment);
    let config = Config::from_env(environment)?;
    let aws = config::sdk_config(None).await;
    let dynamodb = aws_sdk_dynamodb::Client::new(&aws);
    let places = Places {
        runbooks: config.runbooks.clone(),
        findings_table: config.findings_table.clone(),
    };
    let sns = aws_sdk_sns::Client::new(&aws);
    let topics = Topics {
        findings: config.findings_topic.clone(),
        chat: config.chat_topic.clone(),
        operations: config.operations_topic.clone(),
    };
    let publisher = Publisher::new(sns, topics, places);
    let findings = FindingsTable::new(dynamodb.clone(), config.findings_table.clone());
    let notify = Notify::new(findings, dynamodb, &config.state_table, publisher);

    lambda_runtime::run(service_fn(|event: LambdaEvent<Box<RawValue>>| {
        let (notify, stack) = (notify.clone(), config.stack.as_str());
        async move {
            let clock = SystemTime::now();
            let left = event.context.deadline().duration_since(clock).unwrap_or_default();
            let until = Instant::now() + left.saturating_sub(MARGIN);
            let now = Millis::of(clock).second();
            let report = notify.handle(event.payload.get(), now, until).await?;
            let mut metrics = Metrics::new(stack, "notify");
            report.tell(&mut metrics);
            metrics.flush();
            Ok::<Value, Error>(report.response()?)
        }
    }))
    .await
}
