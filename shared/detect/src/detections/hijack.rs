//! The hijack itself, AN0417: an opening, then use that leaves its baseline.
//!
//! Openings are what the identity or one that it is tied to did within `TimeWindow`, before or after: limits probed,
//! use refused, a policy changed, a control weakened, a credential issued. The enabling event is often missing, so a
//! first-seen identity, region, network, client or target counts as an opening too.
//!
//! Ties: the same identity; the principal that was created, granted or given a key; a role that was assumed; the same
//! network and client where the network is new to the account; everybody of an account that was let in.
//!
//! ATT&CK: T1496.004. Evades: an opening older than `TimeWindow`; use within the baseline from known places. False
//! when: an engineer sets a service up and moves much to it on the same day, from a new place.

use tripmeter_model::{Digest, FactorName, Service, Stage, Timestamp};

use super::anomalous_use::{Novelty, Strangeness, is_strange};
use crate::baseline::Level;
use crate::cell::Cell;
use crate::journal::Field;
use crate::ledger::{Ledger, Opening};
use crate::novelty::Attribute;
use crate::person::kin;
use crate::settings::Settings;
use crate::weigh::{Facts, Note, Scene, Weighed};

/// Stages that count while a profile learns: a policy changed or a control weakened, beside looking or trying.
const LEARNING_STAGES: f64 = 40.0;
/// Fewer units within a day are a try: whoever set something up looks whether it answers.
const TRY: u64 = 10;
/// What openings bring beside a try, unless one blinds or AWS knows of a leak: with all that may be new, no more than
/// Medium.
const BESIDE_A_TRY: f64 = 24.0;
/// Novelty and stages that make an opening.
const OPENING: f64 = 20.0;
/// Novelty of a place, and of what is used from there, that makes one beside overwhelming volume.
const AIMED: f64 = 5.0;
/// A stage by another identity of the account's service.
const BY_OTHER: f64 = 8.0;
/// Refusals among so many times as many uses that were carried out are no search.
const SERVED: u32 = 10;

/// The stages that bear on an hour.
#[derive(Default)]
pub(crate) struct Stages<'a> {
    own: Vec<(Stage, f64, &'a Opening)>,
    /// Points of the own ones.
    pub points: f64,
    /// Somebody else issued the credential that is used.
    given: bool,
    /// One of them blinds, or says that a key is known to strangers.
    grave: bool,
    other: Option<&'a Opening>,
}

impl Stages<'_> {
    /// Whether they count though everything is new: something was changed, not only looked at or tried.
    pub(crate) fn telling(&self) -> bool {
        let changed = self
            .own
            .iter()
            .any(|(stage, ..)| !matches!(stage, Stage::Probe | Stage::DeniedUse));
        changed && self.points >= LEARNING_STAGES
    }

    /// Whether they count for an identity that is not a day old in a young account: somebody else made it, and nobody
    /// has called from where it does. A new program gets its credentials, too, but it runs where the others do.
    pub(crate) fn made_by_a_stranger(&self, scene: &Scene<'_>, facts: &Facts, strange: &Strangeness<'_>) -> bool {
        let day_before = facts.last.plus(-scene.settings.lateness()).day() - 1;
        self.given && facts.newborn && scene.account_first_day <= day_before && strange.is_foreign()
    }

    fn probe_alone(&self) -> bool {
        matches!(self.own.as_slice(), [(Stage::Probe, ..)])
    }
}

/// Weighs the openings beside unusual use, and the chain they make with it.
pub(crate) fn chain<'a>(
    stages: &Stages<'a>,
    facts: &Facts,
    level: Level,
    novelty: Novelty,
    fresh: bool,
    cell: &Cell,
    weighed: &mut Weighed<'a>,
) {
    let is_try = facts.sums.uses.max(facts.sums.units) < TRY && !stages.grave;
    let share = match () {
        () if is_try => f64::min(BESIDE_A_TRY / stages.points.max(1.0), 1.0),
        // A look at the quota before much is sent from the usual place is what a campaign begins with.
        () if stages.probe_alone() && !is_strange(novelty) => 0.5,
        () => 1.0,
    };
    // Openings alone are findings of their own.
    if level > Level::Usual || fresh || is_strange(novelty) || cell.denied_region > 0 {
        for (stage, points, opening) in &stages.own {
            weighed.add(stage_factor(*stage), points * share, Note::Opening(opening));
        }
    }
    let anomalous = level >= Level::Anomalous;
    let mut opening = novelty.all + stages.points * share;
    if let Some(other) = stages.other.filter(|_| anomalous) {
        opening += BY_OTHER;
        weighed.add(FactorName::StageByOther, BY_OTHER, Note::Opening(other));
    }
    // Nobody's own business is thirty times too much and comes from a place that it never had.
    let aimed = level >= Level::Overwhelming && novelty.aim >= AIMED;
    weighed.chain = (anomalous || fresh) && opening >= OPENING || aimed;
    if weighed.chain {
        let opened = !stages.own.is_empty() || stages.other.is_some_and(|_| anomalous);
        weighed.add(
            FactorName::Chain,
            20.0,
            if opened { Note::Nothing } else { Note::Unopened },
        );
    }
}

/// The openings that bear on an hour.
pub(crate) fn stages<'a>(scene: &Scene<'a>, facts: &Facts, cell: &Cell) -> Stages<'a> {
    let (first, last) = (facts.first, facts.last);
    let reach = scene.settings.correlation();
    let (from, to) = (first.plus(-reach), last.plus(reach));
    let mut kin = kin(scene.persons, scene.who, from);
    let tied = kin.len();
    let unseen = scene.is_metered() || scene.shows_no_place();
    if unseen {
        add_openers(scene, &mut kin, from, to);
    } else {
        add_same_origin(scene, &mut kin, cell, from, to);
    }
    let mut stages = Stages::default();
    let outside = is_outside(scene, facts, cell);
    for (nth, who) in kin.iter().copied().enumerate() {
        let bears = |opening: &&Opening| !unseen || nth < tied || opens(opening, scene.service);
        for opening in scene.ledger.of(who, from, to).filter(bears) {
            let points = stage_points(scene, who, opening) * weight(scene, who, opening, outside);
            stages.grave |= points > 0.0 && opening.grave;
            stages.given |= opening.stage == Stage::Credential
                && points > 0.0
                && who != scene.who
                && opening.links.contains(&scene.who);
            match stages.own.iter_mut().find(|(stage, ..)| *stage == opening.stage) {
                Some(own) if own.1 >= points => {}
                Some(own) => *own = (opening.stage, points, opening),
                None if points > 0.0 => stages.own.push((opening.stage, points, opening)),
                None => {}
            }
        }
    }
    if cell.level() >= Level::Anomalous && !scene.is_metered() {
        stages.other = scene
            .ledger
            .all(from, to)
            .filter(|(who, opening)| {
                opening.service == scene.service
                    && !matches!(opening.stage, Stage::DeniedUse | Stage::SpendSignal)
                    && !opening.routine()
                    && !kin.contains(who)
                    && weight(scene, *who, opening, outside) > 0.5
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
fn add_same_origin(scene: &Scene<'_>, kin: &mut Vec<Digest>, cell: &Cell, from: Timestamp, to: Timestamp) {
    let new_networks = || {
        cell.journal.values(Field::Network).iter().filter(|value| {
            scene
                .account_seen
                .first(Attribute::Network, value.digest)
                .is_some_and(|first| first >= from)
        })
    };
    let known_account = scene.account_first_day <= to.day() - scene.settings.learning_days;
    if !known_account || new_networks().next().is_none() {
        return;
    }
    let origins: Vec<Digest> = new_networks()
        .flat_map(|network| {
            let clients = cell.journal.values(Field::Client).iter();
            clients.map(|client| tripmeter_model::digest64(&[&network.text, &client.text]))
        })
        .collect();
    for (who, opening) in scene.ledger.all(from, to) {
        if !kin.contains(&who) && origins.iter().any(|origin| opening.origins.contains(origin)) {
            kin.push(who);
        }
    }
}

/// Everybody who opened what a service is used through, where nobody is on record for its use or nobody shows from where it
/// is used: a limit that is raised lets every key spend.
fn add_openers(scene: &Scene<'_>, kin: &mut Vec<Digest>, from: Timestamp, to: Timestamp) {
    for (who, opening) in scene.ledger.all(from, to) {
        if opens(opening, scene.service) && !kin.contains(&who) {
            kin.push(who);
        }
    }
}

/// Whether an opening lets a service be used unseen: something was done to the service itself, a credential was issued,
/// or the trail was blinded.
fn opens(opening: &Opening, service: Service) -> bool {
    match opening.stage {
        // Who is refused is on record, and so is what he is not refused.
        Stage::SpendSignal | Stage::DeniedUse => false,
        Stage::Credential => true,
        Stage::GuardrailRemoval if opening.service == Service::CloudTrail => true,
        _ => opening.service == service,
    }
}

fn stage_points(scene: &Scene<'_>, who: Digest, opening: &Opening) -> f64 {
    let full = match opening.stage {
        Stage::Probe => 15.0,
        Stage::DeniedUse if is_burst(scene, who, opening) => 20.0,
        // A signal is no opening: it is weighed by itself.
        Stage::DeniedUse | Stage::SpendSignal => 0.0,
        Stage::PolicyChange => 30.0,
        Stage::GuardrailRemoval => 35.0,
        Stage::Credential => 20.0,
    };
    match () {
        // A sender that is added says nothing about model calls.
        () if !related(opening, scene.service) => 0.0,
        () if opening.routine() => full / 2.0,
        () => full,
    }
}

/// What a service spends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Goods {
    Mail,
    Messages,
    Models,
}

impl Goods {
    fn of(service: Service) -> Self {
        match service {
            Service::Ses | Service::WorkMail => Self::Mail,
            Service::Sns | Service::Sms | Service::Cognito => Self::Messages,
            _ => Self::Models,
        }
    }

    /// By the code that Service Quotas has for a service; none where it may be about all of them.
    fn of_quota(code: &str) -> Option<Self> {
        match code {
            "ses" | "workmail" => Some(Self::Mail),
            "sns" | "sms-voice" | "cognito-idp" => Some(Self::Messages),
            "bedrock" | "sagemaker" => Some(Self::Models),
            _ => None,
        }
    }
}

/// Whether an opening is about what a service spends: the same goods, or what governs them all.
fn related(opening: &Opening, spends: Service) -> bool {
    let goods = Goods::of(spends);
    let mut quotas = opening.calls.values().flat_map(|call| &call.quotas).peekable();
    if quotas.peek().is_some() {
        return quotas.any(|code| Goods::of_quota(code).is_none_or(|of| of == goods));
    }
    !opening.service.spends() || Goods::of(opening.service) == goods
}

/// Whether refused use came in a burst: within twenty minutes, and not what a busy application always has.
fn is_burst(scene: &Scene<'_>, who: Digest, opening: &Opening) -> bool {
    let usual = if who == scene.who {
        scene.profile.mean_before(opening.first.day())
    } else {
        0.0
    };
    denied_in_burst(scene.ledger, who, opening) >= burst_size(scene.settings, usual)
}

/// Whether the hour's use came from a network that nobody in the account has shown.
fn is_outside(scene: &Scene<'_>, facts: &Facts, cell: &Cell) -> bool {
    let before = facts.last.plus(-scene.settings.lateness()).day();
    let mut networks = cell.journal.values(Field::Network).iter();
    networks.any(|network| !scene.account_seen.known(Attribute::Network, network.digest, before))
}

/// How unusual an opening is for who made it: its most unusual call. What the others of the account read, too, is no
/// look around where they are, or by a person who signed in.
fn weight(scene: &Scene<'_>, who: Digest, opening: &Opening, outside: bool) -> f64 {
    let day = opening.first.plus(-scene.settings.lateness()).day();
    let person = scene.persons.get(&who);
    let learned = day - scene.settings.learning_days;
    let is_look = opening.stage == Stage::Probe && (!outside || opening.identity.is_person());
    let usual = |shape| is_look && scene.account_seen.is_read_by_others(shape, who, learned);
    let shapes = opening.calls.values().flat_map(|call| &call.shapes);
    let weights = shapes.map(|shape| match person.and_then(|person| person.habit(*shape)) {
        _ if usual(*shape) => 0.0,
        Some(days) => days.weight(day),
        None => 1.0,
    });
    weights.fold(0.0, f64::max)
}

/// How many refused uses make a burst for an identity that usually makes so many calls a day.
pub(crate) fn burst_size(settings: &Settings, calls_a_day: f64) -> u32 {
    settings.denied_burst.max(libm::ceil(calls_a_day / 50.0) as u32)
}

/// Refused uses in the ten minutes of an opening and the ten before.
pub(crate) fn denied_in_burst(ledger: &Ledger, who: Digest, opening: &Opening) -> u32 {
    let slot = opening.first.ten_minutes();
    ledger
        .of(who, opening.first.plus(-1_200), opening.last)
        .filter(|o| o.stage == Stage::DeniedUse && o.service == opening.service)
        .filter(|o| (slot - 1..=slot).contains(&o.first.ten_minutes()) && o.served < o.count.saturating_mul(SERVED))
        .map(|o| o.count)
        .fold(0, u32::saturating_add)
}

fn stage_factor(stage: Stage) -> FactorName {
    match stage {
        Stage::Probe => FactorName::StageProbe,
        Stage::DeniedUse => FactorName::StageDenied,
        Stage::PolicyChange => FactorName::StagePolicy,
        Stage::GuardrailRemoval => FactorName::StageGuardrail,
        Stage::Credential => FactorName::StageCredential,
        Stage::SpendSignal => FactorName::SpendSignal,
    }
}

#[cfg(test)]
mod tests {
    use tripmeter_model::{Activity, FactorName, Family, Kind, PolicyEffect, Service, Severity, Target};

    use crate::testing::{activity, at, burst, by, found, from_afar, kind, quiet_days, refused, worst};

    const NIGHT: i64 = 29 * 24 + 2;

    fn spree(user: &str) -> Vec<Activity> {
        (0..40)
            .map(|n| {
                by(
                    from_afar(activity(Service::Bedrock, "Converse", at(NIGHT).plus(600 + n * 10))),
                    user,
                )
            })
            .collect()
    }

    fn opening(name: &str, of: Kind, user: &str) -> Activity {
        let mut opening = by(from_afar(kind(activity(Service::Bedrock, name, at(NIGHT)), of)), user);
        opening.effect = (of == Kind::PolicyChange).then_some(PolicyEffect::AccessEnabled);
        opening
    }

    #[test]
    fn a_policy_opened_and_then_a_spree_is_a_hijack() {
        let mut story = quiet_days(Service::Bedrock, 29);
        story.push(opening("PutUseCaseForModelAccess", Kind::PolicyChange, "thief"));
        story.extend(spree("thief"));
        assert!(worst(&found(story), Family::Hijack) >= Some(Severity::High));
    }

    #[test]
    fn it_stands_without_any_enabling_event() {
        let mut story = quiet_days(Service::Bedrock, 29);
        story.extend(spree("thief"));
        assert!(worst(&found(story), Family::Hijack) >= Some(Severity::High));
    }

    #[test]
    fn a_user_that_the_thief_creates_has_no_honeymoon() {
        let mut story = quiet_days(Service::Bedrock, 29);
        let mut created = opening("CreateUser", Kind::CredentialIssue, "admin");
        created.service = Service::Iam;
        created.grave = true;
        created.links = vec!["arn:aws:iam::111122223333:user/backup".into()];
        story.push(created);
        story.extend(spree("backup"));
        let findings = found(story);
        assert!(worst(&findings, Family::Hijack) >= Some(Severity::High));
        let hijack = findings
            .iter()
            .find(|f| f.finding_type.family == Family::Hijack)
            .unwrap();
        assert_eq!(hijack.linked, vec!["arn:aws:iam::111122223333:user/admin".to_owned()]);
    }

    #[test]
    fn an_opening_that_comes_after_the_use_makes_it_worse_all_the_same() {
        let mut story = quiet_days(Service::Bedrock, 29);
        let before = found([story.clone(), spree("thief")].concat());
        let mut late = opening(
            "DeleteModelInvocationLoggingConfiguration",
            Kind::GuardrailRemoval,
            "thief",
        );
        late.time = at(NIGHT + 2);
        story.push(late);
        story.extend(spree("thief"));
        assert!(worst(&found(story), Family::Hijack) > worst(&before, Family::Hijack));
    }

    #[test]
    fn an_engineers_first_evening_in_a_new_account_is_none() {
        let mut story = vec![opening("ListFoundationModels", Kind::Probe, "dana")];
        story.extend((0..5).map(|n| refused(by(activity(Service::Bedrock, "Converse", at(NIGHT).plus(n)), "dana"))));
        story.extend(spree("dana"));
        assert_eq!(worst(&found(story), Family::Hijack), None);
    }

    #[test]
    fn who_assumed_a_role_is_in_the_finding_of_what_it_does() {
        let mut story = quiet_days(Service::Bedrock, 40);
        let mut assumed = by(activity(Service::Sts, "AssumeRole", at(39 * 24 + 1)), "legacy");
        assumed.kind = Kind::Context;
        assumed.links = vec!["arn:aws:iam::111122223333:role/app".into()];
        story.push(assumed);
        story.extend((0..60).map(|n| {
            let call = activity(Service::Bedrock, "InvokeModel", at(39 * 24 + 2).plus(n * 20));
            from_afar(call)
        }));
        let findings = found(story);
        let told = findings
            .iter()
            .find(|f| f.finding_type.family == Family::Hijack)
            .unwrap();
        assert_eq!(told.evidence.assumed_by, ["arn:aws:iam::111122223333:user/legacy"]);
    }

    /// What stands before a night's burst at home that `role/app` prepared by this.
    fn factors_beside(mut opened: Activity) -> Vec<FactorName> {
        let mut story = quiet_days(Service::Bedrock, 40);
        opened.time = at(39 * 24 + 1);
        story.push(opened);
        story.extend(burst(39 * 24 + 2, 100, 20));
        let findings = found(story);
        let of_use = findings
            .iter()
            .find(|f| f.finding_type.service == Service::Bedrock)
            .unwrap();
        of_use.factors.iter().map(|factor| factor.name).collect()
    }

    #[test]
    fn a_try_weighs_in_full_beside_what_blinds() {
        let beside = |grave| {
            let mut blinded = opening("DeleteTrail", Kind::GuardrailRemoval, "thief");
            blinded.service = Service::CloudTrail;
            blinded.grave = grave;
            let opened = opening("PutUseCaseForModelAccess", Kind::PolicyChange, "thief");
            let mut story = quiet_days(Service::Bedrock, 29);
            story.extend([blinded, opened]);
            story.extend(spree("thief").into_iter().take(3));
            worst(&found(story), Family::AnomalousUse)
        };
        assert_eq!(beside(false), Some(Severity::Medium));
        assert!(beside(true) >= Some(Severity::High));
    }

    #[test]
    fn an_opening_that_is_about_other_goods_is_none() {
        let policy = |service, target: &str| {
            let mut policy = kind(activity(service, "Change", at(0)), Kind::PolicyChange);
            policy.effect = Some(PolicyEffect::LimitRaised);
            policy.target = Some(Target::Resource(target.into()));
            factors_beside(policy).contains(&FactorName::StagePolicy)
        };
        assert!(!policy(Service::Ses, "shop.example.com"));
        assert!(!policy(Service::ServiceQuotas, "ses"));
        assert!(policy(Service::ServiceQuotas, "bedrock"));
    }

    #[test]
    fn a_habit_is_not_shown_as_what_came_before() {
        let mut story = quiet_days(Service::Bedrock, 40);
        story.extend((0..40).map(|day| {
            let mut grant = by(activity(Service::Iam, "PutRolePolicy", at(day * 24 + 1)), "ci");
            grant.kind = Kind::CredentialIssue;
            grant.links = vec!["arn:aws:iam::111122223333:role/app".into()];
            grant
        }));
        let before = |mut story: Vec<Activity>| {
            story.extend(burst(39 * 24 + 2, 100, 20));
            let findings = found(story);
            let of_use = findings.iter().find(|f| f.finding_type.family == Family::AnomalousUse);
            of_use.map(|finding| finding.evidence.openings.len())
        };
        assert_eq!(before(story), Some(0));
    }
}
