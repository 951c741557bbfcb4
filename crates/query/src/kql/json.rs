//! The JSON form of the syntax tree, which the alerting API takes as `filter` in place of KQL text.
//!
//! `{"type": "function", "function": "is", "arguments": [{"type": "literal", "value": "a", "isQuoted": false}, …]}`.
//! Stars in wildcards are written `@kuery-wildcard@`.

use serde_json::{Value, json};

use super::{Literal, Node, RangeOperator};
use crate::Wildcard;

const STAR: &str = "@kuery-wildcard@";

/// Writes the JSON form.
pub fn to_json(node: &Node) -> Value {
    match node {
        Node::And(nodes) => function("and", nodes.iter().map(to_json).collect::<Value>()),
        Node::Or(nodes) => function("or", nodes.iter().map(to_json).collect::<Value>()),
        Node::Not(node) => function("not", vec![to_json(node)]),
        Node::Is { field, value } => function("is", vec![literal(field), literal(value)]),
        Node::Range { field, operator, value } => {
            function("range", vec![literal(field), Value::from(operator.name()), literal(value)])
        }
        Node::Exists { field } => function("exists", vec![literal(field)]),
        Node::Nested { path, query } => function("nested", vec![literal(path), to_json(query)]),
    }
}

/// Reads the JSON form; none when it is not one. Arguments beyond those of the function are passed over.
///
/// Recursion goes as deep as the value; JSON parsers limit that.
pub fn from_json(value: &Value) -> Option<Node> {
    if value.get("type")? != "function" {
        return None;
    }
    let arguments = value.get("arguments")?.as_array()?;
    let argument = |index: usize| arguments.get(index);
    let literal = |index: usize| argument(index).and_then(to_literal);
    let nodes = || arguments.iter().map(from_json).collect::<Option<Vec<_>>>();
    Some(match value.get("function")?.as_str()? {
        "and" => Node::And(nodes()?),
        "or" => Node::Or(nodes()?),
        "not" => Node::Not(Box::new(from_json(argument(0)?)?)),
        "is" => Node::Is { field: literal(0)?, value: literal(1)? },
        "range" => {
            Node::Range { field: literal(0)?, operator: to_operator(argument(1)?)?, value: literal(2)? }
        }
        "exists" => Node::Exists { field: literal(0)? },
        "nested" => Node::Nested { path: literal(0)?, query: Box::new(from_json(argument(1)?)?) },
        _ => return None,
    })
}

fn function(name: &str, arguments: impl Into<Value>) -> Value {
    json!({"type": "function", "function": name, "arguments": arguments.into()})
}

fn literal(literal: &Literal) -> Value {
    let (value, quoted) = match literal {
        Literal::Null => (Value::Null, false),
        Literal::Boolean(boolean) => (Value::from(*boolean), false),
        Literal::Text { text, quoted } => (Value::from(text.as_str()), *quoted),
        Literal::Wildcard(pattern) => {
            return json!({"type": "wildcard", "value": pattern.pieces().join(STAR)});
        }
    };
    json!({"type": "literal", "value": value, "isQuoted": quoted})
}

fn to_literal(value: &Value) -> Option<Literal> {
    let content = value.get("value")?;
    match value.get("type")?.as_str()? {
        "wildcard" => {
            let pieces = content.as_str()?.split(STAR).map(str::to_owned).collect();
            Some(Literal::Wildcard(Wildcard::from_pieces(pieces)))
        }
        "literal" => Some(match content {
            Value::Null => Literal::Null,
            Value::Bool(boolean) => Literal::Boolean(*boolean),
            Value::Number(number) => Literal::unquoted(number.to_string()),
            Value::String(text) => {
                let quoted = value.get("isQuoted").and_then(Value::as_bool).unwrap_or(false);
                Literal::Text { text: text.clone(), quoted }
            }
            Value::Array(_) | Value::Object(_) => return None,
        }),
        _ => None,
    }
}

fn to_operator(value: &Value) -> Option<RangeOperator> {
    let name = value.as_str()?;
    RangeOperator::ALL.into_iter().find(|operator| operator.name() == name)
}
