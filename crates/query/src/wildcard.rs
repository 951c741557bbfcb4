use std::fmt;

/// A pattern in which `*` stands for any run of characters, the empty one too. There is no other operator.
///
/// The literal pieces between the stars are kept apart, so a star that was escaped in the text is a plain character.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Wildcard {
    pieces: Vec<String>,
}

impl Wildcard {
    /// The pattern of these pieces with a star between each two; without pieces, the empty text.
    pub fn from_pieces(mut pieces: Vec<String>) -> Wildcard {
        if pieces.is_empty() {
            pieces.push(String::new());
        }
        Wildcard { pieces }
    }

    /// The pattern of a text in which every `*` is a star and nothing can be escaped.
    pub fn from_text(text: &str) -> Wildcard {
        Wildcard { pieces: text.split('*').map(str::to_owned).collect() }
    }

    /// The literal pieces; always one more than there are stars.
    pub fn pieces(&self) -> &[String] {
        &self.pieces
    }

    /// Whether the pattern is stars only and so matches everything.
    pub fn is_lone(&self) -> bool {
        self.pieces.len() > 1 && self.pieces.iter().all(String::is_empty)
    }

    /// Whether the whole text is of this form, in time linear in the text.
    pub fn matches(&self, text: &str) -> bool {
        let Some((first, rest)) = self.pieces.split_first() else { return text.is_empty() };
        let Some((last, middle)) = rest.split_last() else { return text == first };
        // A piece may be taken at its first place: later stars can only gain from what is left.
        let Some(mut text) = text.strip_prefix(first.as_str()) else { return false };
        for piece in middle {
            match text.find(piece.as_str()) {
                Some(at) => text = &text[at + piece.len()..],
                None => return false,
            }
        }
        text.ends_with(last.as_str())
    }

    /// The same pattern with every piece changed.
    pub fn map(&self, change: impl FnMut(&String) -> String) -> Wildcard {
        Wildcard { pieces: self.pieces.iter().map(change).collect() }
    }
}

/// Stars as `*`, literal stars and backslashes with a backslash before them.
impl fmt::Display for Wildcard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, piece) in self.pieces.iter().enumerate() {
            if index > 0 {
                f.write_str("*")?;
            }
            f.write_str(&piece.replace('\\', "\\\\").replace('*', "\\*"))?;
        }
        Ok(())
    }
}
