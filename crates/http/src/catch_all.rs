//! `GET` of a path that no route has: Kibana's server source, 8.19 (its core application).

use crate::answer::Answer;
use crate::error::ApiError;
use crate::router::{Target, decode};
use crate::spec::Authentication;
use crate::walk::{App, Incipient};
use http::{StatusCode, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// JavaScript's `encodeURIComponent`.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

impl App {
    /// `GET /{path*}`: wants authentication, then there is nothing.
    pub(crate) async fn catch_all(
        &self,
        request: &Incipient,
        target: &Target<'_>,
        query: Option<&str>,
    ) -> Result<Answer, ApiError> {
        let path = decode(&target.path).ok_or_else(|| ApiError::bare(StatusCode::BAD_REQUEST))?;
        let query = query.map_or_else(String::new, |query| format!("?{query}"));
        if let Err(error) = self.authenticate(request, Authentication::Required).await {
            let api = path.starts_with("/api/")
                || path.starts_with("/internal/")
                || request.headers.contains_key("kbn-xsrf")
                || request.headers.contains_key("kbn-version");
            if api || request.headers.contains_key(header::AUTHORIZATION) {
                return Err(error);
            }
            let next = format!("{}{}{query}", target.prefix, target.path);
            let next = utf8_percent_encode(&next, COMPONENT);
            return Ok(Answer::redirect(&format!("{}/login?next={next}", target.prefix)));
        }
        match path.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) {
            // The rest is encoded as one segment, slashes and all.
            Some(rest) if !rest.is_empty() => {
                let rest = utf8_percent_encode(rest, COMPONENT);
                Ok(Answer::redirect(&format!("{}/{rest}{query}", target.prefix)))
            }
            _ => Err(ApiError::not_found()),
        }
    }
}
