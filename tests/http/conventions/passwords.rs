//! Guessing gets slower (a rule of this program).

use crate::support::{As as _, bare, server_with_bob};
use ikebana_testkit::server::TestServer;
use std::time::Duration;

async fn fail(server: &TestServer, user: &str, times: usize) {
    for _ in 0..times {
        let reply = server.request("GET", "/internal/security/me").basic(user, "wrong").send().await;
        assert_eq!(reply.status, 401);
    }
}

#[tokio::test]
async fn after_eleven_failures_a_user_waits_whatever_the_password() {
    let server = server_with_bob().await;
    fail(&server, "bob", 11).await;
    for password in ["wrong", crate::support::USER_PASSWORD] {
        let reply = server.request("GET", "/internal/security/me").basic("bob", password).send().await;
        assert_eq!(reply.whole(), bare(429));
        assert_eq!(reply.header("retry-after"), Some("2"));
    }
    let other = server.get("/internal/security/me").await;
    assert_eq!(other.status, 200, "another user does not wait");
    server.clock.advance(Duration::from_secs(1));
    let reply = server.request("GET", "/internal/security/me").user("bob").send().await;
    assert_eq!(reply.status, 200, "the wait is over");
    fail(&server, "bob", 10).await;
    let reply = server.request("GET", "/internal/security/me").user("bob").send().await;
    assert_eq!(reply.status, 200, "success forgot the failures before");
}

#[tokio::test]
async fn who_was_recognised_before_does_not_wait_for_the_guesses_of_others() {
    let server = server_with_bob().await;
    let me = || server.request("GET", "/internal/security/me").user("bob").send();
    assert_eq!(me().await.status, 200);
    fail(&server, "bob", 11).await;
    assert_eq!(me().await.status, 200);
}

#[tokio::test]
async fn status_stays_open_while_a_user_waits() {
    let server = server_with_bob().await;
    fail(&server, "bob", 11).await;
    assert_eq!(server.request("GET", "/api/status").basic("bob", "wrong").send().await.status, 200);
}
