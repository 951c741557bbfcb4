//! What is measured on.

use super::figures::median;
use crate::command::{on_path, output};
use crate::tree;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::process::Command;
use std::time::Instant;

/// Names the machine.
pub(crate) struct Machine {
    processor: String,
    cores: usize,
    kernel: String,
    disk: String,
    /// Microseconds that 4 KiB take to be durable.
    sync: f64,
}

impl Machine {
    pub(crate) fn look() -> anyhow::Result<Self> {
        let folder = tree::kept("bench")?;
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpuinfo
            .lines()
            .find(|line| line.starts_with("model name"))
            .and_then(|line| line.split_once(": "));
        let disk =
            output(Command::new("df").args(["--output=source,fstype"]).arg(&folder)).unwrap_or_default();
        Ok(Self {
            processor: model.map_or("unknown processor", |(_, name)| name).to_owned(),
            cores: std::thread::available_parallelism()?.get(),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned(),
            disk: disk.lines().last().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" "),
            sync: sync_micros(&folder.join("sync"))?,
        })
    }

    pub(crate) fn told(&self) -> String {
        format!(
            "{}, {} cores, Linux {}, {}; 4 KiB written and synced in {:.0} µs.",
            self.processor, self.cores, self.kernel, self.disk, self.sync
        )
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "processor": self.processor,
            "cores": self.cores,
            "kernel": self.kernel,
            "disk": self.disk,
            "sync_us": self.sync,
        })
    }

    /// The core for what is measured and the one for the load, if they can be kept apart.
    pub(crate) fn apart(&self) -> Option<(usize, usize)> {
        (self.cores > 1 && on_path("taskset").is_some()).then_some((0, 1))
    }
}

/// The median of 100 overwrites of one page.
fn sync_micros(path: &std::path::Path) -> anyhow::Result<f64> {
    let mut file = File::create(path)?;
    let mut times = Vec::new();
    for _ in 0..100 {
        let begun = Instant::now();
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        times.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    fs::remove_file(path)?;
    Ok(median(times))
}

/// Keeps this process, and the threads it will start, on one core until it is dropped.
pub(crate) struct Pinned {
    cores: usize,
}

impl Pinned {
    pub(crate) fn to(core: Option<usize>, machine: &Machine) -> Self {
        if let Some(core) = core {
            pin(&core.to_string());
        }
        Self { cores: machine.cores }
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        pin(&format!("0-{}", self.cores - 1));
    }
}

fn pin(cores: &str) {
    let own = std::process::id().to_string();
    let _ = output(Command::new("taskset").args(["-a", "-c", "-p", cores, &own]));
}
