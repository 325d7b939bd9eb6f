//! The account's service as a whole rose, though no single identity explains it: a theft spread thin.
//!
//! Two signs, each Medium by itself and 60 points together. *Volume*: the sum over all identities leaves its baseline,
//! and would have without any one of them. *Breadth*: more identities than usual left their own baselines on one
//! day, or made twice the calls of their usual day.
//!
//! ATT&CK: T1496.004. Evades: twenty identities with forty calls each. False when: a product launch reaches every
//! service at once; announce it as a campaign.

use tripmeter_model::{Factor, FactorName};

use crate::account_service::{Breadth, Spread};
use crate::baseline::{Expectation, Horizon};
use crate::explain::tail;

/// The factor of a rise of the sum.
pub(crate) fn volume(spread: &Spread) -> Factor {
    let Spread {
        horizon,
        count,
        identities,
        expected,
    } = spread;
    Factor {
        name: FactorName::AccountVolume,
        points: 40,
        text: format!(
            "all identities together: {}; spread over {identities} of them",
            tail(*horizon, *count, "calls", expected.mean, expected.dispersion)
        ),
        observed: Some(*count as f64),
        expected: Some(expected.mean),
    }
}

/// The factor of many identities at once.
pub(crate) fn breadth(breadth: Breadth, identities: u64, expected: &Expectation) -> Factor {
    let what = match breadth {
        Breadth::Anomalous => "identities that left their own baselines",
        Breadth::Doubled => "identities with twice the calls of their usual day",
    };
    Factor {
        name: FactorName::Breadth,
        points: 40,
        text: format!(
            "{what}: {}",
            tail(Horizon::Day, identities, "of them", expected.mean, expected.dispersion)
        ),
        observed: Some(identities as f64),
        expected: Some(expected.mean),
    }
}

/// Both signs together are the same theft seen twice: the second weighs half.
pub(crate) fn weigh_together(factors: &mut [Factor]) {
    if factors.iter().any(|factor| factor.name == FactorName::AccountVolume) {
        for breadth in factors.iter_mut().filter(|factor| factor.name == FactorName::Breadth) {
            breadth.points = 20;
        }
    }
}

#[cfg(test)]
mod tests {
    use tripmeter_model::{Activity, Family, IdentityKind, Service, Severity};

    use crate::testing::{activity, at, by, found};

    /// Sixty identities with some calls a day; on the last three days, some of them make so many times as many.
    fn account(days: i64, thieves: i64, times: i64) -> Vec<Activity> {
        let mut story = Vec::new();
        for day in 0..days {
            for identity in 0..60 {
                let stolen = day >= days - 3 && identity < thieves;
                let calls = (4 + (identity * 7 + day * 3) % 9) * if stolen { times } else { 1 };
                for n in 0..calls {
                    let time = at(day * 24 + 8).plus(n * 36_000 / calls + identity);
                    story.push(by(
                        activity(Service::Bedrock, "Converse", time),
                        &format!("app-{identity}"),
                    ));
                }
            }
        }
        story
    }

    fn of_the_account(story: Vec<Activity>) -> Option<Severity> {
        let whole = |f: &&tripmeter_model::Finding| f.identity.kind == IdentityKind::Account;
        let findings = found(story);
        let of = findings
            .iter()
            .filter(whole)
            .filter(|f| f.finding_type.family == Family::AnomalousUse);
        of.map(|f| f.severity).max()
    }

    #[test]
    fn a_theft_spread_over_twenty_identities_is_seen_in_the_whole() {
        assert_eq!(of_the_account(account(50, 20, 5)), Some(Severity::Medium));
    }

    #[test]
    fn what_one_identity_does_is_told_of_it_alone() {
        assert_eq!(of_the_account(account(50, 1, 60)), None);
    }
}
