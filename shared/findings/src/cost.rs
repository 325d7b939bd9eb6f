//! What an episode costs: what its source says, what its counted tokens come to, or an estimate from the price table,
//! with what that rests on in words.

use std::fmt;

use tripmeter_model::{Finding, HOUR, MINUTE, Service};

use crate::prices;
use crate::words;

/// So many units have a pace; fewer are a try.
const IN_EARNEST: u64 = 10;

/// Millionths of a US dollar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct MicroDollars(pub u64);

impl fmt::Display for MicroDollars {
    /// In dollars, with no more digits than an estimate deserves: `$0.42`, `$47`, `$1,240`, `$20,100`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cents = self.0 / 10_000 + u64::from(self.0 % 10_000 >= 5_000);
        match cents {
            0 => f.write_str("less than $0.01"),
            1..1_000 => write!(f, "${}.{:02}", cents / 100, cents % 100),
            _ => {
                let mut step = 100;
                while cents / step >= 1_000 {
                    step *= 10;
                }
                // Half a step up, so that the last digit shown is rounded and not cut.
                write!(f, "${}", words::grouped((cents + step / 2) / step * step / 100))
            }
        }
    }
}

/// What an episode costs: as its source says, or by list prices. Those are an estimate: CloudTrail has neither tokens nor
/// parts of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    /// All of the episode so far.
    pub so_far: MicroDollars,
    /// An hour at the pace of its busiest one, or of its first minutes.
    pub per_hour: MicroDollars,
    /// What was taken for granted, and of which date the prices are; or that the source says so.
    pub basis: String,
    /// Whether a source says what it cost; otherwise it is estimated.
    pub stated: bool,
}

impl Cost {
    /// What is said after the sums: that they are an estimate, where they are.
    pub(crate) fn caveat(&self) -> &'static str {
        if self.stated { "" } else { " (estimate)" }
    }
}

/// The cost, where the finding is about use that was carried out, and either its source says what it cost or the
/// service's price by the unit is known.
///
/// Models and countries have their own prices; units whose target is not known are priced as the others are.
pub fn cost(finding: &Finding) -> Option<Cost> {
    if !words::is_spending(finding.finding_type.family) || finding.units == 0 {
        return None;
    }
    finding
        .cost_micros
        .map(|micros| summed(finding, micros))
        .or_else(|| estimated(finding))
}

/// What the use was told to cost, one by one; an hour's cost is its share of that by units.
fn summed(finding: &Finding, micros: u64) -> Cost {
    let an_hour = u128::from(micros) * u128::from(hourly_units(finding)) / u128::from(finding.units.max(1));
    let (basis, stated) = match finding.finding_type.service {
        Service::Bedrock | Service::BedrockMantle | Service::ClaudePlatform => (
            format!("tokens as they are counted, at list prices of {}", prices::AS_OF),
            false,
        ),
        Service::OpenAi => (
            format!(
                "tokens as they are counted, at what the organization has paid for its models lately, or list prices of {}",
                prices::AS_OF
            ),
            false,
        ),
        _ => ("what its source says, not an estimate".to_owned(), true),
    };
    Cost {
        so_far: MicroDollars(micros),
        per_hour: MicroDollars(u64::try_from(an_hour).unwrap_or(u64::MAX)),
        basis,
        stated,
    }
}

fn estimated(finding: &Finding) -> Option<Cost> {
    let service = finding.finding_type.service;
    if service == Service::OpenAi && !words::counts_tokens(finding) {
        return None;
    }
    let (default, assumption) = unit_price(service, None)?;
    let (mut units, mut nanos) = (0u128, 0u128);
    for (target, count) in &finding.units_by_target {
        let price = unit_price(service, Some(target)).map_or(default, |(price, _)| price);
        units += u128::from(*count);
        nanos += u128::from(*count) * u128::from(price);
    }
    // Nanodollars for the given number of units, at the mix of prices seen.
    let priced = |count: u64| {
        let total = nanos
            .saturating_mul(u128::from(count))
            .checked_div(units)
            .unwrap_or(u128::from(count) * u128::from(default));
        MicroDollars(u64::try_from(total / 1_000).unwrap_or(u64::MAX))
    };
    Some(Cost {
        so_far: priced(finding.units),
        per_hour: priced(hourly_units(finding)),
        basis: format!("list prices of {}; {assumption}", prices::AS_OF),
        stated: false,
    })
}

/// Units that an hour of this costs: those of the busiest hour, or, of an episode that is younger than that and
/// has begun in earnest, what its pace so far comes to.
fn hourly_units(finding: &Finding) -> u64 {
    let seconds = finding
        .last_seen
        .since(finding.first_seen)
        .unsigned_abs()
        .max(MINUTE as u64);
    let pace = finding.units.saturating_mul(HOUR as u64) / seconds;
    if finding.units < IN_EARNEST || seconds >= HOUR as u64 {
        return finding.units_per_hour;
    }
    finding.units_per_hour.max(pace)
}

/// The price of one unit, in nanodollars, and what it assumes.
fn unit_price(service: Service, target: Option<&str>) -> Option<(u64, &'static str)> {
    match service {
        Service::Bedrock | Service::BedrockMantle | Service::ClaudePlatform => Some((
            prices::model(target.unwrap_or_default()).typical_call(),
            "a call is taken as 2,000 tokens in and 500 out, a batch job as 1,000 calls, since CloudTrail counts neither",
        )),
        Service::OpenAi => Some((
            prices::model(target.unwrap_or_default()).blended_token(),
            "a token at the blend of four read and one written",
        )),
        Service::Ses => Some((prices::SES_MAIL, "without attachments and dedicated addresses")),
        Service::Sms => Some((
            prices::sms(target.unwrap_or_default()).nanodollars,
            "one part a message, at rough prices by country",
        )),
        Service::Cognito => Some((
            prices::sms(target.unwrap_or_default()).nanodollars,
            "if each sign-up sends one text message, at a rough price",
        )),
        Service::Sns => Some((
            prices::SNS_PUBLISH,
            "the publishing alone: subscribers by text message or mail cost far more",
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_shows_no_more_digits_than_it_deserves() {
        let shown = [0, 4_999, 420_000, 9_990_000, 46_600_000, 1_239_900_000, 20_149_000_000]
            .map(|micros| MicroDollars(micros).to_string());

        assert_eq!(
            shown,
            [
                "less than $0.01",
                "less than $0.01",
                "$0.42",
                "$9.99",
                "$47",
                "$1,240",
                "$20,100"
            ]
        );
    }
}
