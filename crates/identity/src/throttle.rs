//! Slows down guessing: per user and address, after some failures in a row.

use aws_lc_rs::digest::{SHA256, digest};
use ikebana_clock::Clock;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Failures in a row that cost nothing.
const FREE: u32 = 10;
/// The first wait; it doubles with each further failure.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Pairs remembered. When there are more, the half that failed least is forgotten.
const PAIRS: usize = 10_000;

/// A user's name, of a fixed size whatever was sent as one, and where the attempts come from.
type Pair = ([u8; 32], IpAddr);

fn pair(username: &str, peer: IpAddr) -> Pair {
    let mut name = [0; 32];
    name.copy_from_slice(digest(&SHA256, username.as_bytes()).as_ref());
    (name, network(peer))
}

/// What one guesser has to itself: an address of IPv4, a /64 of IPv6.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[derive(Default)]
struct Failures {
    count: u32,
    until: Duration,
}

/// Counts failed attempts.
pub(crate) struct Throttle {
    failures: Mutex<HashMap<Pair, Failures>>,
    clock: Arc<dyn Clock>,
}

impl Throttle {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { failures: Mutex::default(), clock }
    }

    /// How long this pair has to wait still.
    pub(crate) fn wait(&self, username: &str, peer: IpAddr) -> Option<Duration> {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let until = failures.get(&pair(username, peer))?.until;
        until.checked_sub(self.clock.elapsed()).filter(|left| !left.is_zero())
    }

    pub(crate) fn failed(&self, username: &str, peer: IpAddr) {
        let now = self.clock.elapsed();
        let pair = pair(username, peer);
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= PAIRS && !failures.contains_key(&pair) {
            forget_half(&mut failures);
        }
        let one = failures.entry(pair).or_default();
        one.count = one.count.saturating_add(1);
        if let Some(over) = one.count.checked_sub(FREE + 1) {
            one.until = now + LONGEST_WAIT.min(FIRST_WAIT * 2u32.saturating_pow(over.min(16)));
        }
    }

    pub(crate) fn succeeded(&self, username: &str, peer: IpAddr) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.remove(&pair(username, peer));
    }
}

/// The half with most failures stays: many names tried once each must not free one that is being guessed.
fn forget_half(failures: &mut HashMap<Pair, Failures>) {
    let mut order: Vec<(u32, Duration, Pair)> =
        failures.iter().map(|(pair, one)| (one.count, one.until, *pair)).collect();
    order.sort_unstable();
    for (_, _, pair) in &order[..order.len() / 2] {
        failures.remove(pair);
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

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_and_mapped_addresses_as_those_of_ipv4() {
        let throttle = Throttle::new(FakeClock::at(Millis(0)));
        for host in 0..=FREE {
            throttle.failed("elastic", address(&format!("2001:db8:0:1::{host:x}")));
        }
        throttle.failed("elastic", address("::ffff:10.0.0.1"));
        for (peer, wait) in
            [("2001:db8:0:1:ffff::1", Some(FIRST_WAIT)), ("2001:db8:0:2::1", None), ("::ffff:10.0.0.1", None)]
        {
            assert_eq!(throttle.wait("elastic", address(peer)), wait, "{peer}");
        }
        for _ in 0..FREE {
            throttle.failed("elastic", address("10.0.0.1"));
        }
        assert_eq!(throttle.wait("elastic", address("::ffff:10.0.0.1")), Some(FIRST_WAIT));
        assert_eq!(throttle.wait("elastic", address("::ffff:10.0.0.2")), None);
    }

    #[test]
    fn many_names_take_bounded_room_and_free_nobody() {
        let throttle = Throttle::new(FakeClock::at(Millis(0)));
        let peer = address("10.0.0.1");
        for _ in 0..=FREE {
            throttle.failed("elastic", peer);
        }
        for number in 0..3 * PAIRS {
            throttle.failed(&number.to_string(), peer);
            assert!(throttle.failures.lock().unwrap().len() <= PAIRS);
        }
        assert_eq!(throttle.wait("elastic", peer), Some(FIRST_WAIT));
    }
}
