//! What meters alone show is found: no record, sixty days of varying history, then mail over SMTP, text messages
//! straight to numbers, or sign-ups in a mass. Within two periods of the metric, at Medium or above; and what is
//! said in the sixty days before is counted. `cargo test -p tripmeter-detect --test meters -- --nocapture` prints it.

mod story;

use tripmeter_detect::{Engine, Settings};
use tripmeter_model::{Activity, Finding, NoPolicy, Service, Severity};

use story::{Dice, counted};

const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;
const DAYS: i64 = 60;
const SEEDS: u64 = 12;

/// What a meter counts, and how fast a thief spends it: what the services let an account do at once by default.
struct Meter {
    name: &'static str,
    service: Service,
    what: &'static str,
    /// The busiest account's usual hour. Of an account that sends as fast as a thief can, no meter tells him.
    busiest: f64,
    a_second: f64,
}

const METERS: [Meter; 3] = [
    Meter {
        name: "AWS/SES Send",
        service: Service::Ses,
        what: "mail over SMTP",
        busiest: 600.0,
        a_second: 14.0,
    },
    Meter {
        name: "AWS/SNS SMS",
        service: Service::Sns,
        what: "SMS straight to numbers",
        busiest: 200.0,
        a_second: 5.0,
    },
    Meter {
        name: "Cognito SMS",
        service: Service::Cognito,
        what: "sign-up messages",
        busiest: 60.0,
        a_second: 2.0,
    },
];

/// A number around 1: the product of some dice, so that large ones are rare and very large ones happen.
fn noise(dice: &mut Dice) -> f64 {
    (0..4).map(|_| 0.7 + dice.roll(700) as f64 / 1_000.0).product()
}

/// Sixty days as a business has them: a level of its own, office hours, weekends, growth, campaigns of some hours, noise.
fn history(meter: &Meter, period: i64, seed: u64) -> Vec<Activity> {
    let mut dice = Dice(seed * 7_919 + 17);
    let an_hour = meter.busiest / dice.pick([1.0, 3.0, 10.0, 30.0]);
    let growth = 1.0 + dice.roll(12) as f64 / 1_000.0;
    let weekend = dice.roll(100) as f64 / 100.0;
    let night = dice.roll(40) as f64 / 100.0;
    let mut history = Vec::new();
    let mut campaign = 1.0;
    for at in (0..DAYS * DAY).step_by(period as usize) {
        let (day, hour) = (at / DAY, at % DAY / HOUR);
        if at % DAY == 0 {
            campaign = if dice.roll(9) == 0 {
                2.0 + dice.roll(3) as f64
            } else {
                1.0
            };
        }
        let of_day = if day % 7 >= 5 { weekend } else { 1.0 };
        let of_hour = if (8..20).contains(&hour) { 1.0 } else { night };
        let of_campaign = if (10..13).contains(&hour) { campaign } else { 1.0 };
        let mean = an_hour * growth.powi(day as i32) * of_day * of_hour * of_campaign * period as f64 / HOUR as f64;
        let count = mean * noise(&mut dice) + dice.roll(1_000) as f64 / 1_000.0;
        if count >= 1.0 {
            history.push(counted(meter.name, meter.service, "eu-west-1", count as u64, at));
        }
    }
    history
}

/// How many of the first periods of a theft pass before it is Medium.
fn periods_until_found(engine: &mut Engine<NoPolicy>, meter: &Meter, period: i64, seed: u64) -> Option<i64> {
    let start = DAYS * DAY + Dice(seed).roll(24) as i64 * HOUR;
    (0..4).find(|n| {
        let calls = (meter.a_second * period as f64) as u64;
        let mut out = Vec::new();
        engine.observe(
            &counted(meter.name, meter.service, "eu-west-1", calls, start + n * period),
            &mut out,
        );
        out.iter().any(|finding: &Finding| finding.severity >= Severity::Medium)
    })
}

#[test]
fn what_meters_alone_show_is_found_within_two_periods_and_history_says_little() {
    for (period, called) in [(300, "5 minutes"), (HOUR, "1 hour")] {
        for meter in &METERS {
            let (mut late, mut low, mut medium) = (0, 0, 0);
            for seed in 0..SEEDS {
                let mut engine = Engine::new(Settings::default(), NoPolicy);
                let mut before = Vec::new();
                for activity in history(meter, period, seed) {
                    engine.observe(&activity, &mut before);
                }
                let told = engine.findings();
                low += told.iter().filter(|f| f.severity == Severity::Low).count();
                medium += told.iter().filter(|f| f.severity >= Severity::Medium).count();

                let found = periods_until_found(&mut engine, meter, period, seed);

                late += usize::from(found.is_none_or(|periods| periods >= 2));
            }
            println!(
                "{:<24} period {called:<9} {SEEDS} accounts: {late} not Medium within two periods; \
                 false in {DAYS} days: {low} Low, {medium} Medium",
                meter.what
            );
            assert_eq!(late, 0, "{} by {called}", meter.what);
            assert!(medium <= 2, "{} by {called}: {medium} false alarms", meter.what);
        }
    }
}
