//! What the engine is told: every answer holds at an event time.
// Helpers of tests may say what they expect, too.
#![allow(clippy::unwrap_used)]

use tripmeter_model::{
    Case, Client, Family, Identity, IdentityKind, Kind, Network, Origin, Policy, Service, Severity, Source, Timestamp,
};
use tripmeter_policy::{PolicyFile, RuleKind};

const ACCOUNT: &str = "111122223333";

fn policy(text: &str) -> PolicyFile {
    PolicyFile::parse(text).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn role(name: &str) -> Identity {
    Identity {
        kind: IdentityKind::Role,
        id: format!("arn:aws:iam::{ACCOUNT}:role/{name}"),
    }
}

/// A Medium finding of use on SES, at noon of 2026-12-31; tests change what they are about.
fn case(identity: &Identity) -> Case<'_> {
    Case {
        account: ACCOUNT,
        region: "eu-west-1",
        service: Service::Ses,
        identity,
        family: Family::AnomalousUse,
        kind: Kind::Use,
        severity: Severity::Medium,
        invoked_by: None,
        client: None,
        first_seen: at("2026-12-31T11:00:00Z"),
        last_seen: at("2026-12-31T12:00:00Z"),
        units_per_hour: 500,
        units_per_day: 2_000,
    }
}

fn rule_of(suppression: Option<tripmeter_model::Suppression>) -> Option<String> {
    suppression.map(|s| s.rule)
}

const AUTOMATION: &str = r#"
    [[automation]]
    identities = ["*:role/newsletter"]
    services = ["SES"]
    per_hour = 500
    per_day = 2_000
    owner = "growth"
    reason = "Weekly newsletter"
    expires = 2026-12-31
"#;

#[test]
fn approved_automation_is_quiet_up_to_its_ceilings_and_not_beyond() {
    let policy = policy(AUTOMATION);
    let newsletter = role("newsletter");
    let within = case(&newsletter);
    let above_hour = Case {
        units_per_hour: 501,
        ..within
    };
    let above_day = Case {
        units_per_day: 2_001,
        ..within
    };
    let elsewhere = Case {
        service: Service::Bedrock,
        ..within
    };

    assert_eq!(
        rule_of(policy.suppressed(&within)).unwrap(),
        "automation:1:weekly-newsletter"
    );
    assert_eq!(policy.suppressed(&above_hour), None);
    assert_eq!(policy.suppressed(&above_day), None);
    assert_eq!(policy.suppressed(&elsewhere), None);
    assert_eq!(policy.suppressed(&case(&role("newsletter-2"))), None);
}

#[test]
fn approved_automation_may_work_but_not_blind_leak_or_hijack() {
    let policy = policy(AUTOMATION);
    let newsletter = role("newsletter");
    for family in [
        Family::Hijack,
        Family::GuardrailRemoved,
        Family::LeakedKey,
        Family::CredentialIssued,
        Family::DeniedRegion,
    ] {
        let case = Case {
            family,
            severity: Severity::Low,
            ..case(&newsletter)
        };
        assert_eq!(policy.suppressed(&case), None, "{family:?}");
    }
}

#[test]
fn an_exception_holds_through_its_last_second_and_no_longer() {
    let policy = policy(AUTOMATION);
    let newsletter = role("newsletter");
    let ending = |last_seen| Case {
        last_seen: at(last_seen),
        ..case(&newsletter)
    };

    assert!(policy.suppressed(&ending("2026-12-31T23:59:59Z")).is_some());
    assert_eq!(policy.suppressed(&ending("2027-01-01T00:00:00Z")), None);
}

#[test]
fn a_mute_hides_its_types_up_to_medium_unless_it_says_more() {
    let rule = |more: &str| {
        policy(&format!(
            "[[mute]]\nid = 'scan'\ntypes = ['Impact:*/AnomalousUse']\nidentities = ['*:role/audit']\n\
             owner = 'security'\nreason = 'audit'\nexpires = 2027-03-31\n{more}"
        ))
    };
    let audit = role("audit");
    let medium = case(&audit);
    let high = Case {
        severity: Severity::High,
        ..medium
    };
    let other_type = Case {
        family: Family::LimitProbe,
        ..medium
    };

    assert_eq!(rule_of(rule("").suppressed(&medium)).unwrap(), "scan");
    assert_eq!(rule("").suppressed(&high), None);
    assert_eq!(rule("").suppressed(&other_type), None);
    assert!(rule("max_severity = 'high'").suppressed(&high).is_some());
    assert_eq!(rule("max_severity = 'low'").suppressed(&medium), None);
    assert_eq!(rule("accounts = ['444455556666']").suppressed(&medium), None);
}

#[test]
fn a_campaign_announces_its_days_and_its_volume() {
    let policy = policy(
        r#"
        [[campaign]]
        identities = ["*:role/news"]
        services = ["SES"]
        from = 2026-12-20
        to = 2026-12-24
        expected = 40_000
        owner = "growth"
        reason = "Christmas mailing"

        [[campaign]]
        identities = ["*:role/news"]
        services = ["SES"]
        from = 2026-12-24T12:00:00Z
        to = 2026-12-24T18:00:00Z
        expected = 90_000
        owner = "growth"
        reason = "Last call"
        "#,
    );
    let news = role("news");
    let announced = |when| {
        policy
            .announced(ACCOUNT, Service::Ses, &news, at(when))
            .map(|(_, units)| units.unwrap())
    };

    assert_eq!(announced("2026-12-19T23:59:59Z"), None);
    assert_eq!(announced("2026-12-20T00:00:00Z"), Some(40_000));
    assert_eq!(announced("2026-12-24T15:00:00Z"), Some(90_000));
    assert_eq!(announced("2026-12-24T18:00:00Z"), Some(40_000));
    assert_eq!(announced("2026-12-25T00:00:00Z"), None);
    let now = at("2026-12-20T00:00:00Z");
    assert_eq!(policy.announced(ACCOUNT, Service::Sms, &news, now), None);
    assert_eq!(policy.announced(ACCOUNT, Service::Ses, &role("shop"), now), None);
}

#[test]
fn the_narrowest_list_of_regions_decides() {
    let policy = policy(
        r#"
        [regions]
        all = ["eu-*"]
        SES = ["us-east-1"]
        SMS = []

        [regions.444455556666]
        all = ["ap-southeast-2"]
        "#,
    );
    let allowed = |account, service, region| policy.region_allowed(account, service, region, Timestamp::default());

    assert!(allowed(ACCOUNT, Service::Bedrock, "eu-north-1"));
    assert!(!allowed(ACCOUNT, Service::Bedrock, "us-east-1"));
    assert!(allowed(ACCOUNT, Service::Ses, "us-east-1"));
    assert!(!allowed(ACCOUNT, Service::Ses, "eu-west-1"));
    assert!(!allowed(ACCOUNT, Service::Sms, "eu-west-1"));
    assert!(allowed("444455556666", Service::Ses, "ap-southeast-2"));
    assert!(!allowed("444455556666", Service::Bedrock, "eu-west-1"));
}

#[test]
fn a_service_with_one_endpoint_for_all_regions_is_not_denied_for_it() {
    let policy = policy("[regions]\nall = ['eu-west-1']");
    let allowed = |service, region| policy.region_allowed(ACCOUNT, service, region, Timestamp::default());

    assert!(allowed(Service::Iam, "us-east-1"));
    assert!(!allowed(Service::ServiceQuotas, "us-east-1"));
    assert!(
        allowed(Service::Bedrock, ""),
        "a record without a region is no evidence"
    );
    assert!(PolicyFile::default().region_allowed(ACCOUNT, Service::Bedrock, "sa-east-1", Timestamp::default()));
}

#[test]
fn a_network_is_vouched_for_where_and_while_the_file_says() {
    let policy = policy(
        r#"
        [[network]]
        cidr = "203.0.113.0/24"
        accounts = ["111122223333"]
        owner = "network team"
        reason = "Office egress"
        expires = 2026-12-31

        [[network]]
        cidr = "2001:db8:7::1"
        owner = "network team"
        reason = "Build host"
        expires = 2026-12-31T12:00:00Z
        "#,
    );
    let vouched = |account, address: &str, when| policy.network_vouched(account, address.parse().unwrap(), at(when));
    let noon = "2026-12-31T12:00:00Z";

    assert!(vouched(ACCOUNT, "203.0.113.200", noon));
    assert!(!vouched("444455556666", "203.0.113.200", noon));
    assert!(!vouched(ACCOUNT, "203.0.114.1", noon));
    assert!(vouched(ACCOUNT, "2001:db8:7::1", "2026-12-31T11:59:59Z"));
    assert!(!vouched(ACCOUNT, "2001:db8:7::1", noon));
}

#[test]
fn the_owner_is_the_one_whose_entry_is_narrowest() {
    let policy = policy(
        r#"
        [[owner]]
        name = "mail team"
        services = ["SES"]

        [[owner]]
        name = "payments"
        contact = "payments@example.com"
        accounts = ["111122223333"]

        [[owner]]
        name = "payments mail"
        accounts = ["111122223333"]
        services = ["SES"]

        [[owner]]
        name = "growth"
        identities = ["*:role/newsletter"]
        "#,
    );
    let owner = |account, service, identity: &Identity| policy.owner(account, service, identity).map(|o| o.name);

    assert_eq!(owner(ACCOUNT, Service::Ses, &role("newsletter")).unwrap(), "growth");
    assert_eq!(owner(ACCOUNT, Service::Ses, &role("shop")).unwrap(), "payments mail");
    assert_eq!(owner(ACCOUNT, Service::Bedrock, &role("shop")).unwrap(), "payments");
    assert_eq!(owner("444455556666", Service::Ses, &role("shop")).unwrap(), "mail team");
    assert_eq!(owner("444455556666", Service::Bedrock, &role("shop")), None);
}

#[test]
fn an_account_is_called_what_the_file_calls_it() {
    let policy = policy("[accounts]\n111122223333 = 'payments-prod'");
    assert_eq!(policy.account_name(ACCOUNT).unwrap(), "payments-prod");
    assert_eq!(policy.account_name("444455556666"), None);
}

#[test]
fn a_scanner_is_held_at_low_for_what_it_reads_and_for_nothing_else() {
    let policy = PolicyFile::default();
    let audit = role("audit");
    let read = Case {
        family: Family::LimitProbe,
        kind: Kind::Probe,
        client: Some("prowler"),
        ..case(&audit)
    };
    let change = Case {
        family: Family::SendingEnabled,
        kind: Kind::PolicyChange,
        ..read
    };
    let hijack = Case {
        family: Family::Hijack,
        ..read
    };
    let by_hand = Case {
        client: Some("aws-cli"),
        ..read
    };

    let (rule, severity) = policy.capped(&read).unwrap();
    assert_eq!((rule.rule.as_str(), severity), ("posture-scanners", Severity::Low));
    assert_eq!(
        policy.suppressed(&read),
        None,
        "a user agent can be forged: it never hides"
    );
    for other in [change, hijack, by_hand] {
        assert_eq!(policy.capped(&other), None);
    }
}

#[test]
fn a_deployment_by_cloudformation_is_held_at_low_but_never_for_a_control_it_removes() {
    let policy = PolicyFile::default();
    let deployer = role("deployer");
    let change = Case {
        family: Family::SenderAdded,
        kind: Kind::PolicyChange,
        invoked_by: Some("cloudformation.amazonaws.com"),
        ..case(&deployer)
    };
    let guardrail = Case {
        family: Family::GuardrailRemoved,
        kind: Kind::GuardrailRemoval,
        ..change
    };
    let by_itself = Case {
        invoked_by: None,
        ..change
    };

    assert_eq!(policy.capped(&change).unwrap().0.rule, "infrastructure-as-code");
    assert_eq!(policy.capped(&guardrail), None);
    assert_eq!(policy.capped(&by_itself), None);
}

#[test]
fn a_rule_that_ships_is_listed_and_can_be_switched_off() {
    let switched_off = policy("[builtin]\ndisable = ['aws-services', 'posture-scanners']");
    let trail = Identity {
        kind: IdentityKind::AwsService,
        id: "cloudtrail.amazonaws.com".into(),
    };
    let source = Source::parse("cloudtrail.amazonaws.com");
    let origin = Origin {
        network: Network::of(&source, None),
        client: Client::of(None),
        source,
    };
    let listed = |policy: &PolicyFile| policy.rules().filter(|r| r.kind == RuleKind::Builtin).count();

    assert!(PolicyFile::default().is_aws_itself(&trail, None, &origin));
    assert!(!switched_off.is_aws_itself(&trail, None, &origin));
    assert_eq!((listed(&PolicyFile::default()), listed(&switched_off)), (3, 1));
}

#[test]
fn a_report_says_what_ends_soon_what_has_ended_and_what_reaches_too_far() {
    let mute = |id: &str, expires: &str| {
        format!(
            "[[mute]]\nid = '{id}'\ntypes = ['LimitProbe']\nservices = ['SES']\nowner = 'o'\nreason = 'r'\nexpires = {expires}\n"
        )
    };
    let file = [
        mute("far", "2028-01-01"),
        mute("soon", "2026-12-20"),
        mute("over", "2026-11-24"),
        mute("fine", "2027-06-30"),
        "max_severity = 'critical'".to_owned(),
    ];
    let policy = policy(&file.concat());

    let report = policy.report(Some(at("2026-11-25T00:00:00Z")));

    let ids = |rules: &[tripmeter_policy::Rule]| rules.iter().map(|r| r.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&report.expires_soon), ["soon"]);
    assert_eq!(ids(&report.expired), ["over"]);
    assert_eq!(
        report.errors[0].to_string(),
        "line 1, column 1: 'far' holds until 2028-01-02T00:00:00Z, more than 366 days ahead; choose a day by which o looks again"
    );
    assert_eq!(
        report.warnings[0].to_string(),
        "line 29, column 16: 'fine' may hide findings up to Critical"
    );
    let without_a_day = policy.report(None);
    assert!(without_a_day.expired.is_empty() && without_a_day.errors.is_empty());
    assert_eq!(without_a_day.warnings, report.warnings);
}

#[test]
fn a_report_warns_of_a_mute_that_can_never_match() {
    let mute = |types: &str, most: &str| {
        let text = format!(
            "[[mute]]\nid = 'm'\ntypes = [{types}]\nservices = ['SES']\nowner = 'o'\nreason = 'r'\nexpires = 2027-06-30\nmax_severity = '{most}'\n"
        );
        policy(&text)
            .report(None)
            .warnings
            .first()
            .map(|warning| warning.message.clone())
    };

    assert_eq!(
        mute("'DeniedRegion'", "low").as_deref(),
        Some("'m' never matches DeniedRegion: such a finding is Medium or worse, and this hides up to Low")
    );
    assert_eq!(mute("'DeniedRegion'", "medium"), None);
    assert_eq!(mute("'RegionSweep', 'LimitProbe'", "low"), None);
}
