//! A whole server in a test: real sockets, its own data folder, a clock that the test sets.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on ends")]

use ikebana::{Config, Program};
use ikebana_clock::{FakeClock, Millis, SeededRandom};
use ikebana_store::Store;
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The superuser's password on every test server.
pub const PASSWORD: &str = "changeme";
/// What a fake clock shows at first.
pub const START: Millis = Millis(1_700_000_000_000);

/// A running server. It stops when it is dropped or told to.
pub struct TestServer {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it keeps.
    pub store: Store,
    /// The clock that it was given.
    pub clock: Arc<FakeClock>,
    stop: Option<oneshot::Sender<()>>,
    running: Option<JoinHandle<()>>,
    folder: Arc<tempfile::TempDir>,
}

impl TestServer {
    /// Starts with the defaults.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts with other settings.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = Arc::new(tempfile::tempdir().expect("a temporary folder"));
        Self::start_on(folder, change).await
    }

    /// Starts on a folder that another server used before.
    pub async fn start_on(folder: Arc<tempfile::TempDir>, change: impl FnOnce(&mut Config)) -> Self {
        // What the server logs is shown with a test that fails. A second server finds it set up already.
        let _ = tracing_subscriber::fmt().with_test_writer().try_init();
        let mut config = Config::at(folder.path().join("data"));
        config.port = 0;
        config.host = "127.0.0.1".to_owned();
        config.uuid = Some("00000000-0000-4000-8000-000000000000".to_owned());
        config.password = Some(PASSWORD.to_owned().into());
        change(&mut config);
        let clock = FakeClock::at(START);
        let program = Program::start(config, clock.clone(), SeededRandom::new(1)).await.expect("a start");
        let (address, store) = (program.server.address().expect("an address"), program.store);
        let (stop, stopped) = oneshot::channel();
        let server = program.server;
        let running = tokio::spawn(server.run(async {
            let _ = stopped.await;
        }));
        Self { address, store, clock, stop: Some(stop), running: Some(running), folder }
    }

    /// Stops it and hands over its folder.
    pub async fn stop(mut self) -> Arc<tempfile::TempDir> {
        let folder = self.folder.clone();
        drop(self.stop.take());
        if let Some(running) = self.running.take() {
            running.await.expect("a clean end");
        }
        folder
    }

    /// A request that is sent when [`Request::send`] is called.
    pub fn request(&self, method: &str, path: &str) -> Request {
        Request::to(self.address, method, path)
    }

    /// GET as the superuser.
    pub async fn get(&self, path: &str) -> Reply {
        self.request("GET", path).superuser().send().await
    }

    /// POST of JSON as the superuser.
    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.request("POST", path).superuser().xsrf().json(body).send().await
    }

    /// PUT of JSON as the superuser.
    pub async fn put(&self, path: &str, body: &Value) -> Reply {
        self.request("PUT", path).superuser().xsrf().json(body).send().await
    }

    /// DELETE as the superuser.
    pub async fn delete(&self, path: &str) -> Reply {
        self.request("DELETE", path).superuser().xsrf().send().await
    }
}

/// A request, written to the wire exactly as told: also what no client library would send.
#[derive(Clone)]
pub struct Request {
    address: SocketAddr,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    /// A bare request to a server at this address.
    pub fn to(address: SocketAddr, method: &str, path: &str) -> Self {
        Self {
            address,
            method: method.to_owned(),
            path: path.to_owned(),
            headers: vec![("host".to_owned(), address.to_string())],
            body: Vec::new(),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With these credentials.
    #[must_use]
    pub fn basic(self, username: &str, password: &str) -> Self {
        use base64::Engine as _;
        let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{username}:{password}"));
        self.header("authorization", &format!("Basic {encoded}"))
    }

    /// As the superuser.
    #[must_use]
    pub fn superuser(self) -> Self {
        self.basic("elastic", PASSWORD)
    }

    /// With `kbn-xsrf`.
    #[must_use]
    pub fn xsrf(self) -> Self {
        self.header("kbn-xsrf", "true")
    }

    /// With a JSON body.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string())
    }

    /// With a body of any kind; says its length.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        let length = self.body.len().to_string();
        self.header("content-length", &length)
    }

    /// With a body in chunks, whose length is not said.
    #[must_use]
    pub fn chunked(mut self, chunks: &[&[u8]]) -> Self {
        for chunk in chunks {
            self.body.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            self.body.extend_from_slice(chunk);
            self.body.extend_from_slice(b"\r\n");
        }
        self.body.extend_from_slice(b"0\r\n\r\n");
        self.header("transfer-encoding", "chunked")
    }

    /// Sends it on a connection of its own and reads the answer to its end.
    pub async fn send(self) -> Reply {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("connection: close\r\n\r\n");
        let mut stream = TcpStream::connect(self.address).await.expect("a connection");
        stream.write_all(head.as_bytes()).await.expect("a head sent");
        // A server that refuses early may close before it has read all; the answer is there all the same.
        let _ = stream.write_all(&self.body).await;
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes).await;
        Reply::read(&bytes)
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, chunks put together.
    pub body: Vec<u8>,
}

impl Reply {
    /// Reads what came over the wire.
    pub fn read(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a whole head");
        let head = String::from_utf8_lossy(&bytes[..end]);
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|text| text.parse().ok());
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
        let body = if chunked { unchunk(&bytes[end + 4..]) } else { bytes[end + 4..].to_vec() };
        Self { status: status.expect("a status"), headers, body }
    }

    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; null if there is none.
    pub fn json(&self) -> Value {
        if self.body.is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// Status and body, for comparing both at once.
    pub fn whole(&self) -> (u16, Value) {
        (self.status, self.json())
    }
}

fn unchunk(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let size =
            std::str::from_utf8(&rest[..end]).ok().and_then(|text| usize::from_str_radix(text, 16).ok());
        let Some(size) = size.filter(|size| *size > 0 && end + 2 + size <= rest.len()) else { break };
        body.extend_from_slice(&rest[end + 2..end + 2 + size]);
        rest = rest.get(end + 4 + size..).unwrap_or(&[]);
    }
    body
}
