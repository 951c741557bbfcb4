//! The `Basic` scheme; the refusals are worded as Elasticsearch words them and Kibana passes them on.

use crate::credentials::AuthenticationError;
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ikebana_secrets::Secret;

/// As lenient as the cluster's own decoder: padding may be left out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The form in which Kibana passes on the cluster's refusal.
pub(crate) fn rejected(reason: &str) -> AuthenticationError {
    AuthenticationError::Rejected(format!(
        "[security_exception\n\tRoot causes:\n\t\tsecurity_exception: {reason}]: {reason}"
    ))
}

/// A refusal that has a cause of its own, which is told before the root.
fn rejected_for(reason: &str, cause: &str) -> AuthenticationError {
    AuthenticationError::Rejected(format!(
        "[security_exception\n\tCaused by:\n\t\tillegal_argument_exception: {cause}\n\tRoot causes:\n\t\t\
         security_exception: {reason}]: {reason}"
    ))
}

/// Characters of a user name, as Elasticsearch limits them.
const LONGEST_USERNAME: usize = 1024;

/// Name and password of a `Basic` header.
pub(crate) fn credentials(authorization: &str) -> Result<(String, Secret), AuthenticationError> {
    let (scheme, rest) = authorization.split_once(' ').unwrap_or((authorization, ""));
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(AuthenticationError::UnsupportedScheme);
    }
    let encoded = rest.trim();
    if encoded.is_empty() {
        return Err(rejected(
            "missing authentication credentials for REST request [/_security/_authenticate]",
        ));
    }
    let decoded = BASE64
        .decode(encoded)
        .map_err(|_| rejected_for("invalid basic authentication header encoding", &fault(encoded)))?;
    let text = String::from_utf8_lossy(&decoded);
    let (username, password) =
        text.split_once(':').ok_or_else(|| rejected("invalid basic authentication header value"))?;
    if username.chars().count() > LONGEST_USERNAME {
        // Nobody has such a name; it is neither looked up nor kept nor logged.
        return Err(rejected("unable to authenticate user for REST request [/_security/_authenticate]"));
    }
    Ok((username.to_owned(), Secret::from(password.to_owned())))
}

/// What Java's decoder says of a text that it does not take (`java.util.Base64.Decoder`).
fn fault(encoded: &str) -> String {
    if encoded.len() < 2 {
        return "Input byte[] should at least have 2 bytes for base64 bytes".to_owned();
    }
    let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    let digits = encoded.bytes().take_while(|byte| known(*byte)).count();
    match encoded.as_bytes()[digits..] {
        [byte, ..] if byte != b'=' => format!("Illegal base64 character {byte:x}"),
        [] => "Last unit does not have enough valid bits".to_owned(),
        _ => match (digits % 4, encoded.len() - digits) {
            (0, _) | (2, 1) => "Input byte array has wrong 4-byte ending unit".to_owned(),
            (1, _) => "Last unit does not have enough valid bits".to_owned(),
            (two_or_three, _) => {
                let end = digits + 4 - two_or_three;
                format!("Input byte array has incorrect ending byte at {end}")
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_may_be_left_out_and_a_password_may_hold_colons() {
        for header in ["Basic YTpiOmM=", "bAsIc YTpiOmM", "Basic   YTpiOmM= "] {
            let (username, password) = credentials(header).expect("credentials");
            assert_eq!((username.as_str(), password.expose()), ("a", "b:c"), "{header}");
        }
    }

    #[test]
    fn faults_are_told_as_java_tells_them() {
        for (encoded, text) in [
            ("!", "Input byte[] should at least have 2 bytes for base64 bytes"),
            ("YT!", "Illegal base64 character 21"),
            ("YTpiY", "Last unit does not have enough valid bits"),
            ("YTpi=", "Input byte array has wrong 4-byte ending unit"),
            ("YT=", "Input byte array has wrong 4-byte ending unit"),
            ("YT==YT", "Input byte array has incorrect ending byte at 4"),
        ] {
            assert_eq!(fault(encoded), text, "{encoded}");
        }
    }
}
