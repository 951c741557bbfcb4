//! Copies of everything, made and put back while the store runs.

use super::{Factory, START, Scene, fault, other_registry};
use ikebana_query::Query;
use ikebana_store::{
    Changes, Commit, FindRequest, Mark, ObjectType, Operation, Priority, Registry, Search, Spaces,
};
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

fn path(scene: &Scene, name: &str) -> PathBuf {
    scene.folder.path().join(name)
}

async fn everything(scene: &Scene) -> Vec<String> {
    let types = scene.registry.all().into_iter().map(|one| Arc::from(one.name)).collect();
    scene.ids(FindRequest { types, spaces: Spaces::All, ..FindRequest::of("note") }).await
}

pub(crate) async fn a_backup_brings_everything_back(make: Factory) {
    let scene = Scene::new(make);
    let before = scene.put(scene.note("1", json!({"title": "brown fox", "status": "open"}))).await;
    scene
        .put_all([
            scene.draft("single", "there", "1", json!({"name": "taken"})),
            scene.draft("agnostic", "there", "g", json!({"name": "taken"})),
        ])
        .await;
    let copy = path(&scene, "copy");
    scene.engine.backup(&copy).await.unwrap();

    // Into a store with other content and, inside, other numbers.
    let other = Scene::with(make, other_registry());
    other.put(other.draft("aaa", "default", "gone", json!({}))).await;
    other.put(other.note("1", json!({"title": "other words"}))).await;
    assert_eq!(other.get(&before.key).await.unwrap().attributes["title"], "other words");
    other.engine.restore(&copy).await.unwrap();
    assert_eq!(everything(&other).await, ["1", "1", "g"]);
    assert_eq!(other.get(&before.key).await, Some(before));
    let taken =
        Commit::new().then(Operation::Put(other.draft("single", "there", "2", json!({"name": "taken"}))));
    assert_eq!(other.refusal(taken).await, "another [single] has the same [name]");
    assert_eq!(other.asked(Query::term("note.attributes.status", "open")).await, ["1"]);
    let search = Some(Search { text: "fox".to_owned(), all: false, fields: vec![] });
    assert_eq!(other.ids(FindRequest { search, ..FindRequest::of("note") }).await, ["1"]);
    other.put(other.draft("aaa", "default", "new", json!({}))).await;
    other.put(other.note("2", json!({"status": "open"}))).await;
    assert_eq!(everything(&other).await, ["1", "1", "g", "new", "2"]);
    // The backup is as it was.
    scene.engine.restore(&copy).await.unwrap();
    assert_eq!(everything(&scene).await, ["1", "1", "g"]);
}

pub(crate) async fn a_restore_begins_a_new_life(make: Factory) {
    let scene = Scene::new(make);
    scene.put(scene.note("1", json!({"n": 1}))).await;
    let copy = path(&scene, "copy");
    scene.engine.backup(&copy).await.unwrap();
    let later = scene.put(scene.note("1", json!({"n": 2}))).await;
    scene.put(scene.note("2", json!({}))).await;
    let point =
        scene.engine.open_point_in_time(FindRequest::of("note"), Duration::from_secs(60)).await.unwrap();
    let mut wakeups = scene.engine.wakeups();
    wakeups.mark_unchanged();

    scene.engine.restore(&copy).await.unwrap();
    assert!(wakeups.has_changed().unwrap());
    let mark = *wakeups.borrow_and_update();
    assert_eq!(mark.primary_term, 2);
    let gone = format!("No search context found for id [{}]", point.id);
    assert_eq!(fault(scene.engine.page(point.id, 0, 10).await), gone);
    assert_eq!(scene.get(&scene.key("note", "default", "2")).await, None);

    let restored = scene.get(&later.key).await.unwrap();
    assert_eq!(restored.attributes["n"], 1);
    // A version of the life before, told to a client and never seen in this one.
    let stale = Commit::new().replace(later.draft(), later.version);
    assert_eq!(scene.refusal(stale).await, "Saved object [note/1] conflict");
    let mut current = restored.draft();
    current.attributes.insert("n".to_owned(), json!(3));
    let changed = scene.engine.commit(Commit::new().replace(current, restored.version)).await.unwrap();
    let version = changed.objects[0].version;
    assert_eq!(version.primary_term, 2);
    assert_ne!(version, later.version);
    assert_eq!(*wakeups.borrow_and_update(), Mark { primary_term: 2, seq_no: version.seq_no });
    assert!(
        matches!(scene.engine.changes(mark.seq_no, 10).await.unwrap(), Changes::Since(list) if list.len() == 1)
    );

    scene.engine.restore(&copy).await.unwrap();
    assert_eq!(scene.engine.wakeups().borrow().primary_term, 3);
    let newer = path(&scene, "newer");
    scene.engine.backup(&newer).await.unwrap();
    let other = Scene::new(make);
    other.engine.restore(&newer).await.unwrap();
    assert_eq!(other.engine.wakeups().borrow().primary_term, 4);
}

pub(crate) async fn a_backup_never_overwrites(make: Factory) {
    let scene = Scene::new(make);
    let copy = path(&scene, "copy");
    std::fs::write(&copy, "precious").unwrap();
    assert!(scene.engine.backup(&copy).await.is_err());
    assert_eq!(std::fs::read(&copy).unwrap(), b"precious");
    assert!(scene.engine.backup(&path(&scene, "no/such/folder")).await.is_err());
    assert!(scene.engine.backup(scene.folder.path()).await.is_err());
    scene.engine.backup(&path(&scene, "new")).await.unwrap();
    let first = std::fs::read(path(&scene, "new")).unwrap();
    scene.put(scene.note("1", json!({}))).await;
    assert!(scene.engine.backup(&path(&scene, "new")).await.is_err());
    assert_eq!(std::fs::read(path(&scene, "new")).unwrap(), first);
}

pub(crate) async fn what_is_no_backup_is_refused(make: Factory) {
    let scene = Scene::new(make);
    let copy = path(&scene, "copy");
    scene.put(scene.note("kept", json!({}))).await;
    scene.engine.backup(&copy).await.unwrap();
    let whole = std::fs::read(&copy).unwrap();
    let write = |name: &str, content: &[u8]| {
        std::fs::write(path(&scene, name), content).unwrap();
        path(&scene, name)
    };
    let newer = Registry::new([ObjectType {
        first_version: "99.0.0",
        ..ObjectType::new("note", ikebana_store::Class::Multiple)
    }]);
    let later = Scene::with(make, newer);
    later.put(later.note("from tomorrow", json!({}))).await;
    later.engine.backup(&path(&scene, "newer")).await.unwrap();
    let stranger = Scene::with(make, other_registry());
    stranger.put(stranger.draft("mmm", "default", "unheard", json!({}))).await;
    stranger.engine.backup(&path(&scene, "unheard")).await.unwrap();

    let mut listing = list(&scene);
    let cases = [
        path(&scene, "missing"),
        scene.folder.path().to_owned(),
        write("empty", b""),
        write("short", b"SQLite"),
        write("garbage", &[7; 5000]),
        write("truncated", &whole[..whole.len() / 2]),
        path(&scene, "newer"),
        path(&scene, "unheard"),
    ];
    listing.extend(["empty", "short", "garbage", "truncated"].map(str::to_owned));
    listing.sort();
    let mark = *scene.engine.wakeups().borrow();
    for from in cases {
        let refused = scene.engine.restore(&from).await;
        assert!(refused.is_err(), "{}", from.display());
        assert_eq!(everything(&scene).await, ["kept"], "{}", from.display());
        assert_eq!(*scene.engine.wakeups().borrow(), mark, "{}", from.display());
        assert_eq!(list(&scene), listing, "{}", from.display());
    }
    let text = fault(scene.engine.restore(&path(&scene, "newer")).await);
    assert!(
        text.contains("was written by a newer version of this program (type [note] in version 99.0.0"),
        "{text}"
    );
    scene.put(scene.note("2", json!({}))).await;
    scene.engine.restore(&copy).await.unwrap();
    assert_eq!(everything(&scene).await, ["kept"]);
}

fn list(scene: &Scene) -> Vec<String> {
    let entries = std::fs::read_dir(scene.folder.path()).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

pub(crate) async fn a_backup_is_of_one_moment(make: Factory) {
    let scene = Scene::new(make);
    let pair = |n: u64| {
        let operations = ["a", "b"].map(|id| Operation::Put(scene.note(id, json!({"n": n})))).to_vec();
        Commit { operations, ..Commit::new() }
    };
    scene.engine.commit(pair(0)).await.unwrap();
    let commits: Vec<Commit> = (1..200).map(pair).collect();
    let engine = scene.engine.clone();
    let writer = tokio::spawn(async move {
        for commit in commits {
            engine.commit(commit).await.unwrap();
        }
    });
    let mut copies = 0;
    while !writer.is_finished() || copies == 0 {
        scene.engine.backup(&path(&scene, &format!("copy {copies}"))).await.unwrap();
        copies += 1;
    }
    writer.await.unwrap();
    let other = Scene::new(make);
    for copy in 0..copies.min(10) {
        other.engine.restore(&path(&scene, &format!("copy {copy}"))).await.unwrap();
        let keys = ["a", "b"].map(|id| other.key("note", "default", id));
        let found = other.engine.get(&keys).await.unwrap();
        let n = |at: usize| found[at].as_ref().unwrap().attributes["n"].clone();
        assert_eq!(n(0), n(1));
    }
}

/// Two backups whose engines gave the types other numbers, put in place in turns under readers and writers.
pub(crate) async fn reads_during_restores_are_of_one_life(make: Factory) {
    let scene = Arc::new(Scene::with(make, other_registry()));
    let narrow = Registry::new(
        ["note", "single", "isolated", "multiple", "agnostic"]
            .map(|name| ObjectType::clone(scene.registry.get(name).unwrap())),
    );
    let first = Scene::with(make, narrow);
    for (name, source) in [("first", &first), ("second", &*scene)] {
        for of_type in ["note", "single", "multiple", "agnostic"] {
            source.put(source.draft(of_type, "default", "x", json!({"type": of_type, "life": name}))).await;
        }
        source.engine.backup(&path(&scene, name)).await.unwrap();
    }
    let done = Arc::new(AtomicBool::new(false));
    let mut readers = tokio::task::JoinSet::new();
    for of_type in ["note", "single", "multiple", "agnostic"] {
        let (scene, done) = (scene.clone(), done.clone());
        readers.spawn(async move {
            let key = scene.key(of_type, "default", "x");
            while !done.load(Ordering::SeqCst) {
                let page = scene.engine.find(FindRequest::of(of_type)).await.unwrap();
                assert_eq!(page.objects.len(), 1);
                assert_eq!(page.objects[0].attributes["type"], of_type);
                let read = scene.get(&key).await.unwrap();
                assert_eq!((&read.key, &read.attributes["type"]), (&key, &json!(of_type)));
            }
        });
    }
    for round in 0..20 {
        let name = if round % 2 == 0 { "first" } else { "second" };
        scene.engine.restore(&path(&scene, name)).await.unwrap();
        let read = scene.get(&scene.key("note", "default", "x")).await.unwrap();
        assert_eq!(read.attributes["life"], name);
        let mut draft = read.draft();
        draft.created_at = Some(START);
        let commit = Commit { priority: Priority::Bulk, ..Commit::new() }.replace(draft, read.version);
        scene.engine.commit(commit).await.unwrap();
    }
    done.store(true, Ordering::SeqCst);
    readers.join_all().await;
}
