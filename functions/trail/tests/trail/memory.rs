//! How much memory a large file takes: little more than a file of a quarter of its size.

use std::fmt::Write as _;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use tripmeter_aws::testing::Local;

use crate::program::run;
use crate::s3::{BUCKET, S3, log_key, notice};
use crate::stage::{MEMBER, call};

const MEGABYTE: usize = 1_000_000;
/// Kilobytes: a fifth of what the template gives the function.
const BOUND: u64 = 100_000;

/// A log file of at least so many bytes, mostly of calls that nobody watches, which hardly compress.
fn large_log(bytes: usize) -> Vec<u8> {
    let mut file = GzEncoder::new(Vec::new(), Compression::fast());
    file.write_all(br#"{"Records":["#).unwrap();
    let mut noise = 0x9e37_79b9_7f4a_7c15_u64;
    for number in 0.. {
        let mut record = call(number);
        if number % 50 != 0 {
            let mut key = String::new();
            for _ in 0..40 {
                noise ^= noise << 13;
                noise ^= noise >> 7;
                noise ^= noise << 17;
                write!(key, "{noise:016x}").unwrap();
            }
            record["eventSource"] = "s3.amazonaws.com".into();
            record["eventName"] = "GetObject".into();
            record["requestParameters"] = json!({ "bucketName": "photos", "key": key });
        }
        let comma = if number == 0 { "" } else { "," };
        write!(file, "{comma}{record}").unwrap();
        if file.get_ref().len() >= bytes {
            break;
        }
    }
    file.write_all(b"]}").unwrap();
    file.finish().unwrap()
}

#[tokio::test]
async fn a_file_of_fifty_megabytes_takes_little_more_memory_than_one_of_twelve() {
    let mut peaks = Vec::new();
    for megabytes in [12, 50] {
        let (local, s3) = (Local::start().await, S3::start());
        let log = large_log(megabytes * MEGABYTE);
        let key = log_key(MEMBER, "large");
        let payload = json!({ "Records": [notice(0, BUCKET, &key, log.len())] }).to_string();
        s3.put(&key, log);

        let run = run(&local, &s3, &payload);

        assert_eq!(run.answer, r#"{"batchItemFailures":[]}"#);
        println!("{megabytes} MB: {} kB at the most", run.peak);
        peaks.push(run.peak);
    }
    // What grows is the account's own state, and how many parts are on their way at once.
    assert!(peaks[1] * 2 <= peaks[0] * 3 && peaks[1] < BOUND, "{peaks:?} kB");
}
