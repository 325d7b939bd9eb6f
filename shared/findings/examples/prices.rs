//! The price tables as JSON, in dollars: what conformance tests compare with public lists.

use serde_json::json;
use tripmeter_findings::prices;

fn main() {
    let dollars = |nanodollars: u64| nanodollars as f64 / 1e9;
    for row in prices::MODELS {
        let million = |nanodollars: u64| dollars(nanodollars * 1_000_000);
        let (input, output) = (million(row.input_nanodollars), million(row.output_nanodollars));
        println!("{}", json!({ "model": row.model, "input": input, "output": output }));
    }
    for row in prices::SMS {
        println!(
            "{}",
            json!({ "country": row.country, "part": dollars(row.nanodollars) })
        );
    }
}
