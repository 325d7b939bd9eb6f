//! A stolen key's night, and months of a product that has a launch day.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test that asked for it")]

mod deployed;

use std::sync::Arc;

use deployed::{AUDIT, Deployed, TEN, USAGE, ordinary, world};
use serde_json::json;
use tripmeter_aws::exceptions::Exceptions;
use tripmeter_detect::{Engine, Settings};
use tripmeter_model::{Activity, Family, Finding, NoPolicy, Policy, Severity};
use tripmeter_openai::testing::{audit, completions};
use tripmeter_policy::PolicyFile;

/// 2026-03-03T02:00:00Z, when nobody works.
const NIGHT: i64 = TEN - 8 * 3_600;
const DAY: i64 = 86_400;

/// A minute of theft: a hundred times what the key does in a busy one.
fn stolen(key: &str) -> serde_json::Value {
    stolen_for(key, "gpt-5.5")
}

fn stolen_for(key: &str, model: &str) -> serde_json::Value {
    completions(key, model, 90, 540_000)
}

async fn after_a_month() -> Deployed {
    let deployed = Deployed::with(world()).await;
    deployed.teach(&ordinary("key_app", 30, NIGHT)).await;
    // The owner works from the office, now and then.
    let logins = (0..20).map(|day| {
        let (id, at) = (format!("office-{day}"), NIGHT - 3_000 - day);
        audit(&id, "login.succeeded", at, "user-owner", "198.51.100.7", json!({}))
    });
    deployed.openai.world().events.extend(logins);
    deployed.run(AUDIT, NIGHT).await.unwrap();
    deployed
}

#[tokio::test]
async fn a_leaked_key_and_a_hijacked_owner_are_critical_by_the_third_bucket() {
    let deployed = after_a_month().await;
    let from_afar = |id: &str, kind: &str, after: i64, payload| {
        audit(id, kind, NIGHT + after, "user-owner", "203.0.113.66", payload)
    };
    let raised = json!({"id": "rl-gpt-5.5", "changes_requested": {"max_tokens_per_1_minute": 40_000_000}});
    let key = json!({"id": "key_thief", "data": {"scopes": ["api.all"]}});
    deployed.openai.world().events.extend([
        from_afar("t-1", "login.succeeded", 60, json!({})),
        from_afar("t-2", "rate_limit.updated", 180, raised),
        from_afar("t-3", "api_key.created", 240, key),
    ]);
    deployed.run(AUDIT, NIGHT + 300).await.unwrap();

    let mut severities = Vec::new();
    for bucket in 0..3 {
        let at = NIGHT + 300 + 60 * bucket;
        let rows = vec![stolen("key_app"), stolen("key_thief")];
        deployed.completes(at, rows);
        deployed.run(USAGE, at + 60).await.unwrap();
        severities.push(deployed.worst(Family::Hijack).await);
    }

    println!("Impact:OpenAI/Hijack by bucket: {severities:?}");
    assert_eq!(severities[2], Some(Severity::Critical), "{:#?}", deployed.found().await);
}

async fn worst_use(deployed: &Deployed) -> Option<Severity> {
    let of = [Family::AnomalousUse, Family::CeilingExceeded, Family::Hijack];
    let found = deployed.found().await;
    found
        .iter()
        .filter(|(f, _)| of.contains(&f.finding_type.family))
        .map(|(f, _)| f.severity)
        .max()
}

/// The worst of a night's usage after each of its first three buckets, and after six and a half hours of it.
async fn usage_alone(key: &str, model: &str) -> (Vec<Option<Severity>>, Option<Severity>) {
    let deployed = after_a_month().await;
    let mut by_bucket = Vec::new();
    for minute in 0..400 {
        let at = NIGHT + 60 * minute;
        deployed.completes(at, vec![stolen_for(key, model)]);
        if minute < 3 || minute % 20 == 0 {
            deployed.run(USAGE, at + 60).await.unwrap();
            by_bucket.push(worst_use(&deployed).await);
        }
    }
    let last = by_bucket.last().copied().flatten();
    by_bucket.truncate(3);
    println!("{key} with {model}: {by_bucket:?} by bucket, {last:?} in the seventh hour");
    (by_bucket, last)
}

#[tokio::test]
async fn usage_alone_is_medium_by_the_third_bucket_and_high_when_it_lasts_six_hours() {
    for model in ["gpt-5.5", "gpt-5-mini"] {
        let (by_bucket, last) = usage_alone("key_app", model).await;

        assert!(by_bucket[2] >= Some(Severity::Medium), "{model}: {by_bucket:?}");
        assert!(last >= Some(Severity::High), "{model}: {last:?}");
    }
}

#[tokio::test]
async fn usage_alone_of_a_key_that_was_never_seen_is_high_by_the_third_bucket() {
    for model in ["gpt-5.5", "gpt-5-mini"] {
        let (by_bucket, _) = usage_alone("key_unseen", model).await;

        assert!(by_bucket[2] >= Some(Severity::High), "{model}: {by_bucket:?}");
    }
}

/// A month of a product that is used fifteen times as much by day as by night.
async fn after_a_month_of_busy_days() -> Deployed {
    let deployed = Deployed::with(world()).await;
    let mut month = ordinary("key_app", 30, NIGHT);
    for one in &mut month {
        if (7..19).contains(&one.time.hour_of_day()) {
            one.quantity.calls *= 5;
            one.quantity.units *= 5;
        }
    }
    deployed.teach(&month).await;
    deployed
}

/// At night there are 0.3 requests a minute: a hundred times that is less than the busiest of days in ten minutes.
#[tokio::test]
async fn a_hundredfold_at_night_is_medium_by_the_third_bucket_though_days_are_busy() {
    let deployed = after_a_month_of_busy_days().await;
    for minute in 0..3 {
        let at = NIGHT + 60 * minute;
        let row = completions("key_app", "gpt-5-mini", 30, 54_000);
        deployed.completes(at, vec![row]);
        deployed.run(USAGE, at + 60).await.unwrap();
    }

    assert!(
        worst_use(&deployed).await >= Some(Severity::Medium),
        "{:#?}",
        deployed.found().await
    );
}

#[tokio::test]
async fn a_limit_that_a_hijacked_owner_raises_is_one_chain_with_the_use_of_a_key_that_was_there() {
    let deployed = after_a_month().await;
    let raised = json!({"id": "rl-gpt-5.5", "changes_requested": {"max_tokens_per_1_minute": 40_000_000}});
    let event = audit(
        "t-1",
        "rate_limit.updated",
        NIGHT + 60,
        "user-owner",
        "203.0.113.66",
        raised,
    );
    deployed.openai.world().events.push(event);
    deployed.run(AUDIT, NIGHT + 120).await.unwrap();
    for minute in 3..6 {
        let at = NIGHT + 60 * minute;
        deployed.completes(at, vec![stolen_for("key_app", "gpt-5-mini")]);
        deployed.run(USAGE, at + 60).await.unwrap();
    }

    assert!(
        deployed.worst(Family::Hijack).await >= Some(Severity::High),
        "{:#?}",
        deployed.found().await
    );
}

fn secret_read(id: &str, role: &str, address: &str, at: i64) -> String {
    let time = tripmeter_model::Timestamp::from_seconds(at).to_string();
    let session = format!("arn:aws:sts::111122223333:assumed-role/{role}/s");
    let issuer = format!("arn:aws:iam::111122223333:role/{role}");
    json!({
        "version": "0", "id": id, "detail-type": "AWS API Call via CloudTrail", "source": "aws.secretsmanager",
        "account": "111122223333", "time": time, "region": "eu-west-1", "resources": [],
        "detail": {
            "eventVersion": "1.11", "eventTime": time, "eventSource": "secretsmanager.amazonaws.com",
            "eventName": "GetSecretValue", "awsRegion": "eu-west-1", "sourceIPAddress": address,
            "userAgent": "Boto3/1.40", "eventID": id, "recipientAccountId": "111122223333", "readOnly": true,
            "requestParameters": {"secretId": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/openai-AbCdEf"},
            "userIdentity": {"type": "AssumedRole", "arn": session, "accountId": "111122223333",
                "sessionContext": {"sessionIssuer": {"arn": issuer}}},
        },
    })
    .to_string()
}

#[tokio::test]
async fn a_secret_read_by_somebody_new_and_the_use_of_its_key_are_one_chain() {
    let deployed = after_a_month().await;
    for day in (1..=20).rev() {
        let at = NIGHT - day * DAY;
        deployed
            .run(&secret_read(&format!("app-{day}"), "app", "198.51.100.20", at), at)
            .await
            .unwrap();
    }
    deployed
        .run(
            &secret_read("thief", "intern", "203.0.113.66", NIGHT - 600),
            NIGHT - 590,
        )
        .await
        .unwrap();
    for minute in 0..3 {
        let at = NIGHT + 60 * minute;
        deployed.completes(at, vec![stolen("key_app")]);
        deployed.run(USAGE, at + 60).await.unwrap();
    }

    let found = deployed.found().await;
    let of_the_key = found
        .iter()
        .filter(|(f, _)| f.identity.id == "key:key_app")
        .map(|(f, _)| f);
    let openings: Vec<&str> = of_the_key
        .clone()
        .flat_map(|f| &f.evidence.openings)
        .map(|opening| opening.identity.id.as_str())
        .collect();
    assert!(
        openings.contains(&"arn:aws:iam::111122223333:role/intern"),
        "{openings:?}"
    );
    assert!(
        !openings.contains(&"arn:aws:iam::111122223333:role/app"),
        "who always reads it opens nothing"
    );
    assert!(
        of_the_key.clone().any(|f| f.finding_type.family == Family::Hijack),
        "{:?}",
        told(&of_the_key.cloned().collect::<Vec<_>>())
    );
}

/// Two months of a product, with days on which it is used ten times as much.
fn product(launch: impl Fn(i64) -> bool) -> Vec<Activity> {
    let until = TEN - TEN % DAY;
    let mut product = ordinary("key_app", 60, until);
    product.extend(
        ordinary("key_batch", 60, until)
            .into_iter()
            .filter(|one| one.time.hour_of_day() == 3),
    );
    for one in &mut product {
        if launch((until - one.time.seconds() - 1) / DAY) {
            one.quantity.calls *= 10;
            one.quantity.units *= 10;
        }
    }
    product.sort_by_key(|one| one.time);
    product
}

fn judged(activities: &[Activity], policy: impl Policy) -> Vec<Finding> {
    let mut engine = Engine::new(Settings::default(), policy);
    let mut out = Vec::new();
    for one in activities {
        engine.observe(one, &mut out);
    }
    engine.finish(&mut out);
    engine.findings()
}

fn told(findings: &[Finding]) -> Vec<String> {
    let one = |f: &Finding| {
        format!(
            "{} {} {} {:?}",
            f.first_seen,
            f.severity,
            f.finding_type,
            f.suppressed.is_some()
        )
    };
    findings.iter().map(one).collect()
}

#[test]
fn an_announced_launch_day_is_nothing_of_medium_or_above() {
    // The tenth day before 2026-03-03: 2026-02-21.
    let announced = "[[campaign]]\nservices = [\"OpenAI\"]\nidentities = [\"key:*\"]\nexpected = 30_000_000\nfrom = 2026-02-21\nto = 2026-02-21\n\
        owner = \"product@example.com\"\nreason = \"launch\"\n";
    let policy = Exceptions {
        file: Arc::new(PolicyFile::parse(announced).unwrap()),
        ..Exceptions::default()
    };

    let findings = judged(&product(|days_ago| days_ago == 9), policy);

    let loud: Vec<&Finding> = findings
        .iter()
        .filter(|f| f.severity >= Severity::Medium && f.suppressed.is_none())
        .collect();
    assert!(loud.is_empty(), "{:#?}", told(&findings));
}

#[test]
fn an_ordinary_product_is_nothing_at_all() {
    assert_eq!(told(&judged(&product(|_| false), NoPolicy)), Vec::<String>::new());
}

#[test]
fn unannounced_tenfold_days_are_reported_and_no_more_than_medium_on_the_first() {
    let once = judged(&product(|days_ago| days_ago == 9), NoPolicy);
    let thrice = judged(&product(|days_ago| matches!(days_ago, 9 | 6 | 3)), NoPolicy);

    println!("one tenfold day: {:#?}", told(&once));
    println!("three tenfold days: {:#?}", told(&thrice));
    assert!(once.iter().any(|f| f.severity >= Severity::Low), "{:?}", told(&once));
}
