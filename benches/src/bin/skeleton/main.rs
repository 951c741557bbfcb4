//! What speed is measured against: the least that an axum server could do to answer the same bytes and to
//! write the same rows. It checks nothing.

mod writer;

use anyhow::Context as _;
use axum::body::{Body, Bytes};
use axum::extract::{Json, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use clap::Parser;
use serde::Deserialize;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpListener;
use writer::{Space, Writer};

#[derive(Parser)]
struct Arguments {
    /// The port to listen on.
    #[arg(long)]
    port: u16,
    /// Two answers of the real server as JSON, `get` and `post`.
    #[arg(long)]
    replay: PathBuf,
    /// A store's file that the real server made.
    #[arg(long)]
    store: PathBuf,
}

/// An answer that was recorded.
#[derive(Deserialize)]
struct Recorded {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// An answer ready to be sent again.
struct Replay {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Replay {
    fn new(recorded: Recorded) -> anyhow::Result<Self> {
        let mut headers = HeaderMap::new();
        for (name, value) in recorded.headers {
            // These two are written by hyper, here as there.
            if !["date", "content-length"].contains(&name.as_str()) {
                headers.append(HeaderName::from_bytes(name.as_bytes())?, HeaderValue::from_str(&value)?);
            }
        }
        let status = StatusCode::from_u16(recorded.status)?;
        Ok(Self { status, headers, body: recorded.body.into() })
    }

    fn with(&self, body: impl Into<Body>) -> Response {
        let mut response = Response::new(body.into());
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers.clone();
        response
    }
}

#[derive(Deserialize)]
struct Both {
    get: Recorded,
    post: Recorded,
}

struct Skeleton {
    get: Replay,
    post: Replay,
    writer: Writer,
}

async fn read(State(skeleton): State<Arc<Skeleton>>) -> Response {
    skeleton.get.with(skeleton.get.body.clone())
}

async fn create(State(skeleton): State<Arc<Skeleton>>, Json(space): Json<Space>) -> Response {
    let Ok(body) = serde_json::to_vec(&space) else { return StatusCode::BAD_REQUEST.into_response() };
    match skeleton.writer.write(space).await {
        Ok(()) => skeleton.post.with(body),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error).into_response(),
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let text = std::fs::read(&arguments.replay).context("the recorded answers")?;
    let both: Both = serde_json::from_slice(&text)?;
    let skeleton = Skeleton {
        get: Replay::new(both.get)?,
        post: Replay::new(both.post)?,
        writer: Writer::open(&arguments.store)?,
    };
    let router = axum::Router::new()
        .route("/api/spaces/space/{id}", get(read))
        .route("/api/spaces/space", post(create))
        .with_state(Arc::new(skeleton));
    let listener = TcpListener::bind(("127.0.0.1", arguments.port)).await?;
    axum::serve(listener, router).await?;
    Ok(())
}
