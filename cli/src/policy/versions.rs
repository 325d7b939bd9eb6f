//! `tripmeter policy push`, `history`, `rollback` and `show`: the policy of a deployed detector.

use std::fmt::Write as _;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use serde_json::{Value, json};
use tripmeter_aws::config::{Clients, clients};
use tripmeter_aws::policy::{Policies, Prepared, PushError, Version};
use tripmeter_model::bounded;

use super::shown;
use crate::audit::OnWord;
use crate::cloud::{self, Endpoint};
use crate::table::Table;
use crate::{failure, terminal};

const EXAMPLES: &str = "\
Examples:
  tripmeter policy push tripmeter.toml --table prod-StateTable-1A2B3C --note 'spring' --dry-run
  tripmeter policy push tripmeter.toml --table prod-StateTable-1A2B3C --note 'spring' --yes

What changes is shown, and asked about, before anything is written. Functions follow within a minute;
the detector tells of it on its operations topic within five, whoever wrote the table and however.
The table is the stack's output StateTable.
Exit: 0 in force (or shown), 1 the file cannot be used, 2 the table does not answer, or somebody else
was quicker.";

/// Where the policy is.
#[derive(Args, Debug)]
pub(crate) struct Place {
    /// The state table: the stack's output StateTable
    #[arg(long, value_name = "NAME")]
    table: String,

    #[command(flatten)]
    endpoint: Endpoint,
}

/// How something is put in force.
#[derive(Args, Debug)]
pub(crate) struct InForce {
    #[command(flatten)]
    place: Place,

    #[command(flatten)]
    word: OnWord,

    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,

    /// Do not ask
    #[arg(long)]
    yes: bool,
}

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Push {
    /// The policy file
    #[arg(value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,

    #[command(flatten)]
    how: InForce,
}

#[derive(Args, Debug)]
pub(crate) struct Rollback {
    /// The version to go back to: it becomes the latest one
    #[arg(value_name = "VERSION")]
    number: u32,

    #[command(flatten)]
    how: InForce,
}

#[derive(Args, Debug)]
pub(crate) struct History {
    #[command(flatten)]
    place: Place,

    /// So many at most
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    limit: u16,

    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Show {
    /// The version [default: the one in force]
    #[arg(value_name = "VERSION")]
    number: Option<u32>,

    #[command(flatten)]
    place: Place,
}

/// Puts a file in force.
pub(crate) fn push(args: &Push) -> anyhow::Result<ExitCode> {
    let text = super::read(&args.file)?;
    cloud::run(async {
        let opened = args.how.place.open().await?;
        let prepared = opened.policies.prepare(&text, cloud::now()).await;
        opened.put_in_force(prepared, &super::name(&args.file), &args.how).await
    })
}

/// Puts an earlier version in force again.
pub(crate) fn rollback(args: &Rollback) -> anyhow::Result<ExitCode> {
    cloud::run(async {
        let opened = args.how.place.open().await?;
        let prepared = opened.policies.prepare_rollback(args.number, cloud::now()).await;
        let name = format!("version {}", args.number);
        opened.put_in_force(prepared, &name, &args.how).await
    })
}

/// Lists versions, latest first.
pub(crate) fn history(args: &History) -> anyhow::Result<ExitCode> {
    cloud::run(async {
        let opened = args.place.open().await?;
        let versions = opened.policies.history(args.limit).await;
        let versions = versions.map_err(|error| opened.explained(error))?;
        let mut text = String::new();
        if args.json {
            for version in &versions {
                writeln!(text, "{}", as_json(version))?;
            }
        } else {
            text = as_table(&versions);
        }
        terminal::print(&text)?;
        Ok(ExitCode::SUCCESS)
    })
}

/// Prints a version's file.
pub(crate) fn show(args: &Show) -> anyhow::Result<ExitCode> {
    cloud::run(async {
        let opened = args.place.open().await?;
        let version = match args.number {
            Some(number) => opened.policies.version(number).await,
            None => opened.policies.current().await,
        };
        let version = version.map_err(|error| opened.explained(error))?;
        let Some(version) = version else {
            match args.number {
                Some(number) => bail!(PushError::NoSuchVersion(number)),
                None => bail!("no policy was pushed yet: the rules that ship are in force"),
            }
        };
        // A file gets what was pushed to the byte, a terminal nothing that steers it.
        if io::stdout().is_terminal() {
            let lines = version.text.lines().map(|line| format!("{}\n", bounded(line, 4_096)));
            terminal::print(&lines.collect::<String>())?;
        } else {
            terminal::print(&version.text)?;
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// The versions, and what failures of their table mean.
struct Opened {
    policies: Policies,
    table: String,
    clients: Clients,
}

impl Place {
    async fn open(&self) -> anyhow::Result<Opened> {
        let clients = clients(self.endpoint.endpoint_url.as_deref()).await?;
        Ok(Opened {
            policies: Policies::new(clients.dynamodb.clone(), &self.table),
            table: self.table.clone(),
            clients,
        })
    }
}

impl Opened {
    async fn put_in_force(
        &self,
        prepared: Result<Prepared, PushError>,
        name: &str,
        how: &InForce,
    ) -> anyhow::Result<ExitCode> {
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(error) => return self.refused(error, name),
        };
        let mut said = String::new();
        for warning in &prepared.warnings {
            writeln!(said, "{name}: warning: {}", shown(warning))?;
        }
        writeln!(said, "{}", prepared.changes)?;
        terminal::print(&said)?;
        if how.dry_run {
            terminal::print(&format!(
                "It would be version {}; nothing is written.\n",
                prepared.number()
            ))?;
            return Ok(ExitCode::SUCCESS);
        }
        let by = how.word.by()?;
        confirm(&prepared, how.yes)?;
        let version = self.policies.push(&prepared, &by, &how.word.note, cloud::now()).await;
        let version = version.map_err(|error| self.explained(error))?;
        terminal::print(&format!(
            "Version {} is in force within a minute, and told on the operations topic within five.\n",
            version.number
        ))?;
        Ok(ExitCode::SUCCESS)
    }

    /// Says what is wrong with a file that cannot be used; anything else is an error.
    fn refused(&self, error: PushError, name: &str) -> anyhow::Result<ExitCode> {
        let problems = match &error {
            PushError::Invalid(error) => error.problems(),
            PushError::TooFar(problems) => problems,
            _ => return Err(self.explained(error)),
        };
        let lines = problems.iter().map(|problem| format!("{name}: {}\n", shown(problem)));
        terminal::print(&lines.collect::<String>())?;
        Ok(ExitCode::from(1))
    }

    fn explained(&self, error: PushError) -> anyhow::Error {
        match error {
            PushError::Table(failure) => failure::explained(failure, &self.table, &self.clients),
            error => error.into(),
        }
    }
}

/// Asks whoever sits there.
fn confirm(prepared: &Prepared, yes: bool) -> anyhow::Result<()> {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        bail!("nothing is written: nobody can be asked here; say --yes");
    }
    terminal::say(&format!("Put version {} in force? [y/N] ", prepared.number()));
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    if !matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
        bail!("nothing is written");
    }
    Ok(())
}

fn as_table(versions: &[Version]) -> String {
    if versions.is_empty() {
        return "no policy was pushed yet: the rules that ship are in force\n".to_owned();
    }
    let mut table = Table::new(["VERSION", "PUSHED", "BY", "DIGEST", "NOTE"]);
    for version in versions {
        table.row([
            &version.number.to_string(),
            &version.pushed_at.to_string(),
            &bounded(&version.pushed_by, 60),
            &bounded(&version.digest, 12),
            &bounded(&version.note, 120),
        ]);
    }
    table.to_string()
}

fn as_json(version: &Version) -> Value {
    json!({
        "number": version.number,
        "pushed_at": version.pushed_at.to_string(),
        "pushed_by": version.pushed_by,
        "digest": version.digest,
        "note": version.note,
        "policy": version.text,
    })
}
