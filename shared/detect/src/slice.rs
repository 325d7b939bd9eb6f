//! A slice of an account's state: the parts that judging a batch needs, fetched from wherever they lie.
//!
//! Judging says which parts it missed. Whoever judges fetches them and judges anew from what was fetched, until
//! nothing is missing; what changed then is written back. Since every part is made of unions, minima, sums that know
//! what they counted, and pure functions of these, a batch that is judged twice, or whose parts were written in part
//! before a crash, comes to the same end.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::RangeInclusive;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tripmeter_model::{Activity, Digest, Identity, IdentityKind, Policy, Service, Timestamp};

use crate::account::{Account, ControlEpisode, Span, Used, Whole};
use crate::cell::Cell;
use crate::control::ControlKey;
use crate::engine::Terms;
use crate::episode::UseEpisode;
use crate::ledger::Opening;
use crate::part::{Moved, PartKey};
use crate::person::Person;
use crate::profile::{Around, IdHash, Profile};
use crate::seen::{Seen, Shard};
use crate::shelf::Shelf;

/// The format that parts are written in. Readers take this and the one before it; a newer one they leave alone.
pub const FORMAT: u8 = 1;

/// A part that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartError {
    /// A newer release wrote it. It is judged as if it were not there, and is not overwritten.
    #[error("part {key} has format {found}; this release reads up to {FORMAT}")]
    Newer {
        /// The part.
        key: PartKey,
        /// The format that it is written in.
        found: u8,
    },
    /// It is damaged: judged as if it were not there, and written anew.
    #[error("part {key} is damaged")]
    Damaged {
        /// The part.
        key: PartKey,
    },
}

/// What judging asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// Parts by their keys.
    pub parts: BTreeSet<PartKey>,
    /// Every opening of these ten-minute intervals since 1970.
    pub openings: Option<RangeInclusive<i64>>,
}

impl Missing {
    /// Whether nothing is missing.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty() && self.openings.is_none()
    }
}

/// What is to be judged.
#[derive(Clone, Copy, Debug)]
pub enum Work<'a> {
    /// Activities of the account, in any order.
    Activities(&'a [Activity]),
    /// Time has passed: what is quiet closes.
    Advance(Timestamp),
}

/// What came of judging. Where something was missing, nothing else of it is worth anything.
#[derive(Debug, Default)]
pub struct Judged {
    /// What was asked for and was not there.
    pub missing: Missing,
    /// What is to be published, or to be counted as suppressed.
    pub moved: Vec<Moved>,
    /// Parts that are not what was fetched any more.
    pub changed: Vec<(PartKey, Vec<u8>)>,
    /// Ids that profiles were counted by and remember no more, to be kept for deliveries that come again. They are of
    /// batches that were written before, so keeping them is right whether or not what changed is written.
    pub receipts: Vec<(PartKey, Receipt)>,
    /// Parts that could not be read.
    pub errors: Vec<PartError>,
    /// Uses that had been counted before.
    pub repeated: u64,
}

/// See the module's docs.
#[derive(Clone, Debug)]
pub struct Slice {
    account: String,
    /// The bodies that were fetched; `None` where there was nothing.
    bodies: BTreeMap<PartKey, Option<Vec<u8>>>,
    openings: Option<RangeInclusive<i64>>,
    receipts: BTreeMap<PartKey, Receipt>,
}

/// Ids of events that a profile has counted, four bytes each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt(Vec<u8>);

impl Receipt {
    /// A receipt as it was stored.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    /// As it is stored.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// As text, to name it by.
    pub fn to_hex(&self) -> String {
        let mut hex = String::with_capacity(2 * self.0.len());
        for byte in &self.0 {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
        }
        hex
    }

    fn ids(&self) -> impl Iterator<Item = IdHash> + '_ {
        let ids = self.0.chunks_exact(4);
        ids.filter_map(|id| id.try_into().ok())
    }
}

impl Slice {
    /// A slice of an account of which nothing was fetched yet.
    pub fn new(account: &str) -> Self {
        Self {
            account: account.to_owned(),
            bodies: BTreeMap::new(),
            openings: None,
            receipts: BTreeMap::new(),
        }
    }

    /// Puts down a receipt of a profile ([`PartKey::Use`]): needed where a delivery is known to be a second one.
    pub fn put_receipt(&mut self, key: PartKey, receipt: &Receipt) {
        self.receipts.entry(key).or_default().0.extend(&receipt.0);
    }

    /// Puts down a part as it was fetched, or that there is none.
    pub fn put(&mut self, key: PartKey, body: Option<Vec<u8>>) {
        self.bodies.insert(key, body);
    }

    /// Says that every opening of these ten-minute intervals was put down.
    pub fn put_openings(&mut self, slots: RangeInclusive<i64>) {
        self.openings = Some(slots);
    }

    /// The openings that were put down.
    pub fn openings(&self) -> Option<&RangeInclusive<i64>> {
        self.openings.as_ref()
    }

    /// Judges, from what was fetched. Judging does not change the slice.
    pub fn judge<P: Policy>(&self, work: Work<'_>, terms: &Terms<P>) -> Judged {
        let mut judged = Judged::default();
        let mut account = self.assemble(work, &mut judged.errors);
        match work {
            Work::Activities(activities) => terms.observe(&mut account, activities, &mut judged.moved),
            Work::Advance(now) => terms.advance(&mut account, now, &mut judged.moved),
        }
        judged.missing = missing_of(&account);
        judged.repeated = account.repeated;
        if !self.bodies.contains_key(&PartKey::Account) {
            judged.missing.parts.insert(PartKey::Account);
        }
        if judged.missing.is_empty() {
            judged.receipts = forgotten_ids(&mut account);
            let newer = |error: &PartError| match error {
                PartError::Newer { key, .. } => Some(*key),
                PartError::Damaged { .. } => None,
            };
            let untouchable: BTreeSet<PartKey> = judged.errors.iter().filter_map(newer).collect();
            judged.changed = parts_of(&account)
                .filter(|(key, body)| {
                    let known = self.bodies.get(key).and_then(Option::as_ref);
                    known != Some(body) && !untouchable.contains(key)
                })
                .collect();
        }
        judged
    }

    fn assemble(&self, work: Work<'_>, errors: &mut Vec<PartError>) -> Account {
        let began = match work {
            Work::Activities(activities) => activities.iter().map(|activity| activity.time).min(),
            Work::Advance(now) => Some(now),
        };
        let day = began.map_or(0, Timestamp::day);
        let span = Span {
            first_day: day,
            last_day: day,
        };
        let mut account = Account::unfetched(&self.account, span);
        if let Some(slots) = &self.openings {
            account.ledger.fetched(slots);
        }
        for (key, body) in &self.bodies {
            if let Err(error) = put(&mut account, *key, body.as_deref(), &self.bodies) {
                errors.push(error);
            }
        }
        for (key, receipt) in &self.receipts {
            if let PartKey::Use(service, who) = key
                && let Some(used) = account.used.get_mut(&(*service, *who))
            {
                used.around.receipts = receipt.ids().collect();
            }
        }
        account
    }
}

/// The hot part of a profile.
#[derive(Serialize, Deserialize)]
pub(crate) struct UsePart {
    pub profile: Profile,
    pub cells: BTreeMap<i64, Cell>,
    pub episode: Option<UseEpisode>,
    hushed: BTreeSet<i32>,
}

impl UsePart {
    /// With a profile that began when this one had ended; that one alone, if it has folded a day already.
    pub(crate) fn followed_by(mut self, live: Self) -> Self {
        let ended = self.profile.last_use.plus(1);
        if live.profile.first_use < ended || live.profile.has_folded() {
            return live;
        }
        self.profile.append(live.profile);
        for (hour, cell) in live.cells {
            match self.cells.get_mut(&hour) {
                Some(known) => known.append(&cell),
                None => _ = self.cells.insert(hour, cell),
            }
        }
        self.episode = live.episode.or(self.episode);
        self.hushed.extend(live.hushed);
        self
    }
}

/// The same, to be written.
#[derive(Serialize)]
struct UsePartRef<'a> {
    profile: &'a Profile,
    cells: &'a BTreeMap<i64, Cell>,
    episode: &'a Option<UseEpisode>,
    hushed: &'a BTreeSet<i32>,
}

/// The part of a profile that changes with something new.
#[derive(Serialize, Deserialize)]
pub(crate) struct KnownPart {
    pub identity: Identity,
    pub seen: Seen,
    vouched: BTreeSet<Digest>,
}

impl KnownPart {
    pub(crate) fn merge(&mut self, other: Self) {
        self.seen.merge(&other.seen);
        self.vouched.extend(other.vouched);
    }
}

/// The same, to be written.
#[derive(Serialize)]
struct KnownPartRef<'a> {
    identity: &'a Identity,
    seen: &'a Seen,
    vouched: &'a BTreeSet<Digest>,
}

/// Puts a part where it belongs. A part that cannot be read is one that is not there.
fn put(
    account: &mut Account,
    key: PartKey,
    body: Option<&[u8]>,
    bodies: &BTreeMap<PartKey, Option<Vec<u8>>>,
) -> Result<(), PartError> {
    match key {
        PartKey::Account => {
            if let Some(span) = decode(key, body)? {
                account.span = span;
            }
            Ok(())
        }
        PartKey::Seen(of, shard) => {
            let (values, read) = apart(decode::<Shard>(key, body));
            account.seen_mut(of).put(shard, values.unwrap_or_default());
            read
        }
        PartKey::Person(who) => put_on(&mut account.persons, who, decode::<Person>(key, body)),
        PartKey::Opening(slot, stage, service, who) => {
            if let Some(opening) = decode::<Opening>(key, body)? {
                account.ledger.put(who, (slot, stage, service), opening);
            }
            Ok(())
        }
        PartKey::Callers(network) => put_on(&mut account.callers, network, decode(key, body)),
        PartKey::Anomalous(service) => put_on(&mut account.anomalous, service, decode(key, body)),
        PartKey::Service(service) => put_on(&mut account.services, service, decode::<Whole>(key, body)),
        PartKey::Control(who, day, service, family) => {
            let of = ControlKey {
                who,
                day,
                service,
                family,
            };
            put_on(&mut account.controls, of, decode::<ControlEpisode>(key, body))
        }
        PartKey::Use(service, who) => {
            let Some(known) = bodies.get(&PartKey::Known(service, who)) else {
                return Ok(());
            };
            let (known, _) = apart(decode::<KnownPart>(PartKey::Known(service, who), known.as_deref()));
            let (part, read) = apart(decode::<UsePart>(key, body));
            put_used(account, (service, who), part, known);
            read
        }
        // Put down together with its profile; read here to say whether it can be.
        PartKey::Known(..) => decode::<KnownPart>(key, body).map(|_| ()),
    }
}

/// What was read, if it was, and what was wrong with it, if it was not.
fn apart<T>(read: Result<Option<T>, PartError>) -> (Option<T>, Result<(), PartError>) {
    match read {
        Ok(value) => (value, Ok(())),
        Err(error) => (None, Err(error)),
    }
}

fn put_on<K, V>(shelf: &mut Shelf<K, V>, key: K, read: Result<Option<V>, PartError>) -> Result<(), PartError>
where
    K: Copy + Eq + Ord + std::hash::Hash,
{
    let (value, read) = apart(read);
    shelf.put(key, value);
    read
}

fn put_used(account: &mut Account, key: (Service, Digest), part: Option<UsePart>, known: Option<KnownPart>) {
    let (mut around, identity) = match known {
        Some(known) => (Around::of(known.seen, known.vouched), Some(known.identity)),
        None => (Around::default(), None),
    };
    let Some(part) = part else {
        // What was seen first is written first: a crash may have come between.
        account.strays.insert(key, around);
        account.used.put(key, None);
        return;
    };
    around.cells = part.cells;
    let used = Used {
        profile: part.profile,
        around,
        // Without a name, it is named anew by its next use.
        identity: identity.unwrap_or_else(|| Identity {
            kind: IdentityKind::Other,
            id: String::new(),
        }),
        episode: part.episode,
        hushed: part.hushed,
    };
    account.used.put(key, Some(used));
}

fn forgotten_ids(account: &mut Account) -> Vec<(PartKey, Receipt)> {
    let keys = account.used.keys_where(|_, _| true);
    let receipts = keys.into_iter().filter_map(|key| {
        let ids = account.used.get_mut(&key)?.profile.forget_ids();
        let receipt = Receipt(ids.into_iter().flatten().collect());
        (!receipt.0.is_empty()).then_some((PartKey::use_of(key), receipt))
    });
    receipts.collect()
}

fn missing_of(account: &Account) -> Missing {
    let mut parts = BTreeSet::new();
    for (service, who) in account.used.missed() {
        parts.extend([PartKey::Use(service, who), PartKey::Known(service, who)]);
    }
    parts.extend(account.seen.missed().map(|shard| PartKey::Seen(None, shard)));
    for (service, seen) in &account.seen_on {
        parts.extend(seen.missed().map(|shard| PartKey::Seen(Some(*service), shard)));
    }
    parts.extend(account.persons.missed().into_iter().map(PartKey::Person));
    parts.extend(account.callers.missed().into_iter().map(PartKey::Callers));
    parts.extend(account.anomalous.missed().into_iter().map(PartKey::Anomalous));
    parts.extend(account.services.missed().into_iter().map(PartKey::Service));
    parts.extend(account.controls.missed().into_iter().map(PartKey::control));
    Missing {
        parts,
        openings: account.ledger.missed(),
    }
}

/// Every part of what is held of an account, as it is written.
pub(crate) fn parts_of(account: &Account) -> impl Iterator<Item = (PartKey, Vec<u8>)> + '_ {
    let span = std::iter::once((PartKey::Account, encode(&account.span)));
    let seen = std::iter::once((None, &account.seen));
    let seen_on = account.seen_on.iter().map(|(service, seen)| (Some(*service), seen));
    let seen = seen.chain(seen_on).flat_map(|(of, seen)| {
        seen.shards()
            .map(move |(shard, values)| (PartKey::Seen(of, shard), encode(&values)))
    });
    let persons = account.persons.iter();
    let persons = persons.map(|(who, person)| (PartKey::Person(*who), encode(person)));
    let openings = account.ledger.iter();
    let openings = openings.map(|(who, slot, opening)| (PartKey::opening(who, slot), encode(opening)));
    let callers = account.callers.iter();
    let callers = callers.map(|(network, callers)| (PartKey::Callers(*network), encode(callers)));
    let anomalous = account.anomalous.iter();
    let anomalous = anomalous.map(|(service, who)| (PartKey::Anomalous(*service), encode(who)));
    let controls = account.controls.iter();
    let controls = controls.map(|(key, episode)| (PartKey::control(*key), encode(episode)));
    let services = account.services.iter();
    let services = services.map(|(service, whole)| (PartKey::Service(*service), encode(whole)));
    let used = account.used.iter().flat_map(|((service, who), used)| {
        let known = KnownPartRef {
            identity: &used.identity,
            seen: &used.around.seen,
            vouched: &used.around.vouched,
        };
        let part = UsePartRef {
            profile: &used.profile,
            cells: &used.around.cells,
            episode: &used.episode,
            hushed: &used.hushed,
        };
        [
            (PartKey::Known(*service, *who), encode(&known)),
            (PartKey::Use(*service, *who), encode(&part)),
        ]
    });
    span.chain(seen)
        .chain(persons)
        .chain(openings)
        .chain(callers)
        .chain(anomalous)
        .chain(controls)
        .chain(services)
        .chain(used)
}

/// A part's body: its format, then its value.
pub(crate) fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    // Writing to memory fails only where a value's own serializer does, and these derive theirs.
    postcard::to_extend(value, vec![FORMAT]).unwrap_or_default()
}

/// A part's value, if there is a body.
pub(crate) fn decode<T: DeserializeOwned>(key: PartKey, body: Option<&[u8]>) -> Result<Option<T>, PartError> {
    let Some(body) = body else { return Ok(None) };
    match body.split_first() {
        Some((&FORMAT, value)) => postcard::from_bytes(value)
            .map(Some)
            .map_err(|_| PartError::Damaged { key }),
        Some((&found, _)) if found > FORMAT => Err(PartError::Newer { key, found }),
        _ => Err(PartError::Damaged { key }),
    }
}
