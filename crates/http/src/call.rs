//! What a handler is given.

use crate::error::ApiError;
use crate::upload::Upload;
use http::{HeaderMap, StatusCode};
use ikebana_identity::Principal;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::net::IpAddr;
use std::sync::Arc;

/// A checked request.
#[derive(Debug)]
pub struct Call {
    /// Who calls; `None` where the route does not ask, or only may.
    pub principal: Option<Arc<Principal>>,
    /// The space of the path, `default` without.
    pub space: Arc<str>,
    /// The path's parameters, decoded and checked.
    pub params: Value,
    /// The query, checked and with its defaults.
    pub query: Value,
    /// The body, checked and with its defaults.
    pub body: Value,
    /// The body as it was sent.
    pub raw_body: Value,
    /// The bytes, for [`crate::Body::Multipart`] and [`crate::Body::Stream`]; limited in size and time.
    pub stream: Option<Upload>,
    /// The headers as sent.
    pub headers: Arc<HeaderMap>,
    /// Where the call comes from.
    pub peer: IpAddr,
    /// Names the call in the log.
    pub request_id: RequestId,
}

impl Call {
    /// Who calls, on a route that requires it.
    ///
    /// # Errors
    /// 401 on a route that does not.
    pub fn principal(&self) -> Result<&Arc<Principal>, ApiError> {
        self.principal.as_ref().ok_or_else(|| ApiError::bare(StatusCode::UNAUTHORIZED))
    }

    /// A parameter of the path; empty if the template has none of that name.
    pub fn param(&self, name: &str) -> &str {
        self.params.get(name).and_then(Value::as_str).unwrap_or("")
    }

    /// A flag of the query.
    pub fn flag(&self, name: &str) -> bool {
        self.query.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// The checked body as a type.
    ///
    /// # Errors
    /// 500 if the schema lets through what the type does not hold.
    pub fn take_body<T: DeserializeOwned>(&mut self) -> Result<T, ApiError> {
        serde_json::from_value(self.body.take()).map_err(ApiError::internal)
    }
}

/// Names a request: the caller's `x-opaque-id` where it is believed, else a number of our own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestId {
    /// The process and the request in it.
    Own(u64, u64),
    /// The caller's.
    Given(Arc<str>),
}

impl std::fmt::Display for RequestId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Own(process, number) => write!(f, "{process:016x}-{number:x}"),
            Self::Given(text) => f.write_str(text),
        }
    }
}

tokio::task_local! {
    static CURRENT: RequestId;
}

/// The request that the running task works for, for the lines of the log. Cheaper than a span of `tracing`,
/// which would be made for every request and read by hardly any.
pub fn current_request() -> Option<RequestId> {
    CURRENT.try_with(Clone::clone).ok()
}

/// Does something in the name of a request.
pub fn within_request<T>(id: RequestId, work: impl FnOnce() -> T) -> T {
    CURRENT.sync_scope(id, work)
}

pub(crate) fn walking<F: Future>(id: RequestId, walk: F) -> impl Future<Output = F::Output> {
    CURRENT.scope(id, walk)
}
