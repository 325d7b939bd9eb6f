//! The engine: activities in, publications out. It has no clock and no IO; time comes from the records.

use std::borrow::Cow;
use std::collections::BTreeMap;

use tripmeter_model::{Activity, Finding, Identity, IdentityKind, Policy, Service, Timestamp};

use crate::account::{Account, Bench};
use crate::baseline::Params;
use crate::part::{Moved, PartKey};
use crate::settings::{Mode, Settings};

/// Judges activities by what the accounts they belong to have done before.
///
/// ```
/// use tripmeter_detect::{Engine, Settings};
/// use tripmeter_model::NoPolicy;
///
/// let mut engine = Engine::new(Settings::default(), NoPolicy);
/// let mut published = Vec::new();
/// engine.finish(&mut published);
/// assert!(published.is_empty());
/// ```
pub struct Engine<P> {
    terms: Terms<P>,
    accounts: BTreeMap<String, Account>,
    now: Option<Timestamp>,
    moved: Vec<Moved>,
}

/// The rule that holds findings back while a deployment learns an account.
pub const LEARNING: &str = "learning";

/// What is judged by: thresholds, and what people have excepted.
pub struct Terms<P> {
    settings: Settings,
    policy: P,
    identity: Params,
    account: Params,
    hold: bool,
    most: Vec<(Service, u64)>,
}

impl<P: Policy> Terms<P> {
    /// Terms of these settings and this policy.
    pub fn new(settings: Settings, policy: P) -> Self {
        Self {
            identity: settings.identity_params(),
            account: settings.account_params(),
            settings,
            policy,
            hold: false,
            most: Vec::new(),
        }
    }

    /// Holds back what an account's first days cannot tell, as a deployment does: while the account is learned, only
    /// ceilings, denied regions, removed guardrails, leaked keys and hijacks are published. The rest comes out
    /// suppressed by the rule [`LEARNING`].
    #[must_use]
    pub fn holding_while_learning(self) -> Self {
        Self { hold: true, ..self }
    }

    /// Lets no ceiling of a service be above what AWS lets the account spend, in units a day.
    #[must_use]
    pub fn with_quota(mut self, service: Service, most: u64) -> Self {
        self.most.push((service, most));
        self
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Judges activities of one account, in the order of time.
    pub(crate) fn observe(&self, account: &mut Account, activities: &[Activity], out: &mut Vec<Moved>) {
        let published = out.len();
        let mut in_order: Vec<&Activity> = activities.iter().collect();
        in_order.sort_by_key(|activity| activity.time);
        for activity in in_order {
            account.observe(&told_apart(activity), &self.bench(), out);
        }
        self.publish_from(published, out);
    }

    /// Time has passed, though nothing may have come: closes what is quiet.
    pub(crate) fn advance(&self, account: &mut Account, to: Timestamp, out: &mut Vec<Moved>) {
        let published = out.len();
        account.advance(to, &self.bench(), out);
        self.publish_from(published, out);
    }

    fn bench(&self) -> Bench<'_> {
        Bench {
            settings: &self.settings,
            policy: &self.policy,
            identity: self.identity,
            account: self.account,
            hold: self.hold,
            most: &self.most,
        }
    }

    /// Takes back what came out since `published` where nothing is to be published.
    fn publish_from(&self, published: usize, out: &mut Vec<Moved>) {
        if self.settings.mode == Mode::Observe {
            out.truncate(published);
        }
    }
}

impl<P: Policy> Engine<P> {
    /// An engine that knows nothing yet.
    pub fn new(settings: Settings, policy: P) -> Self {
        Self {
            terms: Terms::new(settings, policy),
            accounts: BTreeMap::new(),
            now: None,
            moved: Vec::new(),
        }
    }

    /// Takes one activity in; `out` gets what it causes to be published. A finding that a rule keeps quiet comes out
    /// too, once, with [`Finding::suppressed`] set: it is to be counted and not to be published. In mode `observe`
    /// nothing comes out.
    ///
    /// Activities may come in any order, and twice, within the lateness bound.
    pub fn observe(&mut self, activity: &Activity, out: &mut Vec<Finding>) {
        if self.now.is_none_or(|now| activity.time > now) {
            let hour_began = self.now.is_none_or(|now| now.hour() < activity.time.hour());
            self.now = Some(activity.time);
            if hour_began {
                self.advance(activity.time, out);
            }
        }
        if !self.accounts.contains_key(&activity.account) {
            self.accounts
                .insert(activity.account.clone(), Account::new(&activity.account, activity.time));
        }
        if let Some(account) = self.accounts.get_mut(&activity.account) {
            self.terms
                .observe(account, std::slice::from_ref(activity), &mut self.moved);
        }
        self.hand_over(out);
    }

    /// Time has passed, though nothing may have come: closes what is quiet.
    pub fn advance(&mut self, to: Timestamp, out: &mut Vec<Finding>) {
        for account in self.accounts.values_mut() {
            self.terms.advance(account, to, &mut self.moved);
        }
        self.hand_over(out);
    }

    fn hand_over(&mut self, out: &mut Vec<Finding>) {
        out.extend(self.moved.drain(..).map(|moved| moved.finding));
    }

    /// Every part of the state that there is, by account, as [`Slice`](crate::Slice) reads it.
    pub fn parts(&self) -> impl Iterator<Item = (&str, PartKey, Vec<u8>)> {
        self.accounts
            .values()
            .flat_map(|account| crate::slice::parts_of(account).map(|(key, body)| (account.id.as_str(), key, body)))
    }

    /// The input has ended: closes what was quiet by then, and leaves open what may go on.
    pub fn finish(&mut self, out: &mut Vec<Finding>) {
        if let Some(now) = self.now {
            self.advance(now, out);
        }
    }

    /// Every episode as it stands, suppressed ones too, by id. Of those that ended long ago, the newest.
    pub fn findings(&self) -> Vec<Finding> {
        let bench = self.terms.bench();
        let mut findings: Vec<Finding> = self
            .accounts
            .values()
            .flat_map(|account| account.findings(&bench))
            .collect();
        findings.sort_by(|a, b| a.uid.cmp(&b.uid).then(a.revision.cmp(&b.revision)));
        findings
    }
}

/// A caller without any identity is told by where it calls from: records of one caller belong together, and a flood
/// of them is one profile. A meter that counts the use of one principal is a meter of that principal.
pub fn told_apart(activity: &Activity) -> Cow<'_, Activity> {
    let kind = activity.identity.kind;
    let id = match (kind, activity.links.as_slice()) {
        (IdentityKind::Stranger, _) => format!("stranger:{} {}", activity.origin.network, activity.origin.client),
        (IdentityKind::Meter, [principal]) if !activity.identity.id.contains('#') => {
            format!("{}#{principal}", activity.identity.id)
        }
        _ => return Cow::Borrowed(activity),
    };
    Cow::Owned(Activity {
        identity: Identity { kind, id },
        ..activity.clone()
    })
}
