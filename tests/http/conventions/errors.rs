//! Error bodies: Kibana 8.19, asserted by its API tests.

use crate::support::{As as _, Custom, bare, error};
use http::StatusCode;
use ikebana_http::{Answer, ApiError, Authorization, Method, Route, RouteSpec};
use ikebana_store::StoreError;
use ikebana_testkit::server::TestServer;
use serde_json::json;

const INTERNAL: &str = "An internal server error occurred. Check Kibana server logs for details.";

fn failing(path: &'static str, error: fn() -> ApiError) -> Route {
    RouteSpec::new(Method::Get, path, Authorization::Open("a test"))
        .handle(move |_| async move { Err(error()) })
}

#[tokio::test]
async fn an_unknown_route_is_404_and_never_405() {
    let server = TestServer::start().await;
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"] {
        let reply = server.request(method, "/api/unknown").superuser().send().await;
        assert_eq!(reply.whole(), bare(404), "{method}");
    }
    for method in ["POST", "PATCH", "DELETE"] {
        let reply = server.request(method, "/api/status").superuser().xsrf().send().await;
        assert_eq!(reply.whole(), bare(404), "{method} on a path that has a GET");
    }
}

#[tokio::test]
async fn a_failure_of_the_program_tells_the_caller_nothing() {
    let routes = vec![
        failing("/api/internal", || ApiError::internal("the secret inside")),
        failing("/api/damaged", || StoreError::Damaged("the secret inside".into()).into()),
        RouteSpec::new(Method::Get, "/api/panic", Authorization::Open("a test"))
            .handle(|call| async move { panic!("the secret inside {}", call.space) }),
    ];
    let server = Custom::with_routes(routes).await;
    for path in ["/api/internal", "/api/damaged", "/api/panic"] {
        let reply = server.request("GET", path).superuser().send().await;
        assert_eq!(reply.whole(), error(500, INTERNAL), "{path}");
    }
    let after = server.request("GET", "/internal/security/me").superuser().send().await;
    assert_eq!(after.status, 200, "a panic ends one request only");
}

#[tokio::test]
async fn a_store_that_cannot_write_now_is_503_with_a_time() {
    let routes = vec![
        failing("/api/busy", || StoreError::Busy.into()),
        failing("/api/full", || StoreError::Full.into()),
    ];
    let server = Custom::with_routes(routes).await;
    for path in ["/api/busy", "/api/full"] {
        let reply = server.request("GET", path).superuser().send().await;
        assert_eq!((reply.whole(), reply.header("retry-after")), (bare(503), Some("5")), "{path}");
    }
}

#[tokio::test]
async fn without_a_text_the_message_is_the_name_of_the_status() {
    let routes = vec![
        failing("/api/forbidden", || ApiError::bare(StatusCode::FORBIDDEN)),
        failing("/api/conflict", || ApiError::bare(StatusCode::CONFLICT)),
        failing("/api/large", || ApiError::bare(StatusCode::PAYLOAD_TOO_LARGE)),
    ];
    let server = Custom::with_routes(routes).await;
    for (path, status) in [("/api/forbidden", 403), ("/api/conflict", 409), ("/api/large", 413)] {
        assert_eq!(server.request("GET", path).superuser().send().await.whole(), bare(status));
    }
}

#[tokio::test]
async fn attributes_come_after_the_message() {
    let route = failing("/api/more", || ApiError::bad_request("why").with_attributes(json!({"a": [1]})));
    let server = Custom::with_routes(vec![route]).await;
    let reply = server.request("GET", "/api/more").superuser().send().await;
    let text = r#"{"statusCode":400,"error":"Bad Request","message":"why","attributes":{"a":[1]}}"#;
    assert_eq!((reply.status, reply.text().as_str()), (400, text));
    assert_eq!(reply.header("content-type"), Some("application/json; charset=utf-8"));
}

#[tokio::test]
async fn a_missing_privilege_names_the_path_as_called() {
    let route = RouteSpec::new(Method::Put, "/api/thing/{id}", Authorization::Privileges(&["one", "two"]))
        .handle(|_| async { Ok(Answer::json(&json!({}))) });
    let server = Custom::with_routes(vec![route]).await;
    let refused = |path: &str| {
        error(
            403,
            &format!(
                "API [PUT {path}] is unauthorized for user, this action is granted by the Kibana privileges [one,two]"
            ),
        )
    };
    let put = |path: &str| server.request("PUT", path).user("bob").xsrf().send();
    assert_eq!(put("/api/thing/1").await.whole(), refused("/api/thing/1"));
    assert_eq!(put("/api/thing/1?a=b&c=%20d").await.whole(), refused("/api/thing/1?a=b&c=%20d"));
    assert_eq!(put("/s/marketing/api/thing/x%20y").await.whole(), refused("/api/thing/x%20y"));
    let allowed = server.request("PUT", "/api/thing/1").superuser().xsrf().send().await;
    assert_eq!(allowed.whole(), (200, json!({})));
}

#[tokio::test]
async fn the_privilege_text_has_no_base_path() {
    let route = RouteSpec::new(Method::Get, "/api/thing", Authorization::Privileges(&["one"]))
        .handle(|_| async { Ok(Answer::json(&json!({}))) });
    let server = Custom::start(Vec::new(), vec![route], |settings| {
        settings.base_path = "/base".to_owned();
        settings.rewrite_base_path = true;
    })
    .await;
    let reply = server.request("GET", "/base/s/x/api/thing?q").user("bob").send().await;
    let text = "API [GET /api/thing?q] is unauthorized for user, this action is granted by the Kibana privileges [one]";
    assert_eq!(reply.whole(), error(403, text));
}

#[tokio::test]
async fn a_route_for_the_superuser_alone() {
    let route = RouteSpec::new(Method::Get, "/api/owner", Authorization::Superuser)
        .handle(|_| async { Ok(Answer::json(&json!({}))) });
    let server = Custom::with_routes(vec![route]).await;
    let text = "API [GET /api/owner] is unauthorized for user, this action is granted by the Kibana privileges \
                [superuser]";
    assert_eq!(server.request("GET", "/api/owner").user("bob").send().await.whole(), error(403, text));
    assert_eq!(server.request("GET", "/api/owner").superuser().send().await.whole(), (200, json!({})));
}
