//! Compiles a search into SQL and runs it.
//!
//! What an index answers becomes `object IN (SELECT … )`; what none answers is asked of each remaining row
//! through the SQL function `holds`, which calls the plain evaluator. `and`, `or` and `not` stay what
//! they are, so both kinds mix freely.

use super::conditions::{Parameters, Words, condition, field_of, mapping, renamed, words};
use super::layout::{FieldLayout, Layout, TEXT_FIELD_BITS, TypeLayout, is_indexable};
use super::readers::{Leaf, Leaves};
use super::row::{COLUMNS, read, signed, unsigned};
use super::writer::outside;
use crate::error::StoreError;
use crate::find::{FindRequest, HasReferences, Page, Sort, Spaces};
use crate::object::{ALL_SPACES, SavedObject};
use crate::types::Class;
use ikebana_query::{FieldKind, Query};
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, params_from_iter};
use std::sync::Arc;

/// Values that one statement can take (`SQLITE_MAX_VARIABLE_NUMBER`), with room for page and order.
const MOST_VALUES: usize = 32_000;

/// The name of a row's type.
const TYPE_NAME: &str = "(SELECT t.name FROM types t WHERE t.type = o.type)";

/// `WHERE` and `ORDER BY` with their parameters.
struct Compiled {
    condition: String,
    order: String,
    parameters: Vec<Sql>,
    /// How many of the parameters the condition has; the order has the rest.
    in_condition: usize,
    leaves: Vec<Leaf>,
    /// Whether an index of its own narrows the rows, or each must be looked into.
    narrows: bool,
}

/// One page and the total. Runs in a transaction of the caller, so that both are of the same moment.
pub(super) fn page(
    connection: &Connection,
    layout: &Layout,
    leaves: &Leaves,
    request: &FindRequest,
) -> Result<Page, StoreError> {
    let Some(compiled) = compile(layout, request)? else {
        return Ok(Page { total: 0, objects: Vec::new() });
    };
    if compiled.narrows && request.size > 0 {
        // One look at what the condition finds serves the total and the page.
        let found = numbers(connection, leaves, compiled)?;
        let shown = found.iter().skip(request.from).take(request.size).copied().collect::<Vec<_>>();
        return Ok(Page { total: found.len() as u64, objects: objects(connection, layout, &shown)? });
    }
    counted(connection, layout, leaves, request, compiled)
}

/// For conditions that most rows fulfil: the total by an index alone, the page without looking further
/// than it reaches.
fn counted(
    connection: &Connection,
    layout: &Layout,
    leaves: &Leaves,
    request: &FindRequest,
    compiled: Compiled,
) -> Result<Page, StoreError> {
    leaves.set(compiled.leaves);
    let sql = |error: rusqlite::Error| outside(&error);
    let mut parameters = compiled.parameters;
    let total: i64 = connection
        .prepare_cached(&format!("SELECT count(*) FROM objects o WHERE {}", compiled.condition))
        .and_then(|mut statement| {
            statement.query_row(params_from_iter(&parameters[..compiled.in_condition]), |row| row.get(0))
        })
        .map_err(sql)?;
    let mut objects = Vec::new();
    if request.size > 0 && signed(request.from as u64) < total {
        let text = format!(
            "SELECT {COLUMNS} FROM objects o WHERE {} ORDER BY {} LIMIT ?{} OFFSET ?{}",
            compiled.condition,
            compiled.order,
            parameters.len() + 1,
            parameters.len() + 2
        );
        parameters.extend([request.size, request.from].map(|count| Sql::Integer(signed(count as u64))));
        let mut statement = connection.prepare_cached(&text).map_err(sql)?;
        let mut rows = statement.query(params_from_iter(&parameters)).map_err(sql)?;
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
    numbers(connection, leaves, compiled)
}

fn numbers(connection: &Connection, leaves: &Leaves, compiled: Compiled) -> Result<Vec<i64>, StoreError> {
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
    let mut compiler =
        Compiler { types: &types, parameters: Parameters::default(), leaves: Vec::new(), indexed: false };
    let mut conditions = Vec::new();
    let query = compiler.query(&request.query)?;
    conditions.push(query);
    if let Some(search) = &request.search {
        let query = super::search::query(&types, search);
        conditions.push(compiler.query(&query)?);
    }
    if let Some(references) = request.has_reference.as_ref().filter(|references| !references.to.is_empty()) {
        conditions.push(compiler.references(references));
    }
    if let Some(references) = request.has_no_reference.as_ref().filter(|references| !references.to.is_empty())
    {
        conditions.push(format!("NOT {}", compiler.references(references)));
    }
    conditions.push(compiler.visible(&request.spaces));
    let in_condition = compiler.parameters.count();
    if in_condition > MOST_VALUES {
        return Err(StoreError::BadQuery(format!("a query may not have more than {MOST_VALUES} values")));
    }
    let order = compiler.order(&request.sort)?;
    Ok(Some(Compiled {
        narrows: compiler.indexed || !compiler.leaves.is_empty(),
        condition: conditions.join(" AND "),
        order,
        parameters: compiler.parameters.into_values(),
        in_condition,
        leaves: compiler.leaves,
    }))
}

struct Compiler<'a> {
    types: &'a [&'a TypeLayout],
    parameters: Parameters,
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
    fn query(&mut self, query: &Query) -> Result<String, StoreError> {
        match query {
            Query::MatchAll => Ok("TRUE".to_owned()),
            Query::MatchNone => Ok("FALSE".to_owned()),
            Query::And(members) => self.members(members, " AND ", "TRUE"),
            Query::Or(members) => self.members(members, " OR ", "FALSE"),
            // What is unknown of a column without value is not so.
            Query::Not(inner) => Ok(format!("NOT (({}) IS TRUE)", self.query(inner)?)),
            leaf => self.leaf(leaf),
        }
    }

    fn members(&mut self, members: &[Query], joiner: &str, empty: &str) -> Result<String, StoreError> {
        let parts = members.iter().map(|member| self.query(member)).collect::<Result<Vec<_>, _>>()?;
        Ok(if parts.is_empty() { empty.to_owned() } else { balanced(&parts, joiner) })
    }

    fn leaf(&mut self, leaf: &Query) -> Result<String, StoreError> {
        let field = field_of(leaf);
        let (of_type, path, indexed) = match self.target(field)? {
            None => return Ok("FALSE".to_owned()),
            Some(Target::Root(column, kind, of_type)) => {
                let condition = condition(leaf, column, kind, &mut self.parameters, &mut self.leaves);
                return Ok(match of_type {
                    Some(of_type) => format!("(+o.type = {} AND {condition})", of_type.id),
                    None => condition,
                });
            }
            Some(Target::Attribute(of_type, path, indexed)) => (of_type, path, indexed),
        };
        let behind = &field[..field.len() - path.len()];
        match indexed {
            Some(FieldLayout { id, kind: FieldKind::Text, .. }) => self.text(leaf, of_type, behind, *id),
            Some(FieldLayout { id, kind, .. }) if is_indexable(*kind) => {
                self.indexed = true;
                let condition = condition(leaf, "v.value", *kind, &mut self.parameters, &mut self.leaves);
                Ok(format!(
                    "o.object IN (SELECT v.object FROM field_values v WHERE v.field = {id} AND {condition})"
                ))
            }
            _ => Ok(self.unindexed(leaf, of_type, behind)),
        }
    }

    fn text(
        &mut self,
        leaf: &Query,
        of_type: &TypeLayout,
        behind: &str,
        field: i64,
    ) -> Result<String, StoreError> {
        let (expression, exact) = match words(leaf) {
            Words::Never => return Ok("FALSE".to_owned()),
            Words::Unspeakable => return Ok(self.unindexed(leaf, of_type, behind)),
            Words::Found { expression, exact } => (expression, exact),
        };
        self.indexed = true;
        let expression = self.parameters.bind_text(&expression);
        let found = format!(
            "o.object IN (SELECT rowid >> {TEXT_FIELD_BITS} FROM words WHERE words MATCH {expression} \
             AND rowid & {} = {field})",
            (1 << TEXT_FIELD_BITS) - 1
        );
        Ok(if exact { found } else { format!("({found} AND {})", self.unindexed(leaf, of_type, behind)) })
    }

    /// Asks the evaluator, row by row. `behind` stands before the paths in the query's names.
    fn unindexed(&mut self, leaf: &Query, of_type: &TypeLayout, behind: &str) -> String {
        let query = renamed(leaf, behind);
        let mapping = mapping(&of_type.fields, &query);
        self.leaves.push(Leaf::Attributes { query, mapping });
        format!("(+o.type = {} AND holds({}, o.attributes))", of_type.id, self.leaves.len() - 1)
    }

    /// `<type>.attributes.<path>`, `<type>.<root>` or `<root>`; `None`: a type that was not asked for.
    fn target(&self, field: &str) -> Result<Option<Target<'a>>, StoreError> {
        let root = |name: &str| {
            Some(match name {
                "type" => (TYPE_NAME, FieldKind::Keyword),
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

    fn references(&mut self, references: &HasReferences) -> String {
        self.indexed = true;
        let parts: Vec<String> = references
            .to
            .iter()
            .map(|(object_type, id)| {
                let (object_type, id) = (self.parameters.bind_text(object_type), self.parameters.bind_text(id));
                format!(
                    "o.object IN (SELECT object FROM object_references WHERE type = {object_type} AND id = {id})"
                )
            })
            .collect();
        balanced(&parts, if references.all { " AND " } else { " OR " })
    }

    /// Rows of the types asked for that are seen from the spaces asked for.
    fn visible(&mut self, spaces: &Spaces) -> String {
        // An agnostic type does not ask, and a statement takes no value that it does not use.
        let asks = self.types.iter().any(|of_type| of_type.declared.class != Class::Agnostic);
        let names: Option<String> = match spaces {
            Spaces::Some(spaces) if asks => {
                let names = spaces.iter().map(|space| &**space).chain([ALL_SPACES]);
                Some(names.map(|name| self.parameters.bind_text(name)).collect::<Vec<_>>().join(","))
            }
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
                        if self.indexed {
                            format!(
                                "EXISTS (SELECT 1 FROM object_spaces s WHERE s.space IN ({names}) \
                                 AND s.type = {id} AND s.object = o.object)"
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
                "type" => TYPE_NAME.to_owned(),
                "created_at" => "o.created_at".to_owned(),
                "updated_at" => "o.updated_at".to_owned(),
                field => match field.strip_prefix("attributes.") {
                    Some(path) => format!("o.attributes ->> {}", self.parameters.bind_text(&json_path(path))),
                    None => return Err(StoreError::BadQuery(format!("Unknown sort field {field}"))),
                },
            };
            parts.push(format!("{key} {direction} NULLS LAST"));
        }
        parts.push("o.object".to_owned());
        Ok(parts.join(", "))
    }
}

/// The members joined as a tree without depth: SQLite refuses a chain of more than a thousand.
fn balanced(parts: &[String], joiner: &str) -> String {
    match parts {
        [one] => one.clone(),
        _ => {
            let (left, right) = parts.split_at(parts.len() / 2);
            format!("({}{joiner}{})", balanced(left, joiner), balanced(right, joiner))
        }
    }
}

/// `a.b` as SQLite's JSON path `$."a"."b"`.
fn json_path(path: &str) -> String {
    path.split('.').fold("$".to_owned(), |mut text, part| {
        text.push_str(&format!(".\"{}\"", part.replace('"', "")));
        text
    })
}
