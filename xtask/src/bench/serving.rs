//! (a) reading one space, (b) creating spaces, (d) memory: the program beside the skeleton.

use super::Bench;
use super::figures::{Figures, Target, median};
use super::machine::Pinned;
use crate::http::{Connection, Reply, request};
use crate::load::{Load, Outcome};
use crate::server::{MANY_SPACES, Server, free_port, on_core};
use crate::tree;
use anyhow::Context as _;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const CONNECTIONS: usize = 64;
const RATE: u32 = 5000;
const READ: &str = "/api/spaces/space/measured";
const CREATE: &str = "/api/spaces/space";
const MIB: f64 = 1_048_576.0;

/// The space that is read, and the form of those that are created.
fn space(id: &str) -> Value {
    json!({
        "id": id,
        "name": format!("Space {id}"),
        "description": "Dashboards and cases of one team",
        "disabledFeatures": [],
    })
}

/// Names for spaces that no run used before.
static NEXT: AtomicU64 = AtomicU64::new(0);

pub(super) fn measure(bench: &Bench, figures: &mut Figures) -> anyhow::Result<()> {
    let folder = tree::empty("bench-serving")?;
    let (core, own) = bench.machine.apart().unzip();
    let real = Server::start_on(core, &bench.program, &folder.join("data"), &[MANY_SPACES])?;
    std::thread::sleep(Duration::from_secs(2));
    let idle = real.resident()?;
    let replay = record(&mut real.connect()?)?;
    fs::write(folder.join("replay.json"), replay.to_string())?;
    let bare = skeleton(bench, core, &folder)?;
    let _pinned = Pinned::to(own, &bench.machine);
    println!("server and load on {}", if core.is_some() { "a core each" } else { "the same cores" });
    reads(bench, &real, &bare, figures)?;
    creates(bench, &real, &bare, figures)?;
    figures.add("(d) memory idle after the start", idle as f64 / MIB, "MiB", Target::AtMost(20.0));
    figures.add("(d) memory after (a) and (b)", real.resident()? as f64 / MIB, "MiB", Target::AtMost(60.0));
    real.stop()
}

/// One answer of each kind, for the skeleton to send again.
fn record(connection: &mut Connection) -> anyhow::Result<Value> {
    let as_json =
        |reply: &Reply| json!({"status": reply.status, "headers": reply.headers, "body": reply.text()});
    let post = connection.send("POST", CREATE, Some(&space("measured")))?.want(200)?;
    let get = connection.send("GET", READ, None)?.want(200)?;
    Ok(json!({"get": as_json(&get), "post": as_json(&post)}))
}

/// The skeleton, on a file of its own that the program made.
fn skeleton(bench: &Bench, core: Option<usize>, folder: &Path) -> anyhow::Result<Server> {
    let data = folder.join("bare");
    Server::start(&bench.program, &data, &[])?.stop()?;
    let port = free_port()?;
    let mut command = on_core(core, &bench.references.join("skeleton"));
    command.args(["--port", &port.to_string(), "--replay"]).arg(folder.join("replay.json"));
    command.arg("--store").arg(data.join("ikebana.db"));
    Server::listening(command, port, &folder.join("skeleton.log"))
}

fn load(server: &Server, time: Duration, rate: Option<u32>) -> anyhow::Result<Outcome> {
    let bytes = request("GET", READ, None);
    let request = |_: u64, buffer: &mut Vec<u8>| buffer.extend_from_slice(&bytes);
    let load = Load {
        address: server.address,
        connections: CONNECTIONS,
        time,
        most: u64::MAX,
        rate,
        request: &request,
        status: 200,
    };
    load.run()
}

/// Creates spaces as fast as they are acknowledged, up to a number.
pub(super) fn create(server: &Server, time: Duration, most: u64) -> anyhow::Result<Outcome> {
    let request = |_: u64, buffer: &mut Vec<u8>| {
        let id = format!("made-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        buffer.extend_from_slice(&request("POST", CREATE, Some(&space(&id))));
    };
    let load = Load {
        address: server.address,
        connections: CONNECTIONS,
        time,
        most,
        rate: None,
        request: &request,
        status: 200,
    };
    load.run()
}

/// Reads of one server.
#[derive(Default)]
struct Reads {
    /// Microseconds of computing a request, at the fixed rate and flat out.
    paced: Vec<f64>,
    flat_out: Vec<f64>,
    p99: Vec<f64>,
    per_second: Vec<f64>,
}

impl Reads {
    fn round(&mut self, server: &Server, time: Duration) -> anyhow::Result<()> {
        let (cpu, outcome) = with_cpu(server, || load(server, time, Some(RATE)))?;
        self.paced.push(cpu);
        self.p99.push(outcome.quantile(0.99));
        let (cpu, outcome) = with_cpu(server, || load(server, time, None))?;
        self.flat_out.push(cpu);
        self.per_second.push(outcome.per_second());
        Ok(())
    }
}

fn with_cpu(
    server: &Server,
    run: impl FnOnce() -> anyhow::Result<Outcome>,
) -> anyhow::Result<(f64, Outcome)> {
    let before = server.cpu()?;
    let outcome = run()?;
    let spent = server.cpu()?.saturating_sub(before);
    Ok((spent.as_secs_f64() * 1e6 / outcome.requests() as f64, outcome))
}

fn reads(bench: &Bench, real: &Server, bare: &Server, figures: &mut Figures) -> anyhow::Result<()> {
    let (mut of_real, mut of_bare) = (Reads::default(), Reads::default());
    for server in [real, bare] {
        load(server, Duration::from_secs(1), None)?;
    }
    for _ in 0..bench.sizes.rounds {
        of_real.round(real, bench.sizes.time)?;
        of_bare.round(bare, bench.sizes.time)?;
    }
    let pairs = [
        (format!("at {RATE}/s"), of_real.paced, of_bare.paced),
        ("flat out".to_owned(), of_real.flat_out, of_bare.flat_out),
    ];
    for (how, of_real, of_bare) in pairs {
        let (of_real, of_bare) = (median(of_real), median(of_bare));
        figures.tell(&format!("(a) GET one space {how}, CPU a request"), of_real, "µs");
        figures.tell(&format!("(a) the bare route {how}, CPU a request"), of_bare, "µs");
        figures.add(&format!("(a) ratio {how}"), of_real / of_bare, "times", Target::AtMost(1.5));
    }
    figures.tell(&format!("(a) GET one space at {RATE}/s, p99"), median(of_real.p99), "µs");
    figures.tell(&format!("(a) the bare route at {RATE}/s, p99"), median(of_bare.p99), "µs");
    figures.tell("(a) GET one space flat out", median(of_real.per_second), "a second");
    figures.tell("(a) the bare route flat out", median(of_bare.per_second), "a second");
    Ok(())
}

fn creates(bench: &Bench, real: &Server, bare: &Server, figures: &mut Figures) -> anyhow::Result<()> {
    const NAMES: [&str; 3] = [
        "ikebana_store_commits_total",
        "ikebana_store_commit_groups_total",
        "ikebana_store_sync_microseconds_total",
    ];
    let counted = || -> anyhow::Result<Vec<f64>> {
        NAMES.iter().map(|name| real.metric(name).map(|value| value as f64).context(*name)).collect()
    };
    let (mut of_real, mut of_bare) = (Vec::new(), Vec::new());
    let mut sums = [0.0; 3];
    for server in [real, bare] {
        create(server, Duration::from_secs(1), u64::MAX)?;
    }
    for _ in 0..bench.sizes.rounds {
        let before = counted()?;
        of_real.push(create(real, bench.sizes.time, u64::MAX)?.per_second());
        for (sum, (after, before)) in sums.iter_mut().zip(counted()?.into_iter().zip(before)) {
            *sum += after - before;
        }
        of_bare.push(create(bare, bench.sizes.time, u64::MAX)?.per_second());
    }
    let (of_real, of_bare) = (median(of_real), median(of_bare));
    figures.tell("(b) durable creates", of_real, "a second");
    figures.tell("(b) the skeleton's", of_bare, "a second");
    figures.add("(b) ratio", of_real / of_bare, "times", Target::AtLeast(0.6));
    let [commits, groups, sync] = sums;
    figures.tell("(b) commits in a group", commits / groups, "on average");
    figures.tell("(b) making a group durable", sync / groups, "µs on average");
    Ok(())
}
