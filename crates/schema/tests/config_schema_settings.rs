//! config-schema: the kinds that settings need, and how messages begin.

use ikebana_schema::{Dialect, Part, Schema, byte_size, check, duration, hostname, number, object, uri};
use serde_json::{Value, json};

fn body(schema: &Schema, value: impl Into<Value>) -> Result<Value, String> {
    check(schema, Dialect::ConfigSchema, Part::Body, Some(&value.into())).map_err(|fault| fault.to_string())
}

/// One key `v` of the description; `null` in the tables is the value `null`.
fn under_v(schema: Schema, value: impl Into<Value>) -> Result<Value, String> {
    body(&object([("v", schema)]), json!({ "v": value.into() })).map(|mut value| value["v"].take())
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
fn parts_and_prefixes() {
    let schema = object([("port", number())]);
    for (part, text) in [
        (Part::Params, "[request params.port]: "),
        (Part::Query, "[request query.port]: "),
        (Part::Body, "[request body.port]: "),
        (Part::Config("server"), "[config validation of [server].port]: "),
        (Part::Namespace("attributes"), "[attributes.port]: "),
        (
            Part::Prefix("error validating action type config: "),
            "error validating action type config: [port]: ",
        ),
        (Part::None, "[port]: "),
    ] {
        let fault = check(&schema, Dialect::ConfigSchema, part, Some(&json!({"port": "x"})));
        let text = format!("{text}expected value of type [number] but got [string]");
        assert_eq!(fault.map_err(|fault| fault.to_string()), Err(text));
    }
    let root = object([]).check_value(|_| Err("must specify a scheme".to_owned()));
    let fault =
        |part| check(&root, Dialect::ConfigSchema, part, Some(&json!({}))).unwrap_err().into_message();
    assert_eq!(
        fault(Part::Prefix("error validating action type secrets: ")),
        "error validating action type secrets: must specify a scheme"
    );
    assert_eq!(fault(Part::Config("server")), "[config validation of [server]]: must specify a scheme");
}

#[test]
fn byte_sizes() {
    for (text, bytes) in
        [("123b", 123), ("1KB", 1024), ("1mb", 1_048_576), ("2gb", 2_147_483_648_i64), ("123", 123), ("", 0)]
    {
        accepts(byte_size(), json!(text), json!(bytes));
    }
    accepts(byte_size(), json!(1024), json!(1024));
    let unsafe_text = "Value in bytes is expected to be a safe positive integer.";
    for value in [
        json!(-123),
        json!(1.5),
        json!(9_007_199_254_740_992_i64),
        json!("12345678901234567890b"),
        json!("-1"),
    ] {
        refuses(byte_size(), value, unsafe_text);
    }
    for text in ["123foo", "123 456", "0b", "1.5mb", "mb"] {
        refuses(
            byte_size(),
            json!(text),
            "Failed to parse value as byte value. Value must be either number of bytes, or follow the format \
             <count>[b|kb|mb|gb] (e.g., '1024kb', '200mb', '1gb'), where the number is a safe positive integer.",
        );
    }
}

#[test]
fn durations() {
    for (text, millis) in [
        ("70ms", 70.0),
        ("5s", 5e3),
        ("5m", 3e5),
        ("2h", 7.2e6),
        ("3d", 2.592e8),
        ("1w", 6.048e8),
        ("1M", 30.0 * 8.64e7),
        ("1y", 365.0 * 8.64e7),
        ("1Y", 365.0 * 8.64e7),
        ("1m30s", 9e4),
        ("600", 600.0),
        ("0s", 0.0),
    ] {
        accepts(duration(), json!(text), json!(millis as i64));
    }
    accepts(duration(), json!(600), json!(600));
    for value in [json!(-123), json!(0.5), json!(9_007_199_254_740_992_i64)] {
        refuses(duration(), value, "Value in milliseconds is expected to be a safe positive integer.");
    }
    for text in ["123foo", "01s", "5x", "s", "1m30x"] {
        refuses(
            duration(),
            json!(text),
            "Failed to parse value as time value. Value must be a duration in milliseconds, or follow the format \
             <count>[ms|s|m|h|d|w|M|y] (e.g. '70ms', '5s', '3d', '1y', '1m30s'), where the duration is a safe \
             positive integer.",
        );
    }
}

#[test]
fn uris() {
    for good in [
        "http://tools.ietf.org/html/rfc3986",
        "udp://3domain.local",
        "urn:elastic:kibana",
        "mailto:Platform.Kibana@elastic.co",
        "tel:+500-111-222-333",
        "file:///kibana.log",
        "http://elastic:changeme@localhost:9200",
        "ldap://[2001:db8::7]/c=GB?objectClass?one",
    ] {
        accepts(uri([]), json!(good), json!(good));
    }
    let long = format!("http://{}", "a".repeat(256));
    for bad in [
        "3domain.local",
        "http://8010:0:0:0:9:500:300C:200A",
        "-",
        "https://example.com?baz[]=foo",
        &long,
        "http:/",
    ] {
        refuses(uri([]), json!(bad), "value must be a valid URI (see RFC 3986).");
    }
    accepts(uri(["http", "https"]), json!("https://elastic.co"), json!("https://elastic.co"));
    refuses(uri(["http", "https"]), json!("ftp://elastic.co"), "expected URI with scheme [http|https].");
    refuses(uri(["http"]), json!(""), "\"v\" is not allowed to be empty");
}

#[test]
fn hostnames() {
    let longest = ["a".repeat(63), "a".repeat(63), "a".repeat(63), "a".repeat(63)].join(".");
    for good in [
        "www.example.com",
        "3domain.local",
        "hostname",
        "::1",
        "0:0:0:0:0:0:0:1",
        "127.0.0.1",
        "xn----ascii-7gg5ei7b1i.xn--90a3a",
        &longest,
    ] {
        accepts(hostname(), json!(good), json!(good));
    }
    let long = "a".repeat(64);
    for bad in ["2387628", "host:name", "localhost:5601", "-", "0:?:0:0:0:0:0:1", "a..b", &long] {
        refuses(hostname(), json!(bad), "value must be a valid hostname (see RFC 1123).");
    }
    refuses(hostname(), json!(""), "\"v\" is not allowed to be empty");
    refuses(
        hostname().max_len(3),
        json!("www.example.com"),
        "value has length [15] but it must have a maximum length of [3].",
    );
}
