//! Compiles a search into SQL and runs it.
//!
//! What an index answers becomes `object IN (SELECT … )`; what none answers is asked of each remaining row
//! through the SQL function `holds`, which calls the plain evaluator. `and`, `or` and `not` stay what
//! they are, so both kinds mix freely.

use super::layout::{FieldLayout, Layout, TEXT_FIELD_BITS, TypeLayout};
use super::readers::{Leaf, Leaves};
use super::row::{COLUMNS, read, signed, unsigned};
use super::writer::outside;
use crate::error::StoreError;
use crate::find::{FindRequest, HasReferences, Page, Sort, Spaces};
use crate::object::{ALL_SPACES, SavedObject};
use crate::types::Class;
use ikebana_query::{Field, FieldKind, Mapping, MatchMode, Query, Scalar, analysis};
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, params_from_iter};
use std::ops::Bound;
use std::sync::Arc;

/// `WHERE` and `ORDER BY` with their parameters.
struct Compiled {
    condition: String,
    order: String,
    parameters: Vec<Sql>,
    /// How many of the parameters the condition has; the order has the rest.
    condition_parameters: usize,
    leaves: Vec<Leaf>,
}

/// One page and the total.
pub(super) fn page(
    connection: &Connection,
    layout: &Layout,
    leaves: &Leaves,
    request: &FindRequest,
) -> Result<Page, StoreError> {
    let Some(compiled) = compile(layout, request)? else {
        return Ok(Page { total: 0, objects: Vec::new() });
    };
    leaves.set(compiled.leaves);
    let sql = |error: rusqlite::Error| outside(&error);
    // One transaction, so that total and page are of the same moment.
    let transaction = connection.unchecked_transaction().map_err(sql)?;
    let total: i64 = transaction
        .prepare_cached(&format!("SELECT count(*) FROM objects o WHERE {}", compiled.condition))
        .and_then(|mut statement| {
            let parameters = &compiled.parameters[..compiled.condition_parameters];
            statement.query_row(params_from_iter(parameters), |row| row.get(0))
        })
        .map_err(sql)?;
    let mut objects = Vec::new();
    if request.size > 0 && signed(request.from as u64) < total {
        let text = format!(
            "SELECT {COLUMNS} FROM objects o WHERE {} ORDER BY {} LIMIT {} OFFSET {}",
            compiled.condition, compiled.order, request.size, request.from
        );
        let mut statement = transaction.prepare_cached(&text).map_err(sql)?;
        let mut rows = statement.query(params_from_iter(&compiled.parameters)).map_err(sql)?;
        while let Some(row) = rows.next().map_err(sql)? {
            objects.push(Arc::new(read(layout, row)?.object));
        }
    }
    Ok(Page { total: unsigned(total), objects })
}

/// The row numbers of everything that the request finds, in its order.
pub(super) fn rows(
    connection: &Connection,
    layout: &Layout,
    leaves: &Leaves,
    request: &FindRequest,
) -> Result<Vec<i64>, StoreError> {
    let Some(compiled) = compile(layout, request)? else { return Ok(Vec::new()) };
    leaves.set(compiled.leaves);
    let text =
        format!("SELECT o.object FROM objects o WHERE {} ORDER BY {}", compiled.condition, compiled.order);
    let mut statement = connection.prepare_cached(&text).map_err(|error| outside(&error))?;
    statement
        .query_map(params_from_iter(&compiled.parameters), |row| row.get(0))
        .and_then(Iterator::collect)
        .map_err(|error| outside(&error))
}

/// The objects of these rows that are still there, in order.
pub(super) fn objects(
    connection: &Connection,
    layout: &Layout,
    rows: &[i64],
) -> Result<Vec<Arc<SavedObject>>, StoreError> {
    let sql = |error: rusqlite::Error| outside(&error);
    let mut statement = connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM objects o WHERE o.object = ?"))
        .map_err(sql)?;
    let mut found = Vec::with_capacity(rows.len());
    for number in rows {
        let mut rows = statement.query([number]).map_err(sql)?;
        if let Some(row) = rows.next().map_err(sql)? {
            found.push(Arc::new(read(layout, row)?.object));
        }
    }
    Ok(found)
}

/// `None`: no type of the request is registered, so there is nothing to find.
fn compile(layout: &Layout, request: &FindRequest) -> Result<Option<Compiled>, StoreError> {
    let types: Vec<&TypeLayout> =
        request.types.iter().filter_map(|name| layout.by_name(name)).map(|one| &**one).collect();
    if types.is_empty() {
        return Ok(None);
    }
    let mut compiler = Compiler { types: &types, parameters: Vec::new(), leaves: Vec::new(), indexed: false };
    let mut conditions = Vec::new();
    let query = compiler.query(&request.query)?;
    conditions.push(query);
    if let Some(search) = &request.search {
        let query = super::search::query(&types, search);
        conditions.push(compiler.query(&query)?);
    }
    if let Some(references) = &request.has_reference {
        conditions.push(compiler.references(references));
    }
    if let Some(references) = &request.has_no_reference {
        conditions.push(format!("NOT {}", compiler.references(references)));
    }
    conditions.push(compiler.visible(&request.spaces));
    let condition_parameters = compiler.parameters.len();
    let order = compiler.order(&request.sort)?;
    Ok(Some(Compiled {
        condition: conditions.join(" AND "),
        order,
        parameters: compiler.parameters,
        condition_parameters,
        leaves: compiler.leaves,
    }))
}

struct Compiler<'a> {
    types: &'a [&'a TypeLayout],
    parameters: Vec<Sql>,
    leaves: Vec<Leaf>,
    /// Whether some condition narrows the rows by an index of its own.
    indexed: bool,
}

/// What a field name of a query means.
enum Target<'a> {
    /// A column of `objects`, of one type or of all.
    Root(&'static str, FieldKind, Option<&'a TypeLayout>),
    /// An attribute.
    Attribute(&'a TypeLayout, String, Option<&'a FieldLayout>),
}

impl<'a> Compiler<'a> {
    fn bind(&mut self, value: Sql) -> String {
        self.parameters.push(value);
        format!("?{}", self.parameters.len())
    }

    fn bind_text(&mut self, text: &str) -> String {
        self.bind(Sql::Text(text.to_owned()))
    }

    fn query(&mut self, query: &Query) -> Result<String, StoreError> {
        match query {
            Query::MatchAll => Ok("TRUE".to_owned()),
            Query::MatchNone => Ok("FALSE".to_owned()),
            Query::And(members) => self.members(members, " AND ", "TRUE"),
            Query::Or(members) => self.members(members, " OR ", "FALSE"),
            Query::Not(inner) => Ok(format!("NOT {}", self.query(inner)?)),
            leaf => self.leaf(leaf),
        }
    }

    fn members(&mut self, members: &[Query], joiner: &str, empty: &str) -> Result<String, StoreError> {
        if members.is_empty() {
            return Ok(empty.to_owned());
        }
        let parts = members.iter().map(|member| self.query(member)).collect::<Result<Vec<_>, _>>()?;
        Ok(format!("({})", parts.join(joiner)))
    }

    fn leaf(&mut self, leaf: &Query) -> Result<String, StoreError> {
        let Some(field) = field_of(leaf) else {
            return Err(StoreError::BadQuery("a query without field".to_owned()));
        };
        match self.target(field.as_str())? {
            None => Ok("FALSE".to_owned()),
            Some(Target::Root(column, kind, of_type)) => {
                let condition = self.compare(leaf, column, kind)?;
                Ok(match of_type {
                    Some(of_type) => format!("(+o.type = {} AND {condition})", of_type.id),
                    None => condition,
                })
            }
            Some(Target::Attribute(of_type, path, Some(indexed))) if indexed.kind != FieldKind::Text => {
                match self.compare(leaf, "v.value", indexed.kind) {
                    Ok(condition) => {
                        self.indexed = true;
                        Ok(format!(
                            "o.object IN (SELECT v.object FROM field_values v WHERE v.field = {} AND {condition})",
                            indexed.id
                        ))
                    }
                    Err(_) => self.unindexed(leaf, of_type, &path, Some(indexed.kind)),
                }
            }
            Some(Target::Attribute(of_type, path, Some(indexed))) => match words_expression(leaf) {
                Some(expression) => {
                    self.indexed = true;
                    let expression = self.bind(Sql::Text(expression));
                    Ok(format!(
                        "o.object IN (SELECT rowid >> {TEXT_FIELD_BITS} FROM words WHERE words MATCH {expression} \
                         AND rowid & {} = {})",
                        (1 << TEXT_FIELD_BITS) - 1,
                        indexed.id
                    ))
                }
                None => self.unindexed(leaf, of_type, &path, Some(FieldKind::Text)),
            },
            Some(Target::Attribute(of_type, path, None)) => self.unindexed(leaf, of_type, &path, None),
        }
    }

    /// Asks the evaluator, row by row.
    fn unindexed(
        &mut self,
        leaf: &Query,
        of_type: &TypeLayout,
        path: &str,
        kind: Option<FieldKind>,
    ) -> Result<String, StoreError> {
        let kind = kind.unwrap_or_else(|| implied_kind(leaf));
        let query = with_field(leaf, path)
            .ok_or_else(|| StoreError::BadQuery(format!("[{path}] cannot be asked for so")))?;
        self.leaves.push(Leaf { query, mapping: Mapping::new().with(path, kind) });
        Ok(format!("(+o.type = {} AND holds({}, o.attributes))", of_type.id, self.leaves.len() - 1))
    }

    /// `<type>.attributes.<path>`, `<type>.<root>` or `<root>`; `None`: a type that was not asked for.
    fn target(&self, field: &str) -> Result<Option<Target<'a>>, StoreError> {
        let root = |name: &str| {
            Some(match name {
                "id" => ("o.id", FieldKind::Keyword),
                "originId" => ("o.origin", FieldKind::Keyword),
                "created_at" => ("o.created_at", FieldKind::Date),
                "updated_at" => ("o.updated_at", FieldKind::Date),
                "created_by" => ("o.created_by", FieldKind::Keyword),
                "updated_by" => ("o.updated_by", FieldKind::Keyword),
                _ => return None,
            })
        };
        if let Some((column, kind)) = root(field) {
            return Ok(Some(Target::Root(column, kind, None)));
        }
        let unknown = || StoreError::BadQuery(format!("This key '{field}' does not name a field"));
        let (name, rest) = field.split_once('.').ok_or_else(unknown)?;
        let Some(of_type) = self.types.iter().find(|one| *one.name == *name) else {
            return Ok(None);
        };
        if let Some(path) = rest.strip_prefix("attributes.") {
            let indexed = of_type.fields.iter().find(|one| one.path == path);
            return Ok(Some(Target::Attribute(of_type, path.to_owned(), indexed)));
        }
        let (column, kind) = root(rest).ok_or_else(unknown)?;
        Ok(Some(Target::Root(column, kind, Some(of_type))))
    }

    /// A condition on one value. Fails for what SQL has no words for; the evaluator has.
    fn compare(&mut self, leaf: &Query, column: &str, kind: FieldKind) -> Result<String, StoreError> {
        let no_words = || StoreError::BadQuery(format!("[{column}] cannot be asked for so"));
        Ok(match leaf {
            Query::Term { value, .. } => self.equal(column, kind, std::slice::from_ref(value)),
            Query::Terms { values, .. } => self.equal(column, kind, values),
            Query::Match { text, prefix: false, .. } => {
                self.equal(column, kind, &[Scalar::Text(text.clone())])
            }
            Query::Exists { .. } => format!("{column} IS NOT NULL"),
            Query::Range { lower, upper, .. } => {
                let mut parts = vec![format!("{column} IS NOT NULL")];
                for (bound, included, excluded) in [(lower, ">=", ">"), (upper, "<=", "<")] {
                    let (value, operator) = match bound {
                        Bound::Included(value) => (value, included),
                        Bound::Excluded(value) => (value, excluded),
                        Bound::Unbounded => continue,
                    };
                    let value = scalar(kind, value).ok_or_else(no_words)?;
                    parts.push(format!("{column} {operator} {}", self.bind(value)));
                }
                format!("({})", parts.join(" AND "))
            }
            Query::Prefix { prefix, .. } if kind == FieldKind::Keyword => {
                let pattern = self.bind_text(&format!("{}*", glob_escaped(prefix)));
                let least = self.bind_text(prefix);
                format!("({column} >= {least} AND {column} GLOB {pattern})")
            }
            Query::Wildcard { pattern, .. } if kind == FieldKind::Keyword => {
                let pieces: Vec<String> = pattern.pieces().iter().map(|piece| glob_escaped(piece)).collect();
                let pattern = self.bind_text(&pieces.join("*"));
                format!("{column} GLOB {pattern}")
            }
            _ => return Err(no_words()),
        })
    }

    fn equal(&mut self, column: &str, kind: FieldKind, values: &[Scalar]) -> String {
        let values: Vec<String> =
            values.iter().filter_map(|value| scalar(kind, value)).map(|value| self.bind(value)).collect();
        match values.as_slice() {
            // What cannot be a value of the field is equal to none.
            [] => "FALSE".to_owned(),
            [one] => format!("{column} = {one}"),
            many => format!("{column} IN ({})", many.join(",")),
        }
    }

    fn references(&mut self, references: &HasReferences) -> String {
        self.indexed = true;
        let parts: Vec<String> = references
            .to
            .iter()
            .map(|(object_type, id)| {
                let (object_type, id) = (self.bind_text(object_type), self.bind_text(id));
                format!(
                    "o.object IN (SELECT object FROM object_references WHERE type = {object_type} AND id = {id})"
                )
            })
            .collect();
        if parts.is_empty() {
            return "TRUE".to_owned();
        }
        format!("({})", parts.join(if references.all { " AND " } else { " OR " }))
    }

    /// Rows of the types asked for that are seen from the spaces asked for.
    fn visible(&mut self, spaces: &Spaces) -> String {
        let spaced = self.types.iter().any(|one| one.declared.class != Class::Agnostic);
        let names: Option<Vec<String>> = match spaces {
            Spaces::Some(spaces) if spaced => Some(
                spaces
                    .iter()
                    .map(|space| &**space)
                    .chain([ALL_SPACES])
                    .map(|name| self.bind_text(name))
                    .collect(),
            ),
            _ => None,
        };
        // A narrowing index goes first: without the sign SQLite might walk all rows of the type instead.
        let sign = if self.indexed { "+" } else { "" };
        let parts: Vec<String> = self
            .types
            .iter()
            .map(|of_type| {
                let id = of_type.id;
                match &names {
                    Some(names) if of_type.declared.class != Class::Agnostic => {
                        let names = names.join(",");
                        if self.indexed {
                            format!(
                                "(+o.type = {id} AND EXISTS (SELECT 1 FROM object_spaces s WHERE s.space IN ({names}) \
                                 AND s.type = {id} AND s.object = o.object))"
                            )
                        } else {
                            format!(
                                "o.object IN (SELECT s.object FROM object_spaces s WHERE s.space IN ({names}) \
                                 AND s.type = {id})"
                            )
                        }
                    }
                    _ => format!("{sign}o.type = {id}"),
                }
            })
            .collect();
        format!("({})", parts.join(" OR "))
    }

    fn order(&mut self, sorts: &[Sort]) -> Result<String, StoreError> {
        let mut parts = Vec::new();
        for sort in sorts {
            let direction = if sort.descending { "DESC" } else { "ASC" };
            let key = match sort.field.as_str() {
                "id" => "o.id".to_owned(),
                "type" => "(SELECT t.name FROM types t WHERE t.type = o.type)".to_owned(),
                "created_at" => "o.created_at".to_owned(),
                "updated_at" => "o.updated_at".to_owned(),
                field => match field.strip_prefix("attributes.") {
                    Some(path) => format!("o.attributes ->> {}", self.bind_text(&json_path(path))),
                    None => return Err(StoreError::BadQuery(format!("Unknown sort field {field}"))),
                },
            };
            parts.push(format!("{key} {direction} NULLS LAST"));
        }
        parts.push("o.object".to_owned());
        Ok(parts.join(", "))
    }
}

fn field_of(leaf: &Query) -> Option<&Field> {
    match leaf {
        Query::Term { field, .. }
        | Query::Terms { field, .. }
        | Query::Range { field, .. }
        | Query::Exists { field }
        | Query::Prefix { field, .. }
        | Query::Wildcard { field, .. }
        | Query::Match { field, .. } => Some(field),
        _ => None,
    }
}

/// The same leaf on another path.
fn with_field(leaf: &Query, path: &str) -> Option<Query> {
    let mut leaf = leaf.clone();
    match &mut leaf {
        Query::Term { field, .. }
        | Query::Terms { field, .. }
        | Query::Range { field, .. }
        | Query::Exists { field }
        | Query::Prefix { field, .. }
        | Query::Wildcard { field, .. }
        | Query::Match { field, .. } => *field = Field::from(path),
        _ => return None,
    }
    Some(leaf)
}

/// The kind that the values of a leaf speak for, where the type declares none.
fn implied_kind(leaf: &Query) -> FieldKind {
    let value = match leaf {
        Query::Term { value, .. } => Some(value),
        Query::Terms { values, .. } => values.first(),
        Query::Range { lower: Bound::Included(value) | Bound::Excluded(value), .. }
        | Query::Range { upper: Bound::Included(value) | Bound::Excluded(value), .. } => Some(value),
        Query::Match { .. } => return FieldKind::Text,
        _ => None,
    };
    match value {
        Some(Scalar::Number(_)) => FieldKind::Number,
        Some(Scalar::Boolean(_)) => FieldKind::Boolean,
        Some(Scalar::Date(_)) => FieldKind::Date,
        Some(Scalar::Ip(_)) => FieldKind::Ip,
        _ => FieldKind::Keyword,
    }
}

/// The indexed form of a query's value.
fn scalar(kind: FieldKind, value: &Scalar) -> Option<Sql> {
    let json = match value {
        Scalar::Text(text) => serde_json::Value::from(text.as_str()),
        Scalar::Number(number) => serde_json::Value::Number(number.clone()),
        Scalar::Boolean(flag) => serde_json::Value::Bool(*flag),
        Scalar::Date(time) => serde_json::Value::from(time.as_millisecond()),
        Scalar::Ip(address) => serde_json::Value::from(address.to_string()),
    };
    super::row::sql_value(kind, &json)
}

/// The full-text expression of a leaf on analysed text; `None` where full-text search has no words for it.
fn words_expression(leaf: &Query) -> Option<String> {
    let quoted = |word: &str| format!("\"{}\"", word.replace('"', "\"\""));
    match leaf {
        Query::Term { value: Scalar::Text(word), .. } => Some(quoted(word)),
        Query::Prefix { prefix, .. } if !prefix.is_empty() => Some(format!("{} *", quoted(prefix))),
        Query::Match { text, mode, prefix, .. } => {
            let words: Vec<_> = analysis::words(text).collect();
            let (last, before) = words.split_last()?;
            let star = if *prefix { " *" } else { "" };
            Some(match mode {
                MatchMode::Phrase => format!("{}{star}", quoted(&words.join(" "))),
                MatchMode::All | MatchMode::Any => {
                    let mut parts: Vec<String> = before.iter().map(|word| quoted(word)).collect();
                    parts.push(format!("{}{star}", quoted(last)));
                    parts.join(if *mode == MatchMode::All { " AND " } else { " OR " })
                }
            })
        }
        _ => None,
    }
}

/// The text, with nothing in it that `GLOB` takes for a pattern.
fn glob_escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '*' | '?' | '[') {
            escaped.extend(['[', letter, ']']);
        } else {
            escaped.push(letter);
        }
    }
    escaped
}

/// `a.b` as SQLite's JSON path `$."a"."b"`.
fn json_path(path: &str) -> String {
    path.split('.').fold("$".to_owned(), |mut text, part| {
        text.push_str(&format!(".\"{}\"", part.replace('"', "")));
        text
    })
}
