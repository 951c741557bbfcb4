//! KQL texts and their trees.

use std::fmt::Write;

use ikebana_query::kql::{self, Literal, Node};

/// One text a line: the text, and the tree in a short form that keeps what its own `Display` hides.
#[test]
fn texts_have_these_trees() {
    let texts = [
        "",
        "  ",
        "*",
        "*: *",
        "foo",
        "  foo ",
        "foo bar",
        "foo and bar",
        "foo and\u{A0}bar",
        "foo or bar",
        "foo and bar and baz",
        "foo or bar or baz",
        "foo AND bar Or baz",
        "foo or bar and baz or qux",
        "(foo or bar) and baz",
        "foo and (bar and baz)",
        "not foo",
        "NOT foo and bar",
        "not (foo or bar)",
        "not (not foo)",
        "foo:bar",
        "foo :  bar baz ",
        "foo:\"bar baz\"",
        "\"foo bar\": baz",
        "foo:(bar or baz)",
        "foo:((bar or \"b z\") and not qux)",
        "foo:(not (bar and baz))",
        "bytes > 1000 and bytes < 8000",
        "bytes >= 1000 and bytes<=8000",
        "@timestamp >= \"now-1d/d\"",
        "machine*:osx",
        "foo:ba*",
        "foo:*ba*r*",
        "foo:\"ba*\"",
        "foo:ba\\*",
        "foo:*",
        "foo:**",
        "foo:\\*",
        "foo:true and bar:false and baz:null",
        "foo:\"true\"",
        "foo:truely",
        "null",
        "null: foo",
        "items:{ name: foo }",
        "items:{ name:foo or parts:{ price > 3 } }",
        "a:1 and ( items:{ b:2 } or items:{ b:3 } )",
        r#"\\\(\)\:\<\>\"\*\{\}"#,
        r#""\\():<>\"*{}""#,
        r"a\tb\nc\rd",
        r"\u00e9t\u00E9 \ud83d\ude00",
        r#""\u0041\x""#,
        r"foo \and bar \or baz \NOT qux",
        r"\not foo",
        "-4",
        "070",
        "a - b",
        "andor",
        "or",
        "not",
        "nothing",
        "Zoë: 日本",
    ];
    let table = texts.iter().fold(String::new(), |mut table, text| {
        let tree = kql::parse(text).map_or_else(|error| error.to_string(), |node| show(&node));
        writeln!(table, "{text:?}\n    {tree}").unwrap();
        table
    });
    insta::assert_snapshot!(table);
}

#[test]
fn a_tree_is_written_with_every_group_in_parentheses() {
    let node = kql::parse("field: (value AND value2 OR \"value3\") OR nested: { field2: value4 }").unwrap();
    assert_eq!(
        node.to_string(),
        "(((field: value AND field: value2) OR field: \"value3\") OR nested: { field2: value4 })"
    );
}

#[test]
fn trees_that_no_text_has_are_written_as_what_they_mean() {
    let written = [
        Node::And(vec![]),
        Node::Or(vec![]),
        Node::Exists { field: Literal::unquoted("a b") },
        Node::Is { field: Literal::unquoted("a"), value: Literal::unquoted(" true ") },
        Node::Is { field: Literal::unquoted("a"), value: Literal::unquoted("true") },
        Node::Is { field: Literal::unquoted("a"), value: Literal::unquoted("") },
    ]
    .map(|node| node.to_string());
    assert_eq!(written, ["*: *", "NOT *: *", "a b: *", "a: \" true \"", "a: \"true\"", "a: \\t"]);
}

#[test]
fn names_are_shown_in_the_order_of_the_text() {
    let mut node = kql::parse("a:1 and not b>2 and c:{ d:(1 or 2) } or free").unwrap();
    node.fields_mut(&mut |field| {
        if let Literal::Text { text, .. } = field {
            text.insert_str(0, "x.");
        }
    });
    assert_eq!(node.to_string(), "((x.a: 1 AND NOT x.b > 2 AND x.c: { (x.d: 1 OR x.d: 2) }) OR free)");
}

#[test]
fn the_json_form_is_kibanas() {
    let node = kql::parse("a:\"b c\" and not d*:{ e >= 5* } or null").unwrap();
    insta::assert_snapshot!(format!("{:#}", kql::json::to_json(&node)));
}

#[test]
fn broken_json_forms_are_none() {
    let literal = serde_json::json!({"type": "literal", "value": "a", "isQuoted": false});
    for broken in [
        serde_json::json!(null),
        literal.clone(),
        serde_json::json!({"type": "function", "function": "geo", "arguments": []}),
        serde_json::json!({"type": "function", "function": "is", "arguments": [literal]}),
        serde_json::json!({"type": "function", "function": "not", "arguments": []}),
        serde_json::json!({"type": "function", "function": "and", "arguments": [literal]}),
        serde_json::json!({"type": "function", "function": "range", "arguments": [literal, "eq", literal]}),
        serde_json::json!({"type": "function", "function": "exists", "arguments": [{"type": "literal", "value": []}]}),
    ] {
        assert_eq!(kql::json::from_json(&broken), None, "{broken}");
    }
}

fn show(node: &Node) -> String {
    let list = |nodes: &[Node]| nodes.iter().map(show).collect::<Vec<_>>().join(", ");
    match node {
        Node::And(nodes) => format!("and[{}]", list(nodes)),
        Node::Or(nodes) => format!("or[{}]", list(nodes)),
        Node::Not(node) => format!("not[{}]", show(node)),
        Node::Is { field, value } => format!("is({}, {})", literal(field), literal(value)),
        Node::Range { field, operator, value } => {
            format!("{}({}, {})", operator.name(), literal(field), literal(value))
        }
        Node::Exists { field } => format!("exists({})", literal(field)),
        Node::Nested { path, query } => format!("nested({}, {})", literal(path), show(query)),
    }
}

fn literal(literal: &Literal) -> String {
    match literal {
        Literal::Null => "null".to_owned(),
        Literal::Boolean(boolean) => boolean.to_string(),
        Literal::Text { text, quoted: false } => format!("'{text}'"),
        Literal::Text { text, quoted: true } => format!("{text:?}"),
        Literal::Wildcard(pattern) => format!("wildcard{:?}", pattern.pieces()),
    }
}
