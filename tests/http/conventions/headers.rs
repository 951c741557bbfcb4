//! What every answer carries: Kibana's server source, 8.19.

use ikebana_testkit::server::{Reply, TestServer};
use serde_json::json;

/// All headers, with what differs from call to call put out of sight.
fn shown(reply: &Reply) -> String {
    let mut lines = vec![reply.status.to_string()];
    for (name, value) in &reply.headers {
        let value = match name.as_str() {
            "date" | "content-length" => "…",
            _ => value,
        };
        lines.push(format!("{name}: {value}"));
    }
    lines.join("\n")
}

#[tokio::test]
async fn headers_of_success() {
    let server = TestServer::start().await;
    insta::assert_snapshot!(shown(&server.get("/api/spaces/space").await));
}

#[tokio::test]
async fn headers_of_an_error() {
    let server = TestServer::start().await;
    insta::assert_snapshot!(shown(&server.request("GET", "/api/spaces/space").send().await));
}

#[tokio::test]
async fn headers_of_no_content() {
    let server = TestServer::start().await;
    server.post("/api/spaces/space", &json!({"id": "a", "name": "A"})).await;
    let reply = server.delete("/api/spaces/space/a").await;
    assert_eq!((reply.status, reply.body.len()), (204, 0));
    insta::assert_snapshot!(shown(&reply));
}

#[tokio::test]
async fn headers_of_a_redirect() {
    let server = TestServer::start().await;
    insta::assert_snapshot!(shown(&server.request("GET", "/app/home").send().await));
}

#[tokio::test]
async fn headers_of_an_internal_route() {
    let server = TestServer::start().await;
    insta::assert_snapshot!(shown(&server.get("/internal/security/me").await));
}

#[tokio::test]
async fn the_same_headers_are_on_all_kinds_of_answers() {
    let server = TestServer::start().await;
    let always = [
        "kbn-name",
        "kbn-license-sig",
        "x-content-type-options",
        "referrer-policy",
        "permissions-policy",
        "cross-origin-opener-policy",
        "content-security-policy",
        "content-security-policy-report-only",
        "cache-control",
    ];
    let replies = [
        server.get("/").await,
        server.get("/metrics").await,
        server.get("/api/unknown").await,
        server.get("/api/spaces/space/%zz").await,
        server.request("POST", "/unknown").send().await,
        server.request("OPTIONS", "/api/status").send().await,
        server.request("POST", "/api/spaces/space").superuser().send().await,
    ];
    for reply in replies {
        for name in always {
            let count = reply.headers.iter().filter(|(known, _)| known == name).count();
            assert_eq!(count, 1, "{name} in {}", shown(&reply));
        }
        for never in ["strict-transport-security", "x-powered-by", "server", "www-authenticate", "warning"] {
            assert_eq!(reply.header(never), None, "{never}");
        }
    }
}

#[tokio::test]
async fn the_licence_signature_is_hexadecimal_and_lasts() {
    let server = TestServer::start().await;
    let signature = |reply: Reply| reply.header("kbn-license-sig").expect("a signature").to_owned();
    let first = signature(server.get("/api/status").await);
    assert_eq!(first.len(), 64);
    assert!(first.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(signature(server.get("/").await), first);
    let again = TestServer::start_on(server.stop().await, |_| {}).await;
    assert_eq!(signature(again.get("/").await), first);
}

#[tokio::test]
async fn the_name_and_further_headers_are_settings() {
    let server = TestServer::start_with(|config| {
        config.http.name = "flowers".to_owned();
        for value in ["a value", "another"] {
            config.http.headers.push(("x-own".to_owned(), value.to_owned()));
        }
        config.http.headers.push(("kbn-name".to_owned(), "not this".to_owned()));
    })
    .await;
    for path in ["/api/status", "/api/unknown"] {
        let reply = server.get(path).await;
        let all = |name: &str| -> Vec<&str> {
            reply.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
        };
        assert_eq!(all("x-own"), ["a value", "another"], "each value of a list is a header");
        assert_eq!(all("kbn-name"), ["flowers"], "cannot be overridden");
    }
}

#[tokio::test]
async fn head_has_the_headers_of_get_and_no_body() {
    let server = TestServer::start().await;
    for path in ["/api/spaces/space", "/", "/api/unknown", "/api/spaces/space/none"] {
        let get = server.get(path).await;
        let head = server.request("HEAD", path).superuser().send().await;
        assert_eq!(head.body, b"", "{path}");
        assert_eq!(head.header("content-length"), Some(get.body.len().to_string().as_str()), "{path}");
        let names = |reply: &Reply| -> Vec<String> {
            let mut names: Vec<String> = reply.headers.iter().map(|(name, _)| name.clone()).collect();
            names.sort();
            names
        };
        assert_eq!((head.status, names(&head)), (get.status, names(&get)), "{path}");
    }
}
