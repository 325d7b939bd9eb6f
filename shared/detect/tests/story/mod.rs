//! Stories of accounts, drawn from a seed, and the ways in which they can arrive.

// Each test that tells stories uses some of this.
#![allow(dead_code)]

use std::collections::BTreeMap;

use tripmeter_model::{
    Activity, Client, Identity, IdentityKind, Kind, Network, Origin, Outcome, PolicyEffect, Quantity, Service, Session,
    Source, Target, Timestamp, digest64,
};

const LATENESS: i64 = 2 * 3_600;
const START: i64 = 1_767_571_200;

/// A small generator of numbers, so that a story is its seed.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides.max(1)
    }

    /// One of some.
    pub(crate) fn pick<T: Copy, const N: usize>(&mut self, of: [T; N]) -> T {
        // A roll is below the number of sides.
        #[expect(clippy::indexing_slicing)]
        of[self.roll(N as u64) as usize]
    }
}

fn call(who: &str, service: Service, name: &str, kind: Kind, at: i64) -> Activity {
    Activity {
        time: Timestamp::from_seconds(START + at),
        event_id: None,
        account: "111122223333".into(),
        region: "eu-west-1".into(),
        service,
        call: name.into(),
        kind,
        outcome: Outcome::Success,
        identity: Identity {
            kind: IdentityKind::IamUser,
            id: format!("arn:aws:iam::111122223333:user/{who}"),
        },
        session: Session {
            access_key: Some(format!("AKIA{who}")),
            ..Session::default()
        },
        origin: Origin {
            source: Source::Hidden,
            network: Network("198.51.100.0/24".into()),
            client: Client("boto3".into()),
        },
        target: Some(Target::Model("model-a".into())),
        quantity: Quantity::ONE,
        effect: (kind == Kind::PolicyChange).then_some(PolicyEffect::LimitRaised),
        routine: false,
        grave: kind == Kind::GuardrailRemoval,
        links: Vec::new(),
        issued: None,
        shape: digest64(&[name]),
        why: "because".into(),
    }
}

pub(crate) fn counted(meter: &str, service: Service, region: &str, calls: u64, at: i64) -> Activity {
    let mut counted = call("", service, "metric", Kind::Use, at);
    counted.identity = Identity::meter(meter);
    counted.session = Session::default();
    counted.region = region.into();
    counted.origin.network = Network(String::new());
    counted.origin.client = Client(String::new());
    counted.target = None;
    counted.quantity = Quantity {
        calls,
        ..Quantity::of(calls)
    };
    counted
}

/// What meters count of a story, hour by hour, with what no record shows, and what they say of it.
fn metered(all: &[Activity], night: i64, dice: &mut Dice) -> Vec<Activity> {
    let mut hours: BTreeMap<(i64, String), u64> = BTreeMap::new();
    for activity in all.iter().filter(|activity| activity.is_spend()) {
        let hour = (activity.time.seconds() - START).div_euclid(3_600);
        *hours.entry((hour, activity.region.clone())).or_default() += 1;
    }
    let unseen = dice.roll(3) * dice.roll(900);
    let region = dice.pick(["eu-west-1", "us-east-1", "ap-south-1"]);
    *hours.entry((night.div_euclid(3_600) + 1, region.into())).or_default() += unseen;
    let counts = hours.into_iter().filter(|(_, calls)| *calls > 0);
    let mut all: Vec<Activity> = counts
        .map(|((hour, region), calls)| {
            counted(
                "AWS/Bedrock Invocations",
                Service::Bedrock,
                &region,
                calls,
                hour * 3_600,
            )
        })
        .collect();
    for day in 0..night.div_euclid(86_400) {
        let mails = 20 + dice.roll(60);
        all.push(counted(
            "AWS/SES Send",
            Service::Ses,
            "eu-west-1",
            mails,
            day * 86_400 + 36_000,
        ));
    }
    if dice.roll(2) == 0 {
        all.push(counted(
            "AWS/SES Send",
            Service::Ses,
            region,
            50 + dice.roll(4_000),
            night,
        ));
    }
    for _ in 0..dice.roll(4) {
        let service = dice.pick([Service::Bedrock, Service::Ses, Service::Billing]);
        let source = dice.pick(["AWS Budgets", "CloudWatch", "Cost Anomaly Detection"]);
        let at = night + dice.roll(60 * 3_600) as i64 - 30 * 3_600;
        let mut signal = counted(source, service, "", 1, at);
        signal.kind = Kind::SpendSignal;
        signal.grave = dice.roll(2) == 0;
        all.push(signal);
    }
    all
}

/// Weeks of ordinary use by some identities, and one night in which one of them is stolen; in half of them meters are
/// read, too.
pub(crate) fn story(seed: u64) -> Vec<Activity> {
    let mut dice = Dice(seed);
    let mut all = Vec::new();
    let days = 16 + dice.roll(30) as i64;
    for identity in 0..4 + dice.roll(4) {
        let first = if identity < 2 {
            0
        } else {
            dice.roll(days as u64 / 2) as i64
        };
        for day in first..days {
            for _ in 0..dice.roll(12) {
                let at = day * 86_400 + 7 * 3_600 + dice.roll(12 * 3_600) as i64;
                let mut using = call(
                    &format!("app-{identity}"),
                    Service::Bedrock,
                    "InvokeModel",
                    Kind::Use,
                    at,
                );
                if dice.roll(40) == 0 {
                    using.outcome = Outcome::Denied;
                }
                if dice.roll(60) == 0 {
                    using.origin.network = Network(format!("203.0.{}.0/24", dice.roll(4)));
                }
                all.push(using);
            }
        }
    }
    let thief = format!("app-{}", dice.roll(9));
    let night = days * 86_400 + dice.roll(86_400) as i64;
    let stolen = |mut activity: Activity| {
        activity.region = "us-east-1".into();
        activity.origin.network = Network("192.0.2.0/24".into());
        activity.origin.client = Client("curl".into());
        activity
    };
    for n in 0..dice.roll(6) as i64 {
        let mut probe = call(
            &thief,
            Service::Bedrock,
            "ListFoundationModels",
            Kind::Probe,
            night - 900 + n * 5,
        );
        probe.region = format!("region-{n}");
        all.push(stolen(probe));
    }
    for n in 0..dice.roll(6) as i64 {
        let mut refused = call(&thief, Service::Bedrock, "InvokeModel", Kind::Use, night - 700 + n * 7);
        refused.outcome = Outcome::Denied;
        all.push(stolen(refused));
    }
    let shift = dice.roll(10_000) as i64 - 5_000;
    if dice.roll(2) == 0 {
        all.push(stolen(call(
            &thief,
            Service::Bedrock,
            "PutUseCaseForModelAccess",
            Kind::PolicyChange,
            night + shift,
        )));
    }
    if dice.roll(3) == 0 {
        let blind = "DeleteModelInvocationLoggingConfiguration";
        all.push(stolen(call(
            &thief,
            Service::Bedrock,
            blind,
            Kind::GuardrailRemoval,
            night - shift,
        )));
    }
    let uses = 10 + dice.roll(400) as i64;
    let pace = 1 + dice.roll(90) as i64;
    for n in 0..uses {
        let using = call(&thief, Service::Bedrock, "Converse", Kind::Use, night + n * pace);
        all.push(if dice.roll(3) == 0 { using } else { stolen(using) });
    }
    if dice.roll(2) == 0 {
        let of_meters = metered(&all, night, &mut dice);
        all.extend(of_meters);
    }
    for (n, activity) in all.iter_mut().enumerate() {
        activity.event_id = Some(format!("{:016x}", digest64(&[&seed.to_string(), &n.to_string()]).0));
    }
    all
}

pub(crate) fn in_order(mut activities: Vec<Activity>) -> Vec<Activity> {
    activities.sort_by(|a, b| a.time.cmp(&b.time).then_with(|| a.event_id.cmp(&b.event_id)));
    activities
}

/// As a queue delivers them: each up to the lateness bound after it happened.
pub(crate) fn late(activities: &[Activity], seed: u64) -> Vec<Activity> {
    let mut dice = Dice(seed);
    let mut arrivals: Vec<(i64, Activity)> = activities
        .iter()
        .map(|activity| {
            let delay = if dice.roll(10) < 4 {
                dice.roll(LATENESS as u64) as i64
            } else {
                0
            };
            (activity.time.seconds() + delay, activity.clone())
        })
        .collect();
    arrivals.sort_by_key(|(at, _)| *at);
    arrivals.into_iter().map(|(_, activity)| activity).collect()
}

/// Each again with some chance, a few events later and within the lateness bound.
pub(crate) fn doubled(activities: &[Activity], seed: u64) -> Vec<Activity> {
    let mut dice = Dice(seed);
    let mut out: Vec<Activity> = Vec::new();
    let mut again: Vec<(usize, Activity)> = Vec::new();
    for (n, activity) in activities.iter().enumerate() {
        let is_due = |(at, twice): &(usize, Activity)| *at <= n || activity.time.since(twice.time) > LATENESS;
        let (due, waiting) = again.into_iter().partition(is_due);
        again = waiting;
        out.extend(due.into_iter().map(|(_, activity): (usize, Activity)| activity));
        out.push(activity.clone());
        if dice.roll(7) == 0 {
            again.push((n + 1 + dice.roll(12) as usize, activity.clone()));
        }
    }
    out.extend(again.into_iter().map(|(_, activity)| activity));
    out
}
