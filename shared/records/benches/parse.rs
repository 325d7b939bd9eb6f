//! Reading one log file as CloudTrail writes it: gunzip alone, and gunzip with parsing.

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::Write as _;

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

/// A log file of so many records, about 1.5 KB each.
fn log_file(records: usize) -> Vec<u8> {
    let mut text = String::from("{\"Records\":[");
    for (n, (service, name, parameters)) in CALLS.iter().cycle().take(records).enumerate() {
        let comma = if n == 0 { "" } else { "," };
        let id = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let _ = write!(
            text,
            r#"{comma}{{"eventVersion":"1.11","userIdentity":{{"type":"AssumedRole","principalId":"AROAEXAMPLE{id:016x}:app-{n}","arn":"arn:aws:sts::111122223333:assumed-role/app/app-{n}","accountId":"111122223333","accessKeyId":"ASIA{id:016X}","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"AROAEXAMPLE{id:016x}","arn":"arn:aws:iam::111122223333:role/app","accountId":"111122223333","userName":"app"}},"attributes":{{"creationDate":"2026-03-03T10:00:00Z","mfaAuthenticated":"false"}}}}}},"eventTime":"2026-03-03T10:{:02}:{:02}Z","eventSource":"{service}.amazonaws.com","eventName":"{name}","awsRegion":"us-east-1","sourceIPAddress":"198.51.100.{}","userAgent":"Boto3/1.35.10 md/Botocore#1.35.10 ua/2.0 os/linux#5.10 md/arch#x86_64 lang/python#3.11.7","requestParameters":{parameters},"responseElements":null,"additionalEventData":{{"SignatureVersion":"SigV4","CipherSuite":"TLS_AES_128_GCM_SHA256","bytesTransferredIn":0,"x-amz-id-2":"{id:064x}"}},"requestID":"{id:032x}","eventID":"{:032x}","readOnly":true,"resources":[{{"accountId":"111122223333","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::example-bucket"}}],"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management","tlsDetails":{{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"{service}.us-east-1.amazonaws.com"}}}}"#,
            n / 60 % 60,
            n % 60,
            n % 250,
            id.rotate_left(7),
        );
    }
    text.push_str("]}");
    text.into_bytes()
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
