//! What the organisation pays: learned from its costs of a week, every few hours.

use serde::{Deserialize, Serialize};
use tripmeter_aws::dynamodb::Failure;
use tripmeter_model::{DAY, HOUR, Timestamp};
use tripmeter_openai::costs::Prices;
use tripmeter_openai::pages::{self, Bucket};

use crate::{Blind, Poller, Run};

/// How old learned prices may become, in seconds.
const OLDEST: i64 = 6 * HOUR;
/// Of which days they are learned, in seconds.
const LEARNED_OF: i64 = 7 * DAY;
/// Pages of costs: a week's days each, or fewer.
const PAGES: usize = 20;
/// The bookmark's name.
const BOOKMARK: &str = "prices";

/// Prices, and when they were learned.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Learned {
    #[serde(default)]
    at: Option<Timestamp>,
    #[serde(default)]
    prices: Prices,
}

impl Poller {
    /// What is paid. Where costs cannot be read now, what was learned before: prices are worth a warning, and no blindness.
    pub(crate) async fn prices(&self, run: Run<'_>) -> Result<Prices, Failure> {
        let mut bookmark = self.bookmarks.read::<Learned>(BOOKMARK).await?;
        let is_fresh = |at: Timestamp| (0..OLDEST).contains(&run.now.since(at));
        if bookmark.value.at.is_some_and(is_fresh) {
            return Ok(bookmark.value.prices);
        }
        match self.costs(run).await {
            Ok(days) => {
                bookmark.value = Learned {
                    at: Some(run.now),
                    prices: Prices::of(days.iter().flat_map(|day| &day.results)),
                };
                // Refused: another run learned the same.
                self.bookmarks.write(BOOKMARK, &mut bookmark).await?;
            }
            Err(blind) => tracing::warn!(why = %blind, "costs cannot be read"),
        }
        Ok(bookmark.value.prices)
    }

    async fn costs(&self, run: Run<'_>) -> Result<Vec<Bucket>, Blind> {
        let today = Timestamp::from_seconds(run.now.seconds().div_euclid(DAY) * DAY);
        let path = |page: Option<&str>| pages::costs(today.plus(-LEARNED_OF), page);
        self.buckets(&path, PAGES, run).await
    }
}
