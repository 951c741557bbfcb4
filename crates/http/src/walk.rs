//! The way of a request, in the one order that clients see (Kibana's server source, 8.19).

use crate::answer::{Answer, Payload};
use crate::body;
use crate::call::{Call, RequestId, walking, within_request};
use crate::error::ApiError;
use crate::metrics::Metrics;
use crate::respond::{self, Conventions, HeaderError};
use crate::router::{Found, RouteError, Router, Target, target};
use crate::settings::HttpSettings;
use crate::spec::{Access, Authentication, Authorization, Body, Method, Route, RouteSpec};
use crate::upload::Upload;
use crate::version;
use futures_util::FutureExt as _;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use ikebana_clock::{Clock, Random};
use ikebana_identity::{AuthenticationError, Identity, Principal};
use ikebana_schema::{Part, Schema};
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Semaphore;

/// The HTTP side cannot be put together: a bug or a setting, found at start.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// Two routes answer the same path.
    #[error(transparent)]
    Route(#[from] RouteError),
    /// A configured header cannot be sent.
    #[error(transparent)]
    Header(#[from] HeaderError),
}

/// Routes and what they share.
pub struct App {
    pub(crate) settings: HttpSettings,
    router: Router,
    conventions: Conventions,
    identity: Arc<Identity>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    places: Arc<Semaphore>,
    process: u64,
    requests: AtomicU64,
}

/// What is known of a request before its route.
pub(crate) struct Incipient {
    method: http::Method,
    path_and_query: String,
    pub(crate) headers: Arc<HeaderMap>,
    peer: IpAddr,
    request_id: RequestId,
}

impl App {
    /// Puts routes, identity and settings together.
    ///
    /// # Errors
    /// [`AppError`].
    pub fn new(
        settings: HttpSettings,
        routes: Vec<Route>,
        identity: Arc<Identity>,
        clock: Arc<dyn Clock>,
        random: &dyn Random,
        registry: &mut Registry,
        license_signature: &str,
    ) -> Result<Self, AppError> {
        let router = Router::new(routes)?;
        let metrics = Arc::new(Metrics::new(router.routes(), registry));
        let mut process = [0; 8];
        random.fill(&mut process);
        Ok(Self {
            conventions: Conventions::new(&settings, license_signature)?,
            places: Arc::new(Semaphore::new(settings.max_requests)),
            router,
            settings,
            identity,
            clock,
            metrics,
            process: u64::from_le_bytes(process),
            requests: AtomicU64::new(0),
        })
    }

    /// The table.
    pub fn routes(&self) -> &[Arc<Route>] {
        self.router.routes()
    }

    pub(crate) fn find(&self, method: Method, path: &str) -> Found {
        self.router.find(method, path)
    }

    /// The counters.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Answers a request.
    pub async fn answer(&self, request: Request<Incoming>, peer: IpAddr) -> Response<Payload> {
        let start = self.clock.elapsed();
        let Ok(place) = self.places.clone().try_acquire_owned() else {
            self.metrics.refused();
            return self.finish(Err(ApiError::unavailable("Service Unavailable", 1)), None, start);
        };
        let mut in_hand = self.metrics.enter();
        let (parts, body) = request.into_parts();
        let request = Incipient {
            request_id: self.request_id(&parts.headers, peer),
            path_and_query: parts.uri.path_and_query().map_or("/", |text| text.as_str()).to_owned(),
            method: parts.method,
            headers: Arc::new(parts.headers),
            peer,
        };
        let mut route = None;
        // Boxed, so that the futures around it, which are moved about, stay small.
        let walk = AssertUnwindSafe(Box::pin(self.walk(&request, body, &mut route))).catch_unwind();
        let walk = walking(request.request_id.clone(), walk);
        let walked = tokio::time::timeout(self.settings.socket_timeout, walk).await;
        let result = match walked {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => Err(ApiError::internal(panic_text(&*panic))),
            Err(_) => Err(ApiError::unavailable("Service Unavailable", 1)),
        };
        in_hand.finish();
        within_request(request.request_id.clone(), || self.log(&request, &result, start));
        let mut response = self.finish(result, route, start);
        if request.method != http::Method::OPTIONS {
            self.cors(&request.headers, &mut response);
        }
        if request.method == http::Method::HEAD {
            respond::without_body(&mut response);
        }
        // The place is free when the answer is sent, not when it is made.
        response.map(|payload| payload.held(place))
    }

    fn request_id(&self, headers: &HeaderMap, peer: IpAddr) -> RequestId {
        let believed = self.settings.request_id_from_any || self.settings.request_id_from.contains(&peer);
        let given = headers.get("x-opaque-id").and_then(|value| value.to_str().ok());
        match given.filter(|_| believed) {
            Some(text) => RequestId::Given(text.into()),
            None => RequestId::Own(self.process, self.requests.fetch_add(1, Ordering::Relaxed)),
        }
    }

    fn finish(
        &self,
        result: Result<Answer, ApiError>,
        route: Option<usize>,
        start: std::time::Duration,
    ) -> Response<Payload> {
        let answer = result.unwrap_or_else(|error| respond::error(&error));
        let took = self.clock.elapsed().saturating_sub(start);
        self.metrics.answered(route, answer.status.as_u16(), took);
        self.conventions.respond(answer)
    }

    fn log(&self, request: &Incipient, result: &Result<Answer, ApiError>, start: std::time::Duration) {
        let status = result.as_ref().map_or_else(|error| error.status, |answer| answer.status).as_u16();
        if let Err(ApiError { inside: Some(inside), .. }) = result {
            tracing::error!(target: "http", status, reason = inside, "{} failed", request.method);
        }
        if !tracing::enabled!(target: "http.server.response", tracing::Level::DEBUG) {
            return;
        }
        let (path, query) = request.path_and_query.split_once('?').unwrap_or((&request.path_and_query, ""));
        let millis = self.clock.elapsed().saturating_sub(start).as_millis();
        tracing::debug!(
            target: "http.server.response",
            {
                http.request.method = %request.method,
                http.response.status_code = status,
                url.path = path,
                url.query = query,
                client.ip = %request.peer,
            },
            "{} {} {status} {millis}ms",
            request.method,
            request.path_and_query,
        );
    }

    async fn walk(
        &self,
        request: &Incipient,
        body: Incoming,
        number: &mut Option<usize>,
    ) -> Result<Answer, ApiError> {
        let (path, query) = match request.path_and_query.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (request.path_and_query.as_str(), None),
        };
        let target = target(&self.settings, path).ok_or_else(ApiError::not_found)?;
        if request.method == http::Method::OPTIONS {
            return self.preflight(&request.headers, &target);
        }
        let method = Method::of(&request.method).ok_or_else(ApiError::not_found)?;
        match self.find(method, &target.path) {
            Found::Route(route, found, params) => {
                *number = Some(found);
                self.walk_route(request, &route, target, params, query, body).await
            }
            Found::BadParameter => Err(ApiError::bare(StatusCode::BAD_REQUEST)),
            Found::Nothing if method == Method::Get => self.catch_all(request, &target, query).await,
            Found::Nothing => Err(ApiError::not_found()),
        }
    }

    async fn walk_route(
        &self,
        request: &Incipient,
        route: &Route,
        target: Target<'_>,
        params: Value,
        query: Option<&str>,
        body: Incoming,
    ) -> Result<Answer, ApiError> {
        let spec = &route.spec;
        let principal = self.authenticate(request, spec.authentication).await?;
        let (raw_body, stream) = self.payload(spec, &request.headers, body).await?;
        self.check_xsrf(spec, &request.headers, &target.path)?;
        self.check_client_version(&request.headers)?;
        let query_value = body::query(query);
        self.check_internal(spec, &request.headers, &query_value, &target.path)?;
        let called = Called { target: &target, query };
        if !spec.validates_first {
            authorize(spec, principal.as_deref(), &called)?;
        }
        let call = Call {
            principal,
            space: target.space.clone(),
            params,
            query: query_value,
            body: Value::Null,
            raw_body,
            stream,
            headers: request.headers.clone(),
            peer: request.peer,
            request_id: request.request_id.clone(),
        };
        let result = match self.validate(spec, call) {
            Validated::Call(call) => {
                if spec.validates_first {
                    authorize(spec, call.principal.as_deref(), &called)?;
                }
                (route.handler)(*call).await
            }
            // Faults of the version go without the version header.
            Validated::VersionFault(error) => return Err(error),
            Validated::Fault(error) => Err(error),
        };
        if let Err(error) = &result
            && error.status == StatusCode::INTERNAL_SERVER_ERROR
        {
            return result;
        }
        let mut answer = result.unwrap_or_else(|error| {
            if let Some(inside) = &error.inside {
                tracing::error!(target: "http", reason = inside, "{} failed", spec.path);
            }
            respond::error(&error)
        });
        if spec.access == Access::Public || spec.versioned {
            answer.headers.insert(version::HEADER, HeaderValue::from_static(version::known(spec.access)));
        }
        Ok(answer)
    }

    pub(crate) async fn authenticate(
        &self,
        request: &Incipient,
        authentication: Authentication,
    ) -> Result<Option<Arc<Principal>>, ApiError> {
        if authentication == Authentication::None {
            return Ok(None);
        }
        let result = match request.headers.get(header::AUTHORIZATION).map(HeaderValue::to_str) {
            None | Some(Ok("")) => Err(AuthenticationError::UnsupportedScheme),
            Some(Err(_)) => Err(AuthenticationError::UnsupportedScheme),
            Some(Ok(text)) => self.identity.authenticate(text, request.peer).await,
        };
        match result {
            Ok(principal) => Ok(Some(principal)),
            Err(_) if authentication == Authentication::Optional => Ok(None),
            Err(error) => Err(unauthenticated(error)),
        }
    }

    async fn payload(
        &self,
        spec: &RouteSpec,
        headers: &HeaderMap,
        body: Incoming,
    ) -> Result<(Value, Option<Upload>), ApiError> {
        if spec.method == Method::Get {
            return Ok((Value::Null, None));
        }
        let limit = spec.max_bytes.unwrap_or(self.settings.max_payload);
        let timeout = self.settings.payload_timeout;
        match &spec.body {
            Body::None => {
                body::check_length(headers, limit)?;
                body::check_content_type(headers)?;
                Ok((Value::Null, None))
            }
            Body::Json(_) => Ok((body::read_json(headers, body, limit, timeout).await?, None)),
            Body::Multipart => {
                body::check_length(headers, limit)?;
                body::check_multipart(headers)?;
                Ok((Value::Null, Some(Upload::new(body, limit, timeout))))
            }
            Body::Stream => {
                body::check_length(headers, limit)?;
                Ok((Value::Null, Some(Upload::new(body, limit, timeout))))
            }
        }
    }

    fn check_xsrf(&self, spec: &RouteSpec, headers: &HeaderMap, path: &str) -> Result<(), ApiError> {
        let asked = spec.xsrf
            && spec.method != Method::Get
            && !self.settings.xsrf_disabled
            && !self.settings.xsrf_allowlist.iter().any(|allowed| allowed == path);
        if asked && !headers.contains_key("kbn-xsrf") && !headers.contains_key("kbn-version") {
            return Err(ApiError::bad_request("Request must contain a kbn-xsrf header."));
        }
        Ok(())
    }

    fn check_client_version(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let Some(got) = headers.get("kbn-version").and_then(|value| value.to_str().ok()) else {
            return Ok(());
        };
        let expected = &self.settings.version;
        if !self.settings.strict_client_version || got.is_empty() || got == expected {
            return Ok(());
        }
        let text = format!(
            "Browser client is out of date, please refresh the page (\"kbn-version\" header was \"{got}\" but \
             should be \"{expected}\")"
        );
        Err(ApiError::bad_request(text).with_attributes(json!({"expected": expected, "got": got})))
    }

    fn check_internal(
        &self,
        spec: &RouteSpec,
        headers: &HeaderMap,
        query: &Value,
        path: &str,
    ) -> Result<(), ApiError> {
        let marked =
            headers.contains_key("x-elastic-internal-origin") || query.get("elasticInternalOrigin").is_some();
        if spec.access == Access::Public || marked {
            return Ok(());
        }
        if self.settings.restrict_internal {
            return Err(ApiError::bad_request(format!(
                "uri [{path}] with method [{}] exists but is not available with the current configuration",
                spec.method.lower()
            )));
        }
        tracing::debug!(target: "http", path, "an internal route was called from outside");
        Ok(())
    }

    /// Version, params, query, body; the first fault only.
    fn validate(&self, spec: &RouteSpec, mut call: Call) -> Validated {
        if spec.versioned
            && let Err(error) = version::check(spec, &call.headers, &call.query)
        {
            return Validated::VersionFault(error);
        }
        if let Value::Object(query) = &mut call.query {
            query.shift_remove("elasticInternalOrigin");
        }
        let check = |schema: &Schema, part, value: &Value| {
            ikebana_schema::check(schema, spec.dialect, part, Some(value))
                .map_err(|fault| ApiError::bad_request(fault.to_string()))
        };
        let checked = (|| {
            if let Some(schema) = &spec.params {
                call.params = check(schema, Part::Params, &call.params)?;
            }
            if let Some(schema) = &spec.query {
                call.query = check(schema, Part::Query, &call.query)?;
            }
            if let Body::Json(schema) = &spec.body {
                call.body = check(schema, Part::Body, &call.raw_body)?;
            }
            Ok(())
        })();
        match checked {
            Ok(()) => Validated::Call(Box::new(call)),
            Err(error) => Validated::Fault(error),
        }
    }
}

enum Validated {
    Call(Box<Call>),
    Fault(ApiError),
    VersionFault(ApiError),
}

/// The request as the caller wrote it, for refusals.
struct Called<'a> {
    target: &'a Target<'a>,
    query: Option<&'a str>,
}

fn authorize(spec: &RouteSpec, principal: Option<&Principal>, called: &Called<'_>) -> Result<(), ApiError> {
    let missing: Vec<&str> = match &spec.authorization {
        Authorization::Service(_) | Authorization::Open(_) => return Ok(()),
        Authorization::Superuser if principal.is_some_and(Principal::is_superuser) => return Ok(()),
        Authorization::Superuser => vec!["superuser"],
        Authorization::Privileges(needed) => needed
            .iter()
            .filter(|privilege| !principal.is_some_and(|one| one.may(&called.target.space, privilege)))
            .copied()
            .collect(),
    };
    if missing.is_empty() {
        return Ok(());
    }
    let query = called.query.map_or_else(String::new, |query| format!("?{query}"));
    Err(ApiError::forbidden(format!(
        "API [{} {}{query}] is unauthorized for user, this action is granted by the Kibana privileges [{}]",
        spec.method.upper(),
        called.target.path,
        missing.join(",")
    )))
}

fn unauthenticated(error: AuthenticationError) -> ApiError {
    match error {
        AuthenticationError::UnsupportedScheme => ApiError::bare(StatusCode::UNAUTHORIZED),
        AuthenticationError::Rejected(text) => {
            // The text names the user, never the password.
            tracing::warn!(target: "plugins.security.authentication", "Authentication attempt failed: {text}");
            ApiError::new(StatusCode::UNAUTHORIZED, text)
        }
        AuthenticationError::Throttled(wait) => ApiError {
            retry_after: Some(wait.as_secs() + 1),
            ..ApiError::bare(StatusCode::TOO_MANY_REQUESTS)
        },
        AuthenticationError::Busy => ApiError::unavailable("Service Unavailable", 1),
        AuthenticationError::Store(error) => error.into(),
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("a bug: {}", text.unwrap_or_else(|| "panic".to_owned()))
}
