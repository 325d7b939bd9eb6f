//! Episodes of the control plane: what one identity did to one service on one day, of one family.
//!
//! They hold unions and sums, and are judged anew whenever something joins them, so that neither order nor
//! repetition changes what is found.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tripmeter_model::{Activity, Digest, Family, FindingType, Identity, Kind, PolicyEffect, Service, Tactic};

use crate::journal::{Context, Field, Journal};
use crate::ledger::Ledger;
use crate::person::Persons;
use crate::settings::Settings;
use crate::units::calls;
use crate::weigh::Part;

/// Which control-plane episode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ControlKey {
    pub who: Digest,
    pub day: i32,
    pub service: Service,
    pub family: Family,
}

impl ControlKey {
    /// One of those that a person's ways list.
    pub(crate) fn of(who: Digest, (day, service, family): (i32, Service, Family)) -> Self {
        Self {
            who,
            day,
            service,
            family,
        }
    }
}

/// Where what an episode is about is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Told {
    /// In its own finding.
    Here,
    /// Signals alone: in the findings of the use that they are about.
    Elsewhere,
}

/// See the module's docs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Control {
    pub identity: Identity,
    pub kind: Kind,
    pub tactic: Tactic,
    pub journal: Journal,
    pub shapes: BTreeSet<Digest>,
    /// Every call of it is one that any deployment makes.
    pub routine: bool,
    /// A call of it blinds, or reaches a watched service or everything.
    pub grave: bool,
    /// A principal that it is about uses a watched service already.
    pub about_user: bool,
    /// Uses among it that were carried out.
    pub spent: u64,
    /// The AWS service that made every call of it, if one did.
    pub invoked_by: Option<String>,
    /// Why its calls are watched.
    pub whys: BTreeSet<String>,
    /// The durable ids of those whom a policy lets in.
    pub admitted: BTreeSet<String>,
    /// Whether it is told here.
    pub told: Told,
    /// Event ids seen, hashed, so that a repeated delivery changes nothing.
    repeated: BTreeSet<u32>,
}

/// Shapes, reasons, those let in and event ids kept of one episode.
const MAX_SHAPES: usize = 32;
const MAX_ADMITTED: usize = 16;
const MAX_WHYS: usize = 4;
const MAX_REPEATED: usize = 4_096;

impl Control {
    pub(crate) fn new(identity: Identity, tactic: Tactic, activity: &Activity) -> Self {
        Self {
            identity,
            kind: activity.kind,
            tactic,
            journal: Journal::default(),
            shapes: BTreeSet::new(),
            routine: true,
            grave: false,
            about_user: false,
            spent: 0,
            invoked_by: activity.session.invoked_by.clone(),
            whys: BTreeSet::new(),
            admitted: BTreeSet::new(),
            told: Told::Here,
            repeated: BTreeSet::new(),
        }
    }

    /// Adds an activity; false when its event was added before.
    pub(crate) fn add(&mut self, activity: &Activity, context: &Context) -> bool {
        if let Some(id) = activity.event_id.as_deref() {
            let hash = tripmeter_model::digest64(&[id]).0 as u32;
            if self.repeated.contains(&hash) {
                return false;
            }
            if self.repeated.len() < MAX_REPEATED {
                self.repeated.insert(hash);
            }
        }
        self.journal.add(activity, context);
        if self.shapes.len() < MAX_SHAPES {
            self.shapes.insert(activity.shape);
        }
        self.routine &= activity.routine;
        self.grave |= activity.grave;
        self.kind = self.kind.max(activity.kind);
        if activity.is_spend() {
            self.spent = self.spent.saturating_add(calls(activity));
        }
        if self.invoked_by != activity.session.invoked_by {
            self.invoked_by = None;
        }
        if self.whys.len() < MAX_WHYS && !activity.why.is_empty() {
            self.whys.insert(activity.why.clone());
        }
        if activity.effect == Some(PolicyEffect::PolicyOpened) {
            self.admit(&activity.links);
        }
        true
    }

    /// Those whom a policy lets in are linked; so is the role whose policy it is, which is a target.
    fn admit(&mut self, links: &[String]) {
        let targets = self.journal.values(Field::Target);
        let admitted = links
            .iter()
            .filter(|id| targets.iter().all(|target| target.text != **id));
        self.admitted.extend(admitted.cloned());
        while self.admitted.len() > MAX_ADMITTED {
            self.admitted.pop_last();
        }
    }

    /// Whether it only looks around: reads of limits, or the same over many regions.
    pub(crate) fn only_looks(&self, family: Family) -> bool {
        self.kind == Kind::Probe && matches!(family, Family::LimitProbe | Family::RegionSweep)
    }

    /// Takes in another episode, to be told with it.
    pub(crate) fn join(&mut self, other: &Self) {
        self.journal.merge(&other.journal);
        self.shapes.extend(&other.shapes);
        self.whys.extend(other.whys.iter().cloned());
        self.admitted.extend(other.admitted.iter().cloned());
        self.routine &= other.routine;
        self.grave |= other.grave;
    }

    /// Its type.
    pub(crate) fn finding_type(&self, key: &ControlKey) -> FindingType {
        FindingType {
            tactic: self.tactic,
            service: key.service,
            family: key.family,
        }
    }
}

/// How well the one who changed something is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acquaintance {
    /// The account was not observed for the learning period yet.
    NewAccount,
    /// The account is known; of the identity it is not known whether this is its place.
    Somebody,
    /// All of it came from networks and with clients that the identity's own use has shown for weeks; or it has changed
    /// things for weeks, and the account has known these for as long.
    AtHome,
}

/// What a control-plane episode is judged by.
pub(crate) struct ControlScene<'a> {
    pub key: ControlKey,
    pub control: &'a Control,
    pub ledger: &'a Ledger,
    pub persons: &'a Persons,
    pub settings: &'a Settings,
    pub standing: Acquaintance,
    /// Regions in which this identity changed something on an earlier day.
    pub regions_before: &'a dyn Fn(&str) -> bool,
    /// Part of it came from a network that the account had not seen the day before.
    pub from_new_network: bool,
    /// Whether the account's other identities have read what a shape says for weeks.
    pub read_by_others: &'a dyn Fn(Digest) -> bool,
    /// The service was in use within the last weeks.
    pub in_use: bool,
    /// Calls that the identity makes on the service on a usual day.
    pub mean_day: f64,
}

/// The parts of a verdict; nothing is found when they do not reach 20 points.
pub(crate) type Verdict<'a> = Vec<Part<'a>>;

impl ControlScene<'_> {
    /// How unusual this is for the identity: 1 when it never did it, 0 when it is a habit, or a look from a known network
    /// that others take as well.
    pub(crate) fn weight(&self) -> f64 {
        let day = self.judged_day();
        let person = self.persons.get(&self.key.who);
        let is_look = self.key.family == Family::LimitProbe && !self.from_new_network;
        let weight = |shape: &Digest| match person.and_then(|person| person.habit(*shape)) {
            _ if is_look && (self.read_by_others)(*shape) => 0.0,
            Some(days) => days.weight(day),
            None => 1.0,
        };
        self.control.shapes.iter().map(weight).fold(0.0, f64::max)
    }

    /// The day before which everything has had time to arrive.
    fn judged_day(&self) -> i32 {
        self.control
            .journal
            .first
            .map_or(self.key.day, |first| first.plus(-self.settings.lateness()).day())
    }

    /// Whether the identity never did this, or never in one of these regions, in an account that is known.
    pub(crate) fn is_new_here(&self) -> bool {
        let regions = self.control.journal.values(Field::Region);
        self.standing != Acquaintance::NewAccount
            && (self.weight() >= 1.0 || regions.iter().any(|region| !(self.regions_before)(&region.text)))
    }
}
