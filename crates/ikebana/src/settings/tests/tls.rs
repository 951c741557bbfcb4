//! Certificates and keys.

use super::Start;
use ikebana_http::{ClientAuthentication, TlsSettings};

/// The test data, copied where the paths are known.
fn start(certificate: &str, key: &str) -> Start {
    let mut start = Start::new();
    for (name, text) in [
        ("certificate.pem", include_str!("../testdata/certificate.pem")),
        ("key.pem", include_str!("../testdata/key.pem")),
        ("key-encrypted.pem", include_str!("../testdata/key-encrypted.pem")),
        ("key-old.pem", include_str!("../testdata/key-old.pem")),
        ("key-sec1.pem", include_str!("../testdata/key-sec1.pem")),
    ] {
        start = start.file(name, text);
    }
    let (certificate, key) = (start.path(certificate), start.path(key));
    start
        .argument("server.ssl.enabled", "true")
        .argument("server.ssl.certificate", &certificate.display().to_string())
        .argument("server.ssl.key", &key.display().to_string())
}

fn tls(start: &Start) -> TlsSettings {
    start.settings().http.tls.unwrap()
}

#[test]
fn keys_in_every_form() {
    let plain = tls(&start("certificate.pem", "key.pem"));
    assert_eq!((plain.certificates.len(), plain.authorities.len()), (1, 0));
    assert_eq!((plain.tls12, plain.tls13, plain.redirect_from_port), (true, true, None));
    assert_eq!(plain.client_authentication, ClientAuthentication::None);
    assert_eq!(format!("{:?}", plain.key), "[redacted]");
    assert!(ikebana_http::acceptor(&plain).is_ok());

    let encrypted =
        tls(&start("certificate.pem", "key-encrypted.pem").argument("server.ssl.keyPassphrase", "swordfish"));
    assert!(encrypted.key.0 == plain.key.0, "the same key");
    assert!(ikebana_http::acceptor(&tls(&start("certificate.pem", "key-sec1.pem"))).is_ok());
}

#[test]
fn clients_certificates_and_protocols() {
    let with = start("certificate.pem", "key.pem");
    let authority = with.path("certificate.pem").display().to_string();
    let with = with
        .argument("server.ssl.certificateAuthorities", &authority)
        .argument("server.ssl.clientAuthentication", "required")
        .argument("server.ssl.supportedProtocols", r#"["TLSv1.1", "TLSv1.3"]"#)
        .argument("server.ssl.redirectHttpFromPort", "80");
    let read = tls(&with);
    assert_eq!((read.authorities.len(), read.tls12, read.tls13), (1, false, true));
    assert_eq!(read.client_authentication, ClientAuthentication::Required);
    assert_eq!(read.redirect_from_port, Some(80));
    assert!(ikebana_http::acceptor(&read).is_ok());
    let list = format!("[{authority:?}, {authority:?}]");
    assert_eq!(tls(&with.argument("server.ssl.certificateAuthorities", &list)).authorities.len(), 2);
}

#[test]
fn faults_name_setting_and_file() {
    for (certificate, key, passphrase, what) in [
        ("nowhere.pem", "key.pem", "x", "certificate]: [FOLDER/nowhere.pem] cannot be read"),
        ("key.pem", "key.pem", "x", "certificate]: [FOLDER/key.pem] holds no certificate in PEM form"),
        (
            "certificate.pem",
            "certificate.pem",
            "x",
            "key]: [FOLDER/certificate.pem] holds no private key in PEM form",
        ),
        (
            "certificate.pem",
            "key-encrypted.pem",
            "",
            "is encrypted; set [server.ssl.keyPassphrase] to open it",
        ),
        (
            "certificate.pem",
            "key-encrypted.pem",
            "hunter2",
            "cannot be decrypted with [server.ssl.keyPassphrase]",
        ),
        ("certificate.pem", "key-old.pem", "swordfish", "is encrypted in the old way of OpenSSL"),
    ] {
        let mut start = start(certificate, key);
        if !passphrase.is_empty() {
            start = start.argument("server.ssl.keyPassphrase", passphrase);
        }
        let (code, text) = start.fault();
        let text = text.replace(&start.folder.path().display().to_string(), "FOLDER");
        assert!(code == 1 && text.starts_with("[server.ssl.") && text.contains(what), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}
