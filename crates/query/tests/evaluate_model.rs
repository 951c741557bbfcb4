//! The evaluator against a still plainer model, and the laws that it must keep.

use std::ops::Bound::{Excluded, Included, Unbounded};

use ikebana_query::{
    Field, FieldKind, Fields, Mapping, MatchMode, Query, Scalar, Wildcard, analysis, matches,
};
use proptest::prelude::*;
use serde_json::{Value, json};

const PATHS: [&str; 6] = ["a", "b", "a.b", "a.b.a", "b.a", "b.b"];
const KINDS: [FieldKind; 4] = [FieldKind::Keyword, FieldKind::Text, FieldKind::Number, FieldKind::Boolean];

fn word() -> impl Strategy<Value = String> {
    prop_oneof!["[abAB]{0,2}", "[ab]( |-)[abB]{1,2}", "[0-2](\\.5)?", Just("true".to_owned())]
}

fn document() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        word().prop_map(Value::from),
        (0..3_i64).prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ];
    let value = scalar.prop_recursive(3, 12, 3, |value| {
        prop_oneof![prop::collection::vec(value.clone(), 0..3).prop_map(Value::from), object(value),]
    });
    object(value)
}

fn object(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    let key = prop::sample::select(&["a", "b", "a.b", "b.a"][..]).prop_map(str::to_owned);
    prop::collection::btree_map(key, value, 0..4).prop_map(|members| members.into_iter().collect())
}

fn fields() -> impl Strategy<Value = Mapping> {
    prop::collection::vec(prop::option::weighted(0.8, prop::sample::select(&KINDS[..])), PATHS.len())
        .prop_map(|kinds| {
            PATHS.into_iter().zip(kinds).filter_map(|(path, kind)| Some((path, kind?))).collect()
        })
}

fn leaf() -> impl Strategy<Value = Query> {
    let field = || prop::sample::select(&PATHS[..]).prop_map(Field::from);
    let scalar = || {
        prop_oneof![
            word().prop_map(Scalar::Text),
            (0..3_i64).prop_map(Scalar::from),
            any::<bool>().prop_map(Scalar::from),
        ]
    };
    let bound = || prop_oneof![Just(Unbounded), scalar().prop_map(Included), scalar().prop_map(Excluded)];
    let mode = || prop::sample::select(&[MatchMode::Any, MatchMode::All, MatchMode::Phrase][..]);
    prop_oneof![
        Just(Query::MatchAll),
        Just(Query::MatchNone),
        (field(), scalar()).prop_map(|(field, value)| Query::Term { field, value }),
        (field(), prop::collection::vec(scalar(), 0..3))
            .prop_map(|(field, values)| Query::Terms { field, values }),
        (field(), bound(), bound()).prop_map(|(field, lower, upper)| Query::Range { field, lower, upper }),
        field().prop_map(|field| Query::Exists { field }),
        (field(), "[abA]{0,2}").prop_map(|(field, prefix)| Query::Prefix { field, prefix }),
        (field(), "[abA*]{0,3}")
            .prop_map(|(field, text)| Query::Wildcard { field, pattern: Wildcard::from_text(&text) }),
        (field(), word(), mode(), any::<bool>()).prop_map(|(field, text, mode, prefix)| Query::Match {
            field,
            text,
            mode,
            prefix
        }),
    ]
}

fn query() -> impl Strategy<Value = Query> {
    leaf().prop_recursive(3, 12, 3, |query| {
        prop_oneof![
            prop::collection::vec(query.clone(), 0..4).prop_map(Query::And),
            prop::collection::vec(query.clone(), 0..4).prop_map(Query::Or),
            query.prop_map(Query::negate),
        ]
    })
}

/// A document as pairs of path and scalar text, with whether the scalar is a JSON string.
fn pairs(path: &str, value: &Value, found: &mut Vec<(String, String, Value)>) {
    match value {
        Value::Null => {}
        Value::Array(items) => items.iter().for_each(|item| pairs(path, item, found)),
        Value::Object(members) => {
            for (key, member) in members {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                pairs(&path, member, found);
            }
        }
        Value::String(text) => found.push((path.to_owned(), text.clone(), value.clone())),
        other => found.push((path.to_owned(), other.to_string(), value.clone())),
    }
}

/// The model: everything is lists of texts and floats.
fn model(query: &Query, document: &Value, fields: &dyn Fields) -> bool {
    let mut all = Vec::new();
    pairs("", document, &mut all);
    let kind = |field: &Field| fields.kind(field.as_str());
    let whole = |field: &Field| -> Vec<String> {
        let fits = |(path, text, value): &&(String, String, Value)| {
            path == field.as_str()
                && match kind(field) {
                    Some(FieldKind::Keyword | FieldKind::Text) => true,
                    Some(FieldKind::Number) => !value.is_boolean() && text.parse::<f64>().is_ok(),
                    Some(FieldKind::Boolean) => {
                        !value.is_number() && ["true", "false", ""].contains(&text.as_str())
                    }
                    _ => false,
                }
        };
        all.iter().filter(fits).map(|(_, text, _)| text.clone()).collect()
    };
    let terms = |field: &Field| -> Vec<String> {
        let split = |text: String| -> Vec<String> {
            if kind(field) == Some(FieldKind::Text) { model_words(&text) } else { vec![text] }
        };
        whole(field).into_iter().flat_map(split).collect()
    };
    let is = |field: &Field, term: &str, scalar: &Scalar| {
        compare(kind(field), term, scalar) == Some(std::cmp::Ordering::Equal)
    };
    match query {
        Query::MatchAll => true,
        Query::MatchNone => false,
        Query::And(queries) => !queries.iter().any(|query| !model(query, document, fields)),
        Query::Or(queries) => queries.iter().filter(|query| model(query, document, fields)).count() > 0,
        Query::Not(query) => !model(query, document, fields),
        Query::Term { field, value } => terms(field).iter().any(|term| is(field, term, value)),
        Query::Terms { field, values } => {
            terms(field).iter().any(|term| values.iter().any(|value| is(field, term, value)))
        }
        Query::Range { field, lower, upper } => terms(field).iter().any(|term| {
            let order = |scalar| compare(kind(field), term, scalar);
            let above = match lower {
                Unbounded => true,
                Included(scalar) => order(scalar).is_some_and(|order| order.is_ge()),
                Excluded(scalar) => order(scalar).is_some_and(|order| order.is_gt()),
            };
            above
                && match upper {
                    Unbounded => true,
                    Included(scalar) => order(scalar).is_some_and(|order| order.is_le()),
                    Excluded(scalar) => order(scalar).is_some_and(|order| order.is_lt()),
                }
        }),
        Query::Exists { field } => match kind(field) {
            Some(_) => !whole(field).is_empty(),
            None => PATHS
                .iter()
                .filter(|path| path.starts_with(&format!("{field}.")))
                .any(|path| !whole(&Field::from(*path)).is_empty()),
        },
        Query::Prefix { field, prefix } => {
            is_textual(kind(field)) && terms(field).iter().any(|term| term.starts_with(prefix.as_str()))
        }
        Query::Wildcard { field, pattern } => {
            is_textual(kind(field)) && terms(field).iter().any(|term| fits(&pattern.to_string(), term))
        }
        Query::Match { field, text, mode, prefix } if kind(field) == Some(FieldKind::Text) => {
            let wanted = model_words(text);
            let hit = |index: usize, word: &String| {
                if *prefix && index + 1 == wanted.len() {
                    word.starts_with(&wanted[index])
                } else {
                    *word == wanted[index]
                }
            };
            let found = |index: usize| terms(field).iter().any(|word| hit(index, word));
            let phrase = |value: &String| {
                let words = model_words(value);
                (0..words.len()).any(|start| {
                    words.len() - start >= wanted.len()
                        && (0..wanted.len()).all(|index| hit(index, &words[start + index]))
                })
            };
            !wanted.is_empty()
                && match mode {
                    MatchMode::Any => (0..wanted.len()).any(found),
                    MatchMode::All => (0..wanted.len()).all(found),
                    MatchMode::Phrase => whole(field).iter().any(phrase),
                }
        }
        Query::Match { field, text, prefix: true, .. } => {
            is_textual(kind(field)) && terms(field).iter().any(|term| term.starts_with(text.as_str()))
        }
        Query::Match { field, text, .. } => {
            terms(field).iter().any(|term| is(field, term, &Scalar::Text(text.clone())))
        }
        Query::Nested { .. } => unreachable!("not generated"),
    }
}

fn is_textual(kind: Option<FieldKind>) -> bool {
    matches!(kind, Some(FieldKind::Keyword | FieldKind::Text))
}

fn model_words(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

fn compare(kind: Option<FieldKind>, term: &str, scalar: &Scalar) -> Option<std::cmp::Ordering> {
    let text = match scalar {
        Scalar::Text(text) => text.clone(),
        Scalar::Number(number) => number.to_string(),
        Scalar::Boolean(boolean) => boolean.to_string(),
        _ => unreachable!("not generated"),
    };
    match kind? {
        FieldKind::Number if matches!(scalar, Scalar::Boolean(_)) => None,
        FieldKind::Number => term.parse::<f64>().ok()?.partial_cmp(&text.parse::<f64>().ok()?),
        FieldKind::Boolean if matches!(scalar, Scalar::Number(_)) => None,
        FieldKind::Boolean => Some((term == "true").cmp(&text.parse::<bool>().ok()?)),
        _ => Some(term.cmp(text.as_str())),
    }
}

/// Backtracking over every split, good for short texts.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_at_checked(1) {
        None => text.is_empty(),
        Some(("*", rest)) => (0..=text.len()).any(|at| text.is_char_boundary(at) && fits(rest, &text[at..])),
        Some((letter, rest)) => text.strip_prefix(letter).is_some_and(|text| fits(rest, text)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_evaluator_is_the_model(query in query(), document in document(), fields in fields()) {
        prop_assert_eq!(matches(&query, &document, &fields), model(&query, &document, &fields));
    }

    #[test]
    fn a_nested_path_with_one_object_is_that_object(query in leaf(), document in document(), fields in fields()) {
        let inside: Mapping = fields
            .names()
            .map(|name| (format!("n.{name}"), fields.kind(name).unwrap()))
            .chain([("n".to_owned(), FieldKind::Nested)])
            .collect();
        let query_inside = Query::Nested { path: "n".into(), query: Box::new(moved(query.clone())) };
        prop_assert_eq!(
            matches(&query_inside, &json!({"n": [&document]}), &inside),
            matches(&query, &document, &fields)
        );
    }

    #[test]
    fn boolean_algebra_holds(a in query(), b in query(), c in query(), document in document(), fields in fields()) {
        let holds = |query: &Query| matches(query, &document, &fields);
        let (and, or, not) = (
            |a: &Query, b: &Query| Query::And(vec![a.clone(), b.clone()]),
            |a: &Query, b: &Query| Query::Or(vec![a.clone(), b.clone()]),
            |a: &Query| Query::negate(a.clone()),
        );
        prop_assert_eq!(holds(&not(&not(&a))), holds(&a));
        prop_assert_eq!(holds(&not(&and(&a, &b))), holds(&or(&not(&a), &not(&b))));
        prop_assert_eq!(holds(&not(&or(&a, &b))), holds(&and(&not(&a), &not(&b))));
        prop_assert_eq!(holds(&and(&a, &or(&b, &c))), holds(&or(&and(&a, &b), &and(&a, &c))));
        prop_assert_eq!(holds(&or(&a, &and(&a, &b))), holds(&a));
        prop_assert!(holds(&or(&a, &not(&a))));
        prop_assert!(!holds(&and(&a, &not(&a))));
        prop_assert_eq!(holds(&Query::all(vec![a.clone(), b.clone()])), holds(&and(&a, &b)));
        prop_assert_eq!(holds(&Query::any(vec![a.clone()])), holds(&a));
        prop_assert!(holds(&Query::all(vec![])) && !holds(&Query::any(vec![])));
    }

    #[test]
    fn patterns_are_the_backtracking_ones(pattern in "[ab*]{0,6}", text in "[ab]{0,8}") {
        prop_assert_eq!(Wildcard::from_text(&pattern).matches(&text), fits(&pattern, &text));
    }

    #[test]
    fn words_are_folded_pieces_without_separators(text in any::<String>()) {
        let words: Vec<_> = analysis::words(&text).map(|word| word.into_owned()).collect();
        let again: Vec<_> = words.iter().flat_map(|word| analysis::words(word)).map(|word| word.into_owned()).collect();
        prop_assert_eq!(&words, &again);
        let joined: Vec<_> = analysis::words(&words.join(" ")).map(|word| word.into_owned()).collect();
        prop_assert_eq!(words, joined);
    }
}

fn moved(query: Query) -> Query {
    let inside = |field: Field| Field::new(format!("n.{field}"));
    match query {
        Query::Term { field, value } => Query::Term { field: inside(field), value },
        Query::Terms { field, values } => Query::Terms { field: inside(field), values },
        Query::Range { field, lower, upper } => Query::Range { field: inside(field), lower, upper },
        Query::Exists { field } => Query::Exists { field: inside(field) },
        Query::Prefix { field, prefix } => Query::Prefix { field: inside(field), prefix },
        Query::Wildcard { field, pattern } => Query::Wildcard { field: inside(field), pattern },
        Query::Match { field, text, mode, prefix } => {
            Query::Match { field: inside(field), text, mode, prefix }
        }
        other => other,
    }
}
