//! `ci`: what a change must pass beside the tests. `soak`: the long versions, on demand.

use crate::command::{cargo, run as run_command};
use crate::steps::{self, Done, Step, step};
use crate::{clients, crash, disk_full, server, tools, tree};
use clients::Fuzzing;

/// Runs the steps, or those of these names.
pub(crate) fn run(only: &[String]) -> anyhow::Result<()> {
    let mut steps = on_sources();
    steps.extend(on_program());
    steps::run(steps, only)
}

fn on_sources() -> Vec<Step> {
    vec![
        step("fmt", || run_command(&mut cargo(&["fmt", "--all", "--check"]))),
        step("lengths", tree::file_lengths),
        step("snapshots", || {
            Ok(match tree::snapshots()? {
                true => Done::Whole,
                false => {
                    Done::Skipped("the tests were not run with INSTA_SNAPSHOT_REFERENCES_FILE".to_owned())
                }
            })
        }),
        step("clippy", || {
            run_command(&mut cargo(&["clippy", "-q", "--workspace", "--all-targets", "--", "-D", "warnings"]))
        }),
        step("doc", || {
            let mut doc = cargo(&["doc", "-q", "--workspace", "--no-deps"]);
            run_command(doc.env("RUSTDOCFLAGS", "-D warnings"))
        }),
        step("unused", tools::machete),
        step("deny", tools::deny),
    ]
}

fn on_program() -> Vec<Step> {
    vec![
        step("release", || server::build().map(drop)),
        step("python", || clients::python(&server::build()?)),
        step("go", || clients::go(&server::build()?)),
        step("fuzz", || clients::fuzz(&server::build()?, Fuzzing::Short)),
        step("kill", || crash::run(&server::build()?, 20, None)),
        step("disk-full", || disk_full::check(&server::build()?)),
        step("durability", || durability(200)),
    ]
}

/// Power cuts under many writers.
fn durability(cuts: u32) -> anyhow::Result<()> {
    let mut test = cargo(&["test", "--release", "-q", "-p", "ikebana-store", "--test", "durability"]);
    run_command(test.env("IKEBANA_POWER_CUTS", cuts.to_string()))
}

/// Runs the long versions.
pub(crate) fn soak() -> anyhow::Result<()> {
    let steps = vec![
        step("durability", || durability(2000)),
        step("properties", || {
            let mut test = cargo(&["test", "--release", "-q", "-p", "ikebana-store"]);
            run_command(test.env("PROPTEST_CASES", "2000").env("IKEBANA_POWER_CUTS", "200"))
        }),
        step("kill", || crash::run(&server::build()?, 200, None)),
        step("disk-full", || disk_full::check(&server::build()?)),
        step("fuzz", || clients::fuzz(&server::build()?, Fuzzing::Long)),
    ];
    steps::run(steps, &[])
}
