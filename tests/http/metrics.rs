//! `/metrics`

use crate::support::{As as _, bare, server_with_bob};
use ikebana_testkit::server::TestServer;
use std::collections::BTreeSet;

#[tokio::test]
async fn numbers_for_prometheus() {
    let server = server_with_bob().await;
    server.get("/api/spaces/space/default").await;
    server.get("/api/spaces/space/none").await;
    let reply = server.request("GET", "/metrics").user("bob").send().await;
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!((reply.status, reply.header("content-type")), (200, Some(content_type)));
    let text = reply.text();
    for line in [
        "ikebana_http_requests_total{method=\"GET\",route=\"/api/spaces/space/{id}\",class=\"2xx\"} 1",
        "ikebana_http_requests_total{method=\"GET\",route=\"/api/spaces/space/{id}\",class=\"4xx\"} 1",
        "ikebana_http_requests_total{method=\"POST\",route=\"/internal/security/users/{username}\",class=\"2xx\"} 1",
        "ikebana_http_requests_total{method=\"DELETE\",route=\"/api/spaces/space/{id}\",class=\"2xx\"} 0",
        "ikebana_http_requests_in_hand 1",
        "ikebana_store_full 0",
    ] {
        assert!(text.lines().any(|known| known == line), "{line} is not in\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
}

#[tokio::test]
async fn every_line_is_described_once() {
    let server = TestServer::start().await;
    let text = server.get("/metrics").await.text();
    let types: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    let unique: BTreeSet<&str> = types.iter().copied().collect();
    assert_eq!(types.len(), unique.len(), "{types:?}");
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').expect("a name and a value");
        assert!(name.starts_with("ikebana_"), "{line}");
        assert!(value.parse::<f64>().is_ok(), "{line}");
        assert!(
            types.iter().any(|known| known.split(' ').next().is_some_and(|known| name.starts_with(known))),
            "{line}"
        );
    }
}

#[tokio::test]
async fn strangers_need_the_setting() {
    let server = TestServer::start().await;
    // Not an API path, but no page either: a scraper is not sent to the login.
    let reply = server.request("GET", "/metrics").send().await;
    assert_eq!(reply.whole(), bare(401));
    let open = TestServer::start_with(|config| config.anonymous_metrics = true).await;
    assert_eq!(open.request("GET", "/metrics").send().await.status, 200);
}
