//! Points: what one hour of one identity on one service weighs.
//!
//! A pure function of the profile, the first-seen sets and the ledger, so the last to arrive gets the same answer
//! whatever came before. Anyone can add the points up; the finding shows them.
//!
//! | factor | points |
//! |---|---|
//! | volume, level 1 / 2 / 3 / 4 (4 counts as 3 until grown) | 4 / 20 / 30 / 45 |
//! | lasting | 20 |
//! | new region 16, network 8, client 8, target 8, hour 4, by how rarely this identity shows new ones | 0-44 |
//! | never-seen identity 20 (28 where it spends quickly from a network that nobody knows), dormant 15; with context together at most 35 | |
//! | fresh: much use from what yesterday did not know | 20 |
//! | kept up: on four days of seven from a place that is younger than two weeks and nobody else's | 35 |
//! | two places at once | 10, of a new place alone 5 |
//! | own stage: probe 15, denied burst 20, policy 30, guardrail 35, credential 20, by habit; beside a try 24 in all | sum |
//! | the same by another identity, beside anomalous volume | 8 |
//! | chain: an opening and use that leaves its baseline, or overwhelming use from a new place | 20 |
//! | denied region 40; first use of a service by the account 40, 30 more for much within an hour | |
//! | of a meter: no record shows whose it is | 20 |
//! | signals that it was spent: a weak one 20, a strong one 30, a second source 10 more | |

use tripmeter_model::{Digest, FactorName, HOUR, Identity, IdentityKind, Policy, Service, Suppression, Timestamp};

use crate::account_service::ServiceProfile;
use crate::cell::{Cell, NEW_FOR, Sums, Surprise};
use crate::detections::hijack::Stages;
use crate::detections::spend_signal::Signals;
use crate::detections::{anomalous_use, hijack, patience, spend_signal};
use crate::journal::Value;
use crate::ledger::{Ledger, Opening};
use crate::novelty::{Attribute, Known};
use crate::person::Persons;
use crate::profile::{Around, Profile};
use crate::seen::SharedSeen;
use crate::settings::Settings;
use crate::units::Unit;

/// All that an hour is weighed by.
pub(crate) struct Scene<'a> {
    pub account: &'a str,
    pub account_first_day: i32,
    /// What the account's identities have shown, on all services and on this one.
    pub account_seen: &'a SharedSeen,
    pub shared_seen: &'a SharedSeen,
    pub who: Digest,
    pub identity: &'a Identity,
    pub service: Service,
    pub profile: &'a Profile,
    pub around: &'a Around,
    pub shared: &'a ServiceProfile,
    pub ledger: &'a Ledger,
    pub persons: &'a Persons,
    pub settings: &'a Settings,
    pub policy: &'a dyn Policy,
    /// Units a day that AWS lets the account spend.
    pub most: Option<u64>,
}

/// What a factor is about, before anybody needs it in words.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Note<'a> {
    Surprise(Surprise),
    /// The same of an identity that is new among others.
    Newcomer(Surprise),
    Value {
        value: &'a Value,
        known: Known,
    },
    Hour(u8),
    Times(u64),
    Opening(&'a Opening),
    Lasting {
        hours: u32,
        days: u32,
    },
    /// Days of the last seven on which a young place was shown.
    Kept(u32),
    /// No opening is known: what is new stands for it.
    Unopened,
    /// Use of a service that no record shows.
    BlindSpot(Service),
    /// More than a ceiling, in an hour or a day.
    Above(u64, u64, &'static str),
    Signals(Signals<'a>),
    Nothing,
}

/// One factor, weighed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part<'a> {
    pub name: FactorName,
    pub points: u32,
    pub note: Note<'a>,
}

/// An hour, weighed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Weighed<'a> {
    pub parts: Vec<Part<'a>>,
    pub points: u32,
    /// There is an opening and use that leaves its baseline: AN0417 itself.
    pub chain: bool,
    /// The campaign that explains the volume, if one does.
    pub announced: Option<Suppression>,
}

impl<'a> Weighed<'a> {
    pub(crate) fn add(&mut self, name: FactorName, points: f64, note: Note<'a>) {
        let points = libm::round(points.max(0.0)) as u32;
        if points > 0 {
            self.parts.push(Part { name, points, note });
            self.points += points;
        }
    }
}

/// How well an identity's use of a service is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is young, and so was the account's use of the service when it began.
    Learning,
    /// It is new today, among identities that are not.
    NeverSeen,
    /// Its history, or that of the others, says what is usual.
    Known,
}

/// What is known of the identity and its service when the hour is weighed.
pub(crate) struct Facts {
    pub hour: i64,
    pub day: i32,
    /// First and last use of the hour.
    pub first: Timestamp,
    pub last: Timestamp,
    /// The identity has used the service for less than a day.
    pub newborn: bool,
    pub standing: Standing,
    /// The account itself uses the service for the first time, though it is known.
    pub first_of_service: bool,
    /// What was counted within the last 24 hours, and whether the uses are enough to count.
    pub sums: Sums,
    pub enough: bool,
    /// Days for which the account's identities have used the service.
    pub service_days: i32,
}

impl<'a> Scene<'a> {
    /// Weighs one hour.
    pub(crate) fn weigh(&self, hour: i64) -> Weighed<'a> {
        let mut weighed = Weighed::default();
        let Some(cell) = self.around.cells.get(&hour) else {
            return weighed;
        };
        let Some(facts) = self.facts(hour, cell) else {
            return weighed;
        };
        let quiet = cell.fresh == 0 && cell.kept == 0 && cell.surprise.is_none() && cell.denied_region == 0;
        if quiet && !self.is_metered() && !facts.newborn && !self.profile.dormant_before(facts.day) {
            return weighed;
        }
        let stages = hijack::stages(self, &facts, cell);
        if self.is_metered() {
            self.weigh_metered(&facts, cell, &stages, &mut weighed);
            return weighed;
        }
        let level = anomalous_use::volume(self, &facts, cell, &mut weighed);
        let strange = anomalous_use::strangeness(self, &facts, cell);
        let novelty = anomalous_use::novelty(self, &facts, cell, &strange, &stages, &mut weighed);
        let fresh = anomalous_use::fresh(self, &facts, cell, &strange, novelty, &stages, &mut weighed);
        patience::weigh(self, &facts, cell, &mut weighed);
        hijack::chain(&stages, &facts, level, novelty, fresh, cell, &mut weighed);
        if cell.denied_region > 0 {
            weighed.add(FactorName::DeniedRegion, 40.0, Note::Times(cell.denied_region.into()));
        }
        spend_signal::corroborate(self, &facts, &mut weighed);
        weighed
    }

    /// Whether it is a meter's, which knows how much and in which region, and neither who nor from where.
    pub(crate) fn is_metered(&self) -> bool {
        self.identity.kind == IdentityKind::Meter
    }

    /// Whether its source never says where use comes from: how much, when and of what is all that can be strange.
    pub(crate) fn shows_no_place(&self) -> bool {
        self.service == Service::OpenAi
    }

    fn weigh_metered(&self, facts: &Facts, cell: &'a Cell, stages: &Stages<'a>, weighed: &mut Weighed<'a>) {
        let level = anomalous_use::volume(self, facts, cell, weighed);
        let strange = anomalous_use::strangeness(self, facts, cell);
        let novelty = anomalous_use::novelty(self, facts, cell, &strange, stages, weighed);
        let fresh = spend_signal::fresh(facts, strange.place_of(novelty), self.settings, weighed);
        spend_signal::unrecorded(self, facts, level, fresh, weighed);
        hijack::chain(stages, facts, level, novelty, fresh, cell, weighed);
        spend_signal::ceiling(self, facts, cell, weighed);
        if cell.denied_region > 0 {
            weighed.add(FactorName::DeniedRegion, 40.0, Note::Times(cell.denied_region.into()));
        }
        spend_signal::corroborate(self, facts, weighed);
    }

    /// What is counted of the 24 hours that end with this one.
    pub(crate) fn sums(&self, hour: i64) -> Sums {
        let unit = Unit::of(self.service, self.identity);
        let mut sums = Sums::default();
        for (of, cell) in self.around.cells.range(hour - 23..=hour) {
            sums.uses += u64::from(unit.weight(cell.journal.count, cell.journal.units));
            sums.units = sums.units.saturating_add(cell.journal.units);
            sums.fresh = sums.fresh.saturating_add(cell.fresh);
            sums.wide = sums.wide.saturating_add(cell.wide);
            sums.kept = sums.kept.saturating_add(cell.kept);
            if *of >= hour - 1 {
                sums.lately = sums.lately.saturating_add(cell.fresh);
                sums.paired = sums.paired.saturating_add(cell.paired);
            }
        }
        let known = self.around.cells.get(&hour).map(|cell| cell.sums);
        sums.max(known.unwrap_or_default())
    }

    /// Whether a meter moves on its first day or the one after, of a service that no record shows in use before, in an
    /// account whose other meters have been read for weeks. Before that it may be that they are read at all.
    fn is_first_metered(&self, day: i32) -> bool {
        let first_day = self.profile.first_use.day();
        let read_since = self.account_seen.first(Attribute::Client, meters_value());
        let others_read = read_since.is_some_and(|since| since.day() <= first_day - self.settings.learning_days);
        others_read && day - first_day <= 1 && self.shared.first_day() >= first_day
    }

    fn facts(&self, hour: i64, cell: &Cell) -> Option<Facts> {
        let (first, last) = (cell.journal.first?, cell.journal.last?);
        let (settings, day) = (self.settings, hour.div_euclid(24) as i32);
        let service_since = self.shared.first_day();
        let newborn = last.since(self.profile.first_use) < NEW_FOR;
        let mature = service_since <= self.profile.first_use.day() - settings.learning_days;
        let metered = self.is_metered();
        let sums = self.sums(hour);
        Some(Facts {
            hour,
            day,
            first,
            last,
            newborn,
            standing: if mature && newborn && !metered {
                Standing::NeverSeen
            } else if (metered || !mature) && self.profile.age_days(day) < settings.learning_days {
                Standing::Learning
            } else {
                Standing::Known
            },
            first_of_service: if metered {
                self.is_first_metered(day)
            } else {
                self.account_first_day <= service_since - settings.learning_days && day - service_since <= 1
            },
            sums,
            enough: sums.uses >= u64::from(settings.fresh_uses),
            service_days: day - service_since,
        })
    }
}

/// The value that stands for meters among what the account's identities have shown: it is known since when any are read.
pub(crate) fn meters_value() -> Digest {
    tripmeter_model::digest64(&["meters"])
}

/// The start of an hour since 1970.
pub(crate) fn hour_start(hour: i64) -> Timestamp {
    Timestamp::from_seconds(hour * HOUR)
}
