//! Measures recall, delay and false alarms by driving the `tripmeter` program over simulated accounts.
//!
//! The program is seen from outside only: records in by a pipe, publications out. Traffic is simulated, and whoever
//! wrote the simulation knew the detector's form: the counts are not drawn from it, but read the figures with that
//! in mind.

mod accounts;
mod attacks;
mod program;
mod report;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::Parser;
use scenarios::dice::Dice;

use accounts::{Account, Archetype};
use attacks::{Shape, trial};
use program::{Program, Publication};

/// Measures recall, delay and false alarms of the program over simulated accounts.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// The program.
    #[arg(long, default_value = "target/release/tripmeter")]
    tripmeter: PathBuf,
    /// Accounts without an attack, each of 30 to 60 identities.
    #[arg(long, default_value_t = 20)]
    accounts: usize,
    /// Weeks of each; the first two are for learning and not counted.
    #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(i64).range(13..=104))]
    weeks: i64,
    /// Trials of each attack shape.
    #[arg(long, default_value_t = 20)]
    trials: usize,
    /// The seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Changes a threshold of the program, NAME=VALUE; may be repeated.
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let program = Program {
        path: args.tripmeter.clone(),
        set: args.set.clone(),
    };
    println!("seed {}, {}", args.seed, program.path.display());
    if args.accounts > 0 {
        false_alarms(&args, &program)?;
    }
    if args.trials > 0 {
        recall(&args, &program)?;
    }
    Ok(())
}

/// Severities of the columns: OCSF's ids.
const COLUMNS: [(&str, u8); 3] = [("Low+", 2), ("Medium+", 3), ("High+", 4)];

/// What those of one archetype showed in one account.
#[derive(Clone, Default)]
struct Shown {
    /// Identity-weeks, without the two of learning.
    weeks: f64,
    /// Each finding's type, and the worst severity that it reached.
    findings: Vec<(String, u8)>,
}

impl Shown {
    fn all<'a>(of: impl Iterator<Item = &'a Self>) -> Self {
        of.fold(Self::default(), |mut all, shown| {
            all.weeks += shown.weeks;
            all.findings.extend(shown.findings.iter().cloned());
            all
        })
    }

    fn keep(mut self, keep: impl Fn(&str) -> bool) -> Self {
        self.findings.retain(|(kind, _)| keep(kind));
        self
    }
}

fn false_alarms(args: &Args, program: &Program) -> anyhow::Result<()> {
    let accounts = in_parallel(args.accounts, |i| one_account(args, program, i))?;
    let all: Vec<Shown> = accounts.iter().map(|a| Shown::all(a.iter())).collect();
    let total = Shown::all(all.iter());
    println!(
        "\nFalse alarms: {} accounts, {:.0} identity-weeks; findings per 1,000, with 95 % intervals",
        args.accounts, total.weeks
    );
    println!(
        "{:24}{:>9}{:>24}{:>24}{:>24}",
        "", "id-weeks", "Low+", "Medium+", "High+"
    );
    let mut dice = Dice::new(args.seed, "intervals");
    let mut row = |name: &str, rows: Vec<Shown>| {
        let weeks: f64 = rows.iter().map(|shown| shown.weeks).sum();
        let [low, medium, high] = COLUMNS.map(|(_, least)| {
            let counts: Vec<_> = rows
                .iter()
                .map(|shown| {
                    (
                        shown.findings.iter().filter(|(_, worst)| *worst >= least).count(),
                        shown.weeks,
                    )
                })
                .collect();
            report::rate(&counts, &mut dice).to_string()
        });
        println!("{name:24}{weeks:9.0}{low:>24}{medium:>24}{high:>24}");
    };
    for (place, archetype) in Archetype::ALL.iter().enumerate() {
        row(
            archetype.name(),
            accounts.iter().filter_map(|a| a.get(place).cloned()).collect(),
        );
    }
    let whole = |(account, all): (&Vec<Shown>, &Shown)| Shown {
        weeks: all.weeks,
        findings: account.last().map(|shown| shown.findings.clone()).unwrap_or_default(),
    };
    row("the account as a whole", accounts.iter().zip(&all).map(whole).collect());
    row(
        "all, about use",
        all.iter().map(|a| a.clone().keep(program::is_about_use)).collect(),
    );
    row(
        "all, about the rest",
        all.iter()
            .map(|a| a.clone().keep(|kind| !program::is_about_use(kind)))
            .collect(),
    );
    row("all", all);

    let mut types: BTreeMap<&str, usize> = BTreeMap::new();
    for (kind, _) in total.findings.iter().filter(|(_, worst)| *worst >= 3) {
        *types.entry(kind).or_default() += 1;
    }
    let types: Vec<_> = types.iter().map(|(kind, n)| format!("{kind} {n}")).collect();
    println!("Medium+ by type: {}", types.join(", "));
    Ok(())
}

/// One account: for each archetype, and for the account as a whole (last), what it showed.
fn one_account(args: &Args, program: &Program, i: usize) -> anyhow::Result<Vec<Shown>> {
    let account = Account::draw(Dice::new(args.seed, &format!("account/{i}")).seed(), args.weeks);
    let mut worst: BTreeMap<String, Publication> = BTreeMap::new();
    for p in program.replay(&account.records(args.weeks))? {
        match worst.get(&p.uid) {
            Some(kept) if kept.severity >= p.severity => {}
            _ => drop(worst.insert(p.uid.clone(), p)),
        }
    }
    let mut shown = vec![Shown::default(); Archetype::ALL.len() + 1];
    let place = |a: Archetype| Archetype::ALL.iter().position(|b| *b == a).unwrap_or_default();
    for member in &account.members {
        if let Some(of) = shown.get_mut(place(member.archetype)) {
            of.weeks += (args.weeks - 2) as f64;
        }
    }
    for p in worst.into_values() {
        let member = account.members.iter().find(|m| p.actor.contains(m.worker.who.label()));
        if let Some(of) = shown.get_mut(member.map_or(Archetype::ALL.len(), |m| place(m.archetype))) {
            of.findings.push((p.kind, p.severity));
        }
    }
    Ok(shown)
}

/// For Low, Medium and High: abusive calls and minutes until a finding about use was that bad.
type Delays = [Option<(f64, f64)>; 3];

fn recall(args: &Args, program: &Program) -> anyhow::Result<()> {
    println!(
        "\nRecall: {} trials a shape; found %, calls p50/p90, time p50",
        args.trials
    );
    println!(
        "{:40}{:>28}{:>28}{:>28}{:>12}",
        "", "Low+", "Medium+", "High+", "High by 50"
    );
    for shape in Shape::ALL {
        let delays = in_parallel(args.trials, |i| one_trial(args, program, &shape, i))?;
        let share = |n: usize| 100.0 * n as f64 / args.trials as f64;
        let [low, medium, high]: [String; 3] = std::array::from_fn(|column| {
            let found: Vec<_> = delays.iter().filter_map(|d| d.get(column).copied().flatten()).collect();
            format!("{:.0}, {}", share(found.len()), report::delays(found))
        });
        let by_50 = delays
            .iter()
            .filter(|[.., high]| high.is_some_and(|(calls, _)| calls <= 50.0))
            .count();
        println!("{:40}{low:>28}{medium:>28}{high:>28}{:>12.0}", shape.name, share(by_50));
    }
    Ok(())
}

fn one_trial(args: &Args, program: &Program, shape: &Shape, i: usize) -> anyhow::Result<Delays> {
    let trial = trial(shape, Dice::new(args.seed, &format!("{}/{i}", shape.name)).seed());
    let Some(begin) = trial.abuse.first().copied() else {
        return Ok([None; 3]);
    };
    let published = program.replay(&trial.records)?;
    Ok(COLUMNS.map(|(_, least)| {
        let found = published
            .iter()
            .filter(|p| {
                p.time >= begin && p.severity >= least && program::is_about_use(&p.kind) && p.names(&trial.label)
            })
            .map(|p| p.time)
            .min()?;
        let calls = trial.abuse.iter().filter(|t| **t <= found).count();
        Some((calls as f64, (found - begin) as f64 / 60.0))
    }))
}

/// Runs `work` for 0 to `n - 1` on all cores; results in that order.
fn in_parallel<T: Send>(n: usize, work: impl Fn(usize) -> anyhow::Result<T> + Sync) -> anyhow::Result<Vec<T>> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(n));
    let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..cores.min(n) {
            scope.spawn(|| {
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    if i >= n {
                        return;
                    }
                    let result = work(i);
                    done.lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner)
                        .push((i, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_by_key(|(i, _)| *i);
    done.into_iter().map(|(_, result)| result).collect()
}
