//! A port of this machine where a test answers what a client of AWS asks.

#![expect(clippy::expect_used, reason = "without its port a test cannot go on")]

use std::sync::Arc;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::config;

/// What a request is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// `content-type`.
    pub content_type: &'static str,
    /// Further headers.
    pub headers: &'static [(&'static str, &'static str)],
    /// The body.
    pub body: Vec<u8>,
}

/// Answers every request so, each on a connection of its own, until the runtime ends; gives the endpoint's URL.
/// A request is given as text, head and body; what is no text in it is replaced.
///
/// # Panics
/// When no port is to be had.
pub async fn serve(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = listener.local_addr().expect("a bound socket");
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = Arc::clone(&answer);
            tokio::spawn(async move { exchange(stream, &*answer).await });
        }
    });
    format!("http://{address}")
}

/// A configuration of clients that leads to an endpoint, with the retries of production.
pub fn config(endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new("test", "test", None, None, "testing");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .retry_config(config::retries())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(endpoint)
        .build()
}

async fn exchange(mut stream: TcpStream, answer: &(impl Fn(&str) -> Answer + Send + Sync)) {
    // Who hangs up in the middle of a request is not answered.
    let Some(request) = request(&mut stream).await else {
        return;
    };
    let Answer {
        status,
        content_type,
        headers,
        body,
    } = answer(&request);
    let mut head = format!(
        "HTTP/1.1 {status} -\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\nconnection: close\r\n",
        body.len()
    );
    for (name, value) in headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    head.push_str("\r\n");
    let whole = [head.into_bytes(), body].concat();
    let _ = stream.write_all(&whole).await;
}

/// Head and body of one request, by its length.
async fn request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let ends = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some((head, body)) = ends.and_then(|end| bytes.split_at_checked(end + 4)) {
            let head = String::from_utf8_lossy(head);
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length")
                    .then(|| value.trim().parse::<usize>().ok())?
            });
            if body.len() >= length.unwrap_or(0) {
                return Some(String::from_utf8_lossy(&bytes).into_owned());
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
