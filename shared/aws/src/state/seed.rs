//! Writing what a replay of an account's own history has learned, so that its first day has a month of baselines.

use std::collections::HashMap;

use tripmeter_detect::{PartKey, Settings, with_history};
use tripmeter_model::Timestamp;

use super::{State, StateError, items, pause};
use crate::dynamodb::{self, Failure, Written};

/// Tries at a part that the detector writes at the same time.
const TRIES: u32 = 8;

/// What became of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sown {
    /// There was none; now there is.
    New,
    /// It was made one with what the detector has learned since it was deployed.
    Merged,
    /// It was there already, as an earlier run left it or because what lies there says more.
    Kept,
    /// It is too old to matter, or too large to be written.
    Left,
}

impl State {
    /// Writes a part that a replay has learned. Writing it again changes nothing, so that a run which was broken off
    /// can be run again.
    ///
    /// # Errors
    /// When the table does not answer, or the detector keeps writing the same part.
    pub async fn sow(
        &self,
        account: &str,
        key: PartKey,
        body: Vec<u8>,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<Sown, StateError> {
        let expires = key.expires(now, settings);
        if expires.is_some_and(|expires| expires < now) || body.len() > super::LARGEST {
            return Ok(Sown::Left);
        }
        if key == PartKey::Account {
            self.enlist(account, now).await?;
        }
        for turn in 0..TRIES {
            let live = self.get(account, &[key]).await?.into_values().next();
            let version = live.as_ref().map(items::version);
            let live = live.as_ref().and_then(|item| items::body(item, now));
            let (body, sown) = match live {
                None => (body.clone(), Sown::New),
                Some(live) => {
                    // What a newer release or a damaged item holds is not ours to overwrite.
                    let merged = with_history(key, &body, &live).unwrap_or_else(|_| live.clone());
                    if merged == live {
                        return Ok(Sown::Kept);
                    }
                    (merged, Sown::Merged)
                }
            };
            let put = items::put(&self.table, account, key, body, version, expires).map_err(Failure::build)?;
            if dynamodb::put(&self.client, put).await? == Written::Done {
                return Ok(sown);
            }
            tokio::time::sleep(pause(turn)).await;
        }
        Err(StateError::Contended {
            account: account.to_owned(),
        })
    }

    /// When the detector first heard of each account: what happened later it has counted itself.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn first_heard(&self) -> Result<HashMap<String, Timestamp>, StateError> {
        let listed = self.accounts().await?.into_iter();
        Ok(listed.map(|listed| (listed.account, listed.first_seen)).collect())
    }
}
