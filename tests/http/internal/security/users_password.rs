//! `/internal/security/users/{username}/password`

use crate::support::{As as _, USER_PASSWORD, cluster, error, server_with_bob};
use ikebana_testkit::server::{Reply, TestServer};
use serde_json::{Value, json};

const PATH: &str = "/internal/security/users/bob/password";

fn wrong() -> (u16, Value) {
    let text = "unable to authenticate user [bob] for REST request [/_security/_authenticate]";
    cluster(403, "security_exception", text)
}

async fn own(server: &TestServer, body: Value) -> Reply {
    server.request("POST", PATH).user("bob").xsrf().json(&body).send().await
}

#[tokio::test]
async fn ones_own_needs_the_present_one() {
    let server = server_with_bob().await;
    let new = "a new secret";
    assert_eq!(own(&server, json!({"newPassword": new})).await.whole(), wrong());
    assert_eq!(own(&server, json!({"password": "not it", "newPassword": new})).await.whole(), wrong());
    let short = json!({"password": "not it", "newPassword": "x"});
    assert_eq!(own(&server, short).await.whole(), wrong(), "the present one is looked at first");
    let reply = own(&server, json!({"password": USER_PASSWORD, "newPassword": new})).await;
    assert_eq!(reply.whole(), (204, Value::Null));
    let me = |password: &str| server.request("GET", "/internal/security/me").basic("bob", password).send();
    assert_eq!(me(USER_PASSWORD).await.status, 401);
    assert_eq!(me(new).await.status, 200);
}

#[tokio::test]
async fn the_superuser_changes_that_of_others_without() {
    let server = server_with_bob().await;
    assert_eq!(server.post(PATH, &json!({"newPassword": "given to bob"})).await.whole(), (204, Value::Null));
    let me = server.request("GET", "/internal/security/me").basic("bob", "given to bob").send().await;
    assert_eq!(me.status, 200);
}

#[tokio::test]
async fn the_superuser_changes_its_own() {
    let server = server_with_bob().await;
    let body = json!({"password": "changeme", "newPassword": "changed it"});
    let path = "/internal/security/users/elastic/password";
    assert_eq!(server.post(path, &body).await.whole(), (204, Value::Null));
    assert_eq!(server.get("/internal/security/me").await.status, 401);
    let again = TestServer::start_on(server.stop().await, |_| {}).await;
    let me = again.request("GET", "/internal/security/me").basic("elastic", "changed it").send().await;
    assert_eq!(me.status, 200, "a restart does not set it back");
}

#[tokio::test]
async fn a_new_one_is_at_least_six_long() {
    let server = server_with_bob().await;
    let text = "Validation Failed: 1: passwords must be at least [6] characters long;";
    let short = cluster(400, "validation_exception", text);
    assert_eq!(server.post(PATH, &json!({"newPassword": "12345"})).await.whole(), short);
    let body = json!({"password": USER_PASSWORD, "newPassword": "12345"});
    assert_eq!(own(&server, body).await.whole(), short);
}

#[tokio::test]
async fn the_user_must_exist() {
    let server = server_with_bob().await;
    let text = "Validation Failed: 1: user must exist in order to change password;";
    let reply =
        server.post("/internal/security/users/none/password", &json!({"newPassword": "123456"})).await;
    assert_eq!(reply.whole(), cluster(400, "validation_exception", text));
}

#[tokio::test]
async fn the_body_is_validated() {
    let server = server_with_bob().await;
    let text = "[request body.newPassword]: expected value of type [string] but got [undefined]";
    assert_eq!(server.post(PATH, &json!({})).await.whole(), error(400, text));
    let empty = "value has length [0] but it must have a minimum length of [1].";
    for (key, body) in [
        ("password", json!({"password": "", "newPassword": ""})),
        ("newPassword", json!({"newPassword": ""})),
    ] {
        let text = format!("[request body.{key}]: {empty}");
        assert_eq!(server.post(PATH, &body).await.whole(), error(400, &text));
    }
}
