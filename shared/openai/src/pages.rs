//! What the administration API is asked for, and what it answers. What a page has beyond this is not looked at, and
//! what it lacks is absent: absent is not zero.
//!
//! <https://platform.openai.com/docs/api-reference/administration>

use std::fmt::Write as _;

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;
use tripmeter_model::Timestamp;

/// Events of one page of the audit log, newest first.
const EVENTS: u32 = 100;
/// Buckets of one page of usage: an hour's minutes.
const BUCKETS: u32 = 60;
/// Days of costs on a page.
const DAYS: u32 = 31;
/// Entries of one page of a list.
const ENTRIES: u32 = 100;

/// A page of a list, with where the next one begins.
#[derive(Debug, Deserialize)]
pub struct List<T> {
    /// The entries.
    pub data: Vec<T>,
    /// Whether there are more.
    #[serde(default)]
    pub has_more: bool,
    /// The last entry's id.
    #[serde(default)]
    pub last_id: Option<String>,
}

/// An audit event as it came: the catalogue reads it.
pub type Event = Box<RawValue>;

/// A page of usage or costs.
#[derive(Debug, Deserialize)]
pub struct Buckets {
    /// The buckets, oldest first.
    pub data: Vec<Bucket>,
    /// Whether there are more.
    #[serde(default)]
    pub has_more: bool,
    /// What asks for the next page.
    #[serde(default)]
    pub next_page: Option<String>,
}

/// A bucket of usage or costs.
#[derive(Debug, Deserialize)]
pub struct Bucket {
    /// When it begins, in seconds since 1970-01-01 UTC.
    pub start_time: i64,
    /// A result for each group that used something.
    #[serde(default, alias = "result", deserialize_with = "rows")]
    pub results: Vec<Row>,
}

/// What is no object among the rows is left out: the others are none the worse for it.
fn rows<'de, D: Deserializer<'de>>(rows: D) -> Result<Vec<Row>, D::Error> {
    let rows: Option<Vec<Value>> = Deserialize::deserialize(rows)?;
    let objects = rows.unwrap_or_default().into_iter().filter_map(|row| match row {
        Value::Object(row) => Some(row),
        _ => None,
    });
    Ok(objects.collect())
}

/// What one group used: the members of a result, by name.
pub type Row = serde_json::Map<String, Value>;

/// A project.
#[derive(Debug, Deserialize)]
pub struct Project {
    /// Its id.
    pub id: String,
    /// `active` or `archived`.
    #[serde(default)]
    pub status: Option<String>,
}

/// A hard limit of what may be spent in a month.
#[derive(Debug, Deserialize)]
pub struct SpendLimit {
    /// In cents.
    pub threshold_amount: f64,
}

/// An alert about what was spent in a month.
#[derive(Debug, Deserialize)]
pub struct SpendAlert {
    /// Its id.
    pub id: String,
    /// In cents.
    pub threshold_amount: f64,
    /// Whom it tells.
    #[serde(default)]
    pub notification_channel: NotificationChannel,
}

/// Whom an alert tells.
#[derive(Debug, Default, Deserialize)]
pub struct NotificationChannel {
    /// Mail addresses.
    #[serde(default)]
    pub recipients: Vec<String>,
}

/// Which models a project may use.
#[derive(Debug, Deserialize)]
pub struct ModelPermissions {
    /// `allow_list` or `deny_list`.
    pub mode: String,
    /// The models on the list.
    pub model_ids: Vec<String>,
}

/// A rate limit of a project: what it is about, and its numbers by name.
#[derive(Debug, Deserialize)]
pub struct RateLimit {
    /// Its id.
    pub id: String,
    /// `max_requests_per_1_minute` and others.
    #[serde(flatten)]
    pub limits: Row,
}

/// A path of the audit log: events since a time, beyond an event of an earlier page.
pub fn audit_log(since: Option<Timestamp>, after: Option<&str>) -> String {
    let since = since.map(|since| format!("&effective_at[gte]={}", since.seconds()));
    let since = since.unwrap_or_default().replace('[', "%5B").replace(']', "%5D");
    list("/organization/audit_logs", EVENTS, after) + &since
}

/// A path of usage by the minute, from a bucket on.
pub fn usage(kind: &str, groups: &[&str], from: Timestamp, page: Option<&str>) -> String {
    buckets(
        &format!("/organization/usage/{kind}"),
        "1m",
        BUCKETS,
        groups,
        from,
        page,
    )
}

/// A path of costs by the day and line item, from a bucket on.
pub fn costs(from: Timestamp, page: Option<&str>) -> String {
    buckets("/organization/costs", "1d", DAYS, &["line_item"], from, page)
}

fn buckets(path: &str, width: &str, limit: u32, groups: &[&str], from: Timestamp, page: Option<&str>) -> String {
    let from = from.seconds();
    let mut path = format!("{path}?start_time={from}&bucket_width={width}&limit={limit}");
    for group in groups {
        path.push_str("&group_by%5B%5D=");
        path.push_str(group);
    }
    path + &page.map(|page| format!("&page={}", escaped(page))).unwrap_or_default()
}

/// A path of the projects that are not archived.
pub fn projects(after: Option<&str>) -> String {
    list("/organization/projects", ENTRIES, after)
}

/// A path of something of a project, such as `spend_limit`. `None` for an id that is no word.
pub fn of_project(project: &str, what: &str) -> Option<String> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_id = !project.is_empty() && project.len() <= 128 && project.bytes().all(is_word);
    is_id.then(|| format!("/organization/projects/{project}/{what}"))
}

/// A path of a list, from an entry on.
pub fn list(path: &str, limit: u32, after: Option<&str>) -> String {
    let after = after.map(|after| format!("&after={}", escaped(after)));
    format!("{path}?limit={limit}{}", after.unwrap_or_default())
}

/// A value of a query: everything but letters, digits, `-`, `_`, `.` and `~` as `%XX`.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes().take(2_048) {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_holds_nothing_that_the_server_chose_unescaped() {
        assert_eq!(
            audit_log(Some(Timestamp::from_seconds(7)), Some("a&b=c d")),
            "/organization/audit_logs?limit=100&after=a%26b%3Dc%20d&effective_at%5Bgte%5D=7"
        );
        assert_eq!(
            of_project("proj_1", "spend_limit").as_deref(),
            Some("/organization/projects/proj_1/spend_limit")
        );
        for id in ["", "../admin_api_keys", "a/b", "a?b", "a\n"] {
            assert_eq!(of_project(id, "spend_limit"), None, "{id}");
        }
    }

    #[test]
    fn the_groups_of_usage_are_a_list_as_openais_own_client_writes_it() {
        assert_eq!(
            usage(
                "completions",
                &["model", "api_key_id"],
                Timestamp::from_seconds(60),
                Some("p==")
            ),
            "/organization/usage/completions?start_time=60&bucket_width=1m&limit=60&group_by%5B%5D=model&group_by%5B%5D=api_key_id&page=p%3D%3D"
        );
    }
}
