//! `/api/spaces/space`

use crate::support::{create_space, default_space, error, plain_space};
use ikebana_testkit::server::TestServer;
use serde_json::{Value, json};

const MAX: &str = "Unable to create Space, this exceeds the maximum number of spaces set by the \
                   xpack.spaces.maxSpaces setting";

#[tokio::test]
async fn the_documented_example_works_as_it_stands() {
    let server = TestServer::start().await;
    let body = json!({
        "id": "marketing", "name": "Marketing", "color": null, "imageUrl": "", "initials": "MK",
        "description": "This is the Marketing Space", "disabledFeatures": []
    });
    let created = json!({
        "id": "marketing", "name": "Marketing", "description": "This is the Marketing Space",
        "initials": "MK", "imageUrl": "", "disabledFeatures": []
    });
    assert_eq!(server.post("/api/spaces/space", &body).await.whole(), (200, created.clone()));
    assert_eq!(server.get("/api/spaces/space/marketing").await.whole(), (200, created));
}

#[tokio::test]
async fn create_echoes_what_was_sent_and_leaves_out_what_was_not() {
    let server = TestServer::start().await;
    let full = json!({
        "id": "a-b_9", "name": " spaced ", "description": "", "color": "#aB3c9f", "initials": "",
        "imageUrl": "data:image/png;base64,AA==", "disabledFeatures": ["canvas", "no_such_feature"],
        "solution": "classic"
    });
    assert_eq!(server.post("/api/spaces/space", &full).await.whole(), (200, full.clone()));
    assert_eq!(server.get("/api/spaces/space/a-b_9").await.whole(), (200, full));
    create_space(&server, "b").await;
    assert_eq!(
        server.get("/api/spaces/space/b").await.text(),
        r#"{"id":"b","name":"b","disabledFeatures":[]}"#
    );
}

#[tokio::test]
async fn reserved_is_accepted_and_ignored() {
    let server = TestServer::start().await;
    for (id, value) in [("a", json!(true)), ("b", json!(false)), ("c", json!("true"))] {
        let body = json!({"id": id, "name": id, "_reserved": value});
        assert_eq!(server.post("/api/spaces/space", &body).await.whole(), (200, plain_space(id, id)));
        assert_eq!(server.delete(&format!("/api/spaces/space/{id}")).await.status, 204);
    }
}

#[tokio::test]
async fn letters_beyond_f_pass_as_a_colour() {
    let server = TestServer::start().await;
    let body = json!({"id": "a", "name": "a", "color": "#zzZZ09", "disabledFeatures": []});
    assert_eq!(server.post("/api/spaces/space", &body).await.whole(), (200, body));
}

#[tokio::test]
async fn fields_and_their_rules() {
    let server = TestServer::start().await;
    let id = "must be lower case, a-z, 0-9, '_', and '-' are allowed";
    let color = "must be a 6 digit hex color, starting with a #";
    let string = |kind: &str| format!("expected value of type [string] but got [{kind}]");
    let cases = [
        ("id", json!(""), id.to_owned()),
        ("id", json!("A"), id.to_owned()),
        ("id", json!("a b"), id.to_owned()),
        ("id", json!("ä"), id.to_owned()),
        ("id", json!("a\n"), id.to_owned()),
        ("id", json!(null), string("null")),
        ("description", json!(null), string("null")),
        ("initials", json!(null), string("null")),
        ("color", json!("red"), color.to_owned()),
        ("color", json!("#12345"), color.to_owned()),
        ("color", json!("#1234567"), color.to_owned()),
        ("color", json!("#12345-"), color.to_owned()),
        ("color", json!(""), color.to_owned()),
        ("color", json!(1), string("number")),
        ("imageUrl", json!("http://example.org/x.png"), "must start with 'data:image'".to_owned()),
        ("imageUrl", json!(null), string("null")),
        ("projectRouting", json!("x"), "definition for this key is missing".to_owned()),
    ];
    for (key, value, text) in cases {
        let mut body = json!({"id": "a", "name": "a"});
        body[key] = value.clone();
        let reply = server.post("/api/spaces/space", &body).await;
        assert_eq!(reply.whole(), error(400, &format!("[request body.{key}]: {text}")), "{value}");
    }
    assert_eq!(server.get("/api/spaces/space").await.whole(), (200, json!([default_space()])));
}

#[tokio::test]
async fn an_id_can_be_taken_once() {
    let server = TestServer::start().await;
    create_space(&server, "a").await;
    let other = json!({"id": "a", "name": "other", "description": "x"});
    let taken = |id: &str| error(409, &format!("A space with the identifier {id} already exists."));
    assert_eq!(server.post("/api/spaces/space", &other).await.whole(), taken("a"));
    assert_eq!(server.get("/api/spaces/space/a").await.whole(), (200, plain_space("a", "a")));
    let default = json!({"id": "default", "name": "x"});
    assert_eq!(server.post("/api/spaces/space", &default).await.whole(), taken("default"));
    create_space(&server, "b").await;
    let same_name = json!({"id": "c", "name": "b"});
    assert_eq!(server.post("/api/spaces/space", &same_name).await.whole(), (200, plain_space("c", "b")));
}

#[tokio::test]
async fn of_32_that_create_the_same_id_one_does() {
    let server = TestServer::start().await;
    let sent: Vec<_> = (0..32)
        .map(|number| {
            let body = json!({"id": "same", "name": number.to_string()});
            tokio::spawn(server.request("POST", "/api/spaces/space").superuser().xsrf().json(&body).send())
        })
        .collect();
    let mut created = Vec::new();
    for (number, reply) in sent.into_iter().enumerate() {
        let reply = reply.await.expect("an answer").whole();
        if reply.0 == 200 {
            assert_eq!(reply.1, plain_space("same", &number.to_string()));
            created.push(reply.1);
        } else {
            assert_eq!(reply, error(409, "A space with the identifier same already exists."));
        }
    }
    assert_eq!(created.len(), 1);
    assert_eq!(server.get("/api/spaces/space/same").await.whole(), (200, created.remove(0)));
}

#[tokio::test]
async fn the_limit_counts_the_default_space() {
    let server = TestServer::start_with(|config| config.spaces.max_spaces = 2).await;
    create_space(&server, "a").await;
    let b = json!({"id": "b", "name": "b"});
    assert_eq!(server.post("/api/spaces/space", &b).await.whole(), error(400, MAX));
    let taken = json!({"id": "a", "name": "a"});
    assert_eq!(
        server.post("/api/spaces/space", &taken).await.whole(),
        error(400, MAX),
        "told before the 409"
    );
    assert_eq!(server.delete("/api/spaces/space/a").await.status, 204);
    assert_eq!(server.post("/api/spaces/space", &b).await.whole(), (200, plain_space("b", "b")));
}

#[tokio::test]
async fn the_limit_holds_when_many_create_at_once() {
    let server = TestServer::start_with(|config| config.spaces.max_spaces = 8).await;
    let sent: Vec<_> = (0..32)
        .map(|number| {
            let body = json!({"id": format!("s{number}"), "name": "x"});
            tokio::spawn(server.request("POST", "/api/spaces/space").superuser().xsrf().json(&body).send())
        })
        .collect();
    let mut created = 0;
    for reply in sent {
        let reply = reply.await.expect("an answer").whole();
        if reply.0 == 200 {
            created += 1;
        } else {
            assert_eq!(reply, error(400, MAX));
        }
    }
    assert_eq!(created, 7);
    assert_eq!(server.get("/api/spaces/space").await.json().as_array().map(Vec::len), Some(8));
}

#[tokio::test]
async fn settings_forbid_features_and_solutions_in_order() {
    let server = TestServer::start_with(|config| {
        config.spaces.max_spaces = 2;
        config.spaces.allow_feature_visibility = false;
        config.spaces.allow_solution_visibility = false;
    })
    .await;
    let features = |action: &str| {
        format!(
            "Unable to {action} Space, the disabledFeatures array must be empty when \
             xpack.spaces.allowFeatureVisibility setting is disabled"
        )
    };
    let solution = |action: &str| {
        format!(
            "Unable to {action} Space, the solution property can not be set when \
             xpack.spaces.allowSolutionVisibility setting is disabled"
        )
    };
    let mut body = json!({"id": "a", "name": "a", "disabledFeatures": ["canvas"], "solution": "classic"});
    assert_eq!(server.post("/api/spaces/space", &body).await.whole(), error(400, &features("create")));
    let update =
        |body: Value| server.request("PUT", "/api/spaces/space/a").superuser().xsrf().json(&body).send();
    assert_eq!(update(body.clone()).await.whole(), error(400, &features("update")), "asked before the 404");
    body["disabledFeatures"] = json!([]);
    assert_eq!(server.post("/api/spaces/space", &body).await.whole(), error(400, &solution("create")));
    assert_eq!(update(body.clone()).await.whole(), error(400, &solution("update")));
    create_space(&server, "a").await;
    assert_eq!(
        server.post("/api/spaces/space", &body).await.whole(),
        error(400, MAX),
        "the limit comes first"
    );
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().expect("a list").iter().filter_map(|space| space["name"].as_str()).collect()
}

#[tokio::test]
async fn the_list_is_in_byte_order_of_names() {
    let server = TestServer::start().await;
    for (number, name) in
        ["b", "Z", "a", "ä", "A", "_", "1", "aa", "a b", "🌸", "\u{ffff}"].iter().enumerate()
    {
        let body = json!({"id": format!("s{number}"), "name": name});
        assert_eq!(server.post("/api/spaces/space", &body).await.status, 200);
    }
    let list = server.get("/api/spaces/space").await.json();
    let expected = ["1", "A", "Default", "Z", "_", "a", "a b", "aa", "b", "ä", "\u{ffff}", "🌸"];
    assert_eq!(names(&list), expected);
}

#[tokio::test]
async fn the_list_has_at_most_as_many_as_are_allowed() {
    let server = TestServer::start().await;
    for id in ["a", "b", "c"] {
        create_space(&server, id).await;
    }
    let again = TestServer::start_on(server.stop().await, |config| config.spaces.max_spaces = 2).await;
    assert_eq!(names(&again.get("/api/spaces/space").await.json()), ["Default", "a"]);
}

#[tokio::test]
async fn purposes() {
    let server = TestServer::start().await;
    create_space(&server, "a").await;
    let all = (200, json!([default_space(), plain_space("a", "a")]));
    for query in [
        "",
        "?purpose=any",
        "?purpose=copySavedObjectsIntoSpace",
        "?purpose=shareSavedObjectsIntoSpace",
        "?include_authorized_purposes=false",
        "?purpose=any&include_authorized_purposes=false",
    ] {
        assert_eq!(server.get(&format!("/api/spaces/space{query}")).await.whole(), all, "{query}");
    }
    let mut shown = [default_space(), plain_space("a", "a")];
    for space in &mut shown {
        space["authorizedPurposes"] = json!({
            "any": true, "copySavedObjectsIntoSpace": true, "findSavedObjects": true,
            "shareSavedObjectsIntoSpace": true
        });
    }
    let reply = server.get("/api/spaces/space?include_authorized_purposes=true").await;
    assert_eq!(reply.whole(), (200, json!(shown)));
}

#[tokio::test]
async fn a_purpose_and_all_purposes_exclude_each_other() {
    let server = TestServer::start().await;
    let both = server.get("/api/spaces/space?purpose=any&include_authorized_purposes=true").await;
    let text = "[request query.include_authorized_purposes]: expected value to equal [false]";
    assert_eq!(both.whole(), error(400, text));
}

#[tokio::test]
async fn the_first_start_makes_the_default_space_and_later_ones_leave_it() {
    let server = TestServer::start().await;
    assert_eq!(server.get("/api/spaces/space").await.whole(), (200, json!([default_space()])));
    let edited = json!({"id": "default", "name": "Ours", "description": "", "color": "#000000"});
    let mut shown = edited.clone();
    shown["disabledFeatures"] = json!([]);
    shown["_reserved"] = json!(true);
    assert_eq!(server.put("/api/spaces/space/default", &edited).await.whole(), (200, shown.clone()));
    let again = TestServer::start_on(server.stop().await, |_| {}).await;
    assert_eq!(again.get("/api/spaces/space/default").await.whole(), (200, shown));
}

#[tokio::test]
async fn a_setting_gives_the_default_space_its_solution() {
    let server =
        TestServer::start_with(|config| config.spaces.default_solution = Some("oblt".to_owned())).await;
    let space = server.get("/api/spaces/space/default").await.json();
    assert_eq!(space["solution"], "oblt");
    let again = TestServer::start_on(server.stop().await, |config| {
        config.spaces.default_solution = Some("es".to_owned());
    })
    .await;
    assert_eq!(again.get("/api/spaces/space/default").await.json(), space, "only when it is made");
}
