//! The command line.

use crate::control::{self, Command as Ask};
use crate::data::{DataFolder, key_ids, write_private};
use crate::logging;
use crate::pid;
use crate::serve;
use crate::settings::{Settings, SettingsError, Sources};
use crate::wiring::{Outside, document, restore_offline};
use anyhow::{Context as _, bail};
use clap::{Args, Parser, Subcommand};
use ikebana_clock::{SystemClock, SystemRandom};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// A server that speaks the Kibana HTTP API, without Kibana.
///
/// It keeps everything in one data folder and needs neither Kibana nor Elasticsearch. The first start
/// makes the user `elastic` and prints the password; set ELASTIC_PASSWORD to choose it.
#[derive(Parser)]
#[command(name = "ikebana", version = crate::VERSION, after_help = AFTER_HELP, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
}

const AFTER_HELP: &str = "\
Settings:
  Every setting of kibana.yml can be given on the command line as --name=value, for example
  --server.port=5602 or --server.cors.allowOrigin='[\"https://example.org\"]'. Values are JSON or plain text.
  Order: kibana.yml, further files, command line, keystore; the later one wins. ${NAME} in a file stands for
  an environment variable.

Examples:
  ikebana serve                                  listen on localhost:5601, data in ./data
  ikebana serve -p 8080 --path.data=/var/lib/ikebana
  ikebana backup ./monday --path.data=/var/lib/ikebana
  ikebana openapi > openapi.json

Not affiliated with Elastic. Elastic and Kibana are trademarks of their owner.";

const SETTINGS_HELP: &str = "\
Every setting of kibana.yml can be given as --name=value too, for example --path.data=/var/lib/ikebana or
--server.ssl.enabled=true.";

const FOLDER_HELP: &str = "\
The data folder is the setting path.data: give --path.data=FOLDER, or -c with the file that names it.
Without either it is ./data.";

#[derive(Subcommand)]
enum Command {
    /// Start the server (the default)
    Serve(ServeArgs),
    /// Print the OpenAPI document of all routes
    Openapi,
    /// Copy all data to a new folder, while the server runs or not
    Backup(FolderArgs),
    /// Put the data of a backup in place of all data, while the server runs or not
    Restore(FolderArgs),
}

#[derive(Args)]
#[command(after_help = SETTINGS_HELP)]
struct ServeArgs {
    /// A settings file; repeat it for several, the later one wins [default: kibana.yml, if it is there]
    #[arg(short, long, value_name = "FILE")]
    config: Vec<PathBuf>,
    /// The name or address to listen on (server.host)
    #[arg(short = 'H', long, value_name = "HOST")]
    host: Option<String>,
    /// The port to listen on, 0 for a free one (server.port)
    #[arg(short, long, value_name = "PORT")]
    port: Option<String>,
    /// Elasticsearch to keep the data in (elasticsearch.hosts); not possible yet
    #[arg(short, long, value_name = "URL[,URL]")]
    elasticsearch: Option<String>,
}

#[derive(Args)]
#[command(after_help = FOLDER_HELP)]
struct FolderArgs {
    /// The folder of the backup
    folder: PathBuf,
    /// A settings file, to find the data folder by; repeatable
    #[arg(short, long, value_name = "FILE")]
    config: Vec<PathBuf>,
}

/// Runs the command line. The exit status is Kibana's: 78 for a wrong setting, 64 for an unknown one or a
/// wrong call, 1 for anything else that fails.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let (plain, overrides) = split_settings(arguments);
    let cli = match Cli::try_parse_from(plain) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 64 } else { 0 });
        }
    };
    match run(cli, overrides) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "\n FATAL  {}\n", told_once(&error));
            ExitCode::from(error.downcast_ref::<SettingsError>().map_or(1, SettingsError::exit_code))
        }
    }
}

/// The error and its causes. Some errors tell their cause themselves; then it is not told again.
fn told_once(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |told, cause| match told.as_str() {
        "" => cause,
        told if told.contains(&cause) => told.to_owned(),
        told => format!("{told}: {cause}"),
    })
}

/// Takes `--dotted.name=value` and `--dotted.name value` out of the arguments.
fn split_settings(arguments: impl IntoIterator<Item = OsString>) -> (Vec<OsString>, Vec<(String, String)>) {
    let (mut plain, mut settings) = (Vec::new(), Vec::new());
    let mut arguments = arguments.into_iter().peekable();
    while let Some(argument) = arguments.next() {
        let text = argument.to_string_lossy().into_owned();
        let name = text.strip_prefix("--").map(|rest| rest.split_once('=').map_or(rest, |(name, _)| name));
        match name.filter(|name| name.contains('.')) {
            None => plain.push(argument),
            Some(name) => {
                let value = match text.split_once('=') {
                    Some((_, value)) => value.to_owned(),
                    // A flag without value switches on.
                    None => arguments
                        .next_if(|next| !is_option(&next.to_string_lossy()))
                        .map_or("true".to_owned(), |next| next.to_string_lossy().into_owned()),
                };
                settings.push((name.to_owned(), value));
            }
        }
    }
    (plain, settings)
}

/// A negative number is a value.
fn is_option(argument: &str) -> bool {
    argument.starts_with('-') && argument.parse::<f64>().is_err()
}

fn run(cli: Cli, overrides: Vec<(String, String)>) -> anyhow::Result<()> {
    let outside = Outside { clock: Arc::new(SystemClock::new()), random: Arc::new(SystemRandom) };
    match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(arguments) => serve(arguments, overrides),
        Command::Openapi => {
            let document = document(outside.clock, outside.random)?;
            writeln!(std::io::stdout(), "{document:#}")?;
            Ok(())
        }
        Command::Backup(arguments) => {
            let path = data_path(&arguments, overrides)?;
            if !path.is_dir() {
                bail!("there is no data in [{}]; name the data folder with --path.data", path.display());
            }
            let data = DataFolder::open(&path)?;
            runtime(1)?.block_on(backup(&data, &arguments.folder, &outside))
        }
        Command::Restore(arguments) => {
            let data = DataFolder::open(&data_path(&arguments, overrides)?)?;
            runtime(1)?.block_on(restore(&data, &arguments.folder, &outside))
        }
    }
}

fn runtime(workers: usize) -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        // Blocking work is bounded by the store's readers and by the hashing of passwords; a thread each
        // for hundreds would only cost memory.
        .max_blocking_threads(16)
        .enable_all()
        .build()
}

fn load(
    config: Vec<PathBuf>,
    overrides: Vec<(String, String)>,
) -> Result<crate::settings::Loaded, SettingsError> {
    // What is not UTF-8 cannot be named in a settings file.
    let env: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    Settings::load(Sources { config_files: config, overrides, env })
}

fn serve(arguments: ServeArgs, overrides: Vec<(String, String)>) -> anyhow::Result<()> {
    let clock = Arc::new(SystemClock::new());
    let named = [
        ("elasticsearch.hosts", arguments.elasticsearch),
        ("server.host", arguments.host),
        ("server.port", arguments.port),
    ];
    let mut all: Vec<(String, String)> =
        named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    all.extend(overrides);
    let loaded = load(arguments.config, all)?;
    logging::init(&loaded.settings.logging, std::io::stdout().is_terminal(), clock.clone())?;
    for key in &loaded.ignored {
        tracing::info!(key, "this setting has no use here and is ignored");
    }
    let _pid_file = loaded.settings.pid_file.as_ref().map(pid::PidFileHeld::write).transpose()?;
    let password = match std::env::var("ELASTIC_PASSWORD") {
        Err(std::env::VarError::NotUnicode(_)) => bail!("ELASTIC_PASSWORD is not UTF-8"),
        read => read.ok().filter(|text| !text.is_empty()),
    };
    let config = loaded.settings.config(password.map(Into::into));
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    runtime(workers)?.block_on(serve::run(config, clock))
}

fn data_path(arguments: &FolderArgs, overrides: Vec<(String, String)>) -> anyhow::Result<PathBuf> {
    Ok(load(arguments.config.clone(), overrides)?.settings.data)
}

const STORE_COPY: &str = "ikebana.db";
const KEY_COPY: &str = "encryption.key";
const KEY_IDS_COPY: &str = "encryption.keys";

async fn backup(data: &DataFolder, folder: &Path, outside: &Outside) -> anyhow::Result<()> {
    let folder = control::absolute(folder)?;
    if !data.store().is_file() {
        bail!("there is no data in [{}]; name the data folder with --path.data", data.path().display());
    }
    if folder.exists() {
        bail!("[{}] is there already; name a new folder", folder.display());
    }
    DataFolder::open(&folder)?;
    let to = folder.join(STORE_COPY);
    if !control::ask(data, &Ask::Backup(to.clone())).await? {
        crate::wiring::backup_offline(data, &to, outside).await?;
    }
    let key = std::fs::read(data.key()).context("the data is copied, its key is not")?;
    write_private(&folder.join(KEY_COPY), &key)?;
    let ids = key_ids(&data.key_ids()).context("the data is copied, the names of its keys are not")?;
    write_private(&folder.join(KEY_IDS_COPY), ids.as_bytes())?;
    writeln!(
        std::io::stdout(),
        "backed up [{}] to [{}]; it holds the encryption key too, so keep it where nobody else can read it",
        data.path().display(),
        folder.display()
    )?;
    Ok(())
}

async fn restore(data: &DataFolder, folder: &Path, outside: &Outside) -> anyhow::Result<()> {
    let folder = control::absolute(folder)?;
    let from = folder.join(STORE_COPY);
    if !from.is_file() {
        bail!("[{}] is not there; name a folder that `ikebana backup` made", from.display());
    }
    if tokio::net::UnixStream::connect(data.socket()).await.is_ok() {
        restore_running(data, &folder, from).await?;
    } else {
        restore_stopped(data, &folder, &from, outside)?;
    }
    writeln!(std::io::stdout(), "restored [{}] from [{}]", data.path().display(), folder.display())?;
    Ok(())
}

/// The server goes on writing with its key, so the backup must have been made with it.
async fn restore_running(data: &DataFolder, folder: &Path, from: PathBuf) -> anyhow::Result<()> {
    let (key, present) = (std::fs::read(folder.join(KEY_COPY)).ok(), std::fs::read(data.key()).ok());
    let (ids, present_ids) = (key_ids(&folder.join(KEY_IDS_COPY))?, key_ids(&data.key_ids())?);
    let missing = ids.lines().any(|id| !present_ids.lines().any(|present| present == id));
    if missing || (key.is_some() && present.is_some() && key != present) {
        bail!("the backup was written with another encryption key: stop the server, then restore");
    }
    control::ask(data, &Ask::Restore(from)).await?;
    Ok(())
}

fn restore_stopped(data: &DataFolder, folder: &Path, from: &Path, outside: &Outside) -> anyhow::Result<()> {
    let _locked = data.lock()?;
    let (key, present) = (std::fs::read(folder.join(KEY_COPY)).ok(), std::fs::read(data.key()).ok());
    let ids = key_ids(&folder.join(KEY_IDS_COPY))?;
    if let Some(kept) = restore_offline(data, from, outside)? {
        writeln!(std::io::stdout(), "what was there before is kept at [{}]", kept.display())?;
    }
    if let Some(key) = key.filter(|key| present.as_ref() != Some(key)) {
        if let Some(present) = present {
            write_private(&data.key().with_extension("key.before-restore"), &present)?;
        }
        write_private(&data.key(), &key).context("the data is restored, its key is not")?;
    }
    write_private(&data.key_ids(), ids.as_bytes())
        .context("the data is restored, the names of its keys are not")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_take_no_option_for_their_value() {
        let split = |arguments: &[&str]| {
            let (plain, settings) = split_settings(arguments.iter().map(OsString::from));
            let plain: Vec<String> = plain.into_iter().map(|text| text.into_string().unwrap()).collect();
            let settings: Vec<String> =
                settings.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
            (plain.join(" "), settings.join(" "))
        };
        let cases: [(&[&str], &str, &str); 6] = [
            (&["i", "--a.b", "--c.d=1"], "i", "a.b=true c.d=1"),
            (&["i", "--a.b", "-p", "80"], "i -p 80", "a.b=true"),
            (&["i", "--a.b", "c", "serve"], "i serve", "a.b=c"),
            (&["i", "--a.b", "-1"], "i", "a.b=-1"),
            (&["i", "--a.b=--c"], "i", "a.b=--c"),
            (&["i", "serve", "--a.b"], "i serve", "a.b=true"),
        ];
        for (arguments, plain, settings) in cases {
            assert_eq!(split(arguments), (plain.to_owned(), settings.to_owned()), "{arguments:?}");
        }
    }
}
