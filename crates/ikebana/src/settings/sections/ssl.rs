//! `ssl.*`, of the server and towards a cluster.

use ikebana_schema::{Schema, array, boolean, enumeration, integer, literal, object, string, union};
use serde_json::{Value, json};

pub(super) fn store() -> Schema {
    object([("path", string().optional()), ("password", string().optional())])
}

pub(super) fn authorities() -> Schema {
    union([array(string()), string()]).optional()
}

/// `server.ssl`.
pub(super) fn schema() -> Schema {
    let protocols = union(["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"].map(literal));
    object([
        ("certificate", string().optional()),
        ("certificateAuthorities", authorities()),
        ("cipherSuites", array(string()).optional()),
        ("enabled", boolean().default(json!(false))),
        ("key", string().optional()),
        ("keyPassphrase", string().optional()),
        ("keystore", store()),
        ("truststore", store()),
        ("redirectHttpFromPort", integer().min(0).max(65535).optional()),
        ("supportedProtocols", array(protocols).min_size(1).default(json!(["TLSv1.2", "TLSv1.3"]))),
        ("clientAuthentication", enumeration(["none", "optional", "required"]).default(json!("none"))),
    ])
    .check_value(across)
}

fn across(ssl: &Value) -> Result<(), String> {
    let is_set = |key: &str| !ssl[key].is_null();
    let has_store = |key: &str| !ssl[key]["path"].is_null();
    let enabled = ssl["enabled"] == true;
    for key in ["key", "certificate"] {
        if is_set(key) && has_store("keystore") {
            return Err(format!("cannot use [{key}] when [keystore.path] is specified"));
        }
    }
    if enabled && !(is_set("key") && is_set("certificate")) && !has_store("keystore") {
        return Err(
            "must specify [certificate] and [key] -- or [keystore.path] -- when ssl is enabled".to_owned()
        );
    }
    if !enabled && ssl["clientAuthentication"] != "none" {
        return Err("must enable ssl to use [clientAuthentication]".to_owned());
    }
    ours(ssl, enabled)
}

/// What Kibana can and this server cannot.
fn ours(ssl: &Value, enabled: bool) -> Result<(), String> {
    for (store, instead) in
        [("keystore", "[certificate] and [key]"), ("truststore", "[certificateAuthorities]")]
    {
        if enabled && !ssl[store]["path"].is_null() {
            return Err(format!(
                "[{store}.path] is not supported: PKCS#12 files are not read. Use {instead} with PEM files, which \
                 `openssl pkcs12 -in FILE -out FILE.pem` makes."
            ));
        }
    }
    let old_only = ssl["supportedProtocols"]
        .as_array()
        .is_some_and(|protocols| !protocols.iter().any(|one| one == "TLSv1.2" || one == "TLSv1.3"));
    if enabled && old_only {
        return Err(
            "[supportedProtocols] must contain TLSv1.2 or TLSv1.3: older ones are not safe".to_owned()
        );
    }
    Ok(())
}
