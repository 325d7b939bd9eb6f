//! Runs the program as a person would, and reads back what it says.

// Each test binary uses its own part of this.
#![allow(dead_code)]
// Here, what is not as it should be fails a test.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::path::PathBuf;

use assert_cmd::Command;
use serde_json::Value;

/// What one run said.
pub(crate) struct Run {
    /// Its exit code.
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// The findings on stdout, one for each publication.
    pub(crate) findings: Vec<Value>,
    /// The summary on stderr; null where there is none.
    pub(crate) summary: Value,
}

/// The program, with these arguments.
pub(crate) fn tripmeter(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tripmeter"));
    command
        .args(arguments)
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR_FORCE");
    command
}

/// Replays with JSON on both streams.
pub(crate) fn replay(arguments: &[&str]) -> Run {
    run(tripmeter(&["replay", "--format", "json", "--summary", "json"]).args(arguments))
}

/// Replays what is piped in.
pub(crate) fn replay_stdin(input: impl Into<Vec<u8>>) -> Run {
    run(tripmeter(&["replay", "--format", "json", "--summary", "json", "-"]).write_stdin(input))
}

/// Runs it and reads what it said.
pub(crate) fn run(command: &mut Command) -> Run {
    let output = command.output().expect("the program runs");
    let stdout = String::from_utf8(output.stdout).expect("stdout is UTF-8");
    let stderr = String::from_utf8(output.stderr).expect("stderr is UTF-8");
    Run {
        code: output.status.code().expect("no signal ended it"),
        findings: stdout
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect(),
        summary: serde_json::from_str(&stderr).unwrap_or_default(),
        stdout,
        stderr,
    }
}

/// A recorded input, by its name under tests/cases.
pub(crate) fn case(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/cases")
        .join(name);
    assert!(path.exists(), "{} is there", path.display());
    path.to_str().expect("paths are UTF-8").to_owned()
}

impl Run {
    /// A count of the summary.
    pub(crate) fn count(&self, name: &str) -> u64 {
        self.summary[name]
            .as_u64()
            .unwrap_or_else(|| panic!("the summary counts {name}: {}", self.stderr))
    }

    /// Read and skipped records, which together are what was seen.
    pub(crate) fn read_and_skipped(&self) -> (u64, u64) {
        let (read, skipped) = (self.count("read"), self.count("skipped"));
        assert_eq!(read + skipped, self.count("seen"), "read + skipped = seen");
        (read, skipped)
    }

    /// The reasons why something was skipped.
    pub(crate) fn reasons(&self) -> Vec<&str> {
        let skipped = self.summary["skipped_by_reason"]
            .as_array()
            .expect("reasons are listed");
        skipped.iter().filter_map(|row| row["reason"].as_str()).collect()
    }

    /// How many broken things were said.
    pub(crate) fn damage(&self) -> u64 {
        self.summary["damage"]["count"].as_u64().expect("damage is counted")
    }

    /// The findings at least this severe (OCSF: Low 2, Medium 3, High 4, Critical 5) as (type, severity, all of it).
    pub(crate) fn at_least(&self, severity: u64) -> Vec<(&str, u64, &Value)> {
        self.findings
            .iter()
            .map(|finding| {
                let finding_type = finding["finding_info"]["types"][0]
                    .as_str()
                    .expect("a finding has a type");
                (
                    finding_type,
                    finding["severity_id"].as_u64().expect("a severity"),
                    finding,
                )
            })
            .filter(|(_, found, _)| *found >= severity)
            .collect()
    }
}

pub(crate) const LOW: u64 = 2;
pub(crate) const MEDIUM: u64 = 3;
pub(crate) const HIGH: u64 = 4;
