//! How long searches of the store take, on few objects and on many. Prints one line of JSON; progress goes
//! to standard error.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool")]

use anyhow::ensure;
use clap::Parser;
use ikebana_clock::{Clock, SystemClock};
use ikebana_query::{FieldKind, Query};
use ikebana_store::embedded::{Embedded, Options};
use ikebana_store::{
    Class, Commit, Draft, Engine, FindRequest, IndexedField, ObjectType, Operation, Priority, Registry,
};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// What every filter on `group` and `plain` finds.
const HITS: u64 = 100;
/// Objects written in one commit.
const BATCH: u64 = 1000;

#[derive(Parser)]
struct Arguments {
    /// Objects in the small store.
    #[arg(long, default_value_t = 1_000)]
    small: u64,
    /// Objects in the large store.
    #[arg(long, default_value_t = 1_000_000)]
    large: u64,
    /// Where the stores are made; they are removed at the end.
    #[arg(long)]
    folder: PathBuf,
}

fn registry() -> Registry {
    let keyword = |path| IndexedField { path, kind: FieldKind::Keyword };
    let indexed: &'static [IndexedField] = Box::leak(Box::new([keyword("group"), keyword("tenth")]));
    Registry::new([ObjectType { indexed, ..ObjectType::new("measured", Class::Agnostic) }])
}

fn draft(registry: &Registry, number: u64, of: u64) -> Option<Draft> {
    let attributes = json!({
        "group": format!("group {}", number % (of / HITS)),
        "plain": format!("group {}", number % (of / HITS)),
        "tenth": format!("tenth {}", number % 10),
        "title": format!("Object number {number}"),
        "description": "A text of some length, as people write it into the field that is meant for it.",
    });
    let (of_type, Value::Object(attributes)) = (registry.get("measured")?, attributes) else { return None };
    Some(Draft::new(of_type.key("default", &format!("object-{number}")), Vec::new(), attributes))
}

struct Measured {
    engine: Embedded,
    size: u64,
}

impl Measured {
    async fn fill(folder: &Path, size: u64, clock: &Arc<SystemClock>) -> anyhow::Result<Self> {
        let registry = registry();
        let options = Options::at(folder.join(format!("{size}.db")));
        let open = || Embedded::open(options.clone(), registry.clone(), clock.clone());
        let engine = open()?;
        let begun = clock.elapsed();
        for from in (0..size).step_by(usize::try_from(BATCH)?) {
            let operations = (from..size.min(from + BATCH))
                .filter_map(|number| draft(&registry, number, size).map(Operation::Put))
                .collect();
            let commit = Commit { operations, priority: Priority::Bulk, ..Commit::default() };
            engine.commit(commit).await?;
            let done = from + BATCH;
            if done.is_multiple_of((size / 10).max(BATCH)) {
                let seconds = (clock.elapsed() - begun).as_secs_f64();
                eprintln!("filling: {done} of {size} objects, {seconds:.1} s");
            }
        }
        // Opened anew: what is measured is a store that was there already.
        drop(engine);
        Ok(Self { engine: open()?, size })
    }

    /// The time of one search that must find so many.
    async fn find(
        &self,
        field: &str,
        value: String,
        wanted: u64,
        clock: &SystemClock,
    ) -> anyhow::Result<Duration> {
        let query = Query::term(format!("measured.attributes.{field}").as_str(), value);
        let request = FindRequest { query, size: HITS as usize, ..FindRequest::of("measured") };
        let begun = clock.elapsed();
        let page = self.engine.find(request).await?;
        let took = clock.elapsed() - begun;
        ensure!(page.total == wanted, "{field}: {} found, {wanted} wanted", page.total);
        ensure!(page.objects.len() == HITS.min(wanted) as usize, "{field}: {} shown", page.objects.len());
        Ok(took)
    }

    /// The median of so many searches for 100 objects.
    async fn hundred(&self, field: &str, rounds: u64, clock: &SystemClock) -> anyhow::Result<f64> {
        let groups = self.size / HITS;
        let mut times = Vec::new();
        for round in 0..rounds {
            // 7919 is prime: other groups each time, all over the store.
            times.push(self.find(field, format!("group {}", round * 7919 % groups), HITS, clock).await?);
        }
        Ok(median(times))
    }

    async fn tenth(&self, rounds: u64, clock: &SystemClock) -> anyhow::Result<f64> {
        let mut times = Vec::new();
        for round in 0..rounds {
            times.push(self.find("tenth", format!("tenth {}", round % 10), self.size / 10, clock).await?);
        }
        Ok(median(times))
    }
}

/// In milliseconds.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let clock = Arc::new(SystemClock::new());
    let folder = tempfile::tempdir_in(&arguments.folder)?;
    let small = Measured::fill(folder.path(), arguments.small, &clock).await?;
    let large = Measured::fill(folder.path(), arguments.large, &clock).await?;
    // In turns, so that both see the same machine.
    let (mut on_small, mut on_large) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        on_small.push(small.hundred("group", 100, &clock).await?);
        on_large.push(large.hundred("group", 100, &clock).await?);
    }
    on_small.sort_by(f64::total_cmp);
    on_large.sort_by(f64::total_cmp);
    let figures = json!({
        "small": small.size,
        "large": large.size,
        "indexed_small_ms": on_small[2],
        "indexed_large_ms": on_large[2],
        "tenth_large_ms": large.tenth(5, &clock).await?,
        "unindexed_large_ms": large.hundred("plain", 5, &clock).await?,
    });
    println!("{figures}");
    Ok(())
}
