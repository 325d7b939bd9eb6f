//! Findings on stdout, as they come.

use std::io::{self, BufWriter, StdoutLock, Write};

use anstream::AutoStream;
use tripmeter_findings::{ocsf, text, update};
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

    /// Publishes a finding, unless a rule keeps it quiet.
    pub(crate) fn publish(&mut self, finding: &Finding) -> io::Result<()> {
        if finding.suppressed.is_some() {
            return Ok(());
        }
        self.published += 1;
        self.worst = self.worst.max(Some(finding.severity));
        self.print(finding)
    }

    /// Prints a finding, published or not, if it is severe enough to be shown.
    pub(crate) fn print(&mut self, finding: &Finding) -> io::Result<()> {
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

    /// All of it when there is something new to read, the headline and a line of news when it has only grown or ended.
    fn print_text(&mut self, finding: &Finding) -> io::Result<()> {
        let (told, what) = match finding.cause {
            Cause::Created => (text(finding), None),
            Cause::SeverityRaised => (text(finding), Some("it has become worse")),
            Cause::Reopened => (text(finding), Some("it goes on after it was closed")),
            Cause::GrownTenfold => (update(finding), Some("it has grown tenfold")),
            Cause::Closed => (update(finding), Some("it is over")),
            Cause::Explained => (update(finding), Some("it is explained")),
        };
        // The headline is wrapped like the rest, and ends where a line is empty.
        let (headline, rest) = told.split_once("\n\n").unwrap_or((&told, ""));
        let style = severity_style(finding.severity);
        writeln!(self.out, "{style}{headline}{style:#}")?;
        if let Some(what) = what {
            writeln!(
                self.out,
                "          {what} at {}: finding {}",
                finding.time, finding.uid
            )?;
        }
        if !rest.is_empty() {
            writeln!(self.out, "\n{}", rest.trim_end())?;
        }
        writeln!(self.out)
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
