//! Taking the credential away from whoever has it.

use serde_json::json;
use tripmeter_model::{Family, Finding, Identity, IdentityKind, Service};

use super::{MAX_COMMANDS, Step};
use crate::shell::{Command, argument};
use crate::words;

/// The name of the inline policy that the commands put: one name, so that it is found and removed afterwards.
const POLICY_NAME: &str = "TripmeterContainment";

/// Calls with an API key instead of a signature, by service.
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-revoke.html>
const BEARER_ACTIONS: &[&str] = &[
    "bedrock:CallWithBearerToken",
    "bedrock-mantle:CallWithBearerToken",
    "aws-external-anthropic:CallWithBearerToken",
];

/// An IAM user or role of the finding's account that a policy can be put on.
struct Principal<'a> {
    partition: &'a str,
    is_role: bool,
    name: &'a str,
}

impl<'a> Principal<'a> {
    /// Out of a durable identity id. `None` for what has no such ARN, for another account's (whose name may be that of
    /// somebody innocent here), for a role that only AWS can change, and for a name that may not stand in a command.
    fn of(id: &'a str, finding: &Finding) -> Option<Self> {
        let arn = id.split('#').next()?;
        let (start, path) = arn.split_once(":user/").or_else(|| arn.split_once(":role/"))?;
        let name = path.rsplit('/').next().and_then(argument)?;
        if path.starts_with("aws-service-role/") || name.starts_with("AWSReservedSSO_") {
            return None;
        }
        if !finding.account.is_empty() && account_of(arn) != Some(&finding.account) {
            return None;
        }
        Some(Self {
            partition: argument(start.strip_prefix("arn:")?.split(':').next()?)?,
            is_role: arn.contains(":role/"),
            name,
        })
    }

    fn noun(&self) -> &'static str {
        if self.is_role { "role" } else { "user" }
    }

    /// Denies the actions under the condition (JSON of its own, or nothing), whatever else the principal may do.
    fn deny(&self, policy_name: &str, actions: &[&str], condition: &str) -> Command {
        let actions = json!(actions);
        let document = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Deny","Action":{actions},"Resource":"*"{condition}}}]}}"#
        );
        Command::new([
            "aws",
            "iam",
            if self.is_role {
                "put-role-policy"
            } else {
                "put-user-policy"
            },
            if self.is_role { "--role-name" } else { "--user-name" },
            self.name,
            "--policy-name",
            policy_name,
            "--policy-document",
            &document,
        ])
    }

    fn deny_everything(&self) -> Command {
        Command::new([
            "aws",
            "iam",
            if self.is_role {
                "attach-role-policy"
            } else {
                "attach-user-policy"
            },
            if self.is_role { "--role-name" } else { "--user-name" },
            self.name,
            "--policy-arn",
            &format!("arn:{}:iam::aws:policy/AWSDenyAll", self.partition),
        ])
    }
}

/// The account in an ARN.
fn account_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(4)
}

/// The actions that spend on a service, for a policy that denies them; `None` where a policy on the caller does not
/// reach them, or the service is not one that spends.
fn spending_actions(service: Service) -> Option<&'static [&'static str]> {
    match service {
        Service::Ses => Some(&["ses:Send*"]),
        // A subscription by mail sends one.
        Service::Sns => Some(&["sns:Publish", "sns:Subscribe"]),
        Service::Sms => Some(&["sms-voice:Send*"]),
        Service::Bedrock | Service::BedrockMantle => Some(&["bedrock:*", "bedrock-mantle:*"]),
        Service::AgentCore => Some(&["bedrock-agentcore:*"]),
        Service::ClaudePlatform => Some(&["aws-external-anthropic:*"]),
        Service::SageMaker => Some(&["sagemaker:InvokeEndpoint*"]),
        _ => None,
    }
}

/// Takes the finding's own credential away, by what sort of identity it is.
pub(super) fn take_away(finding: &Finding) -> Vec<Step> {
    match (finding.identity.kind, Principal::of(&finding.identity.id, finding)) {
        (IdentityKind::IamUser, Some(user)) => vec![disable_keys(finding, &user), deny_user(&user)],
        (IdentityKind::BedrockApiKey, Some(principal)) => api_key(finding, &principal),
        (IdentityKind::Role, Some(role)) => role_steps(finding, &role),
        (IdentityKind::Root, _) => vec![root(finding)],
        (IdentityKind::Other | IdentityKind::Stranger, _) if finding.finding_type.service == Service::Cognito => {
            vec![close_sign_up(finding)]
        }
        (IdentityKind::Account, _) if !finding.evidence.identities.is_empty() => vec![each(finding)],
        (kind, _) => {
            let account = account_of(&finding.identity.id).filter(|account| !account.is_empty());
            let is_foreign = account.is_some_and(|account| !finding.account.is_empty() && account != finding.account);
            let kind = if is_foreign { IdentityKind::OtherAccount } else { kind };
            vec![by_hand(kind, &finding.identity)]
        }
    }
}

/// Many identities: those with most of it, by name.
fn each(finding: &Finding) -> Step {
    let most = finding.evidence.identities.iter().take(MAX_COMMANDS);
    let most: Vec<String> = most
        .map(|one| format!("{} ({})", words::shown(&one.value), words::grouped(one.count)))
        .collect();
    Step::new(
        format!(
            "Many identities are involved: contain each by its own finding, and the service for all of them. Most \
             calls: {}",
            most.join(", ")
        ),
        Vec::new(),
        "nothing by itself",
    )
}

/// Long-term access keys of the finding that may stand in a command.
fn keys(finding: &Finding) -> Vec<&str> {
    let mut keys: Vec<&str> = finding
        .evidence
        .sessions
        .iter()
        .filter(|session| session.long_term_key())
        .filter_map(|session| argument(session.access_key.as_deref()?))
        .collect();
    keys.sort_unstable();
    keys.dedup();
    keys.truncate(MAX_COMMANDS);
    keys
}

fn disable_keys(finding: &Finding, user: &Principal<'_>) -> Step {
    let keys = match finding.finding_type.family {
        // Its sessions are those of AWS, which put the key in quarantine.
        Family::LeakedKey => Vec::new(),
        _ => keys(finding),
    };
    if keys.is_empty() {
        return Step::new(
            format!("List the access keys of user {}, then set each to Inactive", user.name),
            vec![Command::new([
                "aws",
                "iam",
                "list-access-keys",
                "--user-name",
                user.name,
            ])],
            "nothing by itself; a key set to Inactive stops whatever uses it",
        );
    }
    let commands = keys.iter().map(|key| {
        Command::new([
            "aws",
            "iam",
            "update-access-key",
            "--user-name",
            user.name,
            "--access-key-id",
            key,
            "--status",
            "Inactive",
        ])
    });
    Step::new(
        format!("Switch off the access key of user {}", user.name),
        commands.collect(),
        "whatever else uses the key; --status Active undoes it",
    )
}

fn deny_user(user: &Principal<'_>) -> Step {
    Step::new(
        format!(
            "Deny user {} everything: sessions and passwords outlive a key that is switched off",
            user.name
        ),
        vec![user.deny_everything()],
        "all that the user does, until the policy is detached",
    )
}

fn role_steps(finding: &Finding, role: &Principal<'_>) -> Vec<Step> {
    let service = words::service(finding.finding_type.service);
    let mut steps = Vec::new();
    if let Some(actions) = spending_actions(finding.finding_type.service) {
        steps.push(Step::new(
            format!("Deny role {} the use of {service}", role.name),
            vec![role.deny(POLICY_NAME, actions, "")],
            format!("the application's own use of {service}, until the policy {POLICY_NAME} is deleted"),
        ));
    }
    let before = finding.last_seen.plus(1);
    steps.push(Step::new(
        format!(
            "Revoke the sessions of role {} that were opened before {before} (write the time of now if you act later)",
            role.name
        ),
        vec![role.deny(
            "AWSRevokeOlderSessions",
            &["*"],
            &format!(r#","Condition":{{"DateLessThan":{{"aws:TokenIssueTime":"{before}"}}}}"#),
        )],
        "running sessions of the application, until it assumes the role again; whoever can still assume it comes back",
    ));
    steps
}

fn api_key(finding: &Finding, principal: &Principal<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    if !principal.is_role {
        // The id of a service-specific credential begins with ACCA.
        let credential = finding
            .evidence
            .sessions
            .iter()
            .filter_map(|session| argument(session.access_key.as_deref()?))
            .find(|key| key.starts_with("ACCA"));
        steps.push(match credential {
            Some(id) => Step::new(
                format!("Switch off the API key of user {}", principal.name),
                vec![Command::new([
                    "aws",
                    "iam",
                    "update-service-specific-credential",
                    "--user-name",
                    principal.name,
                    "--service-specific-credential-id",
                    id,
                    "--status",
                    "Inactive",
                ])],
                "whatever else uses the key; --status Active undoes it",
            ),
            None => Step::new(
                format!(
                    "List the API keys of user {}, then set each to Inactive (aws iam update-service-specific-credential)",
                    principal.name
                ),
                vec![Command::new([
                    "aws",
                    "iam",
                    "list-service-specific-credentials",
                    "--user-name",
                    principal.name,
                ])],
                "nothing by itself; a key set to Inactive stops whatever uses it",
            ),
        });
    }
    steps.push(Step::new(
        format!(
            "Deny {} {} all calls with an API key: a short-term key is made on the caller's side and cannot be listed",
            principal.noun(),
            principal.name
        ),
        vec![principal.deny(POLICY_NAME, BEARER_ACTIONS, "")],
        format!("its calls with API keys; signed calls go on, until the policy {POLICY_NAME} is deleted"),
    ));
    steps
}

fn root(finding: &Finding) -> Step {
    let issued = finding.evidence.issued.iter().filter_map(|id| argument(id));
    let mut switched_off: Vec<&str> = keys(finding).into_iter().chain(issued).collect();
    switched_off.sort_unstable();
    switched_off.dedup();
    let commands = switched_off.into_iter().take(MAX_COMMANDS).map(|key| {
        Command::new([
            "aws",
            "iam",
            "update-access-key",
            "--access-key-id",
            key,
            "--status",
            "Inactive",
        ])
    });
    Step::new(
        "As root: switch off root's access keys, change the password, renew MFA. No policy in the account binds root; \
         a service control policy of the organisation does",
        commands.collect(),
        "whatever uses root's keys, which should be nothing",
    )
}

/// Nobody signs a sign-up: there is no credential to take away, but the pool can be closed.
fn close_sign_up(finding: &Finding) -> Step {
    let pools = finding
        .evidence
        .targets
        .iter()
        .filter_map(|target| argument(&target.value));
    let pools: Vec<&str> = pools.take(MAX_COMMANDS).collect();
    let named = if pools.is_empty() {
        "the user pool".to_owned()
    } else {
        format!("user pool or client {}", pools.join(", "))
    };
    let region = finding.evidence.regions.iter().max_by_key(|region| region.count);
    let region = region.and_then(|region| argument(&region.value));
    let words = ["aws", "cognito-idp", "list-user-pools", "--max-results", "60"];
    let command = match region {
        Some(region) => Command::new(words.into_iter().chain(["--region", region])),
        None => Command::new(words),
    };
    Step::new(
        format!(
            "Close the sign-up of {named}: find the pool, and allow administrators alone to create users \
             (AllowAdminCreateUserOnly), or put a WAF rule or a CAPTCHA before it"
        ),
        vec![command],
        "nothing by itself; a closed pool takes no new users",
    )
}

/// What no command of this account reaches.
fn by_hand(kind: IdentityKind, identity: &Identity) -> Step {
    let (action, breaks) = match kind {
        IdentityKind::SsoRole => (
            "In IAM Identity Center: disable the person and end their sessions, which else live on for up to 12 hours. \
             A permission set's role cannot be changed in the account",
            "all access of this person, in every account",
        ),
        IdentityKind::ServiceLinkedRole | IdentityKind::AwsService => (
            "An AWS service made the calls: find what drives it (see the calls), and stop that",
            "nothing by itself",
        ),
        IdentityKind::FederatedUser => (
            "Deny everything to the IAM user that called GetFederationToken: its keys made this session",
            "all that this user and its other sessions do",
        ),
        IdentityKind::OtherAccount => (
            "Take the other account out of the resource policy that lets it in, and tell its owner",
            "what that account does here with good reason",
        ),
        IdentityKind::OpenAiKey => (
            "In the OpenAI project: revoke the key, and look for what else was made by whoever made it",
            "all that uses this key",
        ),
        IdentityKind::OpenAiUser | IdentityKind::OpenAiServiceAccount => (
            "In the OpenAI organisation: take the member out, and revoke every key that it made",
            "all that this member and its keys do",
        ),
        IdentityKind::Meter => (
            "No record names a caller: find who holds a credential that reaches the service without one",
            "nothing by itself",
        ),
        IdentityKind::Account => (
            "Many identities are involved: contain each by its own finding, and the service for all of them",
            "nothing by itself",
        ),
        IdentityKind::SamlUser | IdentityKind::WebIdentityUser | IdentityKind::IdentityCenterUser => (
            "Disable the person or client at the identity provider",
            "all that signs in there as this one",
        ),
        IdentityKind::IamUser | IdentityKind::Role | IdentityKind::BedrockApiKey => (
            "Deny the identity everything in the console: AWS manages it, or its name is kept out of commands",
            "all that it does",
        ),
        IdentityKind::Root | IdentityKind::Other | IdentityKind::Stranger => (
            "The records do not say who it was: search the event ids in CloudTrail for the credential",
            "nothing",
        ),
    };
    Step::new(
        format!("{action} ({})", words::shown(&identity.short_name())),
        Vec::new(),
        breaks,
    )
}

/// Takes the credentials of tied identities away: whom a thief created outlives the thief's own key.
pub(super) fn tied(finding: &Finding) -> Option<Step> {
    let mut tied: Vec<&str> = match finding.finding_type.family {
        // Whom the calls were about: a policy, an account or a provider is no identity.
        Family::CredentialIssued => {
            let targets = finding.evidence.targets.iter().map(|target| target.value.as_str());
            targets.filter(|id| id.starts_with("arn:")).collect()
        }
        _ => finding.linked.iter().map(String::as_str).collect(),
    };
    tied.retain(|id| *id != finding.identity.id);
    if tied.is_empty() {
        return None;
    }
    let commands: Vec<Command> = tied
        .iter()
        .filter_map(|id| Principal::of(id, finding))
        .take(MAX_COMMANDS)
        .map(|principal| principal.deny_everything())
        .collect();
    if commands.is_empty() {
        // Another account's, the root user's, a permission set's: none that a policy of the account reaches.
        let names = tied.iter().take(MAX_COMMANDS).map(|id| words::shown(id));
        return Some(Step::new(
            format!(
                "See whether you know the identities that it created, changed or became: {}",
                names.collect::<Vec<_>>().join(", ")
            ),
            Vec::new(),
            "nothing",
        ));
    }
    Some(Step::new(
        "Deny everything to the identities that it created, changed or became, unless you know them",
        commands,
        "all that they do, until the policies are detached",
    ))
}

/// Switches off exactly what was issued: whoever it was issued for may have other keys, and work to do.
pub(super) fn issued(finding: &Finding) -> Option<Step> {
    let mut users = finding.evidence.targets.iter().map(|target| target.value.as_str());
    let (user, others) = (users.next()?, users.next());
    let user = Principal::of(user, finding).filter(|user| !user.is_role && others.is_none())?;
    let commands: Vec<Command> = finding
        .evidence
        .issued
        .iter()
        .filter_map(|id| argument(id))
        .take(MAX_COMMANDS)
        .map(|id| {
            // The ids of service-specific credentials begin with ACCA.
            let (command, option) = if id.starts_with("ACCA") {
                ("update-service-specific-credential", "--service-specific-credential-id")
            } else {
                ("update-access-key", "--access-key-id")
            };
            Command::new([
                "aws",
                "iam",
                command,
                "--user-name",
                user.name,
                option,
                id,
                "--status",
                "Inactive",
            ])
        })
        .collect();
    (!commands.is_empty()).then(|| {
        Step::new(
            format!(
                "Switch off what was issued for user {}; its other keys go on",
                user.name
            ),
            commands,
            "whatever uses the new key; --status Active undoes it",
        )
    })
}

/// Goes to whoever became the role: its own credential outlives the role's sessions.
pub(super) fn assumers(finding: &Finding) -> Option<Step> {
    let by = &finding.evidence.assumed_by;
    if by.is_empty() {
        return None;
    }
    let names: Vec<String> = by.iter().take(MAX_COMMANDS).map(|id| words::shown(id)).collect();
    let users = by.iter().filter_map(|id| Principal::of(id, finding));
    let mut commands: Vec<Command> = users
        .filter(|user| !user.is_role)
        .take(MAX_COMMANDS)
        .map(|user| Command::new(["aws", "iam", "list-access-keys", "--user-name", user.name]))
        .collect();
    if commands.is_empty() {
        let role = Principal::of(&finding.identity.id, finding).filter(|role| role.is_role);
        commands.extend(role.map(|role| Command::new(["aws", "iam", "get-role", "--role-name", role.name])));
    }
    Some(Step::new(
        format!(
            "The role was assumed by {}: unless you know what it did, set its keys to Inactive, or take it out of the \
             role's trust policy; else it comes back",
            names.join(", ")
        ),
        commands,
        "nothing by itself; whatever else it does stops with its keys",
    ))
}
