//! The payload step: size, content type, decoding, JSON. Order and texts are those of hapi, Kibana's framework.

use crate::error::ApiError;
use bytes::{Bytes, BytesMut};
use flate2::read::{GzDecoder, ZlibDecoder};
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::{Map, Value};
use std::io::Read;
use std::time::Duration;

/// What a content type says.
#[derive(Debug, PartialEq, Eq)]
enum Mime {
    Json,
    Text,
    Form,
    Multipart,
    Other,
}

pub(crate) fn too_large(limit: u64) -> ApiError {
    ApiError::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("Payload content length greater than maximum allowed: {limit}"),
    )
}

fn unsupported() -> ApiError {
    ApiError::bare(StatusCode::UNSUPPORTED_MEDIA_TYPE)
}

/// Judges the declared length before a byte is read.
pub(crate) fn check_length(headers: &HeaderMap, limit: u64) -> Result<(), ApiError> {
    let declared = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse::<u64>().ok());
    match declared {
        Some(length) if length > limit => Err(too_large(limit)),
        _ => Ok(()),
    }
}

fn mime(headers: &HeaderMap) -> Result<Mime, ApiError> {
    let invalid = |what: &'static str| ApiError::bad_request(what);
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(Mime::Json) };
    let text = value.to_str().map_err(|_| invalid("Invalid content-type header"))?;
    let (essence, parameters) = text.split_once(';').unwrap_or((text, ""));
    let essence = essence.trim().to_ascii_lowercase();
    let token = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&^_.+-*'".contains(&byte))
    };
    let well_formed = essence.split_once('/').is_some_and(|(main, sub)| token(main) && token(sub));
    if !well_formed {
        return Err(invalid("Invalid content-type header"));
    }
    let has = |name: &str| {
        parameters.split(';').filter(|one| one.trim().to_ascii_lowercase().starts_with(name)).count()
    };
    if has("charset=") > 1 {
        return Err(invalid("Invalid content-type header: duplicate parameter"));
    }
    Ok(match essence.as_str() {
        "application/json" => Mime::Json,
        "application/x-www-form-urlencoded" => Mime::Form,
        other if other.starts_with("application/") && other.ends_with("+json") => Mime::Json,
        other if other.starts_with("text/") => Mime::Text,
        other if other.starts_with("multipart/") => {
            if has("boundary=") == 0 {
                return Err(invalid("Invalid content-type header: multipart missing boundary"));
            }
            Mime::Multipart
        }
        _ => Mime::Other,
    })
}

/// Judges the content type of a body that is not read.
pub(crate) fn check_content_type(headers: &HeaderMap) -> Result<(), ApiError> {
    mime(headers).map(|_| ())
}

/// Whether a multipart route may take it.
pub(crate) fn check_multipart(headers: &HeaderMap) -> Result<(), ApiError> {
    if mime(headers)? == Mime::Multipart { Ok(()) } else { Err(unsupported()) }
}

/// Reads and parses the body of a JSON route: a JSON value, a text, a form as an object, or null.
pub(crate) async fn read_json(
    headers: &HeaderMap,
    body: Incoming,
    limit: u64,
    timeout: Duration,
) -> Result<Value, ApiError> {
    check_length(headers, limit)?;
    let mime = mime(headers)?;
    if mime == Mime::Multipart {
        return Err(unsupported());
    }
    let bytes = tokio::time::timeout(timeout, collect(body, limit))
        .await
        .map_err(|_| ApiError::bare(StatusCode::REQUEST_TIMEOUT))??;
    let bytes = decompress(headers, bytes, limit)?;
    parse(&mime, &bytes)
}

async fn collect(mut body: Incoming, limit: u64) -> Result<Bytes, ApiError> {
    let mut collected = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ApiError::bad_request("Client connection aborted"))?;
        let Ok(data) = frame.into_data() else { continue };
        if (collected.len() + data.len()) as u64 > limit {
            return Err(too_large(limit));
        }
        collected.extend_from_slice(&data);
    }
    Ok(collected.freeze())
}

/// Undoes `content-encoding`; the limit holds for what comes out, so that a small body cannot become a
/// large one.
fn decompress(headers: &HeaderMap, bytes: Bytes, limit: u64) -> Result<Bytes, ApiError> {
    let encoding = headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or("");
    let reader: Box<dyn Read> = match encoding.trim().to_ascii_lowercase().as_str() {
        "gzip" | "x-gzip" => Box::new(GzDecoder::new(&*bytes)),
        "deflate" => Box::new(ZlibDecoder::new(&*bytes)),
        _ => return Ok(bytes),
    };
    let mut plain = Vec::new();
    reader
        .take(limit + 1)
        .read_to_end(&mut plain)
        .map_err(|_| ApiError::bad_request("Invalid compressed payload"))?;
    if plain.len() as u64 > limit { Err(too_large(limit)) } else { Ok(plain.into()) }
}

fn parse(mime: &Mime, bytes: &[u8]) -> Result<Value, ApiError> {
    match mime {
        Mime::Json if bytes.is_empty() => Ok(Value::Null),
        Mime::Json => {
            let invalid = || ApiError::bad_request("Invalid request payload JSON format");
            let value: Value = serde_json::from_slice(bytes).map_err(|_| invalid())?;
            if has_prototype(&value) { Err(invalid()) } else { Ok(value) }
        }
        Mime::Text => Ok(Value::String(String::from_utf8_lossy(bytes).into_owned())),
        Mime::Form => Ok(ikebana_schema::query_object(pairs(&String::from_utf8_lossy(bytes)))),
        Mime::Multipart | Mime::Other => Err(unsupported()),
    }
}

/// A key by which a client might reach the prototype of objects; hapi refuses it as if it were no JSON.
fn has_prototype(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.contains_key("__proto__") || map.values().any(has_prototype),
        Value::Array(list) => list.iter().any(has_prototype),
        _ => false,
    }
}

/// Splits a query string or form; `+` is a space, and a broken `%` stays as it is.
pub(crate) fn pairs(text: &str) -> Vec<(String, String)> {
    let decode = |part: &str| {
        let spaced = part.replace('+', " ");
        percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
    };
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

/// The query as a raw object.
pub(crate) fn query(text: Option<&str>) -> Value {
    match text {
        None | Some("") => Value::Object(Map::new()),
        Some(text) => ikebana_schema::query_object(pairs(text)),
    }
}
