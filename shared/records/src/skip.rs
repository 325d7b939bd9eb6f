//! What is not a record, and why.

use std::io;

/// Something seen that is no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Skip {
    /// Why it was skipped.
    pub reason: SkipReason,
    /// Where it begins: bytes from the beginning of the text, after decompression and as UTF-8. What was wrapped is
    /// where its wrapping begins.
    pub position: u64,
}

/// Why something was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, thiserror::Error)]
pub enum SkipReason {
    /// A digest of log-file validation, which lies under the same prefix as the logs.
    #[error("a CloudTrail digest, which holds no records")]
    Digest,
    /// An S3 event notification: it has an event's name and time, and is no API call.
    #[error("an S3 notification, no CloudTrail record")]
    S3Notification,
    /// `s3:TestEvent`, which S3 sends when a notification is configured.
    #[error("an S3 test event")]
    S3TestEvent,
    /// CloudTrail's notice that it delivered a file.
    #[error("CloudTrail's notice that it delivered a log file")]
    TrailNotification,
    /// "CloudTrail validation message.", sent when a trail's topic is configured.
    #[error("CloudTrail's validation message")]
    ValidationMessage,
    /// A control message of a CloudWatch Logs subscription.
    #[error("a control message of CloudWatch Logs")]
    ControlMessage,
    /// SNS asks for, or reports, a subscription.
    #[error("an SNS subscription notice")]
    SubscriptionNotice,
    /// A CloudTrail Insights event: about calls, none itself.
    #[error("a CloudTrail Insights event, which is no call")]
    Insight,
    /// An EventBridge event that wraps something else than a CloudTrail record.
    #[error("an EventBridge event that holds no CloudTrail record")]
    OtherEvent,
    /// Zeros behind the last gzip member: padding.
    #[error("zeros behind the gzip data")]
    ZeroPadding,
    /// `null`, a number, a word or a list where a record should be.
    #[error("no object where a record should be")]
    NotAnObject,
    /// An object without `eventSource` or `eventName`.
    #[error("no CloudTrail record: eventSource or eventName is missing")]
    NoName,
    /// A record whose `eventTime` is missing or is no time.
    #[error("a record without a readable eventTime")]
    NoTime,
    /// Broken JSON.
    #[error("broken JSON")]
    Malformed,
    /// The text ends before the JSON does.
    #[error("the text ends in the middle of the JSON")]
    Truncated,
    /// Wrapped, or lists within lists, more often than [`Limits`](crate::Limits) allows.
    #[error("wrapped or nested too deep")]
    TooDeep,
    /// A member of a record that has more levels than are read (127). The record itself is handed on: only what is in
    /// that member is not known of it.
    #[error("a member nested too deep: the record is judged without it")]
    DeepMember,
    /// Longer than [`Limits`](crate::Limits) allows.
    #[error("too large for one record")]
    TooLarge,
    /// A file of another format, by its first bytes.
    #[error("{0}, no CloudTrail log")]
    OtherFormat(&'static str),
    /// Neither text nor gzip.
    #[error("neither JSON text nor gzip")]
    UnknownEncoding,
    /// The gzip data ends too early, as after a broken download.
    #[error("the gzip data is cut off")]
    TruncatedGzip,
    /// The gzip data is damaged.
    #[error("the gzip data is damaged")]
    DamagedGzip,
    /// Bytes behind the gzip data that are no gzip.
    #[error("bytes behind the gzip data")]
    TrailingBytes,
    /// The input could not be read on.
    #[error("reading failed: {0}")]
    ReadFailed(io::ErrorKind),
}

/// The format of a text that is no JSON, by its first `most` bytes. Bytes that are no characters are replaced by now.
pub(crate) fn other_format(text: &str, most: usize) -> Option<&'static str> {
    const BEGINNINGS: &[(&str, &str)] = &[
        ("PK\u{3}\u{4}", "a zip archive"),
        ("(\u{fffd}/\u{fffd}", "zstd-compressed data"),
        ("BZh", "bzip2-compressed data"),
        ("\u{fffd}7zXZ", "xz-compressed data"),
        ("PAR1", "a Parquet file"),
        ("Obj\u{1}", "an Avro file"),
        ("ORC", "an ORC file"),
        ("%PDF", "a PDF"),
        ("<?xml", "XML"),
        ("<!DOCTYPE html", "an HTML page"),
        ("<!doctype html", "an HTML page"),
        ("<html", "an HTML page"),
    ];
    let (head, _) = text.split_at(text.floor_char_boundary(most));
    let text = head.trim_start();
    let known = BEGINNINGS.iter().find(|(beginning, _)| text.starts_with(beginning));
    let line = text.lines().next().unwrap_or_default();
    let is_text = line.starts_with(|c: char| c.is_ascii_graphic());
    let is_table = is_text && line.matches(',').count() >= 2 && !line.contains(['{', '[']);
    known
        .map(|(_, name)| *name)
        .or(is_table.then_some("comma-separated values"))
}

impl SkipReason {
    /// Whether something that may have been a record is lost. What only looks like a log is no damage.
    ///
    /// ```
    /// use tripmeter_records::SkipReason;
    /// assert!(!SkipReason::Digest.is_damage());
    /// assert!(SkipReason::TruncatedGzip.is_damage());
    /// ```
    pub fn is_damage(self) -> bool {
        !matches!(
            self,
            Self::Digest
                | Self::S3Notification
                | Self::S3TestEvent
                | Self::TrailNotification
                | Self::ValidationMessage
                | Self::ControlMessage
                | Self::SubscriptionNotice
                | Self::Insight
                | Self::OtherEvent
                | Self::ZeroPadding
                | Self::NotAnObject
                | Self::NoName
        )
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_file_of_another_format_is_named_by_its_beginning() {
        let cases = [
            ("PK\u{3}\u{4}\u{14}", Some("a zip archive")),
            ("BZh91AY", Some("bzip2-compressed data")),
            ("PAR1\u{15}", Some("a Parquet file")),
            ("<?xml version=\"1.0\"?><Error>", Some("XML")),
            ("\n<html><body>", Some("an HTML page")),
            (
                "eventversion,useridentity,eventtime\n1,x,y",
                Some("comma-separated values"),
            ),
            ("Traceback (most recent call last):", None),
        ];
        for (text, name) in cases {
            assert_eq!(super::other_format(text, 64), name, "{text}");
        }
    }

    use super::SkipReason::*;

    #[test]
    fn look_alikes_are_no_damage_and_broken_things_are() {
        let look_alikes = [
            Digest,
            S3Notification,
            S3TestEvent,
            TrailNotification,
            ZeroPadding,
            NotAnObject,
            NoName,
        ];
        let broken = [
            NoTime,
            Malformed,
            Truncated,
            TooDeep,
            DeepMember,
            TooLarge,
            DamagedGzip,
            TrailingBytes,
        ];

        assert!(look_alikes.iter().all(|reason| !reason.is_damage()));
        assert!(broken.iter().all(|reason| reason.is_damage()));
    }
}
