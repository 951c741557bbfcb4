//! `ikebana serve`: from settings to a server that runs until it is told to stop.

use crate::wiring::{Config, Program};
use crate::{API_VERSION, control};
use ikebana_clock::{Clock, SystemClock, SystemRandom};
use ikebana_identity::{SUPERUSER, Superuser};
use std::io::{IsTerminal as _, Write};
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// Runs until SIGTERM or Ctrl-C; requests in hand are finished first.
pub(crate) async fn run(config: Config, clock: Arc<SystemClock>) -> anyhow::Result<()> {
    let scheme = if config.http.tls.is_some() { "https" } else { "http" };
    let base = config.http.base_path.clone();
    let (host, redirect) = (config.host.clone(), redirect_port(&config));
    let (patience, password_given) = (config.http.payload_timeout, config.password.is_some());
    let program = Program::start(config, clock.clone(), Arc::new(SystemRandom)).await?;
    let port = program.server.address()?.port();
    let url = format!("{scheme}://{host}:{port}{base}");
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    // Said first: whatever fails from here on, the password was shown.
    welcome(&program, &url, clock.elapsed())?;
    if password_given && program.superuser == Superuser::Kept {
        tracing::warn!(
            "ELASTIC_PASSWORD is ignored: the password of [{SUPERUSER}] was set at the first start; \
             POST /internal/security/users/{SUPERUSER}/password changes it"
        );
    }
    let _redirect =
        redirect.map(|from| ikebana_http::redirect_to_tls(&host, from, port, patience)).transpose()?;
    let control = control::listen(&program.data, program.store.clone())
        .inspect_err(|error| tracing::warn!(%error, "backup and restore of the running server are off"))
        .ok();
    crate::allocator::give_back();
    tracing::info!(url, data = %program.data.path().display(), "http server running");
    program
        .server
        .run(async move {
            tokio::select! {
                _ = terminate.recv() => tracing::info!("SIGTERM received - initiating shutdown"),
                _ = interrupt.recv() => tracing::info!("SIGINT received - initiating shutdown"),
            }
        })
        .await;
    if let Some(control) = control {
        control.abort();
    }
    let _ = std::fs::remove_file(program.data.socket());
    tracing::info!("stopped");
    Ok(())
}

fn redirect_port(config: &Config) -> Option<u16> {
    config.http.tls.as_ref().and_then(|tls| tls.redirect_from_port)
}

/// What somebody wants to know who started it, said once: on standard output if a person reads it, else on
/// standard error, so that the lines of the log stay whole.
fn welcome(program: &Program, url: &str, took: Duration) -> std::io::Result<()> {
    let (stdout, stderr) = (std::io::stdout(), std::io::stderr());
    if stdout.is_terminal() {
        write_welcome(&mut stdout.lock(), program, url, took)
    } else {
        write_welcome(&mut stderr.lock(), program, url, took)
    }
}

fn write_welcome(out: &mut impl Write, program: &Program, url: &str, took: Duration) -> std::io::Result<()> {
    writeln!(out, "Ikebana {} speaks the Kibana API of {API_VERSION}", crate::VERSION)?;
    writeln!(out, "  address   {url}")?;
    writeln!(out, "  data      {}", program.data.path().display())?;
    writeln!(out, "  user      {SUPERUSER}")?;
    let password = match &program.superuser {
        Superuser::Drawn(password) => {
            writeln!(out, "  password  {}   (made now, shown only this once)", password.expose())?;
            password.expose()
        }
        Superuser::Kept | Superuser::Given => "PASSWORD",
    };
    writeln!(out, "  try       curl -u {SUPERUSER}:{password} {url}/api/spaces/space")?;
    writeln!(out, "  started in {} ms", took.as_millis())?;
    out.flush()
}
