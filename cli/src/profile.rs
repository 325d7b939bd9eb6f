//! `tripmeter profile`: what the deployed detector has learned of somebody.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};
use tripmeter_detect::{PartKey, ProfileShown, ServiceShown, principal_digest};
use tripmeter_model::{DAY, HOUR, Service, Timestamp, bounded};

use crate::cloud::{self, StateTable};
use crate::table::Table;
use crate::terminal;

/// Identities of a service that a list shows.
const SHOWN: usize = 50;

/// What is asked of the profiles.
#[derive(Debug, Subcommand)]
pub(crate) enum Profile {
    /// List the services of an account, and who uses them most
    List(List),
    /// Show the profile of one identity on one service
    Show(Show),
}

#[derive(Args, Debug)]
pub(crate) struct List {
    #[command(flatten)]
    state: StateTable,

    /// The account
    #[arg(long, value_name = "ID")]
    account: String,
}

#[derive(Args, Debug)]
pub(crate) struct Show {
    #[command(flatten)]
    state: StateTable,

    /// The account
    #[arg(long, value_name = "ID")]
    account: String,

    /// The service, as in SES or Bedrock
    #[arg(long, value_name = "NAME", value_parser = service)]
    service: Service,

    /// Who: an ARN as findings show it
    #[arg(value_name = "IDENTITY")]
    identity: String,

    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub(crate) fn run(command: &Profile) -> anyhow::Result<ExitCode> {
    match command {
        Profile::List(args) => cloud::run(list(args)),
        Profile::Show(args) => cloud::run(show(args)),
    }
}

async fn list(args: &List) -> anyhow::Result<ExitCode> {
    let (opened, now) = (args.state.open().await?, cloud::now());
    let explained = |error| opened.explained(error);
    let mut table = Table::new(["SERVICE", "CALLS", "IDENTITY"]);
    let services = opened.state.services(&args.account, now).await.map_err(explained)?;
    if services.is_empty() {
        anyhow::bail!("the table holds nothing of account {}", bounded(&args.account, 64));
    }
    for (service, body) in services {
        let shown = ServiceShown::of(service, &body)?;
        let (who, calls): (Vec<_>, Vec<u64>) = shown.identities.into_iter().take(SHOWN).unzip();
        let names = opened.state.names(&args.account, service, &who, now).await;
        let names = names.map_err(explained)?;
        for (name, calls) in names.iter().zip(calls) {
            table.row([service.name(), &calls.to_string(), &bounded(name, 200)]);
        }
    }
    terminal::print(&format!("{table}\nCalls are those of the last two days.\n"))?;
    Ok(ExitCode::SUCCESS)
}

async fn show(args: &Show) -> anyhow::Result<ExitCode> {
    let opened = args.state.open().await?;
    let who = principal_digest(&args.identity);
    let keys = [PartKey::Use(args.service, who), PartKey::Known(args.service, who)];
    let bodies = opened.state.bodies(&args.account, &keys, cloud::now()).await;
    let bodies = bodies.map_err(|error| opened.explained(error))?;
    let [Some(body), known] = bodies.as_slice() else {
        anyhow::bail!(
            "account {} has no profile of {} on {}",
            bounded(&args.account, 64),
            bounded(&args.identity, 200),
            args.service.name()
        );
    };
    let shown = ProfileShown::of(args.service, who, body, known.as_deref())?;
    let text = if args.json {
        format!(
            "{}\n",
            serde_json::to_string_pretty(&shown).context("the profile as JSON")?
        )
    } else {
        text(&shown)
    };
    terminal::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn text(shown: &ProfileShown) -> String {
    let mut text = String::new();
    let who = shown
        .identity
        .as_ref()
        .map_or("an identity without a name", |identity| &identity.id);
    let _ = writeln!(text, "{} on {}", bounded(who, 500), shown.service.name());
    let _ = writeln!(text, "  used       {} to {}", shown.first_use, shown.last_use);
    let _ = writeln!(text, "  a day      {:.1} calls, over the last 28", shown.mean_day);
    for (horizon, mean) in &shown.expected {
        let _ = writeln!(text, "  expected   {mean:.1} calls in the next {horizon}");
    }
    for (day, calls) in &shown.open_days {
        let day = Timestamp::from_seconds(i64::from(*day) * DAY);
        let _ = writeln!(text, "  not folded {} {calls} calls", date(day));
    }
    let shown_values = shown.shown.iter().map(|(name, n)| format!("{n} {name}"));
    let _ = writeln!(text, "  has shown  {}", shown_values.collect::<Vec<_>>().join(", "));
    for (hour, calls, points) in &shown.hours {
        let _ = writeln!(
            text,
            "  hour       {} {calls} calls, {points} points",
            Timestamp::from_seconds(hour * HOUR)
        );
    }
    let _ = writeln!(text, "  episodes   {}", shown.episodes);
    let _ = writeln!(
        text,
        "  remembers  {} event ids; {} bytes",
        shown.remembered, shown.bytes
    );
    text
}

fn date(time: Timestamp) -> String {
    time.to_string().chars().take(10).collect()
}

fn service(name: &str) -> Result<Service, String> {
    let asked = |service: &Service| service.name().eq_ignore_ascii_case(name);
    let found = Service::ALL
        .iter()
        .copied()
        .filter(|service| service.spends())
        .find(asked);
    found.ok_or_else(|| {
        let names = Service::ALL
            .iter()
            .filter(|service| service.spends())
            .map(|service| service.name());
        format!("one of {}", names.collect::<Vec<_>>().join(", "))
    })
}
