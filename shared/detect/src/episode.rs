//! Episodes: one identity on one service while it stays anomalous, and when each is published.
//!
//! An episode publishes when it begins, when its severity rises or anomalous use turns out to be a hijack, when it goes
//! on after it was closed, when it is ten times larger than when it was last published, and when it closes. Nothing
//! else. What was published never sinks: an update tells the reasons of the worst that was told.

use serde::{Deserialize, Serialize};
use tripmeter_model::{
    Case, Cause, ContextSeen, Evidence, Factor, FactorName, Family, Finding, FindingType, HOUR, Identity, IdentityKind,
    Kind, OpeningSeen, Policy, Severity, Status, Suppression, Timestamp,
};

use crate::journal::{Field, Journal, Value};
use crate::part::{Moved, PartKey};

/// Growth that is worth saying again.
const GROWTH: u64 = 10;
/// Openings, and values of each kind of context, that a finding shows.
const MAX_SHOWN: usize = 16;
/// Regions that it shows: of a sweep, all there are.
const MAX_REGIONS: usize = 40;

/// What was published of an episode.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Published {
    revision: u32,
    severity: Option<Severity>,
    family: Option<Family>,
    /// The reasons that were published with most points.
    worst: Vec<Factor>,
    count: u64,
    open: bool,
    /// Its last activity, when it was last published.
    last: Option<Timestamp>,
    /// The rule under which it was last counted as suppressed.
    suppressed: Option<String>,
}

impl Published {
    /// Why the episode must be published now, if it must.
    fn cause(&self, finding: &Finding) -> Option<Cause> {
        let (count, last) = (finding.count, finding.last_seen);
        let hijack = finding.finding_type.family == Family::Hijack && self.family != Some(Family::Hijack);
        match self.severity {
            None => Some(Cause::Created),
            Some(known) if finding.severity > known || hijack => Some(Cause::SeverityRaised),
            // So is one that is not explained after all.
            Some(_) if !self.open && (Some(last) > self.last || self.is_explained()) => Some(Cause::Reopened),
            Some(_) if !self.open => None,
            Some(_) if count >= self.count.saturating_mul(GROWTH) => Some(Cause::GrownTenfold),
            Some(_) => None,
        }
    }

    /// Whether it stands open in its readers' eyes.
    pub(crate) fn is_open(&self) -> bool {
        self.open
    }

    fn is_explained(&self) -> bool {
        self.suppressed.as_deref() == Some(TOLD_ELSEWHERE)
    }

    fn note(&mut self, finding: &Finding) {
        self.revision = finding.revision;
        self.severity = self.severity.max(Some(finding.severity));
        self.family = Some(finding.finding_type.family);
        self.worst.clone_from(&finding.factors);
        self.count = finding.count;
        self.last = Some(finding.last_seen);
        self.open = finding.status == Status::Open;
    }
}

/// An episode as it stands, before anybody asks whether it is published.
pub(crate) struct Draft {
    pub uid: String,
    pub finding_type: FindingType,
    pub kind: Kind,
    pub account: String,
    pub identity: Identity,
    pub linked: Vec<String>,
    /// Those that became the identity.
    pub assumed_by: Vec<String>,
    /// Those with most of it, with their calls, where it is about many.
    pub identities: Vec<ContextSeen>,
    pub factors: Vec<Factor>,
    pub journal: Journal,
    pub openings: Vec<OpeningSeen>,
    /// Units in the busiest hour and day.
    pub busiest: (u64, u64),
    /// The values that are new to the identity.
    pub new: Vec<(Field, String)>,
    /// The rule that explains it, where that is known already (a campaign).
    pub explained: Option<Suppression>,
}

impl Draft {
    /// The points, as anyone can add them up.
    pub(crate) fn points(&self) -> u32 {
        points_of(&self.factors)
    }

    /// The same with the reasons of the worst that was published, and as the hijack that it was said to be: what readers
    /// were told is not taken back because hours go by.
    fn at_worst(mut self, published: &Published) -> Self {
        let sinks = points_of(&published.worst) > self.points();
        if sinks {
            self.factors.clone_from(&published.worst);
        }
        if let Some(family) = published.family.filter(|family| sinks || *family == Family::Hijack) {
            self.finding_type.family = family;
        }
        self
    }

    /// The finding, were it published now for this cause; none when its points reach no severity.
    pub(crate) fn finding(
        self,
        published: &Published,
        cause: Cause,
        time: Timestamp,
        policy: &dyn Policy,
    ) -> Option<Finding> {
        let points = self.points();
        let severity = Severity::from_points(points)?;
        let (first_seen, last_seen) = (self.journal.first?, self.journal.last?);
        let text = |value: Option<&Value>| value.map(|v| v.text.clone()).unwrap_or_default();
        let region = text(self.journal.most(Field::Region));
        let one = |field| match self.journal.values(field) {
            [only] => Some(only.text.as_str()),
            _ => None,
        };
        let mut sessions = self.journal.sessions().map(|session| session.invoked_by.as_deref());
        let invoked_by = sessions
            .next()
            .flatten()
            .filter(|by| sessions.all(|other| other == Some(*by)));
        let judged = Case {
            account: &self.account,
            region: &region,
            service: self.finding_type.service,
            identity: &self.identity,
            family: self.finding_type.family,
            kind: self.kind,
            severity,
            invoked_by,
            client: one(Field::Client),
            first_seen,
            last_seen,
            units_per_hour: self.busiest.0,
            units_per_day: self.busiest.1,
        };
        let severity = policy.capped(&judged).map_or(severity, |(_, most)| severity.min(most));
        let suppressed = self.explained.clone().or_else(|| policy.suppressed(&judged));
        let mut factors = self.factors;
        factors.sort_by(|a, b| b.points.cmp(&a.points).then(a.name.cmp(&b.name)));
        let new = &self.new;
        let seen = |field: Field| {
            let mut values: Vec<ContextSeen> = self
                .journal
                .values(field)
                .iter()
                .map(|value| ContextSeen {
                    value: value.text.clone(),
                    new: new.iter().any(|(f, text)| *f == field && *text == value.text),
                    count: value.count,
                })
                .collect();
            values.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
            values.truncate(if field == Field::Region { MAX_REGIONS } else { MAX_SHOWN });
            values
        };
        let targets = self.journal.values(Field::Target).iter();
        let service = self.finding_type.service;
        Some(Finding {
            uid: self.uid,
            revision: published.revision + 1,
            cause,
            status: match cause {
                Cause::Closed | Cause::Explained => Status::Closed,
                Cause::Created | Cause::SeverityRaised | Cause::Reopened | Cause::GrownTenfold => Status::Open,
            },
            finding_type: self.finding_type,
            severity,
            points,
            factors,
            account_name: policy.account_name(&self.account),
            owner: policy.owner(&self.account, service, &self.identity),
            account: self.account,
            identity: self.identity.clone(),
            linked: self.linked,
            time,
            first_seen,
            last_seen,
            count: self.journal.count,
            units: self.journal.units,
            units_per_hour: self.busiest.0,
            cost_micros: (self.journal.micros > 0).then_some(self.journal.micros),
            units_by_target: targets.map(|value| (value.text.clone(), value.units)).collect(),
            evidence: Evidence {
                event_ids: self.journal.event_ids().to_vec(),
                regions: seen(Field::Region),
                networks: seen(Field::Network),
                clients: seen(Field::Client),
                targets: seen(Field::Target),
                addresses: seen(Field::Address).into_iter().map(|seen| seen.value).collect(),
                calls: seen(Field::Call),
                // Of many identities, a session or key says nothing of whose it is.
                sessions: match self.identity.kind {
                    IdentityKind::Account => Vec::new(),
                    _ => self.journal.sessions().cloned().collect(),
                },
                openings: self.openings,
                issued: seen(Field::Issued).into_iter().map(|seen| seen.value).collect(),
                assumed_by: self.assumed_by,
                identities: self.identities,
            },
            suppressed,
            sample: false,
            region,
        })
    }
}

/// The points of reasons, added up.
pub(crate) fn points_of(factors: &[Factor]) -> u32 {
    factors.iter().map(|factor| factor.points).sum()
}

/// Publishes a draft if it must be published now: by the severity that the policy leaves.
pub(crate) fn publish(
    draft: Draft,
    published: &mut Published,
    part: PartKey,
    time: Timestamp,
    policy: &dyn Policy,
    out: &mut Vec<Moved>,
) {
    let draft = draft.at_worst(published);
    let Some(mut finding) = draft.finding(published, Cause::Created, time, policy) else {
        return;
    };
    if let Some(rule) = &finding.suppressed {
        if published.suppressed.as_ref() != Some(&rule.rule) {
            published.suppressed = Some(rule.rule.clone());
            published.revision = finding.revision;
            out.push(Moved { part, finding });
        }
        return;
    }
    if let Some(cause) = published.cause(&finding) {
        finding.cause = cause;
        if published.is_explained() {
            published.suppressed = None;
        }
        published.note(&finding);
        out.push(Moved { part, finding });
    }
}

/// Publishes that what an episode was about is told elsewhere, if anybody was told of it here.
pub(crate) fn take_back(
    draft: Draft,
    published: &mut Published,
    part: PartKey,
    time: Timestamp,
    policy: &dyn Policy,
    out: &mut Vec<Moved>,
) {
    if !published.is_open() {
        return;
    }
    let draft = draft.at_worst(published);
    if let Some(finding) = draft.finding(published, Cause::Explained, time, policy) {
        published.note(&finding);
        published.suppressed = Some(TOLD_ELSEWHERE.to_owned());
        out.push(Moved { part, finding });
    }
}

/// Publishes that an episode closed.
pub(crate) fn close(
    draft: Draft,
    published: &mut Published,
    part: PartKey,
    time: Timestamp,
    policy: &dyn Policy,
    out: &mut Vec<Moved>,
) {
    if !published.is_open() {
        return;
    }
    published.open = false;
    if let Some(finding) = draft
        .at_worst(published)
        .finding(published, Cause::Closed, time, policy)
        .filter(|f| f.suppressed.is_none())
    {
        published.note(&finding);
        out.push(Moved { part, finding });
    }
}

/// The use episode of a profile: the hours that were unusual.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct UseEpisode {
    pub ordinal: u32,
    /// The last unusual hour, since 1970.
    pub last_hour: i64,
    /// Hours that cannot change any more.
    pub settled: Journal,
    /// Units of the busiest settled hour and day.
    pub settled_busiest: (u64, u64),
    /// The factors of the settled hour with most points.
    pub settled_factors: Vec<Factor>,
    pub chain: bool,
    pub openings: Vec<OpeningSeen>,
    pub linked: Vec<String>,
    pub published: Published,
}

impl UseEpisode {
    /// The points of the settled hour with most of them.
    pub(crate) fn settled_points(&self) -> u32 {
        points_of(&self.settled_factors)
    }

    /// Whether an hour belongs to this episode rather than to a new one.
    pub(crate) fn reaches(&self, hour: i64, closing: i64, reopen_days: i64) -> bool {
        hour - self.last_hour <= closing / HOUR + reopen_days * 24
    }
}

/// The family of a use episode.
pub(crate) fn use_family(chain: bool, factors: &[Factor], identity: &Identity) -> Family {
    match identity.kind {
        _ if chain => Family::Hijack,
        IdentityKind::Meter if factors.iter().any(|factor| factor.name == FactorName::Ceiling) => {
            Family::CeilingExceeded
        }
        IdentityKind::Meter => Family::SpendSignal,
        _ => Family::AnomalousUse,
    }
}

/// The rule under which nothing is published of what other findings tell.
pub(crate) const TOLD_ELSEWHERE: &str = "told-elsewhere";

#[cfg(test)]
mod tests {
    use tripmeter_model::{
        Activity, Cause, Client, DAY, Factor, FactorName, Family, Finding, FindingType, Network, Service, Severity,
        Status, Tactic,
    };

    use super::{Draft, Published};
    use crate::journal::Journal;
    use crate::testing::{activity, at, burst, by, found, from_afar, of_model, published_until_over, quiet_days};

    /// Weeks of quiet days around what happens on their fortieth.
    fn beside_quiet_days(story: Vec<Activity>) -> Vec<Activity> {
        [quiet_days(Service::Bedrock, 55), story].concat()
    }

    /// An episode whose reasons weigh so much now.
    fn weighing(points: u32) -> Draft {
        let call = activity(Service::Bedrock, "InvokeModel", at(0));
        Draft {
            uid: String::new(),
            finding_type: FindingType {
                tactic: Tactic::Impact,
                service: call.service,
                family: Family::AnomalousUse,
            },
            kind: call.kind,
            account: call.account,
            identity: call.identity,
            linked: Vec::new(),
            assumed_by: Vec::new(),
            identities: Vec::new(),
            factors: vec![Factor {
                name: FactorName::Volume,
                points,
                text: String::new(),
                observed: None,
                expected: None,
            }],
            journal: Journal::default(),
            openings: Vec::new(),
            busiest: (0, 0),
            new: Vec::new(),
            explained: None,
        }
    }

    #[test]
    fn an_update_is_told_with_the_reasons_of_the_worst_and_as_what_that_was() {
        let published = Published {
            worst: weighing(75).factors,
            family: Some(Family::Hijack),
            ..Published::default()
        };
        let told = |points| weighing(points).at_worst(&published);
        assert_eq!(told(20).points(), 75);
        assert_eq!(told(20).finding_type.family, Family::Hijack);
        assert_eq!(told(90).points(), 90);
    }

    #[test]
    fn what_was_told_as_medium_ends_as_medium_whatever_comes_after() {
        let backfill = (0..8).flat_map(|hour| burst(40 * 24 + 22 + hour, 300, 10)).collect();
        let told = published_until_over(beside_quiet_days(backfill));
        let worst = told.iter().map(|finding| finding.severity).max();
        let last = told.last().unwrap();
        assert_eq!((worst, last.severity), (Some(Severity::Medium), Severity::Medium));
        assert_eq!(last.status, Status::Closed);
    }

    #[test]
    fn what_goes_on_after_it_was_closed_is_said_to() {
        let twice = [burst(40 * 24 + 12, 200, 10), burst(43 * 24 + 12, 200, 10)].concat();
        let told = published_until_over(beside_quiet_days(twice));
        let causes: Vec<Cause> = told.iter().map(|finding| finding.cause).collect();
        let closed = causes.iter().position(|cause| *cause == Cause::Closed).unwrap();
        assert_eq!(causes[closed + 1], Cause::Reopened, "{causes:?}");
        let raised = told.windows(2).filter(|pair| pair[1].cause == Cause::SeverityRaised);
        for pair in raised {
            assert!(pair[1].severity > pair[0].severity || pair[1].finding_type != pair[0].finding_type);
        }
    }

    #[test]
    fn usual_days_after_a_load_test_are_no_part_of_it() {
        let findings = found(beside_quiet_days(burst(40 * 24 + 9, 4_000, 2)));
        let [test] = findings.as_slice() else {
            panic!("{findings:#?}")
        };
        // The usual calls of the three hours that it took are among them, and those of the six after it are not.
        assert!(test.count < 4_030, "{}", test.count);
        assert!(test.last_seen < at(41 * 24), "{}", test.last_seen);
    }

    #[test]
    fn it_is_closed_a_day_after_its_last_unusual_hour() {
        let told = published_until_over(beside_quiet_days(burst(40 * 24 + 14, 4_000, 2)));
        let closed = told.iter().find(|finding| finding.cause == Cause::Closed).unwrap();
        let after = closed.time.since(closed.last_seen);
        // Nothing comes between an evening and the next morning but one.
        assert!((DAY..2 * DAY).contains(&after), "{after} s after it ended");
    }

    #[test]
    fn the_calls_that_points_count_are_among_those_of_the_headline() {
        let hours = (0..4).flat_map(|hour| burst(40 * 24 + 9 + hour, 12, 300));
        let moved = hours.map(|call| by(from_afar(call), "moved")).collect();
        let told = published_until_over(beside_quiet_days(moved));
        let fresh = |finding: &Finding| {
            let factor = finding.factors.iter().find(|factor| factor.name == FactorName::Fresh);
            factor.and_then(|factor| factor.observed)
        };
        let of: Vec<(f64, u64)> = told.iter().filter_map(|f| Some((fresh(f)?, f.count))).collect();
        assert!(!of.is_empty(), "{told:#?}");
        assert!(of.iter().all(|(counted, count)| *counted <= *count as f64), "{of:?}");
    }

    #[test]
    fn every_value_that_was_never_shown_before_is_marked_as_new() {
        let models = ["llama", "mistral", "nova"];
        let evaluation = burst(40 * 24 + 12, 300, 10).into_iter().enumerate();
        let story = evaluation.map(|(n, call)| of_model(call, models[n % 3])).collect();
        let findings = found(beside_quiet_days(story));
        let new = findings[0].evidence.targets.iter().filter(|target| target.new);
        let mut new: Vec<&str> = new.map(|target| target.value.as_str()).collect();
        new.sort_unstable();
        assert_eq!(new, models);
    }

    #[test]
    fn a_day_of_calls_from_home_by_a_colleague_seen_in_the_office_is_no_hijack() {
        let days = |from_office: bool| {
            let calls = burst(40 * 24 + 9, 60, 120).into_iter().enumerate();
            let mut of = |(n, mut call): (usize, Activity)| {
                if !(from_office && n % 3 == 0) {
                    call.origin.network = Network("192.0.2.0/24".into());
                }
                call.origin.client = Client("code".into());
                by(of_model(call, "sonnet"), "colleague")
            };
            let findings = found(beside_quiet_days(calls.map(&mut of).collect()));
            findings.iter().map(|finding| finding.severity).max()
        };
        assert!(days(true) <= Some(Severity::Medium), "{:?}", days(true));
        assert!(days(false) >= Some(Severity::High), "{:?}", days(false));
    }

    #[test]
    fn a_first_call_after_everything_was_set_up_is_a_try() {
        let mut look = activity(Service::Bedrock, "ListFoundationModels", at(40 * 24 + 9));
        look.kind = tripmeter_model::Kind::Probe;
        let mut open = activity(Service::Bedrock, "PutUseCaseForModelAccess", at(40 * 24 + 9).plus(60));
        open.kind = tripmeter_model::Kind::PolicyChange;
        open.effect = Some(tripmeter_model::PolicyEffect::AccessEnabled);
        let story = |calls| {
            let story = [vec![look.clone(), open.clone()], burst(40 * 24 + 10, calls, 60)].concat();
            let joined = story.into_iter().map(|call| by(from_afar(call), "joe")).collect();
            let findings = found(beside_quiet_days(joined));
            findings.iter().map(|finding| finding.severity).max()
        };
        assert_eq!(story(3), Some(Severity::Medium));
        assert!(story(40) >= Some(Severity::High));
    }
}
