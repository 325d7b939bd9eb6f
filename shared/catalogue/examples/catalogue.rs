//! Prints every call of the catalogue as JSON, with the parameters that its row names, for the conformance tests.

use serde_json::json;

fn main() -> serde_json::Result<()> {
    let calls: Vec<_> = tripmeter_catalogue::calls()
        .map(|call| json!({"call": call, "parameters": call.parameters()}))
        .collect();
    serde_json::to_writer(std::io::stdout().lock(), &calls)
}
