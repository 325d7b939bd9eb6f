//! What was read and what was found, in numbers: for people and as JSON.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use serde::Serialize;
use tripmeter_model::{Finding, Service, Severity, Timestamp};
use tripmeter_policy::RuleKind;

use super::callers::{Caller, Callers, Places};
use super::files::Unreadable;
use super::rules::RuleUse;
use super::tally::{Damage, Firsts, ServiceCount, Skipped, Tally};
use crate::terminal::{HEADING, severity_style};

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
    first_event: Option<Timestamp>,
    last_event: Option<Timestamp>,
    seconds: f64,
    records_per_second: u64,
    services: Vec<ServiceRow>,
    /// Records of services that are not watched.
    unwatched: Unwatched<'a>,
    skipped_by_reason: &'a BTreeMap<String, Skipped>,
    damage: &'a Firsts<Damage>,
    unreadable: &'a Firsts<Unreadable>,
    identities: Vec<Caller>,
    /// Episodes as they stand at the end, those that are published.
    findings: Vec<FindingRow>,
    /// How often one of them was published.
    publications: u64,
    rules: Vec<RuleUse>,
}

#[derive(Debug, Serialize)]
struct ServiceRow {
    service: Service,
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
struct FindingRow {
    severity: Severity,
    #[serde(rename = "type")]
    finding_type: String,
    episodes: u64,
}

impl<'a> Summary<'a> {
    /// Of everything that was read and found, in `elapsed`.
    pub(crate) fn new(
        read: &Read<'a>,
        episodes: &[Finding],
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
            first_event: tally.span.map(|(first, _)| first),
            last_event: tally.span.map(|(_, last)| last),
            seconds: elapsed.as_secs_f64(),
            records_per_second: (tally.records as f64 / elapsed.as_secs_f64().max(1e-6)) as u64,
            services: tally
                .services
                .iter()
                .map(|(&service, &count)| ServiceRow { service, count })
                .collect(),
            unwatched: Unwatched {
                records: tally.sources.total(),
                sources,
                other_sources,
            },
            skipped_by_reason: &tally.skipped,
            damage: &tally.damage,
            unreadable: &tally.unreadable,
            identities: read.callers.top(LISTED),
            findings: by_type(episodes),
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
                writeln!(f, "tripmeter: {} at byte {}: {reason}", place.file, place.position)?;
            }
            rest(f, self.damage, "more that are broken")
        })
    }

    fn write_read(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{HEADING}Seen{HEADING:#}        {} = {} records read + {} skipped, in {} files; {:.1} s, {} records/s",
            count(self.seen),
            count(self.read),
            count(self.skipped),
            count(self.files),
            self.seconds,
            count(self.records_per_second),
        )?;
        if let (Some(first), Some(last)) = (self.first_event, self.last_event) {
            writeln!(f, "            {first} to {last}")?;
        }
        if self.outside > 0 {
            writeln!(f, "            {} left out by --from and --to", count(self.outside))?;
        }
        if self.duplicates > 0 {
            writeln!(
                f,
                "            {} copies of an event, judged once",
                count(self.duplicates)
            )?;
        }
        Ok(())
    }

    fn write_skipped(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.skipped_by_reason.is_empty() {
            return Ok(());
        }
        writeln!(f, "\n{HEADING}Skipped{HEADING:#}")?;
        for (reason, skipped) in self.skipped_by_reason {
            let first = &skipped.first;
            writeln!(
                f,
                "{:>11}  {reason}, first in {} at byte {}",
                count(skipped.count),
                first.file,
                first.position
            )?;
        }
        Ok(())
    }

    fn write_services(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if !self.services.is_empty() {
            writeln!(
                f,
                "\n{HEADING}Services           records      judged   not in the catalogue{HEADING:#}"
            )?;
        }
        for ServiceRow { service, count: of } in &self.services {
            let uncatalogued = if of.uncatalogued == 0 {
                String::new()
            } else {
                count(of.uncatalogued)
            };
            writeln!(
                f,
                "  {:<14}{:>10}  {:>10}   {uncatalogued:>20}",
                service.name(),
                count(of.records),
                count(of.activities)
            )?;
        }
        if self.unwatched.records > 0 {
            writeln!(f, "  {:<14}{:>10}", "not watched", count(self.unwatched.records))?;
        }
        Ok(())
    }

    fn write_identities(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.identities.is_empty() {
            return Ok(());
        }
        writeln!(f, "\n{HEADING}Identities      calls{HEADING:#}")?;
        for caller in &self.identities {
            writeln!(
                f,
                "{:>21}  {} ({}) on {} in {} from {}",
                count(caller.activities),
                caller.name,
                caller.account,
                listed(&caller.services),
                listed(&caller.regions),
                listed(&caller.networks),
            )?;
        }
        Ok(())
    }

    fn write_findings(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.findings.is_empty() {
            return writeln!(f, "\n{HEADING}Findings{HEADING:#}    none");
        }
        writeln!(
            f,
            "\n{HEADING}Findings{HEADING:#}    published {} times",
            count(self.publications)
        )?;
        for row in &self.findings {
            let style = severity_style(row.severity);
            writeln!(
                f,
                "{:>11}  {style}{:<8}{style:#}  {}",
                count(row.episodes),
                row.severity.name(),
                row.finding_type
            )?;
        }
        Ok(())
    }

    fn write_rules(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let used: Vec<&RuleUse> = self.rules.iter().filter(|rule| rule.matched).collect();
        if !used.is_empty() {
            writeln!(f, "\n{HEADING}Held back by the policy{HEADING:#}")?;
        }
        for rule in used {
            let worst = rule.held_back.as_deref().unwrap_or("nothing");
            let mark = if rule.hid_high { " <- look at it" } else { "" };
            writeln!(
                f,
                "{:>11}  suppressed by {} ({}); at worst {worst}{mark}",
                count(rule.suppressed),
                rule.rule,
                rule.owner
            )?;
        }
        let unused: Vec<&str> = self
            .rules
            .iter()
            .filter(|rule| !rule.matched && rule.kind != RuleKind::Builtin.name())
            .map(|rule| &*rule.rule)
            .collect();
        if !unused.is_empty() {
            writeln!(
                f,
                "\n{HEADING}Rules that never matched{HEADING:#}: {}",
                unused.join(", ")
            )?;
        }
        Ok(())
    }
}

impl Display for Summary<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.troubles().fmt(f)?;
        self.write_read(f)?;
        self.write_skipped(f)?;
        self.write_services(f)?;
        self.write_identities(f)?;
        self.write_findings(f)?;
        self.write_rules(f)
    }
}

/// Published episodes by severity and type, the worst first.
fn by_type(episodes: &[Finding]) -> Vec<FindingRow> {
    let mut rows: BTreeMap<(Reverse<Severity>, String), u64> = BTreeMap::new();
    for episode in episodes.iter().filter(|episode| episode.suppressed.is_none()) {
        let row = (Reverse(episode.severity), episode.finding_type.to_string());
        *rows.entry(row).or_default() += 1;
    }
    rows.into_iter()
        .map(|((Reverse(severity), finding_type), episodes)| FindingRow {
            severity,
            finding_type,
            episodes,
        })
        .collect()
}

/// What is not told one by one.
fn rest<T>(f: &mut Formatter<'_>, told: &Firsts<T>, what: &str) -> fmt::Result {
    match told.count.saturating_sub(told.first.len() as u64) {
        0 => Ok(()),
        rest => writeln!(f, "tripmeter: {} {what}", count(rest)),
    }
}

fn listed(places: &Places) -> String {
    let mut text = places.first.iter().cloned().collect::<Vec<_>>().join(", ");
    if places.more {
        text.push_str(" and more");
    }
    text
}

/// A count with its thousands apart.
fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_readable() {
        let texts = [0, 999, 1_000, 1_001_500].map(count);
        assert_eq!(texts, ["0", "999", "1,000", "1,001,500"]);
    }
}
