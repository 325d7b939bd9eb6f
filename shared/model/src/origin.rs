//! Where a call came from: its network and its client, canonical enough to be compared with yesterday's.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use crate::{Record, bounded};

/// What `sourceIPAddress` was.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Source {
    /// An address.
    Address(IpAddr),
    /// The DNS name of the AWS service that called for the identity, such as `cloudformation.amazonaws.com`.
    Service(String),
    /// `AWS Internal`: the console or AWS itself.
    Internal,
    /// Absent, hidden, or nothing that is known.
    Hidden,
}

impl Source {
    /// Out of `sourceIPAddress`.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        if let Ok(address) = text.parse::<IpAddr>() {
            return Self::Address(address.to_canonical());
        }
        if text.eq_ignore_ascii_case("AWS Internal") {
            return Self::Internal;
        }
        let lower = text.to_ascii_lowercase();
        let service = lower
            .strip_suffix(".amazonaws.com")
            .or_else(|| lower.strip_suffix(".amazonaws.com.cn"));
        if service.is_some_and(|name| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'))
        }) {
            return Self::Service(bounded(&lower, 128));
        }
        Self::Hidden
    }
}

/// The network that a call came from, as baselines see it: the VPC endpoint, else `private`, else the calling
/// service, else the IPv4 /24 or IPv6 /48, else `hidden`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Network(pub String);

impl Network {
    /// From the source and the VPC endpoint.
    pub fn of(source: &Source, vpc_endpoint: Option<&str>) -> Self {
        if let Some(endpoint) = vpc_endpoint.filter(|e| !e.is_empty()) {
            return Self(bounded(endpoint, 64));
        }
        Self(match source {
            Source::Address(IpAddr::V4(a)) if is_private_v4(*a) => "private".into(),
            Source::Address(IpAddr::V6(a)) if is_private_v6(*a) => "private".into(),
            Source::Address(IpAddr::V4(a)) => {
                let [x, y, z, _] = a.octets();
                format!("{}/24", Ipv4Addr::new(x, y, z, 0))
            }
            Source::Address(IpAddr::V6(a)) => {
                let [x, y, z, ..] = a.segments();
                format!("{}/48", Ipv6Addr::new(x, y, z, 0, 0, 0, 0, 0))
            }
            Source::Service(name) => name.clone(),
            Source::Internal => "AWS Internal".into(),
            Source::Hidden => "hidden".into(),
        })
    }
}

fn is_private_v4(a: Ipv4Addr) -> bool {
    a.is_private() || a.is_loopback() || a.is_link_local() || matches!(a.octets(), [100, 64..=127, ..])
}

fn is_private_v6(a: Ipv6Addr) -> bool {
    a.is_loopback() || a.is_unique_local() || a.is_unicast_link_local()
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The family of a user agent: the tool without its version, so that an upgrade is not a new client.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Client(pub String);

/// Products that say more than the SDK they are built on; looked for anywhere in the user agent, in this order.
const TELLING: &[(&str, &str)] = &[
    ("prowler", "prowler"),
    ("scoutsuite", "scoutsuite"),
    ("scout suite", "scoutsuite"),
    ("steampipe", "steampipe"),
    ("cloudsploit", "cloudsploit"),
    ("cloudquery", "cloudquery"),
    ("cloudfox", "cloudfox"),
    ("pacu", "pacu"),
    ("trufflehog", "trufflehog"),
    ("terraform", "terraform"),
    ("opentofu", "opentofu"),
    ("pulumi", "pulumi"),
    ("aws-cdk", "aws-cdk"),
    ("hashicorp", "hashicorp"),
    ("s3 browser", "s3-browser"),
    ("awsgoncuiclient", "cloudshell"),
    ("cloudshell", "cloudshell"),
];

impl Client {
    /// Out of `userAgent`.
    ///
    /// ```
    /// use tripmeter_model::Client;
    /// assert_eq!(Client::of(Some("Boto3/1.35.10 md/Botocore#1.35.10 lang/python#3.11.7")).0, "boto3");
    /// assert_eq!(Client::of(Some("[aws-cli/2.17.32 md/awscrt#0.21.2]")).0, "aws-cli");
    /// assert_eq!(Client::of(Some("Mozilla/5.0 (X11; Linux x86_64)")).0, "browser");
    /// ```
    pub fn of(user_agent: Option<&str>) -> Self {
        let Some(text) = user_agent.map(str::trim).filter(|t| !t.is_empty()) else {
            return Self("none".into());
        };
        let lower = bounded(text, 512).to_ascii_lowercase();
        if let Some((_, family)) = TELLING.iter().find(|(needle, _)| lower.contains(needle)) {
            return Self((*family).into());
        }
        let lower = lower.trim_start_matches(['[', '"', '\'']);
        if lower.starts_with("mozilla/") || lower.starts_with("signin.") || lower.starts_with("console.") {
            return Self("browser".into());
        }
        let family: String = lower
            .chars()
            .take_while(|c| !matches!(c, '/' | ' ' | '#' | ';' | ',' | '(' | ']'))
            .take(48)
            .collect();
        Self(if family.is_empty() { "other".into() } else { family })
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a call came from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// What `sourceIPAddress` was.
    pub source: Source,
    /// Its network.
    pub network: Network,
    /// Its client.
    pub client: Client,
}

impl Origin {
    /// Out of a record.
    pub fn of(record: &Record<'_>) -> Self {
        let source = record.source_ip.as_deref().map_or(Source::Hidden, Source::parse);
        Self {
            network: Network::of(&source, record.vpc_endpoint.as_deref()),
            client: Client::of(record.user_agent.as_deref()),
            source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_what_stays_the_same_tomorrow() {
        let of = |ip: &str, vpce: Option<&str>| Network::of(&Source::parse(ip), vpce).0;
        assert_eq!(of("203.0.113.91", None), "203.0.113.0/24");
        assert_eq!(of("2001:db8:1:2::5", None), "2001:db8:1::/48");
        assert_eq!(of("::ffff:203.0.113.91", None), "203.0.113.0/24");
        assert_eq!(of("10.0.0.4", None), "private");
        assert_eq!(of("100.64.3.2", None), "private");
        assert_eq!(of("10.0.0.4", Some("vpce-0abc")), "vpce-0abc");
        assert_eq!(of("cloudformation.amazonaws.com", None), "cloudformation.amazonaws.com");
        assert_eq!(of("AWS Internal", None), "AWS Internal");
        assert_eq!(of("HIDDEN_DUE_TO_SECURITY_REASONS", None), "hidden");
        assert_eq!(of("evil.example.com", None), "hidden");
    }

    #[test]
    fn a_client_is_the_tool_without_its_version() {
        for (agent, family) in [
            ("python-urllib3/2.0.7", "python-urllib3"),
            ("aws-sdk-nodejs/2.1692.0 linux/v18", "aws-sdk-nodejs"),
            ("Boto3/1.35.0 Prowler/5.1", "prowler"),
            ("APN/1.0 HashiCorp/1.0 Terraform/1.9.5", "terraform"),
            ("trustedadvisor.amazonaws.com", "trustedadvisor.amazonaws.com"),
            ("", "none"),
            ("/", "other"),
        ] {
            assert_eq!(Client::of(Some(agent)).0, family, "{agent}");
        }
        assert!(Client::of(Some(&"u".repeat(70_000))).0.len() <= 48);
    }
}
