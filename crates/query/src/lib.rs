//! The query tree of the program, the texts that parse into it and its plain evaluator.
//!
//! - [`Query`] is the one tree that engines compile.
//! - [`kql`] reads the Kibana Query Language and compiles it into a [`Query`].
//! - [`simple_query`] reads Elasticsearch's simple query string, the `search` of the saved objects API.
//! - [`matches()`] evaluates a [`Query`] on one JSON document. It is written to be obviously right and is the oracle
//!   of the engines.
//! - [`analysis`] cuts text into words, [`date`] reads dates and date mathematics.
//!
//! Documents are JSON objects, fields are dotted paths, and what kind of field a path is comes from the caller
//! ([`Fields`]). Nothing here knows of saved objects, looks at a clock or does input and output.

pub mod analysis;
pub mod date;
mod document;
mod eval;
mod fields;
pub mod kql;
mod leaf;
mod query;
pub mod simple_query;
mod values;
mod wildcard;

pub use eval::matches;
pub use fields::{FieldKind, Fields, Mapping};
pub use query::{Field, MatchMode, Operator, Query, Scalar};
pub use wildcard::Wildcard;
