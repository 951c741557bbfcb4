//! Clients that were not written here, against the program as it is shipped.

use crate::command::run;
use crate::http::PASSWORD;
use crate::server::Server;
use crate::steps::Done;
use crate::tools::{self, Python};
use crate::tree;
use anyhow::ensure;
use std::path::Path;
use std::process::Command;

/// Drives a fresh server; it must be alive at the end and stop in order.
fn with_server(
    binary: &Path,
    name: &str,
    settings: &[&str],
    drive: impl FnOnce(&Server) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let data = tree::empty(name)?.join("data");
    let mut server = Server::start(binary, &data, settings)?;
    drive(&server)?;
    server.alive()?;
    server.stop()
}

fn login(command: &mut Command, server: &Server) -> anyhow::Result<()> {
    run(command.args(["--url", &server.url(), "--username", "elastic", "--password", PASSWORD]))
}

/// kibana-py.
pub(crate) fn python(binary: &Path) -> anyhow::Result<()> {
    let python = Python::with("venv-client", "tests/clients/python/requirements.txt")?;
    with_server(binary, "client-python", &[], |server| {
        login(python.command("python").arg("tests/clients/python/drive.py"), server)
    })
}

/// The Go client made from the official document, which lies beside the project, not in it.
pub(crate) fn go(binary: &Path) -> anyhow::Result<Done> {
    let reference = tree::root().join("../shared/reference");
    if !reference.join("openapi").is_dir() {
        return Ok(Done::Skipped("the official OpenAPI document is not beside the project".to_owned()));
    }
    tools::go()?;
    with_server(binary, "client-go", &[], |server| {
        let mut command = Command::new(tree::root().join("tests/clients/go/run.sh"));
        login(command.arg(&reference), server)
    })?;
    Ok(Done::Whole)
}

/// How long the fuzzer goes on.
#[derive(Clone, Copy)]
pub(crate) enum Fuzzing {
    Short,
    Long,
}

/// schemathesis along the server's own document, which openapi-spec-validator reads first.
pub(crate) fn fuzz(binary: &Path, how_long: Fuzzing) -> anyhow::Result<()> {
    let python = Python::with("venv-fuzz", "tests/clients/schemathesis/requirements.txt")?;
    let report = tree::kept("fuzz-report")?;
    let settings = ["--server.oas.enabled=true", crate::server::MANY_SPACES];
    with_server(binary, "fuzz", &settings, |server| {
        let mut command = Command::new(tree::root().join("tests/clients/schemathesis/run.sh"));
        command.arg(server.url()).arg(&report).env("PATH", python.path());
        command.env("IKEBANA_USERNAME", "elastic").env("IKEBANA_PASSWORD", PASSWORD);
        if matches!(how_long, Fuzzing::Long) {
            command.env("MINIMUM", "20000").env("MAX_EXAMPLES", "2000").env("TIME_LIMIT", "3600");
        }
        run(&mut command)
    })?;
    ensure!(report.join("run.json").is_file(), "the fuzzer left no report");
    Ok(())
}
