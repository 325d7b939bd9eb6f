//! What is asked of the state beside judging: accounts, services, profiles.

use aws_sdk_dynamodb::types::AttributeValue;
use tripmeter_detect::PartKey;
use tripmeter_model::{Digest, Service, Timestamp};

use super::items::{self, Place};
use super::{State, StateError};
use crate::dynamodb::Failure;

/// An account that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The account.
    pub account: String,
    /// When the detector first heard of it.
    pub first_seen: Timestamp,
    /// Whether a digest has told of it.
    pub digested: bool,
}

impl State {
    /// The accounts that were seen.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn accounts(&self) -> Result<Vec<Listed>, StateError> {
        let items = self.query("ACCOUNTS", "0", "~").await?;
        let listed = items.iter().filter_map(|item| {
            Some(Listed {
                account: Place::read(item)?.sort_key().to_owned(),
                first_seen: Timestamp::from_seconds(items::read(item, "first_seen")?),
                digested: items::read::<i64>(item, "digested").is_some(),
            })
        });
        Ok(listed.collect())
    }

    /// Notes that a digest has told of an account.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn note_digested(&self, account: &str, at: Timestamp) -> Result<(), StateError> {
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Place::listed(account).key()))
            .update_expression("SET digested = :at")
            .expression_attribute_values(":at", AttributeValue::N(at.seconds().to_string()))
            .send()
            .await
            .map_err(Failure::sdk)?;
        Ok(())
    }

    /// The services that an account uses, with the bodies of their parts.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn services(&self, account: &str, now: Timestamp) -> Result<Vec<(Service, Vec<u8>)>, StateError> {
        let pk = Place::of(account, PartKey::Account).partition().to_owned();
        let items = self.query(&pk, "service/", "service/~").await?;
        let services = items.iter().filter_map(|item| match items::part_of(item)? {
            PartKey::Service(service) => Some((service, items::body(item, now)?)),
            _ => None,
        });
        Ok(services.collect())
    }

    /// The bodies of some parts, in the order in which they were asked for.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn bodies(
        &self,
        account: &str,
        keys: &[PartKey],
        now: Timestamp,
    ) -> Result<Vec<Option<Vec<u8>>>, StateError> {
        let mut bodies = Vec::with_capacity(keys.len());
        for chunk in keys.chunks(super::KEYS) {
            let items = self.get(account, chunk).await?;
            let of = |key: &PartKey| {
                items
                    .get(&Place::of(account, *key))
                    .and_then(|item| items::body(item, now))
            };
            bodies.extend(chunk.iter().map(of));
        }
        Ok(bodies)
    }

    /// The names of identities, as far as they are known.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn names(
        &self,
        account: &str,
        service: Service,
        who: &[Digest],
        now: Timestamp,
    ) -> Result<Vec<String>, StateError> {
        let keys: Vec<PartKey> = who.iter().map(|who| PartKey::Known(service, *who)).collect();
        let bodies = self.bodies(account, &keys, now).await?;
        let name = |(who, body): (&Digest, Option<Vec<u8>>)| {
            let identity = body.and_then(|body| tripmeter_detect::identity_of(service, *who, &body).ok().flatten());
            identity.map_or_else(|| format!("identity {:016x}", who.0), |identity| identity.id)
        };
        Ok(who.iter().zip(bodies).map(name).collect())
    }
}
