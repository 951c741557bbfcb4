//! Commands of the machine's owner to a running server: a socket in the data folder, one line of JSON each
//! way. Only who may enter the folder can speak to it.

use crate::data::DataFolder;
use anyhow::{Context as _, bail};
use ikebana_store::Store;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};

/// A line longer than this is no command.
const LONGEST: u64 = 64 * 1024;

/// What can be asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Command {
    /// Write a copy of the store's file to this path, which must not exist.
    Backup(PathBuf),
    /// Put the content of this file in place of the store's.
    Restore(PathBuf),
}

#[derive(Debug, Serialize, Deserialize)]
struct Reply {
    error: Option<String>,
}

/// Listens until the task is dropped.
pub(crate) fn listen(data: &DataFolder, store: Store) -> anyhow::Result<tokio::task::JoinHandle<()>> {
    let path = data.socket();
    // Left over by a process that was killed: the folder's lock says that nobody listens there.
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).with_context(|| format!("[{}]", path.display()))?;
    Ok(tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                // Out of file descriptors, most likely.
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                continue;
            };
            let store = store.clone();
            tokio::spawn(async move {
                if let Err(error) = answer(stream, &store).await {
                    tracing::warn!(%error, "a control connection ended early");
                }
            });
        }
    }))
}

async fn answer(stream: UnixStream, store: &Store) -> anyhow::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    BufReader::new(read.take(LONGEST)).read_line(&mut line).await?;
    if line.is_empty() {
        // Somebody only looked whether a server is here.
        return Ok(());
    }
    let result = match serde_json::from_str(&line)? {
        Command::Backup(to) => store.engine().backup(&to).await,
        Command::Restore(from) => store.engine().restore(&from).await,
    };
    let reply = Reply { error: result.err().map(|error| error.to_string()) };
    write.write_all(serde_json::to_string(&reply)?.as_bytes()).await?;
    Ok(())
}

/// Asks the server that has this data folder; `false` if none has.
pub(crate) async fn ask(data: &DataFolder, command: &Command) -> anyhow::Result<bool> {
    let Ok(mut stream) = UnixStream::connect(data.socket()).await else { return Ok(false) };
    let line = serde_json::to_string(command)? + "\n";
    stream.write_all(line.as_bytes()).await?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await?;
    let reply: Reply = serde_json::from_str(&text).context("the server ended before it was done")?;
    match reply.error {
        Some(error) => bail!(error),
        None => Ok(true),
    }
}

/// A path that means the same to the server as to the one who asks.
pub(crate) fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("[{}]", path.display()))
}
