//! The files and fragments that the documentation shows are policy files.

use tripmeter_model::Timestamp;
use tripmeter_policy::{Builtin, PolicyFile};

const EXAMPLE: &str = include_str!("../../../docs/policy.example.toml");
const TUNING: &str = include_str!("../../../docs/tuning.md");

/// The day on which the examples were last looked at; their exceptions end within a year of it.
fn reviewed() -> Option<Timestamp> {
    "2026-11-25T00:00:00Z".parse().ok()
}

fn fragments() -> Vec<&'static str> {
    let blocks = TUNING.split("```toml\n").skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap_or_default())
        .collect()
}

#[test]
fn the_example_file_is_valid_and_shows_every_section() {
    let policy = PolicyFile::parse(EXAMPLE).unwrap_or_else(|error| panic!("{error}"));
    let report = policy.report(reviewed());

    assert!(
        report.errors.is_empty() && report.warnings.is_empty() && report.expired.is_empty(),
        "{report:?}"
    );
    for section in [
        "[regions]",
        "[accounts]",
        "[[automation]]",
        "[[campaign]]",
        "[[mute]]",
        "[[network]]",
        "[[owner]]",
        "[builtin]",
    ] {
        assert!(EXAMPLE.contains(&format!("\n{section}\n")), "{section} is not shown");
    }
}

#[test]
fn every_fragment_of_the_guide_is_a_policy_file() {
    assert!(fragments().len() >= 7, "the guide lost its examples");
    for fragment in fragments() {
        let policy = PolicyFile::parse(fragment).unwrap_or_else(|error| panic!("{error}\n{fragment}"));
        let report = policy.report(reviewed());
        assert!(
            report.errors.is_empty() && report.expired.is_empty(),
            "{report:?}\n{fragment}"
        );
    }
}

#[test]
fn the_guide_lists_the_rules_that_ship() {
    for rule in Builtin::ALL {
        assert!(TUNING.contains(&format!("| `{}` |", rule.id())), "{}", rule.id());
    }
}
