//! The change feed.

use super::{Factory, Scene};
use ikebana_store::{Change, ChangeKind, Changes, Commit, Key, Mark, Operation, Priority};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

async fn since(scene: &Scene, after: u64, limit: usize) -> Vec<Change> {
    match scene.engine.changes(after, limit).await.unwrap() {
        Changes::Since(changes) => changes,
        Changes::Lost => panic!("the log reaches back to {after}"),
    }
}

/// The last change of each object: all that an engine must tell.
fn last_of_each(changes: &[Change]) -> BTreeMap<Key, (u64, ChangeKind)> {
    changes.iter().map(|change| (change.key.clone(), (change.seq_no, change.kind))).collect()
}

pub(crate) async fn changes_come_in_order(make: Factory) {
    let scene = Scene::new(make);
    assert_eq!(since(&scene, 0, 10).await, []);
    assert_eq!(*scene.engine.wakeups().borrow(), Mark { primary_term: 1, seq_no: 0 });
    let first = scene.put(scene.draft("single", "there", "1", json!({}))).await;
    // The very first change comes after the mark of an empty store.
    let expected = Change { seq_no: first.version.seq_no, key: first.key.clone(), kind: ChangeKind::Put };
    assert_eq!(since(&scene, 0, 10).await, [expected]);
    let second = scene.put(scene.note("2", json!({}))).await;
    let third = scene.put(scene.draft("single", "there", "1", json!({"n": 1}))).await;
    scene.delete(&second.key).await;
    scene.delete(&second.key).await;
    let changes = since(&scene, 0, 10).await;
    assert!(changes.windows(2).all(|pair| pair[0].seq_no < pair[1].seq_no), "{changes:?}");
    let deleted = changes.last().unwrap().seq_no;
    let expected = [
        (first.key.clone(), (third.version.seq_no, ChangeKind::Put)),
        (second.key.clone(), (deleted, ChangeKind::Delete)),
    ];
    assert_eq!(last_of_each(&changes), expected.into());
    assert_eq!(since(&scene, deleted, 10).await, []);
    assert_eq!(since(&scene, deleted + 1000, 10).await, []);
    let rest = since(&scene, second.version.seq_no, 10).await;
    assert!(rest.iter().all(|change| change.seq_no > second.version.seq_no));
    assert_eq!(last_of_each(&rest), last_of_each(&changes));
}

pub(crate) async fn changes_come_in_portions(make: Factory) {
    let scene = Scene::new(make);
    scene.put_all((0..10).map(|n| scene.note(&n.to_string(), json!({})))).await;
    let mut after = 0;
    let mut seen = Vec::new();
    loop {
        let portion = since(&scene, after, 3).await;
        assert!(portion.len() <= 3);
        let Some(last) = portion.last() else { break };
        after = last.seq_no;
        seen.extend(portion);
    }
    assert_eq!(seen, since(&scene, 0, 100).await);
    assert_eq!(seen.len(), 10);
    assert_eq!(since(&scene, 0, 0).await, []);
}

pub(crate) async fn every_commit_wakes_up(make: Factory) {
    let scene = Scene::new(make);
    let mut wakeups = scene.engine.wakeups();
    wakeups.mark_unchanged();
    assert!(!wakeups.has_changed().unwrap());
    for n in 0..3 {
        let written = scene.put(scene.note(&n.to_string(), json!({}))).await;
        tokio::time::timeout(Duration::from_secs(10), wakeups.changed()).await.unwrap().unwrap();
        let mark = *wakeups.borrow_and_update();
        assert_eq!(mark, Mark { primary_term: 1, seq_no: written.version.seq_no });
        // Who was woken up finds what it was for.
        assert_eq!(since(&scene, mark.seq_no - 1, 10).await.len(), 1);
    }
    let engine = scene.engine.clone();
    let listener = tokio::spawn(async move {
        let (mut wakeups, mut after, mut seen) = (engine.wakeups(), 0, Vec::new());
        while seen.len() < 103 {
            let Changes::Since(changes) = engine.changes(after, 1000).await.unwrap() else { panic!("lost") };
            match changes.last() {
                Some(last) => after = last.seq_no,
                None => wakeups.changed().await.unwrap(),
            }
            seen.extend(changes.into_iter().map(|change| change.key.id.to_string()));
        }
        seen
    });
    for n in 3..103 {
        scene.put(scene.note(&n.to_string(), json!({}))).await;
    }
    let seen = tokio::time::timeout(Duration::from_secs(30), listener).await.unwrap().unwrap();
    assert_eq!(seen, (0..103).map(|n| n.to_string()).collect::<Vec<_>>());
}

pub(crate) async fn refused_commits_leave_no_trace(make: Factory) {
    let scene = Scene::new(make);
    let first = scene.put(scene.note("1", json!({}))).await;
    let refused =
        Commit::new().then(Operation::Put(scene.note("2", json!({})))).create(scene.note("1", json!({})));
    assert_eq!(scene.refusal(refused).await, "Saved object [note/1] conflict");
    assert_eq!(scene.engine.wakeups().borrow().seq_no, first.version.seq_no);
    assert_eq!(since(&scene, 0, 10).await.len(), 1);
}

pub(crate) async fn a_reader_far_behind_is_told(make: Factory) {
    let scene = Scene::new(make);
    let drafts: Vec<_> =
        (0..5000).map(|n| scene.draft("agnostic", "default", &n.to_string(), json!({}))).collect();
    let mut wakeups = scene.engine.wakeups();
    for _ in 0..40 {
        let operations = drafts.iter().cloned().map(Operation::Put).collect();
        let commit = Commit { operations, priority: Priority::Bulk, ..Commit::new() };
        scene.engine.commit(commit).await.unwrap();
        if scene.engine.changes(0, 1).await.unwrap() == Changes::Lost {
            break;
        }
    }
    assert_eq!(scene.engine.changes(0, 1).await.unwrap(), Changes::Lost);
    let newest = wakeups.borrow_and_update().seq_no;
    assert_eq!(since(&scene, newest, 10).await, []);
    assert_eq!(since(&scene, newest - 5, 10).await.len(), 5);
}
