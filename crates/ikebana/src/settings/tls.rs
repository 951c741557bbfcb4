//! Certificates and keys from PEM files.

use super::SettingsError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ikebana_http::PrivateKey;
use ikebana_secrets::Secret;
use pkcs8::EncryptedPrivateKeyInfoRef;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::path::{Path, PathBuf};

/// What `server.ssl.*` names.
pub(super) struct Files<'a> {
    pub(super) certificate: &'a Path,
    pub(super) key: &'a Path,
    pub(super) authorities: &'a [PathBuf],
}

/// What was in the files, as DER.
pub(super) struct Read {
    pub(super) certificates: Vec<Vec<u8>>,
    pub(super) key: PrivateKey,
    pub(super) authorities: Vec<Vec<u8>>,
}

const BEGIN_ENCRYPTED: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
const END_ENCRYPTED: &str = "-----END ENCRYPTED PRIVATE KEY-----";

/// Reads the files; an encrypted PKCS#8 key is opened with `passphrase`.
pub(super) fn read(files: &Files<'_>, passphrase: Option<&Secret>) -> Result<Read, SettingsError> {
    let mut authorities = Vec::new();
    for path in files.authorities {
        authorities.extend(certificates("certificateAuthorities", path)?);
    }
    Ok(Read {
        certificates: certificates("certificate", files.certificate)?,
        key: key(files.key, passphrase)?,
        authorities,
    })
}

fn fault(setting: &str, path: &Path, what: impl std::fmt::Display) -> SettingsError {
    SettingsError::Other(format!("[server.ssl.{setting}]: [{}] {what}", path.display()))
}

fn text(setting: &str, path: &Path) -> Result<Vec<u8>, SettingsError> {
    std::fs::read(path).map_err(|error| fault(setting, path, format!("cannot be read: {error}")))
}

fn certificates(setting: &str, path: &Path) -> Result<Vec<Vec<u8>>, SettingsError> {
    let pem = text(setting, path)?;
    let found: Result<Vec<Vec<u8>>, _> =
        CertificateDer::pem_slice_iter(&pem).map(|one| one.map(|der| der.to_vec())).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(fault(setting, path, "holds no certificate in PEM form")),
    }
}

fn key(path: &Path, passphrase: Option<&Secret>) -> Result<PrivateKey, SettingsError> {
    let fault = |what: &str| fault("key", path, what);
    let pem = text("key", path)?;
    let readable = String::from_utf8_lossy(&pem);
    if let Some(encrypted) = encrypted_section(&readable) {
        let passphrase =
            passphrase.ok_or_else(|| fault("is encrypted; set [server.ssl.keyPassphrase] to open it"))?;
        return decrypted(&encrypted, passphrase).map_err(fault);
    }
    if readable.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(fault(
            "is encrypted in the old way of OpenSSL, which is not safe; `openssl pkcs8 -topk8 -in FILE -out FILE.pem` \
             makes a key that can be read",
        ));
    }
    PrivateKeyDer::from_pem_slice(&pem)
        .map(|key| PrivateKey(key.secret_der().to_vec()))
        .map_err(|_| fault("holds no private key in PEM form"))
}

/// The text between the marks of an encrypted key.
fn encrypted_section(pem: &str) -> Option<String> {
    let (_, rest) = pem.split_once(BEGIN_ENCRYPTED)?;
    let (body, _) = rest.split_once(END_ENCRYPTED)?;
    Some(body.chars().filter(|c| !c.is_ascii_whitespace()).collect())
}

fn decrypted(base64: &str, passphrase: &Secret) -> Result<PrivateKey, &'static str> {
    let der = BASE64.decode(base64).map_err(|_| "is no valid PEM")?;
    let info = EncryptedPrivateKeyInfoRef::try_from(der.as_slice())
        .map_err(|_| "is encrypted in a way that cannot be read (PKCS#8 with PBES2 can)")?;
    let key = info
        .decrypt(passphrase.expose())
        .map_err(|_| "cannot be decrypted with [server.ssl.keyPassphrase]")?;
    Ok(PrivateKey(key.as_bytes().to_vec()))
}
