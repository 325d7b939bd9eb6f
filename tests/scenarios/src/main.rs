//! Prints recorded attacks and benign weeks, or writes them as CloudTrail does.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};
use scenarios::output::{self, Format};
use scenarios::{Scenario, attacks, benign, corpus, scenario, variant};

/// Recorded attacks and benign weeks, made from a seed.
#[derive(Parser)]
#[command(name = "scenarios", version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The scenarios, with what happens in each and what is expected.
    List {
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// The records of one scenario, on standard output or as CloudTrail's files.
    Show {
        /// Its name, as `list` gives it.
        name: String,
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Made of something else: another service, identity, call or order.
        #[arg(long)]
        variant: bool,
        #[arg(long, value_enum, default_value_t = Format::Ndjson)]
        format: Format,
        /// Writes gzipped log files under this directory, laid out as in a bucket.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// One attack over three benign weeks, a record a line.
    Demo {
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// A month of a large account, for measuring speed.
    Corpus {
        #[arg(long, default_value_t = 1_000_000)]
        records: usize,
        #[arg(long)]
        out: PathBuf,
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

fn main() -> anyhow::Result<()> {
    match run(Args::parse().command) {
        // A reader that has seen enough is no failure.
        Err(error)
            if error
                .downcast_ref::<io::Error>()
                .is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe) =>
        {
            Ok(())
        }
        other => other,
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::List { seed } => {
            let mut out = io::stdout().lock();
            for scenario in attacks::names()
                .chain(benign::names())
                .filter_map(|name| scenario(name, seed))
            {
                out.write_all(describe(&scenario).as_bytes())?;
            }
            Ok(())
        }
        Command::Show {
            name,
            seed,
            variant: false,
            format,
            out,
        } => show(
            &scenario(&name, seed).with_context(|| unknown(&name))?,
            format,
            out.as_deref(),
        ),
        Command::Show {
            name,
            seed,
            variant: true,
            format,
            out,
        } => show(
            &variant(&name, seed).with_context(|| unknown(&name))?,
            format,
            out.as_deref(),
        ),
        Command::Demo { seed } => {
            let Some(scenario) = scenario("llmjacking-leaked-key", seed) else {
                bail!("the demo has no scenario")
            };
            eprintln!("{}", scenario.what);
            Ok(output::write(&scenario.records, Format::Ndjson, io::stdout().lock())?)
        }
        Command::Corpus { records, out, seed } => {
            let files = corpus::write(records, &out, seed).with_context(|| format!("writing to {}", out.display()))?;
            eprintln!("{records} records in {files} files under {}", out.display());
            Ok(())
        }
    }
}

fn show(scenario: &Scenario, format: Format, out: Option<&Path>) -> anyhow::Result<()> {
    if let Some(dir) = out {
        let files =
            output::write_logs(&scenario.records, dir).with_context(|| format!("writing to {}", dir.display()))?;
        eprintln!(
            "{} records in {files} files under {}",
            scenario.records.len(),
            dir.display()
        );
        return Ok(());
    }
    Ok(output::write(&scenario.records, format, io::stdout().lock())?)
}

fn unknown(name: &str) -> String {
    let names: Vec<_> = attacks::names().chain(benign::names()).collect();
    format!("no scenario is called {name:?}; there are {}", names.join(", "))
}

fn describe(scenario: &Scenario) -> String {
    let Scenario {
        name,
        what,
        expectation,
        records,
    } = scenario;
    let (records, abuse) = (records.len(), expectation.abuse.len());
    let must = expectation
        .must
        .iter()
        .map(|m| format!("    must:     {} ({:?} or worse)\n", m.what, m.severity));
    let must_not = expectation
        .must_not
        .iter()
        .map(|m| format!("    must not: {}\n", m.what));
    let expected: String = must.chain(must_not).collect();
    format!("{name}\n    {what}\n    {records} records, {abuse} abusive calls\n{expected}\n")
}
