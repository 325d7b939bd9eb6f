//! `tripmeter replay`: recorded logs in, findings out.
//!
//! Files are read on all cores into sorted runs of activities (`decode`, `sorter`); the runs are merged into one
//! stream in event time, which the engine judges as it would have judged it live. So what is found does not depend
//! on the order of files, nor on how many threads read them.

mod callers;
mod decode;
mod episodes;
mod files;
mod output;
mod progress;
mod rules;
mod sorter;
mod summary;
mod tally;

use std::io;
use std::num::NonZero;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread::available_parallelism;
use std::time::Instant;

use tripmeter_detect::{Engine, told_apart};
use tripmeter_model::{Finding, Policy, Timestamp};

use self::callers::Callers;
pub(crate) use self::decode::Wanted;
use self::episodes::Episodes;
use self::files::Queue;
use self::output::Output;
use self::progress::Progress;
use self::rules::NotedPolicy;
use self::sorter::Merge;
use self::summary::{Read, Summary};
pub(crate) use self::tally::Tally;
use crate::args::{Replay, SummaryFormat};
use crate::{policy, settings, terminal};

/// Runs it. Exit code 1 is for `--fail-on`, 2 for nothing to judge, or a path that does not exist.
pub(crate) fn run(args: &Replay) -> anyhow::Result<ExitCode> {
    if let (Some(from), Some(to)) = (args.from, args.to)
        && from > to
    {
        anyhow::bail!("--from {from} is later than --to {to}: nothing happened between them");
    }
    let started = Instant::now();
    let settings = settings::with(&args.set)?;
    let policy = NotedPolicy::new(policy::load(args.policy.as_deref())?);
    let progress = Progress::on_terminal();

    let (runs, tally) = decode::read_all(Queue::new(&args.paths), wanted(args), threads(args), &progress)?;
    progress.judging();
    let mut engine = Engine::new(settings, &policy);
    let mut judged = Judged::new(Output::new(args.format, args.min_severity));
    let duplicates = judge(Merge::new(runs)?, &mut engine, &mut judged)?;
    judged.finish(&engine.findings(), args.suppressed)?;
    progress.done();

    let Judged {
        output,
        callers,
        episodes,
    } = judged;
    if !output.closed() {
        let read = Read {
            tally: &tally,
            duplicates,
            callers: &callers,
        };
        let rules = policy.rules(&episodes);
        let summary = Summary::new(&read, &episodes, output.published(), rules, started.elapsed());
        report(&summary, args.summary)?;
    }
    Ok(exit_code(args, &tally, &output))
}

/// What recorded logs teach, up to when each account is said to be known already.
pub(crate) fn learn<P: Policy>(
    paths: &[PathBuf],
    wanted: Wanted<'_>,
    mut engine: Engine<P>,
    known_since: impl Fn(&str) -> Option<Timestamp>,
) -> anyhow::Result<(Engine<P>, Tally)> {
    let progress = Progress::on_terminal();
    let threads = available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    let (runs, tally) = decode::read_all(Queue::new(paths), wanted, threads, &progress)?;
    progress.judging();
    let mut activities = Merge::new(runs)?;
    let mut found = Vec::new();
    while let Some(activity) = activities.next()? {
        if known_since(&activity.account).is_none_or(|since| activity.time < since) {
            engine.observe(&activity, &mut found);
            found.clear();
        }
    }
    engine.finish(&mut found);
    progress.done();
    Ok((engine, tally))
}

/// What judging leaves behind.
struct Judged {
    output: Output,
    callers: Callers,
    episodes: Episodes,
}

impl Judged {
    fn new(output: Output) -> Self {
        Self {
            output,
            callers: Callers::default(),
            episodes: Episodes::default(),
        }
    }

    /// Publishes and counts what came out of the engine, and makes room for more.
    fn take(&mut self, found: &mut Vec<Finding>) -> io::Result<()> {
        for finding in found.drain(..) {
            self.episodes.note(&finding);
            self.output.publish(&finding)?;
        }
        Ok(())
    }

    /// Counts every episode as it stands at the end, and prints those that a rule keeps quiet if they are wanted.
    fn finish(&mut self, episodes: &[Finding], suppressed: bool) -> io::Result<()> {
        for finding in episodes {
            self.episodes.note(finding);
            if suppressed && finding.suppressed.is_some() {
                self.output.print(finding)?;
            }
        }
        self.output.flush()
    }
}

/// Feeds the merged activities to the engine, until they end or nobody reads any more. Says how many copies of an
/// event were dropped.
fn judge<P: Policy>(mut activities: Merge, engine: &mut Engine<P>, judged: &mut Judged) -> anyhow::Result<u64> {
    let mut found = Vec::new();
    while !judged.output.closed()
        && let Some(activity) = activities.next()?
    {
        judged.callers.add(&told_apart(&activity));
        engine.observe(&activity, &mut found);
        judged.take(&mut found)?;
    }
    engine.finish(&mut found);
    judged.take(&mut found)?;
    Ok(activities.duplicates())
}

fn report(summary: &Summary, format: SummaryFormat) -> anyhow::Result<()> {
    let text = match format {
        SummaryFormat::Text => summary.to_string(),
        SummaryFormat::Json => format!("{}\n", serde_json::to_string(summary)?),
        SummaryFormat::None => summary.troubles().to_string(),
    };
    terminal::say(&text);
    Ok(())
}

fn exit_code(args: &Replay, tally: &Tally, output: &Output) -> ExitCode {
    // A path that was mistyped beside one that is there is no clean run.
    let missing = args.paths.iter().any(|path| path.as_os_str() != "-" && !path.exists());
    if tally.nothing_readable() || missing {
        ExitCode::from(2)
    } else if args.fail_on.is_some_and(|severity| output.reached(severity)) {
        ExitCode::from(1)
    } else {
        ExitCode::SUCCESS
    }
}

fn wanted(args: &Replay) -> Wanted<'_> {
    Wanted {
        organisation: &args.openai_organization,
        from: args.from,
        to: args.to,
    }
}

fn threads(args: &Replay) -> NonZero<usize> {
    args.threads
        .and_then(|threads| NonZero::new(usize::from(threads)))
        .or_else(|| available_parallelism().ok())
        .unwrap_or(NonZero::<usize>::MIN)
}
