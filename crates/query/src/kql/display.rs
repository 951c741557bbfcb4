//! The syntax tree as text.

use std::fmt::{self, Display, Write};

use super::parser::{is_space, is_special, is_trimmed};
use super::{Literal, Node};
use crate::Wildcard;

/// Writes KQL in Kibana's form: operators in capitals, every `AND` and `OR` in parentheses, lists of values spelt out.
///
/// What the parser made comes back the same from its text. Trees made otherwise may hold what KQL cannot say: `And` and
/// `Or` without members become `*: *` and `NOT *: *`, unquoted texts that would read as something else are quoted.
impl Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Node::And(nodes) if nodes.is_empty() => Node::match_all().fmt(f),
            Node::Or(nodes) if nodes.is_empty() => write!(f, "NOT {}", Node::match_all()),
            Node::And(nodes) => joined(f, nodes, " AND "),
            Node::Or(nodes) => joined(f, nodes, " OR "),
            Node::Not(node) if matches!(**node, Node::Not(_)) => write!(f, "NOT ({node})"),
            Node::Not(node) => write!(f, "NOT {node}"),
            Node::Is { field: Literal::Null, value } => value.fmt(f),
            Node::Is { field, value } => write!(f, "{field}: {value}"),
            Node::Range { field, operator, value } => write!(f, "{field} {} {value}", operator.symbol()),
            Node::Exists { field } => write!(f, "{field}: *"),
            Node::Nested { path, query } => write!(f, "{path}: {{ {query} }}"),
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, nodes: &[Node], operator: &str) -> fmt::Result {
    for (index, node) in nodes.iter().enumerate() {
        f.write_str(if index == 0 { "(" } else { operator })?;
        node.fmt(f)?;
    }
    f.write_str(")")
}

impl Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Literal::Null => f.write_str("null"),
            Literal::Boolean(boolean) => boolean.fmt(f),
            // White space is not part of an unquoted value, so an escaped tab is the empty text.
            Literal::Text { text, quoted: false } if text.is_empty() => f.write_str("\\t"),
            Literal::Text { text, quoted: false } if !is_ambiguous(text) => unquoted(f, text),
            Literal::Text { text, .. } => {
                write!(f, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
            }
            Literal::Wildcard(pattern) => wildcard(f, pattern),
        }
    }
}

/// Whether a text would be something else without quotes, however it is escaped.
fn is_ambiguous(text: &str) -> bool {
    matches!(text, "null" | "true" | "false") || text.starts_with(is_trimmed) || text.ends_with(is_trimmed)
}

fn wildcard(f: &mut fmt::Formatter<'_>, pattern: &Wildcard) -> fmt::Result {
    for (index, piece) in pattern.pieces().iter().enumerate() {
        if index > 0 {
            f.write_char('*')?;
        }
        unquoted(f, piece)?;
    }
    Ok(())
}

fn unquoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match c {
            '\t' => f.write_str("\\t")?,
            '\r' => f.write_str("\\r")?,
            '\n' => f.write_str("\\n")?,
            c if is_special(c) => write!(f, "\\{c}")?,
            c if reads_as_keyword(&text[at..], before) => write!(f, "\\u{:04x}", u32::from(c))?,
            c => f.write_char(c)?,
        }
        before = c;
    }
    Ok(())
}

/// Whether a keyword could begin here, given what may follow the text: `not` anywhere, the others after white space.
fn reads_as_keyword(text: &str, before: char) -> bool {
    let begins = |word: &str| {
        let (head, rest) = text.split_at_checked(word.len()).unwrap_or_default();
        head.eq_ignore_ascii_case(word) && (rest.is_empty() || rest.starts_with(is_space))
    };
    begins("not") || (is_space(before) && (begins("or") || begins("and")))
}
