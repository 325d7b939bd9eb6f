//! As much of SES and SNS as the canary asks, on a port of this machine.

#![allow(clippy::panic)]

use std::sync::{Arc, Mutex};

use aws_config::SdkConfig;
use tripmeter_aws::testing::http::{self, Answer};

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
        let mut aws = Self {
            endpoint: String::new(),
            asked: Arc::default(),
            denies_messages: Arc::default(),
        };
        let served = aws.clone();
        aws.endpoint = http::serve(move |request| served.answer(request)).await;
        aws
    }

    /// A configuration that leads here.
    pub(crate) fn config(&self) -> SdkConfig {
        http::config(&self.endpoint)
    }

    fn answer(&self, request: &str) -> Answer {
        // Signatures name the region: `Credential=KEY/DATE/REGION/SERVICE/aws4_request`.
        let scope = request.split("Credential=").nth(1).unwrap_or_default();
        let region = scope.split('/').nth(2).unwrap_or_default().to_owned();
        let (call, status, content_type, body) = if request.starts_with("GET /v2/email/account ") {
            ("ses:GetAccount", 200, "application/json", ACCOUNT)
        } else if !request.contains("Action=GetSMSAttributes") {
            panic!("the canary asks nothing else: {request}")
        } else if *self.denies_messages.lock().unwrap() {
            ("sns:GetSMSAttributes", 403, "text/xml", SMS_DENIED)
        } else {
            ("sns:GetSMSAttributes", 200, "text/xml", SMS_ATTRIBUTES)
        };
        self.asked.lock().unwrap().push((region, call));
        Answer {
            status,
            content_type,
            headers: &[],
            body: body.into(),
        }
    }
}

/// A configuration that leads nowhere: nothing listens on the port.
pub(crate) fn nowhere() -> SdkConfig {
    http::config("http://127.0.0.1:9")
}
