//! The keys of an object.

use std::collections::HashMap;

use super::{Kind, Schema};

/// Keys in declaration order, with the order in which they are checked.
#[derive(Clone)]
pub(crate) struct ObjectKind {
    pub(crate) fields: Vec<(&'static str, Schema)>,
    /// Positions in `fields`; a key that depends on a sibling comes after it, all else as declared.
    pub(crate) order: Vec<usize>,
    index: HashMap<&'static str, usize>,
}

/// Up to this many keys a comparison with each beats hashing.
const LINEAR: usize = 6;

impl ObjectKind {
    pub(crate) fn new(fields: Vec<(&'static str, Schema)>) -> Self {
        let index: HashMap<_, _> =
            fields.iter().enumerate().map(|(position, (key, _))| (*key, position)).collect();
        debug_assert_eq!(index.len(), fields.len(), "a key is declared twice");
        let order = checking_order(&fields, &index);
        Self { fields, order, index }
    }

    pub(crate) fn position(&self, key: &str) -> Option<usize> {
        if self.fields.len() <= LINEAR {
            return self.fields.iter().position(|(name, _)| *name == key);
        }
        self.index.get(key).copied()
    }
}

fn checking_order(fields: &[(&'static str, Schema)], index: &HashMap<&'static str, usize>) -> Vec<usize> {
    let mut order = Vec::with_capacity(fields.len());
    for position in 0..fields.len() {
        place(position, fields, index, &mut order, 0);
    }
    order
}

fn place(
    position: usize,
    fields: &[(&'static str, Schema)],
    index: &HashMap<&'static str, usize>,
    order: &mut Vec<usize>,
    depth: usize,
) {
    if order.contains(&position) {
        return;
    }
    if let Kind::Conditional(conditional) = fields[position].1.kind()
        && let Some(sibling) = index.get(conditional.sibling)
        // A circle of conditions is cut off at its length.
        && depth < fields.len()
    {
        place(*sibling, fields, index, order, depth + 1);
    }
    if !order.contains(&position) {
        order.push(position);
    }
}
