//! Random commits, done by the engine and by a plain map, and random questions to both.

use super::{Factory, Scene, fault};
use ikebana_query::{Field, FieldKind, Mapping, MatchMode, Query, Scalar, Wildcard, matches};
use ikebana_store::{
    ALL_SPACES, Change, ChangeKind, Changes, Class, Commit, Draft, FindRequest, Key, Operation, Precondition,
    Reference, Spaces, Version,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Included, Unbounded};
use std::sync::Arc;

const TYPES: [&str; 3] = ["note", "single", "agnostic"];
const SPACES: [&str; 3] = ["a", "b", "c"];
const IDS: [&str; 3] = ["1", "2", "3"];

/// A change as it is drawn: places in the lists above.
#[derive(Clone, Debug)]
enum Step {
    Put { name: Name, spaces: usize, attributes: Value, keep: bool },
    Delete(Name),
    Empty(usize),
}

#[derive(Clone, Copy, Debug)]
struct Name {
    object_type: usize,
    space: usize,
    id: usize,
}

#[derive(Clone, Debug)]
enum Demand {
    Absent(Name),
    /// Of the object as it is, if it is; otherwise, or if stale, of none.
    Version(Name, bool),
    Below(usize, u64),
}

#[derive(Clone, Debug)]
struct Question {
    types: Vec<usize>,
    spaces: Option<Vec<usize>>,
    query: Query,
    from: usize,
    size: usize,
}

type Turn = (Vec<Demand>, Vec<Step>, Vec<Question>);

fn name() -> impl Strategy<Value = Name> {
    (0..TYPES.len(), 0..SPACES.len(), 0..IDS.len()).prop_map(|(object_type, space, id)| Name {
        object_type,
        space,
        id,
    })
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        "[abA]{0,2}",
        "[ab]( |-|é)[abB]{1,2}",
        "-?[0-2](\\.5)?",
        Just("true".to_owned()),
        Just("2024-01-01".to_owned())
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        3 => word().prop_map(Value::from),
        2 => (-1..3_i64).prop_map(Value::from),
        1 => Just(json!(1.5)),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    prop_oneof![3 => scalar.clone(), 1 => prop::collection::vec(scalar, 0..3).prop_map(Value::from)]
}

/// Attributes under indexed and other names; `o.k` as an object, as a dotted key, or as a list of objects.
fn attributes() -> impl Strategy<Value = Value> {
    let owner = prop_oneof![
        value().prop_map(|value| json!({"owner": {"name": value}})),
        value().prop_map(|value| json!({"owner.name": value})),
        (value(), value()).prop_map(|(one, other)| json!({"owner": [{"name": one}, {"name": other}]})),
    ];
    let unique = prop::option::weighted(0.5, prop_oneof![Just("x"), Just("y")]);
    let names =
        prop::sample::select(&["status", "title", "size", "done", "due", "tags", "text", "number"][..]);
    (prop::collection::btree_map(names, value(), 0..6), owner, unique).prop_map(|(values, owner, unique)| {
        let mut attributes: Map<String, Value> =
            values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        attributes.extend(super::map(owner));
        attributes.extend(unique.map(|name| ("name".to_owned(), json!(name))));
        Value::Object(attributes)
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (name(), 0..8_usize, attributes(), any::<bool>())
            .prop_map(|(name, spaces, attributes, keep)| Step::Put { name, spaces, attributes, keep }),
        2 => name().prop_map(Step::Delete),
        1 => (0..SPACES.len()).prop_map(Step::Empty),
    ]
}

fn demand() -> impl Strategy<Value = Demand> {
    prop_oneof![
        name().prop_map(Demand::Absent),
        (name(), prop::bool::weighted(0.8)).prop_map(|(name, current)| Demand::Version(name, current)),
        (0..TYPES.len(), 1..6_u64).prop_map(|(object_type, limit)| Demand::Below(object_type, limit)),
    ]
}

/// Fields with the kinds that they have, or that the drawn values speak for.
fn leaf() -> impl Strategy<Value = Query> {
    let field = |names: &'static [&'static str]| prop::sample::select(names).prop_map(Field::from);
    let indexed = || {
        field(&[
            "note.attributes.status",
            "note.attributes.title",
            "note.attributes.size",
            "note.attributes.done",
            "note.attributes.due",
            "note.attributes.owner.name",
            "note.attributes.tags",
            "single.attributes.status",
            "single.attributes.title",
            "agnostic.attributes.status",
            "id",
            "type",
            "note.id",
            "single.type",
        ])
    };
    let texts =
        || field(&["note.attributes.text", "single.attributes.text", "agnostic.attributes.owner.name"]);
    let numbers = || field(&["note.attributes.number", "single.attributes.size"]);
    let text = || word().prop_map(Scalar::Text);
    let number = || {
        prop_oneof![
            (-1..3_i64).prop_map(Scalar::from),
            Just(Scalar::Number(1.5.to_string().parse().unwrap()))
        ]
    };
    let scalar = || prop_oneof![text(), number(), any::<bool>().prop_map(Scalar::from)];
    let bound = |scalar: BoxedStrategy<Scalar>| {
        prop_oneof![Just(Unbounded), scalar.clone().prop_map(Included), scalar.prop_map(Excluded)]
    };
    let mode = || prop::sample::select(&[MatchMode::Any, MatchMode::All, MatchMode::Phrase][..]);
    let any_text = || prop_oneof![indexed(), texts()];
    prop_oneof![
        Just(Query::MatchAll),
        (indexed(), scalar()).prop_map(|(field, value)| Query::Term { field, value }),
        (texts(), text()).prop_map(|(field, value)| Query::Term { field, value }),
        (numbers(), number()).prop_map(|(field, value)| Query::Term { field, value }),
        (indexed(), prop::collection::vec(scalar(), 0..3))
            .prop_map(|(field, values)| Query::Terms { field, values }),
        (indexed(), bound(scalar().boxed()), bound(scalar().boxed()))
            .prop_map(|(field, lower, upper)| Query::Range { field, lower, upper }),
        (numbers(), number(), bound(number().boxed())).prop_map(|(field, lower, upper)| Query::Range {
            field,
            lower: Included(lower),
            upper
        }),
        any_text().prop_map(|field| Query::Exists { field }),
        (any_text(), "[abA-]{0,2}").prop_map(|(field, prefix)| Query::Prefix { field, prefix }),
        (any_text(), "[abA*]{0,3}")
            .prop_map(|(field, text)| Query::Wildcard { field, pattern: Wildcard::from_text(&text) }),
        (indexed(), word(), mode(), any::<bool>()).prop_map(|(field, text, mode, prefix)| Query::Match {
            field,
            text,
            mode,
            prefix
        }),
    ]
}

fn query() -> impl Strategy<Value = Query> {
    leaf().prop_recursive(3, 10, 3, |query| {
        prop_oneof![
            prop::collection::vec(query.clone(), 0..4).prop_map(Query::And),
            prop::collection::vec(query.clone(), 0..4).prop_map(Query::Or),
            query.prop_map(Query::negate),
        ]
    })
}

fn question() -> impl Strategy<Value = Question> {
    let types = prop::sample::subsequence(vec![0, 1, 2], 1..=3);
    let spaces = prop::option::of(prop::collection::vec(0..SPACES.len(), 0..3));
    (types, spaces, query(), 0..3_usize, 0..12_usize)
        .prop_map(|(types, spaces, query, from, size)| Question { types, spaces, query, from, size })
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let turn = (
        prop::collection::vec(demand(), 0..2),
        prop::collection::vec(step(), 1..5),
        prop::collection::vec(question(), 1..4),
    );
    prop::collection::vec(turn, 1..10)
}

/// What each field is to the evaluator.
fn mapping() -> Mapping {
    let scene = super::registry();
    let mut mapping = Mapping::new();
    for of_type in scene.all() {
        for field in of_type.indexed {
            mapping = mapping.with(format!("{}.attributes.{}", of_type.name, field.path), field.kind);
        }
        for (path, kind) in [("text", FieldKind::Keyword), ("number", FieldKind::Number)] {
            mapping = mapping.with(format!("{}.attributes.{path}", of_type.name), kind);
        }
        mapping = mapping.with(format!("{}.id", of_type.name), FieldKind::Keyword);
        mapping = mapping.with(format!("{}.type", of_type.name), FieldKind::Keyword);
    }
    mapping
        .with("single.attributes.size", FieldKind::Number)
        .with("agnostic.attributes.owner.name", FieldKind::Keyword)
        .with("id", FieldKind::Keyword)
        .with("type", FieldKind::Keyword)
}

#[derive(Clone, Debug)]
struct Kept {
    draft: Draft,
    /// Counts the objects in the order in which they were made.
    age: u64,
    version: Option<Version>,
}

#[derive(Clone, Default)]
struct Model {
    objects: BTreeMap<Key, Kept>,
    ages: u64,
    /// The last thing that happened to each object that ever was.
    fates: BTreeMap<Key, ChangeKind>,
}

impl Model {
    fn run(&mut self, commit: &Commit) -> Result<u64, String> {
        for precondition in &commit.preconditions {
            self.judge(precondition)?;
        }
        let mut deleted = 0;
        for operation in &commit.operations {
            match operation {
                Operation::Put(draft) => self.put(draft.clone())?,
                Operation::Delete(key) => deleted += self.delete(key),
                Operation::EmptySpace(space) => deleted += self.empty(space),
            }
        }
        Ok(deleted)
    }

    fn judge(&self, precondition: &Precondition) -> Result<(), String> {
        match precondition {
            Precondition::Absent(key) if self.objects.contains_key(key) => {
                Err(format!("Saved object [{key}] conflict"))
            }
            Precondition::Version(key, version) => match self.objects.get(key) {
                None => Err(format!("Saved object [{key}] not found")),
                Some(kept) if kept.version != Some(*version) => Err(format!("Saved object [{key}] conflict")),
                Some(_) => Ok(()),
            },
            Precondition::CountBelow { object_type, limit } => {
                let count =
                    self.objects.keys().filter(|key| *key.object_type == **object_type).count() as u64;
                if count < *limit {
                    return Ok(());
                }
                Err(format!("there are {limit} objects of type [{object_type}] already"))
            }
            Precondition::Absent(_) => Ok(()),
        }
    }

    fn put(&mut self, draft: Draft) -> Result<(), String> {
        let name = |draft: &Draft| draft.attributes.get("name").cloned();
        let is_taken = |other: &Kept| {
            other.draft.key != draft.key
                && other.draft.key.object_type == draft.key.object_type
                && name(&other.draft) == name(&draft)
                && meet(&other.draft.namespaces, &draft.namespaces)
        };
        if *draft.key.object_type != *"note" && name(&draft).is_some() && self.objects.values().any(is_taken)
        {
            return Err(format!("another [{}] has the same [name]", draft.key.object_type));
        }
        self.ages += 1;
        let age = self.objects.get(&draft.key).map_or(self.ages, |kept| kept.age);
        self.fates.insert(draft.key.clone(), ChangeKind::Put);
        self.objects.insert(draft.key.clone(), Kept { draft, age, version: None });
        Ok(())
    }

    fn delete(&mut self, key: &Key) -> u64 {
        if self.objects.remove(key).is_none() {
            return 0;
        }
        self.fates.insert(key.clone(), ChangeKind::Delete);
        1
    }

    fn empty(&mut self, space: &Arc<str>) -> u64 {
        let inside: Vec<Key> = self
            .objects
            .values()
            .filter(|kept| kept.draft.namespaces.contains(space))
            .map(|kept| kept.draft.key.clone())
            .collect();
        let mut deleted = 0;
        for key in inside {
            let kept = self.objects.get_mut(&key).unwrap();
            kept.draft.namespaces.retain(|name| name != space);
            kept.version = None;
            if kept.draft.namespaces.is_empty() {
                deleted += self.delete(&key);
            } else {
                self.fates.insert(key, ChangeKind::Put);
            }
        }
        deleted
    }

    /// Total, and the keys of the page.
    fn find(&self, question: &Question, mapping: &Mapping) -> (u64, Vec<Key>) {
        let is_seen = |kept: &Kept| match &question.spaces {
            Some(spaces) if !kept.draft.namespaces.is_empty() => kept
                .draft
                .namespaces
                .iter()
                .any(|name| **name == *ALL_SPACES || spaces.iter().any(|space| *SPACES[*space] == **name)),
            _ => true,
        };
        let mut found: Vec<&Kept> = self
            .objects
            .values()
            .filter(|kept| question.types.iter().any(|name| *TYPES[*name] == *kept.draft.key.object_type))
            .filter(|kept| is_seen(kept))
            .filter(|kept| matches(&question.query, &document(&kept.draft), mapping))
            .collect();
        found.sort_by_key(|kept| kept.age);
        let page = found.iter().skip(question.from).take(question.size).map(|kept| kept.draft.key.clone());
        (found.len() as u64, page.collect())
    }
}

fn meet(one: &[Arc<str>], other: &[Arc<str>]) -> bool {
    let everywhere = |names: &[Arc<str>]| names.iter().any(|name| **name == *ALL_SPACES);
    one.is_empty() || everywhere(one) || everywhere(other) || one.iter().any(|name| other.contains(name))
}

/// An object as queries name its fields.
fn document(draft: &Draft) -> Value {
    let (id, name) = (&*draft.key.id, draft.key.object_type);
    json!({"id": id, "type": name, name: {"id": id, "type": name, "attributes": draft.attributes}})
}

fn key(scene: &Scene, name: Name) -> Key {
    scene.key(TYPES[name.object_type], SPACES[name.space], IDS[name.id])
}

fn commit(scene: &Scene, model: &Model, demands: &[Demand], steps: &[Step]) -> Commit {
    let preconditions = demands.iter().map(|demand| match demand {
        Demand::Absent(name) => Precondition::Absent(key(scene, *name)),
        Demand::Version(name, current) => {
            let key = key(scene, *name);
            let known = model.objects.get(&key).filter(|_| *current).and_then(|kept| kept.version);
            Precondition::Version(key, known.unwrap_or(Version { seq_no: 0, primary_term: 1 }))
        }
        Demand::Below(object_type, limit) => {
            Precondition::CountBelow { object_type: TYPES[*object_type].into(), limit: *limit }
        }
    });
    let operations = steps.iter().map(|step| match step {
        Step::Put { name, spaces, attributes, keep } => {
            let mut draft =
                scene.draft(TYPES[name.object_type], SPACES[name.space], IDS[name.id], attributes.clone());
            if scene.registry.get(TYPES[name.object_type]).unwrap().class == Class::Multiple {
                draft.namespaces = match spaces {
                    0 => vec![ALL_SPACES.into()],
                    bits => (0..3).filter(|at| bits >> at & 1 == 1).map(|at| SPACES[at].into()).collect(),
                };
            }
            if *keep {
                let to = Reference { name: "r".into(), object_type: "note".into(), id: IDS[name.id].into() };
                draft.references = vec![to];
            }
            Operation::Put(draft)
        }
        Step::Delete(name) => Operation::Delete(key(scene, *name)),
        Step::Empty(space) => Operation::EmptySpace(SPACES[*space].into()),
    });
    Commit { preconditions: preconditions.collect(), operations: operations.collect(), ..Commit::new() }
}

/// Every object that can be: all of them are read after every turn.
fn universe(scene: &Scene) -> Vec<Key> {
    let mut keys = Vec::new();
    for object_type in 0..TYPES.len() {
        for space in 0..SPACES.len() {
            keys.extend((0..IDS.len()).map(|id| key(scene, Name { object_type, space, id })));
        }
    }
    keys.sort();
    keys.dedup();
    keys
}

async fn compare(scene: &Scene, model: &mut Model, questions: &[Question], mapping: &Mapping) {
    let keys = universe(scene);
    let found = scene.engine.get(&keys).await.unwrap();
    for (key, object) in keys.iter().zip(&found) {
        let kept = model.objects.get_mut(key);
        assert_eq!(object.is_some(), kept.is_some(), "{key:?}");
        let (Some(object), Some(kept)) = (object, kept) else { continue };
        assert_eq!(Draft { created_at: None, ..object.draft() }, kept.draft);
        assert!(kept.version.is_none_or(|version| version == object.version), "{key:?} was not written");
        kept.version = Some(object.version);
    }
    for question in questions {
        let request = FindRequest {
            types: question.types.iter().map(|at| TYPES[*at].into()).collect(),
            spaces: match &question.spaces {
                Some(spaces) => Spaces::Some(spaces.iter().map(|at| SPACES[*at].into()).collect()),
                None => Spaces::All,
            },
            query: question.query.clone(),
            from: question.from,
            size: question.size,
            ..FindRequest::of("note")
        };
        let page = scene.engine.find(request).await.unwrap();
        let keys: Vec<Key> = page.objects.iter().map(|object| object.key.clone()).collect();
        assert_eq!((page.total, keys), model.find(question, mapping), "{question:?}");
    }
    let Changes::Since(changes) = scene.engine.changes(0, 10_000).await.unwrap() else { panic!("lost") };
    assert!(changes.windows(2).all(|pair| pair[0].seq_no < pair[1].seq_no));
    let fates: BTreeMap<Key, (ChangeKind, u64)> =
        changes.into_iter().map(|Change { seq_no, key, kind }| (key, (kind, seq_no))).collect();
    let kinds: BTreeMap<Key, ChangeKind> =
        fates.iter().map(|(key, (kind, _))| (key.clone(), *kind)).collect();
    assert_eq!(kinds, model.fates);
    for object in found.iter().flatten() {
        assert_eq!(fates[&object.key].1, object.version.seq_no);
    }
}

async fn play(make: Factory, turns: Vec<Turn>) {
    let scene = Scene::new(make);
    let mapping = mapping();
    let mut model = Model::default();
    for (demands, steps, questions) in turns {
        let commit = commit(&scene, &model, &demands, &steps);
        let mut after = model.clone();
        let answer = scene.engine.commit(commit.clone()).await;
        match after.run(&commit) {
            Ok(deleted) => {
                let committed = answer.unwrap();
                assert_eq!(committed.deleted, deleted);
                let asked: Vec<Draft> = commit.operations.iter().filter_map(put).collect();
                let written = committed.objects.iter();
                let written: Vec<Draft> =
                    written.map(|object| Draft { created_at: None, ..object.draft() }).collect();
                assert_eq!(written, asked);
                model = after;
            }
            Err(text) => assert_eq!(fault(answer), text),
        }
        compare(&scene, &mut model, &questions, &mapping).await;
    }
}

fn put(operation: &Operation) -> Option<Draft> {
    match operation {
        Operation::Put(draft) => Some(draft.clone()),
        _ => None,
    }
}

/// At least 200 cases; more with `PROPTEST_CASES`.
pub(crate) fn an_engine_does_as_a_map_does(make: Factory) {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    proptest!(config, |(turns in turns())| {
        runtime.block_on(play(make, turns));
    });
}
