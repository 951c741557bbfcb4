//! `ikebana serve`: from settings to a server that runs until it is told to stop.

use crate::wiring::{Config, Program};
use crate::{API_VERSION, control};
use ikebana_clock::{Clock, SystemClock, SystemRandom};
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// Runs until SIGTERM or Ctrl-C; requests in hand are finished first.
pub(crate) async fn run(config: Config, clock: Arc<SystemClock>) -> anyhow::Result<()> {
    let scheme = if config.http.tls.is_some() { "https" } else { "http" };
    let base = config.http.base_path.clone();
    let (host, redirect) = (config.host.clone(), redirect_port(&config));
    let program = Program::start(config, clock.clone(), Arc::new(SystemRandom)).await?;
    let port = program.server.address()?.port();
    let url = format!("{scheme}://{host}:{port}{base}");
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    // Said first: whatever fails from here on, the password was shown.
    welcome(&program, &url, clock.elapsed())?;
    let _redirect = redirect.map(|from| ikebana_http::redirect_to_tls(&host, from, port)).transpose()?;
    let control = control::listen(&program.data, program.store.clone())
        .inspect_err(|error| tracing::warn!(%error, "backup and restore of the running server are off"))
        .ok();
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

/// What somebody wants to know who started it: said once, on standard output.
fn welcome(program: &Program, url: &str, took: Duration) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let (name, drawn) = &program.superuser;
    writeln!(out, "Ikebana {} speaks the Kibana API of {API_VERSION}", crate::VERSION)?;
    writeln!(out, "  address   {url}")?;
    writeln!(out, "  data      {}", program.data.path().display())?;
    writeln!(out, "  user      {name}")?;
    let password = match drawn {
        Some(password) => {
            writeln!(out, "  password  {}   (made now, shown only this once)", password.expose())?;
            password.expose()
        }
        None => "PASSWORD",
    };
    writeln!(out, "  try       curl -u {name}:{password} {url}/api/spaces/space")?;
    writeln!(out, "  started in {} ms", took.as_millis())?;
    out.flush()?;
    Ok(())
}
