//! Trees as texts and back.

#![allow(clippy::unwrap_used)]

use ikebana_query::kql::{self, Literal, Node, RangeOperator};
use ikebana_query::{FieldKind, Mapping, Operator, Wildcard, simple_query};
use proptest::prelude::*;

/// Texts in which everything that needs care turns up often.
fn text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("and".to_owned()),
        Just("or".to_owned()),
        Just("not".to_owned()),
        Just("NOT".to_owned()),
        Just(" ".to_owned()),
        Just("\u{A0}".to_owned()),
        Just("\\".to_owned()),
        Just("\"".to_owned()),
        Just("\n".to_owned()),
        Just("n".to_owned()),
        Just("u0041".to_owned()),
        "[()<>:*{}]",
        "[a-z.é😀]{1,3}",
    ];
    prop::collection::vec(part, 1..6).prop_map(|parts| parts.concat())
}

fn unquoted() -> impl Strategy<Value = String> {
    let sayable = |text: &String| {
        text.trim() == text
            && !text.starts_with('\u{A0}')
            && !["null", "true", "false"].contains(&text.as_str())
    };
    text().prop_filter("cannot be said without quotes", sayable)
}

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        1 => Just(Literal::Null),
        1 => any::<bool>().prop_map(Literal::Boolean),
        4 => unquoted().prop_map(Literal::unquoted),
        3 => text().prop_map(Literal::quoted),
        2 => prop::collection::vec(prop_oneof![Just(String::new()), unquoted()], 2..4)
            .prop_map(|pieces| Literal::Wildcard(Wildcard::from_pieces(pieces))),
    ]
}

fn node() -> impl Strategy<Value = Node> {
    let operator = prop_oneof![
        Just(RangeOperator::Gt),
        Just(RangeOperator::Gte),
        Just(RangeOperator::Lt),
        Just(RangeOperator::Lte),
    ];
    let leaf = prop_oneof![
        (literal(), literal()).prop_map(|(field, value)| Node::Is { field, value }),
        (literal(), operator, literal()).prop_map(|(field, operator, value)| Node::Range {
            field,
            operator,
            value
        }),
    ];
    leaf.prop_recursive(4, 24, 4, |node| {
        prop_oneof![
            prop::collection::vec(node.clone(), 2..4).prop_map(Node::And),
            prop::collection::vec(node.clone(), 2..4).prop_map(Node::Or),
            node.clone().prop_map(|node| Node::Not(Box::new(node))),
            (literal(), node).prop_map(|(path, query)| Node::Nested { path, query: Box::new(query) }),
        ]
    })
}

fn options() -> kql::Options {
    kql::Options::at(jiff::Timestamp::from_second(1_700_000_000).unwrap())
}

proptest! {
    #[test]
    fn a_tree_is_its_text(node in node()) {
        let text = node.to_string();
        prop_assert_eq!(kql::parse(&text), Ok(node), "{}", text);
    }

    #[test]
    fn a_tree_is_its_json(node in node()) {
        prop_assert_eq!(kql::json::from_json(&kql::json::to_json(&node)), Some(node));
    }

    #[test]
    fn any_text_is_a_tree_or_an_error_that_points_into_it(text in prop_oneof![text(), any::<String>()]) {
        match kql::parse(&text) {
            Ok(node) => {
                let again = kql::parse(&node.to_string());
                prop_assert_eq!(again.as_ref(), Ok(&node));
                let fields = Mapping::new().with("a", FieldKind::Text).with("n", FieldKind::Date);
                kql::to_query(&node, &fields, &options());
            }
            Err(error) => {
                let caret = error.message().rsplit('\n').next().unwrap().len() - 1;
                prop_assert!(caret <= text.encode_utf16().count());
                let middle = format!(" found.\n{}\n", text);
                prop_assert!(error.message().contains(&middle));
            }
        }
    }

    #[test]
    fn any_text_is_a_simple_query(text in prop_oneof![text(), "[-+|()\"*~\\\\ a-c]{0,20}", any::<String>()]) {
        let fields = Mapping::new().with("a", FieldKind::Text).with("k", FieldKind::Keyword);
        for operator in [Operator::And, Operator::Or] {
            let query = simple_query::parse(&text, operator);
            simple_query::to_query(&query, &["a".into(), "k".into()], &fields, operator);
        }
    }
}
