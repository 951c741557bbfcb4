//! Does a commit on the writer's connection, inside a savepoint that the writer holds.

use super::counts::Counts;
use super::layout::{Layout, TEXT_FIELD_BITS, TypeLayout};
use super::row::{COLUMNS, Derived, PreparedPut, Stored, derive, key_space, namespaces_text, read, signed};
use super::writer::outside;
use crate::commit::{Operation, Precondition};
use crate::error::StoreError;
use crate::object::{ALL_SPACES, Key, Reference, SavedObject, Version};
use ikebana_clock::Millis;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, params};
use std::sync::Arc;

/// A failure inside a commit: one of the member's own, or one of the file.
#[derive(Debug)]
pub(super) enum Failure {
    /// The commit is refused; the others of its group are not concerned.
    Refused(StoreError),
    /// The file or the disk failed; the transaction may be gone.
    Sql(rusqlite::Error),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

/// A commit made ready outside the writer.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) preconditions: Vec<Precondition>,
    pub(super) operations: Vec<PreparedOperation>,
    /// The life of the store whose type and field numbers it holds.
    pub(super) term: u64,
}

impl Prepared {
    /// Whether the last thing to hold is that the first thing to be written is not there yet: then the write
    /// says so itself, and nobody need look before.
    fn creates(&self) -> bool {
        match (self.preconditions.last(), self.operations.first()) {
            (Some(Precondition::Absent(key)), Some(PreparedOperation::Put(put))) => *key == put.saved.key,
            _ => false,
        }
    }

    /// Whether it may be refused after it wrote something: a single object without values that must be the
    /// only ones is looked at first and then written.
    pub(super) fn may_be_refused_late(&self) -> bool {
        !matches!(&*self.operations, [PreparedOperation::Put(put)] if put.derived.unique.is_empty())
    }
}

#[derive(Debug)]
pub(super) enum PreparedOperation {
    Put(Box<PreparedPut>),
    Delete(Key),
    EmptySpace(Arc<str>),
}

impl PreparedOperation {
    pub(super) fn new(layout: &Layout, operation: Operation) -> Result<Self, StoreError> {
        Ok(match operation {
            Operation::Put(draft) => Self::Put(Box::new(PreparedPut::new(layout, draft)?)),
            Operation::Delete(key) => {
                layout.of(&key)?;
                Self::Delete(key)
            }
            Operation::EmptySpace(space) => Self::EmptySpace(space),
        })
    }
}

/// What a member did, to be told once it is durable.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// What was asked to be put, in order.
    pub(super) objects: Vec<Arc<SavedObject>>,
    /// Every write, with the object as it is now; `None` if it was removed.
    pub(super) writes: Vec<(u64, Key, Option<Arc<SavedObject>>)>,
    pub(super) deleted: u64,
}

const INSERT: &str = "INSERT INTO objects VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, \
     ?14, ?15, ?16) ON CONFLICT (type, space, id) DO NOTHING";
const REPLACE: &str = "REPLACE INTO objects VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, \
     ?14, ?15, ?16)";

/// Applies members one after the other and draws sequence numbers.
pub(super) struct Applier<'a> {
    pub(super) connection: &'a Connection,
    pub(super) layout: &'a Layout,
    pub(super) next_seq: u64,
    pub(super) term: u64,
    pub(super) now: Millis,
    pub(super) counts: &'a mut Counts,
}

impl Applier<'_> {
    /// Looks whether all preconditions hold, but for the one that the first write itself asks; writes nothing.
    pub(super) fn judge_all(&mut self, commit: &Prepared) -> Result<(), Failure> {
        let asked_later = usize::from(commit.creates());
        let asked_now = &commit.preconditions[..commit.preconditions.len() - asked_later];
        asked_now.iter().try_for_each(|precondition| self.judge(precondition))
    }

    /// Does what the commit says. After an error the caller takes back what was written.
    pub(super) fn apply(&mut self, commit: &mut Prepared) -> Result<Outcome, Failure> {
        let mut outcome = Outcome::default();
        let mut must_be_new = commit.creates();
        for operation in &mut commit.operations {
            match operation {
                PreparedOperation::Put(put) => {
                    let saved = self.put(put, must_be_new, &mut outcome)?;
                    must_be_new = false;
                    outcome.objects.push(saved);
                }
                PreparedOperation::Delete(key) => {
                    if let Some(stored) = self.lookup(key)? {
                        self.delete(&stored, &mut outcome)?;
                    }
                }
                PreparedOperation::EmptySpace(space) => self.empty_space(space, &mut outcome)?,
            }
        }
        Ok(outcome)
    }

    fn count(&mut self, type_id: i64) -> Result<u64, Failure> {
        if let Some(count) = self.counts.get(type_id) {
            return Ok(count);
        }
        let count: i64 = self
            .connection
            .prepare_cached("SELECT count(*) FROM objects WHERE type = ?")?
            .query_row([type_id], |row| row.get(0))?;
        let count = super::row::unsigned(count);
        self.counts.learn(type_id, count);
        Ok(count)
    }

    fn judge(&mut self, precondition: &Precondition) -> Result<(), Failure> {
        match precondition {
            Precondition::Absent(key) => match self.find_row(key)? {
                Some(_) => Err(StoreError::Conflict(key.clone()).into()),
                None => Ok(()),
            },
            Precondition::Version(key, version) => match self.find_row(key)? {
                None => Err(StoreError::NotFound(key.clone()).into()),
                Some((_, found)) if found != *version => Err(StoreError::Conflict(key.clone()).into()),
                Some(_) => Ok(()),
            },
            Precondition::CountBelow { object_type, limit } => {
                let of_type = self.named(object_type)?;
                let type_id = of_type.id;
                if self.count(type_id)? >= *limit {
                    let object_type = object_type.clone();
                    return Err(StoreError::TooMany { object_type, limit: *limit }.into());
                }
                Ok(())
            }
        }
    }

    fn named(&self, object_type: &str) -> Result<&Arc<TypeLayout>, StoreError> {
        self.layout.by_name(object_type).ok_or_else(|| StoreError::UnknownType(object_type.to_owned()))
    }

    fn find_row(&self, key: &Key) -> Result<Option<(i64, Version)>, Failure> {
        let of_type = self.layout.of(key)?;
        let mut statement = self.connection.prepare_cached(
            "SELECT object, seq, term FROM objects WHERE type = ? AND space = ? AND id = ?",
        )?;
        let mut rows = statement.query(params![of_type.id, key_space(key), &*key.id])?;
        match rows.next()? {
            None => Ok(None),
            Some(row) => {
                let version = Version {
                    seq_no: super::row::unsigned(row.get(1)?),
                    primary_term: super::row::unsigned(row.get(2)?),
                };
                Ok(Some((row.get(0)?, version)))
            }
        }
    }

    fn lookup(&self, key: &Key) -> Result<Option<Stored>, Failure> {
        let of_type = self.layout.of(key)?;
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM objects o WHERE type = ? AND space = ? AND id = ?"
        ))?;
        let mut rows = statement.query(params![of_type.id, key_space(key), &*key.id])?;
        match rows.next()? {
            None => Ok(None),
            Some(row) => Ok(Some(read(self.layout, row)?)),
        }
    }

    fn by_number(&self, number: i64) -> Result<Option<Stored>, Failure> {
        let mut statement =
            self.connection.prepare_cached(&format!("SELECT {COLUMNS} FROM objects o WHERE o.object = ?"))?;
        let mut rows = statement.query([number])?;
        match rows.next()? {
            None => Ok(None),
            Some(row) => Ok(Some(read(self.layout, row)?)),
        }
    }

    fn draw(&mut self) -> u64 {
        let seq = self.next_seq;
        self.next_seq += 1;
        seq
    }

    fn put(
        &mut self,
        put: &mut PreparedPut,
        must_be_new: bool,
        outcome: &mut Outcome,
    ) -> Result<Arc<SavedObject>, Failure> {
        let seq = self.draw();
        let before = if must_be_new { None } else { self.lookup(&put.saved.key)? };
        let object = before.as_ref().map_or_else(|| signed(seq), |stored| stored.row);
        if let Some(stored) = &before {
            self.remove_derived(stored)?;
        }
        let version = Version { seq_no: seq, primary_term: self.term };
        let saved = put.stamped(version, self.now);
        let statement = if before.is_none() { INSERT } else { REPLACE };
        let written = self.connection.prepare_cached(statement)?.execute(params![
            object,
            put.type_id,
            key_space(&saved.key),
            &*saved.key.id,
            signed(seq),
            signed(self.term),
            saved.origin_id,
            namespaces_text(&saved.namespaces),
            put.attributes,
            put.references,
            saved.created_at.0,
            saved.updated_at.0,
            saved.created_by,
            saved.updated_by,
            saved.managed,
            &*saved.type_migration_version,
        ])?;
        if written == 0 {
            return Err(StoreError::Conflict(saved.key.clone()).into());
        }
        self.add_derived(object, put.type_id, &saved.namespaces, &put.derived)?;
        self.add_references(object, &saved.references)?;
        if before.is_none() {
            self.counts.added(put.type_id);
        }
        self.log(seq, &saved.key, put.type_id, Some(saved.clone()), outcome)?;
        Ok(saved)
    }

    fn delete(&mut self, stored: &Stored, outcome: &mut Outcome) -> Result<(), Failure> {
        let seq = self.draw();
        let type_id = self.layout.of(&stored.object.key)?.id;
        self.remove_derived(stored)?;
        self.connection.prepare_cached("DELETE FROM objects WHERE object = ?")?.execute([stored.row])?;
        self.counts.removed(type_id);
        outcome.deleted += 1;
        self.log(seq, &stored.object.key, type_id, None, outcome)
    }

    fn empty_space(&mut self, space: &str, outcome: &mut Outcome) -> Result<(), Failure> {
        // The row numbers are collected first: deleting while a statement reads the same tables would let
        // it see some rows twice or not at all.
        let inside: Vec<i64> = self
            .connection
            .prepare_cached("SELECT object FROM object_spaces WHERE space = ?")?
            .query_map([space], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for number in inside {
            let Some(stored) = self.by_number(number)? else { continue };
            let left: Vec<Arc<str>> =
                stored.object.namespaces.iter().filter(|name| ***name != *space).cloned().collect();
            if left.is_empty() {
                self.delete(&stored, outcome)?;
            } else {
                let mut draft = stored.object.draft();
                draft.namespaces = left;
                self.put(&mut PreparedPut::new(self.layout, draft)?, false, outcome)?;
            }
        }
        Ok(())
    }

    fn log(
        &self,
        seq_no: u64,
        key: &Key,
        type_id: i64,
        object: Option<Arc<SavedObject>>,
        outcome: &mut Outcome,
    ) -> Result<(), Failure> {
        self.connection.prepare_cached("INSERT INTO changes VALUES (?, ?, ?, ?, ?)")?.execute(params![
            signed(seq_no),
            type_id,
            key_space(key),
            &*key.id,
            object.is_none()
        ])?;
        outcome.writes.push((seq_no, key.clone(), object));
        Ok(())
    }

    pub(super) fn add_derived(
        &self,
        object: i64,
        type_id: i64,
        namespaces: &[Arc<str>],
        derived: &Derived,
    ) -> Result<(), Failure> {
        for space in namespaces {
            self.connection
                .prepare_cached("INSERT OR IGNORE INTO object_spaces VALUES (?, ?, ?)")?
                .execute(params![&**space, type_id, object])?;
        }
        for (field, value) in &derived.values {
            self.connection
                .prepare_cached("INSERT OR IGNORE INTO field_values VALUES (?, ?, ?)")?
                .execute(params![field, value, object])?;
        }
        for (field, text) in &derived.texts {
            self.connection
                .prepare_cached("INSERT INTO words (rowid, text) VALUES (?, ?)")?
                .execute(params![text_row(object, *field), text])?;
        }
        for (field, path, value) in &derived.unique {
            self.claim(object, type_id, *field, path, value, namespaces)?;
        }
        Ok(())
    }

    fn claim(
        &self,
        object: i64,
        type_id: i64,
        field: i64,
        path: &'static str,
        value: &str,
        namespaces: &[Arc<str>],
    ) -> Result<(), Failure> {
        let of_type = || self.layout.by_id(type_id).map_or_else(|| "".into(), |one| one.name.clone());
        for space in unique_spaces(namespaces) {
            // A value claimed in all spaces stands against one claimed in a single space, and the other
            // way round.
            let taken = self
                .connection
                .prepare_cached(
                    "SELECT 1 FROM unique_values WHERE field = ?1 AND value = ?3 \
                     AND space IN (?2, ?4) OR field = ?1 AND value = ?3 AND ?2 = ?4",
                )?
                .exists(params![field, space, value, ALL_SPACES])?;
            if taken {
                return Err(StoreError::NotUnique { object_type: of_type(), path }.into());
            }
            self.connection
                .prepare_cached("INSERT INTO unique_values VALUES (?, ?, ?, ?)")?
                .execute(params![field, space, value, object])?;
        }
        Ok(())
    }

    fn add_references(&self, object: i64, references: &[Reference]) -> Result<(), Failure> {
        for reference in references {
            self.connection
                .prepare_cached("INSERT OR IGNORE INTO object_references VALUES (?, ?, ?)")?
                .execute(params![reference.object_type, reference.id, object])?;
        }
        Ok(())
    }

    pub(super) fn remove_derived(&self, stored: &Stored) -> Result<(), Failure> {
        let object = &stored.object;
        let of_type = self.layout.of(&object.key)?;
        let derived = derive(of_type, &object.attributes);
        for space in &object.namespaces {
            self.connection
                .prepare_cached("DELETE FROM object_spaces WHERE space = ? AND type = ? AND object = ?")?
                .execute(params![&**space, of_type.id, stored.row])?;
        }
        for (field, value) in &derived.values {
            self.connection
                .prepare_cached("DELETE FROM field_values WHERE field = ? AND value = ? AND object = ?")?
                .execute(params![field, value, stored.row])?;
        }
        for (field, _) in &derived.texts {
            self.connection
                .prepare_cached("DELETE FROM words WHERE rowid = ?")?
                .execute([text_row(stored.row, *field)])?;
        }
        for (field, _, value) in &derived.unique {
            for space in unique_spaces(&object.namespaces) {
                self.connection
                    .prepare_cached("DELETE FROM unique_values WHERE field = ? AND space = ? AND value = ?")?
                    .execute(params![field, space, value])?;
            }
        }
        for reference in &object.references {
            self.connection
                .prepare_cached("DELETE FROM object_references WHERE type = ? AND id = ? AND object = ?")?
                .execute(params![reference.object_type, reference.id, stored.row])?;
        }
        Ok(())
    }
}

/// Agnostic objects are unique among all: they claim under the empty name.
fn unique_spaces(namespaces: &[Arc<str>]) -> Vec<&str> {
    if namespaces.is_empty() { vec![""] } else { namespaces.iter().map(|space| &**space).collect() }
}

fn text_row(object: i64, field: i64) -> i64 {
    (object << TEXT_FIELD_BITS) | field
}

/// Computes all index rows of one type anew, after its declaration changed.
pub(super) fn reindex(connection: &Connection, layout: &Layout, of_type: &TypeLayout) -> Result<(), Failure> {
    connection.execute(
        "DELETE FROM field_values WHERE field IN (SELECT field FROM fields WHERE type = ?)",
        [of_type.id],
    )?;
    connection.execute(
        "DELETE FROM unique_values WHERE field IN (SELECT field FROM fields WHERE type = ?)",
        [of_type.id],
    )?;
    let texts: Vec<i64> = connection
        .prepare("SELECT field FROM fields WHERE type = ? AND kind = 'text'")?
        .query_map([of_type.id], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut counts = Counts::default();
    let applier = Applier { connection, layout, next_seq: 0, term: 0, now: Millis(0), counts: &mut counts };
    let mut last = -1i64;
    loop {
        let mut batch = Vec::new();
        {
            let mut statement = connection.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM objects o WHERE type = ? AND object > ? ORDER BY object LIMIT 500"
            ))?;
            let mut rows = statement.query(params![of_type.id, last])?;
            while let Some(row) = rows.next()? {
                batch.push(read(layout, row)?);
            }
        }
        let Some(end) = batch.last() else { return Ok(()) };
        last = end.row;
        for stored in &batch {
            for field in &texts {
                connection
                    .prepare_cached("DELETE FROM words WHERE rowid = ?")?
                    .execute([text_row(stored.row, *field)])?;
            }
            let derived = derive(of_type, &stored.object.attributes);
            applier.add_derived(stored.row, of_type.id, &stored.object.namespaces, &derived)?;
        }
    }
}

/// The sequence number that the next write draws. The first is 1, so that 0 stands before all of them.
pub(super) fn next_seq(connection: &Connection) -> Result<u64, StoreError> {
    let last: Sql = connection
        .query_row("SELECT max(seq) FROM changes", [], |row| row.get(0))
        .map_err(|error| outside(&error))?;
    Ok(match last {
        Sql::Integer(number) => super::row::unsigned(number) + 1,
        _ => 1,
    })
}
