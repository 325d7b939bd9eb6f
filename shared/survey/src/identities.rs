//! Users and roles with their policies, and long-term credentials.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_iam::Client;
use aws_sdk_iam::operation::get_account_authorization_details::GetAccountAuthorizationDetailsOutput;
use aws_sdk_iam::primitives::DateTime;
use aws_sdk_iam::types::{AttachedPermissionsBoundary, AttachedPolicy, PolicyDetail, StatusType};
use tripmeter_doctor::{Key, Principal};
use tripmeter_model::Timestamp;

use crate::asker::Asker;
use crate::calls::Call;

/// Users whose access keys are listed: IAM takes one call each.
const USERS: usize = 2_000;

pub(crate) struct Identities {
    pub(crate) principals: Option<Vec<Principal>>,
    pub(crate) keys: Option<Vec<Key>>,
}

pub(crate) async fn read(asker: &Asker) -> Identities {
    let client = Client::new(asker.config());
    let pages = client.get_account_authorization_details().into_paginator().send();
    let pages = asker.all(Call::GetAccountAuthorizationDetails, None, pages).await;
    let users = pages.as_deref().map(users);
    Identities {
        principals: pages.as_deref().map(principals),
        keys: match users {
            Some(users) => keys(asker, &client, &users).await,
            None => None,
        },
    }
}

type Page = GetAccountAuthorizationDetailsOutput;

/// Names and ARNs of the users.
fn users(pages: &[Page]) -> BTreeMap<String, String> {
    let users = pages.iter().flat_map(Page::user_detail_list);
    let named = users.filter_map(|user| Some((user.user_name()?.to_owned(), user.arn()?.to_owned())));
    named.collect()
}

fn principals(pages: &[Page]) -> Vec<Principal> {
    let managed: HashMap<&str, String> = pages
        .iter()
        .flat_map(Page::policies)
        .filter_map(|policy| {
            let versions = policy.policy_version_list().iter();
            let document = versions
                .clone()
                .find(|version| version.is_default_version())?
                .document()?;
            Some((policy.arn()?, decoded(document)))
        })
        .collect();
    let mut groups: HashMap<&str, Vec<String>> = HashMap::new();
    for group in pages.iter().flat_map(Page::group_detail_list) {
        let own = documents(group.group_policy_list(), group.attached_managed_policies(), &managed);
        groups.insert(group.group_name().unwrap_or_default(), own);
    }
    let bounded_by = |boundary: Option<&AttachedPermissionsBoundary>| {
        let arn = boundary?.permissions_boundary_arn()?;
        Some(managed.get(arn).cloned().unwrap_or_default())
    };
    let users = pages.iter().flat_map(Page::user_detail_list).map(|user| {
        let mut policies = documents(user.user_policy_list(), user.attached_managed_policies(), &managed);
        let of_groups = user.group_list().iter().filter_map(|group| groups.get(group.as_str()));
        policies.extend(of_groups.flatten().cloned());
        Principal {
            arn: user.arn().unwrap_or_default().to_owned(),
            of_service: false,
            policies,
            boundary: bounded_by(user.permissions_boundary()),
        }
    });
    let roles = pages.iter().flat_map(Page::role_detail_list).map(|role| Principal {
        arn: role.arn().unwrap_or_default().to_owned(),
        of_service: role.path().unwrap_or_default().starts_with("/aws-service-role/"),
        policies: documents(role.role_policy_list(), role.attached_managed_policies(), &managed),
        boundary: bounded_by(role.permissions_boundary()),
    });
    users.chain(roles).collect()
}

fn documents(own: &[PolicyDetail], attached: &[AttachedPolicy], managed: &HashMap<&str, String>) -> Vec<String> {
    let own = own.iter().filter_map(|policy| policy.policy_document().map(decoded));
    let attached = attached
        .iter()
        .filter_map(|policy| managed.get(policy.policy_arn()?).cloned());
    own.chain(attached).collect()
}

/// IAM gives documents URL-encoded.
fn decoded(document: &str) -> String {
    let mut bytes = Vec::with_capacity(document.len());
    let mut rest = document.as_bytes();
    while let [first, tail @ ..] = rest {
        let digit = |byte: &u8| char::from(*byte).to_digit(16);
        rest = match (first, tail) {
            (b'%', [high, low, after @ ..]) if digit(high).is_some() && digit(low).is_some() => {
                let value = digit(high).zip(digit(low)).map_or(0, |(high, low)| high * 16 + low);
                bytes.push(value as u8);
                after
            }
            _ => {
                bytes.push(*first);
                tail
            }
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn keys(asker: &Asker, client: &Client, users: &BTreeMap<String, String>) -> Option<Vec<Key>> {
    let mut keys = Vec::new();
    if users.len() > USERS {
        asker.note(
            Call::ListAccessKeys,
            None,
            format!("of {} users, the first {USERS} were", users.len()),
        );
    }
    for (name, arn) in users.iter().take(USERS) {
        let pages = client
            .list_access_keys()
            .user_name(name)
            .into_paginator()
            .items()
            .send();
        let listed = asker.all(Call::ListAccessKeys, None, pages).await?;
        keys.extend(listed.iter().filter_map(|key| {
            Some(Key {
                user: arn.clone(),
                id: key.access_key_id()?.to_owned(),
                service: None,
                created: time(key.create_date()?),
                expires: None,
                active: key.status() == Some(&StatusType::Active),
            })
        }));
    }
    keys.extend(of_services(asker, client, users).await.unwrap_or_default());
    keys.sort_by(|a, b| a.created.cmp(&b.created).then_with(|| a.id.cmp(&b.id)));
    Some(keys)
}

async fn of_services(asker: &Asker, client: &Client, users: &BTreeMap<String, String>) -> Option<Vec<Key>> {
    let mut keys = Vec::new();
    let mut marker = None;
    loop {
        let request = client
            .list_service_specific_credentials()
            .all_users(true)
            .set_marker(marker);
        let page = asker.answer(Call::ListServiceSpecificCredentials, None, request.send().await)?;
        keys.extend(page.service_specific_credentials().iter().map(|key| {
            Key {
                user: users
                    .get(key.user_name())
                    .cloned()
                    .unwrap_or_else(|| key.user_name().to_owned()),
                id: key.service_specific_credential_id().to_owned(),
                service: Some(key.service_name().to_owned()),
                created: time(key.create_date()),
                expires: key.expiration_date().map(time),
                active: *key.status() == StatusType::Active,
            }
        }));
        marker = page.marker().map(str::to_owned);
        if marker.is_none() || !page.is_truncated() {
            return Some(keys);
        }
    }
}

fn time(time: &DateTime) -> Timestamp {
    Timestamp::from_seconds(time.secs())
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn documents_come_url_encoded_and_are_read_as_they_were_written() {
        assert_eq!(decoded("%7B%22Statement%22%3A%5B%5D%7D"), r#"{"Statement":[]}"#);
        assert_eq!(decoded(r#"{"Statement":[]}"#), r#"{"Statement":[]}"#);
        assert_eq!(decoded("100%"), "100%");
        assert_eq!(decoded("%zz%c3%a9"), "%zzé");
    }
}
