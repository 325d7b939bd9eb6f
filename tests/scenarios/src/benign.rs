//! Weeks in which nothing happens that anybody should be woken for.
//!
//! Every scenario has at least thirty identities that use watched services, about 2,500 of their calls a day, and
//! more than three weeks. Each has one thing of its own that naive rules alarm on.

use crate::account::{Account, Job, Origin, Size, Worker, scanners};
use crate::calls::llm::{self, Door};
use crate::calls::{iam, operations, ses, sns};
use crate::cast::{Cast, MODELS, address, own_network};
use crate::dice::Dice;
use crate::log::Log;
use crate::principal::Principal;
use crate::record::{DAY, HOUR, MINUTE, Seconds};
use crate::rhythm::{Rhythm, is_month_end, is_weekend};
use crate::scenario::{Expectation, Scenario};

type Weeks = fn(u64) -> Scenario;

/// Every scenario, by name.
const WEEKS: [(&str, Weeks); 10] = [
    ("office-hours", office_hours),
    ("marketing-campaign", marketing_campaign),
    ("load-test", load_test),
    ("new-region", new_region),
    ("new-model", new_model),
    ("month-end", month_end),
    ("daily-deploys", daily_deploys),
    ("scanner-sweeps", scanner_sweeps),
    ("roaming-people", roaming_people),
    ("new-arrivals", new_arrivals),
];

/// The names of all benign weeks.
pub fn names() -> impl Iterator<Item = &'static str> {
    WEEKS.iter().map(|(name, _)| *name)
}

/// One of them.
pub fn weeks(name: &str, seed: u64) -> Option<Scenario> {
    WEEKS.iter().find(|(n, _)| *n == name).map(|(_, weeks)| weeks(seed))
}

/// An account on ordinary days, its log, and how many days that is.
struct Base {
    account: Account,
    log: Log,
    dice: Dice,
    days: i64,
}

impl Base {
    fn draw(seed: u64, name: &str) -> Self {
        Self::of(Cast::draw(seed, name), name)
    }

    fn of(cast: Cast, name: &str) -> Self {
        let mut dice = cast.dice(name);
        let size = Size {
            identities: dice.count(32..=40),
            calls: dice.real(2_700.0, 3_300.0),
        };
        let days = dice.range(22..=27);
        let account = Account::draw(cast, &size);
        let log = account.log(name);
        Self {
            account,
            log,
            dice,
            days,
        }
    }

    /// Everybody's ordinary work.
    fn work(&mut self) {
        self.account.work(0..self.days, &mut self.log);
    }

    /// A working day in the last week of the log.
    fn late_working_day(&mut self) -> i64 {
        let first = self.days - 7;
        (first..self.days - 1)
            .find(|d| !is_weekend(self.account.cast.day(*d)))
            .unwrap_or(first)
    }

    /// One more program of the account; it is not at work yet.
    fn program(&mut self, rhythm: Rhythm, jobs: Vec<(f64, Job)>) -> Worker {
        let name = self.account.cast.name();
        Worker {
            who: Principal::role(&mut self.dice, name),
            origin: Origin::program(&mut self.dice),
            region: self.account.cast.home,
            rhythm,
            jobs,
        }
    }

    /// A worker's work on these days.
    fn employ(&mut self, worker: &Worker, days: std::ops::Range<i64>, scale: impl Fn(i64) -> f64) {
        for day in days {
            let midnight = self.account.cast.day(day);
            worker.work(
                midnight,
                scale(day),
                &self.account.cast.account,
                &mut self.dice,
                &mut self.log,
            );
        }
    }

    /// So many extra calls of a worker, spread over a stretch of time.
    fn surge(&mut self, worker: &Worker, begin: Seconds, length: Seconds, calls: f64) {
        let account = &self.account.cast.account;
        let seat = worker.sit(account, begin - 5 * MINUTE, &mut self.dice);
        let mut t = begin as f64;
        while t < (begin + length) as f64 {
            t += self.dice.wait(length as f64 / calls);
            let call = worker.call(account, worker.region, &mut self.dice);
            self.log.add(t as Seconds, worker.region, &seat, call);
        }
    }

    fn finish(self, name: &'static str, what: String) -> Scenario {
        Scenario {
            name,
            what,
            expectation: Expectation::quiet(),
            records: self.log.finish(),
        }
    }
}

fn office_hours(seed: u64) -> Scenario {
    let mut base = Base::draw(seed, "office-hours");
    base.work();
    base.finish("office-hours", "Programs and people at their ordinary work.".into())
}

fn marketing_campaign(seed: u64) -> Scenario {
    let mut base = Base::draw(seed, "marketing-campaign");
    base.work();
    let calls = base.dice.real(40.0, 120.0);
    let sender = format!("offers@{}", base.account.cast.domain);
    let mail = Job::Mail {
        way: *base.dice.pick(&ses::Way::ALL),
        sender,
        most: 1,
    };
    let worker = base.program(
        Rhythm::Application {
            calls,
            crest: 13.0,
            weekend: 0.6,
        },
        vec![(1.0, mail)],
    );
    let days = base.days;
    base.employ(&worker, 0..days, |_| 1.0);
    let hours = base.dice.range(2..=6);
    let day = base.late_working_day();
    let begin = base.account.cast.day(day) + base.dice.range(8..=12) * HOUR;
    base.surge(&worker, begin, hours * HOUR, calls / 24.0 * 30.0 * hours as f64);
    let what = format!("The newsletter goes out: thirty times the usual mails for {hours} hours.");
    base.finish("marketing-campaign", what)
}

fn load_test(seed: u64) -> Scenario {
    let mut base = Base::draw(seed, "load-test");
    base.work();
    let calls = base.dice.real(80.0, 250.0);
    let model = base.account.cast.models.first().copied().unwrap_or_default().into();
    let job = Job::Model {
        door: *base.dice.pick(&Door::USUAL),
        model,
    };
    let worker = base.program(
        Rhythm::Application {
            calls,
            crest: 13.0,
            weekend: 0.5,
        },
        vec![(1.0, job)],
    );
    let days = base.days;
    base.employ(&worker, 0..days, |_| 1.0);
    let (hours, factor) = (base.dice.range(2..=4), base.dice.real(10.0, 20.0));
    let day = base.late_working_day();
    let begin = base.account.cast.day(day) + base.dice.range(9..=15) * HOUR;
    base.surge(&worker, begin, hours * HOUR, calls / 24.0 * factor * hours as f64);
    let what = format!("A load test of one program: {factor:.0} times its usual model calls for {hours} hours.");
    base.finish("load-test", what)
}

fn new_region(seed: u64) -> Scenario {
    let mut base = Base::draw(seed, "new-region");
    base.work();
    let (home, second) = (base.account.cast.home, base.account.cast.second);
    let calls = base.dice.real(60.0, 200.0);
    let rhythm = Rhythm::Application {
        calls,
        crest: 13.0,
        weekend: 0.6,
    };
    let model = "anthropic.claude-sonnet-4-20250514-v1:0";
    let profile = |region| Job::Model {
        door: Door::Converse,
        model: llm::profile(region, model),
    };
    let at_home = base.program(rhythm.clone(), vec![(1.0, profile(home))]);
    let abroad = Worker {
        region: second,
        origin: Origin {
            networks: vec![own_network(&mut base.dice)],
            ..at_home.origin.clone()
        },
        jobs: vec![(1.0, profile(second))],
        ..at_home.clone()
    };
    let (days, day) = (base.days, base.late_working_day());
    // The same people are served, some of them from the new place.
    base.employ(&at_home, 0..days, |d| if d < day { 1.0 } else { 0.6 });
    base.employ(&abroad, day..days, |_| 0.4);
    let mut ci = Ci::draw(&mut base, 2);
    for d in 0..days {
        ci.deploy(&mut base, d, home);
        if d >= day {
            ci.deploy(&mut base, d, second);
        }
    }
    let what = format!("The program {} is released to {second} as well.", at_home.who.label());
    base.finish("new-region", what)
}

fn new_model(seed: u64) -> Scenario {
    let mut base = Base::draw(seed, "new-model");
    let known = base.account.cast.models.clone();
    let fresh = MODELS
        .into_iter()
        .find(|m| !known.contains(m))
        .unwrap_or("anthropic.claude-opus-4-7");
    let first = base.days - 9;
    // Half of those who call models change over, each on a day of its own.
    let mut changes = vec![];
    for worker in &base.account.workers {
        let calls_models = worker.jobs.iter().any(|(_, j)| matches!(j, Job::Model { .. }));
        changes.push((calls_models && base.dice.chance(0.5)).then(|| first + base.dice.range(0..=6)));
    }
    let workers = base.account.workers.clone();
    for (worker, change) in workers.iter().zip(&changes) {
        let (days, change) = (base.days, change.unwrap_or(base.days));
        base.employ(worker, 0..change.min(days), |_| 1.0);
        let mut after = worker.clone();
        for (_, job) in &mut after.jobs {
            if let Job::Model { model, .. } = job {
                *model = fresh.into();
            }
        }
        base.employ(&after, change..days, |_| 1.0);
    }
    let n = changes.iter().flatten().count();
    base.finish(
        "new-model",
        format!("{n} programs and people change over to {fresh} within a week."),
    )
}

/// A new colleague at the next desk, and a new program in a network of its own, both with the clients and the model that
/// others use.
fn new_arrivals(seed: u64) -> Scenario {
    let name = "new-arrivals";
    let mut base = Base::draw(seed, name);
    base.work();
    let first = base.late_working_day();
    let calls_models = |worker: &&Worker| worker.jobs.iter().any(|(_, job)| matches!(job, Job::Model { .. }));
    let others: Vec<Worker> = base.account.workers.iter().filter(calls_models).cloned().collect();
    let Some(desk) = others.first().cloned() else {
        return base.finish(name, "Nobody calls models, so nobody joins.".to_owned());
    };
    let model = base.account.cast.models.first().copied().unwrap_or_default();
    let jobs = || {
        let door = Door::Converse;
        vec![(
            1.0,
            Job::Model {
                door,
                model: model.into(),
            },
        )]
    };
    let region = base.account.cast.home;
    let email = format!("newcomer@{}", base.account.cast.domain);
    let colleague = Worker {
        who: Principal::person(&mut base.dice, "Developer", region, email),
        rhythm: Rhythm::Office {
            calls: 40.0,
            opens: base.account.cast.opens,
        },
        jobs: jobs(),
        ..desk.clone()
    };
    let calls = base.dice.real(100.0, 250.0);
    let application = Rhythm::Application {
        calls,
        crest: 13.0,
        weekend: 0.5,
    };
    let mut program = base.program(application, jobs());
    program.origin.agent.clone_from(&desk.origin.agent);
    let days = base.days;
    base.employ(&colleague, first..days, |_| 1.0);
    base.employ(&program, first..days, |_| 1.0);
    base.finish(
        name,
        format!("A colleague joins, and a program of {calls:.0} calls a day, on the same day."),
    )
}

fn month_end(seed: u64) -> Scenario {
    let name = "month-end";
    let mut cast = Cast::draw(seed, name);
    // The log's last week holds a month's end.
    while !is_month_end(cast.start + 20 * DAY) {
        cast.start += DAY;
    }
    let mut base = Base::of(cast, name);
    base.work();
    for job in [
        Job::Mail {
            way: ses::Way::Templated,
            sender: format!("invoices@{}", base.account.cast.domain),
            most: 1,
        },
        Job::Model {
            door: Door::Invoke,
            model: base.account.cast.models.first().copied().unwrap_or_default().into(),
        },
    ] {
        let (quiet, busy) = (base.dice.real(5.0, 20.0), base.dice.real(300.0, 1_200.0));
        let at = base.dice.real(0.0, 4.0);
        let worker = base.program(Rhythm::MonthEnd { quiet, busy, at }, vec![(1.0, job)]);
        let days = base.days;
        base.employ(&worker, 0..days, |_| 1.0);
    }
    base.finish(
        name,
        "The month ends: invoices go out, and their summaries are written.".into(),
    )
}

fn daily_deploys(seed: u64) -> Scenario {
    let mut base = Base::draw(seed, "daily-deploys");
    base.work();
    let home = base.account.cast.home;
    let runs = base.dice.count(1..=3);
    let mut ci = Ci::draw(&mut base, runs);
    for day in 0..base.days {
        ci.deploy(&mut base, day, home);
    }
    let what = format!("A CI role deploys {runs} times a working day, each time with a new session, key and address.");
    base.finish("daily-deploys", what)
}

fn scanner_sweeps(seed: u64) -> Scenario {
    let mut base = Base::draw(seed, "scanner-sweeps");
    base.work();
    scanners(&base.account, 0..base.days, &mut base.log);
    base.finish(
        "scanner-sweeps",
        "Trusted Advisor and a posture scanner read limits in all regions every day.".into(),
    )
}

fn roaming_people(seed: u64) -> Scenario {
    let mut base = Base::draw(seed, "roaming-people");
    for worker in &mut base.account.workers {
        if matches!(worker.who, Principal::Person { .. }) {
            worker.origin.roams = base.dice.real(0.3, 0.9);
        }
    }
    base.work();
    base.finish(
        "roaming-people",
        "People work from trains, hotels and phones: a new network nearly every day.".into(),
    )
}

/// A deployment role: the same changes in the same way, from the first day of the log.
struct Ci {
    who: Principal,
    set: String,
    topic: String,
    function: String,
    runs: usize,
}

impl Ci {
    fn draw(base: &mut Base, runs: usize) -> Self {
        let dice = &mut base.dice;
        let (product, role) = (format!("release-{}", dice.hex(4)), format!("ci-deploy-{}", dice.hex(4)));
        Self {
            who: Principal::role(dice, role),
            set: format!("{product}-mail"),
            topic: format!("{product}-events"),
            function: format!("{product}-handler"),
            runs,
        }
    }

    /// The deployments of one working day in one region.
    fn deploy(&mut self, base: &mut Base, day: i64, region: &'static str) {
        let midnight = base.account.cast.day(day);
        if is_weekend(midnight) {
            return;
        }
        let account = std::sync::Arc::clone(&base.account.cast.account);
        for _ in 0..self.runs {
            let dice = &mut base.dice;
            let mut now = midnight + (base.account.cast.opens * 3_600.0) as Seconds + dice.range(0..=7 * HOUR);
            if let Principal::Role { session, .. } = &mut self.who {
                *session = format!("run-{}", dice.range(1_000_000..=9_999_999));
            }
            // Hosted runners come from anywhere.
            let network = own_network(dice);
            let from = address(dice, &network);
            let seat = self.who.sit(
                dice,
                &account,
                now - MINUTE,
                from,
                "aws-sdk-go-v2/1.32.6 Terraform/1.9.8 lang/go",
            );
            for call in [
                operations::update_stack(&account, region, &self.function),
                operations::update_function_code(&self.function),
                operations::update_function_configuration(&self.function),
                ses::create_configuration_set(&self.set),
                ses::put_configuration_set_sending(&self.set),
                sns::create_topic(&account, region, &self.topic),
                sns::set_topic_delivery(&account, region, &self.topic),
                sns::subscribe_queue(&account, region, &self.topic, &self.topic),
            ] {
                base.log.add(now, region, &seat, call);
                now += base.dice.range(1..=15);
            }
            let role = iam::put_role_policy(&format!("{}-role", self.function), "queues");
            base.log.add(now, "us-east-1", &seat, role);
        }
    }
}
