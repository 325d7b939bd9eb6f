//! How far from normal, in the schema's terms: what was observed, beside what was expected.

use serde_json::{Value, json};
use tripmeter_model::{ContextSeen, FactorName, Finding};

use super::{MAX_LISTED, identity_kind, is_stage, is_volume};
use crate::words::{clean, clean_id};

/// New values for one factor; all of them are under `unmapped.contexts`.
const MAX_UNSEEN: usize = 5;

/// One analysis of the finding's identity: an anomaly for each factor with a number or a new value, and a baseline
/// for each expected number. None where no factor has either.
pub(super) fn analyses(finding: &Finding) -> Vec<Value> {
    let mut anomalies = Vec::new();
    let mut baselines = Vec::new();
    for factor in finding.factors.iter().take(MAX_LISTED) {
        let parameter = json!(factor.name);
        let kind = kind(factor.name);
        let observations = match number(factor.observed) {
            Some(observed) => vec![json!({ "value": observed })],
            None => unseen(finding, factor.name),
        };
        if observations.is_empty() {
            continue;
        }
        anomalies.push(json!({
            "observation_parameter": parameter,
            "observation_type": kind,
            "observations": observations,
            "observed_pattern": clean(&factor.text),
        }));
        if let Some(expected) = number(factor.expected) {
            baselines.push(json!({
                "observation_parameter": parameter,
                "observation_type": kind,
                "observations": [{ "value": expected }],
            }));
        }
    }
    if anomalies.is_empty() {
        return Vec::new();
    }
    let mut analysis = json!({
        "analysis_targets": [{
            "name": clean_id(&finding.identity.id),
            "type": identity_kind(finding.identity.kind),
        }],
        "anomalies": anomalies,
    });
    if let Some(analysis) = analysis.as_object_mut().filter(|_| !baselines.is_empty()) {
        analysis.insert("baselines".into(), baselines.into());
    }
    vec![analysis]
}

/// The number as the schema's text, without digits that mean nothing.
fn number(value: Option<f64>) -> Option<String> {
    let value = value.filter(|value| value.is_finite())?;
    Some(if value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.3}")
    })
}

/// The new values that a factor about a context stands for.
fn unseen(finding: &Finding, name: FactorName) -> Vec<Value> {
    let seen: &[ContextSeen] = match name {
        FactorName::NewRegion | FactorName::DeniedRegion => &finding.evidence.regions,
        FactorName::NewNetwork => &finding.evidence.networks,
        FactorName::NewClient => &finding.evidence.clients,
        FactorName::NewTarget => &finding.evidence.targets,
        _ => &[],
    };
    seen.iter()
        .filter(|one| one.new)
        .take(MAX_UNSEEN)
        .map(|one| json!({ "value": clean(&one.value), "count": one.count }))
        .collect()
}

/// The sort of analysis, in the words of the schema's own examples.
fn kind(name: FactorName) -> &'static str {
    match name {
        FactorName::NewHour | FactorName::Dormant | FactorName::GeoVelocity => "Time Pattern Analysis",
        name if is_volume(name) => "Volume Analysis",
        name if is_stage(name) => "Sequence Analysis",
        _ => "Frequency Analysis",
    }
}
