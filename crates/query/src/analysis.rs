//! How analysed text is cut into words.
//!
//! The rule is that of SQLite FTS5's tokenizer `unicode61 remove_diacritics 0`, code point for code point: a word is a
//! maximal run of characters that are neither mark, punctuation, symbol, separator nor control, brought to lower case
//! by simple folding; a few combining diacritics (within U+0300..U+0331) continue a word but do not begin one.
//!
//! What differs from Elasticsearch's `standard` analyzer (Unicode text segmentation, lower case, words of at most 255
//! characters):
//! - `foo_bar` and `it's`, `3.14`, `a.b` are one word there, two here;
//! - Chinese and Japanese characters are one word each there, here a run of them is one word;
//! - combining marks other than the diacritics named above split words here (Devanagari vowel signs);
//! - `ς` and `σ`, `ſ` and `s`, `µ` and `μ` are the same here;
//! - there is no limit to the length of a word.

mod tables;

use std::borrow::Cow;

/// The words of a text in their order, case-folded.
pub fn words(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    Words { rest: text }
}

/// A text as the words of analysed fields are folded, for prefixes and patterns that are compared with words.
///
/// Nothing is split off: Elasticsearch, too, only normalises what is not a whole text.
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| fold_char(c) == c) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.chars().map(fold_char).collect())
    }
}

struct Words<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Words<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Self::Item> {
        let begin = self.rest.find(begins_word)?;
        let word = &self.rest[begin..];
        let end = word.find(|c| !begins_word(c) && !is_diacritic(c)).unwrap_or(word.len());
        let (word, rest) = word.split_at(end);
        self.rest = rest;
        Some(fold(word))
    }
}

fn begins_word(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphanumeric() } else { !in_ranges(tables::SEPARATORS, c) }
}

/// The combining characters that the tokenizer takes for parts of the letter before them.
fn is_diacritic(c: char) -> bool {
    matches!(u32::from(c),
        0x300..=0x304 | 0x306..=0x30C | 0x30F | 0x311 | 0x31B | 0x323..=0x328 | 0x32D | 0x32E | 0x330 | 0x331)
}

fn fold_char(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let code = u32::from(c);
    if let Ok(at) = tables::FOLDED.binary_search_by_key(&code, |entry| entry.0) {
        return char::from_u32(tables::FOLDED[at].1).unwrap_or(c);
    }
    if in_ranges(tables::UNFOLDED, c) {
        return c;
    }
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(single), None) => single,
        _ => c,
    }
}

fn in_ranges(ranges: &[(u32, u32)], c: char) -> bool {
    let code = u32::from(c);
    let after = ranges.partition_point(|range| range.0 <= code);
    after > 0 && ranges[after - 1].1 >= code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_and_disjoint() {
        for table in [tables::SEPARATORS, tables::UNFOLDED] {
            assert!(table.windows(2).all(|pair| pair[0].1 < pair[1].0));
            assert!(table.iter().all(|range| range.0 <= range.1));
        }
        assert!(tables::FOLDED.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn ascii_letters_and_digits_are_what_the_table_says() {
        for c in (0..128_u8).map(char::from) {
            assert_eq!(begins_word(c), !in_ranges(tables::SEPARATORS, c), "{c:?}");
        }
    }
}
