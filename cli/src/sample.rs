//! `tripmeter sample-event`: a labelled sample through the deployed path, to see whether findings arrive.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use aws_sdk_dynamodb::error::DisplayErrorContext;
use clap::Args;
use tripmeter_aws::findings::FindingsTable;
use tripmeter_aws::sample::Sample;
use tripmeter_model::bounded;

use crate::cloud::{self, Endpoint};
use crate::terminal;

const EXAMPLES: &str = "\
The sample goes to the queue that use comes from, and through function, table, stream and topic like any
finding: your mailbox gets it, marked [SAMPLE]. Nothing is judged by it, and nothing learned. The rules
before the queue admit only what AWS sends; the canary proves them.

Exit: 0 it was published, 2 it was not in time, or AWS does not answer.";

/// What is sent, and where it is to come out.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SampleEvent {
    /// The queue: the stack's output UsageQueueUrl
    #[arg(long, value_name = "URL")]
    queue_url: String,

    /// The findings table: the stack's output FindingsTable
    #[arg(long, value_name = "NAME")]
    table: String,

    /// How long to wait for it, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 420, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    wait: u64,

    #[command(flatten)]
    endpoint: Endpoint,
}

/// Runs it.
pub(crate) fn run(args: &SampleEvent) -> anyhow::Result<ExitCode> {
    cloud::run(send(args))
}

async fn send(args: &SampleEvent) -> anyhow::Result<ExitCode> {
    let account = args.queue_url.rsplit('/').nth(1).unwrap_or_default();
    let id = format!("{}-{:08x}", cloud::now(), std::process::id());
    let sample = Sample::new(account, &id);
    let message = sample.message().context("the sample as JSON")?;
    if Sample::read(&message).is_none() {
        bail!(
            "{} is no URL of a queue: https://sqs.REGION.amazonaws.com/ACCOUNT/NAME",
            bounded(&args.queue_url, 200)
        );
    }
    let aws = args.endpoint.sdk_config().await;
    let findings = FindingsTable::new(aws_sdk_dynamodb::Client::new(&aws), args.table.clone());
    let began = Instant::now();
    let sent = aws_sdk_sqs::Client::new(&aws)
        .send_message()
        .queue_url(&args.queue_url)
        .message_body(message)
        .send()
        .await;
    if let Err(error) = sent {
        bail!("the queue did not take it: {}", DisplayErrorContext(error));
    }
    terminal::say("sent; waiting for it to be published ...\n");
    while began.elapsed() < Duration::from_secs(args.wait) {
        let stored = findings.get(account, &sample.uid()).await?;
        if stored.is_some_and(|stored| stored.published >= stored.finding.revision) {
            let seconds = began.elapsed().as_secs_f64();
            terminal::print(&format!("published after {seconds:.1} s: finding {}\n", sample.uid()))?;
            return Ok(ExitCode::SUCCESS);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    bail!(
        "it was not published within {} s: look at the stack's alarms and at the log of the functions usage and notify",
        args.wait
    );
}
