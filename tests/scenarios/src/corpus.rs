//! A corpus for measuring speed: a month of a large account, in CloudTrail's files of ten thousand records.
//!
//! About four records in five are of services that nobody watches, as long and as varied as AWS writes them; the rest
//! come from the programs and people of [`crate::account`]. A record is about 1.7 KB, 260 B compressed.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use flate2::{Compression, write::GzEncoder};

use crate::account::{Account, Origin, Size, Worker};
use crate::cast::Cast;
use crate::dice::Dice;
use crate::output::log_path;
use crate::principal::Principal;
use crate::record::{Call, DAY, HOUR, Record, Seat};
use crate::rhythm::Rhythm;

/// Records in a file.
const PER_FILE: usize = 10_000;
/// Days that the corpus spans.
const DAYS: i64 = 30;
/// Share of the records that are of watched services' own use.
const WATCHED: f64 = 0.2;

/// Writes so many records under `dir`, on all cores; gives the number of files.
pub fn write(records: usize, dir: &Path, seed: u64) -> io::Result<usize> {
    let account = Account::draw(
        Cast::draw(seed, "corpus"),
        &Size {
            identities: 160,
            calls: 7_000.0,
        },
    );
    let others = machines(&account);
    let files = records.div_ceil(PER_FILE);
    let next = AtomicUsize::new(0);
    let work = || -> io::Result<()> {
        loop {
            let file = next.fetch_add(1, Ordering::Relaxed);
            if file >= files {
                return Ok(());
            }
            let count = PER_FILE.min(records - file * PER_FILE);
            write_file(&account, &others, (file, files), count, dir, seed)?;
        }
    };
    std::thread::scope(|scope| {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .try_for_each(|t| t.join().unwrap_or_else(|_| Err(io::Error::other("a writer failed"))))
    })?;
    Ok(files)
}

/// The machines of a large account: hundreds of instances and functions that do everyday things.
fn machines(account: &Account) -> Vec<Worker> {
    let mut dice = account.cast.dice("machines");
    (0..300)
        .map(|i| Worker {
            who: Principal::role(&mut dice, format!("node-{i}-role")),
            origin: Origin::program(&mut dice),
            region: account.cast.home,
            rhythm: Rhythm::Sparse {
                chance: 1.0,
                calls: 1..=1,
            },
            jobs: vec![],
        })
        .collect()
}

fn write_file(
    account: &Account,
    others: &[Worker],
    (file, files): (usize, usize),
    count: usize,
    dir: &Path,
    seed: u64,
) -> io::Result<()> {
    let mut dice = Dice::new(seed, &format!("corpus/{file}"));
    let id = &account.cast.account;
    // One file in ten is of the account's other region.
    let region = if file % 10 == 9 {
        account.cast.second
    } else {
        account.cast.home
    };
    let span = DAYS * DAY / files as i64;
    let begin = account.cast.start + file as i64 * span;
    let mut seats =
        |workers: &[Worker]| -> Vec<Arc<Seat>> { workers.iter().map(|w| w.sit(id, begin - HOUR, &mut dice)).collect() };
    let (watched_seats, other_seats) = (seats(&account.workers), seats(others));
    let mut times: Vec<i64> = (0..count).map(|_| begin + dice.range(0..=span - 1)).collect();
    times.sort_unstable();

    let path = log_path(dir, id, region, begin + span, &mut dice);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut out = GzEncoder::new(BufWriter::new(File::create(path)?), Compression::default());
    let mut text = String::from("{\"Records\":[");
    for (i, time) in times.into_iter().enumerate() {
        let (seat, call) = if dice.chance(WATCHED) {
            let place = dice.count(0..=account.workers.len() - 1);
            match (account.workers.get(place), watched_seats.get(place)) {
                (Some(worker), Some(seat)) => (Arc::clone(seat), worker.call(id, region, &mut dice)),
                _ => continue,
            }
        } else {
            (Arc::clone(dice.pick(&other_seats)), everyday(&mut dice, id, region))
        };
        if i > 0 {
            text.push(',');
        }
        let record = Record {
            time,
            id: dice.bits(),
            region,
            account: Arc::clone(id),
            shared: None,
            seat,
            call,
        };
        record.write(&mut text);
        if text.len() > 1 << 20 {
            out.write_all(text.as_bytes())?;
            text.clear();
        }
    }
    text.push_str("]}");
    out.write_all(text.as_bytes())?;
    out.finish()?.flush()
}

/// What fills most trails, with its parameters and answers.
fn everyday(dice: &mut Dice, account: &str, region: &str) -> Call {
    match dice.range(0..=99) {
        0..=44 => s3(dice, account),
        45..=61 => ec2(dice),
        62..=74 => kms(dice, account, region),
        75..=84 => sts(dice, account),
        85..=92 => lambda(dice, account, region),
        _ => iam(dice),
    }
}

fn s3(dice: &mut Dice, account: &str) -> Call {
    let bucket = format!("data-{}-{}", dice.range(1..=40), account);
    let key = format!(
        "exports/{}/{}/part-{}.parquet",
        dice.range(2024..=2026),
        dice.hex(12),
        dice.range(0..=99_999)
    );
    let (name, read_only) = *dice.pick(&[
        ("GetObject", true),
        ("GetObject", true),
        ("PutObject", false),
        ("HeadObject", true),
    ]);
    let bytes = dice.range(200..=9_000_000);
    let additional = format!(
        r#"{{"SignatureVersion":"SigV4","CipherSuite":"TLS_AES_128_GCM_SHA256","bytesTransferredIn":0,"SSEApplied":"Default_SSE_S3","AuthenticationMethod":"AuthHeader","x-amz-id-2":"{}","bytesTransferredOut":{bytes}}}"#,
        dice.base64(76)
    );
    Call::data("s3.amazonaws.com", name, "s3.{}.amazonaws.com", read_only)
        .with(format!(
            r#"{{"bucketName":"{bucket}","Host":"{bucket}.s3.amazonaws.com","key":"{key}"}}"#
        ))
        .noting(additional)
        .on(account, "AWS::S3::Object", &format!("arn:aws:s3:::{bucket}/{key}"))
}

fn ec2(dice: &mut Dice) -> Call {
    let name = *dice.pick(&[
        "DescribeInstances",
        "DescribeNetworkInterfaces",
        "DescribeVolumes",
        "DescribeTags",
        "DescribeSecurityGroups",
        "DescribeInstanceStatus",
    ]);
    let items: Vec<String> = (0..dice.count(1..=8))
        .map(|_| format!(r#"{{"instanceId":"i-0{}"}}"#, dice.hex(16)))
        .collect();
    Call::management("ec2.amazonaws.com", name, "ec2.{}.amazonaws.com", true).with(format!(
        r#"{{"maxResults":1000,"instancesSet":{{"items":[{}]}},"filterSet":{{"items":[{{"name":"instance-state-name","valueSet":{{"items":[{{"value":"running"}}]}}}}]}}}}"#,
        items.join(",")
    ))
}

fn kms(dice: &mut Dice, account: &str, region: &str) -> Call {
    let key = format!(
        "arn:aws:kms:{region}:{account}:key/{}",
        crate::record::uuid(u128::from(dice.seed() % 20))
    );
    let name = *dice.pick(&["Decrypt", "Decrypt", "GenerateDataKey"]);
    Call::management("kms.amazonaws.com", name, "kms.{}.amazonaws.com", true)
        .with(format!(
            r#"{{"keyId":"{key}","encryptionAlgorithm":"SYMMETRIC_DEFAULT","encryptionContext":{{"aws:s3:arn":"arn:aws:s3:::data-{}-{account}"}}}}"#,
            dice.range(1..=40)
        ))
        .noting(format!(r#"{{"keyMaterialId":"{}"}}"#, dice.hex(64)))
        .on(account, "AWS::KMS::Key", &key)
}

fn sts(dice: &mut Dice, account: &str) -> Call {
    let role = format!("arn:aws:iam::{account}:role/node-{}-role", dice.range(0..=299));
    let (session, key) = (format!("i-0{}", dice.hex(16)), dice.id("ASIA", 20));
    Call::management("sts.amazonaws.com", "AssumeRole", "sts.{}.amazonaws.com", true)
        .with(format!(r#"{{"roleArn":"{role}","roleSessionName":"{session}","durationSeconds":3600}}"#))
        .answered(format!(
            r#"{{"credentials":{{"accessKeyId":"{key}","sessionToken":"{}","expiration":"Jan 1, 2026, 12:00:00 AM"}},"assumedRoleUser":{{"assumedRoleId":"{}:{session}","arn":"arn:aws:sts::{account}:assumed-role/node/{session}"}}}}"#,
            dice.base64(420),
            dice.id("AROA", 21)
        ))
        .on(account, "AWS::IAM::Role", &role)
}

fn lambda(dice: &mut Dice, account: &str, region: &str) -> Call {
    let arn = format!(
        "arn:aws:lambda:{region}:{account}:function:handler-{}",
        dice.range(0..=120)
    );
    Call::data("lambda.amazonaws.com", "Invoke", "lambda.{}.amazonaws.com", false)
        .with(format!(
            r#"{{"functionName":"{arn}","clientContext":"{}","invocationType":"Event"}}"#,
            dice.base64(160)
        ))
        .on(account, "AWS::Lambda::Function", &arn)
}

fn iam(dice: &mut Dice) -> Call {
    let name = *dice.pick(&[
        "ListRoles",
        "GetRole",
        "ListAttachedRolePolicies",
        "GetPolicyVersion",
        "ListUsers",
    ]);
    Call::management("iam.amazonaws.com", name, "iam.amazonaws.com", true).with(format!(
        r#"{{"roleName":"node-{}-role","maxItems":100}}"#,
        dice.range(0..=299)
    ))
}
