//! What every answer carries: Kibana's server source, 8.19 (its pre-response handlers).

use crate::answer::{Answer, Payload};
use crate::error::ApiError;
use crate::settings::HttpSettings;
use http::{HeaderMap, HeaderName, HeaderValue, Response, header};

/// Headers that are the same on all answers, made once.
pub(crate) struct Conventions {
    headers: HeaderMap,
}

/// A conventional header cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("the response header [{name}: {value}] cannot be sent")]
pub struct HeaderError {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl Conventions {
    pub(crate) fn new(settings: &HttpSettings, license_signature: &str) -> Result<Self, HeaderError> {
        let own = [
            ("kbn-name", settings.name.as_str()),
            ("kbn-license-sig", license_signature),
            ("cache-control", "private, no-cache, no-store, must-revalidate"),
        ];
        let configured = settings.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        // Room for what answers add, so that a copy need not grow.
        let mut headers = HeaderMap::with_capacity(32);
        for (name, value) in configured {
            let (name, value) = parsed(name, value)?;
            headers.append(name, value);
        }
        for (name, value) in own {
            let (name, value) = parsed(name, value)?;
            headers.insert(name, value);
        }
        Ok(Self { headers })
    }

    /// Only `cache-control` may be set by an answer itself.
    pub(crate) fn respond(&self, answer: Answer) -> Response<Payload> {
        let mut response = Response::new(answer.payload);
        *response.status_mut() = answer.status;
        let mut headers = self.headers.clone();
        for (name, value) in &answer.headers {
            if name == header::CACHE_CONTROL {
                headers.insert(name, value.clone());
            } else if !self.headers.contains_key(name) {
                headers.append(name, value.clone());
            }
        }
        *response.headers_mut() = headers;
        response
    }
}

fn parsed(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), HeaderError> {
    let fault = || HeaderError { name: name.to_owned(), value: value.to_owned() };
    let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| fault())?;
    Ok((parsed, HeaderValue::from_str(value).map_err(|_| fault())?))
}

/// The JSON form of an error.
pub(crate) fn error(error: &ApiError) -> Answer {
    let mut answer = Answer::json_with(error.status, &error.body());
    if let Some(seconds) = error.retry_after {
        answer.headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}

/// The answer to `HEAD`: the length of the body that `GET` would have, and no body.
pub(crate) fn without_body(response: &mut Response<Payload>) {
    let length = http_body::Body::size_hint(response.body()).exact();
    *response.body_mut() = Payload::Whole(http_body_util::Full::default());
    if let Some(length) = length {
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
}
