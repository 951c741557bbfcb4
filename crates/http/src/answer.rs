//! What a handler answers.

use bytes::Bytes;
use futures_util::Stream;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::UnsyncBoxBody};
use serde::Serialize;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::OwnedSemaphorePermit;

/// A failure in the middle of a streamed body: the connection is cut, so that nobody takes the part for
/// the whole.
pub type StreamError = Box<dyn std::error::Error + Send + Sync>;

/// The bytes of an answer, at hand or still to come.
pub enum Payload {
    /// At hand.
    Whole(Full<Bytes>),
    /// Still to come.
    Stream(UnsyncBoxBody<Bytes, StreamError>),
    /// One of the above, with the place among the requests in hand that it takes until it is sent.
    Held(Box<(Payload, OwnedSemaphorePermit)>),
}

impl Payload {
    /// Keeps the place until the bytes are sent or given up; at once free if there are none.
    #[must_use]
    pub fn held(self, place: OwnedSemaphorePermit) -> Self {
        if http_body::Body::is_end_stream(&self) { self } else { Self::Held(Box::new((self, place))) }
    }
}

impl http_body::Body for Payload {
    type Data = Bytes;
    type Error = StreamError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, StreamError>>> {
        match self.get_mut() {
            Self::Whole(body) => Pin::new(body).poll_frame(cx).map_err(|never| match never {}),
            Self::Stream(body) => Pin::new(body).poll_frame(cx),
            Self::Held(held) => Pin::new(&mut held.0).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::Stream(body) => body.is_end_stream(),
            Self::Held(held) => held.0.is_end_stream(),
        }
    }

    fn size_hint(&self) -> http_body::SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Stream(body) => body.size_hint(),
            Self::Held(held) => held.0.size_hint(),
        }
    }
}

impl std::fmt::Debug for Payload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Whole(_) => "Whole",
            Self::Stream(_) => "Stream",
            Self::Held(_) => "Held",
        })
    }
}

/// Status, headers and body.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// Headers of the route's own; the conventional ones are added later.
    pub headers: HeaderMap,
    /// The body.
    pub payload: Payload,
}

impl Answer {
    /// 200 with JSON.
    pub fn json(body: &impl Serialize) -> Self {
        Self::json_with(StatusCode::OK, body)
    }

    /// Any status with JSON.
    pub fn json_with(status: StatusCode, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(text) => Self::bytes(status, "application/json; charset=utf-8", text),
            Err(error) => {
                tracing::error!(%error, "an answer could not be written as JSON");
                Self::bytes(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", Bytes::new())
            }
        }
    }

    /// Bytes of a content type.
    pub fn bytes(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut headers = HeaderMap::with_capacity(4);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self { status, headers, payload: Payload::Whole(Full::new(body.into())) }
    }

    /// No body and no content type.
    pub fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::with_capacity(4), payload: Payload::Whole(Full::default()) }
    }

    /// 302.
    pub fn redirect(location: &str) -> Self {
        let mut answer = Self::empty(StatusCode::FOUND);
        if let Ok(location) = HeaderValue::from_str(location) {
            answer.headers.insert(header::LOCATION, location);
        }
        answer
    }

    /// A body that is written while it is made.
    pub fn stream(
        content_type: &'static str,
        chunks: impl Stream<Item = Result<Bytes, StreamError>> + Send + 'static,
    ) -> Self {
        use futures_util::TryStreamExt as _;
        let mut answer = Self::empty(StatusCode::OK);
        answer.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        let body = StreamBody::new(chunks.map_ok(http_body::Frame::data));
        answer.payload = Payload::Stream(body.boxed_unsync());
        answer
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use tokio::sync::Semaphore;

    #[tokio::test]
    async fn a_place_is_kept_until_the_body_is_gone() {
        let places = Arc::new(Semaphore::new(1));
        let place = || places.clone().try_acquire_owned().unwrap();
        let mut held = Answer::bytes(StatusCode::OK, "text/plain", "abc").payload.held(place());
        assert_eq!(http_body::Body::size_hint(&held).exact(), Some(3));
        assert_eq!(held.frame().await.unwrap().unwrap().into_data().unwrap(), "abc");
        assert_eq!(places.available_permits(), 0);
        drop(held);
        assert_eq!(places.available_permits(), 1);
        let empty = Answer::empty(StatusCode::NO_CONTENT).payload.held(place());
        assert_eq!(places.available_permits(), 1, "nothing is left to send");
        drop(empty);
    }
}
