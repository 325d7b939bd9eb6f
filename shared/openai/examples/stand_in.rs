//! Serves the stand-in with what a JSON file holds (`events`, `usage` by kind and second), for tests in other
//! languages. It says where it listens, and ends when its input does.
//!
//! Usage: `stand_in FILE PAGE_SIZE`

use std::error::Error;

use serde_json::Value;
use tokio::io::AsyncReadExt;
use tripmeter_openai::testing::{StandIn, World};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("no file")?;
    let page = arguments.next().ok_or("no page size")?.parse()?;
    let fixture: Value = serde_json::from_slice(&std::fs::read(file)?)?;
    let entries = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    let mut world = World {
        key: "sk-admin-test".to_owned(),
        events: entries(fixture.get("events")),
        page: Some(page),
        ..World::default()
    };
    for (kind, buckets) in fixture.get("usage").and_then(Value::as_object).into_iter().flatten() {
        for (at, rows) in buckets.as_object().into_iter().flatten() {
            world.usage.insert((kind.clone(), at.parse()?), entries(Some(rows)));
        }
    }
    for (path, answer) in fixture.get("others").and_then(Value::as_object).into_iter().flatten() {
        world.others.insert(path.clone(), answer.clone());
    }
    println!("{}", StandIn::start(world).await.url);
    tokio::io::stdin().read_to_end(&mut Vec::new()).await?;
    Ok(())
}
