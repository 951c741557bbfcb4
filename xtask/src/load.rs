//! Makes load: a thread per connection, closed loop or at a fixed rate.

use crate::http::Connection;
use anyhow::bail;
use std::io::Result;
use std::net::SocketAddr;
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

impl Load<'_> {
    /// Runs it; any wrong answer fails the whole.
    pub(crate) fn run(&self) -> anyhow::Result<Outcome> {
        let connections =
            (0..self.connections).map(|_| Connection::open(self.address)).collect::<Result<Vec<_>>>()?;
        let start = Instant::now();
        let results: Vec<anyhow::Result<Vec<u32>>> = std::thread::scope(|scope| {
            let running: Vec<_> = connections
                .into_iter()
                .enumerate()
                .map(|(at, connection)| scope.spawn(move || self.one(at as u64, connection, start)))
                .collect();
            running
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|_| bail!("a thread ended")))
                .collect()
        });
        let time = start.elapsed();
        let mut latencies = Vec::new();
        for result in results {
            latencies.extend(result?);
        }
        latencies.sort_unstable();
        Ok(Outcome { latencies, time })
    }

    /// The requests of one connection: every `connections`-th.
    fn one(&self, at: u64, mut connection: Connection, start: Instant) -> anyhow::Result<Vec<u32>> {
        let (mut latencies, mut request, mut body) = (Vec::new(), Vec::new(), Vec::new());
        for number in (at..self.most).step_by(self.connections) {
            let Some(begun) = self.turn(number, start) else { break };
            request.clear();
            (self.request)(number, &mut request);
            let status = connection.exchange(&request, &mut body, |_, _| {})?;
            if status != self.status {
                bail!("answer {status}: {}", String::from_utf8_lossy(&body));
            }
            latencies.push(u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX));
        }
        Ok(latencies)
    }

    /// Waits for the turn of a request; from when its time counts, or `None` at the end.
    ///
    /// At a fixed rate a request that could not be sent in time, because the one before it was not answered,
    /// counts from when it should have been sent: a slow server does not slow the measure down.
    fn turn(&self, number: u64, start: Instant) -> Option<Instant> {
        let now = Instant::now();
        let Some(rate) = self.rate else { return (now < start + self.time).then_some(now) };
        let due = Duration::from_secs_f64(number as f64 / f64::from(rate));
        if due >= self.time {
            return None;
        }
        let due = start + due;
        if due <= now {
            return Some(due);
        }
        std::thread::sleep(due - now);
        Some(Instant::now())
    }
}
