//! The embedded engine's file: what is opened, what is refused, what is migrated.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helper functions of tests")]

use ikebana_clock::{FakeClock, Millis};
use ikebana_query::{FieldKind, Query};
use ikebana_store::embedded::{Embedded, OpenError, Options};
use ikebana_store::{
    Changes, Class, Commit, Engine as _, FindRequest, IndexedField, Key, Mark, Migration, ObjectType,
    Operation, Registry, SavedObject, Search,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

const START: Millis = Millis(1_700_000_000_000);
/// Where the copy before a migration at [`START`] goes.
const COPY: &str = "ikebana.before-migration-2023-11-14T22-13-20-000Z.db";

/// A folder with a file in it.
struct Home {
    folder: TempDir,
}

impl Home {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self) -> PathBuf {
        self.path("ikebana.db")
    }

    fn open(&self, types: &[ObjectType]) -> Result<Embedded, OpenError> {
        open(&self.file(), types)
    }

    /// Every file but the lock, with its content.
    fn content(&self) -> BTreeMap<String, Vec<u8>> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap());
        entries
            .map(|entry| {
                (entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path()).unwrap())
            })
            .filter(|(name, _)| name != "ikebana.lock")
            .collect()
    }

    /// Opening is refused with this text, and nothing is changed.
    fn refuses(&self, types: &[ObjectType], text: &str) {
        let before = self.content();
        let refusal = self.open(types).unwrap_err().to_string();
        let path = self.file().display().to_string();
        assert_eq!(refusal, text.replace("FILE", &path));
        let after = self.content();
        assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
        assert!(after == before, "the content changed");
    }
}

fn open(path: &Path, types: &[ObjectType]) -> Result<Embedded, OpenError> {
    Embedded::open(Options::at(path), Registry::new(types.iter().cloned()), FakeClock::at(START))
}

const NOTE: ObjectType = ObjectType::new("note", Class::Single);
const OTHER: ObjectType = ObjectType::new("other", Class::Agnostic);

fn key(id: &str) -> Key {
    NOTE.key("default", id)
}

fn put(of_type: &ObjectType, id: &str, attributes: &Value) -> Operation {
    let key = of_type.key("default", id);
    Operation::Put(ikebana_store::Draft::new(
        key,
        of_type.namespaces("default"),
        attributes.as_object().unwrap().clone(),
    ))
}

async fn write(engine: &Embedded, operations: Vec<Operation>) -> Vec<Arc<SavedObject>> {
    engine.commit(Commit { operations, ..Commit::new() }).await.unwrap().objects
}

async fn attributes(engine: &Embedded, id: &str) -> Value {
    let found = engine.get(&[key(id)]).await.unwrap().remove(0).unwrap();
    Value::Object(found.attributes.clone())
}

async fn found(engine: &Embedded, query: Query) -> Vec<String> {
    let page = engine.find(FindRequest { query, ..FindRequest::of("note") }).await.unwrap();
    page.objects.iter().map(|object| object.key.id.to_string()).collect()
}

/// A home with a note and another object in it, closed.
async fn furnished() -> Home {
    let home = Home::new();
    let engine = home.open(&[NOTE, OTHER]).unwrap();
    write(&engine, vec![put(&NOTE, "1", &json!({"n": 1})), put(&OTHER, "1", &json!({}))]).await;
    home
}

#[tokio::test]
async fn a_newer_format_is_refused() {
    let home = furnished().await;
    let mut bytes = std::fs::read(home.file()).unwrap();
    assert_eq!(bytes[60..64], [0, 0, 0, 1]);
    bytes[60..64].copy_from_slice(&[0, 0, 0, 2]);
    std::fs::write(home.file(), bytes).unwrap();
    home.refuses(
        &[NOTE, OTHER],
        "[FILE] was written by a newer version of this program (format 2, this program knows 1); nothing was \
         changed. Start that version, or restore a backup made with this one.",
    );
}

#[tokio::test]
async fn a_newer_type_is_refused() {
    let newer = "[FILE] was written by a newer version of this program (type [note] in version 8.0.0, this \
                 program knows 7.9.9); nothing was changed. Start that version, or restore a backup made with \
                 this one.";
    let older = ObjectType { first_version: "7.9.9", ..NOTE };
    let home = furnished().await;
    home.refuses(&[older.clone(), OTHER], newer);
    // The same for a backup that was put in place: its header says that it has no log.
    let engine = home.open(&[NOTE, OTHER]).unwrap();
    engine.backup(&home.path("copy")).await.unwrap();
    drop(engine);
    std::fs::rename(home.path("copy"), home.file()).unwrap();
    home.refuses(&[older, OTHER], newer);
    home.open(&[NOTE, OTHER]).unwrap();
}

#[tokio::test]
async fn an_unknown_type_is_refused_if_there_are_objects_of_it() {
    let home = furnished().await;
    home.refuses(
        &[NOTE],
        "[FILE] was written by a newer version of this program (objects of type [other]); nothing was changed. \
         Start that version, or restore a backup made with this one.",
    );
    let engine = home.open(&[NOTE, OTHER]).unwrap();
    write(&engine, vec![Operation::Delete(OTHER.key("default", "1"))]).await;
    drop(engine);
    let engine = home.open(&[NOTE]).unwrap();
    // The feed goes on without what nobody knows any more.
    let Changes::Since(changes) = engine.changes(0, 10).await.unwrap() else { panic!("lost") };
    assert_eq!(changes.iter().map(|change| change.key.clone()).collect::<Vec<_>>(), [key("1")]);
}

#[test]
fn what_is_not_ours_is_refused() {
    let foreign = "[FILE] is not a file of this program; nothing was changed";
    for content in [&b"short"[..], &[7; 4096], b"SQLite format 3\0", &[0; 200]] {
        let home = Home::new();
        std::fs::write(home.file(), content).unwrap();
        home.refuses(&[NOTE], foreign);
    }
    for statements in [
        "CREATE TABLE mine (n); INSERT INTO mine VALUES (1);",
        "CREATE TABLE mine (n); PRAGMA user_version=1;",
        "CREATE TABLE mine (n); PRAGMA application_id=7;",
        "PRAGMA journal_mode=WAL; CREATE TABLE mine (n);",
    ] {
        let home = Home::new();
        let connection = rusqlite::Connection::open(home.file()).unwrap();
        connection.execute_batch(statements).unwrap();
        drop(connection);
        home.refuses(&[NOTE], foreign);
    }
    let home = Home::new();
    std::fs::create_dir(home.file()).unwrap();
    assert!(home.open(&[NOTE]).is_err());
    assert!(open(&home.path("no/folder/ikebana.db"), &[NOTE]).is_err());
}

#[tokio::test]
async fn an_empty_file_becomes_a_store() {
    let home = Home::new();
    std::fs::write(home.file(), "").unwrap();
    let engine = home.open(&[NOTE]).unwrap();
    write(&engine, vec![put(&NOTE, "1", &json!({"n": 1}))]).await;
    assert_eq!(attributes(&engine, "1").await, json!({"n": 1}));
}

#[tokio::test]
async fn one_folder_belongs_to_one() {
    let home = furnished().await;
    let engine = home.open(&[NOTE, OTHER]).unwrap();
    let refusal = home.open(&[NOTE, OTHER]).unwrap_err();
    assert!(matches!(refusal, OpenError::InUse(_)));
    let folder = home.folder.path().display().to_string();
    assert_eq!(refusal.to_string(), format!("the data folder [{folder}] is in use by another process"));
    write(&engine, vec![put(&NOTE, "2", &json!({}))]).await;
    drop(engine);
    home.open(&[NOTE, OTHER]).unwrap();
}

#[tokio::test]
async fn numbers_go_on_after_the_store_was_closed() {
    let home = Home::new();
    let engine = home.open(&[NOTE]).unwrap();
    assert_eq!(*engine.wakeups().borrow(), Mark { primary_term: 1, seq_no: 0 });
    let first = write(&engine, vec![put(&NOTE, "1", &json!({}))]).await;
    // The last number is that of a deletion.
    write(&engine, vec![Operation::Delete(key("1"))]).await;
    let last = *engine.wakeups().borrow();
    assert!(last.seq_no > first[0].version.seq_no);
    drop(engine);
    let engine = home.open(&[NOTE]).unwrap();
    assert_eq!(*engine.wakeups().borrow(), last);
    let next = write(&engine, vec![put(&NOTE, "1", &json!({}))]).await;
    assert_eq!(next[0].version.seq_no, last.seq_no + 1);
    engine.backup(&home.path("copy")).await.unwrap();
    engine.restore(&home.path("copy")).await.unwrap();
    drop(engine);
    let engine = home.open(&[NOTE]).unwrap();
    assert_eq!(*engine.wakeups().borrow(), Mark { primary_term: 2, seq_no: last.seq_no + 1 });
    assert_eq!(engine.get(&[key("1")]).await.unwrap(), [Some(next[0].clone())]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_backup_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = furnished().await;
    let engine = home.open(&[NOTE, OTHER]).unwrap();
    engine.backup(&home.path("copy")).await.unwrap();
    let mode = std::fs::metadata(home.path("copy")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

fn append(attributes: &mut Map<String, Value>, step: &str) -> Result<(), String> {
    if attributes.get("stubborn").is_some() {
        return Err(format!("stubborn at {step}"));
    }
    let steps = attributes.entry("steps").or_insert_with(|| json!([])).as_array_mut().unwrap();
    steps.push(json!(step));
    Ok(())
}

const FIRST: Migration = Migration { version: "8.1.0", run: |attributes| append(attributes, "8.1.0") };
const SECOND: Migration = Migration { version: "8.10.0", run: |attributes| append(attributes, "8.10.0") };
const THIRD: Migration = Migration { version: "10.0.0", run: |attributes| append(attributes, "10.0.0") };

const MIGRATED_ONCE: ObjectType = ObjectType { migrations: &[FIRST], ..NOTE };
const MIGRATED: ObjectType = ObjectType { migrations: &[FIRST, SECOND, THIRD], ..NOTE };

#[tokio::test]
async fn migrations_run_in_order_from_where_the_object_is() {
    let home = furnished().await;
    let engine = home.open(&[MIGRATED_ONCE, OTHER]).unwrap();
    write(&engine, vec![put(&MIGRATED_ONCE, "2", &json!({"steps": ["new"]}))]).await;
    let before = engine.get(&[key("2")]).await.unwrap().remove(0).unwrap();
    let mark = *engine.wakeups().borrow();
    drop(engine);
    std::fs::remove_file(home.path(COPY)).unwrap();

    let engine = home.open(&[MIGRATED, OTHER]).unwrap();
    assert_eq!(attributes(&engine, "1").await, json!({"n": 1, "steps": ["8.1.0", "8.10.0", "10.0.0"]}));
    assert_eq!(attributes(&engine, "2").await, json!({"steps": ["new", "8.10.0", "10.0.0"]}));
    let after = engine.get(&[key("2")]).await.unwrap().remove(0).unwrap();
    // Nobody wrote it: version and times stay.
    let expected = SavedObject {
        attributes: after.attributes.clone(),
        type_migration_version: "10.0.0".into(),
        ..SavedObject::clone(&before)
    };
    assert_eq!(*after, expected);
    assert_eq!(*engine.wakeups().borrow(), mark);
    drop(engine);
    let before = home.content();
    drop(home.open(&[MIGRATED, OTHER]).unwrap());
    assert_eq!(
        home.content().keys().collect::<Vec<_>>(),
        before.keys().collect::<Vec<_>>(),
        "no second copy"
    );
}

#[tokio::test]
async fn a_copy_is_made_before_a_migration() {
    let home = furnished().await;
    drop(home.open(&[MIGRATED, OTHER]).unwrap());
    assert_eq!(home.content().into_keys().collect::<Vec<_>>(), [COPY, "ikebana.db"]);
    // It is whole: the older program opens it.
    let elsewhere = Home::new();
    std::fs::copy(home.path(COPY), elsewhere.file()).unwrap();
    let engine = elsewhere.open(&[NOTE, OTHER]).unwrap();
    assert_eq!(attributes(&engine, "1").await, json!({"n": 1}));
    write(&engine, vec![put(&NOTE, "2", &json!({}))]).await;
    // And the newer one restores it.
    let engine = home.open(&[MIGRATED, OTHER]).unwrap();
    engine.restore(&home.path(COPY)).await.unwrap();
    assert_eq!(attributes(&engine, "1").await["steps"], json!(["8.1.0", "8.10.0", "10.0.0"]));
    drop(engine);
    assert_eq!(
        home.content().into_keys().collect::<Vec<_>>(),
        [COPY, "ikebana.db"],
        "nothing is left behind"
    );
}

#[tokio::test]
async fn a_failing_migration_changes_nothing() {
    let home = furnished().await;
    let engine = home.open(&[NOTE, OTHER]).unwrap();
    write(&engine, vec![put(&NOTE, "2", &json!({"stubborn": true})), put(&NOTE, "3", &json!({}))]).await;
    drop(engine);
    let copy = home.path(COPY);
    let refusal = home.open(&[MIGRATED, OTHER]).unwrap_err().to_string();
    assert_eq!(
        refusal,
        format!(
            "object [note/2] could not be migrated to version 8.1.0: stubborn at 8.1.0; nothing was changed, a \
             copy of the file is at [{}]",
            copy.display()
        )
    );
    for file in [home.file(), copy] {
        let elsewhere = Home::new();
        std::fs::copy(file, elsewhere.file()).unwrap();
        let engine = elsewhere.open(&[NOTE, OTHER]).unwrap();
        assert_eq!(attributes(&engine, "1").await, json!({"n": 1}));
        assert_eq!(attributes(&engine, "2").await, json!({"stubborn": true}));
        assert_eq!(attributes(&engine, "3").await, json!({}));
    }
    // Also when the object comes in a backup.
    let engine = home.open(&[NOTE, OTHER]).unwrap();
    engine.backup(&home.path("stubborn")).await.unwrap();
    let elsewhere = Home::new();
    let engine = elsewhere.open(&[MIGRATED, OTHER]).unwrap();
    write(&engine, vec![put(&MIGRATED, "kept", &json!({"n": 1}))]).await;
    let refusal = engine.restore(&home.path("stubborn")).await.unwrap_err().to_string();
    assert_eq!(
        refusal,
        format!(
            "object [note/2] could not be migrated to version 8.1.0: stubborn at 8.1.0; nothing was changed, a \
             copy of the file is at [{}]",
            home.path("stubborn").display()
        )
    );
    assert_eq!(attributes(&engine, "kept").await, json!({"n": 1}));
}

#[tokio::test]
async fn changed_indexes_are_made_anew() {
    const INDEXED: ObjectType = ObjectType {
        indexed: &[
            IndexedField { path: "status", kind: FieldKind::Keyword },
            IndexedField { path: "title", kind: FieldKind::Text },
        ],
        ..NOTE
    };
    const OTHERWISE: ObjectType = ObjectType {
        indexed: &[
            IndexedField { path: "status", kind: FieldKind::Text },
            IndexedField { path: "title", kind: FieldKind::Keyword },
            IndexedField { path: "n", kind: FieldKind::Number },
        ],
        unique: &["name"],
        ..NOTE
    };
    let home = Home::new();
    let engine = home.open(&[INDEXED]).unwrap();
    let note = |id: &str, n: i64| {
        put(
            &NOTE,
            id,
            &json!({"status": "wide open", "title": "Brown fox", "n": n, "name": format!("name {id}")}),
        )
    };
    write(&engine, (0..1200).map(|n| note(&n.to_string(), n)).collect()).await;
    let status = || Query::term("note.attributes.status", "wide open");
    let search = async |engine: &Embedded, text: &str| {
        let search = Some(Search { text: text.to_owned(), all: true, fields: vec![] });
        engine.find(FindRequest { search, ..FindRequest::of("note") }).await.unwrap().total
    };
    let total = async |engine: &Embedded, query| {
        engine.find(FindRequest { query, ..FindRequest::of("note") }).await.unwrap().total
    };
    assert_eq!(total(&engine, status()).await, 1200);
    assert_eq!((search(&engine, "fox").await, search(&engine, "wide").await), (1200, 0));
    drop(engine);

    let engine = home.open(&[OTHERWISE]).unwrap();
    assert_eq!(total(&engine, status()).await, 0);
    assert_eq!(total(&engine, Query::term("note.attributes.title", "Brown fox")).await, 1200);
    assert_eq!((search(&engine, "fox").await, search(&engine, "wide").await), (0, 1200));
    let seven = Query::Term { field: "note.attributes.n".into(), value: 7.into() };
    assert_eq!(found(&engine, seven).await, ["7"]);
    let taken = Commit::new().then(put(&NOTE, "new", &json!({"name": "name 7"})));
    assert_eq!(engine.commit(taken).await.unwrap_err().to_string(), "another [note] has the same [name]");
    write(&engine, vec![note("7", 8)]).await;
    assert_eq!(
        found(&engine, Query::Term { field: "note.attributes.n".into(), value: 8.into() }).await,
        ["7", "8"]
    );
    drop(engine);

    // And back: nothing of the other indexes is in the way.
    std::fs::remove_file(home.path(COPY)).unwrap();
    let engine = home.open(&[INDEXED]).unwrap();
    assert_eq!(total(&engine, status()).await, 1200);
    assert_eq!((search(&engine, "fox").await, search(&engine, "wide").await), (1200, 0));
    write(&engine, vec![put(&NOTE, "new", &json!({"name": "name 7", "title": "hen"}))]).await;
    assert_eq!(search(&engine, "hen").await, 1);
}

#[tokio::test]
async fn an_index_that_cannot_be_made_stops_the_start() {
    const UNIQUE: ObjectType = ObjectType { unique: &["name"], ..NOTE };
    let home = Home::new();
    let engine = home.open(&[NOTE]).unwrap();
    let twins = ["1", "2"].map(|id| put(&NOTE, id, &json!({"name": "same"})));
    write(&engine, twins.to_vec()).await;
    drop(engine);
    assert_eq!(home.open(&[UNIQUE]).unwrap_err().to_string(), "another [note] has the same [name]");
    let engine = home.open(&[NOTE]).unwrap();
    assert_eq!(attributes(&engine, "2").await, json!({"name": "same"}));
}
