//! AWS as the doctor sees it: answers each operation with a body, or refuses it, and remembers what was asked.

// Each test binary uses its own part of this.
#![allow(dead_code)]
// Here, what is not as it should be fails a test.
#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What is answered to an operation in a region.
pub(crate) enum Answer {
    /// An object of JSON, or a document of XML.
    Text(String),
    /// An object of CBOR.
    Cbor(&'static [u8]),
    /// `AccessDeniedException`.
    Denied,
    /// Another failure, by its code, in JSON.
    Failed(&'static str),
}

type Answers = dyn Fn(&str, &str) -> Answer + Send + Sync;

/// A server for one test.
pub(crate) struct StandIn {
    pub(crate) endpoint: String,
    asked: Arc<Mutex<BTreeSet<String>>>,
}

impl StandIn {
    /// Answers by operation and region.
    pub(crate) fn new(answers: impl Fn(&str, &str) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(BTreeSet::new()));
        let (answers, seen): (Arc<Answers>, _) = (Arc::new(answers), Arc::clone(&asked));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (answers, seen) = (Arc::clone(&answers), Arc::clone(&seen));
                thread::spawn(move || serve(&mut stream.unwrap(), &*answers, &seen));
            }
        });
        Self { endpoint, asked }
    }

    /// Every operation that was asked for.
    pub(crate) fn asked(&self) -> BTreeSet<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(stream: &mut TcpStream, answers: &Answers, seen: &Mutex<BTreeSet<String>>) {
    let request = read(stream);
    let (operation, region) = (operation(&request), region(&request));
    seen.lock().unwrap().insert(operation.clone());
    let answer = answers(&operation, &region);
    let is_xml = request.contains("x-www-form-urlencoded");
    let code = match &answer {
        Answer::Text(_) | Answer::Cbor(_) => None,
        Answer::Denied => Some("AccessDeniedException"),
        Answer::Failed(code) => Some(*code),
    };
    let status = if code.is_some() { "400 Bad Request" } else { "200 OK" };
    let (kind, body) = match (answer, code) {
        (Answer::Text(text), _) => ("application/x-amz-json-1.1", text.into_bytes()),
        (Answer::Cbor(bytes), _) => ("application/cbor", bytes.to_vec()),
        (_, code) if is_xml => {
            let code = code.unwrap();
            let error =
                format!("<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>");
            ("text/xml", error.into_bytes())
        }
        (_, Some(code)) if request.contains("rpc-v2-cbor") => ("application/cbor", error_as_cbor(code)),
        (_, code) => (
            "application/x-amz-json-1.1",
            format!(r#"{{"__type":"{}"}}"#, code.unwrap()).into_bytes(),
        ),
    };
    let mut head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nsmithy-protocol: rpc-v2-cbor\r\nContent-Length: {}\r\n\
         Connection: close\r\n",
        body.len()
    );
    if let Some(code) = code {
        write!(head, "x-amzn-errortype: {code}\r\n").unwrap();
    }
    head += "\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&body).unwrap();
}

/// `{"__type": code}`: a map of one, a text of six, a text of fewer than twenty-four.
fn error_as_cbor(code: &str) -> Vec<u8> {
    let mut body = b"\xa1\x66__type".to_vec();
    body.push(0x60 + u8::try_from(code.len()).unwrap());
    body.extend_from_slice(code.as_bytes());
    body
}

fn read(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut part = [0; 4_096];
    while !is_whole(&request) {
        let length = stream.read(&mut part).unwrap();
        request.extend_from_slice(&part[..length]);
    }
    String::from_utf8_lossy(&request).into_owned()
}

fn is_whole(request: &[u8]) -> bool {
    let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") else {
        return false;
    };
    let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    request.len() - end - 4 >= length.unwrap_or(0)
}

/// The operation: of JSON in a header, of XML in the body, of REST and CBOR in the path.
fn operation(request: &str) -> String {
    let header = request.lines().find_map(|line| line.strip_prefix("x-amz-target: "));
    let in_body = request
        .split("\r\n\r\n")
        .nth(1)
        .and_then(|body| body.strip_prefix("Action=")?.split('&').next());
    let path = request.split(' ').nth(1).unwrap().split('?').next().unwrap();
    let by_path = match path {
        "/v2/email/account" => "GetAccount",
        "/logging/modelinvocations" => "GetModelInvocationLoggingConfiguration",
        "/listRegions" => "ListRegions",
        other => other.rsplit('/').next().unwrap(),
    };
    let name = header.map(|target| target.rsplit('.').next().unwrap()).or(in_body);
    name.unwrap_or(by_path).to_owned()
}

/// The region that the request is signed for.
fn region(request: &str) -> String {
    let scope = request.split("Credential=").nth(1).unwrap();
    scope.split('/').nth(2).unwrap().to_owned()
}
