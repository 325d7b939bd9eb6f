//! A finding as an item, there and back.

use std::collections::HashMap;
use std::str::FromStr;

use aws_sdk_dynamodb::types::AttributeValue;
use tripmeter_detect::PartKey;
use tripmeter_model::{DAY, Finding, Severity, Status, Timestamp, bounded};

use super::mark::{Change, Mark};
use crate::dynamodb::Item;

/// The attributes of who judges that are not always there.
pub(super) const OPTIONAL: [&str; 4] = ["suppressed", "held", "pending", "open"];

/// What sparse indexes have in common for their partition key.
pub(super) const PRESENT: &str = "1";

/// A key must not be empty, and some records name no account.
const NO_ACCOUNT: &str = "unknown";

/// Where a finding is, and how far it has come: what indexes are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The account.
    pub account: String,
    /// The finding.
    pub uid: String,
    /// Its latest revision.
    pub revision: u32,
    /// The part of the state that the episode lies in. The canary's findings lie in none.
    pub part: Option<PartKey>,
}

impl Key {
    /// Nothing where an item has no key, which no item lacks.
    pub(super) fn read(item: &Item) -> Option<Self> {
        let fields = Fields(item);
        Some(Self {
            account: fields.optional("account")?.to_owned(),
            uid: fields.optional("uid")?.to_owned(),
            revision: fields.number("revision").unwrap_or_default(),
            part: fields.optional("part").and_then(|part| part.parse().ok()),
        })
    }
}

/// A finding as it is stored, with what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// The latest revision.
    pub finding: Finding,
    /// The part of the state that the episode lies in. The canary's findings lie in none.
    pub part: Option<PartKey>,
    /// Whether it is open: closed also where a person closed it.
    pub status: Status,
    /// When it was stored.
    pub updated: Timestamp,
    /// Why it is kept quiet while the account is learned.
    pub held: Option<String>,
    /// The last revision that was published; 0 before.
    pub published: u32,
    /// Whether the latest revision waits to be published.
    pub pending: bool,
    /// What a person said of it last.
    pub mark: Option<Mark>,
    /// Everything that people said of it, oldest first.
    pub audit: Vec<Change>,
}

/// An item that is no finding that this version can read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("finding {uid} of account {account} cannot be read: {why}")]
pub struct Unreadable {
    /// The account, as the item has it.
    pub account: String,
    /// The finding, as the item has it.
    pub uid: String,
    /// What is wrong with it.
    pub why: String,
}

/// The key of a finding.
pub(super) fn key(account: &str, uid: &str) -> Item {
    let account = if account.is_empty() { NO_ACCOUNT } else { account };
    HashMap::from([
        ("account".to_owned(), text(bounded(account, 64))),
        ("uid".to_owned(), text(bounded(uid, 128))),
    ])
}

/// What a revision writes, beside the key.
pub(super) fn attributes(
    finding: &Finding,
    part: &str,
    held: Option<&str>,
    now: Timestamp,
    retention_days: u32,
) -> serde_json::Result<Item> {
    let suppressed = finding.suppressed.as_ref().map(|suppression| suppression.rule.as_str());
    let is_due = suppressed.or(held).is_none();
    let is_open = finding.status == Status::Open;
    let expires = now.plus(i64::from(retention_days) * DAY);
    let fixed = [
        ("revision", number(finding.revision)),
        ("type", text(finding.finding_type.to_string())),
        ("severity", text(finding.severity.name())),
        ("severity_id", number(severity_id(finding.severity))),
        ("service", text(finding.finding_type.service.name())),
        ("region", text(finding.region.as_str())),
        ("identity", text(finding.identity.id.as_str())),
        ("status", text(status_name(finding.status))),
        ("first_seen", number(finding.first_seen.seconds())),
        ("last_seen", number(finding.last_seen.seconds())),
        ("updated", number(now.seconds())),
        ("expires", number(expires.seconds())),
        ("finding", text(serde_json::to_string(finding)?)),
        ("part", text(part)),
    ];
    let optional = [
        // What is held is suppressed by no rule that anybody wrote.
        ("suppressed", suppressed.filter(|_| held.is_none())),
        ("held", held),
        ("pending", is_due.then_some(PRESENT)),
        ("open", is_open.then_some(PRESENT)),
    ];
    let optional = optional
        .into_iter()
        .filter_map(|(name, value)| Some((name, text(value?))));
    let all = fixed.into_iter().chain(optional);
    Ok(all.map(|(name, value)| (name.to_owned(), value)).collect())
}

impl Stored {
    /// Out of an item, as a read or the table's stream gives it.
    ///
    /// # Errors
    /// When something is missing, or of another form than this version writes.
    pub fn read(item: &Item) -> Result<Self, Unreadable> {
        let fields = Fields(item);
        let finding: Finding =
            serde_json::from_str(fields.text("finding")?).map_err(|error| fields.unreadable(error.to_string()))?;
        if fields.text("uid")? != finding.uid {
            return Err(fields.unreadable("it holds another finding than its key says"));
        }
        Ok(Self {
            finding,
            part: fields.optional("part").and_then(|part| part.parse().ok()),
            status: fields.named("status", status_of)?,
            updated: Timestamp::from_seconds(fields.number("updated")?),
            held: fields.optional("held").map(str::to_owned),
            published: fields.number("published")?,
            pending: fields.optional("pending").is_some(),
            mark: fields
                .optional("mark")
                .map(|_| fields.named("mark", Mark::named))
                .transpose()?,
            audit: fields.audit()?,
        })
    }
}

impl Stored {
    /// What lists are in the order of.
    pub(super) fn order(&self) -> (Timestamp, &str) {
        (self.finding.last_seen, &self.finding.uid)
    }
}

/// An item, whose attributes are there or are missed by name.
struct Fields<'i>(&'i Item);

impl<'i> Fields<'i> {
    fn optional(&self, name: &str) -> Option<&'i str> {
        self.0.get(name)?.as_s().ok().map(String::as_str)
    }

    fn text(&self, name: &str) -> Result<&'i str, Unreadable> {
        self.optional(name)
            .ok_or_else(|| self.unreadable(format!("it has no text '{name}'")))
    }

    fn number<N: FromStr>(&self, name: &str) -> Result<N, Unreadable> {
        let digits = self.0.get(name).and_then(|value| value.as_n().ok());
        let number = digits.and_then(|digits| digits.parse().ok());
        number.ok_or_else(|| self.unreadable(format!("it has no number '{name}' in range")))
    }

    fn named<T>(&self, name: &str, of: impl Fn(&str) -> Option<T>) -> Result<T, Unreadable> {
        let word = self.text(name)?;
        of(word).ok_or_else(|| self.unreadable(format!("nothing is known by {name} '{}'", bounded(word, 40))))
    }

    fn audit(&self) -> Result<Vec<Change>, Unreadable> {
        let Some(list) = self.0.get("audit") else {
            return Ok(Vec::new());
        };
        let entries = list.as_l().ok();
        let changes = entries.and_then(|entries| entries.iter().map(Change::read).collect());
        changes.ok_or_else(|| self.unreadable("its 'audit' is no list of changes"))
    }

    fn unreadable(&self, why: impl AsRef<str>) -> Unreadable {
        let shown = |name| bounded(self.optional(name).unwrap_or("without one"), 128);
        Unreadable {
            account: shown("account"),
            uid: shown("uid"),
            why: bounded(why.as_ref(), 256),
        }
    }
}

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: impl Into<i64>) -> AttributeValue {
    AttributeValue::N(value.into().to_string())
}

/// OCSF's number of a severity. <https://schema.ocsf.io/1.8.0/classes/detection_finding>
pub(super) fn severity_id(severity: Severity) -> u8 {
    match severity {
        Severity::Low => 2,
        Severity::Medium => 3,
        Severity::High => 4,
        Severity::Critical => 5,
    }
}

pub(super) fn status_name(status: Status) -> &'static str {
    match status {
        Status::Open => "open",
        Status::Closed => "closed",
    }
}

fn status_of(name: &str) -> Option<Status> {
    [Status::Open, Status::Closed]
        .into_iter()
        .find(|status| status_name(*status) == name)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;
    use tripmeter_model::{
        Cause, ContextSeen, Evidence, Factor, FactorName, Family, FindingType, Identity, IdentityKind, Service,
        Session, Suppression, Tactic,
    };

    use super::*;

    fn severities() -> impl Strategy<Value = Severity> {
        prop::sample::select(Severity::ALL.to_vec())
    }

    fn types() -> impl Strategy<Value = FindingType> {
        let families = prop::sample::select(Family::ALL.to_vec());
        (families, prop::sample::select(Service::ALL.to_vec())).prop_map(|(family, service)| FindingType {
            tactic: Tactic::Impact,
            service,
            family,
        })
    }

    /// Numbers that JSON brings back to the bit.
    fn factors() -> impl Strategy<Value = Factor> {
        (any::<u32>(), ".{0,20}", option::of(any::<u32>())).prop_map(|(points, text, observed)| Factor {
            name: FactorName::Volume,
            points,
            text,
            observed: observed.map(f64::from),
            expected: None,
        })
    }

    fn evidence() -> impl Strategy<Value = Evidence> {
        let seen = vec((".{0,20}", any::<bool>(), any::<u64>()), 0..4);
        (vec(".{0,20}", 0..4), seen, option::of(".{0,20}")).prop_map(|(event_ids, seen, name)| Evidence {
            event_ids,
            regions: seen
                .into_iter()
                .map(|(value, new, count)| ContextSeen { value, new, count })
                .collect(),
            sessions: vec![Session {
                name,
                ..Session::default()
            }],
            ..Evidence::default()
        })
    }

    fn findings() -> impl Strategy<Value = Finding> {
        let names = ("[0-9a-f]{32}", "[0-9]{0,12}", ".{0,12}", ".{0,80}");
        let numbers = (any::<u32>(), any::<i64>(), any::<i64>(), any::<u64>());
        let words = (severities(), types(), any::<bool>(), option::of(".{0,20}"));
        (names, numbers, words, vec(factors(), 0..4), evidence()).prop_map(
            |(
                (uid, account, region, id),
                (revision, first, last, count),
                (severity, finding_type, open, rule),
                factors,
                evidence,
            )| {
                Finding {
                    uid,
                    revision,
                    cause: Cause::Created,
                    status: if open { Status::Open } else { Status::Closed },
                    finding_type,
                    severity,
                    points: 20,
                    factors,
                    account,
                    account_name: None,
                    region,
                    identity: Identity {
                        kind: IdentityKind::Role,
                        id,
                    },
                    linked: Vec::new(),
                    time: Timestamp::from_seconds(last),
                    first_seen: Timestamp::from_seconds(first),
                    last_seen: Timestamp::from_seconds(last),
                    count,
                    units: count,
                    units_per_hour: count,
                    units_by_target: vec![(String::new(), count)],
                    cost_micros: None,
                    evidence,
                    owner: None,
                    suppressed: rule.map(|rule| Suppression {
                        rule,
                        reason: String::new(),
                    }),
                    sample: false,
                }
            },
        )
    }

    fn values() -> impl Strategy<Value = AttributeValue> {
        prop_oneof![
            ".{0,20}".prop_map(AttributeValue::S),
            "-?[0-9]{1,40}".prop_map(AttributeValue::N),
            any::<bool>().prop_map(AttributeValue::Bool),
            Just(AttributeValue::L(vec![AttributeValue::Bool(true)])),
        ]
    }

    fn stored(finding: &Finding, held: Option<&str>) -> Item {
        let mut item = attributes(finding, "use/SES/0000000000000007", held, Timestamp::default(), 30).unwrap();
        item.extend(key(&finding.account, &finding.uid));
        item.insert("published".to_owned(), number(0));
        item
    }

    proptest! {
        #[test]
        fn a_finding_comes_back_as_it_was_put(finding in findings(), held in option::of("[a-z]{1,20}")) {
            let read = Stored::read(&stored(&finding, held.as_deref())).unwrap();

            prop_assert_eq!(&read.finding, &finding);
            prop_assert_eq!(read.status, finding.status);
            prop_assert_eq!(read.pending, finding.suppressed.is_none() && held.is_none());
            prop_assert_eq!(&read.held, &held);
            prop_assert_eq!(read.part.unwrap().to_string(), "use/SES/0000000000000007");
        }

        #[test]
        fn an_item_of_any_sort_is_a_finding_or_an_error_that_names_it(
            finding in findings(),
            broken in prop::sample::select(vec!["finding", "status", "updated", "published", "mark", "audit"]),
            value in values(),
        ) {
            let mut item = stored(&finding, None);
            item.insert(broken.to_owned(), value);

            if let Err(unreadable) = Stored::read(&item) {
                prop_assert_eq!(&unreadable.uid, &finding.uid);
                prop_assert!(unreadable.to_string().len() < 600);
            }
        }
    }

    #[test]
    fn what_lacks_a_part_says_which() {
        let item = Item::from([("uid".to_owned(), text("ab\u{1b}c"))]);

        let unreadable = Stored::read(&item).unwrap_err();

        assert_eq!(
            unreadable.to_string(),
            "finding ab?c of account without one cannot be read: it has no text 'finding'"
        );
    }
}
