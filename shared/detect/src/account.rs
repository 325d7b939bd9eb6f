//! One account: its profiles, first-seen sets, ledger and episodes, and how an activity moves them.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use tripmeter_model::{
    Activity, Cause, DAY, Digest, Factor, FactorName, Family, Finding, FindingType, HOUR, Identity, IdentityKind, Kind,
    OpeningSeen, Outcome, Policy, Service, Source, Stage, Tactic, Timestamp,
};

use crate::account_service::ServiceProfile;
use crate::baseline::{Horizon, Level, Params};
use crate::control::{Control, ControlKey, ControlScene};
use crate::detections::{self, account_use, ceiling, region_sweep};
use crate::episode::{Draft, Published, UseEpisode, close, publish, use_family};
use crate::explain;
use crate::habits::Days;
use crate::journal::{Context, Field, Journal, context_of, values_of};
use crate::ledger::{Ledger, account_digest, principal_digest};
use crate::novelty::Attribute;
use crate::profile::{Added, Around, Judge, Profile, identity_digest};
use crate::seen::SharedSeen;
use crate::settings::Settings;
use crate::weigh::{Habits, Note, Part, Scene, Weighed};

/// Findings of ended episodes that are kept for whoever asks for all of them.
const MAX_ENDED: usize = 10_000;
/// Openings that a finding shows.
const MAX_OPENINGS: usize = 16;
/// An episode shows from this many points.
const SHOWS: u32 = 20;
/// High: what was spent must not become normal.
const HOSTILE: u32 = 70;

/// What judging needs beside the account.
pub(crate) struct Bench<'a> {
    pub settings: &'a Settings,
    pub policy: &'a dyn Policy,
    pub identity: Params,
    pub account: Params,
}

/// A profile with what stands around it.
struct Used {
    profile: Profile,
    around: Around,
    identity: Identity,
}

struct ControlEpisode {
    control: Control,
    published: Published,
}

/// An episode of the account's service as a whole, on one day.
#[derive(Default)]
struct WholeEpisode {
    factors: Vec<Factor>,
    /// Once the day is folded, what it held.
    journal: Option<Journal>,
    who: Option<Identity>,
    busiest: (u64, u64),
    published: Published,
}

type WholeKey = (Service, Family, i32);

/// See the module's docs.
pub(crate) struct Account {
    id: String,
    first_day: i32,
    seen: SharedSeen,
    services: BTreeMap<Service, ServiceProfile>,
    used: HashMap<(Service, Digest), Used>,
    /// Profiles with hours that a later opening could make worse.
    live: BTreeSet<(Service, Digest)>,
    ledger: Ledger,
    habits: Habits,
    /// The first day on which an identity changed something in a region.
    changed_in: HashMap<(Digest, Digest), i32>,
    uses: BTreeMap<(Service, Digest), UseEpisode>,
    controls: BTreeMap<ControlKey, ControlEpisode>,
    wholes: BTreeMap<WholeKey, WholeEpisode>,
    ended: VecDeque<Finding>,
    /// Campaigns that were already counted as the reason for silence: (service, who, day).
    hushed: BTreeSet<(Service, Digest, i32)>,
}

impl Account {
    pub(crate) fn new(id: &str, at: Timestamp) -> Self {
        Self {
            id: id.to_owned(),
            first_day: at.day(),
            seen: SharedSeen::default(),
            services: BTreeMap::new(),
            used: HashMap::new(),
            live: BTreeSet::new(),
            ledger: Ledger::default(),
            habits: HashMap::new(),
            changed_in: HashMap::new(),
            uses: BTreeMap::new(),
            controls: BTreeMap::new(),
            wholes: BTreeMap::new(),
            ended: VecDeque::new(),
            hushed: BTreeSet::new(),
        }
    }

    /// Takes an activity in and says what it causes to be published.
    pub(crate) fn observe(&mut self, activity: &Activity, bench: &Bench<'_>, out: &mut Vec<Finding>) {
        let who = identity_digest(&activity.identity.id);
        let context = context_of(activity);
        self.first_day = self.first_day.min(activity.time.day());
        for (attribute, value) in values_of(&context) {
            if attribute != Attribute::Target {
                self.seen.note(attribute, value, who, activity.time);
            }
        }
        let tied = self.tie(who, activity);
        let policy = bench.policy;
        if policy.is_aws_itself(
            &activity.identity,
            activity.session.invoked_by.as_deref(),
            &activity.origin,
        ) && !matches!(activity.kind, Kind::LeakedKey)
            && !activity.is_spend()
        {
            return;
        }
        let opened = self.open(who, activity, &context, bench, out);
        let outside = activity.kind != Kind::Context
            && activity.service.spends()
            && !policy.region_allowed(&self.id, activity.service, &activity.region, activity.time);
        if outside {
            let identity = activity.identity.clone();
            self.control(
                who,
                identity,
                (Family::DeniedRegion, Tactic::DefenseEvasion),
                activity,
                &context,
                bench,
                out,
            );
        }
        if activity.is_spend() {
            self.spend(who, activity, &context, outside, bench, out);
        }
        if opened || tied {
            self.judge_again(who, activity, bench, out);
        }
    }

    /// Ties the identity to those that the activity names. Says whether there was something to tie.
    fn tie(&mut self, who: Digest, activity: &Activity) -> bool {
        let aws = matches!(
            activity.identity.kind,
            IdentityKind::AwsService | IdentityKind::ServiceLinkedRole
        );
        let mut tied = false;
        if !aws && activity.outcome == Outcome::Success {
            for link in &activity.links {
                let other = principal_digest(link);
                if other != who {
                    self.ledger.tie(who, other, activity.time);
                    tied = true;
                }
            }
        }
        // A principal of another account belongs to whoever was let in from there.
        if let Some(home) = account_of(&activity.identity)
            && home != self.id
            && activity.is_spend()
        {
            self.ledger.tie(who, account_digest(home), activity.time);
        }
        tied
    }

    /// Notes an opening and judges the control-plane episodes that it bears on.
    fn open(
        &mut self,
        who: Digest,
        activity: &Activity,
        context: &Context,
        bench: &Bench<'_>,
        out: &mut Vec<Finding>,
    ) -> bool {
        let Some(stage) = activity.stage() else { return false };
        // A leak is an opening of the principal whose key it is.
        let leaked = (activity.kind == Kind::LeakedKey)
            .then(|| activity.links.first())
            .flatten();
        let (who, identity) = match leaked {
            Some(id) => (principal_digest(id), principal(id)),
            None => (who, activity.identity.clone()),
        };
        let mut noted = activity.clone();
        noted.identity = identity.clone();
        self.ledger.note(who, stage, &noted);
        if stage == Stage::DeniedUse {
            self.restate_served(who, activity);
        }
        let day = activity.time.day();
        self.habits
            .entry((who, activity.shape))
            .or_insert_with(Days::default)
            .note(day);
        if matches!(stage, Stage::PolicyChange | Stage::GuardrailRemoval | Stage::Credential)
            && let Some(region) = context.first().copied().flatten()
        {
            let first = self.changed_in.entry((who, region)).or_insert(day);
            *first = day.min(*first);
        }
        if let Some(family) = detections::family_of(activity) {
            self.control(who, identity.clone(), family, activity, context, bench, out);
        }
        let (service, at) = (activity.service, activity.time);
        if region_sweep::is_sweep(&self.ledger, who, stage, service, &activity.call, at, bench.settings) {
            self.control(
                who,
                identity,
                (Family::RegionSweep, Tactic::Discovery),
                activity,
                context,
                bench,
                out,
            );
        }
        // A probe makes refused use on the same or the next day worse.
        let again: Vec<ControlKey> = self
            .controls
            .range(ControlKey::first_of(who, day - 1)..ControlKey::first_of(who, day + 2))
            .filter(|(key, _)| matches!(key.family, Family::DeniedUse | Family::LimitProbe))
            .map(|(key, _)| *key)
            .collect();
        for key in again {
            self.judge_control(key, activity.time, bench, out);
        }
        true
    }

    /// Says how many uses were carried out around an identity's refusals, and whether there are refusals.
    fn restate_served(&mut self, who: Digest, activity: &Activity) -> bool {
        let used = self.used.get(&(activity.service, who));
        self.ledger
            .restate_served(who, activity.service, activity.time, |until| {
                used.map_or(0, |used| used.profile.served_around(until))
            })
    }

    #[expect(clippy::too_many_arguments)]
    fn control(
        &mut self,
        who: Digest,
        identity: Identity,
        (family, tactic): (Family, Tactic),
        activity: &Activity,
        context: &Context,
        bench: &Bench<'_>,
        out: &mut Vec<Finding>,
    ) {
        let key = ControlKey {
            who,
            day: activity.time.day(),
            service: activity.service,
            family,
        };
        let episode = self.controls.entry(key).or_insert_with(|| ControlEpisode {
            control: Control::new(identity, tactic, activity),
            published: Published::default(),
        });
        if episode.control.add(activity, context) {
            self.judge_control(key, activity.time, bench, out);
        }
    }

    fn judge_control(&mut self, key: ControlKey, time: Timestamp, bench: &Bench<'_>, out: &mut Vec<Finding>) {
        let Some(draft) = self.control_draft(key, bench) else {
            return;
        };
        if let Some(episode) = self.controls.get_mut(&key) {
            publish(draft, &mut episode.published, time, bench.policy, out);
        }
    }

    fn control_draft(&self, key: ControlKey, bench: &Bench<'_>) -> Option<Draft> {
        let control = &self.controls.get(&key)?.control;
        let used = self.used.get(&(key.service, key.who));
        let judged = control.journal.first?.plus(-bench.settings.lateness()).day();
        let scene = ControlScene {
            key,
            control,
            ledger: &self.ledger,
            habits: &self.habits,
            settings: bench.settings,
            observed: self.first_day <= key.day - bench.settings.learning_days,
            regions_before: &|region| {
                let region = tripmeter_model::digest64(&[region]);
                self.changed_in
                    .get(&(key.who, region))
                    .is_some_and(|first| *first < judged)
            },
            from_new_network: control.journal.values(Field::Network).iter().any(|network| {
                let first = self.seen.first(Attribute::Network, network.digest);
                first.is_some_and(|first| first.day() > self.first_day && first.since(network.first) > -DAY)
            }),
            in_use: self.services.get(&key.service).is_some(),
            mean_day: used.map_or(0.0, |used| used.profile.mean_day()),
        };
        let verdict = detections::judge(&scene);
        let factors: Vec<Factor> = verdict
            .iter()
            .filter(|part| part.points > 0)
            .map(|part| detections::words(&scene, part))
            .collect();
        if factors.iter().map(|factor| factor.points).sum::<u32>() < SHOWS {
            return None;
        }
        let day = key.day.to_string();
        let finding_type = control.finding_type(&key);
        Some(Draft {
            uid: tripmeter_model::stable_uid(&[
                &self.id,
                &control.identity.id,
                key.service.name(),
                key.family.name(),
                &day,
            ]),
            finding_type,
            kind: control.kind,
            account: self.id.clone(),
            identity: control.identity.clone(),
            linked: Vec::new(),
            factors,
            journal: control.journal.clone(),
            openings: Vec::new(),
            busiest: (control.journal.units, control.journal.units),
            new: Vec::new(),
            explained: None,
        })
    }

    /// A use that was carried out.
    fn spend(
        &mut self,
        who: Digest,
        activity: &Activity,
        context: &Context,
        outside: bool,
        bench: &Bench<'_>,
        out: &mut Vec<Finding>,
    ) {
        let (service, time, day) = (activity.service, activity.time, activity.time.day());
        let key = (service, who);
        let vouched = match activity.origin.source {
            Source::Address(address) => bench.policy.network_vouched(&self.id, address, time),
            _ => false,
        };
        let used = self.used.entry(key).or_insert_with(|| Used {
            profile: Profile::new(service, time),
            around: Around::default(),
            identity: activity.identity.clone(),
        });
        let hour = match used
            .profile
            .add(&mut used.around, activity, context, vouched, &bench.identity)
        {
            Added::Duplicate | Added::Late => return,
            Added::Hour(hour) => hour,
        };
        if outside && let Some(cell) = used.around.cells.get_mut(&hour) {
            cell.denied_region += 1;
        }
        if self.restate_served(who, activity) {
            let denied = ControlKey {
                who,
                day,
                service,
                family: Family::DeniedUse,
            };
            self.judge_control(denied, time, bench, out);
        }
        self.settle(key, hour, bench);
        self.keep_whole_journals(service, time, bench);
        let announced = bench
            .policy
            .announced(&self.id, service, &activity.identity, time)
            .is_some();
        let shared = self
            .services
            .entry(service)
            .or_insert_with(|| ServiceProfile::new(time));
        let profiles = &self.used;
        shared.add(who, activity, context, &bench.account, |who, attribute, day| {
            profiles
                .get(&(service, who))
                .is_some_and(|used| used.profile.first_use.day() != day && used.around.seen.novel_on(attribute, day))
        });
        let Some(used) = self.used.get_mut(&key) else { return };
        if announced {
            used.profile.mark(day, |open| open.announced = true);
            if let Some(open) = shared.day_mut(day) {
                open.announced = true;
            }
        }
        let mature = shared.first_day() <= used.profile.first_use.day() - bench.settings.learning_days;
        let judge = Judge {
            params: &bench.identity,
            newcomer_among: mature.then(|| shared.busiest_hour()),
            spike: is_model_service(service).then_some(bench.settings.model_usage_spike),
        };
        used.profile.judge(&mut used.around, hour, &judge);
        let anomalous = used.profile.day(day).is_some_and(|open| open.anomalous_hours != 0);
        let newly = anomalous
            && shared
                .day_mut(day)
                .and_then(|open| open.identities.get_mut(&who))
                .is_some_and(|identity| !std::mem::replace(&mut identity.anomalous, true));
        self.weigh_from(key, hour, bench);
        self.judge_use(key, time, bench, out);
        self.judge_whole(service, hour, newly, time, bench, out);
    }

    /// Weighs the hours of a profile from `from` on.
    fn weigh_from(&mut self, key: (Service, Digest), from: i64, bench: &Bench<'_>) {
        let (Some(used), Some(shared)) = (self.used.get_mut(&key), self.services.get(&key.0)) else {
            return;
        };
        let lateness = bench.settings.lateness();
        let hours: Vec<i64> = used.around.cells.range(from..).map(|(hour, _)| *hour).collect();
        for hour in hours.iter().copied() {
            if used.around.cells.get(&hour).is_some_and(|cell| cell.p_new.is_none()) {
                let p_new = used
                    .profile
                    .p_new(&used.around.seen, hour, lateness, |a| shared.prior(a));
                if let Some(cell) = used.around.cells.get_mut(&hour) {
                    cell.p_new = Some(p_new);
                }
            }
        }
        for hour in hours {
            let Some((points, chain)) = self
                .scene(key, bench)
                .map(|scene| scene.weigh(hour))
                .map(|w| (w.points, w.chain))
            else {
                continue;
            };
            let Some(used) = self.used.get_mut(&key) else { continue };
            if let Some(cell) = used.around.cells.get_mut(&hour) {
                cell.points = points;
                cell.chain = chain;
                if cell.noteworthy() {
                    self.live.insert(key);
                }
            }
            if points >= HOSTILE {
                used.profile
                    .mark(hour.div_euclid(24) as i32, |open| open.hostile = true);
            }
        }
    }

    fn scene<'a>(&'a self, key: (Service, Digest), bench: &'a Bench<'_>) -> Option<Scene<'a>> {
        let (service, who) = key;
        let (used, shared) = (self.used.get(&key)?, self.services.get(&service)?);
        Some(Scene {
            account: &self.id,
            account_first_day: self.first_day,
            account_seen: &self.seen,
            who,
            identity: &used.identity,
            service,
            profile: &used.profile,
            around: &used.around,
            shared,
            ledger: &self.ledger,
            habits: &self.habits,
            settings: bench.settings,
            policy: bench.policy,
        })
    }

    /// Brings the use episode of a profile up to its hours, and publishes it if it must be.
    fn judge_use(&mut self, key: (Service, Digest), time: Timestamp, bench: &Bench<'_>, out: &mut Vec<Finding>) {
        let Some(used) = self.used.get(&key) else { return };
        let unusual = used.around.cells.iter().filter(|(_, cell)| cell.points >= SHOWS);
        let Some(last) = unusual.map(|(hour, _)| *hour).max() else {
            self.hush(key, time, bench, out);
            return;
        };
        self.continue_or_begin(key, last, bench);
        let Some(draft) = self.use_draft(key, bench) else {
            return;
        };
        if let Some(episode) = self.uses.get_mut(&key) {
            episode.last_hour = episode.last_hour.max(last);
            episode.openings.clone_from(&draft.openings);
            episode.linked.clone_from(&draft.linked);
            publish(draft, &mut episode.published, time, bench.policy, out);
        }
    }

    /// Begins a new episode when the last one is over for good.
    fn continue_or_begin(&mut self, key: (Service, Digest), hour: i64, bench: &Bench<'_>) {
        let settings = bench.settings;
        let over = self
            .uses
            .get(&key)
            .is_some_and(|episode| !episode.reaches(hour, settings.closing(), settings.reopen_days));
        if over {
            let ended = self.use_finding(key, bench);
            self.ended.extend(ended);
            let ordinal = self.uses.get(&key).map_or(0, |episode| episode.ordinal + 1);
            self.uses.insert(
                key,
                UseEpisode {
                    ordinal,
                    last_hour: hour,
                    ..UseEpisode::default()
                },
            );
        } else {
            self.uses.entry(key).or_insert_with(|| UseEpisode {
                last_hour: hour,
                ..UseEpisode::default()
            });
        }
    }

    fn use_finding(&self, key: (Service, Digest), bench: &Bench<'_>) -> Option<Finding> {
        let episode = self.uses.get(&key)?;
        let draft = self.use_draft(key, bench)?;
        let time = draft.journal.last?;
        draft.finding(&episode.published, Cause::Created, time, bench.policy)
    }

    /// The use episode as it stands: what is settled, and the unusual hours that may still change.
    fn use_draft(&self, key: (Service, Digest), bench: &Bench<'_>) -> Option<Draft> {
        let (episode, used) = (self.uses.get(&key)?, self.used.get(&key)?);
        let unusual = || used.around.cells.iter().filter(|(_, cell)| cell.points >= SHOWS);
        let mut journal = episode.settled.clone();
        let mut busiest = episode.settled_busiest;
        for (_, cell) in unusual() {
            journal.merge(&cell.journal);
            busiest = (busiest.0.max(cell.journal.units), busiest.1.max(cell.day_units));
        }
        let chain = episode.chain || unusual().any(|(_, cell)| cell.chain);
        let best = unusual().max_by(|a, b| a.1.points.cmp(&b.1.points).then(b.0.cmp(a.0)));
        let best = best.filter(|(_, cell)| cell.points > episode.settled_points());
        let scene = self.scene(key, bench)?;
        let (factors, new, openings, linked) = match best {
            Some((hour, _)) => {
                let weighed = scene.weigh(*hour);
                let (openings, linked) = self.openings(&weighed, key.1, &journal, bench);
                (factors_of(&weighed), new_of(&weighed), openings, linked)
            }
            None => (
                episode.settled_factors.clone(),
                episode.settled_new.clone(),
                episode.openings.clone(),
                episode.linked.clone(),
            ),
        };
        let ordinal = episode.ordinal.to_string();
        Some(Draft {
            uid: tripmeter_model::stable_uid(&[&self.id, &used.identity.id, key.0.name(), &ordinal]),
            finding_type: FindingType {
                tactic: Tactic::Impact,
                service: key.0,
                family: use_family(chain),
            },
            kind: Kind::Use,
            account: self.id.clone(),
            identity: used.identity.clone(),
            linked,
            factors,
            journal,
            openings,
            busiest,
            new,
            explained: None,
        })
    }

    /// The openings behind a weighed hour, oldest first, and the identities that they tie to it.
    fn openings(
        &self,
        weighed: &Weighed<'_>,
        who: Digest,
        journal: &Journal,
        bench: &Bench<'_>,
    ) -> (Vec<OpeningSeen>, Vec<String>) {
        let (Some(first), Some(last)) = (journal.first, journal.last) else {
            return (Vec::new(), Vec::new());
        };
        let reach = bench.settings.correlation();
        let (from, to) = (first.plus(-reach), last.plus(reach));
        let mut of: BTreeSet<Digest> = self.ledger.kin(who, from).into_iter().collect();
        let mut linked = BTreeSet::new();
        for part in &weighed.parts {
            if let Note::Opening(opening) = part.note {
                let by = identity_digest(&opening.identity.id);
                of.insert(by);
                if by != who && part.name != FactorName::StageByOther {
                    linked.insert(opening.identity.id.clone());
                }
            }
        }
        let mut seen: BTreeSet<OpeningSeen> = BTreeSet::new();
        for opening in of.into_iter().flat_map(|who| self.ledger.of(who, from, to)) {
            for (name, call) in &opening.calls {
                let Some(time) = call.regions.values().map(|span| span.first).min() else {
                    continue;
                };
                seen.insert(OpeningSeen {
                    time,
                    stage: opening.stage,
                    service: opening.service,
                    call: name.clone(),
                    identity: opening.identity.clone(),
                    outcome: call.outcome,
                    event_id: call.event_id.clone(),
                });
            }
        }
        (
            seen.into_iter().take(MAX_OPENINGS).collect(),
            linked.into_iter().collect(),
        )
    }

    /// Counts a campaign as the reason for silence, once for each day.
    fn hush(&mut self, key: (Service, Digest), time: Timestamp, bench: &Bench<'_>, out: &mut Vec<Finding>) {
        let Some(scene) = self.scene(key, bench) else { return };
        let Some((hour, cell)) = scene.around.cells.last_key_value() else {
            return;
        };
        let (Some(surprise), day) = (cell.surprise, hour.div_euclid(24) as i32) else {
            return;
        };
        if surprise.level < Level::Anomalous || self.hushed.contains(&(key.0, key.1, day)) {
            return;
        }
        let Some(campaign) = scene.weigh(*hour).announced else {
            return;
        };
        let factor = Part {
            name: FactorName::Volume,
            points: 20,
            note: Note::Surprise(surprise),
        };
        let day_text = day.to_string();
        let draft = Draft {
            uid: tripmeter_model::stable_uid(&[&self.id, &scene.identity.id, key.0.name(), "announced", &day_text]),
            finding_type: FindingType {
                tactic: Tactic::Impact,
                service: key.0,
                family: Family::AnomalousUse,
            },
            kind: Kind::Use,
            account: self.id.clone(),
            identity: scene.identity.clone(),
            linked: Vec::new(),
            factors: vec![explain::factor(&factor)],
            journal: cell.journal.clone(),
            openings: Vec::new(),
            busiest: (cell.journal.units, cell.day_units),
            new: Vec::new(),
            explained: Some(campaign),
        };
        publish(draft, &mut Published::default(), time, bench.policy, out);
        self.hushed.insert((key.0, key.1, day));
    }

    /// Judges the live hours that a new opening or tie bears on once more.
    fn judge_again(&mut self, who: Digest, activity: &Activity, bench: &Bench<'_>, out: &mut Vec<Finding>) {
        if self.live.is_empty() {
            return;
        }
        let since = activity.time.plus(-bench.settings.correlation());
        let kin: BTreeSet<Digest> = self.ledger.kin(who, since).into_iter().collect();
        let new_network = self
            .seen
            .first(
                Attribute::Network,
                tripmeter_model::digest64(&[&activity.origin.network.0]),
            )
            .is_some_and(|first| first >= since);
        let again: Vec<(Service, Digest)> = self
            .live
            .iter()
            .copied()
            .filter(|(service, other)| *service == activity.service || kin.contains(other) || new_network)
            .collect();
        for key in again {
            self.weigh_from(key, i64::MIN, bench);
            self.judge_use(key, activity.time, bench, out);
        }
    }

    /// Moves hours that cannot change any more into their episode, or forgets them.
    fn settle(&mut self, key: (Service, Digest), now: i64, bench: &Bench<'_>) {
        let lateness = bench.settings.lateness().div_euclid(HOUR) + 1;
        let usual_until = now - lateness - 1;
        let noteworthy_until = now - lateness - bench.settings.time_window_hours - 24;
        let Some(used) = self.used.get(&key) else { return };
        let newborn = now - used.profile.first_use.hour() <= 26;
        let gone: Vec<i64> = used
            .around
            .cells
            .range(..usual_until.max(noteworthy_until))
            .filter(|(hour, cell)| **hour < noteworthy_until || !(newborn || cell.noteworthy()))
            .map(|(hour, _)| *hour)
            .collect();
        for hour in gone {
            self.settle_hour(key, hour, bench);
        }
        let quiet = self
            .used
            .get(&key)
            .is_none_or(|used| !used.around.cells.values().any(|cell| cell.noteworthy()));
        if quiet {
            self.live.remove(&key);
        }
    }

    fn settle_hour(&mut self, key: (Service, Digest), hour: i64, bench: &Bench<'_>) {
        let unusual = self
            .used
            .get(&key)
            .and_then(|used| used.around.cells.get(&hour))
            .is_some_and(|cell| cell.points >= SHOWS);
        if unusual {
            self.continue_or_begin(key, hour, bench);
            let weighed = self.scene(key, bench).map(|scene| {
                let weighed = scene.weigh(hour);
                (factors_of(&weighed), new_of(&weighed))
            });
            if let (Some((factors, new)), Some(episode), Some(cell)) = (
                weighed,
                self.uses.get_mut(&key),
                self.used.get(&key).and_then(|used| used.around.cells.get(&hour)),
            ) {
                if factors.iter().map(|factor| factor.points).sum::<u32>() > episode.settled_points() {
                    episode.settled_factors = factors;
                    episode.settled_new = new;
                }
                episode.settled.merge(&cell.journal);
                episode.chain |= cell.chain;
                episode.last_hour = episode.last_hour.max(hour);
                let (hourly, daily) = episode.settled_busiest;
                episode.settled_busiest = (hourly.max(cell.journal.units), daily.max(cell.day_units));
            }
        }
        if let Some(used) = self.used.get_mut(&key) {
            used.around.cells.remove(&hour);
        }
    }

    /// Keeps what the whole did on days that are about to be folded, where an episode is about them.
    fn keep_whole_journals(&mut self, service: Service, time: Timestamp, bench: &Bench<'_>) {
        let through = crate::baseline::foldable_through(time, bench.settings.lateness());
        let Some(shared) = self.services.get(&service) else {
            return;
        };
        for ((_, _, day), episode) in self
            .wholes
            .iter_mut()
            .filter(|((of, _, day), episode)| *of == service && *day <= through && episode.journal.is_none())
        {
            episode.journal = shared.day(*day).map(|open| open.journal.clone());
        }
    }

    /// Judges what all identities of the account do on a service together.
    fn judge_whole(
        &mut self,
        service: Service,
        hour: i64,
        newly_anomalous: bool,
        time: Timestamp,
        bench: &Bench<'_>,
        out: &mut Vec<Finding>,
    ) {
        let day = hour.div_euclid(24) as i32;
        let Some(shared) = self.services.get_mut(&service) else {
            return;
        };
        if shared.day(day).is_none_or(|open| open.announced) {
            return;
        }
        let mut factors = Vec::new();
        let expected = shared.expected(hour, &bench.account);
        let used = &self.used;
        let mean_of = |who: Digest, horizon: Horizon| {
            let mean = used.get(&(service, who)).map_or(0.0, |used| used.profile.mean_day());
            if horizon == Horizon::Hour { mean / 24.0 } else { mean }
        };
        if let Some(spread) = shared.spread(hour, &expected, &bench.account, mean_of) {
            factors.push(account_use::volume(&spread));
        }
        if newly_anomalous && let Some((identities, expected)) = shared.breadth(day) {
            factors.push(account_use::breadth(identities, &expected));
        }
        if !factors.is_empty() {
            self.publish_whole((service, Family::AnomalousUse, day), factors, hour, time, bench, out);
        }
        let Some(shared) = self.services.get(&service) else {
            return;
        };
        if let Some(exceeded) = ceiling::exceeded(service, shared, hour, bench.settings) {
            let factor = Factor {
                name: FactorName::Ceiling,
                points: 70,
                text: format!(
                    "{} units in this {}; the ceiling is {}",
                    exceeded.units, exceeded.per, exceeded.ceiling
                ),
                observed: Some(exceeded.units as f64),
                expected: Some(exceeded.ceiling as f64),
            };
            self.publish_whole(
                (service, Family::CeilingExceeded, day),
                vec![factor],
                hour,
                time,
                bench,
                out,
            );
        }
    }

    fn publish_whole(
        &mut self,
        key: WholeKey,
        factors: Vec<Factor>,
        hour: i64,
        time: Timestamp,
        bench: &Bench<'_>,
        out: &mut Vec<Finding>,
    ) {
        let Some(open) = self.services.get(&key.0).and_then(|shared| shared.day(key.2)) else {
            return;
        };
        let (units_hour, units_day) = open.units(hour.rem_euclid(24) as u8);
        // Where one identity has most of it, it is the one to ask.
        let most = open
            .busiest()
            .filter(|(_, calls, all)| calls * 2 > *all)
            .map(|(who, ..)| who);
        let who = most
            .and_then(|who| self.used.get(&(key.0, who)))
            .map(|used| used.identity.clone());
        let episode = self.wholes.entry(key).or_default();
        for factor in factors {
            match episode.factors.iter_mut().find(|known| known.name == factor.name) {
                Some(known) => *known = factor,
                None => episode.factors.push(factor),
            }
        }
        episode.who = if key.1 == Family::CeilingExceeded { who } else { None };
        episode.busiest = (episode.busiest.0.max(units_hour), episode.busiest.1.max(units_day));
        let Some(draft) = self.whole_draft(key) else { return };
        if let Some(episode) = self.wholes.get_mut(&key) {
            publish(draft, &mut episode.published, time, bench.policy, out);
        }
    }

    fn whole_draft(&self, key: WholeKey) -> Option<Draft> {
        let episode = self.wholes.get(&key)?;
        let open = self.services.get(&key.0).and_then(|shared| shared.day(key.2));
        let journal = episode
            .journal
            .clone()
            .or_else(|| open.map(|open| open.journal.clone()))?;
        let day = key.2.to_string();
        Some(Draft {
            uid: tripmeter_model::stable_uid(&[&self.id, "account", key.0.name(), key.1.name(), &day]),
            finding_type: FindingType {
                tactic: Tactic::Impact,
                service: key.0,
                family: key.1,
            },
            kind: Kind::Use,
            account: self.id.clone(),
            identity: episode.who.clone().unwrap_or_else(|| Identity::account(&self.id)),
            linked: Vec::new(),
            factors: episode.factors.clone(),
            journal,
            openings: Vec::new(),
            busiest: episode.busiest,
            new: Vec::new(),
            explained: None,
        })
    }

    /// Time has passed: closes what is quiet and forgets what cannot matter any more.
    pub(crate) fn advance(&mut self, now: Timestamp, bench: &Bench<'_>, out: &mut Vec<Finding>) {
        let quiet_since = now.plus(-bench.settings.closing() - bench.settings.lateness());
        let quiet_uses: Vec<_> = self
            .uses
            .iter()
            .filter(|(_, e)| e.published.is_open() && crate::weigh::hour_start(e.last_hour + 1) <= quiet_since)
            .map(|(key, _)| *key)
            .collect();
        for key in quiet_uses {
            let Some(draft) = self.use_draft(key, bench) else {
                continue;
            };
            if let Some(episode) = self.uses.get_mut(&key) {
                close(draft, &mut episode.published, now, bench.policy, out);
            }
        }
        let quiet_controls: Vec<_> = self
            .controls
            .iter()
            .filter(|(_, e)| e.control.journal.last.is_none_or(|last| last <= quiet_since))
            .map(|(key, _)| *key)
            .collect();
        for key in quiet_controls {
            self.ended.extend(self.control_finding(key, bench));
            let draft = self.control_draft(key, bench);
            if let (Some(draft), Some(mut episode)) = (draft, self.controls.remove(&key)) {
                close(draft, &mut episode.published, now, bench.policy, out);
            }
            self.controls.remove(&key);
        }
        let day = now.day();
        let quiet_wholes: Vec<_> = self.wholes.keys().copied().filter(|key| key.2 < day - 2).collect();
        for key in quiet_wholes {
            self.ended.extend(self.whole_finding(key, bench));
            let draft = self.whole_draft(key);
            if let (Some(draft), Some(mut episode)) = (draft, self.wholes.remove(&key)) {
                close(draft, &mut episode.published, now, bench.policy, out);
            }
        }
        self.ledger
            .expire(now.plus(-3 * bench.settings.correlation() - 2 * DAY));
        self.hushed.retain(|(_, _, of)| *of >= day - 2);
        while self.ended.len() > MAX_ENDED {
            self.ended.pop_front();
        }
    }

    /// Every episode as it stands.
    pub(crate) fn findings(&self, bench: &Bench<'_>) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self.ended.iter().cloned().collect();
        findings.extend(self.uses.keys().filter_map(|key| self.use_finding(*key, bench)));
        findings.extend(self.controls.keys().filter_map(|key| self.control_finding(*key, bench)));
        findings.extend(self.wholes.keys().filter_map(|key| self.whole_finding(*key, bench)));
        findings
    }

    fn control_finding(&self, key: ControlKey, bench: &Bench<'_>) -> Option<Finding> {
        let draft = self.control_draft(key, bench)?;
        let time = draft.journal.last?;
        draft.finding(&self.controls.get(&key)?.published, Cause::Created, time, bench.policy)
    }

    fn whole_finding(&self, key: WholeKey, bench: &Bench<'_>) -> Option<Finding> {
        let draft = self.whole_draft(key)?;
        let time = draft.journal.last?;
        draft.finding(&self.wholes.get(&key)?.published, Cause::Created, time, bench.policy)
    }
}

fn factors_of(weighed: &Weighed<'_>) -> Vec<Factor> {
    weighed.parts.iter().map(explain::factor).collect()
}

/// The values that a weighed hour found to be new.
fn new_of(weighed: &Weighed<'_>) -> Vec<(Field, String)> {
    let field = |name| match name {
        FactorName::NewRegion => Some(Field::Region),
        FactorName::NewNetwork => Some(Field::Network),
        FactorName::NewClient => Some(Field::Client),
        FactorName::NewTarget => Some(Field::Target),
        _ => None,
    };
    let new = weighed.parts.iter().filter_map(|part| match part.note {
        Note::Value { value, .. } => Some((field(part.name)?, value.text.clone())),
        _ => None,
    });
    new.collect()
}

/// The account that an identity's ARN names.
fn account_of(identity: &Identity) -> Option<&str> {
    let account = match identity.kind {
        IdentityKind::OtherAccount => identity.id.split('/').next(),
        _ => identity.id.split(':').nth(4),
    };
    account.filter(|text| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()))
}

/// A principal that is known by its durable id alone.
fn principal(id: &str) -> Identity {
    let kind = match () {
        () if id.contains(":user/") => IdentityKind::IamUser,
        () if id.contains(":role/") => IdentityKind::Role,
        () => IdentityKind::Other,
    };
    Identity {
        kind,
        id: id.to_owned(),
    }
}

/// Whether a service's calls are answered by models.
fn is_model_service(service: Service) -> bool {
    matches!(
        service,
        Service::Bedrock | Service::AgentCore | Service::BedrockMantle | Service::ClaudePlatform | Service::SageMaker
    )
}
