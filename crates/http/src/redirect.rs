//! The plain port beside a TLS one (`server.ssl.redirectHttpFromPort`).

use crate::answer::{Answer, Payload};
use crate::server::BindError;
use http::uri::Authority;
use http::{Request, Response, header};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// Connections at once: each is one short exchange. Further ones wait in the kernel.
const CONNECTIONS: usize = 256;

/// Bytes of a request's head at most.
const HEAD: usize = 16 * 1024;

/// Answers plain HTTP on port `from` with the way to the TLS port `to`. A connection is one request and ends
/// after `patience` at the latest.
///
/// # Errors
/// [`BindError::Address`].
pub fn redirect_to_tls(
    host: &str,
    from: u16,
    to: u16,
    patience: Duration,
) -> Result<tokio::task::JoinHandle<()>, BindError> {
    let fault = |source| BindError::Address { address: format!("{host}:{from}"), source };
    let listener = std::net::TcpListener::bind((host, from)).map_err(fault)?;
    listener.set_nonblocking(true).map_err(fault)?;
    let listener = TcpListener::from_std(listener).map_err(fault)?;
    let own_name: Arc<str> = if host.contains(':') { format!("[{host}]").into() } else { host.into() };
    Ok(tokio::spawn(async move {
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        while let Ok(place) = places.clone().acquire_owned().await {
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of file descriptors, most likely: a pause lets some connections end.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let own_name = own_name.clone();
            tokio::spawn(async move {
                let _place = place;
                let _ = tokio::time::timeout(patience, exchange(stream, own_name, to)).await;
            });
        }
    }))
}

async fn exchange(stream: TcpStream, own_name: Arc<str>, to: u16) {
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder.http1().keep_alive(false).max_buf_size(HEAD);
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = Ok::<_, Infallible>(way(&request, &own_name, to));
        async move { answer }
    });
    if let Err(error) = builder.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "a connection to the plain port ended early");
    }
}

fn way<B>(request: &Request<B>, own_name: &str, to: u16) -> Response<Payload> {
    let asked =
        request.headers().get(header::HOST).and_then(|value| Authority::try_from(value.as_bytes()).ok());
    let name = asked.as_ref().map(Authority::host).filter(|name| !name.is_empty()).unwrap_or(own_name);
    let path = request.uri().path_and_query().map_or("/", |text| text.as_str());
    let answer = Answer::redirect(&format!("https://{name}:{to}{path}"));
    let mut response = Response::new(answer.payload);
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_has_the_name_that_was_asked_for() {
        for (host, name) in [
            (Some("example.org:80"), "example.org"),
            (Some("example.org"), "example.org"),
            (Some("[::1]:80"), "[::1]"),
            (Some("[2001:db8::1]"), "[2001:db8::1]"),
            (Some("10.0.0.1:80"), "10.0.0.1"),
            (Some("not a host"), "own"),
            (Some(""), "own"),
            (Some(":80"), "own"),
            (None, "own"),
        ] {
            let mut request = Request::builder().uri("/api/status?a=b");
            if let Some(host) = host {
                request = request.header("host", host);
            }
            let response = way(&request.body(()).unwrap(), "own", 5601);
            let expected = format!("https://{name}:5601/api/status?a=b");
            assert_eq!(response.status(), 302);
            assert_eq!(response.headers()["location"].to_str().unwrap(), expected, "{host:?}");
        }
    }
}
