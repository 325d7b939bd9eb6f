//! The words that a service's table is written in: what a call is, what decides its kind, what it is about.

use std::{fmt, slice};

use serde::{Serialize, Serializer};
use tripmeter_model::{Kind, PolicyEffect, Service};

use crate::parameters::Parameters;
use crate::ruling::Ruling;

/// One call of a watched service: a row of its service's table.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Call {
    /// The service.
    pub service: Service,
    /// CloudTrail's `eventName`, without Lambda's API date.
    pub name: &'static str,
    /// What the call means, unless [`Call::rule`] or [`Call::ours`] says otherwise.
    pub kind: Kind,
    /// What a policy change does.
    pub effect: Option<PolicyEffect>,
    /// Why it is watched, in one line.
    pub why: &'static str,
    /// What of its parameters decides the kind.
    pub rule: Rule,
    /// What changes when the call names a resource of this detector.
    pub ours: Ours,
    /// What it is about.
    pub target: About,
    /// How much it spends.
    pub quantity: Measure,
    /// An ordinary call of any deployment.
    pub routine: bool,
    /// Blinds, or lets into a watched service or everything.
    pub grave: bool,
    /// CloudTrail marks it `readOnly`.
    pub read_only: bool,
    /// The resource type that a trail must select for it, when it is a data event. `None`: a management event.
    pub data_event: Option<&'static str>,
    /// The service models of the AWS SDK that hold the operation.
    pub sdk_models: &'static [&'static str],
    /// Why no service model holds it: it is known from records or documentation alone.
    pub outside_sdk: Option<&'static str>,
}

/// What decides a call's kind beyond its name.
///
/// A path names a parameter as records spell it; `*` stands for every entry of a list or a map. A call whose
/// parameters cannot be read (a denied one has none) is what its row says.
#[derive(Clone, Copy, Debug)]
pub enum Rule {
    /// The name alone.
    Name,
    /// Context unless the parameter is true: a responder switches off. Absent is false, as in the API.
    Enables(&'static str),
    /// Context when the parameter is true: a control is switched on. Absent is false, as in the API.
    Disables(&'static str),
    /// Context unless the parameter has one of these values.
    Holds(&'static str, &'static [&'static str]),
    /// Context unless the parameter is absent, or an empty list or text.
    Empties(&'static str),
    /// Context when the number is at most 1: a limit is closed, not raised.
    Raises(&'static str),
    /// Context unless the number is zero, or is not there to be read.
    Zeroes(&'static str),
    /// Said in words, and decided by the function.
    Judged(&'static str, fn(&Parameters, Ruling) -> Ruling),
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => Ok(()),
            Self::Enables(path) => write!(f, "only when {path} is true"),
            Self::Disables(path) => write!(f, "only when {path} is false"),
            Self::Holds(path, values) => write!(f, "only when {path} is {}", values.join(" or ")),
            Self::Empties(path) => write!(f, "only when {path} is empty"),
            Self::Raises(path) => write!(f, "only when {path} is above 1"),
            Self::Zeroes(path) => write!(f, "only when {path} is 0"),
            Self::Judged(words, _) => f.write_str(words),
        }
    }
}

/// What a call means when it names a resource of this detector, and when it does not.
#[derive(Clone, Copy, Debug)]
pub enum Ours {
    /// It cannot touch the detector.
    Never,
    /// Every deployment makes such calls: context, unless a parameter at one of the paths names our resource.
    Only(&'static [&'static str]),
    /// Watched for its own sake; a guardrail removal when a parameter at one of the paths names our resource.
    Too(&'static [&'static str]),
}

impl fmt::Display for Ours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => Ok(()),
            Self::Only(paths) => write!(f, "only when {} names this detector", paths.join(" or ")),
            Self::Too(paths) => write!(f, "a guardrail removal when {} names this detector", paths.join(" or ")),
        }
    }
}

/// What a call is about: the parameters that name it, the first that is there.
#[derive(Clone, Copy, Debug)]
pub enum About {
    /// Nothing that is worth keeping.
    Nothing,
    /// A model: its id, inference profile or ARN.
    Model(&'static [&'static str]),
    /// A topic: its name, ARN, or a subscription's ARN.
    Topic(&'static [&'static str]),
    /// A sender: an address, a domain or an identity's ARN. The mail domain is kept.
    Sender(&'static [&'static str]),
    /// A country: its code, or a phone number, of which nothing else is kept.
    Country(&'static [&'static str]),
    /// An endpoint, agent, job, pool, key or stack: its name or ARN.
    Resource(&'static [&'static str]),
    /// The IAM user whose name this is; without one, the caller.
    User(&'static str),
    /// The IAM role whose name this is.
    Role(&'static str),
    /// The IAM group whose name this is.
    Group(&'static str),
    /// The role that the caller becomes, by its ARN.
    BecomesRole(&'static str),
    /// The federated user that the caller becomes, by name.
    BecomesFederatedUser(&'static str),
    /// The root user of another account that the caller becomes, by that account's id.
    BecomesRoot(&'static str),
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => Ok(()),
            Self::Model(paths) => write!(f, "model in {}", paths.join(", ")),
            Self::Topic(paths) => write!(f, "topic in {}", paths.join(", ")),
            Self::Sender(paths) => write!(f, "mail domain in {}", paths.join(", ")),
            Self::Country(paths) => write!(f, "country of {}", paths.join(", ")),
            Self::Resource(paths) => write!(f, "resource in {}", paths.join(", ")),
            Self::User(path) => write!(f, "user in {path}, else the caller"),
            Self::Role(path) => write!(f, "role in {path}"),
            Self::Group(path) => write!(f, "group in {path}"),
            Self::BecomesRole(path) => write!(f, "role in {path}, which the caller becomes"),
            Self::BecomesFederatedUser(path) => write!(f, "federated user in {path}, which the caller becomes"),
            Self::BecomesRoot(path) => write!(f, "root user of {path}, which the caller becomes"),
        }
    }
}

/// How much a call spends.
#[derive(Clone, Copy, Debug)]
pub enum Measure {
    /// One.
    One,
    /// Each entry of the lists at the paths, and each recipient in an entry, hidden or not; at least one.
    Each(&'static [&'static str]),
    /// One message, to the country of the phone number at the path. The number itself is not kept.
    Message(&'static str),
    /// A job, taken as so many calls: no record says how many it makes.
    Job(u64),
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One => f.write_str("1"),
            Self::Each(paths) => write!(f, "entries and recipients in {}", paths.join(", ")),
            Self::Message(path) => write!(f, "1, to the country of {path}"),
            Self::Job(calls) => write!(f, "{calls}: a job is taken as so many calls"),
        }
    }
}

macro_rules! serialized_as_words {
    ($($word:ty),*) => {$(
        impl Serialize for $word {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    )*};
}

serialized_as_words!(Rule, Ours, About, Measure);

/// The rows of a service, held by these models of the AWS SDK.
pub(crate) const fn service<const N: usize>(
    service: Service,
    sdk_models: &'static [&'static str],
    mut calls: [Call; N],
) -> [Call; N] {
    let mut i = 0;
    while i < N {
        // Iterators are not const; `i` is below the array's length.
        #[allow(clippy::indexing_slicing)]
        let call = &mut calls[i];
        call.service = service;
        call.sdk_models = sdk_models;
        i += 1;
    }
    calls
}

/// A read of limits, quotas, senders or models.
pub(crate) const fn probe(name: &'static str, why: &'static str) -> Call {
    Call::new(name, Kind::Probe, None, why).reads()
}

/// A change of what limits the service's use.
pub(crate) const fn policy(name: &'static str, effect: PolicyEffect, why: &'static str) -> Call {
    Call::new(name, Kind::PolicyChange, Some(effect), why)
}

/// The removal of a control.
pub(crate) const fn guard(name: &'static str, why: &'static str) -> Call {
    Call::new(name, Kind::GuardrailRemoval, None, why)
}

/// A credential issued or widened.
pub(crate) const fn credential(name: &'static str, why: &'static str) -> Call {
    Call::new(name, Kind::CredentialIssue, None, why)
}

/// Use: it spends.
pub(crate) const fn spend(name: &'static str, why: &'static str) -> Call {
    Call::new(name, Kind::Use, None, why)
}

/// Context: shown and counted, never an opening.
pub(crate) const fn context(name: &'static str, why: &'static str) -> Call {
    Call::new(name, Kind::Context, None, why)
}

impl Call {
    const fn new(name: &'static str, kind: Kind, effect: Option<PolicyEffect>, why: &'static str) -> Self {
        Self {
            service: Service::Ses,
            name,
            kind,
            effect,
            why,
            rule: Rule::Name,
            ours: Ours::Never,
            target: About::Nothing,
            quantity: Measure::One,
            routine: false,
            grave: false,
            read_only: false,
            data_event: None,
            sdk_models: &[],
            outside_sdk: None,
        }
    }

    /// What of its parameters decides the kind.
    pub(crate) const fn when(mut self, rule: Rule) -> Self {
        self.rule = rule;
        self
    }

    /// Context, unless a parameter at one of the paths names a resource of this detector.
    pub(crate) const fn only_ours(mut self, paths: &'static [&'static str]) -> Self {
        self.ours = Ours::Only(paths);
        self
    }

    /// A guardrail removal, when a parameter at one of the paths names a resource of this detector.
    pub(crate) const fn or_ours(mut self, paths: &'static [&'static str]) -> Self {
        self.ours = Ours::Too(paths);
        self
    }

    /// What it is about.
    pub(crate) const fn about(mut self, target: About) -> Self {
        self.target = target;
        self
    }

    /// How much it spends.
    pub(crate) const fn counts(mut self, quantity: Measure) -> Self {
        self.quantity = quantity;
        self
    }

    /// A data event of this resource type.
    pub(crate) const fn data(mut self, resource_type: &'static str) -> Self {
        self.data_event = Some(resource_type);
        self
    }

    /// Marked `readOnly` by CloudTrail.
    pub(crate) const fn reads(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// An ordinary call of any deployment.
    pub(crate) const fn routine(mut self) -> Self {
        self.routine = true;
        self
    }

    /// Blinds, or lets into a watched service or everything.
    pub(crate) const fn grave(mut self) -> Self {
        self.grave = true;
        self
    }

    /// In no model of the AWS SDK, for this reason.
    pub(crate) const fn outside_sdk(mut self, reason: &'static str) -> Self {
        self.outside_sdk = Some(reason);
        self
    }

    /// The paths of parameters that the row names, in groups of alternatives: target, quantity, rule, this detector's
    /// resources. What a [`Rule::Judged`] reads is in its function.
    pub fn parameters(&self) -> [&[&'static str]; 4] {
        let target = match &self.target {
            About::Nothing => &[],
            About::Model(paths)
            | About::Topic(paths)
            | About::Sender(paths)
            | About::Country(paths)
            | About::Resource(paths) => *paths,
            About::User(path)
            | About::Role(path)
            | About::Group(path)
            | About::BecomesRole(path)
            | About::BecomesFederatedUser(path)
            | About::BecomesRoot(path) => slice::from_ref(path),
        };
        let quantity = match &self.quantity {
            Measure::One | Measure::Job(_) => &[],
            Measure::Each(paths) => *paths,
            Measure::Message(path) => slice::from_ref(path),
        };
        let rule = match &self.rule {
            Rule::Name | Rule::Judged(..) => &[],
            Rule::Enables(path)
            | Rule::Disables(path)
            | Rule::Holds(path, _)
            | Rule::Empties(path)
            | Rule::Raises(path)
            | Rule::Zeroes(path) => slice::from_ref(path),
        };
        let ours = match &self.ours {
            Ours::Never => &[],
            Ours::Only(paths) | Ours::Too(paths) => *paths,
        };
        [target, quantity, rule, ours]
    }

    /// Whether anything of the request has to be read to judge the call: its shape is compared from day to day,
    /// or a parameter decides. Everything else is judged by its name, which is quicker.
    pub(crate) fn needs_parameters(&self) -> bool {
        !matches!(self.rule, Rule::Name)
            || !matches!(self.ours, Ours::Never)
            || !matches!(self.target, About::Nothing)
            || !matches!(self.quantity, Measure::One | Measure::Job(_))
            || self.has_habit()
    }

    /// Whether the names of its parameters are part of its shape: a change is made in the same way by the same
    /// automation, while a read or a use is what it is.
    pub(crate) fn has_habit(&self) -> bool {
        !matches!(self.kind, Kind::Probe | Kind::Use | Kind::Context)
    }
}
