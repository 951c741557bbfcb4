//! The Kibana Query Language, from text to objects.

use super::{Factory, START, Scene};
use ikebana_query::{FieldKind, Mapping, kql};
use jiff::Timestamp;
use serde_json::json;

/// The names by which queries know the fields of the suite's notes.
fn fields() -> Mapping {
    let named = |path: &str| format!("note.attributes.{path}");
    Mapping::new()
        .with(named("title"), FieldKind::Text)
        .with(named("status"), FieldKind::Keyword)
        .with(named("tags"), FieldKind::Keyword)
        .with(named("owner.name"), FieldKind::Keyword)
        .with(named("size"), FieldKind::Number)
        .with(named("done"), FieldKind::Boolean)
        .with(named("due"), FieldKind::Date)
        .with(named("steps"), FieldKind::Nested)
        .with(named("steps.kind"), FieldKind::Keyword)
        .with(named("steps.n"), FieldKind::Number)
        .with(named("plain"), FieldKind::Keyword)
        .with("note.id", FieldKind::Keyword)
        .with("note.updated_at", FieldKind::Date)
        .with("type", FieldKind::Keyword)
}

async fn found(scene: &Scene, text: &str) -> Vec<String> {
    let now = Timestamp::from_millisecond(START.0).unwrap();
    let query = kql::to_query(&kql::parse(text).unwrap(), &fields(), &kql::Options::at(now));
    scene.asked(query).await
}

pub(crate) async fn texts_find_what_they_say(make: Factory) {
    let scene = Scene::new(make);
    scene
        .put_all([
            scene.note(
                "1",
                json!({"status": "open", "size": 1, "due": "2023-11-14", "done": true,
                                   "title": "Quick brown fox", "tags": ["a b", "c"], "plain": "x"}),
            ),
            scene.note(
                "2",
                json!({"status": "open late", "size": 20, "due": "2023-11-20T12:00:00Z",
                                   "title": "lazy dog", "owner": {"name": "ann"}, "plain": "y"}),
            ),
            scene.note("3", json!({"status": "closed", "done": false, "owner": {"name": "bob"}})),
        ])
        .await;
    for (text, expected) in [
        ("note.attributes.status: open", &["1"][..]),
        ("note.attributes.status: \"open late\"", &["2"]),
        ("note.attributes.status: open*", &["1", "2"]),
        ("note.attributes.status: (open or closed)", &["1", "3"]),
        ("not note.attributes.status: open", &["2", "3"]),
        ("note.attributes.size > 1", &["2"]),
        ("note.attributes.size >= 1 and note.attributes.size < 20", &["1"]),
        ("note.attributes.due > now", &["2"]),
        ("note.attributes.due >= now/d", &["1", "2"]),
        ("note.attributes.due: \"2023-11-20\"", &["2"]),
        ("note.attributes.done: true", &["1"]),
        ("note.attributes.done: *", &["1", "3"]),
        ("note.attributes.title: brown dog", &["1", "2"]),
        ("note.attributes.title: \"brown dog\"", &[]),
        ("note.attributes.title: qui*", &["1"]),
        ("note.attributes.tags: \"a b\"", &["1"]),
        ("note.attributes.owner.name: (ann or bob)", &["2", "3"]),
        ("note.attributes.owner.*: ann", &["2"]),
        ("note.attributes.plain: x", &["1"]),
        ("note.attributes.plain: x or note.attributes.owner.name: bob", &["1", "3"]),
        ("note.id: 2", &["2"]),
        ("type: note and not note.id: (1 or 2)", &["3"]),
        ("type: single", &[]),
        ("note.updated_at <= now", &["1", "2", "3"]),
        ("note.attributes.unheard: x", &[]),
        ("single.attributes.status: open", &[]),
        ("*", &["1", "2", "3"]),
    ] {
        assert_eq!(found(&scene, text).await, expected, "{text}");
    }
}

pub(crate) async fn nested_objects_one_by_one(make: Factory) {
    let scene = Scene::new(make);
    scene
        .put_all([
            scene.note("1", json!({"steps": [{"kind": "a", "n": 1}, {"kind": "b", "n": 2}]})),
            scene.note("2", json!({"steps": [{"kind": "a", "n": 2}]})),
        ])
        .await;
    for (text, expected) in [
        ("note.attributes.steps: { kind: a and n: 1 }", &["1"][..]),
        ("note.attributes.steps: { kind: a and n > 1 }", &["2"]),
        ("note.attributes.steps: { kind: a }", &["1", "2"]),
        ("note.attributes.steps: { kind: a and not n: 1 }", &["2"]),
        ("not note.attributes.steps: { kind: b }", &["2"]),
    ] {
        assert_eq!(found(&scene, text).await, expected, "{text}");
    }
}
