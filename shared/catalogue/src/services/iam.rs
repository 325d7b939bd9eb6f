//! AWS Identity and Access Management: what issues or widens credentials.
//!
//! Records are in us-east-1. Source: IAM API reference; "Logging IAM and AWS STS API calls with AWS CloudTrail".

use tripmeter_model::{PolicyEffect::AccessEnabled, Service};

use crate::call::{About, Call, Rule, context, credential, guard, policy, service};
use crate::parameters::Parameters;
use crate::policy_document::{managed_reaches, reaches};
use crate::ruling::Ruling;

const USER: About = About::User("userName");
const ROLE: About = About::Role("roleName");
const GROUP: About = About::Group("groupName");
const POLICY: About = About::Resource(&["policyArn", "policyName"]);

const ATTACHED: Rule = Rule::Judged(
    "a leaked key for AWS's quarantine, context for AWSDenyAll, grave when it reaches a watched service, else routine",
    attached,
);
const DETACHED: Rule = Rule::Judged("only when AWS's quarantine is taken off", detached);
const WRITTEN: Rule = Rule::Judged(
    "grave when the document allows a watched service or everything, else routine",
    written,
);
const SERVICE_CREDENTIAL: Rule = Rule::Judged("grave for Bedrock or Claude Platform, else routine", service_credential);
const ACTIVE: Rule = Rule::Holds("status", &["Active"]);

#[rustfmt::skip] // one call a line
pub(crate) const CALLS: &[Call] = &service(
    Service::Iam,
    &["iam"],
    [
        // Keys and passwords.
        credential("CreateAccessKey", "issues a long-term key").about(USER),
        credential("UpdateAccessKey", "switches a key on").about(USER).when(ACTIVE),
        credential("CreateLoginProfile", "gives a user a console password").about(USER),
        credential("UpdateLoginProfile", "changes a user's console password").about(USER),
        credential("CreateServiceSpecificCredential", "issues an API key of a service")
            .about(USER).when(SERVICE_CREDENTIAL),
        credential("ResetServiceSpecificCredential", "issues an API key anew").about(USER),
        credential("UpdateServiceSpecificCredential", "switches an API key on").about(USER).when(ACTIVE),
        credential("UploadSSHPublicKey", "gives a user another key").about(USER).routine(),
        credential("UploadSigningCertificate", "gives a user another key").about(USER).routine(),
        credential("DeactivateMFADevice", "lets a user in without a second factor").about(USER),
        // Principals.
        credential("CreateUser", "makes a user").about(USER),
        credential("CreateRole", "makes a role").about(ROLE).routine(),
        credential("AddUserToGroup", "gives a user what a group may").about(USER),
        credential("UpdateAssumeRolePolicy", "changes who may become a role").about(ROLE),
        credential("CreateSAMLProvider", "lets another directory's people in"),
        credential("UpdateSAMLProvider", "changes whose people are let in"),
        credential("CreateOpenIDConnectProvider", "lets another issuer's tokens in"),
        credential("AcceptDelegationRequest", "grants what an outside service asked for"),
        // Grants.
        credential("AttachUserPolicy", "grants a user a managed policy").about(USER).when(ATTACHED),
        credential("AttachRolePolicy", "grants a role a managed policy").about(ROLE).when(ATTACHED),
        credential("AttachGroupPolicy", "grants a group a managed policy").about(GROUP).when(ATTACHED),
        credential("PutUserPolicy", "grants a user what a document says").about(USER).when(WRITTEN),
        credential("PutRolePolicy", "grants a role what a document says").about(ROLE).when(WRITTEN),
        credential("PutGroupPolicy", "grants a group what a document says").about(GROUP).when(WRITTEN),
        credential("CreatePolicy", "writes a policy").about(POLICY).when(WRITTEN),
        credential("CreatePolicyVersion", "rewrites a policy").about(POLICY).when(WRITTEN),
        credential("SetDefaultPolicyVersion", "brings another version of a policy into force").about(POLICY),
        credential("DeleteUserPermissionsBoundary", "lets a user do more than its boundary").about(USER),
        credential("DeleteRolePermissionsBoundary", "lets a role do more than its boundary").about(ROLE),
        policy("EnableOutboundWebIdentityFederation", AccessEnabled, "opens Claude Platform to the account's identities"),
        // The quarantine that AWS puts a leaked key in.
        guard("DetachUserPolicy", "takes a leaked key out of quarantine").about(USER).grave().when(DETACHED),
        guard("DetachRolePolicy", "takes a leaked key out of quarantine").about(ROLE).grave().when(DETACHED),
        guard("DetachGroupPolicy", "takes a leaked key out of quarantine").about(GROUP).grave().when(DETACHED),
        // A responder at work, or ordinary housekeeping.
        context("DeleteAccessKey", "a key removed").about(USER),
        context("DeleteServiceSpecificCredential", "an API key removed").about(USER),
        context("DeleteLoginProfile", "a console password removed").about(USER),
        context("DeleteUser", "a user removed").about(USER),
        context("DeleteRole", "a role removed").about(ROLE),
        context("DeleteUserPolicy", "a grant removed").about(USER),
        context("DeleteRolePolicy", "a grant removed").about(ROLE),
        context("DeleteGroupPolicy", "a grant removed").about(GROUP),
        context("RemoveUserFromGroup", "a user removed from a group").about(USER),
        context("PutUserPermissionsBoundary", "a user held within a boundary").about(USER),
        context("PutRolePermissionsBoundary", "a role held within a boundary").about(ROLE),
        context("DisableOutboundWebIdentityFederation", "services outside AWS closed"),
        context("ListServiceSpecificCredentials", "which API keys there are").about(USER).reads(),
    ],
);

fn is_quarantine(arn: &str) -> bool {
    arn.contains(":aws:policy/AWSCompromisedKeyQuarantine")
}

fn attached(parameters: &Parameters, row: Ruling) -> Ruling {
    let arn = parameters.text("policyArn").unwrap_or_default();
    let name = arn.rsplit('/').next().unwrap_or_default();
    let row = row.valued(name);
    if is_quarantine(&arn) {
        row.leaked_key()
    } else if name.eq_ignore_ascii_case("AWSDenyAll") {
        row.context()
    } else if managed_reaches(name) {
        row.grave()
    } else {
        row.routine()
    }
}

fn detached(parameters: &Parameters, row: Ruling) -> Ruling {
    match parameters.text("policyArn") {
        Some(arn) if !is_quarantine(&arn) => row.context(),
        _ => row,
    }
}

fn written(parameters: &Parameters, row: Ruling) -> Ruling {
    let reached = parameters.get("policyDocument").map(reaches).unwrap_or_default();
    if reached.is_empty() {
        row.routine()
    } else {
        row.valued(reached.join(",")).grave()
    }
}

fn service_credential(parameters: &Parameters, row: Ruling) -> Ruling {
    let name = parameters.text("serviceName").unwrap_or_default().to_ascii_lowercase();
    let row = match name.as_str() {
        "" => row,
        name if name.starts_with("bedrock") || name.starts_with("aws-external-anthropic") => row.grave(),
        _ => row.routine(),
    };
    row.valued(name)
}
