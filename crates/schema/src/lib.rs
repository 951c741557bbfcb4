//! A request body, query, set of path parameters or settings section, described once as data.
//!
//! A [`Schema`] is built from small constructor functions. [`check`] walks a JSON value along it under a
//! [`Dialect`] and answers with the normalised value (defaults in, conversions done, unknown keys handled)
//! or with a [`Fault`] whose text is the one that clients of that part of the API match on. [`openapi()`]
//! writes the same description as an OpenAPI 3.0.3 schema.
//!
//! The walk goes as deep as the description, never as deep as the value; what is compared, copied or printed
//! whole is bounded by the JSON reader, which refuses nesting beyond 128 levels.
//!
//! ```
//! use ikebana_schema::{Dialect, Part, check, object, string};
//! use serde_json::json;
//!
//! let body = object([("name", string().min_len(1)), ("description", string().optional())]);
//! let fault = check(&body, Dialect::ConfigSchema, Part::Body, Some(&json!({ "name": "" })));
//! assert_eq!(
//!     fault.map_err(|fault| fault.to_string()),
//!     Err("[request body.name]: value has length [0] but it must have a minimum length of [1].".to_owned())
//! );
//! ```

mod coerce;
mod describe;
mod dialect;
mod fault;
mod js;
mod openapi;
mod query;
mod units;

pub use describe::{
    Schema, Unknown, any, array, boolean, byte_size, conditional, duration, enumeration, hostname, integer,
    intersection, literal, never, null, nullable, number, object, opaque, record, string, tagged_union,
    union, uri,
};
pub use dialect::{Dialect, Part, check};
pub use fault::Fault;
pub use openapi::{openapi, openapi_parameters};
pub use query::query_object;
