//! What the functions that judge have in common: activities in, findings stored.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use tripmeter_catalogue::Scope;
use tripmeter_detect::{PartKey, Settings, Terms, Work};
use tripmeter_model::{Activity, Service, Timestamp};

use crate::canary::{Canary, CanaryError, Limit, Millis, Quota};
use crate::exceptions::Exceptions;
use crate::own::{Own, OwnCalls};
use crate::state::{Batch, Outcome, State, StateError};

/// What one part of a text message costs where it costs least, in US dollars: no limit lets more be sent.
const CHEAPEST_MESSAGE_USD: f64 = 0.0025;

/// Why an account's batch was not stored. It is to be handed back.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// The state could not be read or written.
    #[error(transparent)]
    State(#[from] StateError),
    /// What the canary has read could not be.
    #[error(transparent)]
    Canary(#[from] CanaryError),
    /// Judging panicked: a fault of ours.
    #[error("judging account {account} panicked")]
    Panicked {
        /// The account.
        account: String,
    },
}

/// Activities in, findings stored.
#[derive(Clone, Debug)]
pub struct Detector {
    /// The account that the detector runs in.
    pub home: String,
    /// What is known.
    pub state: State,
    /// The canary's book.
    pub canary: Canary,
    /// Which calls are our own.
    pub own: OwnCalls,
    /// What our own resources are called.
    pub scope: Scope,
    /// Thresholds.
    pub settings: Settings,
}

impl Detector {
    /// Takes out the detector's own calls, and notes the canary's as heard. Says how many there were.
    ///
    /// # Errors
    /// When the canary's book does not answer.
    pub async fn take_own(&self, activities: &mut Vec<Activity>, now: Millis) -> Result<u64, JudgeError> {
        let mut own = 0;
        let mut others = Vec::with_capacity(activities.len());
        for activity in activities.drain(..) {
            match self.own.is_expected(&activity) {
                None => others.push(activity),
                Some(Own::Publish) => own += 1,
                Some(Own::Canary(call)) => {
                    own += 1;
                    let id = activity.event_id.as_deref();
                    self.canary
                        .heard(&activity.region, call, activity.time, id, now)
                        .await?;
                }
            }
        }
        *activities = others;
        Ok(own)
    }

    /// Judges activities of one account, and stores what came of it.
    ///
    /// # Errors
    /// See [`JudgeError`]; nothing is lost if they are judged again.
    pub async fn judge(
        &self,
        account: &str,
        activities: &[Activity],
        redelivered: bool,
        exceptions: &Exceptions,
        now: Timestamp,
    ) -> Result<Outcome, JudgeError> {
        let batch = Batch {
            account,
            work: Work::Activities(activities),
            due: &[],
            redelivered,
        };
        self.work(batch, exceptions, now).await
    }

    /// Closes what is quiet, of parts whose time may have come.
    ///
    /// # Errors
    /// See [`JudgeError`].
    pub async fn close_quiet(
        &self,
        account: &str,
        due: &[PartKey],
        exceptions: &Exceptions,
        now: Timestamp,
    ) -> Result<Outcome, JudgeError> {
        let batch = Batch {
            account,
            work: Work::Advance(now),
            due,
            redelivered: false,
        };
        self.work(batch, exceptions, now).await
    }

    async fn work(&self, batch: Batch<'_>, exceptions: &Exceptions, now: Timestamp) -> Result<Outcome, JudgeError> {
        let terms = self.terms(batch.account, exceptions);
        // One record of a kind that nobody foresaw must not take the others with it.
        let judging = AssertUnwindSafe(self.state.judge(batch, &terms, now)).catch_unwind();
        match judging.await {
            Ok(outcome) => Ok(outcome?),
            Err(_) => Err(JudgeError::Panicked {
                account: batch.account.to_owned(),
            }),
        }
    }

    fn terms(&self, account: &str, exceptions: &Exceptions) -> Terms<Exceptions> {
        let mut terms = Terms::new(self.settings.clone(), exceptions.clone()).holding_while_learning();
        // Quotas are read where the detector runs.
        if account == self.home {
            for (service, most) in exceptions.most.iter() {
                terms = terms.with_quota(*service, *most);
            }
        }
        terms
    }
}

/// Activities by account.
pub fn by_account(activities: impl IntoIterator<Item = Activity>) -> BTreeMap<String, Vec<Activity>> {
    let mut accounts: BTreeMap<String, Vec<Activity>> = BTreeMap::new();
    for activity in activities {
        accounts.entry(activity.account.clone()).or_default().push(activity);
    }
    accounts
}

/// Units a day that an account's quotas let it spend, over all its regions.
pub(crate) fn most_a_day(quotas: &[Quota]) -> BTreeMap<Service, u64> {
    let mut most: BTreeMap<Service, Option<u64>> = BTreeMap::new();
    for quota in quotas {
        let (service, units) = match quota.limit {
            Limit::Mail { per_day, .. } => (Service::Ses, per_day),
            // One spend limit for text messages by SNS and by End User Messaging; only the latter's are in records.
            Limit::Sms { monthly_usd } => (Service::Sms, monthly_usd.map(|usd| usd / CHEAPEST_MESSAGE_USD)),
        };
        let units = units.map(|units| units as u64);
        let sum = most.entry(service).or_insert(Some(0));
        *sum = sum.zip(units).map(|(sum, units)| sum.saturating_add(units));
    }
    let known = most.into_iter().filter_map(|(service, most)| Some((service, most?)));
    known.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(region: &str, per_day: Option<f64>) -> Quota {
        Quota {
            region: region.into(),
            limit: Limit::Mail {
                per_day,
                per_second: 14.0,
                production: true,
                sending: true,
            },
            seen_at: Millis(0),
        }
    }

    #[test]
    fn an_account_may_spend_what_its_regions_may_together() {
        let both = most_a_day(&[mail("eu-west-1", Some(200.0)), mail("us-east-1", Some(50_000.0))]);
        assert_eq!(both, BTreeMap::from([(Service::Ses, 50_200)]));
    }

    #[test]
    fn where_one_region_has_no_limit_the_account_has_none() {
        assert_eq!(
            most_a_day(&[mail("eu-west-1", Some(200.0)), mail("us-east-1", None)]),
            BTreeMap::new()
        );
    }
}
