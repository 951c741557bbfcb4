//! Changes of one object by many at the same time.

use super::encryption::{keyring, store};
use super::{Factory, Scene, fault, map};
use ikebana_store::{Commit, SavedObject, Store, StoreError};
use serde_json::json;

fn increment(object: &SavedObject) -> Result<Commit, StoreError> {
    let mut draft = object.draft();
    let n = draft.attributes["n"].as_i64().unwrap();
    draft.attributes.insert("n".to_owned(), json!(n + 1));
    Ok(Commit::new().replace(draft, object.version))
}

async fn counted(stores: &[Store], scene: &Scene, times: usize) -> i64 {
    let first = scene.put(scene.note("counter", json!({"n": 0}))).await;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..times {
        let (store, key) = (stores[n % stores.len()].clone(), first.key.clone());
        tasks.spawn(async move { store.update(&key, increment).await.map(|_| ()) });
    }
    let done: Vec<Result<(), StoreError>> = tasks.join_all().await;
    done.into_iter().for_each(|result| result.unwrap());
    scene.get(&first.key).await.unwrap().attributes["n"].as_i64().unwrap()
}

pub(crate) async fn a_hundred_increments_are_a_hundred(make: Factory) {
    let scene = Scene::new(make);
    assert_eq!(counted(&[store(&scene, keyring("a", &[]))], &scene, 100).await, 100);
}

/// Two stores on one engine do not stand in one line, so they meet in conflicts.
pub(crate) async fn strangers_do_not_lose_increments_either(make: Factory) {
    let scene = Scene::new(make);
    let stores = [store(&scene, keyring("a", &[])), store(&scene, keyring("a", &[]))];
    assert_eq!(counted(&stores, &scene, 60).await, 60);
}

pub(crate) async fn an_update_of_nothing_is_not_found(make: Factory) {
    let scene = Scene::new(make);
    let store = store(&scene, keyring("a", &[]));
    let key = scene.key("note", "default", "never");
    assert_eq!(fault(store.update(&key, increment).await), "Saved object [note/never] not found");
    let unheard = ikebana_store::Key { object_type: "unheard", ..key };
    assert_eq!(fault(store.update(&unheard, increment).await), "Unsupported saved object type: 'unheard'");
    assert_eq!(fault(store.get(&unheard).await), "Unsupported saved object type: 'unheard'");
}

#[derive(Debug, PartialEq)]
enum Mine {
    Own,
    Store(String),
}

impl From<StoreError> for Mine {
    fn from(error: StoreError) -> Self {
        Self::Store(error.to_string())
    }
}

pub(crate) async fn the_closures_own_error_comes_back(make: Factory) {
    let scene = Scene::new(make);
    let store = store(&scene, keyring("a", &[]));
    let first = scene.put(scene.note("1", json!({"n": 0}))).await;
    let refused = store.update(&first.key, |_| Err(Mine::Own)).await.map(|_| ());
    assert_eq!(refused, Err(Mine::Own));
    // A conflict about another object is no reason to try again.
    let tries = std::sync::atomic::AtomicUsize::new(0);
    let other = scene.put(scene.note("2", json!({}))).await;
    let refused = store
        .update(&first.key, |object| {
            tries.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            Ok::<_, Mine>(Commit::new().replace(object.draft(), object.version).create(other.draft()))
        })
        .await
        .map(|_| ());
    assert_eq!(refused, Err(Mine::Store("Saved object [note/2] conflict".to_owned())));
    assert_eq!(tries.into_inner(), 1);
    assert_eq!(scene.get(&first.key).await.unwrap().attributes, map(json!({"n": 0})));
}
