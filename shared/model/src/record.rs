//! A CloudTrail record as it came: borrowed from the bytes it was read from, its nested values still JSON text.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::Timestamp;

/// A CloudTrail record (API call, sign-in or service event).
///
/// What is nested stays JSON text until somebody asks for it: most records are of services that nobody watches.
/// A field that is absent, `null` or of a wrong type is `None` or empty; a record is never refused for it.
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>
#[derive(Clone, Debug, Default)]
pub struct Record<'a> {
    /// `eventID`; absent in versions before 1.01. Records without one are never duplicates of each other.
    pub event_id: Option<Cow<'a, str>>,
    /// `eventTime`.
    pub event_time: Timestamp,
    /// `eventSource`, such as `ses.amazonaws.com`.
    pub event_source: Cow<'a, str>,
    /// `eventName`, such as `SendEmail`.
    pub event_name: Cow<'a, str>,
    /// `eventType`, such as `AwsApiCall` or `AwsServiceEvent`.
    pub event_type: Option<Cow<'a, str>>,
    /// `awsRegion`: where the call was made.
    pub region: Option<Cow<'a, str>>,
    /// `recipientAccountId`, or the envelope's account.
    pub recipient_account: Option<Cow<'a, str>>,
    /// `sourceIPAddress`: an address, a service's DNS name, `AWS Internal`, or hidden.
    pub source_ip: Option<Cow<'a, str>>,
    /// `userAgent`.
    pub user_agent: Option<Cow<'a, str>>,
    /// `errorCode`; absent when the call succeeded.
    pub error_code: Option<Cow<'a, str>>,
    /// `errorMessage`.
    pub error_message: Option<Cow<'a, str>>,
    /// `requestID`.
    pub request_id: Option<Cow<'a, str>>,
    /// `sharedEventID`: the same action, recorded in two accounts.
    pub shared_event_id: Option<Cow<'a, str>>,
    /// `vpcEndpointId`.
    pub vpc_endpoint: Option<Cow<'a, str>>,
    /// `readOnly`.
    pub read_only: Option<bool>,
    /// `managementEvent`.
    pub management_event: Option<bool>,
    /// `userIdentity`, as JSON text.
    pub user_identity: Option<&'a str>,
    /// `requestParameters`, as JSON text.
    pub request_parameters: Option<&'a str>,
    /// `responseElements`, as JSON text.
    pub response_elements: Option<&'a str>,
    /// `additionalEventData`, as JSON text.
    pub additional_event_data: Option<&'a str>,
    /// `serviceEventDetails`, as JSON text.
    pub service_event_details: Option<&'a str>,
    /// `tlsDetails`, as JSON text.
    pub tls_details: Option<&'a str>,
}

/// What `userIdentity` says, with nothing believed yet.
///
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html>
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserIdentity {
    /// `type`, such as `AssumedRole`.
    pub kind: Option<String>,
    /// `principalId`.
    pub principal_id: Option<String>,
    /// `arn`.
    pub arn: Option<String>,
    /// `accountId`.
    pub account_id: Option<String>,
    /// `accessKeyId`.
    pub access_key_id: Option<String>,
    /// `userName`.
    pub user_name: Option<String>,
    /// `invokedBy`: the AWS service that made the call for the identity.
    pub invoked_by: Option<String>,
    /// `identityProvider`.
    pub identity_provider: Option<String>,
    /// `credentialId`.
    pub credential_id: Option<String>,
    /// `sessionContext.sessionIssuer.arn`.
    pub issuer_arn: Option<String>,
    /// `sessionContext.sourceIdentity`.
    pub source_identity: Option<String>,
    /// `sessionContext.attributes.mfaAuthenticated`.
    pub mfa_authenticated: Option<bool>,
    /// `onBehalfOf.userId`: the IAM Identity Center user.
    pub on_behalf_of: Option<String>,
}

impl UserIdentity {
    /// Out of the JSON of `userIdentity`. What is no object, or no JSON, is an identity that says nothing.
    pub fn parse(json: &str) -> Self {
        let user = Members::of(json);
        let session = user.members("sessionContext");
        Self {
            kind: user.text("type"),
            principal_id: user.text("principalId"),
            arn: user.text("arn"),
            account_id: user.text("accountId"),
            access_key_id: user.text("accessKeyId"),
            user_name: user.text("userName"),
            invoked_by: user.text("invokedBy"),
            identity_provider: user.text("identityProvider"),
            credential_id: user.text("credentialId"),
            issuer_arn: session.members("sessionIssuer").text("arn"),
            source_identity: session.text("sourceIdentity"),
            mfa_authenticated: session
                .members("attributes")
                .get("mfaAuthenticated")
                .and_then(|flag| flag.trim_matches('"').parse().ok()),
            on_behalf_of: user.members("onBehalfOf").text("userId"),
        }
    }
}

/// The members of a JSON object, their values still JSON text: most of them are looked at once or never, and this
/// is done for every record of a watched service.
#[derive(Default)]
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Members<'a> {
    /// Nothing, when the text is no object.
    fn of(json: &'a str) -> Self {
        serde_json::from_str(json).unwrap_or_default()
    }

    /// A value; the last one where a key is repeated. Athena and lookup tools write keys in lower case.
    fn get(&self, key: &str) -> Option<&'a str> {
        let mut latest_first = self.0.iter().rev();
        latest_first
            .clone()
            .find(|(name, _)| name == key)
            .or_else(|| latest_first.find(|(name, _)| name.eq_ignore_ascii_case(key)))
            .map(|(_, value)| value.get())
    }

    fn members(&self, key: &str) -> Self {
        self.get(key).map(Self::of).unwrap_or_default()
    }

    /// Text, or a number as text; never empty.
    fn text(&self, key: &str) -> Option<String> {
        let json = self.get(key)?;
        let keep = |text: &str| (!text.is_empty()).then(|| crate::bounded(text, crate::MAX_TEXT * 4));
        match json.as_bytes().first()? {
            b'"' if json.contains('\\') => keep(&serde_json::from_str::<String>(json).ok()?),
            b'"' => keep(json.trim_matches('"')),
            b'-' | b'0'..=b'9' => Some(crate::bounded(json, crate::MAX_TEXT)),
            _ => None,
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::with_capacity(8);
                while let Some((Key(key), value)) = map.next_entry()? {
                    members.push((key, value));
                }
                Ok(Members(members))
            }
        }

        #[derive(serde::Deserialize)]
        struct Key<'k>(#[serde(borrow)] Cow<'k, str>);

        deserializer.deserialize_map(Collect)
    }
}
