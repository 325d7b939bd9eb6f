//! The rules that ship: what every account needs to be quiet about, keyed on what a caller cannot choose.
//!
//! Each is visible (`PolicyFile::rules`) and removable (`[builtin] disable = ["ID"]`). None hides a finding: AWS's own
//! work makes none, the others hold a severity at Low, and every opening still counts in a chain.

use tripmeter_model::{Case, Family, Identity, IdentityKind, Kind, Origin, Severity, Source};

use crate::pattern::is_service;
use crate::rules::{Rule, RuleKind};

/// A rule that ships.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Builtin {
    /// AWS acting by itself is nobody's probe and nobody's use.
    AwsServices,
    /// The reads of known posture scanners are Low.
    PostureScanners,
    /// What CloudFormation deploys is Low.
    InfrastructureAsCode,
}

/// Clients whose work is to read every limit, quota and policy in every region.
const SCANNERS: [&str; 5] = ["prowler", "scoutsuite", "steampipe", "cloudsploit", "cloudquery"];

impl Builtin {
    /// Every rule that ships.
    pub const ALL: [Self; 3] = [Self::AwsServices, Self::PostureScanners, Self::InfrastructureAsCode];

    /// The id that findings, summaries and `disable` use.
    pub fn id(self) -> &'static str {
        match self {
            Self::AwsServices => "aws-services",
            Self::PostureScanners => "posture-scanners",
            Self::InfrastructureAsCode => "infrastructure-as-code",
        }
    }

    /// What it does.
    pub fn what(self) -> &'static str {
        match self {
            Self::AwsServices => "AWS acting by itself is nobody's probe and nobody's use",
            Self::PostureScanners => "reads by a known posture scanner are Low at most",
            Self::InfrastructureAsCode => {
                "policy changes and credentials that CloudFormation makes for somebody are Low at most"
            }
        }
    }

    /// Why it ships.
    pub fn why(self) -> &'static str {
        match self {
            Self::AwsServices => {
                "Trusted Advisor, Config, CloudTrail and their like read limits in every region, every day"
            }
            Self::PostureScanners => {
                "a scanner reads what a thief reads first, in every region and service, and is refused where its role \
                 ends"
            }
            Self::InfrastructureAsCode => "a deployment creates senders, topics, roles and their policies all day",
        }
    }

    /// What it looks at, and who could forge that.
    pub fn keyed_on(self) -> &'static str {
        match self {
            Self::AwsServices => {
                "the identity's type AWSService; or a role below /aws-service-role/, which only AWS can create, with \
                 invokedBy naming an AWS service and no caller's address: AWS writes all of these. A role that is \
                 merely named like a service-linked one, and an ordinary role for which a service calls, are not AWS"
            }
            Self::PostureScanners => {
                "the user agent, which a caller chooses: so it never hides, only reads are covered, and they still \
                 count in a chain"
            }
            Self::InfrastructureAsCode => {
                "invokedBy, which AWS writes; but whoever holds a key may use CloudFormation, so it never hides, and \
                 what was opened still counts in a chain"
            }
        }
    }

    /// The rule as [`crate::PolicyFile::rules`] lists it.
    pub(crate) fn rule(self) -> Rule {
        Rule {
            id: self.id().to_owned(),
            kind: RuleKind::Builtin,
            owner: "Tripmeter".to_owned(),
            reason: self.what().to_owned(),
            expires: None,
            line: None,
        }
    }

    /// The severity that it holds a finding at, where it covers it.
    pub(crate) fn cap(self, case: &Case<'_>) -> Option<Severity> {
        let covered = match self {
            Self::AwsServices => false,
            Self::PostureScanners => {
                case.kind == Kind::Probe
                    && matches!(
                        case.family,
                        Family::LimitProbe | Family::RegionSweep | Family::DeniedUse
                    )
                    && case.client.is_some_and(|client| SCANNERS.contains(&client))
            }
            Self::InfrastructureAsCode => {
                matches!(case.kind, Kind::PolicyChange | Kind::CredentialIssue)
                    && !matches!(case.family, Family::DeniedRegion | Family::Hijack)
                    && matches!(
                        case.invoked_by,
                        Some("cloudformation.amazonaws.com" | "cloudformation.amazonaws.com.cn")
                    )
            }
        };
        covered.then_some(Severity::Low)
    }
}

/// Whether AWS acts by itself: see [`Builtin::keyed_on`].
pub(crate) fn is_aws_itself(identity: &Identity, invoked_by: Option<&str>, origin: &Origin) -> bool {
    match identity.kind {
        IdentityKind::AwsService => true,
        IdentityKind::ServiceLinkedRole => {
            invoked_by.is_some_and(is_service) && !matches!(origin.source, Source::Address(_))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tripmeter_model::{Client, Network};

    fn from(address: &str) -> Origin {
        let source = Source::parse(address);
        Origin {
            network: Network::of(&source, None),
            client: Client::of(None),
            source,
        }
    }

    fn identity(kind: IdentityKind, id: &str) -> Identity {
        Identity {
            kind,
            id: id.to_owned(),
        }
    }

    #[test]
    fn aws_is_told_by_what_aws_writes_and_never_by_a_name() {
        let advisor = identity(
            IdentityKind::ServiceLinkedRole,
            "arn:aws:iam::111122223333:role/aws-service-role/trustedadvisor.amazonaws.com/AWSServiceRoleForTrustedAdvisor",
        );
        let chosen_name = identity(
            IdentityKind::Role,
            "arn:aws:iam::111122223333:role/AWSServiceRoleForTrustedAdvisor",
        );
        let trail = identity(IdentityKind::AwsService, "cloudtrail.amazonaws.com");
        let called_by = Some("trustedadvisor.amazonaws.com");
        let service = from("trustedadvisor.amazonaws.com");

        assert!(is_aws_itself(
            &trail,
            Some("cloudtrail.amazonaws.com"),
            &from("cloudtrail.amazonaws.com")
        ));
        assert!(is_aws_itself(&advisor, called_by, &service));
        assert!(!is_aws_itself(&advisor, None, &service));
        assert!(!is_aws_itself(&advisor, Some("somebody"), &service));
        assert!(!is_aws_itself(&advisor, called_by, &from("203.0.113.7")));
        assert!(!is_aws_itself(&chosen_name, called_by, &service));
    }

    #[test]
    fn a_service_that_calls_for_an_ordinary_role_is_the_role() {
        let app = identity(IdentityKind::Role, "arn:aws:iam::111122223333:role/app");
        for service in ["bedrock.amazonaws.com", "cloudformation.amazonaws.com"] {
            assert!(!is_aws_itself(&app, Some(service), &from(service)), "{service}");
        }
    }
}
