//! Whatever activities say, the engine judges them: no time, count or text stops it, and points always add up.

use proptest::prelude::*;
use tripmeter_detect::{Engine, Settings};
use tripmeter_model::{
    Activity, Client, Identity, IdentityKind, Kind, Network, NoPolicy, Origin, Outcome, PolicyEffect, Quantity,
    Service, Session, Severity, Source, Target, Timestamp, digest64,
};

fn time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        4 => (0i64..90 * 86_400).prop_map(|s| Timestamp::from_seconds(1_767_571_200 + s)),
        1 => any::<i64>().prop_map(Timestamp::from_seconds),
    ]
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        3 => Just(Kind::Use),
        1 => Just(Kind::Probe),
        1 => Just(Kind::PolicyChange),
        1 => Just(Kind::GuardrailRemoval),
        1 => Just(Kind::CredentialIssue),
        1 => Just(Kind::LeakedKey),
        1 => Just(Kind::SpendSignal),
        1 => Just(Kind::Context),
    ]
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        3 => Just(Outcome::Success),
        1 => Just(Outcome::Denied),
        1 => Just(Outcome::Throttled),
        1 => Just(Outcome::Failed),
    ]
}

fn activity() -> impl Strategy<Value = Activity> {
    let who = prop_oneof![
        4 => (0..4u8).prop_map(|n| format!("arn:aws:iam::111122223333:user/u{n}")),
        1 => any::<String>(),
        1 => Just("arn:aws:iam::444455556666:root".to_owned()),
    ];
    let texts = (
        any::<String>(),
        "[a-c]{0,2}",
        "[a-c]{0,2}",
        prop::option::of("[a-e]{0,2}"),
        prop::collection::vec(any::<String>(), 0..3),
    );
    let numbers = (
        prop_oneof![3 => 0..3u64, 1 => any::<u64>()],
        any::<[bool; 4]>(),
        prop::sample::select(Service::ALL),
    );
    (time(), kind(), outcome(), who, texts, numbers).prop_map(
        |(
            time,
            kind,
            outcome,
            who,
            (account, region, network, event_id, links),
            (units, [routine, grave, stranger, meter], service),
        )| {
            Activity {
                time,
                event_id,
                account: if grave { account } else { "111122223333".into() },
                region,
                service,
                call: network.clone(),
                kind,
                outcome,
                identity: Identity {
                    kind: match (stranger, meter) {
                        (true, _) => IdentityKind::Stranger,
                        (false, true) => IdentityKind::Meter,
                        (false, false) => IdentityKind::IamUser,
                    },
                    id: who,
                },
                session: Session::default(),
                origin: Origin {
                    source: Source::Hidden,
                    client: Client(network.clone()),
                    network: Network(network),
                },
                target: routine.then(|| Target::Resource("r".into())),
                quantity: Quantity {
                    calls: if routine { units } else { 1 },
                    micros: grave.then_some(units),
                    ..Quantity::of(units)
                },
                effect: Some(PolicyEffect::LimitRaised),
                routine,
                grave,
                links,
                issued: None,
                shape: digest64(&[&units.to_string()]),
                why: String::new(),
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_activities_are_judged_and_points_add_up(activities in prop::collection::vec(activity(), 0..120)) {
        let mut engine = Engine::new(Settings::default(), NoPolicy);
        let mut published = Vec::new();
        for activity in &activities {
            engine.observe(activity, &mut published);
        }
        engine.finish(&mut published);

        for finding in published.iter().chain(&engine.findings()) {
            prop_assert_eq!(finding.points, finding.factors.iter().map(|factor| factor.points).sum::<u32>());
            prop_assert_eq!(Some(finding.severity), Severity::from_points(finding.points));
            prop_assert!(finding.first_seen <= finding.last_seen);
        }
    }
}
