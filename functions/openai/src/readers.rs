//! Who reads the AWS secrets and parameters that hold OpenAI keys.
//!
//! A key that is stolen out of Secrets Manager or Parameter Store is read by somebody who never read it: that is an
//! opening at OpenAI, linked to the key, so that the key's use and the theft are one chain across both clouds. Who has
//! read the secret before opens nothing, and nobody does while its readers are still being learned.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tripmeter_catalogue::openai::{call, identity};
use tripmeter_model::{
    Activity, DAY, Identity, IdentityKind, Outcome, Quantity, Record, Service, Session, Target, Timestamp,
    UserIdentity, bounded, digest64,
};
use tripmeter_records::{Item, Limits, Reader};

use crate::{PollError, Poller, Report, Run};

/// How long a reader is new, from the first time that it read the secret, in seconds.
const NEW: i64 = DAY;
/// Readers of one secret that are remembered. A secret that so many read is no secret.
const MOST: usize = 500;
/// The row of the catalogue.
const ROW: &str = "secret.read";
/// Parameters of a request that name what is read.
const NAMES: [&str; 4] = ["secretId", "secretIdList", "name", "names"];

/// An AWS secret or parameter, and the key that it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySecret {
    /// Its ARN, or its name.
    pub name: String,
    /// The id of the key at OpenAI (`key_...`), where somebody says it.
    pub key: Option<String>,
}

impl KeySecret {
    /// Out of two lists, separated by commas: names, and the ids of the keys in the same order, as far as they go.
    ///
    /// ```
    /// use tripmeter_openai_function::KeySecret;
    /// let [app, batch] = KeySecret::list("prod/openai, /batch/openai", "key_1").try_into().unwrap();
    /// assert_eq!((app.key.as_deref(), batch.key), (Some("key_1"), None));
    /// ```
    pub fn list(names: &str, keys: &str) -> Vec<Self> {
        let mut keys = keys.split(',').map(str::trim);
        let names = names.split(',').map(str::trim);
        let paired = names.map(|name| (name, keys.next().filter(|key| !key.is_empty())));
        let complete = paired.filter(|(name, _)| !name.is_empty());
        complete
            .map(|(name, key)| Self {
                name: name.to_owned(),
                key: key.map(str::to_owned),
            })
            .collect()
    }

    /// Whether a request that names `asked` is for it. ARNs of secrets end in six characters that names lack.
    fn is(&self, asked: &str) -> bool {
        let bare = |text: &str| {
            let name = text
                .split_once(":secret:")
                .or_else(|| text.split_once(":parameter"))
                .map(|(_, name)| name);
            name.unwrap_or(text).to_owned()
        };
        let (own, asked) = (bare(&self.name), bare(asked));
        let without_suffix = |name: &str| {
            let (head, tail) = name.rsplit_once('-')?;
            (tail.len() == 6).then(|| head.to_owned())
        };
        own == asked
            || without_suffix(&own).as_deref() == Some(&asked)
            || without_suffix(&asked).as_deref() == Some(&own)
    }
}

/// Who has read a secret.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Readers {
    /// When the first of them did.
    #[serde(default)]
    since: Option<Timestamp>,
    /// When each of them first did.
    #[serde(default)]
    first: BTreeMap<String, Timestamp>,
}

/// A read of a secret.
struct Read {
    secret: KeySecret,
    activity: Activity,
}

impl Poller {
    /// Judges reads of secrets that hold keys, as EventBridge brings them. `None` when the payload holds no record.
    pub(crate) async fn secret_reads(
        &self,
        payload: &str,
        run: Run<'_>,
        report: &mut Report,
    ) -> Result<Option<()>, PollError> {
        let mut reads = Vec::new();
        let tally = Reader::new(Limits::default()).read_bytes(payload.as_bytes(), &mut |item| {
            if let Item::Record(record) = item {
                reads.extend(self.reads_of(&record));
            }
        });
        if tally.records == 0 {
            return Ok(None);
        }
        report.read += tally.records;
        for read in reads {
            if self.is_new_reader(&read).await? {
                report.outcomes.push(self.judge(&[read.activity], run).await?);
            }
        }
        Ok(Some(()))
    }

    /// The reads that a record is: of each secret that it names.
    fn reads_of(&self, record: &Record<'_>) -> Vec<Read> {
        let is_read = matches!(
            record.event_source.as_ref(),
            "secretsmanager.amazonaws.com" | "ssm.amazonaws.com"
        );
        if !is_read || record.error_code.is_some() {
            return Vec::new();
        }
        let request: Value = record
            .request_parameters
            .and_then(|json| serde_json::from_str(json).ok())
            .unwrap_or_default();
        let asked: Vec<&str> = NAMES
            .iter()
            .filter_map(|name| request.get(name))
            .flat_map(texts)
            .collect();
        let named = |secret: &&KeySecret| asked.iter().any(|asked| secret.is(asked));
        let secrets = self.key_secrets.iter().filter(named);
        secrets
            .map(|secret| Read {
                secret: secret.clone(),
                activity: activity(record, secret, &self.organisation),
            })
            .collect()
    }

    /// Notes who read, and says whether they are new among those who do.
    async fn is_new_reader(&self, read: &Read) -> Result<bool, PollError> {
        let name = format!("readers/{:016x}", digest64(&[&read.secret.name]).0);
        let learned = i64::from(self.detector.settings.learning_days) * DAY;
        let (who, at) = (&read.activity.identity.id, read.activity.time);
        let mut bookmark = self.bookmarks.read::<Readers>(&name).await?;
        let before = bookmark.value.clone();
        let readers = &mut bookmark.value;
        let since = *readers.since.get_or_insert(at);
        if readers.first.len() < MOST || readers.first.contains_key(who) {
            let first = readers.first.entry(who.clone()).or_insert(at);
            *first = at.min(*first);
        }
        let first = readers.first.get(who).copied().unwrap_or(at);
        if *readers != before {
            // Refused: another read was noted meanwhile. This one is noted when it comes again.
            self.bookmarks.write(&name, &mut bookmark).await?;
        }
        Ok(at.since(first) < NEW && first.since(since) >= learned)
    }
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn activity(record: &Record<'_>, secret: &KeySecret, organisation: &str) -> Activity {
    let user = record.user_identity.map(UserIdentity::parse).unwrap_or_default();
    let event_id = record.event_id.as_deref().map(|id| bounded(id, 64));
    let row = call(ROW);
    Activity {
        time: record.event_time,
        account: bounded(organisation, 64),
        region: String::new(),
        service: Service::OpenAi,
        call: ROW.to_owned(),
        kind: row.map_or(tripmeter_model::Kind::Context, |row| row.kind),
        outcome: Outcome::Success,
        identity: Identity::of(&user, false, event_id.as_deref().unwrap_or_default()),
        session: Session::of(&user, false),
        origin: tripmeter_model::Origin::of(record),
        target: Some(Target::Resource(bounded(&secret.name, 256))),
        quantity: Quantity::ONE,
        effect: None,
        routine: false,
        grave: row.is_some_and(|row| row.grave),
        links: secret
            .key
            .iter()
            .map(|key| identity(IdentityKind::OpenAiKey, key).id)
            .collect(),
        issued: secret.key.clone(),
        shape: digest64(&[Service::OpenAi.name(), ROW, &secret.name]),
        why: row.map_or(String::new(), |row| row.why.to_owned()),
        event_id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_known_by_its_arn_and_by_its_name() {
        let of = |name: &str| KeySecret {
            name: name.into(),
            key: None,
        };
        let arn = of("arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/openai-AbCdEf");
        assert!(arn.is("prod/openai") && arn.is("prod/openai-AbCdEf") && arn.is(&arn.name));
        assert!(of("prod/openai").is(&arn.name));
        assert!(of("arn:aws:ssm:eu-west-1:111122223333:parameter/prod/openai").is("/prod/openai"));
        assert!(!arn.is("prod/other") && !of("prod/openai").is("prod/openai2"));
    }
}
