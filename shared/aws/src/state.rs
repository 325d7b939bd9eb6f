//! What the detector knows, in its table: how it is read, judged from and written.
//!
//! An account's state is made of parts ([`PartKey`]), an item each. Judging a batch fetches the parts that it asks
//! for, and writes those that changed, each under the condition that nobody wrote it since. The order of the writes is
//! the protocol:
//!
//! 1. **Receipts**: ids that a profile has counted and remembers no more. They are true whatever follows.
//! 2. **Facts**: openings, ties, first-seen sets. Unions, so that writing them again changes nothing.
//! 3. **The head**: whoever wrote a fact that bears on others' use counts up the account's generation, and only then
//!    reads that use and judges it. Where the batch may have been delivered before, whoever had it then may have died
//!    between the facts and the head, so it is counted up once more.
//! 4. **Judged parts**: profiles and episodes; an episode that moved in one transaction with its findings.
//! 5. **Totals**: what all profiles of a service come to. They state what profiles have counted, so no total is ever
//!    ahead of a profile.
//! 6. **The head again**: whoever judged looks whether the generation moved meanwhile, and judges anew if it did.
//!
//! So of an opening and a use that are judged at the same time, at least one side sees the other. A crash between any
//! two writes loses nothing, since the message comes again, and doubles nothing, since every part knows what it
//! counted. A condition that failed means that somebody else wrote, or that our own earlier try did: the parts are
//! fetched anew, and what was counted is known to have been.

mod items;
mod read;
mod seed;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, Put, TransactWriteItem};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use tripmeter_detect::{Judged, LEARNING, Missing, Moved, PartError, PartKey, Receipt, Slice, Terms, Work};
use tripmeter_model::{Policy, Timestamp};

use crate::dynamodb::{self, Failure, Item, Transacted, Written};
use crate::findings::{FindingsError, FindingsTable};
use crate::sample::Sample;
use items::Place;

pub use read::Listed;
pub use seed::Sown;

/// Tries at a batch of one account while others write the same parts: about ten seconds.
const TRIES: u32 = 12;
/// Tries, with those that look again because a fact was written meanwhile.
const LOOKS: u32 = 60;
/// Rounds of fetching what judging asks for: parts that name parts that name parts.
const ROUNDS: usize = 12;
/// Writes under way at once.
const AT_ONCE: usize = 16;
/// Keys of one read.
const KEYS: usize = 100;
/// The largest body that is written: an item holds 400 KB.
const LARGEST: usize = 380_000;

/// What went wrong with an account's batch. None of it has lost anything: the batch is to be handed back.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// DynamoDB refused or could not be reached.
    #[error(transparent)]
    Table(#[from] Failure),
    /// A finding could not be stored.
    #[error(transparent)]
    Finding(#[from] FindingsError),
    /// Others wrote the same parts again and again.
    #[error("account {account}: {TRIES} tries met others' writes")]
    Contended {
        /// The account.
        account: String,
    },
    /// Judging asked for more and more.
    #[error("account {account}: judging asked for more in {ROUNDS} rounds")]
    Unending {
        /// The account.
        account: String,
    },
}

/// What is to be judged, of one account.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// The account.
    pub account: &'a str,
    /// What happened in it.
    pub work: Work<'a>,
    /// Parts that are needed whether or not judging asks for them: those whose time may have come.
    pub due: &'a [PartKey],
    /// Some of it may have been delivered before.
    pub redelivered: bool,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Findings that were stored.
    pub moved: Vec<Moved>,
    /// Writes that met others'.
    pub conflicts: u32,
    /// Parts that could not be read, or are too large to be written.
    pub unreadable: Vec<PartError>,
    /// Parts that are too large to be written.
    pub oversized: Vec<PartKey>,
    /// Uses that had been counted before the batch was judged first.
    pub repeated: Option<u64>,
}

/// The state table.
#[derive(Clone, Debug)]
pub struct State {
    client: Client,
    table: String,
    findings: FindingsTable,
}

/// What was fetched of an account.
struct Fetched {
    slice: Slice,
    versions: HashMap<PartKey, u64>,
    generation: u64,
}

/// How a try ended.
enum Tried {
    Done,
    /// Somebody else wrote.
    Conflict,
    /// A fact was written, or somebody wrote one, that may change what is judged.
    LookAgain,
}

impl State {
    /// The state in a table, with the table that its findings go to.
    pub fn new(client: Client, table: impl Into<String>, findings: FindingsTable) -> Self {
        Self {
            client,
            table: table.into(),
            findings,
        }
    }

    /// Where the state lies, for what lies beside it.
    pub(crate) fn table(&self) -> &str {
        &self.table
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Stores a sample's finding. Stored once however often it comes.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn tell_sample(&self, sample: &Sample, now: Timestamp) -> Result<(), StateError> {
        self.findings.put(&sample.finding("", now), "sample", None, now).await?;
        Ok(())
    }

    /// Judges a batch and stores what came of it. When it returns, the batch may be acknowledged.
    ///
    /// # Errors
    /// See [`StateError`]; the batch is to be delivered again.
    pub async fn judge<P: Policy>(
        &self,
        batch: Batch<'_>,
        terms: &Terms<P>,
        now: Timestamp,
    ) -> Result<Outcome, StateError> {
        let mut outcome = Outcome::default();
        let mut batch = batch;
        // Of what was delivered before, the facts may have been written by somebody who died before saying so.
        let mut unsaid = batch.redelivered && bears_on_use(batch.work);
        for _ in 0..LOOKS {
            match self.attempt(batch, unsaid, terms, now, &mut outcome).await? {
                Tried::Done => return Ok(outcome),
                Tried::LookAgain => unsaid = false,
                Tried::Conflict if outcome.conflicts >= TRIES => break,
                Tried::Conflict => {
                    // Some of its profiles may have been written, and been written by others since.
                    batch.redelivered = true;
                    outcome.conflicts += 1;
                    tokio::time::sleep(pause(outcome.conflicts)).await;
                }
            }
        }
        Err(StateError::Contended {
            account: batch.account.to_owned(),
        })
    }

    async fn attempt<P: Policy>(
        &self,
        batch: Batch<'_>,
        unsaid: bool,
        terms: &Terms<P>,
        now: Timestamp,
        outcome: &mut Outcome,
    ) -> Result<Tried, StateError> {
        let (fetched, judged) = self.fetch_and_judge(batch, terms, now).await?;
        outcome.unreadable.clone_from(&judged.errors);
        outcome.repeated.get_or_insert(judged.repeated);
        self.put_receipts(batch.account, &judged.receipts, now).await?;
        // What comes so late that it cannot matter any more is not written: it would be gone when it is read.
        let matters = |key: &PartKey| key.expires(now, terms.settings()).is_none_or(|expires| expires >= now);
        let changed = judged.changed.into_iter().filter(|(key, _)| matters(key));
        let (small, large): (Vec<_>, Vec<_>) = changed.partition(|(_, body)| body.len() <= LARGEST);
        outcome.oversized = large.into_iter().map(|(key, _)| key).collect();
        let (facts, others): (Vec<_>, Vec<_>) = small.into_iter().partition(|(key, _)| key.is_fact());

        let bearing = unsaid || facts.iter().any(|(key, _)| key.bears_on_use());
        let writes = facts.into_iter().map(|(key, body)| Write {
            key,
            body,
            moved: Vec::new(),
        });
        if !self
            .put_parts(batch.account, writes, &fetched.versions, terms, now, outcome)
            .await?
        {
            return Ok(Tried::Conflict);
        }
        if bearing {
            self.count_up(batch.account).await?;
            return Ok(Tried::LookAgain);
        }

        let mut moved: BTreeMap<PartKey, Vec<Moved>> = BTreeMap::new();
        for one in judged.moved {
            moved.entry(one.part).or_default().push(one);
        }
        let (totals, profiles): (Vec<_>, Vec<_>) = others.into_iter().partition(|(key, _)| key.is_total());
        for parts in [profiles, totals] {
            let writes = parts.into_iter().map(|(key, body)| Write {
                key,
                body,
                moved: moved.remove(&key).unwrap_or_default(),
            });
            let writes: Vec<Write> = writes.collect();
            if !self
                .put_parts(batch.account, writes, &fetched.versions, terms, now, outcome)
                .await?
            {
                return Ok(Tried::Conflict);
            }
        }
        // Of a part that is not written, because it comes too late or has grown too large, what was found is kept.
        for one in moved.into_values().flatten() {
            if self.put_finding(&one, now).await? == Written::Done {
                outcome.moved.push(one);
            }
        }
        if self.generation(batch.account).await? != fetched.generation {
            return Ok(Tried::LookAgain);
        }
        Ok(Tried::Done)
    }

    /// Judges, fetching what judging asks for, until nothing is missing.
    async fn fetch_and_judge<P: Policy>(
        &self,
        batch: Batch<'_>,
        terms: &Terms<P>,
        now: Timestamp,
    ) -> Result<(Fetched, Judged), StateError> {
        let mut fetched = Fetched {
            slice: Slice::new(batch.account),
            versions: HashMap::new(),
            generation: self.generation(batch.account).await?,
        };
        let mut missing = Missing {
            parts: batch.due.iter().flat_map(|key| whole(*key)).collect(),
            openings: None,
        };
        for _ in 0..ROUNDS {
            self.fetch(batch, &missing, &mut fetched, now).await?;
            let judged = fetched.slice.judge(batch.work, terms);
            if judged.missing.is_empty() {
                return Ok((fetched, judged));
            }
            missing = judged.missing;
        }
        Err(StateError::Unending {
            account: batch.account.to_owned(),
        })
    }

    async fn fetch(
        &self,
        batch: Batch<'_>,
        missing: &Missing,
        fetched: &mut Fetched,
        now: Timestamp,
    ) -> Result<(), StateError> {
        let keys: Vec<PartKey> = missing.parts.iter().copied().collect();
        for chunk in keys.chunks(KEYS) {
            let items = self.get(batch.account, chunk).await?;
            for key in chunk {
                let item = items.get(&Place::of(batch.account, *key));
                let body = item.and_then(|item| items::body(item, now));
                if let Some(version) = item.map(items::version) {
                    fetched.versions.insert(*key, version);
                }
                fetched.slice.put(*key, body);
            }
        }
        if batch.redelivered {
            for key in keys.iter().filter(|key| matches!(key, PartKey::Use(..))) {
                for receipt in self.receipts(batch.account, *key).await? {
                    fetched.slice.put_receipt(*key, &receipt);
                }
            }
        }
        if let Some(slots) = missing.openings.clone() {
            let (pk, from, to) = items::openings(batch.account, &slots);
            for item in self.query(&pk, &from, &to).await? {
                let Some(key) = items::part_of(&item) else { continue };
                if let Some(body) = items::body(&item, now) {
                    fetched.slice.put(key, Some(body));
                }
                fetched.versions.insert(key, items::version(&item));
            }
            fetched.slice.put_openings(slots);
        }
        Ok(())
    }

    /// Items by their keys. What is not there is not in the answer.
    async fn get(&self, account: &str, keys: &[PartKey]) -> Result<BTreeMap<Place, Item>, StateError> {
        let places: BTreeSet<Place> = keys.iter().map(|key| Place::of(account, *key)).collect();
        let mut found = BTreeMap::new();
        let mut asked: Vec<Item> = places.iter().map(Place::key).collect();
        let mut turn = 0;
        while !asked.is_empty() {
            let request = KeysAndAttributes::builder()
                .set_keys(Some(asked))
                .consistent_read(true)
                .build()
                .map_err(Failure::build)?;
            let read = self.client.batch_get_item().request_items(&self.table, request);
            let answer = read.send().await.map_err(Failure::sdk)?;
            for item in answer.responses.unwrap_or_default().into_values().flatten() {
                if let Some(place) = Place::read(&item) {
                    found.insert(place, item);
                }
            }
            // What was not worked on for want of capacity is asked for again, less and less often.
            asked = answer
                .unprocessed_keys
                .unwrap_or_default()
                .into_values()
                .flat_map(|keys| keys.keys)
                .collect();
            if !asked.is_empty() {
                tokio::time::sleep(pause(turn)).await;
                turn += 1;
            }
        }
        Ok(found)
    }

    /// See [`dynamodb::between`].
    async fn query(&self, pk: &str, from: &str, to: &str) -> Result<Vec<Item>, StateError> {
        Ok(dynamodb::between(&self.client, &self.table, pk, from, to).await?)
    }

    async fn receipts(&self, account: &str, key: PartKey) -> Result<Vec<Receipt>, StateError> {
        let (pk, from, to) = items::receipts(account, key);
        let items = self.query(&pk, &from, &to).await?;
        Ok(items.iter().filter_map(items::receipt).collect())
    }

    async fn put_receipts(
        &self,
        account: &str,
        receipts: &[(PartKey, Receipt)],
        now: Timestamp,
    ) -> Result<(), StateError> {
        for (key, receipt) in receipts {
            let put = self.client.put_item().table_name(&self.table);
            let put = put.set_item(Some(items::receipt_item(account, *key, receipt, now)));
            put.send().await.map_err(Failure::sdk)?;
        }
        Ok(())
    }

    /// Writes parts, each under its condition. Says whether all of them were written.
    async fn put_parts<P: Policy>(
        &self,
        account: &str,
        writes: impl IntoIterator<Item = Write>,
        versions: &HashMap<PartKey, u64>,
        terms: &Terms<P>,
        now: Timestamp,
        outcome: &mut Outcome,
    ) -> Result<bool, StateError> {
        let written = stream::iter(writes)
            .map(|write| async move {
                let version = versions.get(&write.key).copied();
                let expires = write.key.expires(now, terms.settings());
                let put = items::put(&self.table, account, write.key, write.body, version, expires)
                    .map_err(Failure::build)?;
                if version.is_none() && write.key == PartKey::Account {
                    self.enlist(account, now).await?;
                }
                let done = self.put(put, &write.moved, now).await?;
                Ok::<_, StateError>((done, write.moved))
            })
            .buffer_unordered(AT_ONCE);
        let written: Vec<(Written, Vec<Moved>)> = written.try_collect().await?;
        let mut all = true;
        for (done, moved) in written {
            match done {
                Written::Done => outcome.moved.extend(moved),
                Written::Refused => all = false,
            }
        }
        Ok(all)
    }

    /// Writes a part: alone, or in one transaction with the findings that it moved. A finding of which the table has
    /// the same revision or a newer one is there already, and holds nothing up.
    async fn put(&self, put: Put, moved: &[Moved], now: Timestamp) -> Result<Written, StateError> {
        let mut findings: Vec<&Moved> = latest(moved).collect();
        while !findings.is_empty() {
            let mut transaction = vec![TransactWriteItem::builder().put(put.clone()).build()];
            for moved in &findings {
                let put = self
                    .findings
                    .transact_put(&moved.finding, moved.part, held(moved), now)?;
                transaction.push(put);
            }
            match dynamodb::transact(&self.client, transaction).await? {
                Transacted::Done => return Ok(Written::Done),
                Transacted::Refused(places) if places.is_empty() || places.contains(&0) => return Ok(Written::Refused),
                Transacted::Refused(places) => {
                    let mut place = 0;
                    findings.retain(|_| {
                        place += 1;
                        !places.contains(&place)
                    });
                }
            }
        }
        Ok(dynamodb::put(&self.client, put).await?)
    }

    /// Writes a finding alone.
    async fn put_finding(&self, moved: &Moved, now: Timestamp) -> Result<Written, StateError> {
        Ok(self.findings.put(&moved.finding, moved.part, held(moved), now).await?)
    }

    async fn generation(&self, account: &str) -> Result<u64, StateError> {
        let read = self.client.get_item().table_name(&self.table);
        let read = read.set_key(Some(Place::head(account).key())).consistent_read(true);
        let answer = read.send().await.map_err(Failure::sdk)?;
        Ok(answer.item.as_ref().map_or(0, items::generation))
    }

    async fn count_up(&self, account: &str) -> Result<(), StateError> {
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Place::head(account).key()))
            .update_expression("ADD generation :one")
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
            .send()
            .await
            .map_err(Failure::sdk)?;
        Ok(())
    }

    /// Puts an account on the list of those that were seen.
    async fn enlist(&self, account: &str, now: Timestamp) -> Result<(), StateError> {
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Place::listed(account).key()))
            .update_expression("SET first_seen = if_not_exists(first_seen, :now)")
            .expression_attribute_values(":now", AttributeValue::N(now.seconds().to_string()))
            .send()
            .await
            .map_err(Failure::sdk)?;
        Ok(())
    }
}

/// A part to be written, with the findings that it moved.
struct Write {
    key: PartKey,
    body: Vec<u8>,
    moved: Vec<Moved>,
}

/// Whether openings or ties may come of it.
fn bears_on_use(work: Work<'_>) -> bool {
    let Work::Activities(activities) = work else {
        return false;
    };
    let mut activities = activities.iter();
    activities.any(|activity| activity.stage().is_some() || !activity.links.is_empty())
}

/// A profile lies in two parts, read together.
fn whole(key: PartKey) -> impl Iterator<Item = PartKey> {
    let known = match key {
        PartKey::Use(service, who) => Some(PartKey::Known(service, who)),
        _ => None,
    };
    std::iter::once(key).chain(known)
}

/// Why a finding waits, if it does: its account is being learned.
fn held(moved: &Moved) -> Option<&str> {
    let rule = moved.finding.suppressed.as_ref()?;
    (rule.rule == LEARNING).then_some(rule.reason.as_str())
}

/// Of several publications of one episode, the last: a transaction writes an item once.
fn latest(moved: &[Moved]) -> impl Iterator<Item = &Moved> {
    let mut last: BTreeMap<&str, &Moved> = BTreeMap::new();
    for moved in moved {
        last.insert(&moved.finding.uid, moved);
    }
    last.into_values()
}

/// How long to wait before the next try: longer each time, and never as long as the others.
fn pause(turn: u32) -> Duration {
    let most = 20u64 << turn.min(6);
    Duration::from_millis(most / 2 + fastrand::u64(..=most / 2))
}
