//! The OpenAI API: what its organisation's audit log says, and what is seen by comparing its limits.
//!
//! Source: OpenAI API reference, "Audit logs" and "Administration". Events under `tenant.` are listed there without a
//! payload: what they changed is not known, so that a change of a limit counts as a raise, and one of a control as its
//! weakening. A `spend_limit`, `spend_alert`, `model_permissions` or `project_rate_limit` has no event: these rows are
//! differences between two readings.

use tripmeter_model::{PolicyEffect, Service};

use crate::call::{About, Call, Rule, context, credential, guard, policy, service, spend};
use crate::parameters::{Parameters, text_of};
use crate::ruling::Ruling;

use PolicyEffect::{AccessEnabled, LimitRaised, PolicyOpened};

const ID: About = About::Resource(&["id"]);
const ROLE: Rule = Rule::Judged("grave when the role is owner or admin", role);
const SCOPES: Rule = Rule::Judged("grave when the scopes are all, or write", scopes);
const SCOPES_CHANGED: Rule = Rule::Judged("only when scopes are among the changes", scopes_changed);
const RAISED: Rule = Rule::Judged("only when a limit is above 1", limits_raised);

#[rustfmt::skip] // one event a line
pub(crate) const CALLS: &[Call] = &service(Service::OpenAi, &[], [
    // Keys, service accounts, identities of other clouds.
    credential("api_key.created", "a key of a project is made").when(SCOPES).about(ID),
    credential("api_key.updated", "a key's scopes are changed").when(SCOPES_CHANGED).about(ID),
    context("api_key.deleted", "a key is deleted").about(ID),
    credential("service_account.created", "a service account is made, with a key").when(ROLE).about(ID),
    credential("service_account.updated", "a service account's role is changed").when(ROLE).about(ID),
    context("service_account.deleted", "a service account is deleted").about(ID),
    credential("tenant.admin_api_key.created", "an admin key is made: it reaches everything").grave(),
    credential("tenant.admin_api_key.updated", "an admin key is changed").grave(),
    context("tenant.admin_api_key.deleted", "an admin key is deleted"),
    credential("tenant.project_api_key.created", "a key of a project is made"),
    credential("tenant.service_account.updated", "a service account is changed").routine(),
    context("tenant.service_account.deleted", "a service account is deleted"),
    context("tenant.service_account.token.revoked", "a token is revoked"),
    context("tenant.chatgpt_access_token.revoked", "a token is revoked"),
    credential("workload_identity_provider.created", "another identity provider's tokens are trusted").grave().about(ID),
    credential("workload_identity_provider.updated", "what is trusted of another identity provider is changed").about(ID),
    context("workload_identity_provider.deleted", "an identity provider is no longer trusted").about(ID),
    credential("workload_identity_provider_mapping.created", "outside identities become a service account").about(ID),
    credential("workload_identity_provider_mapping.updated", "which outside identities become a service account is changed").about(ID),
    context("workload_identity_provider_mapping.deleted", "outside identities no longer become a service account").about(ID),
    credential("tenant.workload_identity.provider.created", "another identity provider's tokens are trusted").grave(),
    credential("tenant.workload_identity.provider.updated", "what is trusted of another identity provider is changed"),
    context("tenant.workload_identity.provider.archived", "an identity provider is no longer trusted"),
    credential("tenant.workload_identity.mapping.created", "outside identities are mapped"),
    credential("tenant.workload_identity.mapping.updated", "how outside identities are mapped is changed"),
    context("tenant.workload_identity.mapping.archived", "outside identities are no longer mapped"),
    credential("tenant.workload_identity.binding.created", "an outside identity is bound"),
    credential("tenant.workload_identity.principal.provisioned", "an outside identity gets a principal").routine(),
    context("tenant.workload_identity.access_token.issued", "an outside identity takes a token"),

    // People and roles.
    credential("invite.sent", "somebody is invited").when(ROLE),
    context("invite.accepted", "an invitation is accepted").about(ID),
    context("invite.deleted", "an invitation is taken back").about(ID),
    credential("user.added", "somebody joins").when(ROLE),
    credential("user.updated", "somebody's role is changed").when(ROLE),
    context("user.deleted", "somebody leaves"),
    credential("role.created", "a role is made").when(Rule::Judged("grave when it may do everything, else routine", permissions)).about(ID),
    credential("role.updated", "a role's permissions are changed").when(Rule::Judged("only when permissions are added", permissions_added)).about(ID),
    context("role.deleted", "a role is deleted").about(ID),
    credential("role.assignment.created", "somebody is given a role").when(Rule::Judged("grave when the role is owner or admin", assignment)),
    context("role.assignment.deleted", "a role is taken from somebody"),
    credential("role.bound_to_resource", "a role gets hold of a resource").routine(),
    context("role.unbound_from_resource", "a role loses a resource"),
    context("group.created", "a group is made").about(ID),
    context("group.updated", "a group is renamed").about(ID),
    context("group.deleted", "a group is deleted").about(ID),
    context("tenant.group.created", "a group is made"),
    context("tenant.group.updated", "a group is changed"),
    context("tenant.group.deleted", "a group is deleted"),
    credential("tenant.group.member.added", "somebody joins a group").routine(),
    context("tenant.group.member.removed", "somebody leaves a group"),
    context("tenant.role.metadata.updated", "a role is renamed"),
    credential("tenant.custom_role.created", "a role is made").routine(),
    credential("tenant.custom_role.updated", "a role's permissions are changed"),
    context("tenant.custom_role.deleted", "a role is deleted"),
    credential("tenant.role_assignment.created", "somebody is given a role"),
    context("tenant.role_assignment.deleted", "a role is taken from somebody"),
    credential("tenant.resource_role_assignment.created", "somebody is given a role on a resource"),
    context("tenant.resource_role_assignment.deleted", "a role on a resource is taken from somebody"),
    credential("tenant.user.added", "somebody joins").when(ROLE),
    credential("tenant.user.updated", "somebody's role is changed").when(ROLE),
    context("tenant.user.removed", "somebody leaves"),
    context("tenant.user.looked_up", "somebody is looked up"),
    credential("tenant.user.invited", "somebody is invited").when(ROLE),
    context("tenant.membership.accepted", "an invitation is accepted"),
    context("tenant.membership.declined", "an invitation is declined"),
    context("tenant.membership.revoked", "somebody leaves"),
    credential("tenant.api_organization_invite.upserted", "somebody is invited to the API").when(ROLE),
    context("tenant.api_organization_invite.deleted", "an invitation is taken back"),
    context("tenant.chatgpt_workspace_invite.upserted", "somebody is invited to a workspace"),
    context("tenant.workspace_invite_email_settings.updated", "how invitations are mailed is changed"),

    // Limits, and what may be used.
    policy("rate_limit.updated", LimitRaised, "a project's rate limit is changed").when(RAISED).about(ID),
    policy("rate_limit.deleted", LimitRaised, "a project's own rate limit is removed").about(ID),
    policy("tenant.billing.overage_limit.updated", LimitRaised, "what may be spent beyond the plan is changed"),
    guard("tenant.billing.alerts.updated", "spend alerts are changed"),
    context("tenant.billing.info.updated", "billing details are changed"),
    policy("tenant.usage_limit.workspace.updated", LimitRaised, "a workspace's usage limit is changed"),
    policy("tenant.usage_limit.group.updated", LimitRaised, "a group's usage limit is changed"),
    policy("tenant.usage_limit.user.updated", LimitRaised, "a user's usage limit is changed"),
    policy("tenant.usage_limit.increase_request.updated", LimitRaised, "a higher usage limit is asked for"),
    policy("tenant.usage_limit.increase_request.resolved", LimitRaised, "a higher usage limit is decided on"),
    policy("tenant.product_access_policy.updated", AccessEnabled, "who may use which product is changed"),
    policy("tenant.trusted_access.business_verification.started", AccessEnabled, "access to more is asked for"),
    policy("tenant.trusted_access.application.submitted", AccessEnabled, "access to more is asked for"),
    policy("project.created", AccessEnabled, "a project is made").routine().about(ID),
    context("project.updated", "a project is renamed").about(ID),
    context("project.archived", "a project is archived: its keys end").about(ID),
    context("project.deleted", "a project is deleted").about(ID),
    policy("checkpoint.permission.created", PolicyOpened, "a project may use a model's checkpoint").about(ID),
    context("checkpoint.permission.deleted", "a project may no longer use a model's checkpoint").about(ID),
    policy("tenant.resource_access.updated", PolicyOpened, "who may reach a resource is changed"),
    context("tenant.resource_access.deleted", "somebody may no longer reach a resource"),
    policy("tenant.resource_share_grant.created", PolicyOpened, "a resource is shared"),
    policy("tenant.resource_share_grant.updated", PolicyOpened, "how a resource is shared is changed"),
    policy("tenant.resource_share_grant.accepted", PolicyOpened, "a shared resource is taken"),
    context("tenant.resource_share_grant.declined", "a shared resource is declined"),
    context("tenant.resource_share_grant.revoked", "a resource is shared no longer"),
    context("tenant.resource_share_grant.deleted", "a resource is shared no longer"),
    policy("tunnel.created", PolicyOpened, "a tunnel is made").about(ID),
    policy("tunnel.updated", PolicyOpened, "a tunnel is changed").about(ID),
    context("tunnel.deleted", "a tunnel is deleted").about(ID),
    policy("external_storage.registered", PolicyOpened, "files go to a storage outside").about(ID),
    context("external_storage.removed", "files go to a storage outside no longer").about(ID),
    policy("tenant.third_party_app_policy.updated", PolicyOpened, "which outside applications may connect is changed"),

    // What watches and what locks.
    guard("organization.updated", "call logging is switched off or cut").when(Rule::Judged("only when api_call_logging is disabled or selective", call_logging)).about(ID),
    policy("ip_allowlist.created", PolicyOpened, "addresses are allowed").when(Rule::Judged("a grave guardrail removal when everything is allowed", allowed)).about(ID),
    policy("ip_allowlist.updated", PolicyOpened, "allowed addresses are changed").when(Rule::Judged("a grave guardrail removal when everything is allowed", allowed)).about(ID),
    guard("ip_allowlist.deleted", "a list of allowed addresses is deleted").about(ID),
    context("ip_allowlist.config.activated", "addresses are restricted").about(ID),
    guard("ip_allowlist.config.deactivated", "addresses are restricted no longer").grave(),
    context("certificate.created", "a certificate is uploaded").about(ID),
    context("certificate.updated", "a certificate is renamed").about(ID),
    guard("certificate.deleted", "a client certificate is demanded no longer").about(ID),
    policy("certificates.activated", PolicyOpened, "clients with a certificate are let in"),
    guard("certificates.deactivated", "a client certificate is demanded no longer"),
    context("external_key.registered", "data is encrypted with a key of one's own").about(ID),
    guard("external_key.removed", "data is no longer encrypted with a key of one's own").about(ID),
    context("scim.enabled", "people come from a directory").about(ID),
    guard("scim.disabled", "people come from a directory no longer").about(ID),
    context("tenant.scim.setup.started", "people are to come from a directory"),
    guard("tenant.scim.deletion.requested", "people are to come from a directory no longer"),
    context("tenant.scim.directory.created", "people come from a directory"),
    policy("tenant.sso_connection.created", PolicyOpened, "another identity provider signs people in"),
    policy("tenant.sso_connection.updated", PolicyOpened, "who signs people in is changed"),
    guard("tenant.sso_connection.deleted", "an identity provider signs people in no longer").grave(),
    context("tenant.sso_connection.setup.started", "single sign-on is being set up"),
    context("tenant.sso.migrated", "single sign-on is migrated"),
    context("tenant.domains.migrated", "domains are migrated"),
    policy("tenant.microsoft_entra_mapping.upserted", PolicyOpened, "a Microsoft tenant is mapped"),
    context("tenant.microsoft_entra_mapping.deleted", "a Microsoft tenant is mapped no longer"),
    context("tenant.policy.created", "a policy is made"),
    policy("tenant.policy.updated", PolicyOpened, "a policy is changed"),
    guard("tenant.policy.deleted", "a policy is deleted"),
    credential("tenant.policy.attached", "somebody gets a policy"),
    guard("tenant.policy.detached", "a policy is taken from somebody"),
    context("tenant.principal_authentication_policy.resolved", "how somebody must sign in is looked up"),
    context("tenant.session_policy.created", "sessions are restricted"),
    guard("tenant.session_policy.updated", "how sessions are restricted is changed"),
    guard("tenant.session_policy.deleted", "sessions are restricted no longer"),
    context("tenant.session_revocation.started", "sessions are ended"),

    // The rest.
    context("login.succeeded", "somebody signs in"),
    spend("login.failed", "somebody fails to sign in"),
    context("logout.succeeded", "somebody signs out"),
    context("logout.failed", "somebody fails to sign out"),
    context("resource.deleted", "a resource is deleted").about(ID),
    context("tenant.metadata.updated", "the organisation is renamed"),
    context("tenant.migration.completed", "the organisation is migrated"),
    context("tenant.migration_rollout.status.updated", "OpenAI migrates the organisation"),
    context("tenant.migration_rollout.tier.updated", "OpenAI migrates the organisation"),
    context("tenant.ads_account.onboarding.redemption", "an advertising account is opened"),

    // What no event says, seen by comparing.
    policy("spend_limit.raised", LimitRaised, "a hard spend limit is higher than it was").about(ID),
    policy("spend_limit.removed", LimitRaised, "a hard spend limit is there no longer").about(ID),
    guard("spend_alert.raised", "a spend alert speaks later than it did").about(ID),
    guard("spend_alert.removed", "a spend alert is there no longer").about(ID),
    guard("spend_alert.redirected", "a spend alert tells somebody no longer").about(ID),
    policy("model_permissions.widened", AccessEnabled, "a project may use more models than it might").about(ID),
    policy("project_rate_limit.raised", LimitRaised, "a project's rate limit is higher than it was").about(ID),
    context("limits.tightened", "a limit is lower than it was, or is there anew").about(ID),

    // What AWS tells of a secret that holds a key.
    credential("secret.read", "an AWS secret that holds a key is read by somebody who never read it"),

    // Use, as usage reports have it.
    spend("completions", "tokens of models that answer").about(About::Model(&["model"])),
    spend("embeddings", "tokens that are embedded").about(About::Model(&["model"])),
    spend("moderations", "tokens that are moderated").about(About::Model(&["model"])),
    spend("decisions", "tokens of decisions").about(About::Model(&["model"])),
    spend("images", "images that are made").about(About::Model(&["model"])),
    spend("audio_speeches", "characters that are spoken").about(About::Model(&["model"])),
    spend("audio_transcriptions", "seconds that are written down").about(About::Model(&["model"])),
    spend("vector_stores", "bytes that are stored"),
    spend("code_interpreter_sessions", "sessions that run code"),
    spend("file_search_calls", "searches in files"),
    spend("web_search_calls", "searches in the web").about(About::Model(&["model"])),
]);

/// A role that may do everything: people, keys and limits are in its hands.
fn is_powerful(role: &str) -> bool {
    let role = role.to_ascii_lowercase();
    ["owner", "admin"].iter().any(|word| role.contains(word))
}

/// A member or reader is every day's.
fn role(parameters: &Parameters, row: Ruling) -> Ruling {
    let Some(role) = parameters.first_text(&["data.role", "changes_requested.role", "role"]) else {
        return row.routine();
    };
    let row = row.valued(role.to_ascii_lowercase());
    if is_powerful(&role) { row.grave() } else { row.routine() }
}

/// A role is named by its id alone: `role-api-organization-owner`, or one of the organisation's own.
fn assignment(parameters: &Parameters, row: Ruling) -> Ruling {
    let named = parameters.first_text(&["id", "role_id"]).unwrap_or_default();
    let kind = parameters.text("resource_type").unwrap_or_default();
    let row = row.valued(kind.to_ascii_lowercase());
    if is_powerful(&named) { row.grave() } else { row }
}

/// Without any scope a key has its project's: all.
fn scopes(parameters: &Parameters, row: Ruling) -> Ruling {
    let granted = parameters.all("data.scopes.*");
    if granted.is_empty() || granted.into_iter().filter_map(text_of).any(|scope| is_broad(&scope)) {
        return row.valued("all").grave();
    }
    row.valued("some")
}

fn scopes_changed(parameters: &Parameters, row: Ruling) -> Ruling {
    let Some(changed) = parameters.get("changes_requested.scopes") else {
        return row.context();
    };
    let every = changed.as_array().is_some_and(Vec::is_empty);
    let granted = parameters.all("changes_requested.scopes.*");
    if every || granted.into_iter().filter_map(text_of).any(|scope| is_broad(&scope)) {
        return row.valued("all").grave();
    }
    row.valued("some")
}

/// `api.model.request` calls models; what manages or writes reaches further.
fn is_broad(scope: &str) -> bool {
    let scope = scope.to_ascii_lowercase();
    scope
        .split(['.', ':', '_'])
        .any(|word| matches!(word, "all" | "*" | "write" | "manage" | "management" | "admin" | "full"))
}

fn permissions(parameters: &Parameters, row: Ruling) -> Ruling {
    let mut granted = parameters.all("permissions.*").into_iter().filter_map(text_of);
    if granted.any(|permission| is_broad(&permission)) {
        row.grave()
    } else {
        row.routine()
    }
}

fn permissions_added(parameters: &Parameters, row: Ruling) -> Ruling {
    if parameters.known() && parameters.is_empty("changes_requested.permissions_added") {
        return row.context();
    }
    let added = parameters.all("changes_requested.permissions_added.*");
    if added
        .into_iter()
        .filter_map(text_of)
        .any(|permission| is_broad(&permission))
    {
        return row.grave();
    }
    row
}

/// A limit of at most one a minute is a door that closes.
fn limits_raised(parameters: &Parameters, row: Ruling) -> Ruling {
    let limits = parameters.all("changes_requested.*");
    let numbers: Vec<f64> = limits
        .into_iter()
        .filter_map(text_of)
        .filter_map(|limit| limit.parse().ok())
        .collect();
    if !numbers.is_empty() && numbers.iter().all(|limit| *limit <= 1.0) {
        return row.valued("closed").context();
    }
    row
}

fn call_logging(parameters: &Parameters, row: Ruling) -> Ruling {
    match parameters.text("changes_requested.api_call_logging").as_deref() {
        // Other projects are logged than were, and who is left out is not said.
        None if parameters
            .get("changes_requested.api_call_logging_project_ids")
            .is_some() =>
        {
            row.valued("projects")
        }
        None => row.context(),
        Some("enabled_for_all_projects") => row.valued("enabled").context(),
        Some("disabled") => row.valued("disabled").grave(),
        Some(other) => row.valued(other),
    }
}

/// A list that allows everything restricts nothing; so do its halves, and a list with nothing in it.
fn allowed(parameters: &Parameters, row: Ruling) -> Ruling {
    let ranges = parameters.all("allowed_ips.*");
    let emptied = ranges.is_empty() && parameters.get("allowed_ips").is_some();
    if emptied || ranges.into_iter().filter_map(text_of).any(|range| is_wide(&range)) {
        return row.removes_guard().grave();
    }
    row
}

/// More addresses than anybody has: at least a 256th of IPv4, or of IPv6.
fn is_wide(range: &str) -> bool {
    let bits = range
        .trim()
        .rsplit_once('/')
        .and_then(|(_, bits)| bits.parse::<u8>().ok());
    bits.is_some_and(|bits| bits <= 8)
}
