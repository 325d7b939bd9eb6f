//! A record out of its members: lenient, since a wrong type in a field that nobody needs must lose nothing.

use std::borrow::Cow;

use tripmeter_model::Record;

use crate::athena;
use crate::fields::Fields;
use crate::json::{skip_space, unescape, value_end};
use crate::output::Output;
use crate::skip::SkipReason;
use crate::time;
use crate::wrapping::Context;

/// 2012-01-01: CloudTrail began in 2013. A number that was taken for a time ends in 1970, and would make a new account
/// old.
const EARLIEST: i64 = 1_325_376_000;

/// Hands the record on, or says what it lacks.
pub(crate) fn read(
    fields: &Fields<'_>,
    context: &Context<'_>,
    position: u64,
    out: &mut Output<'_>,
) -> Result<(), SkipReason> {
    let event_source = text(fields.event_source).ok_or(SkipReason::NoName)?;
    let event_name = text(fields.event_name).ok_or(SkipReason::NoName)?;
    let event_time = text(fields.event_time)
        .and_then(|t| time::parse(&t))
        .filter(|t| t.seconds() >= EARLIEST)
        .ok_or(SkipReason::NoTime)?;
    if fields.too_deep {
        out.skip(position, SkipReason::DeepMember);
    }
    let user_identity = identity(fields.user_identity);
    let request_parameters = nested(fields.request_parameters);
    let response_elements = nested(fields.response_elements);
    let additional_event_data = nested(fields.additional_event_data);
    let service_event_details = nested(fields.service_event_details);
    let tls_details = nested(fields.tls_details);
    out.record(Record {
        event_id: text(fields.event_id),
        event_time,
        event_source,
        event_name,
        event_type: text(fields.event_type),
        region: text(fields.region).or_else(|| text(context.region)),
        recipient_account: account(fields.recipient_account).or_else(|| account(context.account)),
        source_ip: text(fields.source_ip),
        user_agent: text(fields.user_agent),
        error_code: text(fields.error_code),
        error_message: text(fields.error_message),
        request_id: text(fields.request_id),
        shared_event_id: text(fields.shared_event_id),
        vpc_endpoint: text(fields.vpc_endpoint),
        read_only: flag(fields.read_only),
        management_event: flag(fields.management_event),
        user_identity: user_identity.as_deref(),
        request_parameters: request_parameters.as_deref(),
        response_elements: response_elements.as_deref(),
        additional_event_data: additional_event_data.as_deref(),
        service_event_details: service_event_details.as_deref(),
        tls_details: tls_details.as_deref(),
    });
    Ok(())
}

/// A string, or a number or truth value as it is written. Empty is absent.
fn text(json: Option<&str>) -> Option<Cow<'_, str>> {
    let json = json?;
    match json.as_bytes().first()? {
        b'"' => {
            let text = unescape(json.strip_prefix('"')?.strip_suffix('"')?);
            (!text.is_empty()).then_some(text)
        }
        b'{' | b'[' | b'n' => None,
        _ => Some(Cow::Borrowed(json)),
    }
}

/// An account's id. Where a tool made a number of it, its leading zeros are gone.
fn account(json: Option<&str>) -> Option<Cow<'_, str>> {
    let text = text(json)?;
    let number = json.is_some_and(|json| json.bytes().all(|b| b.is_ascii_digit()));
    Some(if number { format!("{text:0>12}").into() } else { text })
}

fn flag(json: Option<&str>) -> Option<bool> {
    match &*text(json)? {
        "true" | "True" => Some(true),
        "false" | "False" => Some(false),
        _ => None,
    }
}

/// A nested value's JSON text; that of the object inside where it comes as a string, as older records and Athena
/// have it.
fn nested(json: Option<&str>) -> Option<Cow<'_, str>> {
    let json = json?;
    match json.as_bytes().first()? {
        b'n' => None,
        b'"' => match object_in(json) {
            Some(object) => Some(Cow::Owned(object)),
            None => Some(Cow::Borrowed(json)),
        },
        _ => Some(Cow::Borrowed(json)),
    }
}

/// As [`nested`]; Athena prints this one in a notation of its own.
fn identity(json: Option<&str>) -> Option<Cow<'_, str>> {
    let json = nested(json)?;
    let printed = json
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .and_then(|inner| athena::structure(&unescape(inner)));
    Some(printed.map_or(json, Cow::Owned))
}

fn object_in(json: &str) -> Option<String> {
    let text = unescape(json.strip_prefix('"')?.strip_suffix('"')?);
    let bytes = text.as_bytes();
    let start = skip_space(bytes, 0);
    let whole = bytes.get(start) == Some(&b'{') && skip_space(bytes, value_end(bytes, start).ok()?) == bytes.len();
    whole.then(|| text.into_owned())
}
