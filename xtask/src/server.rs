//! Starts, stops and kills the program.

use crate::command::{cargo, output, run};
use crate::http::{Connection, PASSWORD};
use crate::tree;
use anyhow::{Context as _, bail};
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// How long a start may take at most.
const PATIENCE: Duration = Duration::from_secs(20);

/// Spaces without end, for those who make many.
pub(crate) const MANY_SPACES: &str = "--xpack.spaces.maxSpaces=10000000";

/// Builds the program as it is shipped, once in this run; where it is.
pub(crate) fn build() -> anyhow::Result<PathBuf> {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    if let Some(program) = BUILT.get() {
        return Ok(program.clone());
    }
    run(&mut cargo(&["build", "--release", "-q", "-p", "ikebana"]))?;
    Ok(BUILT.get_or_init(|| tree::target().join("release/ikebana")).clone())
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// The command, held to one core if the machine can do that.
pub(crate) fn on_core(core: Option<usize>, binary: &Path) -> Command {
    match core {
        Some(core) => {
            let mut command = Command::new("taskset");
            command.args(["-c", &core.to_string()]).arg(binary);
            command
        }
        None => Command::new(binary),
    }
}

/// A process that listens. Killed when it is dropped.
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// From before the process to the first answer.
    pub(crate) first_answer: Duration,
    log: PathBuf,
}

impl Server {
    /// Starts the program on a data folder and waits for its first answer.
    pub(crate) fn start(binary: &Path, data: &Path, settings: &[&str]) -> anyhow::Result<Self> {
        Self::start_on(None, binary, data, settings)
    }

    /// The same on one core.
    pub(crate) fn start_on(
        core: Option<usize>,
        binary: &Path,
        data: &Path,
        settings: &[&str],
    ) -> anyhow::Result<Self> {
        let port = free_port()?;
        let mut command = on_core(core, binary);
        command.args(["serve", "-H", "127.0.0.1", "-p", &port.to_string()]);
        command.arg(format!("--path.data={}", data.display())).args(settings);
        command.env("ELASTIC_PASSWORD", PASSWORD);
        Self::listening(command, port, &data.with_extension("log"))
    }

    /// Starts a process that will answer on this port.
    pub(crate) fn listening(mut command: Command, port: u16, log: &Path) -> anyhow::Result<Self> {
        let lines = File::options().create(true).append(true).open(log)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        command.stdin(Stdio::null()).stderr(lines.try_clone()?).stdout(lines);
        // A settings file that lies about is not meant.
        command.current_dir(log.parent().unwrap_or(log));
        let begun = Instant::now();
        let child = command.spawn().with_context(|| format!("starting {:?}", command.get_program()))?;
        let mut server = Self { child, address, first_answer: Duration::ZERO, log: log.to_owned() };
        server.wait(begun)?;
        server.first_answer = begun.elapsed();
        Ok(server)
    }

    fn wait(&mut self, begun: Instant) -> anyhow::Result<()> {
        // Anonymous: checking a password takes its time on purpose.
        let request = b"GET /api/status HTTP/1.1\r\nhost: localhost\r\n\r\n";
        let mut body = Vec::new();
        while begun.elapsed() < PATIENCE {
            let answer = Connection::open(self.address)
                .and_then(|mut connection| connection.exchange(request, &mut body, |_, _| {}));
            if answer.is_ok() {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended with {status}:\n{}", self.tail());
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        bail!("the server did not answer within {PATIENCE:?}:\n{}", self.tail())
    }

    /// The end of what it said.
    pub(crate) fn tail(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// A new connection.
    pub(crate) fn connect(&self) -> anyhow::Result<Connection> {
        Connection::open(self.address).with_context(|| format!("the server said:\n{}", self.tail()))
    }

    /// `http://…`
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Fails if the process has ended.
    pub(crate) fn alive(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait()? {
            Some(status) => bail!("the server ended with {status}:\n{}", self.tail()),
            None => Ok(()),
        }
    }

    /// Ends it at once, with nothing finished.
    pub(crate) fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Ends it as an operator would.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        run_kill(self.child.id())?;
        let status = self.child.wait()?;
        if !status.success() {
            bail!("the server stopped with {status}:\n{}", self.tail());
        }
        Ok(())
    }

    /// Time that the process has computed, user and system.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        // Linux counts in hundredths of a second towards user space.
        Ok(Duration::from_millis(ticks * 10))
    }

    /// Bytes of memory that the process holds.
    pub(crate) fn resident(&self) -> anyhow::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib =
            line.and_then(|rest| rest.split_whitespace().next()).and_then(|text| text.parse::<u64>().ok());
        Ok(kib.context("no VmRSS")? * 1024)
    }

    /// A number of `/metrics`.
    pub(crate) fn metric(&self, name: &str) -> anyhow::Result<u64> {
        let text = self.connect()?.send("GET", "/metrics", None)?.want(200)?.text();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|value| value.parse().ok()).with_context(|| format!("no metric [{name}]"))
    }
}

fn run_kill(process: u32) -> anyhow::Result<()> {
    output(Command::new("kill").args(["-TERM", &process.to_string()])).context("the signal was not sent")?;
    Ok(())
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
