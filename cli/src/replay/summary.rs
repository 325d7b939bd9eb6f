//! What was read and what was found, in numbers: for people and as JSON.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use serde::Serialize;
use tripmeter_policy::RuleKind;

use super::callers::{Caller, Callers};
use super::episodes::{Episodes, FindingRow};
use super::files::Unreadable;
use super::rules::RuleUse;
use super::tally::{Damage, Firsts, Place, ServiceCount, Skipped, Tally};
use crate::terminal::{HEADING, severity_style};
use crate::words::{count, counted};

/// Identities and unwatched sources that are listed.
const LISTED: usize = 10;

/// What reading left behind.
pub(crate) struct Read<'a> {
    pub(crate) tally: &'a Tally,
    /// Copies of events that were dropped.
    pub(crate) duplicates: u64,
    pub(crate) callers: &'a Callers,
}

/// Everything that is told at the end.
#[derive(Debug, Serialize)]
pub(crate) struct Summary<'a> {
    /// Records, and what was taken for one: always `read + skipped`.
    seen: u64,
    read: u64,
    skipped: u64,
    /// Records that `--from` and `--to` left out; part of `read`.
    outside: u64,
    /// Copies of a watched event; part of `read`, judged once.
    duplicates: u64,
    files: u64,
    first_event: Option<String>,
    last_event: Option<String>,
    seconds: f64,
    records_per_second: u64,
    services: Vec<ServiceRow>,
    /// Records of services that are not watched.
    unwatched: Unwatched<'a>,
    skipped_by_reason: Vec<SkippedRow<'a>>,
    damage: &'a Firsts<Damage>,
    unreadable: &'a Firsts<Unreadable>,
    identities: Vec<Caller>,
    /// Episodes as they stood last, without those that a rule keeps quiet.
    findings: Vec<FindingRow>,
    /// How often one of them was published: when new, worse, ten times larger, and over.
    publications: u64,
    rules: Vec<RuleUse>,
}

#[derive(Debug, Serialize)]
struct ServiceRow {
    service: &'static str,
    #[serde(flatten)]
    count: ServiceCount,
}

#[derive(Debug, Serialize)]
struct Unwatched<'a> {
    records: u64,
    /// The sources with most of them.
    sources: Vec<(&'a str, u64)>,
    /// Records of the rest.
    other_sources: u64,
}

#[derive(Debug, Serialize)]
struct SkippedRow<'a> {
    reason: &'a str,
    #[serde(flatten)]
    skipped: &'a Skipped,
}

impl<'a> Summary<'a> {
    /// Of everything that was read and found, in `elapsed`.
    pub(crate) fn new(
        read: &Read<'a>,
        episodes: &Episodes,
        publications: u64,
        rules: Vec<RuleUse>,
        elapsed: Duration,
    ) -> Self {
        let tally = read.tally;
        let (sources, other_sources) = tally.sources.top(LISTED);
        Self {
            seen: tally.seen(),
            read: tally.records,
            skipped: tally.skipped(),
            outside: tally.outside,
            duplicates: read.duplicates,
            files: tally.files,
            first_event: tally.span.map(|(first, _)| first.to_string()),
            last_event: tally.span.map(|(_, last)| last.to_string()),
            seconds: elapsed.as_secs_f64(),
            records_per_second: (tally.records as f64 / elapsed.as_secs_f64().max(1e-6)) as u64,
            services: tally
                .services
                .iter()
                .map(|(service, &count)| ServiceRow {
                    service: service.name(),
                    count,
                })
                .collect(),
            unwatched: Unwatched {
                records: tally.sources.total(),
                sources,
                other_sources,
            },
            skipped_by_reason: tally
                .skipped
                .iter()
                .map(|(reason, skipped)| SkippedRow { reason, skipped })
                .collect(),
            damage: &tally.damage,
            unreadable: &tally.unreadable,
            identities: read.callers.top(LISTED),
            findings: episodes.by_type(),
            publications,
            rules,
        }
    }

    /// What was broken or could not be read, which is said even when no summary is wanted.
    pub(crate) fn troubles(&self) -> impl Display {
        fmt::from_fn(|f| {
            for Unreadable { file, error } in &self.unreadable.first {
                writeln!(f, "tripmeter: cannot read {file}: {error}")?;
            }
            rest(f, self.unreadable, "more that cannot be read")?;
            for Damage { place, reason } in &self.damage.first {
                let Place { file, position } = place;
                writeln!(f, "tripmeter: {file} at byte {position} of its text: {reason}")?;
            }
            rest(f, self.damage, "more that are broken")
        })
    }

    fn write_seen(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{HEADING}Seen{HEADING:#}        {} = {} read + {} skipped, in {}; {:.1} s, {} records/s",
            count(self.seen),
            counted(self.read, "record"),
            count(self.skipped),
            counted(self.files, "file"),
            self.seconds,
            count(self.records_per_second),
        )?;
        if let (Some(first), Some(last)) = (&self.first_event, &self.last_event) {
            writeln!(f, "            {first} to {last}")?;
        }
        if self.outside > 0 {
            line(f, self.outside, "left out by --from and --to")?;
        }
        if self.duplicates > 0 {
            line(f, self.duplicates, "copies of an event, judged once")?;
        }
        Ok(())
    }

    fn write_skipped(&self, f: &mut Formatter<'_>) -> fmt::Result {
        heading(f, "Skipped", self.skipped_by_reason.is_empty())?;
        for SkippedRow { reason, skipped } in &self.skipped_by_reason {
            let Place { file, position } = &skipped.first;
            line(
                f,
                skipped.count,
                format_args!("{reason}; first in {file} at byte {position} of its text"),
            )?;
        }
        Ok(())
    }

    fn write_services(&self, f: &mut Formatter<'_>) -> fmt::Result {
        heading(f, "Services", self.services.is_empty() && self.unwatched.records == 0)?;
        for ServiceRow { service, count: of } in &self.services {
            let unknown = match of.uncatalogued {
                0 => String::new(),
                n => format!(", {} not in the catalogue", count(n)),
            };
            line(
                f,
                of.records,
                format_args!("{service}: {} judged{unknown}", count(of.activities)),
            )?;
        }
        let Unwatched {
            records,
            sources,
            other_sources,
        } = &self.unwatched;
        if *records == 0 {
            return Ok(());
        }
        let mut told: Vec<String> = sources
            .iter()
            .map(|(source, n)| format!("{source} {}", count(*n)))
            .collect();
        if *other_sources > 0 {
            told.push(format!("others {}", count(*other_sources)));
        }
        line(f, *records, format_args!("not watched: {}", told.join(", ")))
    }

    fn write_identities(&self, f: &mut Formatter<'_>) -> fmt::Result {
        heading(f, "Identities with most calls", self.identities.is_empty())?;
        for caller in &self.identities {
            let Caller {
                activities,
                name,
                account,
                services,
                regions,
                networks,
                ..
            } = caller;
            let text = format_args!("{name} of {account}: {services}; in {regions}; from {networks}");
            line(f, *activities, text)?;
        }
        Ok(())
    }

    fn write_findings(&self, f: &mut Formatter<'_>) -> fmt::Result {
        heading(f, "Findings", false)?;
        if self.findings.is_empty() {
            return line(f, 0, "findings");
        }
        for row in &self.findings {
            let style = severity_style(row.severity);
            let text = format_args!("{style}{:<8}{style:#}  {}", row.severity.name(), row.finding_type);
            line(f, row.episodes, text)?;
        }
        line(f, self.publications, "publications in all")
    }

    fn write_rules(&self, f: &mut Formatter<'_>) -> fmt::Result {
        heading(
            f,
            "Held back by the policy",
            !self.rules.iter().any(|rule| rule.matched),
        )?;
        for RuleUse {
            rule,
            owner,
            suppressed,
            held_back,
            hid_high,
            ..
        } in self.rules.iter().filter(|rule| rule.matched)
        {
            let worst = held_back.as_deref().unwrap_or("nothing");
            let look = if *hid_high { "; look at it" } else { "" };
            line(
                f,
                *suppressed,
                format_args!("suppressed by {rule} ({owner}); at worst {worst}{look}"),
            )?;
        }
        let unused: Vec<&str> = self
            .rules
            .iter()
            .filter(|rule| !rule.matched && rule.kind != RuleKind::Builtin.name())
            .map(|rule| &*rule.rule)
            .collect();
        heading(f, "Rules that never matched", unused.is_empty())?;
        unused.iter().try_for_each(|rule| writeln!(f, "             {rule}"))
    }
}

impl Display for Summary<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.troubles().fmt(f)?;
        self.write_seen(f)?;
        self.write_skipped(f)?;
        self.write_services(f)?;
        self.write_identities(f)?;
        self.write_findings(f)?;
        self.write_rules(f)
    }
}

/// Begins a part of the summary, unless there is nothing in it.
fn heading(f: &mut Formatter<'_>, text: &str, empty: bool) -> fmt::Result {
    if empty {
        return Ok(());
    }
    writeln!(f, "\n{HEADING}{text}{HEADING:#}")
}

/// A number, and what it counts.
fn line(f: &mut Formatter<'_>, n: u64, what: impl Display) -> fmt::Result {
    writeln!(f, "{:>11}  {what}", count(n))
}

/// What is not told one by one.
fn rest<T>(f: &mut Formatter<'_>, told: &Firsts<T>, what: &str) -> fmt::Result {
    match told.count.saturating_sub(told.first.len() as u64) {
        0 => Ok(()),
        rest => writeln!(f, "tripmeter: {} {what}", count(rest)),
    }
}
