//! `/internal/spaces/{spaceId}/content_summary`

use crate::support::{As as _, Custom, bare, create_space, error, server_with_bob};
use ikebana_store::{Class, Commit, ObjectType, Operation};
use ikebana_testkit::server::TestServer;
use serde_json::json;

fn path(id: &str) -> String {
    format!("/internal/spaces/{id}/content_summary")
}

#[tokio::test]
async fn an_empty_space() {
    let server = TestServer::start().await;
    create_space(&server, "a").await;
    for id in ["a", "default"] {
        assert_eq!(server.get(&path(id)).await.whole(), (200, json!({"summary": [], "total": 0})));
    }
    assert_eq!(server.get(&path("none")).await.whole(), bare(404));
}

#[tokio::test]
async fn importable_types_are_counted_by_the_name_to_show() {
    let types = vec![
        ObjectType::new("zebra", Class::Single),
        ObjectType::new("Apple", Class::Multiple),
        ObjectType::new("banana", Class::MultipleIsolated),
        ObjectType { importable: false, ..ObjectType::new("not-importable", Class::Single) },
        ObjectType::new("agnostic", Class::Agnostic),
        ObjectType::new("empty", Class::Single),
    ];
    let server = Custom::start(types, Vec::new(), |_| {}).await;
    for (of_type, space, id) in [
        ("zebra", "default", "1"),
        ("zebra", "default", "2"),
        ("zebra", "other", "1"),
        ("Apple", "default", "3"),
        ("banana", "default", "4"),
        ("not-importable", "default", "5"),
        ("agnostic", "default", "6"),
    ] {
        let draft = server.store.draft(of_type, space, id).expect("a type");
        server.store.commit(Commit::new().then(Operation::Put(draft))).await.expect("a write");
    }
    let reply = server.request("GET", &path("default")).superuser().send().await;
    let summary = json!([
        {"count": 1, "type": "Apple", "displayName": "Apple"},
        {"count": 1, "type": "banana", "displayName": "Banana"},
        {"count": 2, "type": "zebra", "displayName": "Zebra"}
    ]);
    assert_eq!(reply.whole(), (200, json!({"summary": summary, "total": 4})));
}

#[tokio::test]
async fn the_id_is_validated_in_other_words() {
    let server = TestServer::start().await;
    let text = "[request params.spaceId]: lower case, a-z, 0-9, \"_\", and \"-\" are allowed.";
    for id in ["A", "a%20b", "%C3%A4"] {
        assert_eq!(server.get(&path(id)).await.whole(), error(400, text), "{id}");
    }
}

#[tokio::test]
async fn the_refusal_names_the_path_as_called() {
    let server = server_with_bob().await;
    let refused = |path: &str| {
        let text = format!(
            "API [GET {path}] is unauthorized for user, this action is granted by the Kibana privileges \
             [manage_spaces]"
        );
        error(403, &text)
    };
    for id in ["default", "none", "NOT-VALID"] {
        let reply = server.request("GET", &path(id)).user("bob").send().await;
        assert_eq!(reply.whole(), refused(&path(id)));
    }
    let called = format!("{}?a=b&c", path("default"));
    let reply = server.request("GET", &format!("/s/marketing{called}")).user("bob").send().await;
    assert_eq!(reply.whole(), refused(&called));
}
