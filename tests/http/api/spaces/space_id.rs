//! `/api/spaces/space/{id}`

use crate::support::{bare, create_space, default_space, error, plain_space};
use ikebana_testkit::server::TestServer;
use serde_json::{Value, json};

fn full() -> Value {
    json!({
        "id": "a", "name": "A", "description": "text", "color": "#123456", "initials": "AB",
        "imageUrl": "data:image/png;base64,AA==", "disabledFeatures": ["canvas", "graph"], "solution": "classic"
    })
}

#[tokio::test]
async fn a_space_is_got_by_its_id() {
    let server = TestServer::start().await;
    create_space(&server, "a").await;
    assert_eq!(server.get("/api/spaces/space/a").await.whole(), (200, plain_space("a", "a")));
    assert_eq!(server.get("/api/spaces/space/default").await.whole(), (200, default_space()));
}

#[tokio::test]
async fn an_unknown_space_is_not_found() {
    let server = TestServer::start().await;
    // Ids that no space can have are not judged here.
    for id in ["none", "A", "a%20b", "%2F", "..%2Fdefault", "*"] {
        let path = format!("/api/spaces/space/{id}");
        assert_eq!(server.get(&path).await.whole(), bare(404), "GET {id}");
        assert_eq!(server.put(&path, &full()).await.whole(), bare(404), "PUT {id}");
        assert_eq!(server.delete(&path).await.whole(), bare(404), "DELETE {id}");
    }
    assert_eq!(server.get("/api/spaces/space").await.whole(), (200, json!([default_space()])), "no upsert");
}

#[tokio::test]
async fn an_update_keeps_texts_it_does_not_name_and_resets_the_features() {
    let server = TestServer::start().await;
    assert_eq!(server.post("/api/spaces/space", &full()).await.whole(), (200, full()));
    let mut expected = full();
    expected["name"] = json!("B");
    expected["disabledFeatures"] = json!([]);
    let change = json!({"id": "a", "name": "B"});
    assert_eq!(server.put("/api/spaces/space/a", &change).await.whole(), (200, expected.clone()));
    assert_eq!(server.get("/api/spaces/space/a").await.whole(), (200, expected));
}

#[tokio::test]
async fn each_text_is_kept_or_replaced_on_its_own() {
    let server = TestServer::start().await;
    let mut expected = full();
    server.post("/api/spaces/space", &full()).await;
    expected["disabledFeatures"] = json!([]);
    for (key, value) in [
        ("description", json!("other")),
        ("color", json!("#abcdef")),
        ("initials", json!("")),
        ("imageUrl", json!("")),
        ("description", json!("")),
    ] {
        let mut change = json!({"id": "a", "name": "A"});
        change[key] = value.clone();
        expected[key] = value;
        assert_eq!(
            server.put("/api/spaces/space/a", &change).await.whole(),
            (200, expected.clone()),
            "{key}"
        );
    }
    let mut change = json!({"id": "a", "name": "A", "color": null});
    assert_eq!(
        server.put("/api/spaces/space/a", &change).await.whole(),
        (200, expected.clone()),
        "null: absent"
    );
    change["disabledFeatures"] = json!(["canvas"]);
    expected["disabledFeatures"] = json!(["canvas"]);
    assert_eq!(server.put("/api/spaces/space/a", &change).await.whole(), (200, expected));
}

#[tokio::test]
async fn the_id_of_the_path_counts() {
    let server = TestServer::start().await;
    create_space(&server, "a").await;
    let change = json!({"id": "other", "name": "B"});
    assert_eq!(server.put("/api/spaces/space/a", &change).await.whole(), (200, plain_space("a", "B")));
    assert_eq!(server.get("/api/spaces/space/other").await.whole(), bare(404));
    let change = json!({"id": "OTHER", "name": "B"});
    let text = "[request body.id]: must be lower case, a-z, 0-9, '_', and '-' are allowed";
    assert_eq!(server.put("/api/spaces/space/a", &change).await.whole(), error(400, text));
}

#[tokio::test]
async fn id_and_name_are_needed_for_an_update_too() {
    let server = TestServer::start().await;
    create_space(&server, "a").await;
    for (key, body) in [("id", json!({"name": "A"})), ("name", json!({"id": "a"}))] {
        let text = format!("[request body.{key}]: expected value of type [string] but got [undefined]");
        assert_eq!(server.put("/api/spaces/space/a", &body).await.whole(), error(400, &text));
    }
}

#[tokio::test]
async fn validation_comes_before_the_404() {
    let server = TestServer::start().await;
    let text = "[request body.id]: expected value of type [string] but got [undefined]";
    assert_eq!(server.put("/api/spaces/space/none", &json!({})).await.whole(), error(400, text));
}

#[tokio::test]
async fn reserved_can_not_be_gained_or_lost() {
    let server = TestServer::start().await;
    create_space(&server, "a").await;
    let change = json!({"id": "a", "name": "a", "_reserved": true});
    assert_eq!(server.put("/api/spaces/space/a", &change).await.whole(), (200, plain_space("a", "a")));
    let change = json!({"id": "default", "name": "Renamed", "_reserved": false});
    let mut expected = default_space();
    expected["name"] = json!("Renamed");
    assert_eq!(server.put("/api/spaces/space/default", &change).await.whole(), (200, expected));
}

#[tokio::test]
async fn the_last_of_many_updates_wins_whole() {
    let server = TestServer::start().await;
    create_space(&server, "a").await;
    let sent: Vec<_> = (0..32)
        .map(|number| {
            let text = number.to_string();
            let body = json!({"id": "a", "name": text, "description": text, "initials": text});
            let request = server.request("PUT", "/api/spaces/space/a").superuser().xsrf().json(&body);
            tokio::spawn(request.send())
        })
        .collect();
    for reply in sent {
        let (status, body) = reply.await.expect("an answer").whole();
        assert_eq!((status, &body["name"]), (200, &body["description"]));
    }
    let last = server.get("/api/spaces/space/a").await.json();
    assert_eq!((&last["name"], &last["name"]), (&last["description"], &last["initials"]));
}
