//! The canary's book in an embedded DynamoDB.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use tripmeter_aws::canary::{Call, Canary, Limit, Millis, Missed, Outage, Quota, Turn, Watch};
use tripmeter_aws::testing::Local;

const NOW: Millis = Millis(1_800_000_000_000);
const CALL: Call = Call::MailAccount;

async fn book() -> (Local, Canary) {
    let local = Local::start().await;
    let book = Canary::new(local.dynamodb(), local.state_table());
    (local, book)
}

async fn watch(book: &Canary) -> Watch {
    let regions = book.regions().await.unwrap();
    regions
        .get("eu-west-1")
        .and_then(|region| region.watches.get(&CALL))
        .copied()
        .unwrap_or_default()
}

fn next(watch: &Watch, now: Millis) -> Watch {
    match watch.turn(now) {
        Turn::Next(next) => next,
        other => panic!("a round is due: {other:?}"),
    }
}

#[tokio::test]
async fn what_is_written_down_is_read_again() {
    let (_local, book) = book().await;
    let first = Watch::default();
    let written = Watch {
        sent_at: Some(NOW),
        heard_before: Some(Millis(NOW.0 - 900_000)),
        missed: Some(Missed {
            times: 3,
            since: Millis(NOW.0 - 3_600_000),
            until: Millis(NOW.0 - 900_000),
        }),
        ..first
    };

    assert!(book.sending("eu-west-1", CALL, &first, &written).await.unwrap());
    assert_eq!(watch(&book).await, written);

    book.answered("eu-west-1", CALL, NOW).await.unwrap();
    book.heard("eu-west-1", CALL, NOW.second(), Some("e-1"), Millis(NOW.0 + 5_000))
        .await
        .unwrap();
    let heard = Watch {
        answered_at: Some(NOW),
        heard_at: Some(NOW),
        seen_at: Some(Millis(NOW.0 + 5_000)),
        ..written
    };
    assert_eq!(watch(&book).await, heard);
}

#[tokio::test]
async fn of_two_invocations_at_once_one_sends_and_a_try_that_went_through_counts() {
    let (_local, book) = book().await;
    let before = Watch::default();
    let (one, two) = (next(&before, NOW), next(&before, Millis(NOW.0 + 1)));

    assert!(book.sending("eu-west-1", CALL, &before, &one).await.unwrap());
    assert!(!book.sending("eu-west-1", CALL, &before, &two).await.unwrap());

    // The client tries again when an answer is lost on the way, though the write was done.
    assert!(book.sending("eu-west-1", CALL, &before, &one).await.unwrap());
    assert_eq!(watch(&book).await, one);
}

#[tokio::test]
async fn the_latest_record_stays_in_whatever_order_and_however_often_they_come() {
    let (_local, book) = book().await;
    let late = Millis(NOW.0 + 20_000);
    for second in [3, 7, 7, 1] {
        let event = NOW.second().plus(second);
        let id = format!("e-{second}");
        let seen = Millis(late.0 + second);
        book.heard("eu-west-1", CALL, event, Some(&id), seen).await.unwrap();
    }

    let heard = watch(&book).await;

    assert_eq!(heard.heard_at, Some(Millis(NOW.0 + 7_000)));
    assert_eq!(heard.seen_at, Some(Millis(late.0 + 7)));
}

#[tokio::test]
async fn hearing_before_the_first_call_or_while_sending_is_not_lost() {
    let (_local, book) = book().await;
    let before = watch(&book).await;
    let round = next(&before, NOW);
    book.heard("eu-west-1", CALL, NOW.second(), None, NOW).await.unwrap();

    // Read before the record came, written after it.
    assert!(book.sending("eu-west-1", CALL, &before, &round).await.unwrap());
    book.answered("eu-west-1", CALL, NOW).await.unwrap();

    let after = next(&watch(&book).await, Millis(NOW.0 + 900_000));
    assert_eq!(after.missed, None);
}

#[tokio::test]
async fn an_outage_is_kept_until_it_is_over_and_a_region_until_nobody_watches_it() {
    let (_local, book) = book().await;
    let outage = Outage {
        since: NOW,
        until: Millis(NOW.0 + 900_000),
        misses: [(Call::MailAccount, 2), (Call::SmsAttributes, 1)].into(),
    };
    let before = Watch::default();
    book.sending("eu-west-1", CALL, &before, &next(&before, NOW))
        .await
        .unwrap();
    book.lost("eu-west-1", &outage).await.unwrap();
    assert_eq!(book.regions().await.unwrap()["eu-west-1"].outage, Some(outage));

    book.found("eu-west-1").await.unwrap();
    let region = book.regions().await.unwrap().remove("eu-west-1").unwrap();
    assert_eq!((region.outage, region.watches.len()), (None, 1));

    book.forget("eu-west-1").await.unwrap();
    assert!(book.regions().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_quota_is_of_one_account_and_is_forgotten_after_a_week() {
    let (_local, book) = book().await;
    let unlimited = Quota {
        region: "eu-west-1".into(),
        limit: Limit::Mail {
            per_day: None,
            per_second: 0.5,
            production: false,
            sending: true,
        },
        seen_at: NOW,
    };
    let unset = Quota {
        region: "us-east-1".into(),
        limit: Limit::Sms { monthly_usd: None },
        seen_at: NOW,
    };
    for quota in [&unlimited, &unset] {
        book.keep("111122223333", quota).await.unwrap();
    }

    let after = |days: i64| Millis(NOW.0 + days * 86_400_000);
    assert_eq!(book.quotas("111122223333", after(6)).await.unwrap(), [unlimited, unset]);
    assert_eq!(book.quotas("111122223333", after(8)).await.unwrap(), []);
    assert_eq!(book.quotas("444455556666", NOW).await.unwrap(), []);
}
