//! Copies of the whole file, made and put back while the server runs.

use super::apply::{Failure, next_seq};
use super::layout::Layout;
use super::open::{OpenError, Options, bring_up_to_date, check_header};
use super::row::{signed, unsigned};
use super::writer::outside;
use crate::error::StoreError;
use crate::types::Registry;
use ikebana_clock::Clock;
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use std::path::Path;
use std::sync::Arc;

fn unavailable(error: impl std::fmt::Display) -> StoreError {
    StoreError::Unavailable(error.to_string().into())
}

/// Writes a copy as of one moment; `to` must not exist.
pub(super) fn write(connection: &Connection, to: &Path) -> Result<(), StoreError> {
    // Made first, so that an existing file is never overwritten, and only its owner may read it.
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(to).map_err(unavailable)?;
    let copied = copy_to(connection, to);
    if let Err(error) = copied {
        let _ = std::fs::remove_file(to);
        return Err(error);
    }
    file.sync_all().map_err(unavailable)?;
    if let Some(folder) = to.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(unavailable)?;
    }
    Ok(())
}

fn copy_to(connection: &Connection, to: &Path) -> Result<(), StoreError> {
    let mut target = Connection::open(to).map_err(|error| outside(&error))?;
    copy(connection, &mut target).map_err(|error| outside(&error))?;
    // A copy has no log beside it, whatever the header says.
    target.execute_batch("PRAGMA journal_mode=DELETE").map_err(|error| outside(&error))
}

/// All pages in one step: one moment of the source, one transaction of the target.
fn copy(from: &Connection, to: &mut Connection) -> rusqlite::Result<()> {
    let backup = Backup::new(from, to)?;
    loop {
        match backup.step(-1)? {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            _ => std::thread::sleep(std::time::Duration::from_millis(5)),
        }
    }
}

/// What the live file holds after a restore.
pub(super) struct Restored {
    pub(super) layout: Layout,
    pub(super) term: u64,
    pub(super) next_seq: u64,
}

/// Puts the content of `from` in place of the live file's, in one transaction, with a primary term above
/// both. The backup is brought up to date in a copy first.
pub(super) fn restore_into(
    live: &mut Connection,
    live_path: &Path,
    from: &Path,
    registry: &Registry,
    clock: &Arc<dyn Clock>,
) -> Result<Restored, Failure> {
    if !from.is_file() {
        return Err(StoreError::BadQuery(format!("[{}] is not a file", from.display())).into());
    }
    // An empty file is a fresh store to whoever opens it; as a backup it would wipe everything.
    if !check_header(from).map_err(refused)? {
        return Err(refused(OpenError::Foreign(from.to_owned())).into());
    }
    let staged = live_path.with_extension("restoring.db");
    let result = stage(live, &staged, from, registry, clock);
    let _ = std::fs::remove_file(&staged);
    result
}

fn stage(
    live: &mut Connection,
    staged: &Path,
    from: &Path,
    registry: &Registry,
    clock: &Arc<dyn Clock>,
) -> Result<Restored, Failure> {
    std::fs::copy(from, staged).map_err(unavailable)?;
    let copy_of = Options::at(staged).connect().map_err(|error| outside(&error))?;
    let layout = bring_up_to_date(&copy_of, staged, Some(from), registry, &**clock).map_err(refused)?;
    let term = primary_term(&copy_of)?.max(primary_term(live)?) + 1;
    copy_of
        .execute("UPDATE meta SET value = ? WHERE name = 'primary_term'", [signed(term)])
        .map_err(|error| outside(&error))?;
    let restored = Restored { layout, term, next_seq: next_seq(&copy_of)? };
    copy(&copy_of, live).map_err(Failure::Sql)?;
    Ok(restored)
}

fn refused(error: OpenError) -> StoreError {
    match error {
        OpenError::Store(error) => error,
        OpenError::Sql(error) => outside(&error),
        OpenError::Io(error) => unavailable(error),
        other => StoreError::BadQuery(other.to_string()),
    }
}

/// The life of the store, see [`crate::Version`].
pub(super) fn primary_term(connection: &Connection) -> Result<u64, StoreError> {
    connection
        .prepare_cached("SELECT value FROM meta WHERE name = 'primary_term'")
        .and_then(|mut statement| statement.query_row([], |row| row.get::<_, i64>(0)))
        .map(unsigned)
        .map_err(|error| outside(&error))
}
