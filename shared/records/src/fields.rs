//! The members of one object that somebody may need: CloudTrail's, and those of what records come wrapped in.

use std::borrow::Cow;

use crate::json::{self, Extent, Fault, skip_space};

/// What an object turns out to be while its members are read.
pub(crate) enum Object<'a> {
    /// Something around a list of records, which may be as long as the input and is not read here: the member that
    /// holds it, and where that member's value begins.
    Container { name: Cow<'a, str>, value: usize },
    /// Anything else, all of which was read, and where it ends.
    Whole { end: usize },
}

/// Reads the members of the object whose brace stands at `start` into `fields`.
pub(crate) fn read<'a>(text: &'a str, start: usize, fields: &mut Fields<'a>) -> Result<Object<'a>, Fault> {
    let bytes = text.as_bytes();
    let mut at = skip_space(bytes, start + 1);
    if bytes.get(at) == Some(&b'}') {
        return Ok(Object::Whole { end: at + 1 });
    }
    loop {
        let (name, value) = json::name(text, at)?;
        match bytes.get(value) {
            Some(b'[') if holds_records(&name) => return Ok(Object::Container { name, value }),
            Some(b'{') if name == RESULT_SET => return Ok(Object::Container { name, value }),
            _ => {}
        }
        let Extent { end, too_deep } = json::extent(bytes, value)?;
        let json = text.get(value..end).unwrap_or_default();
        fields.too_deep |= too_deep;
        if holds_records(&name) {
            fields.records = Some(json);
        } else {
            fields.set(&name, json);
        }
        at = skip_space(bytes, end);
        match bytes.get(at) {
            Some(b',') => at = skip_space(bytes, at + 1),
            Some(b'}') => return Ok(Object::Whole { end: at + 1 }),
            Some(_) => return Err(Fault::Malformed(at)),
            None => return Err(Fault::Incomplete),
        }
    }
}

/// What `Rows` is a member of in the output of Athena's `get-query-results`.
pub(crate) const RESULT_SET: &str = "ResultSet";
/// The rows of Athena's results.
pub(crate) const ROWS: &str = "Rows";

/// Members whose array holds records or what wraps them: of log files and Lambda events, of `lookup-events`, of a
/// queue's and of log groups' dumps, of a subscription's payload, of Firehose, of Athena's results.
pub(crate) fn holds_records(name: &str) -> bool {
    matches!(
        name,
        "Records" | "records" | "Events" | "events" | "Messages" | "logEvents" | ROWS
    )
}

macro_rules! fields {
    ($($(#[$doc:meta])* $field:ident = $name:literal $(or $other:literal)?;)*) => {
        /// The JSON text of each member; of repeated ones the last.
        #[derive(Default)]
        pub(crate) struct Fields<'a> {
            $($(#[$doc])* pub(crate) $field: Option<&'a str>,)*
            /// Where a list of records should be: `null`, or a string that may hold one.
            pub(crate) records: Option<&'a str>,
            /// Some member is nested too deep for anybody to read it.
            pub(crate) too_deep: bool,
        }

        impl<'a> Fields<'a> {
            /// The documented name wins over the other one, wherever they stand.
            fn set(&mut self, name: &str, value: &'a str) {
                match name {
                    $($name => self.$field = Some(value),)*
                    $($($other => self.$field = self.$field.or(Some(value)),)?)*
                    _ => {}
                }
            }
        }
    };
}

fields! {
    // CloudTrail's; Athena knows them in lower case only.
    user_identity = "userIdentity" or "useridentity";
    event_time = "eventTime" or "eventtime";
    event_source = "eventSource" or "eventsource";
    event_name = "eventName" or "eventname";
    region = "awsRegion" or "awsregion";
    source_ip = "sourceIPAddress" or "sourceipaddress";
    user_agent = "userAgent" or "useragent";
    error_code = "errorCode" or "errorcode";
    error_message = "errorMessage" or "errormessage";
    request_parameters = "requestParameters" or "requestparameters";
    response_elements = "responseElements" or "responseelements";
    additional_event_data = "additionalEventData" or "additionaleventdata";
    request_id = "requestID" or "requestid";
    event_id = "eventID" or "eventid";
    read_only = "readOnly" or "readonly";
    event_type = "eventType" or "eventtype";
    management_event = "managementEvent" or "managementevent";
    recipient_account = "recipientAccountId" or "recipientaccountid";
    shared_event_id = "sharedEventID" or "sharedeventid";
    vpc_endpoint = "vpcEndpointId" or "vpcendpointid";
    service_event_details = "serviceEventDetails" or "serviceeventdetails";
    tls_details = "tlsDetails" or "tlsdetails";

    /// EventBridge: what happened.
    detail = "detail";
    /// EventBridge: the kind of event.
    detail_type = "detail-type";
    /// EventBridge: the account.
    account = "account";
    /// EventBridge: the region.
    envelope_region = "region";
    /// SQS: the message.
    body = "body" or "Body";
    /// SNS in a Lambda event: what `Message` is a member of.
    sns = "Sns";
    /// SNS: the message.
    sns_message = "Message";
    /// SNS: `Notification`, or a subscription's coming and going.
    sns_type = "Type";
    /// `lookup-events`: the record.
    cloud_trail_event = "CloudTrailEvent";
    /// A log event's text.
    message = "message" or "@message";
    /// Firehose, Kinesis and subscriptions: base64. Athena: a row's cells.
    data = "data" or "Data";
    /// Kinesis in a Lambda event: what `data` is a member of.
    kinesis = "kinesis";
    /// A subscription in a Lambda event: what `data` is a member of.
    awslogs = "awslogs";

    /// S3 notifications.
    s3 = "s3";
    /// S3's test event: its name.
    event = "Event";
    /// CloudTrail's delivery notice: which files.
    s3_object_key = "s3ObjectKey";
    /// A digest: since when.
    digest_start = "digestStartTime";
    /// An Insights event.
    insight_details = "insightDetails";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Fields<'_> {
        let mut fields = Fields::default();
        assert!(matches!(read(text, 0, &mut fields), Ok(Object::Whole { end }) if end == text.len()));
        fields
    }

    #[test]
    fn of_repeated_members_the_last_counts_and_the_documented_name_first() {
        let read =
            fields(r#"{"eventName":"A","eventName":"B","eventid":"c","eventID":"d","eventid":"e","\u0061ccount":1}"#);

        assert_eq!(read.event_name, Some("\"B\""));
        assert_eq!(read.event_id, Some("\"d\""));
        assert_eq!(read.account, Some("1"));
    }

    #[test]
    fn a_list_of_records_is_found_behind_other_members() {
        let text = r#"{"owner":"x","Records": [{}]}"#;

        let read = |text| read(text, 0, &mut Fields::default());
        assert!(matches!(read(text), Ok(Object::Container { value, .. }) if text.get(value..) == Some("[{}]}")));
        assert!(matches!(read(r#"{"Records":null}"#), Ok(Object::Whole { .. })));
    }
}
