//! A CloudTrail record, as AWS writes it: the fields, their order, what is null and what is hidden.

use std::fmt::Write as _;
use std::sync::Arc;

/// Seconds since 1970, UTC.
pub type Seconds = i64;

/// One minute, in seconds.
pub const MINUTE: Seconds = 60;
/// One hour, in seconds.
pub const HOUR: Seconds = 3_600;
/// One day, in seconds.
pub const DAY: Seconds = 86_400;

/// What SES, SNS and others put in place of what they do not tell.
pub const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

/// In a call's parameters: a UUID that differs from record to record, such as a message id.
pub const FRESH_ID: &str = "%id%";

/// Who calls, from where and with what: the same for many records.
#[derive(Debug)]
pub struct Seat {
    /// `userIdentity`, as JSON text.
    pub identity: String,
    /// The caller's ARN, as denials quote it.
    pub arn: String,
    /// `sourceIPAddress`.
    pub address: String,
    /// `userAgent`.
    pub agent: String,
    /// `vpcEndpointId`.
    pub endpoint: Option<String>,
}

/// A call as its service records it, without who and when.
#[derive(Clone, Debug)]
pub struct Call {
    /// `eventSource`.
    pub source: &'static str,
    /// `eventName`.
    pub name: &'static str,
    /// `clientProvidedHostHeader`, with `{}` where the region stands.
    pub host: &'static str,
    /// `readOnly`.
    pub read_only: bool,
    /// Whether it is a data event.
    pub data: bool,
    /// `requestParameters`, JSON text; null when none.
    pub request: Option<Arc<str>>,
    /// `responseElements`, JSON text; null when none.
    pub response: Option<Arc<str>>,
    /// `additionalEventData`, JSON text; absent when none.
    pub additional: Option<Arc<str>>,
    /// `resources`, JSON text; absent when none.
    pub resources: Option<Arc<str>>,
    /// What the call is about, as a denial quotes it.
    pub subject: Option<Arc<str>>,
    /// `errorCode` and `errorMessage`.
    pub error: Option<(&'static str, Arc<str>)>,
    /// `apiVersion`.
    pub api_version: Option<&'static str>,
    /// `eventType`.
    pub event_type: &'static str,
}

impl Call {
    /// A management event with neither parameters nor answer.
    pub fn management(source: &'static str, name: &'static str, host: &'static str, read_only: bool) -> Self {
        Self {
            source,
            name,
            host,
            read_only,
            data: false,
            request: None,
            response: None,
            additional: None,
            resources: None,
            subject: None,
            error: None,
            api_version: None,
            event_type: "AwsApiCall",
        }
    }

    /// A data event with neither parameters nor answer.
    pub fn data(source: &'static str, name: &'static str, host: &'static str, read_only: bool) -> Self {
        Self {
            data: true,
            ..Self::management(source, name, host, read_only)
        }
    }

    /// With these `requestParameters`.
    pub fn with(mut self, request: impl Into<Arc<str>>) -> Self {
        self.request = Some(request.into());
        self
    }

    /// With these `responseElements`.
    pub fn answered(mut self, response: impl Into<Arc<str>>) -> Self {
        self.response = Some(response.into());
        self
    }

    /// With these `additionalEventData`.
    pub fn noting(mut self, additional: impl Into<Arc<str>>) -> Self {
        self.additional = Some(additional.into());
        self
    }

    /// With one resource.
    pub fn on(mut self, account: &str, kind: &str, arn: &str) -> Self {
        self.resources = Some(format!(r#"[{{"accountId":"{account}","type":"{kind}","ARN":"{arn}"}}]"#).into());
        self.about(arn)
    }

    /// About this ARN.
    pub fn about(mut self, arn: impl Into<Arc<str>>) -> Self {
        self.subject = Some(arn.into());
        self
    }

    /// Failed with this code and message; the parameters stay.
    pub fn failed(mut self, code: &'static str, message: impl Into<Arc<str>>) -> Self {
        self.error = Some((code, message.into()));
        self.response = None;
        self
    }

    /// Refused to the caller: parameters are null, who and what stand in the message alone.
    pub fn denied(mut self, caller: &str) -> Self {
        let service = self.source.split('.').next().unwrap_or(self.source);
        // `Converse` has no permission of its own.
        let action = match self.name {
            "Converse" => "InvokeModel",
            "ConverseStream" => "InvokeModelWithResponseStream",
            name => name,
        };
        let subject = self
            .subject
            .as_deref()
            .map_or_else(String::new, |arn| format!(" on resource: {arn}"));
        let message = format!(
            "User: {caller} is not authorized to perform: {service}:{action}{subject} because no identity-based policy \
             allows the {service}:{action} action"
        );
        self.request = None;
        self.additional = None;
        self.resources = None;
        let code = if self.source.starts_with("bedrock") {
            "AccessDeniedException"
        } else {
            "AccessDenied"
        };
        self.failed(code, message)
    }
}

/// One record.
#[derive(Clone, Debug)]
pub struct Record {
    /// `eventTime`.
    pub time: Seconds,
    /// `eventID`.
    pub id: u128,
    /// `awsRegion`.
    pub region: &'static str,
    /// `recipientAccountId`.
    pub account: Arc<str>,
    /// `sharedEventID`: set where two accounts get a record of one call.
    pub shared: Option<u128>,
    /// Who.
    pub seat: Arc<Seat>,
    /// What.
    pub call: Call,
}

impl Record {
    /// `eventID`, as it is written.
    pub fn event_id(&self) -> String {
        uuid(self.id)
    }

    /// The record as one line of JSON, without a newline.
    pub fn json(&self) -> String {
        let mut out = String::with_capacity(1_600);
        self.write(&mut out);
        out
    }

    /// Appends the record as one line of JSON, without a newline.
    pub fn write(&self, out: &mut String) {
        let (seat, call) = (&self.seat, &self.call);
        out.push_str(r#"{"eventVersion":"1.11","userIdentity":"#);
        out.push_str(&seat.identity);
        push_field(out, "eventTime", &iso(self.time));
        push_field(out, "eventSource", call.source);
        push_field(out, "eventName", call.name);
        push_field(out, "awsRegion", self.region);
        push_field(out, "sourceIPAddress", &seat.address);
        push_field(out, "userAgent", &seat.agent);
        if let Some((code, message)) = &call.error {
            push_field(out, "errorCode", code);
            push_field(out, "errorMessage", message);
        }
        self.value(out, "requestParameters", call.request.as_deref().or(Some("null")));
        self.value(out, "responseElements", call.response.as_deref().or(Some("null")));
        self.value(out, "additionalEventData", call.additional.as_deref());
        push_field(out, "requestID", &uuid(stir(self.id)));
        push_field(out, "eventID", &uuid(self.id));
        self.value(out, "readOnly", Some(if call.read_only { "true" } else { "false" }));
        self.value(out, "resources", call.resources.as_deref());
        push_field(out, "eventType", call.event_type);
        if let Some(version) = call.api_version {
            push_field(out, "apiVersion", version);
        }
        self.value(out, "managementEvent", Some(if call.data { "false" } else { "true" }));
        push_field(out, "recipientAccountId", &self.account);
        if let Some(shared) = self.shared {
            push_field(out, "sharedEventID", &uuid(shared));
        }
        if let Some(endpoint) = &seat.endpoint {
            push_field(out, "vpcEndpointId", endpoint);
        }
        push_field(out, "eventCategory", if call.data { "Data" } else { "Management" });
        out.push_str(r#","tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256""#);
        push_field(out, "clientProvidedHostHeader", &call.host.replace("{}", self.region));
        out.push_str("}}");
    }

    /// A value that is JSON already; ids that must differ from record to record are put in.
    fn value(&self, out: &mut String, key: &str, json: Option<&str>) {
        let Some(json) = json else { return };
        let _ = write!(out, ",\"{key}\":");
        let mut id = self.id;
        for (i, part) in json.split(FRESH_ID).enumerate() {
            if i > 0 {
                id = stir(id ^ 1);
                out.push_str(&uuid(id));
            }
            out.push_str(part);
        }
    }
}

/// `,"key":"text"`, escaped.
pub(crate) fn push_field(out: &mut String, key: &str, text: &str) {
    let _ = write!(out, ",\"{key}\":");
    push_json_string(out, text);
}

/// A JSON string.
pub fn push_json_string(out: &mut String, text: &str) {
    out.push('"');
    if text.bytes().any(|b| b < 0x20 || b == b'"' || b == b'\\') {
        for c in text.chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                c if (c as u32) < 0x20 => {
                    let _ = write!(out, "\\u{:04x}", c as u32);
                }
                c => out.push(c),
            }
        }
    } else {
        out.push_str(text);
    }
    out.push('"');
}

/// `2026-03-02T08:00:22Z`.
pub fn iso(time: Seconds) -> String {
    jiff::Timestamp::from_second(time)
        .map(|t| t.to_string())
        .unwrap_or_default()
}

/// A version 4 UUID out of 128 bits.
pub fn uuid(bits: u128) -> String {
    let bits = (bits & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        (bits >> 96) as u32,
        (bits >> 80) as u16,
        (bits >> 64) as u16,
        (bits >> 48) as u16,
        bits & 0xffff_ffff_ffff
    )
}

/// Another 128 bits that look unlike these.
fn stir(bits: u128) -> u128 {
    let folded = (bits ^ (bits >> 71)).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    (folded ^ (folded >> 67))
        .wrapping_mul(0xbf58_476d_1ce4_e5b9_94d0_49bb_1331_11eb)
        .rotate_left(59)
}
