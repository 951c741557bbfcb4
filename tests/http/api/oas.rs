//! `/api/oas`: Kibana's server source, 8.19.

use crate::support::bare;
use ikebana_testkit::server::TestServer;
use serde_json::{Value, json};

async fn server() -> TestServer {
    TestServer::start_with(|config| config.http.oas_enabled = true).await
}

fn paths(document: &Value) -> Vec<&str> {
    document["paths"].as_object().expect("paths").keys().map(String::as_str).collect()
}

#[tokio::test]
async fn it_is_there_only_where_it_is_enabled() {
    let server = TestServer::start().await;
    assert_eq!(server.get("/api/oas").await.whole(), bare(404));
    assert_eq!(server.request("GET", "/api/oas").send().await.whole(), bare(401));
}

#[tokio::test]
async fn it_needs_no_credentials() {
    let server = server().await;
    let reply = server.request("GET", "/api/oas").send().await;
    assert_eq!(reply.status, 200);
    let document = reply.json();
    assert_eq!((&document["openapi"], &document["info"]["version"]), (&json!("3.0.3"), &json!("8.19.0")));
    assert_eq!(document["servers"], json!([{"url": "/"}]));
    assert!(paths(&document).contains(&"/api/spaces/space/{id}"));
}

#[tokio::test]
async fn its_paths_can_be_chosen() {
    let server = server().await;
    let shown = |query: &'static str| {
        let request = server.request("GET", &format!("/api/oas?{query}"));
        async move {
            let document = request.send().await.json();
            paths(&document).into_iter().map(str::to_owned).collect::<Vec<String>>()
        }
    };
    let all = shown("").await;
    let public = shown("access=public").await;
    let internal = shown("access=internal").await;
    assert!(public.iter().all(|path| !path.starts_with("/internal/")) && !public.is_empty());
    assert!(internal.iter().all(|path| path.starts_with("/internal/")) && !internal.is_empty());
    assert_eq!(public.len() + internal.len(), all.len());
    assert_eq!(shown("pathStartsWith=/api/spaces").await, ["/api/spaces/space", "/api/spaces/space/{id}"]);
    let two = shown("pathStartsWith=/api/stat&pathStartsWith=/metrics").await;
    assert_eq!(two, ["/api/stats", "/api/status", "/metrics"]);
    let rest = shown("access=public&excludePathsMatching=/api&excludePathsMatching=/m").await;
    assert_eq!(rest, ["/", "/login"]);
    assert_eq!(shown("version=2023-10-31&pluginId=x&pathStartsWith=/login").await, ["/login"]);
}

#[tokio::test]
async fn a_bad_query_is_told_without_envelope() {
    let server = server().await;
    let text = "[access]: types that failed validation:\n\
                - [access.0]: expected value to equal [public]\n\
                - [access.1]: expected value to equal [internal]";
    let reply = server.request("GET", "/api/oas?access=x").send().await;
    assert_eq!(reply.whole(), (400, json!({"message": text})));
    let reply = server.request("GET", "/api/oas?x=1").send().await;
    assert_eq!(reply.whole(), (400, json!({"message": "[x]: definition for this key is missing"})));
}

#[tokio::test]
async fn it_names_the_base_path() {
    let server = TestServer::start_with(|config| {
        config.http.oas_enabled = true;
        config.http.base_path = "/kbn".to_owned();
        config.http.rewrite_base_path = true;
    })
    .await;
    let document = server.request("GET", "/kbn/api/oas").send().await.json();
    assert_eq!(document["servers"], json!([{"url": "/kbn"}]));
}
