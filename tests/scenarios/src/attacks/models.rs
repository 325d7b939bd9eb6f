//! LLMjacking: model calls on somebody else's bill.

use crate::account::{Job, Origin, Size, Worker};
use crate::calls::llm::{self, Door};
use crate::calls::{iam, operations};
use crate::cast::{APP_AGENTS, DEAR_MODELS, own_network, strange_network};
use crate::principal::Principal;
use crate::record::{HOUR, MINUTE};
use crate::rhythm::Rhythm;
use crate::scenario::{Must, Scenario, Severity};

use super::{Plot, Stolen, Twist, hijack, thieves, through};

/// A long-term key of a CI user leaks; whoever found it looks what answers, opens models, blinds the log and calls.
pub(super) fn leaked_key(seed: u64, twist: &Twist) -> Scenario {
    let name = "llmjacking-leaked-key";
    let mut plot = Plot::begin(seed, name);
    let victim = plot.victim(twist.stolen);
    let (account, door) = (plot.id(), twist.door);
    let model = *plot.dice.pick(&DEAR_MODELS);
    let regions = plot.dice.some(4, &plot.account.cast.foreign);

    let seat = plot.sit(&victim);
    plot.act("us-east-1", &seat, iam::get_caller_identity());
    probe(&mut plot, door, &regions, model, &seat);
    if !twist.late {
        open(&mut plot, door, &regions, model, &seat);
    }
    let calls = plot.dice.count(1_500..=3_000);
    for n in 0..calls {
        let seat = if n % 400 == 0 { plot.sit(&victim) } else { seat.clone() };
        let region = regions.get(n % 2).copied().unwrap_or("us-east-1");
        plot.abuse(
            door.service(),
            region,
            &seat,
            through(door, &account, region, model, false),
        );
        plot.wait(1, 9);
        if twist.late && n == 20 {
            open(&mut plot, door, &regions, model, &seat);
        }
    }
    let what = format!(
        "The credentials of {} leak. A stranger probes {} regions, opens a model, switches its logging off and makes \
         {calls} calls in two regions where nobody works.",
        victim.label(),
        regions.len()
    );
    plot.finish(name, what, hijack(door.service(), &[&victim]), thieves(&[&victim]))
}

/// Reads what there is, and calls with impossible parameters to see what answers.
fn probe(
    plot: &mut Plot,
    door: Door,
    regions: &[&'static str],
    model: &str,
    seat: &std::sync::Arc<crate::record::Seat>,
) {
    let account = plot.id();
    for region in regions {
        match door {
            Door::Mantle => plot.act(region, seat, llm::mantle_models(false)),
            _ => plot.act(region, seat, llm::read("ListFoundationModels")),
        }
        let call = || through(door, &account, region, model, false);
        plot.act(region, seat, llm::invalid(call()));
        plot.act(region, seat, call().denied(&seat.arn));
        plot.act(region, seat, call().denied(&seat.arn));
    }
}

/// Opens the models and blinds the log, where the door has such controls.
fn open(
    plot: &mut Plot,
    door: Door,
    regions: &[&'static str],
    model: &str,
    seat: &std::sync::Arc<crate::record::Seat>,
) {
    for region in regions.iter().take(2) {
        if door.behind_bedrock() || door == Door::Mantle {
            plot.act(region, seat, llm::read_of("GetFoundationModelAvailability", model));
            plot.act(region, seat, llm::put_use_case());
            plot.act(region, seat, llm::create_agreement(model));
            plot.act(region, seat, llm::put_entitlement(model));
            plot.act(region, seat, llm::read("GetModelInvocationLoggingConfiguration"));
            plot.act(region, seat, llm::delete_logging());
        } else {
            plot.act(region, seat, operations::get_service_quota("sagemaker", "L-CCE2AFA6"));
        }
    }
}

/// A Bedrock API key is used elsewhere. Nothing is opened, probed or refused: the key is all that is needed.
pub(super) fn api_key(seed: u64, twist: &Twist) -> Scenario {
    let name = "llmjacking-api-key";
    let mut plot = Plot::begin(seed, name);
    let (account, home) = (plot.id(), plot.account.cast.home);
    let key_user = format!("BedrockAPIKey-{}", plot.dice.hex(4));
    let victim = if twist.stolen == Stolen::User {
        Principal::user(&mut plot.dice, key_user)
    } else {
        // A short-term key acts as the role that made it.
        let name = plot.account.cast.name();
        Principal::role(&mut plot.dice, name)
    };
    let door = if twist.door == Door::Invoke {
        Door::Mantle
    } else {
        twist.door
    };
    // Half of such keys are in use: their owner's traffic goes on.
    if plot.dice.chance(0.5) {
        let owner = Worker {
            who: victim.clone(),
            origin: Origin {
                networks: vec![own_network(&mut plot.dice)],
                ..Origin::program(&mut plot.dice)
            },
            region: home,
            rhythm: Rhythm::Application {
                calls: plot.dice.real(15.0, 60.0),
                crest: 14.0,
                weekend: 0.3,
            },
            jobs: vec![(
                1.0,
                Job::Model {
                    door,
                    model: plot.account.cast.models.first().copied().unwrap_or_default().into(),
                },
            )],
        };
        let days = plot.day;
        for day in 0..=days + 1 {
            owner.work(plot.account.cast.day(day), 1.0, &account, &mut plot.dice, &mut plot.log);
        }
    }
    let model = *plot.dice.pick(&DEAR_MODELS);
    let region = plot.account.cast.foreign.first().copied().unwrap_or("us-east-1");
    let calls = plot.dice.count(800..=2_000);
    let seat = plot.sit(&victim);
    for _ in 0..calls {
        plot.abuse(
            door.service(),
            region,
            &seat,
            through(door, &account, region, model, true),
        );
        plot.wait(2, 15);
    }
    let what = format!(
        "A Bedrock API key of {} is found in a public place. {calls} calls follow in {region}, with no other call \
         before them.",
        victim.label()
    );
    plot.finish(name, what, hijack(door.service(), &[&victim]), thieves(&[&victim]))
}

/// A stolen administrator's session makes a user with a key and model access; the new user calls.
pub(super) fn created_user(seed: u64, twist: &Twist) -> Scenario {
    let name = "llmjacking-created-user";
    let mut plot = Plot::begin(seed, name);
    let stolen = if twist.stolen == Stolen::User {
        Stolen::Person
    } else {
        twist.stolen
    };
    let admin = plot.victim(stolen);
    let account = plot.id();
    let user = format!("{}-backup", plot.account.cast.name());
    let (id, key) = (plot.dice.id("AIDA", 21), plot.dice.id("AKIA", 20));
    let accomplice = Principal::User {
        name: user.clone(),
        id: id.clone(),
        key: key.clone(),
    };

    let seat = plot.sit(&admin);
    plot.act("us-east-1", &seat, iam::get_caller_identity());
    plot.act("us-east-1", &seat, iam::create_user(&account, &user, &id));
    let policy = if plot.dice.chance(0.5) {
        twist.door.managed_policy()
    } else {
        "AdministratorAccess"
    };
    let steps = [
        iam::attach_user_policy(&user, policy),
        iam::create_access_key(&user, &key),
    ];
    let steps = if twist.late {
        steps.into_iter().rev().collect::<Vec<_>>()
    } else {
        steps.to_vec()
    };
    for step in steps {
        plot.act("us-east-1", &seat, step);
    }
    if twist.door == Door::Mantle {
        let id = plot.dice.id("ACCA", 20);
        plot.act(
            "us-east-1",
            &seat,
            iam::create_service_credential(&user, "bedrock.amazonaws.com", &id),
        );
    }
    plot.wait(2 * MINUTE, 90 * MINUTE);

    let model = *plot.dice.pick(&DEAR_MODELS);
    let region = if plot.dice.chance(0.5) {
        plot.account.cast.home
    } else {
        "us-west-2"
    };
    plot.thief.networks = vec![strange_network(&mut plot.dice)];
    let seat = plot.sit(&accomplice);
    let calls = plot.dice.count(1_000..=2_500);
    for _ in 0..calls {
        plot.abuse(
            twist.door.service(),
            region,
            &seat,
            through(twist.door, &account, region, model, false),
        );
        plot.wait(1, 12);
    }
    let what = format!(
        "A session of {} is stolen. It makes the user {user} with {policy} and a key; {user} makes {calls} model calls.",
        admin.label()
    );
    let issued = Must {
        what: "the credential that was issued, Medium before it is used",
        families: vec!["CredentialIssued"],
        service: None,
        severity: Severity::Medium,
        identities: thieves(&[&admin]),
        by_call: Some(1),
        by_minutes: None,
    };
    let [high, chain] = hijack(twist.door.service(), &[&accomplice]);
    let must = [high, chain, issued];
    plot.finish(name, what, must, thieves(&[&admin, &accomplice]))
}

/// The key of a user that nobody remembers, from a network that nobody knows, with the client, the region and the model
/// that the account uses: nothing else is strange about it.
pub(super) fn forgotten_key(seed: u64, twist: &Twist) -> Scenario {
    let name = "forgotten-key";
    let mut plot = Plot::begin(seed, name);
    let (account, home, door) = (plot.id(), plot.account.cast.home, twist.door);
    let name_of_user = format!("{}-{}", plot.dice.pick(&super::VICTIMS), plot.dice.hex(3));
    let victim = Principal::user(&mut plot.dice, name_of_user);
    plot.thief.agent = (*plot.dice.pick(&APP_AGENTS)).into();
    plot.thief.networks.truncate(1);
    let model = plot.account.cast.models.first().copied().unwrap_or_default();
    let seat = plot.sit(&victim);
    let calls = plot.dice.count(300..=900);
    for _ in 0..calls {
        plot.abuse(door.service(), home, &seat, through(door, &account, home, model, false));
        plot.wait(2, 20);
    }
    let what = format!(
        "The forgotten key of {} makes {calls} calls in the home region, with a client and a model that others use.",
        victim.label()
    );
    let must = Must {
        // Fifty within an hour of the clock, which may begin in between.
        what: "use by a key that nobody knows, High no later than the 100th abusive call",
        families: vec!["Hijack"],
        service: Some(door.service()),
        severity: Severity::High,
        identities: thieves(&[&victim]),
        by_call: Some(100),
        by_minutes: None,
    };
    plot.finish(name, what, [must], thieves(&[&victim]))
}

/// A session of a busy role is taken from a running program: new network, client and model in a known region, while
/// the program goes on as ever. Nothing is probed or refused.
pub(super) fn busy_session(seed: u64, twist: &Twist) -> Scenario {
    let name = "busy-role-session";
    let mut plot = Plot::with(
        seed,
        name,
        &Size {
            identities: 16,
            calls: 600.0,
        },
        24,
    );
    let (account, home, door) = (plot.id(), plot.account.cast.home, twist.door);
    let role_name = plot.account.cast.name();
    let victim = Principal::role(&mut plot.dice, role_name);
    let usual = plot.account.cast.models.first().copied().unwrap_or_default();
    let calls_a_day = plot.dice.real(500.0, 1_200.0);
    let owner = Worker {
        who: victim.clone(),
        origin: Origin::program(&mut plot.dice),
        region: home,
        rhythm: Rhythm::Application {
            calls: calls_a_day,
            crest: 14.0,
            weekend: 0.6,
        },
        jobs: vec![(
            1.0,
            Job::Model {
                door,
                model: usual.into(),
            },
        )],
    };
    for day in 0..=plot.day + 1 {
        owner.work(plot.account.cast.day(day), 1.0, &account, &mut plot.dice, &mut plot.log);
    }
    plot.now = plot.account.cast.day(plot.day) + plot.dice.range(8 * HOUR..=14 * HOUR);
    let model = *plot.dice.pick(&DEAR_MODELS);
    let seat = plot.sit(&victim);
    let calls = plot.dice.count(1_500..=2_500);
    for _ in 0..calls {
        plot.abuse(door.service(), home, &seat, through(door, &account, home, model, false));
        plot.wait(4, 20);
    }
    let what = format!(
        "The session of the busy role {} is used by a stranger for {calls} calls of another model, beside the role's \
         own calls in the same region.",
        victim.label()
    );
    let must = Must {
        // High is the aim; how often it is reached is measured, not promised.
        what: "the stranger in the busy role, Medium no later than the 50th abusive call",
        families: vec!["Hijack", "AnomalousUse"],
        service: Some(door.service()),
        severity: Severity::Medium,
        identities: thieves(&[&victim]),
        by_call: Some(50),
        by_minutes: None,
    };
    plot.finish(name, what, [must], thieves(&[&victim]))
}
