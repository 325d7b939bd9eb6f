//! `tripmeter seed`: what a replay of an account's own history has learned, written into a deployed table.

use std::collections::{BTreeMap, HashMap};
use std::process::ExitCode;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use std::path::PathBuf;
use tripmeter_aws::state::Sown;
use tripmeter_detect::{Engine, PartKey};
use tripmeter_model::{MINUTE, Timestamp};
use tripmeter_openai::ORGANISATION;

use crate::cloud::{self, StateTable};
use crate::replay::{self, Wanted};
use crate::{args, policy, settings, terminal};

/// A record arrives up to so long after what it tells of: later ones than this before the detector first heard of an
/// account, it may have counted itself.
const ARRIVES: i64 = 30 * MINUTE;

const EXAMPLES: &str = "\
Examples:
  tripmeter seed ~/logs/AWSLogs --table prod-StateTable-1A2B3C --dry-run   what would be written
  tripmeter seed ~/logs/AWSLogs --table prod-StateTable-1A2B3C             write it
  tripmeter seed logs --table ... --policy tripmeter.toml                  with your campaigns and networks

A run that was broken off can be run again. What the detector has counted since it was deployed stays counted.
Exit: 0 written (or shown), 2 nothing readable or the table does not answer.";

/// What is seeded.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Seed {
    /// Files, directories (recursively), or - for stdin: as replay reads them
    #[arg(required = true, value_name = "PATH", value_hint = clap::ValueHint::AnyPath)]
    paths: Vec<PathBuf>,

    #[command(flatten)]
    state: StateTable,

    /// Say what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,

    /// Exceptions: campaigns are learned as expected, vouched networks as known
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    policy: Option<PathBuf>,

    /// A threshold that the deployment has changed (see tripmeter settings); may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = args::setting)]
    set: Vec<(String, String)>,

    /// Begin here: a date (UTC) or an RFC 3339 time
    #[arg(long, value_name = "TIME", value_parser = args::from_time)]
    from: Option<Timestamp>,

    /// The organization whose exports of OpenAI's these are, as the deployment names it
    #[arg(long, value_name = "ID", default_value = ORGANISATION)]
    openai_organization: String,
}

/// Runs it.
pub(crate) fn run(args: &Seed) -> anyhow::Result<ExitCode> {
    cloud::run(async {
        let opened = args.state.open().await?;
        let explained = |error| opened.explained(error);
        let heard = opened.state.first_heard().await.map_err(explained)?;
        let settings = settings::with(&args.set)?;
        let engine = Engine::new(settings.clone(), policy::load(args.policy.as_deref())?);
        let wanted = Wanted {
            organisation: &args.openai_organization,
            from: args.from,
            to: None,
        };
        let known_since = |account: &str| heard.get(account).map(|at: &Timestamp| at.plus(-ARRIVES));
        let (engine, tally) = replay::learn(&args.paths, wanted, engine, known_since)?;
        if tally.nothing_readable() {
            anyhow::bail!("nothing of what was named could be read as CloudTrail records");
        }
        let total = engine.parts().count();
        let bar = progress(total);
        let mut report = Report::new(args.dry_run);
        let now = cloud::now();
        for (account, key, body) in engine.parts() {
            report.seen(account, key);
            if !args.dry_run {
                let sown = opened.state.sow(account, key, body, &settings, now).await;
                report.sown(sown.map_err(explained)?);
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        terminal::print(&report.text(&heard))?;
        Ok(ExitCode::SUCCESS)
    })
}

fn progress(parts: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("writing [{bar:30}] {human_pos} of {human_len} parts, {eta} left");
    let bar = ProgressBar::new(parts as u64);
    match style {
        Ok(style) => bar.with_style(style.progress_chars("=> ")),
        Err(_) => bar,
    }
}

/// What was found in the history, and what became of it.
struct Report {
    dry_run: bool,
    /// Profiles and services by account.
    accounts: BTreeMap<String, (u64, u64)>,
    parts: u64,
    sown: BTreeMap<Sown, u64>,
}

impl Report {
    fn new(dry_run: bool) -> Self {
        Self {
            dry_run,
            accounts: BTreeMap::new(),
            parts: 0,
            sown: BTreeMap::new(),
        }
    }

    fn seen(&mut self, account: &str, key: PartKey) {
        self.parts += 1;
        let (profiles, services) = self.accounts.entry(account.to_owned()).or_default();
        match key {
            PartKey::Use(..) => *profiles += 1,
            PartKey::Service(_) => *services += 1,
            _ => {}
        }
    }

    fn sown(&mut self, sown: Sown) {
        *self.sown.entry(sown).or_default() += 1;
    }

    fn text(&self, heard: &HashMap<String, Timestamp>) -> String {
        let mut lines = Vec::new();
        for (account, (profiles, services)) in &self.accounts {
            let since = heard.get(account).map_or_else(String::new, |at| {
                format!(" (the detector has heard of it since {at}: later records were left to it)")
            });
            lines.push(format!(
                "account {account}: {profiles} profiles on {services} services{since}"
            ));
        }
        if self.dry_run {
            lines.push(format!("{} parts would be written; nothing was", self.parts));
        } else {
            let of = |sown| self.sown.get(&sown).copied().unwrap_or(0);
            lines.push(format!(
                "{} parts: {} new, {} made one with what was there, {} kept as they were, {} too old to matter",
                self.parts,
                of(Sown::New),
                of(Sown::Merged),
                of(Sown::Kept),
                of(Sown::Left)
            ));
        }
        lines.join("\n") + "\n"
    }
}
