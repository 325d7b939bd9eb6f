//! Making an activity of one record: the price of each record of a watched service.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tripmeter_catalogue::{Scope, classify};
use tripmeter_model::Record;

const ROLE: &str = r#"{"type":"AssumedRole","principalId":"AROAEXAMPLE:app-1","arn":"arn:aws:sts::111122223333:assumed-role/app/app-1","accountId":"111122223333","accessKeyId":"ASIAEXAMPLE","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLE","arn":"arn:aws:iam::111122223333:role/app","accountId":"111122223333","userName":"app"},"attributes":{"creationDate":"2026-03-02T06:00:00Z","mfaAuthenticated":"false"}}}"#;

fn record(source: &'static str, name: &'static str, parameters: &'static str) -> Record<'static> {
    Record {
        event_id: Some("6742ad24-15bd-4b8f-ba27-0df1407bc674".into()),
        event_source: source.into(),
        event_name: name.into(),
        region: Some("eu-west-1".into()),
        recipient_account: Some("111122223333".into()),
        source_ip: Some("198.51.100.11".into()),
        user_agent: Some("Boto3/1.35.10 md/Botocore#1.35.10 exec-env/AWS_Lambda_python3.11".into()),
        user_identity: Some(ROLE),
        request_parameters: Some(parameters),
        ..Record::default()
    }
}

fn benches(criterion: &mut Criterion) {
    let scope = Scope::default();
    let mut group = criterion.benchmark_group("classify");
    for (label, record) in [
        ("unwatched", record("s3.amazonaws.com", "GetObject", "{}")),
        (
            "not in the catalogue",
            record("sns.amazonaws.com", "GetTopicAttributes", "{}"),
        ),
        (
            "model call",
            record(
                "bedrock.amazonaws.com",
                "InvokeModel",
                r#"{"modelId":"anthropic.claude-3-5-sonnet-20241022-v2:0"}"#,
            ),
        ),
        (
            "mail",
            record(
                "ses.amazonaws.com",
                "SendEmail",
                r#"{"fromEmailAddress":"shop@news.example.com","destination":{"toAddresses":["HIDDEN_DUE_TO_SECURITY_REASONS"]},"content":{"simple":{"subject":{"data":"HIDDEN_DUE_TO_SECURITY_REASONS"},"body":{"text":{"data":"HIDDEN_DUE_TO_SECURITY_REASONS"}}}}}"#,
            ),
        ),
        (
            "text message",
            record(
                "sms-voice.amazonaws.com",
                "SendTextMessage",
                r#"{"destinationPhoneNumber":"+447700900000","originationIdentity":"+447700900999","messageBody":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#,
            ),
        ),
        (
            "role assumed",
            record(
                "sts.amazonaws.com",
                "AssumeRole",
                r#"{"roleArn":"arn:aws:iam::111122223333:role/app","roleSessionName":"app-1","durationSeconds":3600}"#,
            ),
        ),
    ] {
        group.bench_function(label, |bencher| {
            bencher.iter(|| classify(black_box(&record), black_box(&scope)));
        });
    }
    group.finish();
}

criterion_group!(classification, benches);
criterion_main!(classification);
