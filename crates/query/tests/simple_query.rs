//! Elasticsearch's simple query string.

use std::fmt::Write;

use ikebana_query::simple_query::{self, MAX_DEPTH, SimpleQuery};
use ikebana_query::{Field, FieldKind, Mapping, Operator, Query, matches};
use serde_json::json;

#[test]
fn texts_have_these_trees() {
    let texts = [
        "",
        "   ",
        "*",
        " * ",
        "foo",
        "foo bar",
        "foo + bar",
        "foo | bar",
        "foo+bar|baz",
        "a b + c",
        "a | b c + d",
        "+ foo",
        "foo |",
        "foo + | bar",
        "foo | + bar",
        "-foo",
        "- foo",
        "--foo",
        "foo -bar",
        "foo --bar",
        "foo-bar",
        "my-vis*",
        "vis*",
        "some*vi*",
        "foo *",
        "**",
        "foo\\*",
        "\\*",
        "foo\\* bar*",
        "\"foo bar\"",
        "\"foo bar",
        "foo \"",
        "\"\" foo",
        "a + \"\" b",
        "-\"foo bar\"",
        "\"say \\\"hi\\\"\"",
        "(a b) c",
        "(a + b) | c",
        "a + (b | c)",
        "-(a b)",
        "(a",
        "a)",
        "() a",
        "a + () b",
        "((a))",
        "(a (b)",
        "\\(a b\\)",
        "foo~1 bar",
        "foo~x",
        "~foo",
        "\"a b\"~2 c",
        "\"a b\"~2",
        "\"a b\"~",
        "a\tb\nc",
        "tail\\",
        "a\u{3000}b",
        "é-x*",
    ];
    let table = texts.iter().fold(String::new(), |mut table, text| {
        let [or, and] =
            [Operator::Or, Operator::And].map(|operator| show(&simple_query::parse(text, operator)));
        writeln!(table, "{text:?}\n    {or}").unwrap();
        if or != and {
            writeln!(table, "    {and}").unwrap();
        }
        table
    });
    insta::assert_snapshot!(table);
}

#[test]
fn parentheses_beyond_the_limit_are_passed_over() {
    let nested = |depth: usize| format!("{}a b{} c", "(".repeat(depth), ")".repeat(depth));
    let tree = "or[or['a', 'b'], 'c']";
    assert_eq!(show(&simple_query::parse(&nested(MAX_DEPTH), Operator::Or)), tree);
    for depth in [MAX_DEPTH + 1, 10_000] {
        let tree = simple_query::parse(&nested(depth), Operator::Or);
        assert_eq!(show(&tree), "or[or['a', 'b'], 'c']");
    }
    assert_eq!(show(&simple_query::parse(&"(".repeat(100_000), Operator::Or)), "none");
    assert_eq!(show(&simple_query::parse(&"\"(".repeat(50_001), Operator::Or)).matches('(').count(), 25_000);
}

#[test]
fn fields_are_searched_by_their_kind() {
    let fields = Mapping::new()
        .with("title", FieldKind::Text)
        .with("tag", FieldKind::Keyword)
        .with("count", FieldKind::Number)
        .with("at", FieldKind::Date);
    let document =
        json!({"title": "My-Visualization of Cats", "tag": "My Tag", "count": 7, "at": "2024-05-15"});
    let found = |text: &str, names: &[&str], operator: Operator| {
        let names: Vec<Field> = names.iter().map(|name| Field::from(*name)).collect();
        let query = simple_query::to_query(&simple_query::parse(text, operator), &names, &fields, operator);
        matches(&query, &document, &fields)
    };
    let all = ["title", "tag", "count", "at", "unmapped"];
    for (text, names, or, and) in [
        ("cats", &all[..], true, true),
        ("dogs cats", &all, true, false),
        ("visualization cats", &all, true, true),
        ("dogs-cats", &["title"], true, false),
        ("visual*", &all, true, true),
        ("VISUAL*", &all, true, true),
        ("my-vis*", &all, false, false),
        ("\"visualization of\"", &all, true, true),
        ("\"of visualization\"", &all, false, false),
        ("\"My Tag\"", &["tag"], true, true),
        ("My Tag", &["tag"], false, false),
        ("My*", &["tag"], true, true),
        ("my*", &["tag"], false, false),
        ("7", &all, true, true),
        ("7.0 cats", &all, true, true),
        ("2024-05-15", &["at"], true, true),
        ("-dogs", &all, true, true),
        ("-cats", &all, false, false),
        ("dogs | cats", &all, true, true),
        ("dogs + cats", &all, false, false),
        ("& cats", &["title"], true, true),
        ("& cats", &["title", "tag"], true, false),
        ("&", &["title"], false, false),
        ("-&", &["title"], false, false),
        ("*", &all, true, true),
        ("", &all, false, false),
        ("cats", &["unmapped"], false, false),
        ("cats", &[], false, false),
    ] {
        assert_eq!(found(text, names, Operator::Or), or, "{text} {names:?} or");
        assert_eq!(found(text, names, Operator::And), and, "{text} {names:?} and");
    }
}

#[test]
fn a_term_is_any_of_the_fields() {
    let fields = Mapping::new().with("title", FieldKind::Text).with("tag", FieldKind::Keyword);
    let tree = simple_query::parse("-Foo*", Operator::Or);
    assert_eq!(
        simple_query::to_query(&tree, &["title".into(), "tag".into()], &fields, Operator::Or),
        Query::negate(Query::Or(vec![
            Query::Prefix { field: "title".into(), prefix: "foo".into() },
            Query::Prefix { field: "tag".into(), prefix: "Foo".into() },
        ]))
    );
}

fn show(query: &SimpleQuery) -> String {
    let list = |queries: &[SimpleQuery]| queries.iter().map(show).collect::<Vec<_>>().join(", ");
    match query {
        SimpleQuery::MatchNone => "none".to_owned(),
        SimpleQuery::MatchAll => "all".to_owned(),
        SimpleQuery::Term(text) => format!("'{text}'"),
        SimpleQuery::Prefix(text) => format!("'{text}'*"),
        SimpleQuery::Phrase(text) => format!("{text:?}"),
        SimpleQuery::And(queries) => format!("and[{}]", list(queries)),
        SimpleQuery::Or(queries) => format!("or[{}]", list(queries)),
        SimpleQuery::Not(query) => format!("not[{}]", show(query)),
    }
}
