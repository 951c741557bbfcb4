//! Errors as callers see them, in the form of Kibana's framework, hapi.

use http::StatusCode;
use ikebana_store::StoreError;
use serde_json::{Value, json};
use std::borrow::Cow;

/// The text of a failure that is nobody's business but the log's.
pub const INTERNAL: &str = "An internal server error occurred. Check Kibana server logs for details.";

/// `{"statusCode", "error", "message", "attributes"?}`.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiError {
    /// The status.
    pub status: StatusCode,
    /// `None`: the reason phrase.
    pub message: Option<Cow<'static, str>>,
    /// Further facts, where a route gives some.
    pub attributes: Option<Box<Value>>,
    /// Seconds for a `retry-after` header.
    pub retry_after: Option<u64>,
    /// What the log is told and the caller is not.
    pub inside: Option<String>,
}

impl ApiError {
    /// An error with a text.
    pub fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: Some(message.into()), ..Self::bare(status) }
    }

    /// An error whose text is its reason phrase.
    pub fn bare(status: StatusCode) -> Self {
        Self { status, message: None, attributes: None, retry_after: None, inside: None }
    }

    /// 400.
    pub fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 403.
    pub fn forbidden(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }

    /// 404 `Not Found`.
    pub fn not_found() -> Self {
        Self::bare(StatusCode::NOT_FOUND)
    }

    /// 409.
    pub fn conflict(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    /// 500: the caller learns nothing, the log learns `inside`.
    pub fn internal(inside: impl std::fmt::Display) -> Self {
        let inside = Some(inside.to_string());
        Self { inside, ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, INTERNAL) }
    }

    /// 503 with the seconds after which another try makes sense.
    pub fn unavailable(message: impl Into<Cow<'static, str>>, retry_after: u64) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, message) }
    }

    /// Adds `attributes`.
    #[must_use]
    pub fn with_attributes(mut self, attributes: Value) -> Self {
        self.attributes = Some(Box::new(attributes));
        self
    }

    /// The body.
    pub fn body(&self) -> Value {
        let reason = self.status.canonical_reason().unwrap_or("Error");
        // Node's name for 413 is still the one of RFC 2616.
        let reason =
            if self.status == StatusCode::PAYLOAD_TOO_LARGE { "Request Entity Too Large" } else { reason };
        let message = self.message.as_deref().unwrap_or(reason);
        let mut body = json!({"statusCode": self.status.as_u16(), "error": reason, "message": message});
        if let Some(attributes) = &self.attributes {
            body["attributes"] = Value::clone(attributes);
        }
        body
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let text = error.to_string();
        match error {
            StoreError::NotFound(_) => Self::new(StatusCode::NOT_FOUND, text),
            StoreError::Conflict(_) | StoreError::NotUnique { .. } => Self::conflict(text),
            StoreError::TooMany { .. } | StoreError::BadQuery(_) => Self::bad_request(text),
            StoreError::UnknownType(_) => Self::bad_request(format!("{text}: Bad Request")),
            // Reads, writes and kept lists each have a limit; the log says no more than is known.
            StoreError::Busy => Self {
                inside: Some("the store has as much in hand as it takes on".to_owned()),
                ..Self::unavailable("Service Unavailable", 5)
            },
            StoreError::Full | StoreError::Unavailable(_) => {
                Self { inside: Some(text), ..Self::unavailable("Service Unavailable", 5) }
            }
            StoreError::Encryption { .. } | StoreError::Damaged(_) => Self::internal(text),
        }
    }
}
