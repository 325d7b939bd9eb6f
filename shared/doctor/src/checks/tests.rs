//! Each gap: an account that lacks nothing has none; one thing is taken away, and exactly that is said.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use tripmeter_model::{DAY, NoPolicy, Policy, Service, Severity};

use crate::inventory::{
    AdvancedSelector, Inventory, Key, Mail, Organisation, Principal, Region, RuleState, Selectors, SpendLimit, Switch,
};
use crate::testing::{ACCOUNT, HUB, OTHER, Owned, after, field, healthy, ids, now, selectors, trail};
use crate::{Gap, GapId, Repair, Terms, examine};

/// Takes away what a gap is about.
fn break_it(inventory: &mut Inventory, id: GapId) {
    match id {
        GapId::TrailMissing => inventory.trails = Some(Vec::new()),
        GapId::TrailStopped => inventory.trails = Some(vec![stopped(), trail()]),
        GapId::ManagementEventsDropped => record(inventory, |selectors| {
            let mut others = field("eventSource", &[]);
            others.not_equals = vec!["ses.amazonaws.com".to_owned()];
            selectors[0].fields.push(others);
        }),
        GapId::ReadsDropped => record(inventory, |selectors| {
            selectors[0].fields.push(field("readOnly", &["false"]));
        }),
        GapId::DataEventsMissing => record(inventory, |selectors| {
            let of_sns =
                |selector: &AdvancedSelector| selector.fields.iter().any(|of| of.equals[0].starts_with("AWS::SNS::"));
            selectors.retain(|selector| !of_sns(selector));
        }),
        GapId::InvocationLoggingOff => region(inventory, OTHER).invocation_logging = Some(false),
        GapId::DetectorMissing => region(inventory, HUB).rules = Some(Vec::new()),
        GapId::RuleState => set_state(inventory, "SESReads", RuleState::Enabled),
        GapId::RuleDisabled => set_state(inventory, "IAMChanges", RuleState::Disabled),
        GapId::RuleMissing => {
            let rules = region(inventory, HUB).rules.as_mut().unwrap();
            rules.retain(|rule| !rule.name.contains("BudgetsChanges"));
        }
        GapId::RegionUnheard => region(inventory, OTHER).rules = Some(Vec::new()),
        GapId::OptInRegionUnused => {
            let mut region = inventory.regions[OTHER].clone();
            region.mail = None;
            region.metered = Some(BTreeSet::new());
            inventory.regions.insert("af-south-1".to_owned(), region);
            inventory
                .switches
                .as_mut()
                .unwrap()
                .insert("af-south-1".to_owned(), Switch::On);
            inventory
                .learned
                .as_mut()
                .unwrap()
                .canary
                .insert("af-south-1".to_owned(), 0);
        }
        GapId::CanaryMissed => _ = inventory.learned.as_mut().unwrap().canary.insert(OTHER.to_owned(), 2),
        GapId::CanaryAbsent => _ = inventory.learned.as_mut().unwrap().canary.remove(OTHER),
        GapId::BudgetMissing => inventory.budgets = Some(Vec::new()),
        GapId::BudgetUnheard => inventory.budgets.as_mut().unwrap()[0].subscribers = Some(Vec::new()),
        GapId::MetersUnheard => {
            let people = || vec!["ops@example.com".to_owned()];
            inventory.budgets.as_mut().unwrap()[0].subscribers = Some(people());
            inventory.cost_monitors.as_mut().unwrap()[0].subscribers = people();
        }
        GapId::CostMonitorMissing => inventory.cost_monitors = Some(Vec::new()),
        GapId::TopicKeepsOut => inventory.topics[0].key = Some("alias/aws/sns".to_owned()),
        GapId::SmsLimitAtMaximum => region(inventory, HUB).spend_limits = Some(vec![texts(200.0, 200.0)]),
        GapId::MailUnrestricted => {
            region(inventory, OTHER).mail = Some(mail(50_000.0, 0.0));
            region(inventory, OTHER).metered = Some(BTreeSet::new());
        }
        GapId::QuotaAbovePeak => region(inventory, HUB).mail = Some(mail(50_000.0, 12.0)),
        // The owner is the policy file's, which is not there.
        GapId::OwnerMissing => {}
        GapId::KeySpends => {
            inventory.principals = Some(vec![may("ses:SendEmail")]);
            inventory.keys = Some(vec![key(1)]);
        }
        GapId::SpendsAndChanges => inventory.principals = Some(vec![may("ses:*")]),
        GapId::KeyOld => inventory.keys = Some(vec![key(91)]),
        GapId::KeyNeverExpires => {
            inventory.keys = Some(vec![Key {
                service: Some("bedrock.amazonaws.com".to_owned()),
                ..key(1)
            }]);
        }
        GapId::RegionNotRestricted => bind(inventory, &["cloudtrail:*", "events:*", "lambda:*", "sns:*"], false),
        GapId::DetectorNotProtected => bind(inventory, &["account:EnableRegion"], true),
        GapId::ManagementAccountSpends => inventory.organisation = Some(Organisation::Management),
        GapId::BudgetNeverActs => inventory.budget_acts = Some(false),
    }
}

fn stopped() -> crate::Trail {
    crate::Trail {
        name: "old".to_owned(),
        logging: Some(false),
        ..trail()
    }
}

/// Changes what the trail records.
fn record(inventory: &mut Inventory, change: impl FnOnce(&mut Vec<AdvancedSelector>)) {
    let mut changed = selectors();
    change(&mut changed);
    inventory.trails.as_mut().unwrap()[0].selectors = Some(Selectors::Advanced(changed));
}

fn region<'a>(inventory: &'a mut Inventory, name: &str) -> &'a mut Region {
    inventory.regions.get_mut(name).unwrap()
}

fn set_state(inventory: &mut Inventory, name: &str, state: RuleState) {
    let rules = region(inventory, HUB).rules.as_mut().unwrap();
    rules.iter_mut().find(|rule| rule.name.contains(name)).unwrap().state = state;
}

fn texts(enforced_usd: f64, maximum_usd: f64) -> SpendLimit {
    SpendLimit {
        name: "TEXT_MESSAGE_MONTHLY_SPEND_LIMIT".to_owned(),
        enforced_usd,
        maximum_usd,
    }
}

fn mail(per_day: f64, sent_last_day: f64) -> Mail {
    Mail {
        sending: true,
        production: true,
        per_day: Some(per_day),
        sent_last_day,
    }
}

const USER: &str = "arn:aws:iam::111122223333:user/mailer";

fn may(action: &str) -> Principal {
    Principal {
        arn: USER.to_owned(),
        policies: vec![format!(
            r#"{{"Statement":[{{"Effect":"Allow","Action":"{action}","Resource":"*"}}]}}"#
        )],
        ..Principal::default()
    }
}

fn key(days: i64) -> Key {
    Key {
        user: USER.to_owned(),
        id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        service: None,
        created: now().plus(-days * DAY),
        expires: None,
        active: true,
    }
}

fn bind(inventory: &mut Inventory, denied: &[&str], by_region: bool) {
    let regions = r#"{"Effect":"Deny","NotAction":["iam:*","cloudtrail:*","events:*","lambda:*","sns:*"],"Resource":"*",
        "Condition":{"StringNotEquals":{"aws:RequestedRegion":["eu-west-1"]}}}"#;
    let denied = format!(r#"{{"Effect":"Deny","Action":{denied:?},"Resource":"*"}}"#);
    let statements = if by_region {
        format!("{regions},{denied}")
    } else {
        denied
    };
    inventory.organisation = Some(Organisation::Member(Some(vec![format!(
        r#"{{"Statement":[{statements}]}}"#
    )])));
}

fn gap_after(id: GapId) -> Vec<Gap> {
    after(|inventory| break_it(inventory, id)).gaps
}

#[test]
fn an_account_that_lacks_nothing_has_no_gap() {
    assert_eq!(ids(&after(|_| {})), []);
}

#[test]
fn whatever_is_taken_away_is_said_and_nothing_else() {
    for &id in GapId::ALL {
        if id == GapId::OwnerMissing {
            continue;
        }
        let found: Vec<GapId> = gap_after(id).iter().map(|gap| gap.id).collect();
        assert_eq!(found, [id], "{id}");
    }
}

#[test]
fn a_service_without_an_owner_is_said_of_those_in_use_alone() {
    let found = examine(&healthy(), &NoPolicy, &Terms::default());

    let gap = found.gaps.iter().find(|gap| gap.id == GapId::OwnerMissing).unwrap();
    assert_eq!(gap.services, [Service::Ses]);
    assert!(found.proposal.policy.contains("[[owner]]"), "{}", found.proposal.policy);
}

/// A gap's repairs, a line each.
fn repairs(gap: &Gap) -> String {
    let mut text = String::new();
    for repair in &gap.repair {
        let told = match repair {
            Repair::Run { command, undo } => writeln!(text, "run  {command}\nundo {undo}"),
            Repair::Look(command) => writeln!(text, "look {command}"),
            Repair::Do(what) => writeln!(text, "do   {what}"),
        };
        told.unwrap();
    }
    text
}

/// What a gap may be for another reason than [`break_it`]'s, and is repaired otherwise for.
fn others(id: GapId) -> Option<fn(&mut Inventory)> {
    Some(match id {
        GapId::TrailMissing => |inventory| inventory.trails.as_mut().unwrap()[0].every_region = false,
        GapId::RuleDisabled => |inventory| set_state(inventory, "SESReads", RuleState::Disabled),
        GapId::TopicKeepsOut => |inventory| inventory.topics[0].policy = r#"{"Statement":[]}"#.to_owned(),
        GapId::CostMonitorMissing => |inventory| inventory.cost_monitors.as_mut().unwrap()[0].subscribers.clear(),
        GapId::SmsLimitAtMaximum => |inventory| {
            region(inventory, HUB).spend_limits = Some(vec![texts(50.0, 200.0)]);
            region(inventory, HUB).sns_monthly_usd = Some(200.0);
        },
        GapId::RegionNotRestricted => |inventory| inventory.organisation = Some(Organisation::None),
        _ => return None,
    })
}

/// The tests of conformance hold these lines to the AWS CLI.
#[test]
fn what_repairs_each_gap_can_be_taken_back() {
    let mut text = String::new();
    for &id in GapId::ALL {
        let mut inventories = vec![healthy()];
        break_it(&mut inventories[0], id);
        inventories.extend(others(id).map(|change| {
            let mut inventory = healthy();
            change(&mut inventory);
            inventory
        }));
        for inventory in inventories {
            let policy: &dyn Policy = if id == GapId::OwnerMissing { &NoPolicy } else { &Owned };
            let found = examine(&inventory, policy, &Terms::default());
            let gap = found.gaps.iter().find(|gap| gap.id == id).unwrap();
            writeln!(text, "{id}\n{}", repairs(gap)).unwrap();
        }
    }

    insta::assert_snapshot!("repairs", text);
}

#[test]
fn a_rule_that_hears_reads_is_put_back_by_its_pattern_and_any_other_is_enabled() {
    let repair = |name: &str| {
        let gaps = after(|inventory| set_state(inventory, name, RuleState::Disabled)).gaps;
        repairs(&gaps[0])
    };

    assert!(
        repair("SESReads").contains("put-rule --name prod-SESReads-1A2B --region eu-west-1 --state ENABLED_WITH_ALL")
    );
    assert!(
        repair("IAMChanges").contains("run  aws events enable-rule --name prod-IAMChanges-1A2B --region eu-west-1\n")
    );
}

#[test]
fn a_name_that_the_aws_cli_would_act_on_is_in_no_command() {
    let gaps = after(|inventory| {
        let budget = &mut inventory.budgets.as_mut().unwrap()[0];
        budget.name = "file:///etc/passwd".to_owned();
        budget.subscribers = Some(Vec::new());
    })
    .gaps;

    assert!(repairs(&gaps[0]).starts_with("do   by hand"), "{}", repairs(&gaps[0]));
}

#[test]
fn of_several_things_that_a_trail_leaves_out_each_is_repaired_by_the_same_stack() {
    let gaps = after(|inventory| {
        record(inventory, |selectors| {
            selectors.truncate(1);
            selectors[0].fields.push(field("readOnly", &["false"]));
        });
    })
    .gaps;

    let commands: BTreeSet<String> = gaps
        .iter()
        .map(|gap| repairs(gap).lines().next().unwrap().to_owned())
        .collect();
    assert!(gaps.len() > 2 && commands.len() == 1, "{commands:?}");
}

#[test]
fn a_topic_is_given_the_statement_that_it_lacks_and_gets_its_own_policy_back() {
    let own =
        r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sns:Publish"}]}"#;
    let gaps = after(|inventory| inventory.topics[0].policy = own.to_owned()).gaps;

    let Repair::Run { command, undo } = &gaps[0].repair[0] else {
        panic!("{:?}", gaps[0].repair);
    };
    let given = command.words().iter().find(|word| word.starts_with('{')).unwrap();
    assert_eq!(
        ids(&after(|inventory| inventory.topics[0].policy.clone_from(given))),
        []
    );
    let back: serde_json::Value =
        serde_json::from_str(undo.words().iter().find(|word| word.starts_with('{')).unwrap()).unwrap();
    assert_eq!(back, serde_json::from_str::<serde_json::Value>(own).unwrap());
}

#[test]
fn every_gap_says_what_is_missing_what_is_unseen_how_to_repair_it_and_who_says_so() {
    for &id in GapId::ALL {
        let found = after(|inventory| break_it(inventory, id));
        for gap in found.gaps {
            assert!(
                gap.missing.ends_with('.') && !gap.id.unseen().is_empty() && !gap.id.source().is_empty(),
                "{id}"
            );
            assert!(!gap.repair.is_empty(), "{id}");
        }
    }
}

#[test]
fn what_could_not_be_read_is_no_gap() {
    let found = after(|inventory| {
        *inventory = Inventory {
            account: ACCOUNT.to_owned(),
            partition: "aws".to_owned(),
            hub: HUB.to_owned(),
            regions: [(HUB.to_owned(), Region::default())].into(),
            ..Inventory::default()
        };
    });

    assert_eq!(ids(&found), []);
}

#[test]
fn a_region_of_which_no_metrics_were_read_is_not_said_to_be_unused() {
    let found = after(|inventory| {
        break_it(inventory, GapId::OptInRegionUnused);
        region(inventory, "af-south-1").metered = None;
    });

    assert_eq!(ids(&found), []);
}

#[test]
fn a_trail_of_one_region_leaves_the_others_unrecorded() {
    let gaps = after(|inventory| inventory.trails.as_mut().unwrap()[0].every_region = false).gaps;

    assert_eq!((gaps[0].id, gaps[0].severity), (GapId::TrailMissing, Severity::High));
    assert_eq!(gaps[0].regions, [OTHER]);
    assert!(repairs(&gaps[0]).contains("--is-multi-region-trail"));
}

#[test]
fn a_selector_that_keeps_writes_alone_loses_the_mails() {
    let gaps = after(|inventory| {
        record(inventory, |selectors| {
            for selector in &mut selectors[1..] {
                selector.fields.push(field("readOnly", &["false"]));
            }
        });
    })
    .gaps;

    let reads = gaps.iter().find(|gap| gap.id == GapId::ReadsDropped).unwrap();
    assert!(reads.services.contains(&Service::Ses), "{reads:?}");
    assert!(reads.evidence.contains(&"SendEmail".to_owned()), "{reads:?}");
}

#[test]
fn of_a_trail_whose_selectors_are_not_known_nothing_is_said() {
    let found = after(|inventory| inventory.trails.as_mut().unwrap()[0].selectors = None);

    assert_eq!(ids(&found), []);
}

#[test]
fn the_region_of_what_is_global_matters_more_than_others() {
    let severity = |name: &str| {
        let found = after(|inventory| {
            let empty = Region {
                rules: Some(Vec::new()),
                ..inventory.regions[OTHER].clone()
            };
            inventory.regions.insert(name.to_owned(), empty);
            inventory.learned.as_mut().unwrap().canary.insert(name.to_owned(), 0);
        });
        found
            .gaps
            .iter()
            .find(|gap| gap.id == GapId::RegionUnheard)
            .map(|gap| gap.severity)
    };

    assert_eq!(severity(OTHER), Some(Severity::High));
    assert_eq!(severity("ap-south-1"), Some(Severity::Medium));
}

#[test]
fn rules_of_another_stack_are_not_the_detectors() {
    let found = after(|inventory| inventory.stack = Some("staging".to_owned()));

    assert_eq!(ids(&found), [GapId::DetectorMissing, GapId::MetersUnheard]);
}

#[test]
fn a_forwarder_without_use_is_a_choice() {
    let gaps = after(|inventory| {
        let rules = region(inventory, OTHER).rules.as_mut().unwrap();
        rules.retain(|rule| !rule.name.contains("Use-"));
    })
    .gaps;

    assert_eq!((gaps[0].id, gaps[0].severity), (GapId::RuleMissing, Severity::Low));
}

#[test]
fn a_topic_lets_in_whom_its_policy_names_for_this_account() {
    let service = r#""Principal":{"Service":"budgets.amazonaws.com"}"#;
    let keeps_out = |statement: String| {
        let found = after(|inventory| inventory.topics[0].policy = format!(r#"{{"Statement":[{statement}]}}"#));
        ids(&found).contains(&GapId::TopicKeepsOut)
    };
    let allow = |principal: &str, condition: &str| {
        format!(r#"{{"Effect":"Allow",{principal},"Action":"sns:Publish","Resource":"*"{condition}}}"#)
    };
    let of = |operator: &str, key: &str, value: &str| format!(r#","Condition":{{"{operator}":{{"{key}":"{value}"}}}}"#);

    assert!(!keeps_out(allow(service, "")));
    assert!(!keeps_out(allow(
        service,
        &of("StringEquals", "aws:SourceAccount", ACCOUNT)
    )));
    assert!(keeps_out(allow(
        service,
        &of("StringEquals", "aws:SourceAccount", "444455556666")
    )));
    // What a new topic has: the account's own, and no service of AWS.
    let own = of("StringEquals", "AWS:SourceOwner", ACCOUNT);
    assert!(keeps_out(allow(r#""Principal":{"AWS":"*"}"#, &own)));
    let nobody_else = r#"{"Effect":"Deny","Principal":"*","Action":"sns:Publish","Resource":"*",
        "Condition":{"ArnNotEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/notify"}}}"#;
    assert!(keeps_out(format!("{},{nobody_else}", allow(service, ""))));
    let encrypted = r#"{"Effect":"Deny","Principal":"*","Action":"sns:Publish","Resource":"*",
        "Condition":{"Bool":{"aws:SecureTransport":"false"}}}"#;
    assert!(!keeps_out(format!("{},{encrypted}", allow(service, ""))));
}

#[test]
fn a_budget_of_the_whole_account_makes_a_missing_one_milder() {
    let gaps = after(|inventory| {
        let budget = &mut inventory.budgets.as_mut().unwrap()[0];
        budget.services.clear();
        budget.whole_account = true;
    })
    .gaps;

    assert_eq!((gaps[0].id, gaps[0].severity), (GapId::BudgetMissing, Severity::Low));
}

#[test]
fn a_limit_of_a_new_account_is_no_maximum_that_somebody_raised() {
    let found = after(|inventory| region(inventory, HUB).spend_limits = Some(vec![texts(1.0, 1.0)]));
    let large = after(|inventory| region(inventory, HUB).spend_limits = Some(vec![texts(5_000.0, 5_000.0)]));
    let sns = after(|inventory| {
        region(inventory, HUB).spend_limits = Some(vec![texts(50.0, 200.0)]);
        region(inventory, HUB).sns_monthly_usd = Some(200.0);
    });

    assert_eq!(ids(&found), []);
    assert_eq!(large.gaps[0].severity, Severity::High);
    assert_eq!(
        (sns.gaps[0].id, &sns.gaps[0].services[..]),
        (GapId::SmsLimitAtMaximum, &[Service::Sns][..])
    );
}

#[test]
fn without_an_organisation_nothing_restricts_regions() {
    let found = after(|inventory| inventory.organisation = Some(Organisation::None));

    assert_eq!(ids(&found), [GapId::RegionNotRestricted, GapId::DetectorNotProtected]);
}

#[test]
fn regions_that_are_restricted_and_can_be_switched_on_are_not_restricted_enough() {
    let found = after(|inventory| bind(inventory, &["cloudtrail:*", "events:*", "lambda:*", "sns:*"], true));

    assert_eq!(ids(&found), [GapId::RegionNotRestricted]);
}

#[test]
fn names_that_people_chose_are_bounded_and_counted() {
    let hostile = "\u{1b}[2J".repeat(200);
    let gaps = after(|inventory| {
        let many = (0..40).map(|n| crate::Budget {
            name: format!("{n}{hostile}"),
            subscribers: Some(Vec::new()),
            ..inventory.budgets.as_ref().unwrap()[0].clone()
        });
        inventory.budgets = Some(many.collect());
    })
    .gaps;

    let gap = gaps.iter().find(|gap| gap.id == GapId::BudgetUnheard).unwrap();
    assert_eq!((gap.evidence.len(), gap.evidence_in_all), (20, 40));
    assert!(
        gap.evidence
            .iter()
            .all(|name| name.len() <= 200 && !name.contains('\u{1b}'))
    );
}

#[test]
fn the_gravest_is_said_first() {
    let found = after(|inventory| {
        inventory.budget_acts = Some(false);
        inventory.trails = Some(Vec::new());
    });

    assert_eq!(ids(&found), [GapId::TrailMissing, GapId::BudgetNeverActs]);
    assert_eq!(found.gravest(), Some(Severity::Critical));
}
