//! Findings on stdout, as they come.

use std::io::{self, BufWriter, StdoutLock, Write};

use anstream::AutoStream;
use tripmeter_findings::{headline, ocsf, text};
use tripmeter_model::{Cause, Finding, Severity};

use crate::args::Format;
use crate::terminal::severity_style;

/// Prints findings.
pub(crate) struct Output {
    out: BufWriter<AutoStream<StdoutLock<'static>>>,
    format: Format,
    min_severity: Severity,
    /// Publications so far.
    published: u64,
    /// The worst of them.
    worst: Option<Severity>,
    /// Whoever read stdout has gone.
    closed: bool,
}

impl Output {
    /// On stdout.
    pub(crate) fn new(format: Format, min_severity: Option<Severity>) -> Self {
        Self {
            out: BufWriter::new(anstream::stdout().lock()),
            format,
            min_severity: min_severity.unwrap_or(Severity::Low),
            published: 0,
            worst: None,
            closed: false,
        }
    }

    /// Publishes what an activity caused. Those below the least severity are counted and not printed.
    pub(crate) fn publish(&mut self, findings: &[Finding]) -> io::Result<()> {
        for finding in findings {
            self.published += 1;
            self.worst = self.worst.max(Some(finding.severity));
            self.print(finding)?;
        }
        Ok(())
    }

    /// Prints the episodes that a rule keeps quiet.
    pub(crate) fn print_suppressed(&mut self, episodes: &[Finding]) -> io::Result<()> {
        episodes
            .iter()
            .filter(|episode| episode.suppressed.is_some())
            .try_for_each(|episode| self.print(episode))
    }

    fn print(&mut self, finding: &Finding) -> io::Result<()> {
        if finding.severity < self.min_severity || self.closed {
            return Ok(());
        }
        let printed = match self.format {
            Format::Json => writeln!(self.out, "{}", ocsf(finding)),
            Format::Text => self.print_text(finding),
        };
        self.unless_closed(printed)
    }

    /// Sends out what is buffered.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        let flushed = self.out.flush();
        self.unless_closed(flushed)
    }

    /// Publications so far.
    pub(crate) fn published(&self) -> u64 {
        self.published
    }

    /// Whether nobody reads any more.
    pub(crate) fn closed(&self) -> bool {
        self.closed
    }

    /// Whether something at least this bad was published.
    pub(crate) fn reached(&self, severity: Severity) -> bool {
        self.worst >= Some(severity)
    }

    /// All of it when there is something new to read, one line when it has only grown or ended.
    fn print_text(&mut self, finding: &Finding) -> io::Result<()> {
        let style = severity_style(finding.severity);
        let all = match finding.cause {
            Cause::Created | Cause::SeverityRaised => text(finding),
            Cause::GrownTenfold | Cause::Closed => headline(finding),
        };
        let (first, rest) = all.split_once('\n').unwrap_or((&all, ""));
        writeln!(self.out, "{style}{first}{style:#}\n{}\n", rest.trim_end())
    }

    fn unless_closed(&mut self, result: io::Result<()>) -> io::Result<()> {
        match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            result => result,
        }
    }
}
