//! Simulated accounts in which nothing happens: thirty to sixty identities of many habits, over a quarter or more.
//!
//! Counts are mixtures of sittings, waves, queues and bursts ([`scenarios::rhythm`]); on top of them habits change:
//! growth, releases, load tests over whole days, roaming, and now and then a change of a policy by whoever may.

use scenarios::account::{Job, Origin, Worker};
use scenarios::calls::llm::Door;
use scenarios::calls::{ses, sns};
use scenarios::cast::{Cast, MODELS, own_network};
use scenarios::dice::Dice;
use scenarios::log::Log;
use scenarios::principal::Principal;
use scenarios::record::{HOUR, MINUTE, Record};
use scenarios::rhythm::{Rhythm, is_weekend};

/// A habit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Archetype {
    Office,
    Application,
    Cron,
    NightQueue,
    MonthEnd,
    Campaign,
    Sparse,
    Heavy,
    Exciting,
    Roaming,
    Growing,
    Released,
    LoadTested,
}

impl Archetype {
    pub(crate) const ALL: [Self; 13] = [
        Self::Office,
        Self::Application,
        Self::Cron,
        Self::NightQueue,
        Self::MonthEnd,
        Self::Campaign,
        Self::Sparse,
        Self::Heavy,
        Self::Exciting,
        Self::Roaming,
        Self::Growing,
        Self::Released,
        Self::LoadTested,
    ];

    /// What it is called in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Office => "office person",
            Self::Application => "application",
            Self::Cron => "cron with jitter",
            Self::NightQueue => "queue drained at night",
            Self::MonthEnd => "month-end",
            Self::Campaign => "campaigns of x30",
            Self::Sparse => "sparse",
            Self::Heavy => "heavy",
            Self::Exciting => "self-exciting bursts",
            Self::Roaming => "roaming person",
            Self::Growing => "growth",
            Self::Released => "releases x1-3",
            Self::LoadTested => "load tests, whole days",
        }
    }

    /// When somebody of this habit calls, 1 to 200 times a day for most.
    pub(crate) fn rhythm(self, dice: &mut Dice, opens: f64) -> Rhythm {
        let calls = dice.around(30.0, 0.9).clamp(3.0, 200.0);
        match self {
            Self::Office | Self::Roaming => Rhythm::Office { calls, opens },
            Self::Application | Self::Growing | Self::Released | Self::LoadTested => Rhythm::Application {
                calls,
                crest: opens + 5.0,
                weekend: dice.real(0.2, 1.0),
            },
            Self::Cron => {
                let every = *dice.pick(&[30 * MINUTE, HOUR, 4 * HOUR, 24 * HOUR]);
                let run = (calls * every as f64 / 86_400.0).max(1.0) as usize;
                Rhythm::Cron {
                    every,
                    jitter: every / 10,
                    calls: run..=run + run / 5 + 1,
                }
            }
            Self::NightQueue => Rhythm::NightQueue {
                at: dice.real(0.0, 5.0),
                calls,
                sigma: dice.real(0.4, 1.0),
            },
            Self::MonthEnd => Rhythm::MonthEnd {
                quiet: calls / 6.0,
                busy: calls * dice.real(5.0, 20.0),
                at: dice.real(0.0, 6.0),
            },
            Self::Campaign => Rhythm::Campaign {
                calls,
                factor: 30.0,
                hours: dice.real(1.0, 6.0),
                chance: dice.real(0.02, 0.12),
                at: dice.real(7.0, 16.0),
            },
            Self::Sparse => Rhythm::Sparse {
                chance: dice.real(0.03, 0.3),
                calls: 1..=dice.count(2..=20),
            },
            Self::Heavy => Rhythm::Application {
                calls: dice.real(300.0, 900.0),
                crest: opens + 5.0,
                weekend: 0.7,
            },
            Self::Exciting => Rhythm::Exciting {
                calls,
                breeds: dice.real(0.4, 0.85),
                delay: dice.real(5.0, 600.0),
            },
        }
    }
}

/// A simulated account.
pub(crate) struct Account {
    pub(crate) cast: Cast,
    pub(crate) members: Vec<Member>,
}

/// Somebody in it.
pub(crate) struct Member {
    pub(crate) archetype: Archetype,
    pub(crate) worker: Worker,
    /// What changes in the course of the log.
    changes: Changes,
}

/// What changes for somebody, by day of the log.
#[derive(Default)]
struct Changes {
    /// Growth in a day, as a factor.
    growth: f64,
    /// A release: its day, how many times as much, and the model it brings, for some.
    release: Option<(i64, f64, Option<&'static str>)>,
    /// Days of load tests, and how many times as much.
    tests: Vec<(i64, f64)>,
}

impl Changes {
    fn scale(&self, day: i64) -> f64 {
        let release = self
            .release
            .filter(|(on, ..)| day >= *on)
            .map_or(1.0, |(_, factor, _)| factor);
        let test = self
            .tests
            .iter()
            .find(|(on, _)| *on == day)
            .map_or(1.0, |(_, factor)| *factor);
        (1.0 + self.growth).powi(day as i32) * release * test
    }
}

impl Account {
    /// Fills an account for `weeks`.
    pub(crate) fn draw(seed: u64, weeks: i64) -> Self {
        let cast = Cast::draw(seed, "measure");
        let mut dice = cast.dice("members");
        let size = dice.count(30..=60);
        let members = (0..size).map(|i| Member::draw(&cast, &mut dice, i, weeks)).collect();
        Self { cast, members }
    }

    /// Its log.
    pub(crate) fn records(&self, weeks: i64) -> Vec<Record> {
        let mut log = Log::new(&self.cast.account, self.cast.dice("ids"));
        for (i, member) in self.members.iter().enumerate() {
            let mut dice = self.cast.dice(&format!("work/{i}"));
            member.work(&self.cast, weeks * 7, &mut dice, &mut log);
        }
        self.change_policies(weeks, &mut log);
        log.finish()
    }

    /// About once a month somebody who never did adds a sender, a topic, or switches a configuration set on.
    fn change_policies(&self, weeks: i64, log: &mut Log) {
        let mut dice = self.cast.dice("policies");
        let account = &self.cast.account;
        for day in (0..weeks * 7).filter(|d| !is_weekend(self.cast.day(*d))) {
            if !dice.chance(0.04) {
                continue;
            }
            let member = dice.pick(&self.members);
            let time = self.cast.day(day) + (self.cast.opens * 3_600.0) as i64 + dice.range(0..=6 * HOUR);
            let seat = member.worker.sit(account, time - MINUTE, &mut dice);
            let name = format!("item-{}", dice.hex(6));
            let call = match dice.range(0..=2) {
                0 => ses::create_email_identity(&format!("{name}.{}", self.cast.domain)),
                1 => sns::create_topic(account, self.cast.home, &name),
                _ => ses::put_configuration_set_sending(&name),
            };
            log.add(time, self.cast.home, &seat, call);
        }
    }
}

impl Member {
    fn draw(cast: &Cast, dice: &mut Dice, place: usize, weeks: i64) -> Self {
        let archetype = *dice.pick(&Archetype::ALL);
        let person = matches!(archetype, Archetype::Office | Archetype::Roaming);
        let name = format!("id{place:02}-{}", dice.hex(4));
        let who = if person {
            Principal::person(dice, "Developer", cast.home, format!("{name}@{}", cast.domain))
        } else if dice.chance(0.2) {
            Principal::user(dice, name)
        } else {
            Principal::role(dice, name)
        };
        let mut origin = if person {
            Origin::person(dice)
        } else {
            Origin::program(dice)
        };
        if archetype == Archetype::Roaming {
            origin.roams = dice.real(0.2, 0.9);
        }
        let worker = Worker {
            who,
            origin,
            region: cast.home,
            rhythm: archetype.rhythm(dice, cast.opens),
            jobs: vec![(
                1.0,
                job(cast, dice, place, person || archetype == Archetype::LoadTested),
            )],
        };
        Self {
            archetype,
            worker,
            changes: changes(archetype, dice, weeks * 7),
        }
    }

    fn work(&self, cast: &Cast, days: i64, dice: &mut Dice, log: &mut Log) {
        let mut worker = self.worker.clone();
        for day in 0..days {
            if let Some((on, _, Some(model))) = self.changes.release
                && day == on
            {
                worker.origin.networks = vec![own_network(dice)];
                for (_, job) in &mut worker.jobs {
                    if let Job::Model { model: old, .. } = job {
                        *old = model.into();
                    }
                }
            }
            worker.work(cast.day(day), self.changes.scale(day), &cast.account, dice, log);
        }
    }
}

/// What somebody does: half call models, a third sends mail, the rest publishes or texts.
fn job(cast: &Cast, dice: &mut Dice, place: usize, models: bool) -> Job {
    match dice.range(0..=9) {
        _ if models => model_job(cast, dice),
        0..=4 => model_job(cast, dice),
        5..=7 => Job::Mail {
            way: *dice.pick(&ses::Way::ALL),
            sender: format!("sender{place}@{}", cast.domain),
            most: *dice.pick(&[1, 1, 1, 3]),
        },
        8 => Job::Topic(format!("topic-{place}")),
        _ => Job::Text {
            origination: format!("phone-{}", dice.hex(32)),
            country: cast.country,
        },
    }
}

fn model_job(cast: &Cast, dice: &mut Dice) -> Job {
    Job::Model {
        door: *dice.pick(&Door::USUAL),
        model: (*dice.pick(&cast.models)).into(),
    }
}

fn changes(archetype: Archetype, dice: &mut Dice, days: i64) -> Changes {
    match archetype {
        Archetype::Growing => Changes {
            growth: dice.real(0.003, 0.015),
            ..Changes::default()
        },
        Archetype::Released => {
            let model = dice.chance(0.5).then(|| *dice.pick(&MODELS));
            Changes {
                release: Some((dice.range(20..=days - 1), dice.real(1.0, 3.0), model)),
                ..Changes::default()
            }
        }
        Archetype::LoadTested => {
            let tests = (0..dice.count(1..=3))
                .map(|_| (dice.range(20..=days - 1), dice.real(3.0, 10.0)))
                .collect();
            Changes {
                tests,
                ..Changes::default()
            }
        }
        _ => Changes::default(),
    }
}
