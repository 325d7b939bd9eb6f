//! AWS End User Messaging SMS and voice, v2. Sending is a data event, with the number in clear.

use crate::record::{Call, FRESH_ID, HIDDEN};

const SOURCE: &str = "sms-voice.amazonaws.com";
const HOST: &str = "sms-voice.{}.amazonaws.com";

/// Which kind of message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// An SMS.
    Text,
    /// An MMS.
    Media,
    /// A call that reads a text out.
    Voice,
}

impl Message {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Text, Self::Media, Self::Voice];
}

/// Sends one message from an origination number to `number`.
pub fn send(message: Message, account: &str, region: &str, origination: &str, number: &str) -> Call {
    let (name, body) = match message {
        Message::Text => (
            "SendTextMessage",
            format!(r#""messageBody":"{HIDDEN}","messageType":"TRANSACTIONAL""#),
        ),
        Message::Media => (
            "SendMediaMessage",
            format!(r#""messageBody":"{HIDDEN}","mediaUrls":["{HIDDEN}"]"#),
        ),
        Message::Voice => (
            "SendVoiceMessage",
            format!(r#""messageBody":"{HIDDEN}","messageBodyTextType":"TEXT""#),
        ),
    };
    let arn = format!("arn:aws:sms-voice:{region}:{account}:phone-number/{origination}");
    Call::data(SOURCE, name, HOST, false)
        .with(format!(
            r#"{{"destinationPhoneNumber":"{number}","originationIdentity":"{origination}",{body}}}"#
        ))
        .answered(format!(r#"{{"messageId":"{FRESH_ID}"}}"#))
        .on(account, "AWS::SMSVoice::OriginationIdentity", &arn)
}

/// A read: `DescribeSpendLimits`, `DescribePhoneNumbers` and their kin.
pub fn read(name: &'static str) -> Call {
    Call::management(SOURCE, name, HOST, true)
}

/// Raises what may be spent in a month on this kind of message, in dollars.
pub fn raise_spend_limit(message: Message, dollars: i64) -> Call {
    let name = match message {
        Message::Text => "SetTextMessageSpendLimitOverride",
        Message::Media => "SetMediaMessageSpendLimitOverride",
        Message::Voice => "SetVoiceMessageSpendLimitOverride",
    };
    Call::management(SOURCE, name, HOST, false)
        .with(format!(r#"{{"monthlyLimit":{dollars}}}"#))
        .answered(format!(r#"{{"monthlyLimit":{dollars}}}"#))
}

/// Requests a number to send from.
pub fn request_phone_number(message: Message) -> Call {
    let capability = match message {
        Message::Text => "SMS",
        Message::Media => "MMS",
        Message::Voice => "VOICE",
    };
    Call::management(SOURCE, "RequestPhoneNumber", HOST, false).with(format!(
        r#"{{"isoCountryCode":"US","messageType":"PROMOTIONAL","numberCapabilities":["{capability}"],"numberType":"TOLL_FREE"}}"#
    ))
}
