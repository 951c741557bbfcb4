//! Reads that are answered from memory are no older than others.

use super::{Factory, Scene};
use ikebana_store::{Commit, Operation};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub(crate) async fn a_read_after_a_write_sees_it(make: Factory) {
    let scene = Arc::new(Scene::new(make));
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..8 {
        let scene = scene.clone();
        tasks.spawn(async move {
            let id = format!("{}", task % 4);
            let key = scene.key("note", "default", &id);
            for n in 0..40 {
                let written = scene.put(scene.note(&id, json!({"task": task, "n": n}))).await;
                // Another task may have written since, but nobody before.
                let read = scene.get(&key).await.unwrap();
                assert!(read.version.seq_no >= written.version.seq_no, "{read:?} after {written:?}");
                if read.version == written.version {
                    assert_eq!(read, written);
                }
            }
        });
    }
    tasks.join_all().await;
    let stats = scene.engine.stats();
    assert!(stats.cache_hits + stats.cache_misses >= 320, "{stats:?}");
}

pub(crate) async fn readers_never_see_time_go_back(make: Factory) {
    let scene = Arc::new(Scene::new(make));
    scene.put_all(["a", "b"].map(|id| scene.note(id, json!({"n": 0})))).await;
    let done = Arc::new(AtomicBool::new(false));
    let mut readers = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let (scene, done) = (scene.clone(), done.clone());
        readers.spawn(async move {
            let keys = ["a", "b"].map(|id| scene.key("note", "default", id));
            let mut last = [0, 0];
            let mut reads = 0;
            while !done.load(Ordering::SeqCst) {
                let found = scene.engine.get(&keys).await.unwrap();
                for (last, object) in last.iter_mut().zip(found) {
                    let seq_no = object.map_or(0, |object| object.version.seq_no);
                    // Zero: just deleted. Afterwards it comes with a higher number.
                    assert!(seq_no == 0 || seq_no >= *last, "{seq_no} after {last}");
                    *last = seq_no.max(*last);
                }
                reads += 1;
                tokio::task::yield_now().await;
            }
            reads
        });
    }
    for n in 0..150 {
        scene.put_all(["a", "b"].map(|id| scene.note(id, json!({"n": n})))).await;
        if n % 10 == 0 {
            scene.delete(&scene.key("note", "default", "b")).await;
        }
    }
    done.store(true, Ordering::SeqCst);
    assert!(readers.join_all().await.into_iter().all(|reads| reads > 0));
}

pub(crate) async fn several_objects_are_read_of_one_moment(make: Factory) {
    let scene = Arc::new(Scene::new(make));
    let ids = ["a", "b", "c", "d"];
    scene.put_all(ids.map(|id| scene.note(id, json!({"n": 0})))).await;
    let done = Arc::new(AtomicBool::new(false));
    let mut readers = tokio::task::JoinSet::new();
    for reader in 0..4 {
        let (scene, done) = (scene.clone(), done.clone());
        readers.spawn(async move {
            let keys = ids.map(|id| scene.key("note", "default", id));
            while !done.load(Ordering::SeqCst) {
                // Some are kept in memory already, some perhaps not.
                scene.get(&keys[reader]).await;
                let found = scene.engine.get(&keys).await.unwrap();
                let written: Vec<_> = found.iter().flatten().map(|object| &object.attributes["n"]).collect();
                assert!(written.windows(2).all(|pair| pair[0] == pair[1]), "{written:?}");
                assert!(written.is_empty() || written.len() == 4, "{written:?}");
                tokio::task::yield_now().await;
            }
        });
    }
    for n in 0..150 {
        scene.put_all(ids.map(|id| scene.note(id, json!({"n": n})))).await;
        if n % 5 == 0 {
            let operations = ids.map(|id| Operation::Delete(scene.key("note", "default", id))).to_vec();
            scene.engine.commit(Commit { operations, ..Commit::new() }).await.unwrap();
        }
    }
    done.store(true, Ordering::SeqCst);
    readers.join_all().await;
}

pub(crate) async fn deleted_objects_stay_deleted(make: Factory) {
    let scene = Arc::new(Scene::new(make));
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..8 {
        let scene = scene.clone();
        tasks.spawn(async move {
            let key = scene.key("note", "default", &task.to_string());
            for n in 0..25 {
                scene.put(scene.note(&task.to_string(), json!({"n": n}))).await;
                let (one, other) = tokio::join!(scene.get(&key), scene.get(&key));
                assert_eq!(one.unwrap().attributes["n"], other.unwrap().attributes["n"]);
                assert_eq!(scene.delete(&key).await, 1);
                assert_eq!(scene.get(&key).await, None);
            }
        });
    }
    tasks.join_all().await;
}

pub(crate) async fn large_objects_and_many_objects(make: Factory) {
    let scene = Scene::new(make);
    let huge = "x".repeat(1_000_000);
    scene.put(scene.note("huge", json!({"text": huge}))).await;
    let many: Vec<_> =
        (0..400).map(|n| scene.note(&n.to_string(), json!({"text": "y".repeat(30_000), "n": n}))).collect();
    let keys: Vec<_> = many.iter().map(|draft| draft.key.clone()).collect();
    scene.put_all(many).await;
    for _ in 0..2 {
        let found = scene.engine.get(&keys).await.unwrap();
        assert!(found.iter().enumerate().all(|(n, object)| object.as_ref().unwrap().attributes["n"] == n));
        let read = scene.get(&scene.key("note", "default", "huge")).await.unwrap();
        assert_eq!(read.attributes["text"], huge);
    }
    let operations = keys.iter().cloned().map(Operation::Delete).collect();
    assert_eq!(scene.engine.commit(Commit { operations, ..Commit::new() }).await.unwrap().deleted, 400);
    assert!(scene.engine.get(&keys).await.unwrap().iter().all(Option::is_none));
}
