//! How far it is, for whoever waits at a terminal.

use std::io::{IsTerminal, Read};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};

/// A bar on stderr that is there only when a person looks.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// A bar when stderr is a terminal, else nothing.
    pub(crate) fn on_terminal() -> Self {
        if !std::io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar =
            ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr()).with_finish(ProgressFinish::AndClear);
        if let Ok(style) =
            ProgressStyle::with_template("{spinner} {msg} {wide_bar} {bytes} of {total_bytes}, {elapsed}")
        {
            bar.set_style(style);
        }
        bar.set_message("reading");
        bar.enable_steady_tick(Duration::from_millis(120));
        Self(bar)
    }

    /// How many bytes there are, as far as is known.
    pub(crate) fn total(&self, bytes: u64) {
        self.0.set_length(bytes);
    }

    /// Counts what flows through.
    pub(crate) fn reading<R: Read>(&self, bytes: R) -> impl Read {
        self.0.wrap_read(bytes)
    }

    /// Everything is read, and now it is judged. Findings that go to the same terminal are progress enough.
    pub(crate) fn judging(&self) {
        if std::io::stdout().is_terminal() {
            self.done();
        } else {
            self.0.set_message("judging");
        }
    }

    /// Leaves the terminal as it was.
    pub(crate) fn done(&self) {
        self.0.finish_and_clear();
    }
}
