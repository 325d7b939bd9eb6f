//! Where a finding stands in MITRE ATT&CK.

use serde_json::{Value, json};
use tripmeter_model::{Family, FindingType, Service, Tactic};

/// Cloud Service Hijacking, which everything here is about.
pub(super) const TECHNIQUE_URL: &str = "https://attack.mitre.org/techniques/T1496/004/";

/// The analytic that the product implements.
pub(super) fn analytic() -> Value {
    json!({
        "uid": "AN0417",
        "name": "Analytic 0417",
        "type": "Behavioral",
        "type_id": 2,
        "category": "Cloud Service Hijacking",
        "desc": "A cloud service whose limits or policies were read or changed is then used as its history does not explain.",
    })
}

/// T1496.004 under Impact, which every finding is a step towards; and, where the type serves another tactic, that
/// one with the technique of its own that ATT&CK lists under it.
pub(super) fn attacks(finding: FindingType) -> Value {
    let mut attacks = vec![json!({
        "tactic": tactic(Tactic::Impact),
        "technique": technique("T1496", "Resource Hijacking"),
        "sub_technique": {
            "uid": "T1496.004",
            "name": "Cloud Service Hijacking",
            "src_url": TECHNIQUE_URL,
        },
    })];
    if finding.tactic != Tactic::Impact {
        let mut own = json!({ "tactic": tactic(finding.tactic) });
        if let (Some(own), Some((uid, name))) = (own.as_object_mut(), own_technique(finding)) {
            own.insert("technique".into(), technique(uid, name));
        }
        attacks.push(own);
    }
    attacks.into()
}

fn tactic(tactic: Tactic) -> Value {
    let (uid, name) = tactic.attack();
    json!({ "uid": uid, "name": name, "src_url": format!("https://attack.mitre.org/tactics/{uid}/") })
}

fn technique(uid: &str, name: &str) -> Value {
    json!({
        "uid": uid,
        "name": name,
        "src_url": format!("https://attack.mitre.org/techniques/{}/", uid.replace('.', "/")),
    })
}

/// The technique that the stage itself is, where ATT&CK has one under the type's tactic.
fn own_technique(finding: FindingType) -> Option<(&'static str, &'static str)> {
    match (finding.tactic, finding.family, finding.service) {
        (Tactic::Discovery, Family::LimitProbe | Family::RegionSweep | Family::DeniedUse, _) => {
            Some(("T1526", "Cloud Service Discovery"))
        }
        (Tactic::DefenseEvasion, Family::RegionSweep | Family::RegionEnabled | Family::DeniedRegion, _) => {
            Some(("T1535", "Unused/Unsupported Cloud Regions"))
        }
        (Tactic::DefenseEvasion, Family::GuardrailRemoved, Service::CloudTrail | Service::Logs)
        | (Tactic::DefenseEvasion, Family::TelemetryLost, _) => Some(("T1562.008", "Disable or Modify Cloud Logs")),
        (Tactic::DefenseEvasion, Family::GuardrailRemoved, _) => Some(("T1562", "Impair Defenses")),
        (Tactic::Persistence, Family::CredentialIssued, _) => Some(("T1098.001", "Additional Cloud Credentials")),
        (Tactic::Persistence, Family::PolicyOpened, _) => Some(("T1098", "Account Manipulation")),
        (Tactic::CredentialAccess, Family::LeakedKey, _) => Some(("T1552", "Unsecured Credentials")),
        _ => None,
    }
}
