//! AWS End User Messaging: what became of each text, media and voice message, with its country and price.
//!
//! Source: "Monitoring with EventBridge" and "Example event data", AWS End User Messaging SMS User Guide. A message has
//! several states and one that is final; only that one counts.

use tripmeter_model::{Activity, Kind, Quantity, Service, Target};

use super::envelope::{Envelope, event_id};
use crate::dial_prefixes;
use crate::target::code_text;

pub(super) const ABOUT: [(&str, &str); 3] = [
    ("aws.sms-voice", "Text Message Delivery Status Updated"),
    ("aws.sms-voice", "Media Message Delivery Status Updated"),
    ("aws.sms-voice", "Voice Message Delivery Status Updated"),
];

/// Nothing for a state that is not final, and for a message that was never sent.
pub(super) fn read(envelope: &Envelope) -> Option<Activity> {
    let is_final = envelope.detail.get("isFinal").and_then(serde_json::Value::as_bool) != Some(false);
    let event_type = envelope.text("/eventType");
    // What a protect configuration blocks, or cannot be a message at all, costs nothing.
    let unsent = event_type.ends_with("PROTECT_BLOCKED")
        || event_type.ends_with("_INVALID")
        || envelope.text("/messageStatus") == "PROTECT_BLOCKED";
    if !is_final || unsent {
        return None;
    }
    let message = envelope.text("/messageId");
    let country = country(envelope);
    Some(Activity {
        event_id: Some(event_id(&[if message.is_empty() { &envelope.id } else { message }])),
        target: country.map(|code| Target::Country(code_text(code))),
        quantity: Quantity {
            micros: price(envelope),
            country,
            ..Quantity::ONE
        },
        ..envelope.activity(&envelope.detail_type, Kind::Use, Service::Sms, "")
    })
}

fn country(envelope: &Envelope) -> Option<[u8; 2]> {
    let told = <[u8; 2]>::try_from(envelope.text("/isoCountryCode").as_bytes()).ok();
    told.filter(|code| code.iter().all(u8::is_ascii_alphabetic))
        .map(|code| code.map(|b| b.to_ascii_uppercase()))
        .or_else(|| dial_prefixes::country(envelope.text("/destinationPhoneNumber")))
}

/// The price with the carrier's fee, in millionths of a dollar.
fn price(envelope: &Envelope) -> Option<u64> {
    let dollars = envelope.number("/totalMessagePrice")? + envelope.number("/totalCarrierFee").unwrap_or(0.0);
    (dollars >= 0.0).then(|| (dollars * 1_000_000.0).round() as u64)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::signals::read;
    use crate::signals::testing::event;

    fn status(changes: &[(&str, Value)]) -> Vec<Activity> {
        let mut detail = json!({"eventType": "TEXT_SUCCESSFUL", "eventVersion": "1.0", "eventTimestamp": 1_759_342_841_377_i64,
            "isFinal": true, "originationPhoneNumber": "VAJZNBLLDX", "isoCountryCode": "ES", "isInternationalSend": false,
            "mcc": "214", "mnc": "05", "messageId": "ed23196c-75ce-4727-93ee-7bf72b64998f", "messageStatus": "SUCCESSFUL",
            "destinationPhoneNumber": "+34600000000", "totalMessageParts": 1, "totalMessagePrice": 0.06087, "totalCarrierFee": 0.002});
        for (name, value) in changes {
            detail[*name] = value.clone();
        }
        read(&event(
            ("aws.sms-voice", "Text Message Delivery Status Updated"),
            detail,
        ))
    }

    #[test]
    fn a_message_is_use_with_its_price_and_country_and_without_its_number() {
        let sent = status(&[]).remove(0);

        assert_eq!((sent.kind, sent.service), (Kind::Use, Service::Sms));
        assert_eq!(
            (sent.quantity.units, sent.quantity.micros, sent.quantity.country),
            (1, Some(62_870), Some(*b"ES"))
        );
        assert_eq!(sent.event_id.as_deref(), Some("ed23196c-75ce-4727-93ee-7bf72b64998f"));
        assert!(!format!("{sent:?}").contains("34600000000"));
    }

    #[test]
    fn a_country_that_is_not_told_is_that_of_the_number() {
        let number = [
            ("isoCountryCode", Value::Null),
            ("destinationPhoneNumber", json!("+2250712345678")),
        ];
        assert_eq!(status(&number)[0].quantity.country, Some(*b"CI"));
    }

    #[test]
    fn states_on_the_way_and_messages_that_were_never_sent_do_not_count() {
        for change in [
            ("isFinal", json!(false)),
            ("eventType", json!("TEXT_PROTECT_BLOCKED")),
            ("eventType", json!("TEXT_INVALID")),
        ] {
            assert_eq!(status(std::slice::from_ref(&change)), [], "{change:?}");
        }
        assert_eq!(status(&[("eventType", json!("TEXT_CARRIER_BLOCKED"))]).len(), 1);
    }
}
