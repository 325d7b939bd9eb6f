//! The program under measure: records in by a pipe, publications out.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use scenarios::output::{self, Format};
use scenarios::record::{Record, Seconds};
use serde::Deserialize;

/// How the program is called.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// Its path.
    pub(crate) path: PathBuf,
    /// Thresholds that are changed, `NAME=VALUE`.
    pub(crate) set: Vec<String>,
}

/// One publication of a finding.
#[derive(Clone, Debug)]
pub(crate) struct Publication {
    /// The finding's id.
    pub(crate) uid: String,
    /// Event time of the record that caused it.
    pub(crate) time: Seconds,
    /// OCSF's: 2 Low to 5 Critical.
    pub(crate) severity: u8,
    /// `Impact:SES/Hijack`.
    pub(crate) kind: String,
    /// Who.
    pub(crate) actor: String,
    /// Who is tied to them.
    pub(crate) linked: Vec<String>,
}

impl Publication {
    /// Whether somebody is named in it.
    pub(crate) fn names(&self, label: &str) -> bool {
        self.actor.contains(label) || self.linked.iter().any(|l| l.contains(label))
    }
}

/// Whether a type is about use, rather than about what surrounds it.
pub(crate) fn is_about_use(kind: &str) -> bool {
    ["/Hijack", "/AnomalousUse", "/CeilingExceeded"]
        .iter()
        .any(|family| kind.ends_with(family))
}

impl Program {
    /// Everything that the program publishes about these records.
    pub(crate) fn replay(&self, records: &[Record]) -> anyhow::Result<Vec<Publication>> {
        let mut child = Command::new(&self.path)
            .args(["replay", "-", "--format", "json", "--summary", "none", "--threads", "1"])
            .args(self.set.iter().flat_map(|s| ["--set", s]))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {}", self.path.display()))?;
        let mut stdin = child.stdin.take().context("the program has no standard input")?;
        let output = std::thread::scope(|scope| {
            scope.spawn(move || {
                // A program that stops reading early says why by its exit code.
                let _ = output::write(records, Format::Ndjson, &mut stdin).and_then(|()| stdin.flush());
            });
            child.wait_with_output()
        })?;
        if !output.status.success() {
            bail!("{} ended with {}", self.path.display(), output.status);
        }
        let text = String::from_utf8(output.stdout).context("findings are no UTF-8")?;
        text.lines()
            .map(|line| parse(line).with_context(|| format!("reading {line}")))
            .collect()
    }
}

#[derive(Deserialize)]
struct Finding {
    time: i64,
    severity_id: u8,
    #[serde(rename = "finding_info")]
    info: Info,
    resources: Vec<Resource>,
    unmapped: Unmapped,
}

#[derive(Deserialize)]
struct Info {
    uid: String,
    types: Vec<String>,
}

#[derive(Deserialize)]
struct Resource {
    uid: String,
    #[serde(default)]
    role: String,
}

#[derive(Default, Deserialize)]
struct Unmapped {
    #[serde(default)]
    linked_identities: Vec<serde_json::Value>,
}

fn parse(line: &str) -> anyhow::Result<Publication> {
    let finding: Finding = serde_json::from_str(line)?;
    let actor = finding
        .resources
        .into_iter()
        .find(|r| r.role == "Actor")
        .context("a finding names no actor")?;
    Ok(Publication {
        uid: finding.info.uid,
        time: finding.time / 1_000,
        severity: finding.severity_id,
        kind: finding.info.types.into_iter().next().context("a finding has no type")?,
        actor: actor.uid,
        linked: finding
            .unmapped
            .linked_identities
            .iter()
            .map(ToString::to_string)
            .collect(),
    })
}
