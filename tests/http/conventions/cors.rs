//! `server.cors.*`.

use crate::support::{bare, error};
use ikebana_http::CorsSettings;
use ikebana_testkit::server::{Reply, Request, TestServer};
use serde_json::json;

const ORIGIN: &str = "https://example.org";

async fn server(origin: &str, credentials: bool) -> TestServer {
    let cors = CorsSettings { allow_credentials: credentials, allow_origin: vec![origin.to_owned()] };
    TestServer::start_with(|config| config.http.cors = Some(cors)).await
}

fn preflight(server: &TestServer) -> Request {
    server
        .request("OPTIONS", "/api/spaces/space")
        .header("origin", ORIGIN)
        .header("access-control-request-method", "POST")
}

/// The headers that speak of origins.
fn shown(reply: &Reply) -> Vec<(&str, &str)> {
    let of_cors = |name: &str| name.starts_with("access-control-") || name == "vary";
    let headers = reply.headers.iter().filter(|(name, _)| of_cors(name));
    let mut headers: Vec<_> = headers.map(|(name, value)| (name.as_str(), value.as_str())).collect();
    headers.sort_unstable();
    headers
}

const ALLOWED: (&str, &str) =
    ("access-control-allow-headers", "Accept,Authorization,Content-Type,If-None-Match,kbn-xsrf");
const EXPOSED: (&str, &str) = ("access-control-expose-headers", "WWW-Authenticate,Server-Authorization");

#[tokio::test]
async fn a_preflight_needs_no_credentials() {
    let server = server(ORIGIN, true).await;
    let asked = "kbn-xsrf, Content-Type,authorization , origin";
    let reply = preflight(&server).header("access-control-request-headers", asked).send().await;
    assert_eq!((reply.status, reply.body.len()), (200, 0));
    let expected = [
        ("access-control-allow-credentials", "true"),
        ALLOWED,
        ("access-control-allow-methods", "POST"),
        ("access-control-allow-origin", ORIGIN),
        EXPOSED,
        ("access-control-max-age", "86400"),
    ];
    assert_eq!(shown(&reply), expected);
}

#[tokio::test]
async fn any_origin_without_credentials() {
    let server = server("*", false).await;
    let reply = preflight(&server).send().await;
    let expected = [
        ALLOWED,
        ("access-control-allow-methods", "POST"),
        ("access-control-allow-origin", ORIGIN),
        EXPOSED,
        ("access-control-max-age", "86400"),
    ];
    assert_eq!((reply.status, shown(&reply)), (200, expected.to_vec()));
}

#[tokio::test]
async fn refused_preflights_are_200_with_a_message() {
    let server = server("https://other.org", false).await;
    let reply = preflight(&server).send().await;
    assert_eq!(reply.whole(), (200, json!({"message": "CORS error: Origin not allowed"})));
    assert_eq!(shown(&reply), []);
    let other = || {
        server
            .request("OPTIONS", "/api/spaces/space")
            .header("origin", "https://other.org")
            .header("access-control-request-method", "POST")
    };
    for asked in ["x-custom", "kbn-xsrf,x-custom", "accept-language"] {
        let reply = other().header("access-control-request-headers", asked).send().await;
        let body = json!({"message": "CORS error: Some headers are not allowed"});
        assert_eq!(reply.whole(), (200, body), "{asked}");
        assert_eq!(shown(&reply), []);
    }
}

#[tokio::test]
async fn preflights_that_lead_nowhere() {
    let server = server("*", false).await;
    let options = |path: &str| server.request("OPTIONS", path);
    let method = "CORS error: Missing Access-Control-Request-Method header";
    assert_eq!(options("/api/status").send().await.whole(), error(404, method));
    assert_eq!(options("/api/status").header("origin", ORIGIN).send().await.whole(), error(404, method));
    let get = |path: &str| options(path).header("access-control-request-method", "GET");
    let origin = "CORS error: Missing Origin header";
    assert_eq!(get("/api/status").send().await.whole(), error(404, origin));
    let post = options("/api/unknown").header("access-control-request-method", "POST");
    assert_eq!(post.send().await.whole(), bare(404), "the route is looked up before the origin");
    let everywhere = get("/api/unknown").header("origin", ORIGIN).send().await;
    assert_eq!(everywhere.status, 200, "GET has a route for every path");
}

#[tokio::test]
async fn answers_say_whether_a_page_may_read_them() {
    let allowed = server(ORIGIN, true).await;
    for path in ["/api/status", "/api/unknown"] {
        let reply = allowed.request("GET", path).superuser().header("origin", ORIGIN).send().await;
        let expected =
            [("access-control-allow-credentials", "true"), ("access-control-allow-origin", ORIGIN), EXPOSED];
        let shown: Vec<_> = shown(&reply).into_iter().filter(|(name, _)| *name != "vary").collect();
        assert_eq!(shown, expected, "{path}");
        assert!(reply.headers.contains(&("vary".to_owned(), "origin".to_owned())), "{path}");
    }
    let foreign = allowed.request("GET", "/api/status").header("origin", "https://evil.org").send().await;
    assert_eq!((foreign.status, shown(&foreign)), (200, vec![("vary", "origin")]));
    let same = allowed.request("GET", "/api/status").send().await;
    assert_eq!(shown(&same), [("vary", "origin")]);
}

#[tokio::test]
async fn off_by_default() {
    let server = TestServer::start().await;
    let reply = server.request("GET", "/api/status").header("origin", ORIGIN).send().await;
    assert_eq!(shown(&reply), []);
    assert_eq!(preflight(&server).send().await.whole(), bare(404));
}
