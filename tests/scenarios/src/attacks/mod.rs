//! Recorded attacks, each over ordinary weeks of the same account.
//!
//! Accounts, names, regions, dates, volumes, networks and clients come from the seed; a [`Twist`] changes what an
//! attack is made of: the service, the kind of identity, the call, the order.

use std::sync::Arc;

use crate::account::{Account, Origin, Size, Worker};
use crate::calls::llm::Door;
use crate::calls::{ses, sms};
use crate::cast::{Cast, THIEF_AGENTS, address, own_network, strange_network};
use crate::dice::Dice;
use crate::log::Log;
use crate::principal::Principal;
use crate::record::{Call, HOUR, MINUTE, Seat, Seconds};
use crate::scenario::{Abuse, Expectation, Must, MustNot, Scenario, Severity};

mod mail;
mod models;
mod slow;
mod texts;

/// What an attack is made of.
#[derive(Clone, Debug)]
pub struct Twist {
    /// The door to the models.
    pub door: Door,
    /// What kind of identity is stolen.
    pub stolen: Stolen,
    /// How mail is sent.
    pub way: ses::Way,
    /// What kind of message is sent.
    pub message: sms::Message,
    /// Whether what opens the way comes after the first abuse rather than before.
    pub late: bool,
}

/// What kind of identity is stolen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stolen {
    /// An IAM user's long-term key.
    User,
    /// A role's session.
    Role,
    /// A person's session of IAM Identity Center.
    Person,
}

impl Twist {
    /// The attacks as incident reports tell them most.
    pub fn plain() -> Self {
        Self {
            door: Door::Invoke,
            stolen: Stolen::User,
            way: ses::Way::Simple,
            message: sms::Message::Text,
            late: false,
        }
    }

    /// Any other way to do the same.
    pub fn draw(dice: &mut Dice) -> Self {
        Self {
            door: *dice.pick(&Door::ALL),
            stolen: *dice.pick(&[Stolen::User, Stolen::Role, Stolen::Person]),
            way: *dice.pick(&ses::Way::ALL),
            message: *dice.pick(&sms::Message::ALL),
            late: dice.chance(0.3),
        }
    }
}

/// What those are called who are robbed: what has keys, and is forgotten.
const VICTIMS: [&str; 12] = [
    "ci-artifacts",
    "deploy",
    "webmaster",
    "notifier",
    "backup",
    "platform",
    "jenkins",
    "migration",
    "legacy-export",
    "intranet",
    "staging",
    "etl",
];

type Attack = fn(u64, &Twist) -> Scenario;

/// Every attack, by name.
const ATTACKS: [(&str, Attack); 11] = [
    ("llmjacking-leaked-key", models::leaked_key),
    ("llmjacking-api-key", models::api_key),
    ("llmjacking-created-user", models::created_user),
    ("ses-takeover", mail::takeover),
    ("ses-identity-policy", mail::identity_policy),
    ("sms-pump", texts::pump),
    ("spread-over-identities", slow::spread),
    ("slow-ramp", slow::ramp),
    ("region-sweep", mail::region_sweep),
    ("busy-role-session", models::busy_session),
    ("forgotten-key", models::forgotten_key),
];

/// The names of all attacks.
pub fn names() -> impl Iterator<Item = &'static str> {
    ATTACKS.iter().map(|(name, _)| *name)
}

/// One attack, as `twist` has it.
pub fn attack(name: &str, seed: u64, twist: &Twist) -> Option<Scenario> {
    ATTACKS
        .iter()
        .find(|(n, _)| *n == name)
        .map(|(_, attack)| attack(seed, twist))
}

/// An attack while it is written: the account, its log, and what the thief has done so far.
struct Plot {
    account: Account,
    log: Log,
    dice: Dice,
    /// The day of the attack.
    day: i64,
    now: Seconds,
    abuse: Vec<Abuse>,
    thief: Origin,
}

impl Plot {
    /// Three weeks and some days of a middling account, a thief in its last night, and the day after.
    fn begin(seed: u64, name: &str) -> Self {
        let mut dice = Dice::new(seed, &format!("{name}/size"));
        let size = Size {
            identities: dice.count(14..=22),
            calls: dice.real(400.0, 900.0),
        };
        let days = dice.range(23..=26);
        Self::with(seed, name, &size, days)
    }

    /// So many days of an account of this size; the attack is on the last but one.
    fn with(seed: u64, name: &str, size: &Size, days: i64) -> Self {
        let account = Account::draw(Cast::draw(seed, name), size);
        let mut log = account.log(name);
        account.work(0..days, &mut log);
        Self::over(account, log, name, days - 2)
    }

    /// An attack on this day of a log that is already written.
    fn over(account: Account, log: Log, name: &str, day: i64) -> Self {
        let mut dice = account.cast.dice(name);
        let thief = Origin {
            networks: (0..3).map(|_| strange_network(&mut dice)).collect(),
            roams: 0.0,
            agent: (*dice.pick(&THIEF_AGENTS)).into(),
            endpoint: None,
        };
        let now = account.cast.day(day) + dice.range(0..=20 * HOUR);
        Self {
            account,
            log,
            dice,
            day,
            now,
            abuse: vec![],
            thief,
        }
    }

    fn id(&self) -> Arc<str> {
        Arc::clone(&self.account.cast.account)
    }

    /// Somebody known, who does everyday things in the account and is about to be robbed.
    fn victim(&mut self, stolen: Stolen) -> Principal {
        let cast = &self.account.cast;
        let (home, domain) = (cast.home, cast.domain.clone());
        let name = format!("{}-{}", self.dice.pick(&VICTIMS), self.dice.hex(3));
        let who = match stolen {
            Stolen::User => Principal::user(&mut self.dice, name),
            Stolen::Role => Principal::role(&mut self.dice, name),
            Stolen::Person => {
                Principal::person(&mut self.dice, "Operations", home, format!("operator-{name}@{domain}"))
            }
        };
        let worker = Worker {
            who: who.clone(),
            origin: Origin {
                networks: vec![own_network(&mut self.dice)],
                ..Origin::program(&mut self.dice)
            },
            region: home,
            rhythm: crate::rhythm::Rhythm::Cron {
                every: 2 * HOUR,
                jitter: 10 * MINUTE,
                calls: 1..=4,
            },
            jobs: vec![(1.0, crate::account::Job::Everyday)],
        };
        let account = self.id();
        for day in 0..=self.day {
            worker.work(self.account.cast.day(day), 1.0, &account, &mut self.dice, &mut self.log);
        }
        who
    }

    /// Where the thief works: at home with the account as often as where nobody works.
    fn region(&mut self) -> &'static str {
        if self.dice.chance(0.5) {
            self.account.cast.home
        } else {
            self.account.cast.foreign.first().copied().unwrap_or("us-east-1")
        }
    }

    /// The thief sits down with what was stolen.
    fn sit(&mut self, who: &Principal) -> Arc<Seat> {
        let account = self.id();
        let network = self.dice.pick(&self.thief.networks).clone();
        let from = address(&mut self.dice, &network);
        who.sit(&mut self.dice, &account, self.now - 5 * MINUTE, from, &self.thief.agent)
    }

    /// Time passes.
    fn wait(&mut self, least: Seconds, most: Seconds) {
        self.now += self.dice.range(least..=most);
    }

    /// A call that is no abuse by itself.
    fn act(&mut self, region: &'static str, seat: &Arc<Seat>, call: Call) {
        self.log.add(self.now, region, seat, call);
        self.wait(2, 25);
    }

    /// A use that succeeds.
    fn abuse(&mut self, service: &'static str, region: &'static str, seat: &Arc<Seat>, call: Call) {
        let id = self.log.add(self.now, region, seat, call);
        self.abuse.push(Abuse {
            time: self.now,
            event_id: crate::record::uuid(id),
            service,
        });
    }

    fn finish(self, name: &'static str, what: String, must: impl Into<Vec<Must>>, thieves: Vec<String>) -> Scenario {
        let must_not = vec![MustNot {
            what: "nothing of Medium or above on those who only did their work",
            severity: Severity::Medium,
            except: thieves,
        }];
        Scenario {
            name,
            what,
            expectation: Expectation {
                must: must.into(),
                must_not,
                abuse: self.abuse,
            },
            records: self.log.finish(),
        }
    }
}

/// A hijack of `service` by one of `identities`: bad enough in time, and told as what it is.
fn hijack(service: &'static str, identities: &[&Principal]) -> [Must; 2] {
    let high = Must {
        what: "use on somebody else's bill, High no later than the 50th abusive call",
        families: vec!["Hijack", "AnomalousUse", "CeilingExceeded"],
        service: Some(service),
        severity: Severity::High,
        identities: thieves(identities),
        by_call: Some(50),
        by_minutes: Some(60),
    };
    let chain = Must {
        what: "the chain of opening and use, as a hijack",
        families: vec!["Hijack"],
        by_call: None,
        by_minutes: None,
        ..high.clone()
    };
    [high, chain]
}

/// The thieves' names, for what must not be found on others.
fn thieves(who: &[&Principal]) -> Vec<String> {
    who.iter().map(|p| p.label().to_owned()).collect()
}

/// A call through a door, as this thief makes it.
fn through(door: Door, account: &str, region: &str, model: &str, bearer: bool) -> Call {
    use crate::calls::llm;
    match door {
        Door::Mantle => llm::mantle(account, region, model, bearer),
        other if bearer => llm::with_bearer(llm::call(other, account, region, model)),
        other => llm::call(other, account, region, model),
    }
}
