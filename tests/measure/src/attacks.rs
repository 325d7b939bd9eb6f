//! Attack shapes: how soon is each found, in abusive calls and in minutes?
//!
//! Volume alone, from the identity's own place with its own client, and chains at 300 calls an hour with new context,
//! probes, refusals, policies and credentials. Each trial is an account of its own with a quarter of history.

use std::sync::Arc;

use scenarios::account::{Job, Origin, Worker};
use scenarios::calls::iam;
use scenarios::calls::llm::{self, Door};
use scenarios::cast::{Cast, DEAR_MODELS, THIEF_AGENTS, address, own_network, strange_network};
use scenarios::dice::Dice;
use scenarios::log::Log;
use scenarios::principal::Principal;
use scenarios::record::{DAY, HOUR, MINUTE, Record, Seat, Seconds};
use scenarios::rhythm::Rhythm;

use crate::accounts::Archetype;

/// Days of history before an attack: thirteen weeks.
const HISTORY: i64 = 91;
/// The door that both the account and its thieves use.
const DOOR: Door = Door::Converse;

/// A shape of attack.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    victim: Victim,
    pace: Pace,
    signs: &'static [Sign],
}

/// Who is robbed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    /// At most 100 calls a day.
    Small,
    /// An application of some hundred calls a day.
    Application,
    /// Heavy.
    Busy,
    /// Small, and silent for five weeks.
    Dormant,
    /// An identity that never called a model.
    NeverSeen,
}

/// How fast is taken.
#[derive(Clone, Copy, Debug)]
enum Pace {
    /// So many calls an hour for so many minutes.
    Rate(f64, Seconds),
    /// So many times the own volume, over the own day, for so many days (the own volume included).
    Times(f64, i64),
    /// A factor that grows by so much every day, for so many days.
    Ramp(f64, i64),
    /// So many calls a day for so many days.
    Daily(f64, i64),
}

/// What is new about it, and what came before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    NewRegion,
    NewNetwork,
    NewClient,
    NewModel,
    /// Models and the state of the logging are read.
    Probe,
    /// Calls are refused.
    Denied,
    /// A model is opened.
    Policy,
    /// A model is opened by another identity.
    PolicyByOther,
    /// A key is made by another identity, which never made one.
    Credential,
}

use Sign::{Credential, Denied, NewClient, NewModel, NewNetwork, NewRegion, Policy, PolicyByOther, Probe};

impl Shape {
    const fn volume(name: &'static str, victim: Victim, pace: Pace) -> Self {
        Self {
            name,
            victim,
            pace,
            signs: &[],
        }
    }

    const fn chain(name: &'static str, victim: Victim, signs: &'static [Sign]) -> Self {
        Self {
            name,
            victim,
            pace: Pace::Rate(300.0, 4 * 60),
            signs,
        }
    }

    /// Every shape.
    pub(crate) const ALL: [Self; 25] = [
        Self::volume("500/h for 1 h, small", Victim::Small, Pace::Rate(500.0, 60)),
        Self::volume("500 in 10 min, small", Victim::Small, Pace::Rate(3_000.0, 10)),
        Self::volume("60/h for a day, small", Victim::Small, Pace::Rate(60.0, 24 * 60)),
        Self::volume(
            "dormant 5 weeks, 120/h for 2 h",
            Victim::Dormant,
            Pace::Rate(120.0, 120),
        ),
        Self::volume("2,000/h for 6 h, app", Victim::Application, Pace::Rate(2_000.0, 360)),
        Self::volume("x10 for 2 days, busy", Victim::Busy, Pace::Times(10.0, 2)),
        Self::volume("x3 for 5 days, busy", Victim::Busy, Pace::Times(3.0, 5)),
        Self::volume("ramp x2 a day", Victim::Application, Pace::Ramp(2.0, 6)),
        Self::volume("ramp x1.3 a day", Victim::Application, Pace::Ramp(1.3, 14)),
        Self::volume("+10 % a day, 5 weeks", Victim::Small, Pace::Ramp(1.1, 35)),
        Self::volume(
            "+2 own days, own hours, a week",
            Victim::Application,
            Pace::Times(3.0, 7),
        ),
        Self::volume("20 a day for 30 days", Victim::Small, Pace::Daily(20.0, 30)),
        Self::chain(
            "all new, small",
            Victim::Small,
            &[NewRegion, NewNetwork, NewClient, NewModel],
        ),
        Self::chain(
            "all new, busy",
            Victim::Busy,
            &[NewRegion, NewNetwork, NewClient, NewModel],
        ),
        Self::chain(
            "all new, never-seen identity",
            Victim::NeverSeen,
            &[NewRegion, NewNetwork, NewClient, NewModel],
        ),
        Self::chain(
            "new network alone, never-seen identity",
            Victim::NeverSeen,
            &[NewNetwork],
        ),
        Self {
            signs: &[NewNetwork],
            ..Self::volume(
                "2,500/h for 2 h, new network; small",
                Victim::Small,
                Pace::Rate(2_500.0, 120),
            )
        },
        Self {
            signs: &[NewNetwork, NewClient],
            ..Self::volume(
                "20 a day from elsewhere, 30 days; small",
                Victim::Small,
                Pace::Daily(20.0, 30),
            )
        },
        Self::chain(
            "all new, probe and denied, small",
            Victim::Small,
            &[NewRegion, NewNetwork, NewClient, NewModel, Probe, Denied],
        ),
        Self::chain(
            "credential, used elsewhere",
            Victim::NeverSeen,
            &[NewRegion, NewNetwork, NewClient, NewModel, Credential],
        ),
        Self::chain(
            "three new, denied; busy",
            Victim::Busy,
            &[NewNetwork, NewClient, NewModel, Denied],
        ),
        Self::chain(
            "three new, nothing denied; busy",
            Victim::Busy,
            &[NewNetwork, NewClient, NewModel],
        ),
        Self::chain("probe + policy, own context; small", Victim::Small, &[Probe, Policy]),
        Self::chain(
            "policy by another, new network; small",
            Victim::Small,
            &[PolicyByOther, NewNetwork],
        ),
        Self::chain("use only, own context; small", Victim::Small, &[]),
    ];
}

/// A trial: its records, and the abuse in them.
pub(crate) struct Trial {
    pub(crate) records: Vec<Record>,
    /// Times of the abusive calls.
    pub(crate) abuse: Vec<Seconds>,
    /// What names the robbed identity.
    pub(crate) label: String,
}

/// One attack of this shape.
pub(crate) fn trial(shape: &Shape, seed: u64) -> Trial {
    let mut cast = Cast::draw(seed, shape.name);
    cast.models = vec!["anthropic.claude-3-haiku-20240307-v1:0"];
    let mut dice = cast.dice("trial");
    let mut stage = Stage {
        log: Log::new(&cast.account, cast.dice("ids")),
        victim: victim(shape, &cast, &mut dice),
        cast,
        dice,
    };
    let bystanders: Vec<Worker> = (0..6).map(|_| stage.bystander()).collect();
    let until = HISTORY + length(shape.pace) + 1;
    for worker in &bystanders {
        stage.employ(worker, 0..until);
    }
    let works = match shape.victim {
        Victim::NeverSeen => 0..0,
        Victim::Dormant => 0..HISTORY - 35,
        _ => 0..until,
    };
    let victim = stage.victim.clone();
    stage.employ(&victim, works);
    let begin = stage.cast.day(HISTORY) + stage.dice.range(8 * HOUR..=14 * HOUR);
    let thief = stage.thief(shape.signs);
    stage.prepare(shape.signs, &thief, bystanders.first(), begin);
    let abuse = stage.abuse(shape, &thief, begin + 30 * MINUTE);
    Trial {
        label: stage.victim.who.label().to_owned(),
        records: stage.log.finish(),
        abuse,
    }
}

/// Days that an attack lasts.
fn length(pace: Pace) -> i64 {
    match pace {
        Pace::Rate(_, minutes) => minutes / (24 * 60) + 1,
        Pace::Times(_, days) | Pace::Ramp(_, days) | Pace::Daily(_, days) => days,
    }
}

fn victim(shape: &Shape, cast: &Cast, dice: &mut Dice) -> Worker {
    let calls = match shape.victim {
        Victim::Small | Victim::Dormant | Victim::NeverSeen => dice.real(10.0, 100.0),
        Victim::Application => dice.real(100.0, 400.0),
        Victim::Busy => dice.real(600.0, 1_200.0),
    };
    let name = format!("victim-{}", dice.hex(4));
    Worker {
        // Only a user can be given a key.
        who: if shape.signs.contains(&Credential) || dice.chance(0.5) {
            Principal::user(dice, name)
        } else {
            Principal::role(dice, name)
        },
        origin: Origin {
            networks: vec![own_network(dice)],
            ..Origin::program(dice)
        },
        region: cast.home,
        rhythm: Rhythm::Application {
            calls,
            crest: 12.0,
            weekend: 0.6,
        },
        jobs: vec![(1.0, usual_job(cast))],
    }
}

fn usual_job(cast: &Cast) -> Job {
    Job::Model {
        door: DOOR,
        model: cast.models.first().copied().unwrap_or_default().into(),
    }
}

/// A trial while it is written.
struct Stage {
    cast: Cast,
    dice: Dice,
    log: Log,
    victim: Worker,
}

/// Where the thief sits, and what the thief calls.
struct Thief {
    seat: Arc<Seat>,
    region: &'static str,
    model: String,
}

impl Stage {
    fn bystander(&mut self) -> Worker {
        let archetype = *self
            .dice
            .pick(&[Archetype::Office, Archetype::Application, Archetype::Exciting]);
        let name = self.cast.name();
        Worker {
            who: Principal::role(&mut self.dice, name),
            origin: Origin::program(&mut self.dice),
            region: self.cast.home,
            rhythm: archetype.rhythm(&mut self.dice, self.cast.opens),
            jobs: vec![(1.0, usual_job(&self.cast))],
        }
    }

    fn employ(&mut self, worker: &Worker, days: std::ops::Range<i64>) {
        for day in days {
            let midnight = self.cast.day(day);
            worker.work(midnight, 1.0, &self.cast.account, &mut self.dice, &mut self.log);
        }
    }

    /// Takes the victim's place, with what is new about it.
    fn thief(&mut self, signs: &[Sign]) -> Thief {
        let account = Arc::clone(&self.cast.account);
        let begin = self.cast.day(HISTORY);
        let own = self.victim.sit(&account, begin, &mut self.dice);
        let from = if signs.contains(&NewNetwork) {
            let network = strange_network(&mut self.dice);
            address(&mut self.dice, &network)
        } else {
            own.address.clone()
        };
        let agent = if signs.contains(&NewClient) {
            *self.dice.pick(&THIEF_AGENTS)
        } else {
            own.agent.as_str()
        };
        let seat = self.victim.who.sit(&mut self.dice, &account, begin, from, agent);
        let foreign = self.cast.foreign.first().copied().unwrap_or(self.cast.home);
        let usual = self.cast.models.first().copied().unwrap_or_default();
        Thief {
            seat,
            region: if signs.contains(&NewRegion) {
                foreign
            } else {
                self.cast.home
            },
            model: if signs.contains(&NewModel) {
                (*self.dice.pick(&DEAR_MODELS)).into()
            } else {
                usual.into()
            },
        }
    }

    /// What comes before the abuse.
    fn prepare(&mut self, signs: &[Sign], thief: &Thief, other: Option<&Worker>, begin: Seconds) {
        let account = Arc::clone(&self.cast.account);
        let mut calls = vec![];
        if signs.contains(&Probe) {
            calls.extend([
                llm::read("ListFoundationModels"),
                llm::read("GetModelInvocationLoggingConfiguration"),
            ]);
        }
        if signs.contains(&Denied) {
            let refused = llm::call(DOOR, &account, thief.region, &thief.model).denied(&thief.seat.arn);
            calls.extend(vec![refused; 8]);
        }
        if signs.contains(&Policy) {
            calls.extend([llm::put_use_case(), llm::create_agreement(&thief.model)]);
        }
        let mut time = begin;
        for call in calls {
            self.log.add(time, thief.region, &thief.seat, call);
            time += self.dice.range(2..=20);
        }
        let Some(other) = other else { return };
        let seat = other.sit(&account, begin, &mut self.dice);
        if signs.contains(&PolicyByOther) {
            self.log
                .add(begin, self.cast.home, &seat, llm::create_agreement(&thief.model));
        }
        if signs.contains(&Credential)
            && let Principal::User { name, key, .. } = &self.victim.who
        {
            let (name, key) = (name.clone(), key.clone());
            self.log
                .add(begin, "us-east-1", &seat, iam::create_access_key(&name, &key));
        }
    }

    /// The abuse itself; its times.
    fn abuse(&mut self, shape: &Shape, thief: &Thief, begin: Seconds) -> Vec<Seconds> {
        let midnight = self.cast.day(HISTORY);
        let mut times = match shape.pace {
            Pace::Rate(an_hour, minutes) => self.steady(begin, minutes * MINUTE, an_hour),
            Pace::Times(factor, days) => self.like_the_victim(midnight, days, |_| factor - 1.0),
            Pace::Ramp(factor, days) => self.like_the_victim(midnight, days, |day| factor.powi(day as i32 + 1) - 1.0),
            Pace::Daily(calls, days) => (0..days)
                .flat_map(|day| self.steady(midnight + day * DAY + 9 * HOUR, 8 * HOUR, calls / 8.0))
                .collect(),
        };
        times.sort_unstable();
        let account = Arc::clone(&self.cast.account);
        for time in &times {
            let call = llm::call(DOOR, &account, thief.region, &thief.model);
            self.log.add(*time, thief.region, &thief.seat, call);
        }
        times
    }

    fn steady(&mut self, begin: Seconds, length: Seconds, an_hour: f64) -> Vec<Seconds> {
        let mut times = vec![];
        let mut t = begin as f64;
        loop {
            t += self.dice.wait(3_600.0 / an_hour);
            if t >= (begin + length) as f64 {
                return times;
            }
            times.push(t as Seconds);
        }
    }

    /// The victim's own days once more, scaled.
    fn like_the_victim(&mut self, midnight: Seconds, days: i64, scale: impl Fn(i64) -> f64) -> Vec<Seconds> {
        (0..days)
            .flat_map(|day| self.victim.rhythm.day(midnight + day * DAY, scale(day), &mut self.dice))
            .collect()
    }
}
