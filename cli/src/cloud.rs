//! How commands reach a deployed detector.

use std::future::Future;

use anyhow::Context;
use clap::Args;
use tripmeter_aws::config::{Clients, clients, sdk_config};
use tripmeter_aws::findings::FindingsTable;
use tripmeter_aws::state::{State, StateError};
use tripmeter_model::Timestamp;

use crate::failure;

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

/// The state, and what failures of its table mean.
pub(crate) struct Opened {
    pub(crate) state: State,
    table: String,
    clients: Clients,
}

impl StateTable {
    /// The state, for commands that store no finding.
    pub(crate) async fn open(&self) -> anyhow::Result<Opened> {
        let clients = clients(self.endpoint.endpoint_url.as_deref()).await?;
        // Nothing that is done with it writes a finding.
        let findings = FindingsTable::new(clients.dynamodb.clone(), String::new());
        Ok(Opened {
            state: State::new(clients.dynamodb.clone(), self.table.clone(), findings),
            table: self.table.clone(),
            clients,
        })
    }
}

impl Opened {
    /// What a failure means for whoever asked.
    pub(crate) fn explained(&self, error: StateError) -> anyhow::Error {
        match error {
            StateError::Table(failure) => failure::explained(failure, &self.table, &self.clients),
            error => error.into(),
        }
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
