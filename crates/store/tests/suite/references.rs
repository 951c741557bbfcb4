//! Objects by what they point to.

use super::{Factory, Scene};
use ikebana_query::Query;
use ikebana_store::{Draft, FindRequest, HasReferences, Reference};
use serde_json::json;

fn pointing(draft: Draft, to: &[(&str, &str)]) -> Draft {
    let reference = |(at, (object_type, id)): (usize, &(&str, &str))| Reference {
        name: format!("ref_{at}"),
        object_type: (*object_type).to_owned(),
        id: (*id).to_owned(),
    };
    Draft { references: to.iter().enumerate().map(reference).collect(), ..draft }
}

fn to(names: &[(&str, &str)], all: bool) -> Option<HasReferences> {
    let to = names.iter().map(|(object_type, id)| ((*object_type).to_owned(), (*id).to_owned())).collect();
    Some(HasReferences { to, all })
}

async fn furnish(scene: &Scene) {
    scene
        .put_all([
            pointing(
                scene.note("1", json!({"status": "open"})),
                &[("tag", "a"), ("tag", "a"), ("view", "b")],
            ),
            pointing(scene.note("2", json!({"status": "open"})), &[("tag", "b")]),
            pointing(scene.note("3", json!({})), &[("tag", "a"), ("tag", "b")]),
            scene.note("4", json!({"status": "open"})),
        ])
        .await;
}

pub(crate) async fn any_and_all_of_them(make: Factory) {
    let scene = Scene::new(make);
    furnish(&scene).await;
    let has = async |names: &[(&str, &str)], all| {
        scene.ids(FindRequest { has_reference: to(names, all), ..FindRequest::of("note") }).await
    };
    assert_eq!(has(&[("tag", "a")], false).await, ["1", "3"]);
    assert_eq!(has(&[("tag", "a"), ("tag", "b")], false).await, ["1", "2", "3"]);
    assert_eq!(has(&[("tag", "a"), ("tag", "b")], true).await, ["3"]);
    assert_eq!(has(&[("view", "a")], false).await, Vec::<String>::new());
    assert_eq!(has(&[], false).await, ["1", "2", "3", "4"]);
    assert_eq!(has(&[], true).await, ["1", "2", "3", "4"]);
    let query = Query::term("note.attributes.status", "open");
    let request = FindRequest { query, has_reference: to(&[("tag", "a")], false), ..FindRequest::of("note") };
    assert_eq!(scene.ids(request).await, ["1"]);
}

pub(crate) async fn none_of_them(make: Factory) {
    let scene = Scene::new(make);
    furnish(&scene).await;
    let has_no = async |names: &[(&str, &str)], all| {
        scene.ids(FindRequest { has_no_reference: to(names, all), ..FindRequest::of("note") }).await
    };
    assert_eq!(has_no(&[("tag", "a")], false).await, ["2", "4"]);
    assert_eq!(has_no(&[("tag", "a"), ("tag", "b")], false).await, ["4"]);
    assert_eq!(has_no(&[("tag", "a"), ("tag", "b")], true).await, ["1", "2", "4"]);
    assert_eq!(has_no(&[], false).await, ["1", "2", "3", "4"]);
    let both = FindRequest {
        has_reference: to(&[("tag", "a")], false),
        has_no_reference: to(&[("view", "b")], false),
        ..FindRequest::of("note")
    };
    assert_eq!(scene.ids(both).await, ["3"]);
}

pub(crate) async fn they_follow_the_object(make: Factory) {
    let scene = Scene::new(make);
    furnish(&scene).await;
    scene.put(pointing(scene.note("1", json!({})), &[("tag", "c")])).await;
    scene.delete(&scene.key("note", "default", "3")).await;
    let has = async |name: (&str, &str)| {
        scene.ids(FindRequest { has_reference: to(&[name], false), ..FindRequest::of("note") }).await
    };
    assert_eq!(has(("tag", "a")).await, Vec::<String>::new());
    assert_eq!(has(("tag", "c")).await, ["1"]);
    assert_eq!(has(("tag", "b")).await, ["2"]);
}
