//! What was found: one episode, told so that a person and a machine can act on it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Identity, Outcome, Service, Session, Stage, Timestamp};

/// The ATT&CK tactic that a finding's type begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Tactic {
    /// TA0007.
    Discovery,
    /// TA0003.
    Persistence,
    /// TA0005.
    DefenseEvasion,
    /// TA0006.
    CredentialAccess,
    /// TA0040.
    Impact,
}

impl Tactic {
    /// The name that types use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Discovery => "Discovery",
            Self::Persistence => "Persistence",
            Self::DefenseEvasion => "DefenseEvasion",
            Self::CredentialAccess => "CredentialAccess",
            Self::Impact => "Impact",
        }
    }

    /// ATT&CK's id and name. <https://attack.mitre.org/tactics/enterprise/>
    pub fn attack(self) -> (&'static str, &'static str) {
        match self {
            Self::Discovery => ("TA0007", "Discovery"),
            Self::Persistence => ("TA0003", "Persistence"),
            Self::DefenseEvasion => ("TA0005", "Defense Evasion"),
            Self::CredentialAccess => ("TA0006", "Credential Access"),
            Self::Impact => ("TA0040", "Impact"),
        }
    }
}

macro_rules! families {
    ($($(#[$doc:meta])* $variant:ident = $slug:literal;)*) => {
        /// The last part of a finding's type; each has a runbook of its own.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Family { $($(#[$doc])* $variant),* }

        impl Family {
            /// Every family.
            pub const ALL: &'static [Family] = &[$(Family::$variant),*];

            /// The name that types use.
            pub fn name(self) -> &'static str {
                match self { $(Family::$variant => stringify!($variant)),* }
            }

            /// The name of its runbook, `docs/runbooks/SLUG.md`.
            pub fn slug(self) -> &'static str {
                match self { $(Family::$variant => $slug),* }
            }
        }
    };
}

families! {
    /// Limits, quotas, senders or models were read by somebody who never does.
    LimitProbe = "limit-probe";
    /// The same call over many regions within seconds.
    RegionSweep = "region-sweep";
    /// Use was refused, again and again.
    DeniedUse = "denied-use";
    /// Access to a service, a model or a feature was switched on.
    AccessEnabled = "access-enabled";
    /// A limit, quota or spend cap was raised, or asked to be.
    LimitRaised = "limit-raised";
    /// Sending was switched on.
    SendingEnabled = "sending-enabled";
    /// A sender was added.
    SenderAdded = "sender-added";
    /// A resource policy lets somebody else in.
    PolicyOpened = "policy-opened";
    /// A region was opened.
    RegionEnabled = "region-enabled";
    /// A control was weakened or blinded.
    GuardrailRemoved = "guardrail-removed";
    /// A credential was issued or widened.
    CredentialIssued = "credential-issued";
    /// AWS says that a key is known to strangers.
    LeakedKey = "leaked-key";
    /// A call outside the allowed regions.
    DeniedRegion = "denied-region";
    /// Use that no history explains.
    AnomalousUse = "anomalous-use";
    /// Use above an absolute ceiling.
    CeilingExceeded = "ceiling-exceeded";
    /// A meter says that it is spent, and no record says by whom.
    SpendSignal = "spend-signal";
    /// An opening, then use that leaves its baseline: AN0417 itself.
    Hijack = "hijack";
    /// Records of a region no longer arrive: the detector is blind there.
    TelemetryLost = "telemetry-lost";
}

/// A finding's type, as in `Impact:SES/Hijack`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FindingType {
    /// What it serves.
    pub tactic: Tactic,
    /// Where.
    pub service: Service,
    /// What.
    pub family: Family,
}

impl fmt::Display for FindingType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}/{}",
            self.tactic.name(),
            self.service.name(),
            self.family.name()
        )
    }
}

/// How bad: Low from 20 points, Medium from 40, High from 70, Critical from 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Severity {
    /// Worth a look when there is time.
    Low,
    /// Worth a look today.
    Medium,
    /// Act now.
    High,
    /// Act now, and call somebody.
    Critical,
}

impl Severity {
    /// Every severity, mildest first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// From points that anyone can add up; none below 20.
    pub fn from_points(points: u32) -> Option<Self> {
        match points {
            0..20 => None,
            20..40 => Some(Self::Low),
            40..70 => Some(Self::Medium),
            70..100 => Some(Self::High),
            100.. => Some(Self::Critical),
        }
    }

    /// The name that people read.
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "Low",
            Self::Medium => "Medium",
            Self::High => "High",
            Self::Critical => "Critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Severity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|s| s.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| {
                format!(
                    "'{}' is no severity; one of low, medium, high, critical",
                    crate::bounded(text, 40)
                )
            })
    }
}

/// Whether the episode goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Status {
    /// It goes on, or may.
    Open,
    /// Nothing unusual for the closing time.
    Closed,
}

/// Why a finding is published now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Cause {
    /// It is new.
    Created,
    /// Its severity rose.
    SeverityRaised,
    /// It was closed, and goes on.
    Reopened,
    /// It is ten times larger than when it was last published.
    GrownTenfold,
    /// It ended.
    Closed,
    /// What came later explains it: what it was about is told in another finding, or is nothing.
    Explained,
}

/// What a factor is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum FactorName {
    /// More than this identity's history explains.
    Volume,
    /// More than the account's history explains, spread over identities.
    AccountVolume,
    /// Many identities leave their baselines on one day.
    Breadth,
    /// It lasts: days, or hours of one day.
    Lasting,
    /// A region it never used.
    NewRegion,
    /// A network it never used.
    NewNetwork,
    /// A client it never used.
    NewClient,
    /// A target it never used.
    NewTarget,
    /// An hour of the day it never used.
    NewHour,
    /// Two networks or regions within minutes, one of them never seen.
    GeoVelocity,
    /// An identity that never used the service.
    NeverSeenIdentity,
    /// An identity that was silent for weeks.
    Dormant,
    /// Much use from places that yesterday did not know.
    Fresh,
    /// Limits were read before.
    StageProbe,
    /// Use was refused before.
    StageDenied,
    /// A policy was changed before.
    StagePolicy,
    /// A control was weakened before.
    StageGuardrail,
    /// A credential was issued before.
    StageCredential,
    /// Another identity of the account did one of these.
    StageByOther,
    /// An opening and the use that follows it.
    Chain,
    /// A region that is not allowed.
    DeniedRegion,
    /// The account never used the service.
    FirstUseOfService,
    /// An absolute ceiling is exceeded.
    Ceiling,
    /// What the activity is by itself.
    Base,
    /// Somebody who never did this, or a place that never saw it.
    Unusual,
    /// Several regions or services within minutes.
    Spread,
    /// More than records show anybody use.
    Unrecorded,
    /// Meters say that it was spent.
    SpendSignal,
}

/// One reason for a finding's severity: what was observed, what was expected, and the points it brought.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Factor {
    /// What it is about.
    pub name: FactorName,
    /// Its points.
    pub points: u32,
    /// A sentence for people.
    pub text: String,
    /// The number observed, where there is one.
    pub observed: Option<f64>,
    /// The number expected, where there is one.
    pub expected: Option<f64>,
}

/// An opening that bears on a finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OpeningSeen {
    /// When it was first seen.
    pub time: Timestamp,
    /// Which stage.
    pub stage: Stage,
    /// Which service.
    pub service: Service,
    /// Which call.
    pub call: String,
    /// Who.
    pub identity: Identity,
    /// How it ended.
    pub outcome: Outcome,
    /// Its event id.
    pub event_id: Option<String>,
}

/// The values that were seen during an episode; those that are new are marked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ContextSeen {
    /// The value.
    pub value: String,
    /// Whether the identity had never shown it before the episode.
    pub new: bool,
    /// How many activities showed it.
    pub count: u64,
}

/// The evidence of a finding.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// CloudTrail event ids, the smallest ones, capped.
    pub event_ids: Vec<String>,
    /// Regions.
    pub regions: Vec<ContextSeen>,
    /// Networks.
    pub networks: Vec<ContextSeen>,
    /// Clients.
    pub clients: Vec<ContextSeen>,
    /// Models, topics, senders, countries, resources.
    pub targets: Vec<ContextSeen>,
    /// Addresses, where records gave them.
    pub addresses: Vec<String>,
    /// Calls and how often each was seen.
    pub calls: Vec<ContextSeen>,
    /// Sessions and credentials.
    pub sessions: Vec<Session>,
    /// Openings, oldest first.
    pub openings: Vec<OpeningSeen>,
    /// Where the finding is about many identities: the durable ids of those with most of it, and their calls.
    #[serde(default)]
    pub identities: Vec<ContextSeen>,
    /// The ids of credentials that were issued.
    #[serde(default)]
    pub issued: Vec<String>,
    /// The durable ids of those that became this identity, where it is a role: theirs is the credential behind it.
    #[serde(default)]
    pub assumed_by: Vec<String>,
}

/// Who is asked first, out of the policy file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// A person or team.
    pub name: String,
    /// How to reach them.
    pub contact: Option<String>,
}

/// The rule that keeps a finding quiet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Suppression {
    /// The rule's id.
    pub rule: String,
    /// Its reason.
    pub reason: String,
}

/// What was found: an episode as it stands at one publication.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The episode's id: the same in every revision.
    pub uid: String,
    /// 1 for the first publication or suppression, then one more for each.
    pub revision: u32,
    /// Why it is published now.
    pub cause: Cause,
    /// Whether it goes on.
    pub status: Status,
    /// Its type.
    pub finding_type: FindingType,
    /// How bad.
    pub severity: Severity,
    /// The points that make the severity.
    pub points: u32,
    /// Why, most points first.
    pub factors: Vec<Factor>,
    /// The account.
    pub account: String,
    /// The account's name, out of the policy file.
    pub account_name: Option<String>,
    /// The region with most of it.
    pub region: String,
    /// Who.
    pub identity: Identity,
    /// Identities that this one is tied to: created it, was created by it, became it; where a policy was opened, whom it
    /// lets in.
    pub linked: Vec<String>,
    /// The event time of the record that caused this publication.
    pub time: Timestamp,
    /// The first activity of the episode.
    pub first_seen: Timestamp,
    /// The last one.
    pub last_seen: Timestamp,
    /// Activities in the episode: uses that succeeded, or the calls a control-plane finding is about.
    pub count: u64,
    /// Units in the episode (recipients, messages, calls).
    pub units: u64,
    /// Units in the busiest hour.
    pub units_per_hour: u64,
    /// Units and calls by target: what it costs depends on the model or the country.
    pub units_by_target: Vec<(String, u64)>,
    /// What it cost so far, in millionths of a US dollar, where a source of it says so.
    #[serde(default)]
    pub cost_micros: Option<u64>,
    /// What shows it.
    pub evidence: Evidence,
    /// Who is asked first.
    pub owner: Option<Owner>,
    /// The rule that keeps it quiet, if one does.
    pub suppressed: Option<Suppression>,
    /// Nothing happened: somebody tries whether findings arrive.
    #[serde(default)]
    pub sample: bool,
}
