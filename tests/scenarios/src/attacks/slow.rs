//! What is taken slowly, or a little from everybody: only volume shows it.

use crate::account::{Account, Job, Origin, Worker};
use crate::calls::llm::{self, Door};
use crate::cast::Cast;
use crate::dice::Dice;
use crate::principal::Principal;
use crate::record::DAY;
use crate::rhythm::Rhythm;
use crate::scenario::{Abuse, Must, MustNot, Scenario, Severity};

use super::{Plot, Twist, thieves};

/// History before a slow attack, in days.
const HISTORY: i64 = 90;

/// An account of so many identities that call models, most of them little.
fn callers(seed: u64, name: &str, identities: usize, door: Door) -> Account {
    let mut cast = Cast::draw(seed, name);
    let mut dice = cast.dice("callers");
    let model = cast.models.first().copied().unwrap_or_default();
    let workers = (0..identities)
        .map(|i| {
            let calls = dice.around(24.0, 0.5).clamp(12.0, 80.0);
            let rhythm = match dice.range(0..=3) {
                0 => Rhythm::Exciting {
                    calls,
                    breeds: 0.4,
                    delay: 60.0,
                },
                1 => Rhythm::Office {
                    calls: calls * 1.3,
                    opens: cast.opens,
                },
                _ => Rhythm::Application {
                    calls,
                    crest: cast.opens + 5.0,
                    weekend: 0.6,
                },
            };
            let name = format!("{}-{i}", cast.name());
            Worker {
                who: Principal::role(&mut dice, name),
                origin: Origin::program(&mut dice),
                region: cast.home,
                rhythm,
                jobs: vec![(
                    1.0,
                    Job::Model {
                        door,
                        model: model.into(),
                    },
                )],
            }
        })
        .collect();
    Account { cast, workers }
}

/// The extra calls of one worker on one day, made from its own seat: nothing but their number is new.
fn extra(plot: &mut Plot, worker: &Worker, day: i64, calls: usize, door: Door) {
    let account = plot.id();
    let model = plot.account.cast.models.first().copied().unwrap_or_default();
    let midnight = plot.account.cast.day(day);
    let seat = worker.sit(&account, midnight, &mut plot.dice);
    let mut times: Vec<_> = (0..calls).map(|_| midnight + plot.dice.range(0..=DAY - 1)).collect();
    times.sort_unstable();
    for time in times {
        let id = plot.log.add(
            time,
            worker.region,
            &seat,
            llm::call(door, &account, worker.region, model),
        );
        plot.abuse.push(Abuse {
            time,
            event_id: crate::record::uuid(id),
            service: door.service(),
        });
    }
}

/// Twenty identities of sixty call three times as much for three days.
pub(super) fn spread(seed: u64, twist: &Twist) -> Scenario {
    let name = "spread-over-identities";
    let door = twist.door;
    let account = callers(seed, name, 60, door);
    let mut log = account.log(name);
    account.work(0..HISTORY + 4, &mut log);
    let mut plot = Plot::over(account, log, name, HISTORY);
    let used = plot.dice.some(20, &plot.account.workers);
    for day in HISTORY..HISTORY + 3 {
        for worker in &used {
            let usual = usual_calls(worker);
            let calls = plot.dice.poisson(usual * 2.0);
            extra(&mut plot, worker, day, calls, door);
        }
    }
    plot.abuse.sort_by_key(|a| a.time);
    let must = Must {
        what: "the spread, Medium within its three days",
        families: vec!["AnomalousUse", "CeilingExceeded", "Hijack"],
        service: Some(door.service()),
        severity: Severity::Medium,
        identities: vec![],
        by_call: None,
        by_minutes: Some(3 * 24 * 60),
    };
    let what =
        "Twenty of sixty identities call models three times as much as ever for three days, each within its own \
                place, hours and habits."
            .to_owned();
    let mut scenario = plot.finish(name, what, [must], vec![]);
    // Whom such a finding names is open: the account's service as a whole does it.
    scenario.expectation.must_not = vec![MustNot {
        what: "nothing Critical: this is volume alone",
        severity: Severity::Critical,
        except: vec![],
    }];
    scenario
}

/// One identity calls 1.3 times as much every day.
pub(super) fn ramp(seed: u64, twist: &Twist) -> Scenario {
    let name = "slow-ramp";
    let door = twist.door;
    let account = callers(seed, name, 12, door);
    let mut log = account.log(name);
    let mut dice = Dice::new(seed, "slow-ramp/days");
    let days = dice.range(14..=16);
    account.work(0..HISTORY + days + 1, &mut log);
    let mut plot = Plot::over(account, log, name, HISTORY);
    let worker = plot.dice.pick(&plot.account.workers).clone();
    let usual = usual_calls(&worker);
    for day in 0..days {
        let calls = usual * (1.3_f64.powi(day as i32 + 1) - 1.0);
        let calls = plot.dice.poisson(calls);
        extra(&mut plot, &worker, HISTORY + day, calls, door);
    }
    let must = Must {
        what: "the ramp, Medium within fourteen days",
        families: vec!["AnomalousUse", "CeilingExceeded", "Hijack"],
        service: Some(door.service()),
        severity: Severity::Medium,
        identities: thieves(&[&worker.who]),
        by_call: None,
        by_minutes: Some(14 * 24 * 60),
    };
    let what = format!(
        "The role {} calls models 1.3 times as much every day for {days} days.",
        worker.who.label()
    );
    plot.finish(name, what, [must], thieves(&[&worker.who]))
}

/// Calls on a usual day.
fn usual_calls(worker: &Worker) -> f64 {
    match worker.rhythm {
        Rhythm::Application { calls, .. } | Rhythm::Exciting { calls, .. } | Rhythm::Office { calls, .. } => calls,
        _ => 20.0,
    }
}
