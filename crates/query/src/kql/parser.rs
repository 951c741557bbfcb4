use std::collections::BTreeSet;

use super::{Literal, Node, RangeOperator, SyntaxError};
use crate::Wildcard;

/// How many parentheses and braces may be open at once. Kibana sets no limit of its own.
pub const MAX_DEPTH: usize = 64;

/// Parses a KQL text. White space alone matches everything.
pub fn parse(text: &str) -> Result<Node, SyntaxError> {
    let text: Vec<char> = text.chars().collect();
    let mut parser =
        Parser { text: &text, at: 0, expected: BTreeSet::new(), furthest: 0, depth: 0, too_deep: None };
    let node = parser.start();
    match (parser.too_deep, node) {
        (Some(place), _) => Err(SyntaxError::too_deep(MAX_DEPTH, &text, place)),
        (None, Ok(node)) => Ok(node),
        (None, Err(Mismatch)) => Err(SyntaxError::expected(&parser.expected, &text, parser.furthest)),
    }
}

/// A rule does not apply here. What it expected is noted in the parser.
struct Mismatch;

type Parsed<T> = Result<T, Mismatch>;

/// What the operands of `and`, `or` and `not` are.
#[derive(Clone, Copy)]
enum Operands<'a> {
    /// Whole expressions.
    Queries,
    /// Values of one field: `field: (a or b)`.
    ValuesOf(&'a Literal),
}

/// A recursive descent parser that tries alternatives in order and goes back to where each began.
///
/// The error of a text is what was expected at the furthest place that any alternative reached. Rules with a name
/// (field name, value, literal, whitespace, AND, OR, NOT) are expected under that name where they begin, whatever they
/// lack inside; all others are the single characters they want.
struct Parser<'a> {
    text: &'a [char],
    at: usize,
    expected: BTreeSet<&'static str>,
    furthest: usize,
    depth: usize,
    too_deep: Option<usize>,
}

impl Parser<'_> {
    fn start(&mut self) -> Parsed<Node> {
        self.spaces();
        let begin = self.at;
        let node = self.or(Operands::Queries).unwrap_or_else(|Mismatch| {
            self.at = begin;
            Node::match_all()
        });
        self.spaces();
        if self.at < self.text.len() {
            return self.fail("end of input");
        }
        Ok(node)
    }

    fn or(&mut self, operands: Operands<'_>) -> Parsed<Node> {
        self.chain(operands, "OR", Self::and, Node::Or)
    }

    fn and(&mut self, operands: Operands<'_>) -> Parsed<Node> {
        self.chain(operands, "AND", Self::not, Node::And)
    }

    fn chain(
        &mut self,
        operands: Operands<'_>,
        keyword: &'static str,
        member: fn(&mut Self, Operands<'_>) -> Parsed<Node>,
        join: fn(Vec<Node>) -> Node,
    ) -> Parsed<Node> {
        let first = member(self, operands)?;
        let mut nodes = vec![first];
        loop {
            let begin = self.at;
            match self.infix(keyword).and_then(|()| member(self, operands)) {
                Ok(node) => nodes.push(node),
                Err(Mismatch) => {
                    self.at = begin;
                    break;
                }
            }
        }
        Ok(if nodes.len() == 1 { nodes.remove(0) } else { join(nodes) })
    }

    fn not(&mut self, operands: Operands<'_>) -> Parsed<Node> {
        let negated = self.attempt(|parser| {
            parser.prefix_not()?;
            parser.operand(operands)
        });
        match negated {
            Ok(node) => Ok(Node::Not(Box::new(node))),
            Err(Mismatch) => self.operand(operands),
        }
    }

    fn operand(&mut self, operands: Operands<'_>) -> Parsed<Node> {
        let group = self.attempt(|parser| {
            parser.open('(', "\"(\"")?;
            let node = parser.or(operands)?;
            parser.close(')', "\")\"")?;
            Ok(node)
        });
        group.or_else(|Mismatch| match operands {
            Operands::Queries => self.expression(),
            Operands::ValuesOf(field) => self.value(field),
        })
    }

    fn expression(&mut self) -> Parsed<Node> {
        self.attempt(Self::nested)
            .or_else(|Mismatch| self.attempt(Self::range))
            .or_else(|Mismatch| self.attempt(Self::field_values))
            .or_else(|Mismatch| self.value(&Literal::Null))
    }

    fn nested(&mut self) -> Parsed<Node> {
        let path = self.literal("field name")?;
        self.spaces();
        self.character(':', "\":\"")?;
        self.spaces();
        self.open('{', "\"{\"")?;
        let query = self.or(Operands::Queries)?;
        self.close('}', "\"}\"")?;
        Ok(Node::Nested { path, query: Box::new(query) })
    }

    fn range(&mut self) -> Parsed<Node> {
        let field = self.literal("field name")?;
        self.spaces();
        let operator = self.range_operator()?;
        self.spaces();
        let value = self.literal("literal")?;
        Ok(Node::Range { field, operator, value })
    }

    fn field_values(&mut self) -> Parsed<Node> {
        let field = self.literal("field name")?;
        self.spaces();
        self.character(':', "\":\"")?;
        self.spaces();
        self.operand(Operands::ValuesOf(&field))
    }

    fn value(&mut self, field: &Literal) -> Parsed<Node> {
        let value = self.literal("value")?;
        Ok(Node::Is { field: field.clone(), value })
    }

    fn range_operator(&mut self) -> Parsed<RangeOperator> {
        for operator in RangeOperator::ALL {
            let symbol = operator.symbol();
            if symbol.chars().enumerate().all(|(index, c)| self.peek(index) == Some(c)) {
                self.at += symbol.len();
                return Ok(operator);
            }
            self.expect(match operator {
                RangeOperator::Lte => "\"<=\"",
                RangeOperator::Gte => "\">=\"",
                RangeOperator::Lt => "\"<\"",
                RangeOperator::Gt => "\">\"",
            });
        }
        Err(Mismatch)
    }

    /// A quoted or unquoted text, expected under the name of what it is here.
    fn literal(&mut self, name: &'static str) -> Parsed<Literal> {
        let rest = &self.text[self.at..];
        match quoted(rest).or_else(|| unquoted(rest)) {
            Some((literal, length)) => {
                self.at += length;
                Ok(literal)
            }
            None => self.fail(name),
        }
    }

    fn open(&mut self, bracket: char, name: &'static str) -> Parsed<()> {
        self.character(bracket, name)?;
        if self.depth == MAX_DEPTH {
            self.too_deep.get_or_insert(self.at - 1);
            return Err(Mismatch);
        }
        self.depth += 1;
        self.spaces();
        Ok(())
    }

    fn close(&mut self, bracket: char, name: &'static str) -> Parsed<()> {
        self.spaces();
        self.character(bracket, name)?;
        self.depth -= 1;
        Ok(())
    }

    /// ` and ` or ` or ` with the white space that belongs to it.
    fn infix(&mut self, keyword: &'static str) -> Parsed<()> {
        let rest = &self.text[self.at..];
        let before = count_spaces(rest);
        let after = count_spaces(rest.get(before + keyword.len()..).unwrap_or_default());
        if before == 0 || after == 0 || !is_word(&rest[before..], keyword) {
            return self.fail(keyword);
        }
        self.at += before + keyword.len() + after;
        Ok(())
    }

    fn prefix_not(&mut self) -> Parsed<()> {
        let rest = &self.text[self.at..];
        let after = count_spaces(rest.get(3..).unwrap_or_default());
        if after == 0 || !is_word(rest, "not") {
            return self.fail("NOT");
        }
        self.at += 3 + after;
        Ok(())
    }

    fn spaces(&mut self) {
        self.at += count_spaces(&self.text[self.at..]);
        self.expect("whitespace");
    }

    fn character(&mut self, wanted: char, name: &'static str) -> Parsed<()> {
        if self.peek(0) != Some(wanted) {
            return self.fail(name);
        }
        self.at += 1;
        Ok(())
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.text.get(self.at + ahead).copied()
    }

    fn attempt<T>(&mut self, rule: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        let (at, depth) = (self.at, self.depth);
        rule(self).inspect_err(|Mismatch| (self.at, self.depth) = (at, depth))
    }

    fn fail<T>(&mut self, name: &'static str) -> Parsed<T> {
        self.expect(name);
        Err(Mismatch)
    }

    fn expect(&mut self, name: &'static str) {
        if self.at > self.furthest {
            self.furthest = self.at;
            self.expected.clear();
        }
        if self.at == self.furthest {
            self.expected.insert(name);
        }
    }
}

pub(super) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n' | '\u{A0}')
}

pub(super) fn is_special(c: char) -> bool {
    matches!(c, '\\' | '(' | ')' | ':' | '<' | '>' | '"' | '*' | '{' | '}')
}

/// What ECMAScript's `trim` takes away.
pub(super) fn is_trimmed(c: char) -> bool {
    matches!(c, '\u{9}'..='\u{D}' | ' ' | '\u{A0}' | '\u{1680}' | '\u{2000}'..='\u{200A}' | '\u{2028}' | '\u{2029}'
        | '\u{202F}' | '\u{205F}' | '\u{3000}' | '\u{FEFF}')
}

fn count_spaces(text: &[char]) -> usize {
    text.iter().take_while(|c| is_space(**c)).count()
}

fn is_word(text: &[char], word: &str) -> bool {
    text.len() >= word.len() && word.chars().zip(text).all(|(wanted, c)| c.eq_ignore_ascii_case(&wanted))
}

/// Whether a keyword with the white space that makes it one begins here.
fn is_keyword(text: &[char]) -> bool {
    let space_at = |index: usize| text.get(index).copied().is_some_and(is_space);
    if space_at(0) {
        let rest = &text[1..];
        (is_word(rest, "or") && space_at(3)) || (is_word(rest, "and") && space_at(4))
    } else {
        is_word(text, "not") && space_at(3)
    }
}

/// A text in double quotes and its length in characters.
fn quoted(text: &[char]) -> Option<(Literal, usize)> {
    if text.first() != Some(&'"') {
        return None;
    }
    let mut units = Vec::new();
    let mut at = 1;
    loop {
        let rest = &text[at..];
        at += match (rest.first()?, rest.get(1)) {
            ('"', _) => break,
            ('\\', Some(c @ ('\\' | '"'))) => push(&mut units, *c, 2),
            ('\\', Some(_)) if escape(rest, &mut units) => escape_length(rest),
            (c, _) => push(&mut units, *c, 1),
        };
    }
    Some((Literal::quoted(String::from_utf16_lossy(&units)), at + 1))
}

/// An unquoted text, as far as it goes, and its length in characters.
fn unquoted(text: &[char]) -> Option<(Literal, usize)> {
    let mut pieces = Vec::new();
    let mut units = Vec::new();
    let mut at = 0;
    while let Some(c) = text.get(at) {
        let rest = &text[at..];
        at += match c {
            '\\' if escape(rest, &mut units) => escape_length(rest),
            '\\' => match unquoted_escape(&rest[1..], &mut units) {
                Some(length) => 1 + length,
                None => break,
            },
            '*' => {
                pieces.push(std::mem::take(&mut units));
                1
            }
            c if is_special(*c) || is_keyword(rest) => break,
            c => push(&mut units, *c, 1),
        };
    }
    pieces.push(units);
    (at > 0).then(|| (bare_literal(&pieces), at))
}

fn bare_literal(pieces: &[Vec<u16>]) -> Literal {
    let mut pieces: Vec<String> = pieces.iter().map(|units| String::from_utf16_lossy(units)).collect();
    if let Some(first) = pieces.first_mut() {
        *first = first.trim_start_matches(is_trimmed).to_owned();
    }
    if let Some(last) = pieces.last_mut() {
        last.truncate(last.trim_end_matches(is_trimmed).len());
    }
    match pieces.as_slice() {
        [text] if text == "null" => Literal::Null,
        [text] if text == "true" => Literal::Boolean(true),
        [text] if text == "false" => Literal::Boolean(false),
        [text] => Literal::unquoted(text),
        _ => Literal::Wildcard(Wildcard::from_pieces(pieces)),
    }
}

/// The escapes that are the same with and without quotes: `\t`, `\r`, `\n`, `\u0041`. Takes a text that begins with a
/// backslash.
fn escape(text: &[char], units: &mut Vec<u16>) -> bool {
    let unit = match text.get(1) {
        Some('t') => u16::from(b'\t'),
        Some('r') => u16::from(b'\r'),
        Some('n') => u16::from(b'\n'),
        Some('u') => match text.get(2..6).and_then(hexadecimal) {
            Some(unit) => unit,
            None => return false,
        },
        _ => return false,
    };
    units.push(unit);
    true
}

fn escape_length(text: &[char]) -> usize {
    if text.get(1) == Some(&'u') { 6 } else { 2 }
}

fn hexadecimal(digits: &[char]) -> Option<u16> {
    digits.iter().try_fold(0_u16, |unit, digit| Some((unit << 4) | u16::try_from(digit.to_digit(16)?).ok()?))
}

/// A special character or a keyword after a backslash; gives how many characters that is.
fn unquoted_escape(text: &[char], units: &mut Vec<u16>) -> Option<usize> {
    let length = match text.first() {
        Some(c) if is_special(*c) => 1,
        _ => ["or", "and", "not"].into_iter().find(|word| is_word(text, word))?.len(),
    };
    for c in &text[..length] {
        push(units, *c, 1);
    }
    Some(length)
}

/// Adds a character and gives back how many characters of the text it took.
fn push(units: &mut Vec<u16>, c: char, length: usize) -> usize {
    units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
    length
}
