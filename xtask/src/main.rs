//! What is done with the project beside building and testing it: `cargo xtask --help`.

#![allow(clippy::print_stdout, reason = "a command-line tool")]
#![allow(clippy::disallowed_methods, reason = "measuring time is what it is for")]

mod bench;
mod ci;
mod clients;
mod command;
mod crash;
mod disk_full;
mod http;
mod load;
mod server;
mod steps;
mod tools;
mod tree;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Checks, measures and torments the program")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Everything beside `cargo test --workspace` that a change must pass
    Ci {
        /// Only these steps
        steps: Vec<String>,
    },
    /// The long versions of what `ci` does for a short time
    Soak,
    /// Measures the figures that the program promises, against skeletons in the same run
    Bench {
        /// Smaller sizes and fewer rounds: shows that it works, not how fast it is
        #[arg(long)]
        quick: bool,
        /// Only these figures: serving, start, find
        figures: Vec<String>,
    },
    /// Kills the server at random moments while many write, and looks for what was acknowledged
    Crash {
        /// How often
        #[arg(long, default_value_t = 100)]
        rounds: u32,
        /// Repeats the moments of an earlier run
        #[arg(long)]
        seed: Option<u64>,
    },
    /// Fills a small disk under the server, reads on, makes room, writes again
    DiskFull,
}

fn run(task: Task) -> anyhow::Result<()> {
    match task {
        Task::Ci { steps } => ci::run(&steps),
        Task::Soak => ci::soak(),
        Task::Bench { quick, figures } => bench::run(quick, &figures),
        Task::Crash { rounds, seed } => crash::run(&server::build()?, rounds, seed),
        Task::DiskFull => disk_full::run(&server::build()?),
    }
}

fn main() -> ExitCode {
    match run(Cli::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}
