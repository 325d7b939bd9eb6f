//! Who is let in without a key of the account: people and groups by IAM Identity Center (`sso.amazonaws.com`), machines
//! that show a certificate by IAM Roles Anywhere (`rolesanywhere.amazonaws.com`).
//!
//! Source: the API references of these services; "Logging IAM Identity Center API calls with AWS CloudTrail".

use tripmeter_model::Service;

use crate::call::{About, Call, Rule, context, credential, service};
use crate::parameters::Parameters;
use crate::policy_document::managed_reaches;
use crate::ruling::Ruling;

const PERMISSION_SET: About = About::Resource(&["permissionSetArn"]);
const ATTACHED: Rule = Rule::Judged(
    "grave when the policy reaches a watched service or everything, else routine",
    attached,
);
const WRITTEN: Rule = Rule::Judged(
    "grave when the document allows a watched service or everything, context when it only denies, else routine",
    written,
);

#[rustfmt::skip] // one call a line
pub(crate) const IDENTITY_CENTER: &[Call] = &service(
    Service::IdentityCenter,
    &["sso-admin"],
    [
        credential("CreateAccountAssignment", "lets a person or group into an account").about(PERMISSION_SET),
        credential("AttachManagedPolicyToPermissionSet", "grants people a managed policy")
            .about(PERMISSION_SET).when(ATTACHED),
        credential("AttachCustomerManagedPolicyReferenceToPermissionSet", "grants people a policy of the account")
            .about(PERMISSION_SET).routine(),
        credential("PutInlinePolicyToPermissionSet", "grants people what a document says")
            .about(PERMISSION_SET).when(WRITTEN),
        credential("DeletePermissionsBoundaryFromPermissionSet", "lets people do more than their boundary")
            .about(PERMISSION_SET),
        credential("CreateTrustedTokenIssuer", "lets another issuer's tokens in").grave(),
        context("DeleteAccountAssignment", "a person or group shut out of an account").about(PERMISSION_SET),
        context("DeleteInlinePolicyFromPermissionSet", "a grant removed").about(PERMISSION_SET),
        context("DetachManagedPolicyFromPermissionSet", "a grant removed").about(PERMISSION_SET),
    ],
);

const ANCHOR: About = About::Resource(&["trustAnchorId", "name"]);
const PROFILE: About = About::Resource(&["profileId", "name"]);

#[rustfmt::skip] // one call a line
pub(crate) const ROLES_ANYWHERE: &[Call] = &service(
    Service::RolesAnywhere,
    &["rolesanywhere"],
    [
        credential("CreateTrustAnchor", "lets in whoever holds a certificate of this authority").about(ANCHOR).grave(),
        credential("UpdateTrustAnchor", "changes whose certificates are let in").about(ANCHOR).grave(),
        credential("EnableTrustAnchor", "lets an authority's certificates in again").about(ANCHOR),
        credential("CreateProfile", "says which roles a certificate opens").about(PROFILE),
        credential("UpdateProfile", "changes which roles a certificate opens").about(PROFILE),
        context("DisableTrustAnchor", "an authority's certificates shut out").about(ANCHOR),
        context("DeleteTrustAnchor", "an authority's certificates shut out").about(ANCHOR),
        context("DeleteProfile", "roles shut to certificates").about(PROFILE),
    ],
);

fn attached(parameters: &Parameters, row: Ruling) -> Ruling {
    let arn = parameters.text("managedPolicyArn").unwrap_or_default();
    let name = arn.rsplit('/').next().unwrap_or_default();
    let row = row.valued(name);
    if managed_reaches(name) {
        row.grave()
    } else {
        row.routine()
    }
}

fn written(parameters: &Parameters, row: Ruling) -> Ruling {
    row.granting(parameters.get("inlinePolicy"))
}

#[cfg(test)]
mod tests {
    use tripmeter_model::{Kind, Target};

    use super::*;
    use crate::testing::call;

    #[test]
    fn somebody_let_into_an_account_is_a_credential_about_the_permission_set() {
        let assigned = call(
            Service::IdentityCenter,
            "CreateAccountAssignment",
            r#"{"targetId":"444455556666","permissionSetArn":"arn:aws:sso:::permissionSet/ssoins-1/ps-1","principalId":"g-1"}"#,
        );
        assert_eq!((assigned.kind, assigned.routine), (Kind::CredentialIssue, false));
        assert_eq!(
            assigned.target,
            Some(Target::Resource("permissionSet/ssoins-1/ps-1".into()))
        );
    }

    #[test]
    fn a_permission_set_is_what_it_grants() {
        let attach = |policy: &str| {
            let parameters =
                format!(r#"{{"permissionSetArn":"p","managedPolicyArn":"arn:aws:iam::aws:policy/{policy}"}}"#);
            call(
                Service::IdentityCenter,
                "AttachManagedPolicyToPermissionSet",
                &parameters,
            )
        };
        assert!(attach("AdministratorAccess").grave);
        assert!(attach("AmazonSESReadOnlyAccess").routine);
        let put = |effect: &str| {
            let document = format!(r#"{{"Statement":[{{"Effect":"{effect}","Action":"bedrock:*","Resource":"*"}}]}}"#);
            let parameters = serde_json::json!({"permissionSetArn": "p", "inlinePolicy": document}).to_string();
            call(Service::IdentityCenter, "PutInlinePolicyToPermissionSet", &parameters)
        };
        assert!(put("Allow").grave);
        assert_eq!(put("Deny").kind, Kind::Context);
    }

    #[test]
    fn an_authority_let_in_is_grave_and_one_shut_out_is_context() {
        let made = call(
            Service::RolesAnywhere,
            "CreateTrustAnchor",
            r#"{"name":"build-machines"}"#,
        );
        assert_eq!((made.kind, made.grave), (Kind::CredentialIssue, true));
        let off = call(Service::RolesAnywhere, "DisableTrustAnchor", r#"{"trustAnchorId":"a"}"#);
        assert_eq!(off.kind, Kind::Context);
    }
}
