//! Totals that grow are told exactly once, whatever run dies where.

use std::collections::BTreeMap;
use std::convert::Infallible;

use tripmeter_aws::increments::{Amount, Increment, Increments, Reading, Take, TellError, Told};
use tripmeter_aws::testing::{Local, dies_after};
use tripmeter_model::{HOUR, MINUTE, Timestamp};

/// 2026-03-03T10:00:00Z.
const TEN: i64 = 1_772_532_000;

/// Counts each event id once, as the engine does.
#[derive(Default)]
struct Counted(BTreeMap<String, Increment>);

impl Take for Counted {
    type Error = Infallible;

    async fn take(&mut self, increments: &[Increment]) -> Result<(), Infallible> {
        for one in increments {
            let before = self.0.insert(one.event_id.clone(), one.clone());
            assert!(
                before.is_none_or(|before| before == *one),
                "an id stands for one increment"
            );
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}

impl Counted {
    fn sums(&self) -> BTreeMap<(i64, String), (u64, u64)> {
        let mut sums = BTreeMap::new();
        for one in self.0.values() {
            let sum: &mut (u64, u64) = sums.entry((one.bucket.seconds(), one.key.clone())).or_default();
            *sum = (sum.0 + one.more.calls, sum.1 + one.more.units);
        }
        sums
    }
}

/// Somebody who cannot take anything.
struct Refuses;

impl Take for Refuses {
    type Error = &'static str;

    async fn take(&mut self, _: &[Increment]) -> Result<(), &'static str> {
        Err("not now")
    }
}

fn reading(bucket: i64, totals: &[(&str, u64, u64)]) -> Reading {
    let amount = |calls, units| Amount {
        calls,
        units,
        micros: 0,
    };
    Reading {
        part: "completions".into(),
        bucket: Timestamp::from_seconds(bucket),
        totals: totals
            .iter()
            .map(|(key, calls, units)| ((*key).to_owned(), amount(*calls, *units)))
            .collect(),
    }
}

fn increments(local: &Local) -> Increments {
    Increments::new(local.dynamodb(), local.state_table(), "test", HOUR)
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

#[tokio::test]
async fn a_bucket_that_grows_is_told_by_what_it_has_grown() {
    let local = Local::start().await;
    let increments = increments(&local);
    let mut counted = Counted::default();

    for totals in [
        &[("a", 3, 300)][..],
        &[("a", 3, 300)],
        &[("a", 5, 900), ("b", 1, 10)],
        // A key that is not there is not zero, and a correction takes nothing back.
        &[("b", 1, 4)],
        &[("a", 6, 900), ("b", 2, 10)],
    ] {
        increments
            .tell(&[reading(TEN, totals)], &mut counted, at(TEN + MINUTE))
            .await
            .unwrap();
    }

    assert_eq!(
        counted.sums(),
        BTreeMap::from([((TEN, "a".into()), (6, 900)), ((TEN, "b".into()), (2, 10))])
    );
    assert_eq!(counted.0.len(), 5);
}

#[tokio::test]
async fn what_could_not_be_taken_is_told_again_under_the_same_ids_before_anything_new() {
    let local = Local::start().await;
    let increments = increments(&local);
    let refused = increments
        .tell(&[reading(TEN, &[("a", 3, 300)])], &mut Refuses, at(TEN))
        .await;
    assert!(matches!(refused, Err(TellError::Taker("not now"))));

    let mut counted = Counted::default();
    let told = increments
        .tell(&[reading(TEN, &[("a", 4, 310)])], &mut counted, at(TEN))
        .await
        .unwrap();

    assert_eq!((told.left, told.new), (1, 1));
    assert_eq!(counted.sums(), BTreeMap::from([((TEN, "a".into()), (4, 310))]));
}

#[tokio::test]
async fn a_run_that_dies_at_any_await_loses_and_doubles_nothing() {
    let readings = [
        reading(TEN, &[("a", 3, 300), ("b", 7, 70)]),
        reading(TEN + MINUTE, &[("a", 1, 100)]),
    ];
    let mut awaits = 0;
    for polls in 0.. {
        let local = Local::start().await;
        let increments = increments(&local);
        let mut counted = Counted::default();
        increments
            .tell(&[reading(TEN, &[("a", 2, 200)])], &mut counted, at(TEN))
            .await
            .unwrap();

        let ended = dies_after(polls, increments.tell(&readings, &mut counted, at(TEN + MINUTE))).await;
        increments
            .tell(&readings, &mut counted, at(TEN + MINUTE))
            .await
            .unwrap();

        let whole = [
            ((TEN, "a".into()), (3, 300)),
            ((TEN, "b".into()), (7, 70)),
            ((TEN + MINUTE, "a".into()), (1, 100)),
        ];
        assert_eq!(counted.sums(), BTreeMap::from(whole), "died at await {polls}");
        awaits = polls;
        if ended {
            break;
        }
    }
    println!("killed at each of {awaits} awaits");
    assert!(awaits > 5, "{awaits}");
}

#[tokio::test]
async fn two_workers_at_once_tell_what_one_would() {
    let local = Local::start().await;
    let (one, other) = (increments(&local), increments(&local));
    let (mut first, mut second) = (Counted::default(), Counted::default());
    for round in 1..=5 {
        let totals = [("a", round * 2, round * 10)];
        let readings = [reading(TEN, &totals)];
        let (left, right) = tokio::join!(
            one.tell(&readings, &mut first, at(TEN)),
            other.tell(&readings, &mut second, at(TEN))
        );
        left.unwrap();
        right.unwrap();
    }

    first.0.extend(second.0);
    assert_eq!(first.sums(), BTreeMap::from([((TEN, "a".into()), (10, 50))]));
}

#[tokio::test]
async fn a_bucket_older_than_what_is_kept_is_not_told() {
    let local = Local::start().await;
    let mut counted = Counted::default();

    let readings = [reading(TEN, &[("a", 1, 1)])];
    let told = increments(&local)
        .tell(&readings, &mut counted, at(TEN + HOUR + 1))
        .await
        .unwrap();

    assert_eq!(
        told,
        Told {
            too_old: 1,
            ..Told::default()
        }
    );
    assert!(counted.0.is_empty());
}

#[tokio::test]
async fn a_bucket_of_thousands_of_keys_is_told_and_one_of_too_many_is_an_error_that_says_what_to_do() {
    let local = Local::start().await;
    let of = |keys: usize| Reading {
        totals: (0..keys)
            .map(|key| {
                (
                    format!("{key:0200}"),
                    Amount {
                        calls: 1,
                        units: 9,
                        micros: 0,
                    },
                )
            })
            .collect(),
        ..reading(TEN, &[])
    };
    let mut counted = Counted::default();

    let told = increments(&local)
        .tell(&[of(2_000)], &mut counted, at(TEN))
        .await
        .unwrap();
    let crowded = increments(&local)
        .tell(&[of(6_001)], &mut counted, at(TEN))
        .await
        .unwrap_err();

    assert_eq!((told.new, counted.0.len()), (2_000, 2_000));
    assert!(crowded.to_string().contains("group by less"), "{crowded}");
}
