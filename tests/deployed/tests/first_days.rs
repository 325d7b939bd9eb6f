//! The first days on empty tables: quiet, useful, and not blind.

use deployed::{Deployed, split};
use scenarios::Scenario;
use scenarios::record::Record;
use tripmeter_model::{DAY, Family, Severity};

/// What would have been published.
async fn published(deployed: &Deployed) -> Vec<(Family, Severity)> {
    let stored = deployed.stored().await.into_iter().map(|stored| stored.finding);
    let loud = stored.filter(|finding| finding.suppressed.is_none());
    loud.map(|finding| (finding.finding_type.family, finding.severity))
        .collect()
}

#[tokio::test]
async fn three_benign_weeks_on_empty_tables_are_one_digest_and_nothing_of_medium() {
    let scenario = scenarios::scenario("office-hours", 4).unwrap();
    let mut deployed = Deployed::new().await;
    deployed.play(&scenario.records, 200).await;

    assert_eq!(deployed.digests().await, 1);
    let loud = published(&deployed).await;
    assert!(
        loud.iter().all(|(_, severity)| *severity < Severity::Medium),
        "{loud:?}"
    );
}

/// The scenario from the day before its first abusive call on.
fn from_the_day_before(scenario: &Scenario) -> &[Record] {
    let first = scenario.expectation.abuse.first().map_or(0, |abuse| abuse.time);
    let midnight = (first.div_euclid(DAY) - 1) * DAY;
    let at = scenario.records.partition_point(|record| record.time < midnight);
    scenario.records.split_at(at).1
}

#[tokio::test]
async fn a_user_that_a_thief_creates_on_the_second_day_is_high() {
    for seed in [1, 2, 3] {
        let scenario = scenarios::scenario("llmjacking-created-user", seed).unwrap();
        let mut deployed = Deployed::new().await;
        deployed.play(from_the_day_before(&scenario), 50).await;

        let loud = published(&deployed).await;
        let hijack = loud.iter().find(|(family, _)| *family == Family::Hijack);
        assert!(
            hijack.is_some_and(|(_, severity)| *severity >= Severity::High),
            "seed {seed}: {loud:?}"
        );
    }
}

#[tokio::test]
async fn with_a_month_of_history_the_first_day_judges_by_it() {
    let scenario = scenarios::scenario("ses-takeover", 5).unwrap();
    let (history, attack) = split(&scenario, 2);
    let mut deployed = Deployed::new().await;
    deployed.seed(history).await;
    deployed.play(attack, 200).await;

    let stored = deployed.stored().await;
    assert!(
        stored.iter().all(|stored| stored.held.is_none()),
        "nothing waits for an account that is known"
    );
}
