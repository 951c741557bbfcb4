//! Searches as a whole: types, names, pages.

use super::{Factory, Scene, fault, ids};
use ikebana_query::Query;
use ikebana_store::{Commit, FindRequest, Operation, Spaces};
use serde_json::json;
use std::sync::Arc;

pub(crate) async fn types_are_those_asked_for(make: Factory) {
    let scene = Scene::new(make);
    scene
        .put_all([
            scene.note("n", json!({"status": "open"})),
            scene.draft("single", "default", "s", json!({"status": "open"})),
            scene.draft("agnostic", "default", "g", json!({"status": "open"})),
        ])
        .await;
    let find = async |names: &[&str], query: Query| {
        let types = names.iter().map(|name| Arc::from(*name)).collect();
        scene.ids(FindRequest { types, query, ..FindRequest::of("note") }).await
    };
    let none = Vec::<String>::new();
    assert_eq!(find(&["note"], Query::MatchAll).await, ["n"]);
    assert_eq!(find(&["agnostic", "note", "single"], Query::MatchAll).await, ["n", "s", "g"]);
    assert_eq!(find(&["agnostic", "unheard"], Query::MatchAll).await, ["g"]);
    assert_eq!(find(&["unheard"], Query::MatchAll).await, none);
    assert_eq!(find(&[], Query::MatchAll).await, none);
    assert_eq!(find(&["note", "note"], Query::MatchAll).await, ["n"]);
    let open = Query::term("single.attributes.status", "open");
    assert_eq!(find(&["note", "single"], open.clone()).await, ["s"]);
    assert_eq!(find(&["note", "single"], Query::negate(open.clone())).await, ["n"]);
    // A field of a type that was not asked for.
    assert_eq!(find(&["note"], open.clone()).await, none);
    assert_eq!(find(&["note"], Query::negate(open)).await, ["n"]);
}

pub(crate) async fn names_that_cannot_be_asked_for(make: Factory) {
    let scene = Scene::new(make);
    scene.put(scene.note("1", json!({"references": "x"}))).await;
    for name in ["status", "note.status", "note.attributes", "note", ""] {
        let request = FindRequest { query: Query::term(name, "x"), ..FindRequest::of("note") };
        let text = format!("This key '{name}' does not name a field");
        assert_eq!(fault(scene.engine.find(request.clone()).await), text);
        let keep_alive = std::time::Duration::from_secs(1);
        assert_eq!(fault(scene.engine.open_point_in_time(request, keep_alive).await), text);
    }
}

pub(crate) async fn a_search_sees_changes_and_deletions(make: Factory) {
    let scene = Scene::new(make);
    let status = |value: &str| Query::term("note.attributes.status", value);
    let plain = |value: &str| Query::term("note.attributes.plain", value);
    let both = |value: &str| json!({"status": value, "plain": value});
    scene.put_all([scene.note("1", both("a")), scene.note("2", both("a"))]).await;
    scene.put(scene.note("1", both("b"))).await;
    for (a, b) in [(status("a"), status("b")), (plain("a"), plain("b"))] {
        assert_eq!(scene.asked(a).await, ["2"]);
        assert_eq!(scene.asked(b).await, ["1"]);
    }
    scene.delete(&scene.key("note", "default", "1")).await;
    for query in [status("b"), plain("b")] {
        assert_eq!(scene.asked(query).await, Vec::<String>::new());
    }
    // Made anew it is young.
    scene.put(scene.note("1", both("b"))).await;
    assert_eq!(scene.asked(Query::MatchAll).await, ["2", "1"]);
    let refused =
        Commit::new().then(Operation::Put(scene.note("2", both("b")))).create(scene.note("1", both("c")));
    assert_eq!(scene.refusal(refused).await, "Saved object [note/1] conflict");
    assert_eq!(scene.asked(status("b")).await, ["1"]);
}

pub(crate) async fn totals_and_pages(make: Factory) {
    let scene = Scene::new(make);
    let names: Vec<String> = (0..25).map(|n| format!("{n:02}")).collect();
    scene.put_all(names.iter().map(|id| scene.note(id, json!({"status": "open"})))).await;
    for query in [Query::MatchAll, Query::term("note.attributes.status", "open")] {
        for (from, size) in [
            (0, 10),
            (10, 10),
            (20, 10),
            (24, 1),
            (25, 10),
            (1000, 10),
            (0, 0),
            (7, 3),
            (3, usize::MAX),
            (usize::MAX, 1),
        ] {
            let request = FindRequest { query: query.clone(), from, size, ..FindRequest::of("note") };
            let page = scene.engine.find(request).await.unwrap();
            let expected: Vec<String> = names.iter().skip(from).take(size).cloned().collect();
            assert_eq!((page.total, ids(&page.objects)), (25, expected), "{from} {size}");
        }
    }
    assert_eq!(scene.engine.find(FindRequest::of("note")).await.unwrap().objects.len(), 20);
}

pub(crate) async fn both_of_one_moment(make: Factory) {
    let scene = Scene::new(make);
    let engine = scene.engine.clone();
    let drafts: Vec<_> = (0..200).map(|n| scene.note(&n.to_string(), json!({"status": "open"}))).collect();
    let writer = tokio::spawn(async move {
        // Two by two: a page that sees one of a pair is of two moments.
        for pair in drafts.chunks(2) {
            let operations = pair.iter().cloned().map(Operation::Put).collect();
            engine.commit(Commit { operations, ..Commit::new() }).await.unwrap();
        }
    });
    let query = Query::term("note.attributes.status", "open");
    while !writer.is_finished() {
        let request =
            FindRequest { query: query.clone(), size: 1000, spaces: Spaces::All, ..FindRequest::of("note") };
        let page = scene.engine.find(request).await.unwrap();
        assert_eq!(page.total, page.objects.len() as u64);
        assert_eq!(page.total % 2, 0);
    }
    writer.await.unwrap();
    assert_eq!(scene.asked(query).await.len(), 200);
}
