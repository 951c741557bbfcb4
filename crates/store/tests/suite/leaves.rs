//! Every leaf of the query tree.

use super::{Factory, START, Scene};
use ikebana_query::{Field, MatchMode, Query, Scalar, Wildcard};
use ikebana_store::{Draft, FindRequest, Spaces};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::ops::Bound::{self, Excluded, Included, Unbounded};
use std::time::Duration;

/// A leaf that is still to be told its field.
type Ask = Box<dyn Fn(Field) -> Query>;

fn date(text: &str) -> Scalar {
    Scalar::Date(text.parse::<Timestamp>().unwrap())
}

fn text(text: &str) -> Scalar {
    Scalar::from(text)
}

fn number(number: f64) -> Scalar {
    Scalar::Number(serde_json::Number::from_f64(number).unwrap())
}

fn term(value: Scalar) -> Ask {
    Box::new(move |field| Query::Term { field, value: value.clone() })
}

fn terms(values: &[Scalar]) -> Ask {
    let values = values.to_vec();
    Box::new(move |field| Query::Terms { field, values: values.clone() })
}

fn range(lower: Bound<Scalar>, upper: Bound<Scalar>) -> Ask {
    Box::new(move |field| Query::Range { field, lower: lower.clone(), upper: upper.clone() })
}

fn exists() -> Ask {
    Box::new(|field| Query::Exists { field })
}

fn prefix(prefix: &'static str) -> Ask {
    Box::new(move |field| Query::Prefix { field, prefix: prefix.to_owned() })
}

fn wildcard(pattern: &'static str) -> Ask {
    Box::new(move |field| Query::Wildcard { field, pattern: Wildcard::from_text(pattern) })
}

fn words(text: &'static str, mode: MatchMode, prefix: bool) -> Ask {
    Box::new(move |field| Query::Match { field, text: text.to_owned(), mode, prefix })
}

/// Notes whose attributes are there twice: where they are indexed, and below `plain` where they are not.
async fn furnish(scene: &Scene) {
    let all = [
        (
            "1",
            json!({"status": "open", "size": 1, "done": true, "due": "2024-01-01", "tags": ["a", "b"],
                     "owner": {"name": "ann"}, "title": "Quick brown fox"}),
        ),
        (
            "2",
            json!({"status": "open-late", "size": 2.5, "done": false, "due": "2024-01-02T10:00:00.000Z",
                     "tags": ["b", "c*d"], "owner.name": "bob", "title": ["the lazy dog", "brown bread"]}),
        ),
        (
            "3",
            json!({"status": "Öffen[?]", "size": 10, "done": true, "due": "2024-01-03T00:00:00+02:00",
                     "tags": [], "owner": [{"name": "ann"}, {"name": "eve"}], "title": "dogged"}),
        ),
        ("4", json!({})),
        (
            "5",
            json!({"status": null, "size": [-1, 9_007_199_254_740_993_i64], "tags": [null],
                     "owner": {"name": null}, "title": ""}),
        ),
    ];
    let draft = |(id, attributes): (&str, Value)| {
        let mut both = attributes.clone();
        both["plain"] = attributes;
        scene.note(id, both)
    };
    scene.put_all(all.map(draft)).await;
}

type Case = (&'static str, Ask, &'static [&'static str]);

pub(crate) async fn every_leaf_on_indexed_and_unindexed_attributes(make: Factory) {
    let scene = Scene::new(make);
    furnish(&scene).await;
    let cases: Vec<Case> = vec![
        ("status", term(text("open")), &["1"]),
        ("status", term(text("OPEN")), &[]),
        ("status", terms(&[text("open"), text("open-late"), text("never")]), &["1", "2"]),
        ("status", terms(&[]), &[]),
        ("status", exists(), &["1", "2", "3"]),
        ("status", prefix("open"), &["1", "2"]),
        ("status", prefix("open-"), &["2"]),
        ("status", prefix("Ö"), &["3"]),
        ("status", prefix(""), &["1", "2", "3"]),
        ("status", prefix("["), &[]),
        ("status", wildcard("*en*"), &["1", "2", "3"]),
        ("status", wildcard("o*n"), &["1"]),
        ("status", wildcard("*[?]"), &["3"]),
        ("status", wildcard("?pen"), &[]),
        ("status", wildcard("open"), &["1"]),
        ("status", wildcard("*"), &["1", "2", "3"]),
        ("status", range(Included(text("open")), Unbounded), &["1", "2", "3"]),
        ("status", range(Excluded(text("open")), Excluded(text("p"))), &["2"]),
        ("tags", term(text("b")), &["1", "2"]),
        ("tags", term(text("c*d")), &["2"]),
        ("tags", exists(), &["1", "2"]),
        ("owner.name", term(text("ann")), &["1", "3"]),
        ("owner.name", term(text("bob")), &["2"]),
        ("owner.name", terms(&[text("bob"), text("eve")]), &["2", "3"]),
        ("owner.name", exists(), &["1", "2", "3"]),
        ("size", term(Scalar::from(1)), &["1"]),
        ("size", term(number(1.0)), &["1"]),
        ("size", term(number(2.5)), &["2"]),
        ("size", term(Scalar::from(9_007_199_254_740_993)), &["5"]),
        ("size", term(Scalar::from(9_007_199_254_740_992)), &[]),
        ("size", terms(&[Scalar::from(10), Scalar::from(-1)]), &["3", "5"]),
        ("size", range(Excluded(Scalar::from(1)), Unbounded), &["2", "3", "5"]),
        ("size", range(Included(Scalar::from(-1)), Included(Scalar::from(1))), &["1", "5"]),
        ("size", range(Included(Scalar::from(0)), Excluded(Scalar::from(1))), &[]),
        ("size", range(Unbounded, Excluded(number(2.6))), &["1", "2", "5"]),
        ("done", term(Scalar::from(true)), &["1", "3"]),
        ("done", term(Scalar::from(false)), &["2"]),
        ("due", term(date("2024-01-01T00:00:00Z")), &["1"]),
        ("due", range(Included(date("2024-01-02T10:00:00Z")), Unbounded), &["2", "3"]),
        ("due", range(Excluded(date("2024-01-02T10:00:00Z")), Unbounded), &["3"]),
        ("due", range(Unbounded, Excluded(date("2024-01-02T22:00:00Z"))), &["1", "2"]),
        ("title", words("brown DOG", MatchMode::Any, false), &["1", "2"]),
        ("title", words("brown fox", MatchMode::All, false), &["1"]),
        ("title", words("bread the", MatchMode::All, false), &["2"]),
        ("title", words("brown fox", MatchMode::Phrase, false), &["1"]),
        ("title", words("dog brown", MatchMode::Phrase, false), &[]),
        ("title", words("lazy do", MatchMode::Phrase, true), &["2"]),
        ("title", words("dog", MatchMode::All, true), &["2", "3"]),
        ("title", words("-!", MatchMode::Any, false), &[]),
    ];
    for (path, query, expected) in cases {
        for field in [format!("note.attributes.{path}"), format!("note.attributes.plain.{path}")] {
            let query = query(Field::new(field));
            assert_eq!(scene.asked(query.clone()).await, expected, "{query:?}");
        }
    }
    // Of an object, any of its values; what was never heard of has none.
    for (path, expected) in [("owner", &["1", "3"][..]), ("plain", &["1", "2", "3", "5"]), ("never", &[])] {
        let query = Query::Exists { field: Field::new(format!("note.attributes.{path}")) };
        assert_eq!(scene.asked(query).await, expected, "{path}");
    }
}

pub(crate) async fn text_leaves_compare_words(make: Factory) {
    let scene = Scene::new(make);
    furnish(&scene).await;
    let cases: Vec<(Ask, &[&str])> = vec![
        (term(text("brown")), &["1", "2"]),
        (term(text("Brown")), &[]),
        (term(text("brown fox")), &[]),
        (terms(&[text("fox"), text("dogged")]), &["1", "3"]),
        (exists(), &["1", "2", "3", "5"]),
        (prefix("dog"), &["2", "3"]),
        (prefix("Dog"), &[]),
        (prefix("lazy d"), &[]),
        (prefix(""), &["1", "2", "3"]),
        (wildcard("*og*"), &["2", "3"]),
        (wildcard("b*n"), &["1", "2"]),
        (range(Included(text("quick")), Unbounded), &["1", "2"]),
    ];
    for (query, expected) in cases {
        let query = query(Field::from("note.attributes.title"));
        assert_eq!(scene.asked(query.clone()).await, expected, "{query:?}");
    }
}

pub(crate) async fn addresses_flattened_and_nested_fields(make: Factory) {
    let scene = Scene::new(make);
    let steps = json!([{"kind": "a", "n": 1}, {"kind": "b", "n": 2}]);
    scene
        .put_all([
            scene.note(
                "1",
                json!({"address": "10.0.0.9", "labels": {"team": "blue", "n": 1}, "steps": steps}),
            ),
            scene.note("2", json!({"address": ["10.0.0.10", "::1"], "labels": {"deep": {"er": "blue"}}})),
            scene.note("3", json!({"address": "no address", "steps": {"kind": "a", "n": 2}})),
        ])
        .await;
    let ip = |text: &str| Scalar::Ip(text.parse().unwrap());
    let nested = |kind: &str, n: i64| Query::Nested {
        path: "note.attributes.steps".into(),
        query: Box::new(Query::And(vec![
            Query::term("note.attributes.steps.kind", kind),
            Query::Term { field: "note.attributes.steps.n".into(), value: Scalar::from(n) },
        ])),
    };
    let at = |path: &str| Field::new(format!("note.attributes.{path}"));
    let cases: Vec<(Query, &[&str])> = vec![
        (term(ip("10.0.0.10"))(at("address")), &["2"]),
        (range(Included(ip("10.0.0.9")), Included(ip("10.0.0.10")))(at("address")), &["1", "2"]),
        (exists()(at("address")), &["1", "2"]),
        (term(text("blue"))(at("labels")), &["1", "2"]),
        (term(text("blue"))(at("labels.team")), &["1"]),
        (term(text("1"))(at("labels.n")), &["1"]),
        (exists()(at("labels.deep")), &["2"]),
        (nested("a", 1), &["1"]),
        (nested("a", 2), &["3"]),
        (nested("b", 1), &[]),
        (Query::negate(nested("a", 2)), &["1", "2"]),
    ];
    for (query, expected) in cases {
        assert_eq!(scene.asked(query.clone()).await, expected, "{query:?}");
    }
}

pub(crate) async fn root_fields_are_asked_for_alone_and_behind_a_type(make: Factory) {
    let scene = Scene::new(make);
    let by = |name: &str, draft: Draft| Draft {
        origin_id: Some(format!("origin of {name}")),
        created_by: Some(name.to_owned()),
        updated_by: Some(format!("{name} too")),
        ..draft
    };
    scene.put(by("ann", scene.note("1", json!({})))).await;
    scene.clock.advance(Duration::from_secs(60));
    scene.put(scene.note("2", json!({}))).await;
    scene.put(by("bob", scene.draft("agnostic", "default", "1", json!({})))).await;
    let later = Timestamp::from_millisecond(START.0 + 60_000).unwrap();
    let later = || Included(Scalar::Date(later));
    let cases: Vec<(&str, Ask, [&[&str]; 2])> = vec![
        ("id", term(text("1")), [&["note 1", "agnostic 1"], &["note 1"]]),
        ("id", wildcard("*"), [&["note 1", "note 2", "agnostic 1"], &["note 1", "note 2"]]),
        ("type", term(text("note")), [&["note 1", "note 2"], &["note 1", "note 2"]]),
        ("type", terms(&[text("agnostic"), text("x")]), [&["agnostic 1"], &[]]),
        ("type", prefix("ag"), [&["agnostic 1"], &[]]),
        ("originId", term(text("origin of ann")), [&["note 1"], &["note 1"]]),
        ("originId", exists(), [&["note 1", "agnostic 1"], &["note 1"]]),
        ("created_by", words("bob", MatchMode::Any, false), [&["agnostic 1"], &[]]),
        ("created_by", words("b", MatchMode::Any, true), [&["agnostic 1"], &[]]),
        ("updated_by", wildcard("a*too"), [&["note 1"], &["note 1"]]),
        ("created_at", range(later(), Unbounded), [&["note 2", "agnostic 1"], &["note 2"]]),
        ("updated_at", range(Unbounded, Excluded(later_scalar())), [&["note 1"], &["note 1"]]),
        ("updated_at", range(Included(text("no date")), Unbounded), [&[], &[]]),
        ("updated_at", prefix("2023"), [&[], &[]]),
    ];
    for (name, query, expected) in cases {
        for (field, expected) in [name.to_owned(), format!("note.{name}")].into_iter().zip(expected) {
            let query = query(Field::new(field));
            let types = vec!["note".into(), "agnostic".into()];
            let request = FindRequest { types, query: query.clone(), ..FindRequest::of("note") };
            let page = scene.engine.find(request).await.unwrap();
            let found: Vec<String> =
                page.objects.iter().map(|one| format!("{} {}", one.key.object_type, one.key.id)).collect();
            assert_eq!(found, expected, "{query:?}");
        }
    }
}

fn later_scalar() -> Scalar {
    Scalar::Date(Timestamp::from_millisecond(START.0 + 60_000).unwrap())
}

pub(crate) async fn not_is_the_other_half(make: Factory) {
    let scene = Scene::new(make);
    furnish(&scene).await;
    let with_origin = Draft { origin_id: Some("o".to_owned()), ..scene.note("6", json!({})) };
    scene.put(with_origin).await;
    let all = ["1", "2", "3", "4", "5", "6"];
    for field in
        ["originId", "note.originId", "created_by", "note.attributes.status", "note.attributes.plain.status"]
    {
        for leaf in [term(text("open")), term(text("o")), prefix("o"), wildcard("*o*"), exists()] {
            let query = leaf(Field::from(field));
            let found = scene.asked(query.clone()).await;
            let rest: Vec<&str> = all.into_iter().filter(|id| !found.contains(&(*id).to_owned())).collect();
            assert_eq!(scene.asked(Query::negate(query.clone())).await, rest, "{query:?}");
            let twice = Query::negate(Query::negate(query.clone()));
            assert_eq!(scene.asked(twice).await, found, "{query:?}");
            let both = Query::And(vec![query.clone(), Query::negate(query.clone())]);
            assert_eq!(scene.asked(both).await, Vec::<String>::new(), "{query:?}");
            let either = Query::Or(vec![query.clone(), Query::negate(query.clone())]);
            assert_eq!(scene.asked(either).await, all, "{query:?}");
        }
    }
    assert_eq!(scene.asked(Query::MatchAll).await, all);
    assert_eq!(scene.asked(Query::MatchNone).await, Vec::<String>::new());
    assert_eq!(scene.asked(Query::And(vec![])).await, all);
    assert_eq!(scene.asked(Query::Or(vec![])).await, Vec::<String>::new());
}

pub(crate) async fn values_that_a_field_cannot_hold_are_not_held(make: Factory) {
    let scene = Scene::new(make);
    scene
        .put_all([
            scene.note("1", json!({"size": "NaN", "done": 1, "due": true, "status": {"a": 1}, "title": 7})),
            scene.note("2", json!({"size": "inf", "done": "yes", "due": "someday", "title": [true, null]})),
            scene.note("3", json!({"size": [true, "1e999"], "done": "", "due": 1.5})),
            scene.note(
                "4",
                json!({"size": [1, 1.0, "1", " 01 "], "done": "true", "due": 0, "status": [1, "1"]}),
            ),
        ])
        .await;
    let cases: Vec<Case> = vec![
        ("size", exists(), &["4"]),
        ("size", term(text("01")), &["4"]),
        ("size", term(Scalar::from(true)), &[]),
        ("size", range(Unbounded, Excluded(Scalar::from(true))), &[]),
        ("size", range(Included(Scalar::from(0)), Included(Scalar::from(true))), &[]),
        ("size", prefix("1"), &[]),
        ("done", exists(), &["3", "4"]),
        ("done", term(Scalar::from(false)), &["3"]),
        ("done", term(Scalar::from(1)), &[]),
        ("due", exists(), &["4"]),
        ("due", term(text("1970-01-01")), &["4"]),
        ("due", term(text("someday")), &[]),
        ("status", term(Scalar::from(1)), &["4"]),
        ("status", exists(), &["4"]),
        ("title", words("7 true", MatchMode::Any, false), &["1", "2"]),
    ];
    for (path, query, expected) in cases {
        let query = query(Field::new(format!("note.attributes.{path}")));
        assert_eq!(scene.asked(query.clone()).await, expected, "{query:?}");
    }
}

pub(crate) async fn patterns_take_no_exponential_time(make: Factory) {
    let scene = Scene::new(make);
    let long = "a".repeat(2000);
    scene.put(Draft { origin_id: Some(long.clone()), ..scene.note("1", json!({"status": long})) }).await;
    for field in ["note.attributes.status", "originId"] {
        let pattern = Wildcard::from_text(&format!("{}b", "*a".repeat(30)));
        let query = Query::Wildcard { field: field.into(), pattern };
        let found = tokio::time::timeout(Duration::from_secs(20), scene.asked(query)).await;
        assert_eq!(found, Ok(vec![]));
    }
}

pub(crate) async fn thousands_of_members_are_answered(make: Factory) {
    let scene = Scene::new(make);
    furnish(&scene).await;
    let ids = || (0..4000).map(|n| n.to_string());
    let spaces = Spaces::All;
    let any = Query::Or(ids().map(|id| Query::term("note.id", id)).collect());
    assert_eq!(scene.asked(any).await, ["1", "2", "3", "4", "5"]);
    let fields = ids().map(|id| Query::term("note.attributes.status", id)).collect();
    assert_eq!(scene.asked(Query::negate(Query::Or(fields))).await.len(), 5);
    let values = ids().map(Scalar::Text).collect();
    let terms = Query::Terms { field: "note.id".into(), values };
    assert_eq!(scene.asked(terms).await.len(), 5);
    let values = (0..40_000).map(|n| Scalar::Text(n.to_string())).collect();
    let query = Query::Terms { field: "note.id".into(), values };
    let answer = scene.engine.find(FindRequest { query, spaces, ..FindRequest::of("note") }).await;
    match answer {
        Ok(page) => assert_eq!(page.total, 5),
        Err(error) => assert_eq!(error.to_string(), "a query may not have more than 32000 values"),
    }
}
