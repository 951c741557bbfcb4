//! `kibana.keystore`: settings that are kept encrypted beside `kibana.yml`. Format: Kibana's own tool, 8.19.

use super::SettingsError;
use super::files::override_value;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::pbkdf2;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ikebana_secrets::Secret;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::num::NonZeroU32;
use std::path::Path;

const FILE: &str = "kibana.keystore";
/// Of the format, before the colon.
const VERSION: &str = "1";
const SALT: usize = 64;
const NONCE: usize = 12;
const TAG: usize = 16;
const ROUNDS: NonZeroU32 = NonZeroU32::MIN.saturating_add(9_999);

/// The settings of the keystore in `folder`; none if there is no keystore.
pub(super) fn read(
    folder: &Path,
    env: &BTreeMap<String, String>,
) -> Result<Map<String, Value>, SettingsError> {
    let path = folder.join(FILE);
    let fault = |what: &str| SettingsError::Other(format!("The keystore [{}] {what}", path.display()));
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Map::new()),
        Err(error) => return Err(fault(&format!("cannot be read: {error}"))),
    };
    let password = password(env)?;
    let settings = open(text.trim_end(), &password).map_err(fault)?;
    // A value is text; what was stored as JSON text (a list, a number) is read as such where it is one.
    Ok(settings
        .into_iter()
        .map(|(key, value)| match value {
            Value::String(text) if text.starts_with(['[', '{']) => (key, override_value(&text)),
            value => (key, value),
        })
        .collect())
}

/// From the file that `KBN_KEYSTORE_PASSPHRASE_FILE` names, else from `KEYSTORE_PASSWORD`, else empty.
fn password(env: &BTreeMap<String, String>) -> Result<Secret, SettingsError> {
    match env.get("KBN_KEYSTORE_PASSPHRASE_FILE").filter(|path| !path.is_empty()) {
        Some(path) => std::fs::read_to_string(path)
            .map(|text| Secret::from(text.trim_end_matches(['\r', '\n']).to_owned()))
            .map_err(|error| {
                SettingsError::Other(format!(
                    "The file of KBN_KEYSTORE_PASSPHRASE_FILE cannot be read: {error}"
                ))
            }),
        None => Ok(Secret::from(env.get("KEYSTORE_PASSWORD").cloned().unwrap_or_default())),
    }
}

fn open(text: &str, password: &Secret) -> Result<Map<String, Value>, &'static str> {
    const MALFORMED: &str = "is malformed";
    let (version, data) = text.split_once(':').ok_or(MALFORMED)?;
    if version != VERSION {
        return Err("is of a version that this program does not know");
    }
    let data = BASE64.decode(data).map_err(|_| MALFORMED)?;
    let (salt, rest) = data.split_at_checked(SALT).ok_or(MALFORMED)?;
    let (nonce, rest) = rest.split_at_checked(NONCE).ok_or(MALFORMED)?;
    let (tag, cipher) = rest.split_at_checked(TAG).ok_or(MALFORMED)?;
    let key = derive(password, salt)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| MALFORMED)?;
    let mut plain = [cipher, tag].concat();
    let plain = key.open_in_place(nonce, Aad::empty(), &mut plain).map_err(|_| {
        "cannot be decrypted; a password is taken from the file named by KBN_KEYSTORE_PASSPHRASE_FILE, or from \
         KEYSTORE_PASSWORD"
    })?;
    serde_json::from_slice(plain).map_err(|_| MALFORMED)
}

fn derive(password: &Secret, salt: &[u8]) -> Result<LessSafeKey, &'static str> {
    let mut key = [0u8; 32];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA512, ROUNDS, salt, password.expose().as_bytes(), &mut key);
    let key = UnboundKey::new(&AES_256_GCM, &key).map_err(|_| "has a key that could not be derived")?;
    Ok(LessSafeKey::new(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sealed(settings: &Value, password: &str) -> String {
        let (salt, nonce) = ([7u8; SALT], [9u8; NONCE]);
        let key = derive(&Secret::from(password.to_owned()), &salt).unwrap();
        let mut cipher = settings.to_string().into_bytes();
        let tag = key
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut cipher)
            .unwrap();
        format!("1:{}", BASE64.encode([&salt[..], &nonce, tag.as_ref(), &cipher].concat()))
    }

    fn folder(text: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), text).unwrap();
        folder
    }

    fn env(name: &str, value: &str) -> BTreeMap<String, String> {
        BTreeMap::from([(name.to_owned(), value.to_owned())])
    }

    #[test]
    fn settings_come_back() {
        let settings = json!({ "xpack.security.encryptionKey": "k".repeat(32), "a": "[1]" });
        let found = read(folder(&sealed(&settings, "")).path(), &BTreeMap::new()).unwrap();
        assert_eq!(Value::Object(found), json!({ "xpack.security.encryptionKey": "k".repeat(32), "a": [1] }));
        assert!(read(tempfile::tempdir().unwrap().path(), &BTreeMap::new()).unwrap().is_empty());
    }

    #[test]
    fn the_password_is_in_a_file_or_in_the_environment() {
        let folder = folder(&sealed(&json!({ "a": "b" }), "open sesame"));
        let file = folder.path().join("passphrase");
        std::fs::write(&file, "open sesame\n").unwrap();
        for env in [
            env("KBN_KEYSTORE_PASSPHRASE_FILE", file.to_str().unwrap()),
            env("KEYSTORE_PASSWORD", "open sesame"),
        ] {
            assert_eq!(Value::Object(read(folder.path(), &env).unwrap()), json!({ "a": "b" }));
        }
        let error = read(folder.path(), &env("KEYSTORE_PASSWORD", "wrong")).unwrap_err();
        assert!(error.to_string().contains("cannot be decrypted") && error.exit_code() == 1, "{error}");
    }

    #[test]
    fn broken_files_are_refused() {
        let short = format!("1:{}", BASE64.encode([0; SALT + NONCE]));
        for (text, what) in
            [("nothing", "malformed"), ("1:***", "malformed"), (&short, "malformed"), ("2:AAAA", "version")]
        {
            let error = read(folder(text).path(), &BTreeMap::new()).unwrap_err();
            assert!(error.to_string().contains(what), "{text}: {error}");
        }
    }

    /// Key and tag as `node:crypto` makes them, so that both sides of the format are not ours.
    #[test]
    fn a_file_of_another_implementation_opens() {
        let text = include_str!("testdata/keystore_sample.txt");
        assert_eq!(
            open(text.trim_end(), &Secret::from("swordfish".to_owned())).map(Value::Object),
            Ok(json!({ "elasticsearch.password": "changeme", "server.name": "kept" }))
        );
    }
}
