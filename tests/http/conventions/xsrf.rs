//! `kbn-xsrf`: Kibana 8.19, asserted by its integration tests.

use crate::support::{Custom, bare, error, plain_space};
use ikebana_http::{Answer, Authorization, Method, RouteSpec};
use ikebana_testkit::server::{Request, TestServer};
use serde_json::{Value, json};

const TEXT: &str = "Request must contain a kbn-xsrf header.";

fn create(server: &TestServer) -> Request {
    server.request("POST", "/api/spaces/space").superuser().json(&json!({"id": "a", "name": "A"}))
}

fn created() -> (u16, Value) {
    (200, plain_space("a", "A"))
}

#[tokio::test]
async fn every_method_that_writes_needs_it() {
    let work = |_| async { Ok(Answer::json(&json!({}))) };
    let methods = [Method::Post, Method::Put, Method::Patch, Method::Delete, Method::Get];
    let routes = methods
        .map(|method| RouteSpec::new(method, "/api/thing", Authorization::Open("a test")).handle(work));
    let server = Custom::with_routes(routes.to_vec()).await;
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let request = server.request(method, "/api/thing").superuser();
        assert_eq!(request.clone().send().await.whole(), error(400, TEXT), "{method}");
        assert_eq!(request.xsrf().send().await.whole(), (200, json!({})), "{method}");
    }
    for method in ["GET", "HEAD"] {
        assert_eq!(server.request(method, "/api/thing").superuser().send().await.status, 200, "{method}");
    }
}

#[tokio::test]
async fn only_its_presence_counts() {
    for value in ["true", "false", "", "anything at all"] {
        let server = TestServer::start().await;
        assert_eq!(create(&server).header("kbn-xsrf", value).send().await.whole(), created(), "{value:?}");
    }
}

#[tokio::test]
async fn kbn_version_stands_for_it() {
    for value in ["8.19.0", ""] {
        let server = TestServer::start().await;
        assert_eq!(create(&server).header("kbn-version", value).send().await.whole(), created(), "{value:?}");
    }
}

#[tokio::test]
async fn protection_can_be_switched_off() {
    let server = TestServer::start_with(|config| config.http.xsrf_disabled = true).await;
    assert_eq!(create(&server).send().await.whole(), created());
}

#[tokio::test]
async fn the_allowlist_names_paths_as_called() {
    let server = TestServer::start_with(|config| {
        config.http.xsrf_allowlist = vec!["/api/spaces/space/a".to_owned(), "/api/spaces/space".to_owned()];
    })
    .await;
    assert_eq!(create(&server).send().await.whole(), created());
    let in_space = server.request("POST", "/s/x/api/spaces/space").superuser();
    let in_space = in_space.json(&json!({"id": "b", "name": "B"})).send().await;
    assert_eq!(in_space.whole(), (200, plain_space("b", "B")), "without the space's prefix");
    let delete = |id: &str| server.request("DELETE", &format!("/api/spaces/space/{id}")).superuser().send();
    assert_eq!(delete("b").await.whole(), error(400, TEXT));
    assert_eq!(delete("a").await.whole(), (204, Value::Null));
}

#[tokio::test]
async fn a_route_may_do_without() {
    let route = RouteSpec::new(Method::Post, "/api/agent", Authorization::Open("a test"))
        .without_xsrf()
        .handle(|_| async { Ok(Answer::json(&json!({}))) });
    let server = Custom::with_routes(vec![route]).await;
    assert_eq!(server.request("POST", "/api/agent").superuser().send().await.whole(), (200, json!({})));
}

#[tokio::test]
async fn an_unknown_path_needs_none() {
    let server = TestServer::start().await;
    assert_eq!(server.request("POST", "/api/unknown").send().await.whole(), bare(404));
}

#[tokio::test]
async fn it_is_asked_for_after_payload_and_before_validation() {
    let server = TestServer::start().await;
    let post = || server.request("POST", "/api/spaces/space");
    assert_eq!(post().body("{").send().await.whole(), bare(401));
    let broken = error(400, "Invalid request payload JSON format");
    assert_eq!(post().superuser().body("{").send().await.whole(), broken);
    assert_eq!(post().superuser().json(&json!({})).send().await.whole(), error(400, TEXT));
}
