//! A full disk: writes are refused, reads go on, and writes resume alone once there is room.

use crate::command::{on_path, output, run as run_command};
use crate::http::Connection;
use crate::server::{MANY_SPACES, Server};
use crate::steps::Done;
use crate::tree;
use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Set in the copy of this program that is its own machine's owner.
const INSIDE: &str = "IKEBANA_XTASK_UNSHARED";
/// What is deleted to make room.
const BALLAST_BYTES: usize = 4 << 20;
/// More spaces than the disk has room for.
const MOST: u64 = 100_000;
/// How soon writes must go on.
const RESUME: Duration = Duration::from_secs(10);

/// A small disk in memory, gone when it is dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount() -> anyhow::Result<Option<Self>> {
        let folder = tree::empty("disk-full")?;
        let mount =
            output(Command::new("mount").args(["-t", "tmpfs", "-o", "size=16m", "tmpfs"]).arg(&folder));
        Ok(mount.map(|_| Self(folder)))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = output(Command::new("umount").arg("--lazy").arg(&self.0));
    }
}

/// The command.
pub(crate) fn run(binary: &Path) -> anyhow::Result<()> {
    if let Done::Skipped(why) = check(binary)? {
        println!("skipped: {why}");
    }
    Ok(())
}

/// Does it, unless nothing can be mounted here, not even in a namespace of our own.
pub(crate) fn check(binary: &Path) -> anyhow::Result<Done> {
    if let Some(disk) = SmallDisk::mount()? {
        fill(binary, &disk.0)?;
        return Ok(Done::Whole);
    }
    let unshare = ["--user", "--map-root-user", "--mount"];
    let possible =
        on_path("unshare").is_some() && output(Command::new("unshare").args(unshare).arg("true")).is_some();
    if !possible || std::env::var_os(INSIDE).is_some() {
        return Ok(Done::Skipped("a tmpfs cannot be mounted here".to_owned()));
    }
    let mut again = Command::new("unshare");
    again.args(unshare).arg(std::env::current_exe()?).arg("disk-full").env(INSIDE, "1");
    run_command(&mut again)?;
    Ok(Done::Whole)
}

fn fill(binary: &Path, disk: &Path) -> anyhow::Result<()> {
    let (ballast, data) = (disk.join("ballast"), disk.join("data"));
    fs::write(&ballast, vec![1; BALLAST_BYTES])?;
    // The log of the server stays off the small disk: here the store is filled, not the log.
    let log_off = "--logging.root.level=off";
    let mut server = Server::start(binary, &data, &[MANY_SPACES, log_off])?;
    let mut connection = server.connect()?;
    let mut written = Vec::new();
    let refusal = write_until(&mut connection, &mut written, |status| status != 200)?;
    println!("{} spaces, then {}: {}", written.len(), refusal.0, refusal.1);
    ensure!(refusal.0 == 503, "a full disk answers {}", refusal.0);
    ensure!(!written.is_empty(), "no space was written before the disk was full");
    told_and_read(&mut connection, &mut written)?;
    fs::remove_file(&ballast)?;
    let begun = Instant::now();
    loop {
        let (status, text) = write_until(&mut connection, &mut written, |_| true)?;
        match status {
            200 => break,
            503 if begun.elapsed() < RESUME => std::thread::sleep(Duration::from_millis(20)),
            _ => bail!("{:?} after there is room again: {status} {text}", begun.elapsed()),
        }
    }
    println!("writes went on {:.1?} after there was room", begun.elapsed());
    ensure!(overall(&mut connection)? == "available", "the status stays degraded");
    server.alive()?;
    all_there(&mut connection, &written)?;
    server.kill()?;
    let server = Server::start(binary, &data, &[MANY_SPACES, log_off])?;
    all_there(&mut server.connect()?, &written)?;
    println!("{} acknowledged spaces are there after kill -9 too", written.len());
    server.stop()
}

/// While the disk is full: the status says so, and what was written is read.
fn told_and_read(connection: &mut Connection, written: &mut Vec<u64>) -> anyhow::Result<()> {
    for _ in 0..50 {
        // A small write may find room in what is there already; then the store is not full any more.
        let (status, _) = write_until(connection, written, |status| status != 200)?;
        ensure!(status == 503, "a full disk answers {status}");
        let level = overall(connection)?;
        all_there(connection, written)?;
        if level == "degraded" {
            println!("reads go on, /api/status says degraded");
            return Ok(());
        }
    }
    bail!("/api/status never said degraded")
}

/// Creates spaces until an answer is wanted; its status and text.
fn write_until(
    connection: &mut Connection,
    written: &mut Vec<u64>,
    end: impl Fn(u16) -> bool,
) -> anyhow::Result<(u16, String)> {
    let mut next = written.last().map_or(0, |last| last + 1);
    while next < MOST {
        let reply = connection.send("POST", "/api/spaces/space", Some(&space(next)))?;
        if reply.status == 200 {
            written.push(next);
        }
        if end(reply.status) {
            return Ok((reply.status, reply.text()));
        }
        next += 1;
    }
    bail!("{MOST} spaces did not fill the disk")
}

fn overall(connection: &mut Connection) -> anyhow::Result<String> {
    let reply = connection.send("GET", "/api/status", None)?;
    let level = reply.json()?["status"]["overall"]["level"].as_str().map(str::to_owned);
    level.context("no level in the status")
}

fn all_there(connection: &mut Connection, written: &[u64]) -> anyhow::Result<()> {
    for number in written {
        let wanted = space(*number);
        let path = format!("/api/spaces/space/space-{number}");
        let found = connection.send("GET", &path, None)?.want(200)?.json()?;
        ensure!(found == wanted, "space {number} is not whole");
    }
    Ok(())
}

/// Large, so that the disk is soon full.
fn space(number: u64) -> Value {
    json!({
        "id": format!("space-{number}"),
        "name": format!("Space {number}"),
        "description": "x".repeat(8_000 + usize::try_from(number % 100).unwrap_or(0)),
        "disabledFeatures": [],
    })
}
