//! The digest: what a deployment has learned on its first day, told once, with a policy file to begin with.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use aws_sdk_dynamodb::types::{AttributeValue, Put};
use tripmeter_detect::{PartError, ServiceShown};
use tripmeter_model::{DAY, Service, Timestamp, bounded};

use crate::canary::{Canary, CanaryError};
use crate::dynamodb::{self, Failure};
use crate::state::{Listed, State, StateError};

/// The partition of digests; the sort key is the day since 1970.
pub const PARTITION: &str = "DIGEST";
/// Accounts that one digest tells of in full; more are named.
const ACCOUNTS: usize = 20;
/// Identities, regions, networks and targets of a service that are shown.
const SHOWN: usize = 5;

/// Why there is no digest.
#[derive(Debug, thiserror::Error)]
pub enum DigestError {
    /// The state could not be read or written.
    #[error(transparent)]
    State(#[from] StateError),
    /// The digest could not be written.
    #[error(transparent)]
    Table(#[from] Failure),
    /// What the canary knows could not be read.
    #[error(transparent)]
    Canary(#[from] CanaryError),
}

/// One account, as a digest tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The account.
    pub account: String,
    /// What people call it.
    pub name: Option<String>,
    /// Its services with the names of their busiest identities.
    pub services: Vec<(ServiceShown, Vec<(String, u64)>)>,
}

/// Writes the digest of the accounts that were seen for a day and told of in none, at most one a day. Says whether it
/// wrote one.
///
/// # Errors
/// When a table does not answer: the next tick tries again.
pub async fn write_due(
    state: &State,
    canary: &Canary,
    name_of: impl Fn(&str) -> Option<String>,
    now: Timestamp,
) -> Result<bool, DigestError> {
    let waiting: Vec<Listed> = state
        .accounts()
        .await?
        .into_iter()
        .filter(|listed| !listed.digested)
        .collect();
    if !waiting.iter().any(|listed| now.since(listed.first_seen) >= DAY) {
        return Ok(false);
    }
    let mut seen = Vec::new();
    for listed in waiting.iter().take(ACCOUNTS) {
        seen.push(look(state, &listed.account, name_of(&listed.account), now).await?);
    }
    let regions = canary.regions().await?.into_iter();
    let heard = regions
        .filter(|(_, region)| region.is_heard())
        .map(|(name, _)| name)
        .collect();
    let more: Vec<&str> = waiting
        .iter()
        .skip(ACCOUNTS)
        .map(|listed| listed.account.as_str())
        .collect();
    let text = text(&seen, &more, &heard);
    let put = Put::builder()
        .table_name(state.table())
        .item("pk", AttributeValue::S(PARTITION.to_owned()))
        .item("sk", AttributeValue::S(now.day().to_string()))
        .item("subject", AttributeValue::S(subject(&seen)))
        .item("text", AttributeValue::S(text))
        .item("due", AttributeValue::N(now.seconds().to_string()))
        .condition_expression("attribute_not_exists(pk)")
        .build()
        .map_err(Failure::build)?;
    // Whoever was first today has told; what came later is told tomorrow.
    if dynamodb::put(state.client(), put).await? == dynamodb::Written::Refused {
        return Ok(false);
    }
    for listed in &waiting {
        state.note_digested(&listed.account, now).await?;
    }
    Ok(true)
}

async fn look(state: &State, account: &str, name: Option<String>, now: Timestamp) -> Result<Seen, DigestError> {
    let mut services = Vec::new();
    for (service, body) in state.services(account, now).await? {
        let shown = match ServiceShown::of(service, &body) {
            Ok(shown) => shown,
            // A newer release knows more; a damaged one is written anew.
            Err(PartError::Newer { .. } | PartError::Damaged { .. }) => continue,
        };
        let (who, calls): (Vec<_>, Vec<u64>) = shown.identities.iter().take(SHOWN).copied().unzip();
        let names = state.names(account, service, &who, now).await?;
        services.push((shown, names.into_iter().zip(calls).collect()));
    }
    Ok(Seen {
        account: account.to_owned(),
        name,
        services,
    })
}

fn subject(seen: &[Seen]) -> String {
    let accounts = match seen {
        [one] => format!("account {}", one.account),
        more => format!("{} accounts", more.len()),
    };
    format!("Tripmeter: the first day of {accounts}")
}

/// The digest. What records said is shown in a form that does nothing in a terminal or a mail.
fn text(seen: &[Seen], more: &[&str], heard: &BTreeSet<String>) -> String {
    let mut text = String::from(
        "This is what the watched services did on the first day. While an account is being learned, only ceilings, \
         denied regions,\nremoved guardrails, leaked keys and hijacks are published; everything is judged and kept \
         (tripmeter findings list --held).\n",
    );
    for account in seen {
        tell_account(&mut text, account);
    }
    if !more.is_empty() {
        let _ = writeln!(text, "\nMore accounts: {}", more.join(", "));
    }
    let regions = if heard.is_empty() {
        "none yet: the canary has not flown".to_owned()
    } else {
        heard.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
    };
    let _ = writeln!(text, "\nRegions that are proven to be heard: {regions}");
    text.push_str("A region without a forwarder is not seen; IAM, Budgets and Organizations are seen in us-east-1.\n");
    text.push_str("\nA policy file to begin with (tripmeter policy push FILE):\n\n");
    text.push_str(&proposal(seen));
    text
}

fn tell_account(text: &mut String, account: &Seen) {
    let name = account.name.as_deref().map(|name| format!(" ({})", bounded(name, 64)));
    let _ = writeln!(text, "\nAccount {}{}", account.account, name.unwrap_or_default());
    if account.services.is_empty() {
        text.push_str("  nothing that spends\n");
    }
    for (shown, identities) in &account.services {
        let _ = writeln!(
            text,
            "  {}: {} calls, {} units",
            shown.service.name(),
            shown.calls,
            shown.units
        );
        for (identity, calls) in identities {
            let _ = writeln!(text, "    {calls:>8}  {}", bounded(identity, 200));
        }
        let others = shown.identities.len().saturating_sub(identities.len());
        if others > 0 {
            let _ = writeln!(text, "              and {others} more");
        }
        for (what, counts) in [
            ("regions", &shown.regions),
            ("networks", &shown.networks),
            ("clients", &shown.clients),
            ("on", &shown.targets),
        ] {
            let values = counts.iter().take(SHOWN).map(|count| bounded(&count.value, 100));
            let values: Vec<String> = values.collect();
            if !values.is_empty() {
                let _ = writeln!(text, "    {what}: {}", values.join(", "));
            }
        }
    }
}

/// A policy file that allows the regions that were used.
fn proposal(seen: &[Seen]) -> String {
    let mut regions: BTreeMap<Service, BTreeSet<&str>> = BTreeMap::new();
    for (shown, _) in seen.iter().flat_map(|account| &account.services) {
        let names = shown.regions.iter().map(|count| count.value.as_str());
        regions
            .entry(shown.service)
            .or_default()
            .extend(names.filter(|name| is_region(name)));
    }
    let mut file = String::from("[regions]\n");
    for (service, regions) in &regions {
        let quoted: Vec<String> = regions.iter().map(|region| format!("\"{region}\"")).collect();
        let _ = writeln!(file, "{} = [{}]", service.name(), quoted.join(", "));
    }
    let named = seen
        .iter()
        .filter_map(|account| Some((&account.account, account.name.as_ref()?)));
    let named: Vec<_> = named.collect();
    if !named.is_empty() {
        file.push_str("\n[accounts]\n");
    }
    for (account, name) in named {
        let _ = writeln!(file, "{account} = {:?}", bounded(name, 64));
    }
    file
}

/// Whether a text is made as regions' names are: it goes into a file that somebody may push.
fn is_region(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 32
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use tripmeter_detect::Count;
    use tripmeter_model::Digest;

    use super::*;

    fn count(value: &str, calls: u64) -> Count {
        Count {
            value: value.into(),
            calls,
        }
    }

    fn one() -> Seen {
        let shown = ServiceShown {
            service: Service::Ses,
            first_day: 20_000,
            calls: 120,
            units: 4_000,
            peak_day: 4_000,
            identities: vec![(Digest(1), 100), (Digest(2), 20)],
            regions: vec![count("eu-west-1", 119), count("x\"]\nall=[\"*", 1)],
            networks: vec![count("198.51.100.0/24", 120)],
            clients: vec![count("aws-sdk-java", 120)],
            targets: vec![count("shop.example.com", 120)],
        };
        Seen {
            account: "111122223333".into(),
            name: Some("shop".into()),
            services: vec![(shown, vec![("arn:aws:iam::111122223333:role/mailer".into(), 100)])],
        }
    }

    #[test]
    fn the_proposed_policy_is_one_and_holds_only_what_looks_like_a_region() {
        let file = proposal(&[one()]);
        tripmeter_policy::PolicyFile::parse(&file).expect("the proposal can be pushed");
        assert_eq!(
            file,
            "[regions]\nSES = [\"eu-west-1\"]\n\n[accounts]\n111122223333 = \"shop\"\n"
        );
    }

    #[test]
    fn who_did_what_from_where_is_told() {
        let text = text(&[one()], &[], &BTreeSet::from(["eu-west-1".to_owned()]));
        for told in [
            "SES: 120 calls, 4000 units",
            "100  arn:aws:iam::111122223333:role/mailer",
            "and 1 more",
            "networks: 198.51.100.0/24",
            "proven to be heard: eu-west-1",
        ] {
            assert!(text.contains(told), "{told:?} is not in {text}");
        }
    }
}
