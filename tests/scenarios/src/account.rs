//! An account on ordinary days: its programs and people, what they call, when, and from where.

use std::ops::Range;
use std::sync::Arc;

use crate::calls::llm::{self, Door};
use crate::calls::operations::{self, EVERYDAY};
use crate::calls::{iam, ses, sms, sns};
use crate::cast::{self, APP_AGENTS, Cast, PEOPLE_AGENTS, REGIONS, address, own_network};
use crate::dice::Dice;
use crate::log::Log;
use crate::principal::Principal;
use crate::record::{Call, HOUR, MINUTE, Seat, Seconds};
use crate::rhythm::Rhythm;

/// What somebody does, call by call.
#[derive(Clone, Debug)]
pub enum Job {
    /// Calls a model.
    Model {
        /// Through which door.
        door: Door,
        /// Which one.
        model: String,
    },
    /// Sends mail.
    Mail {
        /// With which call.
        way: ses::Way,
        /// From which address.
        sender: String,
        /// At most so many recipients in a call.
        most: usize,
    },
    /// Publishes to a topic.
    Topic(String),
    /// Sends an SMS.
    Text {
        /// From which number.
        origination: String,
        /// To which country.
        country: (&'static str, usize),
    },
    /// Looks something up in a watched service, as consoles and SDKs do.
    Look(fn() -> Call),
    /// Reads what nobody watches.
    Everyday,
}

impl Job {
    /// One call of this job.
    pub fn call(&self, account: &str, region: &str, dice: &mut Dice) -> Call {
        match self {
            Self::Model { door, model } => {
                let call = llm::call(*door, account, region, model);
                let call = match llm::geography(model) {
                    Some(regions) if door.behind_bedrock() => {
                        call.noting(format!(r#"{{"inferenceRegion":"{}"}}"#, dice.pick(regions)))
                    }
                    _ => call,
                };
                match dice.range(0..=199) {
                    0..=2 => call.failed(
                        "ThrottlingException",
                        "Too many requests, please wait before trying again.",
                    ),
                    3 => call.failed("ValidationException", "Input is too long for requested model."),
                    _ => call,
                }
            }
            Self::Mail { way, sender, most } => ses::send(*way, account, region, sender, dice.count(1..=*most)),
            Self::Topic(topic) => sns::publish(account, region, topic),
            Self::Text { origination, country } => {
                let number = cast::number(dice, *country);
                sms::send(sms::Message::Text, account, region, origination, &number)
            }
            Self::Look(call) => call(),
            Self::Everyday => operations::everyday(*dice.pick(&EVERYDAY)),
        }
    }
}

/// From where somebody calls.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The networks that it has, /24 by /24.
    pub networks: Vec<String>,
    /// Chance that a session begins in a network that was never used before.
    pub roams: f64,
    /// The client.
    pub agent: String,
    /// The VPC endpoint, for those who have one.
    pub endpoint: Option<String>,
}

impl Origin {
    /// A program behind one or two gateways, or behind a VPC endpoint.
    pub fn program(dice: &mut Dice) -> Self {
        let endpoint = dice.chance(0.2).then(|| format!("vpce-0{}", dice.hex(16)));
        let networks = match endpoint {
            Some(_) => vec![format!("10.{}.{}", dice.range(0..=200), dice.range(0..=255))],
            None => (0..dice.count(1..=2)).map(|_| own_network(dice)).collect(),
        };
        Self {
            networks,
            roams: 0.0,
            agent: (*dice.pick(&APP_AGENTS)).into(),
            endpoint,
        }
    }

    /// A person with an office and a home.
    pub fn person(dice: &mut Dice) -> Self {
        Self {
            networks: (0..2).map(|_| own_network(dice)).collect(),
            roams: 0.0,
            agent: (*dice.pick(&PEOPLE_AGENTS)).into(),
            endpoint: None,
        }
    }

    /// Where a session begins.
    pub fn address(&self, dice: &mut Dice) -> String {
        let network = if dice.chance(self.roams) {
            own_network(dice)
        } else {
            dice.pick(&self.networks).clone()
        };
        address(dice, &network)
    }
}

/// Somebody at work in the account.
#[derive(Clone, Debug)]
pub struct Worker {
    /// Who.
    pub who: Principal,
    /// From where.
    pub origin: Origin,
    /// In which region.
    pub region: &'static str,
    /// When.
    pub rhythm: Rhythm,
    /// What, with weights.
    pub jobs: Vec<(f64, Job)>,
}

impl Worker {
    /// A seat for a session that begins at `since`.
    pub fn sit(&self, account: &str, since: Seconds, dice: &mut Dice) -> Arc<Seat> {
        let address = self.origin.address(dice);
        let seat = self.who.sit(dice, account, since, address, &self.origin.agent);
        match (&self.origin.endpoint, Arc::try_unwrap(seat)) {
            (Some(endpoint), Ok(seat)) => Arc::new(Seat {
                endpoint: Some(endpoint.clone()),
                ..seat
            }),
            (_, Ok(seat)) => Arc::new(seat),
            (_, Err(shared)) => shared,
        }
    }

    /// One call of one of its jobs.
    pub fn call(&self, account: &str, region: &str, dice: &mut Dice) -> Call {
        let total: f64 = self.jobs.iter().map(|(w, _)| w).sum();
        let mut at = dice.real(0.0, total);
        for (weight, job) in &self.jobs {
            at -= weight;
            if at <= 0.0 {
                return job.call(account, region, dice);
            }
        }
        Job::Everyday.call(account, region, dice)
    }

    /// Works through a day, `scale` times as much as usual; a new session every few hours.
    pub fn work(&self, midnight: Seconds, scale: f64, account: &str, dice: &mut Dice, log: &mut Log) {
        let mut seat = None;
        for time in self.rhythm.day(midnight, scale, dice) {
            let current = match seat {
                Some((ends, ref seat)) if time < ends => Arc::clone(seat),
                _ => {
                    let begun = self.sit(account, time - dice.range(1..=10 * MINUTE), dice);
                    seat = Some((time + dice.range(3 * HOUR..=12 * HOUR), Arc::clone(&begun)));
                    begun
                }
            };
            log.add(time, self.region, &current, self.call(account, self.region, dice));
        }
    }
}

/// How much goes on in an account.
#[derive(Clone, Debug)]
pub struct Size {
    /// Identities that use a watched service.
    pub identities: usize,
    /// Calls of watched services on a usual working day.
    pub calls: f64,
}

/// An account with everybody in it.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its cast.
    pub cast: Cast,
    /// Everybody.
    pub workers: Vec<Worker>,
}

impl Account {
    /// Fills an account: three in ten call models, one in four sends mail, the rest publish, text, look and type.
    pub fn draw(mut cast: Cast, size: &Size) -> Self {
        let mut dice = cast.dice("workers");
        let weights: Vec<f64> = (0..size.identities).map(|_| dice.around(1.0, 0.9)).collect();
        let total: f64 = weights.iter().sum();
        let mut workers: Vec<Worker> = weights
            .iter()
            .enumerate()
            .map(|(i, weight)| {
                let calls = (size.calls * weight / total).max(2.0);
                match i % 20 {
                    0..=5 => model_program(&mut cast, &mut dice, calls),
                    6..=10 => mail_program(&mut cast, &mut dice, calls),
                    11..=13 => topic_program(&mut cast, &mut dice, calls),
                    14 => text_program(&mut cast, &mut dice, calls),
                    _ => person(&cast, &mut dice, calls, i),
                }
            })
            .collect();
        workers.push(everyday_program(&mut cast, &mut dice, size.calls * 0.15));
        Self { cast, workers }
    }

    /// Everybody's work on these days of the log, into `log`.
    pub fn work(&self, days: Range<i64>, log: &mut Log) {
        self.work_scaled(days, log, |_, _| 1.0);
    }

    /// The same, each worker's days scaled: `scale(worker's place, day)`.
    pub fn work_scaled(&self, days: Range<i64>, log: &mut Log, scale: impl Fn(usize, i64) -> f64) {
        for (i, worker) in self.workers.iter().enumerate() {
            let mut dice = self.cast.dice(&format!("work/{i}"));
            for day in days.clone() {
                worker.work(self.cast.day(day), scale(i, day), &self.cast.account, &mut dice, log);
            }
        }
    }

    /// A log of this account; `purpose` tells its ids from other logs'.
    pub fn log(&self, purpose: &str) -> Log {
        Log::new(&self.cast.account, self.cast.dice(&format!("ids/{purpose}")))
    }
}

/// A rhythm that programs have.
fn program_rhythm(cast: &Cast, dice: &mut Dice, calls: f64) -> Rhythm {
    match dice.range(0..=9) {
        0..=4 => Rhythm::Application {
            calls,
            crest: cast.opens + dice.real(3.0, 8.0),
            weekend: dice.real(0.3, 1.0),
        },
        5..=6 => {
            let every = *dice.pick(&[15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR]);
            let run = (calls * every as f64 / 86_400.0).max(1.0) as usize;
            Rhythm::Cron {
                every,
                jitter: 120,
                calls: run..=run + 1,
            }
        }
        7 => Rhythm::NightQueue {
            at: dice.real(0.0, 5.0),
            calls,
            sigma: dice.real(0.4, 0.9),
        },
        _ => Rhythm::Exciting {
            calls,
            breeds: dice.real(0.3, 0.7),
            delay: dice.real(10.0, 120.0),
        },
    }
}

fn model_program(cast: &mut Cast, dice: &mut Dice, calls: f64) -> Worker {
    let door = *dice.pick(&Door::USUAL);
    let jobs = cast
        .models
        .clone()
        .into_iter()
        .take(dice.count(1..=2))
        .map(|model| {
            // The same model has several names: its id, its ARN, its inference profile.
            let model = match dice.range(0..=9) {
                0..=4 => model.to_owned(),
                5 => format!("arn:aws:bedrock:{}::foundation-model/{model}", cast.home),
                _ => llm::profile(cast.home, model),
            };
            (dice.real(0.3, 1.0), Job::Model { door, model })
        })
        .collect();
    let who = Principal::role(dice, cast.name());
    let rhythm = program_rhythm(cast, dice, calls);
    Worker {
        who,
        origin: Origin::program(dice),
        region: cast.home,
        rhythm,
        jobs,
    }
}

fn mail_program(cast: &mut Cast, dice: &mut Dice, calls: f64) -> Worker {
    let name = cast.name();
    let sender = format!("{name}@{}", cast.domain);
    let way = *dice.pick(&ses::Way::ALL);
    let most = if way == ses::Way::Bulk {
        20
    } else {
        *dice.pick(&[1, 1, 3])
    };
    let who = if dice.chance(0.3) {
        Principal::user(dice, name)
    } else {
        Principal::role(dice, name)
    };
    Worker {
        who,
        origin: Origin::program(dice),
        region: cast.home,
        rhythm: program_rhythm(cast, dice, calls),
        jobs: vec![
            (1.0, Job::Mail { way, sender, most }),
            (0.01, Job::Look(|| ses::read("GetSendQuota"))),
            (0.05, Job::Everyday),
        ],
    }
}

fn topic_program(cast: &mut Cast, dice: &mut Dice, calls: f64) -> Worker {
    let name = cast.name();
    let topic = format!("{name}-events");
    Worker {
        who: Principal::role(dice, name),
        origin: Origin::program(dice),
        region: cast.home,
        rhythm: program_rhythm(cast, dice, calls),
        jobs: vec![(1.0, Job::Topic(topic)), (0.1, Job::Everyday)],
    }
}

fn text_program(cast: &mut Cast, dice: &mut Dice, calls: f64) -> Worker {
    let name = cast.name();
    let who = if dice.chance(0.5) {
        Principal::user(dice, name)
    } else {
        Principal::role(dice, name)
    };
    let origination = format!("phone-{}", dice.hex(32));
    Worker {
        who,
        origin: Origin::program(dice),
        region: cast.home,
        rhythm: Rhythm::Application {
            calls,
            crest: cast.opens + 5.0,
            weekend: 0.9,
        },
        jobs: vec![(
            1.0,
            Job::Text {
                origination,
                country: cast.country,
            },
        )],
    }
}

fn person(cast: &Cast, dice: &mut Dice, calls: f64, place: usize) -> Worker {
    let team = ["analyst", "developer", "designer", "editor"];
    let email = format!("{}-{place}@{}", dice.pick(&team), cast.domain);
    let door = *dice.pick(&[Door::ConverseStream, Door::InvokeStream, Door::Converse]);
    let model = (*dice.pick(&cast.models)).into();
    let looks: [fn() -> Call; 4] = [
        || llm::read("ListFoundationModels"),
        || llm::read("ListInferenceProfiles"),
        || ses::read("ListEmailIdentities"),
        || sns::read("ListTopics"),
    ];
    Worker {
        who: Principal::person(dice, "Developer", cast.home, email),
        origin: Origin::person(dice),
        region: cast.home,
        rhythm: Rhythm::Office {
            calls,
            opens: cast.opens,
        },
        jobs: vec![
            (1.0, Job::Model { door, model }),
            (0.02, Job::Look(*dice.pick(&looks))),
            (0.02, Job::Look(iam::get_caller_identity)),
            (0.1, Job::Everyday),
        ],
    }
}

fn everyday_program(cast: &mut Cast, dice: &mut Dice, calls: f64) -> Worker {
    Worker {
        who: Principal::role(dice, cast.name()),
        origin: Origin::program(dice),
        region: cast.home,
        rhythm: Rhythm::Application {
            calls,
            crest: cast.opens + 5.0,
            weekend: 0.7,
        },
        jobs: vec![(1.0, Job::Everyday)],
    }
}

/// Trusted Advisor and a posture scanner, over every region: what reads all limits every night.
pub fn scanners(account: &Account, days: Range<i64>, log: &mut Log) {
    let mut dice = account.cast.dice("scanners");
    let advisor = Principal::Linked {
        name: "AWSServiceRoleForTrustedAdvisor".into(),
        service: "trustedadvisor.amazonaws.com",
        id: dice.id("AROA", 21),
    };
    let prowler = Principal::role(&mut dice, "prowler-readonly");
    let prowler_network = own_network(&mut dice);
    let (advisor_hour, prowler_hour) = (dice.range(0..=23), dice.range(0..=23));
    for day in days {
        let midnight = account.cast.day(day);
        let begin = midnight + advisor_hour * HOUR + dice.range(0..=HOUR - 1);
        let service = "trustedadvisor.amazonaws.com";
        let seat = advisor.sit(&mut dice, &account.cast.account, begin, service.into(), service);
        for (i, region) in REGIONS.into_iter().enumerate() {
            let time = begin + i as Seconds * dice.range(5..=9);
            log.add(time, region, &seat, ses::read("GetSendQuota"));
            log.add(time + 1, region, &seat, operations::list_service_quotas("ses"));
        }
        let begin = midnight + prowler_hour * HOUR + dice.range(0..=10 * MINUTE);
        let from = address(&mut dice, &prowler_network);
        let agent = "Boto3/1.35.0 md/Botocore#1.35.0 Prowler/5.1";
        let seat = prowler.sit(&mut dice, &account.cast.account, begin, from, agent);
        for (i, region) in REGIONS.into_iter().enumerate() {
            let mut time = begin + i as Seconds * 20;
            let logging = llm::read("GetModelInvocationLoggingConfiguration");
            let logging = if i % 3 == 0 { logging.denied(&seat.arn) } else { logging };
            for call in [
                ses::read("ListIdentities"),
                ses::read("GetAccount"),
                sns::read("ListTopics"),
                sns::read("GetSMSAttributes"),
                llm::read("ListFoundationModels"),
                logging,
            ] {
                log.add(time, region, &seat, call);
                time += dice.range(1..=3);
            }
        }
    }
}
