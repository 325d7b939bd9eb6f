//! Who calls: every kind of identity that the scenarios need, as `userIdentity` shows it.

use std::sync::Arc;

use crate::dice::Dice;
use crate::record::{Seat, Seconds, iso};

/// Somebody who can call.
#[derive(Clone, Debug)]
pub enum Principal {
    /// An IAM user with a long-term key.
    User {
        /// Its name.
        name: String,
        /// `AIDA...`.
        id: String,
        /// `AKIA...`.
        key: String,
    },
    /// A role that programs assume.
    Role {
        /// Its name.
        name: String,
        /// Its path, `/` for most.
        path: String,
        /// `AROA...`.
        id: String,
        /// How its sessions are named: `i-0abc...` for an instance, the function's name for a Lambda.
        session: String,
    },
    /// A person who signs in through IAM Identity Center.
    Person {
        /// The permission set's role, `AWSReservedSSO_...`.
        role: String,
        /// `AROA...`.
        id: String,
        /// Where Identity Center lives.
        home: &'static str,
        /// The session's name: the person.
        email: String,
    },
    /// A service-linked role at work.
    Linked {
        /// The role's name.
        name: String,
        /// The service that works, `trustedadvisor.amazonaws.com`.
        service: &'static str,
        /// `AROA...`.
        id: String,
    },
    /// A principal of another account, as the owner of the resource sees it.
    Stranger {
        /// The other account.
        account: String,
        /// `AIDA...` or `AROA...:session`.
        id: String,
    },
}

impl Principal {
    /// An IAM user.
    pub fn user(dice: &mut Dice, name: impl Into<String>) -> Self {
        Self::User {
            name: name.into(),
            id: dice.id("AIDA", 21),
            key: dice.id("AKIA", 20),
        }
    }

    /// A role of a program.
    pub fn role(dice: &mut Dice, name: impl Into<String>) -> Self {
        let name = name.into();
        let session = if dice.chance(0.5) {
            format!("i-0{}", dice.hex(16))
        } else {
            name.clone()
        };
        Self::Role {
            name,
            path: "/".into(),
            id: dice.id("AROA", 21),
            session,
        }
    }

    /// A person with a permission set.
    pub fn person(dice: &mut Dice, set: &str, home: &'static str, email: impl Into<String>) -> Self {
        Self::Person {
            role: format!("AWSReservedSSO_{set}_{}", dice.hex(16)),
            id: dice.id("AROA", 21),
            home,
            email: email.into(),
        }
    }

    /// What a finding must name to have named this principal.
    pub fn label(&self) -> &str {
        match self {
            Self::User { name, .. } | Self::Role { name, .. } | Self::Linked { name, .. } => name,
            Self::Person { email, .. } => email,
            Self::Stranger { account, .. } => account,
        }
    }

    /// The ARN of the durable principal: the user, or the role behind a session.
    pub fn arn(&self, account: &str) -> String {
        match self {
            Self::User { name, .. } => format!("arn:aws:iam::{account}:user/{name}"),
            Self::Role { name, path, .. } => format!("arn:aws:iam::{account}:role{path}{name}"),
            Self::Person { role, home, .. } => {
                format!("arn:aws:iam::{account}:role/aws-reserved/sso.amazonaws.com/{home}/{role}")
            }
            Self::Linked { name, service, .. } => {
                format!("arn:aws:iam::{account}:role/aws-service-role/{service}/{name}")
            }
            Self::Stranger { account, .. } => format!("arn:aws:iam::{account}:root"),
        }
    }

    /// Takes a seat: a session that began at `since`, an address and a client.
    pub fn sit(&self, dice: &mut Dice, account: &str, since: Seconds, address: String, agent: &str) -> Arc<Seat> {
        let (identity, arn) = match self {
            Self::User { name, id, key } => {
                let arn = self.arn(account);
                let identity = format!(
                    r#"{{"type":"IAMUser","principalId":"{id}","arn":"{arn}","accountId":"{account}","accessKeyId":"{key}","userName":"{name}"}}"#
                );
                (identity, arn)
            }
            Self::Role { name, id, session, .. } => {
                let key = dice.id("ASIA", 20);
                session_identity(account, (name, id, session, &self.arn(account)), &key, since, None)
            }
            Self::Person { role, id, email, .. } => {
                let key = dice.id("ASIA", 20);
                session_identity(account, (role, id, email, &self.arn(account)), &key, since, None)
            }
            Self::Linked { name, id, service } => {
                let key = dice.id("ASIA", 20);
                let session = name.trim_start_matches("AWSServiceRoleFor");
                session_identity(
                    account,
                    (name, id, session, &self.arn(account)),
                    &key,
                    since,
                    Some(service),
                )
            }
            Self::Stranger { account, id } => (
                format!(r#"{{"type":"AWSAccount","principalId":"{id}","accountId":"{account}"}}"#),
                format!("arn:aws:iam::{account}:root"),
            ),
        };
        Arc::new(Seat {
            identity,
            arn,
            address,
            agent: agent.to_owned(),
            endpoint: None,
        })
    }
}

/// `AssumedRole`, out of role name, role id, session name and role ARN; and the session's ARN.
fn session_identity(
    account: &str,
    (role, id, session, role_arn): (&str, &str, &str, &str),
    key: &str,
    since: Seconds,
    invoked_by: Option<&str>,
) -> (String, String) {
    let arn = format!("arn:aws:sts::{account}:assumed-role/{role}/{session}");
    let since = iso(since);
    let invoked_by = invoked_by.map_or_else(String::new, |s| format!(r#","invokedBy":"{s}""#));
    let identity = format!(
        r#"{{"type":"AssumedRole","principalId":"{id}:{session}","arn":"{arn}","accountId":"{account}","accessKeyId":"{key}","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"{id}","arn":"{role_arn}","accountId":"{account}","userName":"{role}"}},"attributes":{{"creationDate":"{since}","mfaAuthenticated":"false"}}}}{invoked_by}}}"#
    );
    (identity, arn)
}
