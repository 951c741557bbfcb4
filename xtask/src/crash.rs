//! `kill -9` at random moments: what was acknowledged is there and whole, and the restart is quick.

use crate::http::Connection;
use crate::server::{MANY_SPACES, Server};
use crate::tree;
use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::{Duration, Instant, SystemTime};

const WRITERS: u64 = 8;
/// The server is killed so long after the writers began, at most.
const LATEST_KILL_MICROS: u64 = 300_000;
/// A restart may take so long to the first answer.
const RESTART: Duration = Duration::from_secs(1);
/// After so many rounds an empty data folder is taken, which bounds what a round must read.
const ROUNDS_A_FOLDER: u32 = 25;

/// Kills it so often.
pub(crate) fn run(binary: &Path, rounds: u32, seed: Option<u64>) -> anyhow::Result<()> {
    let seed = seed.unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        u64::from(now.subsec_nanos()) | 1
    });
    println!("{rounds} rounds of {WRITERS} writers, --seed {seed}");
    let mut random = Random(seed);
    let mut torment = Torment::default();
    let (mut starts, mut acknowledged) = (Vec::new(), 0);
    let folder = tree::empty("crash")?;
    for round in 0..rounds {
        if round % ROUNDS_A_FOLDER == 0 {
            torment = Torment::default();
        }
        let data = folder.join(format!("data-{}", round / ROUNDS_A_FOLDER));
        let kill_after = Duration::from_micros(random.below(LATEST_KILL_MICROS));
        let took = torment.round(binary, &data, kill_after).with_context(|| format!("round {round}"))?;
        acknowledged += took.acknowledged;
        starts.push(took.restart);
    }
    starts.sort_unstable();
    let (Some(least), Some(most)) = (starts.first(), starts.last()) else { bail!("no rounds") };
    println!(
        "{acknowledged} acknowledged spaces, all there and whole; restart to first answer: \
         min {least:.1?}, median {:.1?}, max {most:.1?}",
        starts[starts.len() / 2]
    );
    ensure!(*most < RESTART, "a restart took {most:?}, more than {RESTART:?}");
    Ok(())
}

struct Round {
    acknowledged: usize,
    restart: Duration,
}

/// What was acknowledged on one data folder.
#[derive(Default)]
struct Torment {
    acknowledged: Vec<u64>,
    next: AtomicU64,
}

impl Torment {
    fn round(&mut self, binary: &Path, data: &Path, kill_after: Duration) -> anyhow::Result<Round> {
        let server = Server::start(binary, data, &[MANY_SPACES])?;
        let address = server.address;
        let next = &self.next;
        let new = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..WRITERS).map(|_| write(scope, address, next)).collect();
            let begun = Instant::now();
            std::thread::sleep(kill_after);
            let killed = server.kill();
            let after = begun.elapsed();
            let results: Vec<_> = writers.into_iter().map(ScopedJoinHandle::join).collect();
            killed?;
            let mut new = Vec::new();
            for result in results {
                match result {
                    Ok(Ok(acknowledged)) => new.extend(acknowledged),
                    Ok(Err(error)) => return Err(error.context(format!("killed after {after:?}"))),
                    Err(_) => bail!("a writer ended"),
                }
            }
            Ok(new)
        })?;
        let acknowledged = new.len();
        self.acknowledged.extend(new);
        let server = Server::start(binary, data, &[MANY_SPACES])?;
        let restart = server.first_answer;
        self.check(&server)?;
        // Killed again, so that the next round finds a log to recover too.
        server.kill()?;
        Ok(Round { acknowledged, restart })
    }

    fn check(&self, server: &Server) -> anyhow::Result<()> {
        let list = server.connect()?.send("GET", "/api/spaces/space", None)?.want(200)?.json()?;
        let list = list.as_array().context("a list")?;
        let there: HashMap<&str, &Value> =
            list.iter().filter_map(|space| Some((space["id"].as_str()?, space))).collect();
        for number in &self.acknowledged {
            let wanted = space(*number);
            let found = there.get(wanted["id"].as_str().unwrap_or_default());
            ensure!(found == Some(&&wanted), "acknowledged {wanted}, there is {found:?}");
        }
        // What was written and not acknowledged may be there, but not a part of it.
        for (id, found) in there {
            if let Some(number) = id.strip_prefix("space-").and_then(|text| text.parse().ok()) {
                ensure!(*found == space(number), "not whole: {found}");
            }
        }
        Ok(())
    }
}

/// Creates spaces until the connection breaks; the numbers of those that were acknowledged.
fn write<'scope>(
    scope: &'scope Scope<'scope, '_>,
    address: std::net::SocketAddr,
    next: &'scope AtomicU64,
) -> ScopedJoinHandle<'scope, anyhow::Result<Vec<u64>>> {
    scope.spawn(move || {
        let mut acknowledged = Vec::new();
        let Ok(mut connection) = Connection::open(address) else { return Ok(acknowledged) };
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Ok(reply) = connection.send("POST", "/api/spaces/space", Some(&space(number))) else {
                return Ok(acknowledged);
            };
            reply.want(200)?;
            acknowledged.push(number);
        }
    })
}

fn space(number: u64) -> Value {
    json!({
        "id": format!("space-{number}"),
        "name": format!("Space {number}"),
        "description": format!("{number} ").repeat(usize::try_from(number % 97).unwrap_or(0) + 1),
        "disabledFeatures": [],
    })
}

/// xorshift64 (Marsaglia 2003).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}
