//! A detector on a local table, and as much of CloudWatch as is asked, on a port of this machine.

#![allow(dead_code, reason = "each test takes what it needs")]
#![allow(
    clippy::indexing_slicing,
    reason = "what fails here fails the test that asked for it"
)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_cloudwatch::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_cbor::Encoder;
use aws_smithy_types::DateTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tripmeter_aws::canary::Canary;
use tripmeter_aws::detector::Detector;
use tripmeter_aws::findings::FindingsTable;
use tripmeter_aws::own::OwnCalls;
use tripmeter_aws::state::State;
use tripmeter_aws::testing::Local;
use tripmeter_detect::Settings;

pub(crate) const ACCOUNT: &str = "111122223333";

pub(crate) fn detector(local: &Local) -> Detector {
    let client = local.dynamodb();
    let findings = FindingsTable::new(client.clone(), local.findings_table());
    Detector {
        home: ACCOUNT.into(),
        state: State::new(client.clone(), local.state_table(), findings),
        canary: Canary::new(client, local.state_table()),
        own: OwnCalls::default(),
        scope: tripmeter_aws::scope("prod", &[]),
        settings: Settings::default(),
    }
}

/// One series of an answer: the query's id, its label, and values at seconds since 1970.
pub(crate) type Series = (&'static str, &'static str, Vec<(i64, f64)>);

/// What a request is answered with.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// A page, and whether another follows.
    Page(Vec<Series>, Option<&'static str>),
    /// A refusal.
    Denied,
}

/// The service, with the answers that it still has for each region, and the requests that it had.
#[derive(Clone)]
pub(crate) struct CloudWatch {
    endpoint: String,
    answers: Arc<Mutex<VecDeque<Answer>>>,
    pub(crate) asked: Arc<Mutex<Vec<String>>>,
}

impl CloudWatch {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let cloud_watch = Self {
            endpoint: format!("http://{}", listener.local_addr().unwrap()),
            answers: Arc::default(),
            asked: Arc::default(),
        };
        let served = cloud_watch.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(served.clone().serve(stream));
            }
        });
        cloud_watch
    }

    /// Answers the next requests so, in order.
    pub(crate) fn will_answer(&self, answers: impl IntoIterator<Item = Answer>) {
        self.answers.lock().unwrap().extend(answers);
    }

    pub(crate) fn config(&self) -> SdkConfig {
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .retry_config(tripmeter_aws::config::retries())
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                "test", "test", None, None, "test",
            )))
            .endpoint_url(&self.endpoint)
            .build()
    }

    async fn serve(self, mut stream: TcpStream) {
        let request = read(&mut stream).await;
        self.asked.lock().unwrap().push(request);
        let answer = self.answers.lock().unwrap().pop_front();
        let (status, body) = match answer {
            Some(Answer::Page(series, token)) => ("200 OK", page(&series, token)),
            Some(Answer::Denied) | None => ("403 Forbidden", denied()),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/cbor\r\nsmithy-protocol: rpc-v2-cbor\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&body).await.unwrap();
    }
}

fn page(series: &[Series], token: Option<&str>) -> Vec<u8> {
    let mut cbor = Encoder::new(Vec::new());
    cbor.begin_map();
    cbor.str("MetricDataResults").array(series.len());
    for (id, label, points) in series {
        cbor.begin_map();
        cbor.str("Id")
            .str(id)
            .str("Label")
            .str(label)
            .str("StatusCode")
            .str("Complete");
        cbor.str("Timestamps").array(points.len());
        for (at, _) in points {
            cbor.timestamp(&DateTime::from_secs(*at));
        }
        cbor.str("Values").array(points.len());
        for (_, value) in points {
            cbor.double(*value);
        }
        cbor.end();
    }
    if let Some(token) = token {
        cbor.str("NextToken").str(token);
    }
    cbor.end();
    cbor.into_writer()
}

fn denied() -> Vec<u8> {
    let mut cbor = Encoder::new(Vec::new());
    cbor.begin_map();
    cbor.str("__type")
        .str("AccessDenied")
        .str("message")
        .str("not authorized");
    cbor.end();
    cbor.into_writer()
}

/// One request; what is no text in it is replaced.
async fn read(stream: &mut TcpStream) -> String {
    let (mut bytes, mut chunk) = (Vec::new(), vec![0; 16_384]);
    loop {
        let read = stream.read(&mut chunk).await.unwrap();
        bytes.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length")
                    .then(|| value.trim().parse::<usize>().unwrap())
            });
            if bytes.len() - end - 4 >= length.unwrap_or(0) {
                return text;
            }
        }
        assert!(read > 0, "a request ended early: {text}");
    }
}
