//! How much it means that an identity brings a value that it never showed: a region, a network, a client, a target,
//! an hour.
//!
//! Some identities bring something new every week (people who roam, pools of addresses), others never. The share of
//! active days that brought something new says which, after Good and Turing but counted in days, since the calls of
//! one day are too alike to count.
//!
//! ```
//! use tripmeter_detect::novelty::{Attribute, Known, Rates, Seen};
//!
//! let mut regions = Rates::default();
//! for _ in 0..20 {
//!     regions.fold(Seen::Before);
//! }
//! let p = regions.p_new(Attribute::Region.prior());
//! assert!(Attribute::Region.points(p, Known::ToNobody) > 15.0);
//! ```

use serde::{Deserialize, Serialize};

/// Active days after which a day weighs half.
const HALF_LIFE_DAYS: f64 = 28.0;
/// The weight of the prior, in active days: that of an identity, and that of an account.
const IDENTITY_PRIOR_DAYS: f64 = 10.0;
const ACCOUNT_PRIOR_DAYS: f64 = 200.0;

/// What of a use's context can be new.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Attribute {
    /// The region of the call.
    Region,
    /// The network that it came from.
    Network,
    /// The client, as a family of user agents.
    Client,
    /// The model, topic, sender or destination country.
    Target,
    /// The hour of the day.
    Hour,
}

impl Attribute {
    /// Every attribute.
    pub const ALL: [Self; 5] = [Self::Region, Self::Network, Self::Client, Self::Target, Self::Hour];

    /// The probability that an active day brings a new value, where nothing is known of the account.
    pub fn prior(self) -> f64 {
        match self {
            Self::Region => 0.003,
            Self::Network => 0.03,
            Self::Client => 0.01,
            Self::Target | Self::Hour => 0.02,
        }
    }

    /// Whether it says where.
    pub fn is_place(self) -> bool {
        matches!(self, Self::Region | Self::Network)
    }

    /// Points of a new value that could not be more surprising.
    pub fn most_points(self) -> f64 {
        match self {
            Self::Region => 16.0,
            Self::Network | Self::Client | Self::Target => 8.0,
            Self::Hour => 4.0,
        }
    }

    /// Points of a new value that had the probability `p_new`. Half of them are due when the account knows it.
    pub fn points(self, p_new: f64, known: Known) -> f64 {
        let share = match known {
            Known::ToNobody => 1.0,
            Known::ToTheAccount => 0.5,
        };
        self.most_points() * weight(p_new) * share
    }
}

/// Who has shown a value that is new to an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Known {
    /// Nobody in the account.
    ToNobody,
    /// Another identity that uses the same service.
    ToTheAccount,
}

/// What an active day brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Seen {
    /// Only values that were seen before.
    Before,
    /// At least one that never was.
    Never,
}

/// How often an attribute brings new values, over days on which there was any use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    /// Active days, decayed.
    pub active: f64,
    /// Those of them that brought a never-seen value, decayed.
    pub novel: f64,
}

impl Rates {
    /// Adds an active day.
    pub fn fold(&mut self, seen: Seen) {
        let decay = libm::exp2(-1.0 / HALF_LIFE_DAYS);
        self.active = decay * self.active + 1.0;
        self.novel *= decay;
        if seen == Seen::Never {
            self.novel += 1.0;
        }
    }

    /// The probability that an identity's next active day brings a new value. `prior` is its account's
    /// ([`Self::as_prior`]), or the attribute's own ([`Attribute::prior`]) where the account's is not kept.
    pub fn p_new(&self, prior: f64) -> f64 {
        self.drawn_to(prior, IDENTITY_PRIOR_DAYS)
    }

    /// These rates, of all of an account's identities, as the prior of one of them.
    pub fn as_prior(&self, attribute: Attribute) -> f64 {
        self.drawn_to(attribute.prior(), ACCOUNT_PRIOR_DAYS)
    }

    fn drawn_to(&self, prior: f64, days: f64) -> f64 {
        (self.novel + days * prior) / (self.active + days)
    }
}

/// How surprising a probability is, from 0 (one in eight or more) to 1 (one in 256 or less).
pub fn weight(p: f64) -> f64 {
    ((-libm::log2(p) - 3.0) / 5.0).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_one_in_a_thousand_days_brings_counts_in_full_and_what_every_fourth_brings_not_at_all() {
        assert!((weight(1.0 / 1024.0) - 1.0).abs() < f64::EPSILON);
        assert!(weight(0.25) < f64::EPSILON);
    }

    #[test]
    fn an_account_where_networks_rotate_expects_its_identities_to_roam() {
        let mut account = Rates::default();
        for _ in 0..200 {
            account.fold(Seen::Never);
        }

        let here = Rates::default().p_new(account.as_prior(Attribute::Network));
        let elsewhere = Rates::default().p_new(Attribute::Network.prior());

        assert!(here > 5.0 * elsewhere, "{here} and {elsewhere}");
    }

    proptest! {
        #[test]
        fn probabilities_stay_probabilities(days in prop::collection::vec(any::<bool>(), 0..400)) {
            let mut rates = Rates::default();

            for novel in days {
                rates.fold(if novel { Seen::Never } else { Seen::Before });
                for attribute in Attribute::ALL {
                    let p = rates.p_new(rates.as_prior(attribute));
                    prop_assert!(p > 0.0 && p < 1.0, "{p}");
                    let points = attribute.points(p, Known::ToNobody);
                    prop_assert!((0.0..=attribute.most_points()).contains(&points));
                }
            }
        }
    }
}
