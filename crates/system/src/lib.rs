//! What tells about the server itself: status, statistics, metrics, its own document, a first page.

mod document;
mod host;
mod page;
mod stats;
mod status;

use ikebana_clock::{Clock, Millis};
use ikebana_http::{Answer, ApiError, App, Authentication, Call, MetricsRegistry, Route, RouteSpec};
use ikebana_store::{EngineStats, Store};
use std::pin::Pin;
use std::sync::{Arc, OnceLock, Weak};

/// Which server this is.
#[derive(Clone, Debug)]
pub struct About {
    /// `server.name`.
    pub name: String,
    /// `server.uuid`.
    pub uuid: String,
    /// The version of the API that it speaks, `8.19.x`.
    pub number: String,
    /// The program's own version.
    pub program: String,
    /// The commit that it was built from; zeros if not known.
    pub build_hash: String,
    /// `server.host`.
    pub host: String,
    /// `server.port`.
    pub port: u16,
    /// `server.basePath`.
    pub base_path: String,
    /// `status.allowAnonymous`.
    pub anonymous_status: bool,
    /// Whether `/metrics` asks for no credentials.
    pub anonymous_metrics: bool,
    /// `server.oas.enabled`.
    pub document: bool,
}

/// What the routes share. The application is put in once it is made of them.
pub struct System {
    about: About,
    store: Store,
    clock: Arc<dyn Clock>,
    started: Millis,
    registry: OnceLock<MetricsRegistry>,
    app: OnceLock<Weak<App>>,
}

impl std::fmt::Debug for System {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("System").field("about", &self.about).finish_non_exhaustive()
    }
}

impl System {
    /// A server that started now.
    pub fn new(about: About, store: Store, clock: Arc<dyn Clock>) -> Arc<Self> {
        let started = clock.now();
        Arc::new(Self { about, store, started, clock, registry: OnceLock::new(), app: OnceLock::new() })
    }

    /// Puts in what exists only after the routes do.
    pub fn attach(&self, app: &Arc<App>, mut registry: MetricsRegistry) {
        stats::register_store(&self.store, &mut registry);
        // A second call would be a bug of the wiring; the first one stands.
        let _ = self.registry.set(registry);
        let _ = self.app.set(Arc::downgrade(app));
    }

    fn app(&self) -> Result<Arc<App>, ApiError> {
        let app = self.app.get().and_then(Weak::upgrade);
        app.ok_or_else(|| ApiError::unavailable("Kibana server is not ready yet", 30))
    }

    fn engine_stats(&self) -> EngineStats {
        self.store.engine().stats()
    }
}

type Work = fn(Arc<System>, Call) -> Pin<Box<dyn Future<Output = Result<Answer, ApiError>> + Send>>;

/// All routes of this crate.
pub fn routes(system: &Arc<System>) -> Vec<Route> {
    let with = |spec: RouteSpec, work: Work| {
        let system = system.clone();
        spec.unversioned().handle(move |call| work(system.clone(), call))
    };
    let open_to_all = |spec: RouteSpec, anonymous: bool| {
        if anonymous { spec.authentication(Authentication::None) } else { spec }
    };
    let mut routes = vec![
        with(status::spec(), |system, call| Box::pin(status::answer(system, call))),
        with(open_to_all(stats::spec(), system.about.anonymous_status), |system, call| {
            Box::pin(stats::answer(system, call))
        }),
        with(open_to_all(stats::metrics_spec(), system.about.anonymous_metrics), |system, _| {
            Box::pin(stats::metrics(system))
        }),
    ];
    routes
        .extend(page::specs().into_iter().map(|spec| with(spec, |system, _| Box::pin(page::answer(system)))));
    if system.about.document {
        routes.push(with(document::spec(), |system, call| Box::pin(document::answer(system, call))));
    }
    routes
}
