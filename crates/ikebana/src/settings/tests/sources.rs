//! Which source wins.

use super::Start;
use serde_json::Value;

#[test]
fn without_any_source_there_are_defaults() {
    let loaded = Start::new().load().unwrap();
    assert_eq!((loaded.ignored, loaded.files), (vec![], vec![]));
    let settings = loaded.settings;
    assert_eq!((settings.host.as_str(), settings.port), ("localhost", 5601));
    assert_eq!(settings.data.to_str(), Some("data"));
    // The name is the machine's; all else is what the HTTP side has by itself.
    let defaults = ikebana_http::HttpSettings { name: settings.http.name.clone(), ..Default::default() };
    assert_eq!(format!("{:?}", settings.http), format!("{defaults:?}"));
    assert!(!settings.http.name.is_empty());
    assert_eq!(format!("{:?}", settings.spaces), format!("{:?}", ikebana_spaces::SpacesSettings::default()));
    assert_eq!(settings.logging, crate::logging::LoggingSettings::default());
    assert!(!settings.anonymous_status && !settings.anonymous_metrics);
}

#[test]
fn files_then_command_line_then_keystore() {
    let start = Start::new()
        .config("one.yml", "server: {name: one, port: 1, host: one.example}\n")
        .config("two.yml", "server.port: 2\nserver.name: two\n");
    let settings = start.settings();
    assert_eq!(
        (settings.http.name.as_str(), settings.port, settings.host.as_str()),
        ("two", 2, "one.example")
    );

    let start =
        start.argument("server.port", "3").argument("server.name", "three").argument("server.port", "4");
    let settings = start.settings();
    assert_eq!((settings.http.name.as_str(), settings.port), ("three", 4));

    // The sample has `server.name: kept`.
    let start = start
        .file("kibana.keystore", include_str!("../testdata/keystore_sample.txt"))
        .env("KEYSTORE_PASSWORD", "swordfish");
    let settings = start.settings();
    assert_eq!((settings.http.name.as_str(), settings.port), ("kept", 4));
    assert_eq!(start.load().unwrap().ignored, ["elasticsearch.password"]);
}

#[test]
fn which_files_are_read() {
    let named = |start: &Start| start.settings().http.name;
    // `kibana.yml` in the folder of KBN_PATH_CONF, unless other files are named.
    let start = Start::yaml("server.name: default\n").file("a.yml", "server.name: a\n").file("b.yml", "{}");
    assert_eq!(named(&start), "default");
    let paths = format!("{}, {}", start.path("a.yml").display(), start.path("b.yml").display());
    let start = start.env("KBN_CONFIG_PATHS", &paths);
    assert_eq!(named(&start), "a");
    let start = start.config("c.yml", "server.name: c\n");
    assert_eq!(named(&start), "c");
    assert_eq!(start.load().unwrap().files, [start.path("c.yml")]);
}

#[test]
fn the_environment_is_put_in() {
    let start = Start::yaml(
        "server.name: \"${NAME}-${KIND:server}\"\nserver.port: ${PORT}\nserver.cors.allowOrigin: [\"${ORIGIN}\"]\n\
         server.cors.enabled: true\n",
    )
    .env("NAME", "n")
    .env("PORT", "8080")
    .env("ORIGIN", "https://example.org");
    let settings = start.settings();
    assert_eq!((settings.http.name.as_str(), settings.port), ("n-server", 8080));
    assert_eq!(settings.http.cors.unwrap().allow_origin, ["https://example.org"]);
    // Not on the command line, where the shell does it.
    assert_eq!(Start::new().argument("server.name", "${NAME}").settings().http.name, "${NAME}");
}

#[test]
fn no_setting_prints_a_secret() {
    let key = "0123456789abcdef0123456789abcdef";
    let mut start = Start::new();
    for name in ["xpack.security.encryptionKey", "xpack.encryptedSavedObjects.encryptionKey"] {
        start = start.argument(name, &Value::from(key).to_string());
    }
    let old = format!("[\"{}\"]", key.replace('0', "x"));
    start = start.argument("xpack.encryptedSavedObjects.keyRotation.decryptionOnlyKeys", &old);
    let settings = start.settings();
    assert_eq!(settings.encryption_key.as_ref().unwrap().expose(), key);
    assert_eq!(settings.security.encryption_key.as_ref().unwrap().expose(), key);
    assert_eq!(settings.decryption_only_keys.len(), 1);
    let printed = format!("{settings:?}");
    assert!(printed.contains("[redacted]") && !printed.contains("123456789abcdef"), "{printed}");
}
