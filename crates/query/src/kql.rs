//! KQL, the Kibana Query Language of the 8.19 line.
//!
//! [`parse`] gives the syntax tree ([`Node`]), whose `Display` is KQL again; [`to_query`] compiles it by what the
//! caller's mapping says; [`json`] reads and writes the JSON form of the tree that some APIs take instead of text.
//!
//! What may surprise, and is so in Kibana too:
//! - `not` followed by white space is a keyword in the middle of a word as well: `knot and rope` is a syntax error;
//! - `\not` is a line feed and `ot`, because `\n` is read first; quote the word or write `\u006eot`;
//! - white space around an unquoted value is not part of it, even when it is escaped;
//! - a bare value (`foo`) asks all fields, and `null` as field name is the same as no field name.

mod compile;
mod display;
mod error;
pub mod json;
mod node;
mod parser;

pub use compile::{Options, to_query};
pub use error::SyntaxError;
pub use node::{Literal, Node, RangeOperator};
pub use parser::{MAX_DEPTH, parse};
