//! What was acknowledged survives: loss of power, a failed sync, a full disk.
//!
//! `IKEBANA_POWER_CUTS` says how many times the power is cut (25 if it is not set).
#![allow(clippy::unwrap_used, clippy::panic, reason = "helper functions of tests")]

use futures_util::future::join_all;
use ikebana_clock::{Clock, FakeClock, Millis, SystemClock};
use ikebana_query::{FieldKind, Query};
use ikebana_store::embedded::{Embedded, OpenError, Options};
use ikebana_store::{
    Class, Commit, Committed, Draft, Engine as _, FindRequest, IndexedField, Key, ObjectType, Operation,
    Registry, SavedObject, StoreError, Version,
};
use ikebana_testkit::faulty_disk::{Disk, Rng};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;
use tokio::task::JoinSet;

const WRITERS: u64 = 32;
const SLOTS: u64 = 3;
const PARTS: u64 = 3;
const FILE: &str = "test.db";

const PART: ObjectType = ObjectType {
    indexed: &[
        IndexedField { path: "writer", kind: FieldKind::Number },
        IndexedField { path: "fill", kind: FieldKind::Text },
    ],
    unique: &["name"],
    ..ObjectType::new("part", Class::Single)
};

type OnFatal = Arc<dyn Fn(&str) + Send + Sync>;

fn open_with(
    disk: &Disk,
    durable: bool,
    clock: Arc<dyn Clock>,
    on_fatal: OnFatal,
) -> Result<Embedded, OpenError> {
    let options = Options { path: FILE.into(), vfs: Some(disk.vfs_name().to_owned()), durable, on_fatal };
    Embedded::open(options, Registry::new([PART]), clock)
}

/// With the power gone a rollback cannot work either; the real program would end then.
fn open(disk: &Disk, durable: bool) -> Result<Embedded, OpenError> {
    open_with(disk, durable, Arc::new(SystemClock::new()), Arc::new(|_| {}))
}

fn key(id: &str) -> Key {
    PART.key("default", id)
}

fn put(id: &str, attributes: &Value) -> Operation {
    let attributes: Map<String, Value> = attributes.as_object().unwrap().clone();
    Operation::Put(Draft::new(key(id), PART.namespaces("default"), attributes))
}

fn commit(operations: Vec<Operation>) -> Commit {
    Commit { operations, ..Commit::new() }
}

/// Words from a few bytes to several pages, the same for the same place and commit.
fn fill(writer: u64, n: u64, part: u64) -> String {
    let mut rng = Rng::new(writer << 40 | n << 8 | part);
    let most = if rng.coin() { 10 } else { 700 };
    (0..=rng.below(most)).map(|_| format!("w{} ", rng.below(1000))).collect()
}

fn marker(writer: u64) -> String {
    format!("marker {writer}")
}

/// What the `n`-th commit of a writer does: it writes the parts of one slot and the marker, and sometimes takes a
/// part of another slot away.
fn changes(writer: u64, n: u64) -> Vec<(String, Option<Value>)> {
    let slot = n % SLOTS;
    let mut changes: Vec<(String, Option<Value>)> = (0..PARTS)
        .map(|part| {
            let id = format!("{writer} {slot} {part}");
            let name = format!("{id} of {n}");
            (id, Some(json!({"writer": writer, "n": n, "name": name, "fill": fill(writer, n, part)})))
        })
        .collect();
    if n.is_multiple_of(4) {
        changes.push((format!("{writer} {} 0", (slot + 1) % SLOTS), None));
    }
    changes.push((marker(writer), Some(json!({"writer": writer, "n": n}))));
    changes
}

/// Everything of a writer after its first `n` commits.
fn expected(writer: u64, n: u64) -> BTreeMap<String, Value> {
    let mut objects = BTreeMap::new();
    for (id, attributes) in (1..=n).flat_map(|n| changes(writer, n)) {
        match attributes {
            Some(attributes) => objects.insert(id, attributes),
            None => objects.remove(&id),
        };
    }
    objects
}

/// What one writer was told.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    commits: u64,
    /// The version of its marker.
    version: Option<Version>,
    last_seq: u64,
}

/// Commits one after the other until one is refused.
async fn write_on(engine: &Embedded, writer: u64) -> (Told, StoreError) {
    let mut told = Told::default();
    loop {
        let operations =
            changes(writer, told.commits + 1).into_iter().map(|(id, attributes)| match attributes {
                Some(attributes) => put(&id, &attributes),
                None => Operation::Delete(key(&id)),
            });
        match engine.commit(commit(operations.collect())).await {
            Err(error) => return (told, error),
            Ok(committed) => {
                let version = committed.objects.last().map(|marker| marker.version);
                told = Told { commits: told.commits + 1, version, last_seq: committed.seq_no };
            }
        }
    }
}

/// All writers until all are refused; what each was told.
async fn write_all(engine: &Arc<Embedded>) -> Vec<(Told, StoreError)> {
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let engine = engine.clone();
        writers.spawn(async move { (writer, write_on(&engine, writer).await) });
    }
    let told: BTreeMap<u64, (Told, StoreError)> = writers.join_all().await.into_iter().collect();
    told.into_values().collect()
}

async fn everything_of(engine: &Embedded, writer: u64) -> Result<Vec<Arc<SavedObject>>, String> {
    let query = Query::Term { field: "part.attributes.writer".into(), value: (writer as i64).into() };
    let page = engine.find(FindRequest { query, size: 1000, ..FindRequest::of("part") }).await;
    Ok(page.map_err(|error| error.to_string())?.objects)
}

/// Opens what is left and compares it with what the writers were told; says what is wrong.
async fn check(disk: &Disk, told: &[Told]) -> Result<(), String> {
    let text = |error: OpenError| error.to_string();
    let integrity = |when: &str| {
        let connection = disk.open(FILE).map_err(|error| error.to_string())?;
        let answer: String = connection
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .map_err(|error| error.to_string())?;
        if answer == "ok" { Ok(()) } else { Err(format!("{when}: {answer}")) }
    };
    integrity("before")?;
    let engine = open(disk, true).map_err(text)?;
    let mut seen = BTreeSet::new();
    for (writer, told) in (0..).zip(told) {
        let found = everything_of(&engine, writer).await?;
        let marker = marker(writer);
        let marked = found.iter().find(|object| *object.key.id == *marker);
        let n = marked.map_or(0, |object| object.attributes["n"].as_u64().unwrap());
        // One commit of a writer may be under way: whole, but not told.
        if n != told.commits && n != told.commits + 1 {
            return Err(format!("writer {writer} was told of {} commits, there are {n}", told.commits));
        }
        let version = marked.map(|object| object.version);
        if n == told.commits && version != told.version {
            return Err(format!("{marker} was told to be {:?}, it is {version:?}", told.version));
        }
        let objects: BTreeMap<String, Value> = found
            .iter()
            .map(|object| (object.key.id.to_string(), Value::Object(object.attributes.clone())))
            .collect();
        if objects != expected(writer, n) {
            return Err(format!("commit {n} of writer {writer} is half there"));
        }
        let read = engine.get(&found.iter().map(|object| object.key.clone()).collect::<Vec<_>>()).await;
        let read = read.map_err(|error| error.to_string())?;
        if read.iter().flatten().ne(found.iter()) {
            return Err(format!("index and objects of writer {writer} differ"));
        }
        seen.extend(found.iter().map(|object| object.version.seq_no).chain([told.last_seq]));
    }
    let next = engine
        .commit(commit(vec![put("afterwards", &json!({}))]))
        .await
        .map_err(|error| error.to_string())?;
    match seen.last() {
        Some(last) if next.seq_no <= *last => return Err(format!("{} was drawn after {last}", next.seq_no)),
        _ => {}
    }
    drop(engine);
    integrity("after")
}

/// Gives the number of commits that were put to the test, or what was lost.
async fn round(seed: u64, durable: bool) -> Result<u64, String> {
    let mut rng = Rng::new(seed);
    let disk = Disk::new(seed);
    let kind = rng.below(4);
    match kind {
        // While the file is made, or at the first commits.
        0 => disk.cut_after(rng.below(150)),
        1 | 2 => disk.cut_after(100 + rng.below(6000)),
        _ => {}
    }
    let mut told = vec![Told::default(); WRITERS as usize];
    if let Ok(engine) = open(&disk, durable) {
        let engine = Arc::new(engine);
        let writing = write_all(&engine);
        let cutting = async {
            if kind == 3 {
                // About when the log is first copied into the file.
                tokio::time::sleep(Duration::from_millis(450 + rng.below(100))).await;
                disk.cut_after(rng.below(600));
            }
        };
        let (written, ()) = tokio::join!(writing, cutting);
        told = written.into_iter().map(|(told, _)| told).collect();
    }
    assert!(disk.is_cut());
    let mut image = disk.crash_image(&mut rng);
    if rng.coin() {
        // Once more while it recovers.
        image.cut_after(rng.below(40));
        drop(open(&image, durable));
        image = image.crash_image(&mut rng);
    }
    check(&image, &told).await?;
    Ok(told.iter().map(|told| told.commits).sum())
}

fn rounds() -> u64 {
    std::env::var("IKEBANA_POWER_CUTS").ok().and_then(|text| text.parse().ok()).unwrap_or(25)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_loss_of_power() {
    let mut commits = 0;
    for seed in 0..rounds() {
        match round(seed, true).await {
            Ok(more) => commits += more,
            Err(lost) => panic!("seed {seed}: {lost}"),
        }
    }
    assert!(commits > 20 * rounds(), "only {commits} commits were put to the test");
}

/// The same test can fail.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_syncs_something_is_lost() {
    let mut losses = 0;
    for seed in 0..rounds() {
        losses += u64::from(round(seed, false).await.is_err());
    }
    assert!(losses > 0, "{} cuts and nothing was lost", rounds());
}

/// An engine that counts its fatal failures, and the number of commits that it had done at the first.
struct Watched {
    engine: Arc<Embedded>,
    fatal: Arc<AtomicU64>,
    commits_then: Arc<AtomicU64>,
}

fn watched(disk: &Disk) -> Watched {
    let (fatal, commits_then) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let itself: Arc<OnceLock<Weak<Embedded>>> = Arc::default();
    let (count, then, me) = (fatal.clone(), commits_then.clone(), itself.clone());
    let on_fatal = move |reason: &str| {
        assert!(reason.starts_with("the disk failed to make"), "{reason}");
        if count.fetch_add(1, Ordering::SeqCst) == 0
            && let Some(engine) = me.get().and_then(Weak::upgrade)
        {
            then.store(engine.stats().commits, Ordering::SeqCst);
        }
    };
    let engine = Arc::new(open_with(disk, true, Arc::new(SystemClock::new()), Arc::new(on_fatal)).unwrap());
    itself.set(Arc::downgrade(&engine)).unwrap();
    Watched { engine, fatal, commits_then }
}

const BROKEN: &str = "the store is not available: the disk failed, nothing more is written";

async fn refuses_everything(engine: &Embedded) {
    for _ in 0..3 {
        let refusal = engine.commit(commit(vec![put("late", &json!({}))])).await.unwrap_err();
        assert_eq!(refusal.to_string(), BROKEN);
    }
    assert_eq!(engine.get(&[key("late")]).await.unwrap(), [None]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_failed_sync_nothing_is_acknowledged() {
    for seed in 0..6 {
        let mut rng = Rng::new(seed);
        let disk = Disk::new(seed);
        disk.lose_on_failed_sync(seed % 2 == 0);
        let Watched { engine, fatal, commits_then } = watched(&disk);
        disk.fail_sync(1 + rng.below(8));
        let told = write_all(&engine).await;
        assert_eq!(fatal.load(Ordering::SeqCst), 1, "seed {seed}");
        assert_eq!(engine.stats().commits, commits_then.load(Ordering::SeqCst), "seed {seed}");
        assert!(
            told.iter().all(|(_, error)| matches!(error, StoreError::Unavailable(_))),
            "seed {seed}: {told:?}"
        );
        refuses_everything(&engine).await;
        disk.power_cut();
        let told: Vec<Told> = told.into_iter().map(|(told, _)| told).collect();
        let checked = check(&disk.crash_image(&mut rng), &told).await;
        assert_eq!(checked, Ok(()), "seed {seed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_failed_sync_of_the_file_nothing_is_acknowledged() {
    let disk = Disk::new(1);
    disk.lose_on_failed_sync(true);
    let Watched { engine, fatal, commits_then } = watched(&disk);
    engine.commit(commit(vec![put("early", &json!({}))])).await.unwrap();
    // Nobody writes now: the next to sync copies the log into the file.
    disk.fail_sync(1);
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if fatal.load(Ordering::SeqCst) > 0 {
            break;
        }
    }
    refuses_everything(&engine).await;
    assert_eq!((fatal.load(Ordering::SeqCst), commits_then.load(Ordering::SeqCst)), (1, 1));
    disk.power_cut();
    let image = open(&disk.crash_image(&mut Rng::new(1)), true).unwrap();
    assert!(image.get(&[key("early")]).await.unwrap()[0].is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_writes_until_there_is_room() {
    let disk = Disk::new(3);
    let engine = Arc::new(open(&disk, true).unwrap());
    let full = AtomicBool::new(false);
    let filling = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        disk.set_full(true);
        full.store(true, Ordering::SeqCst);
    };
    let (told, ()) = tokio::join!(write_all(&engine), filling);
    assert!(full.load(Ordering::SeqCst));
    assert!(told.iter().all(|(_, error)| matches!(error, StoreError::Full)), "{told:?}");
    assert!(engine.stats().full);
    // Reads go on, large ones too.
    for (writer, (told, _)) in (0..).zip(&told) {
        let found = everything_of(&engine, writer).await.unwrap();
        let ids: BTreeSet<String> = found.iter().map(|object| object.key.id.to_string()).collect();
        assert!(ids.into_iter().eq(expected(writer, told.commits).into_keys()));
        assert_eq!(engine.get(&[key(&marker(writer))]).await.unwrap()[0].is_some(), told.commits > 0);
    }
    // More than all the log, which may have started anew meanwhile and so has room again.
    let log: usize = disk.files().values().map(Vec::len).sum();
    let refused = engine.commit(commit(vec![put("no room", &json!({"text": "x".repeat(log)}))])).await;
    assert!(matches!(refused, Err(StoreError::Full)));
    // Long enough for the log to be copied, or not, on the full disk.
    tokio::time::sleep(Duration::from_millis(700)).await;

    disk.set_full(false);
    let last = told.iter().map(|(told, _)| told.last_seq).max().unwrap();
    let done = engine.commit(commit(vec![put("room", &json!({}))])).await.unwrap();
    assert_eq!(done.seq_no, last + 1, "a refused commit draws no number");
    assert!(!engine.stats().full);
    assert_eq!(engine.get(&[key("no room")]).await.unwrap(), [None]);
    engine.commit(commit(vec![Operation::Delete(key("room"))])).await.unwrap();
    disk.power_cut();
    let told: Vec<Told> = told.into_iter().map(|(told, _)| told).collect();
    assert_eq!(check(&disk.crash_image(&mut Rng::new(3)), &told).await, Ok(()));
}

/// The log has room for what is small, because it was longer once and starts anew after it was copied.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_too_large_for_the_disk_fails_alone() {
    const ROOM: usize = 1_500_000;
    // The smaller is refused with its whole group: each of the others gets a try of its own. The larger is
    // refused while it is written, and those behind it are a group again.
    for (large, tries) in [(ROOM + 300_000, 8), (4 * ROOM, 5)] {
        let disk = Disk::new(4);
        // On a clock that stands still a group takes everybody who waits.
        let engine = open_with(&disk, true, FakeClock::at(Millis(0)), Arc::new(|_| {})).unwrap();
        let text = |bytes: usize| json!({"text": "x".repeat(bytes)});
        engine.commit(commit(vec![put("long", &text(ROOM))])).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1000)).await;
        engine.commit(commit(vec![put("long", &json!({}))])).await.unwrap();
        disk.set_full(true);
        let groups = engine.stats().groups;

        // Who holds the write lock lets them gather behind the first.
        let blocker = disk.open(FILE).unwrap();
        blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
        let small = |n: usize| commit(vec![put(&format!("small {n}"), &json!({"n": n}))]);
        let mut members: Vec<Commit> = (0..4).map(small).collect();
        members.push(commit(vec![put("large", &text(large)), put("with it", &json!({}))]));
        members.extend((4..8).map(small));
        let waiting = members.len() as u64 - 1;
        let writing = join_all(members.into_iter().map(|member| engine.commit(member)));
        let letting = async {
            while engine.stats().waiting < waiting {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            blocker.execute_batch("ROLLBACK").unwrap();
        };
        let (mut answers, ()): (Vec<Result<Committed, StoreError>>, ()) = tokio::join!(writing, letting);
        assert!(matches!(answers.remove(4), Err(StoreError::Full)));
        let written: Vec<Committed> = answers.into_iter().map(|answer| answer.unwrap()).collect();
        assert_eq!(engine.stats().groups, groups + tries);
        let numbers: BTreeSet<u64> = written.iter().map(|committed| committed.seq_no).collect();
        assert_eq!(numbers.len(), 8);
        let gone = [key("large"), key("with it")];
        assert_eq!(engine.get(&gone).await.unwrap(), [None, None]);

        disk.power_cut();
        let image = open(&disk.crash_image(&mut Rng::new(4)), true).unwrap();
        let keys: Vec<Key> = (0..8).map(|n| key(&format!("small {n}"))).collect();
        let found = image.get(&keys).await.unwrap();
        let found: Vec<u64> = found.iter().map(|object| object.as_ref().unwrap().version.seq_no).collect();
        assert!(found.into_iter().eq(numbers));
        assert_eq!(image.get(&gone).await.unwrap(), [None, None]);
    }
}
