//! The durable who: the part of `userIdentity` that is the same tomorrow.
//!
//! An assumed role is its role ARN, its session name is context; an IAM Identity Center role is role and person.
//! Ephemeral access keys never name an identity; they are kept as evidence in [`Session`].

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{UserIdentity, bounded};

/// What sort of principal an identity is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum IdentityKind {
    /// The account's root user.
    Root,
    /// An IAM user.
    IamUser,
    /// An IAM role, whatever its session.
    Role,
    /// An IAM Identity Center permission-set role together with the person who uses it.
    SsoRole,
    /// A service-linked role: its path is `/aws-service-role/`, which only AWS can create.
    ServiceLinkedRole,
    /// A federated user (`GetFederationToken`).
    FederatedUser,
    /// A SAML user before it assumes a role.
    SamlUser,
    /// A web-identity user before it assumes a role.
    WebIdentityUser,
    /// A principal of another account, of whom only ids are known.
    OtherAccount,
    /// An AWS service acting for itself.
    AwsService,
    /// An IAM Identity Center user.
    IdentityCenterUser,
    /// A Bedrock API key: the principal that it belongs to, calling with a bearer token.
    BedrockApiKey,
    /// An API key of an OpenAI project.
    OpenAiKey,
    /// A person in an OpenAI organisation.
    OpenAiUser,
    /// A service account of an OpenAI project.
    OpenAiServiceAccount,
    /// A meter of the account: what it counts has no caller in any record.
    Meter,
    /// A whole account: used where a finding is about all identities together.
    Account,
    /// A type that CloudTrail did not have when this was written, named by what is there.
    Other,
    /// Nothing that would tell one caller from another: one identity per record.
    Stranger,
}

/// Who, durably.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// What sort of principal.
    pub kind: IdentityKind,
    /// The durable id: an ARN where there is one; `…#person` for a person behind a permission-set role.
    pub id: String,
}

/// The session and credential behind a call: evidence, never identity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Session {
    /// The role session's name, or the federated user's.
    pub name: Option<String>,
    /// `accessKeyId`.
    pub access_key: Option<String>,
    /// The call carried a bearer token (a Bedrock API key).
    pub bearer: bool,
    /// The AWS service that made the call for the identity: set by AWS, not by the caller.
    pub invoked_by: Option<String>,
    /// `sourceIdentity`, which follows a person through role chains.
    pub source_identity: Option<String>,
    /// Whether the session was opened with MFA, where CloudTrail says.
    pub mfa: Option<bool>,
}

impl Session {
    /// Whether the credential is a long-term access key of an IAM user or root.
    pub fn long_term_key(&self) -> bool {
        self.access_key.as_deref().is_some_and(|k| k.starts_with("AKIA"))
    }
}

impl Identity {
    /// The identity of a whole account, for findings about all of its identities together.
    pub fn account(account: &str) -> Self {
        Self {
            kind: IdentityKind::Account,
            id: bounded(account, 64),
        }
    }

    /// A meter of an account, by its name: `AWS/SES Send`. Where it counts one principal's use, `#` and the principal's
    /// durable id follow the name.
    pub fn meter(name: &str) -> Self {
        Self {
            kind: IdentityKind::Meter,
            id: format!("meter:{}", bounded(name, 128)),
        }
    }

    /// Out of a record's `userIdentity`. `stranger` names the record (its event id, or what else tells it apart):
    /// it is used only when nothing in `user` tells one caller from another.
    pub fn of(user: &UserIdentity, bearer: bool, stranger: &str) -> Self {
        let base = Self::principal(user).unwrap_or_else(|| Self {
            kind: IdentityKind::Stranger,
            id: format!("stranger:{}", bounded(stranger, 64)),
        });
        let named_api_key = base.kind == IdentityKind::IamUser
            && user_name_of(&base.id).is_some_and(|n| n.starts_with("BedrockAPIKey-") || n.starts_with("AeaApiKey-"));
        if named_api_key {
            return Self {
                kind: IdentityKind::BedrockApiKey,
                id: base.id,
            };
        }
        if bearer && base.kind != IdentityKind::Stranger {
            return Self {
                kind: IdentityKind::BedrockApiKey,
                id: format!("{}#bedrock-api-key", base.id),
            };
        }
        base
    }

    fn principal(user: &UserIdentity) -> Option<Self> {
        let kind = user.kind.as_deref().unwrap_or_default();
        let account = user.account_id.as_deref().filter(|a| is_account(a));
        let made = |kind, id: String| {
            Some(Self {
                kind,
                id: bounded(&id, crate::MAX_TEXT * 4),
            })
        };
        match kind {
            "Root" => made(
                IdentityKind::Root,
                match (account, user.arn.as_deref()) {
                    (_, Some(arn)) => arn.to_owned(),
                    (Some(account), None) => format!("arn:aws:iam::{account}:root"),
                    (None, None) => return None,
                },
            ),
            "IAMUser" => made(
                IdentityKind::IamUser,
                match (
                    user.arn.as_deref(),
                    account,
                    user.user_name.as_deref(),
                    user.principal_id.as_deref(),
                ) {
                    (Some(arn), ..) => arn.to_owned(),
                    (None, Some(account), Some(name), _) => format!("arn:aws:iam::{account}:user/{name}"),
                    (None, account, _, Some(id)) => format!("{}/{id}", account.unwrap_or("user")),
                    _ => return None,
                },
            ),
            "AssumedRole" => Self::role(user, account),
            "FederatedUser" => made(
                IdentityKind::FederatedUser,
                user.arn
                    .clone()
                    .or_else(|| user.principal_id.clone())
                    .or_else(|| user.issuer_arn.clone())?,
            ),
            "SAMLUser" | "WebIdentityUser" => {
                let identity_kind = if kind == "SAMLUser" {
                    IdentityKind::SamlUser
                } else {
                    IdentityKind::WebIdentityUser
                };
                let provider = user.identity_provider.as_deref().unwrap_or_default();
                let who = user.principal_id.as_deref().or(user.user_name.as_deref())?;
                made(identity_kind, format!("{}:{provider}:{who}", kind.to_ascii_lowercase()))
            }
            // A role of another account is named by its id and the session: the session is not who.
            "AWSAccount" => match (account, user.principal_id.as_deref().map(without_session)) {
                (Some(account), Some(id)) => made(IdentityKind::OtherAccount, format!("{account}/{id}")),
                (Some(account), None) => made(IdentityKind::OtherAccount, account.to_owned()),
                (None, Some(id)) => made(IdentityKind::OtherAccount, format!("account/{id}")),
                (None, None) => None,
            },
            "AWSService" => made(
                IdentityKind::AwsService,
                user.invoked_by.clone().or_else(|| user.principal_id.clone())?,
            ),
            "IdentityCenterUser" => made(
                IdentityKind::IdentityCenterUser,
                format!(
                    "identitycenter:{}",
                    user.on_behalf_of.as_deref().or(user.principal_id.as_deref())?
                ),
            ),
            "" => match (
                user.arn.as_deref(),
                user.invoked_by.as_deref(),
                user.principal_id.as_deref(),
            ) {
                (Some(arn), ..) => made(IdentityKind::Other, arn.to_owned()),
                (None, Some(service), _) => made(IdentityKind::AwsService, service.to_owned()),
                (None, None, Some(id)) => made(IdentityKind::Other, id.to_owned()),
                _ => None,
            },
            other => {
                let mut id = format!("{}:", bounded(other, 40).to_ascii_lowercase());
                match (
                    user.arn.as_deref(),
                    user.principal_id.as_deref(),
                    user.user_name.as_deref(),
                ) {
                    (Some(arn), ..) => id.push_str(arn),
                    (None, Some(principal), Some(name)) => {
                        id.push_str(principal);
                        id.push('/');
                        id.push_str(name);
                    }
                    (None, Some(one), None) | (None, None, Some(one)) => {
                        id.push_str(account.unwrap_or_default());
                        id.push('/');
                        id.push_str(one);
                    }
                    (None, None, None) => return None,
                }
                made(IdentityKind::Other, id)
            }
        }
    }

    fn role(user: &UserIdentity, account: Option<&str>) -> Option<Self> {
        let from_sts = user.arn.as_deref().and_then(parse_assumed_role);
        let arn = match (user.issuer_arn.as_deref(), &from_sts) {
            (Some(arn), _) => arn.to_owned(),
            (None, Some((partition, account, role, _))) => format!("arn:{partition}:iam::{account}:role/{role}"),
            (None, None) => {
                // The principal's first half is the role's unique id; the second the session's name.
                let id = user
                    .principal_id
                    .as_deref()?
                    .split(':')
                    .next()
                    .filter(|id| !id.is_empty())?;
                return Some(Self {
                    kind: IdentityKind::Role,
                    id: bounded(&format!("{}/{id}", account.unwrap_or("role")), crate::MAX_TEXT * 4),
                });
            }
        };
        let session = session_name(user);
        let role_name = arn.rsplit('/').next().unwrap_or_default();
        let (kind, id) = if arn.contains(":role/aws-service-role/") {
            (IdentityKind::ServiceLinkedRole, arn)
        } else if role_name.starts_with("AWSReservedSSO_") {
            let person = session.unwrap_or_default();
            (IdentityKind::SsoRole, format!("{arn}#{person}"))
        } else {
            (IdentityKind::Role, arn)
        };
        Some(Self {
            kind,
            id: bounded(&id, crate::MAX_TEXT * 4),
        })
    }

    /// Whether a person signed in as it at the organisation's identity provider.
    pub fn is_person(&self) -> bool {
        matches!(
            self.kind,
            IdentityKind::SsoRole | IdentityKind::SamlUser | IdentityKind::IdentityCenterUser
        )
    }

    /// Whether nothing names the caller, so that nobody can be asked and nothing taken away: a record without an
    /// identity, or a call that needs none, as a sign-up to a Cognito user pool.
    pub fn is_unnamed(&self) -> bool {
        let anonymous = self.id == "Anonymous" || self.id.ends_with("/Anonymous");
        self.kind == IdentityKind::Stranger || self.kind == IdentityKind::Other && anonymous
    }

    /// What people call it: the last part of the ARN, the person behind a permission set.
    ///
    /// ```
    /// use tripmeter_model::{Identity, IdentityKind};
    /// let app = Identity { kind: IdentityKind::Role, id: "arn:aws:iam::111122223333:role/path/app".into() };
    /// assert_eq!(app.short_name(), "role app");
    /// ```
    pub fn short_name(&self) -> String {
        let (arn, person) = self
            .id
            .split_once('#')
            .map_or((self.id.as_str(), None), |(a, p)| (a, Some(p)));
        let last = arn.rsplit('/').next().unwrap_or(arn);
        if self.is_unnamed() {
            return "unnamed callers".to_owned();
        }
        match self.kind {
            IdentityKind::Root => "root".to_owned(),
            IdentityKind::IamUser => format!("user {last}"),
            IdentityKind::Role | IdentityKind::ServiceLinkedRole => format!("role {last}"),
            IdentityKind::SsoRole => format!("{} as {last}", person.unwrap_or("?")),
            IdentityKind::BedrockApiKey => format!("Bedrock API key of {last}"),
            IdentityKind::Account => format!("account {}", self.id),
            IdentityKind::OtherAccount => format!("other account {}", self.id),
            IdentityKind::FederatedUser => format!("federated user {last}"),
            IdentityKind::OpenAiKey => format!("OpenAI key {}", after_colon(&self.id)),
            IdentityKind::OpenAiUser => format!("OpenAI user {}", after_colon(&self.id)),
            IdentityKind::OpenAiServiceAccount => format!("OpenAI service account {}", after_colon(&self.id)),
            IdentityKind::Meter => match person {
                Some(_) => format!("meter {} of {}", after_colon(arn), last_of(&self.id)),
                None => format!("meter {}", after_colon(&self.id)),
            },
            _ => self.id.clone(),
        }
    }
}

/// The last part of an ARN.
fn last_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// An id of ours, without the word that says what it is.
fn after_colon(id: &str) -> &str {
    id.split_once(':').map_or(id, |(_, rest)| rest)
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)
    }
}

impl Session {
    /// Out of a record's `userIdentity`.
    pub fn of(user: &UserIdentity, bearer: bool) -> Self {
        let keep = |text: &Option<String>| text.as_deref().map(|t| bounded(t, 128));
        Self {
            name: session_name(user).map(|n| bounded(n, 128)),
            access_key: keep(&user.access_key_id),
            bearer,
            invoked_by: keep(&user.invoked_by),
            source_identity: keep(&user.source_identity),
            mfa: user.mfa_authenticated,
        }
    }
}

/// The role's unique id out of `AROAEXAMPLE:session`; other principal ids as they are.
fn without_session(principal_id: &str) -> &str {
    match principal_id.split_once(':') {
        Some((role, _)) if role.starts_with("AROA") => role,
        _ => principal_id,
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

fn user_name_of(arn: &str) -> Option<&str> {
    arn.split_once(":user/").and_then(|(_, path)| path.rsplit('/').next())
}

/// `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION` as partition, account, role and session.
fn parse_assumed_role(arn: &str) -> Option<(&str, &str, &str, &str)> {
    let mut parts = arn.splitn(6, ':');
    let ("arn", partition, "sts", _, account, resource) = (
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
    ) else {
        return None;
    };
    let (role, session) = resource.strip_prefix("assumed-role/")?.split_once('/')?;
    Some((partition, account, role, session))
}

fn session_name(user: &UserIdentity) -> Option<&str> {
    match user.kind.as_deref() {
        Some("AssumedRole") => user
            .arn
            .as_deref()
            .and_then(parse_assumed_role)
            .map(|(.., session)| session)
            .or_else(|| {
                user.principal_id
                    .as_deref()
                    .and_then(|p| p.split_once(':'))
                    .map(|(_, session)| session)
            })
            .filter(|s| !s.is_empty()),
        Some("FederatedUser") => user
            .principal_id
            .as_deref()
            .and_then(|p| p.split_once(':'))
            .map(|(_, name)| name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(json: &str) -> Identity {
        Identity::of(&UserIdentity::parse(json), false, "e-1")
    }

    #[test]
    fn an_assumed_role_is_its_role_whatever_the_session() {
        let issuer = r#"{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/app/s1","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111122223333:role/path/app"}}}"#;
        assert_eq!(identity(issuer).id, "arn:aws:iam::111122223333:role/path/app");
        let bare = r#"{"type":"AssumedRole","arn":"arn:aws-cn:sts::111122223333:assumed-role/app/i-0abc","sessionContext":{"sessionIssuer":{},"attributes":null}}"#;
        assert_eq!(identity(bare).id, "arn:aws-cn:iam::111122223333:role/app");
        let only_principal = r#"{"type":"AssumedRole","principalId":"AROAEXAMPLE:x","sessionContext":null}"#;
        assert_eq!(identity(only_principal).id, "role/AROAEXAMPLE");
    }

    #[test]
    fn a_permission_set_is_role_and_person() {
        let json = r#"{"type":"AssumedRole","principalId":"AROA:dana@example.com","arn":"arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin_0a1b/dana@example.com","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Admin_0a1b"}}}"#;
        let dana = identity(json);
        assert_eq!(dana.kind, IdentityKind::SsoRole);
        assert!(dana.id.ends_with("AWSReservedSSO_Admin_0a1b#dana@example.com"));
        assert_eq!(dana.short_name(), "dana@example.com as AWSReservedSSO_Admin_0a1b");
    }

    #[test]
    fn a_service_linked_role_is_told_by_its_path_not_its_name() {
        let real = r#"{"type":"AssumedRole","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111122223333:role/aws-service-role/trustedadvisor.amazonaws.com/AWSServiceRoleForTrustedAdvisor"}}}"#;
        assert_eq!(identity(real).kind, IdentityKind::ServiceLinkedRole);
        let chosen = r#"{"type":"AssumedRole","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111122223333:role/AWSServiceRoleForTrustedAdvisor"}}}"#;
        assert_eq!(identity(chosen).kind, IdentityKind::Role);
    }

    #[test]
    fn a_bedrock_api_key_is_an_identity_of_its_own() {
        let user = UserIdentity::parse(
            r#"{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/BedrockAPIKey-a1b2","accessKeyId":""}"#,
        );
        assert_eq!(Identity::of(&user, false, "e").kind, IdentityKind::BedrockApiKey);
        let role =
            UserIdentity::parse(r#"{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/app/s"}"#);
        assert_eq!(
            Identity::of(&role, true, "e").id,
            "arn:aws:iam::111122223333:role/app#bedrock-api-key"
        );
    }

    #[test]
    fn callers_that_nothing_names_are_called_alike() {
        let sign_up = identity(r#"{"type":"Unknown","principalId":"Anonymous"}"#);
        let nobody = identity("{}");
        let named = identity(r#"{"type":"SomethingNew","principalId":"p"}"#);

        assert_eq!(
            [&sign_up, &nobody].map(|who| (who.is_unnamed(), who.short_name())),
            [
                (true, "unnamed callers".to_owned()),
                (true, "unnamed callers".to_owned())
            ]
        );
        assert!(!named.is_unnamed());
    }

    #[test]
    fn strangers_never_fall_together() {
        for nothing in ["null", "{}", "\"root\"", r#"{"type":"AWSAccount"}"#, "[1]", "{not json"] {
            let user = UserIdentity::parse(nothing);
            let (a, b) = (
                Identity::of(&user, false, "event-a"),
                Identity::of(&user, false, "event-b"),
            );
            assert_eq!(a.kind, IdentityKind::Stranger, "{nothing}");
            assert_ne!(a, b, "{nothing}");
        }
    }

    #[test]
    fn a_role_of_another_account_is_its_id_whatever_the_session() {
        let of = |session: &str| {
            let id = format!("AROAEXAMPLE:{session}");
            identity(&format!(
                r#"{{"type":"AWSAccount","principalId":"{id}","accountId":"444455556666"}}"#
            ))
            .id
        };
        assert_eq!(of("job-1"), "444455556666/AROAEXAMPLE");
        assert_eq!(of("job-1"), of("job-2"));
    }

    #[test]
    fn a_type_of_tomorrow_keeps_what_is_there() {
        assert_eq!(
            identity(r#"{"type":"SomethingNew","arn":"not-an-arn","accountId":null}"#).id,
            "somethingnew:not-an-arn"
        );
        assert_eq!(identity(r#"{"type":"Directory","userName":"d"}"#).id, "directory:/d");
        assert_eq!(
            identity(r#"{"type":"AWSAccount","principalId":"AIDAEXAMPLE","accountId":"444455556666"}"#).id,
            "444455556666/AIDAEXAMPLE"
        );
    }
}
