//! What judging an organisation's files costs, in the table's own units: `cargo test -p tripmeter-trail cost -- --nocapture`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_dynamodb::config::interceptors::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemOutput;
use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
use aws_sdk_dynamodb::operation::query::QueryOutput;
use serde_json::{Value, json};
use tripmeter_aws::testing::Local;

use crate::s3::{BUCKET, S3, log, log_key, notice};
use crate::stage::{call, deliver, detector, handed_back, shift, trail_of};

/// US dollars for a million units of a table that is billed by request, us-east-1, list price of 2026-11.
const WRITE_USD: f64 = 0.625;
const READ_USD: f64 = 0.125;
/// Units are summed in halves: a read may take one.
const HALVES: f64 = 2.0;

/// What the table's answers say was consumed, in half units.
#[derive(Clone, Debug, Default)]
struct Meter {
    written: Arc<AtomicU64>,
    read: Arc<AtomicU64>,
}

impl Intercept for Meter {
    fn name(&self) -> &'static str {
        "Meter"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        let mut asked: Value = serde_json::from_slice(request.body().bytes().unwrap_or_default())?;
        asked["ReturnConsumedCapacity"] = "TOTAL".into();
        let body = asked.to_string();
        request.headers_mut().insert("content-length", body.len().to_string());
        *request.body_mut() = body.into();
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let answer: Value = serde_json::from_slice(context.response().body().bytes().unwrap_or_default())?;
        let units = match &answer["ConsumedCapacity"] {
            Value::Array(tables) => tables.iter().filter_map(|table| table["CapacityUnits"].as_f64()).sum(),
            one => one["CapacityUnits"].as_f64().unwrap_or_default(),
        };
        let reads = context.output_or_error().is_ok_and(|output| {
            output.downcast_ref::<GetItemOutput>().is_some()
                || output.downcast_ref::<BatchGetItemOutput>().is_some()
                || output.downcast_ref::<QueryOutput>().is_some()
        });
        let meter = if reads { &self.read } else { &self.written };
        meter.fetch_add((units * HALVES) as u64, Ordering::Relaxed);
        Ok(())
    }
}

/// An organisation's files, one after the other: so many accounts, each with so many files of so many calls, in each of
/// which several identities use a model, ten minutes apart.
struct Day {
    accounts: usize,
    files: usize,
    calls: usize,
}

/// Write and read units for a million calls.
async fn units(day: &Day) -> (f64, f64) {
    let (local, s3, meter) = (Local::start().await, S3::start(), Meter::default());
    let trail = trail_of(detector(&local, &local.client_with(meter.clone())), &s3, "use");
    for file in 0..day.files {
        for account in 0..day.accounts {
            let account = format!("{:012}", 111_122_223_333 + account);
            let records: Vec<Value> = (0..day.calls).map(|number| in_file(file, number)).collect();
            let (key, log) = (log_key(&account, &format!("file-{file}")), log(&records));
            let message = notice(0, BUCKET, &key, log.len());
            s3.put(&key, log);
            let report = deliver(&trail, &[message], shift(file as i64 * 600)).await;
            assert_eq!(handed_back(&report), [""; 0]);
        }
    }
    let calls = (day.accounts * day.files * day.calls) as f64;
    let million = |meter: &AtomicU64| meter.load(Ordering::Relaxed) as f64 / HALVES / calls * 1e6;
    (million(&meter.written), million(&meter.read))
}

fn in_file(file: usize, number: usize) -> Value {
    let mut record = call(file * 6_000 + number);
    record["eventID"] = format!("{file}-{number}-0123456789abcdef").into();
    record["sourceIPAddress"] = json!(format!("198.51.100.{}", number % 7));
    record
}

#[tokio::test]
async fn a_million_calls_cost_less_in_larger_files_and_never_more_than_stated() {
    let few = Day {
        accounts: 4,
        files: 12,
        calls: 100,
    };
    let many = Day {
        accounts: 2,
        files: 6,
        calls: 1_000,
    };

    let (small, large) = (units(&few).await, units(&many).await);

    for (name, (written, read)) in [("100 calls a file", small), ("1,000 calls a file", large)] {
        let usd = (written * WRITE_USD + read * READ_USD) / 1e6;
        println!("{name}: {written:.0} write units, {read:.0} read units, {usd:.3} USD a million calls");
    }
    assert!(large.0 < small.0 && large.0 > 0.0 && large.1 > 0.0);
    assert!(small.0 < 400_000.0 && large.0 < 80_000.0, "{small:?} {large:?}");
}
