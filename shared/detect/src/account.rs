//! One account: its profiles, first-seen sets, ledger and episodes, and how an activity moves them.

mod bounds;
mod control_plane;
mod uses;
mod whole;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use tripmeter_model::{
    Activity, Digest, Factor, Family, Finding, Identity, IdentityKind, Kind, Outcome, Policy, Service, Stage, Tactic,
    Timestamp,
};

use crate::account_service::ServiceProfile;
use crate::baseline::Params;
use crate::control::{Control, ControlKey};
use crate::detections::{self, region_sweep};
use crate::episode::{Published, UseEpisode, close};
use crate::journal::{Context, Journal, context_of, values_of};
use crate::ledger::{Ledger, account_digest, principal_digest};
use crate::novelty::Attribute;
use crate::profile::{Around, Profile};
use crate::seen::SharedSeen;
use crate::settings::Settings;
use crate::weigh::Habits;

/// Findings of ended episodes that are kept for whoever asks for all of them.
const MAX_ENDED: usize = 10_000;
/// Openings that a finding shows.
const MAX_OPENINGS: usize = 16;
/// Days without any activity after which an account is learned anew: what is older says nothing, and one record with a
/// wrong date must not make a new account an old one.
const FORGOTTEN: i32 = 366;
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

/// An episode of the account's service as a whole: days on which it rose, none a week after the one before.
#[derive(Default)]
struct WholeEpisode {
    factors: Vec<Factor>,
    /// Its days that are not folded yet, and what the folded ones held.
    days: BTreeSet<i32>,
    settled: Journal,
    last_day: i32,
    who: Option<Identity>,
    busiest: (u64, u64),
    published: Published,
}

/// Service, family and first day.
type WholeKey = (Service, Family, i32);

/// See the module's docs.
pub(crate) struct Account {
    id: String,
    first_day: i32,
    last_day: i32,
    seen: SharedSeen,
    services: BTreeMap<Service, ServiceProfile>,
    used: HashMap<(Service, Digest), Used>,
    /// Profiles with hours that an opening by anybody could make worse.
    anomalous: BTreeSet<(Service, Digest)>,
    /// Who called from networks that are new to the account.
    callers: BTreeMap<Digest, BTreeSet<(Service, Digest)>>,
    /// The day of the last sweep.
    swept: i32,
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
            last_day: at.day(),
            seen: SharedSeen::default(),
            services: BTreeMap::new(),
            used: HashMap::new(),
            anomalous: BTreeSet::new(),
            callers: BTreeMap::new(),
            swept: at.day(),
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
        let who = principal_digest(&activity.identity.id);
        let context = context_of(activity);
        let day = activity.time.day();
        if day - self.last_day > FORGOTTEN {
            let ended = std::mem::take(&mut self.ended);
            *self = Self {
                ended,
                ..Self::new(&self.id, activity.time)
            };
        }
        self.first_day = self.first_day.min(day);
        self.last_day = self.last_day.max(day);
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

    /// The profiles of an identity, one for each service that it uses.
    fn profiles_of(&self, who: Digest) -> impl Iterator<Item = ((Service, Digest), &Used)> {
        let keys = Service::ALL
            .iter()
            .filter(|service| service.spends())
            .map(move |service| (*service, who));
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
                    tied |= self.ledger.tie(who, other, activity.time);
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
        self.ledger.note(who, &identity, stage, activity);
        if stage == Stage::DeniedUse {
            self.restate_served(who, activity);
        }
        let day = activity.time.day();
        self.note_habit(who, activity.shape, day);
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
        }
        let day = now.day();
        self.close_wholes(now, bench, out);
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
        findings.extend(self.uses.keys().filter_map(|key| self.use_finding(*key, bench)));
        findings.extend(self.controls.keys().filter_map(|key| self.control_finding(*key, bench)));
        findings.extend(self.wholes.keys().filter_map(|key| self.whole_finding(*key, bench)));
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
