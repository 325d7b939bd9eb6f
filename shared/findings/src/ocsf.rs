//! A finding as an OCSF Detection Finding (class 2004) with the profile `cloud`.
//!
//! <https://schema.ocsf.io/1.8.0/classes/detection_finding?profiles=cloud>

mod anomaly;
mod attack;
mod evidence;

use serde_json::{Map, Value, json};
use tripmeter_model::{Cause, FactorName, Family, Finding, IdentityKind, Service, Severity, Status, Tactic, Timestamp};

use crate::containment::{Step, containment};
use crate::cost::cost;
use crate::headline::{headline, title};
use crate::words::{clean, clean_id, service};
use crate::{RUNBOOKS, runbook_at};

/// The schema's version that [`ocsf`] keeps to.
pub const OCSF_VERSION: &str = "1.8.0";

const CATEGORY_UID: u32 = 2;
const CLASS_UID: u32 = 2004;
/// Types of accounts, as OCSF numbers them.
const AWS_ACCOUNT: u32 = 10;
const OTHER: u32 = 99;

/// How many of each list a finding carries, so that it fits into one message of any transport.
const MAX_LISTED: usize = 20;
/// The same for identities, whose ids can be long.
const MAX_LINKED: usize = 10;

/// The finding as an OCSF 1.8.0 Detection Finding, complete.
///
/// `metadata.uid` is unique to the publication (the finding's id and revision), `finding_info.uid` is the same in
/// every revision; `metadata.sequence` is the revision. What the schema has no place for is under `unmapped`.
pub fn ocsf(finding: &Finding) -> Value {
    ocsf_with(finding, RUNBOOKS)
}

/// The finding as [`ocsf()`], with its runbook below the given base.
pub fn ocsf_with(finding: &Finding, runbooks: &str) -> Value {
    let runbook = runbook_at(runbooks, finding.finding_type.family);
    let (activity_id, activity_name) = activity(finding);
    let (status_id, status) = status(finding);
    let severity_id = severity(finding.severity);
    let steps = containment(finding);
    let mut event = json!({
        "activity_id": activity_id,
        "activity_name": activity_name,
        "category_uid": CATEGORY_UID,
        "category_name": "Findings",
        "class_uid": CLASS_UID,
        "class_name": "Detection Finding",
        "type_uid": CLASS_UID * 100 + activity_id,
        "type_name": format!("Detection Finding: {activity_name}"),
        "time": millis(finding.time),
        "start_time": millis(finding.first_seen),
        "end_time": millis(finding.last_seen),
        "duration": finding.last_seen.since(finding.first_seen).max(0) * 1_000,
        "count": finding.count,
        "severity_id": severity_id,
        "severity": finding.severity.name(),
        "risk_level_id": severity_id - 1,
        "risk_level": finding.severity.name(),
        "risk_score": finding.points,
        "status_id": status_id,
        "status": status,
        "is_alert": finding.status == Status::Open && finding.suppressed.is_none(),
        "message": headline(finding),
        "metadata": metadata(finding),
        "cloud": cloud(finding),
        "finding_info": finding_info(finding, &runbook),
        "evidences": evidence::evidences(finding),
        "resources": evidence::resources(finding),
        "observables": evidence::observables(finding),
        "remediation": remediation(&steps, &runbook),
        "unmapped": unmapped(finding, &steps),
    });
    if let Some(event) = event.as_object_mut() {
        let (confidence_id, confidence) = confidence(finding);
        event.insert("confidence_id".into(), json!(confidence_id));
        event.insert("confidence".into(), json!(confidence));
        if finding.finding_type.tactic == Tactic::Impact {
            event.insert("impact_id".into(), json!(severity_id - 1));
            event.insert("impact".into(), json!(finding.severity.name()));
        }
        if let Some(api) = evidence::main_api(finding) {
            event.insert("api".into(), api);
        }
        let analyses = anomaly::analyses(finding);
        if !analyses.is_empty() {
            event.insert("anomaly_analyses".into(), analyses.into());
        }
    }
    event
}

/// Milliseconds since 1970, as OCSF's times are.
fn millis(at: Timestamp) -> i64 {
    at.seconds() * 1_000
}

fn activity(finding: &Finding) -> (u32, &'static str) {
    match finding.cause {
        Cause::Created => (1, "Create"),
        Cause::SeverityRaised | Cause::Reopened | Cause::GrownTenfold => (2, "Update"),
        Cause::Closed | Cause::Explained => (3, "Close"),
    }
}

fn status(finding: &Finding) -> (u32, &'static str) {
    match (finding.status, finding.cause) {
        (Status::Closed, _) | (_, Cause::Closed | Cause::Explained) => (4, "Resolved"),
        _ if finding.suppressed.is_some() => (3, "Suppressed"),
        (Status::Open, Cause::Created) => (1, "New"),
        (Status::Open, _) => (2, "In Progress"),
    }
}

fn severity(severity: Severity) -> u32 {
    match severity {
        Severity::Low => 2,
        Severity::Medium => 3,
        Severity::High => 4,
        Severity::Critical => 5,
    }
}

/// How sure: High for a chain and for what is a fact by itself, else by how many different sorts of reasons there
/// are (how much, from where, what was done before).
fn confidence(finding: &Finding) -> (u32, &'static str) {
    let sorts = |sort: fn(FactorName) -> bool| u32::from(finding.factors.iter().any(|factor| sort(factor.name)));
    let different = sorts(is_volume) + sorts(is_context) + sorts(is_stage);
    match (finding.finding_type.family, different) {
        (Family::Hijack | Family::LeakedKey | Family::CeilingExceeded | Family::TelemetryLost, _) | (_, 3..) => {
            (3, "High")
        }
        (_, 2) => (2, "Medium"),
        _ => (1, "Low"),
    }
}

fn is_volume(name: FactorName) -> bool {
    use FactorName::{AccountVolume, Breadth, Ceiling, Fresh, Lasting, SpendSignal, Spread, Unrecorded, Volume};
    matches!(
        name,
        Volume | AccountVolume | Breadth | Lasting | Fresh | Ceiling | Spread | Unrecorded | SpendSignal
    )
}

fn is_context(name: FactorName) -> bool {
    use FactorName::{
        DeniedRegion, Dormant, FirstUseOfService, GeoVelocity, NeverSeenIdentity, NewClient, NewHour, NewNetwork,
        NewRegion, NewTarget, Unusual,
    };
    matches!(
        name,
        NewRegion
            | NewNetwork
            | NewClient
            | NewTarget
            | NewHour
            | GeoVelocity
            | NeverSeenIdentity
            | Dormant
            | DeniedRegion
            | FirstUseOfService
            | Unusual
    )
}

fn is_stage(name: FactorName) -> bool {
    use FactorName::{Chain, StageByOther, StageCredential, StageDenied, StageGuardrail, StagePolicy, StageProbe};
    matches!(
        name,
        StageProbe | StageDenied | StagePolicy | StageGuardrail | StageCredential | StageByOther | Chain
    )
}

fn product() -> Value {
    json!({
        "name": "Tripmeter",
        "vendor_name": "Tripmeter",
        "version": env!("CARGO_PKG_VERSION"),
    })
}

fn metadata(finding: &Finding) -> Value {
    json!({
        "version": OCSF_VERSION,
        "profiles": ["cloud"],
        "product": product(),
        "uid": format!("{}:{}", clean(&finding.uid), finding.revision),
        "correlation_uid": clean(&finding.uid),
        "sequence": finding.revision,
        "event_code": finding.finding_type.to_string(),
        "log_provider": source(finding),
    })
}

/// Whose cloud the finding is about.
fn provider(finding: &Finding) -> &'static str {
    match finding.finding_type.service {
        Service::OpenAi => "OpenAI",
        _ => "AWS",
    }
}

/// What told of it.
fn source(finding: &Finding) -> &'static str {
    match finding.finding_type.service {
        Service::OpenAi => "OpenAI",
        _ => "AWS CloudTrail",
    }
}

/// The partition of AWS that a finding's region belongs to, by its name; none for another cloud.
fn partition(finding: &Finding) -> Option<&'static str> {
    match finding.region.as_str() {
        _ if finding.finding_type.service == Service::OpenAi => None,
        region if region.starts_with("cn-") => Some("aws-cn"),
        region if region.starts_with("us-gov-") => Some("aws-us-gov"),
        _ => Some("aws"),
    }
}

fn account(finding: &Finding) -> Value {
    let (kind, kind_id) = match finding.finding_type.service {
        Service::OpenAi => ("OpenAI organization", OTHER),
        _ => ("AWS Account", AWS_ACCOUNT),
    };
    let mut account = json!({ "uid": clean(&finding.account), "type": kind, "type_id": kind_id });
    if let (Some(account), Some(name)) = (account.as_object_mut(), &finding.account_name) {
        account.insert("name".into(), clean(name).into());
    }
    account
}

fn cloud(finding: &Finding) -> Value {
    let mut cloud = json!({
        "provider": provider(finding),
        "account": account(finding),
    });
    if let Some(cloud) = cloud.as_object_mut() {
        place(finding, cloud);
    }
    cloud
}

/// Puts where a finding is into what is there: the partition, and the region where there is one.
fn place(finding: &Finding, of: &mut Map<String, Value>) {
    if let Some(partition) = partition(finding) {
        of.insert("cloud_partition".into(), partition.into());
    }
    if !finding.region.is_empty() {
        of.insert("region".into(), clean(&finding.region).into());
    }
}

fn finding_info(finding: &Finding, runbook: &str) -> Value {
    let mut info = json!({
        "uid": clean(&finding.uid),
        "title": title(finding),
        "desc": description(finding),
        "types": [finding.finding_type.to_string()],
        "first_seen_time": millis(finding.first_seen),
        "last_seen_time": millis(finding.last_seen),
        // The same in every revision, as a consumer that merges them expects.
        "created_time": millis(finding.first_seen),
        "modified_time": millis(finding.time),
        "data_sources": [source(finding)],
        "product": product(),
        "analytic": attack::analytic(),
        "attacks": attack::attacks(finding.finding_type),
        "src_url": runbook,
    });
    let related = evidence::related_events(finding);
    if let Some(info) = info.as_object_mut().filter(|_| !related.is_empty()) {
        info.insert("related_events_count".into(), finding.evidence.openings.len().into());
        info.insert("related_events".into(), related.into());
    }
    info
}

fn description(finding: &Finding) -> String {
    let factors: Vec<String> = finding
        .factors
        .iter()
        .take(MAX_LISTED)
        .map(|factor| format!("+{} {}", factor.points, clean(&factor.text)))
        .collect();
    format!("{} ({} points: {})", title(finding), finding.points, factors.join("; "))
}

fn remediation(steps: &[Step], runbook: &str) -> Value {
    let mut lines = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        lines.push(format!("{}. {}.", number + 1, step.action));
        lines.extend(step.commands.iter().map(|command| format!("   {command}")));
        lines.push(format!("   Breaks: {}.", step.breaks));
    }
    json!({
        "desc": lines.join("\n"),
        "references": [runbook, attack::TECHNIQUE_URL],
    })
}

/// What the schema has no place for.
fn unmapped(finding: &Finding, steps: &[Step]) -> Value {
    let mut rest = Map::new();
    rest.insert("cause".into(), json!(finding.cause));
    rest.insert("revision".into(), json!(finding.revision));
    rest.insert("points".into(), json!(finding.points));
    rest.insert("identity_kind".into(), identity_kind(finding.identity.kind).into());
    rest.insert("service".into(), service(finding.finding_type.service).into());
    rest.insert("units".into(), json!(finding.units));
    rest.insert("units_per_hour".into(), json!(finding.units_per_hour));
    rest.insert("factors".into(), factors(finding));
    let by_target: Vec<Value> = finding
        .units_by_target
        .iter()
        .take(MAX_LISTED)
        .map(|(target, units)| json!({ "target": clean(target), "units": units }))
        .collect();
    rest.insert("units_by_target".into(), by_target.into());
    let linked: Vec<String> = finding.linked.iter().take(MAX_LINKED).map(|id| clean_id(id)).collect();
    rest.insert("linked_identities".into(), json!(linked));
    let seen = &finding.evidence;
    for (name, ids) in [("assumed_by", &seen.assumed_by), ("issued_credentials", &seen.issued)] {
        if !ids.is_empty() {
            let ids: Vec<String> = ids.iter().take(MAX_LINKED).map(|id| clean_id(id)).collect();
            rest.insert(name.into(), json!(ids));
        }
    }
    if !seen.identities.is_empty() {
        rest.insert("busiest_identities".into(), evidence::listed(&seen.identities));
    }
    rest.insert("contexts".into(), evidence::contexts(finding));
    rest.insert("containment".into(), steps.iter().map(step).collect());
    if let Some(cost) = cost(finding) {
        let name = if cost.stated { "cost" } else { "cost_estimate" };
        let told = json!({
            "currency": "USD",
            "so_far_microdollars": cost.so_far.0,
            "per_hour_microdollars": cost.per_hour.0,
            "basis": cost.basis,
        });
        rest.insert(name.into(), told);
    }
    if let Some(owner) = &finding.owner {
        let contact = owner.contact.as_deref().map(clean);
        rest.insert(
            "owner".into(),
            json!({ "name": clean(&owner.name), "contact": contact }),
        );
    }
    if let Some(by) = &finding.suppressed {
        let rule = json!({ "rule": clean(&by.rule), "reason": clean(&by.reason) });
        rest.insert("suppressed_by".into(), rule);
    }
    Value::Object(rest)
}

fn factors(finding: &Finding) -> Value {
    let factors = finding.factors.iter().take(MAX_LISTED).map(|factor| {
        json!({
            "name": factor.name,
            "points": factor.points,
            "text": clean(&factor.text),
            "observed": factor.observed,
            "expected": factor.expected,
        })
    });
    factors.collect()
}

fn step(step: &Step) -> Value {
    let commands: Vec<String> = step.commands.iter().map(ToString::to_string).collect();
    json!({ "action": step.action, "commands": commands, "breaks": step.breaks })
}

fn identity_kind(kind: IdentityKind) -> &'static str {
    match kind {
        IdentityKind::Root => "root user",
        IdentityKind::IamUser => "IAM user",
        IdentityKind::Role => "IAM role",
        IdentityKind::SsoRole => "IAM Identity Center role and person",
        IdentityKind::ServiceLinkedRole => "service-linked role",
        IdentityKind::FederatedUser => "federated user",
        IdentityKind::SamlUser => "SAML user",
        IdentityKind::WebIdentityUser => "web identity user",
        IdentityKind::OtherAccount => "principal of another account",
        IdentityKind::AwsService => "AWS service",
        IdentityKind::IdentityCenterUser => "IAM Identity Center user",
        IdentityKind::BedrockApiKey => "Bedrock API key",
        IdentityKind::OpenAiKey => "OpenAI API key",
        IdentityKind::OpenAiUser => "OpenAI user",
        IdentityKind::OpenAiServiceAccount => "OpenAI service account",
        IdentityKind::Meter => "meter",
        IdentityKind::Account => "AWS account",
        IdentityKind::Other => "other principal",
        IdentityKind::Stranger => "unknown principal",
    }
}
