//! One log file, from S3 to the state.

use std::time::Instant;

use tokio::sync::mpsc::{self, Receiver, Sender};
use tripmeter_aws::detector::JudgeError;
use tripmeter_aws::dynamodb::Failure;
use tripmeter_aws::exceptions::Exceptions;
use tripmeter_aws::marks::Begun;
use tripmeter_aws::state::Outcome;

use crate::contents::{self, Contents, Part};
use crate::files::{FetchError, PIECE_BYTES};
use crate::notice::Object;
use crate::{Shift, Trail};

/// Pieces, and parts, that wait for whoever takes them: with those at work, three of each are held.
const WAITING: usize = 1;

/// Why a file is handed back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stopped {
    #[error("no time is left")]
    NoTime,
    #[error("another worker is at it")]
    Held,
    #[error(transparent)]
    Mark(#[from] Failure),
    #[error(transparent)]
    Judge(#[from] JudgeError),
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("reading it panicked")]
    Panicked,
}

/// What was judged of a file.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    pub(crate) own: u64,
    pub(crate) outcomes: Vec<Outcome>,
}

/// A file at work.
pub(crate) struct File<'a> {
    pub(crate) trail: &'a Trail,
    pub(crate) object: &'a Object,
    pub(crate) account: &'a str,
}

impl File<'_> {
    /// Fetches, reads and judges it, all three at once. What was judged is noted in `judged` even if it stops.
    pub(crate) async fn work(
        &self,
        exceptions: &Exceptions,
        shift: Shift,
        judged: &mut Judged,
    ) -> Result<Contents, Stopped> {
        let (pieces, incoming) = mpsc::channel(WAITING);
        let (outgoing, parts) = mpsc::channel(WAITING);
        let (scope, of_calls) = (self.trail.detector.scope.clone(), self.trail.judges);
        let reading = tokio::task::spawn_blocking(move || contents::read(incoming, &scope, of_calls, &outgoing));
        let fetching = self.fetch(pieces, shift.until);
        let judging = self.judge(parts, exceptions, shift, judged);
        let (fetched, judged, contents) = tokio::join!(fetching, judging, reading);
        // What stopped the judging is why the others stopped, and what was not fetched is why a file ends too early.
        judged?;
        fetched?;
        contents.map_err(|_| Stopped::Panicked)
    }

    /// Fetches it piece by piece, until nobody takes them any more.
    async fn fetch(&self, pieces: Sender<Vec<u8>>, until: Instant) -> Result<(), Stopped> {
        let mut from = 0;
        while from < self.object.size {
            if Instant::now() >= until {
                return Err(Stopped::NoTime);
            }
            let piece = self.trail.files.piece(self.object, from).await?;
            if pieces.send(piece).await.is_err() {
                break;
            }
            from += PIECE_BYTES;
        }
        Ok(())
    }

    /// Judges a file's parts, each under its mark. A file of which nothing is judged gets none.
    async fn judge(
        &self,
        mut parts: Receiver<Part>,
        exceptions: &Exceptions,
        shift: Shift,
        judged: &mut Judged,
    ) -> Result<(), Stopped> {
        let mut mark = None;
        while let Some(part) = parts.recv().await {
            if Instant::now() >= shift.until {
                return Err(Stopped::NoTime);
            }
            let mark = match &mut mark {
                Some(mark) => mark,
                None => mark.insert(self.begin(shift).await?),
            };
            if part.ends <= mark.judged {
                continue;
            }
            if part.begins > mark.judged {
                self.trail.marks.advance(&self.object.names(), part.begins).await?;
                mark.judged = part.begins;
            }
            self.judge_part(part, mark.found, exceptions, shift, judged).await?;
        }
        Ok(())
    }

    async fn begin(&self, shift: Shift) -> Result<Mark, Stopped> {
        let (names, marks) = (self.object.names(), &self.trail.marks);
        match marks.begin(&names, shift.began, shift.over).await? {
            Begun::Held => Err(Stopped::Held),
            Begun::Fresh => Ok(Mark {
                found: false,
                judged: 0,
            }),
            Begun::Again { judged } => Ok(Mark { found: true, judged }),
        }
    }

    async fn judge_part(
        &self,
        part: Part,
        redelivered: bool,
        exceptions: &Exceptions,
        shift: Shift,
        judged: &mut Judged,
    ) -> Result<(), Stopped> {
        let detector = &self.trail.detector;
        let mut activities = part.activities;
        let all = activities.len();
        // A call of the canary that is only found here was not heard: it has to come through the rules.
        activities.retain(|activity| detector.own.is_expected(activity).is_none());
        judged.own += (all - activities.len()) as u64;
        if activities.is_empty() {
            return Ok(());
        }
        for activity in &mut activities {
            self.account.clone_into(&mut activity.account);
        }
        let now = shift.began.second();
        let outcome = detector
            .judge(self.account, &activities, redelivered, exceptions, now)
            .await?;
        judged.outcomes.push(outcome);
        Ok(())
    }
}

/// A file's mark, as its worker knows it.
struct Mark {
    /// Somebody had begun: what follows may have been counted.
    found: bool,
    judged: u64,
}
