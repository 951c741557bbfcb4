//! What a program takes from outside itself: time and randomness.
//!
//! Both are handed in, so that tests decide what time it is and which ids are drawn. Nothing else in
//! the workspace may read the system's clock (`clippy.toml` bans it).

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// Wall time in milliseconds since the Unix epoch.
    fn now(&self) -> Millis;
    /// A time that never goes back, for measuring how long something took.
    fn elapsed(&self) -> Duration;
}

/// Milliseconds since the Unix epoch, the precision of every time in the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Millis(pub i64);

impl Millis {
    /// `2026-01-31T12:00:00.000Z`, the only form in which the API writes a time.
    pub fn iso(self) -> String {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(time) => format!("{time:.3}"),
            // Beyond the year 9999 there is no such text; the number still tells.
            Err(_) => self.0.to_string(),
        }
    }

    /// Reads the text that [`Millis::iso`] writes, and every other RFC 3339 time.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|time| Self(time.as_millisecond()))
    }

    /// This time and a duration later.
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long ago `earlier` was; zero if it lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// Starts measuring now.
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    fn now(&self) -> Millis {
        Millis(jiff::Timestamp::now().as_millisecond())
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}

/// A clock that stands still until it is told to go on.
#[derive(Debug)]
pub struct FakeClock {
    now: AtomicI64,
    elapsed: AtomicU64,
}

impl FakeClock {
    /// A clock that shows `now`.
    pub fn at(now: Millis) -> Arc<Self> {
        Arc::new(Self { now: AtomicI64::new(now.0), elapsed: AtomicU64::new(0) })
    }

    /// Lets time pass.
    pub fn advance(&self, duration: Duration) {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        self.now.fetch_add(i64::try_from(millis).unwrap_or(i64::MAX), Ordering::SeqCst);
        self.elapsed.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Millis {
        Millis(self.now.load(Ordering::SeqCst))
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.elapsed.load(Ordering::SeqCst))
    }
}

/// Draws random bytes.
pub trait Random: Send + Sync + 'static {
    /// Fills `bytes`. There is no failure: a machine without randomness cannot run a server.
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's cryptographic randomness.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        if getrandom::fill(bytes).is_err() {
            // Going on would make guessable keys and ids.
            std::process::abort();
        }
    }
}

/// Randomness that repeats itself: for tests, never for keys.
#[derive(Debug)]
pub struct SeededRandom {
    state: AtomicU64,
}

impl SeededRandom {
    /// The same seed draws the same bytes.
    pub fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self { state: AtomicU64::new(seed) })
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            // SplitMix64 (Steele, Lea, Flood 2014).
            let mut z = self
                .state
                .fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst)
                .wrapping_add(0x9e37_79b9_7f4a_7c15);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let drawn = (z ^ (z >> 31)).to_le_bytes();
            chunk.copy_from_slice(&drawn[..chunk.len()]);
        }
    }
}

/// A random UUID (version 4), the form of every generated id.
pub fn uuid_v4(random: &dyn Random) -> String {
    let mut bytes = [0u8; 16];
    random.fill(&mut bytes);
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = hex(&bytes);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]])
        .map(char::from)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_with_milliseconds_and_z() {
        assert_eq!(Millis(0).iso(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Millis(1_700_000_000_123).iso(), "2023-11-14T22:13:20.123Z");
        assert_eq!(Millis::parse("2023-11-14T22:13:20.123Z"), Some(Millis(1_700_000_000_123)));
    }

    #[test]
    fn uuids_have_version_4_and_the_rfc_variant() {
        let random = SeededRandom::new(7);
        for _ in 0..1000 {
            let id = uuid_v4(&*random);
            assert_eq!(id.len(), 36, "{id}");
            assert_eq!(&id[14..15], "4", "{id}");
            assert!("89ab".contains(&id[19..20]), "{id}");
        }
        assert_ne!(uuid_v4(&*random), uuid_v4(&*random));
    }
}
