//! Runs the real program over a scenario's records, and holds what it says to what the scenario expects.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what it expects"
)]

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use scenarios::output::{self, Format};
use scenarios::{Expectation, Must, Scenario, Severity};
use serde_json::Value;

/// One publication of a finding.
#[derive(Debug)]
struct Publication {
    /// Event time of the record that caused it, seconds.
    time: i64,
    severity: i64,
    /// `Impact:SES/Hijack`.
    kind: String,
    /// Who, and who is tied to them.
    actor: String,
    linked: String,
    about_the_whole_account: bool,
    title: String,
    /// Points and factors.
    why: String,
    uid: String,
}

impl fmt::Display for Publication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = ["", "", "Low", "Medium", "High", "Critical"][usize::try_from(self.severity).unwrap_or(0)];
        let time = scenarios::record::iso(self.time);
        write!(f, "{time} {severity} {}: {} ({})", self.kind, self.title, self.why)
    }
}

impl Publication {
    fn parse(line: &str) -> Self {
        let finding: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        let actor = finding["resources"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|r| r["role"] == "Actor")
            .unwrap_or_else(|| panic!("no actor: {line}"));
        Self {
            time: finding["time"].as_i64().expect("a time") / 1_000,
            severity: finding["severity_id"].as_i64().expect("a severity"),
            kind: finding["finding_info"]["types"][0].as_str().expect("a type").to_owned(),
            actor: actor["uid"].as_str().expect("an actor").to_owned(),
            about_the_whole_account: actor["type"] == "AWS account",
            linked: finding["unmapped"]["linked_identities"].to_string(),
            title: finding["finding_info"]["title"].as_str().unwrap_or_default().to_owned(),
            why: why(&finding["unmapped"]),
            uid: finding["finding_info"]["uid"].as_str().expect("an id").to_owned(),
        }
    }

    fn service(&self) -> &str {
        self.kind.split([':', '/']).nth(1).unwrap_or_default()
    }

    fn family(&self) -> &str {
        self.kind.rsplit('/').next().unwrap_or_default()
    }

    fn fulfils(&self, must: &Must) -> bool {
        self.severity >= must.severity as i64
            && (must.families.is_empty() || must.families.contains(&self.family()))
            && must.service.is_none_or(|s| s == self.service())
            && (must.identities.is_empty()
                || must
                    .identities
                    .iter()
                    .any(|i| self.actor.contains(i) || self.linked.contains(i)))
    }
}

/// `84 points: Fresh 20, Chain 20, ...`.
fn why(unmapped: &Value) -> String {
    let factors: Vec<String> = unmapped["factors"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|f| format!("{} {}", f["name"].as_str().unwrap_or_default(), f["points"]))
        .collect();
    format!("{} points: {}", unmapped["points"], factors.join(", "))
}

/// What is wrong with what the program says about a scenario; empty when nothing is.
pub(crate) fn complaints(scenario: &Scenario) -> Vec<String> {
    let published = replay(scenario);
    let expectation = &scenario.expectation;
    let mut wrong: Vec<String> = expectation
        .must
        .iter()
        .filter_map(|must| missed(must, expectation, &published))
        .collect();
    for must_not in &expectation.must_not {
        // One line for each finding, however often it was published.
        let false_alarms: BTreeMap<&str, &Publication> = published
            .iter()
            .filter(|p| p.severity >= must_not.severity as i64)
            .filter(|p| !must_not.except.iter().any(|e| p.actor.contains(e)))
            // That something is wrong with the account as a whole is true while somebody robs it.
            .filter(|p| must_not.except.is_empty() || !p.about_the_whole_account)
            .map(|p| (p.uid.as_str(), p))
            .rev()
            .collect();
        wrong.extend(false_alarms.values().map(|p| format!("{}, but: {p}", must_not.what)));
    }
    wrong.into_iter().map(|w| format!("{}: {w}", scenario.name)).collect()
}

/// What is missing of `must`: that it was never found, or how late it was.
fn missed(must: &Must, expectation: &Expectation, published: &[Publication]) -> Option<String> {
    let due = expectation.due(must);
    let Some(found) = published.iter().filter(|p| p.fulfils(must)).min_by_key(|p| p.time) else {
        let on_them: Vec<_> = published
            .iter()
            .filter(|p| p.severity >= Severity::Low as i64)
            .filter(|p| must.identities.iter().any(|i| p.actor.contains(i)))
            .map(ToString::to_string)
            .collect();
        return Some(format!("{}: never found; on them: {on_them:?}", must.what));
    };
    let first = expectation.abuse_of(must).next().map_or(0, |a| a.time);
    let call = expectation.abuse_of(must).take_while(|a| a.time <= found.time).count();
    (found.time > due).then(|| {
        format!(
            "{}: found at call {call}, after {} minutes: {found}",
            must.what,
            (found.time - first) / 60
        )
    })
}

/// Everything that the program publishes about the scenario's records, piped in as one record a line.
fn replay(scenario: &Scenario) -> Vec<Publication> {
    let mut child = Command::new(tripmeter())
        .args(["replay", "-", "--format", "json", "--summary", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("tripmeter starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let output = std::thread::scope(|scope| {
        scope.spawn(move || {
            // The program tells itself when it stops reading early: its exit code is looked at below.
            let _ = output::write(&scenario.records, Format::Ndjson, &mut stdin);
            let _ = stdin.flush();
        });
        child.wait_with_output().expect("tripmeter ends")
    });
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {told}", scenario.name);
    let summary: Value = serde_json::from_str(&told).unwrap_or_else(|e| panic!("{e}: {told}"));
    assert_eq!(summary["read"], scenario.records.len(), "{}: {told}", scenario.name);
    String::from_utf8(output.stdout)
        .expect("UTF-8")
        .lines()
        .map(Publication::parse)
        .collect()
}

/// The program, built once with the profile of the test.
fn tripmeter() -> &'static PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        build
            .args(["build", "--quiet", "-p", "tripmeter"])
            .current_dir(env!("CARGO_MANIFEST_DIR"));
        if !cfg!(debug_assertions) {
            build.arg("--release");
        }
        assert!(
            build.status().expect("cargo starts").success(),
            "tripmeter does not build"
        );
        // This test is TARGET/PROFILE/deps/NAME; the program is TARGET/PROFILE/tripmeter.
        let test = std::env::current_exe().expect("a test has a path");
        let profile = test
            .parent()
            .and_then(std::path::Path::parent)
            .expect("TARGET/PROFILE/deps");
        profile.join("tripmeter")
    })
}
