//! Elasticsearch's simple query string, as `search` of the saved objects API takes it.
//!
//! Every text is one: what has no meaning is plain text or passed over. `+` and `|` join the parts beside them, what
//! nothing joins the default operator does; both bind alike, from left to right. `-` directly before a part negates it,
//! `"` quotes a phrase, `*` at the end of a term makes it a prefix, parentheses group, `\` takes the meaning from the
//! next character. `~2` after a term or phrase (edit distance, slop) is read and passed over: terms and phrases are
//! exact here.

use crate::fields::effective_kind;
use crate::{Field, FieldKind, Fields, MatchMode, Operator, Query, Scalar, analysis, date, leaf};

/// How many parentheses may be open at once; further ones are passed over.
pub const MAX_DEPTH: usize = 64;

/// The tree of a simple query string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SimpleQuery {
    /// Nothing was asked for, so nothing is found.
    MatchNone,
    /// The text is a lone `*`.
    MatchAll,
    /// A term, which may turn out to be several words.
    Term(String),
    /// The beginning of a word.
    Prefix(String),
    /// Words one after the other.
    Phrase(String),
    /// All of them.
    And(Vec<SimpleQuery>),
    /// Any of them.
    Or(Vec<SimpleQuery>),
    /// What it does not find.
    Not(Box<SimpleQuery>),
}

/// Parses a simple query string; never fails.
pub fn parse(text: &str, default_operator: Operator) -> SimpleQuery {
    if text.trim() == "*" {
        return SimpleQuery::MatchAll;
    }
    let text: Vec<char> = text.chars().collect();
    let parser = Parser { closing: closing_parentheses(&text), text: &text, default_operator };
    parser.group(0, text.len(), 0).unwrap_or(SimpleQuery::MatchNone)
}

/// Compiles a simple query for the fields to be searched, leniently: a term that a field cannot hold is not found there.
///
/// `default_operator` also joins the words that a term is cut into. A term without any word on every field is passed
/// over; if nothing else is asked for, nothing is found.
pub fn to_query(
    query: &SimpleQuery,
    search_fields: &[Field],
    fields: &dyn Fields,
    default_operator: Operator,
) -> Query {
    compile(query, &Target { search_fields, fields, default_operator }).unwrap_or(Query::MatchNone)
}

struct Target<'a> {
    search_fields: &'a [Field],
    fields: &'a dyn Fields,
    default_operator: Operator,
}

/// None for what is passed over.
fn compile(query: &SimpleQuery, target: &Target<'_>) -> Option<Query> {
    let members = |queries: &[SimpleQuery]| {
        let queries: Vec<_> = queries.iter().filter_map(|query| compile(query, target)).collect();
        (!queries.is_empty()).then_some(queries)
    };
    match query {
        SimpleQuery::MatchNone => Some(Query::MatchNone),
        SimpleQuery::MatchAll => Some(Query::MatchAll),
        SimpleQuery::Term(text) => {
            let mode = match target.default_operator {
                Operator::And => MatchMode::All,
                Operator::Or => MatchMode::Any,
            };
            on_fields(target, |field, kind| term(field, kind, text, mode))
        }
        SimpleQuery::Phrase(text) => {
            on_fields(target, |field, kind| term(field, kind, text, MatchMode::Phrase))
        }
        SimpleQuery::Prefix(prefix) => on_fields(target, |field, kind| Some(beginning(field, kind, prefix))),
        SimpleQuery::And(queries) => members(queries).map(Query::all),
        SimpleQuery::Or(queries) => members(queries).map(Query::any),
        SimpleQuery::Not(query) => compile(query, target).map(Query::negate),
    }
}

fn on_fields(target: &Target<'_>, query: impl Fn(Field, FieldKind) -> Option<Query>) -> Option<Query> {
    let mut queries = Vec::new();
    let mut passed_over = !target.search_fields.is_empty();
    for field in target.search_fields {
        let found = match effective_kind(target.fields, field.as_str()) {
            Some(kind) => query(field.clone(), kind),
            None => Some(Query::MatchNone),
        };
        if let Some(found) = found {
            passed_over = false;
            if found != Query::MatchNone {
                queries.push(found);
            }
        }
    }
    (!passed_over).then(|| Query::any(queries))
}

fn term(field: Field, kind: FieldKind, text: &str, mode: MatchMode) -> Option<Query> {
    match kind {
        FieldKind::Text if analysis::words(text).next().is_none() => None,
        FieldKind::Date => Some(match date::parse(text, date::Rounding::Down) {
            Some(date) => Query::Term { field, value: Scalar::Date(date) },
            None => Query::MatchNone,
        }),
        kind => Some(leaf::value(field, kind, text, mode)),
    }
}

fn beginning(field: Field, kind: FieldKind, prefix: &str) -> Query {
    match kind {
        FieldKind::Keyword | FieldKind::Flattened => Query::Prefix { field, prefix: prefix.to_owned() },
        FieldKind::Text => Query::Prefix { field, prefix: analysis::fold(prefix).into_owned() },
        _ => Query::MatchNone,
    }
}

struct Parser<'a> {
    text: &'a [char],
    /// For each opening parenthesis its closing one.
    closing: Vec<Option<usize>>,
    default_operator: Operator,
}

/// What has been read of a group.
#[derive(Default)]
struct State {
    tree: Option<SimpleQuery>,
    /// What joined the last part, and so what `tree` is.
    joined_by: Option<Operator>,
    /// What the text says joins the next part.
    operator: Option<Operator>,
    negated: bool,
}

impl Parser<'_> {
    /// The part of the text from `at` to `end`, without parentheses around it.
    fn group(&self, mut at: usize, end: usize, depth: usize) -> Option<SimpleQuery> {
        let mut state = State::default();
        while at < end {
            let mut negated = false;
            match self.text[at] {
                '(' => at = self.parentheses(at, end, depth, &mut state),
                '"' => at = self.phrase(at, end, &mut state),
                '+' => state.say(Operator::And, &mut at),
                '|' => state.say(Operator::Or, &mut at),
                '-' => {
                    negated = !state.negated;
                    at += 1;
                }
                ')' | ' ' | '\t' | '\n' | '\r' => at += 1,
                _ => at = self.token(at, end, &mut state),
            }
            // Anything but another `-` ends the negation, white space too.
            state.negated = negated;
        }
        state.tree
    }

    fn parentheses(&self, open: usize, end: usize, depth: usize, state: &mut State) -> usize {
        match self.closing[open].filter(|close| *close < end && depth < MAX_DEPTH) {
            None => open + 1,
            Some(close) => {
                if close == open + 1 {
                    state.operator = None;
                } else if let Some(group) = self.group(open + 1, close, depth + 1) {
                    state.add(group, self.default_operator);
                }
                close + 1
            }
        }
    }

    fn phrase(&self, open: usize, end: usize, state: &mut State) -> usize {
        let mut phrase = String::new();
        let mut at = open + 1;
        while at < end && self.text[at] != '"' {
            if self.text[at] == '\\' {
                at += 1;
                if at == end {
                    break;
                }
            }
            phrase.push(self.text[at]);
            at += 1;
        }
        if at >= end {
            // Never closed: the quote is passed over.
            return open + 1;
        }
        if at == open + 1 {
            state.operator = None;
            return at + 1;
        }
        state.add(SimpleQuery::Phrase(phrase), self.default_operator);
        // Lucene takes the character after the slop with it, whatever it is.
        if at + 1 < end && self.text[at + 1] == '~' { self.skip_distance(at + 1, end) + 1 } else { at + 1 }
    }

    fn token(&self, begin: usize, end: usize, state: &mut State) -> usize {
        let mut token = String::new();
        let mut prefix = false;
        let mut at = begin;
        while at < end {
            match self.text[at] {
                '\\' => {
                    at += 1;
                    prefix = false;
                    if at == end {
                        break;
                    }
                }
                '~' if !token.is_empty() => {
                    prefix = false;
                    at = self.skip_distance(at, end);
                    break;
                }
                c if ends_token(c) => break,
                c => prefix = c == '*' && !token.is_empty(),
            }
            token.push(self.text[at]);
            at += 1;
        }
        if prefix {
            token.pop();
            state.add(SimpleQuery::Prefix(token), self.default_operator);
        } else if !token.is_empty() {
            state.add(SimpleQuery::Term(token), self.default_operator);
        }
        at
    }

    fn skip_distance(&self, tilde: usize, end: usize) -> usize {
        (tilde + 1..end).find(|at| ends_token(self.text[*at])).unwrap_or(end)
    }
}

impl State {
    fn say(&mut self, operator: Operator, at: &mut usize) {
        if self.tree.is_some() {
            self.operator.get_or_insert(operator);
        }
        *at += 1;
    }

    fn add(&mut self, part: SimpleQuery, default_operator: Operator) {
        let part = if self.negated { SimpleQuery::Not(Box::new(part)) } else { part };
        let operator = self.operator.take().unwrap_or(default_operator);
        let Some(tree) = self.tree.take() else {
            self.tree = Some(part);
            return;
        };
        let joined_by = self.joined_by.replace(operator);
        self.tree = Some(match (tree, operator) {
            (SimpleQuery::And(mut parts), Operator::And) if joined_by == Some(operator) => {
                parts.push(part);
                SimpleQuery::And(parts)
            }
            (SimpleQuery::Or(mut parts), Operator::Or) if joined_by == Some(operator) => {
                parts.push(part);
                SimpleQuery::Or(parts)
            }
            (tree, Operator::And) => SimpleQuery::And(vec![tree, part]),
            (tree, Operator::Or) => SimpleQuery::Or(vec![tree, part]),
        });
    }
}

fn ends_token(c: char) -> bool {
    matches!(c, '"' | '|' | '+' | '(' | ')' | ' ' | '\t' | '\n' | '\r')
}

/// For each opening parenthesis the one that closes it, escaped ones not counted; found for all in one pass.
fn closing_parentheses(text: &[char]) -> Vec<Option<usize>> {
    let mut closing = vec![None; text.len()];
    let mut open = Vec::new();
    let mut escaped = false;
    for (at, c) in text.iter().enumerate() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '(' => open.push(at),
            ')' => {
                if let Some(begin) = open.pop() {
                    closing[begin] = Some(at);
                }
            }
            _ => {}
        }
    }
    closing
}
