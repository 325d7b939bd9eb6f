//! The organisation, and the service control policies that bind the account.

use aws_sdk_organizations::Client;
use aws_sdk_organizations::error::ProvideErrorMetadata;
use aws_sdk_organizations::operation::list_policies_for_target::ListPoliciesForTargetOutput;
use aws_sdk_organizations::types::{ParentType, PolicyType};
use tripmeter_doctor::Organisation;

use crate::asker::Asker;
use crate::calls::Call;

/// Organisational units are nested five deep at the most, below the root.
const DEEPEST: usize = 6;

pub(crate) async fn read(asker: &Asker, account: &str) -> Option<Organisation> {
    let client = Client::new(asker.config());
    let answer = client.describe_organization().send().await;
    if let Err(error) = &answer
        && error.code() == Some("AWSOrganizationsNotInUseException")
    {
        return Some(Organisation::None);
    }
    let answer = asker.answer(Call::DescribeOrganization, None, answer)?;
    let management = answer
        .organization()
        .and_then(|organization| organization.master_account_id());
    if management == Some(account) {
        return Some(Organisation::Management);
    }
    Some(Organisation::Member(policies(asker, &client, account).await))
}

/// The policies of the account, its units and the root. Only the management account, and whom it lets, may read them.
async fn policies(asker: &Asker, client: &Client, account: &str) -> Option<Vec<String>> {
    let mut documents = Vec::new();
    let mut target = account.to_owned();
    for _ in 0..DEEPEST {
        documents.extend(attached(asker, client, &target).await?);
        let answer = client.list_parents().child_id(&target).send().await;
        let parents = asker.answer(Call::ListParents, None, answer)?;
        let parent = parents.parents().first()?;
        target = parent.id().unwrap_or_default().to_owned();
        if parent.r#type() == Some(&ParentType::Root) {
            documents.extend(attached(asker, client, &target).await?);
            break;
        }
    }
    Some(documents)
}

async fn attached(asker: &Asker, client: &Client, target: &str) -> Option<Vec<String>> {
    let request = client
        .list_policies_for_target()
        .target_id(target)
        .filter(PolicyType::ServiceControlPolicy);
    let pages = request.into_paginator().send();
    let pages = asker.all(Call::ListPoliciesForTarget, None, pages).await?;
    let mut documents = Vec::new();
    for policy in pages.iter().flat_map(ListPoliciesForTargetOutput::policies) {
        let answer = client
            .describe_policy()
            .policy_id(policy.id().unwrap_or_default())
            .send()
            .await;
        let answer = asker.answer(Call::DescribePolicy, None, answer)?;
        documents.extend(answer.policy().and_then(|policy| policy.content()).map(str::to_owned));
    }
    Some(documents)
}
