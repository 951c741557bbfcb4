//! Measures what the program promises. The reference is measured in the same run, on the same machine.

mod figures;
mod find;
mod machine;
mod serving;
mod start;

use crate::command::{cargo, run as run_command};
use crate::{server, tree};
use figures::Figures;
use machine::Machine;
use std::path::PathBuf;
use std::time::Duration;

/// How much is measured.
pub(crate) struct Sizes {
    /// Times that each thing is measured; the median counts.
    rounds: usize,
    /// How long each time.
    time: Duration,
    starts: usize,
    objects: u64,
    large: u64,
}

impl Sizes {
    fn new(quick: bool) -> Self {
        if quick {
            let time = Duration::from_secs(2);
            Self { rounds: 3, time, starts: 5, objects: 1_000, large: 20_000 }
        } else {
            let time = Duration::from_secs(5);
            Self { rounds: 5, time, starts: 20, objects: 10_000, large: 1_000_000 }
        }
    }
}

/// What is measured, and with what.
struct Bench {
    sizes: Sizes,
    machine: Machine,
    program: PathBuf,
    /// Where the references are.
    references: PathBuf,
}

/// Measures some of the figures.
type Group = fn(&Bench, &mut Figures) -> anyhow::Result<()>;

/// Measures all figures, or those of these groups, prints them and writes `target/bench.json`.
pub(crate) fn run(quick: bool, only: &[String]) -> anyhow::Result<()> {
    let groups: [(&str, Group); 3] =
        [("serving", serving::measure), ("start", start::measure), ("find", find::measure)];
    if let Some(unknown) = only.iter().find(|name| groups.iter().all(|(known, _)| known != name)) {
        anyhow::bail!("there is no [{unknown}]; there are serving, start, find");
    }
    let program = server::build()?;
    run_command(&mut cargo(&["build", "--release", "-q", "-p", "ikebana-benches"]))?;
    let machine = Machine::look()?;
    println!("\n{}\n", machine.told());
    let bench =
        Bench { sizes: Sizes::new(quick), machine, program, references: tree::target().join("release") };
    let mut figures = Figures::default();
    for (name, measure) in groups {
        if only.is_empty() || only.iter().any(|one| one == name) {
            measure(&bench, &mut figures)?;
        }
    }
    figures.finish(&bench.machine, quick)
}
