//! `kbn-version`: Kibana 8.19, asserted by its integration tests.

use ikebana_testkit::server::TestServer;
use serde_json::json;

fn refused(got: &str) -> (u16, serde_json::Value) {
    let message = format!(
        "Browser client is out of date, please refresh the page (\"kbn-version\" header was \"{got}\" but should be \
         \"8.19.0\")"
    );
    let body = json!({
        "statusCode": 400, "error": "Bad Request", "message": message,
        "attributes": {"expected": "8.19.0", "got": got}
    });
    (400, body)
}

#[tokio::test]
async fn another_version_is_refused_for_every_method() {
    let server = TestServer::start().await;
    for method in ["GET", "POST", "PUT", "DELETE"] {
        let path = if method == "POST" { "/api/spaces/space" } else { "/api/spaces/space/default" };
        let request = server.request(method, path).superuser().xsrf();
        assert_eq!(request.header("kbn-version", "0.0.1").send().await.whole(), refused("0.0.1"), "{method}");
    }
    let head = server.request("HEAD", "/api/status").header("kbn-version", "0.0.1").send().await;
    assert_eq!(head.status, 400);
}

#[tokio::test]
async fn the_right_version_and_an_empty_one_pass() {
    let server = TestServer::start().await;
    for value in ["8.19.0", ""] {
        let reply = server.request("GET", "/api/status").header("kbn-version", value).send().await;
        assert_eq!(reply.status, 200, "{value:?}");
    }
}

#[tokio::test]
async fn versions_are_compared_letter_by_letter() {
    let server = TestServer::start().await;
    for value in ["8.19.1", "8.19", "8.19.0-SNAPSHOT", "v8.19.0"] {
        let reply = server.request("GET", "/api/status").header("kbn-version", value).send().await;
        assert_eq!(reply.whole(), refused(value));
    }
}

#[tokio::test]
async fn the_check_can_be_switched_off() {
    let server = TestServer::start_with(|config| config.http.strict_client_version = false).await;
    let reply = server.request("GET", "/api/status").header("kbn-version", "0.0.1").send().await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn a_build_number_is_not_looked_at() {
    let server = TestServer::start().await;
    let reply = server.request("GET", "/api/status").header("kbn-build-number", "1").send().await;
    assert_eq!(reply.status, 200);
}
