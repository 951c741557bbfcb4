//! Internal routes: Kibana's server source, 8.19.

use crate::support::error;
use ikebana_testkit::server::TestServer;

async fn restricted() -> TestServer {
    TestServer::start_with(|config| config.http.restrict_internal = true).await
}

#[tokio::test]
async fn they_are_open_by_default() {
    let server = TestServer::start().await;
    let reply = server.get("/internal/security/me").await;
    assert_eq!((reply.status, reply.header("elastic-api-version")), (200, None));
}

#[tokio::test]
async fn unmarked_calls_can_be_refused() {
    let server = restricted().await;
    let text = "uri [/internal/security/me] with method [get] exists but is not available with the current \
                configuration";
    assert_eq!(server.get("/internal/security/me?a=b").await.whole(), error(400, text));
    assert_eq!(server.get("/s/marketing/internal/security/me").await.whole(), error(400, text));
    let text = "uri [/internal/security/users/bob] with method [delete] exists but is not available with the \
                current configuration";
    assert_eq!(server.delete("/internal/security/users/bob").await.whole(), error(400, text));
}

#[tokio::test]
async fn a_header_or_a_query_parameter_of_any_value_marks_a_call() {
    let server = restricted().await;
    for value in ["Kibana", "", "false"] {
        let request = server.request("GET", "/internal/security/me").superuser();
        let reply = request.header("x-elastic-internal-origin", value).send().await;
        assert_eq!(reply.status, 200, "{value:?}");
        let reply = server.get(&format!("/internal/security/me?elasticInternalOrigin={value}")).await;
        assert_eq!(reply.status, 200, "{value:?}");
    }
}

#[tokio::test]
async fn the_parameter_is_not_validated() {
    let server = restricted().await;
    // A route that knows its query parameters and refuses others.
    let reply = server.get("/api/spaces/space?elasticInternalOrigin=true").await;
    assert_eq!(reply.status, 200);
    let reply = server.get("/api/spaces/space?elasticInternalOrigins=true").await;
    let text = "[request query.elasticInternalOrigins]: definition for this key is missing";
    assert_eq!(reply.whole(), error(400, text));
}

#[tokio::test]
async fn public_routes_are_not_touched() {
    let server = restricted().await;
    for path in ["/api/status", "/api/stats", "/api/spaces/space", "/metrics", "/"] {
        assert_eq!(server.get(path).await.status, 200, "{path}");
    }
}
