//! A stored finding for people and as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};
use tripmeter_aws::findings::{Change, Mark, Stored};
use tripmeter_findings::{headline, ocsf, text as told};
use tripmeter_model::{MAX_TEXT, Status, bounded};

use crate::table::Table;
use crate::terminal::severity_style;

/// As much of an id as tells one from another.
const SHORT: usize = 12;

/// Findings as a table.
pub(super) fn table(findings: &[Stored]) -> String {
    let mut table = Table::new([
        "ID",
        "SEVERITY",
        "TYPE",
        "ACCOUNT",
        "REGION",
        "WHO",
        "LAST SEEN",
        "STATUS",
    ]);
    for stored in findings {
        let finding = &stored.finding;
        let account = finding.account_name.as_deref().unwrap_or(&finding.account);
        table.row([
            &finding.uid.chars().take(SHORT).collect::<String>(),
            finding.severity.name(),
            &finding.finding_type.to_string(),
            &bounded(account, 40),
            &bounded(&finding.region, 24),
            &bounded(&finding.identity.short_name(), 48),
            &finding.last_seen.to_string(),
            &standing(stored),
        ]);
    }
    table.to_string()
}

/// All of a finding, and what became of it.
pub(super) fn text(stored: &Stored) -> String {
    let finding = &stored.finding;
    let all = told(finding);
    // The headline is wrapped like the rest, and ends where a line is empty.
    let (first, rest) = all.split_once("\n\n").unwrap_or((&all, ""));
    let style = severity_style(finding.severity);
    let mut text = format!("{style}{first}{style:#}\n\n{}\n", rest.trim_end());
    let _ = writeln!(text, "Stored    {}, {}", stored.updated, standing(stored));
    let _ = writeln!(text, "          {}", publication(stored));
    for change in &stored.audit {
        let _ = writeln!(text, "Said      {}", word(change));
    }
    text
}

/// That a person's word was kept, and what follows from it.
pub(super) fn said(stored: &Stored, change: &Change) -> String {
    let what = bounded(&headline(&stored.finding), 400);
    let follows = match change.mark {
        Mark::Expected => "The use that it is about is learned as normal, from its beginning until a week from now.",
        Mark::Closed => "It is open no more. Should it grow or become worse, it is told again.",
    };
    format!("{what}\n{}\n{follows}\n", word(change))
}

/// All of a finding as JSON.
pub(super) fn json(stored: &Stored) -> Value {
    let finding = &stored.finding;
    let audit: Vec<Value> = stored.audit.iter().map(change_json).collect();
    json!({
        "uid": finding.uid,
        "revision": finding.revision,
        "type": finding.finding_type.to_string(),
        "severity": finding.severity.name(),
        "status": status(stored),
        "account": shown(&finding.account),
        "region": shown(&finding.region),
        "service": finding.finding_type.service.name(),
        "identity": shown(&finding.identity.id),
        "first_seen": finding.first_seen.to_string(),
        "last_seen": finding.last_seen.to_string(),
        "updated": stored.updated.to_string(),
        "published": stored.published,
        "pending": stored.pending,
        "suppressed": finding.suppressed.as_ref().map(|suppression| shown(&suppression.rule)),
        "held": stored.held.as_deref().map(shown),
        "mark": stored.mark.map(Mark::name),
        "audit": audit,
        "ocsf": ocsf(finding),
    })
}

/// What a record said may be printed as it stands: JSON escapes what ends a line, not what turns one round.
fn shown(text: &str) -> String {
    bounded(text, 4 * MAX_TEXT)
}

/// How far the world knows of it.
fn publication(stored: &Stored) -> String {
    match (stored.published, stored.pending) {
        (0, false) => "never published".to_owned(),
        (0, true) => "about to be published".to_owned(),
        (revision, false) => format!("published, last as revision {revision}"),
        (revision, true) => format!("published as revision {revision}, about to be again"),
    }
}

fn change_json(change: &Change) -> Value {
    json!({
        "did": change.mark.name(),
        "by": change.by,
        "at": change.at.to_string(),
        "note": change.note,
    })
}

fn status(stored: &Stored) -> &'static str {
    match stored.status {
        Status::Open => "open",
        Status::Closed => "closed",
    }
}

/// Whether it is open, and what keeps it quiet or was said of it.
fn standing(stored: &Stored) -> String {
    let suppressed = stored.finding.suppressed.as_ref().filter(|_| stored.held.is_none());
    let more = [
        stored.held.as_ref().map(|_| "held".to_owned()),
        suppressed.map(|suppression| format!("kept quiet by {}", bounded(&suppression.rule, 60))),
        stored
            .mark
            .filter(|mark| *mark == Mark::Expected)
            .map(|mark| mark.name().to_owned()),
    ];
    let all = [Some(status(stored).to_owned())].into_iter().chain(more).flatten();
    all.collect::<Vec<_>>().join(", ")
}

fn word(change: &Change) -> String {
    let Change { mark, by, at, note } = change;
    bounded(&format!("{} by {by} at {at}: {note}", mark.name()), 1_500)
}
