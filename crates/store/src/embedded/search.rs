//! Words to look for, as a query on the text fields of the types asked for.

use super::layout::TypeLayout;
use crate::find::Search;
use ikebana_query::{Field, FieldKind, Fields, Operator, Query, simple_query};

/// The text fields of several types, by the names that queries use.
struct TextFields(Vec<String>);

impl Fields for TextFields {
    fn kind(&self, path: &str) -> Option<FieldKind> {
        self.0.iter().any(|name| name == path).then_some(FieldKind::Text)
    }

    fn names<'a>(&'a self) -> Box<dyn Iterator<Item = &'a str> + 'a> {
        Box::new(self.0.iter().map(String::as_str))
    }
}

/// Fields that a type does not have are left out; without any field left nothing is found.
pub(super) fn query(types: &[&TypeLayout], search: &Search) -> Query {
    let names: Vec<String> = types
        .iter()
        .flat_map(|of_type| {
            of_type
                .fields
                .iter()
                .filter(|field| field.kind == FieldKind::Text)
                .filter(|field| {
                    search.fields.is_empty() || search.fields.iter().any(|name| name == field.path)
                })
                .map(|field| format!("{}.attributes.{}", of_type.name, field.path))
        })
        .collect();
    let fields: Vec<Field> = names.iter().map(|name| Field::from(name.as_str())).collect();
    let operator = if search.all { Operator::And } else { Operator::Or };
    let parsed = simple_query::parse(&search.text, operator);
    simple_query::to_query(&parsed, &fields, &TextFields(names), operator)
}
