//! The model prices as JSON, in dollars for a million tokens: what conformance tests compare with public lists.

fn main() {
    let dollars = |nanodollars: u64| nanodollars as f64 / 1_000.0;
    for row in tripmeter_findings::prices::models() {
        let row = serde_json::json!({
            "model": row.model,
            "input": dollars(row.input_nanodollars),
            "output": dollars(row.output_nanodollars),
        });
        println!("{row}");
    }
}
