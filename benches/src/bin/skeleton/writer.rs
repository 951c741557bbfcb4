//! The same rows into the same tables, by one thread that commits in groups. The file is one that the real
//! server made, so tables and indexes are its own.

use rusqlite::{CachedStatement, Connection, Transaction, params};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;
use tokio::sync::oneshot;

/// Members of a group at most.
const GROUP: usize = 512;
/// How often the log is copied into the file.
const CHECKPOINT: Duration = Duration::from_millis(500);

/// A space as the request has it and the answer shows it.
#[derive(Deserialize, Serialize)]
pub(crate) struct Space {
    id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(rename = "disabledFeatures")]
    disabled_features: Vec<String>,
}

/// What of it is stored as attributes.
#[derive(Serialize)]
struct Attributes<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(rename = "disabledFeatures")]
    disabled_features: &'a [String],
}

impl Space {
    fn attributes(&self) -> serde_json::Result<String> {
        serde_json::to_string(&Attributes {
            name: &self.name,
            description: self.description.as_deref(),
            disabled_features: &self.disabled_features,
        })
    }
}

struct Job {
    space: Space,
    attributes: String,
    done: oneshot::Sender<Result<(), String>>,
}

/// The end of the line to the thread.
pub(crate) struct Writer(Sender<Job>);

/// Numbers that the file has for the type and its fields.
struct Numbers {
    type_id: i64,
    version: String,
    name: i64,
    disabled_features: i64,
    term: i64,
    next: i64,
}

fn connect(store: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(store)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.execute_batch(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=-2000;",
    )?;
    Ok(connection)
}

impl Numbers {
    fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let (type_id, version) =
            connection.query_row("SELECT type, version FROM types WHERE name = 'space'", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        let field = |path: &str| {
            let sql = "SELECT field FROM fields WHERE type = ? AND path = ? AND kind = 'keyword'";
            connection.query_row(sql, params![type_id, path], |row| row.get(0))
        };
        let one = |sql: &str| connection.query_row(sql, [], |row| row.get(0));
        Ok(Self {
            version,
            name: field("name")?,
            disabled_features: field("disabledFeatures")?,
            term: one("SELECT value FROM meta WHERE name = 'primary_term'")?,
            next: one("SELECT max(seq) + 1 FROM changes")?,
            type_id,
        })
    }

    /// The rows that the real store writes for a new space.
    fn insert(&mut self, transaction: &Transaction<'_>, job: &Job) -> rusqlite::Result<()> {
        let (seq, id) = (self.next, job.space.id.as_str());
        let statement =
            |sql: &str| -> rusqlite::Result<CachedStatement<'_>> { transaction.prepare_cached(sql) };
        statement(
            "INSERT INTO objects (object, type, space, id, seq, term, origin, namespaces, attributes, refs, \
             created_at, updated_at, created_by, updated_by, managed, version) \
             VALUES (?1, ?2, '', ?3, ?1, ?4, NULL, '', ?5, NULL, ?6, ?6, NULL, NULL, 0, ?7)",
        )?
        .execute(params![
            seq,
            self.type_id,
            id,
            self.term,
            job.attributes,
            1_700_000_000_000_i64,
            self.version
        ])?;
        let names = std::iter::once((self.name, &job.space.name));
        let features = job.space.disabled_features.iter().map(|id| (self.disabled_features, id));
        for (field, value) in names.chain(features) {
            statement("INSERT INTO field_values (field, value, object) VALUES (?, ?, ?)")?
                .execute(params![field, value, seq])?;
        }
        statement("INSERT INTO changes (seq, type, space, id, deleted) VALUES (?, ?, '', ?, 0)")?
            .execute(params![seq, self.type_id, id])?;
        self.next += 1;
        Ok(())
    }
}

impl Writer {
    /// Starts the thread on this file, and one that copies the log into it.
    pub(crate) fn open(store: &Path) -> rusqlite::Result<Self> {
        let (mut connection, beside) = (connect(store)?, connect(store)?);
        let mut numbers = Numbers::read(&connection)?;
        let (sender, jobs) = channel();
        std::thread::spawn(move || while group(&mut connection, &mut numbers, &jobs) {});
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(CHECKPOINT);
                let _ = beside.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
            }
        });
        Ok(Self(sender))
    }

    /// Answered when it is durable.
    pub(crate) async fn write(&self, space: Space) -> Result<(), String> {
        let attributes = space.attributes().map_err(|error| error.to_string())?;
        let (done, answer) = oneshot::channel();
        self.0.send(Job { space, attributes, done }).map_err(|error| error.to_string())?;
        answer.await.map_err(|error| error.to_string())?
    }
}

/// Writes all that waits in one transaction; `false` at the end.
fn group(connection: &mut Connection, numbers: &mut Numbers, jobs: &Receiver<Job>) -> bool {
    let Ok(first) = jobs.recv() else { return false };
    let members: Vec<Job> = std::iter::once(first).chain(jobs.try_iter().take(GROUP - 1)).collect();
    let first = numbers.next;
    let result = commit(connection, numbers, &members)
        .map_err(|error| format!("{error}, row {} of {} from {first}", numbers.next, members.len()));
    for member in members {
        let _ = member.done.send(result.clone());
    }
    true
}

fn commit(connection: &mut Connection, numbers: &mut Numbers, members: &[Job]) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for member in members {
        numbers.insert(&transaction, member)?;
    }
    transaction.commit()
}
