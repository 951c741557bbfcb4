//! The one thread that writes. Commits that wait together share one transaction and one sync.

use super::apply::{Applier, Failure, Outcome, Prepared};
use super::backup::Staged;
use super::cache::Cache;
use super::counts::Counts;
use super::row::{damaged, signed};
use super::{SharedLayout, current};
use crate::commit::{Committed, Priority};
use crate::error::StoreError;
use crate::feed::Mark;
use crate::object::{Key, SavedObject};
use ikebana_clock::Clock;
use rusqlite::{Connection, ffi};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// A group closes after this time, so that nobody waits long for the sync because others keep coming.
const SLICE: Duration = Duration::from_millis(10);
/// And after this many commits, which bounds what must be rerun when the disk is full.
const GROUP: usize = 512;
/// Commits that may wait, per priority. The next one is refused.
const QUEUE: usize = 4096;
/// How far the change log reaches back, in writes.
const KEPT_CHANGES: u64 = 100_000;
/// What is beyond that is dropped in portions of this size.
const TRIMMED_AT_ONCE: u64 = 10_000;

/// The end of the line for a commit: an answer.
pub(super) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// What waits for the writer.
pub(super) enum Job {
    Commit(Prepared, Reply<Committed>),
    /// Puts the content of another file in place of this one's.
    Restore(Staged, Reply<()>),
    /// Copies the rest of the log into the file and starts the log anew.
    Checkpoint,
}

#[derive(Default)]
struct Queues {
    interactive: VecDeque<Job>,
    bulk: VecDeque<Job>,
    closed: bool,
}

/// What the writer shares with those who wait for it.
pub(super) struct Shared {
    queues: Mutex<Queues>,
    arrived: Condvar,
    pub(super) cache: Cache,
    pub(super) mark: watch::Sender<Mark>,
    pub(super) commits: AtomicU64,
    pub(super) groups: AtomicU64,
    pub(super) sync_micros: AtomicU64,
    pub(super) full: AtomicBool,
    broken: AtomicBool,
}

impl Shared {
    pub(super) fn new(mark: Mark) -> Arc<Self> {
        Arc::new(Self {
            queues: Mutex::default(),
            arrived: Condvar::new(),
            cache: Cache::default(),
            mark: watch::Sender::new(mark),
            commits: AtomicU64::new(0),
            groups: AtomicU64::new(0),
            sync_micros: AtomicU64::new(0),
            full: AtomicBool::new(false),
            broken: AtomicBool::new(false),
        })
    }

    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn waiting(&self) -> u64 {
        let queues = self.queues();
        (queues.interactive.len() + queues.bulk.len()) as u64
    }

    /// Puts a job in line.
    pub(super) fn submit(&self, job: Job, priority: Priority) -> Result<(), StoreError> {
        let mut queues = self.queues();
        if queues.closed {
            return Err(StoreError::Unavailable("the store is closed".into()));
        }
        if self.is_broken() {
            return Err(broken());
        }
        let queue = match priority {
            Priority::Interactive => &mut queues.interactive,
            Priority::Bulk => &mut queues.bulk,
        };
        if queue.len() >= QUEUE {
            return Err(StoreError::Busy);
        }
        queue.push_back(job);
        drop(queues);
        self.arrived.notify_one();
        Ok(())
    }

    /// From now on nothing is written and nothing is acknowledged.
    pub(super) fn give_up(&self) {
        self.broken.store(true, Ordering::SeqCst);
    }

    fn is_broken(&self) -> bool {
        self.broken.load(Ordering::SeqCst)
    }

    /// Lets the writer finish what waits and end.
    pub(super) fn close(&self) {
        self.queues().closed = true;
        self.arrived.notify_all();
    }

    fn next(&self, wait: bool) -> Option<Job> {
        let mut queues = self.queues();
        loop {
            if let Some(job) = queues.interactive.pop_front().or_else(|| queues.bulk.pop_front()) {
                return Some(job);
            }
            if !wait || queues.closed {
                return None;
            }
            queues = self.arrived.wait(queues).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Called when going on would endanger data that was acknowledged. It should not return.
pub(super) type OnFatal = Arc<dyn Fn(&str) + Send + Sync>;

pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) layout: SharedLayout,
    pub(super) shared: Arc<Shared>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) next_seq: u64,
    pub(super) term: u64,
    /// Below this the change log is gone already.
    pub(super) trimmed: u64,
    pub(super) counts: Counts,
    pub(super) on_fatal: OnFatal,
}

fn broken() -> StoreError {
    StoreError::Unavailable("the disk failed, nothing more is written".into())
}

/// A member of a group that waits until the group is durable. The refused wait too: they were judged by
/// what the others wrote, and whoever hears of a conflict must be able to read what it was with.
type Pending = (Prepared, Result<Outcome, StoreError>, Reply<Committed>);

impl Writer {
    /// Works until the store is closed and nothing waits.
    pub(super) fn run(mut self) {
        while let Some(job) = self.shared.next(true) {
            if self.shared.is_broken() {
                refuse(job);
                continue;
            }
            let left_over = match job {
                Job::Commit(commit, reply) => self.group(commit, reply),
                other => Some(other),
            };
            match left_over {
                Some(Job::Restore(staged, reply)) => {
                    let result = self.restore(staged);
                    let _ = reply.send(result);
                }
                Some(Job::Checkpoint) => {
                    if let Err(error) = super::checkpoint::truncate(&self.connection) {
                        self.judge_sync(&error);
                        tracing::warn!(%error, "the write-ahead log could not be started anew");
                    }
                }
                Some(Job::Commit(commit, reply)) => {
                    self.group(commit, reply);
                }
                None => {}
            }
        }
    }

    /// Takes commits as long as the slice lasts, makes them durable together, answers. A job of another
    /// kind ends the group and is handed back.
    fn group(&mut self, first: Prepared, reply: Reply<Committed>) -> Option<Job> {
        let first_seq = self.next_seq;
        let mut pending: Vec<Pending> = Vec::new();
        let mut members = Some((first, reply));
        let mut left_over = None;
        let end = self.clock.elapsed() + SLICE;
        if let Err(error) = self.connection.execute_batch("BEGIN IMMEDIATE") {
            let error = self.failure(&error);
            if let Some((_, reply)) = members.take() {
                let _ = reply.send(Err(error));
            }
            return None;
        }
        while let Some((mut commit, reply)) = members.take() {
            match self.member(&mut commit) {
                Ok(outcome) => pending.push((commit, Ok(outcome), reply)),
                Err(Failure::Refused(error)) => pending.push((commit, Err(error), reply)),
                Err(Failure::Sql(error)) => {
                    // The disk is full or fails: the whole transaction may be gone. Each member gets its
                    // own try.
                    self.judge_sync(&error);
                    self.next_seq = first_seq;
                    pending.push((commit, Ok(Outcome::default()), reply));
                    self.singly(pending);
                    return None;
                }
            }
            if pending.len() < GROUP && self.clock.elapsed() < end {
                match self.shared.next(false) {
                    Some(Job::Commit(commit, reply)) => members = Some((commit, reply)),
                    other => left_over = other,
                }
            }
        }
        self.finish(first_seq, pending);
        left_over
    }

    /// One commit, wholly or not at all.
    fn member(&mut self, commit: &mut Prepared) -> Result<Outcome, Failure> {
        let first_seq = self.next_seq;
        if commit.term != self.term {
            let reason = "a backup was restored meanwhile";
            return Err(Failure::Refused(StoreError::Unavailable(reason.into())));
        }
        let layout = current(&self.layout);
        let mut applier = Applier {
            connection: &self.connection,
            layout: &layout,
            next_seq: first_seq,
            term: self.term,
            now: self.clock.now(),
            counts: &mut self.counts,
        };
        applier.judge_all(commit)?;
        // What can be refused only before it writes has nothing to take back.
        let undoable = commit.may_be_refused_late();
        if undoable {
            self.connection.prepare_cached("SAVEPOINT member")?.execute([])?;
        }
        applier.counts.begin();
        let result = applier.apply(commit);
        let next_seq = applier.next_seq;
        match result {
            Ok(outcome) => {
                if undoable {
                    self.connection.prepare_cached("RELEASE member")?.execute([])?;
                }
                self.next_seq = next_seq;
                Ok(outcome)
            }
            Err(Failure::Refused(error)) => {
                self.counts.roll_back();
                if undoable {
                    self.connection.prepare_cached("ROLLBACK TO member")?.execute([])?;
                    self.connection.prepare_cached("RELEASE member")?.execute([])?;
                }
                Err(Failure::Refused(error))
            }
            Err(error) => Err(error),
        }
    }

    fn finish(&mut self, first_seq: u64, pending: Vec<Pending>) {
        let start = self.clock.elapsed();
        self.shared.cache.begin(writes(&pending).map(|(key, _)| key));
        let committed = self.trim().and_then(|()| self.connection.execute_batch("COMMIT"));
        match committed {
            // Copying the log failed meanwhile: what this group stands on may be lost.
            Ok(()) if self.shared.is_broken() => refuse_all(pending),
            Ok(()) => {
                let spent = self.clock.elapsed().saturating_sub(start).as_micros();
                let spent = u64::try_from(spent).unwrap_or(u64::MAX);
                self.shared.sync_micros.fetch_add(spent, Ordering::Relaxed);
                self.shared.groups.fetch_add(1, Ordering::Relaxed);
                self.tell(pending);
            }
            Err(error) => {
                self.shared.cache.give_up(writes(&pending).map(|(key, _)| key));
                self.judge_sync(&error);
                self.next_seq = first_seq;
                self.singly(pending);
            }
        }
    }

    /// Answers after the sync: first the memory, then the feed, then those who wait.
    fn tell(&self, pending: Vec<Pending>) {
        self.shared.full.store(false, Ordering::Relaxed);
        let done = pending.iter().filter(|(_, result, _)| result.is_ok()).count() as u64;
        self.shared.commits.fetch_add(done, Ordering::Relaxed);
        self.shared.cache.end(writes(&pending).rev());
        let seq_no = self.next_seq.saturating_sub(1);
        self.shared.mark.send_replace(Mark { primary_term: self.term, seq_no });
        for (_, result, reply) in pending {
            let _ = reply.send(result.map(|outcome| {
                let last = outcome.writes.last().map_or(seq_no, |(seq_no, ..)| *seq_no);
                Committed { objects: outcome.objects, deleted: outcome.deleted, seq_no: last }
            }));
        }
    }

    /// Gives every member a transaction of its own, so that one too large for the disk does not take the
    /// others with it.
    fn singly(&mut self, pending: Vec<Pending>) {
        self.roll_back();
        for (mut commit, _, reply) in pending {
            if self.shared.is_broken() {
                let _ = reply.send(Err(broken()));
                continue;
            }
            let first_seq = self.next_seq;
            let result = self
                .connection
                .execute_batch("BEGIN IMMEDIATE")
                .map_err(Failure::Sql)
                .and_then(|()| self.member(&mut commit));
            match result {
                Ok(outcome) => self.finish_one(first_seq, (commit, Ok(outcome), reply)),
                Err(failure) => {
                    self.next_seq = first_seq;
                    let error = match failure {
                        Failure::Refused(error) => error,
                        Failure::Sql(error) => self.failure(&error),
                    };
                    self.roll_back();
                    let _ = reply.send(Err(error));
                }
            }
        }
    }

    fn finish_one(&mut self, first_seq: u64, member: Pending) {
        let member = [member];
        self.shared.cache.begin(writes(&member).map(|(key, _)| key));
        match self.connection.execute_batch("COMMIT") {
            Ok(()) => {
                self.shared.groups.fetch_add(1, Ordering::Relaxed);
                self.tell(member.into());
            }
            Err(error) => {
                self.shared.cache.give_up(writes(&member).map(|(key, _)| key));
                self.next_seq = first_seq;
                let error = self.failure(&error);
                self.roll_back();
                for (_, _, reply) in member {
                    let _ = reply.send(Err(error.clone()));
                }
            }
        }
    }

    /// What a failure of the file is for the one who waits.
    fn failure(&self, error: &rusqlite::Error) -> StoreError {
        self.judge_sync(error);
        let error = outside(error);
        self.shared.full.store(matches!(error, StoreError::Full), Ordering::Relaxed);
        error
    }

    fn roll_back(&mut self) {
        self.counts.forget();
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            self.fatal(&format!("a transaction could not be rolled back: {error}"));
        }
    }

    /// A sync that failed is never tried again: the kernel may have dropped the pages, and the next sync
    /// would succeed without them.
    fn judge_sync(&self, error: &rusqlite::Error) {
        if is_failed_sync(error) {
            self.fatal(&format!("the disk failed to make writes durable: {error}"));
        }
    }

    fn fatal(&self, reason: &str) {
        self.shared.give_up();
        (self.on_fatal)(reason);
    }

    /// Drops the oldest part of the change log, now and then.
    fn trim(&mut self) -> rusqlite::Result<()> {
        let oldest = self.next_seq.saturating_sub(KEPT_CHANGES);
        if oldest >= self.trimmed + TRIMMED_AT_ONCE {
            self.connection.prepare_cached("DELETE FROM changes WHERE seq < ?")?.execute([signed(oldest)])?;
            self.trimmed = oldest;
        }
        Ok(())
    }

    fn restore(&mut self, staged: Staged) -> Result<(), StoreError> {
        self.shared.cache.begin(std::iter::empty());
        let restored = match super::backup::restore_into(&mut self.connection, staged) {
            Ok(restored) => restored,
            Err(failure) => {
                self.shared.cache.give_up(std::iter::empty());
                return Err(match failure {
                    Failure::Refused(error) => error,
                    Failure::Sql(error) => self.failure(&error),
                });
            }
        };
        *self.layout.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(restored.layout);
        self.term = restored.term;
        self.next_seq = restored.next_seq;
        self.trimmed = 0;
        self.counts.forget();
        self.shared.cache.clear();
        self.shared.cache.end(std::iter::empty());
        let seq_no = self.next_seq.saturating_sub(1);
        self.shared.mark.send_replace(Mark { primary_term: self.term, seq_no });
        Ok(())
    }
}

/// All that the members wrote, in order.
fn writes(
    members: &[Pending],
) -> impl DoubleEndedIterator<Item = (&Key, &Option<Arc<SavedObject>>)> + use<'_> {
    members
        .iter()
        .filter_map(|(_, result, _)| result.as_ref().ok())
        .flat_map(|outcome| outcome.writes.iter().map(|(_, key, object)| (key, object)))
}

fn refuse(job: Job) {
    match job {
        Job::Commit(_, reply) => drop(reply.send(Err(broken()))),
        Job::Restore(_, reply) => drop(reply.send(Err(broken()))),
        Job::Checkpoint => {}
    }
}

fn refuse_all(pending: Vec<Pending>) {
    for (_, _, reply) in pending {
        let _ = reply.send(Err(broken()));
    }
}

/// Whether a sync failed, as opposed to a write or a read.
pub(super) fn is_failed_sync(error: &rusqlite::Error) -> bool {
    matches!(error, rusqlite::Error::SqliteFailure(code, _)
        if matches!(code.extended_code, ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC))
}

/// What a failure of the file is for the caller.
pub(super) fn outside(error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        // An index that grows on a full disk is told as one of these.
        Some(rusqlite::ErrorCode::DiskFull) => StoreError::Full,
        Some(
            rusqlite::ErrorCode::SystemIoFailure
            | rusqlite::ErrorCode::CannotOpen
            | rusqlite::ErrorCode::DatabaseBusy,
        ) => StoreError::Unavailable(error.to_string().into()),
        _ => damaged(error),
    }
}
