//! Measures recall, delay and false alarms by driving the `tripmeter` program over simulated accounts.
//!
//! The program is seen from outside only: records in by a pipe, publications out. Traffic is simulated, and whoever
//! wrote the simulation knew the detector's form: the counts are not drawn from it, but read the figures with that
//! in mind.

mod accounts;
mod attacks;
mod program;
mod report;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::Parser;
use scenarios::dice::Dice;

use accounts::{Account, Archetype};
use attacks::{Shape, trial};
use program::Program;

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
    #[arg(long, default_value_t = 40)]
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

/// What one account showed: for each archetype (and for the account as a whole, last) its identity-weeks, and the
/// worst severity of each finding.
type Shown = Vec<(f64, Vec<u8>)>;

fn false_alarms(args: &Args, program: &Program) -> anyhow::Result<()> {
    let shown = in_parallel(args.accounts, |i| one_account(args, program, i))?;
    let weeks: f64 = shown.iter().flatten().map(|(weeks, _)| weeks).sum();
    println!(
        "\nFalse alarms: {} accounts, {weeks:.0} identity-weeks; findings per 1,000, with 95 % intervals",
        args.accounts
    );
    println!(
        "{:24}{:>9}{:>24}{:>24}{:>24}",
        "", "id-weeks", "Low+", "Medium+", "High+"
    );
    let mut dice = Dice::new(args.seed, "intervals");
    let mut row = |name: &str, of: &dyn Fn(&Shown) -> (f64, Vec<u8>)| {
        let rows: Vec<_> = shown.iter().map(of).collect();
        let weeks: f64 = rows.iter().map(|(weeks, _)| weeks).sum();
        let [low, medium, high] = COLUMNS.map(|(_, least)| {
            let counts: Vec<_> = rows
                .iter()
                .map(|(weeks, found)| (found.iter().filter(|s| **s >= least).count(), *weeks))
                .collect();
            report::rate(&counts, &mut dice).to_string()
        });
        println!("{name:24}{weeks:9.0}{low:>24}{medium:>24}{high:>24}");
    };
    for (place, archetype) in Archetype::ALL.iter().enumerate() {
        row(archetype.name(), &|shown| shown.get(place).cloned().unwrap_or_default());
    }
    row("the account as a whole", &|shown| {
        let weeks = shown.iter().map(|(weeks, _)| weeks).sum();
        (weeks, shown.last().map(|(_, found)| found.clone()).unwrap_or_default())
    });
    row("all", &|shown| {
        (
            shown.iter().map(|(weeks, _)| weeks).sum(),
            shown.iter().flat_map(|(_, found)| found.clone()).collect(),
        )
    });
    Ok(())
}

fn one_account(args: &Args, program: &Program, i: usize) -> anyhow::Result<Shown> {
    let account = Account::draw(Dice::new(args.seed, &format!("account/{i}")).seed(), args.weeks);
    let mut worst: HashMap<String, (String, u8)> = HashMap::new();
    for p in program.replay(&account.records(args.weeks))? {
        let entry = worst.entry(p.uid).or_insert((p.actor, 0));
        entry.1 = entry.1.max(p.severity);
    }
    let mut shown: Shown = vec![(0.0, vec![]); Archetype::ALL.len() + 1];
    let place = |a: Archetype| Archetype::ALL.iter().position(|b| *b == a).unwrap_or_default();
    for member in &account.members {
        if let Some((weeks, _)) = shown.get_mut(place(member.archetype)) {
            *weeks += (args.weeks - 2) as f64;
        }
    }
    for (actor, severity) in worst.into_values() {
        let member = account.members.iter().find(|m| actor.contains(m.worker.who.label()));
        let place = member.map_or(Archetype::ALL.len(), |m| place(m.archetype));
        if let Some((_, found)) = shown.get_mut(place) {
            found.push(severity);
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
            .filter(|p| p.time >= begin && p.severity >= least && p.is_about_use() && p.names(&trial.label))
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
