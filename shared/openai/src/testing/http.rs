//! As much of HTTP/1.1 as the stand-in needs: requests without surprises, one after the other.

use std::fmt::Write as _;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// A request, as far as anybody looks at it.
#[derive(Debug, Default)]
pub(super) struct Ask {
    /// Path and query, as they came.
    pub(super) path: String,
    pub(super) authorization: Option<String>,
    /// The operation that is asked of AWS.
    pub(super) target: Option<String>,
}

impl Ask {
    /// The path, and the names and values of the query.
    pub(super) fn split(&self) -> (&str, Vec<(String, String)>) {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        (path, pairs.map(|(name, value)| (plain(name), plain(value))).collect())
    }
}

/// `%XX` and `+` undone.
fn plain(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after
            .get(..2)
            .and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        rest = after;
        match (first, hex) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
    /// The connection ends in the middle of the body.
    pub(super) cut_short: bool,
}

impl Answer {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.to_string().into_bytes(),
            cut_short: false,
        }
    }

    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    fn head(&self) -> String {
        let mut head = format!("HTTP/1.1 {} -\r\ncontent-type: application/json\r\n", self.status);
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let _ = write!(head, "content-length: {}\r\n\r\n", self.body.len());
        head
    }
}

/// Answers what comes on a connection, until it ends.
pub(super) async fn serve(stream: TcpStream, mut answer: impl FnMut(&Ask) -> Answer) {
    let _ = stream.set_nodelay(true);
    let mut stream = BufReader::new(stream);
    while let Some(ask) = read(&mut stream).await {
        let answer = answer(&ask);
        let sent = if answer.cut_short {
            answer.body.len() / 2
        } else {
            answer.body.len()
        };
        let mut bytes = answer.head().into_bytes();
        bytes.extend(answer.body.iter().take(sent));
        if stream.write_all(&bytes).await.is_err() || answer.cut_short {
            break;
        }
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Ask> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    let mut ask = Ask {
        path: line.split(' ').nth(1)?.to_owned(),
        ..Ask::default()
    };
    let mut length = 0;
    loop {
        line.clear();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line
            .trim_end()
            .split_once(": ")
            .map(|(name, value)| (name, value.to_owned()))
        else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "authorization" => ask.authorization = Some(value),
            "x-amz-target" => ask.target = Some(value),
            "content-length" => length = value.parse().ok()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(ask)
}
