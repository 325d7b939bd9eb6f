//! Every family has its runbook, and all runbooks have the same parts.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use tripmeter_findings::runbook;
use tripmeter_model::Family;

const PARTS: [&str; 5] = [
    "## What it means",
    "## Confirm in five minutes",
    "## Contain, and what that breaks",
    "## When it is false",
    "## What evades it",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn there_is_one_runbook_for_each_family_and_no_other() {
    let wanted: BTreeSet<String> = Family::ALL
        .iter()
        .map(|family| format!("{}.md", family.slug()))
        .collect();

    let there: BTreeSet<String> = fs::read_dir(root().join("docs/runbooks"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "README.md")
        .collect();

    assert_eq!(there, wanted);
}

#[test]
fn every_runbook_has_the_same_parts_and_is_short() {
    for &family in Family::ALL {
        let page = fs::read_to_string(root().join(runbook(family))).unwrap();
        let headings: Vec<&str> = page.lines().filter(|line| line.starts_with('#')).collect();

        assert_eq!(headings.first(), Some(&format!("# {}", family.name()).as_str()));
        assert_eq!(headings.get(1..), Some(PARTS.as_slice()), "{}", family.name());
        assert!(page.lines().count() <= 80, "{} is long", family.name());
    }
}

#[test]
fn the_index_links_every_runbook() {
    let index = fs::read_to_string(root().join("docs/runbooks/README.md")).unwrap();

    for &family in Family::ALL {
        let link = format!("[{}]({}.md)", family.name(), family.slug());
        assert!(index.contains(&link), "{link}");
    }
}
