//! AWS Identity and Access Management: what issues or widens credentials.
//!
//! Records are in us-east-1. Source: IAM API reference; "Logging IAM and AWS STS API calls with AWS CloudTrail".

use tripmeter_model::{PolicyEffect::AccessEnabled, Service};

use crate::call::{About, Call, Rule, context, credential, guard, policy, service};
use crate::parameters::Parameters;
use crate::policy_document::managed_reaches;
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
    "grave when the document allows a watched service or everything, context when it only denies, else routine",
    written,
);
const TRUSTED: Rule = Rule::Judged(
    "grave when the document lets in another account or everybody, context when it only denies, else routine",
    trusted,
);
const SERVICE_CREDENTIAL: Rule = Rule::Judged("grave for Bedrock or Claude Platform, else routine", service_credential);
const API_KEY_USER: Rule = Rule::Judged(
    "grave when it is made to hold an API key of Bedrock or Claude Platform",
    new_user,
);
const ISSUER: Rule = Rule::Judged("grave unless the issuer is an EKS cluster", issuer);
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
        credential("CreateUser", "makes a user").about(USER).when(API_KEY_USER),
        credential("CreateRole", "makes a role").about(ROLE).routine().when(TRUSTED),
        credential("AddUserToGroup", "gives a user what a group may").about(USER),
        credential("UpdateAssumeRolePolicy", "changes who may become a role").about(ROLE).when(TRUSTED),
        credential("CreateSAMLProvider", "lets another directory's people in").grave(),
        credential("UpdateSAMLProvider", "changes whose people are let in").grave(),
        credential("CreateOpenIDConnectProvider", "lets another issuer's tokens in").when(ISSUER),
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
    row.granting(parameters.get("policyDocument"))
}

/// Whose account it is, is not among the parameters: whom the document lets in is looked at afterwards.
fn trusted(_: &Parameters, row: Ruling) -> Ruling {
    row.trusts()
}

/// The console makes a user of its own, by one of these names, for each long-term API key.
fn new_user(parameters: &Parameters, row: Ruling) -> Ruling {
    let name = parameters.text("userName").unwrap_or_default();
    let holds_api_key = ["BedrockAPIKey-", "AeaApiKey-"]
        .iter()
        .any(|prefix| name.starts_with(prefix));
    if holds_api_key {
        row.grave().valued("api key")
    } else {
        row
    }
}

/// Every cluster has an issuer of its own. A thief's cluster has one, too: it is no routine.
fn issuer(parameters: &Parameters, row: Ruling) -> Ruling {
    let url = parameters.text("url").unwrap_or_default();
    let host = url.strip_prefix("https://").unwrap_or(&url);
    if host.starts_with("oidc.eks.") {
        row.valued("eks")
    } else {
        row.grave()
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

#[cfg(test)]
mod tests {
    use tripmeter_model::{Kind, Record};

    use super::*;
    use crate::testing::{call, of, record};

    fn attach(policy: &str) -> (Kind, bool, bool) {
        let parameters = format!(r#"{{"userName":"eve","policyArn":"arn:aws:iam::{policy}"}}"#);
        let grant = call(Service::Iam, "AttachUserPolicy", &parameters);
        (grant.kind, grant.grave, grant.routine)
    }

    #[test]
    fn an_attached_policy_is_what_it_grants() {
        for grave in [
            "aws:policy/AmazonSESFullAccess",
            "aws:policy/AmazonBedrockFullAccess",
            "aws:policy/AmazonSNSFullAccess",
            "aws:policy/AdministratorAccess",
            "aws:policy/PowerUserAccess",
            "aws:policy/AnthropicInferenceAccess",
        ] {
            assert_eq!(attach(grave), (Kind::CredentialIssue, true, false), "{grave}");
        }
        for routine in [
            "aws:policy/service-role/AWSLambdaBasicExecutionRole",
            "aws:policy/AmazonSESReadOnlyAccess",
            "111122223333:policy/orders",
        ] {
            assert_eq!(attach(routine), (Kind::CredentialIssue, false, true), "{routine}");
        }
        assert_eq!(attach("aws:policy/AWSDenyAll"), (Kind::Context, false, false));
    }

    #[test]
    fn the_quarantine_says_that_a_key_is_leaked_and_its_end_that_a_guard_is_gone() {
        assert_eq!(
            attach("aws:policy/AWSCompromisedKeyQuarantineV3"),
            (Kind::LeakedKey, true, false)
        );
        let detach = |policy: &str| {
            let parameters = format!(r#"{{"userName":"eve","policyArn":"arn:aws:iam::{policy}"}}"#);
            call(Service::Iam, "DetachUserPolicy", &parameters).kind
        };
        assert_eq!(
            detach("aws:policy/AWSCompromisedKeyQuarantineV2"),
            Kind::GuardrailRemoval
        );
        assert_eq!(detach("aws:policy/AmazonSESFullAccess"), Kind::Context);
        // A policy of one's own may have any name.
        assert_eq!(
            attach("111122223333:policy/AWSCompromisedKeyQuarantineV3").0,
            Kind::CredentialIssue
        );
    }

    #[test]
    fn an_inline_document_is_grave_when_it_allows_a_watched_service() {
        let put = |document: &str| {
            let parameters = serde_json::json!({"userName": "eve", "policyName": "p", "policyDocument": document});
            let grant = call(Service::Iam, "PutUserPolicy", &parameters.to_string());
            (grant.grave, grant.routine)
        };
        let allow =
            |action: &str| format!(r#"{{"Statement":[{{"Effect":"Allow","Action":"{action}","Resource":"*"}}]}}"#);
        assert_eq!(put(&allow("ses:SendRawEmail")), (true, false));
        assert_eq!(put(&allow("s3:GetObject")), (false, true));
        assert_eq!(put("no document at all"), (false, true));
    }

    #[test]
    fn a_key_switched_off_is_a_responder_at_work() {
        let update = |status: &str| {
            let parameters = format!(r#"{{"userName":"eve","accessKeyId":"AKIAEXAMPLE","status":"{status}"}}"#);
            call(Service::Iam, "UpdateAccessKey", &parameters)
        };
        assert_eq!(update("Active").kind, Kind::CredentialIssue);
        let off = update("Inactive");
        assert_eq!((off.kind, off.links), (Kind::Context, vec![]));
    }

    #[test]
    fn an_api_key_is_grave_where_it_calls_models() {
        let create = |service: &str| {
            let parameters = format!(r#"{{"userName":"BedrockAPIKey-a1b2","serviceName":"{service}"}}"#);
            let key = call(Service::Iam, "CreateServiceSpecificCredential", &parameters);
            (key.grave, key.routine)
        };
        assert_eq!(create("bedrock.amazonaws.com"), (true, false));
        assert_eq!(create("aws-external-anthropic.amazonaws.com"), (true, false));
        assert_eq!(create("codecommit.amazonaws.com"), (false, true));
        assert!(call(Service::Iam, "CreateUser", r#"{"userName":"BedrockAPIKey-a1b2"}"#).grave);
        assert!(!call(Service::Iam, "CreateUser", r#"{"userName":"eve"}"#).grave);
    }

    #[test]
    fn what_is_roots_own_is_grave() {
        const ROOT: &str = r#"{"type":"Root","arn":"arn:aws:iam::111122223333:root","accountId":"111122223333"}"#;
        const DANA: &str = r#"{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/dana"}"#;
        let made_by = |user: &'static str, name: &'static str, parameters: Option<&'static str>| {
            of(&Record {
                event_name: name.into(),
                request_parameters: parameters,
                user_identity: Some(user),
                ..record(Service::Iam)
            })
        };
        for (name, parameters) in [
            ("CreateAccessKey", None),
            ("CreateAccessKey", Some("{}")),
            (
                "DeactivateMFADevice",
                Some(r#"{"serialNumber":"arn:aws:iam::111122223333:mfa/root"}"#),
            ),
        ] {
            assert!(made_by(ROOT, name, parameters).grave, "{name}");
            assert!(!made_by(DANA, name, parameters).grave, "{name}");
        }
        // A key that root makes for a user reaches what the user reaches.
        assert!(!made_by(ROOT, "CreateAccessKey", Some(r#"{"userName":"eve"}"#)).grave);
    }

    #[test]
    fn an_issuer_let_in_is_grave_but_for_a_cluster_s_own() {
        let grave = |url: &str| {
            let parameters = format!(r#"{{"url":"{url}","clientIDList":["sts.amazonaws.com"]}}"#);
            call(Service::Iam, "CreateOpenIDConnectProvider", &parameters).grave
        };
        assert!(grave("https://token.example.com") && grave("https://example.com/oidc.eks."));
        assert!(!grave("https://oidc.eks.eu-west-1.amazonaws.com/id/0A1B"));
    }

    #[test]
    fn a_principal_is_linked_under_the_id_that_it_calls_with() {
        let links = |name: &str, parameters: &'static str, response: Option<&'static str>| {
            of(&Record {
                event_name: name.to_owned().into(),
                request_parameters: Some(parameters),
                response_elements: response,
                ..record(Service::Iam)
            })
            .links
        };
        assert_eq!(
            links("CreateAccessKey", r#"{"userName":"eve"}"#, None),
            ["arn:aws:iam::111122223333:user/eve"]
        );
        let with_path = r#"{"user":{"userName":"eve","arn":"arn:aws:iam::111122223333:user/ops/eve"}}"#;
        assert_eq!(
            links("CreateUser", r#"{"path":"/ops/","userName":"eve"}"#, Some(with_path)),
            ["arn:aws:iam::111122223333:user/ops/eve"]
        );
        assert_eq!(
            links("CreateAccessKey", "{}", None),
            ["arn:aws:iam::111122223333:user/dana"]
        );
        assert_eq!(
            links("PutRolePolicy", r#"{"roleName":"app","policyName":"p"}"#, None),
            ["arn:aws:iam::111122223333:role/app"]
        );
    }
}
