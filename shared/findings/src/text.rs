//! A finding as plain text: what a tired person understands at three in the morning.

use tripmeter_model::{Cause, ContextSeen, Family, Finding, IdentityKind, OpeningSeen, Outcome, Session, Timestamp};

use crate::containment::{Step, containment};
use crate::cost::cost;
use crate::headline::headline;
use crate::{RUNBOOKS, runbook_at, words};

/// The widest line, but for words that are longer.
const WIDTH: usize = 78;
/// Where the text of a section begins.
const INDENT: usize = 10;
/// Where a command begins.
const COMMAND_INDENT: usize = 2;

/// How many of each are shown; the OCSF form holds more.
const MAX_SESSIONS: usize = 2;
const MAX_FACTORS: usize = 8;
const MAX_OPENINGS: usize = 5;
const MAX_COMMANDS: usize = 2;
/// How long a list of values may be, and one value in it, in characters.
const MAX_LIST: usize = 2 * (WIDTH - INDENT);
const MAX_VALUE: usize = 60;

/// The finding as text: at most about sixty lines of printable characters, without colours.
///
/// Text out of records is shown in a form that does nothing in a terminal, a mail or a page; see
/// [`containment()`] for what goes into commands.
pub fn text(finding: &Finding) -> String {
    text_with(finding, RUNBOOKS)
}

/// The finding as [`text()`], with its runbook below the given base.
pub fn text_with(finding: &Finding, runbooks: &str) -> String {
    let mut page = Page::default();
    page.headline(&headline(finding));
    let steps = containment(finding);
    page.section("Now", now(finding, &steps));
    page.section("Who", who(finding));
    page.section("When", [when(finding)]);
    page.section("Where", places(finding));
    page.section("What", doings(finding));
    page.section("Why", reasons(finding));
    page.section("Before it", openings(finding));
    page.section("Cost", costs(finding));
    page.first_steps(&steps, finding);
    page.section("Owner", owner(finding));
    page.section("Runbook", [runbook_at(runbooks, finding.finding_type.family)]);
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

/// An update in a few lines: the headline, and what is news of a finding that was told before.
pub fn update(finding: &Finding) -> String {
    let mut page = Page::default();
    page.headline(&headline(finding));
    page.section("Now", now(finding, &containment(finding)));
    page.lines.join("\n") + "\n"
}

/// Lines under labels.
#[derive(Default)]
struct Page {
    lines: Vec<String>,
}

/// Text that is wrapped, with a lead whose width the following lines keep free.
struct Paragraph {
    lead: String,
    body: String,
}

impl From<String> for Paragraph {
    fn from(body: String) -> Self {
        Self {
            lead: String::new(),
            body,
        }
    }
}

impl Paragraph {
    /// Its lines, of at most `width` characters but for longer words.
    fn lines(&self, width: usize) -> Vec<String> {
        let hang = self.lead.chars().count();
        let mut lines = Vec::new();
        let mut line = self.lead.clone();
        let mut length = hang;
        for word in self.body.split_whitespace() {
            let long = word.chars().count();
            if length > hang && length + 1 + long > width {
                lines.push(std::mem::replace(&mut line, " ".repeat(hang)));
                length = hang;
            }
            if length > hang {
                line.push(' ');
                length += 1;
            }
            line.push_str(word);
            length += long;
        }
        lines.push(line);
        lines
    }
}

impl Page {
    fn headline(&mut self, headline: &str) {
        let (severity, sentence) = headline.split_at_checked(INDENT).unwrap_or(("", headline));
        let paragraph = Paragraph {
            lead: severity.to_owned(),
            body: sentence.to_owned(),
        };
        self.lines.extend(paragraph.lines(WIDTH));
        self.lines.push(String::new());
    }

    /// A label, and its paragraphs to the right of it; nothing at all without paragraphs.
    fn section(&mut self, label: &str, paragraphs: impl IntoIterator<Item = impl Into<Paragraph>>) {
        let mut label = label;
        for paragraph in paragraphs {
            for line in paragraph.into().lines(WIDTH - INDENT) {
                self.lines.push(format!("{label:<INDENT$}{line}"));
                label = "";
            }
        }
    }

    fn first_steps(&mut self, steps: &[Step], finding: &Finding) {
        let mut label = "Do first";
        for (number, step) in steps.iter().enumerate() {
            let action = Paragraph {
                lead: format!("{}. ", number + 1),
                body: format!("{}.", step.action),
            };
            self.section(label, [action]);
            label = "";
            for command in step.commands.iter().take(MAX_COMMANDS) {
                // Commands keep to the left margin, so that they are selected without the blanks of a column.
                let lines = command.lines(WIDTH - COMMAND_INDENT).into_iter();
                self.lines
                    .extend(lines.map(|line| format!("{:COMMAND_INDENT$}{line}", "")));
            }
            let rest = step.commands.len().saturating_sub(MAX_COMMANDS);
            let alike = (rest > 0).then(|| format!("({rest} more alike.)"));
            self.section(
                "",
                alike
                    .into_iter()
                    .chain([format!("Breaks: {}.", step.breaks)])
                    .map(under_number),
            );
        }
        if steps.iter().any(|step| !step.commands.is_empty()) {
            let whose = format!("Commands are for an administrator of account {}.", account(finding));
            self.section("", [whose]);
        }
    }
}

/// A paragraph below a numbered one.
fn under_number(body: String) -> Paragraph {
    Paragraph {
        lead: "   ".to_owned(),
        body,
    }
}

fn account(finding: &Finding) -> String {
    let id = match finding.account.as_str() {
        "" => "that no record names".to_owned(),
        id => words::shown(id),
    };
    match &finding.account_name {
        Some(name) => format!("{id} ({})", words::shown(name)),
        None => id,
    }
}

/// Of what was told before, the news in a line: where, what it costs, what to do first.
fn now(finding: &Finding, steps: &[Step]) -> Option<String> {
    let news = match finding.cause {
        Cause::GrownTenfold => "ten times larger than when it was told last",
        Cause::Closed => "over: nothing unusual any more",
        Cause::Explained => "explained: what is unusual about it is told in another finding, or is nothing",
        Cause::Created | Cause::SeverityRaised | Cause::Reopened => return None,
    };
    let place = finding.evidence.regions.iter().max_by_key(|region| region.count);
    let place = place.map(|region| format!("; {}", value(&region.value)));
    let cost = cost(finding).map(|cost| match finding.cause {
        Cause::Closed | Cause::Explained => format!("; {} in all{}", cost.so_far, cost.caveat()),
        _ => format!("; {} so far, {} an hour{}", cost.so_far, cost.per_hour, cost.caveat()),
    });
    // What is over is acted on from the finding itself, if at all.
    let goes_on = finding.cause != Cause::Closed;
    let first = steps
        .first()
        .filter(|_| goes_on)
        .map(|step| format!(". First: {}", step.action));
    Some(format!(
        "{news}{}{}{}.",
        place.unwrap_or_default(),
        cost.unwrap_or_default(),
        first.unwrap_or_default()
    ))
}

fn who(finding: &Finding) -> Vec<String> {
    let name = value(&finding.identity.short_name());
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
    if finding.identity.kind == IdentityKind::Account {
        lines.clear();
    } else if id != name {
        lines.push(id);
    }
    let by = &finding.evidence.assumed_by;
    lines.extend(
        by.iter()
            .take(MAX_SESSIONS)
            .map(|id| format!("assumed by {}", words::shown(id))),
    );
    lines.extend(more(by.len(), MAX_SESSIONS, "others that assumed it"));
    let many = match finding.finding_type.family {
        Family::SpendSignal => "grew most meanwhile",
        _ => "most of it",
    };
    lines.extend(contexts(many, &finding.evidence.identities));
    let tie = match finding.finding_type.family {
        Family::CredentialIssued | Family::PolicyOpened => "lets in",
        _ => "tied to",
    };
    lines.extend(
        finding
            .linked
            .iter()
            .take(MAX_SESSIONS)
            .map(|id| format!("{tie} {}", words::shown(id))),
    );
    lines.extend(more(finding.linked.len(), MAX_SESSIONS, "tied identities"));
    lines.push(format!("account {}", account(finding)));
    lines
}

fn session_words(session: &Session) -> String {
    let mut about = Vec::new();
    if let Some(name) = &session.name {
        about.push(format!("session {}", value(name)));
    }
    if let Some(key) = session.access_key.as_deref().filter(|key| !key.is_empty()) {
        let sort = if session.long_term_key() {
            "long-term key"
        } else {
            "key"
        };
        about.push(format!("{sort} {}", value(key)));
    }
    if session.bearer {
        about.push("by API key".to_owned());
    }
    if let Some(service) = &session.invoked_by {
        about.push(format!("called for it by {}", value(service)));
    }
    if let Some(source) = &session.source_identity {
        about.push(format!("source identity {}", value(source)));
    }
    if session.mfa == Some(true) {
        // Its absence says little: roles have none, and a person's may be at the identity provider.
        about.push("with MFA".to_owned());
    }
    about.join(", ")
}

fn when(finding: &Finding) -> String {
    let first = words::minute(finding.first_seen);
    match finding.last_seen.since(finding.first_seen) {
        ..=0 => format!("{first} UTC"),
        seconds if words::minute(finding.last_seen) == first => {
            format!("{first} UTC, for {}", words::lasted(seconds))
        }
        seconds => {
            let last = clock(finding.last_seen, finding.first_seen);
            format!("{first} to {last} UTC ({})", words::lasted(seconds))
        }
    }
}

fn places(finding: &Finding) -> Vec<String> {
    let seen = &finding.evidence;
    let addresses: Vec<String> = seen.addresses.iter().map(|address| value(address)).collect();
    let mut lines: Vec<String> = [
        contexts("regions", &seen.regions),
        contexts("networks", &seen.networks),
        listed("addresses", &addresses),
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
        contexts(words::targets(service).1, &seen.targets),
        listed("issued", &seen.issued.iter().map(|id| value(id)).collect::<Vec<_>>()),
    ]
    .into_iter()
    .flatten()
    .collect();
    if finding.units_per_hour > 0 && words::is_spending(finding.finding_type.family) {
        let (one, many) = words::units(finding);
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
    let mut seen: Vec<&ContextSeen> = seen.iter().filter(|one| !one.value.is_empty()).collect();
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
            format!("{} {}{new}", value(&one.value), words::grouped(one.count))
        })
        .collect();
    listed(label, &shown)
}

/// One value of a list.
fn value(text: &str) -> String {
    words::shortened(&words::shown(text), MAX_VALUE)
}

/// As many of the values, which are fit to be shown, as two lines hold, and how many more there are.
fn listed(label: &str, shown: &[String]) -> Option<String> {
    let mut list = String::new();
    let mut told = 0;
    for value in shown {
        if told > 0 && list.chars().count() + value.chars().count() > MAX_LIST {
            break;
        }
        list.push_str(if told > 0 { ", " } else { "" });
        list.push_str(value);
        told += 1;
    }
    match shown.len() - told {
        _ if told == 0 => None,
        0 => Some(format!("{label}: {list}")),
        rest => Some(format!("{label}: {list}, and {rest} more")),
    }
}

fn more(have: usize, shown: usize, what: &str) -> Option<String> {
    (have > shown).then(|| format!("{what}: {} more", have - shown))
}

fn reasons(finding: &Finding) -> Vec<Paragraph> {
    let scored = |points: u32, body: String| Paragraph {
        lead: format!("{:>4}  ", format!("+{points}")),
        body,
    };
    let mut lines = vec![Paragraph::from(format!(
        "{} points (Low from 20, Medium 40, High 70, Critical 100)",
        finding.points
    ))];
    let told = finding.factors.iter().take(MAX_FACTORS);
    lines.extend(told.map(|factor| scored(factor.points, words::shown(&factor.text))));
    let rest = finding.factors.get(MAX_FACTORS..).unwrap_or_default();
    if !rest.is_empty() {
        let sum = rest.iter().map(|factor| factor.points).fold(0, u32::saturating_add);
        lines.push(scored(
            sum,
            format!(
                "and {}",
                words::counted(rest.len() as u64, "more reason", "more reasons")
            ),
        ));
    }
    if let Some(by) = &finding.suppressed {
        let quiet = format!("Kept quiet by {}: {}", words::shown(&by.rule), words::shown(&by.reason));
        lines.push(quiet.into());
    }
    lines
}

fn openings(finding: &Finding) -> Vec<Paragraph> {
    let all = &finding.evidence.openings;
    let mut lines: Vec<Paragraph> = all.iter().take(MAX_OPENINGS).map(|one| opening(one, finding)).collect();
    lines.extend(more(all.len(), MAX_OPENINGS, "openings").map(Paragraph::from));
    lines
}

fn opening(one: &OpeningSeen, finding: &Finding) -> Paragraph {
    let outcome = match one.outcome {
        Outcome::Success => "",
        Outcome::Denied => ", denied",
        Outcome::Throttled => ", throttled",
        Outcome::Failed => ", failed",
    };
    let by = if one.identity == finding.identity {
        String::new()
    } else {
        format!(" by {}", value(&one.identity.short_name()))
    };
    Paragraph {
        lead: format!("{}  ", clock(one.time, finding.first_seen)),
        body: format!(
            "{}: {} on {}{outcome}{by}",
            words::stage(one.stage),
            value(&one.call),
            words::service(one.service)
        ),
    }
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
            format!(
                "{} so far, {} an hour at this pace{}",
                cost.so_far,
                cost.per_hour,
                cost.caveat()
            ),
            format!("By {}.", cost.basis),
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
        Cause::Reopened => "goes on after it was closed",
        Cause::GrownTenfold => "ten times larger",
        Cause::Closed => "closed",
        Cause::Explained => "explained",
    }
}
