//! (e) searches of the store, by the library itself.

use super::Bench;
use super::figures::{Figures, Target};
use crate::tree;
use anyhow::{Context as _, ensure};
use serde_json::Value;
use std::process::{Command, Stdio};

pub(super) fn measure(bench: &Bench, figures: &mut Figures) -> anyhow::Result<()> {
    let mut command = Command::new(bench.references.join("find"));
    command.arg("--folder").arg(tree::empty("bench-find")?);
    command.args(["--large", &bench.sizes.large.to_string()]);
    let output = command.stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "the searches ended with {}", output.status);
    let answer: Value = serde_json::from_slice(&output.stdout)?;
    let number = |name: &str| answer[name].as_f64().with_context(|| format!("no [{name}]"));
    let (small, large) = (number("small")?, number("large")?);
    let (on_small, on_large) = (number("indexed_small_ms")?, number("indexed_large_ms")?);
    figures.tell(&format!("(e) indexed filter, 100 hits in {small}"), on_small, "ms");
    figures.tell(&format!("(e) indexed filter, 100 hits in {large}"), on_large, "ms");
    figures.add("(e) ratio", on_large / on_small, "times", Target::AtMost(2.0));
    figures.tell(&format!("(e) indexed filter, 10 % of {large}"), number("tenth_large_ms")?, "ms");
    let unindexed = format!("(e) filter on an unindexed attribute, 100 hits in {large}");
    figures.tell(&unindexed, number("unindexed_large_ms")?, "ms");
    Ok(())
}
