//! Figures, their targets, and how they are told.

use super::machine::Machine;
use crate::tree;
use anyhow::bail;
use serde_json::{Value, json};
use std::fs;

/// What a figure must be.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    AtMost(f64),
    AtLeast(f64),
    /// It is only told.
    None,
}

impl Target {
    fn met(self, value: f64) -> bool {
        match self {
            Self::AtMost(limit) => value <= limit,
            Self::AtLeast(limit) => value >= limit,
            Self::None => true,
        }
    }

    fn told(self) -> String {
        match self {
            Self::AtMost(limit) => format!(" (at most {limit})"),
            Self::AtLeast(limit) => format!(" (at least {limit})"),
            Self::None => String::new(),
        }
    }
}

/// All figures of a run, told as they come.
#[derive(Default)]
pub(crate) struct Figures {
    lines: Vec<String>,
    list: Vec<Value>,
    failed: usize,
}

impl Figures {
    pub(crate) fn add(&mut self, name: &str, value: f64, unit: &str, target: Target) {
        let met = target.met(value);
        let verdict = match target {
            Target::None => "    ",
            _ if met => "PASS",
            _ => "FAIL",
        };
        let line = format!("{verdict}  {name}: {} {unit}{}", number(value), target.told());
        println!("{line}");
        self.lines.push(line);
        self.failed += usize::from(!met);
        let (kind, limit) = match target {
            Target::AtMost(limit) => ("at most", Some(limit)),
            Target::AtLeast(limit) => ("at least", Some(limit)),
            Target::None => ("none", None),
        };
        let target = json!({"kind": kind, "limit": limit});
        self.list.push(json!({"name": name, "value": value, "unit": unit, "target": target, "met": met}));
    }

    /// Without a target.
    pub(crate) fn tell(&mut self, name: &str, value: f64, unit: &str) {
        self.add(name, value, unit, Target::None);
    }

    /// Tells all again in one piece, writes them down, and fails if a target is missed.
    pub(crate) fn finish(self, machine: &Machine, quick: bool) -> anyhow::Result<()> {
        let file = tree::target().join("bench.json");
        let all = json!({"machine": machine.json(), "quick": quick, "figures": self.list});
        fs::write(&file, format!("{all:#}\n"))?;
        let size = if quick { " Quick run: sizes are small, figures are no proof." } else { "" };
        println!("\n{}{size}\n{}", machine.told(), self.lines.join("\n"));
        if self.failed > 0 {
            bail!("{} targets are missed", self.failed);
        }
        Ok(())
    }
}

/// Three digits that count.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// The middle one.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
