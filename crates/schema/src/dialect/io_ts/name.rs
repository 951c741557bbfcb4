//! Names of io-ts codecs: given ones, else composed of those of the parts.

use std::fmt::Write;

use crate::{
    Dialect,
    describe::{Kind, ObjectKind, Schema, Unknown},
    js,
};

/// The name that a message prints for a codec.
pub(crate) fn codec_name(codec: &Schema, dialect: Dialect) -> String {
    if let Some(name) = codec.node.name {
        return name.to_owned();
    }
    let name = |part: &Schema| codec_name(part, dialect);
    let limited = codec.node.limits.min.is_some() || codec.node.limits.max.is_some();
    let cases = dialect == Dialect::IoTsCases;
    match codec.kind() {
        Kind::Any => "any".to_owned(),
        Kind::Opaque => "unknown".to_owned(),
        Kind::Never => "never".to_owned(),
        Kind::Null => "null".to_owned(),
        Kind::String if limited && cases => "LimitedString".to_owned(),
        Kind::String | Kind::ByteSize | Kind::Duration | Kind::Uri(_) | Kind::Hostname => "string".to_owned(),
        Kind::Number { .. } if codec.node.from_string && cases => "(number | NumberFromString)".to_owned(),
        Kind::Number { .. } if codec.node.from_string => "ToNumber".to_owned(),
        Kind::Number { integer: true } => "Int".to_owned(),
        Kind::Number { integer: false } => "number".to_owned(),
        Kind::Boolean if codec.node.from_string => "ToBoolean".to_owned(),
        Kind::Boolean => "boolean".to_owned(),
        Kind::Literal(value) => js::json_text(value),
        Kind::Enumeration(values) => joined(values.iter().map(|(_, literal)| name(literal)), " | "),
        Kind::Array(_) if limited && cases => "LimitedArray".to_owned(),
        Kind::Array(items) => format!("Array<{}>", name(items)),
        Kind::Object(object) => object_name(codec, object, dialect),
        Kind::Record { key, value } => format!("{{ [K in {}]: {} }}", name(key), name(value)),
        Kind::Union(members) => joined(members.iter().map(name), " | "),
        Kind::Tagged { members, .. } => joined(members.iter().map(|(_, member)| name(member)), " | "),
        Kind::Nullable(inner) => format!("({} | null)", name(inner)),
        Kind::Intersection { members, .. } => joined(members.iter().map(name), " & "),
        Kind::Conditional(conditional) => {
            joined([&conditional.then, &conditional.otherwise].into_iter().map(name), " | ")
        }
    }
}

fn joined(names: impl Iterator<Item = String>, between: &str) -> String {
    format!("({})", names.collect::<Vec<_>>().join(between))
}

/// Required keys are a `type`, optional ones a `partial`, both the intersection of the two; cases writes them
/// as exact.
fn object_name(codec: &Schema, object: &ObjectKind, dialect: Dialect) -> String {
    let exact = dialect == Dialect::IoTsCases && codec.node.unknown != Some(Unknown::Allow);
    let optional = |field: &Schema| field.node.optional || field.node.default.is_some();
    let required = props(object, dialect, exact, |field| !optional(field));
    let partial = props(object, dialect, exact, optional).map(|props| format!("Partial<{props}>"));
    match (required, partial) {
        (Some(required), Some(partial)) => format!("({required} & {partial})"),
        (Some(only), None) | (None, Some(only)) => only,
        (None, None) if exact => "{|  |}".to_owned(),
        (None, None) => "{  }".to_owned(),
    }
}

fn props(
    object: &ObjectKind,
    dialect: Dialect,
    exact: bool,
    wanted: impl Fn(&Schema) -> bool,
) -> Option<String> {
    let mut text = String::new();
    for (key, field) in object.fields.iter().filter(|(_, field)| wanted(field)) {
        if !text.is_empty() {
            text.push_str(", ");
        }
        let _ = write!(text, "{key}: {}", codec_name(field, dialect));
    }
    match (text.is_empty(), exact) {
        (true, _) => None,
        (false, true) => Some(format!("{{| {text} |}}")),
        (false, false) => Some(format!("{{ {text} }}")),
    }
}
