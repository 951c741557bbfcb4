//! Failures of config-schema: one fault, or a union's fault with those of its members.

use serde_json::Value;

use super::Segment;
use crate::js;

/// One fault. Paths are kept in reverse: they grow while the walk returns.
pub(super) struct Failure {
    path: Vec<Segment>,
    /// The path as the library below counts it, for texts that name the value.
    label: Vec<Segment>,
    reason: Reason,
    members: Vec<Failure>,
    /// The paths of the members stop growing: a record lies between.
    apart: bool,
}

pub(super) enum Reason {
    /// `expected value of type [due] but got [got]`
    Type {
        due: &'static str,
        got: &'static str,
    },
    /// The same with a final dot.
    TypeDot {
        due: &'static str,
        got: &'static str,
    },
    /// `expected a plain object value, but found [got] instead.`
    NotObject(&'static str),
    /// `expected value to equal [x]`
    Literal(String),
    Text(String),
    Static(&'static str),
    /// `"path" <text>`
    Labelled(&'static str),
}

impl Failure {
    pub(super) fn new(reason: Reason) -> Box<Self> {
        Box::new(Self { path: Vec::new(), label: Vec::new(), reason, members: Vec::new(), apart: false })
    }

    pub(super) fn literal(expected: &Value) -> Box<Self> {
        Self::new(Reason::Literal(js::template_text(Some(expected))))
    }

    /// The fault of a union none of whose members fits. The number of a member goes right after the union's
    /// own path and into the member's own path only, not into those of faults below it.
    pub(super) fn union(members: Vec<Self>) -> Box<Self> {
        if members.len() == 1 {
            // A union of one speaks as its member.
            return members.into_iter().next().map_or_else(|| Self::new(Reason::Static("")), Box::new);
        }
        let mut failure = Self::new(Reason::Static("types that failed validation:"));
        failure.members = members
            .into_iter()
            .enumerate()
            .map(|(number, mut member)| {
                member.path.push(Segment::Index(number));
                member
            })
            .collect();
        failure
    }

    /// The same fault seen from the object or array around it.
    pub(super) fn within(mut self: Box<Self>, segment: &Segment) -> Box<Self> {
        self.push(segment);
        self
    }

    fn push(&mut self, segment: &Segment) {
        self.path.push(segment.clone());
        self.label.push(segment.clone());
        if !self.apart {
            self.members.iter_mut().for_each(|member| member.push(segment));
        }
    }

    /// The same fault seen from the record around it: entries are checked apart from the rest, so the faults
    /// of a union below keep the paths they have there.
    pub(super) fn within_record(mut self: Box<Self>, segment: Segment) -> Box<Self> {
        self.freeze();
        self.path.push(segment);
        self.apart = true;
        self
    }

    /// Turns texts that name the value into plain ones: the name stops growing here.
    fn freeze(&mut self) {
        if let Reason::Labelled(_) = self.reason {
            self.reason = Reason::Text(self.text());
        }
        self.members.iter_mut().for_each(Self::freeze);
    }

    pub(super) fn render(&self, namespace: Option<&str>) -> String {
        let mut out = String::new();
        self.write(&mut out, namespace, 0);
        out
    }

    fn write(&self, out: &mut String, namespace: Option<&str>, level: usize) {
        let mut opened = false;
        if let Some(namespace) = namespace {
            out.push('[');
            out.push_str(namespace);
            opened = true;
        }
        for segment in self.path.iter().rev() {
            out.push(if opened { '.' } else { '[' });
            out.push_str(&segment.to_string());
            opened = true;
        }
        if opened {
            out.push_str("]: ");
        }
        out.push_str(&self.text());
        for member in &self.members {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', level));
            out.push_str("- ");
            member.write(out, namespace, level + 1);
        }
    }

    fn text(&self) -> String {
        match &self.reason {
            Reason::Type { due, got } => format!("expected value of type [{due}] but got [{got}]"),
            Reason::TypeDot { due, got } => format!("expected value of type [{due}] but got [{got}]."),
            Reason::NotObject(got) => format!("expected a plain object value, but found [{got}] instead."),
            Reason::Literal(expected) => format!("expected value to equal [{expected}]"),
            Reason::Text(text) => text.clone(),
            Reason::Static(text) => (*text).to_owned(),
            Reason::Labelled(text) => format!("\"{}\" {text}", self.label_text()),
        }
    }

    fn label_text(&self) -> String {
        let mut text = String::new();
        for segment in self.label.iter().rev() {
            match segment {
                Segment::Index(index) => text.push_str(&format!("[{index}]")),
                Segment::Key(key) => {
                    if !text.is_empty() {
                        text.push('.');
                    }
                    text.push_str(key);
                }
            }
        }
        if text.is_empty() { "value".to_owned() } else { text }
    }
}
