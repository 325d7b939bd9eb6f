//! What is known beside the records: the policy file, findings that people marked as expected, and what AWS lets the
//! detector's own account spend.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use tripmeter_model::{Case, Identity, Origin, Owner, Policy, Service, Severity, Suppression, Timestamp};
use tripmeter_policy::PolicyFile;

/// A finding that somebody marked as expected: the use that it is about is learned as normal, from its beginning until
/// a week after the mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The account.
    pub account: String,
    /// The service.
    pub service: Service,
    /// Whose use: [`Identity::id`].
    pub identity: String,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Who said so.
    pub by: String,
}

/// See the module's docs.
#[derive(Clone, Debug, Default)]
pub struct Exceptions {
    /// The policy file.
    pub file: Arc<PolicyFile>,
    /// Findings that were marked as expected.
    pub expected: Arc<Vec<Expected>>,
    /// Units a day that AWS lets the detector's own account spend, where the canary has read it.
    pub most: Arc<BTreeMap<Service, u64>>,
}

impl Policy for Exceptions {
    fn region_allowed(&self, account: &str, service: Service, region: &str, at: Timestamp) -> bool {
        self.file.region_allowed(account, service, region, at)
    }

    fn network_vouched(&self, account: &str, address: IpAddr, at: Timestamp) -> bool {
        self.file.network_vouched(account, address, at)
    }

    fn announced(
        &self,
        account: &str,
        service: Service,
        identity: &Identity,
        at: Timestamp,
    ) -> Option<(Suppression, Option<u64>)> {
        let marked = || {
            self.expected.iter().find(|expected| {
                expected.account == account
                    && expected.service == service
                    && expected.identity == identity.id
                    && (expected.from..=expected.until).contains(&at)
            })
        };
        self.file.announced(account, service, identity, at).or_else(|| {
            let reason = format!("{} marked its finding as expected", marked()?.by);
            let rule = "expected".to_owned();
            Some((Suppression { rule, reason }, None))
        })
    }

    fn suppressed(&self, case: &Case<'_>) -> Option<Suppression> {
        self.file.suppressed(case)
    }

    fn capped(&self, case: &Case<'_>) -> Option<(Suppression, Severity)> {
        self.file.capped(case)
    }

    fn owner(&self, account: &str, service: Service, identity: &Identity) -> Option<Owner> {
        self.file.owner(account, service, identity)
    }

    fn account_name(&self, account: &str) -> Option<String> {
        self.file.account_name(account)
    }

    fn is_aws_itself(&self, identity: &Identity, invoked_by: Option<&str>, origin: &Origin) -> bool {
        self.file.is_aws_itself(identity, invoked_by, origin)
    }
}

#[cfg(test)]
mod tests {
    use tripmeter_model::{DAY, IdentityKind};

    use super::*;

    #[test]
    fn what_was_marked_as_expected_is_announced_for_its_identity_and_its_time() {
        let at = Timestamp::from_seconds(1_770_000_000);
        let exceptions = Exceptions {
            expected: Arc::new(vec![Expected {
                account: "111122223333".into(),
                service: Service::Ses,
                identity: "arn:aws:iam::111122223333:user/news".into(),
                from: at,
                until: at.plus(7 * DAY),
                by: "an analyst".into(),
            }]),
            ..Exceptions::default()
        };
        let announced = |name: &str, at: Timestamp| {
            let identity = Identity {
                kind: IdentityKind::IamUser,
                id: format!("arn:aws:iam::111122223333:user/{name}"),
            };
            exceptions
                .announced("111122223333", Service::Ses, &identity, at)
                .is_some()
        };
        assert!(announced("news", at.plus(DAY)));
        assert!(!announced("news", at.plus(8 * DAY)), "it ends");
        assert!(!announced("other", at.plus(DAY)), "it is about one identity");
    }
}
