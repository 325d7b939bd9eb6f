//! `tripmeter settings`, and `--set`.

use anyhow::Context;
use serde_json::json;
use tripmeter_detect::{SettingRow, Settings};

use crate::args::ListFormat;
use crate::terminal::HEADING;

/// The defaults with what the command line changes.
pub(crate) fn with(changes: &[(String, String)]) -> anyhow::Result<Settings> {
    let mut settings = Settings::default();
    for (name, value) in changes {
        settings
            .set(name, value)
            .with_context(|| format!("--set {name}={value}"))?;
    }
    Ok(settings)
}

/// Every threshold, for people or as one JSON array.
pub(crate) fn list(format: ListFormat) -> String {
    match format {
        ListFormat::Table => Settings::table().map(|row| for_people(&row)).collect(),
        ListFormat::Json => {
            let rows: Vec<_> = Settings::table()
                .map(|row| {
                    json!({
                        "name": row.name,
                        "default": row.default,
                        "range": row.range,
                        "unit": row.unit,
                        "what": row.what,
                    })
                })
                .collect();
            format!("{:#}\n", json!(rows))
        }
    }
}

fn for_people(row: &SettingRow) -> String {
    let SettingRow {
        name,
        default,
        range,
        unit,
        what,
    } = row;
    // What is no number is one of a few words, which stand where a number has its unit.
    let takes = match default.parse::<f64>() {
        Ok(_) => format!("{default} {unit}, {range}"),
        Err(_) => format!("{default}, {unit}"),
    };
    format!("{HEADING}{name:<24}{HEADING:#}{takes}\n    {what}\n")
}
