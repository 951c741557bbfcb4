//! What tests share: whole error bodies, a user without roles, raw connections, a server with routes and
//! object types of its own.

use ikebana_clock::{FakeClock, SeededRandom};
use ikebana_http::{App, HttpSettings, MetricsRegistry, Route, Server};
use ikebana_identity::{Identity, Limits};
use ikebana_secrets::{Keyring, Secret};
use ikebana_spaces::{Spaces, SpacesSettings};
use ikebana_store::embedded::{Embedded, Options};
use ikebana_store::{ObjectType, Registry, Store};
use ikebana_testkit::server::{PASSWORD, Reply, Request, START, TestServer};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Password of users that tests make.
pub(crate) const USER_PASSWORD: &str = "correct horse";

fn reason(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Request Entity Too Large",
        415 => "Unsupported Media Type",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        other => panic!("no name for {other}"),
    }
}

/// Status and whole body of an error.
pub(crate) fn error(status: u16, message: &str) -> (u16, Value) {
    (status, json!({"statusCode": status, "error": reason(status), "message": message}))
}

/// An error whose text is its name.
pub(crate) fn bare(status: u16) -> (u16, Value) {
    error(status, reason(status))
}

/// What the cluster says, as Kibana passes it on.
pub(crate) fn cluster(status: u16, kind: &str, text: &str) -> (u16, Value) {
    error(status, &format!("[{kind}\n\tRoot causes:\n\t\t{kind}: {text}]: {text}"))
}

/// A space as it is answered when only id and name were given.
pub(crate) fn plain_space(id: &str, name: &str) -> Value {
    json!({"id": id, "name": name, "disabledFeatures": []})
}

/// The space that the first start makes.
pub(crate) fn default_space() -> Value {
    json!({
        "id": "default", "name": "Default", "description": "This is your default space!",
        "color": "#00bfb3", "disabledFeatures": [], "_reserved": true
    })
}

/// Makes a space of this id, named like it.
pub(crate) async fn create_space(server: &TestServer, id: &str) {
    let reply = server.post("/api/spaces/space", &json!({"id": id, "name": id})).await;
    assert_eq!(reply.whole(), (200, plain_space(id, id)));
}

/// Makes a user without any role.
pub(crate) async fn create_user(server: &TestServer, name: &str) {
    let body = json!({"username": name, "password": USER_PASSWORD, "roles": []});
    let reply = server.post(&format!("/internal/security/users/{name}"), &body).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}

/// A server with a user `bob` without roles.
pub(crate) async fn server_with_bob() -> TestServer {
    let server = TestServer::start().await;
    create_user(&server, "bob").await;
    server
}

/// Requests as one of the users that tests make.
pub(crate) trait As {
    /// As this user.
    fn user(self, name: &str) -> Self;
}

impl As for Request {
    fn user(self, name: &str) -> Self {
        self.basic(name, USER_PASSWORD)
    }
}

/// Writes bytes on a new connection and reads all that comes until the server closes it.
pub(crate) async fn raw(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    answer
}

/// Reads one answer with a `content-length` from a connection that stays open.
pub(crate) async fn read_one(stream: &mut TcpStream) -> Reply {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let reply = Reply::read(&bytes);
            let length: usize =
                reply.header("content-length").map_or(0, |text| text.parse().expect("a number"));
            if bytes.len() >= end + 4 + length {
                return reply;
            }
        }
        let mut chunk = [0; 4096];
        let read = stream.read(&mut chunk).await.expect("an answer");
        assert_ne!(read, 0, "the connection ended inside an answer: {}", String::from_utf8_lossy(&bytes));
        bytes.extend_from_slice(&chunk[..read]);
    }
}

/// A store with users and spaces, and no server yet.
pub(crate) struct Platform {
    pub(crate) store: Store,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) random: Arc<SeededRandom>,
    pub(crate) identity: Arc<Identity>,
    pub(crate) spaces: Spaces,
    pub(crate) folder: tempfile::TempDir,
}

impl Platform {
    /// Opens an empty store that knows these types too.
    pub(crate) fn open(types: Vec<ObjectType>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (clock, random) = (FakeClock::at(START), SeededRandom::new(1));
        let registry = Registry::new([ikebana_identity::object_types(), types].concat());
        let options = Options::at(folder.path().join("store"));
        let engine = Embedded::open(options, registry.clone(), clock.clone()).expect("a store");
        let key = Secret::from("a key of thirty-two letters or more".to_owned());
        let keyring = Keyring::new(&key, &[], random.clone()).expect("a keyring");
        let store = Store::new(Arc::new(engine), registry, keyring, clock.clone(), random.clone());
        let identity = Arc::new(Identity::new(store.clone(), random.clone(), Limits::default()));
        let spaces = Spaces::new(store.clone(), SpacesSettings::default());
        Self { store, clock, random, identity, spaces, folder }
    }
}

/// A server of the platform crates with routes and object types that no feature has.
pub(crate) struct Custom {
    pub(crate) address: SocketAddr,
    pub(crate) store: Store,
    stop: Option<oneshot::Sender<()>>,
    running: Option<JoinHandle<()>>,
    _folder: tempfile::TempDir,
}

impl Custom {
    /// Starts with these routes beside those of spaces and users, and with a user `bob` without roles.
    pub(crate) async fn start(
        types: Vec<ObjectType>,
        routes: Vec<Route>,
        change: impl FnOnce(&mut HttpSettings),
    ) -> Self {
        let Platform { store, clock, random, identity, spaces, folder } = Platform::open(types);
        identity.ensure_superuser(Some(PASSWORD.to_owned().into())).await.expect("a superuser");
        spaces.ensure_default().await.expect("a space");
        let bob = json!({"password": USER_PASSWORD, "roles": [], "enabled": true});
        identity.put_user("bob", serde_json::from_value(bob).expect("a user")).await.expect("bob");
        let mut settings = HttpSettings::default();
        change(&mut settings);
        let all = [ikebana_spaces::routes(&spaces), ikebana_security_api::routes(&identity), routes].concat();
        let mut metrics = MetricsRegistry::default();
        let app = App::new(settings, all, identity, clock, &*random, &mut metrics, "0").expect("routes");
        let server = Server::bind(Arc::new(app), "127.0.0.1", 0).await.expect("an address");
        let address = server.address().expect("an address");
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(server.run(async {
            let _ = stopped.await;
        }));
        Self { address, store, stop: Some(stop), running: Some(running), _folder: folder }
    }

    /// Starts with these routes and the default settings.
    pub(crate) async fn with_routes(routes: Vec<Route>) -> Self {
        Self::start(Vec::new(), routes, |_| {}).await
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> Request {
        Request::to(self.address, method, path)
    }

    /// Asks it to stop; the end can be waited for.
    pub(crate) fn ask_to_stop(&mut self) -> JoinHandle<()> {
        drop(self.stop.take());
        self.running.take().expect("a running server")
    }
}
