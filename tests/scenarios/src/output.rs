//! Records as people get them: one a line, a log, EventBridge's envelopes, or CloudTrail's files in a bucket.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::{Compression, write::GzEncoder};

use crate::dice::Dice;
use crate::record::{MINUTE, Record, iso, push_field, push_json_string};

/// CloudTrail closes a file about every five minutes, so many seconds.
const FILE: i64 = 5 * MINUTE;

/// The form of a stream of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// One object with all records, as a log file has them: `{"Records":[...]}`.
    Records,
    /// One record a line.
    Ndjson,
    /// One EventBridge event a line.
    Eventbridge,
}

/// Writes all records in one form.
pub fn write(records: &[Record], format: Format, out: impl Write) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, out);
    let mut line = String::new();
    for (i, record) in records.iter().enumerate() {
        line.clear();
        match format {
            Format::Records => {
                line.push_str(if i == 0 { "{\"Records\":[" } else { "," });
                record.write(&mut line);
            }
            Format::Ndjson => {
                record.write(&mut line);
                line.push('\n');
            }
            Format::Eventbridge => {
                envelope(record, &mut line);
                line.push('\n');
            }
        }
        out.write_all(line.as_bytes())?;
    }
    if format == Format::Records {
        out.write_all(if records.is_empty() { b"{\"Records\":[]}" } else { b"]}" })?;
    }
    out.flush()
}

/// The event that EventBridge makes of a record.
fn envelope(record: &Record, out: &mut String) {
    let service = record.call.source.trim_end_matches(".amazonaws.com");
    let kind = if record.call.event_type == "AwsApiCall" {
        "AWS API Call"
    } else {
        "AWS Console Sign In"
    };
    out.push_str(r#"{"version":"0","id":"#);
    push_json_string(out, &crate::record::uuid(record.id.rotate_left(64)));
    for (key, value) in [
        ("detail-type", format!("{kind} via CloudTrail")),
        ("source", format!("aws.{service}")),
        ("account", record.account.to_string()),
        ("time", iso(record.time)),
        ("region", record.region.to_owned()),
    ] {
        push_field(out, key, &value);
    }
    out.push_str(r#","resources":[],"detail":"#);
    record.write(out);
    out.push('}');
}

/// Lays the records out under `dir` as CloudTrail does in a bucket; gives the number of files.
///
/// `AWSLogs/ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/ACCOUNT_CloudTrail_REGION_YYYYMMDDTHHMMZ_XXXXXXXXXXXXXXXX.json.gz`
pub fn write_logs(records: &[Record], dir: &Path) -> io::Result<usize> {
    let mut files: BTreeMap<(&str, &str, i64), Vec<&Record>> = BTreeMap::new();
    for record in records {
        files
            .entry((&record.account, record.region, record.time / FILE))
            .or_default()
            .push(record);
    }
    let mut names = Dice::new(records.len() as u64, "log files");
    for ((account, region, slot), records) in &files {
        let path = log_path(dir, account, region, (slot + 1) * FILE, &mut names);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut out = GzEncoder::new(BufWriter::new(File::create(path)?), Compression::default());
        let mut text = String::from("{\"Records\":[");
        for (i, record) in records.iter().enumerate() {
            if i > 0 {
                text.push(',');
            }
            record.write(&mut text);
        }
        text.push_str("]}");
        out.write_all(text.as_bytes())?;
        out.finish()?.flush()?;
    }
    Ok(files.len())
}

/// The path of a file delivered at `time`.
pub(crate) fn log_path(dir: &Path, account: &str, region: &str, time: i64, names: &mut Dice) -> PathBuf {
    let stamp: String = iso(time).chars().filter(|c| !matches!(c, '-' | ':')).collect();
    let (date, clock) = stamp.split_at_checked(8).unwrap_or((&stamp, ""));
    let minute = clock.split_at_checked(5).map_or(clock, |(minute, _)| minute);
    let day = date
        .split_at_checked(4)
        .and_then(|(y, md)| md.split_at_checked(2).map(|(m, d)| format!("{y}/{m}/{d}")));
    dir.join("AWSLogs")
        .join(account)
        .join("CloudTrail")
        .join(region)
        .join(day.unwrap_or_default())
        .join(format!(
            "{account}_CloudTrail_{region}_{date}{minute}Z_{}.json.gz",
            names.id("", 16)
        ))
}
