//! What S3 says when an object was created, and whether that is a log file of the trail.

use serde::Deserialize;

/// An object, as S3's event names it: exactly this version, of exactly this content.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// The bucket's name.
    pub bucket: String,
    /// Its key, as it is: EventBridge's events escape nothing.
    pub key: String,
    /// Its size, in bytes.
    pub size: u64,
    /// What tells its content from others of its name.
    pub etag: String,
    /// Its version, in a bucket that keeps several.
    pub version: Option<String>,
}

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What<'a> {
    /// A log file with the records of one account.
    Log {
        /// The account.
        account: &'a str,
    },
    /// Something else, which is nothing to judge.
    Foreign(&'static str),
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Event {
    source: String,
    detail_type: String,
    detail: Detail,
}

#[derive(Deserialize)]
struct Detail {
    bucket: Bucket,
    object: Named,
}

#[derive(Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Named {
    key: String,
    size: u64,
    etag: String,
    version_id: Option<String>,
}

impl Object {
    /// Out of S3's event, as EventBridge delivers it. `None` for anything else.
    pub fn read(body: &str) -> Option<Self> {
        let event: Event = serde_json::from_str(body).ok()?;
        if event.source != "aws.s3" || event.detail_type != "Object Created" {
            return None;
        }
        let object = event.detail.object;
        Some(Self {
            bucket: event.detail.bucket.name,
            key: object.key,
            size: object.size,
            etag: object.etag,
            version: object.version_id.filter(|version| !version.is_empty()),
        })
    }

    /// What it is, in a deployment that reads the trail's files in this bucket. The account is the folder's, which
    /// only CloudTrail writes into, and not what a record says of itself:
    /// `AWSLogs/[organisation/]account/CloudTrail/region/year/month/day/file.json.gz`, behind the trail's prefix.
    pub fn what(&self, bucket: &str) -> What<'_> {
        if self.bucket != bucket {
            return What::Foreign("it is in another bucket");
        }
        let mut folders = self.key.split('/').skip_while(|folder| *folder != "AWSLogs").skip(1);
        let account = folders.find(|folder| is_account(folder));
        match (account, folders.next()) {
            (Some(_), Some("CloudTrail")) if self.key.ends_with('/') => What::Foreign("it is a folder"),
            (Some(account), Some("CloudTrail")) if folders.next().is_some() => What::Log { account },
            (Some(_), Some("CloudTrail-Digest")) => What::Foreign("it is a digest, which holds no records"),
            (Some(_), Some("CloudTrail-Insight")) => What::Foreign("it holds insights, which are no calls"),
            _ => What::Foreign("it is no log file of CloudTrail"),
        }
    }

    /// What no other object and no other content of this one is called.
    pub(crate) fn names(&self) -> [&str; 4] {
        let version = self.version.as_deref().unwrap_or_default();
        [&self.bucket, &self.key, &self.etag, version]
    }
}

fn is_account(folder: &str) -> bool {
    folder.len() == 12 && folder.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"version":"0","id":"17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type":"Object Created","source":"aws.s3","account":"555566667777","time":"2026-03-03T10:15:00Z",
        "region":"eu-central-1","resources":["arn:aws:s3:::archive"],"detail":{"version":"0",
        "bucket":{"name":"archive"},"object":{"key":"AWSLogs/o-a1/111122223333/CloudTrail/eu-west-1/x y.json.gz",
        "size":5,"etag":"b1946ac92492d2347c6235b4d2611184","version-id":"IYV3p45BT0ac8hjHg1houSdS1a.Mro8e",
        "sequencer":"00617F08299329D189"},"request-id":"N4N7GDK58NMKJ12R","requester":"cloudtrail.amazonaws.com",
        "source-ip-address":"1.2.3.4","reason":"PutObject"}}"#;

    fn what(key: &str) -> Option<String> {
        let object = Object {
            key: key.to_owned(),
            ..Object::read(EVENT).unwrap()
        };
        match object.what("archive") {
            What::Log { account } => Some(account.to_owned()),
            What::Foreign(_) => None,
        }
    }

    #[test]
    fn the_version_that_was_created_is_named() {
        let object = Object::read(EVENT).unwrap();

        assert_eq!(
            object.names(),
            [
                "archive",
                "AWSLogs/o-a1/111122223333/CloudTrail/eu-west-1/x y.json.gz",
                "b1946ac92492d2347c6235b4d2611184",
                "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e"
            ]
        );
    }

    #[test]
    fn what_is_no_such_event_is_nothing() {
        for (from, to) in [
            ("aws.s3", "mallory"),
            ("Object Created", "Object Deleted"),
            (r#""size":5"#, r#""size":"five""#),
            (r#""bucket":{"name":"archive"},"#, ""),
        ] {
            assert_eq!(Object::read(&EVENT.replace(from, to)), None, "{to}");
        }
        assert_eq!(Object::read(r#"{"Records":[{"s3":{}}]}"#), None);
    }

    #[test]
    fn a_log_file_is_known_by_its_folders_and_its_account_is_theirs() {
        let ours = Some("111122223333".to_owned());

        assert_eq!(
            what("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/03/03/a.json.gz"),
            ours
        );
        assert_eq!(
            what("AWSLogs/o-a1/111122223333/CloudTrail/eu-west-1/2026/03/03/a.json.gz"),
            ours
        );
        assert_eq!(
            what("all/of/it/AWSLogs/o-a1/111122223333/CloudTrail/eu-west-1/a.json.gz"),
            ours
        );
    }

    #[test]
    fn anything_else_is_foreign() {
        for key in [
            "AWSLogs/o-a1/111122223333/CloudTrail-Digest/eu-west-1/2026/03/03/a.json.gz",
            "AWSLogs/o-a1/111122223333/CloudTrail-Insight/eu-west-1/2026/03/03/a.json.gz",
            "AWSLogs/111122223333/elasticloadbalancing/eu-west-1/a.log.gz",
            "AWSLogs/111122223333/CloudTrail/",
            "AWSLogs/111122223333/CloudTrail",
            "AWSLogs/11112222333/CloudTrail/eu-west-1/a.json.gz",
            "CloudTrail/eu-west-1/a.json.gz",
            "",
        ] {
            assert_eq!(what(key), None, "{key}");
        }
        assert_eq!(
            Object::read(EVENT).unwrap().what("archive-2"),
            What::Foreign("it is in another bucket")
        );
    }
}
