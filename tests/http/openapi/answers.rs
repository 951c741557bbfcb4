//! Real answers conform to the document.

use super::{documented, faults, operations};
use crate::support::{As as _, create_user};
use ikebana_testkit::server::{Reply, Request, TestServer};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Checks answers, and remembers which were seen.
struct Witness {
    document: Value,
    seen: BTreeSet<(String, u16)>,
}

impl Witness {
    fn check(&mut self, operation: &str, reply: &Reply) {
        let (method, path) = operation.split_once(' ').expect("a method and a path");
        let said =
            &self.document["paths"][path][method.to_lowercase()]["responses"][reply.status.to_string()];
        assert!(
            said.is_object(),
            "{operation} answers {}, which is not documented: {}",
            reply.status,
            reply.text()
        );
        match said.get("content").and_then(Value::as_object) {
            None => {
                assert_eq!((reply.body.len(), reply.header("content-type")), (0, None), "{operation}");
            }
            Some(content) => {
                let sent = reply.header("content-type").expect("a content type");
                let (mime, media) = content.iter().next().expect("a content type");
                assert!(sent.starts_with(mime.as_str()), "{operation}: {sent} is not {mime}");
                if mime == "application/json" {
                    let faults = faults(&media["schema"], &self.document, &reply.json());
                    assert_eq!(
                        faults,
                        Vec::<String>::new(),
                        "{operation} {}: {}",
                        reply.status,
                        reply.text()
                    );
                }
            }
        }
        self.seen.insert((operation.to_owned(), reply.status));
    }

    async fn call(&mut self, operation: &str, request: Request, status: u16) {
        let reply = request.send().await;
        assert_eq!(reply.status, status, "{operation}: {}", reply.text());
        self.check(operation, &reply);
    }
}

/// A path that fits the template, of something that is not there.
fn nowhere(operation: &str) -> (&str, String) {
    let (method, path) = operation.split_once(' ').expect("a method and a path");
    let path = path.replace("{id}", "none").replace("{username}", "none").replace("{spaceId}", "none");
    (method, path)
}

/// What every route answers to the same mistakes.
async fn common_faults(server: &TestServer, witness: &mut Witness) {
    let document = witness.document.clone();
    for (name, operation) in operations(&document) {
        let (method, path) = nowhere(&name);
        let request = || server.request(method, &path).superuser();
        witness.call(&name, request().header("kbn-version", "0.0.1"), 400).await;
        let said = |status: &str| operation["responses"].get(status).is_some();
        if said("401") {
            witness.call(&name, server.request(method, &path), 401).await;
        }
        if said("413") {
            witness.call(&name, request().header("content-length", "2000000"), 413).await;
        }
        if said("415") {
            witness.call(&name, request().header("content-type", "image/png").body("x"), 415).await;
        }
        if method != "GET" {
            witness.call(&name, request(), 400).await;
        }
    }
}

async fn system(server: &TestServer, witness: &mut Witness) {
    let get = |path: &str| server.request("GET", path).superuser();
    for (operation, path) in [
        ("GET /", "/"),
        ("GET /login", "/login"),
        ("GET /metrics", "/metrics"),
        ("GET /api/oas", "/api/oas"),
        ("GET /api/status", "/api/status"),
        ("GET /api/status", "/api/status?v7format=true"),
        ("GET /api/stats", "/api/stats"),
        ("GET /api/stats", "/api/stats?extended&legacy"),
        ("GET /internal/security/me", "/internal/security/me"),
    ] {
        witness.call(operation, get(path), 200).await;
    }
    witness.call("GET /api/status", server.request("GET", "/api/status"), 200).await;
    for (operation, path) in [
        ("GET /api/oas", "/api/oas?access=x"),
        ("GET /api/status", "/api/status?x=1"),
        ("GET /api/stats", "/api/stats?x=1"),
    ] {
        witness.call(operation, get(path), 400).await;
    }
}

async fn users(server: &TestServer, witness: &mut Witness) {
    const ALL: &str = "GET /internal/security/users";
    const GET: &str = "GET /internal/security/users/{username}";
    const PUT: &str = "POST /internal/security/users/{username}";
    const DELETE: &str = "DELETE /internal/security/users/{username}";
    const PASSWORD: &str = "POST /internal/security/users/{username}/password";
    const ENABLE: &str = "POST /internal/security/users/{username}/_enable";
    const DISABLE: &str = "POST /internal/security/users/{username}/_disable";
    let request = |operation: &str, user: &str| {
        let (method, path) = operation.split_once(' ').expect("a method and a path");
        server.request(method, &path.replace("{username}", user)).xsrf()
    };
    let full = json!({
        "username": "ann", "password": "secret", "roles": ["viewer"], "full_name": "Ann", "email": "a@b.c",
        "metadata": {"x": null}
    });
    let plain = json!({"username": "eve", "password": "secret", "roles": []});
    let password = json!({"newPassword": "another"});
    witness.call(PUT, request(PUT, "ann").superuser().json(&full), 200).await;
    witness.call(PUT, request(PUT, "eve").superuser().json(&plain), 200).await;
    witness.call(PUT, request(PUT, "elastic").superuser().json(&plain), 400).await;
    witness.call(ALL, request(ALL, "").superuser(), 200).await;
    for user in ["ann", "eve", "elastic"] {
        witness.call(GET, request(GET, user).superuser(), 200).await;
    }
    witness.call(PASSWORD, request(PASSWORD, "ann").superuser().json(&password), 204).await;
    witness.call(PASSWORD, request(PASSWORD, "none").superuser().json(&password), 400).await;
    for operation in [DISABLE, ENABLE] {
        witness.call(operation, request(operation, "ann").superuser(), 204).await;
        witness.call(operation, request(operation, "none").superuser(), 400).await;
        witness.call(operation, request(operation, "ann").user("bob"), 403).await;
    }
    witness.call(PUT, request(PUT, "ann").user("bob").json(&plain), 403).await;
    witness.call(PASSWORD, request(PASSWORD, "ann").user("bob").json(&password), 403).await;
    for operation in [ALL, GET, DELETE] {
        witness.call(operation, request(operation, "ann").user("bob"), 403).await;
    }
    witness.call(DELETE, request(DELETE, "ann").superuser(), 204).await;
    witness.call(DELETE, request(DELETE, "elastic").superuser(), 400).await;
    for operation in [GET, DELETE] {
        witness.call(operation, request(operation, "none").superuser(), 404).await;
    }
}

async fn spaces(server: &TestServer, witness: &mut Witness) {
    const CREATE: &str = "POST /api/spaces/space";
    const ALL: &str = "GET /api/spaces/space";
    const GET: &str = "GET /api/spaces/space/{id}";
    const UPDATE: &str = "PUT /api/spaces/space/{id}";
    const DELETE: &str = "DELETE /api/spaces/space/{id}";
    const ACTIVE: &str = "GET /internal/spaces/_active_space";
    const SUMMARY: &str = "GET /internal/spaces/{spaceId}/content_summary";
    let request = |operation: &str, id: &str| {
        let (method, path) = operation.split_once(' ').expect("a method and a path");
        server.request(method, &path.replace("{id}", id).replace("{spaceId}", id)).xsrf()
    };
    let full = json!({
        "id": "a", "name": "A", "description": "", "color": "#000000", "initials": "A", "imageUrl": "",
        "disabledFeatures": ["x"], "solution": "es"
    });
    let plain = json!({"id": "b", "name": "B"});
    witness.call(CREATE, request(CREATE, "").superuser().json(&full), 200).await;
    witness.call(CREATE, request(CREATE, "").superuser().json(&plain), 200).await;
    witness.call(CREATE, request(CREATE, "").superuser().json(&plain), 409).await;
    witness.call(CREATE, request(CREATE, "").superuser().json(&json!([])), 400).await;
    for query in ["", "?include_authorized_purposes=true", "?purpose=any"] {
        let get = server.request("GET", &format!("/api/spaces/space{query}")).superuser();
        witness.call(ALL, get, 200).await;
    }
    for id in ["a", "b", "default"] {
        witness.call(GET, request(GET, id).superuser(), 200).await;
        witness.call(SUMMARY, request(SUMMARY, id).superuser(), 200).await;
        witness.call(UPDATE, request(UPDATE, id).superuser().json(&plain), 200).await;
    }
    witness.call(ACTIVE, server.request("GET", "/s/a/internal/spaces/_active_space").superuser(), 200).await;
    witness.call(ACTIVE, server.request("GET", "/s/x/internal/spaces/_active_space").superuser(), 404).await;
    witness.call(SUMMARY, request(SUMMARY, "NO").superuser(), 400).await;
    witness.call(DELETE, request(DELETE, "default").superuser(), 400).await;
    witness.call(CREATE, request(CREATE, "").user("bob").json(&plain), 403).await;
    witness.call(UPDATE, request(UPDATE, "a").user("bob").json(&plain), 403).await;
    for operation in [ALL, GET, DELETE, ACTIVE, SUMMARY] {
        witness.call(operation, request(operation, "a").user("bob"), 403).await;
    }
    witness.call(DELETE, request(DELETE, "a").superuser(), 204).await;
    witness.call(UPDATE, request(UPDATE, "a").superuser().json(&plain), 404).await;
    for operation in [GET, DELETE, SUMMARY] {
        witness.call(operation, request(operation, "a").superuser(), 404).await;
    }
}

#[tokio::test]
async fn every_documented_answer_is_as_documented() {
    let (server, document) = documented().await;
    create_user(&server, "bob").await;
    let mut witness = Witness { document: document.clone(), seen: BTreeSet::new() };
    common_faults(&server, &mut witness).await;
    system(&server, &mut witness).await;
    users(&server, &mut witness).await;
    spaces(&server, &mut witness).await;
    // These need a slow caller, many failures or a full server; they have the form of all faults and tests of
    // their own.
    let elsewhere = [408, 429, 503];
    for (name, operation) in operations(&document) {
        for status in operation["responses"].as_object().expect("answers").keys() {
            let status: u16 = status.parse().expect("a status");
            let seen = witness.seen.contains(&(name.clone(), status));
            assert!(seen || elsewhere.contains(&status), "{name} never answered {status}");
        }
    }
}

#[tokio::test]
async fn the_form_of_faults_is_that_of_the_rarer_ones_too() {
    let (server, document) = documented().await;
    let schema = json!({"$ref": "#/components/schemas/Error"});
    for _ in 0..11 {
        server.request("GET", "/api/stats").basic("ann", "wrong").send().await;
    }
    let reply = server.request("GET", "/api/stats").basic("ann", "wrong").send().await;
    assert_eq!(reply.status, 429);
    assert_eq!(faults(&schema, &document, &reply.json()), Vec::<String>::new());
    assert!(!faults(&schema, &document, &json!({"statusCode": 1})).is_empty(), "the schema can fail");
}
