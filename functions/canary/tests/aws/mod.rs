//! As much of SES and SNS as the canary asks, on a port of this machine.

#![allow(clippy::panic)]

use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sns::config::{Credentials, SharedCredentialsProvider};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const ACCOUNT: &str = r#"{
  "DedicatedIpAutoWarmupEnabled": false, "EnforcementStatus": "HEALTHY", "ProductionAccessEnabled": true,
  "SendQuota": {"Max24HourSend": 50000.0, "MaxSendRate": 14.0, "SentLast24Hours": 12.0}, "SendingEnabled": true
}"#;

const SMS_ATTRIBUTES: &str = r#"<GetSMSAttributesResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">
  <GetSMSAttributesResult><attributes>
    <entry><key>MonthlySpendLimit</key><value>20</value></entry>
    <entry><key>DefaultSMSType</key><value>Transactional</value></entry>
  </attributes></GetSMSAttributesResult>
  <ResponseMetadata><RequestId>0a1b</RequestId></ResponseMetadata>
</GetSMSAttributesResponse>"#;

const SMS_DENIED: &str = r#"<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error>
  <Type>Sender</Type><Code>AuthorizationError</Code><Message>not authorized</Message>
</Error><RequestId>0a1b</RequestId></ErrorResponse>"#;

/// The services, with what was asked of them: the region that a request was signed for, and the call.
#[derive(Clone)]
pub(crate) struct Aws {
    endpoint: String,
    pub(crate) asked: Arc<Mutex<Vec<(String, &'static str)>>>,
    pub(crate) denies_messages: Arc<Mutex<bool>>,
}

impl Aws {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let aws = Self {
            endpoint: format!("http://{}", listener.local_addr().unwrap()),
            asked: Arc::default(),
            denies_messages: Arc::default(),
        };
        let served = aws.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(served.clone().serve(stream));
            }
        });
        aws
    }

    /// A configuration that leads here.
    pub(crate) fn config(&self) -> SdkConfig {
        configuration(&self.endpoint)
    }

    async fn serve(self, mut stream: TcpStream) {
        let request = read(&mut stream).await;
        // Signatures name the region: `Credential=KEY/DATE/REGION/SERVICE/aws4_request`.
        let scope = request.split("Credential=").nth(1).unwrap_or_default();
        let region = scope.split('/').nth(2).unwrap_or_default().to_owned();
        let (call, status, kind, body) = if request.starts_with("GET /v2/email/account ") {
            ("ses:GetAccount", "200 OK", "application/json", ACCOUNT)
        } else if !request.contains("Action=GetSMSAttributes") {
            panic!("the canary asks nothing else: {request}")
        } else if *self.denies_messages.lock().unwrap() {
            ("sns:GetSMSAttributes", "403 Forbidden", "text/xml", SMS_DENIED)
        } else {
            ("sns:GetSMSAttributes", "200 OK", "text/xml", SMS_ATTRIBUTES)
        };
        self.asked.lock().unwrap().push((region, call));
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
}

/// A configuration that leads nowhere: nothing listens on the port.
pub(crate) fn nowhere() -> SdkConfig {
    configuration("http://127.0.0.1:9")
}

fn configuration(endpoint: &str) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .retry_config(tripmeter_aws::config::retries())
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            "test", "test", None, None, "test",
        )))
        .endpoint_url(endpoint)
        .build()
}

/// Head and body of one request.
async fn read(stream: &mut TcpStream) -> String {
    let (mut request, mut chunk) = (String::new(), [0; 4_096]);
    loop {
        let read = stream.read(&mut chunk).await.unwrap();
        request.push_str(std::str::from_utf8(&chunk[..read]).unwrap());
        if let Some((head, body)) = request.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length")
                    .then(|| value.trim().parse().unwrap())
            });
            if body.len() >= length.unwrap_or(0) {
                return request;
            }
        }
        assert!(read > 0, "a request ended early: {request}");
    }
}
