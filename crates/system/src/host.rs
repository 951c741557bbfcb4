//! Numbers of the machine and the process, from `/proc`; elsewhere they are zero.

/// What `/proc` tells.
#[derive(Clone, Debug, Default)]
pub(crate) struct Host {
    /// Bytes of memory that the process holds.
    pub(crate) resident: u64,
    /// Bytes of heap that the process has asked for.
    pub(crate) data: u64,
    /// Bytes of memory of the machine.
    pub(crate) memory_total: u64,
    /// Bytes of it that could be given out.
    pub(crate) memory_free: u64,
    /// Mean number of running processes over 1, 5 and 15 minutes.
    pub(crate) load: [f64; 3],
    /// Seconds since the machine started.
    pub(crate) uptime: f64,
    /// The kernel's version.
    pub(crate) release: String,
}

fn text(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn kilobytes(meminfo: &str, name: &str) -> u64 {
    let line = meminfo.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|rest| rest.trim_start_matches(':').split_whitespace().next());
    number.and_then(|number| number.parse::<u64>().ok()).unwrap_or(0) * 1024
}

impl Host {
    /// Reads them now.
    pub(crate) fn read() -> Self {
        let status = text("/proc/self/status");
        let memory = text("/proc/meminfo");
        let mut load = [0.0; 3];
        for (slot, number) in load.iter_mut().zip(text("/proc/loadavg").split_whitespace()) {
            *slot = number.parse().unwrap_or(0.0);
        }
        let uptime = text("/proc/uptime");
        Self {
            resident: kilobytes(&status, "VmRSS"),
            data: kilobytes(&status, "VmData"),
            memory_total: kilobytes(&memory, "MemTotal"),
            memory_free: kilobytes(&memory, "MemAvailable"),
            load,
            uptime: uptime.split_whitespace().next().and_then(|text| text.parse().ok()).unwrap_or(0.0),
            release: text("/proc/sys/kernel/osrelease").trim().to_owned(),
        }
    }
}
