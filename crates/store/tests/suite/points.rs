//! Lists of objects as of one moment.

use super::{Factory, Scene, fault, ids};
use ikebana_query::Query;
use ikebana_store::{FindRequest, PointInTime, Sort, Spaces};
use serde_json::json;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

async fn open(scene: &Scene, request: FindRequest) -> PointInTime {
    scene.engine.open_point_in_time(request, MINUTE).await.unwrap()
}

pub(crate) async fn a_list_is_kept_while_the_store_goes_on(make: Factory) {
    let scene = Scene::new(make);
    scene.put_all((0..6).map(|n| scene.note(&n.to_string(), json!({"status": "open"})))).await;
    let last = scene.put(scene.note("6", json!({"status": "closed"}))).await;
    let query = Query::term("note.attributes.status", "open");
    let point = open(&scene, FindRequest { query, size: 1, from: 3, ..FindRequest::of("note") }).await;
    assert_eq!((point.total, point.seq_no), (6, last.version.seq_no));
    let page = async |from, size| ids(&scene.engine.page(point.id, from, size).await.unwrap());
    assert_eq!(page(0, 2).await, ["0", "1"]);

    scene.put(scene.note("7", json!({"status": "open"}))).await;
    scene.delete(&scene.key("note", "default", "1")).await;
    scene.delete(&scene.key("note", "default", "4")).await;
    let changed = scene.put(scene.note("3", json!({"status": "closed", "now": true}))).await;
    // Deleted and made again, it is another object.
    scene.put(scene.note("4", json!({"status": "open"}))).await;
    assert_eq!(page(0, 2).await, ["0"]);
    assert_eq!(page(2, 2).await, ["2", "3"]);
    assert_eq!(page(4, 2).await, ["5"]);
    assert_eq!(page(6, 2).await, Vec::<String>::new());
    assert_eq!(page(0, usize::MAX).await, ["0", "2", "3", "5"]);
    assert_eq!(scene.engine.page(point.id, 3, 1).await.unwrap(), [changed]);
    let seen_now = open(&scene, FindRequest::of("note")).await;
    assert_ne!(seen_now.id, point.id);
    assert_eq!(seen_now.total, 7);
}

pub(crate) async fn a_list_has_the_order_of_its_request(make: Factory) {
    let scene = Scene::new(make);
    scene.put_all((0..5).map(|n| scene.note(&n.to_string(), json!({"size": n % 3})))).await;
    let sort = vec![Sort { field: "attributes.size".to_owned(), descending: true }];
    let point = open(&scene, FindRequest { sort, spaces: Spaces::All, ..FindRequest::of("note") }).await;
    scene.put(scene.note("0", json!({"size": 100}))).await;
    assert_eq!(ids(&scene.engine.page(point.id, 0, 10).await.unwrap()), ["2", "1", "4", "0", "3"]);
    assert_eq!(open(&scene, FindRequest::of("unheard")).await.total, 0);
}

pub(crate) async fn a_list_ends_when_it_is_not_used(make: Factory) {
    let scene = Scene::new(make);
    scene.put(scene.note("1", json!({}))).await;
    let point = open(&scene, FindRequest::of("note")).await;
    let other = open(&scene, FindRequest::of("note")).await;
    for _ in 0..3 {
        scene.clock.advance(Duration::from_secs(40));
        assert_eq!(ids(&scene.engine.page(point.id, 0, 1).await.unwrap()), ["1"]);
    }
    let gone = format!("No search context found for id [{}]", other.id);
    assert_eq!(fault(scene.engine.page(other.id, 0, 1).await), gone);
    scene.clock.advance(MINUTE);
    let gone = format!("No search context found for id [{}]", point.id);
    assert_eq!(fault(scene.engine.page(point.id, 0, 1).await), gone);
    assert!(!scene.engine.close_point_in_time(point.id));
    let forever = scene.engine.open_point_in_time(FindRequest::of("note"), Duration::MAX).await.unwrap();
    scene.clock.advance(MINUTE);
    assert_eq!(ids(&scene.engine.page(forever.id, 0, 1).await.unwrap()), ["1"]);
}

pub(crate) async fn a_list_ends_when_it_is_closed(make: Factory) {
    let scene = Scene::new(make);
    let point = open(&scene, FindRequest::of("note")).await;
    assert!(scene.engine.close_point_in_time(point.id));
    assert!(!scene.engine.close_point_in_time(point.id));
    assert!(!scene.engine.close_point_in_time(u64::MAX));
    let gone = format!("No search context found for id [{}]", point.id);
    assert_eq!(fault(scene.engine.page(point.id, 0, 1).await), gone);
}

pub(crate) async fn there_are_not_too_many_lists(make: Factory) {
    let scene = Scene::new(make);
    let first = open(&scene, FindRequest::of("note")).await;
    let mut lists = 1;
    let refused = loop {
        match scene.engine.open_point_in_time(FindRequest::of("note"), MINUTE).await {
            Ok(_) => lists += 1,
            Err(error) => break error.to_string(),
        }
        assert!(lists <= 10_000, "no limit");
    };
    assert_eq!(refused, "too many writes are waiting");
    assert!(lists >= 100, "only {lists}");
    assert!(scene.engine.close_point_in_time(first.id));
    open(&scene, FindRequest::of("note")).await;
    scene.clock.advance(MINUTE);
    open(&scene, FindRequest::of("note")).await;
}
