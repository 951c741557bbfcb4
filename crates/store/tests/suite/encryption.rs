//! Encrypted attributes, through the store.

use super::{Factory, Scene, fault, map};
use ikebana_clock::SystemRandom;
use ikebana_secrets::{Keyring, Secret};
use ikebana_store::{Commit, FindRequest, Key, Operation, Store};
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) fn keyring(primary: &str, older: &[&str]) -> Keyring {
    let older: Vec<Secret> = older.iter().map(|text| Secret::from(text.repeat(32))).collect();
    Keyring::new(&Secret::from(primary.repeat(32)), &older, Arc::new(SystemRandom)).unwrap()
}

pub(crate) fn store(scene: &Scene, keyring: Keyring) -> Store {
    Store::new(
        scene.engine.clone(),
        scene.registry.clone(),
        keyring,
        scene.clock.clone(),
        Arc::new(SystemRandom),
    )
}

fn content() -> Value {
    json!({"url": "http://a", "kind": {"b": 1, "a": [2]}, "token": "hunter2", "config": {"deep": ["er", 1]}, "name": "n"})
}

async fn create(store: &Store, space: &str, attributes: Value) -> Key {
    let mut draft = store.draft("vault", space, "1").unwrap();
    draft.attributes = map(attributes);
    let committed = store.commit(Commit::new().create(draft)).await.unwrap();
    committed.objects[0].key.clone()
}

fn cannot_read(attribute: &str) -> String {
    format!("Unable to decrypt attribute \"{attribute}\" of saved object \"vault,1\"")
}

pub(crate) async fn secrets_are_stripped_and_kept_sealed(make: Factory) {
    let scene = Scene::new(make);
    let store = store(&scene, keyring("a", &[]));
    let mut draft = store.draft("vault", "default", "1").unwrap();
    draft.attributes = map(content());
    let committed = store.commit(Commit::new().create(draft.clone())).await.unwrap();
    let bare = map(json!({"url": "http://a", "kind": {"b": 1, "a": [2]}, "name": "n"}));
    assert_eq!(committed.objects[0].attributes, bare);
    assert_eq!(store.get(&draft.key).await.unwrap().attributes, bare);
    let page = store.find(FindRequest::of("vault")).await.unwrap();
    assert_eq!((page.total, &page.objects[0].attributes), (1, &bare));
    assert_eq!(store.get_decrypted(&draft.key).await.unwrap().attributes, draft.attributes);

    let sealed = scene.get(&draft.key).await.unwrap();
    for name in ["token", "config"] {
        let text = sealed.attributes[name].as_str().unwrap();
        assert_eq!(ikebana_secrets::key_id(text), Some(keyring("a", &[]).primary_id()));
    }
    let copy = scene.folder.path().join("copy");
    scene.engine.backup(&copy).await.unwrap();
    let bytes = std::fs::read(copy).unwrap();
    let holds = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
    assert!(holds(b"http://a"));
    assert!(!holds(b"hunter2"));
}

pub(crate) async fn secrets_are_bound(make: Factory) {
    let scene = Scene::new(make);
    let store = store(&scene, keyring("a", &[]));
    let default = create(&store, "default", content()).await;
    let there = create(&store, "there", content()).await;
    let sealed = scene.get(&default).await.unwrap();
    let change = async |draft| {
        scene.put(draft).await;
        store.get_decrypted(&default).await
    };
    // What is not bound may change; what is bound may not, nor be taken away.
    let mut free = sealed.draft();
    free.attributes.insert("name".to_owned(), json!("other"));
    assert_eq!(change(free).await.unwrap().attributes["token"], "hunter2");
    let mut reordered = sealed.draft();
    reordered.attributes.insert("kind".to_owned(), json!({"a": [2], "b": 1}));
    assert_eq!(change(reordered).await.unwrap().attributes["token"], "hunter2");
    for (name, value) in
        [("url", json!("http://b")), ("kind", json!({"b": 1, "a": [3]})), ("url", Value::Null)]
    {
        let mut bound = sealed.draft();
        bound.attributes.insert(name.to_owned(), value);
        assert_eq!(fault(change(bound).await), cannot_read("token"));
    }
    let mut without = sealed.draft();
    without.attributes.shift_remove("url");
    assert_eq!(fault(change(without).await), cannot_read("token"));
    // The ciphertext of another object or space.
    let mut borrowed = scene.get(&there).await.unwrap().draft();
    borrowed.attributes = sealed.attributes.clone();
    scene.put(borrowed).await;
    assert_eq!(fault(store.get_decrypted(&there).await), cannot_read("token"));
    let mut plain = sealed.draft();
    plain.attributes.insert("token".to_owned(), json!({"no": "text"}));
    assert_eq!(fault(change(plain).await), cannot_read("token"));

    // Through the store the change is whole: everything is sealed anew.
    scene.put(sealed.draft()).await;
    let update = |object: &ikebana_store::SavedObject| {
        let mut draft = object.draft();
        draft.attributes.insert("url".to_owned(), json!("http://b"));
        Ok::<_, ikebana_store::StoreError>(Commit::new().replace(draft, object.version))
    };
    store.update(&default, update).await.unwrap();
    let read = store.get_decrypted(&default).await.unwrap();
    assert_eq!((&read.attributes["url"], &read.attributes["token"]), (&json!("http://b"), &json!("hunter2")));
}

pub(crate) async fn null_and_absent_secrets_stay(make: Factory) {
    let scene = Scene::new(make);
    let store = store(&scene, keyring("a", &[]));
    let key = create(&store, "default", json!({"url": "http://a", "token": null})).await;
    assert_eq!(scene.get(&key).await.unwrap().attributes, map(json!({"url": "http://a", "token": null})));
    let read = store.get_decrypted(&key).await.unwrap();
    assert_eq!(read.attributes, map(json!({"url": "http://a", "token": null})));
    assert_eq!(store.get(&key).await.unwrap().attributes, map(json!({"url": "http://a"})));
}

pub(crate) async fn another_key_ring_reads_nothing(make: Factory) {
    let scene = Scene::new(make);
    let key = create(&store(&scene, keyring("a", &[])), "default", content()).await;
    let stranger = store(&scene, keyring("b", &["c"]));
    assert_eq!(fault(stranger.get_decrypted(&key).await), cannot_read("token"));
    assert_eq!(stranger.get(&key).await.unwrap().attributes["url"], "http://a");
    let never: Result<_, ikebana_store::StoreError> = stranger.update(&key, |_| panic!("not reached")).await;
    assert_eq!(fault(never), cannot_read("token"));
}

pub(crate) async fn a_rotated_key_still_reads(make: Factory) {
    let scene = Scene::new(make);
    let key = create(&store(&scene, keyring("a", &[])), "default", content()).await;
    let rotated = store(&scene, keyring("b", &["a"]));
    let read = rotated.get_decrypted(&key).await.unwrap();
    assert_eq!(read.attributes, map(content()));
    rotated.commit(Commit::new().then(Operation::Put(read.draft()))).await.unwrap();
    let sealed = scene.get(&key).await.unwrap();
    let text = sealed.attributes["token"].as_str().unwrap();
    assert_eq!(ikebana_secrets::key_id(text), Some(keyring("b", &[]).primary_id()));
    assert_eq!(
        store(&scene, keyring("b", &[])).get_decrypted(&key).await.unwrap().attributes,
        map(content())
    );
}
