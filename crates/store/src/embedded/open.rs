//! Opening the file: making it, refusing it, bringing it up to date.

use super::apply::{Failure, next_seq, reindex};
use super::backup::primary_term;
use super::layout::{FORMAT, Layout, TABLES, indexed_text};
use super::writer::OnFatal;
use crate::error::StoreError;
use crate::types::{ObjectType, Registry, version_order};
use ikebana_clock::Clock;
use rusqlite::{Connection, OpenFlags, params};
use serde_json::{Map, Value};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// `ikeb` in ASCII: tells this program's files from other SQLite files.
const APPLICATION_ID: i32 = 0x696b_6562;

/// How long a connection waits for another one of this process.
pub(super) const BUSY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

/// Why the store was not opened. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process holds the data folder.
    #[error("the data folder [{0}] is in use by another process")]
    InUse(PathBuf),
    /// A newer program wrote it.
    #[error(
        "[{path}] was written by a newer version of this program ({what}); nothing was changed. Start that version, or restore a backup made with this one."
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// What is newer in it.
        what: String,
    },
    /// Some other program's file.
    #[error("[{0}] is not a file of this program; nothing was changed")]
    Foreign(PathBuf),
    /// A stored object could not be brought up to date.
    #[error(
        "object [{object_type}/{id}] could not be migrated to version {version}: {reason}; nothing was changed, a copy of the file is at [{copy}]"
    )]
    Migration {
        /// Its type.
        object_type: &'static str,
        /// Its id.
        id: String,
        /// The step that failed.
        version: &'static str,
        /// Why.
        reason: String,
        /// The copy that was made first.
        copy: PathBuf,
    },
    /// The file system.
    #[error("the data folder cannot be used: {0}")]
    Io(#[from] std::io::Error),
    /// The file.
    #[error("the store cannot be opened: {0}")]
    Sql(#[from] rusqlite::Error),
    /// Its content.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Failure> for OpenError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(error) => Self::Store(error),
            Failure::Sql(error) => Self::Sql(error),
        }
    }
}

/// Where the file is and how careful to be.
#[derive(Clone)]
pub struct Options {
    /// The file. Its folder must exist.
    pub path: PathBuf,
    /// The name of another file system layer of SQLite, for tests.
    pub vfs: Option<String>,
    /// `false` gives up durability: only for the test that shows that it matters.
    pub durable: bool,
    /// Called when a sync failed. By default the process ends.
    pub on_fatal: OnFatal,
}

impl Options {
    /// The file in use, durable.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        let on_fatal: OnFatal = Arc::new(|reason: &str| {
            tracing::error!(reason, "the store cannot go on safely; the process ends");
            std::process::abort();
        });
        Self { path: path.into(), vfs: None, durable: true, on_fatal }
    }

    pub(super) fn connect(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = match &self.vfs {
            Some(vfs) => Connection::open_with_flags_and_vfs(&self.path, flags, vfs.as_str())?,
            None => Connection::open_with_flags(&self.path, flags)?,
        };
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(64);
        connection.execute_batch(&format!(
            "PRAGMA synchronous={}; PRAGMA wal_autocheckpoint=0; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-2000;",
            if self.durable { "FULL" } else { "OFF" }
        ))?;
        Ok(connection)
    }
}

pub(super) struct Opened {
    pub(super) connection: Connection,
    pub(super) layout: Layout,
    pub(super) next_seq: u64,
    pub(super) term: u64,
    pub(super) lock: Option<std::fs::File>,
}

pub(super) fn open(options: &Options, registry: &Registry, clock: &dyn Clock) -> Result<Opened, OpenError> {
    let lock = if options.vfs.is_none() {
        check_header(&options.path)?;
        let lock = lock(&options.path)?;
        make_private(&options.path)?;
        Some(lock)
    } else {
        None
    };
    let connection = options.connect()?;
    let layout = bring_up_to_date(&connection, &options.path, None, registry, clock)?;
    // Not before: it writes into a file that has no log yet, and one that is refused must stay as it is.
    connection.execute_batch("PRAGMA journal_mode=WAL")?;
    let next_seq = next_seq(&connection)?;
    let term = primary_term(&connection)?;
    Ok(Opened { connection, layout, next_seq, term, lock })
}

/// The file, readable for its owner only. SQLite gives the files beside it the same mode.
pub(super) fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

pub(super) fn lock(path: &Path) -> Result<std::fs::File, OpenError> {
    let lock_path = path.with_extension("lock");
    let file = std::fs::OpenOptions::new().create(true).truncate(false).write(true).open(lock_path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            Err(OpenError::InUse(path.parent().unwrap_or(path).to_owned()))
        }
        Err(std::fs::TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Looks at the first bytes of the file, before SQLite touches anything beside it. Whether they are those of
/// a store: a file that is missing or empty can become one.
pub(super) fn check_header(path: &Path) -> Result<bool, OpenError> {
    let mut header = [0u8; 100];
    let mut file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    match file.read_exact(&mut header) {
        Ok(()) => {}
        // A start that was cut before the first sync leaves an empty file.
        Err(_) if file.metadata()?.len() == 0 => return Ok(false),
        Err(_) => return Err(OpenError::Foreign(path.to_owned())),
    }
    let number = |at: usize| i32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let (format, application) = (number(60), number(68));
    // Both are 0 in a file whose first transaction is still in the log beside it.
    if !header.starts_with(b"SQLite format 3\0") || ![0, APPLICATION_ID].contains(&application) {
        return Err(OpenError::Foreign(path.to_owned()));
    }
    if format > FORMAT {
        return Err(newer(path, format));
    }
    Ok(application == APPLICATION_ID)
}

fn newer(path: &Path, format: i32) -> OpenError {
    OpenError::Newer { path: path.to_owned(), what: format!("format {format}, this program knows {FORMAT}") }
}

/// Makes the tables, or migrates what older programs wrote; registers types and fields. Before a migration
/// the file is copied, unless a `copy` is there already.
pub(super) fn bring_up_to_date(
    connection: &Connection,
    path: &Path,
    copy: Option<&Path>,
    registry: &Registry,
    clock: &dyn Clock,
) -> Result<Layout, OpenError> {
    let format: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if format > FORMAT {
        return Err(newer(path, format));
    }
    if format == 0 {
        let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        if tables > 0 {
            return Err(OpenError::Foreign(path.to_owned()));
        }
        connection.execute_batch(&format!(
            "BEGIN IMMEDIATE; {TABLES} PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={FORMAT}; COMMIT;"
        ))?;
    } else if application != APPLICATION_ID {
        return Err(OpenError::Foreign(path.to_owned()));
    }
    let stale = stale_types(connection, path, registry)?;
    let copy = match copy {
        Some(copy) => copy.to_owned(),
        None if stale.is_empty() => PathBuf::new(),
        None => copy_before_migration(connection, path, clock)?,
    };
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let result = migrate(connection, registry, &stale, &copy);
    connection.execute_batch(if result.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
    if result.is_ok() && (format == 0 || !stale.is_empty()) {
        // Into the file itself, so that an older program that looks at its header is warned.
        super::checkpoint::truncate(connection)?;
    }
    result
}

/// Types whose stored attributes or indexes are older than what is declared.
fn stale_types(
    connection: &Connection,
    path: &Path,
    registry: &Registry,
) -> Result<Vec<Arc<ObjectType>>, OpenError> {
    let mut stale = Vec::new();
    let mut statement = connection.prepare(
        "SELECT name, version, indexed, EXISTS (SELECT 1 FROM objects o WHERE o.type = t.type) FROM types t",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (name, version): (String, String) = (row.get(0)?, row.get(1)?);
        let (indexed, used): (String, bool) = (row.get(2)?, row.get(3)?);
        let Some(declared) = registry.get(&name) else {
            if used {
                let what = format!("objects of type [{name}]");
                return Err(OpenError::Newer { path: path.to_owned(), what });
            }
            continue;
        };
        if version_order(&version) > version_order(declared.version()) {
            let what =
                format!("type [{name}] in version {version}, this program knows {}", declared.version());
            return Err(OpenError::Newer { path: path.to_owned(), what });
        }
        if version != declared.version() || indexed != indexed_text(declared) {
            stale.push(declared.clone());
        }
    }
    Ok(stale)
}

fn copy_before_migration(
    connection: &Connection,
    path: &Path,
    clock: &dyn Clock,
) -> Result<PathBuf, OpenError> {
    let time = clock.now().iso().replace([':', '.'], "-");
    let copy = path.with_extension(format!("before-migration-{time}.db"));
    super::backup::write(connection, &copy)?;
    tracing::info!(copy = %copy.display(), "the store was copied before its migration");
    Ok(copy)
}

fn migrate(
    connection: &Connection,
    registry: &Registry,
    stale: &[Arc<ObjectType>],
    copy: &Path,
) -> Result<Layout, OpenError> {
    let layout = Layout::register(connection, registry)?;
    for declared in stale {
        let Some(of_type) = layout.by_name(declared.name) else { continue };
        migrate_objects(connection, of_type.id, declared, copy)?;
        reindex(connection, &layout, of_type)?;
        connection.execute(
            "UPDATE types SET version = ?, indexed = ? WHERE type = ?",
            params![declared.version(), indexed_text(declared), of_type.id],
        )?;
        tracing::info!(object_type = declared.name, version = declared.version(), "migrated");
    }
    Ok(layout)
}

fn migrate_objects(
    connection: &Connection,
    type_id: i64,
    declared: &ObjectType,
    copy: &Path,
) -> Result<(), OpenError> {
    let numbers: Vec<i64> = connection
        .prepare("SELECT object FROM objects WHERE type = ? AND version <> ?")?
        .query_map(params![type_id, declared.version()], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for number in numbers {
        let (id, version, text): (String, String, String) = connection
            .prepare_cached("SELECT id, version, attributes FROM objects WHERE object = ?")?
            .query_row([number], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let mut attributes: Map<String, Value> = serde_json::from_str(&text).map_err(super::row::damaged)?;
        declared.migrate(&mut attributes, &version).map_err(|(version, reason)| OpenError::Migration {
            object_type: declared.name,
            id,
            version,
            reason,
            copy: copy.to_owned(),
        })?;
        connection
            .prepare_cached("UPDATE objects SET attributes = ?, version = ? WHERE object = ?")?
            .execute(params![
                serde_json::to_string(&attributes).map_err(super::row::damaged)?,
                declared.version(),
                number
            ])?;
    }
    Ok(())
}
