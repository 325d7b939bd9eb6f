//! The account's service as a whole rose, though no single identity explains it: a theft spread thin.
//!
//! Two signs, each Medium. *Volume*: the sum over all identities leaves its baseline, and no identity has over
//! half of the excess. *Breadth*: more identities than usual left their own baselines on one day.
//!
//! ATT&CK: T1496.004. Evades: twenty identities with forty calls each. False when: a product launch reaches every
//! service at once; announce it as a campaign.

use tripmeter_model::{Factor, FactorName};

use crate::account_service::Spread;
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
pub(crate) fn breadth(identities: u64, expected: &Expectation) -> Factor {
    Factor {
        name: FactorName::Breadth,
        points: 40,
        text: format!(
            "identities that left their own baselines: {}",
            tail(Horizon::Day, identities, "of them", expected.mean, expected.dispersion)
        ),
        observed: Some(identities as f64),
        expected: Some(expected.mean),
    }
}
