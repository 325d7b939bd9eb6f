//! The detections: one file each, with what it finds, what evades it and what makes it false.
//!
//! Those of the control plane judge an episode of one day ([`control::ControlScene`](crate::control)); those of
//! use weigh an hour or the whole of an account's service.

pub(crate) mod account_use;
pub(crate) mod anomalous_use;
pub(crate) mod ceiling;
mod credential_issue;
mod denied_region;
mod denied_use;
mod guardrail_removal;
pub(crate) mod hijack;
mod leaked_key;
mod limit_probe;
pub(crate) mod patience;
mod policy_change;
pub(crate) mod region_sweep;
pub(crate) mod spend_signal;

use tripmeter_model::{Activity, Factor, FactorName, Family, Kind, Outcome, PolicyEffect, Tactic};

use crate::control::{ControlScene, Verdict};
use crate::weigh::{Note, Part};

/// The family and tactic of an activity's own episode, if it makes one. Denied calls of the control plane are
/// openings, and no finding of their own.
pub(crate) fn family_of(activity: &Activity) -> Option<(Family, Tactic)> {
    let done = activity.outcome == Outcome::Success;
    match activity.kind {
        _ if activity.outcome == Outcome::Throttled => None,
        Kind::Probe => Some((Family::LimitProbe, Tactic::Discovery)),
        Kind::Use if !done => Some((Family::DeniedUse, Tactic::Discovery)),
        Kind::PolicyChange if done => activity.effect.map(|effect| match effect {
            PolicyEffect::AccessEnabled => (Family::AccessEnabled, Tactic::Persistence),
            PolicyEffect::LimitRaised => (Family::LimitRaised, Tactic::Impact),
            PolicyEffect::SendingEnabled => (Family::SendingEnabled, Tactic::Impact),
            PolicyEffect::SenderAdded => (Family::SenderAdded, Tactic::Persistence),
            PolicyEffect::PolicyOpened => (Family::PolicyOpened, Tactic::Persistence),
            PolicyEffect::RegionEnabled => (Family::RegionEnabled, Tactic::DefenseEvasion),
        }),
        Kind::GuardrailRemoval if done => Some((Family::GuardrailRemoved, Tactic::DefenseEvasion)),
        Kind::CredentialIssue if done => Some((Family::CredentialIssued, Tactic::Persistence)),
        Kind::LeakedKey if done => Some((Family::LeakedKey, Tactic::CredentialAccess)),
        _ => None,
    }
}

/// Judges an episode of the control plane.
pub(crate) fn judge<'a>(scene: &ControlScene<'a>) -> Verdict<'a> {
    match scene.key.family {
        Family::LimitProbe => limit_probe::judge(scene),
        Family::RegionSweep => region_sweep::judge(scene),
        Family::DeniedUse => denied_use::judge(scene),
        Family::GuardrailRemoved => guardrail_removal::judge(scene),
        Family::CredentialIssued => credential_issue::judge(scene),
        Family::LeakedKey => leaked_key::judge(scene),
        Family::DeniedRegion => denied_region::judge(scene),
        Family::SpendSignal => spend_signal::judge(scene),
        Family::AccessEnabled
        | Family::LimitRaised
        | Family::SendingEnabled
        | Family::SenderAdded
        | Family::PolicyOpened
        | Family::RegionEnabled => policy_change::judge(scene),
        // Of use, and of what is not heard at all: no call of the control plane makes these.
        Family::AnomalousUse | Family::CeilingExceeded | Family::Hijack | Family::TelemetryLost => Vec::new(),
    }
}

/// A part with a plain number behind it.
fn part<'a>(name: FactorName, points: f64, times: u64) -> Part<'a> {
    Part {
        name,
        points: libm::round(points.max(0.0)) as u32,
        note: Note::Times(times),
    }
}

/// The words of a control-plane factor.
pub(crate) fn words(scene: &ControlScene<'_>, part: &Part<'_>) -> Factor {
    let calls = scene.control.journal.count;
    let whys: Vec<&str> = scene.control.whys.iter().map(String::as_str).collect();
    let text = match (part.name, part.note) {
        (FactorName::Base, _) if scene.key.family == Family::DeniedUse => {
            format!("{calls} uses refused or failed within the day, in a burst")
        }
        (FactorName::Base, _) if scene.key.family == Family::DeniedRegion => {
            format!("{calls} calls in a region that is not allowed")
        }
        (FactorName::Base, Note::Times(regions)) if scene.key.family == Family::RegionSweep => {
            let (first, last) = (scene.control.journal.first, scene.control.journal.last);
            let seconds = first.zip(last).map_or(0, |(first, last)| last.since(first));
            format!(
                "{calls} calls over {regions} regions within {seconds} seconds: {}",
                whys.join("; ")
            )
        }
        (FactorName::Base, _) if scene.key.family == Family::SpendSignal => format!(
            "{}; nothing else that is found explains it: look for {}",
            whys.join("; "),
            spend_signal::blind_spot(scene.key.service)
        ),
        (FactorName::SpendSignal, Note::Times(sources)) => format!("{sources} sources say so"),
        (FactorName::Base, _) if whys.is_empty() => format!("{calls} calls"),
        (FactorName::Base, _) => whys.join("; "),
        (FactorName::Volume, Note::Times(n)) => {
            format!("{n} such changes on one day, from a network that is new to the account")
        }
        (FactorName::Unusual, _) => "this identity never did this, or never in this region".to_owned(),
        (FactorName::Spread, Note::Times(n)) => format!("{n} regions or services within minutes"),
        (FactorName::StageProbe, _) => "limits or models were read beside it".to_owned(),
        (FactorName::DeniedRegion, Note::Times(n)) => format!("{n} of them were carried out and spend"),
        _ => "see the runbook".to_owned(),
    };
    Factor {
        name: part.name,
        points: part.points,
        text,
        observed: Some(calls as f64),
        expected: None,
    }
}
