//! Counts of requests, for `/metrics`, `/api/status` and `/api/stats`.

use crate::spec::Route;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RouteLabels {
    method: &'static str,
    route: &'static str,
    class: &'static str,
}

const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

/// Handles to the counters of one route, so that a request costs no look-up by label.
struct OfRoute {
    answered: [Counter; 4],
}

/// Counts requests.
pub struct Metrics {
    routes: Vec<OfRoute>,
    durations: Histogram,
    in_hand: Gauge,
    refused: Counter,
    connections: Gauge,
    total_micros: AtomicU64,
    max_micros: AtomicU64,
    statuses: [AtomicU64; 600],
    disconnects: AtomicU64,
}

/// Numbers for `/api/status` and `/api/stats`, since the start.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Requests answered.
    pub total: u64,
    /// Callers that went away before their answer.
    pub disconnects: u64,
    /// Answers by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Connections open now.
    pub connections: i64,
    /// Mean time of an answer, milliseconds; `None` before the first.
    pub average_millis: Option<f64>,
    /// Longest time of an answer, milliseconds.
    pub max_millis: f64,
}

impl Metrics {
    /// Registers the counters of these routes; the last entry is for requests that no route answers.
    pub(crate) fn new(routes: &[Arc<Route>], registry: &mut Registry) -> Self {
        let family = Family::<RouteLabels, Counter>::default();
        let handles = |method, route| OfRoute {
            answered: CLASSES
                .map(|class| family.get_or_create(&RouteLabels { method, route, class }).clone()),
        };
        let mut of_routes: Vec<OfRoute> =
            routes.iter().map(|route| handles(route.spec.method.upper(), route.spec.path)).collect();
        of_routes.push(handles("", "none"));
        let buckets =
            [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
        let metrics = Self {
            routes: of_routes,
            durations: Histogram::new(buckets),
            in_hand: Gauge::default(),
            refused: Counter::default(),
            connections: Gauge::default(),
            total_micros: AtomicU64::new(0),
            max_micros: AtomicU64::new(0),
            statuses: [const { AtomicU64::new(0) }; 600],
            disconnects: AtomicU64::new(0),
        };
        registry.register("http_requests", "Requests answered", family);
        registry.register_with_unit(
            "http_request_duration",
            "Time from the request line to the answer",
            Unit::Seconds,
            metrics.durations.clone(),
        );
        registry.register("http_requests_in_hand", "Requests being answered", metrics.in_hand.clone());
        registry.register("http_requests_refused", "Requests refused for load", metrics.refused.clone());
        registry.register("http_connections", "Open connections", metrics.connections.clone());
        metrics
    }

    pub(crate) fn answered(&self, route: Option<usize>, status: u16, took: Duration) {
        let of_route = route.and_then(|number| self.routes.get(number)).or(self.routes.last());
        let class = usize::from(status / 100).saturating_sub(2).min(3);
        if let Some(of_route) = of_route {
            of_route.answered[class].inc();
        }
        self.durations.observe(took.as_secs_f64());
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.total_micros.fetch_add(micros, Ordering::Relaxed);
        self.max_micros.fetch_max(micros, Ordering::Relaxed);
        if let Some(count) = self.statuses.get(usize::from(status)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn refused(&self) {
        self.refused.inc();
    }

    /// Counts a request as in hand until the guard goes; a guard that goes unfinished is a caller that
    /// went away.
    pub(crate) fn enter(&self) -> InHand<'_> {
        self.in_hand.inc();
        InHand { metrics: self, finished: false }
    }

    pub(crate) fn connection(self: &Arc<Self>) -> Connection {
        self.connections.inc();
        Connection(self.clone())
    }

    /// The numbers now.
    pub fn snapshot(&self) -> Snapshot {
        let statuses: BTreeMap<u16, u64> = (0u16..)
            .zip(&self.statuses)
            .map(|(status, count)| (status, count.load(Ordering::Relaxed)))
            .filter(|(_, count)| *count > 0)
            .collect();
        let total: u64 = statuses.values().sum();
        let millis = |micros: u64| micros as f64 / 1000.0;
        Snapshot {
            total,
            disconnects: self.disconnects.load(Ordering::Relaxed),
            connections: self.connections.get(),
            average_millis: (total > 0)
                .then(|| millis(self.total_micros.load(Ordering::Relaxed)) / total as f64),
            max_millis: millis(self.max_micros.load(Ordering::Relaxed)),
            statuses,
        }
    }
}

pub(crate) struct InHand<'a> {
    metrics: &'a Metrics,
    finished: bool,
}

impl InHand<'_> {
    pub(crate) fn finish(&mut self) {
        self.finished = true;
    }
}

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        self.metrics.in_hand.dec();
        if !self.finished {
            self.metrics.disconnects.fetch_add(1, Ordering::Relaxed);
        }
    }
}

pub(crate) struct Connection(Arc<Metrics>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.connections.dec();
    }
}
