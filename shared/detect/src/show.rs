//! Parts of the state, told to people.

use serde::Serialize;
use tripmeter_model::{Digest, Identity, Service, Timestamp};

use crate::account::Whole;
use crate::baseline::Horizon;
use crate::journal::Field;
use crate::novelty::Attribute;
use crate::part::PartKey;
use crate::profile::Profile;
use crate::slice::{KnownPart, PartError, UsePart, decode};

/// How often a value was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Count {
    /// The value.
    pub value: String,
    /// Calls with it.
    pub calls: u64,
}

/// What an account does on one service, over the days that are not folded yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServiceShown {
    /// The service.
    pub service: Service,
    /// The first day of use, in days since 1970.
    pub first_day: i32,
    /// Calls.
    pub calls: u64,
    /// Units: recipients, messages, model calls.
    pub units: u64,
    /// The most units of a day, over 42 active days and those that are not folded yet.
    pub peak_day: u64,
    /// Calls by identity, busiest first.
    #[serde(skip)]
    pub identities: Vec<(Digest, u64)>,
    /// Regions, busiest first.
    pub regions: Vec<Count>,
    /// Networks.
    pub networks: Vec<Count>,
    /// Clients.
    pub clients: Vec<Count>,
    /// Models, topics, senders or countries.
    pub targets: Vec<Count>,
}

/// What an identity's profile on one service says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProfileShown {
    /// Who.
    pub identity: Option<Identity>,
    /// The service.
    pub service: Service,
    /// The first use.
    pub first_use: Timestamp,
    /// The last one.
    pub last_use: Timestamp,
    /// Bytes of the hot part.
    pub bytes: usize,
    /// Mean calls of a day, over the last 28.
    pub mean_day: f64,
    /// Calls of the days that are not folded yet, with the day in days since 1970.
    pub open_days: Vec<(i32, u64)>,
    /// Calls that are expected in the hour after the last use and in its day, once the profile is old enough.
    pub expected: Vec<(&'static str, f64)>,
    /// How many regions, networks, clients and targets it has shown.
    pub shown: Vec<(&'static str, usize)>,
    /// Hours that may still change, with their points: hours since 1970.
    pub hours: Vec<(i64, u64, u32)>,
    /// Event ids that it remembers.
    pub remembered: usize,
    /// How many episodes it has been in.
    pub episodes: u32,
}

impl ServiceShown {
    /// Out of the body of a [`PartKey::Service`].
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(service: Service, body: &[u8]) -> Result<Self, PartError> {
        let key = PartKey::Service(service);
        let Some(whole) = decode::<Whole>(key, Some(body))? else {
            return Err(PartError::Damaged { key });
        };
        let seen = whole.profile.seen();
        let counts = |field: Field| {
            let mut counts: Vec<Count> = seen
                .values(field)
                .iter()
                .map(|value| Count {
                    value: value.text.clone(),
                    calls: value.count,
                })
                .collect();
            counts.sort_by(|a, b| b.calls.cmp(&a.calls).then_with(|| a.value.cmp(&b.value)));
            counts
        };
        Ok(Self {
            service,
            first_day: whole.profile.first_day(),
            calls: seen.count,
            units: seen.units,
            peak_day: whole.profile.peak_day(),
            identities: whole.profile.busiest_identities(),
            regions: counts(Field::Region),
            networks: counts(Field::Network),
            clients: counts(Field::Client),
            targets: counts(Field::Target),
        })
    }
}

impl ProfileShown {
    /// Out of the bodies of a [`PartKey::Use`] and of its [`PartKey::Known`].
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn of(service: Service, who: Digest, body: &[u8], known: Option<&[u8]>) -> Result<Self, PartError> {
        let key = PartKey::Use(service, who);
        let Some(part) = decode::<UsePart>(key, Some(body))? else {
            return Err(PartError::Damaged { key });
        };
        let known = decode::<KnownPart>(PartKey::Known(service, who), known)?;
        let attributes = [
            ("regions", Attribute::Region),
            ("networks", Attribute::Network),
            ("clients", Attribute::Client),
            ("targets", Attribute::Target),
        ];
        let shown = attributes.map(|(name, attribute)| {
            let shown = known.as_ref().map_or(0, |known| known.seen.shown(attribute));
            (name, shown)
        });
        let cells = part.cells.iter();
        Ok(Self {
            identity: known.map(|known| known.identity),
            service,
            first_use: part.profile.first_use,
            last_use: part.profile.last_use,
            bytes: body.len(),
            mean_day: part.profile.mean_day(),
            open_days: part.profile.open_days().collect(),
            expected: expected(&part.profile),
            shown: shown.to_vec(),
            hours: cells
                .map(|(hour, cell)| (*hour, cell.journal.count, cell.points))
                .collect(),
            remembered: part.profile.remembered(),
            episodes: part.episode.map_or(0, |episode| episode.ordinal + 1),
        })
    }
}

fn expected(profile: &Profile) -> Vec<(&'static str, f64)> {
    let expectations = profile.expected_next();
    let of = |name, horizon: Horizon| Some((name, expectations.get(horizon)?.mean));
    [of("hour", Horizon::Hour), of("day", Horizon::Day)]
        .into_iter()
        .flatten()
        .collect()
}

/// The name of an identity, out of the body of a [`PartKey::Known`].
///
/// # Errors
/// When it cannot be read.
pub fn identity_of(service: Service, who: Digest, body: &[u8]) -> Result<Option<Identity>, PartError> {
    let known = decode::<KnownPart>(PartKey::Known(service, who), Some(body))?;
    Ok(known.map(|known| known.identity))
}
