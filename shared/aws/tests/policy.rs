//! Policy versions in the state table, through the real client, on an embedded DynamoDB.

// Helpers say what they expect, as tests do.
#![allow(clippy::unwrap_used)]

use aws_sdk_dynamodb::types::AttributeValue;
use tripmeter_aws::policy::{CurrentPolicy, Policies, PushError, Trouble, Version};
use tripmeter_aws::testing::{Fault, Faults, Local};
use tripmeter_model::{Policy, Service, Timestamp};

const IRELAND: &str = "[regions]\nall = [\"eu-west-1\"]\n";
const VIRGINIA: &str = "[regions]\nall = [\"us-east-1\"]\n";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_800_000_000 + seconds)
}

async fn policies() -> (Local, Policies) {
    let local = Local::start().await;
    let policies = Policies::new(local.dynamodb(), local.state_table());
    (local, policies)
}

async fn push(policies: &Policies, text: &str) -> Version {
    let prepared = policies.prepare(text, at(0)).await.unwrap();
    policies.push(&prepared, "kim", "a test", at(0)).await.unwrap()
}

/// Puts a version's text in the table as nobody would who validates it.
async fn tamper(local: &Local, number: u32, text: &str) {
    let string = |value: &str| AttributeValue::S(value.to_owned());
    let item = [
        ("pk", string("POLICY")),
        ("sk", string(&format!("VERSION#{number:06}"))),
        ("policy", string(text)),
        ("pushed_at", string("2027-01-15T08:00:00Z")),
        ("pushed_by", string("mallory")),
        ("note", string("")),
        ("digest", string("")),
    ];
    let current = [
        ("pk", string("POLICY")),
        ("sk", string("CURRENT")),
        ("number", AttributeValue::N(number.to_string())),
    ];
    for item in [item.to_vec(), current.to_vec()] {
        let item = item.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let put = local.dynamodb().put_item().table_name(local.state_table());
        put.set_item(Some(item)).send().await.unwrap();
    }
}

/// Whether mail may be sent from a region by the policy in force.
fn allows(current: &CurrentPolicy, region: &str) -> bool {
    current
        .policy()
        .region_allowed("111122223333", Service::Ses, region, at(0))
}

#[tokio::test]
async fn a_push_is_in_force_and_in_the_history() {
    let (_local, policies) = policies().await;

    let first = push(&policies, IRELAND).await;
    let second = push(&policies, VIRGINIA).await;

    assert_eq!((first.number, second.number), (1, 2));
    assert_eq!(policies.current().await.unwrap(), Some(second.clone()));
    assert_eq!(policies.history(10).await.unwrap(), [second, first]);
    assert_eq!(policies.history(1).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_a_push_would_change_is_told_before_it_is_done() {
    let (_local, policies) = policies().await;
    push(&policies, IRELAND).await;

    let prepared = policies.prepare(VIRGINIA, at(0)).await.unwrap();

    assert_eq!(prepared.number(), 2);
    assert_eq!(
        prepared.changes.lines(),
        [r#"~ regions.all: ["eu-west-1"] -> ["us-east-1"]"#]
    );
    assert_eq!(policies.current().await.unwrap().unwrap().number, 1);
}

#[tokio::test]
async fn what_cannot_be_used_is_not_pushed() {
    let (_local, policies) = policies().await;
    push(&policies, IRELAND).await;
    let forever =
        "[[network]]\ncidr = \"203.0.113.0/24\"\nowner = \"kim\"\nreason = \"office\"\nexpires = 2099-01-01\n";

    let no_policy = policies.prepare("[region]\nall = []", at(0)).await.unwrap_err();
    let too_far = policies.prepare(forever, at(0)).await.unwrap_err();
    let too_large = policies.prepare(&"#".repeat(400_000), at(0)).await.unwrap_err();
    let unchanged = policies.prepare(IRELAND, at(0)).await.unwrap_err();

    assert!(matches!(no_policy, PushError::Invalid(_)), "{no_policy}");
    assert!(matches!(too_far, PushError::TooFar(_)), "{too_far}");
    assert!(matches!(too_large, PushError::TooLarge(400_000)), "{too_large}");
    assert!(matches!(unchanged, PushError::Unchanged(1)), "{unchanged}");
}

#[tokio::test]
async fn going_back_is_a_new_version_with_the_old_text() {
    let (_local, policies) = policies().await;
    push(&policies, IRELAND).await;
    push(&policies, VIRGINIA).await;

    let prepared = policies.prepare_rollback(1, at(0)).await.unwrap();
    let version = policies.push(&prepared, "kim", "", at(0)).await.unwrap();

    assert_eq!((version.number, version.text.as_str()), (3, IRELAND));
    let error = policies.prepare_rollback(9, at(0)).await.unwrap_err();
    assert!(matches!(error, PushError::NoSuchVersion(9)), "{error}");
}

#[tokio::test]
async fn of_many_pushes_at_once_one_wins_and_each_other_is_told_who() {
    let (_local, policies) = policies().await;
    push(&policies, IRELAND).await;
    let mut prepared = Vec::new();
    for n in 0..8 {
        prepared.push(policies.prepare(&format!("{VIRGINIA}# {n}\n"), at(0)).await.unwrap());
    }

    let mut racing = tokio::task::JoinSet::new();
    for (n, prepared) in prepared.into_iter().enumerate() {
        let policies = policies.clone();
        racing.spawn(async move { policies.push(&prepared, &format!("racer-{n}"), "", at(0)).await });
    }
    let ended = racing.join_all().await;

    let (won, lost): (Vec<_>, Vec<_>) = ended.into_iter().partition(Result::is_ok);
    let winner = won.into_iter().next().unwrap().unwrap();
    assert_eq!(lost.len(), 7);
    for error in lost {
        let said = error.unwrap_err().to_string();
        assert!(
            said.contains(&format!("version 2 was pushed meanwhile, by {}", winner.pushed_by)),
            "{said}"
        );
    }
    assert_eq!(policies.current().await.unwrap(), Some(winner));
    assert_eq!(policies.history(10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_push_whose_answer_was_lost_is_one_push() {
    let (local, policies) = policies().await;
    let unlucky = local.client_with(Faults::of("TransactWriteItems", [Fault::AnswerLost, Fault::Throttled]));
    let unlucky = Policies::new(unlucky, local.state_table());

    let version = push(&unlucky, IRELAND).await;

    assert_eq!(policies.history(10).await.unwrap(), [version]);
}

#[tokio::test]
async fn a_function_learns_of_a_push_within_a_minute_and_reads_no_more_often() {
    let (_local, policies) = policies().await;
    let mut current = CurrentPolicy::new(policies.clone(), Vec::new());
    assert!(current.refresh(at(0)).await.is_none());
    assert!(allows(&current, "us-east-1"));

    push(&policies, IRELAND).await;

    assert!(current.refresh(at(59)).await.is_none());
    assert!(allows(&current, "us-east-1"));
    assert!(current.refresh(at(60)).await.is_none());
    assert!(!allows(&current, "us-east-1"));
    assert_eq!(current.number(), Some(1));
}

#[tokio::test]
async fn the_last_good_policy_stays_when_a_new_one_is_invalid_and_it_is_said_once() {
    let (local, policies) = policies().await;
    push(&policies, IRELAND).await;
    let mut warm = CurrentPolicy::new(policies.clone(), Vec::new());
    assert!(warm.refresh(at(0)).await.is_none());
    tamper(&local, 2, "regions = 7").await;
    let mut cold = CurrentPolicy::new(policies.clone(), Vec::new());

    for current in [&mut warm, &mut cold] {
        let trouble = current.refresh(at(60)).await.unwrap();
        assert!(
            trouble
                .to_string()
                .starts_with("policy version 2 cannot be used, version 1 stays"),
            "{trouble}"
        );
        assert!(allows(current, "eu-west-1") && !allows(current, "us-east-1"));
        assert!(current.refresh(at(120)).await.is_none());
    }

    push(&policies, VIRGINIA).await;
    assert!(warm.refresh(at(180)).await.is_none());
    assert!(allows(&warm, "us-east-1"));
}

#[tokio::test]
async fn without_any_policy_that_can_be_used_what_ships_judges() {
    let (local, policies) = policies().await;
    tamper(&local, 1, "no policy").await;
    let mut current = CurrentPolicy::new(policies, vec!["eu-west-1".to_owned()]);

    let trouble = current.refresh(at(0)).await.unwrap();

    assert!(trouble.to_string().contains("what ships stays in force"), "{trouble}");
    assert!(allows(&current, "eu-west-1") && !allows(&current, "us-east-1"));
}

#[tokio::test]
async fn a_table_that_does_not_answer_changes_nothing_and_is_asked_again_soon() {
    let (local, policies) = policies().await;
    push(&policies, IRELAND).await;
    let busy = local.client_with(Faults::of("GetItem", [Fault::Denied]));
    let mut current = CurrentPolicy::new(Policies::new(busy, local.state_table()), Vec::new());

    let trouble = current.refresh(at(0)).await.unwrap();
    assert!(matches!(trouble, Trouble::Unread(_)), "{trouble}");
    assert!(current.refresh(at(4)).await.is_none());
    assert_eq!(current.number(), None);

    assert!(current.refresh(at(5)).await.is_none());
    assert_eq!(current.number(), Some(1));
}

#[tokio::test]
async fn regions_of_the_deployment_hold_where_the_file_names_none() {
    let (_local, policies) = policies().await;
    push(&policies, "[accounts]\n111122223333 = \"build\"\n").await;
    let mut current = CurrentPolicy::new(policies.clone(), vec!["eu-west-1".to_owned()]);

    current.refresh(at(0)).await;
    assert!(!allows(&current, "us-east-1"));

    push(&policies, VIRGINIA).await;
    current.refresh(at(60)).await;
    assert!(allows(&current, "us-east-1") && !allows(&current, "eu-west-1"));
}
