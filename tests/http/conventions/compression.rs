//! `server.compression.*`.

use flate2::read::GzDecoder;
use ikebana_testkit::server::{Reply, Request, TestServer};
use serde_json::Value;
use std::io::Read as _;

fn large(server: &TestServer) -> Request {
    server.request("GET", "/api/status").superuser()
}

fn about(reply: &Reply) -> (Option<&str>, Option<&str>, bool) {
    let length = reply.header("content-length").is_some();
    (reply.header("content-encoding"), reply.header("vary"), length)
}

const PLAIN: (Option<&str>, Option<&str>, bool) = (None, Some("accept-encoding"), true);
const GZIP: (Option<&str>, Option<&str>, bool) = (Some("gzip"), Some("accept-encoding"), false);

#[tokio::test]
async fn large_answers_are_compressed_for_who_takes_it() {
    let server = TestServer::start().await;
    let plain = large(&server).send().await;
    assert!(plain.body.len() >= 1024);
    assert_eq!(about(&plain), PLAIN);
    for accepted in ["gzip", "gzip, deflate", "deflate;q=0.5, gzip;q=1", "*"] {
        let reply = large(&server).header("accept-encoding", accepted).send().await;
        assert_eq!(about(&reply), GZIP, "{accepted}");
        let mut text = String::new();
        GzDecoder::new(&*reply.body).read_to_string(&mut text).expect("gzip");
        let body: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(body["version"]["number"], "8.19.0");
    }
    for accepted in ["identity", "", "gzip;q=0", "br"] {
        let reply = large(&server).header("accept-encoding", accepted).send().await;
        assert_eq!(about(&reply), PLAIN, "{accepted}");
    }
}

#[tokio::test]
async fn small_answers_are_not() {
    let server = TestServer::start().await;
    let reply =
        server.request("GET", "/api/spaces/space").superuser().header("accept-encoding", "gzip").send().await;
    assert!(reply.body.len() < 1024);
    assert_eq!(about(&reply), (None, None, true));
}

#[tokio::test]
async fn brotli_is_a_setting() {
    let server = TestServer::start_with(|config| config.http.brotli = true).await;
    let reply = large(&server).header("accept-encoding", "br").send().await;
    assert_eq!(about(&reply), (Some("br"), Some("accept-encoding"), false));
}

#[tokio::test]
async fn it_can_be_switched_off() {
    let server = TestServer::start_with(|config| config.http.compression = false).await;
    let reply = large(&server).header("accept-encoding", "gzip").send().await;
    assert_eq!(reply.header("content-encoding"), None);
}

#[tokio::test]
async fn pages_of_hosts_that_are_not_listed_get_nothing_compressed() {
    let server = TestServer::start_with(|config| {
        config.http.compression_referrers = vec!["example.org".to_owned()];
    })
    .await;
    let from = |referrer: Option<&str>| {
        let request = large(&server).header("accept-encoding", "gzip");
        referrer.map_or_else(|| request.clone(), |url| request.clone().header("referer", url)).send()
    };
    assert_eq!(about(&from(Some("https://example.org/x")).await), GZIP);
    assert_eq!(about(&from(None).await), GZIP);
    for foreign in ["https://evil.org/x", "https://www.example.org/", "nonsense"] {
        assert_eq!(about(&from(Some(foreign)).await), PLAIN, "{foreign}");
    }
}

#[tokio::test]
async fn an_answer_to_head_is_as_long_as_the_plain_one() {
    let server = TestServer::start().await;
    let head = server.request("HEAD", "/").header("accept-encoding", "gzip").send().await;
    let plain = server.get("/").await;
    assert_eq!(head.header("content-length"), Some(plain.body.len().to_string().as_str()));
    for accepted in ["gzip", "identity"] {
        let head = server
            .request("HEAD", "/api/status")
            .superuser()
            .header("accept-encoding", accepted)
            .send()
            .await;
        assert_eq!((about(&head), head.body.len()), (PLAIN, 0), "{accepted}");
    }
}
