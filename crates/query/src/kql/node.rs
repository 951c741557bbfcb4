use crate::Wildcard;

/// The syntax tree of a KQL text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// `a and b`: at least two members when parsed.
    And(Vec<Node>),
    /// `a or b`: at least two members when parsed.
    Or(Vec<Node>),
    /// `not a`.
    Not(Box<Node>),
    /// `field: value`; a bare value has [`Literal::Null`] as field.
    Is {
        /// The field, in which `*` is a wildcard.
        field: Literal,
        /// The value; a lone `*` asks whether the field exists.
        value: Literal,
    },
    /// `field > value`.
    Range {
        /// The field, in which `*` is a wildcard.
        field: Literal,
        /// The comparison.
        operator: RangeOperator,
        /// The limit.
        value: Literal,
    },
    /// Whether a field exists. The parser does not make this one (`field: *` is an [`Node::Is`]); the JSON form has it.
    Exists {
        /// The field.
        field: Literal,
    },
    /// `path: { query }`; the fields inside are relative to the path.
    Nested {
        /// The nested path.
        path: Literal,
        /// What one object of the path must be like.
        query: Box<Node>,
    },
}

impl Node {
    /// The tree of a text of nothing but white space: `*: *`.
    pub fn match_all() -> Node {
        Node::Is { field: Literal::lone_wildcard(), value: Literal::lone_wildcard() }
    }

    /// Shows every field name and nested path of the tree, in the order of the text, to be looked at or changed.
    pub fn fields_mut(&mut self, visit: &mut dyn FnMut(&mut Literal)) {
        match self {
            Node::And(nodes) | Node::Or(nodes) => nodes.iter_mut().for_each(|node| node.fields_mut(visit)),
            Node::Not(node) => node.fields_mut(visit),
            Node::Is { field, .. } | Node::Range { field, .. } | Node::Exists { field } => visit(field),
            Node::Nested { path, query } => {
                visit(path);
                query.fields_mut(visit);
            }
        }
    }
}

/// A name or value of a KQL text. Numbers and dates are texts until the field's kind is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Literal {
    /// Unquoted `null`, or no field at all.
    Null,
    /// Unquoted `true` or `false`.
    Boolean(bool),
    /// Any other text, escapes resolved.
    Text {
        /// The text.
        text: String,
        /// Whether it was in double quotes, which makes it a phrase.
        quoted: bool,
    },
    /// Unquoted text with at least one unescaped `*`.
    Wildcard(Wildcard),
}

impl Literal {
    /// An unquoted text, nothing in it being special.
    pub fn unquoted(text: impl Into<String>) -> Literal {
        Literal::Text { text: text.into(), quoted: false }
    }

    /// A quoted text.
    pub fn quoted(text: impl Into<String>) -> Literal {
        Literal::Text { text: text.into(), quoted: true }
    }

    /// `*`.
    pub fn lone_wildcard() -> Literal {
        Literal::Wildcard(Wildcard::from_text("*"))
    }

    /// Whether this is nothing but stars.
    pub fn is_lone_wildcard(&self) -> bool {
        matches!(self, Literal::Wildcard(pattern) if pattern.is_lone())
    }
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RangeOperator {
    /// `>`
    Gt,
    /// `>=`
    Gte,
    /// `<`
    Lt,
    /// `<=`
    Lte,
}

impl RangeOperator {
    pub(super) const ALL: [RangeOperator; 4] =
        [RangeOperator::Lte, RangeOperator::Gte, RangeOperator::Lt, RangeOperator::Gt];

    /// As written in KQL.
    pub fn symbol(self) -> &'static str {
        match self {
            RangeOperator::Gt => ">",
            RangeOperator::Gte => ">=",
            RangeOperator::Lt => "<",
            RangeOperator::Lte => "<=",
        }
    }

    /// As named in the JSON form and in Elasticsearch's range query.
    pub fn name(self) -> &'static str {
        match self {
            RangeOperator::Gt => "gt",
            RangeOperator::Gte => "gte",
            RangeOperator::Lt => "lt",
            RangeOperator::Lte => "lte",
        }
    }
}
