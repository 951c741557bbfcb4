//! What the checks need and a machine may lack.

use crate::command::{cargo, is_root, on_path, output, run};
use crate::tree;
use anyhow::bail;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

/// A cargo subcommand of exactly this version, on the search path or installed once.
///
/// Without optimisation: it is built more often than it is waited for.
fn cargo_tool(name: &str, version: &str) -> anyhow::Result<PathBuf> {
    let fits = |program: PathBuf| {
        let said = output(Command::new(&program).arg("--version"))?;
        said.split_whitespace().any(|word| word == version).then_some(program)
    };
    let own = tree::kept("tools")?;
    let installed = own.join("bin").join(name);
    if let Some(found) = on_path(name).and_then(fits).or_else(|| fits(installed.clone())) {
        return Ok(found);
    }
    let mut install =
        cargo(&["install", "--quiet", "--locked", "--debug", "--force", name, "--version", version]);
    // The workspace's settings are not the tool's.
    run(install.arg("--root").arg(&own).current_dir(&own).env_remove("RUSTFLAGS"))?;
    Ok(installed)
}

/// Licences, sources and bans, by `deny.toml`. Advisories need a database that is cloned from elsewhere, so
/// they are left to whoever has it.
pub(crate) fn deny() -> anyhow::Result<()> {
    let tool = cargo_tool("cargo-deny", "0.20.2")?;
    println!(
        "advisories are not checked here: run `cargo deny check advisories` where the network allows it"
    );
    run(Command::new(tool).current_dir(tree::root()).args(["check", "bans", "licenses", "sources"]))
}

/// Dependencies that are declared and not used.
pub(crate) fn machete() -> anyhow::Result<()> {
    let tool = cargo_tool("cargo-machete", "0.9.2")?;
    run(Command::new(tool).current_dir(tree::root()))
}

/// Installs Debian packages.
fn install(packages: &[&str]) -> anyhow::Result<()> {
    if on_path("apt-get").is_none() || !is_root() {
        bail!("something is missing; install it, on Debian: apt-get install {}", packages.join(" "));
    }
    run(Command::new("apt-get").args(["update", "-q"]))?;
    run(Command::new("apt-get").args(["install", "-q", "-y", "--no-install-recommends"]).args(packages))
}

/// Go, for the client that is made from the official document.
pub(crate) fn go() -> anyhow::Result<()> {
    if on_path("go").is_none() {
        install(&["golang-go"])?;
    }
    Ok(())
}

/// A Python environment with these requirements, made once and brought up to date.
pub(crate) struct Python {
    folder: PathBuf,
}

impl Python {
    pub(crate) fn with(name: &str, requirements: &str) -> anyhow::Result<Self> {
        let folder = tree::kept(name)?;
        if !folder.join("bin/pip").is_file() {
            let make = || run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
            if make().is_err() {
                // Debian has Python without the means to make environments.
                install(&["python3", "python3-venv"])?;
                make()?;
            }
        }
        let python = Self { folder };
        let quiet = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements];
        run(python.command("python").args(quiet))?;
        Ok(python)
    }

    /// A program of the environment, in the folder of the workspace.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.folder.join("bin").join(program));
        command.current_dir(tree::root()).env("PATH", self.path());
        command
    }

    /// The search path with the environment's programs first.
    pub(crate) fn path(&self) -> OsString {
        let mut path = self.folder.join("bin").into_os_string();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        path
    }
}
