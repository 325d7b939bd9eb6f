//! `tripmeter policy`, and `--policy`.

pub(crate) mod versions;

use std::fmt::Write;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, ensure};
use tripmeter_model::{Timestamp, bounded};
use tripmeter_policy::PolicyFile;

use crate::terminal;
use crate::words::counted;

/// The largest policy file that is read, in bytes.
const LARGEST: u64 = 4 << 20;

/// The policy file in force: what `--policy` names, else the rules that ship.
pub(crate) fn load(file: Option<&Path>) -> anyhow::Result<PolicyFile> {
    let Some(file) = file else {
        return Ok(PolicyFile::default());
    };
    let text = read(file)?;
    PolicyFile::parse(&text).with_context(|| format!("the policy file {} cannot be used", name(file)))
}

/// Checks a policy file as of today. Exit code 1 when something is wrong with it.
pub(crate) fn check(file: &Path) -> anyhow::Result<ExitCode> {
    let text = read(file)?;
    let name = name(file);
    let policy = match PolicyFile::parse(&text) {
        Ok(policy) => policy,
        Err(error) => {
            let problems = error.problems();
            let mut said = String::new();
            for problem in problems {
                writeln!(said, "{name}: {}", shown(problem))?;
            }
            writeln!(
                said,
                "{name}: {} to mend before it can be used",
                counted(problems.len() as u64, "problem")
            )?;
            terminal::print(&said)?;
            return Ok(ExitCode::from(1));
        }
    };
    let report = policy.report(today());
    let mut said = String::new();
    for error in &report.errors {
        writeln!(said, "{name}: {}", shown(error))?;
    }
    for warning in &report.warnings {
        writeln!(said, "{name}: warning: {}", shown(warning))?;
    }
    for (rules, what) in [(&report.expired, "has expired"), (&report.expires_soon, "expires soon")] {
        for rule in rules {
            let end = rule.expires.map(|end| end.to_string()).unwrap_or_default();
            writeln!(
                said,
                "{name}: '{}' of {} {what}: {end}",
                shown(&rule.id),
                shown(&rule.owner)
            )?;
        }
    }
    let in_force = counted(policy.rules().count() as u64, "rule");
    match report.errors.len() as u64 {
        0 => writeln!(said, "{name}: usable, {in_force} with those that ship")?,
        errors => writeln!(said, "{name}: {} to mend", counted(errors, "problem"))?,
    }
    terminal::print(&said)?;
    Ok(ExitCode::from(u8::from(!report.errors.is_empty())))
}

fn read(file: &Path) -> anyhow::Result<String> {
    let opened = File::open(file).with_context(|| format!("cannot open the policy file {}", name(file)))?;
    let mut text = String::new();
    opened
        .take(LARGEST + 1)
        .read_to_string(&mut text)
        .with_context(|| format!("cannot read the policy file {}", name(file)))?;
    ensure!(
        text.len() as u64 <= LARGEST,
        "{} is larger than any policy file ({LARGEST} bytes at most)",
        name(file)
    );
    Ok(text)
}

/// The one clock of the program: `policy check` says what expires soon.
fn today() -> Option<Timestamp> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    Some(Timestamp::from_seconds(since.as_secs() as i64))
}

/// What a message quotes of a file may hold anything.
fn shown(text: &impl ToString) -> String {
    bounded(&text.to_string(), 1_024)
}

fn name(file: &Path) -> String {
    shown(&file.display())
}
