//! Copies of the whole file, made and put back while the server runs.

use super::apply::{Failure, next_seq};
use super::layout::Layout;
use super::open::{OpenError, Options, bring_up_to_date, check_header, lock, make_private};
use super::row::{signed, unsigned};
use super::writer::outside;
use crate::error::StoreError;
use crate::types::Registry;
use ikebana_clock::Clock;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};

fn unavailable(error: impl std::fmt::Display) -> StoreError {
    StoreError::Unavailable(error.to_string().into())
}

/// Writes a copy as of one moment; `to` must not exist, and appears whole or not at all.
pub(super) fn write(connection: &Connection, to: &Path) -> Result<(), StoreError> {
    if to.exists() {
        return Err(unavailable(format!("[{}] is there already", to.display())));
    }
    let partial = beside(to, "partial");
    remove_with_side_files(&partial);
    let written = write_private(connection, &partial).and_then(|()| {
        // Unlike a rename, a link fails if somebody took the name meanwhile.
        std::fs::hard_link(&partial, to).map_err(unavailable)?;
        sync_folder(to).map_err(unavailable)
    });
    remove_with_side_files(&partial);
    written
}

/// Made before SQLite opens it, so that only its owner may read it.
fn write_private(connection: &Connection, to: &Path) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(to).map_err(unavailable)?;
    copy_to(connection, to)?;
    file.sync_all().map_err(unavailable)
}

/// `name` as one more ending of the file's name.
fn beside(path: &Path, name: &str) -> PathBuf {
    let mut whole = path.as_os_str().to_owned();
    whole.push(".");
    whole.push(name);
    whole.into()
}

/// The files that SQLite keeps beside one.
fn side_files(path: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let path = path.as_os_str().to_owned();
    ["-journal", "-wal", "-shm"].into_iter().map(move |ending| {
        let mut whole = path.clone();
        whole.push(ending);
        whole.into()
    })
}

fn remove_with_side_files(path: &Path) {
    for file in side_files(path).chain([path.to_owned()]) {
        let _ = std::fs::remove_file(file);
    }
}

fn sync_folder(of: &Path) -> std::io::Result<()> {
    match of.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => std::fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
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

/// A copy of a backup, checked and brought up to date; removed when dropped.
#[derive(Debug)]
pub(super) struct Staged {
    path: PathBuf,
    layout: Layout,
}

impl Drop for Staged {
    fn drop(&mut self) {
        remove_with_side_files(&self.path);
    }
}

/// Copies a backup beside the live file, checks it and brings it up to date there. Takes as long as the
/// backup is large, and touches nothing else.
pub(super) fn stage(
    live: &Path,
    from: &Path,
    registry: &Registry,
    clock: &dyn Clock,
) -> Result<Staged, StoreError> {
    if !from.is_file() {
        return Err(StoreError::BadQuery(format!("[{}] is not a file", from.display())));
    }
    // An empty file is a fresh store to whoever opens it; as a backup it would wipe everything.
    if !check_header(from).map_err(refused)? {
        return Err(refused(OpenError::Foreign(from.to_owned())));
    }
    // A file in use, or one whose last writer was killed: without its log it is not whole.
    if let Some(log) = side_files(from).find(|file| file.metadata().is_ok_and(|data| data.len() > 0)) {
        let reason = format!("[{}] is no backup: [{}] belongs to it", from.display(), log.display());
        return Err(StoreError::BadQuery(reason));
    }
    let path = live.with_extension("restoring.db");
    remove_with_side_files(&path);
    let mut staged = Staged { path, layout: Layout::default() };
    std::fs::copy(from, &staged.path).map_err(unavailable)?;
    let connection = Options::at(&staged.path).connect().map_err(|error| outside(&error))?;
    let check: String = connection
        .pragma_query_value(None, "quick_check", |row| row.get(0))
        .map_err(|error| outside(&error))?;
    if check != "ok" {
        return Err(StoreError::BadQuery(format!("[{}] is damaged: {check}", from.display())));
    }
    staged.layout =
        bring_up_to_date(&connection, &staged.path, Some(from), registry, clock).map_err(refused)?;
    Ok(staged)
}

/// Puts the staged content in place of the live file's, in one transaction, with a primary term above both.
pub(super) fn restore_into(live: &mut Connection, mut staged: Staged) -> Result<Restored, Failure> {
    let connection = Options::at(&staged.path).connect().map_err(Failure::Sql)?;
    let term = primary_term(&connection)?.max(primary_term(live)?) + 1;
    set_primary_term(&connection, term)?;
    let next_seq = next_seq(&connection)?;
    copy(&connection, live).map_err(Failure::Sql)?;
    Ok(Restored { layout: std::mem::take(&mut staged.layout), term, next_seq })
}

/// Puts a backup in place of the file of a store that nobody has open. What was there is not looked into,
/// so it may be damaged or of a newer program; it is kept aside, and the path of that is answered.
///
/// # Errors
/// [`OpenError`]; the store is as it was then.
pub fn restore_closed(
    options: &Options,
    from: &Path,
    registry: &Registry,
    clock: &dyn Clock,
) -> Result<Option<PathBuf>, OpenError> {
    let live = &options.path;
    let _lock = lock(live)?;
    let staged = stage(live, from, registry, clock)?;
    {
        let connection = Options::at(&staged.path).connect()?;
        let term = primary_term(&connection)?.max(last_term(live)) + 1;
        set_primary_term(&connection, term).map_err(OpenError::Sql)?;
        connection.execute_batch("PRAGMA journal_mode=DELETE")?;
    }
    make_private(&staged.path)?;
    std::fs::File::open(&staged.path)?.sync_all()?;
    let aside = put_aside(live, clock)?;
    std::fs::rename(&staged.path, live)?;
    sync_folder(live)?;
    Ok(aside)
}

/// Links the live file and its log under a name with the time in it, then takes the log away: it must not
/// meet the file that comes in its place.
fn put_aside(live: &Path, clock: &dyn Clock) -> std::io::Result<Option<PathBuf>> {
    if !live.exists() {
        return Ok(None);
    }
    let time = clock.now().iso().replace([':', '.'], "-");
    let aside = live.with_extension(format!("before-restore-{time}.db"));
    std::fs::hard_link(live, &aside)?;
    for (file, copy) in side_files(live).zip(side_files(&aside)) {
        if file.exists() {
            std::fs::hard_link(&file, copy)?;
        }
    }
    sync_folder(live)?;
    for file in side_files(live).filter(|file| file.exists()) {
        std::fs::remove_file(file)?;
    }
    Ok(Some(aside))
}

/// The primary term of a file that may be anything. One that cannot be read may have been restored often,
/// but hardly a million times.
fn last_term(live: &Path) -> u64 {
    if !live.exists() {
        return 0;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(live, flags)
        .map_err(|error| outside(&error))
        .and_then(|connection| primary_term(&connection))
        .unwrap_or(1_000_000)
}

fn set_primary_term(connection: &Connection, term: u64) -> rusqlite::Result<()> {
    connection.execute("UPDATE meta SET value = ? WHERE name = 'primary_term'", [signed(term)]).map(drop)
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
