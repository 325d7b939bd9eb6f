//! A finding as plain text: what a tired person understands at three in the morning.

use tripmeter_model::{Cause, ContextSeen, Finding, OpeningSeen, Outcome, Session, Timestamp};

use crate::containment::{Step, containment};
use crate::cost::cost;
use crate::headline::headline;
use crate::{runbook, words};

/// The widest line, but for words that are longer.
const WIDTH: usize = 78;
/// Where the text of a section begins.
const INDENT: usize = 10;

/// How many of a list are shown; the OCSF form holds more.
const MAX_SESSIONS: usize = 3;
const MAX_CONTEXTS: usize = 6;
const MAX_FACTORS: usize = 10;
const MAX_OPENINGS: usize = 6;
const MAX_COMMANDS: usize = 2;

/// The finding as text: at most about sixty lines of printable characters, without colours.
///
/// Text out of records is shown in a form that does nothing in a terminal, a mail or a page; see
/// [`containment()`] for what goes into commands.
pub fn text(finding: &Finding) -> String {
    let mut page = Page::default();
    page.lines.extend(wrapped(&headline(finding), WIDTH));
    page.lines.push(String::new());
    page.section("Who", who(finding));
    page.section("When", [when(finding)]);
    page.section("Where", places(finding));
    page.section("What", doings(finding));
    page.section("Why", reasons(finding));
    page.section("Before it", openings(finding));
    page.section("Cost", costs(finding));
    page.first_steps(&containment(finding), finding);
    page.section("Owner", owner(finding));
    page.section("Runbook", [runbook(finding.finding_type.family)]);
    page.section(
        "Finding",
        [
            finding.finding_type.to_string(),
            format!(
                "{}, revision {} ({})",
                words::shown(&finding.uid),
                finding.revision,
                because(finding.cause)
            ),
        ],
    );
    page.lines.join("\n") + "\n"
}

/// Lines under labels.
#[derive(Default)]
struct Page {
    lines: Vec<String>,
}

impl Page {
    /// A label, and its paragraphs to the right of it; nothing at all without paragraphs.
    fn section(&mut self, label: &str, paragraphs: impl IntoIterator<Item = String>) {
        let mut label = label;
        for paragraph in paragraphs {
            for line in wrapped(&paragraph, WIDTH - INDENT) {
                self.lines.push(format!("{label:<INDENT$}{line}"));
                label = "";
            }
        }
    }

    fn first_steps(&mut self, steps: &[Step], finding: &Finding) {
        let mut label = "Do first";
        for (number, step) in steps.iter().enumerate() {
            let action = format!("{}. {}.", number + 1, step.action);
            self.section(label, [action]);
            label = "";
            for command in step.commands.iter().take(MAX_COMMANDS) {
                // Commands keep the left margin, so that they can be selected line by line.
                self.lines
                    .extend(command.lines(WIDTH - 4).into_iter().map(|line| format!("    {line}")));
            }
            if step.commands.len() > MAX_COMMANDS {
                self.section("", [format!("(and {} more alike)", step.commands.len() - MAX_COMMANDS)]);
            }
            self.section("", [format!("Breaks: {}.", step.breaks)]);
        }
        if steps.iter().any(|step| !step.commands.is_empty()) {
            self.section(
                "",
                [format!(
                    "Commands are for an administrator of account {}.",
                    account(finding)
                )],
            );
        }
    }
}

/// The text in lines of at most `width` characters, but for longer words; what was indented stays so.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut length = 0;
    for word in text.split(' ') {
        let long = word.chars().count();
        if !line.is_empty() && length + 1 + long > width {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
            length = 0;
        } else if length > 0 || !line.is_empty() {
            line.push(' ');
            length += 1;
        }
        line.push_str(word);
        length += long;
    }
    lines.push(line.trim_end().to_owned());
    lines
}

fn account(finding: &Finding) -> String {
    let id = words::shown(&finding.account);
    match &finding.account_name {
        Some(name) => format!("{id} ({})", words::shown(name)),
        None => id,
    }
}

fn who(finding: &Finding) -> Vec<String> {
    let name = words::shown(&finding.identity.short_name());
    let id = words::shown(&finding.identity.id);
    let mut lines = Vec::new();
    let sessions = &finding.evidence.sessions;
    for session in sessions.iter().take(MAX_SESSIONS) {
        let about = session_words(session);
        lines.push(if about.is_empty() {
            name.clone()
        } else {
            format!("{name}, {about}")
        });
    }
    lines.dedup();
    if lines.is_empty() {
        lines.push(name.clone());
    }
    lines.extend(more(sessions.len(), MAX_SESSIONS, "sessions"));
    if id != name {
        lines.push(id);
    }
    lines.extend(
        finding
            .linked
            .iter()
            .take(MAX_SESSIONS)
            .map(|id| format!("tied to {}", words::shown(id))),
    );
    lines.extend(more(finding.linked.len(), MAX_SESSIONS, "tied identities"));
    lines.push(format!("account {}", account(finding)));
    lines
}

fn session_words(session: &Session) -> String {
    let mut about = Vec::new();
    if let Some(name) = &session.name {
        about.push(format!("session {}", words::shown(name)));
    }
    if let Some(key) = session.access_key.as_deref().filter(|key| !key.is_empty()) {
        let sort = if session.long_term_key() {
            "long-term key"
        } else {
            "key"
        };
        about.push(format!("{sort} {}", words::shown(key)));
    }
    if session.bearer {
        about.push("by API key".to_owned());
    }
    if let Some(service) = &session.invoked_by {
        about.push(format!("called for it by {}", words::shown(service)));
    }
    if let Some(source) = &session.source_identity {
        about.push(format!("source identity {}", words::shown(source)));
    }
    match session.mfa {
        Some(true) => about.push("with MFA".to_owned()),
        Some(false) if !session.long_term_key() => about.push("without MFA".to_owned()),
        _ => {}
    }
    about.join(", ")
}

fn when(finding: &Finding) -> String {
    let (first, last) = (words::minute(finding.first_seen), words::minute(finding.last_seen));
    match finding.last_seen.since(finding.first_seen) {
        ..=0 => format!("{first} UTC"),
        seconds => format!("{first} to {last} UTC ({})", words::lasted(seconds)),
    }
}

fn places(finding: &Finding) -> Vec<String> {
    let seen = &finding.evidence;
    let mut lines: Vec<String> = [
        contexts("regions", &seen.regions),
        contexts("networks", &seen.networks),
        listed("addresses", &seen.addresses),
        contexts("clients", &seen.clients),
    ]
    .into_iter()
    .flatten()
    .collect();
    if seen.regions.is_empty() && !finding.region.is_empty() {
        lines.insert(0, format!("region {}", words::shown(&finding.region)));
    }
    lines
}

fn doings(finding: &Finding) -> Vec<String> {
    let service = finding.finding_type.service;
    let seen = &finding.evidence;
    let mut lines: Vec<String> = [
        contexts("calls", &seen.calls),
        contexts(words::targets(service), &seen.targets),
    ]
    .into_iter()
    .flatten()
    .collect();
    if finding.units_per_hour > 0 && words::is_spending(finding.finding_type.family) {
        let (one, many) = words::units(service);
        lines.push(format!(
            "{} in all, {} in the busiest hour",
            words::counted(finding.units, one, many),
            words::grouped(finding.units_per_hour)
        ));
    }
    lines
}

/// `regions: us-east-1 410 (NEW), us-west-2 290`.
fn contexts(label: &str, seen: &[ContextSeen]) -> Option<String> {
    let mut seen: Vec<&ContextSeen> = seen.iter().collect();
    seen.sort_by(|a, b| {
        b.new
            .cmp(&a.new)
            .then(b.count.cmp(&a.count))
            .then(a.value.cmp(&b.value))
    });
    let shown: Vec<String> = seen
        .iter()
        .map(|one| {
            let new = if one.new { " (NEW)" } else { "" };
            format!("{} {}{new}", words::shown(&one.value), words::grouped(one.count))
        })
        .collect();
    listed(label, &shown)
}

fn listed(label: &str, values: &[String]) -> Option<String> {
    if values.is_empty() {
        return None;
    }
    let shown: Vec<String> = values
        .iter()
        .take(MAX_CONTEXTS)
        .map(|value| words::shown(value))
        .collect();
    let rest = match values.len().saturating_sub(MAX_CONTEXTS) {
        0 => String::new(),
        rest => format!(", and {rest} more"),
    };
    Some(format!("{label}: {}{rest}", shown.join(", ")))
}

fn more(have: usize, shown: usize, what: &str) -> Option<String> {
    (have > shown).then(|| format!("and {} more {what}", have - shown))
}

fn reasons(finding: &Finding) -> Vec<String> {
    let mut lines = vec![format!(
        "{} points (Low from 20, Medium 40, High 70, Critical 100):",
        finding.points
    )];
    let points = |points: u32| format!("{:>4}", format!("+{points}"));
    lines.extend(
        finding
            .factors
            .iter()
            .take(MAX_FACTORS)
            .map(|factor| format!("{}  {}", points(factor.points), words::shown(&factor.text))),
    );
    let rest = finding.factors.get(MAX_FACTORS..).unwrap_or_default();
    if !rest.is_empty() {
        let sum = rest.iter().map(|factor| factor.points).fold(0, u32::saturating_add);
        lines.push(format!("{}  {} smaller ones together", points(sum), rest.len()));
    }
    lines.extend(
        finding
            .suppressed
            .as_ref()
            .map(|by| format!("Kept quiet by {}: {}", words::shown(&by.rule), words::shown(&by.reason))),
    );
    lines
}

fn openings(finding: &Finding) -> Vec<String> {
    let all = &finding.evidence.openings;
    let mut lines: Vec<String> = all.iter().take(MAX_OPENINGS).map(|one| opening(one, finding)).collect();
    lines.extend(more(all.len(), MAX_OPENINGS, "openings"));
    lines
}

fn opening(one: &OpeningSeen, finding: &Finding) -> String {
    let outcome = match one.outcome {
        Outcome::Success => "",
        Outcome::Denied => ", denied",
        Outcome::Throttled => ", throttled",
        Outcome::Failed => ", failed",
    };
    let by = if one.identity == finding.identity {
        String::new()
    } else {
        format!(" by {}", words::shown(&one.identity.short_name()))
    };
    format!(
        "{}  {}: {} on {}{outcome}{by}",
        clock(one.time, finding.first_seen),
        words::stage(one.stage),
        words::shown(&one.call),
        words::service(one.service)
    )
}

/// The time of day, with the date where it is another day than the episode's beginning.
fn clock(at: Timestamp, beginning: Timestamp) -> String {
    let minute = words::minute(at);
    if at.day() == beginning.day() {
        minute.chars().skip(11).collect()
    } else {
        minute
    }
}

fn costs(finding: &Finding) -> Vec<String> {
    cost(finding).map_or_else(Vec::new, |cost| {
        vec![
            format!("{} so far, {} an hour (estimate)", cost.so_far, cost.per_hour),
            format!("{}.", cost.basis),
        ]
    })
}

fn owner(finding: &Finding) -> Option<String> {
    let owner = finding.owner.as_ref()?;
    let name = words::shown(&owner.name);
    Some(match &owner.contact {
        Some(contact) => format!("{name}, {}", words::shown(contact)),
        None => name,
    })
}

fn because(cause: Cause) -> &'static str {
    match cause {
        Cause::Created => "new",
        Cause::SeverityRaised => "severity raised",
        Cause::GrownTenfold => "ten times larger",
        Cause::Closed => "closed",
    }
}
