//! How much an activity counts for: its calls, and what its units are.

use tripmeter_model::{Activity, Identity, IdentityKind, Service};

use crate::journal::Journal;

/// Calls that one activity stands for at most: no source counts more before it tells, and one that is broken must not
/// fill a counter.
const MOST_CALLS: u64 = 1_000_000_000;
/// Tokens that weigh as one call: what a model call is taken to read.
const TOKENS_A_CALL: u32 = 2_000;

/// In volume a job counts as a 25th of the calls that it is taken to make, and at least as five.
const GUESSED: u32 = 25;
const LEAST_OF_A_JOB: u32 = 5;

/// The calls that an activity stands for.
pub(crate) fn calls(activity: &Activity) -> u64 {
    activity.quantity.calls.min(MOST_CALLS)
}

/// The same, as far as a counter of 32 bits holds them.
pub(crate) fn calls32(activity: &Activity) -> u32 {
    u32::try_from(calls(activity)).unwrap_or(u32::MAX)
}

/// What it counts for where it is asked whether much was spent: a job for as many calls as it is taken to make.
pub(crate) fn weight(activity: &Activity) -> u32 {
    Unit::of(activity.service, &activity.identity).weight(calls(activity), activity.quantity.units)
}

/// What it counts for in volume: a job for a part of these calls, since how many they are is a guess. What a meter counts
/// is none.
pub(crate) fn in_volume(activity: &Activity) -> u32 {
    let (calls, weight) = (calls32(activity), weight(activity));
    if weight > calls && activity.identity.kind != IdentityKind::Meter {
        calls.max(LEAST_OF_A_JOB).max(weight / GUESSED)
    } else {
        calls
    }
}

/// What the units of somebody's use of a service are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Calls: one, or as many as a job makes.
    Calls,
    /// What one call may spend many of: recipients, messages.
    Each,
    /// Tokens, of which one call spends thousands.
    Tokens,
}

impl Unit {
    pub(crate) fn of(service: Service, identity: &Identity) -> Self {
        let metered = identity.kind == IdentityKind::Meter;
        match service {
            Service::Ses | Service::Sns => Self::Each,
            Service::OpenAi => Self::Tokens,
            _ if metered && is_model_service(service) => Self::Tokens,
            _ => Self::Calls,
        }
    }

    /// As how many calls a use counts where it is asked whether much was spent: a job stands for as many as it makes,
    /// while a mail to fifty is one mail.
    pub(crate) fn weight(self, calls: u64, units: u64) -> u32 {
        let calls = if self == Self::Calls { units.max(calls) } else { calls };
        u32::try_from(calls).unwrap_or(u32::MAX)
    }

    /// How much an hour or an episode spent, in what people count: calls, or recipients and messages.
    pub(crate) fn spent(self, journal: &Journal) -> u64 {
        match self {
            Self::Tokens => journal.count,
            Self::Calls | Self::Each => journal.units.max(journal.count),
        }
    }

    /// How many units the floors of the volume tests take for a call; none where units are not tested by themselves.
    pub(crate) fn a_call(self) -> Option<u32> {
        match self {
            Self::Calls => None,
            Self::Each => Some(1),
            Self::Tokens => Some(TOKENS_A_CALL),
        }
    }
}

/// Whether a service's calls are answered by models.
pub(crate) fn is_model_service(service: Service) -> bool {
    matches!(
        service,
        Service::Bedrock | Service::AgentCore | Service::BedrockMantle | Service::ClaudePlatform | Service::SageMaker
    )
}

#[cfg(test)]
mod tests {
    use tripmeter_model::{Activity, Family, Finding, Quantity, Service, Severity};

    use super::MOST_CALLS;
    use crate::testing::{activity, at, by, found, from_afar, quiet_days, worst};

    /// A night of calls from afar, ten minutes at a time: as single calls, or counted before they are told.
    fn spree(service: Service, counted: bool) -> Vec<Activity> {
        let mut story = quiet_days(service, 40);
        for ten in 0..6i64 {
            let call = |n| {
                let time = at(39 * 24 + 2).plus(ten * 600 + n);
                by(from_afar(activity(service, "Converse", time)), "thief")
            };
            if counted {
                let quantity = Quantity {
                    calls: 90,
                    ..Quantity::of(90)
                };
                story.push(Activity { quantity, ..call(0) });
            } else {
                story.extend((0..90).map(call));
            }
        }
        story
    }

    fn told(findings: &[Finding]) -> Vec<(Severity, u32, u64, u64)> {
        let told = |f: &Finding| (f.severity, f.points, f.count, f.units);
        findings.iter().map(told).collect()
    }

    #[test]
    fn calls_that_were_counted_before_they_were_told_weigh_as_single_ones_do() {
        let (single, counted) = (
            found(spree(Service::Bedrock, false)),
            found(spree(Service::Bedrock, true)),
        );
        assert_eq!(told(&counted), told(&single));
        assert_eq!(worst(&counted, Family::Hijack), Some(Severity::High));
    }

    #[test]
    fn what_sources_say_it_cost_is_added_up() {
        let mut story = spree(Service::OpenAi, true);
        for call in &mut story {
            call.quantity.micros = Some(1_500);
        }
        let costs: Vec<Option<u64>> = found(story).iter().map(|finding| finding.cost_micros).collect();
        assert_eq!(costs, [Some(6 * 1_500)]);
    }

    /// Forty days of calls of a thousand tokens, and an hour in which each of as many takes so many.
    fn tokens(each: u64) -> Vec<Finding> {
        let mut story = quiet_days(Service::OpenAi, 40);
        for call in &mut story {
            let last_hour = call.time >= at(39 * 24 + 12) && call.time < at(39 * 24 + 13);
            call.quantity.units = if last_hour { each } else { 1_000 };
        }
        found(story)
    }

    #[test]
    fn tokens_are_anomalous_though_calls_are_not() {
        assert_eq!(worst(&tokens(60_000), Family::AnomalousUse), Some(Severity::Medium));
    }

    #[test]
    fn tokens_that_some_calls_may_take_are_nothing() {
        assert!(tokens(7_000).is_empty());
    }

    #[test]
    fn a_count_beyond_all_bounds_stops_nothing() {
        let mut story = spree(Service::OpenAi, true);
        for call in &mut story {
            call.quantity = Quantity {
                calls: u64::MAX,
                units: u64::MAX,
                micros: Some(u64::MAX),
                country: None,
            };
        }
        let findings = found(story);
        assert!(findings.iter().any(|f| f.count >= MOST_CALLS && f.units == u64::MAX));
    }
}
