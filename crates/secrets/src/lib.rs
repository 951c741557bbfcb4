//! Encryption at rest, and a string that does not print.
//!
//! AES-256-GCM. The authenticated data is handed in by the caller (the store binds type, id, space and
//! the attributes declared as bound). Every ciphertext names the key that made it, so that rotation
//! needs no trial decryption: `ikb1.<key id>.<base64(nonce 12 ‖ data ‖ tag 16)>`.

mod secret;

pub use secret::Secret;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{digest, pbkdf2};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ikebana_clock::{Random, hex};
use std::num::NonZeroU32;
use std::sync::Arc;

const FORMAT: &str = "ikb1";
/// A configured key is a text of at least this many characters (Kibana's setting has the same minimum).
pub const MIN_KEY_LENGTH: usize = 32;
/// The work of one derivation, as Kibana's. It is done once per key and process, not per value.
const ROUNDS: NonZeroU32 = NonZeroU32::MIN.saturating_add(9_999);
/// Hexadecimal digits of a key that was drawn: 256 bits, which no work makes harder to guess.
const DRAWN: usize = 64;

/// Why a text could not be read back.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DecryptError {
    /// It is no ciphertext of ours.
    #[error("not an encrypted value")]
    Malformed,
    /// The key that it names is not in the ring.
    #[error("encrypted with key [{0}], which is not configured")]
    UnknownKey(String),
    /// It was changed, or what it is bound to (type, id, space, bound attributes) was.
    #[error("the value does not belong to what it is bound to")]
    Forged,
}

/// Why a key was not taken.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeyError {
    /// Shorter than [`MIN_KEY_LENGTH`].
    #[error("value has length [{0}] but it must have a minimum length of [{MIN_KEY_LENGTH}].")]
    TooShort(usize),
    /// The cryptographic library refused it.
    #[error("the key could not be derived")]
    Derivation,
}

struct Key {
    id: String,
    sealing: LessSafeKey,
}

impl Key {
    fn derive(text: &Secret) -> Result<Self, KeyError> {
        let text = text.expose().as_bytes();
        if text.len() < MIN_KEY_LENGTH {
            return Err(KeyError::TooShort(text.len()));
        }
        // The salt is fixed: the key must come out the same at every start, and a per-value salt would
        // cost a derivation per value. The texts are random keys, not passwords that people share.
        let drawn = text.len() == DRAWN && text.iter().all(u8::is_ascii_hexdigit);
        let rounds = if drawn { NonZeroU32::MIN } else { ROUNDS };
        let mut derived = [0u8; 32];
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA512, rounds, b"ikebana encryption at rest", text, &mut derived);
        let id = hex(&digest::digest(&digest::SHA256, &derived).as_ref()[..6]);
        let sealing = UnboundKey::new(&AES_256_GCM, &derived).map_err(|_| KeyError::Derivation)?;
        Ok(Self { id, sealing: LessSafeKey::new(sealing) })
    }
}

/// The key that writes, and older ones that may still read.
#[derive(Clone)]
pub struct Keyring {
    primary: Arc<Key>,
    decryption_only: Vec<Arc<Key>>,
    random: Arc<dyn Random>,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keyring({} + {} decryption-only)", self.primary.id, self.decryption_only.len())
    }
}

impl Keyring {
    /// Derives the keys once.
    ///
    /// # Errors
    /// [`KeyError`] if one of the texts is too short.
    pub fn new(
        primary: &Secret,
        decryption_only: &[Secret],
        random: Arc<dyn Random>,
    ) -> Result<Self, KeyError> {
        Ok(Self {
            primary: Arc::new(Key::derive(primary)?),
            decryption_only: decryption_only
                .iter()
                .map(|text| Key::derive(text).map(Arc::new))
                .collect::<Result<_, _>>()?,
            random,
        })
    }

    /// The name of the key that writes.
    pub fn primary_id(&self) -> &str {
        &self.primary.id
    }

    /// Whether the key of this name is here, so that what it wrote can be read.
    pub fn has(&self, key_id: &str) -> bool {
        std::iter::once(&self.primary).chain(&self.decryption_only).any(|key| key.id == key_id)
    }

    /// Encrypts `plain`, bound to `bound_to`.
    ///
    /// # Errors
    /// [`KeyError::Derivation`] if the library fails, which it has no known cause to do.
    pub fn encrypt(&self, plain: &[u8], bound_to: &[u8]) -> Result<String, KeyError> {
        let mut nonce = [0u8; NONCE_LEN];
        self.random.fill(&mut nonce);
        let mut data = plain.to_vec();
        self.primary
            .sealing
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(bound_to), &mut data)
            .map_err(|_| KeyError::Derivation)?;
        let body = [nonce.as_slice(), &data].concat();
        Ok(format!("{FORMAT}.{}.{}", self.primary.id, BASE64.encode(body)))
    }

    /// Reads back what [`Keyring::encrypt`] wrote.
    ///
    /// # Errors
    /// [`DecryptError`] tells which of the three things is wrong.
    pub fn decrypt(&self, text: &str, bound_to: &[u8]) -> Result<Vec<u8>, DecryptError> {
        let (key_id, body) = parts(text).ok_or(DecryptError::Malformed)?;
        let key = std::iter::once(&self.primary)
            .chain(&self.decryption_only)
            .find(|key| key.id == key_id)
            .ok_or_else(|| DecryptError::UnknownKey(key_id.to_owned()))?;
        let mut body = BASE64.decode(body).map_err(|_| DecryptError::Malformed)?;
        if body.len() < NONCE_LEN {
            return Err(DecryptError::Malformed);
        }
        let mut data = body.split_off(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(&body).map_err(|_| DecryptError::Malformed)?;
        key.sealing
            .open_in_place(nonce, Aad::from(bound_to), &mut data)
            .map(|plain| plain.to_vec())
            .map_err(|_| DecryptError::Forged)
    }
}

/// The id of the key that wrote `text`; `None` if it is no ciphertext.
pub fn key_id(text: &str) -> Option<&str> {
    parts(text).map(|(id, _)| id)
}

fn parts(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix(FORMAT)?.strip_prefix('.')?.split_once('.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use ikebana_clock::SystemRandom;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    fn ring(primary: &str, old: &[&str]) -> Keyring {
        let old: Vec<Secret> = old.iter().map(|text| Secret::from(text.repeat(32))).collect();
        Keyring::new(&Secret::from(primary.repeat(32)), &old, Arc::new(SystemRandom)).unwrap()
    }

    static RING: LazyLock<Keyring> = LazyLock::new(|| ring("a", &[]));

    #[test]
    fn a_rotated_key_still_reads() {
        let text = RING.encrypt(b"hunter2", b"bound").unwrap();
        assert_eq!(key_id(&text), Some(RING.primary_id()));
        assert_eq!(ring("b", &["a"]).decrypt(&text, b"bound").unwrap(), b"hunter2");
        let unknown = ring("b", &[]).decrypt(&text, b"bound");
        assert_eq!(unknown, Err(DecryptError::UnknownKey(RING.primary_id().to_owned())));
        let has = |ring: &Keyring| ring.has(RING.primary_id());
        assert_eq!([has(&RING), has(&ring("b", &["a"])), has(&ring("b", &[]))], [true, true, false]);
    }

    #[test]
    fn short_keys_are_refused() {
        let short = Keyring::new(&Secret::from("short".to_owned()), &[], Arc::new(SystemRandom));
        assert_eq!(short.unwrap_err(), KeyError::TooShort(5));
    }

    #[test]
    fn what_is_no_ciphertext_is_said_so() {
        for text in ["", "ikb1", "ikb1.x", "plain"] {
            assert_eq!(RING.decrypt(text, b""), Err(DecryptError::Malformed), "{text}");
        }
        let cut = format!("ikb1.{}.AAAA", RING.primary_id());
        assert_eq!(RING.decrypt(&cut, b""), Err(DecryptError::Malformed));
    }

    proptest! {
        #[test]
        fn round_trip_and_no_other_binding(plain: Vec<u8>, bound: Vec<u8>, other: Vec<u8>, at: prop::sample::Index) {
            let text = RING.encrypt(&plain, &bound).unwrap();
            prop_assert_eq!(RING.decrypt(&text, &bound).unwrap(), plain);
            if other != bound {
                prop_assert_eq!(RING.decrypt(&text, &other), Err(DecryptError::Forged));
            }
            let (head, body) = text.rsplit_once('.').unwrap();
            let mut bytes = BASE64.decode(body).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1;
            let forged = format!("{head}.{}", BASE64.encode(bytes));
            prop_assert_eq!(RING.decrypt(&forged, &bound), Err(DecryptError::Forged));
        }
    }
}
