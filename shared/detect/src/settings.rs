//! Every threshold, in one place: its name, default, range, unit and what it does.
//!
//! MITRE's own tunables for analytic AN0417 keep MITRE's names: `TimeWindow`, `UserContext`,
//! `RequestVolumeThreshold`, `GeoVelocityThreshold`, `ModelUsageQuotaSpike`.

use std::fmt::{self, Display};
use std::str::FromStr;

use tripmeter_model::{HOUR, MINUTE, Service};

use crate::baseline::Params;

/// Whether findings are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub enum Mode {
    /// Judge and count, publish nothing.
    Observe,
    /// Publish.
    Publish,
}

impl Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Observe => "observe",
            Self::Publish => "publish",
        })
    }
}

impl FromStr for Mode {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.to_ascii_lowercase().as_str() {
            "observe" => Ok(Self::Observe),
            "publish" => Ok(Self::Publish),
            _ => Err(()),
        }
    }
}

/// Why a setting was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// There is no such setting.
    #[error("there is no setting '{name}'; `tripmeter settings` lists them{suggestion}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// A near name, ready to be printed, or nothing.
        suggestion: String,
    },
    /// The value is not of the setting's type, or out of its range.
    #[error("{name} cannot be '{value}': it takes {takes}")]
    Range {
        /// The setting.
        name: &'static str,
        /// What was given.
        value: String,
        /// What it takes, with the unit; of words, which.
        takes: String,
    },
}

/// One setting, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingRow {
    /// Its name.
    pub name: &'static str,
    /// Its default.
    pub default: String,
    /// What it takes.
    pub range: String,
    /// Its unit.
    pub unit: &'static str,
    /// What it does.
    pub what: &'static str,
}

macro_rules! settings {
    ($($name:ident, $field:ident: $type:ty = $default:expr, $min:expr, $max:expr, $unit:literal, $what:literal;)*) => {
        /// Every threshold of the engine. The defaults are what BASELINES measured or what the field's docs say
        /// of each; every value stays in its range.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Settings { $(#[doc = $what] pub $field: $type),* }

        impl Default for Settings {
            fn default() -> Self {
                Self { $($field: $default),* }
            }
        }

        impl Settings {
            /// Sets one by its name (case-blind). What is out of range is refused, and nothing changes.
            ///
            /// ```
            /// let mut settings = tripmeter_detect::Settings::default();
            /// settings.set("RequestVolumeThreshold", "40").unwrap();
            /// assert_eq!(settings.get("RequestVolumeThreshold").as_deref(), Some("40"));
            /// assert!(settings.set("TimeWindow", "9000").is_err());
            /// ```
            pub fn set(&mut self, name: &str, value: &str) -> Result<(), SettingError> {
                $(if name.eq_ignore_ascii_case(stringify!($name)) {
                    return match value.trim().parse::<$type>() {
                        Ok(v) if ($min..=$max).contains(&v) => {
                            self.$field = v;
                            Ok(())
                        }
                        _ => Err(SettingError::Range {
                            name: stringify!($name),
                            value: tripmeter_model::bounded(value, 64),
                            takes: takes(&format!("{} to {}", $min, $max), $unit),
                        }),
                    };
                })*
                Err(SettingError::Unknown { name: tripmeter_model::bounded(name, 64), suggestion: suggest(name) })
            }

            /// The value of one, as text.
            pub fn get(&self, name: &str) -> Option<String> {
                $(if name.eq_ignore_ascii_case(stringify!($name)) {
                    return Some(self.$field.to_string());
                })*
                None
            }

            /// Every setting, in the order of the docs.
            pub fn table() -> impl Iterator<Item = SettingRow> {
                [$(SettingRow {
                    name: stringify!($name),
                    default: { let d: $type = $default; d.to_string() },
                    range: format!("{} to {}", $min, $max),
                    unit: $unit,
                    what: $what,
                }),*].into_iter()
            }
        }
    };
}

settings! {
    Mode, mode: Mode = Mode::Publish, Mode::Observe, Mode::Publish, "observe or publish",
        "observe judges and counts but publishes nothing";
    TimeWindow, time_window_hours: i64 = 24, 1, 168, "hours",
        "how far apart an opening and a use may be, either way, to be one sequence (MITRE: TimeWindow)";
    UserContext, user_context_percent: u32 = 100, 0, 300, "percent",
        "the weight of a new region, network, client, target or hour (MITRE: UserContext)";
    RequestVolumeThreshold, hour_floor: u32 = 25, 5, 1_000_000, "calls",
        "below this many calls in a window, no volume is anomalous for an identity (MITRE: RequestVolumeThreshold)";
    GeoVelocityThreshold, geo_velocity_minutes: i64 = 30, 1, 1440, "minutes",
        "uses from two networks or regions within this time, one of them never seen before, are one identity in two places (MITRE: GeoVelocityThreshold)";
    ModelUsageQuotaSpike, model_usage_spike: f64 = 1000.0, 2.0, 1000.0, "ratio",
        "a day of model calls at this ratio to the mean of the last seven days is anomalous, whatever it was before (MITRE: ModelUsageQuotaSpike)";
    TenMinuteFloor, ten_floor: u32 = 25, 5, 1_000_000, "calls in ten minutes",
        "the floor of the ten-minute test";
    DayFloor, day_floor: u32 = 40, 5, 1_000_000, "calls a day",
        "the floor of the day test";
    WeekFloor, week_floor: u32 = 100, 5, 1_000_000, "calls a week",
        "the floor of the week test";
    MonthFloor, month_floor: u32 = 300, 5, 1_000_000, "calls in four weeks",
        "the floor of the month test";
    ShortRatio, short_ratio: f64 = 1.0, 0.5, 7.0, "factor",
        "multiplies the ratio to the mean that ten minutes (4) and an hour (3) must reach";
    LongRatio, long_ratio: f64 = 1.0, 0.75, 8.0, "factor",
        "multiplies the ratio to the mean that a day (2.5), a week and a month (2) must reach";
    PeakMargin, peak_margin: f64 = 1.0, 0.5, 5.0, "factor",
        "multiplies the margin over the largest window of the last 42 days (2, 2, 1.5, 1.3, 1.5)";
    LearningDays, learning_days: i32 = 14, 7, 60, "days",
        "a profile younger than this is judged by ceilings, stages and denied regions alone";
    GrownDays, grown_days: i32 = 35, 14, 90, "days",
        "a profile of this age has seen a month-end: lasting and overwhelming volume count from then on";
    Lateness, lateness_minutes: i64 = 120, 15, 360, "minutes",
        "how late an event may arrive without changing what is found";
    FreshUses, fresh_uses: u32 = 25, 5, 10_000, "calls in 24 hours",
        "how much use must come from places that yesterday did not know before it counts, and how much a never-seen identity must spend";
    DeniedBurst, denied_burst: u32 = 3, 2, 1_000, "calls in twenty minutes",
        "how many refused or failed uses are a burst";
    SweepRegions, sweep_regions: u32 = 5, 2, 40, "regions",
        "the same call in this many regions is a sweep";
    SweepSeconds, sweep_seconds: i64 = 60, 1, 600, "seconds",
        "how fast a sweep is";
    ClosingHours, closing_hours: i64 = 24, 1, 168, "hours",
        "an episode closes this long after its last unusual hour";
    ReopenDays, reopen_days: i64 = 7, 1, 30, "days",
        "an episode that closed within this time is opened again rather than begun anew";
    CeilingPeakMultiple, ceiling_peak_multiple: f64 = 3.0, 1.0, 100.0, "factor",
        "a ceiling is never below this multiple of the largest hour or day of the last 42 days";
    CeilingSESPerHour, ceiling_ses_hour: u64 = 50_000, 1, 1_000_000_000, "recipients", "the ceiling of mail in an hour, per account and region set";
    CeilingSESPerDay, ceiling_ses_day: u64 = 200_000, 1, 1_000_000_000, "recipients", "the ceiling of mail in a day";
    CeilingSNSPerHour, ceiling_sns_hour: u64 = 200_000, 1, 1_000_000_000, "messages", "the ceiling of SNS publishes in an hour";
    CeilingSNSPerDay, ceiling_sns_day: u64 = 2_000_000, 1, 1_000_000_000, "messages", "the ceiling of SNS publishes in a day";
    CeilingSMSPerHour, ceiling_sms_hour: u64 = 2_000, 1, 1_000_000_000, "messages", "the ceiling of SMS, MMS and voice messages in an hour";
    CeilingSMSPerDay, ceiling_sms_day: u64 = 10_000, 1, 1_000_000_000, "messages", "the ceiling of SMS, MMS and voice messages in a day";
    CeilingModelPerHour, ceiling_model_hour: u64 = 20_000, 1, 1_000_000_000, "calls", "the ceiling of model calls in an hour, for each of Bedrock, mantle, AgentCore, Claude Platform and SageMaker";
    CeilingModelPerDay, ceiling_model_day: u64 = 200_000, 1, 1_000_000_000, "calls", "the ceiling of model calls in a day";
    CeilingSignupPerHour, ceiling_signup_hour: u64 = 2_000, 1, 1_000_000_000, "messages", "the ceiling of messages that Cognito and WorkMail are made to send in an hour";
    CeilingSignupPerDay, ceiling_signup_day: u64 = 10_000, 1, 1_000_000_000, "messages", "the ceiling of messages that Cognito and WorkMail are made to send in a day";
    CeilingOpenAIPerHour, ceiling_openai_hour: u64 = 50_000_000, 1, 1_000_000_000_000u64, "tokens", "the ceiling of OpenAI tokens in an hour: that of model calls, at 2,500 tokens each";
    CeilingOpenAIPerDay, ceiling_openai_day: u64 = 500_000_000, 1, 1_000_000_000_000u64, "tokens", "the ceiling of OpenAI tokens in a day";
}

/// What a setting takes: numbers in a range, with their unit, or one of a few words, which stand where the unit would.
fn takes(range: &str, unit: &str) -> String {
    if unit.contains(" or ") {
        unit.to_owned()
    } else {
        format!("{range} ({unit})")
    }
}

fn suggest(name: &str) -> String {
    let wanted = name.to_ascii_lowercase();
    Settings::table()
        .map(|row| row.name)
        .find(|known| {
            let known = known.to_ascii_lowercase();
            wanted.len() >= 4 && (known.contains(&wanted) || wanted.contains(&known))
        })
        .map(|known| format!("; did you mean {known}?"))
        .unwrap_or_default()
}

impl Settings {
    /// The numbers of the volume tests for an identity.
    pub(crate) fn identity_params(&self) -> Params {
        self.scaled(Params::identity()).with_floors(
            [
                self.ten_floor,
                self.hour_floor,
                self.day_floor,
                self.week_floor,
                self.month_floor,
            ]
            // What is too little for an hour is too little for any window.
            .map(|floor| f64::from(floor.max(self.hour_floor))),
        )
    }

    /// The numbers of the volume tests for the sum over an account's identities.
    pub(crate) fn account_params(&self) -> Params {
        self.scaled(Params::account())
    }

    fn scaled(&self, mut params: Params) -> Params {
        for (test, ratio) in [
            (&mut params.ten_minutes, self.short_ratio),
            (&mut params.hour, self.short_ratio),
            (&mut params.day, self.long_ratio),
            (&mut params.week, self.long_ratio),
            (&mut params.month, self.long_ratio),
        ] {
            test.ratio *= ratio;
            test.peak *= self.peak_margin;
        }
        params.learn_days = self.learning_days;
        params.grown_days = self.grown_days;
        params.lateness_seconds = self.lateness();
        params
    }

    /// How far apart an opening and a use may be, in seconds.
    pub(crate) fn correlation(&self) -> i64 {
        self.time_window_hours * HOUR
    }

    /// How late an event may arrive, in seconds.
    pub(crate) fn lateness(&self) -> i64 {
        self.lateness_minutes * MINUTE
    }

    /// How long after its last unusual hour an episode closes, in seconds.
    pub(crate) fn closing(&self) -> i64 {
        self.closing_hours * HOUR
    }

    /// How long after an episode's last activity it closes at the latest, in seconds.
    pub fn quiet_seconds(&self) -> i64 {
        self.closing() + self.lateness()
    }

    /// The shipped ceilings of a service, in units an hour and a day.
    pub(crate) fn ceilings(&self, service: Service) -> Option<(u64, u64)> {
        match service {
            Service::Ses => Some((self.ceiling_ses_hour, self.ceiling_ses_day)),
            Service::Sns => Some((self.ceiling_sns_hour, self.ceiling_sns_day)),
            Service::Sms => Some((self.ceiling_sms_hour, self.ceiling_sms_day)),
            Service::Bedrock
            | Service::AgentCore
            | Service::BedrockMantle
            | Service::ClaudePlatform
            | Service::SageMaker => Some((self.ceiling_model_hour, self.ceiling_model_day)),
            Service::WorkMail | Service::Cognito => Some((self.ceiling_signup_hour, self.ceiling_signup_day)),
            Service::OpenAi => Some((self.ceiling_openai_hour, self.ceiling_openai_day)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_within_its_own_range() {
        for row in Settings::table() {
            let mut settings = Settings::default();
            settings.set(row.name, &row.default).unwrap();
            assert_eq!(settings, Settings::default(), "{}", row.name);
        }
    }

    #[test]
    fn a_wrong_value_changes_nothing_and_says_what_is_taken() {
        let mut settings = Settings::default();
        let error = settings.set("timewindow", "0").unwrap_err();
        assert_eq!(error.to_string(), "TimeWindow cannot be '0': it takes 1 to 168 (hours)");
        let error = settings.set("mode", "foo").unwrap_err();
        assert_eq!(error.to_string(), "Mode cannot be 'foo': it takes observe or publish");
        assert!(settings.set("ModelUsageQuotaSpike", "NaN").is_err());
        assert_eq!(settings, Settings::default());
    }

    #[test]
    fn an_unknown_name_is_told_its_neighbour() {
        let error = Settings::default().set("VolumeThreshold", "1").unwrap_err();
        assert!(
            error.to_string().ends_with("did you mean RequestVolumeThreshold?"),
            "{error}"
        );
    }

    #[test]
    fn mitres_tunables_have_their_names() {
        for name in [
            "TimeWindow",
            "UserContext",
            "RequestVolumeThreshold",
            "GeoVelocityThreshold",
            "ModelUsageQuotaSpike",
        ] {
            assert!(Settings::default().get(name).is_some(), "{name}");
        }
    }
}
