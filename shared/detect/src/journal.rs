//! What was seen during an hour or an episode, bounded: the values that people ask for, and the smallest event ids.
//!
//! Everything here is a union, a sum, a minimum or "the smallest few", so a journal does not depend on the order
//! in which activities arrive.

use serde::{Deserialize, Serialize};
use tripmeter_model::{Activity, Digest, Session, Source, Timestamp, digest64};

use crate::novelty::Attribute;
use crate::units::calls;

/// Event ids kept of a journal.
pub(crate) const MAX_EVENT_IDS: usize = 16;
/// Values kept of each attribute; of more, those with the smallest digests.
const MAX_VALUES: usize = 32;
/// Regions kept: as many as there may be.
const MAX_REGIONS: usize = 64;
/// Sessions kept.
const MAX_SESSIONS: usize = 6;

/// What about an activity a journal keeps values of; the first four are its context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Field {
    Region,
    Network,
    Client,
    Target,
    Call,
    Address,
    /// Credentials that were issued.
    Issued,
}

/// The digests of an activity's region, network, client and target; none where the record has no such value.
pub(crate) type Context = [Option<Digest>; 4];

/// The attributes of a [`Context`], in its order, with the fields that hold their values.
pub(crate) const CONTEXT: [(Field, Attribute); 4] = [
    (Field::Region, Attribute::Region),
    (Field::Network, Attribute::Network),
    (Field::Client, Attribute::Client),
    (Field::Target, Attribute::Target),
];

/// One value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Value {
    pub digest: Digest,
    pub text: String,
    pub count: u64,
    pub units: u64,
    pub first: Timestamp,
}

/// See the module's docs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Journal {
    event_ids: Vec<String>,
    values: [Vec<Value>; 7],
    sessions: Vec<(Digest, Session)>,
    pub count: u64,
    pub units: u64,
    /// What it cost, in millionths of a dollar, as far as sources say.
    pub micros: u64,
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
}

/// The context values of an activity, as they are compared: empty where the record has none.
fn texts_of(activity: &Activity) -> [&str; 4] {
    [
        &activity.region,
        &activity.origin.network.0,
        &activity.origin.client.0,
        activity.target.as_ref().map_or("", |target| target.value()),
    ]
}

/// The context of an activity.
pub(crate) fn context_of(activity: &Activity) -> Context {
    texts_of(activity).map(|text| (!text.is_empty()).then(|| digest64(&[text])))
}

/// The attributes of a context that have a value.
pub(crate) fn values_of(context: &Context) -> impl Iterator<Item = (Attribute, Digest)> + '_ {
    CONTEXT
        .into_iter()
        .zip(context)
        .filter_map(|((_, attribute), digest)| digest.map(|d| (attribute, d)))
}

impl Journal {
    /// Adds one activity with its context.
    pub(crate) fn add(&mut self, activity: &Activity, context: &Context) {
        let amount = [calls(activity), activity.quantity.units];
        for (((field, _), digest), text) in CONTEXT.into_iter().zip(context).zip(texts_of(activity)) {
            if let Some(digest) = digest {
                self.value(field, *digest, text, amount, activity.time);
            }
        }
        self.value(
            Field::Call,
            digest64(&[&activity.call]),
            &activity.call,
            amount,
            activity.time,
        );
        if let Source::Address(address) = activity.origin.source {
            let text = address.to_string();
            self.value(Field::Address, digest64(&[&text]), &text, amount, activity.time);
        }
        if let Some(id) = &activity.issued {
            self.value(Field::Issued, digest64(&[id]), id, amount, activity.time);
        }
        if let Some(id) = activity.event_id.as_deref() {
            self.event_id(id);
        }
        self.session(&activity.session);
        let [calls, units] = amount;
        self.count = self.count.saturating_add(calls);
        self.units = self.units.saturating_add(units);
        self.micros = self.micros.saturating_add(activity.quantity.micros.unwrap_or(0));
        self.span(activity.time, activity.time);
    }

    /// Takes in an activity that was added before, or may have been: everything but counts.
    pub(crate) fn see(&mut self, activity: &Activity, context: &Context) {
        let before = self.clone();
        self.add(activity, context);
        (self.count, self.units, self.micros) = (before.count, before.units, before.micros);
        for (values, before) in self.values.iter_mut().zip(&before.values) {
            for value in values {
                let known = before.binary_search_by(|known| known.digest.cmp(&value.digest));
                if let Some(known) = known.ok().and_then(|at| before.get(at)) {
                    (value.count, value.units) = (known.count, known.units);
                }
            }
        }
    }

    /// Adds everything that another journal holds.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (field, (mine, theirs)) in self.values.iter_mut().zip(&other.values).enumerate() {
            for value in theirs {
                add_value(
                    mine,
                    most_of(field),
                    value.digest,
                    &value.text,
                    [value.count, value.units],
                    value.first,
                );
            }
        }
        for id in &other.event_ids {
            self.event_id(id);
        }
        for (_, session) in &other.sessions {
            self.session(session);
        }
        self.count = self.count.saturating_add(other.count);
        self.units = self.units.saturating_add(other.units);
        self.micros = self.micros.saturating_add(other.micros);
        if let (Some(first), Some(last)) = (other.first, other.last) {
            self.span(first, last);
        }
    }

    fn span(&mut self, first: Timestamp, last: Timestamp) {
        self.first = Some(self.first.map_or(first, |f| f.min(first)));
        self.last = Some(self.last.map_or(last, |l| l.max(last)));
    }

    fn value(&mut self, field: Field, digest: Digest, text: &str, amount: [u64; 2], time: Timestamp) {
        if let Some(values) = self.values.get_mut(field as usize) {
            add_value(values, most_of(field as usize), digest, text, amount, time);
        }
    }

    /// States how often a value was seen, and since when, where that is known better elsewhere.
    pub(crate) fn restate(&mut self, field: Field, text: &str, count: u64, first: Timestamp) {
        self.value(field, digest64(&[text]), text, [1, 0], first);
        let digest = digest64(&[text]);
        let values = self.values.get_mut(field as usize).into_iter().flatten();
        for value in values.filter(|value| value.digest == digest) {
            value.count = count;
        }
        self.span(first, first);
    }

    fn event_id(&mut self, id: &str) {
        if self.event_ids.len() >= MAX_EVENT_IDS && self.event_ids.last().is_some_and(|last| last.as_str() <= id) {
            return;
        }
        if let Err(at) = self.event_ids.binary_search_by(|known| known.as_str().cmp(id)) {
            self.event_ids.insert(at, id.to_owned());
            self.event_ids.truncate(MAX_EVENT_IDS);
        }
    }

    fn session(&mut self, session: &Session) {
        let same = |known: &(Digest, Session)| known.1 == *session;
        if self.sessions.iter().any(same) {
            return;
        }
        let digest = digest64(&[
            session.name.as_deref().unwrap_or_default(),
            session.access_key.as_deref().unwrap_or_default(),
            session.invoked_by.as_deref().unwrap_or_default(),
        ]);
        let at = self.sessions.partition_point(|known| known.0 < digest);
        if at < MAX_SESSIONS {
            self.sessions.insert(at, (digest, session.clone()));
            self.sessions.truncate(MAX_SESSIONS);
        }
    }

    /// The smallest event ids.
    pub(crate) fn event_ids(&self) -> &[String] {
        &self.event_ids
    }

    /// The values of an attribute.
    pub(crate) fn values(&self, field: Field) -> &[Value] {
        self.values.get(field as usize).map_or(&[], Vec::as_slice)
    }

    /// The sessions.
    pub(crate) fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.sessions.iter().map(|(_, session)| session)
    }

    /// The value of an attribute that was seen most; ties by the smallest digest.
    pub(crate) fn most(&self, field: Field) -> Option<&Value> {
        self.values(field)
            .iter()
            .max_by(|a, b| a.count.cmp(&b.count).then(b.digest.cmp(&a.digest)))
    }
}

/// How many values of a field are kept.
fn most_of(field: usize) -> usize {
    if field == Field::Region as usize {
        MAX_REGIONS
    } else {
        MAX_VALUES
    }
}

/// Values are kept in the order of their digests.
fn add_value(
    values: &mut Vec<Value>,
    most: usize,
    digest: Digest,
    text: &str,
    [count, units]: [u64; 2],
    first: Timestamp,
) {
    match values.binary_search_by(|v| v.digest.cmp(&digest)) {
        Ok(at) => {
            if let Some(value) = values.get_mut(at) {
                value.count = value.count.saturating_add(count);
                value.units = value.units.saturating_add(units);
                value.first = value.first.min(first);
            }
        }
        Err(at) if at < most => {
            values.insert(
                at,
                Value {
                    digest,
                    text: text.to_owned(),
                    count,
                    units,
                    first,
                },
            );
            values.truncate(most);
        }
        Err(_) => {}
    }
}
