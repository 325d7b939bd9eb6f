//! Functions that judge the same account at once, in every order that a seed draws, some of them dying on the way: what
//! is found and counted at the end is what one go over everything finds and counts.
//!
//! The real store speaks through the real client to an embedded DynamoDB; only the order of its requests is ours. Where
//! a rule of the protocol is taken away on the wire, an order ends otherwise.
//!
//! `SCHEDULES` says how many orders are drawn, if not as many as a build has time for.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what fails here fails the test that asked for it"
)]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::pin::Pin;
use std::rc::Rc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use tokio::task::{JoinHandle, LocalSet};
use tripmeter_aws::findings::FindingsTable;
use tripmeter_aws::state::{Batch, State};
use tripmeter_aws::testing::{Local, Turn, Turns, Waiting};
use tripmeter_detect::{Engine, ServiceShown, Settings, Terms, Work};
use tripmeter_model::{
    Activity, Client as Agent, Family, Finding, Identity, IdentityKind, Kind, Network, NoPolicy, Origin, Outcome,
    PolicyEffect, Quantity, Service, Session, Severity, Source, Target, Timestamp, digest64,
};

const ACCOUNT: &str = "111122223333";
const START: i64 = 1_767_571_200;
const HISTORY_DAYS: i64 = 16;

fn act(who: &str, call: &str, kind: Kind, at: i64) -> Activity {
    Activity {
        time: Timestamp::from_seconds(START + at),
        event_id: Some(format!("{who}-{call}-{at}")),
        account: ACCOUNT.into(),
        region: "eu-west-1".into(),
        service: Service::Bedrock,
        call: call.into(),
        kind,
        outcome: Outcome::Success,
        identity: Identity {
            kind: IdentityKind::IamUser,
            id: format!("arn:aws:iam::{ACCOUNT}:user/{who}"),
        },
        session: Session::default(),
        origin: Origin {
            source: Source::Hidden,
            network: Network("198.51.100.0/24".into()),
            client: Agent("boto3".into()),
        },
        target: Some(Target::Model("model-a".into())),
        quantity: Quantity::ONE,
        effect: (kind == Kind::PolicyChange).then_some(PolicyEffect::AccessEnabled),
        routine: false,
        grave: false,
        links: Vec::new(),
        issued: None,
        shape: digest64(&[call]),
        why: "because".into(),
    }
}

/// Two weeks in which three applications make a few calls every working hour.
fn history() -> Vec<Activity> {
    let mut history = Vec::new();
    for day in 0..HISTORY_DAYS {
        for who in ["app", "batch", "web"] {
            for hour in 8..18 {
                history.push(act(who, "InvokeModel", Kind::Use, day * 86_400 + hour * 3_600));
            }
        }
    }
    history
}

/// The night in which two of them are stolen, as it comes to the functions: a changed policy to one, use to three others,
/// two of which write the same profile.
fn deliveries() -> Vec<Vec<Activity>> {
    let night = HISTORY_DAYS * 86_400 + 3 * 3_600;
    let stolen = |mut activity: Activity| {
        activity.origin.network = Network("192.0.2.0/24".into());
        activity.origin.client = Agent("curl".into());
        activity
    };
    let uses = |who: &str, from: i64, calls: i64| -> Vec<Activity> {
        let uses = (0..calls).map(|n| stolen(act(who, "InvokeModel", Kind::Use, night + from + n)));
        uses.collect()
    };
    let opening = stolen(act("app", "PutUseCaseForModelAccess", Kind::PolicyChange, night - 60));
    vec![
        vec![opening],
        uses("app", 0, 60),
        [uses("batch", 90, 60), uses("web", 90, 1)].concat(),
        uses("web", 80, 1),
    ]
}

/// What is left when all is done: each episode with its type and severity, and the calls that were counted.
#[derive(Clone, Debug, PartialEq)]
struct End {
    found: BTreeMap<String, (Family, Severity)>,
    calls: u64,
}

/// What one go over all of it finds and counts.
fn in_one_go() -> End {
    let mut engine = Engine::new(Settings::default(), NoPolicy);
    let mut out: Vec<Finding> = Vec::new();
    for activity in history().iter().chain(deliveries().iter().flatten()) {
        engine.observe(activity, &mut out);
    }
    // The last day of the history is not folded yet.
    let open = Timestamp::from_seconds(START + (HISTORY_DAYS - 1) * 86_400);
    let history = history();
    let counted = history.iter().filter(|activity| activity.time >= open);
    let uses = deliveries()
        .iter()
        .flatten()
        .chain(counted)
        .filter(|activity| activity.is_spend())
        .count();
    End {
        found: out
            .into_iter()
            .map(|finding| (finding.uid, (finding.finding_type.family, finding.severity)))
            .collect(),
        calls: uses as u64,
    }
}

type Item = HashMap<String, AttributeValue>;

/// A database in which the history was judged, and what it held then.
struct Stage {
    local: Local,
    before: Vec<(&'static str, Vec<Item>)>,
}

impl Stage {
    async fn new() -> Self {
        let local = Local::start().await;
        let state = state(&local, local.dynamodb());
        let history = history();
        judge(&state, &history, false).await;
        let mut before = Vec::new();
        for table in [local.state_table(), local.findings_table()] {
            before.push((table, scan(&local, table).await));
        }
        Self { local, before }
    }

    /// Puts everything back to the evening before.
    async fn restore(&self) {
        for (table, items) in &self.before {
            let names = if *table == self.local.state_table() {
                ["pk", "sk"]
            } else {
                ["account", "uid"]
            };
            let key = |item: &Item| names.map(|name| item[name].as_s().unwrap().clone());
            let kept: BTreeSet<_> = items.iter().map(key).collect();
            let db = self.local.dynamodb();
            for item in scan(&self.local, table).await {
                if !kept.contains(&key(&item)) {
                    let delete = db.delete_item().table_name(*table);
                    let [one, other] = names.map(|name| item[name].clone());
                    delete.key(names[0], one).key(names[1], other).send().await.unwrap();
                }
            }
            for item in items {
                db.put_item()
                    .table_name(*table)
                    .set_item(Some(item.clone()))
                    .send()
                    .await
                    .unwrap();
            }
        }
    }

    async fn end(&self) -> End {
        let table = FindingsTable::new(self.local.dynamodb(), self.local.findings_table());
        let mut found = BTreeMap::new();
        for item in scan(&self.local, self.local.findings_table()).await {
            let uid = item["uid"].as_s().unwrap();
            assert!(item.contains_key("pending"), "{uid} waits for nobody to publish it");
            let finding = table.get(ACCOUNT, uid).await.unwrap().unwrap().finding;
            found.insert(finding.uid, (finding.finding_type.family, finding.severity));
        }
        let state = state(&self.local, self.local.dynamodb());
        let services = state.services(ACCOUNT, Timestamp::from_seconds(0)).await.unwrap();
        let calls = services
            .into_iter()
            .map(|(service, body)| ServiceShown::of(service, &body).unwrap().calls);
        End {
            found,
            calls: calls.sum(),
        }
    }
}

fn state(local: &Local, client: Client) -> State {
    let findings = FindingsTable::new(client.clone(), local.findings_table());
    State::new(client, local.state_table(), findings)
}

async fn scan(local: &Local, table: &str) -> Vec<Item> {
    let scan = local.dynamodb().scan().table_name(table).send().await;
    scan.unwrap().items.unwrap_or_default()
}

async fn judge(state: &State, activities: &[Activity], redelivered: bool) {
    let batch = Batch {
        account: ACCOUNT,
        work: Work::Activities(activities),
        due: &[],
        redelivered,
    };
    let now = activities.iter().map(|activity| activity.time).max().unwrap();
    let terms = Terms::new(Settings::default(), NoPolicy);
    state.judge(batch, &terms, now).await.unwrap();
}

/// A function that judges a delivery.
struct Worker {
    delivery: usize,
    task: JoinHandle<()>,
}

/// Functions at work on the deliveries of the night.
struct Night<'s> {
    stage: &'s Stage,
    turns: Turns,
    ended: Rc<tokio::sync::Notify>,
    workers: Vec<Worker>,
}

impl<'s> Night<'s> {
    fn new(stage: &'s Stage) -> Self {
        Self {
            stage,
            turns: Turns::default(),
            ended: Rc::default(),
            workers: Vec::new(),
        }
    }

    fn deliver(&mut self, delivery: usize) {
        self.start(delivery, false);
    }

    fn start(&mut self, delivery: usize, redelivered: bool) {
        let client = self.turns.client(&self.stage.local, self.workers.len());
        let state = state(&self.stage.local, client);
        let ended = Rc::clone(&self.ended);
        let task = tokio::task::spawn_local(async move {
            judge(&state, &deliveries()[delivery], redelivered).await;
            ended.notify_one();
        });
        self.workers.push(Worker { delivery, task });
    }

    /// Kills a worker; the queue delivers again what it had not acknowledged.
    fn kill(&mut self, worker: usize) {
        self.workers[worker].task.abort();
        self.turns.forget(worker);
        self.start(self.workers[worker].delivery, true);
    }

    /// What waits, when every worker that lives and has not finished waits; nothing when all have finished.
    async fn waiting(&self) -> Vec<Waiting> {
        loop {
            // What was woken may run.
            for _ in 0..8 {
                tokio::task::yield_now().await;
            }
            let waiting = self.turns.waiting();
            let at_rest = |(number, worker): (usize, &Worker)| {
                worker.task.is_finished() || waiting.iter().any(|of| of.worker == number)
            };
            if self.workers.iter().enumerate().all(at_rest) {
                return waiting;
            }
            tokio::select! {
                () = self.turns.arrival() => {}
                () = self.ended.notified() => {}
            }
        }
    }

    /// Every worker that was not killed has done its work.
    async fn finish(self) {
        for worker in self.workers {
            match worker.task.await {
                Ok(()) => {}
                Err(error) if error.is_cancelled() => {}
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            }
        }
    }
}

/// What the wire does to the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wire {
    Sound,
    /// The account's generation is never counted up.
    NoGeneration,
    /// Every write is done, whatever was written since.
    NoConditions,
}

impl Wire {
    fn turn(self, request: &Waiting) -> Turn {
        match (self, request.operation.as_str()) {
            (Self::NoGeneration, "UpdateItem") if request.body.contains("generation") => Turn::Swallowed,
            (Self::NoConditions, "PutItem" | "TransactWriteItems") => Turn::Unconditional,
            _ => Turn::Heard,
        }
    }
}

/// Who is next. Whoever ranks first goes on until one of a few moments puts it last: orders in which one function stands
/// still while another does all of its work, which drawing each turn alone would hardly ever make.
struct Ranks {
    dice: fastrand::Rng,
    of_workers: Vec<u32>,
    /// The turns after which the first becomes the last.
    moments: Vec<usize>,
    turns: usize,
}

impl Ranks {
    /// Turns of a night, about.
    const NIGHT: usize = 80;

    fn drawn(seed: u64) -> Self {
        let mut dice = fastrand::Rng::with_seed(seed);
        let moments = (0..4).map(|_| dice.usize(..Self::NIGHT)).collect();
        Self {
            dice,
            of_workers: Vec::new(),
            moments,
            turns: 0,
        }
    }

    fn next<'w>(&mut self, waiting: &'w [Waiting]) -> Option<&'w Waiting> {
        self.turns += 1;
        let first = |ranks: &mut Self| {
            let workers = waiting.iter().map(|request| request.worker);
            workers.max_by_key(|worker| ranks.rank(*worker))
        };
        let mut worker = first(self)?;
        if self.moments.contains(&self.turns) {
            self.of_workers[worker] = 0;
            worker = first(self)?;
        }
        let own: Vec<&Waiting> = waiting.iter().filter(|request| request.worker == worker).collect();
        self.dice.choice(own)
    }

    fn rank(&mut self, worker: usize) -> u32 {
        while self.of_workers.len() <= worker {
            self.of_workers.push(self.dice.u32(1..));
        }
        self.of_workers[worker]
    }
}

/// One order of turns, drawn from a seed, with up to so many deaths.
async fn play(stage: &Stage, seed: u64, mut deaths: u32, wire: Wire) -> End {
    stage.restore().await;
    let mut ranks = Ranks::drawn(seed);
    let mut night = Night::new(stage);
    (0..deliveries().len()).for_each(|delivery| night.deliver(delivery));
    loop {
        let waiting = night.waiting().await;
        let Some(request) = ranks.next(&waiting) else { break };
        let fate = if deaths > 0 { ranks.dice.u32(..20) } else { 20 };
        match fate {
            0 => night.kill(request.worker),
            1 => {
                night.turns.give(request, Turn::Unheard).await;
                night.kill(request.worker);
            }
            _ => night.turns.give(request, wire.turn(request)).await,
        }
        deaths -= u32::from(fate < 2);
    }
    night.finish().await;
    stage.end().await
}

/// The next request of a worker.
async fn next_of(night: &Night<'_>, worker: usize) -> Option<Waiting> {
    night
        .waiting()
        .await
        .into_iter()
        .find(|request| request.worker == worker)
}

/// Gives a worker its turns until it wants to make a request of a kind; says whether it came so far.
async fn run_until(night: &Night<'_>, worker: usize, reached: impl Fn(&Waiting) -> bool) -> bool {
    while let Some(request) = next_of(night, worker).await {
        if reached(&request) {
            return true;
        }
        night.turns.give(&request, Turn::Heard).await;
    }
    false
}

fn counts_up(request: &Waiting) -> bool {
    request.operation == "UpdateItem" && request.body.contains("generation")
}

fn writes_a_profile(request: &Waiting) -> bool {
    matches!(request.operation.as_str(), "PutItem" | "TransactWriteItems") && request.body.contains("use/")
}

/// Runs on one thread, where whoever has its turn runs alone.
fn alone<'d, T: 'd>(doing: impl Future<Output = T> + 'd) -> Pin<Box<dyn Future<Output = T> + 'd>> {
    Box::pin(async move { LocalSet::new().run_until(doing).await })
}

fn schedules(most: u64) -> u64 {
    std::env::var("SCHEDULES")
        .ok()
        .and_then(|number| number.parse().ok())
        .unwrap_or(most)
}

#[tokio::test]
async fn in_whatever_order_functions_take_turns_and_die_nothing_is_lost_or_counted_twice() {
    alone(async {
        let stage = Stage::new().await;
        let expected = in_one_go();
        assert!(
            expected.found.values().any(|(family, _)| *family == Family::Hijack),
            "{expected:?}"
        );
        for seed in 0..schedules(60) {
            let end = play(&stage, seed, 3, Wire::Sound).await;
            assert_eq!(end, expected, "seed {seed}");
        }
    })
    .await;
}

/// Lets the functions of the night work one after another; the one that makes a certain request dies before it, or
/// before it hears what came of it. Says whether the night had so many requests.
async fn with_a_death(stage: &Stage, at: usize, fate: Option<Turn>) -> bool {
    stage.restore().await;
    let mut night = Night::new(stage);
    let (mut requests, mut died) = (0, false);
    for delivery in 0..deliveries().len() {
        night.deliver(delivery);
        while let Some(request) = night.waiting().await.into_iter().next() {
            if requests == at && !died {
                died = true;
                if let Some(turn) = fate {
                    night.turns.give(&request, turn).await;
                }
                night.kill(request.worker);
                continue;
            }
            requests += 1;
            night.turns.give(&request, Turn::Heard).await;
        }
    }
    night.finish().await;
    died
}

#[tokio::test]
async fn before_and_after_every_single_request_a_function_may_die() {
    alone(async {
        let stage = Stage::new().await;
        let expected = in_one_go();
        let mut requests = 0;
        while with_a_death(&stage, requests, None).await {
            assert_eq!(stage.end().await, expected, "dead before request {requests}");
            assert!(with_a_death(&stage, requests, Some(Turn::Unheard)).await);
            assert_eq!(stage.end().await, expected, "dead after request {requests}");
            requests += 1;
        }
        eprintln!("a night of {requests} requests, with a death before and after each");
        assert!(requests > 20, "a night has only {requests} requests");
    })
    .await;
}

#[tokio::test]
async fn a_function_that_dies_between_an_opening_and_the_word_of_it_says_so_in_its_next_life() {
    alone(async {
        let stage = Stage::new().await;
        let mut night = Night::new(&stage);
        (0..deliveries().len()).for_each(|delivery| night.deliver(delivery));
        for worker in [2, 3] {
            run_until(&night, worker, |_| false).await;
        }
        // Use is judged while there is no opening, and is about to be written.
        assert!(run_until(&night, 1, writes_a_profile).await);
        assert!(run_until(&night, 0, counts_up).await, "the opening was written");
        night.kill(0);
        run_until(&night, 4, |_| false).await;
        run_until(&night, 1, |_| false).await;
        night.finish().await;
        assert_eq!(stage.end().await, in_one_go());
    })
    .await;
}

/// Use is judged while there is no opening and is about to be written; then the opening is judged, then the use written.
async fn an_opening_between_judging_and_writing(stage: &Stage, wire: Wire) -> End {
    stage.restore().await;
    let mut night = Night::new(stage);
    (0..deliveries().len()).for_each(|delivery| night.deliver(delivery));
    for worker in [2, 3] {
        run_until(&night, worker, |_| false).await;
    }
    assert!(run_until(&night, 1, writes_a_profile).await);
    while let Some(request) = next_of(&night, 0).await {
        night.turns.give(&request, wire.turn(&request)).await;
    }
    run_until(&night, 1, |_| false).await;
    night.finish().await;
    stage.end().await
}

#[tokio::test]
async fn a_hijack_would_be_lost_without_the_word_of_its_opening() {
    alone(async {
        let stage = Stage::new().await;
        let expected = in_one_go();
        assert_eq!(
            an_opening_between_judging_and_writing(&stage, Wire::Sound).await,
            expected
        );
        assert_ne!(
            an_opening_between_judging_and_writing(&stage, Wire::NoGeneration).await,
            expected
        );
    })
    .await;
}

#[tokio::test]
async fn without_conditions_the_search_finds_an_order_that_counts_wrongly() {
    assert!(is_caught(Wire::NoConditions).await);
}

/// Whether some order ends otherwise than one go, on a wire that breaks the protocol.
async fn is_caught(wire: Wire) -> bool {
    alone(async {
        let stage = Stage::new().await;
        let expected = in_one_go();
        for seed in 0..schedules(500) {
            if play(&stage, seed, 0, wire).await != expected {
                eprintln!("{wire:?}: caught at seed {seed}");
                return true;
            }
        }
        false
    })
    .await
}
