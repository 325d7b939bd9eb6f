//! Use that no history explains.
//!
//! An identity spends far more on a service than its own past at this hour suggests, or spends from a place, with a
//! client or on a target that it has not used before. Volume alone is Low; it is Medium only in a grown profile that
//! lasts or is overwhelming. Volume with novelty or an opening is Medium to Critical.
//!
//! ATT&CK: T1496.004. Evades: twice the own volume in the own hours and places; twenty calls a day; a busy identity in
//! a known region with known network and client. False when: a load test of a whole day or a campaign that nobody
//! announced; a release that changes network, client and model at once while the old one goes on.

use tripmeter_model::{FactorName, MINUTE, Suppression, Timestamp};

use super::hijack::Stages;
use crate::baseline::Level;
use crate::cell::{Cell, NEW_FOR};
use crate::journal::{CONTEXT, Field};
use crate::novelty::{Attribute, Known};
use crate::units::Unit;
use crate::weigh::{Facts, Note, Scene, Standing, Weighed};

/// A never-seen identity, and one that spends quickly from a network that nobody knows.
const NEVER_SEEN: f64 = 20.0;
const NEVER_SEEN_IN_HASTE: f64 = 28.0;
/// Where no place is shown, an identity that is new and dwarfs all others: with its volume and the chain, High.
const NEVER_SEEN_AND_DWARFING: f64 = 32.0;
const DORMANT: f64 = 15.0;
/// Never-seen and dormant identities together with their context weigh at most this, unless context alone is more.
const MOST_STRANGENESS: f64 = 35.0;
/// Context that is strange enough by itself, beside an own stage, and as use that shares nothing with yesterday.
const FRESH_ALONE: f64 = 28.0;
const FRESH_BESIDE_STAGE: f64 = 10.0;
const FRESH_WIDE: f64 = 15.0;
/// A stage that counts beside context.
const TELLING_STAGE: f64 = 15.0;
/// Context of a never-seen identity that nobody in the account has shown.
const UNKNOWN: f64 = 4.0;
/// What is new to the whole account, on any service, where the identity or the service is new: a network and a client
/// are enough.
pub(super) const FOREIGN: f64 = 9.0;
/// Uses of known places that show that the usual caller goes on.
const GOES_ON: u32 = 3;
/// So many times what is worth a look, in an hour on a service that the account never used, is no first step.
const MUCH: u64 = 10;
/// Hours of one day, and days of seven, that make a rise lasting.
const LASTING_HOURS: u32 = 6;
const LASTING_DAYS: u32 = 4;
/// So many times what ten minutes expect at their time of day overwhelm, where volume is all there is: a hundred times the
/// usual pace comes to that within three minutes.
const FAR_ABOVE: f64 = 15.0;
/// What it brings that a rise lasts; and where no place is shown, so that what is overwhelming and lasts is High.
const LASTING: f64 = 20.0;
const LASTING_UNPLACED: f64 = 25.0;

/// What is strange about the context of an hour.
#[derive(Default)]
pub(crate) struct Strangeness<'a> {
    parts: Vec<(FactorName, f64, Note<'a>)>,
    points: f64,
    /// Of it, what nobody in the account has shown.
    unknown: f64,
    /// Of it, a new region or network.
    place: f64,
    /// Of it, what shows where, and from there at what.
    aim: f64,
    /// Nobody in the account has shown its region or network, and neither its client or target.
    pair: (bool, bool),
    /// Of region, network and client: what nobody in the account has shown on any service.
    foreign: f64,
    foreign_parts: Vec<(FactorName, f64, Note<'a>)>,
    /// A network is among that.
    outside: bool,
}

impl Strangeness<'_> {
    /// Points of a new region or network, as far as novelty counts.
    pub(crate) fn place_of(&self, novelty: Novelty) -> f64 {
        self.place.min(novelty.context)
    }

    /// Whether nobody in the account, on any service, has shown its network and its client.
    pub(crate) fn is_foreign(&self) -> bool {
        self.foreign >= FOREIGN
    }

    /// Whether a never-seen identity spends quickly from a network that nobody in the account has shown: twice as much
    /// in this hour as makes it worth a look. A program that is new is rarely in such haste, and runs where the
    /// others do.
    fn in_haste(&self, scene: &Scene<'_>, cell: &Cell) -> bool {
        self.outside && cell.fresh >= 2 * scene.settings.fresh_uses
    }
}

/// What novelty counts for.
#[derive(Clone, Copy, Default)]
pub(crate) struct Novelty {
    /// Points of new values.
    pub context: f64,
    /// With those of a never-seen or dormant identity.
    pub all: f64,
    /// Points of new regions, networks and targets.
    pub aim: f64,
}

/// Weighs how far the hour is from the identity's own past; says the level that counts.
pub(crate) fn volume<'a>(scene: &Scene<'a>, facts: &Facts, cell: &'a Cell, weighed: &mut Weighed<'a>) -> Level {
    weighed.announced = announced(scene, cell, facts.first);
    let Some(surprise) = cell
        .surprise
        .filter(|_| facts.standing != Standing::Learning && weighed.announced.is_none())
    else {
        return Level::Usual;
    };
    // How much is extreme for somebody without a past, nobody can say; what dwarfs all others is.
    let level = match facts.standing {
        Standing::NeverSeen if surprise.level < Level::Overwhelming => surprise.level.min(Level::Anomalous),
        _ => surprise.level,
    };
    let known_for = match facts.standing {
        Standing::NeverSeen => facts.service_days,
        _ => scene.profile.age_days(facts.day),
    };
    // Where no place is shown, volume is all there is: it does not wait for a month-end to be seen, and what is far above its
    // time of day is overwhelming even where the busiest hour of the week is not dwarfed.
    let unplaced = scene.shows_no_place();
    let far_above = surprise.count as f64 >= FAR_ABOVE * surprise.expected.mean;
    let level = if unplaced && facts.standing == Standing::Known && level >= Level::Anomalous && far_above {
        Level::Overwhelming
    } else {
        level
    };
    let grown = known_for >= scene.settings.grown_days || unplaced;
    let note = match facts.standing {
        Standing::NeverSeen => Note::Newcomer(surprise),
        _ => Note::Surprise(surprise),
    };
    weighed.add(FactorName::Volume, volume_points(level, grown), note);
    if grown && facts.standing != Standing::NeverSeen && level >= Level::Anomalous {
        let (hours, days) = cell.lasting;
        if hours >= LASTING_HOURS || days >= LASTING_DAYS {
            let points = if unplaced { LASTING_UNPLACED } else { LASTING };
            weighed.add(FactorName::Lasting, points, Note::Lasting { hours, days });
        }
    }
    level
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

/// The campaign that explains the hour's volume: announced for this time, and not above what it expects.
fn announced(scene: &Scene<'_>, cell: &Cell, at: Timestamp) -> Option<Suppression> {
    cell.surprise?;
    let (campaign, expected) = scene
        .policy
        .announced(scene.account, scene.service, scene.identity, at)?;
    expected.is_none_or(|most| cell.day_units <= most).then_some(campaign)
}

/// Weighs what is new about the hour, and about who it is.
pub(crate) fn novelty<'a>(
    scene: &Scene<'a>,
    facts: &Facts,
    cell: &Cell,
    strange: &Strangeness<'a>,
    stages: &Stages<'_>,
    weighed: &mut Weighed<'a>,
) -> Novelty {
    // Everything is new on a first day, so while a profile learns it takes more than a look at the limits.
    let counts = if facts.standing == Standing::Learning {
        stages.telling() && !facts.newborn || stages.made_by_a_stranger(scene, facts, strange)
    } else {
        facts.standing != Standing::NeverSeen || facts.enough || stages.points >= TELLING_STAGE
    };
    let mut novelty = Novelty::default();
    if counts {
        novelty.context = strange.points;
        novelty.aim = strange.aim;
        for (name, points, note) in &strange.parts {
            weighed.add(*name, *points, *note);
        }
    }
    novelty.all = novelty.context;
    // A new program of the account comes from where the others are, and nobody opened anything for it.
    let in_haste = strange.in_haste(scene, cell);
    let foreign = strange.unknown >= UNKNOWN || stages.points >= TELLING_STAGE;
    let dwarfs = scene.shows_no_place() && weighed.announced.is_none() && cell.level() >= Level::Anomalous;
    let identity = match facts.standing {
        _ if !facts.enough => None,
        Standing::NeverSeen if dwarfs => Some((FactorName::NeverSeenIdentity, NEVER_SEEN_AND_DWARFING)),
        Standing::NeverSeen if in_haste => Some((FactorName::NeverSeenIdentity, NEVER_SEEN_IN_HASTE)),
        // Where no place is shown, a new key that does no more than others do is the one that was just made for it.
        Standing::NeverSeen if foreign && !scene.shows_no_place() => Some((FactorName::NeverSeenIdentity, NEVER_SEEN)),
        Standing::NeverSeen => None,
        _ if scene.profile.dormant_before(facts.day) => Some((FactorName::Dormant, DORMANT)),
        _ => None,
    };
    if let Some((name, points)) = identity {
        let points = f64::min(points, (MOST_STRANGENESS - novelty.context).max(0.0));
        novelty.all += points;
        weighed.add(name, points, Note::Times(facts.sums.uses));
    }
    if facts.first_of_service && facts.enough {
        weighed.add(FactorName::FirstUseOfService, 40.0, Note::Times(facts.sums.uses));
        let spent = Unit::of(scene.service, scene.identity).spent(&cell.journal);
        if spent >= MUCH * u64::from(scene.settings.fresh_uses) {
            weighed.add(FactorName::Volume, 30.0, Note::Times(spent));
        }
        if strange.is_foreign() || in_haste {
            // Nobody has used the service, so whoever does is a never-seen identity, too.
            novelty.all = novelty.all.max(strange.foreign + 20.0);
            for (name, points, note) in &strange.foreign_parts {
                if weighed.parts.iter().all(|part| part.name != *name) {
                    weighed.add(*name, *points, *note);
                }
            }
        }
    }
    novelty
}

/// Weighs whether much is spent from what yesterday did not know; says whether it is, so that an opening beside it
/// makes a chain.
pub(crate) fn fresh<'a>(
    scene: &Scene<'a>,
    facts: &Facts,
    cell: &Cell,
    strange: &Strangeness<'_>,
    novelty: Novelty,
    stages: &Stages<'_>,
    weighed: &mut Weighed<'a>,
) -> bool {
    let fresh = facts.sums.fresh;
    if fresh < scene.settings.fresh_uses {
        return false;
    }
    let wide = facts.sums.wide;
    let beside_stage = if facts.standing == Standing::Learning {
        stages.telling() || stages.made_by_a_stranger(scene, facts, strange)
    } else {
        novelty.context >= FRESH_BESIDE_STAGE
            && stages.points >= TELLING_STAGE
            && (facts.standing != Standing::NeverSeen
                || strange.unknown >= UNKNOWN
                || stages.points >= 2.0 * TELLING_STAGE)
    };
    let foreign = facts.first_of_service && (strange.is_foreign() || strange.in_haste(scene, cell));
    // A never-seen identity has no past of its own: that nobody here knows its network and client says as much.
    let alone = match facts.standing {
        Standing::Learning => false,
        Standing::NeverSeen => novelty.context >= FRESH_ALONE || strange.is_foreign() || strange.in_haste(scene, cell),
        Standing::Known => novelty.context >= FRESH_ALONE,
    };
    let two_places = facts.standing != Standing::Learning && two_places(scene, facts, cell);
    let apart = two_places && wide >= scene.settings.fresh_uses && novelty.context >= FRESH_WIDE;
    // Two things at once that nobody here has shown, beside the usual, are too many for chance, and for an opening too few.
    let nobody_knows = strange.pair.0 && strange.pair.1;
    let paired = two_places && nobody_knows && !alone && facts.sums.paired >= scene.settings.fresh_uses;
    if apart {
        weighed.add(FactorName::GeoVelocity, 10.0, Note::Times(wide.into()));
    } else if paired {
        weighed.add(FactorName::GeoVelocity, 10.0, Note::Times(facts.sums.paired.into()));
        weighed.add(FactorName::Fresh, 20.0, Note::Times(fresh.into()));
        return beside_stage;
    } else if two_places && novelty.context > 0.0 {
        // Less where this identity often shows new places.
        weighed.add(
            FactorName::GeoVelocity,
            f64::min(strange.place / 2.0, 5.0),
            Note::Times(fresh.into()),
        );
    }
    if !(alone || beside_stage || foreign || apart) {
        return false;
    }
    weighed.add(FactorName::Fresh, 20.0, Note::Times(fresh.into()));
    // A new colleague at home is a stranger from nowhere, too, but does not spend as one who found a key.
    facts.standing != Standing::NeverSeen || stages.points >= TELLING_STAGE || is_brisk(scene, facts)
}

/// Whether what is fresh was spent within two hours, or is twice as much.
fn is_brisk(scene: &Scene<'_>, facts: &Facts) -> bool {
    let enough = scene.settings.fresh_uses;
    facts.sums.lately >= enough || facts.sums.fresh >= 2 * enough
}

/// Whether context is strange enough that an opening beside it counts.
pub(crate) fn is_strange(novelty: Novelty) -> bool {
    novelty.context >= FRESH_BESIDE_STAGE
}

/// What is strange about the context of an hour.
pub(crate) fn strangeness<'a>(scene: &Scene<'a>, facts: &Facts, cell: &'a Cell) -> Strangeness<'a> {
    let (hour, last) = (facts.hour, facts.last);
    let mut strange = Strangeness::default();
    if cell.fresh == 0 && scene.profile.first_use.day() != hour.div_euclid(24) as i32 && cell.surprise.is_none() {
        return strange;
    }
    let scale = f64::from(scene.settings.user_context_percent) / 100.0;
    // What others showed before today, by the lateness bound, is known to the account.
    let known_before = last.plus(-scene.settings.lateness()).day();
    let mut new_region = false;
    let shown = |(_, attribute): &(Field, Attribute)| !scene.shows_no_place() || *attribute == Attribute::Target;
    for (field, attribute) in CONTEXT.into_iter().filter(shown) {
        let p = p_new(cell, attribute);
        let mut best: Option<(f64, Note<'a>, Known)> = None;
        for value in cell.journal.values(field) {
            let new = scene
                .around
                .seen
                .first(attribute, value.digest)
                .is_some_and(|first| last.since(first) < NEW_FOR && value.first.since(first) < NEW_FOR);
            // An endpoint that came with a new region is new only because the region is.
            let with_region = attribute == Attribute::Network && new_region && value.text.starts_with("vpce-");
            if !new || with_region || scene.around.vouched.contains(&value.digest) {
                continue;
            }
            let to_account = scene
                .shared_seen
                .known_to_others(attribute, value.digest, scene.who, known_before);
            let known = if to_account {
                Known::ToTheAccount
            } else {
                Known::ToNobody
            };
            let points = attribute.points(p, known) * scale;
            let anywhere = scene.account_seen.known(attribute, value.digest, known_before);
            if field != Field::Target && !anywhere {
                strange.outside |= attribute == Attribute::Network;
                let points = attribute.points(attribute.prior(), Known::ToNobody) * scale;
                let known = Known::ToNobody;
                strange.foreign += points;
                strange
                    .foreign_parts
                    .push((new_factor(attribute), points, Note::Value { value, known }));
            }
            if best.is_none_or(|(most, ..)| points > most) {
                best = Some((points, Note::Value { value, known }, known));
            }
        }
        if let Some((points, note, known)) = best {
            new_region |= attribute == Attribute::Region;
            strange.points += points;
            if attribute.is_place() {
                strange.place += points;
            }
            // To who is new itself, everything is. A new target that is used from home is curiosity.
            let is_new_here = facts.standing != Standing::NeverSeen || known == Known::ToNobody;
            let from_elsewhere = strange.place > 0.0 || scene.shows_no_place();
            let aims = attribute.is_place() || attribute == Attribute::Target && from_elsewhere;
            if aims && is_new_here {
                strange.aim += points;
            }
            if known == Known::ToNobody {
                strange.unknown += points;
                strange.pair.0 |= attribute.is_place();
                strange.pair.1 |= !attribute.is_place();
            }
            strange.parts.push((new_factor(attribute), points, note));
        }
    }
    if is_seen_at_home(scene, facts) {
        (strange.foreign, strange.outside) = (0.0, false);
        strange.foreign_parts.clear();
    }
    let hour_of_day = hour.rem_euclid(24) as u8;
    if cell.before.is_some_and(|before| before.hour_is_new) {
        let points = Attribute::Hour.points(p_new(cell, Attribute::Hour), Known::ToNobody) * scale;
        strange.points += points;
        strange
            .parts
            .push((FactorName::NewHour, points, Note::Hour(hour_of_day)));
    }
    strange
}

/// Whether an identity that is not a day old was also seen in a network that the account has known for weeks: a
/// colleague who works at home, too, and no stranger.
fn is_seen_at_home(scene: &Scene<'_>, facts: &Facts) -> bool {
    let learned = facts.day - scene.settings.learning_days;
    let day = scene.around.cells.range(facts.hour - 23..=facts.hour);
    let mut networks = day.flat_map(|(_, cell)| cell.journal.values(Field::Network));
    facts.newborn
        && networks.any(|network| {
            let first = scene.account_seen.first(Attribute::Network, network.digest);
            first.is_some_and(|first| first.day() <= learned)
        })
}

pub(super) fn p_new(cell: &Cell, attribute: Attribute) -> f64 {
    let known = cell
        .before
        .and_then(|before| before.p_new.get(attribute as usize).copied());
    known.map_or_else(|| attribute.prior(), f64::from)
}

/// Two networks or regions within minutes, one of them never seen before, while the usual one goes on.
fn two_places(scene: &Scene<'_>, facts: &Facts, cell: &Cell) -> bool {
    let (Some((known_first, known_last, known)), Some((first, last))) = (cell.known, cell.strange) else {
        return false;
    };
    let apart = first.since(known_last).max(known_first.since(last)).max(0);
    // Where the usual came after what is new, what it did in the hour before says that it goes on, too.
    let hour_before = scene
        .around
        .cells
        .get(&(facts.hour - 1))
        .filter(|_| known_last >= first);
    let before = hour_before.and_then(|cell| cell.known).map_or(0, |(.., known)| known);
    known.saturating_add(before) >= GOES_ON && apart <= scene.settings.geo_velocity_minutes * MINUTE
}

pub(super) fn new_factor(attribute: Attribute) -> FactorName {
    match attribute {
        Attribute::Region => FactorName::NewRegion,
        Attribute::Network => FactorName::NewNetwork,
        Attribute::Client => FactorName::NewClient,
        Attribute::Target => FactorName::NewTarget,
        Attribute::Hour => FactorName::NewHour,
    }
}

#[cfg(test)]
mod tests {
    use tripmeter_model::{Activity, Client, Family, Network, Quantity, Service, Severity};

    use crate::testing::{activity, at, found, from_afar, quiet_days, worst};

    fn burst(day: i64, calls: i64) -> Vec<Activity> {
        (0..calls)
            .map(|n| activity(Service::Bedrock, "InvokeModel", at(day * 24 + 12).plus(n * 5)))
            .collect()
    }

    #[test]
    fn much_more_than_ever_from_the_usual_place_is_low() {
        let mut story = quiet_days(Service::Bedrock, 40);
        story.extend(burst(39, 600));
        assert_eq!(worst(&found(story), Family::AnomalousUse), Some(Severity::Low));
    }

    #[test]
    fn the_usual_is_nothing() {
        assert!(found(quiet_days(Service::Bedrock, 40)).is_empty());
    }

    #[test]
    fn while_a_profile_learns_volume_says_nothing() {
        let mut story = quiet_days(Service::Bedrock, 5);
        story.extend(burst(4, 600));
        assert!(found(story).is_empty());
    }

    #[test]
    fn a_thief_beside_a_busy_role_is_high_before_the_fiftieth_call() {
        let mut story = quiet_days(Service::Bedrock, 40);
        let stolen = burst(39, 45).into_iter().map(|mut call| {
            call = from_afar(call);
            call.region = "eu-west-1".into();
            call.target = Some(tripmeter_model::Target::Model("opus".into()));
            call
        });
        story.extend(stolen);
        assert_eq!(worst(&found(story), Family::Hijack), Some(Severity::High));
    }

    #[test]
    fn a_new_program_from_where_the_others_are_is_nothing_to_act_on() {
        let mut story = quiet_days(Service::Bedrock, 40);
        let first_day = (0..60).map(|n| {
            crate::testing::by(
                activity(Service::Bedrock, "InvokeModel", at(39 * 24 + 9).plus(n * 60)),
                "new",
            )
        });
        story.extend(first_day);
        let findings = found(story);
        assert!(findings.iter().all(|f| f.severity < Severity::Medium), "{findings:#?}");
    }

    /// Calls of a never-seen user with the usual client, in the usual region.
    fn newcomer(network: &str, calls: i64, apart: i64) -> Vec<Activity> {
        let start = at(39 * 24 + 3);
        let of = |n| {
            let call = activity(Service::Bedrock, "InvokeModel", start.plus(n * apart));
            let mut call = crate::testing::by(call, "legacy");
            call.origin.network = tripmeter_model::Network(network.into());
            call
        };
        (0..calls).map(of).collect()
    }

    #[test]
    fn a_key_that_nobody_knows_in_haste_from_a_network_that_nobody_knows_is_high_by_its_fiftieth_call() {
        let mut story = quiet_days(Service::Bedrock, 40);
        story.extend(newcomer("192.0.2.0/24", 50, 60));
        assert_eq!(worst(&found(story), Family::Hijack), Some(Severity::High));
    }

    #[test]
    fn a_new_program_from_a_network_of_its_own_that_takes_its_time_is_nothing_to_act_on() {
        let mut story = quiet_days(Service::Bedrock, 40);
        story.extend(newcomer("192.0.2.0/24", 300, 120));
        assert!(found(story).iter().all(|f| f.severity < Severity::Medium));
    }

    #[test]
    fn a_new_program_at_home_that_dwarfs_all_others_is_medium() {
        let mut story = quiet_days(Service::Bedrock, 40);
        story.extend(newcomer("198.51.100.0/24", 3_200, 1));
        assert_eq!(worst(&found(story), Family::AnomalousUse), Some(Severity::Medium));
    }

    #[test]
    fn one_batch_job_by_a_stranger_is_as_much_as_the_calls_that_it_makes() {
        let mut story = quiet_days(Service::Bedrock, 40);
        let mut job = from_afar(newcomer("192.0.2.0/24", 1, 1).remove(0));
        job.call = "CreateModelInvocationJob".into();
        job.quantity.units = 1_000;
        story.push(job);
        assert!(worst(&found(story), Family::Hijack) >= Some(Severity::High));
    }

    #[test]
    fn thirty_times_too_much_from_a_new_network_is_high_though_nothing_else_is_new() {
        let mut story = quiet_days(Service::Bedrock, 60);
        let calls = (0..1_000).map(|n| activity(Service::Bedrock, "InvokeModel", at(59 * 24 + 12).plus(n * 3)));
        story.extend(calls.map(|mut call| {
            call.origin.network = tripmeter_model::Network("192.0.2.0/24".into());
            call.target = Some(tripmeter_model::Target::Model("opus".into()));
            call
        }));
        assert!(worst(&found(story), Family::Hijack) >= Some(Severity::High));
    }

    #[test]
    fn a_stranger_at_a_door_that_the_account_never_used_is_a_hijack() {
        let mut story = quiet_days(Service::Bedrock, 40);
        story.extend((0..40).map(|n| {
            let mut call = crate::testing::by(
                from_afar(activity(
                    Service::BedrockMantle,
                    "CreateInference",
                    at(39 * 24 + 2).plus(n * 20),
                )),
                "backup",
            );
            call.region = "eu-west-1".into();
            call
        }));
        assert!(worst(&found(story), Family::Hijack) >= Some(Severity::High));
    }

    #[test]
    fn a_release_to_one_new_network_is_nothing_to_act_on() {
        let mut story = quiet_days(Service::Bedrock, 40);
        for call in &mut story {
            if call.time >= at(39 * 24 + 12) {
                call.origin.network = tripmeter_model::Network("203.0.113.0/24".into());
            }
        }
        assert!(found(story).iter().all(|f| f.severity < Severity::Medium));
    }

    /// A night's batch jobs from the usual place, each taken as a thousand calls.
    fn jobs(day: i64, jobs: i64) -> Vec<Activity> {
        let job = |n| {
            let mut job = activity(
                Service::Bedrock,
                "CreateModelInvocationJob",
                at(day * 24 + 2).plus(n * 170),
            );
            job.quantity = Quantity::of(1_000);
            job
        };
        (0..jobs).map(job).collect()
    }

    #[test]
    fn many_jobs_are_seen_in_volume_and_those_of_every_week_are_a_habit() {
        let mut story = quiet_days(Service::Bedrock, 60);
        story.extend(jobs(50, 19));
        assert!(worst(&found(story), Family::AnomalousUse) >= Some(Severity::Low));
        let mut habit = quiet_days(Service::Bedrock, 60);
        habit.extend((0..8).flat_map(|week| jobs(week * 7 + 3, 19)));
        assert_eq!(worst(&found(habit), Family::AnomalousUse), None);
    }

    #[test]
    fn a_service_that_the_account_never_used_is_high_once_much_is_spent() {
        let texts = |count| {
            let mut story = quiet_days(Service::Bedrock, 40);
            story.extend((0..count).map(|n| activity(Service::Sms, "SendTextMessage", at(39 * 24 + 2).plus(n * 5))));
            worst(&found(story), Family::AnomalousUse)
        };
        assert_eq!(texts(100), Some(Severity::Medium));
        assert_eq!(texts(400), Some(Severity::High));
    }

    #[test]
    fn two_things_at_once_that_nobody_has_shown_are_medium_by_the_fiftieth_call() {
        let stolen = |change: fn(&mut Activity)| {
            let mut story = quiet_days(Service::Bedrock, 40);
            story.extend(burst(39, 50).into_iter().map(|mut call| {
                call.origin.network = Network("192.0.2.0/24".into());
                change(&mut call);
                call
            }));
            found(story).iter().map(|finding| finding.severity).max()
        };
        let model = stolen(|call| call.target = Some(tripmeter_model::Target::Model("opus".into())));
        let client = stolen(|call| call.origin.client = Client("curl".into()));
        assert!(model >= Some(Severity::Medium), "{model:?}");
        assert!(client >= Some(Severity::Medium), "{client:?}");
        assert_eq!(stolen(|_| ()), Some(Severity::Low));
    }

    #[test]
    fn other_models_from_home_are_no_hijack_however_many_calls() {
        let mut story = quiet_days(Service::Bedrock, 50);
        let evaluation = (0..6_000).map(|n| activity(Service::Bedrock, "InvokeModel", at(49 * 24 + 12).plus(n / 10)));
        story.extend(evaluation.map(|call| crate::testing::of_model(call, "llama")));
        let found = found(story);
        assert_eq!(worst(&found, Family::Hijack), None);
        assert!(worst(&found, Family::AnomalousUse) >= Some(Severity::Medium));
    }
}
