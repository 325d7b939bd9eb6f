//! The program itself, with a Runtime API that calls it once.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tripmeter_aws::testing::Local;

use crate::s3::{BUCKET, S3};

/// Milliseconds that the invocation has: far more than it may need where many tests run at once.
const DEADLINE: u128 = 10 * 60 * 1_000;

/// What came of the invocation.
pub(crate) struct Run {
    pub(crate) answer: String,
    /// The most memory that the program held, in kilobytes.
    pub(crate) peak: u64,
}

/// Runs the program over one payload.
pub(crate) fn run(local: &Local, s3: &S3, payload: &str) -> Run {
    let (answered, answer) = channel();
    let address = runtime_api(payload, answered);
    let mut program = start(address, local, s3);
    let answer = wait(&answer);
    let status = std::fs::read_to_string(format!("/proc/{}/status", program.id())).unwrap();
    program.kill().unwrap();
    program.wait().unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    Run {
        answer,
        peak: peak.trim().trim_end_matches(" kB").parse().unwrap(),
    }
}

fn wait(answer: &Receiver<String>) -> String {
    answer.recv_timeout(Duration::from_mins(10)).unwrap()
}

fn start(runtime_api: SocketAddr, local: &Local, s3: &S3) -> Child {
    Command::new(env!("CARGO_BIN_EXE_tripmeter-trail"))
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", runtime_api.to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", "trail")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", "trail")
        .env("AWS_LAMBDA_LOG_STREAM_NAME", "one")
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_ACCESS_KEY_ID", "local")
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .env("AWS_ENDPOINT_URL_DYNAMODB", local.endpoint_url())
        .env("AWS_ENDPOINT_URL_S3", &s3.endpoint_url)
        .env("TRIPMETER_STACK", "prod")
        .env("TRIPMETER_STATE_TABLE", local.state_table())
        .env("TRIPMETER_FINDINGS_TABLE", local.findings_table())
        .env(
            "TRIPMETER_FINDINGS_TOPIC",
            "arn:aws:sns:eu-west-1:999988887777:findings",
        )
        .env(
            "TRIPMETER_OPERATIONS_TOPIC",
            "arn:aws:sns:eu-west-1:999988887777:operations",
        )
        .env("TRIPMETER_TRAIL_BUCKET", BUCKET)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// Serves one invocation, and says what was answered to it.
///
/// <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>
fn runtime_api(payload: &str, answered: Sender<String>) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() + DEADLINE;
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nlambda-runtime-aws-request-id: 1\r\n\
         lambda-runtime-invoked-function-arn: arn:aws:lambda:eu-west-1:999988887777:function:trail\r\n\
         lambda-runtime-deadline-ms: {deadline}\r\ncontent-length: {}\r\n\r\n",
        payload.len()
    );
    let mut invocation = Some(head + payload);
    thread::spawn(move || {
        for stream in listener.incoming() {
            serve(stream.unwrap(), &mut invocation, &answered);
        }
    });
    address
}

/// Serves a connection until it ends, or until it asks for a second invocation, which never comes.
fn serve(stream: TcpStream, invocation: &mut Option<String>, answered: &Sender<String>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    while let Some((request, body)) = request(&mut reader) {
        if request.starts_with("GET ") {
            let Some(invocation) = invocation.take() else {
                // It is kept waiting, and the next connection is served.
                std::mem::forget(stream);
                return;
            };
            stream.write_all(invocation.as_bytes()).unwrap();
        } else {
            stream
                .write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")
                .unwrap();
            let _ = answered.send(body);
        }
    }
}

/// The first line of a request, and its body.
fn request(reader: &mut BufReader<TcpStream>) -> Option<(String, String)> {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        head.push(line.to_ascii_lowercase());
    }
    let length = head.iter().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.trim().parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    Some((head.first()?.to_ascii_uppercase(), String::from_utf8(body).ok()?))
}
