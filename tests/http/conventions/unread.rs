//! Answers that their callers do not read.

use crate::support::{Custom, bare};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use ikebana_http::{Answer, Authentication, Authorization, Method, Route, RouteSpec};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};

/// More than the kernel holds for a connection whose reader does not read.
const LARGE: usize = 32 << 20;
const PATIENCE: Duration = Duration::from_millis(400);

fn large() -> Route {
    RouteSpec::new(Method::Get, "/api/large", Authorization::Open("a test"))
        .authentication(Authentication::None)
        .handle(|_| async { Ok(Answer::bytes(http::StatusCode::OK, "text/plain", vec![b'x'; LARGE])) })
}

async fn server() -> Custom {
    Custom::start(Vec::new(), vec![large()], |settings| settings.socket_timeout = PATIENCE).await
}

/// Asks for the large answer on a connection for which the kernel holds little.
async fn ask(server: &Custom) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(64 * 1024).expect("a small buffer");
    let mut stream = socket.connect(server.address).await.expect("a connection");
    stream.write_all(b"GET /api/large HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    stream
}

#[tokio::test]
async fn a_connection_whose_answer_is_not_read_is_closed() {
    let server = server().await;
    let mut stream = ask(&server).await;
    sleep(4 * PATIENCE).await;
    let mut rest = Vec::new();
    let _ = timeout(Duration::from_secs(20), stream.read_to_end(&mut rest)).await.expect("an end");
    assert!(rest.starts_with(b"HTTP/1.1 200 "));
    assert!(rest.len() < LARGE, "all of it came after {:?} without reading", 4 * PATIENCE);
}

#[tokio::test]
async fn a_slow_reader_gets_all_of_it() {
    let server = server().await;
    let mut stream = ask(&server).await;
    let (mut chunk, mut count) = (vec![0; 1 << 20], 0);
    let begun = tokio::time::Instant::now();
    while count < LARGE {
        // For longer than may be waited altogether, but never long.
        if begun.elapsed() < 3 * PATIENCE {
            sleep(PATIENCE / 20).await;
        }
        let read = stream.read(&mut chunk).await.expect("an answer");
        assert_ne!(read, 0, "the connection was closed after {count} bytes");
        count += read;
    }
}

/// Counts the chunks that are made of a streamed answer without end.
fn endless(made: &Arc<AtomicUsize>) -> Route {
    let made = made.clone();
    RouteSpec::new(Method::Get, "/api/large", Authorization::Open("a test"))
        .authentication(Authentication::None)
        .handle(move |_| {
            let made = made.clone();
            let chunks = futures_util::stream::repeat_with(move || {
                made.fetch_add(1, Ordering::Relaxed);
                Ok(bytes::Bytes::from(vec![b'x'; 1 << 20]))
            });
            async { Ok(Answer::stream("text/plain", chunks)) }
        })
}

#[tokio::test]
async fn a_streamed_answer_is_made_no_faster_than_it_is_read() {
    let made = Arc::new(AtomicUsize::new(0));
    let server =
        Custom::start(Vec::new(), vec![endless(&made)], |settings| settings.socket_timeout = PATIENCE).await;
    let mut stream = ask(&server).await;
    let mut start = [0; 12];
    stream.read_exact(&mut start).await.expect("an answer");
    sleep(PATIENCE / 2).await;
    let count = made.load(Ordering::Relaxed);
    assert!(count <= LARGE >> 20, "{count} MiB were made for a reader that does not read");
    sleep(4 * PATIENCE).await;
    assert_eq!(made.load(Ordering::Relaxed), count, "its connection is closed");
}

/// The socket of HTTP/2 stays free: it is the window of the one stream that is shut.
#[tokio::test]
async fn a_stream_that_is_not_read_is_ended_too() {
    let server = server().await;
    let stream = TcpStream::connect(server.address).await.expect("a connection");
    let (mut sender, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(1000)
        .handshake(TokioIo::new(stream))
        .await
        .expect("HTTP/2");
    let connection = tokio::spawn(connection);
    let request = http::Request::get(format!("http://{}/api/large", server.address));
    let request = request.body(Empty::<bytes::Bytes>::new()).expect("a request");
    let answer = sender.send_request(request).await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let ended = timeout(20 * PATIENCE, connection).await;
    assert!(ended.is_ok(), "a stream that nobody reads keeps its connection for ever");
    assert!(answer.into_body().collect().await.is_err(), "a part is not taken for the whole");
}

#[tokio::test]
async fn an_answer_takes_its_place_until_it_is_read() {
    let server = Custom::start(Vec::new(), vec![large()], |settings| {
        settings.socket_timeout = PATIENCE;
        settings.max_requests = 1;
    })
    .await;
    let mut unread = ask(&server).await;
    let mut start = [0; 12];
    unread.read_exact(&mut start).await.expect("an answer");
    assert_eq!(&start, b"HTTP/1.1 200");
    let other = || server.request("GET", "/api/spaces/space").superuser().send();
    assert_eq!(other().await.whole(), bare(503), "the answer is on its way");
    let free = async {
        while other().await.status != 200 {
            sleep(PATIENCE / 20).await;
        }
    };
    timeout(20 * PATIENCE, free).await.expect("the place is free again");
}
