//! The audit log: newest first, page by page, from an hour before the newest event that was seen.
//!
//! The bookmark moves by the events' own times, never by our clock, so that a clock that is off loses nothing. What a
//! run has no time for is taken up by the next, at the page where it stopped.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::time::Instant;
use tripmeter_catalogue::openai::{Heard, audit_event};
use tripmeter_model::{Activity, HOUR, Timestamp, digest64};
use tripmeter_openai::pages::{self, Event, List};

use crate::{Blind, PollError, Poller, Report, Run};

/// How late an event may come and still be read.
const OVERLAP: i64 = HOUR;
/// Pages of one run: a hundred events each.
const PAGES: usize = 20;
/// Events that are remembered as judged, of some thirty bytes in an item of at most 400 KB. What is forgotten is judged
/// again, which changes nothing.
const REMEMBERED: usize = 8_000;
/// The bookmark's name.
const BOOKMARK: &str = "audit";

/// How far the audit log was read.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Read {
    /// The time of the newest event that was seen, where everything up to it was.
    #[serde(default)]
    through: Option<Timestamp>,
    /// Times and digests of the events that were judged, as far back as they may come again.
    #[serde(default)]
    judged: BTreeSet<(i64, u64)>,
    /// Where the last run stopped, if it did not come to the end.
    #[serde(default)]
    stopped: Option<Stopped>,
}

/// A reading under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Stopped {
    /// From when on events are read.
    from: Timestamp,
    /// The last event of the last page.
    after: Option<String>,
    /// The newest event so far.
    newest: Option<Timestamp>,
}

impl Poller {
    /// Reads what is new in the audit log, and judges it. What could be read is judged even if the rest cannot be.
    pub(crate) async fn audit(&self, run: Run<'_>, report: &mut Report) -> Result<Result<(), Blind>, PollError> {
        let mut bookmark = self.bookmarks.read::<Read>(BOOKMARK).await?;
        let mut reading = bookmark.value.stopped.take().unwrap_or_else(|| Stopped {
            from: bookmark.value.through.unwrap_or(run.now).plus(-OVERLAP),
            after: None,
            newest: None,
        });
        let mut activities = Vec::new();
        let (ended, seen) = match self
            .pages(&mut reading, &bookmark.value, &mut activities, run, report)
            .await
        {
            Ok(ended) => (ended, Ok(())),
            Err(blind) => {
                // A page that is refused may be refused for ever: the next run begins at the first.
                if !blind.is_passing() {
                    reading.after = None;
                }
                (false, Err(blind))
            }
        };
        activities.sort_by(|a, b| (a.time, &a.event_id).cmp(&(b.time, &b.event_id)));
        if !activities.is_empty() {
            report.outcomes.push(self.judge(&activities, run).await?);
        }
        let heard_anything = bookmark.value.through.is_some() || reading.newest.is_some();
        bookmark.value.remember(&activities);
        bookmark.value.go_on(reading, ended, run.now);
        // Refused: another run was quicker, and what both judged was counted once.
        self.bookmarks.write(BOOKMARK, &mut bookmark).await?;
        if seen.is_ok() && !heard_anything {
            return Ok(self.is_switched_on(run).await);
        }
        Ok(seen)
    }

    /// Reads pages until there are no more, or no time. Whether it came to the end.
    async fn pages(
        &self,
        reading: &mut Stopped,
        read: &Read,
        activities: &mut Vec<Activity>,
        run: Run<'_>,
        report: &mut Report,
    ) -> Result<bool, Blind> {
        for _ in 0..PAGES {
            if Instant::now() >= run.until {
                return Ok(false);
            }
            let path = pages::audit_log(Some(reading.from), reading.after.as_deref());
            let page: List<Event> = self.get(&path, run).await?;
            for event in &page.data {
                if let Some(activity) = self.heard(event, report) {
                    reading.newest = reading.newest.max(Some(activity.time));
                    if read.judged.contains(&mark(&activity)) {
                        report.again += 1;
                    } else {
                        activities.push(activity);
                    }
                }
            }
            let next = page.last_id.filter(|_| page.has_more && !page.data.is_empty());
            // A page that ends where it began would be read for ever.
            if next.is_none() || next == reading.after {
                return Ok(true);
            }
            reading.after = next;
        }
        Ok(false)
    }

    fn heard(&self, event: &RawValue, report: &mut Report) -> Option<Activity> {
        report.read += 1;
        match audit_event(event.get(), &self.organisation) {
            Heard::Known(activity) => Some(*activity),
            Heard::Unknown(activity) => {
                report.unknown += 1;
                tracing::warn!(r#type = %activity.call, "an audit event of a type that the catalogue does not have");
                Some(*activity)
            }
            Heard::Unreadable => {
                report.unreadable += 1;
                None
            }
        }
    }

    /// Whether there was ever an event: an organisation that logs has at least somebody's sign-in.
    async fn is_switched_on(&self, run: Run<'_>) -> Result<(), Blind> {
        let ever: List<Event> = self.get(&pages::audit_log(None, None), run).await?;
        if ever.data.is_empty() {
            return Err(Blind::NoAuditLog);
        }
        Ok(())
    }
}

impl Read {
    fn remember(&mut self, activities: &[Activity]) {
        self.judged.extend(activities.iter().map(mark));
    }

    /// Moves on to what was read. An event of a time that has not come yet moves nothing beyond our own clock.
    fn go_on(&mut self, reading: Stopped, ended: bool, now: Timestamp) {
        if ended {
            let newest = reading.newest.map(|newest| newest.min(now));
            self.through = self.through.max(newest);
            self.stopped = None;
        } else {
            self.stopped = Some(reading);
        }
        if let Some(through) = self.through {
            let oldest = (through.plus(-OVERLAP).seconds(), 0);
            self.judged = self.judged.split_off(&oldest);
        }
        while self.judged.len() > REMEMBERED {
            self.judged.pop_first();
        }
    }
}

fn mark(activity: &Activity) -> (i64, u64) {
    let id = activity.event_id.as_deref().unwrap_or_default();
    (activity.time.seconds(), digest64(&[id]).0)
}
