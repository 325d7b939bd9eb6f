//! The table of gaps in docs/doctor.md is that of the code.

use tripmeter_doctor::GapId;

#[test]
fn every_gap_has_its_row_and_every_row_its_gap() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/doctor.md");
    let page = std::fs::read_to_string(page).unwrap();

    let rows: Vec<[&str; 2]> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|row| {
            let (id, rest) = row.split_once("` | ")?;
            let (severity, _) = rest.split_once(" | ")?;
            ["Critical", "High", "Medium", "Low"]
                .contains(&severity)
                .then_some([id, severity])
        })
        .collect();

    let known: Vec<[&str; 2]> = GapId::ALL.iter().map(|id| [id.name(), id.severity().name()]).collect();
    assert_eq!(rows, known);
}
