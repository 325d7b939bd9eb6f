//! What leaves the program: colours only where a person looks, and a closed pipe is no error.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use tripmeter_model::Severity;

/// Prints a text on stdout. Nobody listening any more (`| head`) is the reader's choice.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// Says a text on stderr. When nobody listens there, there is nobody to tell.
pub(crate) fn say(text: &str) {
    let _ = anstream::stderr().lock().write_all(text.as_bytes());
}

/// How a severity looks.
pub(crate) fn severity_style(severity: Severity) -> Style {
    let style = Style::new().bold();
    match severity {
        Severity::Low => style.fg_color(Some(AnsiColor::Cyan.into())),
        Severity::Medium => style.fg_color(Some(AnsiColor::Yellow.into())),
        Severity::High => style.fg_color(Some(AnsiColor::Red.into())),
        Severity::Critical => style
            .fg_color(Some(AnsiColor::White.into()))
            .bg_color(Some(AnsiColor::Red.into())),
    }
}

/// The heading of a part of the summary.
pub(crate) const HEADING: Style = Style::new().bold();
