//! Slows down guessing: per user and address, after some failures in a row.

use ikebana_clock::Clock;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Failures in a row that cost nothing.
const FREE: u32 = 10;
/// The first wait; it doubles with each further failure.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Pairs remembered. When there are more, those that wait no more are forgotten first.
const PAIRS: usize = 10_000;

#[derive(Default)]
struct Failures {
    count: u32,
    until: Duration,
}

/// Counts failed attempts.
pub(crate) struct Throttle {
    failures: Mutex<HashMap<(String, IpAddr), Failures>>,
    clock: Arc<dyn Clock>,
}

impl Throttle {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { failures: Mutex::default(), clock }
    }

    /// How long this pair has to wait still.
    pub(crate) fn wait(&self, username: &str, peer: IpAddr) -> Option<Duration> {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let until = failures.get(&(username.to_owned(), peer))?.until;
        until.checked_sub(self.clock.elapsed()).filter(|left| !left.is_zero())
    }

    pub(crate) fn failed(&self, username: &str, peer: IpAddr) {
        let now = self.clock.elapsed();
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= PAIRS {
            failures.retain(|_, one| one.until > now);
        }
        if failures.len() >= PAIRS {
            failures.clear();
        }
        let one = failures.entry((username.to_owned(), peer)).or_default();
        one.count += 1;
        if let Some(over) = one.count.checked_sub(FREE + 1) {
            one.until = now + LONGEST_WAIT.min(FIRST_WAIT * 2u32.saturating_pow(over.min(16)));
        }
    }

    pub(crate) fn succeeded(&self, username: &str, peer: IpAddr) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.remove(&(username.to_owned(), peer));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ikebana_clock::{FakeClock, Millis};
    use std::net::Ipv4Addr;

    #[test]
    fn guessing_gets_slower_and_success_forgets() {
        let clock = FakeClock::at(Millis(0));
        let throttle = Throttle::new(clock.clone());
        let (here, there) = (IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from([10, 0, 0, 1]));
        for _ in 0..FREE {
            throttle.failed("elastic", here);
            assert_eq!(throttle.wait("elastic", here), None);
        }
        throttle.failed("elastic", here);
        assert_eq!(throttle.wait("elastic", here), Some(FIRST_WAIT));
        assert_eq!(throttle.wait("elastic", there), None, "another address");
        assert_eq!(throttle.wait("other", here), None, "another user");
        throttle.failed("elastic", here);
        assert_eq!(throttle.wait("elastic", here), Some(FIRST_WAIT * 2));
        for _ in 0..40 {
            throttle.failed("elastic", here);
        }
        assert_eq!(throttle.wait("elastic", here), Some(LONGEST_WAIT));
        clock.advance(LONGEST_WAIT);
        assert_eq!(throttle.wait("elastic", here), None);
        throttle.succeeded("elastic", here);
        throttle.failed("elastic", here);
        assert_eq!(throttle.wait("elastic", here), None);
    }
}
