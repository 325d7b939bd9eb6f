//! Payloads to activities.

use std::borrow::Cow;

use serde::Deserialize;
use tripmeter_catalogue::{Classified, Scope, classify};
use tripmeter_model::Activity;
use tripmeter_records::{Item, Limits, Reader, Skip};

/// What a payload held.
#[derive(Debug, Default)]
pub struct Intake {
    /// What the catalogue knows of it.
    pub activities: Vec<Activity>,
    /// Records that were read, those that nobody watches too.
    pub records: u64,
    /// Records of a watched service whose call the catalogue does not have.
    pub unknown: u64,
    /// What was no record.
    pub skipped: Vec<Skip>,
}

impl Intake {
    /// Whether there was something, and none of it could be read.
    pub fn is_unreadable(&self) -> bool {
        self.records == 0
    }
}

/// What EventBridge says of an event, and the event itself does not.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    account: Option<Cow<'a, str>>,
}

/// Reads a payload: an EventBridge event, or whatever else records come in. The account is the envelope's, which
/// AWS sets, and not what the record says of itself.
pub fn read(payload: &str, scope: &Scope) -> Intake {
    let envelope: Option<Envelope<'_>> = serde_json::from_str(payload).ok();
    let account = envelope.and_then(|envelope| envelope.account);
    let account = account.filter(|account| account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()));
    let mut intake = Intake::default();
    let mut activities = Vec::new();
    let tally = Reader::new(Limits::default()).read_bytes(payload.as_bytes(), &mut |item| match item {
        Item::Record(record) => match classify(&record, scope) {
            Classified::Activity(mut activity) => {
                if let Some(account) = &account {
                    activity.account = account.clone().into_owned();
                }
                activities.push(*activity);
            }
            Classified::Unknown(_) => intake.unknown += 1,
            Classified::Unwatched => {}
        },
        Item::Skipped(skip) => intake.skipped.push(skip),
    });
    Intake {
        activities,
        records: tally.records,
        ..intake
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"version":"0","id":"6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "detail-type":"AWS API Call via CloudTrail","source":"aws.ses","account":"111122223333",
        "time":"2026-03-03T10:15:00Z","region":"eu-west-1","resources":[],
        "detail":{"eventVersion":"1.08","eventTime":"2026-03-03T10:15:00Z","eventSource":"ses.amazonaws.com",
        "eventName":"GetSendQuota","awsRegion":"eu-west-1","recipientAccountId":"444455556666",
        "userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/app"}}}"#;

    #[test]
    fn the_account_is_the_envelopes() {
        let intake = read(EVENT, &Scope::default());
        assert_eq!(intake.activities.len(), 1);
        assert_eq!(intake.activities[0].account, "111122223333");
    }

    #[test]
    fn what_holds_no_record_is_unreadable_and_says_why() {
        let intake = read(
            r#"{"detail-type":"Scheduled Event","source":"aws.events","detail":{}}"#,
            &Scope::default(),
        );
        assert!(intake.is_unreadable());
        assert_eq!(intake.skipped.len(), 1);
    }
}
