//! `elastic-api-version`: Kibana's server source, 8.19, and its integration tests.

use crate::support::{Custom, bare, error};
use ikebana_http::{Answer, ApiError, Authorization, Body, Method, Route, RouteSpec};
use ikebana_schema::{object, string};
use ikebana_testkit::server::{Reply, TestServer};
use serde_json::json;

const HEADER: &str = "elastic-api-version";

async fn get(server: &TestServer, path: &str, version: &str) -> Reply {
    server.request("GET", path).superuser().header(HEADER, version).send().await
}

#[tokio::test]
async fn absent_or_empty_means_the_oldest() {
    let server = TestServer::start().await;
    for reply in [
        server.get("/api/spaces/space").await,
        get(&server, "/api/spaces/space", "").await,
        get(&server, "/api/spaces/space", "2023-10-31").await,
    ] {
        assert_eq!((reply.status, reply.header(HEADER)), (200, Some("2023-10-31")));
    }
}

#[tokio::test]
async fn an_unknown_version_names_the_route_by_its_template() {
    let server = TestServer::start().await;
    let text = "No version \"2020-01-01\" available for [get] [/api/spaces/space/{id}]. Available versions are: \
                [2023-10-31]";
    for path in ["/api/spaces/space/default", "/s/marketing/api/spaces/space/default"] {
        let reply = get(&server, path, "2020-01-01").await;
        assert_eq!(reply.whole(), error(400, text));
        assert_eq!(reply.header(HEADER), None);
    }
}

#[tokio::test]
async fn a_malformed_version_of_a_public_route() {
    let server = TestServer::start().await;
    for version in ["1", "2023-13-45", "2023-02-29", "abc", "2023-10-31T00:00:00Z", "2023-10-31, 2023-10-31"]
    {
        let reply = get(&server, "/api/spaces/space", version).await;
        let text = format!(
            "Invalid version. Received \"{version}\", expected a valid date string formatted as YYYY-MM-DD."
        );
        assert_eq!(reply.whole(), error(400, &text));
        assert_eq!(reply.header(HEADER), None);
    }
}

#[tokio::test]
async fn of_a_repeated_header_the_first_is_read() {
    let server = TestServer::start().await;
    let request = server.request("GET", "/api/spaces/space").superuser();
    let reply = request.header(HEADER, "2023-10-31").header(HEADER, "nonsense").send().await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn the_query_parameter_is_not_allowed() {
    let server = TestServer::start().await;
    let text = "Use of query parameter \"apiVersion\" is not allowed. Please specify the API version using the \
                \"elastic-api-version\" header.";
    let reply = server.get("/api/spaces/space?apiVersion=2023-10-31").await;
    assert_eq!((reply.whole(), reply.header(HEADER)), (error(400, text), None));
    // It is judged before the form of the version.
    let reply = get(&server, "/api/spaces/space?apiVersion=2023-10-31", "nonsense").await;
    assert_eq!(reply.whole(), error(400, text));
}

#[tokio::test]
async fn version_faults_come_before_validation() {
    let server = TestServer::start().await;
    let post = server.request("POST", "/api/spaces/space").superuser().xsrf().json(&json!({}));
    let text = "Invalid version. Received \"1\", expected a valid date string formatted as YYYY-MM-DD.";
    assert_eq!(post.header(HEADER, "1").send().await.whole(), error(400, text));
}

#[tokio::test]
async fn routes_without_versions_ignore_the_header() {
    let server = TestServer::start().await;
    for version in ["1999-01-01", "nonsense", ""] {
        let reply = get(&server, "/api/status", version).await;
        assert_eq!((reply.status, reply.header(HEADER)), (200, Some("2023-10-31")), "{version}");
        assert_eq!(get(&server, "/internal/security/me", version).await.status, 200, "{version}");
    }
    let text = "[request query.apiVersion]: definition for this key is missing";
    assert_eq!(server.get("/api/status?apiVersion=1").await.whole(), error(400, text));
}

fn internal_route() -> Route {
    RouteSpec::new(Method::Put, "/internal/thing/{id}", Authorization::Open("a test"))
        .handle(|_| async { Ok(Answer::json(&json!({}))) })
}

#[tokio::test]
async fn versions_of_internal_routes_are_numbers() {
    let server = Custom::with_routes(vec![internal_route()]).await;
    let put = |version: Option<&str>| {
        let request = server.request("PUT", "/internal/thing/1").superuser().xsrf();
        version.map_or_else(|| request.clone(), |version| request.clone().header(HEADER, version)).send()
    };
    for version in [None, Some(""), Some("1")] {
        let reply = put(version).await;
        assert_eq!((reply.status, reply.header(HEADER)), (200, Some("1")), "{version:?}");
    }
    for version in ["abc", "0", "01", "-1", "1.0", "2023-10-31"] {
        let text = format!(
            "Invalid version number. Received \"{version}\", expected a string containing _only_ a finite, whole \
             number greater than 0."
        );
        assert_eq!(put(Some(version)).await.whole(), error(400, &text));
    }
    let text = "No version \"2\" available for [put] [/internal/thing/{id}]. Available versions are: [1]";
    assert_eq!(put(Some("2")).await.whole(), error(400, text));
}

#[tokio::test]
async fn the_answer_names_the_version_once_validation_was_reached() {
    let server = TestServer::start().await;
    let version = |reply: &Reply| reply.header(HEADER).map(str::to_owned);
    let carried = Some("2023-10-31".to_owned());
    let fault = server.post("/api/spaces/space", &json!({})).await;
    assert_eq!((fault.status, version(&fault)), (400, carried.clone()));
    let missing = server.get("/api/spaces/space/none").await;
    assert_eq!((missing.status, version(&missing)), (404, carried.clone()));
    let gone = server.delete("/api/spaces/space/default").await;
    assert_eq!((gone.status, version(&gone)), (400, carried.clone()));
    let unversioned = server.get("/api/status?v7format=1").await;
    assert_eq!((unversioned.status, version(&unversioned)), (400, carried));
    let before = [
        server.request("GET", "/api/spaces/space").send().await,
        server.request("POST", "/api/spaces/space").superuser().body("{}").send().await,
        server.request("POST", "/api/spaces/space").superuser().body("{").send().await,
        server.get("/api/unknown").await,
    ];
    for reply in before {
        assert_eq!(version(&reply), None, "{}", reply.text());
    }
}

#[tokio::test]
async fn an_unexpected_failure_carries_no_version() {
    let route = RouteSpec::new(Method::Post, "/api/bug", Authorization::Open("a test"))
        .body(Body::Json(object([("name", string())])))
        .handle(|_| async { Err(ApiError::internal("the inside")) });
    let server = Custom::with_routes(vec![route]).await;
    let reply =
        server.request("POST", "/api/bug").superuser().xsrf().json(&json!({"name": "x"})).send().await;
    let text = "An internal server error occurred. Check Kibana server logs for details.";
    assert_eq!((reply.whole(), reply.header(HEADER)), (error(500, text), None));
}

#[tokio::test]
async fn an_unknown_path_has_no_version() {
    let server = TestServer::start().await;
    assert_eq!(get(&server, "/api/unknown", "nonsense").await.whole(), bare(404));
}
