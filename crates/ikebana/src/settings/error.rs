//! Why the settings cannot be used.

use super::hint;

/// Faults in Kibana's words; [`std::fmt::Display`] writes those first and then our hint, if there is one.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A value that its section refuses: `[config validation of [server].port]: …`.
    #[error("{message}{}", hint_text(hints))]
    Invalid {
        /// The whole fault.
        message: String,
        /// What may have been meant.
        hints: Vec<Hint>,
    },
    /// Keys that belong to no section.
    #[error("{}{}", unknown_text(keys), hint_text(hints))]
    UnknownKeys {
        /// Dotted names.
        keys: Vec<String>,
        /// What may have been meant.
        hints: Vec<Hint>,
    },
    /// A file that cannot be read, an environment variable that is not set, certificates that do not fit.
    #[error("{0}")]
    Other(String),
}

/// The known key nearest to one that is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// As written.
    pub key: String,
    /// As it may have been meant.
    pub nearest: String,
}

impl SettingsError {
    /// The exit status, as Kibana's: 78 for a wrong value, 64 for an unknown key, 1 for all else.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Invalid { .. } => 78,
            Self::UnknownKeys { .. } => 64,
            Self::Other(_) => 1,
        }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        let message = message.into();
        let hints = missing_definition(&message).and_then(|key| hint::nearest(&key)).into_iter().collect();
        Self::Invalid { message, hints }
    }

    pub(super) fn unknown(keys: Vec<String>) -> Self {
        let hints = keys.iter().filter_map(|key| hint::nearest(key)).collect();
        Self::UnknownKeys { keys, hints }
    }
}

/// The dotted name in `[config validation of [server].foo]: definition for this key is missing`.
fn missing_definition(message: &str) -> Option<String> {
    let path = message.strip_suffix("]: definition for this key is missing")?;
    let (section, rest) = path.strip_prefix("[config validation of [")?.split_once(']')?;
    Some(format!("{section}{rest}"))
}

fn unknown_text(keys: &[String]) -> String {
    let keys: Vec<String> = keys.iter().map(|key| format!("\"{key}\"")).collect();
    format!(
        "Unknown configuration key(s): {}. Check for spelling errors and ensure that expected plugins are installed.",
        keys.join(", ")
    )
}

fn hint_text(hints: &[Hint]) -> String {
    hints
        .iter()
        .map(|hint| format!("\nDid you mean \"{}\" instead of \"{}\"?", hint.nearest, hint.key))
        .collect()
}
