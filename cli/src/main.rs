//! Tripmeter's command line: replays recorded logs through the detector, and says what it knows.

mod args;
mod audit;
mod catalogue;
mod cloud;
mod doctor;
mod failure;
mod findings;
mod openai;
mod patterns;
mod policy;
mod profile;
mod replay;
mod sample;
mod seed;
mod settings;
mod table;
mod terminal;
mod words;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use tripmeter_model::bounded;

use crate::args::{Cli, Command, Policy};

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            // What went wrong may quote a file: line by line, nothing of it steers the terminal.
            for line in format!("{error:#}").lines() {
                terminal::say(&format!("tripmeter: {}\n", bounded(line, 2_048)));
            }
            ExitCode::from(2)
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Replay(args) => return replay::run(&args),
        Command::Seed(args) => return seed::run(&args),
        Command::SampleEvent(args) => return sample::run(&args),
        Command::Openai(command) => return openai::run(&command),
        Command::Profile(command) => return profile::run(&command),
        Command::Policy(Policy::Check { file }) => return policy::check(&file),
        Command::Policy(Policy::Push(args)) => return policy::versions::push(&args),
        Command::Policy(Policy::History(args)) => return policy::versions::history(&args),
        Command::Policy(Policy::Rollback(args)) => return policy::versions::rollback(&args),
        Command::Policy(Policy::Show(args)) => return policy::versions::show(&args),
        Command::Doctor(args) => return doctor::run(&args),
        Command::Findings(command) => return findings::run(&command),
        Command::Settings(list) => terminal::print(&settings::list(list.format))?,
        Command::Catalogue(list) => terminal::print(&catalogue::list(list.format))?,
        Command::Patterns { format } => terminal::print(&patterns::list(format))?,
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "tripmeter", &mut script);
            terminal::print(&String::from_utf8_lossy(&script))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
