//! `logging.*`.

use crate::logging::Pattern;
use ikebana_schema::{
    Schema, any, array, boolean, byte_size, enumeration, integer, literal, object, record, string,
    tagged_union,
};
use serde_json::json;

pub(super) fn schema() -> Schema {
    let root =
        object([("appenders", array(string()).min_size(1).default(json!(["default"]))), ("level", level())]);
    let logger =
        object([("appenders", array(string()).default(json!([]))), ("name", string()), ("level", level())]);
    object([
        ("appenders", record(string(), appender()).default(json!({}))),
        ("loggers", array(logger).default(json!([]))),
        ("root", root),
        ("browser", any().optional()),
    ])
}

fn level() -> Schema {
    enumeration(["all", "fatal", "error", "warn", "info", "debug", "trace", "off"]).default(json!("info"))
}

fn layout() -> Schema {
    let pattern = string().check(|text| Pattern::parse(text).map(drop)).optional();
    tagged_union(
        "type",
        [
            object([("type", literal("json"))]),
            object([("type", literal("pattern")), ("highlight", boolean().optional()), ("pattern", pattern)]),
        ],
    )
}

fn appender() -> Schema {
    tagged_union(
        "type",
        [
            object([("type", literal("console")), ("layout", layout())]),
            object([("type", literal("file")), ("layout", layout()), ("fileName", string())]),
            object([
                ("type", literal("rewrite")),
                ("appenders", array(string()).default(json!([]))),
                ("policy", rewrite_policy()),
            ]),
            object([
                ("type", literal("rolling-file")),
                ("layout", layout()),
                ("fileName", string()),
                ("policy", rolling_policy()),
                ("strategy", strategy()),
                ("retention", any().optional()),
            ]),
        ],
    )
}

fn rewrite_policy() -> Schema {
    object([
        ("type", literal("meta")),
        ("mode", enumeration(["remove", "update"])),
        ("properties", array(object([("path", string()), ("value", any().optional())]))),
    ])
}

fn rolling_policy() -> Schema {
    tagged_union(
        "type",
        [
            object([("type", literal("size-limit")), ("size", byte_size().min(1).default(json!("100mb")))]),
            object([
                ("type", literal("time-interval")),
                ("interval", any().optional()),
                ("modulate", boolean().optional()),
            ]),
        ],
    )
    .default(json!({ "type": "time-interval" }))
}

fn strategy() -> Schema {
    let pattern =
        string().check(|text| if text.contains("%i") { Ok(()) } else { Err("must include '%i'".to_owned()) });
    object([
        ("type", literal("numeric").default(json!("numeric"))),
        ("pattern", pattern.default(json!("-%i"))),
        ("max", integer().min(1).max(100).default(json!(7))),
    ])
    .default(json!({ "type": "numeric", "pattern": "-%i", "max": 7 }))
}
