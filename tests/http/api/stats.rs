//! `/api/stats`, which Kibana does not document: as servers of its 9.x line were seen to answer.

use crate::support::{As as _, bare, error, server_with_bob};
use ikebana_testkit::server::TestServer;
use serde_json::{Value, json};

fn redacted(mut body: Value) -> Value {
    fn hide(value: &mut Value) {
        match value {
            Value::Number(_) => *value = json!("[number]"),
            Value::Object(map) => map.values_mut().for_each(hide),
            _ => {}
        }
    }
    hide(&mut body);
    for key in ["platform", "platform_release"] {
        body["os"][key] = json!(format!("[{key}]"));
    }
    body["requests"]["status_codes"] = json!("[codes]");
    // Null before the first answer.
    body["response_times"]["avg_ms"] = json!("[number]");
    body
}

#[tokio::test]
async fn the_whole_answer_unverified() {
    let server = server_with_bob().await;
    let reply = server.get("/api/stats").await;
    assert_eq!((reply.status, reply.header("elastic-api-version")), (200, Some("2023-10-31")));
    insta::assert_json_snapshot!(redacted(reply.json()));
    let bob = server.request("GET", "/api/stats").user("bob").send().await;
    assert_eq!(redacted(bob.json()), redacted(reply.json()), "no privilege is needed");
}

#[tokio::test]
async fn strangers_need_the_setting() {
    let server = TestServer::start().await;
    assert_eq!(server.request("GET", "/api/stats").send().await.whole(), bare(401));
    let open = TestServer::start_with(|config| config.anonymous_status = true).await;
    assert_eq!(open.request("GET", "/api/stats").send().await.status, 200);
}

#[tokio::test]
async fn extended_adds_usage_and_the_clusters_id() {
    let server = TestServer::start().await;
    let uuid = json!("00000000-0000-4000-8000-000000000000");
    for query in ["extended", "extended=", "extended=true", "extended=true&exclude_usage=false"] {
        let body = server.get(&format!("/api/stats?{query}")).await.json();
        assert_eq!((&body["usage"], &body["cluster_uuid"]), (&json!({}), &uuid), "{query}");
        let last: Vec<&String> = body.as_object().expect("an object").keys().rev().take(2).collect();
        assert_eq!(last, ["cluster_uuid", "usage"]);
    }
    let legacy = server.get("/api/stats?extended&legacy").await.json();
    assert_eq!((&legacy["clusterUuid"], legacy.get("cluster_uuid")), (&uuid, None));
    for query in ["", "?legacy=true", "?extended=false"] {
        let body = server.get(&format!("/api/stats{query}")).await.json();
        assert_eq!((body.get("usage"), body.get("cluster_uuid")), (None, None), "{query}");
    }
}

#[tokio::test]
async fn the_query_is_validated() {
    let server = TestServer::start().await;
    let text = "[request query.extended]: types that failed validation:\n\
                - [request query.extended.0]: expected value to equal []\n\
                - [request query.extended.1]: expected value of type [boolean] but got [string]";
    assert_eq!(server.get("/api/stats?extended=1").await.whole(), error(400, text));
    let text = "[request query.x]: definition for this key is missing";
    assert_eq!(server.get("/api/stats?x").await.whole(), error(400, text));
}
