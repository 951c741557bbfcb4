//! What can be asked of the store.

use crate::object::{DEFAULT_SPACE, SavedObject};
use ikebana_query::Query;
use std::sync::Arc;

/// Which spaces a search looks into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spaces {
    /// These, and with them what is in all spaces. Objects of class `agnostic` are in every one.
    Some(Vec<Arc<str>>),
    /// All.
    All,
}

/// One criterion of an order; ties are broken by age, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sort {
    /// A root field (`id`, `type`, `created_at`, `updated_at`) or `attributes.<path>`.
    pub field: String,
    /// Greatest first. What lacks the field comes last either way.
    pub descending: bool,
}

/// Words to look for in indexed text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// A simple query string: words, `word*`, `"a phrase"`, `+`, `|`, `-`, parentheses.
    pub text: String,
    /// Whether all words are wanted, where the text does not say.
    pub all: bool,
    /// Attribute paths, tried on every type asked for; empty: all text fields.
    pub fields: Vec<String>,
}

/// Any of these references, or all of them.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct HasReferences {
    /// Type and id of what is pointed to.
    pub to: Vec<(String, String)>,
    /// Whether all of them are wanted.
    pub all: bool,
}

/// A search.
///
/// Field names in `query`: `<type>.attributes.<path>`, or one of the root fields `type`, `id`, `originId`,
/// `created_at`, `updated_at`, alone or behind `<type>.`. A filter on an attribute that the type does not
/// index looks at every object of the type: about 1 s per million small objects.
#[derive(Clone, Debug, PartialEq)]
pub struct FindRequest {
    /// Names of types; an unregistered one finds nothing.
    pub types: Vec<Arc<str>>,
    /// Where to look.
    pub spaces: Spaces,
    /// What must hold.
    pub query: Query,
    /// Words to look for.
    pub search: Option<Search>,
    /// Pointers that it must have.
    pub has_reference: Option<HasReferences>,
    /// Pointers that it must not have (all: not all of them together).
    pub has_no_reference: Option<HasReferences>,
    /// The order; empty: by age, oldest first.
    pub sort: Vec<Sort>,
    /// Objects left out at the start.
    pub from: usize,
    /// Objects at most.
    pub size: usize,
}

impl FindRequest {
    /// Everything of one type in the default space, 20 at most.
    pub fn of(object_type: &str) -> Self {
        Self {
            types: vec![object_type.into()],
            spaces: Spaces::Some(vec![DEFAULT_SPACE.into()]),
            query: Query::MatchAll,
            search: None,
            has_reference: None,
            has_no_reference: None,
            sort: Vec::new(),
            from: 0,
            size: 20,
        }
    }
}

/// One page of a search.
#[derive(Clone, Debug)]
pub struct Page {
    /// How many there are in all.
    pub total: u64,
    /// Those of this page.
    pub objects: Vec<Arc<SavedObject>>,
}

/// A kept list of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PointInTime {
    /// Names the list.
    pub id: u64,
    /// Objects in it when it was made.
    pub total: u64,
    /// The last write that it can know of.
    pub seq_no: u64,
}
