//! Two bodies of one part, made one: what a replay of an account's history learned, and what was learned since it was
//! deployed.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use tripmeter_model::Digest;

use crate::account::{Span, Whole};
use crate::part::PartKey;
use crate::person::Person;
use crate::seen::{Shard, merge_shards};
use crate::slice::{KnownPart, PartError, UsePart, decode, encode};

/// Makes one body of what history taught and of what lies in the table. Where they cannot be made one, what lies in
/// the table stays: a profile whose days are folded already, an opening, an episode.
///
/// # Errors
/// When one of them cannot be read.
pub fn with_history(key: PartKey, history: &[u8], live: &[u8]) -> Result<Vec<u8>, PartError> {
    match key {
        PartKey::Account => join(key, history, live, |history: Span, live: Span| Span {
            first_day: history.first_day.min(live.first_day),
            last_day: history.last_day.max(live.last_day),
        }),
        PartKey::Seen(..) => join(key, history, live, |history: Shard, live: Shard| {
            merge_shards(&history, &live)
        }),
        PartKey::Person(_) => join(key, history, live, |mut history: Person, live: Person| {
            history.merge(&live);
            history
        }),
        PartKey::Callers(_) => join(key, history, live, union::<(tripmeter_model::Service, Digest)>),
        PartKey::Anomalous(_) => join(key, history, live, union::<Digest>),
        PartKey::Known(..) => join(key, history, live, |mut history: KnownPart, live: KnownPart| {
            history.merge(live);
            history
        }),
        PartKey::Use(..) => join(key, history, live, |history: UsePart, live: UsePart| {
            history.followed_by(live)
        }),
        PartKey::Service(_) => join(key, history, live, |history: Whole, live: Whole| {
            history.followed_by(live)
        }),
        PartKey::Opening(..) | PartKey::Control(..) => Ok(live.to_vec()),
    }
}

fn join<T: DeserializeOwned + serde::Serialize>(
    key: PartKey,
    history: &[u8],
    live: &[u8],
    join: impl Fn(T, T) -> T,
) -> Result<Vec<u8>, PartError> {
    let read = |body| decode::<T>(key, Some(body))?.ok_or(PartError::Damaged { key });
    Ok(encode(&join(read(history)?, read(live)?)))
}

fn union<T: Ord>(mut history: BTreeSet<T>, live: BTreeSet<T>) -> BTreeSet<T> {
    history.extend(live);
    history
}
