//! Every text of the contract's table, with its exit status.

use super::Start;
use serde_json::{Value, json};

#[track_caller]
fn refuses(settings: &[(&str, Value)], message: &str) {
    let mut start = Start::new();
    for (name, value) in settings {
        start = start.argument(name, &value.to_string());
    }
    assert_eq!(start.fault(), (78, format!("[config validation of {message}")));
}

#[track_caller]
fn accepts(settings: &[(&str, Value)]) {
    let mut start = Start::new();
    for (name, value) in settings {
        start = start.argument(name, &value.to_string());
    }
    assert_eq!(start.load().map(drop).map_err(|error| error.to_string()), Ok(()));
}

#[test]
fn server_values() {
    refuses(
        &[("server.port", json!("abc"))],
        "[server].port]: expected value of type [number] but got [string]",
    );
    refuses(&[("server.host", json!("0"))], "[server].host]: value must be a valid hostname (see RFC 1123).");
    for base_path in ["", "/", "app", "app/", "/app/"] {
        refuses(
            &[("server.basePath", json!(base_path))],
            "[server].basePath]: must start with a slash, don't end with one",
        );
    }
    for uuid in ["", "x", "5b2de169-2785-441b-ae8c-186a1936b17", "5b2de169-2785-441b-ae8c-186a1936b17g"] {
        refuses(&[("server.uuid", json!(uuid))], "[server].uuid]: must be a valid uuid");
    }
    for span in [json!("999ms"), json!("121s"), json!(0)] {
        refuses(
            &[("server.shutdownTimeout", span)],
            "[server].shutdownTimeout]: the value should be between 1 second and 2 minutes",
        );
    }
    refuses(
        &[("server.xsrf.allowlist", json!(["/a", "b"]))],
        "[server].xsrf.allowlist.1]: must start with a slash",
    );
    refuses(
        &[("server.customResponseHeaders", json!({"Location": "x", "x-a": "1", "refresh": "2"}))],
        "[server].customResponseHeaders]: The following custom response headers are not allowed to be set: \
         Location, refresh",
    );
    refuses(
        &[("server.maxPayload", json!("1tb"))],
        "[server].maxPayload]: Failed to parse value as byte value. Value must be either number of bytes, or follow \
         the format <count>[b|kb|mb|gb] (e.g., '1024kb', '200mb', '1gb'), where the number is a safe positive \
         integer.",
    );
    refuses(
        &[("server.requestId.ipAllowlist", json!(["[2001:db8:0:1]:80"]))],
        "[server].requestId.ipAllowlist.0]: value must be a valid ipv4 or ipv6 address",
    );
    refuses(
        &[("server.publicBaseUrl", json!("ftp://host"))],
        "[server].publicBaseUrl]: expected URI with scheme [http|https].",
    );
    refuses(
        &[("server", Value::Null)],
        "[server]]: expected a plain object value, but found [null] instead.",
    );
}

#[test]
fn server_keys_that_depend_on_each_other() {
    refuses(
        &[("server.rewriteBasePath", json!(true))],
        "[server]]: cannot use [rewriteBasePath] when [basePath] is not specified",
    );
    for url in ["http://user:password@host", "http://host?a=b", "http://host#a"] {
        refuses(
            &[("server.publicBaseUrl", json!(url))],
            "[server]]: [publicBaseUrl] may only contain a protocol, host, port, and pathname",
        );
    }
    refuses(
        &[("server.publicBaseUrl", json!("https://host/a")), ("server.basePath", json!("/b"))],
        "[server]]: [publicBaseUrl] must contain the [basePath]: /a !== /b",
    );
    refuses(
        &[("server.publicBaseUrl", json!("https://host/a"))],
        "[server]]: [publicBaseUrl] must contain the [basePath]: /a !== undefined",
    );
    accepts(&[("server.publicBaseUrl", json!("https://host:1/a")), ("server.basePath", json!("/a"))]);
    accepts(&[("server.publicBaseUrl", json!("https://host"))]);
    refuses(
        &[("server.cors.allowCredentials", json!(true))],
        "[server].cors]: Cannot specify wildcard origin \"*\" with \"credentials: true\". Please provide a list of \
         allowed origins.",
    );
    accepts(&[
        ("server.cors.allowCredentials", json!(true)),
        ("server.cors.allowOrigin", json!(["https://example.org"])),
    ]);
    refuses(
        &[
            ("server.compression.enabled", json!(false)),
            ("server.compression.referrerWhitelist", json!(["example.org"])),
        ],
        "[server]]: cannot use [compression.referrerWhitelist] when [compression.enabled] is set to false",
    );
    refuses(
        &[
            ("server.requestId.allowFromAnyIp", json!(true)),
            ("server.requestId.ipAllowlist", json!(["10.0.0.1"])),
        ],
        "[server].requestId]: allowFromAnyIp must be set to 'false' if any values are specified in ipAllowlist",
    );
}

#[test]
fn tls() {
    let both = "must specify [certificate] and [key] -- or [keystore.path] -- when ssl is enabled";
    let enabled = ("server.ssl.enabled", json!(true));
    let (certificate, key) = (("server.ssl.certificate", json!("c")), ("server.ssl.key", json!("k")));
    let keystore = ("server.ssl.keystore.path", json!("p"));
    for settings in [vec![], vec![certificate.clone()], vec![key.clone()]] {
        refuses(&[settings, vec![enabled.clone()]].concat(), &format!("[server].ssl]: {both}"));
    }
    refuses(
        &[key.clone(), keystore.clone()],
        "[server].ssl]: cannot use [key] when [keystore.path] is specified",
    );
    refuses(
        &[certificate.clone(), keystore.clone()],
        "[server].ssl]: cannot use [certificate] when [keystore.path] is specified",
    );
    for mode in ["optional", "required"] {
        refuses(
            &[("server.ssl.clientAuthentication", json!(mode))],
            "[server].ssl]: must enable ssl to use [clientAuthentication]",
        );
    }
    refuses(
        &[
            enabled.clone(),
            certificate.clone(),
            key.clone(),
            ("server.ssl.redirectHttpFromPort", json!(5601)),
        ],
        "[server]]: Kibana does not accept http traffic to [port] when ssl is enabled (only https is allowed), so \
         [ssl.redirectHttpFromPort] cannot be configured to the same value. Both are [5601].",
    );
    refuses(
        &[enabled.clone(), keystore],
        "[server].ssl]: [keystore.path] is not supported: PKCS#12 files are not read. Use [certificate] and [key] \
         with PEM files, which `openssl pkcs12 -in FILE -out FILE.pem` makes.",
    );
    refuses(
        &[enabled, certificate, key, ("server.ssl.supportedProtocols", json!(["TLSv1.1"]))],
        "[server].ssl]: [supportedProtocols] must contain TLSv1.2 or TLSv1.3: older ones are not safe",
    );
}

#[test]
fn a_cluster_is_refused() {
    refuses(
        &[("elasticsearch.hosts", json!("http://localhost:9200"))],
        "[elasticsearch].hosts]: this server keeps its data itself; a cluster is not supported yet. Remove the \
         setting (or -e, --elasticsearch).",
    );
    refuses(
        &[("elasticsearch.username", json!("elastic"))],
        "[elasticsearch].username]: value of \"elastic\" is forbidden. This is a superuser account that cannot write \
         to system indices that Kibana needs to function. Use a service account token instead. Learn more: \
         https://www.elastic.co/guide/en/elasticsearch/reference/8.0/service-accounts.html",
    );
    refuses(
        &[("elasticsearch.username", json!("kibana")), ("elasticsearch.serviceAccountToken", json!("t"))],
        "[elasticsearch].serviceAccountToken]: serviceAccountToken cannot be specified when \"username\" is also \
         set.",
    );
    accepts(&[("elasticsearch.password", json!(12345)), ("elasticsearch.username", json!("kibana_system"))]);
    accepts(&[("elasticsearch.serviceAccountToken", json!("token"))]);
}

#[test]
fn encryption_keys() {
    let short = "value has length [31] but it must have a minimum length of [32].";
    let (k31, k32) = ("k".repeat(31), "k".repeat(32));
    for section in ["xpack.security", "xpack.encryptedSavedObjects"] {
        let key = format!("{section}.encryptionKey");
        refuses(&[(&key, json!(k31))], &format!("[{section}].encryptionKey]: {short}"));
    }
    let (primary, old) = (
        "xpack.encryptedSavedObjects.encryptionKey",
        "xpack.encryptedSavedObjects.keyRotation.decryptionOnlyKeys",
    );
    refuses(
        &[(old, json!([k31]))],
        &format!("[xpack.encryptedSavedObjects].keyRotation.decryptionOnlyKeys.0]: {short}"),
    );
    refuses(
        &[(primary, json!(k32)), (old, json!(["o".repeat(32), k32]))],
        "[xpack.encryptedSavedObjects]]: `keyRotation.decryptionOnlyKeys` cannot contain primary encryption key \
         specified in `encryptionKey`.",
    );
    accepts(&[(primary, json!(k32)), (old, json!(["o".repeat(32)]))]);
}

#[test]
fn logging() {
    refuses(
        &[("logging.root.level", json!("loud"))],
        "[logging].root.level]: types that failed validation:\n\
         - [config validation of [logging].root.level.0]: expected value to equal [all]\n\
         - [config validation of [logging].root.level.1]: expected value to equal [fatal]\n\
         - [config validation of [logging].root.level.2]: expected value to equal [error]\n\
         - [config validation of [logging].root.level.3]: expected value to equal [warn]\n\
         - [config validation of [logging].root.level.4]: expected value to equal [info]\n\
         - [config validation of [logging].root.level.5]: expected value to equal [debug]\n\
         - [config validation of [logging].root.level.6]: expected value to equal [trace]\n\
         - [config validation of [logging].root.level.7]: expected value to equal [off]",
    );
    refuses(
        &[("logging.root.appenders", json!([]))],
        "[logging].root.appenders]: array size is [0], but cannot be smaller than [1]",
    );
    let layout =
        |pattern: &str| json!({"type": "console", "layout": {"type": "pattern", "pattern": pattern}});
    for (pattern, fault) in [
        (
            "%date{SOON}",
            "Date format expected one of ISO8601, ISO8601_TZ, ABSOLUTE, UNIX, UNIX_MILLIS, but given: SOON",
        ),
        ("%date{ISO8601}{Nowhere/Land}", "Unknown timezone: Nowhere/Land"),
    ] {
        let (code, text) = Start::new().argument("logging.appenders.x", &layout(pattern).to_string()).fault();
        assert!(code == 78 && text.contains(&format!(".layout.1.pattern]: {fault}")), "{text}");
    }
    let start = Start::new().argument("logging.loggers", r#"[{"name": "x", "appenders": ["y"]}]"#);
    assert_eq!(start.fault().1, "Logger \"x\" contains unsupported appender key \"y\".");
    let circle =
        r#"{"type":"rewrite","policy":{"type":"meta","mode":"remove","properties":[]},"appenders":["x"]}"#;
    assert_eq!(Start::new().argument("logging.appenders.x", circle).fault().0, 1);
}

#[test]
fn unknown_keys() {
    let unknown = |keys: &str| {
        format!(
            "Unknown configuration key(s): {keys}. Check for spelling errors and ensure that expected plugins are \
             installed."
        )
    };
    assert_eq!(
        Start::yaml("sever.port: 1\nnowhere: {near: [1], at.all: 2}\n").fault(),
        (
            64,
            unknown("\"sever.port\", \"nowhere.near\", \"nowhere.at.all\"")
                + "\nDid you mean \"server.port\" instead of \"sever.port\"?"
        )
    );
    assert_eq!(
        Start::yaml("server.prot: 1\n").fault(),
        (
            78,
            "[config validation of [server].prot]: definition for this key is missing\n\
             Did you mean \"server.port\" instead of \"server.prot\"?"
                .to_owned()
        )
    );
    assert_eq!(
        Start::yaml("xpack.security.enabled: true\n").fault().0,
        78,
        "gone since Kibana 8.0, under a section that is known"
    );
    // Values are looked at before names.
    assert_eq!(Start::yaml("sever.port: 1\nserver.port: x\n").fault().0, 78);
    // Below these anything goes.
    assert_eq!(
        Start::yaml("dev.anything: 1\nelastic.apm.what: 2\n").load().unwrap().ignored,
        ["dev.anything", "elastic.apm.what"]
    );
}

#[test]
fn files_and_environment() {
    let (code, text) =
        Start::new().argument("path.data", "d").env("KBN_CONFIG_PATHS", "/nowhere/x.yml").fault();
    assert!(code == 1 && text.starts_with("The settings file [/nowhere/x.yml] cannot be read: "), "{text}");
    for (yaml, what) in [
        ("- 1\n", "holds no keys, but a single value or a list"),
        ("a: 1\na: 2\n", "is no valid YAML: line 2: duplicated mapping key [a]"),
    ] {
        let start = Start::yaml(yaml);
        let path = start.path("kibana.yml");
        assert_eq!(start.fault(), (1, format!("The settings file [{}] {what}", path.display())));
    }
    assert_eq!(
        Start::yaml("server.name: ${NOT_SET}\n").fault().1,
        "Unknown environment variable referenced in config : NOT_SET"
    );
}

#[test]
fn plain_errors_exit_with_1_unverified() {
    assert_eq!(Start::yaml("server.name: ${NOT_SET}\n").fault().0, 1);
    let start = Start::new().argument("logging.loggers", r#"[{"name": "x", "appenders": ["y"]}]"#);
    assert_eq!(start.fault().0, 1);
}

#[test]
fn faults_never_quote_secrets() {
    for (name, value) in [
        ("xpack.security.encryptionKey", json!("hunter2")),
        ("xpack.encryptedSavedObjects.encryptionKey", json!(["hunter2"])),
        ("elasticsearch.password", json!({"hunter2": "hunter2"})),
        ("server.ssl.keyPassphrase", json!(["hunter2"])),
    ] {
        let (code, text) = Start::new().argument(name, &value.to_string()).fault();
        assert!(code == 78 && !text.contains("hunter2"), "{text}");
    }
}
