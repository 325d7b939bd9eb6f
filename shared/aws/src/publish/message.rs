//! What SNS is given: subject, body, attributes, within the size that it takes.

use serde_json::{Value, json};
use tripmeter_findings::{chat, ocsf_with, sms, sms_line, subject, subject_line, text_with};
use tripmeter_model::{Finding, Status, bounded, printable};

use super::trim::{KEEPS, Trimmed, pointer, trimmed};
use super::{Delivery, Places};

/// The most bytes of a message with all of its bodies and attributes, unless a topic allows more.
/// <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>
const MAX_MESSAGE_BYTES: usize = 262_144;

/// The longest text of a digest in bytes: escaped, it is at most twice as long.
const MAX_DIGEST_BYTES: usize = 120_000;
/// The longest value of an attribute, in bytes.
const MAX_ATTRIBUTE_BYTES: usize = 256;
/// The data type of every attribute; its name counts.
const STRING: &str = "String";

/// The text of a message.
pub(super) enum Body {
    /// One text for everybody.
    Same(String),
    /// A JSON object with a text for each protocol, and `default` for those that it does not name.
    ByProtocol(String),
}

/// A message as SNS is given it.
pub(super) struct Message {
    /// The subject of a mail.
    pub(super) subject: String,
    /// The text.
    pub(super) body: Body,
    /// Attributes for filter policies and for consumers that drop duplicates; at most ten, which is what a queue
    /// with raw delivery takes. None is empty.
    pub(super) attributes: Vec<(&'static str, String)>,
}

impl Message {
    /// A finding for the findings topic: text for mail, one segment for text messages, OCSF for everything else
    /// (queues, functions, HTTPS, Firehose).
    pub(super) fn finding(finding: &Finding, places: &Places) -> (Self, Delivery) {
        let whole = Self::of(finding, None, places);
        if whole.bytes() <= MAX_MESSAGE_BYTES {
            return (whole, Delivery::Whole);
        }
        let message = KEEPS.iter().find_map(|&keep| {
            let trimmed = trimmed(finding, keep, places);
            let message = Self::of(&trimmed.finding, Some(&trimmed), places);
            (message.bytes() <= MAX_MESSAGE_BYTES).then_some(message)
        });
        // Without its evidence a finding fits: what is left is bounded.
        (
            message.unwrap_or_else(|| Self::announcement(finding, places)),
            Delivery::Trimmed,
        )
    }

    fn of(finding: &Finding, trimmed: Option<&Trimmed>, places: &Places) -> Self {
        let mut mail = text_with(finding, &places.runbooks);
        let mut event = ocsf_with(finding, &places.runbooks);
        if let Some(trimmed) = trimmed {
            mail.push_str(&trimmed.note());
            note(&mut event, trimmed);
        }
        let bodies = json!({ "default": event.to_string(), "email": mail, "sms": sms(finding) });
        Self {
            subject: subject(finding),
            body: Body::ByProtocol(bodies.to_string()),
            attributes: attributes(finding),
        }
    }

    /// The least that says what a finding is about and where the whole is: ASCII, and small whatever the finding.
    pub(super) fn announcement(finding: &Finding, places: &Places) -> Self {
        let event = json!({
            "uid": ascii(&finding.uid),
            "revision": finding.revision,
            "type": finding.finding_type.to_string(),
            "severity": finding.severity.name(),
            "account": ascii(&finding.account),
            "region": ascii(&finding.region),
            "whole": ascii(&pointer(finding, places)),
        });
        Self {
            subject: subject_line(&format!(
                "{}: Tripmeter finding {}",
                finding.severity,
                ascii(&finding.uid)
            )),
            body: Body::Same(event.to_string()),
            attributes: vec![
                ("uid", attribute(&ascii(&finding.uid))),
                ("revision", finding.revision.to_string()),
                ("severity", finding.severity.name().to_owned()),
                ("type", finding.finding_type.to_string()),
            ],
        }
    }

    /// A finding for the chat topic: the schema that chat shows, and nothing beside it.
    pub(super) fn chat(finding: &Finding, places: &Places) -> Self {
        Self {
            subject: subject(finding),
            body: Body::Same(chat(finding, &places.runbooks).to_string()),
            attributes: attributes(finding),
        }
    }

    /// A digest: text for everybody, its subject alone for text messages.
    pub(super) fn digest(subject: &str, text: &str) -> Self {
        let shown: String = text
            .chars()
            .map(|c| if c == '\n' || printable(c) { c } else { '?' })
            .collect();
        let mut end = shown.len().min(MAX_DIGEST_BYTES);
        while !shown.is_char_boundary(end) {
            end -= 1;
        }
        let (mut mail, cut) = shown
            .split_at_checked(end)
            .map_or((shown.clone(), ""), |(mail, cut)| (mail.to_owned(), cut));
        if !cut.is_empty() {
            mail.push_str("\n(Cut to fit one message; the state table has the whole, under DIGEST.)\n");
        }
        let bodies = json!({ "default": mail, "sms": sms_line(subject) });
        Self {
            subject: subject_line(subject),
            body: Body::ByProtocol(bodies.to_string()),
            attributes: vec![("type", "Digest".to_owned()), ("severity", "Informational".to_owned())],
        }
    }

    /// The same text for everybody.
    pub(super) fn plain(subject: &str, text: &str) -> Self {
        Self {
            subject: subject.to_owned(),
            body: Body::Same(text.to_owned()),
            attributes: Vec::new(),
        }
    }

    /// What counts against [`MAX_MESSAGE_BYTES`]; the subject, of which SNS does not say, is counted too.
    fn bytes(&self) -> usize {
        let (Body::Same(text) | Body::ByProtocol(text)) = &self.body;
        let attributes = self
            .attributes
            .iter()
            .map(|(name, value)| name.len() + STRING.len() + value.len());
        text.len() + self.subject.len() + attributes.sum::<usize>()
    }
}

/// Says in the event what was cut of it.
fn note(event: &mut Value, trimmed: &Trimmed) {
    if let Some(rest) = event.get_mut("unmapped").and_then(Value::as_object_mut) {
        rest.insert("trimmed".into(), json!({ "cut": trimmed.cut, "whole": trimmed.whole }));
    }
}

fn attributes(finding: &Finding) -> Vec<(&'static str, String)> {
    let kind = finding.finding_type;
    let status = match finding.status {
        Status::Open => "open",
        Status::Closed => "closed",
    };
    vec![
        ("uid", attribute(&finding.uid)),
        ("revision", finding.revision.to_string()),
        ("severity", finding.severity.name().to_owned()),
        ("type", kind.to_string()),
        ("service", kind.service.name().to_owned()),
        ("account", attribute(&finding.account)),
        ("region", attribute(&finding.region)),
        ("status", status.to_owned()),
    ]
}

/// A value that SNS takes: it refuses a message with an empty one.
fn attribute(value: &str) -> String {
    let value = bounded(value, MAX_ATTRIBUTE_BYTES);
    if value.is_empty() { "none".to_owned() } else { value }
}

fn ascii(text: &str) -> String {
    let plain = text.chars().map(|c| if matches!(c, ' '..='~') { c } else { '?' });
    plain.take(MAX_ATTRIBUTE_BYTES).collect()
}
