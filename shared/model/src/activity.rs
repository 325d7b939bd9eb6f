//! What the catalogue makes of a record: somebody did something to a service.

use serde::{Deserialize, Serialize};

use crate::{Digest, Identity, Origin, Service, Session, Timestamp};

/// What an activity means for the misuse of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// Reads limits, quotas, senders or models: what a thief looks at first.
    Probe,
    /// Enables, raises or opens what limits the service's use.
    PolicyChange,
    /// Weakens or blinds a control: logging, a guardrail, a budget, an alarm, the trail, this detector.
    GuardrailRemoval,
    /// Issues or widens a credential that reaches a watched service.
    CredentialIssue,
    /// Spends: mails, messages, model calls, jobs.
    Use,
    /// AWS itself says that a credential is known to strangers.
    LeakedKey,
    /// A meter speaks: a budget, quota, alarm, cost anomaly, health or sending-status event. It says that something
    /// was spent, or is about to be; it counts nothing itself.
    SpendSignal,
    /// Ties identities together or gives context (a role assumed, a sign-in, a key switched off, a limit lowered,
    /// a call nobody knows): counted and shown, never an opening.
    Context,
}

/// How the call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Outcome {
    /// It was carried out.
    Success,
    /// It was refused for want of a permission, or because the account has no access.
    Denied,
    /// It was refused for its rate or quota: neither a denial nor use.
    Throttled,
    /// It failed otherwise: a wrong parameter, a missing resource, a fault.
    Failed,
}

impl Outcome {
    /// Out of `errorCode`, which every service spells its own way.
    ///
    /// ```
    /// use tripmeter_model::Outcome;
    /// assert_eq!(Outcome::of(None), Outcome::Success);
    /// assert_eq!(Outcome::of(Some("Client.UnauthorizedOperation")), Outcome::Denied);
    /// assert_eq!(Outcome::of(Some("ThrottlingException")), Outcome::Throttled);
    /// assert_eq!(Outcome::of(Some("ValidationException")), Outcome::Failed);
    /// ```
    pub fn of(error_code: Option<&str>) -> Self {
        let Some(code) = error_code.map(str::trim).filter(|c| !c.is_empty()) else {
            return Self::Success;
        };
        let code: String = code
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(96)
            .collect::<String>()
            .to_ascii_lowercase();
        let any = |needles: &[&str]| needles.iter().any(|n| code.contains(n));
        // `LimitExceeded` of IAM and SES means a quota, `ServiceQuotaExceeded` too: refused for how much, not who.
        if any(&[
            "throttl",
            "toomanyrequests",
            "requestlimitexceeded",
            "limitexceeded",
            "quotaexceeded",
            "slowdown",
            "rateexceeded",
            "bandwidthlimit",
            "modelnotready",
        ]) {
            return Self::Throttled;
        }
        if any(&[
            "accessdenied",
            "unauthorized",
            "notauthorized",
            "authorizationerror",
            "forbidden",
            "authfailure",
            "unrecognizedclient",
            "invalidclienttokenid",
            "signaturedoesnotmatch",
            "expiredtoken",
            "invalidaccesskey",
            "optinrequired",
            "incompletesignature",
            "missingauthenticationtoken",
            "accountdisabled",
            "subscriptionrequired",
        ]) {
            return Self::Denied;
        }
        Self::Failed
    }
}

/// What a policy change does; it names the finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PolicyEffect {
    /// Access to a service, a model or a feature is switched on.
    AccessEnabled,
    /// A limit, a quota, a spend cap or a capacity is raised, or asked to be.
    LimitRaised,
    /// Sending is switched on.
    SendingEnabled,
    /// A sender is added: an identity verified, a number or sender id requested.
    SenderAdded,
    /// Somebody else is let in: a resource policy, an inbound permission.
    PolicyOpened,
    /// A region is opened.
    RegionEnabled,
}

/// What stage of a hijack an opening belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Stage {
    /// Limits, quotas, senders or models were read.
    Probe,
    /// Use was refused.
    DeniedUse,
    /// A policy that limits use was changed.
    PolicyChange,
    /// A control was weakened.
    GuardrailRemoval,
    /// A credential was issued or widened, or is known to strangers.
    Credential,
    /// A meter said that it was spent: no opening, but kept beside them.
    SpendSignal,
}

impl Stage {
    /// Every stage.
    pub const ALL: [Self; 6] = [
        Self::Probe,
        Self::DeniedUse,
        Self::PolicyChange,
        Self::GuardrailRemoval,
        Self::Credential,
        Self::SpendSignal,
    ];

    /// Its name, as it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Probe => "probe",
            Self::DeniedUse => "denied-use",
            Self::PolicyChange => "policy-change",
            Self::GuardrailRemoval => "guardrail-removal",
            Self::Credential => "credential",
            Self::SpendSignal => "spend-signal",
        }
    }
}

/// How much was spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Quantity {
    /// Calls that this activity stands for: 1 for a record, more where a source counts before it tells.
    pub calls: u64,
    /// Units of the service: recipients, messages, model calls, tokens, jobs. At least 1 for a use.
    pub units: u64,
    /// What it cost, in millionths of a US dollar, where the source says so.
    pub micros: Option<u64>,
    /// The destination's country, as ISO 3166-1 alpha-2, where the call names one (an SMS).
    pub country: Option<[u8; 2]>,
}

impl Quantity {
    /// One call, nowhere in particular.
    pub const ONE: Self = Self::of(1);

    /// So many units of one call, nowhere in particular.
    pub const fn of(units: u64) -> Self {
        Self {
            calls: 1,
            units,
            micros: None,
            country: None,
        }
    }
}

/// What the call was about, without what changes from region to region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Target {
    /// A model, without region and geography.
    Model(String),
    /// A topic's name.
    Topic(String),
    /// A sender: the mail domain.
    Sender(String),
    /// A destination country, ISO 3166-1 alpha-2.
    Country(String),
    /// An endpoint, agent, job, user pool or organisation.
    Resource(String),
    /// A principal: a user, role or group.
    Principal(String),
}

impl Target {
    /// The value alone.
    pub fn value(&self) -> &str {
        match self {
            Self::Model(v)
            | Self::Topic(v)
            | Self::Sender(v)
            | Self::Country(v)
            | Self::Resource(v)
            | Self::Principal(v) => v,
        }
    }
}

/// What somebody did: one record, judged by the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Activity {
    /// When.
    pub time: Timestamp,
    /// `eventID`, at most 64 bytes; absent in very old records.
    pub event_id: Option<String>,
    /// The account whose service it was: twelve digits, or empty when no record says.
    pub account: String,
    /// The region of the call, or empty.
    pub region: String,
    /// The service.
    pub service: Service,
    /// `eventName`, without Lambda's API date.
    pub call: String,
    /// What it means.
    pub kind: Kind,
    /// How it ended.
    pub outcome: Outcome,
    /// Who.
    pub identity: Identity,
    /// With which session and credential.
    pub session: Session,
    /// From where.
    pub origin: Origin,
    /// What it was about.
    pub target: Option<Target>,
    /// How much.
    pub quantity: Quantity,
    /// What a policy change does.
    pub effect: Option<PolicyEffect>,
    /// A routine call of any deployment (a topic created, a subscription to a queue): never more than Low alone.
    pub routine: bool,
    /// A guardrail removal that blinds: the trail, the logging of inference, this detector. A credential that
    /// reaches a watched service or everything.
    pub grave: bool,
    /// The durable ids of principals that this call created, granted, gave a key or became.
    pub links: Vec<String>,
    /// The id of the credential that it issued: an access key's, or that of an API key.
    pub issued: Option<String>,
    /// Call and shape of the parameters: what makes tomorrow's call the same habit.
    pub shape: Digest,
    /// Why it is watched, in one line; empty for a use.
    pub why: String,
}

impl Activity {
    /// The stage of a hijack that this activity opens, if any: what was refused tells no more than a probe.
    pub fn stage(&self) -> Option<Stage> {
        let done = self.outcome == Outcome::Success;
        match (self.kind, self.outcome) {
            (_, Outcome::Throttled) | (Kind::Context | Kind::SpendSignal, _) | (Kind::Use, Outcome::Success) => None,
            (Kind::Probe, _) => Some(Stage::Probe),
            (Kind::Use, Outcome::Denied | Outcome::Failed) => Some(Stage::DeniedUse),
            (Kind::PolicyChange, _) if done => Some(Stage::PolicyChange),
            (Kind::GuardrailRemoval, _) if done => Some(Stage::GuardrailRemoval),
            (Kind::CredentialIssue | Kind::LeakedKey, _) if done => Some(Stage::Credential),
            (Kind::PolicyChange | Kind::GuardrailRemoval | Kind::CredentialIssue | Kind::LeakedKey, _) => {
                Some(Stage::Probe)
            }
        }
    }

    /// Whether this is use that was carried out.
    pub fn is_spend(&self) -> bool {
        self.kind == Kind::Use && self.outcome == Outcome::Success
    }
}
