//! `GET /api/stats` and `GET /metrics`.

use crate::System;
use crate::host::Host;
use http::StatusCode;
use ikebana_http::{Access, Answer, ApiError, Authorization, Call, Method, MetricsRegistry, RouteSpec};
use ikebana_schema::{Schema, Unknown, any, boolean, literal, object, union};
use ikebana_store::{EngineStats, Store};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use serde_json::{Map, Value, json};
use std::sync::Arc;

pub(crate) fn spec() -> RouteSpec {
    let flag = || union([literal(""), boolean()]).default(json!(false));
    RouteSpec::new(Method::Get, "/api/stats", Authorization::Open("numbers only"))
        .document("system", "get-stats", "Get numbers of the server")
        .query(object([
            ("extended", flag()),
            ("legacy", flag()),
            ("exclude_usage", union([literal(""), boolean()]).default(json!(true))),
        ]))
        .answers(200, "The numbers.", stats_schema())
}

fn stats_schema() -> Schema {
    object([("process", any()), ("os", any()), ("kibana", any())]).unknown(Unknown::Allow)
}

pub(crate) fn metrics_spec() -> RouteSpec {
    RouteSpec::new(Method::Get, "/metrics", Authorization::Open("numbers only"))
        .document("system", "get-metrics", "Get numbers in the form of Prometheus")
        .access(Access::Public)
        .answers_as(200, "OpenMetrics text.", None, "application/openmetrics-text")
}

/// `?extended` and `?extended=true` both ask.
fn asked(call: &Call, name: &str) -> bool {
    matches!(call.query.get(name), Some(Value::Bool(true))) || call.query.get(name) == Some(&json!(""))
}

pub(crate) async fn answer(system: Arc<System>, call: Call) -> Result<Answer, ApiError> {
    let mut stats = stats(&system, crate::status::metrics(&system)?);
    if asked(&call, "extended") {
        let name = if asked(&call, "legacy") { "clusterUuid" } else { "cluster_uuid" };
        stats["usage"] = json!({});
        // Without a cluster the store's own server stands for it.
        stats[name] = json!(system.about.uuid);
    }
    Ok(Answer::json(&stats))
}

/// The metrics of the status, in this route's spelling and order, and who says so.
fn stats(system: &System, metrics: Value) -> Value {
    let about = &system.about;
    let kibana = json!({
        "uuid": about.uuid,
        "name": about.name,
        "index": ".kibana",
        "host": about.host,
        "locale": "en",
        "transport_address": format!("{}:{}", about.host, about.port),
        "version": about.number,
        "snapshot": false,
        "status": if system.engine_stats().full { "yellow" } else { "green" },
    });
    let mut metrics = respelled(metrics);
    metrics["kibana"] = kibana;
    let order = [
        "process",
        "os",
        "response_times",
        "requests",
        "concurrent_connections",
        "elasticsearch_client",
        "kibana",
        "last_updated",
        "collection_interval_ms",
    ];
    order.into_iter().map(|name| (name.to_owned(), metrics[name].take())).collect::<Map<_, _>>().into()
}

/// `totalIdleSockets` becomes `total_idle_sockets`, `uptime_in_millis` becomes `uptime_ms`.
fn respelled(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            map.into_iter().map(|(name, value)| (snake_case(&name), respelled(value))).collect()
        }
        Value::Array(list) => list.into_iter().map(respelled).collect(),
        other => other,
    }
}

fn snake_case(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text.replace("_in_millis", "_ms").replace("_in_bytes", "_bytes")
}

pub(crate) async fn metrics(system: Arc<System>) -> Result<Answer, ApiError> {
    let mut text = String::new();
    if let Some(registry) = system.registry.get() {
        prometheus_client::encoding::text::encode(&mut text, registry).map_err(ApiError::internal)?;
    }
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(Answer::bytes(StatusCode::OK, content_type, text))
}

/// Numbers of the store, read when they are asked for.
#[derive(Debug)]
struct StoreCollector(Store);

impl Collector for StoreCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let stats: EngineStats = self.0.engine().stats();
        let counters = [
            ("store_commits", "Commits made durable", stats.commits),
            ("store_commit_groups", "Groups of commits that shared a sync", stats.groups),
            ("store_sync_microseconds", "Time spent in making groups durable", stats.sync_micros),
            ("store_cache_hits", "Reads answered from memory", stats.cache_hits),
            ("store_cache_misses", "Reads that went to the file", stats.cache_misses),
        ];
        for (name, help, value) in counters {
            let counter = ConstCounter::new(value);
            let metric = encoder.encode_descriptor(name, help, None, counter.metric_type())?;
            counter.encode(metric)?;
        }
        let host = Host::read();
        let gauges = [
            ("store_commits_waiting", "Commits waiting for the writer", stats.waiting),
            ("store_full", "1 while no space is left for writing", u64::from(stats.full)),
            ("process_resident_memory_bytes", "Memory that the process holds", host.resident),
        ];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            let metric = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
            gauge.encode(metric)?;
        }
        Ok(())
    }
}

pub(crate) fn register_store(store: &Store, registry: &mut MetricsRegistry) {
    registry.register_collector(Box::new(StoreCollector(store.clone())));
}
