//! S3 as far as reading objects goes, over HTTP on this machine, behind the real client; and the files in it.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub(crate) const BUCKET: &str = "archive";

/// What is answered for a key.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Object(Arc<Vec<u8>>),
    /// The connection ends after so many bytes of the object.
    CutOff(Arc<Vec<u8>>, usize),
    Refused(u16, &'static str),
}

type Objects = Arc<Mutex<BTreeMap<String, Answer>>>;

/// A running S3, for as long as the process lives.
#[derive(Clone, Debug)]
pub(crate) struct S3 {
    pub(crate) endpoint_url: String,
    objects: Objects,
    asked: Arc<Mutex<Vec<String>>>,
}

impl S3 {
    /// Starts it on a thread of its own, so that a test may also wait for a program.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let s3 = Self {
            endpoint_url: format!("http://{}", listener.local_addr().unwrap()),
            objects: Objects::default(),
            asked: Arc::default(),
        };
        let (objects, asked) = (Arc::clone(&s3.objects), Arc::clone(&s3.asked));
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(serve(stream, Arc::clone(&objects), Arc::clone(&asked)));
                }
            });
        });
        s3
    }

    pub(crate) fn client(&self) -> Client {
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::for_tests())
            .endpoint_url(&self.endpoint_url)
            .force_path_style(true)
            .retry_config(RetryConfig::disabled());
        Client::from_conf(config.build())
    }

    pub(crate) fn put(&self, key: &str, bytes: Vec<u8>) {
        self.answer(key, Answer::Object(Arc::new(bytes)));
    }

    pub(crate) fn answer(&self, key: &str, answer: Answer) {
        self.objects.lock().unwrap().insert(format!("/{BUCKET}/{key}"), answer);
    }

    /// The ranges that were asked for.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// One request, one answer, and the connection is closed.
async fn serve(mut stream: tokio::net::TcpStream, objects: Objects, asked: Arc<Mutex<Vec<String>>>) -> Option<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut request).await.ok()? == 0 {
            return None;
        }
    }
    let request = String::from_utf8(request).ok()?;
    let path = request.split(' ').nth(1)?.split('?').next()?.to_owned();
    let range = request.lines().find_map(|line| line.strip_prefix("range: bytes="))?;
    asked.lock().unwrap().push(range.to_owned());
    let (from, to) = range.split_once('-')?;
    let (from, to): (usize, usize) = (from.parse().ok()?, to.parse().ok()?);
    let answer = objects.lock().unwrap().get(&path).cloned();
    let (object, at_most) = match answer.unwrap_or(Answer::Refused(404, "NoSuchKey")) {
        Answer::Object(object) => (object, usize::MAX),
        Answer::CutOff(object, at_most) => (object, at_most),
        Answer::Refused(status, code) => {
            let body = format!("<Error><Code>{code}</Code><Message>as it was told to</Message></Error>");
            let head = format!(
                "HTTP/1.1 {status} -\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            return stream.write_all((head + &body).as_bytes()).await.ok();
        }
    };
    let piece = &object[from..object.len().min(to + 1)];
    let head = format!(
        "HTTP/1.1 206 -\r\ncontent-length: {}\r\ncontent-range: bytes {from}-{}/{}\r\nconnection: close\r\n\r\n",
        piece.len(),
        from + piece.len() - 1,
        object.len()
    );
    stream.write_all(head.as_bytes()).await.ok()?;
    stream.write_all(&piece[..piece.len().min(at_most)]).await.ok()
}

/// A key where CloudTrail puts an account's files.
pub(crate) fn log_key(account: &str, name: &str) -> String {
    format!("AWSLogs/o-a1b2c3d4e5/{account}/CloudTrail/eu-west-1/2026/03/03/{account}_{name}.json.gz")
}

/// A log file of these records.
pub(crate) fn log(records: &[Value]) -> Vec<u8> {
    gzip(json!({ "Records": records }).to_string().as_bytes())
}

pub(crate) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// The message in which a queue tells that an object was created.
pub(crate) fn notice(number: usize, bucket: &str, key: &str, size: usize) -> Value {
    let event = json!({
        "version": "0", "id": "17793124-05d4-b198-2fde-7ededc63b103", "detail-type": "Object Created",
        "source": "aws.s3", "account": "555566667777", "time": "2026-03-03T10:10:00Z", "region": "eu-central-1",
        "resources": [format!("arn:aws:s3:::{bucket}")],
        "detail": {"version": "0", "bucket": {"name": bucket}, "reason": "PutObject",
            "object": {"key": key, "size": size, "etag": "b1946ac92492d2347c6235b4d2611184", "sequencer": "1"},
            "requester": "cloudtrail.amazonaws.com", "source-ip-address": "10.0.0.1", "request-id": "N4N7GDK58NMKJ12R"}
    });
    message(number, &event.to_string())
}

pub(crate) fn message(number: usize, body: &str) -> Value {
    json!({
        "messageId": format!("message-{number}"), "receiptHandle": "handle", "body": body,
        "attributes": {"ApproximateReceiveCount": "1"}, "eventSource": "aws:sqs", "awsRegion": "eu-central-1"
    })
}
