//! A CloudTrail record as it came: borrowed from the bytes it was read from, its nested values still JSON text.

use std::borrow::Cow;

use serde_json::Value;

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
        let Ok(value) = serde_json::from_str::<Value>(json) else {
            return Self::default();
        };
        // Athena and lookup tools write keys in lower case.
        let get = |object: &Value, key: &str| -> Option<Value> {
            object
                .get(key)
                .or_else(|| object.get(key.to_ascii_lowercase()))
                .cloned()
        };
        let text = |object: &Value, key: &str| -> Option<String> {
            match get(object, key)? {
                Value::String(s) if !s.is_empty() => Some(crate::bounded(&s, crate::MAX_TEXT * 4)),
                Value::Number(n) => Some(n.to_string()),
                _ => None,
            }
        };
        let session = get(&value, "sessionContext").unwrap_or(Value::Null);
        let attributes = get(&session, "attributes").unwrap_or(Value::Null);
        let mfa_authenticated = match get(&attributes, "mfaAuthenticated") {
            Some(Value::Bool(b)) => Some(b),
            Some(Value::String(s)) => s.parse().ok(),
            _ => None,
        };
        Self {
            kind: text(&value, "type"),
            principal_id: text(&value, "principalId"),
            arn: text(&value, "arn"),
            account_id: text(&value, "accountId"),
            access_key_id: text(&value, "accessKeyId"),
            user_name: text(&value, "userName"),
            invoked_by: text(&value, "invokedBy"),
            identity_provider: text(&value, "identityProvider"),
            credential_id: text(&value, "credentialId"),
            issuer_arn: get(&session, "sessionIssuer").and_then(|issuer| text(&issuer, "arn")),
            source_identity: text(&session, "sourceIdentity"),
            mfa_authenticated,
            on_behalf_of: get(&value, "onBehalfOf").and_then(|on| text(&on, "userId")),
        }
    }
}
