//! The order of what is found.

use super::{Factory, Scene, fault};
use ikebana_store::{FindRequest, Sort, Spaces};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

async fn sorted(scene: &Scene, fields: &[(&str, bool)]) -> Vec<String> {
    let sort =
        fields.iter().map(|(field, descending)| Sort { field: (*field).to_owned(), descending: *descending });
    let types = ["note", "agnostic"].map(Arc::from).to_vec();
    scene
        .ids(FindRequest { types, sort: sort.collect(), spaces: Spaces::All, ..FindRequest::of("note") })
        .await
}

async fn furnish(scene: &Scene) {
    for (id, attributes) in [
        ("d", json!({"size": 2, "status": "b", "plain": {"n": "B"}})),
        ("a", json!({"size": 10, "status": "B"})),
        ("c", json!({})),
        ("b", json!({"size": 2.5, "status": "a", "plain": {"n": "A"}})),
        ("e", json!({"size": null, "status": "b", "plain": {"n": "B"}})),
    ] {
        scene.put(scene.note(id, attributes)).await;
        scene.clock.advance(Duration::from_secs(1));
    }
}

pub(crate) async fn by_age_unless_told(make: Factory) {
    let scene = Scene::new(make);
    furnish(&scene).await;
    assert_eq!(sorted(&scene, &[]).await, ["d", "a", "c", "b", "e"]);
    // A change does not make younger.
    scene.put(scene.note("d", json!({}))).await;
    assert_eq!(sorted(&scene, &[]).await, ["d", "a", "c", "b", "e"]);
}

pub(crate) async fn by_attributes_with_the_missing_last(make: Factory) {
    let scene = Scene::new(make);
    furnish(&scene).await;
    assert_eq!(sorted(&scene, &[("attributes.size", false)]).await, ["d", "b", "a", "c", "e"]);
    assert_eq!(sorted(&scene, &[("attributes.size", true)]).await, ["a", "b", "d", "c", "e"]);
    assert_eq!(sorted(&scene, &[("attributes.status", false)]).await, ["a", "b", "d", "e", "c"]);
    assert_eq!(sorted(&scene, &[("attributes.status", true)]).await, ["d", "e", "b", "a", "c"]);
    assert_eq!(sorted(&scene, &[("attributes.plain.n", false)]).await, ["b", "d", "e", "a", "c"]);
    assert_eq!(sorted(&scene, &[("attributes.never", true)]).await, ["d", "a", "c", "b", "e"]);
    let quoted = [("attributes.a\"b'c", false)];
    assert_eq!(sorted(&scene, &quoted).await, ["d", "a", "c", "b", "e"]);
}

pub(crate) async fn by_root_fields_and_several(make: Factory) {
    let scene = Scene::new(make);
    furnish(&scene).await;
    scene.put(scene.draft("agnostic", "default", "f", json!({}))).await;
    let touched = scene.get(&scene.key("note", "default", "a")).await.unwrap();
    scene.clock.advance(Duration::from_secs(1));
    scene.put(touched.draft()).await;
    assert_eq!(sorted(&scene, &[("id", false)]).await, ["a", "b", "c", "d", "e", "f"]);
    assert_eq!(sorted(&scene, &[("id", true)]).await, ["f", "e", "d", "c", "b", "a"]);
    assert_eq!(sorted(&scene, &[("created_at", true)]).await, ["f", "e", "b", "c", "a", "d"]);
    assert_eq!(sorted(&scene, &[("updated_at", true)]).await, ["a", "f", "e", "b", "c", "d"]);
    assert_eq!(sorted(&scene, &[("type", false)]).await, ["f", "d", "a", "c", "b", "e"]);
    assert_eq!(sorted(&scene, &[("type", true), ("id", false)]).await, ["a", "b", "c", "d", "e", "f"]);
    let several = [("attributes.status", false), ("id", true)];
    assert_eq!(sorted(&scene, &several).await, ["a", "b", "e", "d", "f", "c"]);
}

pub(crate) async fn unknown_fields_are_refused(make: Factory) {
    let scene = Scene::new(make);
    for field in ["title", "", "attributes", "note.attributes.size", "id; DROP TABLE objects"] {
        let sort = vec![Sort { field: field.to_owned(), descending: false }];
        let answer = scene.engine.find(FindRequest { sort, ..FindRequest::of("note") }).await;
        assert_eq!(fault(answer), format!("Unknown sort field {field}"));
    }
}
