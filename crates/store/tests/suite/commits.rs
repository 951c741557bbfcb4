//! Preconditions and operations, together or not at all.

use super::{Factory, START, Scene, fault, map};
use ikebana_clock::{Clock as _, Millis};
use ikebana_store::{
    Changes, Commit, Draft, Operation, Precondition, Priority, Reference, SavedObject, Version,
};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

pub(crate) async fn operations_are_done_in_order_and_answered(make: Factory) {
    let scene = Scene::new(make);
    let commit = Commit::new()
        .then(Operation::Put(scene.note("a", json!({"n": 1}))))
        .then(Operation::Put(scene.note("b", json!({"n": 2}))))
        .then(Operation::Delete(scene.key("note", "default", "a")))
        .then(Operation::Delete(scene.key("note", "default", "never")))
        .then(Operation::Put(scene.note("b", json!({"n": 3}))));
    let committed = scene.engine.commit(commit).await.unwrap();
    let written: Vec<_> =
        committed.objects.iter().map(|one| (&*one.key.id, one.attributes["n"].clone())).collect();
    assert_eq!(written, [("a", json!(1)), ("b", json!(2)), ("b", json!(3))]);
    assert_eq!(committed.deleted, 1);
    assert_eq!(committed.seq_no, committed.objects[2].version.seq_no);
    assert_eq!(scene.get(&scene.key("note", "default", "a")).await, None);
    let found = scene.get(&scene.key("note", "default", "b")).await;
    assert_eq!(found, Some(committed.objects[2].clone()));

    let nothing = scene.engine.commit(Commit::new()).await.unwrap();
    assert_eq!((nothing.objects.len(), nothing.deleted), (0, 0));
}

pub(crate) async fn everything_of_an_object_is_kept(make: Factory) {
    let scene = Scene::new(make);
    let attributes = json!({
        "z": 1, "a": [null, true, 1.5, -7, 9_007_199_254_740_993_i64, "x"], "": {"deep": {"er": []}},
        "dotted.key": "é\u{1F600}\"\\\n\u{0}", "none": null, "title": "words", "status": ["s", 1, false],
    });
    let draft = Draft {
        key: scene.key("note", "default", "id with / and é"),
        namespaces: vec!["default".into(), "other".into()],
        origin_id: Some("origin".to_owned()),
        attributes: map(attributes),
        references: vec![
            Reference { name: "one".into(), object_type: "note".into(), id: "x".into() },
            Reference { name: "two".into(), object_type: "note".into(), id: "x".into() },
        ],
        created_at: Some(Millis(5)),
        created_by: Some("u_1".to_owned()),
        updated_by: Some("u_2".to_owned()),
        managed: true,
    };
    let written = scene.put(draft.clone()).await;
    let expected = SavedObject {
        key: draft.key.clone(),
        namespaces: draft.namespaces.clone(),
        origin_id: draft.origin_id.clone(),
        attributes: draft.attributes.clone(),
        references: draft.references.clone(),
        version: written.version,
        created_at: Millis(5),
        updated_at: START,
        created_by: draft.created_by.clone(),
        updated_by: draft.updated_by.clone(),
        managed: true,
        type_migration_version: "8.0.0".into(),
    };
    assert_eq!(*written, expected);
    let read = scene.get(&draft.key).await.unwrap();
    assert_eq!(*read, expected);
    let order: Vec<&String> = read.attributes.keys().collect();
    assert_eq!(order, draft.attributes.keys().collect::<Vec<_>>());
    assert_eq!(read.draft(), draft);
}

/// Everything there is, and the changes.
async fn state(scene: &Scene) -> (Vec<Option<Arc<SavedObject>>>, Changes) {
    let keys = ["a", "b", "c"].map(|id| scene.key("note", "default", id));
    (scene.engine.get(&keys).await.unwrap(), scene.engine.changes(0, 100).await.unwrap())
}

pub(crate) async fn nothing_is_done_if_a_precondition_fails(make: Factory) {
    let scene = Scene::new(make);
    let first = scene.put(scene.note("a", json!({"n": 1}))).await;
    let b = scene.put(scene.note("b", json!({}))).await;
    let before = state(&scene).await;
    let commit = Commit::new()
        .replace(scene.note("a", json!({"n": 2})), first.version)
        .create(scene.note("c", json!({})))
        .then(Operation::Delete(b.key.clone()))
        .when(Precondition::Absent(b.key.clone()));
    assert_eq!(scene.refusal(commit).await, "Saved object [note/b] conflict");
    assert_eq!(state(&scene).await, before);
}

pub(crate) async fn nothing_is_done_if_an_operation_fails(make: Factory) {
    let scene = Scene::new(make);
    scene.put(scene.draft("agnostic", "default", "x", json!({"name": "taken"}))).await;
    scene.put(scene.note("b", json!({}))).await;
    let before = state(&scene).await;
    let commit = Commit::new()
        .then(Operation::Put(scene.note("a", json!({}))))
        .then(Operation::Delete(scene.key("note", "default", "b")))
        .then(Operation::Put(scene.draft("agnostic", "default", "y", json!({"name": "taken"}))));
    assert_eq!(scene.refusal(commit).await, "another [agnostic] has the same [name]");
    assert_eq!(state(&scene).await, before);
}

pub(crate) async fn preconditions_are_judged_before_the_operations(make: Factory) {
    let scene = Scene::new(make);
    let below = |limit| Precondition::CountBelow { object_type: "note".into(), limit };
    let commit =
        Commit::new().create(scene.note("a", json!({}))).create(scene.note("b", json!({}))).when(below(1));
    assert_eq!(scene.engine.commit(commit).await.unwrap().objects.len(), 2);
    // The same object twice: absent holds, for nothing was written yet when it was asked.
    let twice =
        Commit::new().create(scene.note("c", json!({"n": 1}))).create(scene.note("c", json!({"n": 2})));
    assert_eq!(scene.engine.commit(twice).await.unwrap().objects.len(), 2);
    let found = scene.get(&scene.key("note", "default", "c")).await.unwrap();
    assert_eq!(found.attributes, map(json!({"n": 2})));
}

pub(crate) async fn faults_say_what_is_wrong(make: Factory) {
    let scene = Scene::new(make);
    let first = scene.put(scene.note("a", json!({}))).await;
    let second = scene.put(scene.note("a", json!({}))).await;
    let never = scene.note("never", json!({}));
    let other_life = Version { primary_term: second.version.primary_term + 1, ..second.version };
    for (commit, text) in [
        (Commit::new().create(scene.note("a", json!({}))), "Saved object [note/a] conflict"),
        (Commit::new().replace(first.draft(), first.version), "Saved object [note/a] conflict"),
        (Commit::new().replace(first.draft(), other_life), "Saved object [note/a] conflict"),
        (Commit::new().replace(never, first.version), "Saved object [note/never] not found"),
    ] {
        assert_eq!(scene.refusal(commit).await, text);
    }
    let mut unknown = scene.note("a", json!({}));
    unknown.key.object_type = "unheard";
    let text = "Unsupported saved object type: 'unheard'";
    let key = unknown.key.clone();
    assert_eq!(scene.refusal(Commit::new().when(Precondition::Absent(key.clone()))).await, text);
    assert_eq!(scene.refusal(Commit::new().then(Operation::Delete(key.clone()))).await, text);
    assert_eq!(scene.refusal(Commit::new().then(Operation::Put(unknown))).await, text);
    assert_eq!(fault(scene.engine.get(&[key]).await), text);
    assert!(scene.engine.commit(Commit::new().replace(second.draft(), second.version)).await.is_ok());
}

pub(crate) async fn there_is_room_below_the_count(make: Factory) {
    let scene = Scene::new(make);
    let create = |space: &str, id: &str| {
        let below = Precondition::CountBelow { object_type: "single".into(), limit: 3 };
        Commit::new().when(below).create(scene.draft("single", space, id, json!({})))
    };
    for (space, id) in [("default", "1"), ("other", "1"), ("default", "2")] {
        scene.engine.commit(create(space, id)).await.unwrap();
    }
    let text = "there are 3 objects of type [single] already";
    assert_eq!(scene.refusal(create("default", "3")).await, text);
    scene.put(scene.note("of another type", json!({}))).await;
    scene.delete(&scene.key("single", "other", "1")).await;
    // What was refused after it had added is not counted.
    let twice = create("default", "3").then(Operation::Put(scene.draft(
        "single",
        "default",
        "a",
        json!({"name": "x"}),
    )));
    let twice = twice.then(Operation::Put(scene.draft("single", "default", "b", json!({"name": "x"}))));
    assert_eq!(scene.refusal(twice).await, "another [single] has the same [name]");
    scene.engine.commit(create("default", "3")).await.unwrap();
    assert_eq!(scene.refusal(create("default", "4")).await, text);
    scene.engine.commit(Commit::new().then(Operation::EmptySpace("default".into()))).await.unwrap();
    for id in ["1", "2", "3"] {
        scene.engine.commit(create("default", id)).await.unwrap();
    }
    assert_eq!(scene.refusal(create("default", "4")).await, text);
}

pub(crate) async fn versions_rise_and_terms_stay(make: Factory) {
    let scene = Scene::new(make);
    let mut last = 0;
    for round in 0..5 {
        let commit = Commit::new()
            .then(Operation::Put(scene.note("a", json!({"round": round}))))
            .then(Operation::Put(scene.note(&format!("new {round}"), json!({}))));
        let committed = scene.engine.commit(commit).await.unwrap();
        for object in &committed.objects {
            assert!(object.version.seq_no > last, "{} after {last}", object.version.seq_no);
            assert_eq!(object.version.primary_term, 1);
            last = object.version.seq_no;
        }
        assert_eq!(committed.seq_no, last);
        scene.delete(&scene.key("note", "default", "a")).await;
    }
    let again = scene.put(scene.note("a", json!({}))).await;
    assert!(again.version.seq_no > last + 1, "a deletion draws a number too");
}

pub(crate) async fn times_are_those_of_the_clock(make: Factory) {
    let scene = Scene::new(make);
    let made = scene.put(scene.note("a", json!({}))).await;
    assert_eq!((made.created_at, made.updated_at), (START, START));
    scene.clock.advance(Duration::from_millis(1500));
    let changed = scene.put(made.draft()).await;
    assert_eq!((changed.created_at, changed.updated_at), (START, Millis(START.0 + 1500)));
    scene.clock.advance(Duration::from_secs(1));
    let anew = scene.put(scene.note("a", json!({}))).await;
    assert_eq!((anew.created_at, anew.updated_at), (scene.clock.now(), scene.clock.now()));
    assert_eq!(scene.get(&anew.key).await, Some(anew));
}

pub(crate) async fn one_of_many_creators_wins(make: Factory) {
    let scene = Scene::new(make);
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..32 {
        let engine = scene.engine.clone();
        let commit = Commit::new().create(scene.note("a", json!({"n": n})));
        tasks.spawn(async move { engine.commit(commit).await });
    }
    let results = tasks.join_all().await;
    let won: Vec<_> = results.iter().filter_map(|result| result.as_ref().ok()).collect();
    assert_eq!(won.len(), 1);
    let lost: Vec<String> =
        results.iter().filter_map(|result| Some(result.as_ref().err()?.to_string())).collect();
    assert_eq!(lost, vec!["Saved object [note/a] conflict"; 31]);
    assert_eq!(scene.get(&scene.key("note", "default", "a")).await, Some(won[0].objects[0].clone()));
}

pub(crate) async fn bulk_work_is_done_too(make: Factory) {
    let scene = Scene::new(make);
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..60 {
        let engine = scene.engine.clone();
        let priority = if n % 2 == 0 { Priority::Bulk } else { Priority::Interactive };
        let commit = Commit { priority, ..Commit::new() }.create(scene.note(&n.to_string(), json!({})));
        tasks.spawn(async move { engine.commit(commit).await.map(|committed| committed.seq_no) });
    }
    let mut drawn: Vec<u64> = tasks.join_all().await.into_iter().map(|result| result.unwrap()).collect();
    drawn.sort_unstable();
    drawn.dedup();
    assert_eq!(drawn.len(), 60);
    assert_eq!(scene.engine.stats().commits, 60);
}

/// Whoever hears of a conflict finds, when it looks, what it was with.
pub(crate) async fn the_loser_can_read_what_won(make: Factory) {
    let scene = Arc::new(Scene::new(make));
    for round in 0..60 {
        let id = round.to_string();
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..4 {
            let (scene, id) = (scene.clone(), id.clone());
            tasks.spawn(async move {
                let commit = Commit::new().create(scene.note(&id, json!({"n": n})));
                if scene.engine.commit(commit).await.is_err() {
                    assert!(scene.get(&scene.key("note", "default", &id)).await.is_some(), "round {id}");
                }
            });
        }
        tasks.join_all().await;
    }
}
