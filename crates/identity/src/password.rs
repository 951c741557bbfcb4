//! Password hashes: argon2id, one line of text each.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use ikebana_clock::Random;
use ikebana_secrets::Secret;

/// One of the settings that OWASP's password storage cheat sheet takes as equal; this one needs the least
/// memory (7 MiB), which counts on small machines.
const MEMORY_KIB: u32 = 7168;
const PASSES: u32 = 5;
const HASH: usize = 32;
const SALT: usize = 16;

/// Why a password could not be hashed or a hash not be read.
#[derive(Debug, thiserror::Error)]
#[error("the password hash cannot be used: {0}")]
pub(crate) struct HashError(String);

fn compute(password: &str, salt: &[u8], memory: u32, passes: u32) -> Result<[u8; HASH], HashError> {
    let params = Params::new(memory, passes, 1, Some(HASH)).map_err(|error| HashError(error.to_string()))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut blocks = vec![Block::default(); argon2.params().block_count()];
    let mut out = [0; HASH];
    argon2
        .hash_password_into_with_memory(password.as_bytes(), salt, &mut out, &mut blocks)
        .map_err(|error| HashError(error.to_string()))?;
    Ok(out)
}

/// The PHC text of a new hash. Takes tens of milliseconds.
pub(crate) fn hash(password: &Secret, random: &dyn Random) -> Result<String, HashError> {
    let mut salt = [0; SALT];
    random.fill(&mut salt);
    let out = compute(password.expose(), &salt, MEMORY_KIB, PASSES)?;
    Ok(format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p=1${}${}", BASE64.encode(salt), BASE64.encode(out)))
}

/// Whether `password` is the one that was hashed. Takes as long as hashing it.
pub(crate) fn verify(password: &Secret, hash: &str) -> Result<bool, HashError> {
    let malformed = || HashError("malformed".to_owned());
    let mut parts = hash.strip_prefix("$argon2id$v=19$m=").ok_or_else(malformed)?.split('$');
    let mut next = || parts.next().ok_or_else(malformed);
    let (work, salt, expected) = (next()?, next()?, next()?);
    let (memory, rest) = work.split_once(",t=").ok_or_else(malformed)?;
    let passes = rest.strip_suffix(",p=1").ok_or_else(malformed)?;
    let number = |text: &str| text.parse::<u32>().map_err(|_| malformed());
    let decode = |text: &str| BASE64.decode(text).map_err(|_| malformed());
    let out = compute(password.expose(), &decode(salt)?, number(memory)?, number(passes)?)?;
    Ok(aws_lc_rs::constant_time::verify_slices_are_equal(&out, &decode(expected)?).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ikebana_clock::SystemRandom;

    #[test]
    fn a_hash_verifies_its_password_only() {
        let secret = |text: &str| Secret::from(text.to_owned());
        let text = hash(&secret("correct horse"), &SystemRandom).unwrap();
        assert!(text.starts_with("$argon2id$v=19$m=7168,t=5,p=1$"), "{text}");
        assert!(verify(&secret("correct horse"), &text).unwrap());
        assert!(!verify(&secret("correct horsE"), &text).unwrap());
        assert_ne!(hash(&secret("correct horse"), &SystemRandom).unwrap(), text, "salted");
        for broken in ["", "$argon2id$", "$argon2id$v=19$m=1,t=1,p=1$AA", "plain"] {
            assert!(verify(&secret("x"), broken).is_err(), "{broken}");
        }
    }
}
