//! `server.cors.*`: calls from pages of other origins.

use crate::answer::{Answer, Payload};
use crate::error::ApiError;
use crate::router::{Found, Target};
use crate::spec::Method;
use crate::walk::App;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use serde_json::json;

const ALLOWED: [&str; 6] = ["accept", "authorization", "content-type", "if-none-match", "kbn-xsrf", "origin"];
const ALLOWED_TEXT: &str = "Accept,Authorization,Content-Type,If-None-Match,kbn-xsrf";
const EXPOSED: &str = "WWW-Authenticate,Server-Authorization";

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

impl App {
    fn origin_allowed(&self, origin: &str) -> bool {
        self.settings
            .cors
            .as_ref()
            .is_some_and(|cors| cors.allow_origin.iter().any(|allowed| allowed == "*" || allowed == origin))
    }

    /// `OPTIONS`: a preflight, or nothing at all.
    pub(crate) fn preflight(&self, headers: &HeaderMap, target: &Target<'_>) -> Result<Answer, ApiError> {
        let Some(cors) = &self.settings.cors else { return Err(ApiError::not_found()) };
        let missing = |text: &'static str| ApiError::new(StatusCode::NOT_FOUND, text);
        let method = text(headers, "access-control-request-method")
            .ok_or_else(|| missing("CORS error: Missing Access-Control-Request-Method header"))?;
        let parsed = http::Method::from_bytes(method.as_bytes()).ok().and_then(|method| Method::of(&method));
        match parsed.map(|method| (method, self.find(method, &target.path))) {
            // `GET` has a route for every path.
            Some((_, Found::Route(..)) | (Method::Get, Found::Nothing)) => {}
            _ => return Err(ApiError::not_found()),
        }
        let origin = text(headers, "origin").ok_or_else(|| missing("CORS error: Missing Origin header"))?;
        let refused = |text: &str| Ok(Answer::json(&json!({"message": format!("CORS error: {text}")})));
        if !self.origin_allowed(origin) {
            return refused("Origin not allowed");
        }
        let asked = text(headers, "access-control-request-headers").unwrap_or("");
        let foreign = asked
            .split(',')
            .map(|name| name.trim().to_ascii_lowercase())
            .any(|name| !name.is_empty() && !ALLOWED.contains(&&*name));
        if foreign {
            return refused("Some headers are not allowed");
        }
        let mut answer = Answer::empty(StatusCode::OK);
        let mut set = |name: &'static str, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                answer.headers.insert(name, value);
            }
        };
        set("access-control-allow-origin", origin);
        set("access-control-expose-headers", EXPOSED);
        set("access-control-allow-methods", method);
        set("access-control-allow-headers", ALLOWED_TEXT);
        set("access-control-max-age", "86400");
        if cors.allow_credentials {
            set("access-control-allow-credentials", "true");
        }
        Ok(answer)
    }

    /// Says on every answer but that to a preflight whether the page may read it.
    pub(crate) fn cors(&self, headers: &HeaderMap, response: &mut Response<Payload>) {
        let Some(cors) = &self.settings.cors else { return };
        let out = response.headers_mut();
        out.append(header::VARY, HeaderValue::from_static("origin"));
        let Some(origin) = headers.get(header::ORIGIN) else { return };
        if !origin.to_str().is_ok_and(|origin| self.origin_allowed(origin)) {
            return;
        }
        out.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        out.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
        if cors.allow_credentials {
            out.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
    }
}
