//! A body that a route reads itself ([`crate::Body::Stream`], [`crate::Body::Multipart`]).

use crate::body::too_large;
use crate::error::ApiError;
use bytes::{Buf as _, Bytes};
use http::StatusCode;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Sleep, sleep};

/// A body of no more than so many bytes (413), whatever length was declared, that must be read in time (408).
#[derive(Debug)]
pub struct Upload<B = Incoming> {
    body: B,
    limit: u64,
    left: u64,
    deadline: Pin<Box<Sleep>>,
}

impl<B> Upload<B> {
    /// `limit` in bytes; the time counts from now.
    pub fn new(body: B, limit: u64, timeout: Duration) -> Self {
        Self { body, limit, left: limit, deadline: Box::pin(sleep(timeout)) }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Upload<B> {
    type Data = Bytes;
    type Error = ApiError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ApiError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if polled.is_pending() {
            ready!(self.deadline.as_mut().poll(cx));
            return Poll::Ready(Some(Err(ApiError::bare(StatusCode::REQUEST_TIMEOUT))));
        }
        let Some(frame) = ready!(polled) else { return Poll::Ready(None) };
        let frame = frame.map_err(|_| ApiError::bad_request("Client connection aborted"));
        Poll::Ready(Some(frame.and_then(|frame| {
            let size = frame.data_ref().map_or(0, |data| data.remaining() as u64);
            self.left = self.left.checked_sub(size).ok_or_else(|| too_large(self.limit))?;
            Ok(frame)
        })))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{StreamExt as _, stream};
    use http_body_util::{BodyExt as _, StreamBody};
    use std::convert::Infallible;

    const LONG: Duration = Duration::from_secs(60);

    fn chunks(sizes: &[usize]) -> impl Body<Data = Bytes, Error = Infallible> + Unpin + use<> {
        let frames: Vec<_> =
            sizes.iter().map(|size| Ok(Frame::data(Bytes::from(vec![b'x'; *size])))).collect();
        StreamBody::new(stream::iter(frames))
    }

    #[tokio::test]
    async fn a_body_without_a_length_is_cut_at_the_limit() {
        let read = async |sizes: &[usize]| {
            let read = Upload::new(chunks(sizes), 10, LONG).collect().await;
            read.map(|whole| whole.to_bytes().len())
        };
        assert_eq!(read(&[4, 6]).await, Ok(10));
        assert_eq!(read(&[]).await, Ok(0));
        for sizes in [&[4, 7][..], &[11], &[10, 0, 1]] {
            assert_eq!(read(sizes).await, Err(too_large(10)), "{sizes:?}");
        }
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_in_time_is_408() {
        let stops = stream::iter([Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"x")))])
            .chain(stream::pending());
        let mut body = Upload::new(StreamBody::new(stops), 10, Duration::from_millis(20));
        assert!(body.frame().await.unwrap().is_ok());
        let late = body.frame().await.unwrap().unwrap_err();
        assert_eq!(late, ApiError::bare(StatusCode::REQUEST_TIMEOUT));
    }
}
