//! Usage by the minute, told by what its buckets have grown.
//!
//! A bucket fills for minutes, and may be corrected later: the last half hour is read again in every run, and what a
//! bucket has more than was told is judged. Every kind is read to its last page before anything of it is told, so that
//! no total is a part of one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tripmeter_aws::detector::JudgeError;
use tripmeter_aws::increments::{Amount, Increment, Reading, Take};
use tripmeter_aws::state::Outcome;
use tripmeter_model::{Activity, DAY, HOUR, MINUTE, Quantity, Timestamp};
use tripmeter_openai::ApiError;
use tripmeter_openai::costs::Prices;
use tripmeter_openai::pages::{self, Bucket, Buckets};
use tripmeter_openai::usage::{self, Group, KINDS, Kind};

use crate::{Blind, PollError, Poller, Report, Run};

/// How much of what was read is read again, in seconds.
const AGAIN: i64 = 30 * MINUTE;
/// Where nothing is used, a run looks back so far, in seconds: the longest that our clock may be ahead.
const QUIET: i64 = 2 * HOUR;
/// How far back a run looks that comes after an outage. Older buckets would not be counted.
const FARTHEST: i64 = DAY - HOUR;
/// Pages of one kind: an hour's minutes each.
const PAGES: usize = 48;
/// The bookmark's name.
const BOOKMARK: &str = "usage";

/// How far usage was read.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Read {
    /// The newest bucket with any usage, by kind, where everything up to it was read.
    #[serde(default)]
    through: BTreeMap<String, Timestamp>,
}

impl Poller {
    /// Reads what was used, and judges it.
    pub(crate) async fn usage(&self, run: Run<'_>, report: &mut Report) -> Result<Result<(), Blind>, PollError> {
        let mut bookmark = self.bookmarks.read::<Read>(BOOKMARK).await?;
        let before = bookmark.value.clone();
        let (mut seen, mut read_any) = (Ok(()), false);
        let mut readings = Vec::new();
        for kind in KINDS {
            let through = bookmark.value.through.get(kind.name).copied();
            let from = from(through, run.now);
            let path = |page: Option<&str>| pages::usage(kind.name, kind.groups, from, page);
            match self.buckets(&path, PAGES, run).await {
                Ok(buckets) => {
                    read_any = true;
                    report.read += buckets.iter().map(|bucket| bucket.results.len() as u64).sum::<u64>();
                    readings.extend(buckets.iter().filter_map(|bucket| reading(kind, bucket)));
                    let newest = readings.iter().filter(|reading| reading.part == kind.name);
                    let newest = newest.map(|reading| reading.bucket.min(run.now)).max();
                    let through = through.max(newest).unwrap_or(run.now).max(run.now.plus(-QUIET));
                    bookmark.value.through.insert(kind.name.to_owned(), through);
                }
                // A kind that this organisation's API does not have: but it has the first.
                Err(Blind::Api(ApiError::NotFound { .. })) if read_any => {}
                Err(blind) => {
                    // What is refused of one kind says nothing of the others.
                    let goes_on = matches!(
                        blind,
                        Blind::Api(ApiError::Forbidden { .. } | ApiError::Unreadable { .. })
                    );
                    seen = seen.and(Err(blind));
                    if !goes_on {
                        break;
                    }
                }
            }
        }
        let mut judge = Judge {
            poller: self,
            run,
            prices: self.prices(run).await?,
            outcomes: Vec::new(),
        };
        let told = self.increments.tell(&readings, &mut judge, run.now).await;
        report.outcomes.append(&mut judge.outcomes);
        let told = told?;
        if told.contended + told.too_old > 0 {
            tracing::warn!(
                contended = told.contended,
                too_old = told.too_old,
                "buckets that were not told"
            );
        }
        if bookmark.value.through != before.through {
            // Refused: another run was quicker, and what both told was counted once.
            self.bookmarks.write(BOOKMARK, &mut bookmark).await?;
        }
        Ok(seen)
    }

    /// Every bucket of a source that is read page by page.
    pub(crate) async fn buckets(
        &self,
        path: &impl Fn(Option<&str>) -> String,
        most: usize,
        run: Run<'_>,
    ) -> Result<Vec<Bucket>, Blind> {
        let mut buckets = Vec::new();
        let mut next: Option<String> = None;
        for _ in 0..most {
            let page: Buckets = self.get(&path(next.as_deref()), run).await?;
            buckets.extend(page.data);
            if !page.has_more || page.next_page.is_none() || page.next_page == next {
                break;
            }
            next = page.next_page;
        }
        Ok(buckets)
    }
}

/// From which minute on to read.
fn from(through: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let from = through.unwrap_or(now).min(now).plus(-AGAIN).max(now.plus(-FARTHEST));
    Timestamp::from_seconds(from.seconds().div_euclid(MINUTE) * MINUTE)
}

/// The totals of a bucket, by group. Rows that differ in what is not asked about are one.
fn reading(kind: &Kind, bucket: &Bucket) -> Option<Reading> {
    let mut totals: BTreeMap<String, Amount> = BTreeMap::new();
    for row in &bucket.results {
        let Some((calls, units)) = kind.totals(row) else {
            continue;
        };
        let total = totals.entry(Group::of(row).to_text()).or_default();
        total.calls = total.calls.saturating_add(calls);
        total.units = total.units.saturating_add(units);
    }
    (!totals.is_empty()).then(|| Reading {
        part: kind.name.to_owned(),
        bucket: Timestamp::from_seconds(bucket.start_time),
        totals,
    })
}

/// Judges increments.
struct Judge<'a> {
    poller: &'a Poller,
    run: Run<'a>,
    prices: Prices,
    outcomes: Vec<Outcome>,
}

impl Take for Judge<'_> {
    type Error = JudgeError;

    async fn take(&mut self, increments: &[Increment]) -> Result<(), JudgeError> {
        let organisation = &self.poller.organisation;
        let mut activities: Vec<Activity> = increments
            .iter()
            .map(|one| activity(one, organisation, &self.prices))
            .collect();
        activities.sort_by(|a, b| (a.time, &a.event_id).cmp(&(b.time, &b.event_id)));
        self.outcomes.push(self.poller.judge(&activities, self.run).await?);
        Ok(())
    }
}

fn activity(one: &Increment, organisation: &str, prices: &Prices) -> Activity {
    let group = Group::from_text(&one.key).unwrap_or_default();
    let quantity = Quantity {
        micros: cost(&one.part, group.model.as_deref(), one.more.units, prices),
        ..one.more.quantity()
    };
    usage::activity(&one.part, &group, one.bucket, quantity, &one.event_id, organisation)
}

/// What units cost by what the organisation pays for them; for tokens of a model that it never paid for, by the table.
fn cost(kind: &str, model: Option<&str>, units: u64, prices: &Prices) -> Option<u64> {
    let (kind, model) = (Kind::named(kind)?, model?);
    let listed = || {
        let nanodollars = u128::from(units) * u128::from(tripmeter_findings::prices::model(model).blended_token());
        u64::try_from(nanodollars / 1_000).ok()
    };
    prices
        .micros(kind, model, units)
        .or_else(|| if kind.is_of_tokens() { listed() } else { None })
}
