//! Sockets: accepting, TLS, time limits, stopping.

use crate::answer::Payload;
use crate::sending::{Patient, Pulses, Sending};
use crate::settings::HttpSettings;
use crate::tls::{TlsError, acceptor};
use crate::walk::App;
use http::{HeaderValue, Method, Request, Response, StatusCode, Version, header};
use http_body_util::Either;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};

/// Connections at once. Further ones wait in the kernel.
const CONNECTIONS: usize = 16_384;

/// Bytes of a request's head at most: Node's limit is 16 KiB; longer tokens than that are seen.
const HEAD: usize = 64 * 1024;

/// Bytes from which on an answer is compressed.
const COMPRESSED_FROM: u64 = 1024;

/// A bound server.
pub struct Server {
    app: Arc<App>,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
}

/// The server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The address is taken or not of this machine.
    #[error("cannot listen on {address}: {source}")]
    Address {
        /// What was asked for.
        address: String,
        /// Why.
        source: std::io::Error,
    },
    /// Certificates.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl Server {
    /// Takes the address; requests wait from here on.
    ///
    /// # Errors
    /// [`BindError`].
    pub async fn bind(app: Arc<App>, host: &str, port: u16) -> Result<Self, BindError> {
        let tls = app.settings.tls.as_ref().map(acceptor).transpose()?;
        let listener = TcpListener::bind((host, port))
            .await
            .map_err(|source| BindError::Address { address: format!("{host}:{port}"), source })?;
        Ok(Self { app, listener, tls })
    }

    /// The address, with the port that was found if 0 was asked for.
    ///
    /// # Errors
    /// The system's.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until `stop` is done, then finishes the requests in hand, for as long as
    /// `server.shutdownTimeout` at most.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let graceful = GracefulShutdown::new();
        let settings = &self.app.settings;
        let builder = Arc::new(connection_builder(settings));
        let places = Arc::new(tokio::sync::Semaphore::new(CONNECTIONS));
        let mut stop = std::pin::pin!(stop);
        loop {
            let place = tokio::select! {
                place = places.clone().acquire_owned() => place,
                () = &mut stop => break,
            };
            let (stream, peer) = tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        // Out of file descriptors, most likely: a pause lets some connections end.
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        continue;
                    }
                },
                () = &mut stop => break,
            };
            let connection = Connection {
                app: self.app.clone(),
                builder: builder.clone(),
                watcher: graceful.watcher(),
                peer: peer.ip(),
            };
            let tls = self.tls.clone();
            tokio::spawn(async move {
                let _place = place;
                connection.serve(stream, tls).await;
            });
        }
        drop(self.listener);
        if tokio::time::timeout(settings.shutdown_timeout, graceful.shutdown()).await.is_err() {
            tracing::warn!("some requests were not finished within server.shutdownTimeout");
        }
    }
}

fn connection_builder(settings: &HttpSettings) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(settings.keepalive_timeout)
        .max_buf_size(HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(256)
        .keep_alive_interval(settings.keepalive_timeout)
        .keep_alive_timeout(settings.payload_timeout);
    builder
}

struct Connection {
    app: Arc<App>,
    builder: Arc<Builder<TokioExecutor>>,
    watcher: hyper_util::server::graceful::Watcher,
    peer: IpAddr,
}

impl Connection {
    async fn serve(self, stream: TcpStream, tls: Option<TlsAcceptor>) {
        let _ = stream.set_nodelay(true);
        // Below TLS, so that what counts is what the other side takes.
        let stream = Patient::new(stream, self.app.settings.socket_timeout);
        match tls {
            None => self.talk(stream).await,
            Some(acceptor) => {
                let timeout = self.app.settings.payload_timeout;
                match tokio::time::timeout(timeout, acceptor.accept(stream)).await {
                    Ok(Ok(stream)) => self.talk(stream).await,
                    Ok(Err(error)) => tracing::debug!(%error, peer = %self.peer, "no TLS connection"),
                    Err(_) => tracing::debug!(peer = %self.peer, "no TLS connection in time"),
                }
            }
        }
    }

    async fn talk<S>(self, stream: S)
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let _counted = self.app.metrics().connection();
        let (app, peer) = (self.app, self.peer);
        let (patience, send_patience) = (app.settings.keepalive_timeout, app.settings.socket_timeout);
        let asked = Arc::new(AtomicBool::new(false));
        let pulses = Arc::new(Pulses::new());
        let (seen, sent) = (asked.clone(), pulses.clone());
        let service = service_fn(move |request: Request<Incoming>| {
            seen.store(true, Ordering::Relaxed);
            let (app, sent) = (app.clone(), sent.clone());
            async move {
                let several_streams = request.version() == Version::HTTP_2;
                let response = answer(&app, request, peer).await;
                let pulse = several_streams.then(|| sent.body());
                Ok::<_, Infallible>(response.map(|body| Sending::new(body, pulse)))
            }
        });
        let connection = self.builder.serve_connection(TokioIo::new(stream), service).into_owned();
        tokio::select! {
            ended = self.watcher.watch(connection) => if let Err(error) = ended {
                tracing::debug!(%error, %peer, "a connection ended early");
            },
            () = nothing_asked(&asked, patience) => {
                tracing::debug!(%peer, "a connection on which nothing was asked is closed");
            }
            () = pulses.stalled(send_patience) => {
                tracing::debug!(%peer, "a connection whose answer is not read is closed");
            }
        }
    }
}

/// Ends when `patience` passed without a first request; later ones have the protocols' own time limits.
async fn nothing_asked(asked: &AtomicBool, patience: Duration) {
    tokio::time::sleep(patience).await;
    if asked.load(Ordering::Relaxed) {
        std::future::pending::<()>().await;
    }
}

/// Boxed, because hyper moves the body about and a compressor's state is kilobytes.
type Compressed = Pin<Box<tower_http::compression::CompressionBody<Payload>>>;

type Outgoing = Response<Either<Payload, Compressed>>;

/// Answers, compressed where the caller and the settings want it.
async fn answer(app: &Arc<App>, request: Request<Incoming>, peer: IpAddr) -> Outgoing {
    let taken = request.headers().get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    let asked = taken.is_some_and(|taken| ["gzip", "br", "*"].iter().any(|name| taken.contains(name)));
    let bodiless = request.method() == Method::HEAD;
    if !asked || bodiless || !app.settings.compression || !referrer_allowed(app, &request) {
        let mut response = app.answer(request, peer).await;
        vary(&mut response);
        return response.map(Either::Left);
    }
    // Boxed, because most requests do not go this way and need not carry its size.
    Box::pin(compressed(app, request, peer)).await
}

async fn compressed(app: &Arc<App>, request: Request<Incoming>, peer: IpAddr) -> Outgoing {
    let inner = tower::service_fn(|request: Request<Incoming>| {
        let app = app.clone();
        async move { Ok::<_, Infallible>(app.answer(request, peer).await) }
    });
    let predicate = SizeAbove::new(COMPRESSED_FROM - 1).and(NotForContentType::const_new("image/"));
    let layer = CompressionLayer::new().gzip(true).br(app.settings.brotli).compress_when(predicate);
    let service = tower::Layer::layer(&layer, inner);
    match service.oneshot(request).await {
        Ok(response) => response.map(|body| Either::Right(Box::pin(body))),
        Err(never) => match never {},
    }
}

/// Says to caches that the answer differs by what the caller takes, also when it was not compressed.
fn vary(response: &mut Response<Payload>) {
    // The answer to HEAD has the length of a body that it does not have.
    let said =
        response.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let size: Option<u64> = said.or_else(|| http_body::Body::size_hint(response.body()).exact());
    let compressible = size.is_none_or(|size| size >= COMPRESSED_FROM)
        && response.status() != StatusCode::NO_CONTENT
        && response.headers().contains_key(header::CONTENT_TYPE);
    if compressible {
        response.headers_mut().append(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
}

/// `server.compression.referrerWhitelist`: pages of other hosts get nothing compressed.
fn referrer_allowed(app: &App, request: &Request<Incoming>) -> bool {
    let allowed = &app.settings.compression_referrers;
    if allowed.is_empty() {
        return true;
    }
    let Some(referrer) = request.headers().get(header::REFERER).and_then(|value| value.to_str().ok()) else {
        return true;
    };
    let host = referrer.parse::<http::Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
    host.is_some_and(|host| allowed.contains(&host))
}
