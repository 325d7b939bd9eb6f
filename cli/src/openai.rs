//! `tripmeter openai check`: what can be read at OpenAI with a real key, before anything is deployed.

use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use aws_sdk_secretsmanager::error::DisplayErrorContext;
use clap::{Args, Subcommand, ValueHint};
use serde::de::IgnoredAny;
use tokio::time::Instant;
use tripmeter_model::{DAY, HOUR, Timestamp};
use tripmeter_openai::pages::{self, Buckets, Event, List};
use tripmeter_openai::usage::KINDS;
use tripmeter_openai::{AdminKey, ApiError, BASE_URL, Client, Patience};

use crate::cloud::{self, Endpoint};
use crate::table::Table;
use crate::terminal;

/// How long everything together may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// Commands about OpenAI.
#[derive(Debug, Subcommand)]
pub(crate) enum Openai {
    /// Say what can be read with an admin key; the key is read from stdin, a file or a secret, and never printed
    Check(Check),
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The secret in AWS Secrets Manager that holds the key, by ARN or name
    #[arg(long, value_name = "ARN", conflicts_with = "key_file")]
    secret: Option<String>,

    /// The file that holds the key, instead of stdin
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    key_file: Option<PathBuf>,

    /// The base address of the API
    #[arg(long, value_name = "URL", default_value = BASE_URL)]
    base_url: String,

    #[command(flatten)]
    endpoint: Endpoint,
}

pub(crate) fn run(command: &Openai) -> anyhow::Result<ExitCode> {
    let Openai::Check(check) = command;
    cloud::run(look(check))
}

/// Asks for everything that the function asks for, once.
async fn look(check: &Check) -> anyhow::Result<ExitCode> {
    let client = Client::new(&check.base_url, Patience::default())?;
    let asked = Asked {
        client,
        key: check.key().await?,
        until: Instant::now() + PATIENCE,
    };
    let now = cloud::now();
    let mut seen = Seen::default();
    seen.needed("audit log", asked.audit_log().await);
    for (nth, kind) in KINDS.iter().enumerate() {
        seen.kind(
            nth,
            &format!("usage: {}", kind.name),
            asked.usage(kind.name, kind.groups, now).await,
        );
    }
    seen.useful(
        "costs",
        asked
            .of::<Buckets>(&pages::costs(now.plus(-DAY), None))
            .await
            .map(|_| String::new()),
    );
    seen.useful("projects", asked.there(&pages::projects(None)).await);
    seen.useful("spend limit", asked.there("/organization/spend_limit").await);
    seen.useful("spend alerts", asked.there("/organization/spend_alerts?limit=1").await);
    terminal::print(&seen.table.to_string())?;
    Ok(if seen.is_blind {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

impl Check {
    async fn key(&self) -> anyhow::Result<AdminKey> {
        let secret = match (&self.secret, &self.key_file) {
            (Some(arn), _) => {
                let client = aws_sdk_secretsmanager::Client::new(&self.endpoint.sdk_config().await);
                let answer = client.get_secret_value().secret_id(arn).send().await;
                let answer = answer.map_err(|error| anyhow::anyhow!("{}", DisplayErrorContext(error)));
                let answer = answer.context("the secret cannot be read")?;
                answer.secret_string().unwrap_or_default().to_owned()
            }
            (None, Some(file)) => std::fs::read_to_string(file).with_context(|| format!("{}", file.display()))?,
            (None, None) => {
                let mut text = String::new();
                std::io::stdin()
                    .read_to_string(&mut text)
                    .context("stdin cannot be read")?;
                text
            }
        };
        AdminKey::of_secret(&secret).context("there is no admin key: wanted the key alone, or JSON with admin_key")
    }
}

/// Whom to ask, with what, until when.
struct Asked {
    client: Client,
    key: AdminKey,
    until: Instant,
}

impl Asked {
    async fn of<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        self.client.get(path, &self.key, self.until).await
    }

    async fn there(&self, path: &str) -> Result<String, ApiError> {
        self.of::<IgnoredAny>(path).await.map(|_| String::new())
    }

    async fn audit_log(&self) -> Result<String, ApiError> {
        let events: List<Event> = self.of(&pages::audit_log(None, None)).await?;
        Ok(match events.data.len() {
            0 => "empty: switch audit logging on in the organisation's settings".to_owned(),
            _ => "has events".to_owned(),
        })
    }

    async fn usage(&self, kind: &str, groups: &[&str], now: Timestamp) -> Result<String, ApiError> {
        let page: Buckets = self.of(&pages::usage(kind, groups, now.plus(-HOUR), None)).await?;
        let rows: usize = page.data.iter().map(|bucket| bucket.results.len()).sum();
        Ok(format!("{rows} rows in the last hour"))
    }
}

/// What came of it.
struct Seen {
    table: Table<3>,
    is_blind: bool,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            table: Table::new(["WHAT", "READ", "NOTE"]),
            is_blind: false,
        }
    }
}

impl Seen {
    /// Without this the detector is blind.
    fn needed(&mut self, what: &str, answer: Result<String, ApiError>) {
        self.is_blind |= answer.as_ref().map_or(true, |note| note.starts_with("empty"));
        self.useful(what, answer);
    }

    /// A kind of usage: one that the API does not have is none, but it has the first.
    fn kind(&mut self, nth: usize, what: &str, answer: Result<String, ApiError>) {
        match answer {
            answer @ Err(ApiError::NotFound { .. }) if nth > 0 => self.useful(what, answer),
            answer => self.needed(what, answer),
        }
    }

    fn useful(&mut self, what: &str, answer: Result<String, ApiError>) {
        match answer {
            Ok(note) => self.table.row([what, "yes", &note]),
            Err(ApiError::NotFound { .. }) => self.table.row([what, "none", "not set, or not of this API"]),
            Err(error) => self.table.row([what, "no", &error.to_string()]),
        }
    }
}
