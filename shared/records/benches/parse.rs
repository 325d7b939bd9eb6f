//! Reading one log file as CloudTrail writes it: gunzip alone, and gunzip with parsing.

use std::hint::black_box;
use std::io::Write;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use flate2::Compression;
use flate2::write::GzEncoder;
use tripmeter_records::{Limits, Reader};

/// What an account's file is mostly made of, and what of it is watched.
const CALLS: &[(&str, &str, &str)] = &[
    (
        "s3",
        "GetBucketAcl",
        r#"{"bucketName":"example-bucket","acl":"","Host":"example-bucket.s3.amazonaws.com"}"#,
    ),
    (
        "ec2",
        "DescribeInstances",
        r#"{"instancesSet":{"items":[{"instanceId":"i-0abcdef1234567890"}]},"filterSet":{}}"#,
    ),
    (
        "sts",
        "AssumeRole",
        r#"{"roleArn":"arn:aws:iam::111122223333:role/app","roleSessionName":"app-1"}"#,
    ),
    (
        "kms",
        "Decrypt",
        r#"{"encryptionContext":{"aws:lambda:FunctionArn":"arn:aws:lambda:us-east-1:111122223333:function:f"}}"#,
    ),
    (
        "bedrock",
        "InvokeModel",
        r#"{"modelId":"anthropic.claude-3-5-sonnet-20241022-v2:0"}"#,
    ),
];

/// A log file of so many records, about 1.5 KB each, of which a quarter is noise, as ids and signatures are.
fn log_file(records: u64) -> Vec<u8> {
    let made = CALLS
        .iter()
        .cycle()
        .zip(0..records)
        .map(|(call, n)| record(call, n))
        .collect::<Vec<_>>();
    serde_json::json!({ "Records": made }).to_string().into_bytes()
}

fn record((service, name, parameters): &(&str, &str, &str), n: u64) -> serde_json::Value {
    let id = |salt: u64| format!("{:016x}{:016x}", noise(n * 8 + salt), noise(n * 8 + salt + 1));
    let role = serde_json::json!({"type": "Role", "principalId": format!("AROA{:016X}", noise(n % 20)),
        "arn": format!("arn:aws:iam::111122223333:role/app-{}", n % 20), "accountId": "111122223333"});
    serde_json::json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "arn": format!("arn:aws:sts::111122223333:assumed-role/app-{}/i-{}", n % 20, n % 90),
            "accountId": "111122223333",
            "accessKeyId": format!("ASIA{:016X}", noise(n)),
            "sessionContext": {"sessionIssuer": role, "attributes": {"mfaAuthenticated": "false"}},
        },
        "eventTime": format!("2026-03-03T10:{:02}:{:02}Z", n / 60 % 60, n % 60),
        "eventSource": format!("{service}.amazonaws.com"),
        "eventName": name,
        "awsRegion": "us-east-1",
        "sourceIPAddress": format!("198.51.100.{}", n % 250),
        "userAgent": "Boto3/1.35.10 md/Botocore#1.35.10 ua/2.0 os/linux#5.10 md/arch#x86_64 lang/python#3.11.7",
        "requestParameters": serde_json::from_str::<serde_json::Value>(parameters).unwrap_or_default(),
        "responseElements": null,
        "additionalEventData": {"SignatureVersion": "SigV4", "bytesTransferredIn": n % 999, "x-amz-id-2": id(2) + &id(4)},
        "requestID": id(0),
        "eventID": id(6),
        "readOnly": true,
        "resources": [{"accountId": "111122223333", "type": "AWS::S3::Object",
            "ARN": format!("arn:aws:s3:::example-bucket/{:x}", noise(n + 7))}],
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": "111122223333",
        "eventCategory": "Management",
        "tlsDetails": {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256",
            "clientProvidedHostHeader": format!("{service}.us-east-1.amazonaws.com")},
    })
}

/// A number that looks like chance, the same for the same seed (the mixing step of SplitMix64).
fn noise(seed: u64) -> u64 {
    let mixed = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn parse(criterion: &mut Criterion) {
    let text = log_file(1_000);
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let file = encoder
        .write_all(&text)
        .and_then(|()| encoder.finish())
        .unwrap_or_default();
    let mut group = criterion.benchmark_group("records");
    group.throughput(Throughput::Bytes(text.len() as u64));

    let mut inflater = libdeflater::Decompressor::new();
    let mut buffer = vec![0; text.len()];
    group.bench_function("gunzip", |bench| {
        bench.iter(|| inflater.gzip_decompress(black_box(&file), &mut buffer));
    });
    let mut reader = Reader::new(Limits::default());
    group.bench_function("parse", |bench| {
        bench.iter(|| reader.read_bytes(black_box(&text), &mut |item| drop(black_box(item))));
    });
    group.bench_function("gunzip and parse", |bench| {
        bench.iter(|| reader.read_bytes(black_box(&file), &mut |item| drop(black_box(item))));
    });
    group.finish();
}

criterion_group!(benches, parse);
criterion_main!(benches);
