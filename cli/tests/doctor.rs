//! `tripmeter doctor` as a person runs it, against an AWS that refuses nearly everything.

mod common;
#[path = "../../shared/survey/tests/stand_in/mod.rs"]
mod stand_in;

use assert_cmd::Command;
use common::{run, tripmeter};
use serde_json::Value;
use stand_in::{Answer, StandIn};

const CALLER: &str = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/kim</Arn>\
    <UserId>A</UserId><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";

/// Says who asks and that there is no trail; of all else nothing.
fn refusing(operation: &str, _: &str) -> Answer {
    match operation {
        "GetCallerIdentity" => Answer::Text(CALLER.to_owned()),
        "DescribeTrails" => Answer::Text(r#"{"trailList":[]}"#.to_owned()),
        _ => Answer::Denied,
    }
}

/// The program, with an environment in which it finds nothing of whoever runs the tests.
fn doctor(stand_in: &StandIn, arguments: &[&str]) -> Command {
    let mut command = tripmeter(&["doctor", "--endpoint-url", &stand_in.endpoint]);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
        command.env_remove(name);
    }
    command
        .args(arguments)
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_ACCESS_KEY_ID", "local")
        .env("AWS_SECRET_ACCESS_KEY", "local");
    command
}

#[test]
fn what_is_missing_and_what_was_not_looked_at_are_told() {
    let said = run(&mut doctor(&StandIn::new(refusing), &[]));

    assert_eq!(said.code, 0, "{}", said.stderr);
    for words in [
        "Account 111122223333 with its detector in eu-west-1, 1 region looked at",
        "CRITICAL  trail-missing",
        "Not looked at\n",
        "  ses:GetAccount in eu-west-1: denied",
    ] {
        assert!(said.stdout.contains(words), "{words}: {}", said.stdout);
    }
    assert!(
        said.stdout.lines().all(|line| line.chars().count() <= 100),
        "{}",
        said.stdout
    );
}

#[test]
fn machines_get_the_same_as_json() {
    let said = run(&mut doctor(&StandIn::new(refusing), &["--output", "json"]));

    let told: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!((&told["schema"], &told["account"]), (&1.into(), &"111122223333".into()));
    let ids: Vec<&Value> = told["gaps"].as_array().unwrap().iter().map(|gap| &gap["id"]).collect();
    assert_eq!(ids, ["trail-missing"]);
    assert!(told["powers"].is_null());
    assert_eq!(told["services"][0]["service"], "SES");
}

#[test]
fn the_exit_code_says_whether_a_gap_is_as_severe_as_was_asked() {
    let stand_in = StandIn::new(refusing);
    let code = |least: &str| run(&mut doctor(&stand_in, &["--fail-on", least])).code;
    let nothing = StandIn::new(|operation, region| match operation {
        "DescribeTrails" => Answer::Denied,
        _ => refusing(operation, region),
    });

    assert_eq!((code("critical"), code("low")), (1, 1));
    assert_eq!(run(&mut doctor(&nothing, &["--fail-on", "low"])).code, 0);
}

#[test]
fn credentials_that_aws_does_not_take_are_an_error() {
    let said = run(&mut doctor(&StandIn::new(|_, _| Answer::Denied), &[]));

    assert_eq!(said.code, 2);
    assert!(
        said.stderr.contains("AWS does not say whose account this is"),
        "{}",
        said.stderr
    );
}

#[test]
fn the_policy_is_printed_without_asking_anybody() {
    let bare = run(&mut tripmeter(&["doctor", "--print-policy"]));
    let with_table = run(&mut tripmeter(&[
        "doctor",
        "--print-policy",
        "--table",
        "prod-StateTable-1A",
    ]));

    let actions = |said: &str| {
        let policy: Value = serde_json::from_str(said).unwrap();
        let statements = policy["Statement"].as_array().unwrap().iter();
        statements
            .map(|statement| statement["Action"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!((actions(&bare.stdout).len(), actions(&with_table.stdout).len()), (1, 2));
    assert!(
        with_table.stdout.contains("table/prod-StateTable-1A"),
        "{}",
        with_table.stdout
    );
    let reads = |action: &Value| {
        let name = action.as_str().unwrap().split(':').nth(1).unwrap();
        ["Get", "List", "Describe", "View", "BatchGet", "Query"]
            .iter()
            .any(|verb| name.starts_with(verb))
    };
    assert!(
        actions(&with_table.stdout)
            .iter()
            .flat_map(|of| of.as_array().unwrap())
            .all(reads)
    );
}
