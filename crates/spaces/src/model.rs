//! What a space's write body looks like.

use ikebana_schema::{Schema, array, boolean, literal, object, string, union};
use serde_json::json;

/// `xpack.spaces.*`.
#[derive(Clone, Debug)]
pub struct SpacesSettings {
    /// Spaces at most, the default one included.
    pub max_spaces: u64,
    /// Whether `disabledFeatures` may be set.
    pub allow_feature_visibility: bool,
    /// Whether `solution` may be set.
    pub allow_solution_visibility: bool,
    /// The solution of the default space, used when it is made.
    pub default_solution: Option<String>,
}

impl Default for SpacesSettings {
    fn default() -> Self {
        Self {
            max_spaces: 1000,
            allow_feature_visibility: true,
            allow_solution_visibility: true,
            default_solution: None,
        }
    }
}

/// Space ids; also those that other requests name.
fn valid_id(text: &str) -> Result<(), String> {
    let valid = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-';
    if !text.is_empty() && text.bytes().all(valid) {
        return Ok(());
    }
    Err("must be lower case, a-z, 0-9, '_', and '-' are allowed".to_owned())
}

/// Letters beyond f pass: so does Kibana let them.
fn valid_color(text: &str) -> Result<(), String> {
    let digits = text.strip_prefix('#').unwrap_or("");
    if digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(());
    }
    Err("must be a 6 digit hex color, starting with a #".to_owned())
}

fn valid_image(text: &str) -> Result<(), String> {
    if text.is_empty() || text.starts_with("data:image") {
        return Ok(());
    }
    Err("must start with 'data:image'".to_owned())
}

/// The values of `solution`.
fn solution() -> Schema {
    union(["security", "oblt", "es", "classic"].map(literal))
}

/// The body of create and update. The order of the keys decides which fault is told.
pub(crate) fn write_schema() -> Schema {
    object([
        (
            "id",
            string().check(valid_id).pattern("^[a-z0-9_-]+$").describe("Part of the URL inside the space."),
        ),
        ("name", string().min_len(1).describe("The name to show.")),
        ("description", string().optional()),
        ("initials", string().max_len(2).optional()),
        // The documented example has null here, which counts as absent.
        ("color", string().check(valid_color).pattern("^#[a-zA-Z0-9]{6}$").null_as_absent().optional()),
        ("disabledFeatures", array(string()).default(json!([]))),
        ("_reserved", boolean().optional().describe("Accepted and ignored.")),
        ("imageUrl", string().check(valid_image).pattern("^$|^data:image").optional()),
        ("solution", solution().optional()),
    ])
}

/// A space in an answer.
pub fn space_schema() -> Schema {
    object([
        ("id", string()),
        ("name", string()),
        ("description", string().optional()),
        ("color", string().optional()),
        ("initials", string().optional()),
        ("imageUrl", string().optional()),
        ("disabledFeatures", array(string())),
        ("solution", solution().optional()),
        ("_reserved", boolean().optional()),
        ("authorizedPurposes", purposes_schema().optional()),
    ])
}

fn purposes_schema() -> Schema {
    object([
        ("any", boolean()),
        ("copySavedObjectsIntoSpace", boolean()),
        ("findSavedObjects", boolean()),
        ("shareSavedObjectsIntoSpace", boolean()),
    ])
}

/// The query of the list. Kibana accepts either parameter, not both.
pub(crate) fn list_query() -> Schema {
    let purposes = ["any", "copySavedObjectsIntoSpace", "shareSavedObjectsIntoSpace"].map(literal);
    object([
        ("purpose", union(purposes).optional()),
        (
            "include_authorized_purposes",
            ikebana_schema::conditional("purpose", string(), only_false(), boolean().optional()),
        ),
    ])
}

/// With a purpose the flag may be there, but not set.
fn only_false() -> Schema {
    boolean()
        .check_value(|flag| match flag.as_bool() {
            Some(true) => Err("expected value to equal [false]".to_owned()),
            _ => Ok(()),
        })
        .optional()
}

/// A path that names a space.
pub(crate) fn id_params() -> Schema {
    object([("id", string())])
}

/// The path of the content summary, whose fault reads otherwise.
pub(crate) fn summary_params() -> Schema {
    object([(
        "spaceId",
        string().min_len(1).check(|text| {
            valid_id(text).map_err(|_| "lower case, a-z, 0-9, \"_\", and \"-\" are allowed.".to_owned())
        }),
    )])
}
