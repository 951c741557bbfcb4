//! `/api/status`: Kibana's server source, 8.19.

use crate::support::{As as _, error, server_with_bob};
use ikebana_testkit::server::TestServer;
use serde_json::{Value, json};

/// The answer with numbers that differ from call to call put out of sight.
fn redacted(mut body: Value) -> Value {
    fn hide(value: &mut Value) {
        match value {
            Value::Number(_) => *value = json!("[number]"),
            Value::Object(map) => map.values_mut().for_each(hide),
            Value::Array(list) => list.iter_mut().for_each(hide),
            _ => {}
        }
    }
    hide(&mut body["metrics"]);
    for key in ["platform", "platformRelease"] {
        body["metrics"]["os"][key] = json!(format!("[{key}]"));
    }
    // Null before the first answer.
    body["metrics"]["response_times"]["avg_in_millis"] = json!("[number]");
    // Statuses that happened before.
    for key in ["statusCodes", "status_codes"] {
        body["metrics"]["requests"][key] = json!("[codes]");
    }
    body
}

#[tokio::test]
async fn strangers_see_one_word() {
    let server = TestServer::start().await;
    let reply = server.request("GET", "/api/status").send().await;
    assert_eq!(reply.text(), r#"{"status":{"overall":{"level":"available"}}}"#);
    assert_eq!((reply.status, reply.header("elastic-api-version")), (200, Some("2023-10-31")));
}

#[tokio::test]
async fn users_see_all_of_it() {
    let server = server_with_bob().await;
    let reply = server.get("/api/status").await;
    assert_eq!(reply.status, 200);
    insta::assert_json_snapshot!(redacted(reply.json()));
    let bob = server.request("GET", "/api/status").user("bob").send().await;
    assert_eq!(redacted(bob.json()), redacted(reply.json()), "no privilege is needed");
}

#[tokio::test]
async fn strangers_see_all_of_it_where_that_is_allowed() {
    let server = TestServer::start_with(|config| config.anonymous_status = true).await;
    let stranger = server.request("GET", "/api/status").send().await;
    assert_eq!(redacted(stranger.json()), redacted(server.get("/api/status").await.json()));
}

#[tokio::test]
async fn the_form_of_the_seven_line() {
    let server = TestServer::start().await;
    let body = server.get("/api/status?v7format=true").await.json();
    insta::assert_json_snapshot!(body["status"]);
    assert_eq!(server.get("/api/status?v8format=false").await.json()["status"], body["status"]);
    let mut eight = redacted(server.get("/api/status").await.json());
    for query in ["v8format=true", "v7format=false"] {
        let other = redacted(server.get(&format!("/api/status?{query}")).await.json());
        assert_eq!(other, eight, "{query}");
        eight = other;
    }
}

#[tokio::test]
async fn both_formats_exclude_each_other() {
    let server = TestServer::start().await;
    let text = "[request query]: provide only one format option: v7format or v8format";
    for query in
        ["v7format=true&v8format=true", "v7format=false&v8format=false", "v7format=true&v8format=false"]
    {
        let reply = server.request("GET", &format!("/api/status?{query}")).send().await;
        assert_eq!(reply.whole(), error(400, text), "{query}");
    }
}

#[tokio::test]
async fn the_query_is_validated() {
    let server = TestServer::start().await;
    let text = "[request query.v7format]: expected value of type [boolean] but got [string]";
    for query in ["v7format=1", "v7format", "v7format=x"] {
        let reply = server.get(&format!("/api/status?{query}")).await;
        assert_eq!(reply.whole(), error(400, text), "{query}");
    }
    let text = "[request query.x]: definition for this key is missing";
    assert_eq!(server.get("/api/status?x=1").await.whole(), error(400, text));
}

#[tokio::test]
async fn requests_are_counted() {
    let server = TestServer::start().await;
    for _ in 0..3 {
        server.get("/api/unknown").await;
    }
    let requests = server.get("/api/status").await.json()["metrics"]["requests"].clone();
    assert_eq!(requests["total"], 3);
    assert_eq!(requests["status_codes"], json!({"404": 3}));
    assert_eq!(requests["statusCodes"], requests["status_codes"]);
}
