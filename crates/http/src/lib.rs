//! Kibana's HTTP conventions: the route table, the order of checks, versions, spaces in paths, errors.
//!
//! A feature hands over [`Route`]s: a [`RouteSpec`] that says everything about the route once, and the
//! work. [`App`] walks every request through the same order of checks, [`Server`] owns the sockets.

mod answer;
mod body;
mod call;
mod catch_all;
mod cors;
mod error;
mod metrics;
mod openapi;
mod redirect;
mod respond;
mod router;
mod sending;
mod server;
mod settings;
mod spec;
mod tls;
mod upload;
mod version;
mod walk;

pub use answer::{Answer, Payload, StreamError};
pub use call::{Call, RequestId, current_request, within_request};
pub use error::{ApiError, INTERNAL};
pub use metrics::{Metrics, Snapshot};
pub use openapi::{DocumentFilter, document};
pub use redirect::redirect_to_tls;
pub use respond::HeaderError;
pub use router::{RouteError, Router};
pub use server::{BindError, Server};
pub use settings::{
    ClientAuthentication, CorsSettings, HttpSettings, PrivateKey, TlsSettings, default_headers,
};
pub use spec::{
    Access, Authentication, Authorization, Body, Documented, Handler, INTERNAL_VERSION, Method,
    PUBLIC_VERSION, Route, RouteSpec,
};
pub use tls::{TlsError, acceptor};
pub use upload::Upload;
pub use walk::{App, AppError};

/// The registry of metrics that all crates share.
pub use prometheus_client::registry::Registry as MetricsRegistry;
