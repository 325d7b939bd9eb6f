//! `tripmeter replay`: recorded logs in, findings out.
//!
//! Files are read on all cores into sorted runs of activities (`decode`, `sorter`); the runs are merged into one
//! stream in event time, which the engine judges as it would have judged it live. So what is found does not depend
//! on the order of files, nor on how many threads read them.

mod callers;
mod decode;
mod files;
mod output;
mod progress;
mod rules;
mod sorter;
mod summary;
mod tally;

use std::io::Write;
use std::num::NonZero;
use std::process::ExitCode;
use std::thread::available_parallelism;
use std::time::Instant;

use anyhow::Context;
use tripmeter_detect::Engine;
use tripmeter_model::Policy;

use self::callers::Callers;
use self::decode::Period;
use self::files::Queue;
use self::output::Output;
use self::progress::Progress;
use self::rules::NotedPolicy;
use self::sorter::Merge;
use self::summary::{Read, Summary};
use self::tally::Tally;
use crate::args::{Replay, SummaryFormat};
use crate::{policy, settings};

/// Runs it. Exit code 1 is for `--fail-on`, 2 for nothing to judge.
pub(crate) fn run(args: &Replay) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let settings = settings::with(&args.set)?;
    let policy = NotedPolicy::new(policy::load(args.policy.as_deref())?);
    let progress = Progress::on_terminal();

    let (runs, tally) = decode::read_all(Queue::new(&args.paths), period(args), threads(args), &progress)?;
    progress.judging();
    let mut output = Output::new(args.format, args.min_severity);
    let mut callers = Callers::default();
    let mut engine = Engine::new(settings, &policy);
    let duplicates = judge(Merge::new(runs)?, &mut engine, &mut output, &mut callers)?;
    let episodes = engine.findings();
    if args.suppressed {
        output.print_suppressed(&episodes)?;
    }
    output.flush()?;
    progress.done();

    if !output.closed() {
        let rules = policy.rules(&episodes);
        let read = Read {
            tally: &tally,
            duplicates,
            callers: &callers,
        };
        report(
            &Summary::new(&read, &episodes, output.published(), rules, started.elapsed()),
            args.summary,
        )?;
    }
    Ok(exit_code(args, &tally, &output))
}

/// Feeds the merged activities to the engine, and its findings to the output. Says how many copies were dropped.
fn judge<P: Policy>(
    mut activities: Merge,
    engine: &mut Engine<P>,
    output: &mut Output,
    callers: &mut Callers,
) -> anyhow::Result<u64> {
    let mut found = Vec::new();
    while let Some(activity) = activities.next()? {
        callers.add(&activity);
        engine.observe(&activity, &mut found);
        output.publish(&found)?;
        found.clear();
        if output.closed() {
            break;
        }
    }
    engine.finish(&mut found);
    output.publish(&found)?;
    Ok(activities.duplicates())
}

fn report(summary: &Summary, format: SummaryFormat) -> anyhow::Result<()> {
    let text = match format {
        SummaryFormat::Text => summary.to_string(),
        SummaryFormat::Json => format!("{}\n", serde_json::to_string(summary)?),
        SummaryFormat::None => summary.troubles().to_string(),
    };
    anstream::stderr()
        .write_all(text.as_bytes())
        .context("writing the summary to stderr")
}

fn exit_code(args: &Replay, tally: &Tally, output: &Output) -> ExitCode {
    if tally.nothing_readable() {
        ExitCode::from(2)
    } else if args.fail_on.is_some_and(|severity| output.reached(severity)) {
        ExitCode::from(1)
    } else {
        ExitCode::SUCCESS
    }
}

fn period(args: &Replay) -> Period {
    Period {
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
