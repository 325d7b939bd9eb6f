//! What an object is: a record, something that a record comes wrapped in, or something that only looks like one.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::fields::Fields;
use crate::inflate;
use crate::json::unescape;
use crate::output::Output;
use crate::record;
use crate::skip::SkipReason;
use crate::walk::Walker;

/// Base64 as tools write it, with its padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What is around the text that is being read.
#[derive(Clone, Copy, Default)]
pub(crate) struct Context<'c> {
    /// The account that an EventBridge envelope names, as JSON text.
    pub(crate) account: Option<&'c str>,
    /// The region that an EventBridge envelope names, as JSON text.
    pub(crate) region: Option<&'c str>,
    /// Where the outermost wrapping begins; absent outside of any.
    position: Option<u64>,
    wrappings: u8,
    enveloped: bool,
    inflated: bool,
}

impl<'c> Context<'c> {
    /// One wrapping further in.
    pub(crate) fn within(self, position: u64) -> Self {
        Self {
            position: Some(position),
            wrappings: self.wrappings.saturating_add(1),
            enveloped: false,
            ..self
        }
    }

    fn enveloped_by(self, fields: &Fields<'c>) -> Self {
        Self {
            account: fields.account.or(self.account),
            region: fields.envelope_region.or(self.region),
            enveloped: true,
            ..self
        }
    }

    /// Where something at `position` of the text that is being read begins in the input.
    pub(crate) fn position(&self, position: u64) -> u64 {
        self.position.unwrap_or(position)
    }
}

/// Judges one object.
pub(crate) fn object(fields: &Fields<'_>, context: &Context<'_>, position: u64, out: &mut Output<'_>) {
    if is_call(fields) {
        if let Err(reason) = record::read(fields, context, position, out) {
            out.skip(position, reason);
        }
    } else if let Some(reason) = look_alike(fields) {
        out.skip(position, reason);
    } else if let Some(detail) = fields.detail {
        wrapped(detail, &context.within(position).enveloped_by(fields), position, out);
    } else if let Some(inner) = wrapped_in(fields) {
        wrapped(inner, &context.within(position), position, out);
    } else if fields.records == Some("null") {
        // A file of nothing.
    } else if let Some(records) = fields.records {
        wrapped(records, &context.within(position), position, out);
    } else if context.enveloped {
        out.skip(position, SkipReason::OtherEvent);
    } else {
        out.skip(position, SkipReason::NoName);
    }
}

/// Whether an object claims to be a record. Lambda's event sources are called `aws:sqs` and the like.
fn is_call(fields: &Fields<'_>) -> bool {
    fields.event_name.is_some() && fields.event_source.is_some_and(|source| !source.starts_with("\"aws:"))
}

fn look_alike(fields: &Fields<'_>) -> Option<SkipReason> {
    if fields.digest_start.is_some() {
        Some(SkipReason::Digest)
    } else if fields.s3.is_some() {
        Some(SkipReason::S3Notification)
    } else if fields.event == Some("\"s3:TestEvent\"") {
        Some(SkipReason::S3TestEvent)
    } else if fields.s3_object_key.is_some() {
        Some(SkipReason::TrailNotification)
    } else if fields.insight_details.is_some() {
        Some(SkipReason::Insight)
    } else if matches!(
        fields.sns_type,
        Some("\"SubscriptionConfirmation\"" | "\"UnsubscribeConfirmation\"")
    ) {
        Some(SkipReason::SubscriptionNotice)
    } else {
        None
    }
}

/// The member that records come wrapped in.
fn wrapped_in<'a>(fields: &Fields<'a>) -> Option<&'a str> {
    let members = [
        fields.cloud_trail_event,
        fields.body,
        fields.sns,
        fields.sns_message,
        fields.kinesis,
        fields.awslogs,
        fields.data,
        fields.message,
    ];
    members.into_iter().flatten().next()
}

/// Reads what a member holds: JSON, or a string that holds it.
fn wrapped(json: &str, context: &Context<'_>, position: u64, out: &mut Output<'_>) {
    match json.as_bytes().first() {
        Some(b'{' | b'[') => nested(json, context, position, out),
        Some(b'"') => string(json, context, position, out),
        _ => out.skip(position, SkipReason::NotAnObject),
    }
}

/// Reads what a JSON string, with its quotes, holds: JSON once more, base64 of JSON or of gzip, or words.
pub(crate) fn string(json: &str, context: &Context<'_>, position: u64, out: &mut Output<'_>) {
    let inner = json
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(json);
    let text = unescape(inner);
    let text = text.trim_ascii_start();
    if text.starts_with(['{', '[', '"']) {
        nested(text, context, position, out);
    } else if let Some(reason) = notice(text) {
        out.skip(position, reason);
    } else if let Ok(bytes) = BASE64.decode(text.trim_ascii_end())
        && let Some(text) = decoded(bytes, context, out)
    {
        let context = Context {
            inflated: true,
            ..*context
        };
        nested(text.trim_ascii_start(), &context, position, out);
    } else {
        out.skip(position, SkipReason::NotAnObject);
    }
}

/// Messages that are words, not JSON.
pub(crate) fn notice(text: &str) -> Option<SkipReason> {
    if text.starts_with("CloudTrail validation message") {
        Some(SkipReason::ValidationMessage)
    } else if text.starts_with("CWL CONTROL MESSAGE") {
        Some(SkipReason::ControlMessage)
    } else {
        None
    }
}

/// The JSON text that base64 stood for. Only one of the wrappings may be compressed: each could grow a thousandfold.
fn decoded(bytes: Vec<u8>, context: &Context<'_>, out: &Output<'_>) -> Option<String> {
    let bytes = if inflate::is_gzip(&bytes) {
        if context.inflated {
            return None;
        }
        inflate::bounded(&bytes, out.limits.record_bytes)?
    } else {
        bytes
    };
    let text = String::from_utf8(bytes).ok()?;
    text.trim_ascii_start().starts_with(['{', '[']).then_some(text)
}

fn nested(text: &str, context: &Context<'_>, position: u64, out: &mut Output<'_>) {
    if context.wrappings > out.limits.wrappings {
        out.skip(position, SkipReason::TooDeep);
    } else {
        Walker::new(*context).whole(text, out);
    }
}
