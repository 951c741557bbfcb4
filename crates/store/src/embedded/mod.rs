//! The default engine: one SQLite file, one thread that writes, several that read.
//!
//! Write-ahead log, `synchronous=FULL`: what was answered survives a power cut. The file belongs to one
//! process; `ikebana.lock` beside it says so.

mod apply;
mod backup;
mod cache;
mod checkpoint;
mod conditions;
mod counts;
mod find;
mod layout;
mod open;
mod points;
mod readers;
mod row;
mod search;
mod writer;

pub use backup::restore_closed;
pub use open::{OpenError, Options};

use crate::commit::{Commit, Committed};
use crate::engine::{Answer, Engine, EngineStats};
use crate::error::StoreError;
use crate::feed::{Change, ChangeKind, Changes, Mark, Wakeups};
use crate::find::{FindRequest, Page, PointInTime};
use crate::object::{Key, SavedObject};
use crate::types::Registry;
use apply::{Prepared, PreparedOperation};
use futures_util::FutureExt as _;
use ikebana_clock::Clock;
use layout::Layout;
use points::Points;
use readers::Readers;
use row::{COLUMNS, key_space, read, signed, unsigned};
use rusqlite::{Connection, params};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;
use writer::{Job, Shared, Writer};

/// Type and field numbers; they change only when a backup is restored.
type SharedLayout = Arc<RwLock<Arc<Layout>>>;

fn current(layout: &SharedLayout) -> Arc<Layout> {
    layout.read().unwrap_or_else(PoisonError::into_inner).clone()
}

/// See the module.
pub struct Embedded {
    shared: Arc<Shared>,
    layout: SharedLayout,
    readers: Readers,
    points: Points,
    writer: Option<JoinHandle<()>>,
    checkpointer: Option<JoinHandle<()>>,
    checkpoints: checkpoint::Stop,
    path: PathBuf,
    registry: Registry,
    clock: Arc<dyn Clock>,
    restoring: tokio::sync::Mutex<()>,
    // Held as long as the store is open; released by the system when the process ends, however it ends.
    _lock: Option<std::fs::File>,
}

impl std::fmt::Debug for Embedded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Embedded").field("mark", &*self.shared.mark.borrow()).finish_non_exhaustive()
    }
}

impl Embedded {
    /// Opens the file, makes or migrates it if need be, and starts the writer.
    ///
    /// # Errors
    /// [`OpenError`]; nothing was changed then.
    pub fn open(options: Options, registry: Registry, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let opened = open::open(&options, &registry, &*clock)?;
        let mark = Mark { primary_term: opened.term, seq_no: opened.next_seq.saturating_sub(1) };
        let shared = Shared::new(mark);
        let layout: SharedLayout = Arc::new(RwLock::new(Arc::new(opened.layout)));
        let writer = Writer {
            connection: opened.connection,
            layout: layout.clone(),
            shared: shared.clone(),
            clock: clock.clone(),
            next_seq: opened.next_seq,
            term: opened.term,
            trimmed: 0,
            counts: counts::Counts::default(),
            on_fatal: options.on_fatal.clone(),
        };
        let checkpoints = checkpoint::Stop::default();
        let checkpointer = checkpoint::start(&options, shared.clone(), checkpoints.clone())?;
        let writer = thread("store-writer", move || writer.run())?;
        Ok(Self {
            path: options.path.clone(),
            readers: Readers::new(options),
            points: Points::new(clock.clone()),
            registry,
            clock,
            restoring: tokio::sync::Mutex::new(()),
            shared,
            layout,
            writer: Some(writer),
            checkpointer: Some(checkpointer),
            checkpoints,
            _lock: opened.lock,
        })
    }

    /// Reads on a connection of its own, beside the writer. If a backup was restored meanwhile, the
    /// numbers that the work relied on may mean other things: then it is done again.
    async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&Connection, &Arc<Layout>, &readers::Leaves) -> Result<T, StoreError> + Send + Sync + 'static,
    {
        let work = Arc::new(work);
        loop {
            let term = self.shared.mark.borrow().primary_term;
            let layout = current(&self.layout);
            let again = work.clone();
            let result = self
                .readers
                .run(move |connection, leaves| {
                    // The term that the file itself has in this moment: the mark follows it.
                    let moment =
                        connection.unchecked_transaction().map_err(|error| writer::outside(&error))?;
                    if backup::primary_term(&moment)? != term {
                        return Ok(None);
                    }
                    again(&moment, &layout, leaves).map(Some)
                })
                .await?;
            if let Some(result) = result {
                return Ok(result);
            }
        }
    }

    async fn submit<T>(
        &self,
        job: impl FnOnce(writer::Reply<T>) -> Job,
        priority: crate::Priority,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.shared.submit(job(reply), priority)?;
        answer.await.unwrap_or_else(|_| Err(StoreError::Unavailable("the store is closed".into())))
    }

    async fn get_all(&self, keys: &[Key]) -> Result<Vec<Option<Arc<SavedObject>>>, StoreError> {
        let moment = self.shared.cache.moment();
        let mut found = vec![None; keys.len()];
        let mut missing = Vec::new();
        for (at, key) in keys.iter().enumerate() {
            match self.shared.cache.get(key) {
                Ok(object) => found[at] = Some(object),
                Err(mark) => missing.push((at, key.clone(), mark)),
            }
        }
        // Of several that are kept, some may be of before a commit and some of after it.
        let mixes = keys.len() > 1 && missing.len() < keys.len();
        let is_one_moment = || !mixes || moment.is_some() && moment == self.shared.cache.moment();
        if missing.is_empty() && is_one_moment() {
            return Ok(found);
        }
        let wanted: Vec<Key> = missing.iter().map(|(_, key, _)| key.clone()).collect();
        let loaded = self.read(move |connection, layout, _| load(connection, layout, &wanted)).await?;
        for ((at, _, mark), object) in missing.into_iter().zip(loaded) {
            if let Some(object) = &object {
                self.shared.cache.fill(object, mark);
            }
            found[at] = object;
        }
        if is_one_moment() {
            return Ok(found);
        }
        // The file shows one moment to one look.
        let keys = keys.to_vec();
        self.read(move |connection, layout, _| load(connection, layout, &keys)).await
    }
}

fn load(
    connection: &Connection,
    layout: &Layout,
    keys: &[Key],
) -> Result<Vec<Option<Arc<SavedObject>>>, StoreError> {
    let mut statement = connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM objects o WHERE o.type = ? AND o.space = ? AND o.id = ?"
        ))
        .map_err(|error| writer::outside(&error))?;
    let mut found = Vec::with_capacity(keys.len());
    for key in keys {
        let of_type = layout.of(key)?;
        let mut rows = statement
            .query(params![of_type.id, key_space(key), &*key.id])
            .map_err(|error| writer::outside(&error))?;
        found.push(match rows.next().map_err(|error| writer::outside(&error))? {
            Some(row) => Some(Arc::new(read(layout, row)?.object)),
            None => None,
        });
    }
    Ok(found)
}

impl Engine for Embedded {
    fn commit(&self, commit: Commit) -> Answer<'_, Committed> {
        async move {
            let term = self.shared.mark.borrow().primary_term;
            let layout = current(&self.layout);
            let operations = commit
                .operations
                .into_iter()
                .map(|operation| PreparedOperation::new(&layout, operation))
                .collect::<Result<_, _>>()?;
            let prepared = Prepared { preconditions: commit.preconditions, operations, term };
            self.submit(|reply| Job::Commit(prepared, reply), commit.priority).await
        }
        .boxed()
    }

    fn get<'a>(&'a self, keys: &'a [Key]) -> Answer<'a, Vec<Option<Arc<SavedObject>>>> {
        self.get_all(keys).boxed()
    }

    fn find(&self, request: FindRequest) -> Answer<'_, Page> {
        self.read(move |connection, layout, leaves| find::page(connection, layout, leaves, &request)).boxed()
    }

    fn open_point_in_time(&self, request: FindRequest, keep_alive: Duration) -> Answer<'_, PointInTime> {
        async move {
            let mark = *self.shared.mark.borrow();
            let rows = self
                .read(move |connection, layout, leaves| find::rows(connection, layout, leaves, &request))
                .await?;
            self.points.keep(rows, mark, keep_alive)
        }
        .boxed()
    }

    fn page(&self, id: u64, from: usize, size: usize) -> Answer<'_, Vec<Arc<SavedObject>>> {
        async move {
            let term = self.shared.mark.borrow().primary_term;
            let rows = self.points.slice(id, term, from, size)?;
            let found =
                self.read(move |connection, layout, _| find::objects(connection, layout, &rows)).await?;
            // A restore in between gave the numbers another meaning.
            if self.shared.mark.borrow().primary_term == term { Ok(found) } else { Err(points::unknown(id)) }
        }
        .boxed()
    }

    fn close_point_in_time(&self, id: u64) -> bool {
        self.points.close(id)
    }

    fn wakeups(&self) -> Wakeups {
        self.shared.mark.subscribe()
    }

    fn changes(&self, after: u64, limit: usize) -> Answer<'_, Changes> {
        self.read(move |connection, layout, _| changes(connection, layout, after, limit)).boxed()
    }

    fn backup<'a>(&'a self, to: &'a Path) -> Answer<'a, ()> {
        let to = to.to_owned();
        self.read(move |connection, _, _| backup::write(connection, &to)).boxed()
    }

    fn restore<'a>(&'a self, from: &'a Path) -> Answer<'a, ()> {
        async move {
            // The place beside the file is for one.
            let _one = self.restoring.lock().await;
            let (live, from) = (self.path.clone(), from.to_owned());
            let (registry, clock) = (self.registry.clone(), self.clock.clone());
            let staged = tokio::task::spawn_blocking(move || backup::stage(&live, &from, &registry, &*clock))
                .await
                .unwrap_or_else(|_| Err(StoreError::Unavailable("the store is closed".into())))?;
            self.submit(|reply| Job::Restore(staged, reply), crate::Priority::Interactive).await
        }
        .boxed()
    }

    fn stats(&self) -> EngineStats {
        let shared = &self.shared;
        EngineStats {
            commits: shared.commits.load(Ordering::Relaxed),
            groups: shared.groups.load(Ordering::Relaxed),
            sync_micros: shared.sync_micros.load(Ordering::Relaxed),
            full: shared.full.load(Ordering::Relaxed),
            waiting: shared.waiting(),
            cache_hits: shared.cache.hits.load(Ordering::Relaxed),
            cache_misses: shared.cache.misses.load(Ordering::Relaxed),
        }
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        // One connection after the other: if two close at the same moment, none takes itself for the last
        // one, which copies the log into the file and removes it.
        self.checkpoints.stop();
        let _ = self.checkpointer.take().map(JoinHandle::join);
        self.shared.close();
        let _ = self.writer.take().map(JoinHandle::join);
    }
}

fn changes(
    connection: &Connection,
    layout: &Layout,
    after: u64,
    limit: usize,
) -> Result<Changes, StoreError> {
    let sql = |error: rusqlite::Error| writer::outside(&error);
    let oldest: Option<i64> =
        connection.query_row("SELECT min(seq) FROM changes", [], |row| row.get(0)).map_err(sql)?;
    if oldest.is_some_and(|oldest| unsigned(oldest) > after + 1) {
        return Ok(Changes::Lost);
    }
    let mut statement = connection
        .prepare_cached("SELECT seq, type, space, id, deleted FROM changes WHERE seq > ? ORDER BY seq")
        .map_err(sql)?;
    let mut rows = statement.query([signed(after)]).map_err(sql)?;
    let mut list = Vec::new();
    while list.len() < limit
        && let Some(row) = rows.next().map_err(sql)?
    {
        // The last objects of a type that this program does not have are gone: nobody asks for them.
        let Some(of_type) = layout.by_id(row.get(1).map_err(sql)?) else { continue };
        let space: String = row.get(2).map_err(sql)?;
        let id: String = row.get(3).map_err(sql)?;
        let key = Key {
            object_type: of_type.declared.name,
            space: (of_type.declared.class == crate::Class::Single).then(|| space.into()),
            id: id.into(),
        };
        let deleted: bool = row.get(4).map_err(sql)?;
        let kind = if deleted { ChangeKind::Delete } else { ChangeKind::Put };
        list.push(Change { seq_no: unsigned(row.get(0).map_err(sql)?), key, kind });
    }
    Ok(Changes::Since(list))
}

fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, OpenError> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).map_err(OpenError::Io)
}
