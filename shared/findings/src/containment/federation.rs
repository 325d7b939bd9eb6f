//! Shutting out whom a role, a provider or a permission set lets in.

use tripmeter_model::{Finding, Service};

use super::{MAX_COMMANDS, Step, in_regions, targets};
use crate::shell::{Command, argument};
use crate::words;

/// Takes back what lets somebody in from outside the account.
pub(super) fn shut_out(finding: &Finding) -> Option<Step> {
    match finding.finding_type.service {
        Service::IdentityCenter => Some(Step::new(
            "In IAM Identity Center: take back the assignment or grant that nobody asked for (aws sso-admin \
             delete-account-assignment, detach-managed-policy-from-permission-set)",
            in_regions(finding, &["aws", "sso-admin", "list-instances"]),
            "nothing by itself; whom it let in loses that access",
        )),
        Service::RolesAnywhere => Some(Step::new(
            "See which authorities are let in, and shut out what nobody asked for (aws rolesanywhere \
             disable-trust-anchor)",
            in_regions(finding, &["aws", "rolesanywhere", "list-trust-anchors"]),
            "nothing by itself; machines with that authority's certificates lose their access",
        )),
        _ => trusts(finding).or_else(|| providers(finding)),
    }
}

/// Roles that let in somebody else, by name.
fn trusts(finding: &Finding) -> Option<Step> {
    if finding.linked.is_empty() {
        return None;
    }
    let admitted: Vec<String> = finding
        .linked
        .iter()
        .take(MAX_COMMANDS)
        .map(|id| words::shown(id))
        .collect();
    let roles = targets(finding).filter(|target| target.contains(":role/"));
    let roles = roles.filter_map(|role| role.rsplit('/').next().and_then(argument));
    let commands = roles.map(|role| Command::new(["aws", "iam", "get-role", "--role-name", role]));
    Some(Step::new(
        format!(
            "Unless you know {}: take it out of the role's trust policy (aws iam update-assume-role-policy)",
            admitted.join(", ")
        ),
        commands.collect(),
        "nothing; whoever is taken out opens no more sessions, those that are open live on",
    ))
}

/// Directories and issuers whose people and tokens are let in.
fn providers(finding: &Finding) -> Option<Step> {
    let has = |word: &str| finding.evidence.calls.iter().any(|call| call.value.contains(word));
    let mut commands = Vec::new();
    if has("SAMLProvider") {
        commands.push(Command::new(["aws", "iam", "list-saml-providers"]));
    }
    if has("OpenIDConnectProvider") {
        commands.push(Command::new(["aws", "iam", "list-open-id-connect-providers"]));
    }
    (!commands.is_empty()).then(|| {
        Step::new(
            "See which directories and issuers are let in, and delete what nobody asked for (aws iam delete-saml-provider, \
             delete-open-id-connect-provider)",
            commands,
            "nothing by itself; whoever signs in there loses the roles that trust it",
        )
    })
}
