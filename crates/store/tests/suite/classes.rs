//! How ids and spaces go together.

use super::{Factory, Scene, namespaces, spaces};
use ikebana_store::{Commit, Draft, FindRequest, Operation};
use serde_json::json;

async fn seen_from(scene: &Scene, object_type: &str, space: &str) -> Vec<String> {
    scene.ids(FindRequest { spaces: spaces(&[space]), ..FindRequest::of(object_type) }).await
}

pub(crate) async fn single_ids_are_apart_in_every_space(make: Factory) {
    let scene = Scene::new(make);
    let here = Commit::new().create(scene.draft("single", "default", "1", json!({"at": "default"})));
    let there = Commit::new().create(scene.draft("single", "there", "1", json!({"at": "there"})));
    let here = scene.engine.commit(here).await.unwrap().objects.remove(0);
    let there = scene.engine.commit(there).await.unwrap().objects.remove(0);
    assert_ne!(here.key, there.key);
    assert_eq!(scene.get(&scene.key("single", "default", "1")).await, Some(here.clone()));
    assert_eq!(scene.get(&scene.key("single", "there", "1")).await, Some(there.clone()));
    assert_eq!(scene.get(&scene.key("single", "elsewhere", "1")).await, None);
    assert_eq!(scene.delete(&here.key).await, 1);
    assert_eq!(seen_from(&scene, "single", "default").await, Vec::<String>::new());
    assert_eq!(seen_from(&scene, "single", "there").await, ["1"]);
    assert_eq!(scene.get(&there.key).await, Some(there));
}

pub(crate) async fn isolated_ids_are_taken_everywhere(make: Factory) {
    let scene = Scene::new(make);
    scene.put(scene.draft("isolated", "there", "1", json!({}))).await;
    let again = Commit::new().create(scene.draft("isolated", "default", "1", json!({})));
    assert_eq!(scene.refusal(again).await, "Saved object [isolated/1] conflict");
    assert_eq!(seen_from(&scene, "isolated", "default").await, Vec::<String>::new());
    assert_eq!(seen_from(&scene, "isolated", "there").await, ["1"]);
    let found = scene.get(&scene.key("isolated", "default", "1")).await.unwrap();
    assert_eq!(found.namespaces, namespaces(&["there"]));
    assert_eq!(found.key.space, None);
    assert!(found.is_in("there") && !found.is_in("default"));
}

pub(crate) async fn multiple_ids_are_taken_everywhere_and_shared(make: Factory) {
    let scene = Scene::new(make);
    let shared =
        Draft { namespaces: namespaces(&["a", "b"]), ..scene.draft("multiple", "a", "1", json!({})) };
    let everywhere = Draft { namespaces: namespaces(&["*"]), ..scene.draft("multiple", "a", "2", json!({})) };
    scene.put_all([shared.clone(), everywhere]).await;
    let again = Commit::new().create(scene.draft("multiple", "c", "1", json!({})));
    assert_eq!(scene.refusal(again).await, "Saved object [multiple/1] conflict");
    assert_eq!(seen_from(&scene, "multiple", "a").await, ["1", "2"]);
    assert_eq!(seen_from(&scene, "multiple", "b").await, ["1", "2"]);
    assert_eq!(seen_from(&scene, "multiple", "c").await, ["2"]);
    let moved = Draft { namespaces: namespaces(&["b", "c"]), ..shared };
    scene.engine.commit(Commit::new().then(Operation::Put(moved))).await.unwrap();
    assert_eq!(seen_from(&scene, "multiple", "a").await, ["2"]);
    assert_eq!(seen_from(&scene, "multiple", "c").await, ["1", "2"]);
}

pub(crate) async fn agnostic_objects_are_in_no_space_and_seen_from_all(make: Factory) {
    let scene = Scene::new(make);
    let made = scene.put(scene.draft("agnostic", "there", "1", json!({}))).await;
    assert_eq!((made.namespaces.len(), &made.key.space), (0, &None));
    assert_eq!(seen_from(&scene, "agnostic", "default").await, ["1"]);
    assert_eq!(seen_from(&scene, "agnostic", "never made").await, ["1"]);
    assert_eq!(scene.ids(FindRequest { spaces: spaces(&[]), ..FindRequest::of("agnostic") }).await, ["1"]);
    assert_eq!(scene.get(&scene.key("agnostic", "default", "1")).await, Some(made));
    let again = Commit::new().create(scene.draft("agnostic", "default", "1", json!({})));
    assert_eq!(scene.refusal(again).await, "Saved object [agnostic/1] conflict");
}
