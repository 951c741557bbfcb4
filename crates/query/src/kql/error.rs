use std::collections::BTreeSet;

/// A text that is not KQL. Its `Display` is `KQLSyntaxError: ` and [`SyntaxError::message`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("KQLSyntaxError: {message}")]
pub struct SyntaxError {
    message: String,
}

impl SyntaxError {
    /// The whole message: what was expected and found, the text, and a line that ends in a caret under the place.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What was expected and found.
    pub fn short_message(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }

    /// `place` counts characters; the caret is placed by UTF-16 code units, as browsers and Kibana count.
    pub(super) fn expected(expected: &BTreeSet<&'static str>, text: &[char], place: usize) -> SyntaxError {
        let expected = expected.iter().copied().collect::<Vec<_>>().join(", ");
        SyntaxError::new(&expected, text, place)
    }

    pub(super) fn too_deep(limit: usize, text: &[char], place: usize) -> SyntaxError {
        SyntaxError::new(&format!("at most {limit} levels of nesting"), text, place)
    }

    fn new(expected: &str, text: &[char], place: usize) -> SyntaxError {
        let found = text.get(place).map_or_else(|| "end of input".to_owned(), |c| format!("\"{c}\""));
        let offset = text[..place].iter().map(|c| c.len_utf16()).sum();
        let text: String = text.iter().collect();
        SyntaxError {
            message: format!("Expected {expected} but {found} found.\n{text}\n{}^", "-".repeat(offset)),
        }
    }
}
