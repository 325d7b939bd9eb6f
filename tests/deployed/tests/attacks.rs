//! A recorded attack after weeks that were seeded is found as a replay of everything finds it.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test that asked for it")]

use std::collections::BTreeMap;

use deployed::{Deployed, Told, replayed, split};

/// The episodes of an attack's days: in the table, and by a replay of everything.
async fn compare(name: &str, seed: u64, batch: usize) {
    let scenario = scenarios::scenario(name, seed).unwrap();
    let (history, attack) = split(&scenario, 2);
    let began = attack.first().unwrap().time;
    let mut deployed = Deployed::new().await;
    deployed.seed(history).await;
    deployed.play(attack, batch).await;

    let stored = deployed
        .stored()
        .await
        .into_iter()
        .filter(|stored| stored.finding.suppressed.is_none());
    let stored: BTreeMap<String, Told> = stored
        .filter(|stored| stored.finding.last_seen.seconds() >= began)
        .map(|stored| {
            (
                stored.finding.uid.clone(),
                (stored.finding.finding_type, stored.finding.severity),
            )
        })
        .collect();
    let replayed: BTreeMap<String, Told> = replayed(&scenario.records)
        .into_iter()
        .filter(|(_, (_, last_seen))| *last_seen >= began)
        .map(|(uid, (told, _))| (uid, told))
        .collect();
    assert!(!replayed.is_empty(), "{name}: a replay finds nothing");
    assert_eq!(stored, replayed, "{name}");
}

#[tokio::test]
async fn a_leaked_key_and_its_model_calls() {
    compare("llmjacking-leaked-key", 1, 100).await;
}

#[tokio::test]
async fn a_user_that_the_thief_creates() {
    compare("llmjacking-created-user", 2, 40).await;
}

#[tokio::test]
async fn an_ses_account_taken_over() {
    compare("ses-takeover", 1, 250).await;
}

#[tokio::test]
async fn text_messages_to_one_country() {
    compare("sms-pump", 3, 100).await;
}
