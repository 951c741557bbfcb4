//! `xpack.security.*` and `xpack.encryptedSavedObjects.*`.

use ikebana_schema::{Schema, any, array, boolean, duration, null, object, string, union};
use serde_json::{Value, json};

/// Of the login page and the browser application, or not here yet.
pub(super) const UNUSED: &[&str] = &[
    "accessAgreement",
    "audit",
    "authc",
    "cookieName",
    "encryptionKey",
    "experimental",
    "fipsMode",
    "loginAssistanceMessage",
    "loginHelp",
    "public",
    "roleManagementEnabled",
    "roleMappingManagementEnabled",
    "sameSiteCookies",
    "secureCookies",
    "session",
    "showInsecureClusterWarning",
    "ui",
];

const KEY_LENGTH: usize = ikebana_secrets::MIN_KEY_LENGTH;

pub(super) fn security() -> Schema {
    let http = object([
        ("enabled", boolean().default(json!(true))),
        ("autoSchemesEnabled", boolean().default(json!(true))),
        ("schemes", array(string()).default(json!(["apikey", "bearer"]))),
        ("jwt", any().optional()),
    ]);
    let session = object([
        ("idleTimeout", union([duration(), null()]).default(json!(259_200_000))),
        ("lifespan", union([duration(), null()]).default(json!(2_592_000_000_u64))),
        ("cleanupInterval", duration().default(json!("1h"))),
        ("concurrentSessions", any().optional()),
    ]);
    object([
        ("loginAssistanceMessage", string().optional()),
        ("showInsecureClusterWarning", boolean().optional()),
        ("loginHelp", string().optional()),
        ("cookieName", string().default(json!("sid"))),
        ("encryptionKey", string().min_len(KEY_LENGTH).optional()),
        ("session", session),
        ("secureCookies", boolean().default(json!(false))),
        ("sameSiteCookies", any().optional()),
        ("public", any().optional()),
        ("accessAgreement", any().optional()),
        (
            "authc",
            object([
                ("selector", any().optional()),
                ("providers", any().optional()),
                ("oidc", any().optional()),
                ("saml", any().optional()),
                ("http", http),
            ]),
        ),
        (
            "audit",
            object([
                ("enabled", boolean().default(json!(false))),
                ("appender", any().optional()),
                ("ignore_filters", any().optional()),
            ]),
        ),
        ("roleManagementEnabled", boolean().optional()),
        ("roleMappingManagementEnabled", boolean().optional()),
        ("ui", any().optional()),
        ("experimental", any().optional()),
        ("fipsMode", any().optional()),
    ])
}

pub(super) fn encrypted_saved_objects() -> Schema {
    let rotation = object([("decryptionOnlyKeys", array(string().min_len(KEY_LENGTH)).default(json!([])))]);
    object([("encryptionKey", string().min_len(KEY_LENGTH).optional()), ("keyRotation", rotation)])
        .check_value(|value| {
            let primary = &value["encryptionKey"];
            let old = &value["keyRotation"]["decryptionOnlyKeys"];
            if *primary != Value::Null && old.as_array().is_some_and(|old| old.contains(primary)) {
                return Err(
                    "`keyRotation.decryptionOnlyKeys` cannot contain primary encryption key specified in \
                            `encryptionKey`."
                        .to_owned(),
                );
            }
            Ok(())
        })
}
