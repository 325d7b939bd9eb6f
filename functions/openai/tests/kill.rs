//! A run that dies at any of its awaits, and the next one: nothing is lost, nothing is counted twice.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test that asked for it")]

mod deployed;

use std::collections::BTreeMap;
use std::time::Duration;

use deployed::{AUDIT, Deployed, ORGANISATION, TEN, USAGE, poller, world};
use serde_json::{Value, json};
use tokio::time::Instant;
use tripmeter_aws::canary::Millis;
use tripmeter_aws::testing::dies_after;
use tripmeter_detect::ServiceShown;
use tripmeter_model::{Service, Timestamp};
use tripmeter_openai::testing::{World, audit, completions};

fn spend_limit(cents: u64) -> (String, Value) {
    let limit = json!({"object": "organization.spend_limit", "threshold_amount": cents});
    ("/organization/spend_limit".to_owned(), limit)
}

/// An organisation whose limits have been read once; since then a limit was raised, a key made, and both keys used. Every
/// list comes in pages of one.
async fn after_the_story() -> Deployed {
    let deployed = Deployed::with(World {
        others: [spend_limit(10_000)].into(),
        page: Some(1),
        ..world()
    })
    .await;
    deployed.run(USAGE, TEN - 600).await.unwrap();
    let raise = json!({"id": "rl-1", "changes_requested": {"max_tokens_per_1_minute": 90_000_000}});
    let key = json!({"id": "key_2", "data": {"scopes": ["api.all"]}});
    let event = |id, kind, at, payload| audit(id, kind, at, "user-owner", "203.0.113.9", payload);
    let bucket = |at: i64| ("completions".to_owned(), at);
    {
        let mut world = deployed.openai.world();
        world.others.extend([spend_limit(900_000)]);
        world.events = vec![
            event("audit_log-1", "rate_limit.updated", TEN - 300, raise),
            event("audit_log-2", "api_key.created", TEN - 240, key),
        ];
        world.usage = BTreeMap::from([
            (
                bucket(TEN - 120),
                vec![
                    completions("key_1", "gpt-5", 40, 80_000),
                    completions("key_2", "gpt-5", 90, 900_000),
                ],
            ),
            (bucket(TEN - 60), vec![completions("key_2", "gpt-5", 70, 700_000)]),
        ]);
    }
    deployed
}

/// What is found, and what is counted.
async fn outcome(deployed: &Deployed) -> (Vec<(String, String, u64)>, u64, u64) {
    let mut found: Vec<_> = deployed
        .found()
        .await
        .into_iter()
        .map(|(f, _)| (f.finding_type.to_string(), f.severity.to_string(), f.count))
        .collect();
    found.sort();
    let state = &deployed.poller.detector.state;
    let services = state.services(ORGANISATION, Timestamp::from_seconds(0)).await.unwrap();
    let (service, body) = services
        .iter()
        .find(|(service, _)| *service == Service::OpenAi)
        .unwrap();
    let shown = ServiceShown::of(*service, body).unwrap();
    (found, shown.calls, shown.units)
}

async fn whole_runs(deployed: &Deployed) {
    deployed.run(AUDIT, TEN).await.unwrap();
    deployed.run(USAGE, TEN).await.unwrap();
}

#[tokio::test]
async fn a_run_that_dies_at_any_await_loses_and_doubles_nothing() {
    let undisturbed = after_the_story().await;
    whole_runs(&undisturbed).await;
    let expected = outcome(&undisturbed).await;
    assert_eq!((expected.1, expected.2), (200, 1_680_000));
    let raised = |(of, ..): &&(String, String, u64)| of == "Impact:OpenAI/LimitRaised";
    assert_eq!(
        expected.0.iter().filter(raised).count(),
        2,
        "the event's, and that of the limits: {expected:?}"
    );

    for payload in [AUDIT, USAGE] {
        let mut awaits = 0;
        for polls in 0.. {
            let deployed = after_the_story().await;
            if payload == USAGE {
                deployed.run(AUDIT, TEN).await.unwrap();
            }
            // The environment dies with its run: the next one has its own.
            let dying = poller(&deployed.local, &deployed.openai);
            let until = Instant::now() + Duration::from_secs(30);
            let ended = dies_after(
                polls,
                dying.handle(payload, &deployed.exceptions, Millis(TEN * 1_000), until),
            )
            .await;
            whole_runs(&deployed).await;

            assert_eq!(outcome(&deployed).await, expected, "{payload} died at await {polls}");
            awaits = polls;
            if ended {
                break;
            }
        }
        println!("{payload}: killed at each of {awaits} awaits");
        assert!(awaits > 10, "{awaits}");
    }
}
