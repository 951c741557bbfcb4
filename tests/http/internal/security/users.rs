//! `/internal/security/users`

use crate::support::{As as _, USER_PASSWORD, bare, cluster, create_user, error, server_with_bob};
use ikebana_testkit::server::TestServer;
use serde_json::{Value, json};

fn elastic() -> Value {
    json!({
        "username": "elastic", "roles": ["superuser"], "full_name": null, "email": null,
        "metadata": {"_reserved": true}, "enabled": true
    })
}

fn plain(name: &str) -> Value {
    json!({"username": name, "roles": [], "full_name": null, "email": null, "metadata": {}, "enabled": true})
}

fn invalid(text: &str) -> (u16, Value) {
    cluster(400, "validation_exception", &format!("Validation Failed: 1: {text};"))
}

#[tokio::test]
async fn a_user_is_echoed_without_its_password_and_kept() {
    let server = TestServer::start().await;
    let body = json!({
        "username": "ann", "password": "secret one", "roles": ["viewer", "editor"], "full_name": "Ann",
        "email": null, "metadata": {"a": {"b": [1]}}, "enabled": true
    });
    let mut echo = body.clone();
    echo.as_object_mut().expect("an object").shift_remove("password");
    let path = "/internal/security/users/ann";
    assert_eq!(server.post(path, &body).await.whole(), (200, echo.clone()));
    assert_eq!(server.get(path).await.whole(), (200, echo.clone()));
    let list = server.get("/internal/security/users").await;
    assert_eq!(list.whole(), (200, json!([echo, elastic()])));
    assert!(!list.text().contains("argon2"), "no hash is shown");
}

#[tokio::test]
async fn defaults_and_the_name_of_the_path() {
    let server = TestServer::start().await;
    let body = json!({"username": "other", "password": USER_PASSWORD, "roles": []});
    let reply = server.post("/internal/security/users/ann", &body).await;
    assert_eq!(reply.whole(), (200, json!({"username": "other", "roles": [], "enabled": true})));
    assert_eq!(server.get("/internal/security/users/ann").await.whole(), (200, plain("ann")));
    assert_eq!(server.get("/internal/security/users/other").await.status, 404);
}

#[tokio::test]
async fn a_second_write_replaces_all_but_the_password() {
    let server = server_with_bob().await;
    let path = "/internal/security/users/bob";
    let body =
        json!({"username": "bob", "roles": ["viewer"], "email": "b@example.org", "metadata": {"x": 1}});
    assert_eq!(server.post(path, &body).await.status, 200);
    assert_eq!(server.post(path, &json!({"username": "bob", "roles": []})).await.status, 200);
    assert_eq!(server.get(path).await.whole(), (200, plain("bob")));
    let me = server.request("GET", "/internal/security/me").user("bob").send().await;
    assert_eq!(me.status, 200, "the password is the old one");
}

#[tokio::test]
async fn many_who_make_the_same_user_all_succeed() {
    let server = TestServer::start().await;
    let body = json!({"username": "ann", "password": USER_PASSWORD, "roles": []});
    let post =
        || server.request("POST", "/internal/security/users/ann").superuser().xsrf().json(&body).send();
    let sent: Vec<_> = (0..8).map(|_| tokio::spawn(post())).collect();
    for reply in sent {
        assert_eq!(reply.await.expect("an answer").status, 200);
    }
    assert_eq!(server.get("/internal/security/users").await.json(), json!([plain("ann"), elastic()]));
}

#[tokio::test]
async fn the_body_is_validated_in_the_order_of_its_keys() {
    let server = TestServer::start().await;
    let post = |body: &Value| {
        server.request("POST", "/internal/security/users/ann").superuser().xsrf().json(body).send()
    };
    let wrong = [
        (
            "username",
            json!(""),
            "value has length [0] but it must have a minimum length of [1].",
            json!("ann"),
        ),
        (
            "password",
            json!(""),
            "value has length [0] but it must have a minimum length of [1].",
            json!("secret"),
        ),
        ("roles", json!("x"), "could not parse array value from json input", json!([])),
        ("metadata", json!(1), "expected value of type [object] but got [number]", json!({})),
        ("enabled", json!("no"), "expected value of type [boolean] but got [string]", json!(true)),
    ];
    let mut body = json!({"enabled": 1, "other": 1});
    for (key, bad, ..) in &wrong {
        body[*key] = bad.clone();
    }
    for (key, _, text, good) in wrong {
        assert_eq!(post(&body).await.whole(), error(400, &format!("[request body.{key}]: {text}")));
        body[key] = good;
    }
    let text = "[request body.other]: definition for this key is missing";
    assert_eq!(post(&body).await.whole(), error(400, text));
    let text = "[request body.roles]: expected value of type [array] but got [undefined]";
    assert_eq!(post(&json!({"username": "ann"})).await.whole(), error(400, text));
    let text = "[request body.roles.0]: value has length [0] but it must have a minimum length of [1].";
    assert_eq!(post(&json!({"username": "ann", "roles": [""]})).await.whole(), error(400, text));
    for key in ["full_name", "email"] {
        let mut body = json!({"username": "ann", "roles": []});
        body[key] = json!(1);
        let text = format!(
            "[request body.{key}]: types that failed validation:\n\
             - [request body.{key}.0]: expected value to equal [null]\n\
             - [request body.{key}.1]: expected value of type [string] but got [number]"
        );
        assert_eq!(post(&body).await.whole(), error(400, &text));
    }
}

#[tokio::test]
async fn names_have_a_longest_length() {
    let server = TestServer::start().await;
    let long = "x".repeat(1025);
    let text =
        "[request params.username]: value has length [1025] but it must have a maximum length of [1024].";
    let path = format!("/internal/security/users/{long}");
    assert_eq!(server.get(&path).await.whole(), error(400, text));
    let text =
        "[request body.username]: value has length [1025] but it must have a maximum length of [1024].";
    let body = json!({"username": long, "roles": []});
    assert_eq!(server.post("/internal/security/users/x", &body).await.whole(), error(400, text));
}

#[tokio::test]
async fn a_new_user_needs_a_password_of_six() {
    let server = TestServer::start().await;
    let path = "/internal/security/users/ann";
    let missing = "password must be specified unless you are updating an existing user";
    let body = json!({"username": "ann", "roles": []});
    assert_eq!(server.post(path, &body).await.whole(), invalid(missing));
    let body = json!({"username": "ann", "roles": [], "password": "12345"});
    let short = "passwords must be at least [6] characters long";
    assert_eq!(server.post(path, &body).await.whole(), invalid(short));
    assert_eq!(server.get(path).await.status, 404);
    let body = json!({"username": "ann", "roles": [], "password": "ääääää"});
    assert_eq!(server.post(path, &body).await.status, 200, "letters are counted, not bytes");
}

#[tokio::test]
async fn unknown_users_unverified() {
    let server = TestServer::start().await;
    let path = "/internal/security/users/none";
    assert_eq!(server.get(path).await.whole(), error(404, "[{}]: undefined"));
    assert_eq!(server.delete(path).await.whole(), error(404, "[{\"found\":false}]: undefined"));
}

#[tokio::test]
async fn only_existing_users_can_be_enabled_or_disabled() {
    let server = TestServer::start().await;
    for word in ["enabled", "disabled"] {
        let path = format!("/internal/security/users/none/_{}", word.trim_end_matches('d'));
        let reply = server.request("POST", &path).superuser().xsrf().send().await;
        assert_eq!(reply.whole(), invalid(&format!("only existing users can be {word}")));
    }
}

#[tokio::test]
async fn nobody_disables_themselves() {
    let server = TestServer::start().await;
    let text = "users may not update the enabled status of their own account";
    for action in ["_disable", "_enable"] {
        let path = format!("/internal/security/users/elastic/{action}");
        let reply = server.request("POST", &path).superuser().xsrf().send().await;
        assert_eq!(reply.whole(), cluster(400, "illegal_argument_exception", text));
    }
    let root = json!({"username": "root", "password": USER_PASSWORD, "roles": ["superuser"]});
    assert_eq!(server.post("/internal/security/users/root", &root).await.status, 200);
    let off = json!({"username": "root", "roles": ["superuser"], "enabled": false});
    let reply =
        server.request("POST", "/internal/security/users/root").user("root").xsrf().json(&off).send().await;
    let text = "Validation Failed: 1: native and reserved realm users may not update the enabled status of their \
                own account;";
    assert_eq!(reply.whole(), cluster(400, "action_request_validation_exception", text));
    assert_eq!(server.get("/internal/security/me").await.status, 200);
}

#[tokio::test]
async fn the_superuser_is_reserved() {
    let server = TestServer::start().await;
    let body = json!({"username": "elastic", "roles": [], "password": "another"});
    let text = "Validation Failed: 1: user [elastic] is reserved and only the password can be changed;";
    let reserved = cluster(400, "action_request_validation_exception", text);
    assert_eq!(server.post("/internal/security/users/elastic", &body).await.whole(), reserved);
    let text = "user [elastic] is reserved and cannot be deleted";
    let reply = server.delete("/internal/security/users/elastic").await;
    assert_eq!(reply.whole(), cluster(400, "illegal_argument_exception", text));
    assert_eq!(server.get("/internal/security/users/elastic").await.whole(), (200, elastic()));
}

#[tokio::test]
async fn users_without_the_privilege_are_refused_in_the_clusters_words() {
    let server = server_with_bob().await;
    create_user(&server, "eve").await;
    let refused = |action: &str| {
        let text = format!(
            "action [cluster:admin/xpack/security/user/{action}] is unauthorized for user [bob] with effective roles \
             [], this action is granted by the cluster privileges [manage_security,all]"
        );
        cluster(403, "security_exception", &text)
    };
    let send = |method: &str, path: &str| {
        server.request(method, &format!("/internal/security/users{path}")).user("bob").xsrf()
    };
    let user = json!({"username": "eve", "roles": ["superuser"]});
    let password = json!({"newPassword": "something"});
    assert_eq!(send("GET", "").send().await.whole(), refused("get"));
    assert_eq!(send("GET", "/bob").send().await.whole(), refused("get"));
    assert_eq!(send("POST", "/eve").json(&user).send().await.whole(), refused("put"));
    assert_eq!(send("POST", "/bob").json(&user).send().await.whole(), refused("put"), "nor themselves");
    assert_eq!(send("DELETE", "/eve").send().await.whole(), refused("delete"));
    assert_eq!(send("POST", "/eve/_disable").send().await.whole(), refused("set_enabled"));
    assert_eq!(
        send("POST", "/eve/password").json(&password).send().await.whole(),
        refused("change_password")
    );
    assert_eq!(server.get("/internal/security/users/eve").await.whole(), (200, plain("eve")));
}

#[tokio::test]
async fn a_superuser_made_over_the_api_may_do_everything() {
    let server = TestServer::start().await;
    let root = json!({"username": "root", "password": USER_PASSWORD, "roles": ["superuser"]});
    assert_eq!(server.post("/internal/security/users/root", &root).await.status, 200);
    let list = server.request("GET", "/api/spaces/space").user("root").send().await;
    assert_eq!(list.status, 200);
    let demoted = json!({"username": "root", "roles": []});
    assert_eq!(server.post("/internal/security/users/root", &demoted).await.status, 200);
    assert_eq!(server.request("GET", "/api/spaces/space").user("root").send().await.whole(), bare(403));
}
