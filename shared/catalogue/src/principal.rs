//! Principals that a call creates, grants, gives a key or becomes, under the same durable ids as callers have.

use std::borrow::Cow;

use serde_json::Value;
use tripmeter_model::{Identity, MAX_TEXT, bounded};

use crate::call::About;
use crate::parameters::{Parameters, member};
use crate::policy_document::{self, Admitted};

/// What is needed to write an ARN of the account.
pub(crate) struct Place<'a> {
    pub(crate) account: &'a str,
    pub(crate) region: &'a str,
    pub(crate) caller: &'a Identity,
}

impl Place<'_> {
    /// `aws`, `aws-cn`, `aws-us-gov` ...: the caller's, else the region's.
    fn partition(&self) -> &str {
        let of_caller = self
            .caller
            .id
            .strip_prefix("arn:")
            .and_then(|rest| rest.split(':').next());
        of_caller.filter(|p| !p.is_empty()).unwrap_or(match self.region {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        })
    }

    fn iam(&self, account: &str, resource: &str) -> String {
        format!("arn:{}:iam::{account}:{resource}", self.partition())
    }
}

/// The durable id of the principal that the call is about, if it is about one: the ARN of the answer (which has the
/// path), else one written from account and name, else the one that a denial names.
pub(crate) fn of(
    about: About,
    parameters: &Parameters,
    response: Option<&str>,
    denied: Option<&str>,
    place: &Place<'_>,
) -> Option<String> {
    let named = |kind: &str, path: &str| {
        answered(response, kind)
            .or_else(|| {
                parameters
                    .text(path)
                    .map(|name| place.iam(place.account, &format!("{kind}/{name}")))
            })
            .or_else(|| {
                denied
                    .filter(|arn| arn.contains(&format!(":{kind}/")))
                    .map(str::to_owned)
            })
    };
    let id = match about {
        About::User(path) => named("user", path).or_else(|| Some(place.caller.id.clone())),
        About::Role(path) => named("role", path),
        About::Group(path) => named("group", path),
        About::BecomesRole(path) => parameters
            .text(path)
            .map(Cow::into_owned)
            .or_else(|| denied.map(str::to_owned))
            .filter(|arn| arn.contains(":role/"))
            .map(|arn| with_person(arn, parameters)),
        About::BecomesFederatedUser(path) => answered(response, "federatedUser").or_else(|| {
            let name = parameters.text(path)?;
            Some(format!(
                "arn:{}:sts::{}:federated-user/{name}",
                place.partition(),
                place.account
            ))
        }),
        About::BecomesRoot(path) => parameters.text(path).map(|target| {
            // The target is an account id, or an ARN of the account.
            let account = target.split(':').find(|part| part.len() == 12).unwrap_or(&target);
            place.iam(account, "root")
        }),
        _ => None,
    }?;
    Some(bounded(&id, MAX_TEXT * 4))
}

/// Principals of a resource that are let in by one call, at the most.
const MAX_LET_IN: usize = 16;

/// The names that IAM, SES, SNS, Bedrock and SMS give to a policy document that names principals.
const DOCUMENTS: [&str; 5] = [
    "policy",
    "resourcePolicy",
    "attributeValue",
    "policyDocument",
    "assumeRolePolicyDocument",
];
/// The names that SNS gives to the accounts that it lets in.
const ACCOUNTS: [&str; 2] = ["aWSAccountId", "aWSAccountIds"];

/// Whom a change of a resource's or role's policy lets in at the most, seen from the account; `None` where nothing says.
pub(crate) fn admitted(parameters: &Parameters, account: &str) -> Option<Admitted> {
    let documents = DOCUMENTS.iter().filter_map(|path| parameters.get(path));
    let admitted = documents.filter_map(|document| policy_document::admits(document, account));
    let accounts = ACCOUNTS.iter().filter_map(|path| parameters.get(path)).flat_map(named);
    admitted
        .chain(accounts.map(|id| if id == account { Admitted::Own } else { Admitted::Others }))
        .max()
}

/// The accounts that a parameter names: a list, or one.
fn named(value: &Value) -> Vec<String> {
    match value {
        Value::Array(list) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Value::String(one) => vec![one.clone()],
        _ => Vec::new(),
    }
}

/// Whom a change of a resource's policy lets in: the principals of the policy document, or the accounts that are named.
pub(crate) fn let_in(parameters: &Parameters) -> Vec<String> {
    let documents = DOCUMENTS
        .iter()
        .filter_map(|path| parameters.get(path))
        .flat_map(policy_document::lets_in);
    let accounts = ACCOUNTS.iter().filter_map(|path| parameters.get(path)).flat_map(named);
    documents
        .chain(accounts)
        .take(MAX_LET_IN)
        .map(|id| bounded(&id, MAX_TEXT))
        .collect()
}

/// A permission set's role is one identity for each person who uses it, as callers are.
fn with_person(role: String, parameters: &Parameters) -> String {
    let permission_set = role
        .rsplit('/')
        .next()
        .is_some_and(|name| name.starts_with("AWSReservedSSO_"));
    match parameters.text("roleSessionName") {
        Some(person) if permission_set => format!("{role}#{person}"),
        _ => role,
    }
}

/// The id of the credential that the answer holds: of an access key, or of a service's own.
pub(crate) fn issued(response: Option<&str>) -> Option<String> {
    const CREDENTIALS: [(&str, &str); 2] = [
        ("accessKey", "accessKeyId"),
        ("serviceSpecificCredential", "serviceSpecificCredentialId"),
    ];
    let response: Value = serde_json::from_str(response?).ok()?;
    let id = CREDENTIALS
        .iter()
        .find_map(|(kind, id)| member(member(&response, kind)?, id)?.as_str())?;
    (!id.is_empty()).then(|| bounded(id, 128))
}

/// `responseElements.user.arn` and the like.
fn answered(response: Option<&str>, kind: &str) -> Option<String> {
    let response: Value = serde_json::from_str(response?).ok()?;
    let arn = member(member(&response, kind)?, "arn")?.as_str()?;
    arn.starts_with("arn:").then(|| arn.to_owned())
}
