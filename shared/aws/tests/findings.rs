//! The findings table, through the real client, on an embedded DynamoDB.

// Helpers say what they expect, as tests do.
#![allow(clippy::unwrap_used)]

use aws_sdk_dynamodb::types::AttributeValue;
use tripmeter_aws::dynamodb::Written;
use tripmeter_aws::exceptions::Expected;
use tripmeter_aws::findings::{Change, Filter, FindingsError, FindingsTable, Mark, Noted};
use tripmeter_aws::testing::{Fault, Faults, Local};
use tripmeter_model::{
    Cause, Evidence, Family, Finding, FindingType, Identity, IdentityKind, Service, Severity, Status, Suppression,
    Tactic, Timestamp, WEEK,
};

const ACCOUNT: &str = "111122223333";
const PART: &str = "use/SES/0000000000000007";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_800_000_000 + seconds)
}

fn finding(uid: &str, revision: u32) -> Finding {
    Finding {
        uid: uid.into(),
        revision,
        cause: Cause::Created,
        status: Status::Open,
        finding_type: FindingType {
            tactic: Tactic::Impact,
            service: Service::Ses,
            family: Family::Hijack,
        },
        severity: Severity::High,
        points: 80,
        factors: Vec::new(),
        account: ACCOUNT.into(),
        account_name: None,
        region: "eu-west-1".into(),
        identity: Identity {
            kind: IdentityKind::IamUser,
            id: "arn:aws:iam::111122223333:user/mailer".into(),
        },
        linked: Vec::new(),
        time: at(0),
        first_seen: at(0),
        last_seen: at(0),
        count: 1,
        units: 1,
        units_per_hour: 1,
        units_by_target: Vec::new(),
        cost_micros: None,
        evidence: Evidence::default(),
        owner: None,
        suppressed: None,
        sample: false,
    }
}

async fn table() -> (Local, FindingsTable) {
    let local = Local::start().await;
    let findings = FindingsTable::new(local.dynamodb(), local.findings_table());
    (local, findings)
}

async fn put(findings: &FindingsTable, finding: &Finding) -> Written {
    findings.put(finding, PART, None, at(0)).await.unwrap()
}

/// The ids that a filter lets through, latest first.
async fn listed(findings: &FindingsTable, filter: Filter) -> Vec<String> {
    let page = findings.list(&filter, 10).await.unwrap();
    page.findings.into_iter().map(|stored| stored.finding.uid).collect()
}

async fn pending(findings: &FindingsTable) -> Vec<String> {
    let keys = findings.pending(at(3_600)).await.unwrap();
    keys.into_iter().map(|key| key.uid).collect()
}

#[tokio::test]
async fn a_revision_is_stored_over_an_older_one_only() {
    let (_local, findings) = table().await;

    assert_eq!(put(&findings, &finding("a", 2)).await, Written::Done);
    assert_eq!(put(&findings, &finding("a", 2)).await, Written::Refused);
    assert_eq!(put(&findings, &finding("a", 1)).await, Written::Refused);
    assert_eq!(put(&findings, &finding("a", 3)).await, Written::Done);

    let stored = findings.get(ACCOUNT, "a").await.unwrap().unwrap();
    assert_eq!(stored.finding, finding("a", 3));
    assert_eq!(findings.get(ACCOUNT, "b").await.unwrap(), None);
}

#[tokio::test]
async fn a_transaction_stores_a_revision_with_what_caused_it_or_neither() {
    let (local, findings) = table().await;
    let transact = async |revision| {
        let put = findings
            .transact_put(&finding("a", revision), PART, None, at(0))
            .unwrap();
        local
            .dynamodb()
            .transact_write_items()
            .transact_items(put)
            .send()
            .await
            .is_ok()
    };

    assert_eq!(
        [transact(1).await, transact(1).await, transact(2).await],
        [true, false, true]
    );
}

#[tokio::test]
async fn what_waits_is_found_oldest_first_until_its_latest_revision_is_published() {
    let (_local, findings) = table().await;
    findings.put(&finding("late", 1), PART, None, at(20)).await.unwrap();
    findings.put(&finding("early", 1), PART, None, at(10)).await.unwrap();
    assert_eq!(pending(&findings).await, ["early", "late"]);
    assert_eq!(findings.pending(at(15)).await.unwrap().len(), 1);

    findings.put(&finding("early", 2), PART, None, at(30)).await.unwrap();
    assert_eq!(
        findings.note_published(ACCOUNT, "early", 1).await.unwrap(),
        Noted::Superseded
    );
    assert_eq!(
        findings.note_published(ACCOUNT, "late", 1).await.unwrap(),
        Noted::Latest
    );
    assert_eq!(pending(&findings).await, ["early"]);

    assert_eq!(
        findings.note_published(ACCOUNT, "early", 2).await.unwrap(),
        Noted::Latest
    );
    assert_eq!(
        findings.note_published(ACCOUNT, "early", 1).await.unwrap(),
        Noted::Superseded
    );
    assert_eq!(findings.note_published(ACCOUNT, "gone", 1).await.unwrap(), Noted::Gone);
    assert_eq!(pending(&findings).await, Vec::<String>::new());
    assert_eq!(findings.get(ACCOUNT, "early").await.unwrap().unwrap().published, 2);
}

#[tokio::test]
async fn what_is_kept_quiet_waits_for_nobody_until_it_is_said_aloud() {
    let (_local, findings) = table().await;
    let muted = Finding {
        suppressed: Some(Suppression {
            rule: "newsletter".into(),
            reason: "announced".into(),
        }),
        ..finding("muted", 1)
    };

    put(&findings, &muted).await;
    findings
        .put(&finding("held", 1), PART, Some("the account is being learned"), at(0))
        .await
        .unwrap();
    assert_eq!(pending(&findings).await, Vec::<String>::new());

    put(&findings, &finding("muted", 2)).await;
    assert_eq!(pending(&findings).await, ["muted"]);
}

#[tokio::test]
async fn what_is_open_and_quiet_is_found_with_the_part_that_it_lies_in() {
    let (_local, findings) = table().await;
    let closed = Finding {
        status: Status::Closed,
        ..finding("closed", 1)
    };
    put(&findings, &finding("open", 1)).await;
    put(&findings, &closed).await;

    let open = findings.open_before(at(1), 10).await.unwrap();

    let open: Vec<_> = open
        .into_iter()
        .map(|key| (key.uid, key.part.map(|part| part.to_string())))
        .collect();
    assert_eq!(open, [("open".to_owned(), Some(PART.to_owned()))]);
    assert_eq!(findings.open_before(at(0), 10).await.unwrap(), []);
}

#[tokio::test]
async fn findings_are_listed_by_what_they_are_latest_first() {
    let (_local, findings) = table().await;
    let probe = Finding {
        severity: Severity::Low,
        status: Status::Closed,
        last_seen: at(50),
        finding_type: FindingType {
            tactic: Tactic::Discovery,
            service: Service::Bedrock,
            family: Family::LimitProbe,
        },
        ..finding("b-probe", 1)
    };
    let elsewhere = Finding {
        account: "444455556666".into(),
        ..finding("c-elsewhere", 1)
    };
    for finding in [&finding("a-hijack", 1), &probe, &elsewhere] {
        put(&findings, finding).await;
    }
    let all = Filter::default;

    assert_eq!(listed(&findings, all()).await, ["b-probe", "c-elsewhere", "a-hijack"]);
    let account = Filter {
        account: Some(ACCOUNT.into()),
        ..all()
    };
    assert_eq!(listed(&findings, account).await, ["b-probe", "a-hijack"]);
    let uid = Filter {
        uid: Some("c-".into()),
        ..all()
    };
    assert_eq!(listed(&findings, uid.clone()).await, ["c-elsewhere"]);
    let both = Filter {
        account: Some(ACCOUNT.into()),
        ..uid
    };
    assert_eq!(listed(&findings, both).await, Vec::<String>::new());
    let severity = Filter {
        severity: Some(Severity::Medium),
        ..all()
    };
    assert_eq!(listed(&findings, severity).await, ["c-elsewhere", "a-hijack"]);
    let family = Filter {
        family: Some(Family::LimitProbe),
        ..all()
    };
    assert_eq!(listed(&findings, family).await, ["b-probe"]);
    let finding_type = Filter {
        finding_type: Some(probe.finding_type),
        ..all()
    };
    assert_eq!(listed(&findings, finding_type).await, ["b-probe"]);
    let service = Filter {
        service: Some(Service::Ses),
        account: Some(ACCOUNT.into()),
        ..all()
    };
    assert_eq!(listed(&findings, service).await, ["a-hijack"]);
    let status = Filter {
        status: Some(Status::Closed),
        ..all()
    };
    assert_eq!(listed(&findings, status).await, ["b-probe"]);
    let since = Filter {
        since: Some(at(1)),
        ..all()
    };
    assert_eq!(listed(&findings, since).await, ["b-probe"]);
}

#[tokio::test]
async fn quiet_findings_are_listed_when_they_are_asked_for() {
    let (_local, findings) = table().await;
    let muted = Finding {
        suppressed: Some(Suppression {
            rule: "newsletter".into(),
            reason: "announced".into(),
        }),
        ..finding("muted", 1)
    };
    put(&findings, &muted).await;
    findings
        .put(&finding("held", 1), PART, Some("learning"), at(0))
        .await
        .unwrap();

    assert_eq!(listed(&findings, Filter::default()).await, Vec::<String>::new());
    let suppressed = Filter {
        suppressed: true,
        ..Filter::default()
    };
    assert_eq!(listed(&findings, suppressed).await, ["muted"]);
    let held = Filter {
        held: true,
        ..Filter::default()
    };
    assert_eq!(listed(&findings, held).await, ["held"]);
}

#[tokio::test]
async fn a_list_is_bounded_and_says_that_there_is_more() {
    let (_local, findings) = table().await;
    for n in 0..5 {
        put(&findings, &finding(&format!("f{n}"), 1)).await;
    }

    let page = findings.list(&Filter::default(), 3).await.unwrap();

    assert_eq!((page.findings.len(), page.more), (3, true));
    assert!(!findings.list(&Filter::default(), 5).await.unwrap().more);
}

#[tokio::test]
async fn what_cannot_be_read_is_named_and_hides_no_other() {
    let (local, findings) = table().await;
    put(&findings, &finding("whole", 1)).await;
    let text = |value: &str| AttributeValue::S(value.into());
    let broken = local.dynamodb().put_item().table_name(local.findings_table());
    let broken = broken.item("account", text(ACCOUNT)).item("uid", text("broken"));
    broken
        .item("finding", text("{\"severity\":\"Apocalyptic\"}"))
        .send()
        .await
        .unwrap();

    let page = findings.list(&Filter::default(), 10).await.unwrap();

    assert_eq!(page.findings.len(), 1);
    assert_eq!(
        page.unreadable
            .iter()
            .map(|unreadable| unreadable.uid.as_str())
            .collect::<Vec<_>>(),
        ["broken"]
    );
    let error = findings.get(ACCOUNT, "broken").await.unwrap_err();
    assert!(matches!(error, FindingsError::Unreadable(_)), "{error}");
}

#[tokio::test]
async fn what_people_say_is_kept_and_outlives_the_next_revision() {
    let (_local, findings) = table().await;
    put(&findings, &finding("a", 1)).await;
    let stored = findings.get(ACCOUNT, "a").await.unwrap().unwrap();
    let expected = Change::new(Mark::Expected, "kim", at(1), "the\nspring campaign");
    let closed = Change::new(Mark::Closed, "sam", at(2), "key revoked");

    let marked = findings.mark(&stored, &expected).await.unwrap();
    assert_eq!((marked.mark, marked.status), (Some(Mark::Expected), Status::Open));
    let marked = findings.mark(&marked, &closed).await.unwrap();
    assert_eq!((marked.mark, marked.status), (Some(Mark::Closed), Status::Closed));
    assert_eq!(findings.open_before(at(100), 10).await.unwrap(), []);

    put(&findings, &finding("a", 2)).await;
    let revised = findings.get(ACCOUNT, "a").await.unwrap().unwrap();
    assert_eq!((revised.status, revised.mark), (Status::Open, Some(Mark::Closed)));
    assert_eq!(revised.audit, [expected, closed]);
    assert_eq!(revised.audit[0].note, "the?spring campaign");
    assert_eq!(
        listed(
            &findings,
            Filter {
                mark: Some(Mark::Closed),
                ..Filter::default()
            }
        )
        .await,
        ["a"]
    );
}

#[tokio::test]
async fn who_speaks_of_what_has_changed_meanwhile_is_told_to_look_again() {
    let (_local, findings) = table().await;
    put(&findings, &finding("a", 1)).await;
    let first_read = findings.get(ACCOUNT, "a").await.unwrap().unwrap();
    let word = |by: &str| Change::new(Mark::Closed, by, at(1), "");

    let second_read = findings.mark(&first_read, &word("kim")).await.unwrap();
    let error = findings.mark(&first_read, &word("sam")).await.unwrap_err();
    assert!(matches!(error, FindingsError::Changed { .. }), "{error}");

    put(&findings, &finding("a", 2)).await;
    let error = findings.mark(&second_read, &word("sam")).await.unwrap_err();
    assert!(matches!(error, FindingsError::Changed { .. }), "{error}");
}

#[tokio::test]
async fn a_word_whose_answer_was_lost_is_said_once() {
    for (mark, operation) in [(Mark::Closed, "UpdateItem"), (Mark::Expected, "TransactWriteItems")] {
        let (local, findings) = table().await;
        put(&findings, &finding("a", 1)).await;
        let unlucky = local.client_with(Faults::of(operation, [Fault::AnswerLost]));
        let unlucky = FindingsTable::new(unlucky, local.findings_table());
        let stored = findings.get(ACCOUNT, "a").await.unwrap().unwrap();

        let marked = unlucky
            .mark(&stored, &Change::new(mark, "kim", at(1), ""))
            .await
            .unwrap();

        assert_eq!(marked.audit.len(), 1, "{mark:?}");
    }
}

#[tokio::test]
async fn what_is_to_be_expected_is_told_to_who_judges_for_a_week_and_is_no_finding() {
    let (_local, findings) = table().await;
    put(&findings, &finding("a", 1)).await;
    let stored = findings.get(ACCOUNT, "a").await.unwrap().unwrap();
    assert_eq!(findings.expected(at(0)).await.unwrap(), []);

    let closed = findings
        .mark(&stored, &Change::new(Mark::Closed, "kim", at(1), ""))
        .await
        .unwrap();
    assert_eq!(findings.expected(at(1)).await.unwrap(), []);
    findings
        .mark(&closed, &Change::new(Mark::Expected, "kim", at(2), ""))
        .await
        .unwrap();

    let expected = findings.expected(at(2)).await.unwrap();
    assert_eq!(expected.len(), 1);
    let Expected {
        account,
        service,
        identity,
        from,
        until,
        by,
    } = expected[0].clone();
    assert_eq!((account.as_str(), service, by.as_str()), (ACCOUNT, Service::Ses, "kim"));
    assert_eq!(
        (identity, from, until),
        (finding("a", 1).identity.id, at(0), at(2 + WEEK))
    );
    assert_eq!(findings.expected(at(3 + WEEK)).await.unwrap(), []);
    let page = findings.list(&Filter::default(), 10).await.unwrap();
    assert_eq!((page.findings.len(), page.unreadable), (1, Vec::new()));
}

#[tokio::test]
async fn the_audit_is_bounded_and_loses_its_oldest_first() {
    let (_local, findings) = table().await;
    put(&findings, &finding("a", 1)).await;
    let mut stored = findings.get(ACCOUNT, "a").await.unwrap().unwrap();

    for n in 0..60 {
        let change = Change::new(Mark::Expected, "kim", at(n), &n.to_string());
        stored = findings.mark(&stored, &change).await.unwrap();
    }

    let notes: Vec<&str> = stored.audit.iter().map(|change| change.note.as_str()).collect();
    assert_eq!((notes.len(), notes[0], notes[49]), (50, "10", "59"));
}

#[tokio::test]
async fn a_finding_of_no_account_has_a_place_too() {
    let (_local, findings) = table().await;
    let nobodys = Finding {
        account: String::new(),
        ..finding("a", 1)
    };

    put(&findings, &nobodys).await;

    assert_eq!(findings.get("", "a").await.unwrap().unwrap().finding, nobodys);
    assert_eq!(findings.pending(at(1)).await.unwrap()[0].account, "unknown");
}
