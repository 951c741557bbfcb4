//! A route, told once: the walk, the OpenAPI document and the tests read the same table.

use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;
use futures_util::future::BoxFuture;
use ikebana_schema::{Dialect, Schema};
use serde_json::Value;
use std::sync::Arc;

/// The public API version, the only one.
pub const PUBLIC_VERSION: &str = "2023-10-31";
/// The version of internal routes.
pub const INTERNAL_VERSION: &str = "1";

/// HTTP methods that routes have. `HEAD` is answered by the `GET` route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates or acts.
    Post,
    /// Replaces.
    Put,
    /// Changes in part.
    Patch,
    /// Removes.
    Delete,
}

impl Method {
    /// Lower case, as version and restriction faults name it.
    pub fn lower(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
            Self::Put => "put",
            Self::Patch => "patch",
            Self::Delete => "delete",
        }
    }

    /// Upper case, as privilege refusals name it.
    pub fn upper(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    pub(crate) fn of(method: &http::Method) -> Option<Self> {
        match *method {
            http::Method::GET | http::Method::HEAD => Some(Self::Get),
            http::Method::POST => Some(Self::Post),
            http::Method::PUT => Some(Self::Put),
            http::Method::PATCH => Some(Self::Patch),
            http::Method::DELETE => Some(Self::Delete),
            _ => None,
        }
    }
}

/// Who a route is meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// Kibana's own applications; refused to others with `server.restrictInternalApis`.
    Internal,
}

/// How callers are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// Not asked.
    None,
    /// Used where given and right; wrong credentials count as none.
    Optional,
    /// Needed.
    Required,
}

/// What a caller needs, and who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authorization {
    /// Asked before validation: all of these Kibana privileges in the request's space.
    Privileges(&'static [&'static str]),
    /// Asked before validation: the superuser.
    Superuser,
    /// Asked by the service, because the refusal has words or an order of its own. The text says what.
    Service(&'static str),
    /// Nothing to ask; the text says why.
    Open(&'static str),
}

/// What a request carries.
#[derive(Clone, Debug)]
pub enum Body {
    /// Nothing; what is sent is ignored.
    None,
    /// JSON of this form. `text/*` that holds JSON is taken too.
    Json(Schema),
    /// `multipart/form-data`, handed to the handler as it comes.
    Multipart,
    /// Bytes of any kind, handed to the handler as they come.
    Stream,
}

/// One documented answer.
#[derive(Clone, Debug)]
pub struct Documented {
    /// The status.
    pub status: u16,
    /// What it means.
    pub description: &'static str,
    /// The form of the body; `None`: no body.
    pub schema: Option<Schema>,
    /// The content type of the body.
    pub content_type: &'static str,
}

/// Everything about a route but its work.
#[derive(Clone, Debug)]
pub struct RouteSpec {
    /// The method.
    pub method: Method,
    /// The template, `{name}` for parameters, without base path and space.
    pub path: &'static str,
    /// The name in the OpenAPI document.
    pub operation_id: &'static str,
    /// One line for the OpenAPI document.
    pub summary: &'static str,
    /// The area.
    pub tag: &'static str,
    /// Who it is meant for.
    pub access: Access,
    /// Whether the version header is looked at.
    pub versioned: bool,
    /// How callers are known.
    pub authentication: Authentication,
    /// What they need.
    pub authorization: Authorization,
    /// The order of an area that validates before it authorises.
    pub validates_first: bool,
    /// Whether `kbn-xsrf` is asked for, where the method wants it.
    pub xsrf: bool,
    /// How faults are told.
    pub dialect: Dialect,
    /// Form of the path's parameters.
    pub params: Option<Schema>,
    /// Form of the query; `None`: whatever is sent is ignored.
    pub query: Option<Schema>,
    /// Form of the body.
    pub body: Body,
    /// Bytes of body at most; `None`: `server.maxPayload`.
    pub max_bytes: Option<u64>,
    /// Marked as deprecated in the document.
    pub deprecated: bool,
    /// An example of a body that works.
    pub example: Option<fn() -> Value>,
    /// What it answers, beside the faults that every route has.
    pub answers: Vec<Documented>,
}

impl RouteSpec {
    /// A public, versioned, authenticated route without body in config-schema's dialect; change what
    /// differs. `authorization` has no default: every route says what it needs.
    pub fn new(method: Method, path: &'static str, authorization: Authorization) -> Self {
        Self {
            method,
            path,
            operation_id: "",
            summary: "",
            tag: "",
            access: if path.starts_with("/internal/") { Access::Internal } else { Access::Public },
            versioned: true,
            authentication: Authentication::Required,
            authorization,
            validates_first: false,
            xsrf: true,
            dialect: Dialect::ConfigSchema,
            params: None,
            query: None,
            body: Body::None,
            max_bytes: None,
            deprecated: false,
            example: None,
            answers: Vec::new(),
        }
    }

    /// Names it in the OpenAPI document.
    #[must_use]
    pub fn document(mut self, tag: &'static str, operation_id: &'static str, summary: &'static str) -> Self {
        (self.tag, self.operation_id, self.summary) = (tag, operation_id, summary);
        self
    }

    /// The version header is not looked at.
    #[must_use]
    pub fn unversioned(mut self) -> Self {
        self.versioned = false;
        self
    }

    /// How callers are known.
    #[must_use]
    pub fn authentication(mut self, authentication: Authentication) -> Self {
        self.authentication = authentication;
        self
    }

    /// Who it is meant for, where the path does not say.
    #[must_use]
    pub fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// How faults are told.
    #[must_use]
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = dialect;
        self
    }

    /// Validation answers before the privilege does.
    #[must_use]
    pub fn validates_first(mut self) -> Self {
        self.validates_first = true;
        self
    }

    /// `kbn-xsrf` is not asked for.
    #[must_use]
    pub fn without_xsrf(mut self) -> Self {
        self.xsrf = false;
        self
    }

    /// Form of the path's parameters.
    #[must_use]
    pub fn params(mut self, schema: Schema) -> Self {
        self.params = Some(schema);
        self
    }

    /// Form of the query.
    #[must_use]
    pub fn query(mut self, schema: Schema) -> Self {
        self.query = Some(schema);
        self
    }

    /// Form of the body.
    #[must_use]
    pub fn body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    /// Bytes of body at most.
    #[must_use]
    pub fn max_bytes(mut self, max_bytes: u64) -> Self {
        self.max_bytes = Some(max_bytes);
        self
    }

    /// An example of a body that works.
    #[must_use]
    pub fn example(mut self, example: fn() -> Value) -> Self {
        self.example = Some(example);
        self
    }

    /// Documents a JSON answer.
    #[must_use]
    pub fn answers(self, status: u16, description: &'static str, schema: Schema) -> Self {
        self.answers_as(status, description, Some(schema), "application/json")
    }

    /// Documents an answer without body.
    #[must_use]
    pub fn answers_empty(self, status: u16, description: &'static str) -> Self {
        self.answers_as(status, description, None, "")
    }

    /// Documents an answer of any content type.
    #[must_use]
    pub fn answers_as(
        mut self,
        status: u16,
        description: &'static str,
        schema: Option<Schema>,
        content_type: &'static str,
    ) -> Self {
        self.answers.push(Documented { status, description, schema, content_type });
        self
    }

    /// The work that belongs to it.
    pub fn handle<F, Fut>(self, work: F) -> Route
    where
        F: Fn(Call) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Answer, ApiError>> + Send + 'static,
    {
        Route { spec: self, handler: Arc::new(move |call| Box::pin(work(call))) }
    }
}

/// The work of a route.
pub type Handler = Arc<dyn Fn(Call) -> BoxFuture<'static, Result<Answer, ApiError>> + Send + Sync>;

/// A route with its work.
#[derive(Clone)]
pub struct Route {
    /// What is known of it.
    pub spec: RouteSpec,
    /// The work.
    pub handler: Handler,
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.spec.method.upper(), self.spec.path)
    }
}
