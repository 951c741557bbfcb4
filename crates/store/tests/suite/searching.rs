//! Words in text fields.

use super::{Factory, Scene};
use ikebana_store::{FindRequest, Search};
use serde_json::json;
use std::sync::Arc;

async fn furnish(scene: &Scene) {
    scene
        .put_all([
            scene.note(
                "1",
                json!({"title": "Quick brown fox", "body": "jumps over the lazy dog", "status": "red"}),
            ),
            scene.note("2", json!({"title": "lazy afternoon", "body": ["quick nap", "brown bread"]})),
            scene.note("3", json!({"title": "foxes and dogs", "plain": "brown"})),
            scene.draft("single", "default", "4", json!({"title": "brown single", "body": "fox"})),
            scene.draft("agnostic", "default", "5", json!({"title": "brown agnostic"})),
        ])
        .await;
}

async fn search(scene: &Scene, text: &str, all: bool, types: &[&str], fields: &[&str]) -> Vec<String> {
    let fields = fields.iter().map(|field| (*field).to_owned()).collect();
    let search = Some(Search { text: text.to_owned(), all, fields });
    let types = types.iter().map(|name| Arc::from(*name)).collect();
    scene.ids(FindRequest { types, search, ..FindRequest::of("note") }).await
}

pub(crate) async fn the_simple_query_string(make: Factory) {
    let scene = Scene::new(make);
    furnish(&scene).await;
    for (text, all, expected) in [
        ("brown", false, &["1", "2"][..]),
        ("BROWN fox", false, &["1", "2"]),
        ("brown fox", true, &["1"]),
        ("lazy quick", true, &["1", "2"]),
        ("fox*", false, &["1", "3"]),
        ("brown + lazy", false, &["1", "2"]),
        ("brown + -fox", false, &["2"]),
        ("nap | dogs", true, &["2", "3"]),
        ("\"brown fox\"", false, &["1"]),
        ("\"fox brown\"", false, &[]),
        ("(nap | jumps) + quick", false, &["1", "2"]),
        ("-brown", false, &["3"]),
        ("*", false, &["1", "2", "3"]),
        ("", false, &[]),
        ("!?", false, &[]),
        ("red", false, &[]),
        ("\"unclosed", false, &[]),
        ("AND", false, &["3"]),
        ("title:fox", false, &["1"]),
        ("fox\" OR \"x", false, &["1"]),
        ("NEAR(brown fox)", true, &[]),
        ("brown^2", false, &["1", "2"]),
    ] {
        assert_eq!(search(&scene, text, all, &["note"], &[]).await, expected, "{text}");
    }
}

pub(crate) async fn fields_and_types(make: Factory) {
    let scene = Scene::new(make);
    furnish(&scene).await;
    let all = ["note", "single", "agnostic"];
    assert_eq!(search(&scene, "brown", false, &all, &[]).await, ["1", "2", "4"]);
    assert_eq!(search(&scene, "brown", false, &all, &["title"]).await, ["1", "4"]);
    assert_eq!(search(&scene, "brown", false, &all, &["body"]).await, ["2"]);
    assert_eq!(search(&scene, "quick", false, &all, &["title", "body"]).await, ["1", "2"]);
    let none = Vec::<String>::new();
    // `body` of a single is not indexed, nor is any text of an agnostic.
    assert_eq!(search(&scene, "fox", false, &["single"], &[]).await, none);
    assert_eq!(search(&scene, "brown", false, &["agnostic"], &[]).await, none);
    assert_eq!(search(&scene, "red", false, &["note"], &["status"]).await, none);
}

pub(crate) async fn phrases_end_with_their_value(make: Factory) {
    let scene = Scene::new(make);
    furnish(&scene).await;
    assert_eq!(search(&scene, "\"nap brown\"", false, &["note"], &[]).await, Vec::<String>::new());
    assert_eq!(search(&scene, "\"brown bread\"", false, &["note"], &[]).await, ["2"]);
    assert_eq!(search(&scene, "nap bread", true, &["note"], &["body"]).await, ["2"]);
}

pub(crate) async fn words_follow_the_object(make: Factory) {
    let scene = Scene::new(make);
    furnish(&scene).await;
    scene.put(scene.note("1", json!({"title": "slow", "body": ["brown"]}))).await;
    scene.delete(&scene.key("note", "default", "2")).await;
    assert_eq!(search(&scene, "quick", false, &["note"], &[]).await, Vec::<String>::new());
    assert_eq!(search(&scene, "brown slow", true, &["note"], &[]).await, ["1"]);
    scene.put(scene.note("2", json!({"title": "quick again"}))).await;
    assert_eq!(search(&scene, "quick", false, &["note"], &[]).await, ["2"]);
}

pub(crate) async fn words_without_regard_to_case(make: Factory) {
    let scene = Scene::new(make);
    scene
        .put_all([
            scene.note("1", json!({"title": "ÉCOLE Straße it's foo_bar"})),
            scene.note("2", json!({"title": "ecole"})),
        ])
        .await;
    for (text, expected) in [
        ("école", &["1"][..]),
        ("ecole", &["2"]),
        ("STRAßE", &["1"]),
        ("foo", &["1"]),
        ("éc*", &["1"]),
        ("bar it", &["1"]),
    ] {
        assert_eq!(search(&scene, text, true, &["note"], &[]).await, expected, "{text}");
    }
}
