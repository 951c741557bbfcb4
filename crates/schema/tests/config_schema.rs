//! config-schema: texts of the single types, conversions, objects; whole messages.

use ikebana_schema::{
    Dialect, Part, Schema, Unknown, any, array, boolean, byte_size, check, duration, enumeration, hostname,
    integer, literal, never, null, nullable, number, object, record, string, union, uri,
};
use serde_json::{Value, json};

fn body(schema: &Schema, value: impl Into<Value>) -> Result<Value, String> {
    check(schema, Dialect::ConfigSchema, Part::Body, Some(&value.into())).map_err(|fault| fault.to_string())
}

/// One key `v` of the description; `null` in the tables is the value `null`.
fn under_v(schema: Schema, value: impl Into<Value>) -> Result<Value, String> {
    body(&object([("v", schema)]), json!({ "v": value.into() })).map(|mut value| value["v"].take())
}

fn absent_v(schema: Schema) -> Result<Value, String> {
    body(&object([("v", schema)]), json!({}))
}

#[track_caller]
fn refuses(schema: Schema, value: Value, text: &str) {
    assert_eq!(under_v(schema, value), Err(format!("[request body.v]: {text}")));
}

#[track_caller]
fn accepts(schema: Schema, value: Value, normalised: Value) {
    assert_eq!(under_v(schema, value), Ok(normalised));
}

#[test]
fn absent_values_have_the_text_of_their_type() {
    for (schema, text) in [
        (string(), "expected value of type [string] but got [undefined]"),
        (number(), "expected value of type [number] but got [undefined]"),
        (boolean(), "expected value of type [boolean] but got [undefined]"),
        (array(string()), "expected value of type [array] but got [undefined]"),
        (record(string(), any()), "expected value of type [object] but got [undefined]"),
        (any(), "expected value of type [any] but got [undefined]"),
        (literal("foo"), "expected value to equal [foo]"),
        (null(), "expected value to equal [null]"),
        (union([string(), number()]), "expected at least one defined value but got [undefined]"),
        (enumeration(["a", "b"]), "expected at least one defined value but got [undefined]"),
        (byte_size(), "expected value of type [ByteSize] but got [undefined]"),
        (duration(), "expected value of type [moment.Duration] but got [undefined]"),
        (uri([]), "expected value of type [string] but got [undefined]."),
        (hostname(), "expected value of type [string] but got [undefined]"),
    ] {
        assert_eq!(absent_v(schema), Err(format!("[request body.v]: {text}")));
    }
}

#[test]
fn wrong_types_are_named_as_type_detect_does() {
    let wrong = [json!(true), json!(null), json!([]), json!({})];
    let names = ["boolean", "null", "Array", "Object"];
    for (value, got) in wrong.iter().zip(names) {
        refuses(string(), value.clone(), &format!("expected value of type [string] but got [{got}]"));
        refuses(number(), value.clone(), &format!("expected value of type [number] but got [{got}]"));
        refuses(byte_size(), value.clone(), &format!("expected value of type [ByteSize] but got [{got}]"));
        refuses(
            duration(),
            value.clone(),
            &format!("expected value of type [moment.Duration] but got [{got}]"),
        );
        refuses(uri([]), value.clone(), &format!("expected value of type [string] but got [{got}]."));
    }
    refuses(string(), json!(5), "expected value of type [string] but got [number]");
    refuses(number(), json!("five"), "expected value of type [number] but got [string]");
    refuses(boolean(), json!("yes"), "expected value of type [boolean] but got [string]");
    refuses(boolean(), json!(0), "expected value of type [boolean] but got [number]");
    refuses(array(any()), json!({}), "expected value of type [array] but got [Object]");
    refuses(record(string(), any()), json!([]), "expected value of type [object] but got [Array]");
    refuses(object([]), json!([]), "expected a plain object value, but found [Array] instead.");
    refuses(object([]), json!(null), "expected a plain object value, but found [null] instead.");
    refuses(object([]), json!(123), "expected a plain object value, but found [number] instead.");
    refuses(hostname(), json!(5), "\"v\" must be a string");
}

#[test]
fn bounds() {
    let long = || string().min_len(1).max_len(2);
    refuses(long(), json!(""), "value has length [0] but it must have a minimum length of [1].");
    refuses(long(), json!("abc"), "value has length [3] but it must have a maximum length of [2].");
    // Lengths are counted in UTF-16 units.
    refuses(long(), json!("a\u{1f600}"), "value has length [3] but it must have a maximum length of [2].");
    accepts(long(), json!("\u{1f600}"), json!("\u{1f600}"));
    let port = || number().min(1).max(10);
    refuses(port(), json!(0), "Value must be equal to or greater than [1].");
    refuses(port(), json!("0.5"), "Value must be equal to or greater than [1].");
    refuses(port(), json!(11), "Value must be equal to or lower than [10].");
    refuses(number().max(0.5), json!(1), "Value must be equal to or lower than [0.5].");
    let list = || array(string()).min_size(1).max_size(2);
    refuses(list(), json!([]), "array size is [0], but cannot be smaller than [1]");
    refuses(list(), json!(["a", "b", "c"]), "array size is [3], but cannot be greater than [2]");
    // Elements are looked at before the size.
    assert_eq!(
        under_v(list(), json!(["a", "b", 3])),
        Err("[request body.v.2]: expected value of type [string] but got [number]".to_owned())
    );
    refuses(byte_size().min(1024), json!("1b"), "Value must be equal to or greater than [1kb]");
    refuses(byte_size().max(1_572_864), json!("2mb"), "Value must be equal to or less than [1.5mb]");
    refuses(duration().min(90_000), json!("1s"), "Value must be equal to or greater than [PT1M30S]");
}

#[test]
fn numbers_beyond_doubles_are_refused_under_their_path() {
    let text = "must be a safe number";
    refuses(number(), json!(9_007_199_254_740_992_i64), &format!("\"v\" {text}"));
    refuses(number(), json!("9007199254740993"), &format!("\"v\" {text}"));
    let alone = check(&number(), Dialect::ConfigSchema, Part::None, Some(&json!(1e300)));
    assert_eq!(alone.map_err(|fault| fault.to_string()), Err(format!("\"value\" {text}")));
    let nested = object([("a", array(object([("n", number())])))]);
    assert_eq!(
        body(&nested, json!({"a": [{"n": 1}, {"n": 1e17}]})),
        Err(format!("[request body.a.1.n]: \"a[1].n\" {text}"))
    );
    // Entries of records are named from the entry on.
    let nested = object([("r", record(string(), object([("n", number())])))]);
    assert_eq!(
        body(&nested, json!({"r": {"k": {"n": 1e17}}})),
        Err(format!("[request body.r.k.n]: \"n\" {text}"))
    );
}

#[test]
fn integers_have_no_text_in_the_original_unverified() {
    refuses(integer(), json!(1.5), "\"v\" must be an integer");
    accepts(integer(), json!("2"), json!(2));
}

#[test]
fn literals_compare_without_conversion() {
    accepts(literal(5), json!(5.0), json!(5));
    refuses(literal(5), json!("5"), "expected value to equal [5]");
    refuses(literal(true), json!("true"), "expected value to equal [true]");
    refuses(literal("foo"), json!("bar"), "expected value to equal [foo]");
    accepts(null(), json!(null), json!(null));
    refuses(null(), json!("null"), "expected value to equal [null]");
}

#[test]
fn strings_are_converted_in_bodies_too() {
    for (schema, value, normalised) in [
        (boolean(), json!("true"), json!(true)),
        (boolean(), json!("FALSE"), json!(false)),
        (number(), json!("5"), json!(5)),
        (number(), json!(" 4.50 "), json!(4.5)),
        (number(), json!(5.0), json!(5)),
        (array(number()), json!(r#"[1,"2"]"#), json!([1, 2])),
        (object([("type", string())]), json!(r#"{"type":"tag"}"#), json!({"type": "tag"})),
        (record(string(), boolean()), json!(r#"{"a":"true"}"#), json!({"a": true})),
    ] {
        accepts(schema, value, normalised);
    }
    refuses(number(), json!(""), "expected value of type [number] but got [string]");
    refuses(number(), json!("0x10"), "expected value of type [number] but got [string]");
}

#[test]
fn json_text_of_something_else() {
    refuses(array(any()), json!("abc"), "could not parse array value from json input");
    refuses(object([]), json!("abc"), "could not parse object value from json input");
    refuses(record(string(), any()), json!("abc"), "could not parse record value from json input");
    refuses(array(any()), json!(r#"{"foo":"bar"}"#), "expected value of type [array] but got [Object]");
    refuses(object([]), json!("[1,2,3]"), "expected a plain object value, but found [Array] instead.");
    refuses(record(string(), any()), json!("5"), "expected value of type [object] but got [number]");
}

#[test]
fn bodies_that_were_not_sent_are_null() {
    let schema = object([("name", string().optional())]);
    let fault = |part: Part<'_>, value: Option<&Value>| {
        check(&schema, Dialect::ConfigSchema, part, value).map_err(|fault| fault.to_string())
    };
    let text =
        |got| Err(format!("[request body]: expected a plain object value, but found [{got}] instead."));
    assert_eq!(fault(Part::Body, None), text("null"));
    assert_eq!(fault(Part::Body, Some(&json!([]))), text("Array"));
    assert_eq!(fault(Part::Query, None), Ok(json!({})));
    let optional = nullable(object([("name", string())]));
    assert_eq!(check(&optional, Dialect::ConfigSchema, Part::Body, None), Ok(json!(null)));
}

#[test]
fn first_fault_in_declaration_order_unknown_keys_last() {
    let schema = object([("first", string()), ("second", number())]);
    for (value, text) in [
        (
            json!({"second": "x", "bogus": 1, "first": 2}),
            ".first]: expected value of type [string] but got [number]",
        ),
        (
            json!({"bogus": 1, "first": "a", "second": "x"}),
            ".second]: expected value of type [number] but got [string]",
        ),
        (
            json!({"other": 1, "bogus": 1, "first": "a", "second": 2}),
            ".other]: definition for this key is missing",
        ),
    ] {
        assert_eq!(body(&schema, value), Err(format!("[request body{text}")));
    }
}

#[test]
fn objects_of_optional_parts_may_be_absent() {
    let schema = object([
        ("id", string()),
        (
            "elasticsearch",
            object([("cluster", array(string()).optional()), ("level", number().default(json!(3)))]),
        ),
        ("kept_out", object([("x", string())]).optional()),
    ]);
    assert_eq!(body(&schema, json!({"id": "a"})), Ok(json!({"id": "a", "elasticsearch": {"level": 3}})));
    let schema = object([("data_view", object([("title", string())]))]);
    assert_eq!(
        body(&schema, json!({})),
        Err("[request body.data_view.title]: expected value of type [string] but got [undefined]".to_owned())
    );
}

#[test]
fn defaults_are_taken_as_they_stand() {
    let schema = object([
        ("a", string().default(json!("x")).check(|_| Err("never asked".to_owned()))),
        ("b", object([("c", number().default(json!(1)))]).default(json!({}))),
        ("d", duration().default(json!("1m"))),
        ("e", byte_size().default(json!("1kb"))),
        ("f", nullable(string())),
        ("g", nullable(string()).optional()),
    ]);
    assert_eq!(body(&schema, json!({})), Ok(json!({"a": "x", "b": {}, "d": 60_000, "e": 1024, "f": null})));
}

#[test]
fn normalised_keys_keep_the_order_of_the_request() {
    let schema = object([("a", number().default(json!(1))), ("b", number()), ("c", number())]);
    let normalised = body(&schema, json!({"c": 1, "b": "2"})).unwrap();
    assert_eq!(normalised.to_string(), r#"{"c":1,"b":2,"a":1}"#);
}

#[test]
fn unknown_keys() {
    let inner = || object([("foo", string().default(json!("t")))]);
    let bogus = json!({"v": {"bar": 1}, "baz": 2});
    let missing = |path: &str| Err(format!("[request body.{path}]: definition for this key is missing"));
    let outer = |inner: Schema| object([("v", inner)]);
    assert_eq!(body(&outer(inner()), bogus.clone()), missing("v.bar"));
    assert_eq!(body(&outer(inner()).unknown(Unknown::Allow), bogus.clone()), missing("v.bar"));
    assert_eq!(
        body(&outer(inner().unknown(Unknown::Allow)).unknown(Unknown::Allow), bogus.clone()),
        Ok(json!({"v": {"bar": 1, "foo": "t"}, "baz": 2}))
    );
    assert_eq!(body(&outer(inner().unknown(Unknown::Drop)), bogus.clone()), missing("baz"));
    // Dropping is inherited by what says nothing, also through arrays, unions and records.
    assert_eq!(body(&outer(inner()).unknown(Unknown::Drop), bogus.clone()), Ok(json!({"v": {"foo": "t"}})));
    assert_eq!(
        body(&outer(inner().unknown(Unknown::Refuse)).unknown(Unknown::Drop), bogus),
        missing("v.bar")
    );
    let deep = outer(record(string(), array(nullable(inner())))).unknown(Unknown::Drop);
    assert_eq!(
        body(&deep, json!({"v": {"k": [{"bar": 1}, null]}})),
        Ok(json!({"v": {"k": [{"foo": "t"}, null]}}))
    );
}

#[test]
fn forbidden_keys() {
    let schema = object([("name", never()), ("x", number().optional())]);
    let text = "[request body.name]: a value wasn't expected to be present";
    assert_eq!(body(&schema, json!({"name": "a"})), Err(text.to_owned()));
    assert_eq!(body(&schema, json!({"name": null})), Err(text.to_owned()));
    assert_eq!(body(&schema, json!({"x": 1})), Ok(json!({"x": 1})));
}

#[test]
fn records() {
    let schema = || record(string().min_len(2), object([("n", number())]));
    let text = |path: &str, text: &str| Err(format!("[request body.v.{path}]: {text}"));
    assert_eq!(
        under_v(schema(), json!({"a": {"n": 1}})),
        text("key(\"a\")", "value has length [1] but it must have a minimum length of [2].")
    );
    assert_eq!(
        under_v(schema(), json!({"ab": {"n": "x"}})),
        text("ab.n", "expected value of type [number] but got [string]")
    );
    accepts(schema(), json!({"ab": {"n": "1"}}), json!({"ab": {"n": 1}}));
}
