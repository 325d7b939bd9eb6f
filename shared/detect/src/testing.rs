//! Small activities and stories for the tests of this crate.

use tripmeter_model::{
    Activity, Client, Family, Finding, Identity, IdentityKind, Kind, Network, NoPolicy, Origin, Outcome, Policy,
    Quantity, Service, Session, Severity, Source, Target, Timestamp, digest64,
};

use crate::{Engine, Settings};

/// An hour count since 1970, as a time. Tests begin on Monday 2026-01-05 at 00:00, hour 0 of their own.
pub(crate) fn at(hour: i64) -> Timestamp {
    Timestamp::from_seconds(1_767_571_200 + hour * 3_600)
}

/// A successful call of `user/app` from the office: use, unless the test says otherwise.
pub(crate) fn activity(service: Service, call: &str, time: Timestamp) -> Activity {
    Activity {
        time,
        event_id: None,
        account: "111122223333".into(),
        region: "eu-west-1".into(),
        service,
        call: call.into(),
        kind: Kind::Use,
        outcome: Outcome::Success,
        identity: Identity {
            kind: IdentityKind::Role,
            id: "arn:aws:iam::111122223333:role/app".into(),
        },
        session: Session::default(),
        origin: Origin {
            source: Source::Hidden,
            network: Network("198.51.100.0/24".into()),
            client: Client("boto3".into()),
        },
        target: Some(Target::Model("anthropic.claude".into())),
        quantity: Quantity::ONE,
        effect: None,
        routine: false,
        grave: false,
        links: Vec::new(),
        issued: None,
        shape: digest64(&[call]),
        why: String::new(),
    }
}

/// The same by somebody else.
pub(crate) fn by(mut activity: Activity, user: &str) -> Activity {
    activity.identity = Identity {
        kind: IdentityKind::IamUser,
        id: format!("arn:aws:iam::111122223333:user/{user}"),
    };
    activity
}

/// The same, as another kind of activity.
pub(crate) fn kind(mut activity: Activity, kind: Kind) -> Activity {
    activity.kind = kind;
    activity
}

/// The same, refused.
pub(crate) fn refused(mut activity: Activity) -> Activity {
    activity.outcome = Outcome::Denied;
    activity
}

/// The same from another region, network and client than those of the office.
pub(crate) fn from_afar(mut activity: Activity) -> Activity {
    activity.region = "us-east-1".into();
    activity.origin.network = Network("192.0.2.0/24".into());
    activity.origin.client = Client("curl".into());
    activity
}

/// Six calls of `role/app` in each office hour of these days, from day 0 on.
pub(crate) fn quiet_days(service: Service, days: i64) -> Vec<Activity> {
    let hours = (0..days).flat_map(|day| (8..18).map(move |hour| day * 24 + hour));
    let calls = hours.flat_map(|hour| (0..6).map(move |n| at(hour).plus(n * 500)));
    calls.map(|time| activity(service, "InvokeModel", time)).collect()
}

/// So many calls of `role/app` from the usual place, some seconds apart from an hour on.
pub(crate) fn burst(hour: i64, calls: i64, seconds: i64) -> Vec<Activity> {
    let call = |n| activity(Service::Bedrock, "InvokeModel", at(hour).plus(n * seconds));
    (0..calls).map(call).collect()
}

/// The same calls of another model.
pub(crate) fn of_model(mut activity: Activity, model: &str) -> Activity {
    activity.target = Some(Target::Model(model.into()));
    activity
}

/// What is found in a story, told in the order of time, with these settings.
pub(crate) fn found_with(story: Vec<Activity>, settings: Settings) -> Vec<Finding> {
    judge(story, settings, NoPolicy)
}

/// What is found in a story where no region is allowed.
pub(crate) fn found_where_nothing_is_allowed(story: Vec<Activity>) -> Vec<Finding> {
    judge(story, Settings::default(), Nowhere)
}

/// What is published of a story, told in the order of time, until nothing of it is open any more.
pub(crate) fn published_until_over(story: Vec<Activity>) -> Vec<Finding> {
    tell(story, Settings::default(), NoPolicy).1
}

fn judge(story: Vec<Activity>, settings: Settings, policy: impl Policy) -> Vec<Finding> {
    tell(story, settings, policy).0.findings()
}

fn tell<P: Policy>(mut story: Vec<Activity>, settings: Settings, policy: P) -> (Engine<P>, Vec<Finding>) {
    story.sort_by_key(|activity| activity.time);
    let mut engine = Engine::new(settings, policy);
    let mut published = Vec::new();
    for activity in &story {
        engine.observe(activity, &mut published);
    }
    engine.finish(&mut published);
    (engine, published)
}

/// What is published of a story that comes in this order.
pub(crate) fn published(story: &[Activity]) -> Vec<Finding> {
    let mut engine = Engine::new(Settings::default(), NoPolicy);
    let mut published = Vec::new();
    for activity in story {
        engine.observe(activity, &mut published);
    }
    published
}

/// What is found in a story.
pub(crate) fn found(story: Vec<Activity>) -> Vec<Finding> {
    found_with(story, Settings::default())
}

/// The severity of the worst finding of a family, if there is one.
pub(crate) fn worst(findings: &[Finding], family: Family) -> Option<Severity> {
    findings
        .iter()
        .filter(|f| f.finding_type.family == family)
        .map(|f| f.severity)
        .max()
}

/// A policy that allows no region.
struct Nowhere;

impl Policy for Nowhere {
    fn region_allowed(&self, _: &str, _: Service, _: &str, _: Timestamp) -> bool {
        false
    }
}
