//! One account: its profiles, first-seen sets, ledger and episodes, and how an activity moves them.

mod bounds;
mod control_plane;
mod meters;
mod uses;
mod whole;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use serde::{Deserialize, Serialize};
use tripmeter_model::{
    Activity, Digest, Factor, Family, Finding, Identity, IdentityKind, Kind, Outcome, Policy, Service, Stage,
    Suppression, Tactic, Timestamp,
};

use crate::account_service::ServiceProfile;
use crate::baseline::Params;
use crate::control::{Control, ControlKey};
use crate::detections::{self, region_sweep};
use crate::engine::LEARNING;
use crate::episode::{Published, UseEpisode, close};
use crate::journal::{Context, Journal, context_of, values_of};
use crate::ledger::{Ledger, account_digest, principal_digest};
use crate::novelty::Attribute;
use crate::part::{Moved, PartKey};
use crate::person::{self, Persons};
use crate::profile::{Around, Profile};
use crate::seen::SharedSeen;
use crate::settings::Settings;
use crate::shelf::Shelf;

/// Findings of ended episodes that are kept for whoever asks for all of them.
const MAX_ENDED: usize = 10_000;
/// Openings that a finding shows.
const MAX_OPENINGS: usize = 16;
/// Days without any activity after which an account is learned anew: what is older says nothing, and one record with a
/// wrong date must not make a new account an old one.
const FORGOTTEN: i32 = 366;
/// High: what was spent must not become normal.
const HOSTILE: u32 = 70;

/// What judging needs beside the account.
pub(crate) struct Bench<'a> {
    pub settings: &'a Settings,
    pub policy: &'a dyn Policy,
    pub identity: Params,
    pub account: Params,
    /// Whether findings wait while the account is learned.
    pub hold: bool,
    /// Units a day that AWS lets the account spend.
    pub most: &'a [(Service, u64)],
}

impl Bench<'_> {
    fn most(&self, service: Service) -> Option<u64> {
        self.most.iter().find(|(of, _)| *of == service).map(|(_, most)| *most)
    }
}

/// A profile with what stands around it.
#[derive(Clone, Debug)]
pub(crate) struct Used {
    pub profile: Profile,
    pub around: Around,
    pub identity: Identity,
    /// The episode that it is in, or was in last.
    pub episode: Option<UseEpisode>,
    /// Days on which a campaign was counted as the reason for silence.
    pub hushed: BTreeSet<i32>,
}

/// An episode of the control plane with what was published of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ControlEpisode {
    pub control: Control,
    pub published: Published,
}

/// An episode of the account's service as a whole: days on which it rose, none a week after the one before.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct WholeEpisode {
    factors: Vec<Factor>,
    /// Its days that are not folded yet, and what the folded ones held.
    days: BTreeSet<i32>,
    settled: Journal,
    last_hour: i64,
    /// Who spent most of it, and what that identity did on the folded days.
    who: Option<Identity>,
    settled_of: Option<Share>,
    busiest: (u64, u64),
    published: Published,
}

/// What one identity did in the hours in which it alone spent over half of what a ceiling allows.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Share {
    who: Digest,
    journal: Journal,
    /// Units of its busiest hour and day.
    busiest: (u64, u64),
}

/// What an account does on one service, and its episodes by family and first day.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Whole {
    pub profile: ServiceProfile,
    /// The units of meters' hours that may matter: they are compared anew with what records show next.
    pub meters: BTreeMap<Digest, BTreeMap<i64, u64>>,
    pub episodes: BTreeMap<(Family, i32), WholeEpisode>,
}

impl Whole {
    /// Of a service that no record shows in use yet.
    pub(crate) fn unused() -> Self {
        Self {
            profile: ServiceProfile::unused(),
            meters: BTreeMap::new(),
            episodes: BTreeMap::new(),
        }
    }

    /// With what was counted after this had ended; that alone, if they overlap or it has folded a day already.
    pub(crate) fn followed_by(mut self, live: Self) -> Self {
        let overlap = !live.profile.is_unused() && self.profile.seen().last >= live.profile.seen().first;
        if overlap || !self.profile.append(&live.profile) {
            return live;
        }
        self.meters = live.meters;
        self.episodes.extend(live.episodes);
        self
    }
}

/// Service, family and first day.
type WholeKey = (Service, Family, i32);

/// The first and last day on which an account did anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Span {
    pub first_day: i32,
    pub last_day: i32,
}

/// See the module's docs.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub id: String,
    pub span: Span,
    /// What its identities have shown, on all services and on each.
    pub seen: SharedSeen,
    pub seen_on: BTreeMap<Service, SharedSeen>,
    /// First-seen sets whose profile was never written.
    pub strays: HashMap<(Service, Digest), Around>,
    pub services: Shelf<Service, Whole>,
    pub used: Shelf<(Service, Digest), Used>,
    /// Profiles with hours that an opening by anybody could make worse.
    pub anomalous: Shelf<Service, BTreeSet<Digest>>,
    /// Who called from networks that are new to the account.
    pub callers: Shelf<Digest, BTreeSet<(Service, Digest)>>,
    pub ledger: Ledger,
    pub persons: Persons,
    pub controls: Shelf<ControlKey, ControlEpisode>,
    /// Uses that were counted before. Not kept.
    pub repeated: u64,
    /// Whether only what was fetched of it is held.
    partly: bool,
    /// The day of the last sweep.
    swept: i32,
    ended: VecDeque<Finding>,
}

impl Account {
    /// An account of which all there is is held.
    pub(crate) fn new(id: &str, at: Timestamp) -> Self {
        Self {
            id: id.to_owned(),
            span: Span {
                first_day: at.day(),
                last_day: at.day(),
            },
            seen: SharedSeen::whole(),
            seen_on: BTreeMap::new(),
            strays: HashMap::new(),
            services: Shelf::whole(),
            used: Shelf::whole(),
            anomalous: Shelf::whole(),
            callers: Shelf::whole(),
            ledger: Ledger::default(),
            persons: Persons::whole(),
            controls: Shelf::whole(),
            repeated: 0,
            partly: false,
            swept: at.day(),
            ended: VecDeque::new(),
        }
    }

    /// An account of which nothing was fetched yet.
    pub(crate) fn unfetched(id: &str, span: Span) -> Self {
        Self {
            id: id.to_owned(),
            span,
            seen: SharedSeen::unfetched(),
            seen_on: Service::ALL
                .iter()
                .filter(|service| service.spends())
                .map(|service| (*service, SharedSeen::unfetched()))
                .collect(),
            strays: HashMap::new(),
            services: Shelf::unfetched(),
            used: Shelf::unfetched(),
            anomalous: Shelf::unfetched(),
            callers: Shelf::unfetched(),
            ledger: Ledger::unfetched(),
            persons: Persons::unfetched(),
            controls: Shelf::unfetched(),
            repeated: 0,
            partly: true,
            swept: span.last_day,
            ended: VecDeque::new(),
        }
    }

    /// Takes an activity in and says what it causes to be published.
    pub(crate) fn observe(&mut self, activity: &Activity, bench: &Bench<'_>, out: &mut Vec<Moved>) {
        let metered = activity.identity.kind == IdentityKind::Meter;
        if metered && activity.kind == Kind::Context {
            return;
        }
        let who = principal_digest(&activity.identity.id);
        let context = context_of(activity);
        let day = activity.time.day();
        if day - self.span.last_day > FORGOTTEN {
            self.forget(activity.time);
        }
        self.span.first_day = self.span.first_day.min(day);
        self.span.last_day = self.span.last_day.max(day);
        if activity.kind == Kind::SpendSignal {
            self.signal(who, activity, &context, bench, out);
            return;
        }
        // Who called from where, no meter knows.
        for (attribute, value) in values_of(&context).filter(|_| !metered) {
            if attribute != Attribute::Target {
                self.seen.note(attribute, value, who, activity.time);
            }
        }
        if activity.kind == Kind::Probe && activity.outcome == Outcome::Success {
            self.seen.note_read(activity.shape, who, activity.time);
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
            // What OpenAI or a meter tells has no region.
            && !activity.region.is_empty()
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
        if activity.is_spend() && metered {
            self.count_metered(who, activity, &context, outside, bench, out);
        } else if activity.is_spend() {
            self.spend(who, activity, &context, outside, bench, out);
        }
        if opened || tied {
            self.judge_again(who, activity, bench, out);
        }
    }

    /// Why a finding waits, if it does: the account is being learned, and it is not one that first days can tell.
    fn held(&self, family: Family, seen: Option<Timestamp>, bench: &Bench<'_>) -> Option<Suppression> {
        let learning = seen.is_some_and(|seen| seen.day() < self.span.first_day + bench.settings.learning_days);
        let tells = matches!(
            family,
            Family::CeilingExceeded
                | Family::SpendSignal
                | Family::DeniedRegion
                | Family::GuardrailRemoved
                | Family::LeakedKey
                | Family::Hijack
                | Family::TelemetryLost
        );
        (bench.hold && learning && !tells).then(|| Suppression {
            rule: LEARNING.to_owned(),
            reason: "the account is being learned".to_owned(),
        })
    }

    /// The account was silent for so long that what it knew says nothing.
    fn forget(&mut self, now: Timestamp) {
        self.span.first_day = now.day();
        if !self.partly {
            let ended = std::mem::take(&mut self.ended);
            *self = Self {
                ended,
                ..Self::new(&self.id, now)
            };
        }
    }

    /// What the account's identities have shown on a service, or on all.
    pub(crate) fn seen_mut(&mut self, of: Option<Service>) -> &mut SharedSeen {
        match of {
            None => &mut self.seen,
            Some(service) => self.seen_on.entry(service).or_insert_with(SharedSeen::whole),
        }
    }

    /// The profiles of an identity, one for each service that it uses.
    fn profiles_of(&self, who: Digest) -> impl Iterator<Item = ((Service, Digest), &Used)> {
        let services = self.persons.get(&who).into_iter().flat_map(|person| &person.uses);
        let keys = services.map(move |service| (*service, who));
        keys.filter_map(|key| self.used.get(&key).map(|used| (key, used)))
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
                    tied |= person::tie(&mut self.persons, who, other, activity.time);
                    if activity.kind == Kind::Context {
                        person::became(&mut self.persons, other, who, &activity.identity.id);
                    }
                }
            }
        }
        // A principal of another account belongs to whoever was let in from there.
        if let Some(home) = account_of(&activity.identity)
            && home != self.id
            && activity.is_spend()
        {
            person::tie(&mut self.persons, who, account_digest(home), activity.time);
        }
        tied
    }

    /// The durable ids of those that became an identity, around what a journal holds.
    fn assumed_by(&self, who: Digest, journal: &Journal, bench: &Bench<'_>) -> Vec<String> {
        let since = journal.first.map(|first| first.plus(-bench.settings.correlation()));
        let person = self.persons.get(&who).zip(since);
        let by = person.into_iter().flat_map(|(person, since)| person.assumed_by(since));
        by.map(str::to_owned).collect()
    }

    /// Notes an opening and judges the control-plane episodes that it bears on.
    fn open(
        &mut self,
        who: Digest,
        activity: &Activity,
        context: &Context,
        bench: &Bench<'_>,
        out: &mut Vec<Moved>,
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
        self.ledger.note(who, &identity, stage, activity);
        if stage == Stage::DeniedUse {
            self.restate_served(who, activity);
        }
        let day = activity.time.day();
        if let Some(person) = person::ways(&mut self.persons, who) {
            person.note_habit(activity.shape, day);
            if matches!(stage, Stage::PolicyChange | Stage::GuardrailRemoval | Stage::Credential)
                && let Some(region) = context.first().copied().flatten()
            {
                person.note_change(region, day);
            }
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
        let lately = self.persons.get(&who).into_iter().flat_map(|person| &person.controls);
        let again: Vec<ControlKey> = lately
            .filter(|(of, ..)| (day - 1..=day + 1).contains(of))
            .filter(|(.., family)| matches!(family, Family::DeniedUse | Family::LimitProbe))
            .map(|of| ControlKey::of(who, *of))
            .collect();
        for key in again {
            self.judge_control(key, activity.time, bench, out);
        }
        true
    }

    /// Time has passed: closes what is quiet and forgets what cannot matter any more.
    pub(crate) fn advance(&mut self, now: Timestamp, bench: &Bench<'_>, out: &mut Vec<Moved>) {
        let quiet_since = now.plus(-bench.settings.closing() - bench.settings.lateness());
        let quiet = |episode: &UseEpisode| {
            episode.published.is_open() && crate::weigh::hour_start(episode.last_hour + 1) <= quiet_since
        };
        for key in self.used.keys_where(|_, used| used.episode.as_ref().is_some_and(quiet)) {
            let Some(draft) = self.use_draft(key, bench) else {
                continue;
            };
            if let Some(episode) = self.used.get_mut(&key).and_then(|used| used.episode.as_mut()) {
                close(
                    draft,
                    &mut episode.published,
                    PartKey::use_of(key),
                    now,
                    bench.policy,
                    out,
                );
            }
        }
        let quiet = |control: &Control| control.journal.last.is_none_or(|last| last <= quiet_since);
        let mut ended = self.controls.keys_where(|_, episode| quiet(&episode.control));
        // A tour ends as one.
        ended.retain(|key| {
            let mut tour = self.tour(*key).into_iter().filter_map(|of| self.controls.get(&of));
            tour.all(|episode| quiet(&episode.control))
        });
        if !self.partly {
            let findings: Vec<Finding> = ended
                .iter()
                .filter_map(|key| self.control_finding(*key, bench))
                .collect();
            self.ended.extend(findings);
        }
        // All of them are told before the first is forgotten: one may tell of the others.
        let drafts: Vec<_> = ended
            .iter()
            .map(|key| (*key, self.control_draft(*key, bench)))
            .collect();
        for (key, draft) in drafts {
            if let (Some(draft), Some(episode)) = (draft, self.controls.get_mut(&key)) {
                close(
                    draft,
                    &mut episode.published,
                    PartKey::control(key),
                    now,
                    bench.policy,
                    out,
                );
            }
        }
        // What lies in a table expires there.
        if !self.partly {
            for key in ended {
                self.controls.remove(&key);
            }
        }
        let day = now.day();
        self.close_wholes(now, bench, out);
        if self.partly {
            return;
        }
        while self.ended.len() > MAX_ENDED {
            self.ended.pop_front();
        }
        if day > self.swept {
            self.swept = day;
            self.sweep(now, bench);
        }
    }

    /// Every episode as it stands.
    pub(crate) fn findings(&self, bench: &Bench<'_>) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self.ended.iter().cloned().collect();
        let uses = self.used.keys_where(|_, used| used.episode.is_some());
        findings.extend(uses.into_iter().filter_map(|key| self.use_finding(key, bench)));
        let controls = self.controls.keys_where(|_, _| true);
        findings.extend(controls.into_iter().filter_map(|key| self.control_finding(key, bench)));
        let wholes = self.whole_keys();
        findings.extend(wholes.into_iter().filter_map(|key| self.whole_finding(key, bench)));
        findings
    }
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
