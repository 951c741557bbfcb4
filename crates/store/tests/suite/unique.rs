//! Attributes of which no two objects have the same value.

use super::{Factory, Scene, namespaces};
use ikebana_store::{Commit, Draft, Operation};
use serde_json::{Value, json};

fn put(draft: Draft) -> Commit {
    Commit::new().then(Operation::Put(draft))
}

pub(crate) async fn a_value_is_taken_within_its_space(make: Factory) {
    let scene = Scene::new(make);
    let single = |space: &str, id: &str, name: &str| scene.draft("single", space, id, json!({"name": name}));
    scene.put_all([single("a", "1", "x"), single("b", "1", "x"), single("a", "2", "X")]).await;
    let text = "another [single] has the same [name]";
    assert_eq!(scene.refusal(put(single("a", "3", "x"))).await, text);
    assert_eq!(scene.refusal(put(single("a", "2", "x"))).await, text);
    // Its own value is no hindrance, another attribute or another type is none either.
    scene.put(single("a", "1", "x")).await;
    scene.put(scene.draft("single", "a", "3", json!({"title": "x"}))).await;
    scene.put(scene.draft("multiple", "a", "1", json!({"name": "x"}))).await;

    let isolated = |space: &str, id: &str, name: &str| {
        scene.draft("isolated", space, id, json!({"owner": {"name": name}}))
    };
    scene.put_all([isolated("a", "1", "x"), isolated("b", "2", "x")]).await;
    let text = "another [isolated] has the same [owner.name]";
    assert_eq!(scene.refusal(put(isolated("a", "3", "x"))).await, text);
    let flat = scene.draft("isolated", "a", "3", json!({"owner.name": "x"}));
    assert_eq!(scene.refusal(put(flat)).await, text);
}

pub(crate) async fn a_value_in_all_spaces_stands_against_every_space(make: Factory) {
    let scene = Scene::new(make);
    let multiple = |id: &str, names: &[&str], name: &str| Draft {
        namespaces: namespaces(names),
        ..scene.draft("multiple", "a", id, json!({"name": name}))
    };
    let text = "another [multiple] has the same [name]";
    scene.put_all([multiple("1", &["a", "b"], "x"), multiple("2", &["*"], "y")]).await;
    for refused in [multiple("3", &["b", "c"], "x"), multiple("3", &["*"], "x"), multiple("3", &["c"], "y")] {
        assert_eq!(scene.refusal(put(refused)).await, text);
    }
    scene.put(multiple("3", &["c"], "x")).await;
    // What is moved meets what is there.
    assert_eq!(scene.refusal(put(multiple("3", &["a"], "x"))).await, text);
    scene.put(multiple("1", &["b"], "x")).await;
    scene.put(multiple("3", &["a", "c"], "x")).await;
}

pub(crate) async fn agnostic_values_are_taken_everywhere(make: Factory) {
    let scene = Scene::new(make);
    let agnostic = |space: &str, id: &str| scene.draft("agnostic", space, id, json!({"name": "x"}));
    scene.put(agnostic("a", "1")).await;
    assert_eq!(scene.refusal(put(agnostic("b", "2"))).await, "another [agnostic] has the same [name]");
}

pub(crate) async fn a_value_is_free_again(make: Factory) {
    let scene = Scene::new(make);
    let single = |id: &str, name: &str| scene.draft("single", "a", id, json!({"name": name}));
    scene.put(single("1", "x")).await;
    scene.put(single("1", "y")).await;
    scene.put(single("2", "x")).await;
    scene.delete(&scene.key("single", "a", "1")).await;
    scene.put(single("3", "y")).await;
    scene.engine.commit(Commit::new().then(Operation::EmptySpace("a".into()))).await.unwrap();
    scene.put_all([single("4", "x"), single("5", "y")]).await;
}

pub(crate) async fn a_commit_is_judged_as_it_goes(make: Factory) {
    let scene = Scene::new(make);
    let single = |id: &str, name: &str| scene.draft("single", "a", id, json!({"name": name}));
    let both = put(single("1", "x")).then(Operation::Put(single("2", "x")));
    assert_eq!(scene.refusal(both).await, "another [single] has the same [name]");
    assert_eq!(scene.get(&scene.key("single", "a", "1")).await, None);
    scene.put(single("1", "x")).await;
    let handed_on = Commit::new()
        .then(Operation::Delete(scene.key("single", "a", "1")))
        .then(Operation::Put(single("2", "x")));
    scene.engine.commit(handed_on).await.unwrap();
}

pub(crate) async fn what_is_no_text_is_not_unique(make: Factory) {
    let scene = Scene::new(make);
    for (at, name) in [Value::Null, json!(1), json!([]), json!({}), json!(true)].into_iter().enumerate() {
        for copy in 0..2 {
            scene.put(scene.draft("single", "a", &format!("{at} {copy}"), json!({"name": name}))).await;
        }
    }
    scene
        .put_all([scene.draft("single", "a", "1", json!({})), scene.draft("single", "a", "2", json!({}))])
        .await;
}
