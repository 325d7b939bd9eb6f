//! The policy in force, as a function knows it: at most a minute old, and never worse than the last good one.

use std::sync::Arc;

use tripmeter_model::{MINUTE, Timestamp};
use tripmeter_policy::PolicyFile;

use super::{Policies, PushError};
use crate::dynamodb::Failure;

/// How long what was read is good for, and how soon reading is tried again when it failed, in seconds.
const GOOD_FOR: i64 = MINUTE;
const AGAIN_AFTER: i64 = 5;

/// Earlier versions that are looked at for one that can be used.
const LOOKED_AT: u32 = 20;

/// What is wrong with the policy. Judging goes on with the last good one.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The version in force is none that this program can use. It is said once for each version.
    #[error("policy version {number} cannot be used, {in_force} stays in force: {why}")]
    Invalid {
        /// The version.
        number: u32,
        /// What judges instead: an earlier version, or the rules that ship.
        in_force: String,
        /// What is wrong with it.
        why: String,
    },
    /// It could not be read.
    #[error("the policy could not be read, what is known stays in force: {0}")]
    Unread(#[from] Failure),
}

/// The policy in force, kept from invocation to invocation.
#[derive(Clone, Debug)]
pub struct CurrentPolicy {
    policies: Policies,
    allowed_regions: Vec<String>,
    in_force: Arc<PolicyFile>,
    /// The version that is in force; none for the rules that ship.
    number: Option<u32>,
    /// The version that was found to be of no use.
    refused: Option<u32>,
    look_at: Option<Timestamp>,
}

impl CurrentPolicy {
    /// The rules that ship, until the first [`CurrentPolicy::refresh`]. The allowed regions hold where the file has
    /// none.
    pub fn new(policies: Policies, allowed_regions: Vec<String>) -> Self {
        let shipped = PolicyFile::default().or_regions(allowed_regions.iter().map(String::as_str));
        Self {
            policies,
            allowed_regions,
            in_force: Arc::new(shipped),
            number: None,
            refused: None,
            look_at: None,
        }
    }

    /// What to judge by.
    pub fn policy(&self) -> Arc<PolicyFile> {
        Arc::clone(&self.in_force)
    }

    /// Its version; none for the rules that ship.
    pub fn number(&self) -> Option<u32> {
        self.number
    }

    /// Looks whether another version is in force, when the last look was a minute ago. What comes back is to be
    /// counted and logged.
    pub async fn refresh(&mut self, now: Timestamp) -> Option<Trouble> {
        if self.look_at.is_some_and(|look_at| now < look_at) {
            return None;
        }
        let looked = self.look().await;
        let pause = if matches!(looked, Err(Trouble::Unread(_))) {
            AGAIN_AFTER
        } else {
            GOOD_FOR
        };
        self.look_at = Some(now.plus(pause));
        looked.err()
    }

    async fn look(&mut self) -> Result<(), Trouble> {
        let current = self.policies.current_number().await?;
        if current == self.number || (current.is_some() && current == self.refused) {
            return Ok(());
        }
        let Some(current) = current else {
            // Nobody but who empties the table comes here with a policy in force; it is kept.
            return Ok(());
        };
        let why = match self.read(current).await? {
            Ok(policy) => {
                self.adopt(current, policy);
                self.refused = None;
                return Ok(());
            }
            Err(why) => why,
        };
        self.refused = Some(current);
        self.find_last_good(current).await?;
        Err(Trouble::Invalid {
            number: current,
            in_force: self
                .number
                .map_or_else(|| "what ships".to_owned(), |number| format!("version {number}")),
            why,
        })
    }

    /// Where this function knows no version yet, the latest before `current` that can be used.
    async fn find_last_good(&mut self, current: u32) -> Result<(), Failure> {
        if self.number.is_some() {
            return Ok(());
        }
        for earlier in (1..current).rev().take(LOOKED_AT as usize) {
            if let Ok(policy) = self.read(earlier).await? {
                self.adopt(earlier, policy);
                break;
            }
        }
        Ok(())
    }

    /// A version, or why it cannot be used.
    async fn read(&self, number: u32) -> Result<Result<PolicyFile, String>, Failure> {
        Ok(match self.policies.version(number).await {
            Ok(Some(version)) => PolicyFile::parse(&version.text).map_err(|error| error.to_string()),
            Ok(None) => Err("it is not there".to_owned()),
            Err(PushError::Table(failure)) => return Err(failure),
            Err(error) => Err(error.to_string()),
        })
    }

    fn adopt(&mut self, number: u32, policy: PolicyFile) {
        self.in_force = Arc::new(policy.or_regions(self.allowed_regions.iter().map(String::as_str)));
        self.number = Some(number);
    }
}
