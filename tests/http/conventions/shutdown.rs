//! Stopping: what is in hand is finished, nothing new is taken.

use crate::support::{Custom, plain_space, read_one};
use ikebana_http::{Answer, Authentication, Authorization, Method, RouteSpec};
use ikebana_testkit::server::TestServer;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{Notify, Semaphore};
use tokio::time::{sleep, timeout};

/// A server with a route that tells when it is called and answers when it is let.
async fn waiting(shutdown_timeout: Duration) -> (Custom, Arc<Notify>, Arc<Semaphore>) {
    let (called, gate) = (Arc::new(Notify::new()), Arc::new(Semaphore::new(0)));
    let (tell, wait) = (called.clone(), gate.clone());
    let route = RouteSpec::new(Method::Get, "/api/wait", Authorization::Open("a test"))
        .authentication(Authentication::None)
        .handle(move |_| {
            let (tell, wait) = (tell.clone(), wait.clone());
            async move {
                tell.notify_one();
                let _turn = wait.acquire().await;
                Ok(Answer::json(&json!({"done": true})))
            }
        });
    let server = Custom::start(Vec::new(), vec![route], |settings| {
        settings.shutdown_timeout = shutdown_timeout;
    })
    .await;
    (server, called, gate)
}

async fn refuses_connections(address: std::net::SocketAddr) {
    let refused = async {
        while TcpStream::connect(address).await.is_ok() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(5), refused).await.expect("no new connections");
}

#[tokio::test]
async fn a_request_in_hand_is_finished() {
    let (mut server, called, gate) = waiting(Duration::from_secs(30)).await;
    let in_hand = tokio::spawn(server.request("GET", "/api/wait").send());
    called.notified().await;
    let running = server.ask_to_stop();
    refuses_connections(server.address).await;
    assert!(!running.is_finished(), "it waits for the request");
    gate.add_permits(1);
    let reply = in_hand.await.expect("an answer");
    assert_eq!(reply.whole(), (200, json!({"done": true})));
    timeout(Duration::from_secs(5), running).await.expect("an end").expect("a clean one");
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_not_waited_for() {
    let (mut server, called, _gate) = waiting(Duration::from_millis(100)).await;
    let mut stream = TcpStream::connect(server.address).await.expect("a connection");
    stream.write_all(b"GET /api/wait HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    called.notified().await;
    let running = server.ask_to_stop();
    timeout(Duration::from_secs(5), running).await.expect("an end").expect("a clean one");
}

#[tokio::test]
async fn idle_and_half_open_connections_do_not_hold_it_up() {
    let (mut server, ..) = waiting(Duration::from_secs(2)).await;
    let mut used = TcpStream::connect(server.address).await.expect("a connection");
    used.write_all(b"GET /api/unknown HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    assert_eq!(read_one(&mut used).await.status, 401);
    let silent = TcpStream::connect(server.address).await.expect("a connection");
    let mut half = TcpStream::connect(server.address).await.expect("a connection");
    half.write_all(b"GET /api/unknown HTTP/1.1\r\nho").await.expect("sent");
    sleep(Duration::from_millis(50)).await;
    let running = server.ask_to_stop();
    timeout(Duration::from_secs(5), running).await.expect("an end").expect("a clean one");
    let mut rest = Vec::new();
    assert_eq!(used.read_to_end(&mut rest).await.expect("an end"), 0);
    drop((silent, half));
}

#[tokio::test]
async fn what_was_answered_is_kept() {
    let server = TestServer::start().await;
    server.post("/api/spaces/space", &json!({"id": "a", "name": "A"})).await;
    let again = TestServer::start_on(server.stop().await, |_| {}).await;
    assert_eq!(again.get("/api/spaces/space/a").await.whole(), (200, plain_space("a", "A")));
    let mut answers = Vec::new();
    for id in ["b", "c", "d", "e"] {
        answers.push(again.post("/api/spaces/space", &json!({"id": id, "name": id})).await.status);
    }
    assert_eq!(answers, [200; 4]);
    let third = TestServer::start_on(again.stop().await, |_| {}).await;
    assert_eq!(third.get("/api/spaces/space").await.json().as_array().map(Vec::len), Some(6));
}
