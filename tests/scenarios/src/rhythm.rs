//! When programs and people call: the shapes of a day.
//!
//! None of these is drawn from the distribution that a detector might assume. They are mixtures: sittings of
//! unequal length, days of unequal weight, queues with heavy tails, bursts that breed bursts.

use std::ops::RangeInclusive;

use crate::dice::Dice;
use crate::record::{DAY, HOUR, MINUTE, Seconds};

/// The shape of somebody's days.
#[derive(Clone, Debug)]
pub enum Rhythm {
    /// A person: a few sittings on working days, hardly any at weekends, away now and then.
    Office {
        /// Calls on a usual day.
        calls: f64,
        /// When the day begins, hours after midnight UTC.
        opens: f64,
    },
    /// A program that people use: a wave over the day, fewer at weekends.
    Application {
        /// Calls on a usual working day.
        calls: f64,
        /// The hour (UTC) of the crest.
        crest: f64,
        /// Share of the calls that a weekend day keeps.
        weekend: f64,
    },
    /// A timer with jitter.
    Cron {
        /// Seconds between two runs.
        every: Seconds,
        /// Seconds by which a run may be late.
        jitter: Seconds,
        /// Calls in a run.
        calls: RangeInclusive<usize>,
    },
    /// A queue that is drained at night; how much is in it varies a lot.
    NightQueue {
        /// The hour (UTC) at which it begins.
        at: f64,
        /// Calls on a usual night.
        calls: f64,
        /// How much nights differ (sigma of the logarithm).
        sigma: f64,
    },
    /// A little every working day, a lot on the last two days of the month and the first of the next.
    MonthEnd {
        /// Calls on a usual day.
        quiet: f64,
        /// Calls on a busy day.
        busy: f64,
        /// The hour (UTC) at which a busy day's batch begins.
        at: f64,
    },
    /// An application that some days sends a campaign.
    Campaign {
        /// Calls on a usual day.
        calls: f64,
        /// How many times as much an hour of campaign brings.
        factor: f64,
        /// Hours that a campaign lasts.
        hours: f64,
        /// Chance that a day has one.
        chance: f64,
        /// The hour (UTC) at which campaigns begin.
        at: f64,
    },
    /// A few calls on a few days.
    Sparse {
        /// Chance that a day has any.
        chance: f64,
        /// Calls on such a day.
        calls: RangeInclusive<usize>,
    },
    /// Calls that cause calls: retries, agents, fan-out.
    Exciting {
        /// Calls on a usual day.
        calls: f64,
        /// Calls that one call causes, below 1.
        breeds: f64,
        /// Mean delay of what is caused, in seconds.
        delay: f64,
    },
}

impl Rhythm {
    /// The times of calls on the day that begins at `midnight`, `scale` times as many as usual; sorted.
    pub fn day(&self, midnight: Seconds, scale: f64, dice: &mut Dice) -> Vec<Seconds> {
        let weekend = is_weekend(midnight);
        let mut times = match self {
            Self::Office { calls, opens } => office(calls * scale, *opens, weekend, dice),
            Self::Application {
                calls,
                crest,
                weekend: keeps,
            } => {
                let day = if weekend { *keeps } else { 1.0 } * dice.around(1.0, 0.15) * scale;
                wave(calls * day, *crest, dice)
            }
            Self::Cron { every, jitter, calls } => cron(*every, *jitter, calls, scale, dice),
            Self::NightQueue { at, calls, sigma } => {
                let n = dice.around(calls * scale, *sigma).round() as usize;
                batch(n, at + dice.real(0.0, 0.3), dice)
            }
            Self::MonthEnd { quiet, busy, at } => {
                let mut times = if weekend {
                    vec![]
                } else {
                    wave(quiet * scale, at + 6.0, dice)
                };
                if is_month_end(midnight) {
                    times.extend(batch(dice.around(busy * scale, 0.2).round() as usize, *at, dice));
                }
                times
            }
            Self::Campaign {
                calls,
                factor,
                hours,
                chance,
                at,
            } => {
                let mut times = wave(calls * scale * if weekend { 0.6 } else { 1.0 }, 14.0, dice);
                if !weekend && dice.chance(*chance) {
                    let n = calls * scale / 24.0 * factor * hours * dice.real(0.7, 1.2);
                    times.extend(spread(n as usize, at * 3_600.0, hours * 3_600.0, dice));
                }
                times
            }
            Self::Sparse { chance, calls } => {
                let n = if dice.chance(*chance) {
                    dice.count(calls.clone())
                } else {
                    0
                };
                let begin = dice.real(7.0, 18.0) * 3_600.0;
                spread(
                    (n as f64 * scale).round() as usize,
                    begin,
                    dice.real(60.0, 7_200.0),
                    dice,
                )
            }
            Self::Exciting { calls, breeds, delay } => exciting(calls * scale, *breeds, *delay, dice),
        };
        times.retain(|t| (0..DAY).contains(t));
        times.sort_unstable();
        times.iter().map(|t| midnight + t).collect()
    }
}

/// Whether the day that begins at `midnight` is a Saturday or a Sunday.
pub fn is_weekend(midnight: Seconds) -> bool {
    (midnight.div_euclid(DAY) + 3).rem_euclid(7) >= 5
}

/// Whether it is one of a month's last two days, or the first.
pub fn is_month_end(midnight: Seconds) -> bool {
    let day_of_month =
        |t: Seconds| jiff::Timestamp::from_second(t).map_or(15, |t| jiff::tz::Offset::UTC.to_datetime(t).day());
    day_of_month(midnight) == 1 || day_of_month(midnight + DAY) == 1 || day_of_month(midnight + 2 * DAY) == 1
}

fn office(calls: f64, opens: f64, weekend: bool, dice: &mut Dice) -> Vec<Seconds> {
    let away = if weekend { 0.96 } else { 0.08 };
    if dice.chance(away) {
        return vec![];
    }
    let sittings = 1 + dice.poisson(2.0);
    let mut times = vec![];
    for _ in 0..sittings {
        let n = dice.around(calls / sittings as f64 * 0.8, 0.7).round() as usize;
        let mut t = (opens + dice.real(0.0, 9.0)) * 3_600.0;
        for _ in 0..n {
            t += dice.around(35.0, 0.9);
            times.push(t as Seconds);
        }
    }
    // A day that begins late in UTC goes on after midnight; it is told as the morning of the same date.
    times.iter().map(|t| t.rem_euclid(DAY)).collect()
}

fn wave(calls: f64, crest: f64, dice: &mut Dice) -> Vec<Seconds> {
    let mut times = vec![];
    for hour in 0..24 {
        let phase = (f64::from(hour) + 0.5 - crest) / 24.0 * std::f64::consts::TAU;
        let share = (1.0 + 0.85 * phase.cos()) / 24.0;
        let weight = dice.around(1.0, 0.2);
        let n = dice.poisson(calls * share * weight);
        times.extend((0..n).map(|_| Seconds::from(hour) * HOUR + dice.range(0..=HOUR - 1)));
    }
    times
}

fn cron(every: Seconds, jitter: Seconds, calls: &RangeInclusive<usize>, scale: f64, dice: &mut Dice) -> Vec<Seconds> {
    let mut times = vec![];
    let mut run = every / 2;
    while run < DAY {
        let mut t = run + dice.range(0..=jitter);
        for _ in 0..(dice.count(calls.clone()) as f64 * scale).round() as usize {
            times.push(t);
            t += dice.range(1..=5);
        }
        run += every;
    }
    times
}

/// A batch worked through as fast as the service allows: about one call in two seconds.
fn batch(n: usize, at: f64, dice: &mut Dice) -> Vec<Seconds> {
    let mut t = at * 3_600.0;
    (0..n)
        .map(|_| {
            t += dice.wait(2.0);
            t as Seconds
        })
        .collect()
}

fn spread(n: usize, begin: f64, length: f64, dice: &mut Dice) -> Vec<Seconds> {
    (0..n)
        .map(|_| (begin + length * dice.real(0.0, 1.0)) as Seconds)
        .collect()
}

fn exciting(calls: f64, breeds: f64, delay: f64, dice: &mut Dice) -> Vec<Seconds> {
    let mut open: Vec<Seconds> = wave(calls * (1.0 - breeds), 13.0, dice);
    let mut times = vec![];
    while let Some(t) = open.pop() {
        times.push(t);
        for _ in 0..dice.poisson(breeds) {
            open.push(t + dice.wait(delay) as Seconds + MINUTE / 60);
        }
    }
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_rhythm() -> Vec<Rhythm> {
        vec![
            Rhythm::Office {
                calls: 60.0,
                opens: 8.0,
            },
            Rhythm::Application {
                calls: 60.0,
                crest: 13.0,
                weekend: 0.4,
            },
            Rhythm::Cron {
                every: HOUR,
                jitter: 90,
                calls: 2..=3,
            },
            Rhythm::NightQueue {
                at: 2.0,
                calls: 60.0,
                sigma: 0.6,
            },
            Rhythm::MonthEnd {
                quiet: 5.0,
                busy: 900.0,
                at: 3.0,
            },
            Rhythm::Campaign {
                calls: 60.0,
                factor: 30.0,
                hours: 3.0,
                chance: 0.1,
                at: 10.0,
            },
            Rhythm::Sparse {
                chance: 0.3,
                calls: 1..=9,
            },
            Rhythm::Exciting {
                calls: 60.0,
                breeds: 0.6,
                delay: 40.0,
            },
        ]
    }

    #[test]
    fn a_day_is_sorted_and_stays_within_itself() {
        let (mut dice, midnight) = (Dice::new(3, "rhythm"), 20_500 * DAY);

        for rhythm in every_rhythm() {
            for day in 0..40 {
                let begin = midnight + day * DAY;
                let times = rhythm.day(begin, 1.0, &mut dice);
                assert!(times.is_sorted(), "{rhythm:?}");
                assert!(times.iter().all(|t| (begin..begin + DAY).contains(t)), "{rhythm:?}");
            }
        }
    }

    #[test]
    fn every_rhythm_calls_within_a_month_and_days_differ_more_than_chance_alone_would_have_them() {
        let mut dice = Dice::new(4, "rhythm");

        for rhythm in every_rhythm() {
            let counts: Vec<f64> = (0..90)
                .map(|d| rhythm.day((20_500 + d) * DAY, 1.0, &mut dice).len() as f64)
                .collect();
            let mean = counts.iter().sum::<f64>() / 90.0;
            let variance = counts.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / 89.0;
            assert!(mean > 0.5, "{rhythm:?} is silent");
            if !matches!(rhythm, Rhythm::Cron { .. }) {
                assert!(
                    variance > 1.3 * mean,
                    "{rhythm:?}: variance {variance:.1}, mean {mean:.1}"
                );
            }
        }
    }

    #[test]
    fn months_end_on_their_last_two_days_and_the_first_of_the_next() {
        let day = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_second();

        assert!(is_month_end(day("2026-02-27T00:00:00Z")));
        assert!(is_month_end(day("2026-02-28T00:00:00Z")));
        assert!(is_month_end(day("2026-03-01T00:00:00Z")));
        assert!(!is_month_end(day("2026-03-02T00:00:00Z")));
        assert!(is_weekend(day("2026-03-01T00:00:00Z")) && !is_weekend(day("2026-03-02T00:00:00Z")));
    }
}
