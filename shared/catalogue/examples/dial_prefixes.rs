//! Prints the table of dial prefixes as JSON, country to prefixes, for the conformance tests.

use std::collections::BTreeMap;

fn main() -> serde_json::Result<()> {
    let countries: BTreeMap<_, _> = tripmeter_catalogue::dial_prefixes::COUNTRIES.iter().copied().collect();
    serde_json::to_writer(std::io::stdout().lock(), &countries)
}
