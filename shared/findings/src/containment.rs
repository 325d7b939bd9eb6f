//! What to do first, as commands, each with what it breaks.
//!
//! The order is the one in which a person should act: ask where that costs nothing, take the credential away, stop
//! the service, then undo what was changed. Nothing here is run by Tripmeter.

mod controls;
mod credential;
mod federation;
mod service;

use tripmeter_model::{Family, Finding, Severity, Stage};

use crate::shell::{Command, argument};
use crate::words;

/// The most commands in one step: a sweep over all regions is contained by a policy, not by forty lines.
const MAX_COMMANDS: usize = 4;

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What is done and why, for people.
    pub action: String,
    /// The commands that do it, for an administrator of the finding's account; none where a person has to decide or
    /// a name holds characters that are kept out of commands.
    pub commands: Vec<Command>,
    /// What stops working.
    pub breaks: String,
}

impl Step {
    fn new(action: impl Into<String>, commands: Vec<Command>, breaks: impl Into<String>) -> Self {
        Self {
            action: action.into(),
            commands,
            breaks: breaks.into(),
        }
    }
}

/// What to do first about a finding.
///
/// Commands that need a name out of a record have it only when it is made of what names in AWS are made of;
/// otherwise the step says what to do and leaves the command out.
pub fn containment(finding: &Finding) -> Vec<Step> {
    let mut steps = Vec::new();
    let family = finding.finding_type.family;
    if is_worth_asking(finding) {
        steps.push(ask(finding));
    }
    match family {
        Family::Hijack | Family::AnomalousUse | Family::CeilingExceeded | Family::DeniedRegion => {
            steps.extend(credential::take_away(finding));
            steps.extend(credential::assumers(finding));
            steps.extend(service::stop(finding));
            steps.extend(credential::tied(finding));
        }
        Family::LimitProbe | Family::RegionSweep | Family::DeniedUse | Family::LeakedKey => {
            steps.extend(credential::take_away(finding));
            steps.extend(credential::assumers(finding));
            steps.extend(credential::tied(finding));
        }
        Family::CredentialIssued => {
            steps.extend(credential::issued(finding));
            steps.extend(federation::shut_out(finding));
            steps.extend(credential::tied(finding));
            steps.extend(credential::take_away(finding));
            steps.extend(credential::assumers(finding));
        }
        Family::AccessEnabled
        | Family::LimitRaised
        | Family::SendingEnabled
        | Family::SenderAdded
        | Family::PolicyOpened
        | Family::RegionEnabled => {
            steps.extend(service::undo(finding));
            steps.extend(credential::take_away(finding));
            steps.extend(credential::assumers(finding));
        }
        Family::GuardrailRemoved => {
            steps.extend(controls::restore(finding));
            steps.extend(credential::take_away(finding));
            steps.extend(credential::assumers(finding));
        }
        Family::TelemetryLost => steps.extend(controls::hear_again(finding)),
        Family::SpendSignal => {
            steps.extend(service::find_who(finding));
            steps.extend(service::stop(finding));
            steps.extend(credential::tied(finding));
        }
    }
    steps
}

/// Whether it is asked before anything is taken away: below High, and of a person who signed in as long as nothing was
/// changed. A key answers no questions, and where nothing names the caller, only an owner does.
fn is_worth_asking(finding: &Finding) -> bool {
    if finding.owner.is_none() && finding.identity.is_unnamed() {
        return false;
    }
    let openings = &finding.evidence.openings;
    let changed = openings
        .iter()
        .any(|opening| !matches!(opening.stage, Stage::Probe | Stage::DeniedUse));
    let told = words::is_spending(finding.finding_type.family) && !changed;
    finding.severity < Severity::High || finding.severity == Severity::High && told && finding.identity.is_person()
}

fn ask(finding: &Finding) -> Step {
    let whom = finding.owner.as_ref().map_or_else(
        || match finding.finding_type.family {
            Family::SpendSignal => format!("those who use {}", words::service(finding.finding_type.service)),
            _ => format!("whoever is behind {}", words::shown(&finding.identity.short_name())),
        },
        |owner| words::shown(&owner.name),
    );
    Step::new(
        format!("Ask {whom} whether this was meant; go on only if it was not"),
        Vec::new(),
        "nothing",
    )
}

/// The regions of the finding that may stand in a command, those with most activity first.
fn regions(finding: &Finding) -> Vec<&str> {
    let mut seen: Vec<_> = finding.evidence.regions.iter().collect();
    seen.sort_by_key(|region| std::cmp::Reverse(region.count));
    let mut regions: Vec<&str> = seen.iter().filter_map(|region| argument(&region.value)).collect();
    if regions.is_empty() {
        regions.extend(argument(&finding.region));
    }
    regions
}

/// A step that only reads.
fn look(finding: &Finding, action: &str, words: &[&str]) -> Step {
    Step::new(action, in_regions(finding, words), "nothing")
}

/// The targets of the finding that may stand in a command.
fn targets(finding: &Finding) -> impl Iterator<Item = &str> {
    finding
        .evidence
        .targets
        .iter()
        .filter_map(|target| argument(&target.value))
        .take(MAX_COMMANDS)
}

/// The same command for every value, in the region with most of the finding.
fn for_each<'a>(
    values: impl Iterator<Item = &'a str>,
    finding: &Finding,
    words: &[&str],
    option: &str,
) -> Vec<Command> {
    let region = regions(finding).into_iter().next();
    values
        .map(|value| {
            let words = words.iter().copied().chain([option, value]);
            match region {
                Some(region) => Command::new(words.chain(["--region", region])),
                None => Command::new(words),
            }
        })
        .collect()
}

/// Whether one of the calls is among the finding's.
fn has_call(finding: &Finding, names: &[&str]) -> bool {
    finding.evidence.calls.iter().any(|call| names.contains(&&*call.value))
}

/// The same command for every region, as far as they fit into a step.
fn in_regions(finding: &Finding, words: &[&str]) -> Vec<Command> {
    regions(finding)
        .into_iter()
        .take(MAX_COMMANDS)
        .map(|region| Command::new(words.iter().copied().chain(["--region", region])))
        .collect()
}

/// `in eu-west-1`, `in eu-west-1 and 3 more regions`: where the commands of [`in_regions`] leave some out, says so.
fn said(finding: &Finding) -> String {
    match regions(finding).as_slice() {
        [] => "in every region of the finding".to_owned(),
        [one] => format!("in {one}"),
        many if many.len() > MAX_COMMANDS => {
            format!("in all {} regions (commands for the first {MAX_COMMANDS})", many.len())
        }
        many => format!("in {}", many.join(", ")),
    }
}
