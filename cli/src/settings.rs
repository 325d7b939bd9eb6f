//! `tripmeter settings`, and `--set`.

use anyhow::Context;
use serde_json::json;
use tripmeter_detect::Settings;

use crate::args::ListFormat;
use crate::table::Table;

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
        ListFormat::Table => {
            let mut table = Table::new(["NAME", "DEFAULT", "RANGE", "UNIT", "WHAT IT DOES"]);
            for row in Settings::table() {
                table.row([row.name, &row.default, &row.range, row.unit, row.what]);
            }
            table.to_string()
        }
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
