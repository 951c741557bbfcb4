//! What is seen from where, and emptying a space.

use super::{Factory, Scene, namespaces, spaces};
use ikebana_query::Query;
use ikebana_store::{Change, ChangeKind, Changes, Commit, Draft, FindRequest, Operation, Spaces};
use serde_json::json;
use std::sync::Arc;

/// Objects of every class in `a`, `b`, both, all and none.
async fn furnish(scene: &Scene) {
    let status = || json!({"status": "open", "title": "words"});
    let note = |id: &str, names: &[&str]| Draft { namespaces: namespaces(names), ..scene.note(id, status()) };
    scene
        .put_all([
            note("in a", &["a"]),
            note("in b", &["b"]),
            note("in a and b", &["a", "b"]),
            note("in all", &["*"]),
            scene.draft("single", "a", "single a", status()),
            scene.draft("single", "b", "single b", status()),
            scene.draft("isolated", "a", "isolated a", status()),
            scene.draft("agnostic", "a", "agnostic", status()),
        ])
        .await;
}

fn everything(spaces: Spaces) -> FindRequest {
    let types = ["note", "single", "isolated", "agnostic"].map(Arc::from).to_vec();
    FindRequest { types, spaces, ..FindRequest::of("note") }
}

pub(crate) async fn a_search_looks_into_the_spaces_asked_for(make: Factory) {
    let scene = Scene::new(make);
    furnish(&scene).await;
    let seen = async |spaces| scene.ids(everything(spaces)).await;
    let in_a = ["in a", "in a and b", "in all", "single a", "isolated a", "agnostic"];
    assert_eq!(seen(spaces(&["a"])).await, in_a);
    assert_eq!(seen(spaces(&["b"])).await, ["in b", "in a and b", "in all", "single b", "agnostic"]);
    assert_eq!(seen(spaces(&["c"])).await, ["in all", "agnostic"]);
    let all = ["in a", "in b", "in a and b", "in all", "single a", "single b", "isolated a", "agnostic"];
    assert_eq!(seen(spaces(&["a", "b"])).await, all);
    assert_eq!(seen(spaces(&["a", "b", "a"])).await, all);
    assert_eq!(seen(Spaces::All).await, all);
}

pub(crate) async fn an_indexed_filter_minds_the_spaces_too(make: Factory) {
    let scene = Scene::new(make);
    furnish(&scene).await;
    let open = |name: &str| Query::term(format!("{name}.attributes.status"), "open");
    let query = Query::Or(vec![open("note"), open("single"), open("agnostic")]);
    let seen = async |spaces| scene.ids(FindRequest { query: query.clone(), ..everything(spaces) }).await;
    assert_eq!(seen(spaces(&["a"])).await, ["in a", "in a and b", "in all", "single a", "agnostic"]);
    assert_eq!(seen(spaces(&["b"])).await, ["in b", "in a and b", "in all", "single b", "agnostic"]);
    assert_eq!(seen(spaces(&["c"])).await, ["in all", "agnostic"]);
    assert_eq!(seen(Spaces::All).await.len(), 7);
}

pub(crate) async fn an_emptied_space_leaves_the_others(make: Factory) {
    let scene = Scene::new(make);
    furnish(&scene).await;
    let shared = scene.get(&scene.key("note", "a", "in a and b")).await.unwrap();
    let committed = scene.engine.commit(Commit::new().then(Operation::EmptySpace("a".into()))).await.unwrap();
    assert_eq!((committed.deleted, committed.objects.len()), (3, 0));
    assert_eq!(scene.ids(everything(spaces(&["a"]))).await, ["in all", "agnostic"]);
    let left = ["in b", "in a and b", "in all", "single b", "agnostic"];
    assert_eq!(scene.ids(everything(Spaces::All)).await, left);
    let moved = scene.get(&shared.key).await.unwrap();
    assert_eq!(moved.namespaces, namespaces(&["b"]));
    assert_eq!(moved.attributes, shared.attributes);
    assert!(moved.version.seq_no > shared.version.seq_no && moved.version.seq_no <= committed.seq_no);
    assert_eq!(scene.get(&scene.key("single", "a", "single a")).await, None);

    let Changes::Since(changes) = scene.engine.changes(shared.version.seq_no + 5, 100).await.unwrap() else {
        panic!("the log reaches back to the start");
    };
    let mut said: Vec<(String, ChangeKind)> =
        changes.into_iter().map(|Change { key, kind, .. }| (key.id.to_string(), kind)).collect();
    said.sort_by(|one, other| one.0.cmp(&other.0));
    let expected = [
        ("in a", ChangeKind::Delete),
        ("in a and b", ChangeKind::Put),
        ("isolated a", ChangeKind::Delete),
        ("single a", ChangeKind::Delete),
    ];
    assert_eq!(said, expected.map(|(id, kind)| (id.to_owned(), kind)));

    let again = scene.engine.commit(Commit::new().then(Operation::EmptySpace("a".into()))).await.unwrap();
    assert_eq!(again.deleted, 0);
}

pub(crate) async fn an_emptied_space_is_part_of_its_commit(make: Factory) {
    let scene = Scene::new(make);
    furnish(&scene).await;
    // Read once, so that an engine that keeps objects in memory has something to forget.
    let keys = ["in a", "in a and b"].map(|id| scene.key("note", "a", id));
    assert_eq!(scene.engine.get(&keys).await.unwrap().len(), 2);
    let commit = Commit::new()
        .then(Operation::Put(scene.draft("single", "a", "also gone", json!({}))))
        .then(Operation::EmptySpace("a".into()))
        .then(Operation::Put(scene.draft("single", "a", "new", json!({"name": "n"}))));
    let committed = scene.engine.commit(commit).await.unwrap();
    let answered: Vec<&str> = committed.objects.iter().map(|object| &*object.key.id).collect();
    assert_eq!(answered, ["also gone", "new"]);
    assert_eq!(committed.deleted, 4);
    assert_eq!(scene.ids(everything(spaces(&["a"]))).await, ["in all", "agnostic", "new"]);
    let read = scene.engine.get(&keys).await.unwrap();
    assert_eq!(read[0], None);
    assert_eq!(read[1].as_ref().unwrap().namespaces, namespaces(&["b"]));
    let new = scene.get(&scene.key("single", "a", "new")).await.unwrap();
    assert_eq!(new, committed.objects[1]);
}
