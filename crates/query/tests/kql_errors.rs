//! The errors of texts that are not KQL.

use ikebana_query::kql::{self, MAX_DEPTH};

/// The texts of Kibana's own tests. Where those differ among themselves on whether `whitespace` is listed after a finished
/// expression (its parser generator's cache hides it), the API tests' form holds: it is listed.
#[test]
fn messages_are_kibanas() {
    for (text, message) in [
        (
            "response:",
            "Expected \"(\", \"{\", value, whitespace but end of input found.\nresponse:\n---------^",
        ),
        (
            "response:200 or ",
            "Expected \"(\", NOT, field name, value but end of input found.\nresponse:200 or \n----------------^",
        ),
        (
            "response:(200 or )",
            "Expected \"(\", NOT, value but \")\" found.\nresponse:(200 or )\n-----------------^",
        ),
        (
            "response:200 and not ",
            "Expected \"(\", field name, value but end of input found.\nresponse:200 and not \n---------------------^",
        ),
        (
            "response:(200 and not )",
            "Expected \"(\", value but \")\" found.\nresponse:(200 and not )\n----------------------^",
        ),
        ("foo:\"ba ", "Expected \"(\", \"{\", value, whitespace but \"\"\" found.\nfoo:\"ba \n----^"),
        (
            "foo:\"ba \"r\"",
            "Expected AND, OR, end of input, whitespace but \"r\" found.\nfoo:\"ba \"r\"\n---------^",
        ),
        ("foo:ba:r", "Expected AND, OR, end of input, whitespace but \":\" found.\nfoo:ba:r\n------^"),
        ("foo > ", "Expected literal, whitespace but end of input found.\nfoo > \n------^"),
        (
            "< 1000",
            "Expected \"(\", NOT, end of input, field name, value, whitespace but \"<\" found.\n< 1000\n^",
        ),
        (
            "dashboard.attributes.title:foo<invalid",
            "Expected AND, OR, end of input, whitespace but \"<\" found.\n\
             dashboard.attributes.title:foo<invalid\n------------------------------^",
        ),
        (
            "this < is not : a valid > query",
            "Expected AND, OR, end of input, whitespace but \"n\" found.\n\
             this < is not : a valid > query\n----------^",
        ),
        (
            "xxx(yyy))",
            "Expected \":\", \"<\", \"<=\", \">\", \">=\", AND, OR, end of input, whitespace but \"(\" found.\n\
             xxx(yyy))\n---^",
        ),
    ] {
        let error = kql::parse(text).unwrap_err();
        assert_eq!(error.message(), message);
        assert_eq!(error.to_string(), format!("KQLSyntaxError: {message}"));
        assert_eq!(error.short_message(), message.lines().next().unwrap());
    }
}

#[test]
fn every_place_has_its_own_expectations() {
    let messages = [
        ")",
        "(",
        "( a",
        "not",
        "a not b",
        "a and",
        "a: { b",
        "a: { b: c",
        "a:(b",
        "a:(b or c",
        "a >< 3",
        "a\\x",
        "knot and rope",
        "not not a",
        "a:b or or c",
        "\"a\"b\"",
        "a: *b*:",
        "{",
        "a:{}",
        "a:()",
        "a and not (b",
    ]
    .map(|text| match kql::parse(text) {
        Ok(node) => format!("{text}\nis {node}"),
        Err(error) => error.message().to_owned(),
    });
    insta::assert_snapshot!(messages.join("\n\n"));
}

#[test]
fn the_caret_counts_utf16_code_units_over_the_whole_text() {
    let error = kql::parse("a:\"😀\n\"<").unwrap_err();
    assert_eq!(
        error.message(),
        "Expected AND, OR, end of input, whitespace but \"<\" found.\na:\"😀\n\"<\n-------^"
    );
}

#[test]
fn nesting_has_a_limit() {
    let nested = |open: &str, close: &str, depth| format!("{}a{}", open.repeat(depth), close.repeat(depth));
    for (open, close) in [("(", ")"), ("a:{", "}"), ("not (", ")"), ("(not (", "))")] {
        let levels = open.matches(['(', '{']).count();
        assert!(kql::parse(&nested(open, close, MAX_DEPTH / levels)).is_ok(), "{open}");
        let refused = kql::parse(&nested(open, close, MAX_DEPTH / levels + 1));
        assert!(
            refused.is_err_and(|error| error
                .short_message()
                .starts_with("Expected at most 64 levels of nesting"))
        );
        let refused = kql::parse(&nested(open, close, 10_000)).unwrap_err();
        assert!(refused.short_message().starts_with("Expected at most 64 levels of nesting but \""));
    }
    assert!(kql::parse(&format!("a:{}", nested("(", ")", MAX_DEPTH))).is_ok());
    assert!(kql::parse(&format!("a:{}", nested("(", ")", MAX_DEPTH + 1))).is_err());
    let deep = kql::parse(&"(".repeat(MAX_DEPTH + 1)).unwrap_err();
    assert_eq!(
        deep.message(),
        format!(
            "Expected at most 64 levels of nesting but \"(\" found.\n{}\n{}^",
            "(".repeat(MAX_DEPTH + 1),
            "-".repeat(MAX_DEPTH)
        )
    );
}

#[test]
fn depth_counts_what_is_open_not_what_was() {
    let beside = vec!["(a)"; 10 * MAX_DEPTH].join(" or ");
    assert!(kql::parse(&beside).is_ok());
    let values = vec!["a:(b)"; 10 * MAX_DEPTH].join(" and ");
    assert!(kql::parse(&values).is_ok());
}
