//! What can be said on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use tripmeter_model::{DAY, Severity, Timestamp};
use tripmeter_openai::ORGANISATION;

use crate::doctor::Doctor;
use crate::findings::Findings;
use crate::openai::Openai;
use crate::policy::versions::{History, Push, Rollback, Show};
use crate::profile::Profile;
use crate::sample::SampleEvent;
use crate::seed::Seed;

/// A tripwire on an AWS account's usage meters: finds hijacked mail, SMS and model services in its logs.
#[derive(Debug, Parser)]
#[command(name = "tripmeter", version, arg_required_else_help = true, disable_help_subcommand = true, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  tripmeter replay ~/logs --policy tripmeter.toml    judge a copy of the trail's bucket
  aws cloudtrail lookup-events | tripmeter replay -  judge what the console shows, without a trail";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Judge recorded CloudTrail logs and print what is found
    Replay(Replay),
    /// Work with the policy file: exceptions, owners, allowed regions
    #[command(subcommand)]
    Policy(Policy),
    /// Read a deployed detector's findings, and say what is known of them
    #[command(subcommand)]
    Findings(Findings),
    /// Say which telemetry an account lacks, and what cannot be seen because of it
    Doctor(Doctor),
    /// List every threshold with its default, range and unit
    Settings(List),
    /// List every call that is watched, and why
    Catalogue(List),
    /// Print the event patterns that a deployment listens with
    Patterns {
        /// table, json, a section of the templates, or selectors for `aws cloudtrail put-event-selectors`
        #[arg(
            long,
            value_enum,
            default_value_t,
            hide_possible_values = true,
            value_name = "table|json|template|forwarder|trail|selectors"
        )]
        format: PatternFormat,
    },
    /// Teach a deployed detector what an account's own history shows
    Seed(Seed),
    /// Send a labelled sample through the deployed path, and wait for it
    SampleEvent(SampleEvent),
    /// Try what a deployment would read at OpenAI
    #[command(subcommand)]
    Openai(Openai),
    /// Show what a deployed detector has learned of somebody
    #[command(subcommand)]
    Profile(Profile),
    /// Print the completions of a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

const REPLAY_EXAMPLES: &str = "\
Examples:
  tripmeter replay ~/logs/AWSLogs                          everything, as text
  tripmeter replay logs --format json > findings.ndjson    one OCSF finding a line
  tripmeter replay logs --from 2026-03-01 --to 2026-03-31  only what happened in March
  tripmeter replay logs --set mode=observe                 what would be found, published by nobody
  tripmeter replay logs --fail-on high                     exit 1 when something is High or worse

Findings go to stdout, all else to stderr. Exit: 0 judged, 1 by --fail-on, 2 nothing readable or a
path that does not exist.";

#[derive(Debug, Args)]
#[command(after_help = REPLAY_EXAMPLES)]
pub(crate) struct Replay {
    /// Files, directories (recursively), or - for stdin; gzip or plain, in any order; exports of OpenAI's
    /// audit log and usage, plain
    #[arg(required = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<PathBuf>,

    /// text for people, json for one OCSF finding a line
    #[arg(
        long,
        value_enum,
        default_value_t,
        hide_possible_values = true,
        value_name = "text|json"
    )]
    pub(crate) format: Format,

    /// How stderr sums up; json holds the warnings too
    #[arg(
        long,
        value_enum,
        default_value_t,
        hide_possible_values = true,
        value_name = "text|json|none"
    )]
    pub(crate) summary: SummaryFormat,

    /// Exceptions, owners, allowed regions (see tripmeter policy check)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) policy: Option<PathBuf>,

    /// Change a threshold (see tripmeter settings); may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    pub(crate) set: Vec<(String, String)>,

    /// Begin here, baselines too: a date (UTC) or an RFC 3339 time
    #[arg(long, value_name = "TIME", value_parser = from_time)]
    pub(crate) from: Option<Timestamp>,

    /// End here: a date, which still counts, or an RFC 3339 time
    #[arg(long, value_name = "TIME", value_parser = to_time)]
    pub(crate) to: Option<Timestamp>,

    /// The organization whose exports of OpenAI's these are, as the deployment names it
    #[arg(long, value_name = "ID", default_value = ORGANISATION)]
    pub(crate) openai_organization: String,

    /// Print only what is at least low, medium, high or critical
    #[arg(long, value_name = "SEVERITY")]
    pub(crate) min_severity: Option<Severity>,

    /// Exit 1 when something at least this severe was published
    #[arg(long, value_name = "SEVERITY")]
    pub(crate) fail_on: Option<Severity>,

    /// Print at the end what the policy keeps quiet, and by which rule
    #[arg(long)]
    pub(crate) suppressed: bool,

    /// Threads that read [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: Option<u16>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    /// Say what is wrong with a policy file, what has expired and what expires soon
    ///
    /// Exit: 0 usable, 1 something is wrong, 2 the file cannot be read.
    Check {
        /// The policy file
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Put a policy file in force in a deployed detector
    Push(Push),
    /// List the versions that were in force
    History(History),
    /// Put an earlier version in force again
    Rollback(Rollback),
    /// Print the file in force, or an earlier one
    Show(Show),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// How it is printed
    #[arg(
        long,
        value_enum,
        default_value_t,
        hide_possible_values = true,
        value_name = "table|json"
    )]
    pub(crate) format: ListFormat,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    #[default]
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum SummaryFormat {
    #[default]
    Text,
    Json,
    None,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    #[default]
    Table,
    Json,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum PatternFormat {
    #[default]
    Table,
    Json,
    Template,
    Forwarder,
    Trail,
    Selectors,
}

pub(crate) fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.trim().to_owned())),
        _ => Err("wanted NAME=VALUE, as in --set mode=observe".to_owned()),
    }
}

pub(crate) fn from_time(text: &str) -> Result<Timestamp, String> {
    midnight(text).map_or_else(|| moment(text), Ok)
}

pub(crate) fn to_time(text: &str) -> Result<Timestamp, String> {
    // The last second of a day that is given as a date: that day is still judged.
    midnight(text).map_or_else(|| moment(text), |day| Ok(day.plus(DAY - 1)))
}

/// The first second of the day, when the text is a date alone.
fn midnight(text: &str) -> Option<Timestamp> {
    (text.len() == "2026-03-17".len())
        .then(|| format!("{text}T00:00:00Z").parse().ok())
        .flatten()
}

fn moment(text: &str) -> Result<Timestamp, String> {
    text.parse()
        .map_err(|_| "wanted a date or an RFC 3339 time, as in 2026-03-17 or 2026-03-17T03:14:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_date_alone_means_its_whole_day() {
        let seconds = |time: Result<Timestamp, String>| time.unwrap().to_string();

        assert_eq!(seconds(from_time("2026-03-17")), "2026-03-17T00:00:00Z");
        assert_eq!(seconds(to_time("2026-03-17")), "2026-03-17T23:59:59Z");
        assert_eq!(seconds(to_time("2026-03-17T03:14:00+01:00")), "2026-03-17T02:14:00Z");
        assert!(from_time("yesterday").is_err());
        assert!(to_time("2026-02-30").is_err());
    }

    #[test]
    fn a_setting_is_a_name_and_a_value() {
        assert_eq!(setting("mode=observe"), Ok(("mode".to_owned(), "observe".to_owned())));
        assert!(setting("mode").is_err());
        assert!(setting("=observe").is_err());
    }

    /// The program's command lines in the fenced blocks of a page, without what a shell does with them.
    fn command_lines(page: &str) -> impl Iterator<Item = Vec<&str>> {
        let blocks = page
            .split("```sh\n")
            .skip(1)
            .filter_map(|rest| rest.split("```").next());
        let lines = blocks.flat_map(str::lines).map(str::trim);
        lines.filter(|line| line.starts_with("tripmeter ")).map(|line| {
            let line = line.split(" #").next().unwrap_or(line);
            line.split(" > ").next().unwrap_or(line).split_whitespace().collect()
        })
    }

    #[test]
    fn every_command_line_of_the_docs_is_one_that_the_program_takes() {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        let docs = fs::read_dir(root.join("docs")).unwrap();
        let pages = docs.map(|entry| entry.unwrap().path()).chain([root.join("README.md")]);
        let mut seen = 0;
        for page in pages.filter(|page| page.extension().is_some_and(|kind| kind == "md")) {
            let text = fs::read_to_string(&page).unwrap();
            for words in command_lines(&text) {
                assert!(Cli::try_parse_from(&words).is_ok(), "{}: {words:?}", page.display());
                seen += 1;
            }
        }
        assert!(seen >= 8, "{seen}");
    }
}
