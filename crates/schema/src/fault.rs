//! What a failed check answers.

use std::{error::Error, fmt};

/// A refused value. [`fmt::Display`] is the whole message a client gets, prefix included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    message: String,
}

impl Fault {
    pub(crate) fn new(message: String) -> Self {
        Self { message }
    }

    /// The whole message.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Gives the message away.
    pub fn into_message(self) -> String {
        self.message
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Fault {}
