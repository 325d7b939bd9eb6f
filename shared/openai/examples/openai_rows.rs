//! What the catalogue and the client know of OpenAI, as JSON: for tests against OpenAI's own library.

use serde_json::json;
use tripmeter_catalogue::openai::calls;
use tripmeter_openai::usage::KINDS;

fn main() {
    let names: Vec<&str> = calls().map(|call| call.name).collect();
    let kinds: Vec<_> = KINDS
        .iter()
        .map(|kind| json!({"name": kind.name, "groups": kind.groups}))
        .collect();
    println!("{}", json!({"events": names, "usage": kinds}));
}
