//! What the program says about itself.

mod common;

use common::{run, tripmeter};

#[test]
fn help_fits_one_screen() {
    let help = run(&mut tripmeter(&["--help"])).stdout;
    let replay = run(&mut tripmeter(&["replay", "--help"])).stdout;

    assert!(help.lines().count() <= 26, "{help}");
    assert!(replay.lines().count() <= 50, "{replay}");
    insta::assert_snapshot!("help", help);
    insta::assert_snapshot!("replay_help", replay);
}

#[test]
fn settings_are_listed_with_default_range_and_unit() {
    let table = run(&mut tripmeter(&["settings"])).stdout;
    let json = run(&mut tripmeter(&["settings", "--format", "json"])).stdout;

    insta::assert_snapshot!("settings", table);
    let rows: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    assert_eq!(rows.len() * 2, table.lines().count());
}

#[test]
fn the_catalogue_is_listed_as_a_table_and_as_json() {
    let table = run(&mut tripmeter(&["catalogue"])).stdout;
    let json = run(&mut tripmeter(&["catalogue", "--format", "json"])).stdout;

    // Columns are as wide as the whole table needs; here only the words count.
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let head: Vec<String> = table.lines().take(12).map(words).collect();
    insta::assert_snapshot!("catalogue", head.join("\n"));
    let rows: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    assert_eq!(rows.len() + 1, table.lines().count());
    assert!(
        rows.iter()
            .any(|row| row["call"] == "InvokeModel" && row["kind"] == "use")
    );
}

#[test]
fn completions_are_printed_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = run(&mut tripmeter(&["completions", shell])).stdout;
        assert!(script.contains("replay"), "{shell}");
    }
}
