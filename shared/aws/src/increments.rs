//! A polled source's totals, told as increments, each exactly once.
//!
//! A poller reads the total of a bucket (a minute of a usage report, a period of a metric) that may still grow. What
//! it has told of a bucket lies in the state table, and what it is about to tell beside it:
//!
//! 1. What an earlier run has left **pending** is told first, as it was: the same increments, the same event ids.
//! 2. Fresh totals are compared with the **told** ones. What they have grown by is written as pending, in one
//!    transaction with the totals that include it, and on the condition that nobody wrote those since.
//! 3. The increments are told. Whoever takes them judges them through [`State::judge`](crate::state::State::judge)
//!    as redelivered: an event id that was counted changes nothing.
//! 4. They are pending no more.
//!
//! A crash anywhere repeats increments under the same ids, and nothing else. An increment's id is made of the source,
//! the part, the bucket, the key and the total before it. A total that shrinks (a correction) takes nothing back.
//! A bucket that is older than what is kept is not told: nobody would know what of it was.
//!
//! | partition | sort key | item |
//! |---|---|---|
//! | `POLL#source` | `told/bucket/part` | the totals that were told, by digests of their keys |
//! | the same | `pending/bucket/part/n` | increments that are being told |

use std::collections::BTreeMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use tripmeter_model::{DAY, Digest, HOUR, Quantity, Timestamp, bounded, digest64, stable_uid};

use crate::dynamodb::{self, Failure, Item, Transacted, number};

/// Keys of one part of one bucket. Their totals and increments fit a transaction: 4 MB, in items of 400 KB.
const MAX_KEYS: usize = 6_000;
/// The longest key, in bytes.
const MAX_KEY: usize = 512;
/// Increments of one item.
const CHUNK: usize = 600;
/// Tries at a bucket that others write at the same time. What was not told then is told by the next run.
const TRIES: usize = 4;
/// Buckets that are compared at once.
const AT_ONCE: usize = 8;

/// How much of something there was, or is more: calls, units, and cost where the source says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// Calls.
    pub calls: u64,
    /// Units of the service.
    pub units: u64,
    /// Cost, in millionths of a US dollar.
    pub micros: u64,
}

impl Amount {
    /// What this is more than `before`, of each measure. `None` when it is more of none.
    fn beyond(self, before: Self) -> Option<Self> {
        let more = Self {
            calls: self.calls.saturating_sub(before.calls),
            units: self.units.saturating_sub(before.units),
            micros: self.micros.saturating_sub(before.micros),
        };
        (more != Self::default()).then_some(more)
    }

    fn plus(self, other: Self) -> Self {
        Self {
            calls: self.calls.saturating_add(other.calls),
            units: self.units.saturating_add(other.units),
            micros: self.micros.saturating_add(other.micros),
        }
    }

    /// The quantity of the activity that an increment becomes. What costs nothing has a cost that nobody told.
    pub fn quantity(self) -> Quantity {
        Quantity {
            calls: self.calls,
            units: self.units,
            micros: (self.micros > 0).then_some(self.micros),
            country: None,
        }
    }
}

/// What was read of one bucket of one part of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// A part that is read by itself: the kind of usage, the metric and its region. At most 128 bytes.
    pub part: String,
    /// When the bucket begins.
    pub bucket: Timestamp,
    /// The total of each key so far: who, with what. What the poller makes an activity from. A key that is not
    /// there is not zero: its total stays what it was.
    pub totals: BTreeMap<String, Amount>,
}

/// What a key has more than was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Increment {
    /// The part.
    pub part: String,
    /// When its bucket begins.
    pub bucket: Timestamp,
    /// The key.
    pub key: String,
    /// How much more.
    pub more: Amount,
    /// The id of its event: the same whenever it is told.
    pub event_id: String,
}

/// What came of telling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Increments that an earlier run had left.
    pub left: usize,
    /// Increments that are new.
    pub new: usize,
    /// Buckets that were too old to be told.
    pub too_old: usize,
    /// Buckets that others wrote again and again, or a newer version of this program: they are for the next run.
    pub contended: usize,
}

/// Why not everything was told. What was written is told by the next run.
#[derive(Debug, thiserror::Error)]
pub enum TellError<E> {
    /// The table refused, or could not be reached.
    #[error(transparent)]
    Table(#[from] Failure),
    /// Whoever takes the increments could not.
    #[error(transparent)]
    Taker(E),
    /// A bucket has more keys than can be kept, or a longer one.
    #[error(
        "{part} at {bucket}: {keys} keys, the longest of {longest} bytes; {MAX_KEYS} keys of {MAX_KEY} bytes can be kept: group by less"
    )]
    Crowded {
        /// The part.
        part: String,
        /// The bucket.
        bucket: Timestamp,
        /// How many keys there are.
        keys: usize,
        /// How long the longest is.
        longest: usize,
    },
}

/// Whoever takes increments: makes activities of them and judges them.
pub trait Take {
    /// Why it could not.
    type Error;

    /// Takes increments, of which all, some or none may have been taken before.
    ///
    /// # Errors
    /// When they are to be told again.
    fn take(&mut self, increments: &[Increment]) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// What was told of a source.
#[derive(Clone, Debug)]
pub struct Increments {
    client: Client,
    table: String,
    source: String,
    keep_seconds: i64,
}

/// The totals of a bucket's part, as they lie in the table.
#[derive(Default)]
struct Known {
    version: u64,
    told: BTreeMap<Digest, Amount>,
}

impl Increments {
    /// Of a source, in the state table. A bucket can be told until it is `keep_seconds` old.
    pub fn new(client: Client, state_table: impl Into<String>, source: &str, keep_seconds: i64) -> Self {
        Self {
            client,
            table: state_table.into(),
            source: bounded(source, 128),
            keep_seconds,
        }
    }

    /// Tells what is pending, and then what fresh readings have more than was told.
    ///
    /// # Errors
    /// See [`TellError`]. What was written as pending by then is told by the next call.
    pub async fn tell<T: Take>(
        &self,
        readings: &[Reading],
        taker: &mut T,
        now: Timestamp,
    ) -> Result<Told, TellError<T::Error>> {
        let mut told = Told {
            left: self.tell_pending(taker).await?,
            ..Told::default()
        };
        let (young, old): (Vec<&Reading>, Vec<&Reading>) = readings
            .iter()
            .filter(|reading| !reading.totals.is_empty())
            .partition(|reading| now.since(reading.bucket) <= self.keep_seconds);
        told.too_old = old.len();
        young.iter().try_for_each(|reading| check(reading))?;
        let promised = stream::iter(young)
            .map(|reading| async move { Ok::<_, Failure>((reading, self.promise(reading, now).await?)) })
            .buffered(AT_ONCE);
        let mut increments = Vec::new();
        let mut places = Vec::new();
        for (reading, promised) in promised.try_collect::<Vec<_>>().await? {
            let Some(promised) = promised else {
                told.contended += 1;
                continue;
            };
            places.extend(chunks(&promised).map(|(first, _)| self.pending_key(reading, first)));
            increments.extend(promised);
        }
        if !increments.is_empty() {
            taker.take(&increments).await.map_err(TellError::Taker)?;
        }
        for key in places {
            self.done(key).await?;
        }
        told.new = increments.len();
        Ok(told)
    }

    /// Tells what an earlier run has left.
    async fn tell_pending<T: Take>(&self, taker: &mut T) -> Result<usize, TellError<T::Error>> {
        let items = dynamodb::between(&self.client, &self.table, &self.partition(), "pending/", "pending/~").await?;
        let mut left = 0;
        for item in items {
            // What a newer version has written is left to it.
            let Some(increments) = body::<Vec<Increment>>(&item) else {
                continue;
            };
            taker.take(&increments).await.map_err(TellError::Taker)?;
            left += increments.len();
            let key = |name: &str| Some((name.to_owned(), item.get(name)?.clone()));
            self.done(["pk", "sk"].into_iter().filter_map(key).collect()).await?;
        }
        Ok(left)
    }

    /// Writes what a reading has more than was told as pending. `None` when it is for the next run.
    async fn promise(&self, reading: &Reading, now: Timestamp) -> Result<Option<Vec<Increment>>, Failure> {
        for _ in 0..TRIES {
            let Some(mut known) = self.known(reading).await? else {
                return Ok(None);
            };
            let increments = self.grown(reading, &mut known);
            if increments.is_empty() {
                return Ok(Some(increments));
            }
            let mut writes = vec![self.told_item(reading, &known, now)?];
            for (place, chunk) in chunks(&increments) {
                let mut item = self.pending_key(reading, place);
                item.insert("body".to_owned(), blob(&chunk));
                // The table deletes days after this: what is pending is told by the next run.
                item.insert(
                    "expires".to_owned(),
                    number(&now.plus(2 * self.keep_seconds.max(DAY)).seconds()),
                );
                writes.push(put(Put::builder().table_name(&self.table).set_item(Some(item)))?);
            }
            if dynamodb::transact(&self.client, writes).await? == Transacted::Done {
                return Ok(Some(increments));
            }
        }
        Ok(None)
    }

    /// What a reading has more than is known, which becomes known.
    fn grown(&self, reading: &Reading, known: &mut Known) -> Vec<Increment> {
        let mut increments = Vec::new();
        for (key, total) in &reading.totals {
            let before = known.told.entry(digest64(&[key])).or_default();
            let Some(more) = total.beyond(*before) else { continue };
            increments.push(Increment {
                part: reading.part.clone(),
                bucket: reading.bucket,
                key: key.clone(),
                more,
                event_id: self.event_id(reading, key, *before),
            });
            *before = before.plus(more);
        }
        increments
    }

    fn event_id(&self, reading: &Reading, key: &str, before: Amount) -> String {
        let bucket = reading.bucket.seconds().to_string();
        let before = format!("{}/{}/{}", before.calls, before.units, before.micros);
        stable_uid(&["increment", &self.source, &reading.part, &bucket, key, &before])
    }

    /// What was told of a bucket's part. `None` when a newer version of this program has written it.
    async fn known(&self, reading: &Reading) -> Result<Option<Known>, Failure> {
        let read = self.client.get_item().table_name(&self.table);
        let read = read.set_key(Some(self.told_key(reading))).consistent_read(true);
        let Some(item) = read.send().await.map_err(Failure::sdk)?.item else {
            return Ok(Some(Known::default()));
        };
        let version = item
            .get("version")
            .and_then(|version| version.as_n().ok()?.parse().ok());
        Ok(version.zip(body(&item)).map(|(version, told)| Known { version, told }))
    }

    fn told_item(&self, reading: &Reading, known: &Known, now: Timestamp) -> Result<TransactWriteItem, Failure> {
        let mut item = self.told_key(reading);
        item.insert("body".to_owned(), blob(&known.told));
        item.insert("version".to_owned(), number(&(known.version + 1)));
        // An hour longer than it can be asked for: clocks differ.
        let expires = reading.bucket.max(now).plus(self.keep_seconds + HOUR);
        item.insert("expires".to_owned(), number(&expires.seconds()));
        let write = Put::builder().table_name(&self.table).set_item(Some(item));
        put(match known.version {
            0 => write.condition_expression("attribute_not_exists(pk)"),
            version => write
                .condition_expression("version = :version")
                .expression_attribute_values(":version", number(&version)),
        })
    }

    async fn done(&self, key: Item) -> Result<(), Failure> {
        let delete = self.client.delete_item().table_name(&self.table);
        delete.set_key(Some(key)).send().await.map_err(Failure::sdk)?;
        Ok(())
    }

    fn partition(&self) -> String {
        format!("POLL#{}", self.source)
    }

    fn told_key(&self, reading: &Reading) -> Item {
        self.key(format!(
            "told/{:012}/{}",
            reading.bucket.seconds(),
            bounded(&reading.part, 128)
        ))
    }

    /// Where a chunk of increments is pending. It is named by the first of them, so that increments which another
    /// worker is still telling are not written over.
    fn pending_key(&self, reading: &Reading, first: &str) -> Item {
        let (bucket, part) = (reading.bucket.seconds(), bounded(&reading.part, 128));
        self.key(format!("pending/{bucket:012}/{part}/{first}"))
    }

    fn key(&self, sort_key: String) -> Item {
        Item::from([
            ("pk".to_owned(), AttributeValue::S(self.partition())),
            ("sk".to_owned(), AttributeValue::S(sort_key)),
        ])
    }
}

fn check<E>(reading: &Reading) -> Result<(), TellError<E>> {
    let longest = reading.totals.keys().map(String::len).max().unwrap_or_default();
    if reading.totals.len() <= MAX_KEYS && longest <= MAX_KEY {
        return Ok(());
    }
    Err(TellError::Crowded {
        part: bounded(&reading.part, 128),
        bucket: reading.bucket,
        keys: reading.totals.len(),
        longest,
    })
}

/// Increments, an item's worth at a time, with what names the item.
fn chunks(increments: &[Increment]) -> impl Iterator<Item = (&str, &[Increment])> {
    increments
        .chunks(CHUNK)
        .filter_map(|chunk| Some((chunk.first()?.event_id.as_str(), chunk)))
}

fn put(write: PutBuilder) -> Result<TransactWriteItem, Failure> {
    let put = write.build().map_err(Failure::build)?;
    Ok(TransactWriteItem::builder().put(put).build())
}

fn body<T: serde::de::DeserializeOwned>(item: &Item) -> Option<T> {
    let body = item.get("body")?.as_b().ok()?;
    postcard::from_bytes(body.as_ref()).ok()
}

fn blob<T: Serialize>(value: &T) -> AttributeValue {
    // Numbers and texts alone: nothing in them can fail.
    AttributeValue::B(Blob::new(postcard::to_stdvec(value).unwrap_or_default()))
}
