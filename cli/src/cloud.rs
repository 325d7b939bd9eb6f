//! How commands reach a deployed detector.

use std::future::Future;

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use clap::Args;
use tripmeter_aws::config::sdk_config;
use tripmeter_aws::findings::FindingsTable;
use tripmeter_aws::state::State;
use tripmeter_model::Timestamp;

/// Where the detector's state lies.
#[derive(Args, Debug)]
pub(crate) struct StateTable {
    /// The state table: the stack's output StateTable
    #[arg(long, value_name = "NAME")]
    pub(crate) table: String,

    #[command(flatten)]
    pub(crate) endpoint: Endpoint,
}

/// Which AWS is spoken to: credentials and region are the environment's, as for the AWS CLI.
#[derive(Args, Debug)]
pub(crate) struct Endpoint {
    /// Another endpoint than AWS's own, as of an emulator
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint_url: Option<String>,
}

impl Endpoint {
    /// What clients are built from.
    pub(crate) async fn sdk_config(&self) -> aws_config::SdkConfig {
        sdk_config(self.endpoint_url.as_deref()).await
    }
}

impl StateTable {
    /// The state, for commands that store no finding.
    pub(crate) async fn open(&self) -> State {
        let client = Client::new(&self.endpoint.sdk_config().await);
        // Nothing that is done with it writes a finding.
        let findings = FindingsTable::new(client.clone(), String::new());
        State::new(client, self.table.clone(), findings)
    }
}

/// Runs what waits for the network. Only commands that do so start a runtime.
pub(crate) fn run<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("no runtime could be started")?.block_on(work)
}

/// The clock.
pub(crate) fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp::from_seconds(since.unwrap_or_default().as_secs() as i64)
}
