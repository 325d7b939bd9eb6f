//! What an account may buy and use: regions and contacts (`account.amazonaws.com`), the plan
//! (`freetier.amazonaws.com`), credits (`billing.amazonaws.com`) and subscriptions to models
//! (`agreement-marketplace.amazonaws.com`). Records are in us-east-1.
//!
//! Source: the API references of these services.

use tripmeter_model::{PolicyEffect, Service};

use crate::call::{About, Call, context, guard, policy, probe, service};
use PolicyEffect::{AccessEnabled, LimitRaised, RegionEnabled};

const REGION: About = About::Resource(&["regionName"]);
const CONTACT: About = About::Resource(&["alternateContactType"]);

#[rustfmt::skip] // one call a line
pub(crate) const ACCOUNT: &[Call] = &service(
    Service::Account,
    &["account"],
    [
        probe("ListRegions", "where nobody looks"),
        probe("GetRegionOptStatus", "whether a region is open").about(REGION),
        policy("EnableRegion", RegionEnabled, "opens a region").about(REGION),
        guard("PutAlternateContact", "sends AWS's warnings to somebody else").about(CONTACT),
        guard("DeleteAlternateContact", "leaves nobody to get AWS's warnings").about(CONTACT),
        guard("StartPrimaryEmailUpdate", "begins to take the account's address over"),
        guard("AcceptPrimaryEmailUpdate", "takes the account's address over"),
        context("PutContactInformation", "the account's address and phone changed"),
        context("DisableRegion", "a region closed").about(REGION),
    ],
);

#[rustfmt::skip] // one call a line
pub(crate) const FREE_TIER: &[Call] = &service(
    Service::FreeTier,
    &["freetier"],
    [
        probe("GetAccountPlanState", "whether the account is a free one"),
        policy("UpgradeAccountPlan", LimitRaised, "turns a free account into one that pays"),
    ],
);

#[rustfmt::skip] // one call a line
pub(crate) const BILLING: &[Call] = &service(
    Service::Billing,
    &["billing"],
    [
        probe("GetCredits", "how much can be spent without a bill"),
        policy("RedeemCredits", AccessEnabled, "adds credit to spend"),
        guard("UpdateBillingPreferences", "changes who hears of the bill"),
    ],
);

#[rustfmt::skip] // one call a line
pub(crate) const MARKETPLACE: &[Call] = &service(
    Service::Marketplace,
    &["marketplace-agreement"],
    [
        probe("SearchAgreements", "what is subscribed to already"),
        policy("CreateAgreementRequest", AccessEnabled, "asks for a product's terms: a model's, as a rule"),
        policy("AcceptAgreementRequest", AccessEnabled, "subscribes to a product: a model, as a rule"),
        context("CancelAgreement", "a subscription ended"),
    ],
);
