//! Commands on a deployed detector, with its tables in an embedded DynamoDB.

// Helpers say what they expect, as tests do.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use assert_cmd::Command;
use common::{Run, run, tripmeter};
use serde_json::Value;
use tripmeter_aws::findings::FindingsTable;
use tripmeter_aws::policy::Policies;
use tripmeter_aws::testing::Local;
use tripmeter_model::{
    Cause, Evidence, Factor, FactorName, Family, Finding, FindingType, Identity, IdentityKind, Service, Severity,
    Status, Tactic, Timestamp,
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_800_000_000 + seconds)
}

fn hijack() -> Finding {
    Finding {
        uid: "8a6f21c04b5a69788796a5b4c3d2e1f0".into(),
        revision: 1,
        cause: Cause::Created,
        status: Status::Open,
        finding_type: FindingType {
            tactic: Tactic::Impact,
            service: Service::Ses,
            family: Family::Hijack,
        },
        severity: Severity::High,
        points: 80,
        factors: vec![Factor {
            name: FactorName::Chain,
            points: 80,
            text: "an opening, then use that leaves its baseline".into(),
            observed: None,
            expected: None,
        }],
        account: "111122223333".into(),
        account_name: Some("payments-prod".into()),
        region: "eu-west-1".into(),
        identity: Identity {
            kind: IdentityKind::IamUser,
            id: "arn:aws:iam::111122223333:user/mailer".into(),
        },
        linked: Vec::new(),
        time: at(600),
        first_seen: at(0),
        last_seen: at(600),
        count: 700,
        units: 35_000,
        units_per_hour: 35_000,
        units_by_target: Vec::new(),
        cost_micros: None,
        evidence: Evidence::default(),
        owner: None,
        suppressed: None,
        sample: false,
    }
}

fn probe() -> Finding {
    Finding {
        uid: "8b00000000000000000000000000000f".into(),
        severity: Severity::Low,
        last_seen: at(60),
        finding_type: FindingType {
            tactic: Tactic::Discovery,
            service: Service::Bedrock,
            family: Family::LimitProbe,
        },
        ..hijack()
    }
}

async fn deployed(findings: &[Finding]) -> Local {
    let local = Local::start().await;
    let table = FindingsTable::new(local.dynamodb(), local.findings_table());
    for finding in findings {
        table
            .put(finding, "use/SES/0000000000000007", None, at(700))
            .await
            .unwrap();
    }
    local
}

/// The program, with an environment in which it finds nothing of whoever runs the tests.
fn alone(arguments: &[&str]) -> Command {
    let mut command = tripmeter(arguments);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
        command.env_remove(name);
    }
    command
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("USER", "kim");
    command
}

fn with_credentials(arguments: &[&str]) -> Command {
    let mut command = alone(arguments);
    command
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_ACCESS_KEY_ID", "local")
        .env("AWS_SECRET_ACCESS_KEY", "local");
    command
}

/// Runs `tripmeter WORDS --table ... --endpoint-url ...`.
fn on(local: &Local, table: &str, words: &[&str]) -> Run {
    let place = ["--table", table, "--endpoint-url", local.endpoint_url()];
    run(&mut with_credentials(&[words, &place].concat()))
}

fn findings(local: &Local, words: &[&str]) -> Run {
    on(local, local.findings_table(), &[&["findings"], words].concat())
}

fn policy(local: &Local, words: &[&str]) -> Run {
    on(local, local.state_table(), &[&["policy"], words].concat())
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", run.stdout, run.stderr))
}

/// Where everything is answered with this.
fn answering(status: &str, body: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = vec![0; 1 << 16];
            let mut length = 0;
            while !is_whole(&request[..length]) {
                length += stream.read(&mut request[length..]).unwrap();
            }
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    format!("http://{address}")
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    body.len() >= length.unwrap_or(0)
}

#[tokio::test]
async fn findings_are_listed_latest_first() {
    let local = deployed(&[probe(), hijack()]).await;

    let table = findings(&local, &["list"]);
    let lines = findings(&local, &["list", "--json"]);

    insta::assert_snapshot!("findings_list", table.stdout);
    let types: Vec<Value> = lines.findings.iter().map(|finding| finding["type"].clone()).collect();
    assert_eq!(types, ["Impact:SES/Hijack", "Discovery:Bedrock/LimitProbe"]);
}

#[tokio::test]
async fn a_list_is_narrowed_by_what_was_asked() {
    let local = deployed(&[probe(), hijack()]).await;
    let listed = |words: &[&str]| {
        let run = findings(&local, &[&["list", "--json"], words].concat());
        assert_eq!(run.code, 0, "{}", run.stderr);
        let uids = run
            .findings
            .iter()
            .map(|finding| finding["uid"].as_str().unwrap()[..2].to_owned());
        uids.collect::<Vec<_>>()
    };

    assert_eq!(listed(&["--min-severity", "medium"]), ["8a"]);
    assert_eq!(listed(&["--type", "limit-probe"]), ["8b"]);
    assert_eq!(listed(&["--type", "Impact:SES/Hijack"]), ["8a"]);
    assert_eq!(listed(&["--service", "bedrock"]), ["8b"]);
    assert_eq!(listed(&["--since", "2027-01-15T08:05:00Z"]), ["8a"]);
    assert_eq!(listed(&["--status", "closed"]), Vec::<String>::new());
    assert_eq!(listed(&["--account", "444455556666"]), Vec::<String>::new());
    assert_eq!(listed(&["--limit", "1"]), ["8a"]);
}

#[tokio::test]
async fn one_finding_is_shown_whole_by_how_its_id_begins() {
    let local = deployed(&[probe(), hijack()]).await;

    let shown = findings(&local, &["show", "8a6f"]);
    let ambiguous = findings(&local, &["show", "8"]);
    let unknown = findings(&local, &["show", "ff"]);

    insta::assert_snapshot!("findings_show", shown.stdout);
    assert_eq!(
        json(&findings(&local, &["show", "8b", "--json"]))["ocsf"]["class_uid"],
        2004
    );
    assert_eq!((ambiguous.code, unknown.code), (2, 2));
    assert!(
        ambiguous.stderr.contains("several findings' ids begin with 8"),
        "{}",
        ambiguous.stderr
    );
    assert!(unknown.stderr.contains("there is no finding ff"), "{}", unknown.stderr);
}

#[tokio::test]
async fn what_is_said_of_a_finding_is_kept_with_who_said_it_and_why() {
    let local = deployed(&[hijack()]).await;

    let expected = findings(&local, &["expect", "8a6f", "--note", "the spring campaign"]);
    let closed = findings(&local, &["close", "8a6f", "--note", "done", "--by", "sam", "--json"]);

    assert!(
        expected.stdout.contains("expected by kim at "),
        "{}{}",
        expected.stdout,
        expected.stderr
    );
    let closed = json(&closed);
    assert_eq!(
        (&closed["status"], &closed["mark"]),
        (&"closed".into(), &"closed".into())
    );
    let words = closed["audit"].as_array().unwrap();
    let words: Vec<_> = words
        .iter()
        .map(|word| (&word["did"], &word["by"], &word["note"]))
        .collect();
    let of = |did: &'static str, by: &'static str, note: &'static str| [did, by, note].map(Value::from);
    let [one, two] = [
        of("expected", "kim", "the spring campaign"),
        of("closed", "sam", "done"),
    ];
    assert_eq!(words, [(&one[0], &one[1], &one[2]), (&two[0], &two[1], &two[2])]);
    let open = findings(&local, &["list", "--status", "open"]);
    assert_eq!(open.stdout, "no finding\n");
}

#[tokio::test]
async fn hostile_text_never_steers_the_terminal() {
    let hostile = "\u{1b}[2J\u{7}\u{202e}\r\nfake";
    let local = deployed(&[Finding {
        region: hostile.into(),
        account_name: Some(hostile.into()),
        identity: Identity {
            kind: IdentityKind::Other,
            id: hostile.into(),
        },
        ..hijack()
    }])
    .await;

    for words in [
        &["list"][..],
        &["show", "8a"],
        &["list", "--json"],
        &["expect", "8a", "--note", hostile],
    ] {
        let run = findings(&local, words);

        assert_eq!(run.code, 0, "{}", run.stderr);
        let steers = |c: char| c != '\n' && !tripmeter_model::printable(c);
        assert!(
            !run.stdout.contains(steers) && !run.stdout.contains("\nfake"),
            "{words:?}: {:?}",
            run.stdout
        );
    }
    let unknown = findings(&local, &["show", hostile]);
    assert!(!unknown.stderr.contains('\u{1b}'), "{:?}", unknown.stderr);
}

#[tokio::test]
async fn what_is_missing_is_said_as_what_to_do() {
    let local = deployed(&[]).await;
    let arguments = [
        "findings",
        "list",
        "--table",
        "prod-FindingsTable",
        "--endpoint-url",
        local.endpoint_url(),
    ];

    let nowhere = run(&mut alone(&arguments));
    let nobody = run(alone(&arguments).env("AWS_REGION", "eu-west-1"));
    let no_table = run(&mut with_credentials(&arguments));

    assert_eq!([nowhere.code, nobody.code, no_table.code], [2, 2, 2]);
    assert!(
        nowhere.stderr.contains("no AWS region is configured: set AWS_REGION"),
        "{}",
        nowhere.stderr
    );
    assert!(
        nobody.stderr.contains("no AWS credentials: set AWS_PROFILE"),
        "{}",
        nobody.stderr
    );
    let said = "there is no table prod-FindingsTable in eu-west-1 for these credentials";
    assert!(no_table.stderr.contains(said), "{}", no_table.stderr);
}

#[test]
fn what_aws_refuses_is_said_as_what_to_do() {
    let refusals = [
        (
            "AccessDeniedException",
            "these credentials may not do this with table prod in eu-west-1",
        ),
        (
            "ExpiredTokenException",
            "AWS does not take these credentials; log in again",
        ),
        ("ThrottlingException", "table prod is busy; try again in a minute"),
        ("ValidationException", "table prod in eu-west-1 refuses"),
    ];
    for (code, said) in refusals {
        let url = answering(
            "400 Bad Request",
            &format!("{{\"__type\":\"com.amazonaws.dynamodb#{code}\"}}"),
        );
        let words = ["policy", "history", "--table", "prod", "--endpoint-url", url.as_str()];

        let run = run(&mut with_credentials(&words));

        assert_eq!(run.code, 2);
        assert!(run.stderr.starts_with(&format!("tripmeter: {said}")), "{}", run.stderr);
    }
}

const IRELAND: &str = "[regions]\nall = [\"eu-west-1\"]\n";
const VIRGINIA: &str = "[regions]\nall = [\"us-east-1\"]\n";

/// A policy file in a directory of its own.
fn file(text: &str) -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tripmeter.toml");
    std::fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (directory, path)
}

#[tokio::test]
async fn a_policy_is_shown_pushed_listed_and_taken_back() {
    let local = deployed(&[]).await;
    let ((_one, ireland), (_two, virginia)) = (file(IRELAND), file(VIRGINIA));
    let versions = Policies::new(local.dynamodb(), local.state_table());

    let dry = policy(&local, &["push", &ireland, "--note", "n", "--dry-run"]);
    assert_eq!(
        dry.stdout,
        "+ regions.all: [\"eu-west-1\"]\n\nIt would be version 1; nothing is written.\n"
    );
    assert_eq!(versions.current().await.unwrap(), None);

    policy(&local, &["push", &ireland, "--note", "only Ireland", "--yes"]);
    let pushed = policy(&local, &["push", &virginia, "--note", "moved", "--yes", "--by", "sam"]);
    assert_eq!(
        pushed.stdout,
        "~ regions.all: [\"eu-west-1\"] -> [\"us-east-1\"]\n\nVersion 2 is in force within a minute, and told on \
         the operations topic within five.\n"
    );

    let back = policy(&local, &["rollback", "1", "--note", "not yet", "--yes"]);
    assert!(
        back.stdout
            .ends_with("Version 3 is in force within a minute, and told on the operations topic within five.\n"),
        "{}{}",
        back.stdout,
        back.stderr
    );
    assert_eq!(policy(&local, &["show"]).stdout, IRELAND);
    assert_eq!(policy(&local, &["show", "2"]).stdout, VIRGINIA);

    let history = policy(&local, &["history", "--json"]);
    let told = history.findings.iter().map(|version| {
        let field = |name: &str| version[name].as_str().unwrap().to_owned();
        (version["number"].as_u64().unwrap(), field("pushed_by"), field("note"))
    });
    let of = |number: u64, by: &str, note: &str| (number, by.to_owned(), note.to_owned());
    let expected = [
        of(3, "kim", "not yet"),
        of(2, "sam", "moved"),
        of(1, "kim", "only Ireland"),
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
    let table = policy(&local, &["history", "--limit", "2"]).stdout;
    assert_eq!(table.lines().count(), 3, "{table}");
}

#[tokio::test]
async fn nothing_is_pushed_that_is_invalid_unchanged_or_not_agreed_to() {
    let local = deployed(&[]).await;
    let ((_one, ireland), (_two, invalid)) = (file(IRELAND), file("[region]\nall = []\n"));

    let unasked = policy(&local, &["push", &ireland, "--note", "n"]);
    let wrong = policy(&local, &["push", &invalid, "--note", "n", "--yes"]);
    assert_eq!((unasked.code, wrong.code), (2, 1));
    assert!(unasked.stderr.contains("say --yes"), "{}", unasked.stderr);
    assert!(
        wrong.stdout.contains("line 1, column 2: there is no section 'region'"),
        "{}",
        wrong.stdout
    );
    let history = policy(&local, &["history"]).stdout;
    assert_eq!(history, "no policy was pushed yet: the rules that ship are in force\n");

    policy(&local, &["push", &ireland, "--note", "n", "--yes"]);
    let again = policy(&local, &["push", &ireland, "--note", "n", "--yes"]);
    assert_eq!(again.code, 2);
    assert!(
        again.stderr.contains("version 1, which is in force, is the same file"),
        "{}",
        again.stderr
    );
    let gone = policy(&local, &["rollback", "7", "--note", "n", "--yes"]);
    assert!(gone.stderr.contains("there is no version 7"), "{}", gone.stderr);
}

/// Thirty days of a role that asks a model three times a day.
fn thirty_days() -> String {
    let record = |day: i64, call: i64| {
        let time = Timestamp::from_seconds(1_764_547_200 + day * 86_400 + 36_000 + call * 60);
        serde_json::json!({
            "eventVersion": "1.09", "eventTime": time.to_string(), "eventSource": "bedrock.amazonaws.com",
            "eventName": "InvokeModel", "awsRegion": "eu-west-1", "sourceIPAddress": "198.51.100.7",
            "userAgent": "Boto3/1.40.1", "eventID": format!("{day}-{call}"), "recipientAccountId": "111122223333",
            "requestParameters": {"modelId": "anthropic.claude-sonnet-5"},
            "userIdentity": {"type": "AssumedRole", "accountId": "111122223333",
                "arn": "arn:aws:sts::111122223333:assumed-role/app/one",
                "sessionContext": {"sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111122223333:role/app"}}}
        })
    };
    let records: Vec<Value> = (0..30)
        .flat_map(|day| (0..3).map(move |call| record(day, call)))
        .collect();
    serde_json::json!({ "Records": records }).to_string()
}

#[tokio::test]
async fn history_is_seeded_once_and_shown_as_profiles() {
    let local = Local::start().await;
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.json");
    std::fs::write(&log, thirty_days()).unwrap();
    let log = log.to_str().unwrap();
    let state = |words: &[&str]| on(&local, local.state_table(), words);
    let account = ["--account", "111122223333"];

    let dry = state(&["seed", log, "--dry-run"]);
    assert!(
        dry.stdout.contains("1 profiles on 1 services"),
        "{}{}",
        dry.stdout,
        dry.stderr
    );
    assert_eq!(
        state(&[&["profile", "list"], &account[..]].concat()).code,
        2,
        "a dry run writes nothing"
    );

    let first = state(&["seed", log]);
    assert!(
        first.stdout.contains(" 0 kept as they were"),
        "{}{}",
        first.stdout,
        first.stderr
    );
    let again = state(&["seed", log]);
    assert!(
        again.stdout.contains(" 0 new, 0 made one"),
        "{}{}",
        again.stdout,
        again.stderr
    );

    let list = state(&[&["profile", "list"], &account[..]].concat());
    assert!(
        list.stdout.contains("arn:aws:iam::111122223333:role/app"),
        "{}{}",
        list.stdout,
        list.stderr
    );
    let who = "arn:aws:iam::111122223333:role/app";
    let shown = state(
        &[
            &["profile", "show", who, "--service", "bedrock", "--json"],
            &account[..],
        ]
        .concat(),
    );
    assert_eq!(json(&shown)["mean_day"], 3.0);
}
