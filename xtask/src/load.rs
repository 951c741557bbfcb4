//! Makes load: many connections, closed loop or at a fixed rate.
//!
//! One thread looks at all connections in turn and never sleeps. If it did, the server would pay for waking
//! it, the more often the slower the server is; so the measured cost would grow with itself.

use anyhow::{Context as _, bail};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// What is asked for.
pub(crate) struct Load<'a> {
    pub(crate) address: SocketAddr,
    pub(crate) connections: usize,
    /// How long, and for how many requests at most.
    pub(crate) time: Duration,
    pub(crate) most: u64,
    /// Requests a second over all connections; `None`: each connection sends as soon as it is answered.
    pub(crate) rate: Option<u32>,
    /// Writes the request of this number into the buffer.
    pub(crate) request: &'a (dyn Fn(u64, &mut Vec<u8>) + Sync),
    /// The status that every answer must have.
    pub(crate) status: u16,
}

/// What came of it.
pub(crate) struct Outcome {
    /// Microseconds of each request, sorted.
    latencies: Vec<u32>,
    /// From the first request to the last answer.
    pub(crate) time: Duration,
}

impl Outcome {
    pub(crate) fn requests(&self) -> u64 {
        self.latencies.len() as u64
    }

    pub(crate) fn per_second(&self) -> f64 {
        self.requests() as f64 / self.time.as_secs_f64()
    }

    /// Microseconds within which this part of the requests was answered.
    pub(crate) fn quantile(&self, part: f64) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        f64::from(self.latencies.get((last as f64 * part).round() as usize).copied().unwrap_or(0))
    }
}

/// Longest time without any answer.
const PATIENCE: Duration = Duration::from_secs(30);

impl Load<'_> {
    /// Runs it; any wrong answer fails the whole.
    pub(crate) fn run(&self) -> anyhow::Result<Outcome> {
        let mut lanes = (0..self.connections as u64)
            .map(|at| Lane::open(self.address, at))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let start = Instant::now();
        let mut latencies = Vec::new();
        let mut last = start;
        while !lanes.is_empty() {
            let now = Instant::now();
            let before = latencies.len();
            let mut at = 0;
            while at < lanes.len() {
                if self.look(&mut lanes[at], start, now, &mut latencies)? {
                    at += 1;
                } else {
                    lanes.swap_remove(at);
                }
            }
            if latencies.len() > before {
                last = now;
            } else if now - last > PATIENCE {
                bail!("no answer for {PATIENCE:?}");
            }
            // Where there is one core only, the server must have its turn.
            std::thread::yield_now();
        }
        latencies.sort_unstable();
        Ok(Outcome { latencies, time: start.elapsed() })
    }

    /// Takes what came, sends what is due; whether the connection has more to do.
    fn look(
        &self,
        lane: &mut Lane,
        start: Instant,
        now: Instant,
        latencies: &mut Vec<u32>,
    ) -> anyhow::Result<bool> {
        if let Some(begun) = lane.begun {
            let Some(status) = lane.receive()? else { return Ok(true) };
            if status != self.status {
                bail!("answer {status}: {}", String::from_utf8_lossy(&lane.received));
            }
            latencies.push(u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX));
            lane.begun = None;
            lane.number += self.connections as u64;
        }
        if lane.number >= self.most {
            return Ok(false);
        }
        match self.turn(lane.number, start, now) {
            Turn::Over => Ok(false),
            Turn::Later => Ok(true),
            Turn::Since(begun) => {
                lane.begun = Some(begun);
                lane.request.clear();
                (self.request)(lane.number, &mut lane.request);
                lane.send()?;
                Ok(true)
            }
        }
    }

    /// At a fixed rate a request that could not be sent in time, because the one before it was not answered,
    /// counts from when it should have been sent: a slow server does not slow the measure down.
    fn turn(&self, number: u64, start: Instant, now: Instant) -> Turn {
        let Some(rate) = self.rate else {
            return if now < start + self.time { Turn::Since(Instant::now()) } else { Turn::Over };
        };
        let due = Duration::from_secs_f64(number as f64 / f64::from(rate));
        match start + due {
            _ if due >= self.time => Turn::Over,
            due if due <= now => Turn::Since(due),
            _ => Turn::Later,
        }
    }
}

/// Whether a request is to be sent.
enum Turn {
    /// Yes; its time counts from then.
    Since(Instant),
    Later,
    Over,
}

/// One connection.
struct Lane {
    stream: TcpStream,
    number: u64,
    /// From when the time of the request in flight counts.
    begun: Option<Instant>,
    request: Vec<u8>,
    received: Vec<u8>,
}

impl Lane {
    fn open(address: SocketAddr, number: u64) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self { stream, number, begun: None, request: Vec::new(), received: Vec::new() })
    }

    fn send(&mut self) -> anyhow::Result<()> {
        let mut rest = &self.request[..];
        self.received.clear();
        while !rest.is_empty() {
            match self.stream.write(rest) {
                Ok(sent) => rest = &rest[sent..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::yield_now(),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// The status, once the answer is here as a whole.
    fn receive(&mut self) -> anyhow::Result<Option<u16>> {
        let mut buffer = [0; 4096];
        match self.stream.read(&mut buffer) {
            Ok(0) => bail!("the server closed a connection"),
            Ok(length) => self.received.extend_from_slice(&buffer[..length]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        status(&self.received)
    }
}

/// The status of an answer with `content-length`; `None` while bytes are missing.
fn status(received: &[u8]) -> anyhow::Result<Option<u16>> {
    let Some(end) = received.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&received[..end])?;
    let length: usize = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .with_context(|| format!("an answer without length: {head}"))?;
    if received.len() < end + 4 + length {
        return Ok(None);
    }
    let status = head.split(' ').nth(1).and_then(|text| text.parse().ok());
    Ok(Some(status.with_context(|| format!("an answer without status: {head}"))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_counts_when_it_is_whole() {
        let whole = b"HTTP/1.1 404 Not Found\r\nA: b\r\nContent-Length: 3\r\n\r\nabc";
        for length in 0..whole.len() {
            assert_eq!(status(&whole[..length]).unwrap(), None, "{length}");
        }
        assert_eq!(status(whole).unwrap(), Some(404));
        assert!(status(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
