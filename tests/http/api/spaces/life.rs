//! A model of all spaces, driven at random beside the server.

use crate::support::{bare, default_space, error};
use ikebana_testkit::server::TestServer;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const LIMIT: usize = 4;
const IDS: [&str; 5] = ["default", "a", "b", "c", "d"];

#[derive(Clone, Debug)]
enum Step {
    Create(Value),
    Update(&'static str, Value),
    Delete(&'static str),
    Get(&'static str),
    List,
}

fn body() -> impl Strategy<Value = Value> {
    let text = |values: &'static [&'static str]| proptest::option::of(proptest::sample::select(values));
    let features = proptest::option::of(Just(json!(["canvas", "unknown"])));
    let parts = (
        proptest::sample::select(&IDS[..]),
        proptest::sample::select(&["x", "B", "é"][..]),
        text(&["", "some words"]),
        text(&["#000000", "#zzzzzz"]),
        text(&["", "AB"]),
        text(&["", "data:image/gif;base64,"]),
        features,
    );
    parts.prop_map(|(id, name, description, color, initials, image, features)| {
        let mut body = json!({"id": id, "name": name});
        let texts =
            [("description", description), ("color", color), ("initials", initials), ("imageUrl", image)];
        for (key, value) in texts {
            if let Some(value) = value {
                body[key] = json!(value);
            }
        }
        if let Some(features) = features {
            body["disabledFeatures"] = features;
        }
        body
    })
}

fn step() -> impl Strategy<Value = Step> {
    let id = || proptest::sample::select(&IDS[..]);
    prop_oneof![
        4 => body().prop_map(Step::Create),
        4 => (id(), body()).prop_map(|(id, body)| Step::Update(id, body)),
        2 => id().prop_map(Step::Delete),
        1 => id().prop_map(Step::Get),
        1 => Just(Step::List),
    ]
}

/// All spaces as they should be answered, without the order of their keys.
struct Model(BTreeMap<String, Map<String, Value>>);

impl Model {
    fn new() -> Self {
        let default = default_space().as_object().expect("an object").clone();
        Self(BTreeMap::from([("default".to_owned(), default)]))
    }

    fn answer(&mut self, step: &Step) -> (u16, Value) {
        match step {
            Step::Create(body) => self.create(body),
            Step::Update(id, body) => {
                let Some(space) = self.0.get_mut(*id) else { return bare(404) };
                space.insert("disabledFeatures".to_owned(), json!([]));
                for (key, value) in
                    body.as_object().expect("an object").iter().filter(|(key, _)| *key != "id")
                {
                    space.insert(key.clone(), value.clone());
                }
                (200, json!(space))
            }
            Step::Delete("default") => {
                error(400, "The default space cannot be deleted because it is reserved.")
            }
            Step::Delete(id) => self.0.remove(*id).map_or_else(|| bare(404), |_| (204, Value::Null)),
            Step::Get(id) => self.0.get(*id).map_or_else(|| bare(404), |space| (200, json!(space))),
            Step::List => {
                let mut all: Vec<_> = self.0.values().collect();
                all.sort_by_key(|space| (space["name"].to_string(), space["id"].to_string()));
                (200, json!(all))
            }
        }
    }

    fn create(&mut self, body: &Value) -> (u16, Value) {
        if self.0.len() >= LIMIT {
            let text = "Unable to create Space, this exceeds the maximum number of spaces set by the \
                        xpack.spaces.maxSpaces setting";
            return error(400, text);
        }
        let id = body["id"].as_str().expect("an id");
        if self.0.contains_key(id) {
            return error(409, &format!("A space with the identifier {id} already exists."));
        }
        let mut space = body.as_object().expect("an object").clone();
        space.entry("disabledFeatures").or_insert_with(|| json!([]));
        self.0.insert(id.to_owned(), space.clone());
        (200, json!(space))
    }
}

async fn send(server: &TestServer, step: &Step) -> (u16, Value) {
    let path = |id: &str| format!("/api/spaces/space/{id}");
    let (status, mut body) = match step {
        Step::Create(body) => server.post("/api/spaces/space", body).await,
        Step::Update(id, body) => server.put(&path(id), body).await,
        Step::Delete(id) => server.delete(&path(id)).await,
        Step::Get(id) => server.get(&path(id)).await,
        Step::List => server.get("/api/spaces/space").await,
    }
    .whole();
    // Spaces of the same name may come in any order.
    if let Value::Array(list) = &mut body {
        assert!(list.is_sorted_by_key(|space| space["name"].as_str().map(str::to_owned)));
        list.sort_by_key(|space| (space["name"].to_string(), space["id"].to_string()));
    }
    (status, body)
}

#[tokio::test]
async fn any_sequence_of_calls_answers_as_the_model_does() {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let steps = proptest::collection::vec(step(), 60);
    for _ in 0..8 {
        let steps = steps.new_tree(&mut runner).expect("steps").current();
        let server = TestServer::start_with(|config| config.spaces.max_spaces = LIMIT as u64).await;
        let mut model = Model::new();
        for (at, step) in steps.iter().enumerate() {
            assert_eq!(send(&server, step).await, model.answer(step), "step {at}: {step:?}");
        }
    }
}
