//! `/s/{space}`: Kibana's server source, 8.19.

use crate::support::{bare, create_space, default_space, error, plain_space};
use ikebana_testkit::server::TestServer;
use serde_json::json;

#[tokio::test]
async fn every_route_answers_under_a_space() {
    let server = TestServer::start().await;
    create_space(&server, "marketing").await;
    for path in
        ["/api/status", "/api/stats", "/api/spaces/space", "/internal/security/me", "/metrics", "/login"]
    {
        assert_eq!(server.get(&format!("/s/marketing{path}")).await.status, 200, "{path}");
    }
    let active = server.get("/s/marketing/internal/spaces/_active_space").await;
    assert_eq!(active.whole(), (200, plain_space("marketing", "marketing")));
}

#[tokio::test]
async fn the_default_space_has_both_names() {
    let server = TestServer::start().await;
    for path in ["/internal/spaces/_active_space", "/s/default/internal/spaces/_active_space"] {
        assert_eq!(server.get(path).await.whole(), (200, default_space()));
    }
}

#[tokio::test]
async fn an_unknown_space_is_no_error_for_apis() {
    let server = TestServer::start().await;
    assert_eq!(server.get("/s/ghost/api/spaces/space").await.whole(), (200, json!([default_space()])));
    let reply = server.post("/s/ghost/api/spaces/space", &json!({"id": "a", "name": "A"})).await;
    assert_eq!(reply.whole(), (200, plain_space("a", "A")));
}

#[tokio::test]
async fn what_is_no_space_id_is_no_prefix() {
    let server = TestServer::start().await;
    for path in ["/s/UPPER/api/status", "/s//api/status", "/s/a.b/api/status", "/S/a/api/status", "/s/a"] {
        let expected = if path == "/s/a" { 200 } else { 404 };
        assert_eq!(server.get(path).await.status, expected, "{path}");
    }
    let reply = server.post("/s/UPPER/api/spaces/space", &json!({"id": "a", "name": "A"})).await;
    assert_eq!(reply.whole(), bare(404));
}

#[tokio::test]
async fn only_one_prefix_is_taken_off() {
    let server = TestServer::start().await;
    assert_eq!(server.get("/s/a/s/b/api/status").await.whole(), bare(404));
}

#[tokio::test]
async fn faults_name_the_path_without_the_space() {
    let server = TestServer::start().await;
    let request = server.request("GET", "/s/marketing/api/spaces/space/x").superuser();
    let text = "No version \"2020-01-01\" available for [get] [/api/spaces/space/{id}]. Available versions are: \
                [2023-10-31]";
    assert_eq!(request.header("elastic-api-version", "2020-01-01").send().await.whole(), error(400, text));
}
