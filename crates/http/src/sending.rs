//! Answers on their way out: how long a reader may do nothing, and what is kept meanwhile.
//!
//! Two places can stand still. A socket takes no more bytes when its reader does not read: [`Patient`]. A
//! stream of HTTP/2 takes no more while its reader does not open its window, though the socket is free:
//! [`Pulses`].

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// Bytes that are handed to the protocol at once. It takes the next piece when it has room, so that a body
/// lives, with all that it holds, until little more than this is left to send.
const PIECE: usize = 16 * 1024;

/// A stream that fails when nothing could be written for `patience`.
pub(crate) struct Patient<S> {
    stream: S,
    patience: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> Patient<S> {
    pub(crate) fn new(stream: S, patience: Duration) -> Self {
        Self { stream, patience, stalled: None }
    }

    fn watch(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let patience = self.patience;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(stalled.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the other side does not read")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watch(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// In place of a time: the body waits for what makes it, not for its reader.
const OWN_WAIT: u64 = u64::MAX;

/// The bodies that one connection sends, and when each was last asked for a piece.
pub(crate) struct Pulses {
    start: Instant,
    bodies: Mutex<Vec<Weak<AtomicU64>>>,
}

impl Pulses {
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), bodies: Mutex::default() }
    }

    /// Watches one more body.
    pub(crate) fn body(&self) -> Pulse {
        let last = Arc::new(AtomicU64::new(0));
        let pulse = Pulse { start: self.start, last: last.clone() };
        pulse.beat();
        let mut bodies = self.bodies.lock().unwrap_or_else(PoisonError::into_inner);
        bodies.retain(|body| body.strong_count() > 0);
        bodies.push(Arc::downgrade(&last));
        pulse
    }

    /// When the body that waits longest for its reader was last asked; milliseconds since the start.
    fn oldest(&self) -> Option<u64> {
        let bodies = self.bodies.lock().unwrap_or_else(PoisonError::into_inner);
        let times = bodies.iter().filter_map(|body| Some(body.upgrade()?.load(Ordering::Relaxed)));
        times.filter(|last| *last != OWN_WAIT).min()
    }

    /// Ends when one of the bodies was not asked for a piece for `patience`.
    pub(crate) async fn stalled(&self, patience: Duration) {
        loop {
            let now = self.start.elapsed();
            let due = self.oldest().map_or(now, Duration::from_millis) + patience;
            match due.checked_sub(now).filter(|left| !left.is_zero()) {
                Some(left) => sleep(left).await,
                None => return,
            }
        }
    }
}

/// One body's entry.
pub(crate) struct Pulse {
    start: Instant,
    last: Arc<AtomicU64>,
}

impl Pulse {
    fn beat(&self) {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(OWN_WAIT);
        self.last.store(now, Ordering::Relaxed);
    }

    fn wait(&self) {
        self.last.store(OWN_WAIT, Ordering::Relaxed);
    }
}

/// A body in pieces of [`PIECE`] bytes at most.
pub(crate) struct Sending<B> {
    body: B,
    rest: Bytes,
    pulse: Option<Pulse>,
}

impl<B> Sending<B> {
    pub(crate) fn new(body: B, pulse: Option<Pulse>) -> Self {
        Self { body, rest: Bytes::new(), pulse }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Sending<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        if let Some(pulse) = &self.pulse {
            pulse.beat();
        }
        if self.rest.is_empty() {
            let polled = Pin::new(&mut self.body).poll_frame(cx);
            if let (true, Some(pulse)) = (polled.is_pending(), &self.pulse) {
                pulse.wait();
            }
            match ready!(polled).map(|frame| frame.map(Frame::into_data)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(Err(other))) => return Poll::Ready(Some(Ok(other))),
                Some(Ok(Ok(data))) => self.rest = data,
            }
        }
        let size = self.rest.len().min(PIECE);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(size)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, of_body) = (self.rest.len() as u64, self.body.size_hint());
        let mut hint = SizeHint::new();
        // The upper one first: the lower one must not exceed it.
        if let Some(upper) = of_body.upper() {
            hint.set_upper(upper + rest);
        }
        hint.set_lower(of_body.lower() + rest);
        hint
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{BodyExt as _, Full};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pieces_are_small_and_make_the_whole(length in 0..5 * PIECE) {
            let whole: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let mut body = Sending::new(Full::new(Bytes::from(whole.clone())), None);
            let mut got = Vec::new();
            while !body.is_end_stream() {
                prop_assert_eq!(body.size_hint().exact(), Some((length - got.len()) as u64));
                let frame = futures_util::FutureExt::now_or_never(body.frame()).unwrap().unwrap().unwrap();
                let data = frame.into_data().unwrap();
                prop_assert!(data.len() <= PIECE);
                got.extend_from_slice(&data);
            }
            prop_assert_eq!(got, whole);
        }
    }

    const SHORT: Duration = Duration::from_millis(50);

    #[tokio::test]
    async fn a_body_that_nobody_asks_for_stalls() {
        let pulses = Pulses::new();
        let idle = tokio::time::timeout(4 * SHORT, pulses.stalled(SHORT)).await;
        assert!(idle.is_err(), "no body, no stall");
        let body = Sending::new(Full::new(Bytes::from_static(b"x")), Some(pulses.body()));
        pulses.stalled(SHORT).await;
        drop(body);
        assert!(tokio::time::timeout(4 * SHORT, pulses.stalled(SHORT)).await.is_err(), "it is gone");
    }

    #[tokio::test]
    async fn a_body_that_waits_for_its_maker_does_not_stall() {
        let pulses = Pulses::new();
        let never = http_body_util::StreamBody::new(futures_util::stream::pending::<
            Result<Frame<Bytes>, std::convert::Infallible>,
        >());
        let mut body = Sending::new(never, Some(pulses.body()));
        assert!(futures_util::FutureExt::now_or_never(body.frame()).is_none());
        assert!(tokio::time::timeout(4 * SHORT, pulses.stalled(SHORT)).await.is_err());
    }

    #[tokio::test]
    async fn a_stream_whose_reader_stops_fails_and_one_that_is_slow_does_not() {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let (near, mut far) = tokio::io::duplex(16);
        let mut near = Patient::new(near, 4 * SHORT);
        let slow = tokio::spawn(async move {
            let mut got = [0; 16];
            for _ in 0..8 {
                sleep(SHORT).await;
                far.read_exact(&mut got).await.unwrap();
            }
            far
        });
        near.write_all(&[0; 128]).await.unwrap();
        let _far = slow.await.unwrap();
        let error = near.write_all(&[0; 128]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
