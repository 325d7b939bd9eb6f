//! The parts that an account's state is made of, where it lies in a table: each is read and written by itself.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tripmeter_model::{DAY, Digest, Family, Finding, Service, Stage, TEN_MINUTES, Timestamp};

use crate::control::ControlKey;
use crate::ledger::Slot;
use crate::settings::Settings;

/// Days after which what was not written any more is forgotten: a yearly campaign is still known.
const KEPT_DAYS: i64 = 400;

/// Which part of an account's state. Its text is made of ASCII letters, digits, `-` and `/`, and can be read back.
///
/// ```
/// use tripmeter_detect::PartKey;
/// use tripmeter_model::{Digest, Service};
///
/// let key = PartKey::Use(Service::Ses, Digest(7));
/// assert_eq!(key.to_string(), "use/SES/0000000000000007");
/// assert_eq!("use/SES/0000000000000007".parse(), Ok(key));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PartKey {
    /// The account's first and last day.
    Account,
    /// Values that the account's identities have shown, on one service or on all: one of sixteen shards.
    Seen(Option<Service>, u8),
    /// An identity's ties, habits and services.
    Person(Digest),
    /// An opening: the ten minutes since 1970 that it lies in, its stage and service, and whose it is.
    Opening(i64, Stage, Service, Digest),
    /// Who called from a network that is new to the account.
    Callers(Digest),
    /// Whose hours on a service could get worse by an opening.
    Anomalous(Service),
    /// What an identity has shown on a service, and its name.
    Known(Service, Digest),
    /// An episode of the control plane: whose, the day, service and family.
    Control(Digest, i32, Service, Family),
    /// An identity's profile on a service, the hours that may still change, and its episode.
    Use(Service, Digest),
    /// All identities' use of a service together, and its episodes.
    Service(Service),
}

/// What an activity causes to be published, and the part of the state that says that it was.
#[derive(Clone, Debug, PartialEq)]
pub struct Moved {
    /// The part.
    pub part: PartKey,
    /// The finding.
    pub finding: Finding,
}

/// A text that names no part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no part of an account's state")]
pub struct NoSuchPart(String);

impl PartKey {
    /// Whether it holds facts alone, made of unions: written before anything that is judged by them.
    pub fn is_fact(self) -> bool {
        !matches!(self, Self::Control(..) | Self::Use(..) | Self::Service(_))
    }

    /// Whether it states what profiles have counted: written after them. A total that is ahead of a profile could not be
    /// told from one whose profile was forgotten, and would be added to when the profile catches up.
    pub fn is_total(self) -> bool {
        matches!(self, Self::Service(_))
    }

    /// Whether an opening or a tie changes it: who judges use must look again.
    pub fn bears_on_use(self) -> bool {
        matches!(self, Self::Person(_) | Self::Opening(..))
    }

    /// When it cannot matter any more, if it was written now.
    pub fn expires(self, now: Timestamp, settings: &Settings) -> Option<Timestamp> {
        let reach = settings.correlation();
        match self {
            Self::Account | Self::Seen(..) => None,
            Self::Opening(slot, ..) => Some(Timestamp::from_seconds(slot * TEN_MINUTES).plus(3 * reach + 3 * DAY)),
            Self::Callers(_) => Some(now.plus(reach + 2 * DAY)),
            Self::Control(_, day, ..) => {
                Some(Timestamp::from_seconds(i64::from(day) * DAY).plus(settings.closing() + 14 * DAY))
            }
            Self::Person(_) | Self::Anomalous(_) | Self::Known(..) | Self::Use(..) | Self::Service(_) => {
                Some(now.plus(KEPT_DAYS * DAY))
            }
        }
    }

    pub(crate) fn use_of((service, who): (Service, Digest)) -> Self {
        Self::Use(service, who)
    }

    pub(crate) fn control(key: ControlKey) -> Self {
        Self::Control(key.who, key.day, key.service, key.family)
    }

    pub(crate) fn opening(who: Digest, (slot, stage, service): Slot) -> Self {
        Self::Opening(slot, stage, service, who)
    }
}

impl fmt::Display for PartKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Account => f.write_str("account"),
            Self::Seen(service, shard) => write!(f, "seen/{}/{shard}", service.map_or("-", Service::name)),
            Self::Person(who) => write!(f, "person/{:016x}", who.0),
            // In the order of time, so that a window is one range of keys.
            Self::Opening(slot, stage, service, who) => {
                write!(
                    f,
                    "opening/{slot:012}/{}/{}/{:016x}",
                    stage.name(),
                    service.name(),
                    who.0
                )
            }
            Self::Callers(network) => write!(f, "callers/{:016x}", network.0),
            Self::Anomalous(service) => write!(f, "anomalous/{}", service.name()),
            Self::Known(service, who) => write!(f, "known/{}/{:016x}", service.name(), who.0),
            Self::Control(who, day, service, family) => {
                write!(f, "control/{:016x}/{day}/{}/{}", who.0, service.name(), family.name())
            }
            Self::Use(service, who) => write!(f, "use/{}/{:016x}", service.name(), who.0),
            Self::Service(service) => write!(f, "service/{}", service.name()),
        }
    }
}

impl FromStr for PartKey {
    type Err = NoSuchPart;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut words = text.split('/');
        let key = match words.next() {
            Some("account") => Some(Self::Account),
            Some("seen") => seen(&mut words),
            Some("person") => digest(words.next()).map(Self::Person),
            Some("opening") => opening(&mut words),
            Some("callers") => digest(words.next()).map(Self::Callers),
            Some("anomalous") => service(words.next()).map(Self::Anomalous),
            Some("known") => of_identity(&mut words).map(|(service, who)| Self::Known(service, who)),
            Some("control") => control(&mut words),
            Some("use") => of_identity(&mut words).map(|(service, who)| Self::Use(service, who)),
            Some("service") => service(words.next()).map(Self::Service),
            _ => None,
        };
        key.filter(|_| words.next().is_none())
            .ok_or_else(|| NoSuchPart(text.chars().take(100).collect()))
    }
}

fn seen<'a>(words: &mut impl Iterator<Item = &'a str>) -> Option<PartKey> {
    let of = match words.next()? {
        "-" => None,
        name => Some(service(Some(name))?),
    };
    Some(PartKey::Seen(of, words.next()?.parse().ok()?))
}

fn opening<'a>(words: &mut impl Iterator<Item = &'a str>) -> Option<PartKey> {
    let slot = words.next()?.parse().ok()?;
    let name = words.next()?;
    let stage = Stage::ALL.into_iter().find(|stage| stage.name() == name)?;
    Some(PartKey::Opening(
        slot,
        stage,
        service(words.next())?,
        digest(words.next())?,
    ))
}

fn control<'a>(words: &mut impl Iterator<Item = &'a str>) -> Option<PartKey> {
    let (who, day) = (digest(words.next())?, words.next()?.parse().ok()?);
    let of = service(words.next())?;
    let name = words.next()?;
    let family = Family::ALL.iter().find(|family| family.name() == name)?;
    Some(PartKey::Control(who, day, of, *family))
}

fn of_identity<'a>(words: &mut impl Iterator<Item = &'a str>) -> Option<(Service, Digest)> {
    Some((service(words.next())?, digest(words.next())?))
}

fn service(name: Option<&str>) -> Option<Service> {
    Service::ALL
        .iter()
        .copied()
        .find(|service| Some(service.name()) == name)
}

fn digest(hex: Option<&str>) -> Option<Digest> {
    hex.filter(|hex| hex.len() == 16)
        .and_then(|hex| u64::from_str_radix(hex, 16).ok())
        .map(Digest)
}
