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
//! | never-seen identity 20, dormant 15; with context together at most 35 | |
//! | fresh: much use from what yesterday did not know | 20 |
//! | two places at once | 10 |
//! | own stage: probe 15, denied burst 20, policy 30, guardrail 35, credential 20, by habit | sum |
//! | the same by another identity, beside anomalous volume | 8 |
//! | chain: an opening and use that leaves its baseline | 20 |
//! | denied region 40, first use of a service by the account 40 | |

use std::collections::HashMap;

use tripmeter_model::{Digest, FactorName, HOUR, Identity, MINUTE, Policy, Service, Stage, Suppression, Timestamp};

use crate::account_service::ServiceProfile;
use crate::baseline::Level;
use crate::habits::Days;
use crate::journal::{CONTEXT, Field, Value};
use crate::ledger::{Ledger, Opening};
use crate::novelty::{Attribute, Known};
use crate::profile::{Around, Cell, NEW_FOR, Profile, Surprise};
use crate::seen::SharedSeen;
use crate::settings::Settings;

/// What an identity does again and again, by the shape of the call.
pub(crate) type Habits = HashMap<(Digest, Digest), Days>;

/// Never-seen and dormant identities together with their context weigh at most this, unless context alone is more.
const MOST_STRANGENESS: f64 = 35.0;
/// Context that is strange enough by itself, beside an own stage, and as use that shares nothing with yesterday.
const FRESH_ALONE: f64 = 28.0;
const FRESH_BESIDE_STAGE: f64 = 10.0;
const FRESH_WIDE: f64 = 18.0;
/// A stage that counts beside context.
const TELLING_STAGE: f64 = 15.0;
/// Stages that count while a profile learns: a policy changed, a control weakened, more than looking and trying.
const LEARNING_STAGES: f64 = 30.0;
/// Novelty and stages that make an opening.
const OPENING: f64 = 20.0;
/// What is new to the whole account, where the account never used the service.
const FOREIGN: f64 = 11.0;
/// Uses of known places that show that the usual caller goes on.
const GOES_ON: u32 = 3;
/// Hours of one day, and days of seven, that make a rise lasting.
const LASTING_HOURS: u32 = 6;
const LASTING_DAYS: u32 = 4;

/// All that an hour is weighed by.
pub(crate) struct Scene<'a> {
    pub account: &'a str,
    pub account_first_day: i32,
    pub account_seen: &'a SharedSeen,
    pub who: Digest,
    pub identity: &'a Identity,
    pub service: Service,
    pub profile: &'a Profile,
    pub around: &'a Around,
    pub shared: &'a ServiceProfile,
    pub ledger: &'a Ledger,
    pub habits: &'a Habits,
    pub settings: &'a Settings,
    pub policy: &'a dyn Policy,
}

/// What a factor is about, before anybody needs it in words.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Note<'a> {
    Surprise(Surprise),
    Value { value: &'a Value, known: Known },
    Hour(u8),
    Times(u64),
    Opening(&'a Opening),
    Lasting { hours: u32, days: u32 },
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
    fn add(&mut self, name: FactorName, points: f64, note: Note<'a>) {
        let points = libm::round(points.max(0.0)) as u32;
        if points > 0 {
            self.parts.push(Part { name, points, note });
            self.points += points;
        }
    }
}

/// What is strange about the context of an hour.
#[derive(Default)]
struct Strangeness<'a> {
    parts: Vec<(FactorName, f64, Note<'a>)>,
    points: f64,
    /// Of it, what nobody in the account has shown.
    unknown: f64,
    /// Of region, network and client: what nobody in the account has shown on any service.
    foreign: f64,
    /// Points of a new region or network alone.
    place: f64,
}

/// The stages that bear on an hour.
#[derive(Default)]
struct Stages<'a> {
    own: Vec<(Stage, f64, &'a Opening)>,
    points: f64,
    other: Option<&'a Opening>,
}

impl<'a> Scene<'a> {
    /// Weighs one hour.
    pub(crate) fn weigh(&self, hour: i64) -> Weighed<'a> {
        let mut weighed = Weighed::default();
        let Some(cell) = self.around.cells.get(&hour) else {
            return weighed;
        };
        let (Some(first), Some(last)) = (cell.journal.first, cell.journal.last) else {
            return weighed;
        };
        let day = hour.div_euclid(24) as i32;
        let newborn = last.since(self.profile.first_use) < NEW_FOR;
        if !newborn && cell.fresh == 0 && cell.surprise.is_none() && cell.denied_region == 0 && !self.dormant(day) {
            return weighed;
        }
        let settings = self.settings;
        let mature = self.shared.first_day() <= self.profile.first_use.day() - settings.learning_days;
        let learning = self.profile.age_days(day) < settings.learning_days && !mature;
        let first_of_service = self.account_first_day <= self.shared.first_day() - settings.learning_days
            && day - self.shared.first_day() <= 1;
        let recent = || self.around.cells.range(hour - 23..=hour).map(|(_, cell)| cell);
        let uses: u64 = recent().map(|c| c.journal.count).sum();
        let enough = uses >= u64::from(settings.fresh_uses);

        let stages = self.stages(cell, first, last);
        let strange = self.strangeness(cell, hour, last);
        let never_seen = mature && newborn;
        let known_enough = !never_seen || enough || stages.points >= TELLING_STAGE;

        // Volume.
        let announced = self.announced(cell, first);
        let level = if learning || announced.is_some() {
            Level::Usual
        } else {
            cell.level()
        };
        let grown = self.profile.age_days(day) >= settings.grown_days;
        weighed.announced = announced;
        if let Some(surprise) = cell.surprise.filter(|_| level > Level::Usual) {
            weighed.add(
                FactorName::Volume,
                volume_points(level, grown),
                Note::Surprise(surprise),
            );
        }
        let anomalous = level >= Level::Anomalous;
        if anomalous && grown {
            let hours = self
                .profile
                .day(day)
                .map_or(0, |open| open.anomalous_hours.count_ones());
            let days = self.profile.anomalous_days(day);
            if hours >= LASTING_HOURS || days >= LASTING_DAYS {
                weighed.add(FactorName::Lasting, 20.0, Note::Lasting { hours, days });
            }
        }

        // Novelty.
        // Everything is new on a first day, so while a profile learns it takes more than a look at the limits.
        let changed = stages
            .own
            .iter()
            .any(|(stage, ..)| !matches!(stage, Stage::Probe | Stage::DeniedUse));
        let telling = changed && stages.points >= LEARNING_STAGES;
        let counts = if learning { telling && !newborn } else { known_enough };
        let context = if counts { strange.points } else { 0.0 };
        let identity = match (enough, never_seen, self.dormant(day)) {
            (true, true, _) => Some((FactorName::NeverSeenIdentity, 20.0)),
            (true, false, true) => Some((FactorName::Dormant, 15.0)),
            _ => None,
        };
        let mut novelty = context;
        if counts {
            for (name, points, note) in &strange.parts {
                weighed.add(*name, *points, *note);
            }
        }
        if let Some((name, points)) = identity {
            let points = f64::min(points, (MOST_STRANGENESS - context).max(0.0));
            novelty += points;
            weighed.add(name, points, Note::Times(uses));
        }

        // Fresh use.
        let fresh: u32 = recent().map(|c| c.fresh).sum();
        let wide: u32 = recent().map(|c| c.wide).sum();
        let two_places = self.two_places(cell);
        let beside_stage = if learning {
            telling
        } else {
            context >= FRESH_BESIDE_STAGE
                && stages.points >= TELLING_STAGE
                && (!never_seen || strange.unknown >= 4.0 || stages.points >= 2.0 * TELLING_STAGE)
        };
        let foreign = first_of_service && strange.foreign >= FOREIGN;
        let alone = !learning && context >= FRESH_ALONE;
        let apart = !learning && wide >= settings.fresh_uses && context >= FRESH_WIDE && two_places;
        let is_fresh = fresh >= settings.fresh_uses && (alone || beside_stage || foreign || apart);
        if is_fresh {
            weighed.add(FactorName::Fresh, 20.0, Note::Times(u64::from(fresh)));
        }
        if apart && is_fresh {
            weighed.add(FactorName::GeoVelocity, 10.0, Note::Times(u64::from(wide)));
        }
        if first_of_service && enough {
            weighed.add(FactorName::FirstUseOfService, 40.0, Note::Times(uses));
            if foreign {
                novelty = novelty.max(strange.foreign);
                weighed.add(FactorName::NewNetwork, strange.foreign, Note::Nothing);
            }
        }

        // Stages and the chain. Stages alone are findings of their own; here they weigh beside unusual use.
        let unusual = level > Level::Usual || is_fresh || context >= FRESH_BESIDE_STAGE || cell.denied_region > 0;
        if unusual {
            for (stage, points, opening) in &stages.own {
                weighed.add(stage_factor(*stage), *points, Note::Opening(opening));
            }
        }
        let mut opening = novelty + stages.points;
        if let Some(other) = stages.other.filter(|_| anomalous) {
            opening += 8.0;
            weighed.add(FactorName::StageByOther, 8.0, Note::Opening(other));
        }
        weighed.chain = (anomalous || is_fresh) && opening >= OPENING;
        if weighed.chain {
            weighed.add(FactorName::Chain, 20.0, Note::Nothing);
        }
        if cell.denied_region > 0 {
            weighed.add(FactorName::DeniedRegion, 40.0, Note::Times(cell.denied_region.into()));
        }
        weighed
    }

    fn p_new(&self, cell: &Cell, attribute: Attribute) -> f64 {
        let known = cell.p_new.as_ref().and_then(|all| all.get(attribute as usize).copied());
        known.map_or_else(|| attribute.prior(), f64::from)
    }

    fn dormant(&self, day: i32) -> bool {
        self.profile.dormant_before(day)
    }

    /// The campaign that explains the hour's volume: announced for this time, and not above what it expects.
    fn announced(&self, cell: &Cell, at: Timestamp) -> Option<Suppression> {
        cell.surprise?;
        let (campaign, expected) = self.policy.announced(self.account, self.service, self.identity, at)?;
        expected.is_none_or(|most| cell.day_units <= most).then_some(campaign)
    }

    /// Two networks or regions within minutes, one of them never seen before, while the usual one goes on.
    fn two_places(&self, cell: &Cell) -> bool {
        let (Some((known_first, known_last, known)), Some((first, last))) = (cell.known, cell.strange) else {
            return false;
        };
        let apart = first.since(known_last).max(known_first.since(last)).max(0);
        known >= GOES_ON && apart <= self.settings.geo_velocity_minutes * MINUTE
    }

    fn strangeness(&self, cell: &'a Cell, hour: i64, last: Timestamp) -> Strangeness<'a> {
        let mut strange = Strangeness::default();
        if cell.fresh == 0 && self.profile.first_use.day() != hour.div_euclid(24) as i32 && cell.surprise.is_none() {
            return strange;
        }
        let scale = f64::from(self.settings.user_context_percent) / 100.0;
        // What others showed before today, by the lateness bound, is known to the account.
        let known_before = last.plus(-self.settings.lateness()).day();
        let mut new_region = false;
        for (field, attribute) in CONTEXT {
            let p = self.p_new(cell, attribute);
            let mut best: Option<(f64, Note<'a>, Known)> = None;
            for value in cell.journal.values(field) {
                let new = self
                    .around
                    .seen
                    .first(attribute, value.digest)
                    .is_some_and(|first| last.since(first) < NEW_FOR && value.first.since(first) < NEW_FOR);
                // An endpoint that came with a new region is new only because the region is.
                let with_region = attribute == Attribute::Network && new_region && value.text.starts_with("vpce-");
                if !new || with_region || self.around.vouched.contains(&value.digest) {
                    continue;
                }
                let to_account = self
                    .shared
                    .seen
                    .known_to_others(attribute, value.digest, self.who, known_before);
                let known = if to_account {
                    Known::ToTheAccount
                } else {
                    Known::ToNobody
                };
                let points = attribute.points(p, known) * scale;
                let anywhere = self
                    .account_seen
                    .known_to_others(attribute, value.digest, self.who, known_before);
                if field != Field::Target && !anywhere {
                    strange.foreign =
                        strange.foreign.max(0.0) + attribute.points(attribute.prior(), Known::ToNobody) * scale;
                }
                if best.is_none_or(|(most, ..)| points > most) {
                    best = Some((points, Note::Value { value, known }, known));
                }
            }
            if let Some((points, note, known)) = best {
                new_region |= attribute == Attribute::Region;
                strange.points += points;
                if known == Known::ToNobody {
                    strange.unknown += points;
                }
                if matches!(attribute, Attribute::Region | Attribute::Network) {
                    strange.place += points;
                }
                strange.parts.push((new_factor(attribute), points, note));
            }
        }
        let hour_of_day = hour.rem_euclid(24) as u8;
        if self.profile.new_hour(hour_of_day, hour.div_euclid(24) as i32) {
            let points = Attribute::Hour.points(self.p_new(cell, Attribute::Hour), Known::ToNobody) * scale;
            strange.points += points;
            strange
                .parts
                .push((FactorName::NewHour, points, Note::Hour(hour_of_day)));
        }
        strange
    }

    fn stages(&self, cell: &Cell, first: Timestamp, last: Timestamp) -> Stages<'a> {
        let reach = self.settings.correlation();
        let (from, to) = (first.plus(-reach), last.plus(reach));
        let mut kin = self.ledger.kin(self.who, from);
        self.add_same_origin(&mut kin, cell, from, to);
        let mut stages = Stages::default();
        for who in kin.iter().copied() {
            for opening in self.ledger.of(who, from, to) {
                let points = self.stage_points(who, opening) * self.habit_weight(who, opening);
                match stages.own.iter_mut().find(|(stage, ..)| *stage == opening.stage) {
                    Some(own) if own.1 >= points => {}
                    Some(own) => *own = (opening.stage, points, opening),
                    None if points > 0.0 => stages.own.push((opening.stage, points, opening)),
                    None => {}
                }
            }
        }
        if cell.level() >= Level::Anomalous {
            stages.other = self
                .ledger
                .all(from, to)
                .filter(|(who, opening)| {
                    opening.service == self.service
                        && opening.stage != Stage::DeniedUse
                        && !opening.routine()
                        && !kin.contains(who)
                        && self.habit_weight(*who, opening) > 0.5
                })
                .map(|(_, opening)| opening)
                .min_by_key(|opening| (opening.first, opening.stage));
        }
        stages.own.sort_by_key(|(stage, ..)| *stage);
        stages.points = stages.own.iter().map(|(_, points, _)| points).sum();
        stages
    }

    /// Identities that opened something from the same network with the same client, where the network is new to
    /// the account: behind it stands one caller.
    fn add_same_origin(&self, kin: &mut Vec<Digest>, cell: &Cell, from: Timestamp, to: Timestamp) {
        let new_networks = || {
            cell.journal.values(Field::Network).iter().filter(|value| {
                self.account_seen
                    .first(Attribute::Network, value.digest)
                    .is_some_and(|first| first >= from)
            })
        };
        let known_account = self.account_first_day <= to.day() - self.settings.learning_days;
        if !known_account || new_networks().next().is_none() {
            return;
        }
        let origins: Vec<Digest> = new_networks()
            .flat_map(|network| {
                let clients = cell.journal.values(Field::Client).iter();
                clients.map(|client| tripmeter_model::digest64(&[&network.text, &client.text]))
            })
            .collect();
        for (who, opening) in self.ledger.all(from, to) {
            if !kin.contains(&who) && origins.iter().any(|origin| opening.origins.contains(origin)) {
                kin.push(who);
            }
        }
    }

    fn stage_points(&self, who: Digest, opening: &Opening) -> f64 {
        let full = match opening.stage {
            Stage::Probe => 15.0,
            Stage::DeniedUse if self.is_burst(who, opening) => 20.0,
            Stage::DeniedUse => 0.0,
            Stage::PolicyChange => 30.0,
            Stage::GuardrailRemoval => 35.0,
            Stage::Credential => 20.0,
        };
        if opening.routine() { full / 2.0 } else { full }
    }

    /// Whether refused use came in a burst: within twenty minutes, and not what a busy application always has.
    fn is_burst(&self, who: Digest, opening: &Opening) -> bool {
        let usual = if who == self.who { self.profile.mean_day() } else { 0.0 };
        denied_in_burst(self.ledger, who, opening) >= burst_size(self.settings, usual)
    }

    fn habit_weight(&self, who: Digest, opening: &Opening) -> f64 {
        habit_weight(self.habits, who, opening, self.settings)
    }
}

/// How many refused uses make a burst for an identity that usually makes so many calls a day.
pub(crate) fn burst_size(settings: &Settings, calls_a_day: f64) -> u32 {
    settings.denied_burst.max(libm::ceil(calls_a_day / 50.0) as u32)
}

/// Refusals among so many times as many uses that were carried out are no search.
const SERVED: u32 = 10;

/// Refused uses in the ten minutes of an opening and the ten before.
pub(crate) fn denied_in_burst(ledger: &Ledger, who: Digest, opening: &Opening) -> u32 {
    let slot = opening.first.ten_minutes();
    ledger
        .of(who, opening.first.plus(-1_200), opening.last)
        .filter(|o| o.stage == Stage::DeniedUse && o.service == opening.service)
        .filter(|o| (slot - 1..=slot).contains(&o.first.ten_minutes()) && o.served < o.count.saturating_mul(SERVED))
        .map(|o| o.count)
        .sum()
}

/// How unusual an opening is for who made it: its most unusual call.
pub(crate) fn habit_weight(habits: &Habits, who: Digest, opening: &Opening, settings: &Settings) -> f64 {
    let day = opening.first.plus(-settings.lateness()).day();
    let shapes = opening.calls.values().flat_map(|call| &call.shapes);
    shapes
        .map(|shape| habits.get(&(who, *shape)).map_or(1.0, |days| days.weight(day)))
        .fold(0.0, f64::max)
}

fn volume_points(level: Level, grown: bool) -> f64 {
    match level {
        Level::Usual => 0.0,
        Level::UnusualHour => 4.0,
        Level::Anomalous => 20.0,
        Level::Overwhelming if grown => 45.0,
        Level::Extreme | Level::Overwhelming => 30.0,
    }
}

fn new_factor(attribute: Attribute) -> FactorName {
    match attribute {
        Attribute::Region => FactorName::NewRegion,
        Attribute::Network => FactorName::NewNetwork,
        Attribute::Client => FactorName::NewClient,
        Attribute::Target => FactorName::NewTarget,
        Attribute::Hour => FactorName::NewHour,
    }
}

fn stage_factor(stage: Stage) -> FactorName {
    match stage {
        Stage::Probe => FactorName::StageProbe,
        Stage::DeniedUse => FactorName::StageDenied,
        Stage::PolicyChange => FactorName::StagePolicy,
        Stage::GuardrailRemoval => FactorName::StageGuardrail,
        Stage::Credential => FactorName::StageCredential,
    }
}

/// The start of an hour since 1970.
pub(crate) fn hour_start(hour: i64) -> Timestamp {
    Timestamp::from_seconds(hour * HOUR)
}
