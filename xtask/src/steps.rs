//! Steps with headers and times, and a summary at the end.

use std::time::{Duration, Instant};

/// How a step ended that did not fail.
pub(crate) enum Done {
    /// All of it was done.
    Whole,
    /// It could not be done here, for this reason.
    Skipped(String),
}

impl From<()> for Done {
    fn from((): ()) -> Self {
        Self::Whole
    }
}

/// One step.
pub(crate) struct Step {
    /// What it is called on the command line.
    pub(crate) name: &'static str,
    /// What it does.
    pub(crate) run: Box<dyn FnOnce() -> anyhow::Result<Done>>,
}

/// A step of this name.
pub(crate) fn step<T: Into<Done>>(
    name: &'static str,
    run: impl FnOnce() -> anyhow::Result<T> + 'static,
) -> Step {
    Step { name, run: Box::new(|| run().map(Into::into)) }
}

/// Runs them in order up to the first that fails; `only` names those wanted, none: all.
pub(crate) fn run(steps: Vec<Step>, only: &[String]) -> anyhow::Result<()> {
    if let Some(unknown) = only.iter().find(|name| steps.iter().all(|step| step.name != **name)) {
        let known: Vec<_> = steps.iter().map(|step| step.name).collect();
        anyhow::bail!("there is no step [{unknown}]; there are {}", known.join(", "));
    }
    let start = Instant::now();
    let mut lines = Vec::new();
    let mut fault = None;
    for step in steps.into_iter().filter(|step| only.is_empty() || only.iter().any(|one| one == step.name)) {
        println!("\n=== {} ===", step.name);
        let begun = Instant::now();
        let result = (step.run)();
        let took = seconds(begun.elapsed());
        let word = match &result {
            Ok(Done::Whole) => "ok".to_owned(),
            Ok(Done::Skipped(why)) => format!("skipped: {why}"),
            Err(_) => "FAILED".to_owned(),
        };
        println!("=== {}: {word}, {took} ===", step.name);
        lines.push(format!("{:<12} {took:>9}  {word}", step.name));
        if let Err(error) = result {
            fault = Some(error.context(format!("step [{}]", step.name)));
            break;
        }
    }
    println!("\n{}\n{:<12} {:>9}", lines.join("\n"), "all", seconds(start.elapsed()));
    fault.map_or(Ok(()), Err)
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
