//! What somebody without privileges is told: Kibana 8.19, asserted by its API tests.

use crate::support::{As as _, bare, create_space, error, server_with_bob};
use serde_json::json;

#[tokio::test]
async fn writing_is_refused_also_where_it_would_fail_anyway() {
    let server = server_with_bob().await;
    create_space(&server, "a").await;
    let a = json!({"id": "a", "name": "a"});
    let send = |method: &str, path: &str| server.request(method, path).user("bob").xsrf();
    let create = error(403, "Unauthorized to create spaces");
    assert_eq!(send("POST", "/api/spaces/space").json(&a).send().await.whole(), create, "not the 409");
    for id in ["a", "none", "default"] {
        let path = format!("/api/spaces/space/{id}");
        let update = error(403, "Unauthorized to update spaces");
        assert_eq!(send("PUT", &path).json(&a).send().await.whole(), update, "not the 404 of {id}");
        let delete = error(403, "Unauthorized to delete spaces");
        assert_eq!(send("DELETE", &path).send().await.whole(), delete, "not the 404 or 400 of {id}");
    }
}

#[tokio::test]
async fn validation_comes_before_the_refusal() {
    let server = server_with_bob().await;
    let text = "[request body.id]: expected value of type [string] but got [undefined]";
    let create = server.request("POST", "/api/spaces/space").user("bob").xsrf().json(&json!({}));
    assert_eq!(create.send().await.whole(), error(400, text));
}

#[tokio::test]
async fn reading_is_refused_whether_the_space_exists_or_not() {
    let server = server_with_bob().await;
    for id in ["default", "none"] {
        let reply = server.request("GET", &format!("/api/spaces/space/{id}")).user("bob").send().await;
        assert_eq!(reply.whole(), error(403, &format!("Unauthorized to get {id} space")));
    }
}

#[tokio::test]
async fn a_list_of_nothing_is_forbidden() {
    let server = server_with_bob().await;
    for query in
        ["", "?purpose=any", "?purpose=copySavedObjectsIntoSpace", "?include_authorized_purposes=true"]
    {
        let reply = server.request("GET", &format!("/api/spaces/space{query}")).user("bob").send().await;
        assert_eq!(reply.whole(), bare(403), "{query}");
    }
    let text = "[request query.include_authorized_purposes]: expected value to equal [false]";
    let both = "/api/spaces/space?purpose=any&include_authorized_purposes=true";
    assert_eq!(server.request("GET", both).user("bob").send().await.whole(), error(400, text));
}

#[tokio::test]
async fn the_limit_and_the_settings_are_told_after_the_refusal() {
    let server = ikebana_testkit::server::TestServer::start_with(|config| {
        config.spaces.max_spaces = 1;
        config.spaces.allow_feature_visibility = false;
    })
    .await;
    crate::support::create_user(&server, "bob").await;
    let body = json!({"id": "a", "name": "a", "disabledFeatures": ["x"]});
    let reply = server.request("POST", "/api/spaces/space").user("bob").xsrf().json(&body).send().await;
    assert_eq!(reply.whole(), error(403, "Unauthorized to create spaces"));
}
