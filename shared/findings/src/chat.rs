//! A finding as a custom notification of Amazon Q Developer in chat applications, which brings it to Slack and Teams.
//!
//! The service shows its own schema and nothing else. It states no lengths; those kept to are Slack's for the blocks
//! that it makes (a header has 150 characters, a section 3,000).
//! <https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html>,
//! <https://docs.slack.dev/reference/block-kit/blocks/>
//!
//! Text is rendered as the platform's markdown. What comes out of a record is therefore shown as code, in which
//! nothing is formatted, linked or mentioned; where it stands in a sentence, the sentence loses its markdown.

use serde_json::{Value, json};
use tripmeter_model::{ContextSeen, Finding, Status};

use crate::containment::{Step, containment};
use crate::cost::cost;
use crate::headline::{alert, headline};
use crate::shell::argument;
use crate::{runbook_at, words};

/// The longest title, in characters.
const MAX_TITLE: usize = 150;
/// The longest description, in characters.
const MAX_DESCRIPTION: usize = 3_000;
/// The longest step, and how many there are before the runbook.
const MAX_STEP: usize = 500;
const MAX_STEPS: usize = 4;
/// The longest summary, which stands for the notification where there is no room for it.
const MAX_SUMMARY: usize = 250;
/// The longest value shown as code, and the values of one list.
const MAX_VALUE: usize = 120;
const MAX_VALUES: usize = 4;
/// How many reasons are told.
const MAX_FACTORS: usize = 5;
/// The longest value that a custom action may take out of a notification.
/// <https://docs.aws.amazon.com/chatbot/latest/APIReference/API_CustomActionAttachment.html>
const MAX_VARIABLE: usize = 1_024;

/// The finding as a custom notification, with its runbook below the given base. All revisions of an episode are one
/// thread.
pub fn chat(finding: &Finding, runbooks: &str) -> Value {
    let kind = finding.finding_type;
    json!({
        "version": "1.0",
        "source": "custom",
        "id": variable(&format!("{}-{}", finding.uid, finding.revision)),
        "content": {
            "textType": "client-markdown",
            "title": words::shortened(&prose(&alert(finding)), MAX_TITLE),
            "description": description(finding),
            "nextSteps": next_steps(finding, runbooks),
            "keywords": [finding.severity.name(), kind.service.name(), kind.family.name(), "Tripmeter"],
        },
        "metadata": {
            "threadId": variable(&finding.uid),
            "summary": words::shortened(&prose(&headline(finding)), MAX_SUMMARY),
            "eventType": kind.to_string(),
            "relatedResources": related(finding),
            "additionalContext": {
                "uid": variable(&finding.uid),
                "revision": finding.revision.to_string(),
                "severity": finding.severity.name(),
                "service": kind.service.name(),
                "account": variable(&finding.account),
                "region": variable(&finding.region),
                "status": match finding.status { Status::Open => "open", Status::Closed => "closed" },
            },
        },
    })
}

fn description(finding: &Finding) -> String {
    let seen = &finding.evidence;
    let account = finding.account_name.iter().chain([&finding.account]);
    let mut lines = vec![
        labelled(
            "Who",
            [code(&finding.identity.short_name()), code(&finding.identity.id)],
        ),
        labelled("Account", account.map(|text| code(text))),
        labelled(
            "When (UTC)",
            [format!(
                "{} to {}",
                words::minute(finding.first_seen),
                words::minute(finding.last_seen)
            )],
        ),
        labelled("Regions", contexts(&seen.regions)),
        labelled("From", contexts(&seen.networks)),
        labelled("Calls", contexts(&seen.calls)),
        labelled("On", contexts(&seen.targets)),
    ];
    if let Some(cost) = cost(finding) {
        let told = format!(
            "{} so far, {} an hour at this pace{}",
            cost.so_far,
            cost.per_hour,
            cost.caveat()
        );
        lines.push(labelled("Cost", [told]));
    }
    if let Some(owner) = &finding.owner {
        let contact = owner.contact.iter();
        lines.push(labelled(
            "Owner",
            [&owner.name].into_iter().chain(contact).map(|text| code(text)),
        ));
    }
    lines.push(Some(format!("*Why*: {} points", finding.points)));
    let told = finding.factors.iter().take(MAX_FACTORS);
    lines.extend(told.map(|factor| Some(format!("+{} {}", factor.points, prose(&words::shown(&factor.text))))));
    let rest = finding.factors.len().saturating_sub(MAX_FACTORS);
    lines.extend((rest > 0).then(|| {
        Some(format!(
            "and {}",
            words::counted(rest as u64, "more reason", "more reasons")
        ))
    }));
    joined(lines.into_iter().flatten())
}

/// As many lines as a description holds.
fn joined(lines: impl Iterator<Item = String>) -> String {
    let mut text = String::new();
    let mut length = 0;
    for line in lines {
        length += line.chars().count() + 1;
        if length > MAX_DESCRIPTION {
            break;
        }
        text.push_str(if text.is_empty() { "" } else { "\n" });
        text.push_str(&line);
    }
    text
}

/// `*Regions*: one, two`; nothing without values.
fn labelled(label: &str, values: impl IntoIterator<Item = String>) -> Option<String> {
    let mut values: Vec<String> = values.into_iter().filter(|value| !value.is_empty()).collect();
    values.dedup();
    let rest = values.len().saturating_sub(MAX_VALUES);
    values.truncate(MAX_VALUES);
    if rest > 0 {
        values.push(format!("and {rest} more"));
    }
    (!values.is_empty()).then(|| format!("*{label}*: {}", values.join(", ")))
}

fn contexts(seen: &[ContextSeen]) -> Vec<String> {
    let mut seen: Vec<&ContextSeen> = seen.iter().filter(|one| !one.value.is_empty()).collect();
    seen.sort_by(|a, b| {
        b.new
            .cmp(&a.new)
            .then(b.count.cmp(&a.count))
            .then(a.value.cmp(&b.value))
    });
    let shown = seen.iter().map(|one| {
        let new = if one.new { " (new)" } else { "" };
        format!("{} {}{new}", code(&one.value), words::grouped(one.count))
    });
    shown.collect()
}

/// What to do first, then the runbook.
fn next_steps(finding: &Finding, runbooks: &str) -> Vec<String> {
    let mut steps: Vec<String> = containment(finding).iter().take(MAX_STEPS).map(next_step).collect();
    let link = runbook_at(runbooks, finding.finding_type.family);
    steps.push(format!("Runbook: {}", words::shortened(&link, MAX_STEP / 2)));
    steps
}

/// The action, with its command where both fit; the text of the finding has all commands.
fn next_step(step: &Step) -> String {
    let action = prose(&step.action);
    let command = step.commands.first().map(ToString::to_string);
    let whole = command.map(|command| format!("{action}: `{command}`"));
    whole
        .filter(|whole| whole.chars().count() <= MAX_STEP)
        .unwrap_or_else(|| words::shortened(&action, MAX_STEP))
}

/// ARNs of what it is about, made of what ARNs are made of.
fn related(finding: &Finding) -> Vec<&str> {
    let targets = finding.evidence.targets.iter().map(|target| &target.value);
    let all = [&finding.identity.id].into_iter().chain(targets);
    let arns = all.filter(|id| id.starts_with("arn:")).filter_map(|arn| argument(arn));
    arns.take(MAX_VALUES).collect()
}

/// Text of a record as code; nothing of nothing.
fn code(text: &str) -> String {
    let shown = words::shortened(&words::shown(text), MAX_VALUE).replace('`', "'");
    if shown.is_empty() { shown } else { format!("`{shown}`") }
}

/// A sentence that may hold text of a record, without what Slack or Teams read as markdown, mention or link: such
/// characters are replaced by ones that look alike.
fn prose(sentence: &str) -> String {
    let sentence = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
    let following = sentence.chars().skip(1).map(Some).chain([None]);
    sentence
        .chars()
        .zip(following)
        .map(|(c, next)| match c {
            '*' => '∗',
            '_' => '＿',
            '~' => '∼',
            '`' => '\'',
            '@' => '＠',
            '#' => '＃',
            '!' => '！',
            '|' => '¦',
            '[' => '(',
            ']' => ')',
            '\\' => '＼',
            '<' => '‹',
            '>' => '›',
            // Within a domain, and not at the end of a sentence or in a number.
            '.' if next.is_some_and(char::is_alphabetic) => '․',
            c => c,
        })
        .collect()
}

/// A value as custom actions take it: ASCII without blanks.
fn variable(text: &str) -> String {
    let fit = text.chars().map(|c| if c.is_ascii_graphic() { c } else { '?' });
    fit.take(MAX_VARIABLE).collect()
}
