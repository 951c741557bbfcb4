//! Who calls: Kibana 8.19, asserted by its API tests; the cluster's words are Elasticsearch's.

use crate::support::{As as _, bare, cluster, create_user, error, server_with_bob};
use ikebana_testkit::server::{Reply, TestServer};
use serde_json::json;

fn wrong(user: &str) -> (u16, serde_json::Value) {
    let text = format!("unable to authenticate user [{user}] for REST request [/_security/_authenticate]");
    cluster(401, "security_exception", &text)
}

async fn with(server: &TestServer, authorization: &str) -> Reply {
    server.request("GET", "/api/spaces/space").header("authorization", authorization).send().await
}

#[tokio::test]
async fn nobody_gets_in_without_credentials() {
    let server = TestServer::start().await;
    let reply = server.request("GET", "/api/spaces/space").send().await;
    assert_eq!(reply.whole(), bare(401));
    assert_eq!(reply.header("www-authenticate"), None);
    assert_eq!(with(&server, "").await.whole(), bare(401), "an empty header counts as none");
}

#[tokio::test]
async fn an_unknown_scheme_counts_as_no_credentials() {
    let server = TestServer::start().await;
    for scheme in ["Negotiate abc", "Digest username=\"elastic\"", "elastic", "Basically ZWxhc3RpYw=="] {
        let reply = with(&server, scheme).await;
        assert_eq!(reply.whole(), bare(401), "{scheme}");
        assert_eq!(reply.header("www-authenticate"), None);
    }
}

#[tokio::test]
async fn wrong_credentials_are_told_in_the_clusters_words() {
    let server = TestServer::start().await;
    for (user, password) in [("elastic", "wrong"), ("nobody", "changeme"), ("", ""), ("Elastic", "changeme")]
    {
        let reply = server.request("GET", "/api/spaces/space").basic(user, password).send().await;
        assert_eq!(reply.whole(), wrong(user));
        assert_eq!(reply.header("www-authenticate"), None);
    }
}

#[tokio::test]
async fn malformed_basic_credentials() {
    let server = TestServer::start().await;
    let value = cluster(401, "security_exception", "invalid basic authentication header value");
    // "elastic", without a colon.
    assert_eq!(with(&server, "Basic ZWxhc3RpYw==").await.whole(), value);
    let encoding = "[security_exception\n\tCaused by:\n\t\tillegal_argument_exception: Illegal base64 character 21\n\t\
                    Root causes:\n\t\tsecurity_exception: invalid basic authentication header encoding]: invalid \
                    basic authentication header encoding";
    assert_eq!(with(&server, "Basic !!!!").await.whole(), error(401, encoding));
    let missing = "missing authentication credentials for REST request [/_security/_authenticate]";
    assert_eq!(with(&server, "Basic").await.whole(), cluster(401, "security_exception", missing));
    assert_eq!(with(&server, "Basic   ").await.whole(), cluster(401, "security_exception", missing));
}

#[tokio::test]
async fn the_scheme_is_read_in_any_case_and_padding_may_be_left_out() {
    let server = TestServer::start().await;
    for header in
        ["Basic ZWxhc3RpYzpjaGFuZ2VtZQ==", "bAsIc ZWxhc3RpYzpjaGFuZ2VtZQ==", "Basic ZWxhc3RpYzpjaGFuZ2VtZQ"]
    {
        assert_eq!(with(&server, header).await.status, 200, "{header}");
    }
}

#[tokio::test]
async fn a_password_may_hold_colons_and_letters_of_any_script() {
    let server = TestServer::start().await;
    let body = json!({"username": "zoë", "password": "pä:ss:wörd", "roles": []});
    assert_eq!(server.post("/internal/security/users/zo%C3%AB", &body).await.status, 200);
    let me = server.request("GET", "/internal/security/me").basic("zoë", "pä:ss:wörd").send().await;
    assert_eq!((me.status, me.json()["username"].clone()), (200, json!("zoë")));
}

#[tokio::test]
async fn pages_redirect_strangers_to_the_login() {
    let server = TestServer::start().await;
    for (path, location) in [
        ("/abc/xyz", "/login?next=%2Fabc%2Fxyz"),
        ("/core/", "/login?next=%2Fcore%2F"),
        ("/app/home?a=b&c=d%20e", "/login?next=%2Fapp%2Fhome%3Fa%3Db%26c%3Dd%2520e"),
        ("/s/marketing/app/home", "/s/marketing/login?next=%2Fs%2Fmarketing%2Fapp%2Fhome"),
    ] {
        for method in ["GET", "HEAD"] {
            let reply = server.request(method, path).send().await;
            assert_eq!((reply.status, reply.header("location")), (302, Some(location)), "{method} {path}");
            assert_eq!((reply.header("content-length"), reply.text()), (Some("0"), String::new()));
        }
    }
}

#[tokio::test]
async fn calls_that_are_not_for_a_browser_are_never_redirected() {
    let server = TestServer::start().await;
    for path in ["/api/unknown", "/internal/unknown", "/s/marketing/api/unknown"] {
        assert_eq!(server.request("GET", path).send().await.whole(), bare(401), "{path}");
    }
    for header in ["kbn-xsrf", "kbn-version"] {
        let reply = server.request("GET", "/abc").header(header, "8.19.0").send().await;
        assert_eq!(reply.whole(), bare(401), "{header}");
    }
    let reply = server.request("GET", "/abc").basic("elastic", "wrong").send().await;
    assert_eq!(reply.whole(), wrong("elastic"));
}

#[tokio::test]
async fn wrong_credentials_on_status_are_not_a_401() {
    let server = TestServer::start().await;
    let anonymous = (200, json!({"status": {"overall": {"level": "available"}}}));
    let status = || server.request("GET", "/api/status");
    assert_eq!(status().send().await.whole(), anonymous);
    assert_eq!(status().basic("elastic", "wrong").send().await.whole(), anonymous);
    assert_eq!(status().header("authorization", "Bearer x").send().await.whole(), anonymous);
}

#[tokio::test]
async fn a_user_that_changes_is_not_remembered() {
    let server = server_with_bob().await;
    let me = || server.request("GET", "/internal/security/me").user("bob").send();
    let act = |what: &str| {
        let path = format!("/internal/security/users/bob/{what}");
        server.request("POST", &path).superuser().xsrf().send()
    };
    assert_eq!(me().await.status, 200);
    assert_eq!(act("_disable").await.whole(), (204, json!(null)));
    assert_eq!(me().await.whole(), wrong("bob"));
    assert_eq!(act("_enable").await.whole(), (204, json!(null)));
    assert_eq!(me().await.status, 200);
    let path = "/internal/security/users/bob/password";
    assert_eq!(server.post(path, &json!({"newPassword": "another one"})).await.status, 204);
    assert_eq!(me().await.whole(), wrong("bob"));
    let with_new = server.request("GET", "/internal/security/me").basic("bob", "another one");
    assert_eq!(with_new.clone().send().await.status, 200);
    assert_eq!(server.delete("/internal/security/users/bob").await.status, 204);
    assert_eq!(with_new.send().await.whole(), wrong("bob"));
}

#[tokio::test]
async fn credentials_of_many_requests_at_once_are_checked_together() {
    let server = server_with_bob().await;
    let send = || server.request("GET", "/internal/security/me").user("bob").send();
    let sent: Vec<_> = (0..64).map(|_| tokio::spawn(send())).collect();
    for reply in sent {
        assert_eq!(reply.await.expect("an answer").status, 200);
    }
}

#[tokio::test]
async fn users_keep_to_themselves() {
    let server = server_with_bob().await;
    create_user(&server, "eve").await;
    for name in ["bob", "eve"] {
        let me = server.request("GET", "/internal/security/me").user(name).send().await;
        assert_eq!(me.json()["username"], name);
    }
    let mixed = server.request("GET", "/internal/security/me").basic("eve", "changeme").send().await;
    assert_eq!(mixed.whole(), wrong("eve"));
}
