//! What an organisation holds the account to: regions, and the detector itself.

use tripmeter_model::Service;

use super::{Case, list};
use crate::gap::{Gap, GapId, Repair};
use crate::inventory::{Organisation, Switch};
use crate::proposal::used_regions;
use crate::statement::{Document, Statement};

/// What a thief would do first.
const BLINDING: [&str; 4] = [
    "cloudtrail:StopLogging",
    "events:DisableRule",
    "lambda:DeleteFunction",
    "sns:DeleteTopic",
];

pub(super) fn look(case: &Case<'_>) -> Vec<Gap> {
    match &case.inventory.organisation {
        None | Some(Organisation::Member(None)) => Vec::new(),
        Some(Organisation::Management) => management(case).into_iter().collect(),
        Some(Organisation::None) => vec![
            unrestricted(
                case,
                "The account is in no organisation, so no service control policy restricts its regions.",
            ),
            unprotected(
                case,
                "The account is in no organisation, so no service control policy protects the detector.",
            ),
        ],
        Some(Organisation::Member(Some(policies))) => member(case, policies),
    }
}

fn management(case: &Case<'_>) -> Option<Gap> {
    let used: Vec<Service> = case.used().map(|used| used.service).collect();
    (!used.is_empty()).then(|| {
        Gap::new(
            GapId::ManagementAccountSpends,
            format!(
                "This is the organisation's management account, and it uses {}.",
                list(&used)
            ),
        )
        .services(used)
        .repair(Repair::step("move what spends into a member account"))
    })
}

fn member(case: &Case<'_>, policies: &[String]) -> Vec<Gap> {
    let documents: Vec<Document> = policies.iter().map(|text| Document::parse(text)).collect();
    let mut gaps = Vec::new();
    if !documents.iter().any(restricts_regions) {
        gaps.push(unrestricted(case, "No service control policy restricts regions."));
    } else if switches_left(case)
        && !documents
            .iter()
            .any(|document| denies(document, "account:EnableRegion"))
    {
        gaps.push(unrestricted(
            case,
            "Regions are restricted, and whoever may call account:EnableRegion can still switch others on.",
        ));
    }
    let open: Vec<&str> = BLINDING
        .into_iter()
        .filter(|action| !documents.iter().any(|document| denies(document, action)))
        .collect();
    if !open.is_empty() {
        gaps.push(unprotected(
            case,
            &format!("No service control policy denies {}.", list(open)),
        ));
    }
    gaps
}

fn switches_left(case: &Case<'_>) -> bool {
    let switches = case.inventory.switches.iter().flatten();
    switches.into_iter().any(|(_, switch)| *switch == Switch::Off)
}

/// Whether it denies what spends outside of some regions.
fn restricts_regions(document: &Document) -> bool {
    document
        .denying()
        .filter(|statement| is_by_region(statement))
        .any(|statement| statement.is_about("ses:SendEmail") && statement.is_about("bedrock:InvokeModel"))
}

/// Whether it denies the action to anybody: exceptions for those who deploy are as they should be. What holds in some
/// regions alone does not keep hands off the others.
fn denies(document: &Document, action: &str) -> bool {
    document
        .denying()
        .any(|statement| statement.is_about(action) && !is_by_region(statement))
}

fn is_by_region(statement: &Statement) -> bool {
    let mut keys = statement.conditions().map(|(_, key, _)| key);
    keys.any(|key| key.eq_ignore_ascii_case("aws:RequestedRegion"))
}

fn unrestricted(case: &Case<'_>, words: &str) -> Gap {
    guarded(case, Gap::new(GapId::RegionNotRestricted, words), "RegionsPolicy")
}

fn unprotected(case: &Case<'_>, words: &str) -> Gap {
    guarded(case, Gap::new(GapId::DetectorNotProtected, words), "DetectorPolicy")
}

/// The stack that holds the account to it. Only the management account can create that.
fn guarded(case: &Case<'_>, gap: Gap, policy: &str) -> Gap {
    let inventory = case.inventory;
    let mut allowed = used_regions(case.services);
    allowed.extend([inventory.hub.as_str(), inventory.global_region()]);
    let gap = match inventory.organisation {
        Some(Organisation::None) => gap.repair(Repair::step("make it a member of an organisation, then")),
        _ => gap,
    };
    let mut parameters = vec![
        format!("TargetIds={}", inventory.account),
        format!("AllowedRegions={}", list(allowed).replace(' ', "")),
        "ExemptPrincipals=DEPLOYER_ROLE_ARN".to_owned(),
    ];
    parameters.extend(inventory.stack.iter().map(|stack| format!("DetectorStackName={stack}")));
    let parameters: Vec<&str> = parameters.iter().map(String::as_str).collect();
    gap.repair(Repair::deploy(
        "tripmeter-guardrails",
        "infra/guardrails.yaml",
        inventory.global_region(),
        &parameters,
    ))
    .repair(Repair::step(format!(
        "in the organisation's management account; its {policy} does that. Read docs/doctor.md, Guard rails, first",
    )))
}
