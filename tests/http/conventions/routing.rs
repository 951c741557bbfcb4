//! From a path to a route.

use crate::support::{Custom, bare, raw};
use ikebana_http::{Answer, Authentication, Authorization, Method, RouteSpec};
use ikebana_testkit::server::{Reply, TestServer};
use serde_json::json;

#[tokio::test]
async fn a_get_of_an_unknown_path_wants_credentials_and_a_post_does_not() {
    let server = TestServer::start().await;
    assert_eq!(server.request("GET", "/api/unknown").send().await.whole(), bare(401));
    assert_eq!(server.get("/api/unknown").await.whole(), bare(404));
    assert_eq!(server.request("HEAD", "/api/unknown").send().await.status, 401);
    for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        let broken = server.request(method, "/api/unknown").basic("elastic", "wrong").body("{");
        assert_eq!(broken.send().await.whole(), bare(404), "{method}");
    }
}

#[tokio::test]
async fn literal_segments_win_over_parameters() {
    let route = |path: &'static str| {
        RouteSpec::new(Method::Get, path, Authorization::Open("a test"))
            .authentication(Authentication::None)
            .handle(move |call| async move { Ok(Answer::json(&json!([path, call.params]))) })
    };
    let server = Custom::with_routes(vec![route("/x/{id}"), route("/x/_find"), route("/x/{id}/y")]).await;
    let get = |path: &str| server.request("GET", path).send();
    assert_eq!(get("/x/_find").await.json(), json!(["/x/_find", {}]));
    assert_eq!(get("/x/_finds").await.json(), json!(["/x/{id}", {"id": "_finds"}]));
    assert_eq!(get("/x/_find/y").await.json(), json!(["/x/{id}/y", {"id": "_find"}]));
    assert_eq!(get("/x/a%2Fb").await.json(), json!(["/x/{id}", {"id": "a/b"}]));
    assert_eq!(get("/x/a+b%20c").await.json(), json!(["/x/{id}", {"id": "a+b c"}]));
    assert_eq!(get("/x/%C3%A4").await.json(), json!(["/x/{id}", {"id": "ä"}]));
}

#[tokio::test]
async fn a_broken_parameter_is_400_before_authentication() {
    let server = TestServer::start().await;
    for id in ["%zz", "%", "%ff", "%C3"] {
        for method in ["GET", "PUT", "DELETE"] {
            let reply = server.request(method, &format!("/api/spaces/space/{id}")).send().await;
            assert_eq!(reply.whole(), bare(400), "{method} {id}");
        }
    }
}

#[tokio::test]
async fn a_broken_path_without_route_is_400_for_get_and_404_else() {
    let server = TestServer::start().await;
    assert_eq!(server.request("GET", "/api/x%zz").send().await.whole(), bare(400));
    assert_eq!(server.request("POST", "/api/x%zz").send().await.whole(), bare(404));
}

#[tokio::test]
async fn case_slashes_and_dots() {
    let server = TestServer::start().await;
    for path in ["/API/status", "/api/Status", "/api//status", "//api/status", "/api/spaces/space/%2F"] {
        assert_eq!(server.get(path).await.whole(), bare(404), "{path}");
    }
    for path in ["/%61pi/status", "/api/./status", "/api/x/../status", "/api/%2e%2E/api/status"] {
        assert_eq!(server.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_trailing_slash_is_taken_off_by_a_redirect() {
    let server = TestServer::start().await;
    for (path, location) in [
        ("/api/status/", "/api%2Fstatus"),
        ("/api/status/?v7format=true", "/api%2Fstatus?v7format=true"),
        ("/s/marketing/api/status/", "/s/marketing/api%2Fstatus"),
        ("/s/default/a/", "/a"),
        ("/a%20b/", "/a%20b"),
        ("/%C3%A4/", "/%C3%A4"),
    ] {
        let reply = server.get(path).await;
        assert_eq!((reply.status, reply.header("location")), (302, Some(location)), "{path}");
    }
    let stranger = server.request("GET", "/api/status/").send().await;
    assert_eq!(stranger.whole(), bare(401), "after authentication");
    assert_eq!(server.request("POST", "/api/status/").send().await.whole(), bare(404));
}

#[tokio::test]
async fn options_is_nothing_without_cors() {
    let server = TestServer::start().await;
    assert_eq!(server.request("OPTIONS", "/api/status").superuser().send().await.whole(), bare(404));
}

#[tokio::test]
async fn the_target_may_be_absolute() {
    let server = TestServer::start().await;
    let bytes =
        b"GET http://example.org/api/status?v8format=true HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let reply = Reply::read(&raw(server.address, bytes).await);
    assert_eq!(reply.whole(), (200, json!({"status": {"overall": {"level": "available"}}})));
}

#[tokio::test]
async fn http_1_0_is_answered_and_closed() {
    let server = TestServer::start().await;
    let reply = Reply::read(&raw(server.address, b"GET /api/status HTTP/1.0\r\n\r\n").await);
    assert_eq!(reply.whole(), (200, json!({"status": {"overall": {"level": "available"}}})));
}

#[tokio::test]
async fn what_is_no_http_is_refused() {
    let server = TestServer::start().await;
    for bytes in ["nonsense\r\n\r\n", "GET\r\n\r\n", "\0\0\0\0\r\n\r\n"] {
        let answer = raw(server.address, bytes.as_bytes()).await;
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 400"), "{bytes:?}");
    }
    assert_eq!(server.request("GET", "/api/status").send().await.status, 200);
}
