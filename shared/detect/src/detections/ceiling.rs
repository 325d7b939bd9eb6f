//! Use above an absolute ceiling, whoever it is and whatever the history says.
//!
//! High. What remains when nothing else is known yet: a new account, a profile that learns, use that nobody can
//! put down to an identity. A ceiling is never below a multiple of what the account has done in the last 42 days.
//!
//! ATT&CK: T1496.004. Evades: staying below. False when: an account grows past it; raise the setting.

use tripmeter_model::Service;

use crate::account_service::ServiceProfile;
use crate::settings::Settings;

/// A ceiling that was passed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Exceeded {
    pub per: &'static str,
    pub units: u64,
    pub ceiling: u64,
}

/// The ceilings of an hour and a day before what the account has done raises them. `most` is what AWS lets the account
/// spend in a day, where that is known: no ceiling is above it.
fn shipped(service: Service, settings: &Settings, most: Option<u64>) -> Option<(u64, u64)> {
    let most = most.unwrap_or(u64::MAX).max(1);
    let (hour, day) = settings.ceilings(service)?;
    Some((hour.min(most), day.min(most)))
}

/// Half of the lowest ceilings of an hour and a day: whoever spends most of what exceeds one passes it alone.
pub(crate) fn half(service: Service, settings: &Settings, most: Option<u64>) -> Option<(u64, u64)> {
    shipped(service, settings, most).map(|(hour, day)| (hour / 2, day / 2))
}

/// Whether the hour, or its day so far, is above the ceiling.
pub(crate) fn exceeded(
    service: Service,
    profile: &ServiceProfile,
    hour: i64,
    settings: &Settings,
    most: Option<u64>,
) -> Option<Exceeded> {
    let (shipped_hour, shipped_day) = shipped(service, settings, most)?;
    let (units_hour, units_day) = profile
        .day(hour.div_euclid(24) as i32)?
        .units(hour.rem_euclid(24) as u8);
    if units_hour <= shipped_hour && units_day <= shipped_day {
        return None;
    }
    let (largest_hour, largest_day) = profile.largest();
    let most = most.unwrap_or(u64::MAX).max(1);
    let raised = |shipped: u64, largest: f64| shipped.max((settings.ceiling_peak_multiple * largest) as u64).min(most);
    let (ceiling_hour, ceiling_day) = (raised(shipped_hour, largest_hour), raised(shipped_day, largest_day));
    if units_hour > ceiling_hour {
        Some(Exceeded {
            per: "hour",
            units: units_hour,
            ceiling: ceiling_hour,
        })
    } else if units_day > ceiling_day {
        Some(Exceeded {
            per: "day",
            units: units_day,
            ceiling: ceiling_day,
        })
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use tripmeter_model::{Family, Service, Severity};

    use crate::Settings;
    use crate::testing::{activity, at, found_with, worst};

    fn mails(recipients: u64) -> Vec<tripmeter_model::Activity> {
        (0..10)
            .map(|n| {
                let mut mail = activity(Service::Ses, "SendBulkEmail", at(1).plus(n * 60));
                mail.quantity.units = recipients;
                mail
            })
            .collect()
    }

    fn ceiling(units: &str) -> Settings {
        let mut settings = Settings::default();
        settings.set("CeilingSESPerHour", units).unwrap();
        settings
    }

    #[test]
    fn what_is_above_the_ceiling_is_high_on_the_first_day() {
        let findings = found_with(mails(50), ceiling("400"));
        assert_eq!(worst(&findings, Family::CeilingExceeded), Some(Severity::High));
    }

    #[test]
    fn openai_has_a_ceiling_in_tokens() {
        let bucket = |tokens| {
            let mut bucket = activity(Service::OpenAi, "completions", at(1));
            bucket.quantity.units = tokens;
            worst(&found_with(vec![bucket], Settings::default()), Family::CeilingExceeded)
        };
        assert_eq!(bucket(50_000_001), Some(Severity::High));
        assert_eq!(bucket(50_000_000), None);
    }

    #[test]
    fn what_stays_below_it_is_not() {
        assert_eq!(
            worst(&found_with(mails(50), ceiling("501")), Family::CeilingExceeded),
            None
        );
    }
}
