//! `server.ssl.*`.

use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use ikebana_http::{ClientAuthentication, PrivateKey, TlsSettings};
use ikebana_testkit::server::{Reply, TestServer};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion};

const BOTH: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

/// A certificate and its key, DER.
struct Signed {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// An authority and certificates that it signed.
struct Certificates {
    authority: Vec<u8>,
    server: Signed,
    client: Signed,
    stranger: Signed,
}

fn issuer() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority")
}

fn signed(by: &CertifiedIssuer<'static, KeyPair>) -> Signed {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
    let certificate = params.signed_by(&key, by).expect("a certificate");
    Signed { certificate: certificate.der().to_vec(), key: key.serialize_der() }
}

impl Certificates {
    fn new() -> Self {
        let (authority, other) = (issuer(), issuer());
        Self {
            server: signed(&authority),
            client: signed(&authority),
            stranger: signed(&other),
            authority: authority.der().to_vec(),
        }
    }

    async fn server(&self, change: impl FnOnce(&mut TlsSettings)) -> TestServer {
        let mut settings = TlsSettings {
            certificates: vec![self.server.certificate.clone()],
            key: PrivateKey(self.server.key.clone()),
            authorities: vec![self.authority.clone()],
            client_authentication: ClientAuthentication::None,
            tls12: true,
            tls13: true,
            redirect_from_port: None,
            source: "test".into(),
        };
        change(&mut settings);
        TestServer::start_with(|config| config.http.tls = Some(settings)).await
    }

    /// A client of these protocols and versions, with a certificate or without.
    fn client(
        &self,
        protocols: &[&str],
        versions: &[&'static SupportedProtocolVersion],
        own: Option<&Signed>,
    ) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(self.authority.clone())).expect("an authority");
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(versions)
            .expect("versions")
            .with_root_certificates(roots);
        let mut config = match own {
            None => builder.with_no_client_auth(),
            Some(own) => {
                let chain = vec![CertificateDer::from(own.certificate.clone())];
                let key = PrivateKeyDer::try_from(own.key.clone()).expect("a key");
                builder.with_client_auth_cert(chain, key).expect("a certificate")
            }
        };
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        TlsConnector::from(Arc::new(config))
    }
}

async fn connect(server: &TestServer, client: &TlsConnector) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(server.address).await?;
    client.connect(ServerName::try_from("localhost").expect("a name"), stream).await
}

/// Asks for the status over HTTP/1.1. With TLS 1.3 a refused client certificate shows only now.
async fn status(mut stream: TlsStream<TcpStream>) -> std::io::Result<Reply> {
    stream.write_all(b"GET /api/status HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    Ok(Reply::read(&bytes))
}

#[tokio::test]
async fn http_1_1_over_tls() {
    let certificates = Certificates::new();
    let server = certificates.server(|_| {}).await;
    for protocols in [&["http/1.1"][..], &[]] {
        let stream = connect(&server, &certificates.client(protocols, &BOTH, None)).await.expect("TLS");
        let chosen = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
        assert_eq!(chosen.as_deref(), protocols.first().map(|name| name.as_bytes()));
        let reply = status(stream).await.expect("an answer");
        assert_eq!(reply.whole(), (200, json!({"status": {"overall": {"level": "available"}}})));
    }
}

#[tokio::test]
async fn http_2_where_the_client_offers_it() {
    let certificates = Certificates::new();
    let server = certificates.server(|_| {}).await;
    let client = certificates.client(&["h2", "http/1.1"], &BOTH, None);
    let stream = connect(&server, &client).await.expect("TLS");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .expect("HTTP/2");
    tokio::spawn(connection);
    let request = |method: &str, path: &str| {
        let uri = format!("https://localhost{path}");
        let request = http::Request::builder().method(method).uri(uri);
        request.body(Empty::<bytes::Bytes>::new()).expect("a request")
    };
    // Several at once on the one connection.
    let sent: Vec<_> = (0..16).map(|_| sender.send_request(request("GET", "/api/status"))).collect();
    for answer in sent {
        let answer = answer.await.expect("an answer");
        assert_eq!((answer.status().as_u16(), answer.version()), (200, http::Version::HTTP_2));
        assert_eq!(answer.headers()["kbn-name"], "ikebana");
        let body = answer.into_body().collect().await.expect("a body").to_bytes();
        let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(body, json!({"status": {"overall": {"level": "available"}}}));
    }
    let unknown = sender.send_request(request("POST", "/api/unknown")).await.expect("an answer");
    assert_eq!(unknown.status().as_u16(), 404);
    let head = sender.send_request(request("HEAD", "/login")).await.expect("an answer");
    assert_eq!(head.status().as_u16(), 200);
}

#[tokio::test]
async fn a_plain_client_gets_nothing() {
    let certificates = Certificates::new();
    let server = certificates.server(|_| {}).await;
    let bytes = crate::support::raw(server.address, b"GET /api/status HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(!bytes.starts_with(b"HTTP/"), "{}", String::from_utf8_lossy(&bytes));
    let stream = connect(&server, &certificates.client(&[], &BOTH, None)).await.expect("TLS");
    assert_eq!(status(stream).await.expect("an answer").status, 200, "others go on");
}

async fn reaches(server: &TestServer, client: &TlsConnector) -> bool {
    match connect(server, client).await {
        Ok(stream) => status(stream).await.is_ok_and(|reply| reply.status == 200),
        Err(_) => false,
    }
}

#[tokio::test]
async fn client_certificates_can_be_needed_or_just_checked() {
    let certificates = Certificates::new();
    for (asked, expected) in [
        (ClientAuthentication::None, [true, true, true]),
        (ClientAuthentication::Optional, [true, true, false]),
        (ClientAuthentication::Required, [false, true, false]),
    ] {
        let server = certificates.server(|settings| settings.client_authentication = asked).await;
        let shown = [None, Some(&certificates.client), Some(&certificates.stranger)];
        for version in BOTH {
            for (own, reached) in shown.iter().zip(expected) {
                let client = certificates.client(&[], &[version], *own);
                let whose = own.map(|own| own.certificate == certificates.client.certificate);
                assert_eq!(reaches(&server, &client).await, reached, "{asked:?} {version:?} own: {whose:?}");
            }
        }
    }
}

#[tokio::test]
async fn versions_can_be_limited() {
    let certificates = Certificates::new();
    for (tls12, tls13) in [(true, true), (true, false), (false, true)] {
        let server = certificates
            .server(|settings| {
                settings.tls12 = tls12;
                settings.tls13 = tls13;
            })
            .await;
        for (version, allowed, name) in
            [(&TLS12, tls12, ProtocolVersion::TLSv1_2), (&TLS13, tls13, ProtocolVersion::TLSv1_3)]
        {
            let stream = connect(&server, &certificates.client(&[], &[version], None)).await;
            assert_eq!(stream.is_ok(), allowed, "{name:?} with {tls12} {tls13}");
            if let Ok(stream) = stream {
                assert_eq!(stream.get_ref().1.protocol_version(), Some(name));
            }
        }
    }
}

#[tokio::test]
async fn certificates_that_cannot_be_used_stop_the_start() {
    let certificates = Certificates::new();
    let broken = TlsSettings {
        certificates: vec![certificates.client.certificate.clone()],
        key: PrivateKey(certificates.server.key),
        authorities: Vec::new(),
        client_authentication: ClientAuthentication::None,
        tls12: true,
        tls13: true,
        redirect_from_port: None,
        source: "test".into(),
    };
    let text = ikebana_http::acceptor(&broken).err().expect("a refusal").to_string();
    assert!(text.starts_with("[server.ssl] cannot be used: "), "{text}");
    let no_key = TlsSettings { key: PrivateKey(vec![1, 2, 3]), ..broken };
    assert!(ikebana_http::acceptor(&no_key).is_err());
    assert_eq!(format!("{:?}", no_key.key), "[redacted]");
}

#[tokio::test]
async fn the_plain_port_shows_the_way() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    drop(taken);
    let patience = Duration::from_millis(200);
    let task = ikebana_http::redirect_to_tls("127.0.0.1", port, 5601, patience).expect("a listener");
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    let bytes = b"GET /api/status?a=b HTTP/1.1\r\nhost: example.org:80\r\nconnection: close\r\n\r\n";
    let reply = Reply::read(&crate::support::raw(address, bytes).await);
    assert_eq!(
        (reply.status, reply.header("location")),
        (302, Some("https://example.org:5601/api/status?a=b"))
    );
    // Who sends no whole head does not keep a connection, nor does one more request.
    for sent in ["GET / HTTP/1.1\r\nhost:", "GET / HTTP/1.1\r\nhost: x\r\n\r\n"] {
        let answer = timeout(Duration::from_secs(5), crate::support::raw(address, sent.as_bytes())).await;
        let answer = answer.unwrap_or_else(|_| panic!("{sent:?} keeps a connection for ever"));
        assert_eq!(answer.starts_with(b"HTTP/1.1 302"), sent.ends_with("\r\n\r\n"), "{sent:?}");
    }
    // More than there are places for: they end, and others get their turn.
    let mut open = Vec::new();
    for _ in 0..300 {
        open.push(TcpStream::connect(address).await.expect("a connection"));
    }
    let reply = Reply::read(
        &timeout(Duration::from_secs(5), crate::support::raw(address, bytes)).await.expect("a turn"),
    );
    assert_eq!(reply.status, 302);
    task.abort();
}
