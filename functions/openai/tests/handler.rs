//! The audit log, usage and limits as they are read: in pages, late, growing, refused, cut short.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test that asked for it")]

mod deployed;

use deployed::{AUDIT, Deployed, ORGANISATION, TEN, USAGE, id, ordinary, world};
use serde_json::json;
use tripmeter_detect::ServiceShown;
use tripmeter_model::{Family, Service, Severity, Status, Timestamp};
use tripmeter_openai::testing::{Fault, World, audit, completions};

/// Calls and units of the organisation, as the engine has counted them.
async fn counted(deployed: &Deployed) -> (u64, u64) {
    let state = &deployed.poller.detector.state;
    let services = state.services(ORGANISATION, Timestamp::from_seconds(0)).await.unwrap();
    let shown = services.iter().find(|(service, _)| *service == Service::OpenAi);
    shown.map_or((0, 0), |(service, body)| {
        let shown = ServiceShown::of(*service, body).unwrap();
        (shown.calls, shown.units)
    })
}

fn a_change(n: i64) -> serde_json::Value {
    let payload = json!({"id": format!("rl-{n}"), "changes_requested": {"max_requests_per_1_minute": 50_000}});
    audit(
        &format!("audit_log-{n:03}"),
        "rate_limit.updated",
        TEN - 600 + n,
        "user-owner",
        "203.0.113.9",
        payload,
    )
}

#[tokio::test]
async fn an_audit_page_and_a_usage_bucket_become_findings() {
    let deployed = Deployed::with(World {
        events: vec![audit(
            "audit_log-1",
            "scim.disabled",
            TEN - 60,
            "user-owner",
            "203.0.113.9",
            id("scim"),
        )],
        usage: [(
            ("completions".to_owned(), TEN - 60),
            vec![completions("key_1", "gpt-5", 900_000, 4_000_000_000)],
        )]
        .into(),
        ..world()
    })
    .await;

    let audited = deployed.run(AUDIT, TEN).await.unwrap();
    let used = deployed.run(USAGE, TEN).await.unwrap();

    assert_eq!((audited.read, used.read), (1, 1));
    assert!(deployed.worst(Family::GuardrailRemoved).await.is_some());
    assert!(
        deployed.worst(Family::CeilingExceeded).await >= Some(Severity::Medium),
        "{:?}",
        deployed.found().await
    );
    assert_eq!(counted(&deployed).await, (900_000, 4_000_000_000));
}

#[tokio::test]
async fn every_page_is_read_to_the_end_and_nothing_twice() {
    let deployed = Deployed::with(World {
        events: (0..25).map(a_change).collect(),
        page: Some(10),
        ..world()
    })
    .await;

    let first = deployed.run(AUDIT, TEN).await.unwrap();
    let again = deployed.run(AUDIT, TEN + 60).await.unwrap();

    assert_eq!((first.read, first.again), (25, 0));
    assert_eq!((again.read, again.again, again.outcomes.len()), (25, 25, 0));
}

#[tokio::test]
async fn an_event_that_comes_late_is_read() {
    let deployed = Deployed::with(World {
        events: vec![a_change(500)],
        ..world()
    })
    .await;
    deployed.run(AUDIT, TEN).await.unwrap();
    deployed.openai.world().events.push(a_change(1));

    let second = deployed.run(AUDIT, TEN + 60).await.unwrap();

    assert_eq!((second.read, second.again, second.outcomes.len()), (2, 1, 1));
}

#[tokio::test]
async fn a_bucket_that_grows_is_counted_once_and_absent_is_not_zero() {
    let deployed = Deployed::with(world()).await;
    for (requests, tokens) in [(3, 3_000), (5, 9_000), (5, 9_000)] {
        let row = completions("key_1", "gpt-5", requests, tokens);
        deployed.completes(TEN - 120, vec![row]);
        deployed.run(USAGE, TEN).await.unwrap();
    }
    deployed.openai.world().usage.clear();
    deployed.completes(TEN - 60, vec![completions("key_2", "gpt-5", 1, 100)]);
    deployed.run(USAGE, TEN + 60).await.unwrap();

    assert_eq!(counted(&deployed).await, (6, 9_100));
}

/// The cost of everything that was found, in millionths of a US dollar.
async fn cost(deployed: &Deployed) -> Option<u64> {
    let found = deployed.found().await;
    found.iter().filter_map(|(finding, _)| finding.cost_micros).max()
}

fn costs(dollars: f64, thousands: u64) -> serde_json::Value {
    json!({"object": "page", "has_more": false, "data": [{"object": "bucket", "start_time": TEN - 86_400, "results": [{
        "object": "organization.costs.result", "amount": {"value": dollars, "currency": "usd"},
        "line_item": "gpt-5, input", "quantity": thousands, "quantity_unit": "1000_tokens"}]}]})
}

#[tokio::test]
async fn usage_is_priced_by_what_the_organisation_pays_and_by_the_list_for_what_it_never_paid_for() {
    let flood = |model: &str| completions("key_1", model, 900_000, 4_000_000_000);
    let bucket = ("completions".to_owned(), TEN - 60);
    let paid = Deployed::with(World {
        usage: [(bucket.clone(), vec![flood("gpt-5")])].into(),
        others: [("/organization/costs".to_owned(), costs(2.0, 1_000))].into(),
        ..world()
    })
    .await;
    let unpaid = Deployed::with(World {
        usage: [(bucket.clone(), vec![flood("gpt-5")])].into(),
        ..world()
    })
    .await;

    paid.run(USAGE, TEN).await.unwrap();
    unpaid.run(USAGE, TEN).await.unwrap();

    // Two dollars a million tokens.
    assert_eq!(cost(&paid).await, Some(8_000_000_000));
    let listed = cost(&unpaid).await.unwrap();
    assert!(listed > 1_000_000_000 && listed != 8_000_000_000, "{listed}");
}

#[tokio::test]
async fn what_was_learned_of_costs_is_used_until_they_can_be_read_again() {
    let deployed = Deployed::with(World {
        others: [("/organization/costs".to_owned(), costs(2.0, 1_000))].into(),
        ..world()
    })
    .await;
    deployed.run(USAGE, TEN - 86_400).await.unwrap();
    {
        let mut world = deployed.openai.world();
        world
            .faults
            .push_back(("/organization/costs", Fault::Refused(403, "no right to costs")));
        let flood = completions("key_1", "gpt-5", 900_000, 4_000_000_000);
        world.usage.insert(("completions".into(), TEN - 60), vec![flood]);
    }

    let report = deployed.run(USAGE, TEN).await.unwrap();

    assert_eq!(
        (report.unanswered, cost(&deployed).await),
        (Vec::new(), Some(8_000_000_000))
    );
}

#[tokio::test]
async fn every_kind_of_usage_is_asked_for_and_pages_of_buckets_are_followed() {
    let mut usage = World::default().usage;
    for minute in 0..25 {
        usage.insert(
            ("embeddings".into(), TEN - 60 * minute - 60),
            vec![json!({
            "object": "organization.usage.embeddings.result", "input_tokens": 100, "num_model_requests": 1,
            "project_id": "proj_chat", "api_key_id": "key_1", "model": "text-embedding-3-small"})],
        );
    }
    let deployed = Deployed::with(World {
        usage,
        page: Some(7),
        ..world()
    })
    .await;

    deployed.run(USAGE, TEN).await.unwrap();

    assert_eq!(counted(&deployed).await, (25, 2_500));
    let asked = deployed.openai.world().asked.join("\n");
    for kind in tripmeter_openai::usage::KINDS {
        assert!(asked.contains(&format!("/usage/{}?", kind.name)), "{}", kind.name);
    }
}

#[tokio::test]
async fn a_server_that_is_busy_or_breaks_off_is_asked_again_after_its_own_delay() {
    let deployed = Deployed::with(World {
        events: (0..25).map(a_change).collect(),
        page: Some(10),
        faults: [
            ("audit_logs", Fault::Later(429, "1")),
            ("after=", Fault::Later(500, "0")),
            ("after=", Fault::CutShort),
            ("after=", Fault::Halved),
        ]
        .into(),
        ..world()
    })
    .await;

    let started = std::time::Instant::now();
    let report = deployed.run(AUDIT, TEN).await.unwrap();

    assert_eq!((report.read, report.unanswered.len()), (25, 0));
    assert!(started.elapsed().as_secs() >= 1, "the server asked for a second");
    assert!(deployed.openai.world().faults.is_empty());
}

#[tokio::test]
async fn a_run_that_stops_between_pages_keeps_what_it_read_and_the_next_goes_on_there() {
    let deployed = Deployed::with(World {
        events: (0..25).map(a_change).collect(),
        page: Some(10),
        faults: [("after=", Fault::Later(429, "3600"))].into(),
        ..world()
    })
    .await;

    let first = deployed.run(AUDIT, TEN).await.unwrap();
    let second = deployed.run(AUDIT, TEN + 60).await.unwrap();

    assert_eq!((first.read, first.unanswered.len(), first.outcomes.len()), (10, 1, 1));
    assert_eq!((second.read, second.again, second.outcomes.len()), (15, 0, 1));
    assert_eq!(
        deployed.worst(Family::TelemetryLost).await,
        None,
        "a minute's silence is no blindness"
    );
}

#[tokio::test]
async fn a_key_that_was_rotated_is_read_anew_and_one_that_was_revoked_is_blindness_until_there_is_another() {
    let deployed = Deployed::with(World {
        events: vec![a_change(1)],
        ..world()
    })
    .await;
    deployed.run(AUDIT, TEN).await.unwrap();

    // Rotated: the secret holds the new one.
    (deployed.openai.world().key, deployed.openai.world().secret) = ("sk-admin-two".into(), "sk-admin-two".into());
    let rotated = deployed.run(AUDIT, TEN + 60).await.unwrap();
    assert_eq!((rotated.read, rotated.unanswered.len()), (1, 0));

    // Revoked: the secret holds what is no longer accepted.
    deployed.openai.world().key = "sk-admin-three".into();
    let revoked = deployed.run(AUDIT, TEN + 120).await.unwrap();
    assert!(
        revoked.unanswered[0].contains("the key is refused"),
        "{:?}",
        revoked.unanswered
    );
    assert!(!revoked.unanswered[0].contains("sk-"), "{:?}", revoked.unanswered);
    let found = deployed.found().await;
    let (lost, status) = found
        .iter()
        .find(|(finding, _)| finding.finding_type.family == Family::TelemetryLost)
        .unwrap();
    assert_eq!(
        (lost.finding_type.to_string().as_str(), lost.severity, *status),
        ("DefenseEvasion:OpenAI/TelemetryLost", Severity::High, Status::Open)
    );

    // Replaced.
    deployed.openai.world().secret = "sk-admin-three".into();
    deployed.run(AUDIT, TEN + 180).await.unwrap();
    let found = deployed.found().await;
    let (_, status) = found
        .iter()
        .find(|(finding, _)| finding.finding_type.family == Family::TelemetryLost)
        .unwrap();
    assert_eq!(*status, Status::Closed);
}

#[tokio::test]
async fn an_organisation_without_audit_logging_is_blindness_whether_it_refuses_or_has_nothing() {
    let nothing = Deployed::with(world()).await;
    let refused = Deployed::with(World {
        faults: [("audit_logs", Fault::Refused(403, "Audit logging is not enabled"))].into(),
        ..world()
    })
    .await;

    for deployed in [nothing, refused] {
        let report = deployed.run(AUDIT, TEN).await.unwrap();
        assert_eq!(
            deployed.worst(Family::TelemetryLost).await,
            Some(Severity::High),
            "{:?}",
            report.unanswered
        );
    }
}

#[tokio::test]
async fn silence_is_blindness_when_it_lasts() {
    let deployed = Deployed::with(World {
        faults: std::iter::repeat_n(("usage", Fault::Later(503, "0")), 12).collect(),
        ..world()
    })
    .await;

    deployed.run(USAGE, TEN).await.unwrap();
    assert_eq!(deployed.worst(Family::TelemetryLost).await, None);
    deployed.run(USAGE, TEN + 31 * 60).await.unwrap();
    assert_eq!(deployed.worst(Family::TelemetryLost).await, Some(Severity::High));
}

#[tokio::test]
async fn a_clock_that_is_off_loses_nothing() {
    let deployed = Deployed::with(World {
        events: vec![a_change(1)],
        usage: [(
            ("completions".to_owned(), TEN - 60),
            vec![completions("key_1", "gpt-5", 1, 10)],
        )]
        .into(),
        ..world()
    })
    .await;
    // Our clock is twenty minutes ahead, then five behind.
    for (now, event) in [(TEN + 1_200, 2), (TEN - 300, 3)] {
        deployed.run(AUDIT, now).await.unwrap();
        deployed.run(USAGE, now).await.unwrap();
        let row = completions("key_1", "gpt-5", 1, 10);
        let mut world = deployed.openai.world();
        world.events.push(a_change(event));
        world
            .usage
            .insert(("completions".to_owned(), TEN - 60 + 60 * event), vec![row]);
    }

    let audited = deployed.run(AUDIT, TEN + 120).await.unwrap();
    deployed.run(USAGE, TEN + 120).await.unwrap();

    assert_eq!((audited.read, audited.again), (3, 2));
    assert_eq!(counted(&deployed).await, (3, 30));
}

#[tokio::test]
async fn an_event_of_a_type_that_nobody_knows_is_counted_and_judged_as_context() {
    let deployed = Deployed::with(World {
        events: vec![
            audit(
                "audit_log-1",
                "agent.created",
                TEN - 60,
                "user-1",
                "203.0.113.9",
                json!({"id": "agent_1"}),
            ),
            json!({"id": null, "type": 7}),
        ],
        ..world()
    })
    .await;
    // The stand-in filters by time; what has none is put before all others.
    deployed.openai.world().events[1]["effective_at"] = json!(TEN as f64 - 0.5);

    let report = deployed.run(AUDIT, TEN).await.unwrap();

    assert_eq!(report.unknown, 1);
    assert!(deployed.found().await.is_empty());
}

#[tokio::test]
async fn failed_sign_ins_from_many_addresses_on_one_account_are_a_finding() {
    let failed = |n: i64| {
        let address = format!("203.0.{n}.9");
        let why = json!({"error_code": "invalid_password"});
        audit(
            &format!("audit_log-{n}"),
            "login.failed",
            TEN - 300 + 10 * n,
            "user-owner",
            &address,
            why,
        )
    };
    let deployed = Deployed::with(World {
        events: (0..20).map(failed).collect(),
        ..world()
    })
    .await;

    deployed.run(AUDIT, TEN).await.unwrap();

    assert!(
        deployed.worst(Family::DeniedUse).await.is_some(),
        "{:?}",
        deployed.found().await
    );
}

/// The calls of what was found when limits, read once, are changed.
async fn found_after(change: impl FnOnce(&mut World)) -> Vec<String> {
    let limit = |cents: u64| json!({"object": "organization.spend_limit", "threshold_amount": cents});
    let projects = json!({"object": "list", "data": [{"id": "proj_chat", "status": "active"}], "has_more": false});
    let deployed = Deployed::with(World {
        others: [
            ("/organization/projects".to_owned(), projects),
            ("/organization/spend_limit".to_owned(), limit(10_000)),
            ("/projects/proj_chat/spend_limit".to_owned(), limit(5_000)),
        ]
        .into(),
        ..world()
    })
    .await;
    deployed.run(USAGE, TEN).await.unwrap();
    assert!(deployed.found().await.is_empty(), "what is seen first is no change");

    change(&mut deployed.openai.world());
    deployed.run(USAGE, TEN + 300).await.unwrap();
    deployed.run(USAGE, TEN + 600).await.unwrap();

    let found = deployed.found().await;
    let raised = found
        .iter()
        .filter(|(finding, _)| finding.finding_type.family == Family::LimitRaised);
    raised
        .flat_map(|(finding, _)| &finding.evidence.calls)
        .map(|call| format!("{} x {}", call.value, call.count))
        .collect()
}

#[tokio::test]
async fn a_limit_that_no_event_tells_of_is_seen_when_it_is_raised_or_gone() {
    let raised = found_after(|world| {
        let limit = json!({"object": "organization.spend_limit", "threshold_amount": 900_000});
        world.others.insert("/organization/spend_limit".into(), limit);
    });
    let gone = found_after(|world| {
        world.others.remove("/projects/proj_chat/spend_limit");
    });

    assert_eq!(raised.await, ["spend_limit.raised x 1"]);
    assert_eq!(gone.await, ["spend_limit.removed x 1"]);
}

#[tokio::test]
async fn a_key_that_has_long_been_used_is_known_when_the_function_reads_it() {
    let deployed = Deployed::with(world()).await;
    deployed.teach(&ordinary("key_app", 30, TEN)).await;
    let row = completions("key_app", "gpt-5-mini", 7, 12_600);
    deployed.completes(TEN - 60, vec![row]);

    deployed.run(USAGE, TEN).await.unwrap();

    assert!(deployed.found().await.is_empty(), "{:?}", deployed.found().await);
}
