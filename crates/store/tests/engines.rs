//! Every engine, held to the same suite. A new engine is one line at the end.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helper functions of tests")]

#[macro_use]
mod suite;

use ikebana_clock::Clock;
use ikebana_store::Registry;
use ikebana_store::embedded::{Embedded, Options};
use std::sync::Arc;
use suite::Made;

fn embedded(registry: Registry, clock: Arc<dyn Clock>) -> Made {
    let folder = tempfile::tempdir().unwrap();
    let options = Options::at(folder.path().join("ikebana.db"));
    Made { engine: Arc::new(Embedded::open(options, registry, clock).unwrap()), folder }
}

engine_suite!(embedded, crate::embedded);
