//! `DELETE /api/spaces/space/{id}`, and what goes with the space.

use crate::support::{Custom, bare, create_space, error, plain_space};
use ikebana_store::{ALL_SPACES, Class, Commit, ObjectType, Operation, StoreError};
use ikebana_testkit::server::TestServer;
use serde_json::{Value, json};

#[tokio::test]
async fn a_deleted_space_is_gone_and_can_be_made_again() {
    let server = TestServer::start().await;
    let body = json!({"id": "a", "name": "a", "description": "old"});
    assert_eq!(server.post("/api/spaces/space", &body).await.status, 200);
    let reply = server.delete("/api/spaces/space/a").await;
    assert_eq!((reply.status, reply.body.len(), reply.header("content-type")), (204, 0, None));
    assert_eq!(server.get("/api/spaces/space/a").await.whole(), bare(404));
    assert_eq!(server.delete("/api/spaces/space/a").await.whole(), bare(404));
    create_space(&server, "a").await;
    assert_eq!(server.get("/api/spaces/space/a").await.whole(), (200, plain_space("a", "a")));
}

#[tokio::test]
async fn the_default_space_cannot_be_deleted() {
    let server = TestServer::start().await;
    let text = "The default space cannot be deleted because it is reserved.";
    assert_eq!(server.delete("/api/spaces/space/default").await.whole(), error(400, text));
    let renamed = json!({"id": "default", "name": "Mine", "_reserved": false});
    assert_eq!(server.put("/api/spaces/space/default", &renamed).await.status, 200);
    assert_eq!(server.delete("/api/spaces/space/default").await.whole(), error(400, text));
}

#[tokio::test]
async fn a_space_can_delete_itself() {
    let server = TestServer::start().await;
    create_space(&server, "a").await;
    assert_eq!(server.delete("/s/a/api/spaces/space/a").await.status, 204);
    assert_eq!(server.get("/s/a/api/spaces/space/a").await.whole(), bare(404));
}

#[tokio::test]
async fn of_many_who_delete_a_space_one_does() {
    let server = TestServer::start().await;
    create_space(&server, "a").await;
    let delete = || server.request("DELETE", "/api/spaces/space/a").superuser().xsrf().send();
    let sent: Vec<_> = (0..16).map(|_| tokio::spawn(delete())).collect();
    let mut deleted = 0;
    for reply in sent {
        match reply.await.expect("an answer").whole() {
            (204, Value::Null) => deleted += 1,
            other => assert_eq!(other, bare(404)),
        }
    }
    assert_eq!(deleted, 1);
}

fn types() -> Vec<ObjectType> {
    vec![
        ObjectType::new("single", Class::Single),
        ObjectType::new("isolated", Class::MultipleIsolated),
        ObjectType::new("shared", Class::Multiple),
        ObjectType { hidden: true, importable: false, ..ObjectType::new("hidden", Class::Single) },
        ObjectType::new("agnostic", Class::Agnostic),
    ]
}

/// Writes an object into these spaces.
async fn put(server: &Custom, of_type: &str, id: &str, spaces: &[&str]) {
    let first = spaces.first().copied().unwrap_or("default");
    let mut draft = server.store.draft(of_type, first, id).expect("a type");
    if !spaces.is_empty() {
        draft.namespaces = spaces.iter().map(|space| (*space).into()).collect();
    }
    let commit = Commit::new().then(Operation::Put(draft));
    server.store.commit(commit).await.expect("a write");
}

/// The spaces of an object, if it is there.
async fn spaces_of(server: &Custom, of_type: &str, space: &str, id: &str) -> Option<Vec<String>> {
    let key = server.store.object_type(of_type).expect("a type").key(space, id);
    match server.store.get(&key).await {
        Ok(object) => Some(object.namespaces.iter().map(|space| space.to_string()).collect()),
        Err(StoreError::NotFound(_)) => None,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn everything_that_is_only_inside_goes_with_it() {
    let server = Custom::start(types(), Vec::new(), |_| {}).await;
    let send = |method: &str, path: &str| server.request(method, path).superuser().xsrf();
    let body = json!({"id": "a", "name": "a"});
    assert_eq!(send("POST", "/api/spaces/space").json(&body).send().await.status, 200);
    for of_type in ["single", "isolated", "hidden"] {
        put(&server, of_type, "inside", &["a"]).await;
        put(&server, of_type, "outside", &["default"]).await;
    }
    put(&server, "single", "inside", &["default"]).await;
    put(&server, "shared", "here", &["a"]).await;
    put(&server, "shared", "here-and-there", &["a", "default"]).await;
    put(&server, "shared", "everywhere", &[ALL_SPACES]).await;
    put(&server, "shared", "elsewhere", &["ab"]).await;
    put(&server, "agnostic", "a", &[]).await;
    assert_eq!(send("DELETE", "/api/spaces/space/a").send().await.status, 204);
    let kept = |space: &str| Some(vec![space.to_owned()]);
    for of_type in ["single", "isolated", "hidden"] {
        assert_eq!(spaces_of(&server, of_type, "a", "inside").await, None, "{of_type}");
        assert_eq!(spaces_of(&server, of_type, "default", "outside").await, kept("default"), "{of_type}");
    }
    assert_eq!(
        spaces_of(&server, "single", "default", "inside").await,
        kept("default"),
        "the same id elsewhere"
    );
    assert_eq!(spaces_of(&server, "shared", "a", "here").await, None);
    assert_eq!(spaces_of(&server, "shared", "a", "here-and-there").await, kept("default"));
    assert_eq!(spaces_of(&server, "shared", "a", "everywhere").await, kept("*"));
    assert_eq!(spaces_of(&server, "shared", "a", "elsewhere").await, kept("ab"));
    assert_eq!(spaces_of(&server, "agnostic", "", "a").await, Some(Vec::new()));
    assert_eq!(send("POST", "/api/spaces/space").json(&body).send().await.status, 200);
    assert_eq!(spaces_of(&server, "single", "a", "inside").await, None, "made again, it is empty");
}

#[tokio::test]
async fn a_refused_delete_removes_nothing() {
    let server = Custom::start(types(), Vec::new(), |_| {}).await;
    put(&server, "single", "x", &["default"]).await;
    put(&server, "single", "x", &["ghost"]).await;
    for (id, status) in [("default", 400), ("ghost", 404)] {
        let path = format!("/api/spaces/space/{id}");
        let reply = server.request("DELETE", &path).superuser().xsrf().send().await;
        assert_eq!(reply.status, status);
        assert_eq!(spaces_of(&server, "single", id, "x").await, Some(vec![id.to_owned()]));
    }
}
