//! Reads an AWS account, and writes nothing, for the doctor to look at.
//!
//! Every call that is made is a row of [`Call`]; [`policy`] is the IAM policy with exactly those. A call that is
//! refused, or a service that is not there, is noted in [`Inventory::not_looked`] and stops nothing else.

mod asker;
mod calls;
mod identities;
mod money;
mod organisation;
mod regional;
mod rules;
mod trails;

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_sdk_account::types::RegionOptStatus;
use futures_util::stream::{self, StreamExt};
use tripmeter_doctor::{Inventory, Region, Switch};
use tripmeter_model::Timestamp;

use crate::asker::Asker;
pub use crate::calls::{Call, policy};

/// Regions that are read at once.
const AT_ONCE: usize = 6;

/// Where to look.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The region that the detector is in.
    pub hub: String,
    /// The detector's stack, by whose name its rules are known.
    pub stack: Option<String>,
    /// The regions to read; none for every region that is on.
    pub regions: Option<Vec<String>>,
    /// Now.
    pub at: Timestamp,
}

/// Why nothing at all could be read.
#[derive(Debug, thiserror::Error)]
pub enum SurveyError {
    /// AWS does not say who is asking.
    #[error("AWS does not say whose account this is: {0}")]
    NoAccount(String),
}

/// Reads the account that the credentials of `config` belong to.
///
/// # Errors
/// When AWS does not take the credentials, or cannot be reached at all.
pub async fn survey(config: &SdkConfig, wanted: &Wanted) -> Result<Inventory, SurveyError> {
    let asker = Asker::new(config);
    let (account, partition) = caller(&asker).await?;
    let switches = switches(&asker).await;
    let names = names(wanted, switches.as_ref());
    let hub_bus = format!("arn:{partition}:events:{}:{account}:event-bus/default", wanted.hub);

    let regions: BTreeMap<String, Region> = stream::iter(&names)
        .map(|name| async {
            let mut region = regional::read(&asker, name).await;
            region.rules = if *name == wanted.hub {
                rules::of_hub(&asker, name, wanted.stack.as_deref()).await
            } else {
                rules::forwarding(&asker, name, &hub_bus).await
            };
            (name.clone(), region)
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let trails = trails::read(&asker, &names).await;
    let money = money::read(&asker, &account).await;
    let identities = identities::read(&asker).await;
    let organisation = organisation::read(&asker, &account).await;

    Ok(Inventory {
        account,
        partition,
        hub: wanted.hub.clone(),
        stack: wanted.stack.clone(),
        read_at: wanted.at,
        switches,
        regions,
        trails,
        budgets: money.budgets,
        budget_acts: money.budget_acts,
        cost_monitors: money.cost_monitors,
        topics: money.topics,
        principals: identities.principals,
        keys: identities.keys,
        organisation,
        learned: None,
        not_looked: asker.into_notes(),
    })
}

/// The account and its partition.
async fn caller(asker: &Asker) -> Result<(String, String), SurveyError> {
    let client = aws_sdk_sts::Client::new(asker.config());
    let answer = client.get_caller_identity().send().await;
    let identity = answer.map_err(|error| SurveyError::NoAccount(asker::words(&error)))?;
    let account = identity.account().unwrap_or_default().to_owned();
    let partition = identity.arn().and_then(|arn| arn.split(':').nth(1)).unwrap_or("aws");
    Ok((account, partition.to_owned()))
}

async fn switches(asker: &Asker) -> Option<BTreeMap<String, Switch>> {
    let client = aws_sdk_account::Client::new(asker.config());
    let pages = client.list_regions().into_paginator().items().send();
    let regions = asker.all(Call::ListRegions, None, pages).await?;
    let switch = |status: &RegionOptStatus| match status {
        RegionOptStatus::EnabledByDefault => Switch::Always,
        RegionOptStatus::Disabled | RegionOptStatus::Disabling => Switch::Off,
        // What is being switched on, or is in a state that this version does not know, may be used.
        _ => Switch::On,
    };
    let named = regions
        .iter()
        .filter_map(|region| Some((region.region_name()?.to_owned(), switch(region.region_opt_status()?))));
    Some(named.collect())
}

/// The regions to read: those asked for, or those that are on; the hub at the least.
fn names(wanted: &Wanted, switches: Option<&BTreeMap<String, Switch>>) -> Vec<String> {
    let mut names = match (&wanted.regions, switches) {
        (Some(asked), _) => asked.clone(),
        (None, Some(switches)) => {
            let on = switches.iter().filter(|(_, switch)| **switch != Switch::Off);
            on.map(|(name, _)| name.clone()).collect()
        }
        (None, None) => Vec::new(),
    };
    names.push(wanted.hub.clone());
    names.sort();
    names.dedup();
    names
}
