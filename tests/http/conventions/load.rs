//! Too much at once, and callers that take their time.

use crate::support::{Custom, bare, error, raw, read_one};
use http_body_util::BodyExt as _;
use ikebana_http::{Answer, Authentication, Authorization, Body, Method, Route, RouteSpec};
use ikebana_testkit::server::{Reply, TestServer};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

/// The head of a request to make a space whose body of 21 bytes is still to come.
const SLOW: &str = "POST /api/spaces/space HTTP/1.1\r\nhost: x\r\nauthorization: Basic ZWxhc3RpYzpjaGFuZ2VtZQ==\r\n\
                    kbn-xsrf: 1\r\ncontent-type: application/json\r\ncontent-length: 21\r\n\r\n";
const BODY: &str = r#"{"id":"a","name":"A"}"#;

async fn status(server: &TestServer) -> Reply {
    server.request("GET", "/api/status").send().await
}

#[tokio::test]
async fn more_requests_than_places_are_refused_at_once() {
    let server = TestServer::start_with(|config| config.http.max_requests = 1).await;
    let mut slow = TcpStream::connect(server.address).await.expect("a connection");
    slow.write_all(SLOW.as_bytes()).await.expect("a head sent");
    let refused = loop {
        let reply = status(&server).await;
        if reply.status != 200 {
            break reply;
        }
        sleep(Duration::from_millis(5)).await;
    };
    assert_eq!((refused.whole(), refused.header("retry-after")), (bare(503), Some("1")));
    assert!(refused.header("kbn-name").is_some(), "a refusal carries the conventional headers too");
    slow.write_all(BODY.as_bytes()).await.expect("a body sent");
    assert_eq!(read_one(&mut slow).await.status, 200, "who has a place keeps it");
    assert_eq!(status(&server).await.status, 200);
    let metrics = server.get("/metrics").await.text();
    let refused = metrics.lines().find(|line| line.starts_with("ikebana_http_requests_refused_total "));
    let count: u64 =
        refused.and_then(|line| line.rsplit(' ').next()).expect("a count").parse().expect("a number");
    assert!(count >= 1, "{metrics}");
}

#[tokio::test]
async fn a_caller_that_goes_away_gives_its_place_back() {
    let server = TestServer::start_with(|config| config.http.max_requests = 1).await;
    let mut slow = TcpStream::connect(server.address).await.expect("a connection");
    slow.write_all(SLOW.as_bytes()).await.expect("a head sent");
    while status(&server).await.status == 200 {
        sleep(Duration::from_millis(5)).await;
    }
    drop(slow);
    let back = async {
        while status(&server).await.status != 200 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(5), back).await.expect("the place is free again");
}

#[tokio::test]
async fn a_body_that_does_not_arrive_in_time_is_408() {
    let server =
        TestServer::start_with(|config| config.http.payload_timeout = Duration::from_millis(100)).await;
    let mut slow = TcpStream::connect(server.address).await.expect("a connection");
    slow.write_all(SLOW.as_bytes()).await.expect("a head sent");
    slow.write_all(&BODY.as_bytes()[..10]).await.expect("half a body sent");
    assert_eq!(read_one(&mut slow).await.whole(), bare(408));
}

/// A route that answers when the test lets it.
fn waiting(gate: &Arc<Semaphore>) -> Route {
    let gate = gate.clone();
    RouteSpec::new(Method::Get, "/api/wait", Authorization::Open("a test"))
        .authentication(Authentication::None)
        .handle(move |_| {
            let gate = gate.clone();
            async move {
                let _turn = gate.acquire().await;
                Ok(Answer::json(&json!({"done": true})))
            }
        })
}

#[tokio::test]
async fn a_request_has_a_deadline() {
    let gate = Arc::new(Semaphore::new(0));
    let server = Custom::start(Vec::new(), vec![waiting(&gate)], |settings| {
        settings.socket_timeout = Duration::from_millis(100);
    })
    .await;
    let reply = server.request("GET", "/api/wait").send().await;
    assert_eq!((reply.whole(), reply.header("retry-after")), (bare(503), Some("1")));
    gate.add_permits(1);
    let reply = server.request("GET", "/api/wait").send().await;
    assert_eq!(reply.whole(), (200, json!({"done": true})));
}

#[tokio::test]
async fn heads_that_are_too_large_are_refused_and_harm_nobody() {
    let server = TestServer::start().await;
    let many: String = (0..10_000).map(|number| format!("x-{number}: y\r\n")).collect();
    let huge = format!("x: {}\r\n", "y".repeat(4 << 20));
    for headers in [many, huge] {
        let request = format!("GET /api/status HTTP/1.1\r\nhost: x\r\n{headers}\r\n");
        let (answer, other) = tokio::join!(raw(server.address, request.as_bytes()), status(&server));
        // A server that refuses early may close before the caller reads.
        let head = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || head.starts_with("HTTP/1.1 431 "), "{head}");
        assert_eq!(other.status, 200);
    }
    let path = format!("/api/{}", "x".repeat(1 << 20));
    let answer = raw(server.address, format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await;
    let head = String::from_utf8_lossy(&answer);
    assert!(
        answer.is_empty() || head.starts_with("HTTP/1.1 414 ") || head.starts_with("HTTP/1.1 431 "),
        "{head}"
    );
    assert_eq!(status(&server).await.status, 200);
}

#[tokio::test]
async fn callers_that_send_nothing_block_nobody() {
    let server = TestServer::start_with(|config| config.http.max_requests = 4).await;
    let mut open = Vec::new();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(server.address).await.expect("a connection");
        stream.write_all(b"GET /api/status HTTP/1.1\r\nhost:").await.expect("half a head sent");
        open.push(stream);
    }
    for _ in 0..10 {
        assert_eq!(status(&server).await.status, 200);
    }
}

#[tokio::test]
async fn half_a_head_is_not_waited_for_for_ever() {
    let server =
        TestServer::start_with(|config| config.http.keepalive_timeout = Duration::from_millis(100)).await;
    for sent in ["", "GET /api/status HTTP/1.1\r\nhost:"] {
        let mut stream = TcpStream::connect(server.address).await.expect("a connection");
        stream.write_all(sent.as_bytes()).await.expect("sent");
        let mut rest = Vec::new();
        let closed = timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await;
        assert!(closed.is_ok(), "{sent:?} keeps a connection for ever");
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_its_time() {
    let server =
        TestServer::start_with(|config| config.http.keepalive_timeout = Duration::from_millis(100)).await;
    let mut stream = TcpStream::connect(server.address).await.expect("a connection");
    stream.write_all(b"GET /api/status HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    assert_eq!(read_one(&mut stream).await.status, 200);
    let mut rest = Vec::new();
    timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await.expect("closed").expect("in peace");
    assert_eq!(rest, b"");
}

#[tokio::test]
async fn requests_on_one_connection_are_answered_in_order() {
    let server = TestServer::start().await;
    let mut stream = TcpStream::connect(server.address).await.expect("a connection");
    let one = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
    let both = one("/api/status")
        + &one("/api/unknown")
        + "GET /login HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    stream.write_all(both.as_bytes()).await.expect("sent");
    let mut answers = String::new();
    stream.read_to_string(&mut answers).await.expect("answers");
    let statuses: Vec<&str> = answers.split("HTTP/1.1 ").skip(1).map(|rest| &rest[..3]).collect();
    assert_eq!(statuses, ["200", "401", "200"]);
}

#[tokio::test]
async fn a_streamed_body_is_not_read_by_the_server() {
    let route = RouteSpec::new(Method::Post, "/api/stream", Authorization::Open("a test"))
        .body(Body::Stream)
        .handle(|_| async { Ok(Answer::json(&json!({"early": true}))) });
    let server = Custom::with_routes(vec![route]).await;
    let mut stream = TcpStream::connect(server.address).await.expect("a connection");
    let head = "POST /api/stream HTTP/1.1\r\nhost: x\r\nauthorization: Basic ZWxhc3RpYzpjaGFuZ2VtZQ==\r\n\
                kbn-xsrf: 1\r\ncontent-length: 1000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("sent");
    assert_eq!(read_one(&mut stream).await.whole(), (200, json!({"early": true})));
}

/// Reads a streamed body to its end, as a route would.
fn upload() -> Route {
    RouteSpec::new(Method::Post, "/api/upload", Authorization::Open("a test"))
        .body(Body::Stream)
        .max_bytes(10)
        .handle(|mut call| async move {
            let body = call.stream.take().expect("a body").collect().await?;
            Ok(Answer::json(&json!({"size": body.to_bytes().len()})))
        })
}

#[tokio::test]
async fn a_streamed_body_has_the_limits_of_its_route() {
    let server = Custom::start(Vec::new(), vec![upload()], |settings| {
        settings.payload_timeout = Duration::from_millis(100);
    })
    .await;
    let post = || server.request("POST", "/api/upload").superuser().xsrf();
    let whole = (200, json!({"size": 10}));
    let large = error(413, "Payload content length greater than maximum allowed: 10");
    assert_eq!(post().body("x".repeat(10)).send().await.whole(), whole);
    assert_eq!(post().chunked(&[b"xxxx", b"xxxxxx"]).send().await.whole(), whole);
    assert_eq!(post().body("x".repeat(11)).send().await.whole(), large);
    assert_eq!(post().chunked(&[b"xxxx", b"xxxxxxx"]).send().await.whole(), large);
    let slow = "POST /api/upload HTTP/1.1\r\nhost: x\r\nauthorization: Basic ZWxhc3RpYzpjaGFuZ2VtZQ==\r\n\
                kbn-xsrf: 1\r\ntransfer-encoding: chunked\r\n\r\n4\r\nxxxx\r\n";
    let mut stream = TcpStream::connect(server.address).await.expect("a connection");
    stream.write_all(slow.as_bytes()).await.expect("half a body sent");
    assert_eq!(read_one(&mut stream).await.whole(), bare(408));
}

#[tokio::test]
async fn a_body_cut_off_by_the_caller_writes_nothing() {
    let server = TestServer::start().await;
    let mut slow = TcpStream::connect(server.address).await.expect("a connection");
    slow.write_all(SLOW.as_bytes()).await.expect("a head sent");
    slow.write_all(&BODY.as_bytes()[..20]).await.expect("most of a body sent");
    slow.shutdown().await.expect("an end");
    let mut rest = Vec::new();
    let _ = slow.read_to_end(&mut rest).await;
    assert_eq!(server.get("/api/spaces/space/a").await.whole(), bare(404));
}

#[tokio::test]
async fn contradicting_lengths_are_refused() {
    let server = TestServer::start().await;
    let requests = [
        "POST /api/spaces/space HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
        "POST /api/spaces/space HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        "POST /api/spaces/space HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip\r\n\r\n",
    ];
    for request in requests {
        let answer = raw(server.address, request.as_bytes()).await;
        let head = String::from_utf8_lossy(&answer);
        // Where bytes behind the head were never read, the answer may be lost with them.
        assert!(answer.is_empty() || head.starts_with("HTTP/1.1 400 "), "{request:?}: {head}");
    }
    let unauthorized = error(401, "Unauthorized");
    assert_eq!(server.request("POST", "/api/spaces/space").body("{}").send().await.whole(), unauthorized);
}
