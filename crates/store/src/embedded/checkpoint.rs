//! Copies the write-ahead log into the file, off the writer's thread.

use super::open::{OpenError, Options};
use super::writer::{Job, Shared, is_failed_sync};
use crate::commit::Priority;
use rusqlite::Connection;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long commits gather before they are copied.
const PAUSE: Duration = Duration::from_millis(500);
/// Pages (of 4 KiB) in the log from which on the writer is asked to pause for the rest of the copy. Under
/// steady writing the log would grow without end otherwise, for it starts anew only when all is copied.
const LONG_LOG: i64 = 16_384;

/// How long the writer waits for readers of the old log.
const SHORT_WAIT: Duration = Duration::from_millis(50);

/// Tells the thread to end.
#[derive(Clone, Default)]
pub(super) struct Stop(Arc<(Mutex<bool>, Condvar)>);

impl Stop {
    pub(super) fn stop(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_all();
    }

    /// Waits; whether to end.
    fn wait(&self, time: Duration) -> bool {
        let stopped = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (stopped, _) = self
            .0
            .1
            .wait_timeout_while(stopped, time, |stopped| !*stopped)
            .unwrap_or_else(PoisonError::into_inner);
        *stopped
    }
}

pub(super) fn start(options: &Options, shared: Arc<Shared>, stop: Stop) -> Result<JoinHandle<()>, OpenError> {
    let connection = options.connect()?;
    let on_fatal = options.on_fatal.clone();
    super::thread("store-checkpoint", move || {
        let mut seen = 0;
        while !stop.wait(PAUSE) {
            let groups = shared.groups.load(Ordering::Relaxed);
            if groups == seen {
                continue;
            }
            seen = groups;
            match passive(&connection) {
                Ok((log, copied)) if log > LONG_LOG && copied < log => {
                    // A full queue means that the writer is busy; the next round asks again.
                    let _ = shared.submit(Job::Checkpoint, Priority::Interactive);
                }
                Ok(_) => {}
                Err(error) if is_failed_sync(&error) => {
                    shared.give_up();
                    on_fatal(&format!("the disk failed to make the file durable: {error}"));
                    return;
                }
                Err(error) => tracing::warn!(%error, "the write-ahead log could not be copied"),
            }
        }
    })
}

/// Copies what can be copied without stopping anybody: pages in the log, and of them copied.
fn passive(connection: &Connection) -> rusqlite::Result<(i64, i64)> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| Ok((row.get(1)?, row.get(2)?)))
}

/// Copies everything and starts the log anew, unless readers keep it busy. Only for the connection that
/// writes: it holds the write lock while it waits, so it may not wait long.
pub(super) fn truncate(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(SHORT_WAIT)?;
    let result = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    connection.busy_timeout(super::open::BUSY_TIMEOUT)?;
    result
}
